import fc from "fast-check";
import { expect, test } from "vitest";
import { estimateTokens, fitNotes, listBudget, noteTokens, withoutText } from "./choose";

const notes = fc.uniqueArray(
  fc.record({
    noteId: fc.string({ minLength: 3, maxLength: 5 }),
    title: fc.string({ maxLength: 10 }),
    tokens: fc.nat(500),
  }),
  { selector: (note) => note.noteId, maxLength: 20 },
);
const cost = (chosen: { tokens: number }[]): number => chosen.reduce((sum, { tokens }) => sum + tokens, 0);

test("the notes never cost more than the budget, and all that fit together go in", () => {
  fc.assert(
    fc.property(notes, fc.nat({ max: 2_000 }), (all, budget) => {
      const chosen = fitNotes(all, budget);
      expect(cost(chosen)).toBeLessThanOrEqual(budget);
      if (cost(all) <= budget) expect(chosen).toEqual(all);
    }),
  );
});

test("no note that was left out would still fit, and those that go in keep their order", () => {
  fc.assert(
    fc.property(notes, fc.nat({ max: 2_000 }), (all, budget) => {
      const chosen = fitNotes(all, budget);
      for (const note of all) if (!chosen.includes(note)) expect(cost(chosen) + note.tokens).toBeGreaterThan(budget);
      expect(all.filter((note) => chosen.includes(note))).toEqual(chosen);
    }),
  );
});

test("no more go in than were asked for", () => {
  const all = Array.from({ length: 9 }, (_, index) => ({ title: `${index}`, tokens: 1 }));
  expect(fitNotes(all, 100, 4)).toEqual(all.slice(0, 4));
});

test("however large the model's window, the list of what went in fits into the items that store it", () => {
  for (const title of ["Short", "長い題名".repeat(50)]) {
    const many = Array.from({ length: 10_000 }, (_, index) => ({
      noteId: `01J${String(index).padStart(23, "0")}`,
      title,
      tokens: 20,
      revision: 1,
    }));
    const chosen = fitNotes(many, 10_000_000);
    const list = chosen.map(({ noteId, title, revision }, index) => ({ number: index, noteId, title, revision }));
    expect(Buffer.byteLength(JSON.stringify(list))).toBeLessThan(listBudget * 1.1);
    expect(chosen[0]).toBe(many[0]);
    expect(chosen.length).toBeGreaterThan(80);
  }
});

test("a long note that does not fit leaves its room to the others", () => {
  const long = { title: "Long", tokens: 1_000 };
  const short = { title: "Short", tokens: 20 };
  expect(fitNotes([long, short], 100)).toEqual([short]);
});

test("a note whose text is not read yet takes the room of its text", () => {
  const note = { title: "Boiler log", text: "The pressure was 0.8 bar in March. ".repeat(9) };
  const stand = withoutText({ title: note.title, tokens: noteTokens(note) });
  expect(noteTokens(stand)).toBe(noteTokens(note));
});

test("tokens are estimated by script: four letters of English, two of Cyrillic, one of Japanese", () => {
  expect(estimateTokens("")).toBe(0);
  expect(estimateTokens("four letters, about so many.")).toBe(7);
  expect(estimateTokens("привет, мир")).toBe(5);
  expect(estimateTokens("日本語")).toBe(3);
  expect(estimateTokens("🌿")).toBe(2);
});
