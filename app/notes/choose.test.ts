import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseNotes, estimateTokens, listBudget, noteTokens } from "./choose";
import type { Note } from "./note";

const notes = fc.uniqueArray(
  fc.record({
    noteId: fc.string({ unit: fc.constantFrom(..."ABCDEFGH"), minLength: 3, maxLength: 5 }),
    title: fc.string({ maxLength: 10 }),
    text: fc.string({ maxLength: 400 }),
    revision: fc.constant(1),
    pinned: fc.boolean(),
    createdAt: fc.constant(0),
    changedAt: fc.nat({ max: 5 }),
  }) satisfies fc.Arbitrary<Note>,
  { selector: (note) => note.noteId, maxLength: 20 },
);
const cost = (chosen: Note[]): number => chosen.reduce((sum, note) => sum + noteTokens(note), 0);

test("the chosen notes never cost more than the budget, and all that fit together go in", () => {
  fc.assert(
    fc.property(notes, fc.nat({ max: 2_000 }), (all, budget) => {
      const { chosen, leftOut } = chooseNotes(all, budget);
      expect(cost(chosen)).toBeLessThanOrEqual(budget);
      expect(chosen.length + leftOut).toBe(all.length);
      if (cost(all) <= budget) expect(leftOut).toBe(0);
    }),
  );
});

test("no note that was left out would still fit", () => {
  fc.assert(
    fc.property(notes, fc.nat({ max: 2_000 }), (all, budget) => {
      const { chosen } = chooseNotes(all, budget);
      for (const note of all)
        if (!chosen.includes(note)) expect(cost(chosen) + noteTokens(note)).toBeGreaterThan(budget);
    }),
  );
});

test("pinned notes come first, then the newest change, in the same order whatever the input's", () => {
  fc.assert(
    fc.property(notes, fc.nat({ max: 2_000 }), (all, budget) => {
      const { chosen } = chooseNotes(all, budget);
      expect(chooseNotes([...all].reverse(), budget).chosen).toEqual(chosen);
      for (const [index, note] of chosen.slice(1).entries()) {
        const before = chosen[index];
        expect(before && (before.pinned ? 1 : 0) * 10 + before.changedAt).toBeGreaterThanOrEqual(
          (note.pinned ? 1 : 0) * 10 + note.changedAt,
        );
      }
    }),
  );
});

test("however large the model's window, the list of what went in fits into the items that store it", () => {
  for (const title of ["Short", "長い題名".repeat(50)]) {
    const many = Array.from({ length: 10_000 }, (_, index) => ({
      noteId: `01J${String(index).padStart(23, "0")}`,
      title,
      text: "word",
      revision: 1,
      pinned: false,
      createdAt: 0,
      changedAt: index,
    }));
    const { chosen, leftOut } = chooseNotes(many, 10_000_000);
    const list = chosen.map(({ noteId, title, revision }, index) => ({ number: index, noteId, title, revision }));
    expect(Buffer.byteLength(JSON.stringify(list))).toBeLessThan(listBudget * 1.1);
    expect(chosen.length + leftOut).toBe(many.length);
    // The newest ones.
    expect(chosen[0]?.changedAt).toBe(9_999);
    expect(chosen.length).toBeGreaterThan(80);
  }
});

test("a long pinned note that does not fit leaves its room to the others", () => {
  const note = {
    noteId: "A",
    title: "",
    text: "word ".repeat(1_000),
    revision: 1,
    pinned: true,
    createdAt: 0,
    changedAt: 9,
  };
  const short = { ...note, noteId: "B", text: "short", pinned: false };
  expect(chooseNotes([note, short], 100)).toEqual({ chosen: [short], leftOut: 1 });
});

test("tokens are estimated by script: four letters of English, two of Cyrillic, one of Japanese", () => {
  expect(estimateTokens("")).toBe(0);
  expect(estimateTokens("four letters, about so many.")).toBe(7);
  expect(estimateTokens("привет, мир")).toBe(5);
  expect(estimateTokens("日本語")).toBe(3);
  expect(estimateTokens("🌿")).toBe(2);
});
