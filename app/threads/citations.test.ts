import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CitableNote, citedSidenotes } from "./citations";

function note(number: number, text: string, title = `Note ${number}`): CitableNote {
  return { number, noteId: `note-${number}`, title, text, revision: 3 };
}

const boiler = note(
  4,
  `# Boiler
The boiler is a Vaillant ecoTEC from 2019. It was serviced in March 2026 by Mr Kowalski.

The pressure should stand between 1.2 and 1.5 bar. Below one bar, open the filling valve under the cover slowly.

- Warranty ends in June 2029.
- The flue was swept in October.`,
);
const trip = note(9, "Train to Porto leaves at 9:40. Seats 12 and 14.");

const numbers = (text: string, notes = [boiler, trip]) =>
  citedSidenotes(text, notes)
    .filter(({ cited }) => cited)
    .map(({ number }) => number);

describe("the notes of an answer", () => {
  test("are all of those that went in: the cited ones first, in order of their first citation", () => {
    const third = note(2, "Nothing of use.");
    const sidenotes = citedSidenotes("Leave at 9:40 [9]. The boiler is fine [4], really [9].", [third, boiler, trip]);
    expect(sidenotes.map(({ number, cited }) => [number, cited])).toEqual([
      [9, true],
      [4, true],
      [2, false],
    ]);
    expect(sidenotes[0]).toMatchObject({ noteId: "note-9", title: "Note 9", revision: 3 });
    expect(sidenotes[2]).not.toHaveProperty("passage");
  });

  test("are cited alone, side by side, or in one pair of brackets", () => {
    expect(numbers("One [4].")).toEqual([4]);
    expect(numbers("Two [9][4].")).toEqual([9, 4]);
    expect(numbers("Two [9, 4].")).toEqual([9, 4]);
  });

  test("are not cited by numbers that no note has, by code, by links or by definitions", () => {
    expect(numbers("See [5] and [444444].")).toEqual([]);
    expect(numbers("Use `list[4]` or ``a ` [4]``.")).toEqual([]);
    expect(numbers("```js\nlist[4]\n```\n\n~~~~\n[9]\n~~~\n[9]\n~~~~")).toEqual([]);
    expect(numbers("Never closed:\n```\n[4]")).toEqual([]);
    expect(numbers("A [4](https://example.com/) link.\n\n[9]: https://example.com/")).toEqual([]);
  });

  test("are cited beside code, and after a backtick that opens nothing", () => {
    expect(numbers("Run `npm start` as noted [4].\n\n```\nx\n```\nDone [9].")).toEqual([4, 9]);
    expect(numbers("A lone ` tick [4].")).toEqual([4]);
    expect(numbers("As you wrote in [4]: it is fine.")).toEqual([4]);
  });

  test("are found in an answer of very many lines: without its sidenotes no answer can be stored", () => {
    expect(numbers(`${"-\n".repeat(150_000)}As noted [4].`)).toEqual([4]);
    expect(numbers(`${"`\n".repeat(150_000)}\nAs noted [4].`)).toEqual([4]);
  });
});

describe("the passage of a cited note", () => {
  const passage = (answer: string, cited = boiler) => citedSidenotes(answer, [cited])[0]?.passage;

  test("is the sentence that fits the one before the citation", () => {
    expect(passage("All is well. Keep the pressure between 1.2 and 1.5 bar [4].")).toBe(
      "The pressure should stand between 1.2 and 1.5 bar.",
    );
    expect(passage("Mr Kowalski serviced it in March. [4] The pressure is a different matter.")).toContain("Kowalski");
    expect(passage("The warranty ends in June 2029 [4].")).toContain("Warranty ends in June 2029.");
  });

  test("takes in the neighbour that adds to it, but not over an empty line", () => {
    expect(passage("The Vaillant boiler of 2019 was serviced by Kowalski in March 2026 [4].")).toBe(
      "The boiler is a Vaillant ecoTEC from 2019. It was serviced in March 2026 by Mr Kowalski.",
    );
    expect(passage("The pressure should be right since Kowalski was here in 2026 [4].")).not.toContain("\n\n");
  });

  test("is the note's opening where nothing fits, and missing for a note without words", () => {
    expect(passage("Qwertz [9].", trip)).toBe("Train to Porto leaves at 9:40.");
    expect(passage("Something [4].", note(4, " \n---\n"))).toBeUndefined();
  });

  test("is found in scripts without spaces", () => {
    const japanese = note(4, "ボイラーは二〇一九年製です。圧力は一・五バールに保つこと。保証は六月まで。");
    expect(passage("圧力は一・五バールです [4]。", japanese)).toBe("圧力は一・五バールに保つこと。");
  });

  test("holds the words that fit, even deep inside a very long sentence", () => {
    const long = note(4, `${"and so on ".repeat(200)}until the heron landed ${"and so on ".repeat(200)}`);
    const found = passage("A heron landed [4].", long) ?? "";
    expect(found).toContain("heron landed");
    expect(found.length).toBeLessThanOrEqual(400);
  });

  test("stands in the note as it is, in at most 400 characters, whatever answer and note say", () => {
    const words = fc.constantFrom(
      "boiler",
      "Das",
      "Wetter",
      "ist",
      "schön",
      ".",
      "! ",
      "\n",
      "\n\n",
      " ",
      "[4]",
      "`",
      "```\n",
      "圧力",
      "。",
      "🦉",
      "x".repeat(300),
    );
    const text = fc.array(words, { maxLength: 80 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, (answer, content) => {
        const [sidenote] = citedSidenotes(`${answer} [4]`, [note(4, content)]);
        const { passage: found } = sidenote ?? {};
        if (found === undefined) return;
        expect(content).toContain(found);
        expect(found.length).toBeLessThanOrEqual(400);
        expect(found.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("comes quickly out of hostile answers and notes", () => {
    const hostile = ["[1,", "`", "` ``", "[4]", "[4] ", ". ", "\n\n", "a", '."'];
    const startedAt = performance.now();
    for (const piece of hostile) {
      const text = piece.repeat(Math.floor(50_000 / piece.length));
      citedSidenotes(`${text} [4]`, [note(4, text)]);
    }
    // Quadratic work would take minutes.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
