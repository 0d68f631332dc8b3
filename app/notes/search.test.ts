import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findInNote, fold, hitsIn, partsOf, termsOf } from "./search";

const letters = fc.constantFrom(..."aAbeEéÉe\u0301ßŁłøœİıΣςσ日 \n.ﬁ🌿Å");
const texts = fc.oneof(fc.string({ unit: letters }), fc.string({ unit: "grapheme" }));

describe("hits", () => {
  test("lead back to whole characters of the text that hold the term", () => {
    fc.assert(
      fc.property(texts, texts, (text, query) => {
        const terms = termsOf(query);
        for (const [from, to] of hitsIn(text, terms)) {
          expect(to).toBeGreaterThan(from);
          const found = fold(text.slice(from, to));
          expect(terms.some((term) => found.includes(term))).toBe(true);
        }
      }),
    );
  });

  test("are found wherever the folded text holds the term, and nowhere else", () => {
    fc.assert(
      fc.property(texts, texts, (text, query) => {
        const terms = termsOf(query);
        expect(hitsIn(text, terms).length > 0).toBe(terms.some((term) => fold(text).includes(term)));
      }),
    );
  });

  test("and what is between them make up the text", () => {
    fc.assert(
      fc.property(texts, texts, (text, query) => {
        const parts = partsOf(text, termsOf(query));
        expect(parts.map((part) => part.text).join("")).toBe(text);
      }),
    );
  });

  test("are found for any words that the person copies out of the text, in any case", () => {
    fc.assert(
      fc.property(texts, fc.nat(), fc.nat(), (text, one, other) => {
        const characters = [...text];
        const [from, to] = [one % (characters.length + 1), other % (characters.length + 1)].sort((a, b) => a - b);
        const copied = characters.slice(from, to).join("");
        const note = { noteId: "", title: "", start: "", pinned: false, changedAt: 0, revision: 1, size: text.length };
        const terms = termsOf(copied);
        fc.pre(terms.length > 0);
        expect(findInNote(note, text, terms)).toBeDefined();
      }),
    );
  });
});

describe("a hit in a note", () => {
  const note = { noteId: "1", title: "Über Öfen", start: "", pinned: false, changedAt: 0, revision: 1, size: 0 };

  test("marks the words in title and text as they were written", () => {
    const hit = findInNote(note, "Der Ofen steht hinten.", termsOf("OFEN"));
    expect(hit?.titleParts).toEqual([
      { text: "Über ", hit: false },
      { text: "Öfen", hit: true },
    ]);
    expect(hit?.snippet).toEqual([
      { text: "Der ", hit: false },
      { text: "Ofen", hit: true },
      { text: " steht hinten.", hit: false },
    ]);
  });

  test("shows the text's start if only the title has the words", () => {
    expect(findInNote(note, "Warm im Winter.", termsOf("öfen"))?.snippet).toEqual([
      { text: "Warm im Winter.", hit: false },
    ]);
  });

  test("needs every word, in the title or the text", () => {
    expect(findInNote(note, "Warm im Winter.", termsOf("ofen winter"))).toBeDefined();
    expect(findInNote(note, "Warm im Winter.", termsOf("ofen sommer"))).toBeUndefined();
  });
});

test("a query of many overlapping words is cut to eight, and its hits in the longest note are joined", () => {
  const text = "a".repeat(50_000);
  const query = Array.from({ length: 30 }, (_, length) => "a".repeat(length + 1)).join(" ");
  const terms = termsOf(query);
  expect(terms).toHaveLength(8);
  const hit = findInNote(
    { noteId: "", title: "", start: "", pinned: false, changedAt: 0, revision: 1, size: 0 },
    text,
    terms,
  );
  expect(hit?.snippet.length).toBeLessThan(4);
});
