import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeCards } from "./listing";
import type { NoteCard } from "./note";

const card = (noteId: string, changedAt: number, pinned = false): NoteCard => ({
  noteId,
  title: noteId,
  start: "",
  pinned,
  changedAt,
  revision: 1,
  size: 0,
});
const none = new Set<string>();
const ids = (cards: NoteCard[]): string => cards.map(({ noteId }) => noteId).join("");

test("a note that was saved moves up from a later page, and the one it pushed off the first page stays", () => {
  const known = [card("a", 9), card("b", 8), card("c", 7), card("d", 6)];
  expect(ids(mergeCards({ items: [card("d", 10), card("a", 9)], more: true }, known, none))).toBe("dabc");
});

test("a note that was deleted elsewhere leaves the part of the list that was just loaded", () => {
  const known = [card("a", 9), card("b", 8), card("c", 7), card("d", 6)];
  expect(ids(mergeCards({ items: [card("a", 9), card("c", 7)], more: true }, known, none))).toBe("acd");
});

test("a note that was deleted here leaves the part of the list that was loaded before", () => {
  const known = [card("a", 9), card("b", 8), card("c", 7), card("d", 6)];
  expect(ids(mergeCards({ items: [card("a", 9), card("b", 8)], more: true }, known, new Set(["c"])))).toBe("abd");
});

test("a first page that is the whole list is the whole list", () => {
  expect(ids(mergeCards({ items: [card("a", 9)], more: false }, [card("z", 1)], none))).toBe("a");
});

test("with every card known, the list is the server's, whatever this tab saved, pinned or unpinned", () => {
  const notes = fc.uniqueArray(
    fc.tuple(fc.nat({ max: 200 }), fc.integer({ min: 1, max: 1_000 }), fc.boolean()).map(([id, at, pinned]) => ({
      ...card(String(id), at, pinned),
    })),
    { selector: (note) => note.noteId, maxLength: 30 },
  );
  const order = (one: NoteCard, other: NoteCard): number =>
    Number(other.pinned) - Number(one.pinned) || other.changedAt - one.changedAt;
  fc.assert(
    fc.property(notes, fc.integer({ min: 1, max: 10 }), fc.nat(), fc.boolean(), (all, size, which, pinned) => {
      fc.pre(new Set(all.map((note) => note.changedAt)).size === all.length);
      const before = [...all].sort(order);
      const changed = before[which % Math.max(1, before.length)];
      const after = before.map((note) => (note === changed ? { ...note, pinned, changedAt: 2_000 } : note)).sort(order);
      const first = { items: after.slice(0, size), more: after.length > size };
      const known = before.map((note) => after.find(({ noteId }) => noteId === note.noteId) ?? note);
      expect(ids(mergeCards(first, known, none))).toBe(ids(after));
    }),
  );
});
