import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cleanDraft,
  cleanText,
  cleanTitle,
  countWords,
  isNoteId,
  noteLimits,
  problemsOf,
  startOf,
  titleFrom,
} from "./note";

// Any UTF-16 units at all: half surrogates, NUL and control characters included.
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
const linesText = fc.string({ unit: fc.constantFrom("a", " ", "\n", "\r", "#", "-", "*", "\0", "🌿", "\ud83c", "é") });
const texts = fc.oneof(anyText, linesText);

describe("what is stored of what a person wrote", () => {
  test("is the same however often it is normalised", () => {
    fc.assert(
      fc.property(texts, texts, (title, text) => {
        const draft = cleanDraft({ title, text });
        expect(cleanDraft(draft)).toEqual(draft);
      }),
    );
  });

  test("holds no NUL, no carriage return and no half surrogate, and can be sent as UTF-8 without loss", () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const clean of [cleanText(text), cleanTitle(text), startOf(cleanText(text)), titleFrom(cleanText(text))]) {
          expect(clean).not.toMatch(/[\0\r]/);
          expect(Buffer.from(clean, "utf8").toString("utf8")).toBe(clean);
        }
      }),
    );
  });

  test("has a title of one line that fits, if the person gave none", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { title } = cleanDraft({ title: "", text });
        expect(title).not.toBe("");
        expect(title).not.toMatch(/[\r\n\t]/);
        expect(title.length).toBeLessThanOrEqual(80);
      }),
    );
  });

  test("keeps every other character as it was written", () => {
    expect(cleanText("  # Title\n\n\tcode\u00a0é 🌿  \n")).toBe("  # Title\n\n\tcode\u00a0é 🌿  \n");
  });
});

describe("a title from the text", () => {
  test.each([
    ["# Boiler log\n3 March", "Boiler log"],
    ["\n\n- **Milk** and _bread_ for `two`", "Milk and bread for two"],
    ["file_name_2, 5 * 3", "file_name_2, 5 * 3"],
    ["> quoted", "quoted"],
    ["---\n```\n", "Untitled"],
    ["", "Untitled"],
    ["🌿", "🌿"],
    ["日本語のメモ\n二行目", "日本語のメモ"],
    ["word ".repeat(40), `${"word ".repeat(15).trim()}…`],
  ])("of %j is %j", (text, title) => {
    expect(titleFrom(text)).toBe(title);
  });
});

describe("limits", () => {
  test("are met by exactly so many characters and passed by one more", () => {
    const fits = { title: "t".repeat(noteLimits.title), text: "x".repeat(noteLimits.text) };
    expect(problemsOf(fits)).toEqual({});
    expect(problemsOf({ title: `${fits.title}t`, text: `${fits.text}x` })).toEqual({
      title: "A title has at most 200 characters. This one has 201.",
      text: "A note has at most 50,000 characters. This one has 50,001.",
    });
  });

  test("count a line's end once, though forms send two characters for it", () => {
    expect(problemsOf(cleanDraft({ title: "t", text: "x\r\n".repeat(25_000) }))).toEqual({});
  });
});

test("only ULIDs in upper case are ids of notes", () => {
  expect(isNoteId("01ARZ3NDEKTSV4RRFFQ69G5FAV")).toBe(true);
  for (const other of [
    "",
    "new",
    "01arz3ndektsv4rrffq69g5fav",
    "81ARZ3NDEKTSV4RRFFQ69G5FAV",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV\n",
  ])
    expect(isNoteId(other)).toBe(false);
});

test.each([
  ["", 0],
  ["3 March: 0.8 bar cold, refilled to 1.5.", 8],
  ["it's a well-known file_name -- at 10:30", 6],
  ["日本語 text", 4],
  ["Ελλάδα Россия", 2],
])("words are counted as one reads them: %j has %d", (text, count) => {
  expect(countWords(text)).toBe(count);
});
