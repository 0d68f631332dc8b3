import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { citesOfBlocks, Markdown, type MarkdownProps } from "./markdown";
import { hasFootnotes, linkDefinitions, mend, splitBlocks } from "./markdown-blocks";

const render = (text: string, more: Partial<MarkdownProps> = {}) =>
  renderToStaticMarkup(<Markdown text={text} answerId="A1" {...more} />);
/** What a person reads: no tags, no repeated white. */
const read = (html: string) =>
  html
    .replace(/<[^>]*>/g, " ")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/\s+/g, " ")
    .trim();

const sample = [
  "# A heading",
  "A paragraph with **bold**, *slanted*, `code` and ~~struck~~ words,\nover two lines. [A link][there] and https://example.org.",
  "1. One\n\n2. Two\n\n   With a paragraph\n\n   ```js\n   const a = 1;\n\n   const b = [1];\n   ```\n\n3. Three",
  "- a\n  - b\n  - c\n\n- [ ] open\n- [x] done",
  "```python\ndef f():\n\n    return [1]\n```",
  "~~~\n```\n\nstill code\n~~~",
  "| a | b |\n|---|---:|\n| 1 | 2 |",
  "> quoted\n> more\n\n> another",
  "Setext\n===",
  "    indented code\n\n    more of it",
  "---",
  "[there]: https://example.org/there",
  "The end.",
].join("\n\n");

describe("What a model writes cannot act", () => {
  test.each([
    ["a script", 'Hello <script>alert("x")</script> there', '<script>alert("x")</script>'],
    ["a script as a block", '<script>\nalert("x")\n</script>', "<script>"],
    ["an image tag", '<img src="https://evil.example/a.png" onerror="alert(1)">', "<img src="],
    ["an svg", "<svg onload=alert(1)></svg>", "<svg onload=alert(1)>"],
    ["an iframe", '<iframe src="https://evil.example"></iframe>', "<iframe src="],
    ["a form", '<form action="https://evil.example"><input name="password"></form>', "<form action="],
    ["a style", "<style>body{display:none}</style>", "<style>"],
  ])("%s is shown as text", (_, text, shown) => {
    const html = render(text);
    expect(html).not.toMatch(/<(script|img|svg|iframe|form|style|input)/i);
    expect(html).not.toMatch(/<[^>]+\son\w+=/i);
    expect(read(html)).toContain(shown);
  });

  test.each([
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](java\tscript:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "[click](vbscript:msgbox)",
    "[click](file:///etc/passwd)",
    "[click](/sign-out)",
    "[click](//evil.example)",
    "[click][x]\n\n[x]: javascript:alert(1)",
    "<javascript:alert(1)>",
  ])("the link %j leads nowhere", (text) => {
    expect(render(text)).not.toContain("href");
  });

  test("a whole address opens elsewhere, and does not tell where it came from", () => {
    expect(render("[click](https://example.org/a?b=1)")).toContain(
      '<a href="https://example.org/a?b=1" target="_blank" rel="noopener noreferrer">click</a>',
    );
  });

  test.each([
    "![a cat](https://evil.example/cat.png?secret=1)",
    "![a cat](data:image/png;base64,AAAA)",
    "![a cat][c]\n\n[c]: https://evil.example/cat.png",
    "[![a cat](https://evil.example/cat.png)](https://example.org)",
  ])("the image %j is not loaded, its description is read", (text) => {
    const html = render(text);
    expect(html).not.toMatch(/<img|src=|evil\.example/);
    expect(read(html)).toContain("a cat");
  });

  test("an image that arrives piece by piece is never loaded on the way", { timeout: 30_000 }, () => {
    const text = "Look: ![a cat](https://evil.example/cat.png?secret=1) here";
    for (let end = 1; end <= text.length; end++) {
      const html = render(text.slice(0, end), { streaming: true });
      expect(html).not.toMatch(/<img|src=/);
    }
  });

  test("a line break in a table cell is a line break", () => {
    expect(render("| a |\n|---|\n| one<br>two |")).toMatch(/one<br\/>\s*two/);
  });
});

describe("Citations", () => {
  const citations = new Map([
    [7, 1],
    [2, 2],
  ]);

  test("show the page's number, lead to the sidenote and are counted per number", () => {
    const html = render("One [7]. Two [2], again[7].", { citations });
    expect(html).toContain(
      'One.<a href="#sidenote-A1-1" class="cite" id="cite-A1-1-1" data-number="1" data-note-number="7" aria-label="Sidenote 1">1</a>',
    );
    expect(html).toContain('id="cite-A1-2-1"');
    expect(html).toContain('id="cite-A1-1-2"');
    expect(html.match(/class="cite"/g)).toHaveLength(3);
  });

  test("stand behind the full stop or comma, and lose no other character", () => {
    const shown = (text: string) =>
      render(text, { citations })
        .replace(/<a [^>]*>(\d)<\/a>/g, "^$1")
        .replace(/<[^>]*>/g, "");
    expect(shown("One [7]. Two.[2] Three [7][2], four [7]")).toBe("One.^1 Two.^2 Three,^1^2 four^1");
    expect(shown("One [7]... and [7]: so [2]")).toBe("One^1... and:^1 so^2");
    expect(shown("At [7].5 and (see [2]) [7]")).toBe("At^1.5 and (see^2)^1");
  });

  test("are counted over blocks", () => {
    const html = render("One [7].\n\nTwo `[7]` [7].\n\n```\n[7]\n```\n\nThree [7].", { citations });
    expect([...html.matchAll(/id="(cite-[^"]+)"/g)].map(([, id]) => id)).toEqual([
      "cite-A1-1-1",
      "cite-A1-1-2",
      "cite-A1-1-3",
    ]);
  });

  test("are found in an answer with footnotes that begins with code", () => {
    const html = render("```sh\nls [2]\n```\n\nOne [7]. Two[^x] [7].\n\n[^x]: Three [2].", { citations });
    expect([...html.matchAll(/id="(cite-[^"]+)"/g)].map(([, id]) => id)).toEqual([
      "cite-A1-1-1",
      "cite-A1-1-2",
      "cite-A1-2-1",
    ]);
  });

  test("of unknown numbers stay text", () => {
    const html = render("One [3] and [7, 3].", { citations });
    expect(html).not.toContain("cite");
    expect(read(html)).toBe("One [3] and [7, 3].");
  });

  test("in one bracket become one link each", () => {
    expect(render("One [7, 2].", { citations }).match(/class="cite"/g)).toHaveLength(2);
  });

  test("are not made of code or of a link's words", () => {
    const html = render("`a[7]` and [7](https://example.org)\n\n    b[7]\n\n```js\nc[7]\n```", { citations });
    expect(html).not.toContain('class="cite"');
  });

  test("cannot be forged by what the model writes", () => {
    const html = render('<a class="cite" id="cite-A1-1-1" href="#x">1</a>', { citations });
    expect(html).not.toContain("<a");
  });

  test("are held back until it is clear what they are", () => {
    for (const part of ["Yes [", "Yes [7"]) expect(read(render(part, { citations, streaming: true }))).toBe("Yes");
    expect(render("Yes [7]", { citations, streaming: true })).toContain('class="cite"');
  });
});

describe("Blocks", () => {
  test("hold the whole text, in order", () => {
    const blocks = splitBlocks(sample);
    expect(blocks.map(({ text }) => text).join("")).toBe(sample);
    expect(blocks.length).toBeGreaterThan(10);
  });

  test("render as the whole text does", () => {
    const whole = renderToStaticMarkup(<Markdown text={`${sample}\n\n[^none]: x`} answerId="A1" />);
    const cut = render(sample);
    const plain = (html: string) => read(html.replace(/<section.*<\/section>/s, ""));
    expect(plain(cut)).toBe(plain(whole));
    const tags = (html: string) => html.replace(/<section.*<\/section>/s, "").match(/<[a-z0-9]+/g);
    expect(tags(cut)).toEqual(tags(whole));
  });

  test("keep a list with blank lines whole, and its numbers", () => {
    expect(splitBlocks("1. a\n\n2. b\n\n   c\n\n3. d\n\nafter").map(({ text }) => text)).toEqual([
      "1. a\n\n2. b\n\n   c\n\n3. d\n\n",
      "after",
    ]);
  });

  test("keep code with blank lines whole, also while it is open", () => {
    expect(splitBlocks("```\na\n\nb\n\nc")).toHaveLength(1);
    expect(splitBlocks("````\n```\n\nb\n````\n\nafter")).toHaveLength(2);
  });

  test("of a growing text stay the very same objects, save for the last two", () => {
    let before = splitBlocks("");
    for (let end = 1; end <= sample.length; end++) {
      const text = sample.slice(0, end);
      const blocks = splitBlocks(text, before);
      expect(blocks).toEqual(splitBlocks(text));
      for (let index = 0; index < before.length - 2; index++) expect(blocks[index]).toBe(before[index]);
      before = blocks;
    }
  });

  test("with the same citations count as the same, whatever follows", () => {
    const citations = new Map([[1, 1]]);
    const short = citesOfBlocks(splitBlocks("One [1].\n\nTwo [1]."), citations);
    const long = citesOfBlocks(splitBlocks("One [1].\n\nTwo [1].\n\nThree [2] [1]."), new Map([...citations, [2, 2]]));
    expect(long.slice(0, 2)).toEqual(short);
    expect(long).toEqual(["1:1:0", "1:1:1", "2:2:0,1:1:2"]);
  });

  test("know the links that are defined elsewhere in the text", () => {
    expect(linkDefinitions(splitBlocks("a\n\n[x]: https://example.org\n\n```\n[y]: no\n```"))).toBe(
      "[x]: https://example.org",
    );
  });
});

describe("While an answer grows", () => {
  test.each([
    ["Some **bold", "Some **bold**"],
    ["Some **bold ", "Some **bold**"],
    ["Some **bold*", "Some **bold**"],
    ["Some **", "Some "],
    ["Some *slanted", "Some *slanted*"],
    ["Some ***both", "Some ***both***"],
    ["Some `code", "Some `code`"],
    ["Some `", "Some "],
    ["Some ``a ` b", "Some ``a ` b``"],
    ["Some ~~struck", "Some ~~struck~~"],
    ["See [the page", "See the page"],
    ["See [the page](https://exa", "See the page"],
    ["See [the page](https://example.org)", "See [the page](https://example.org)"],
    ["See ![a cat](https://exa", "See"],
    ["A snake_case_name", "A snake_case_name"],
    ["2 * 3 * 4", "2 * 3 * 4"],
    ["Done **bold** and `code`.", "Done **bold** and `code`."],
    ["Text\n-", "Text"],
    ["Text\n--", "Text"],
    ["- one\n- ", "- one"],
    ["- **one", "- **one**"],
    ["- a **b\n- c", "- a **b\n- c"],
    ["## ", ""],
    ["```js\nconst a = `1", "```js\nconst a = `1"],
    ["```js\nconst a = 1;\n``", "```js\nconst a = 1;"],
    ["| a | b", ""],
    ["| a | b |\n|--", "| a | b |\n| --- | --- |"],
    ["| a | b |\n|---|:-:|", "| a | b |\n|---|:-:|"],
    ["| a | b |\n|---|---|\n| **x", "| a | b |\n|---|---|\n| **x**"],
  ])("%j reads as %j", (text, mended) => {
    expect(mend(text)).toBe(mended);
  });

  test("no mark of the final text ever shows and vanishes", { timeout: 30_000 }, () => {
    for (let end = 1; end <= sample.length; end++) {
      // What stands above the last block was shown by an earlier round.
      const last = splitBlocks(sample.slice(0, end)).at(-1)?.text ?? "";
      const shown = read(render(last, { streaming: true }).replace(/<pre.*?<\/pre>/gs, ""));
      expect(shown, sample.slice(Math.max(0, end - 20), end)).not.toMatch(/\*\*|~~|(^|\s)`|\]\(|\|/);
    }
  });

  test("a caret blinks behind the last word", () => {
    expect(render("One.\n\nTwo", { streaming: true })).toMatch(
      /Two<span class="caret" aria-hidden="true"><\/span><\/p>/,
    );
    expect(render("- a\n- b", { streaming: true })).toMatch(/b<span class="caret"[^>]*><\/span><\/li>/);
    expect(render("```\na", { streaming: true })).toMatch(/a<span class="caret"[^>]*><\/span><\/code>/);
    expect(render("", { streaming: true })).toContain("caret");
    expect(render("Done.")).not.toContain("caret");
  });

  test.each([
    "Some **bold and `code",
    "See [the page](https://exa",
    "```js\nconst a = 1;\n``",
    "- one\n- **two",
    "| a | b |\n|--",
    "See[^m].\n\n[^m]: Page **4",
  ])("%j reads the same once it is broken off there, without the caret", (text) => {
    const broken = render(text, { broken: true });
    expect(read(broken)).toBe(read(render(text, { streaming: true })));
    expect(read(broken)).not.toBe(read(render(text)));
    expect(broken).not.toContain("caret");
  });

  test("hostile text is cut and mended in no time", () => {
    for (const piece of ["[", "`", "*", "_a", "[a](", "> ", "- ", "| ", "\n\n- ", "![", "**a*", "``` "]) {
      const text = piece.repeat(Math.ceil(30_000 / piece.length));
      const began = performance.now();
      for (const { text: block } of splitBlocks(text)) mend(block);
      expect(performance.now() - began, piece).toBeLessThan(200);
    }
  });
});

describe("Code", () => {
  test("says its language and offers to be copied", () => {
    const html = render("```sh\nls\n```");
    expect(read(html)).toBe("Shell Copy ls");
  });

  test("without a language is text", () => {
    expect(read(render("```\nls\n```"))).toContain("Text");
  });
});

describe("A note that an answer proposes", () => {
  const note = (block: string, nth: number) => <aside>{`${nth}: ${block.split("\n")[1] ?? ""}`}</aside>;
  const answer = "Gladly:\n```note\nBoiler\n1.5 bar [1].\n```\nThat was it.\n\n```note\nSecond\n```";

  test("stands in its place, counted from the first, and code everywhere else", () => {
    const html = render(answer, { note });
    expect(read(html)).toBe("Gladly: 0: Boiler That was it. 1: Second");
    expect(render(answer)).toContain("<pre");
    expect(render(answer, { note: () => undefined })).toContain("<pre");
  });

  test("never flashes up as code while it comes, letter by letter", () => {
    for (let length = 1; length <= answer.length; length++) {
      const html = render(answer.slice(0, length), { note, streaming: true });
      expect(html, answer.slice(0, length)).not.toContain("<pre");
      expect(read(html)).not.toMatch(/`|\bnote\b/);
    }
  });

  describe("in an answer with footnotes", () => {
    const noted = [
      "```note\nBoiler\n1.5 bar.\n```\nSee the manual[^m], and the plate[^p].",
      "```note\nSecond\n```",
      "That was it[^m].\n\n[^m]: Page 4.\n\n[^p]: On the front.",
    ].join("\n\n");

    test("takes only its own words, and the footnotes count through all that stands around it", () => {
      const html = render(noted, { note });
      expect(read(html)).toBe(
        "0: Boiler See the manual 1 , and the plate 2 . 1: Second That was it 1 . Footnotes Page 4. ↩ ↩ 2 On the front. ↩",
      );
      expect(html.match(/<section/g)).toHaveLength(1);
      expect(render(noted)).toContain("<pre");
    });

    test("never takes in more, nor flashes up as code, while it comes letter by letter", { timeout: 30_000 }, () => {
      for (let length = 1; length <= noted.length; length++) {
        const part = noted.slice(0, length);
        const html = render(part, { note, streaming: true });
        expect(html, part).not.toContain("<pre");
        for (const [, card = ""] of html.matchAll(/<aside>(.*?)<\/aside>/g))
          expect("0: Boiler 1: Second", part).toContain(card.trim());
      }
      // Its fence is half-open behind a footnote that is there already.
      const half = "See[^m].\n\n[^m]: Page 4.\n\n```note\nBoiler\n1.5 b";
      expect(read(render(half, { note, streaming: true }))).toBe("See 1 . 0: Boiler Footnotes Page 4. ↩");
    });

    test("makes no footnotes of what stands in it, or in code", () => {
      const blocks = (text: string) => hasFootnotes(splitBlocks(text));
      expect(blocks("See[^1].\n\n```note\nA\n[^1]: in the note\n```")).toBe(false);
      expect(blocks("See[^1].\n\n```md\n[^1]: in the code\n```")).toBe(false);
      expect(blocks("See[^1].\n\n```note\nA\n```\n[^1]: right behind it")).toBe(true);
    });
  });

  test("does not change what is cut where there is none", () => {
    expect(splitBlocks(answer).map(({ text }) => text)).toEqual([
      "Gladly:\n",
      "```note\nBoiler\n1.5 bar [1].\n```\n",
      "That was it.\n\n",
      "```note\nSecond\n```",
    ]);
    expect(splitBlocks("One\n```ts\ncode\n```\ntwo")).toHaveLength(1);
    expect(mend("One\n```t")).toContain("```t");
  });
});
