import { describe, expect, test } from "vitest";
import { notes } from "./notes";
import { questions } from "./questions";
import { plainWords } from "./words";

const byId = new Map(notes.map((note) => [note.id, note]));

describe("the evaluation set", () => {
  test("has at least 120 notes, each with an id of its own, from 20 to 5,000 characters", () => {
    expect(notes.length).toBeGreaterThanOrEqual(120);
    expect(byId.size).toBe(notes.length);
    const lengths = notes.map(({ text }) => text.length).toSorted((a, b) => a - b);
    expect(lengths[0]).toBeGreaterThanOrEqual(20);
    expect(lengths[0]).toBeLessThan(50);
    expect(lengths.at(-1)).toBeGreaterThan(4_500);
    expect(lengths.at(-1)).toBeLessThanOrEqual(5_000);
  });

  test("is in nine languages, most of it English", () => {
    expect(new Set(notes.map(({ language }) => language)).size).toBe(9);
    expect(notes.filter(({ language }) => language === "en").length).toBeGreaterThan(notes.length / 2);
  });

  test("has at least 60 questions, 20 of them held out, and follow-ups among both", () => {
    expect(questions.length).toBeGreaterThanOrEqual(60);
    const heldOut = questions.filter((question) => question.heldOut);
    expect(heldOut.length).toBeGreaterThanOrEqual(20);
    expect(questions.length - heldOut.length).toBeGreaterThanOrEqual(40);
    expect(heldOut.some(({ earlier }) => earlier)).toBe(true);
    expect(questions.filter(({ earlier, heldOut }) => earlier && !heldOut).length).toBeGreaterThanOrEqual(4);
    expect(new Set(questions.map(({ question }) => question)).size).toBe(questions.length);
  });

  test("names a note that is there for every question", () => {
    for (const { question, answers } of questions) {
      expect(answers.length, question).toBeGreaterThan(0);
      for (const id of answers) expect(byId.has(id), `${question}: ${id}`).toBe(true);
    }
  });

  test("has at least 15 questions that share no word with any of their notes, among both", () => {
    const wordless = questions.filter((question) => question.wordless);
    expect(wordless.length).toBeGreaterThanOrEqual(15);
    expect(wordless.filter((question) => question.heldOut).length).toBeGreaterThanOrEqual(4);
    for (const { question, answers, earlier } of wordless) {
      const asked = new Set(plainWords([question, ...(earlier ?? [])].join(" ")));
      expect(asked.size, question).toBeGreaterThan(0);
      for (const id of answers) {
        const note = byId.get(id);
        const shared = plainWords(`${note?.title} ${note?.text}`).filter((word) => asked.has(word));
        expect(shared, `${question}: ${id}`).toEqual([]);
      }
    }
  });
});
