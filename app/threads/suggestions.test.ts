import { describe, expect, test } from "vitest";
import { isNoteId } from "~/notes/note";
import { runIdOf } from "./ids";
import {
  MOST,
  readSuggestion,
  suggestedNoteId,
  suggestionsIn,
  withoutSuggestions,
  withPlainSuggestions,
} from "./suggestions";

const fenced = (body: string, mark = "```") => `${mark}note\n${body}\n${mark}`;

describe("a note that an answer proposes", () => {
  test("has its title on the first line and its text below", () => {
    const answer = `Gladly.\n\n${fenced("# **Boiler pressure**\n\nIt should stand at 1.5 bar.\n\n- Check in spring.")}\n\nShall I go on?`;
    expect(suggestionsIn(answer)).toEqual([
      { title: "Boiler pressure", text: "It should stand at 1.5 bar.\n\n- Check in spring.", whole: true },
    ]);
  });

  test("is found without blank lines around it, between tildes, and beside a second one", () => {
    const answer = `Here:\n${fenced("One\nFirst.")}\nand\n${fenced("Two\nSecond.", "~~~~")}\nThat is all.`;
    expect(suggestionsIn(answer).map(({ title, text }) => [title, text])).toEqual([
      ["One", "First."],
      ["Two", "Second."],
    ]);
  });

  test("is only what its fence holds in an answer with footnotes, wherever it stands", () => {
    const note = fenced("Boiler\n1.5 bar.\n[^1]: Page 4.");
    const footnote = "[^1]: The manual.";
    for (const answer of [`${note}\n\nSee[^1].\n\n${footnote}`, `See[^1].\n\n${footnote}\n\n${note}`])
      expect(suggestionsIn(answer)).toEqual([{ title: "Boiler", text: "1.5 bar.\n[^1]: Page 4.", whole: true }]);
    expect(withoutSuggestions(`${note}\n\nSee[^1].\n\n${footnote}`)).toBe(`See[^1].\n\n${footnote}`);
    // Its fence is still open.
    expect(suggestionsIn(`See[^1].\n\n${footnote}\n\n\`\`\`note\nBoiler\n1.5`)).toEqual([
      { title: "Boiler", text: "1.5", whole: false },
    ]);
  });

  test("may hold a fence of its own inside a longer one", () => {
    const inner = "Backup\n```sh\nrsync -a\n```\nEvery night.";
    expect(suggestionsIn(fenced(inner, "````"))).toEqual([
      { title: "Backup", text: "```sh\nrsync -a\n```\nEvery night.", whole: true },
    ]);
  });

  test("is not whole while its fence is open", () => {
    expect(readSuggestion("```note\nBoiler\nIt should")).toEqual({ title: "Boiler", text: "It should", whole: false });
    expect(readSuggestion("```note\nBoiler\nIt should\n``")).toMatchObject({ whole: false });
    expect(readSuggestion("```note\n")).toEqual({ title: "", text: "", whole: false });
  });

  test.each([
    ["other code", "```notes\nA\n```"],
    ["code in a list", "- item\n\n  ```note\n  A\n  ```"],
    ["a quotation", "> ```note\n> A\n> ```"],
    ["code inside code", "````md\n```note\nA\n```\n````"],
    ["the word alone", "Write it as a `note`."],
  ])("is never found in %s", (_, answer) => {
    expect(suggestionsIn(answer)).toEqual([]);
  });

  test("has a title on one line, within a title's length, whatever it says", () => {
    const [hostile] = suggestionsIn(fenced(`<img src=x onerror=alert(1)>\u202e ${"x".repeat(500)}\n<script>`));
    expect(hostile?.title.length).toBeLessThanOrEqual(200);
    expect(hostile?.text).toBe("<script>");
    expect(suggestionsIn(Array.from({ length: 20 }, (_, at) => fenced(`N${at}`)).join("\n\n"))).toHaveLength(MOST);
  });
});

test("Each suggestion of an answer has an id of its own that every device finds alike", () => {
  const answerId = runIdOf("01J9Z3X4Y5A6B7C8D9E0F1G2H4");
  const ids = Array.from({ length: MOST }, (_, nth) => suggestedNoteId(answerId, nth));
  expect(new Set(ids).size).toBe(MOST);
  expect(ids.every(isNoteId)).toBe(true);
  expect(suggestedNoteId(answerId, 3)).toBe(ids[3]);
  expect(ids.some((id) => id.slice(0, 25) !== answerId.slice(0, 25))).toBe(false);
});

test("A copied answer reads without the marks, and an answer saved as a note leaves out what has a Save of its own", () => {
  const answer = `Gladly.\n\n${fenced("Boiler\n1.5 bar.")}\n\nAnything else?`;
  expect(withPlainSuggestions(answer)).toBe("Gladly.\n\n**Boiler**\n\n1.5 bar.\n\nAnything else?");
  expect(withoutSuggestions(answer)).toBe("Gladly.\n\nAnything else?");
  expect(withoutSuggestions(fenced("Boiler\n1.5 bar."))).toBe("**Boiler**\n\n1.5 bar.");
  const plain = "No fence here.\n\n```ts\nnote\n```";
  expect(withPlainSuggestions(plain)).toBe(plain);
  expect(withoutSuggestions(plain)).toBe(plain);
});
