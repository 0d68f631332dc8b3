import { expect, test } from "vitest";
import { answerOf } from "./run-basis.server";
import type { Given } from "./run-items.server";
import type { Sidenote } from "./view";

const given: Given = {
  model: { ref: "openai:gpt-4.1", name: "gpt-4.1" },
  settings: { temperature: 0.5, systemPrompt: "\u4e00".repeat(16_000) },
  notes: [],
};
const sidenotes = Array.from(
  { length: 500 },
  (_, index): Sidenote => ({
    number: index + 1,
    noteId: `01J${String(index).padStart(23, "0")}`,
    title: `Note ${index}`,
    revision: 1,
    cited: index % 2 === 0,
    passage: "\u0436".repeat(100),
  }),
);
const answer = (text: string) =>
  answerOf({ state: "ended", runId: "run", ending: "complete" }, text, { given, depth: 1, sidenotes });
const bytes = (item: object): number => Buffer.byteLength(JSON.stringify(item));

test("The longest answer fits into an item whatever stands beside it, and its text is whole", () => {
  const longest = "x".repeat(300 * 1024);
  const item = answer(longest);
  expect(bytes(item)).toBeLessThan(400_000);
  expect(item.text).toBe(longest);
  expect(item.settings?.temperature).toBe(0.5);
  expect(item.sidenotes?.filter(({ cited }) => cited).length).toBeGreaterThanOrEqual(100);
});

test("Beside a shorter answer nothing gives way", () => {
  const item = answer("x".repeat(60 * 1024));
  expect(item.sidenotes).toEqual(sidenotes);
  expect(item.settings).toEqual(given.settings);
});
