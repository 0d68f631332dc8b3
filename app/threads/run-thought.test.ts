import { expect, test } from "vitest";
import { createThought } from "./run-thought.server";

test("Only thinking is timed, also where a model thinks again between its words", () => {
  const thought = createThought(100);
  expect(thought.ms(50)).toBeUndefined();
  thought.pause(60);
  expect(thought.ms(70)).toBeUndefined();
  thought.add("First", 1_000);
  expect(thought.ms(1_800)).toBe(800);
  thought.pause(3_000);
  expect(thought.ms(9_000)).toBe(2_000);
  thought.add(", then", 10_000);
  expect(thought.restedMs).toBeUndefined();
  thought.pause(10_500);
  expect(thought.restedMs).toBe(2_500);
  expect(thought.text).toBe("First, then");
});

test("A model whose reasoning may not be shown is timed all the same", () => {
  const thought = createThought(100);
  thought.add("", 1_000);
  thought.pause(2_000);
  expect(thought.freeze()).toBeUndefined();
  expect(thought.ms(5_000)).toBe(1_000);
});

test("What is frozen is never frozen again, and a character in two halves is never cut", () => {
  const thought = createThought(100);
  thought.add("one 🙂".slice(0, 5), 0);
  expect(thought.freeze()).toEqual({ from: 0, text: "one " });
  expect(thought.freeze()).toBeUndefined();
  thought.add("🙂 two".slice(1), 0);
  expect(thought.freeze()).toEqual({ from: 4, text: "🙂 two" });
  expect(thought.frozen).toBe(10);
});

test("Reasoning ends at its cap, at a whole character, and nothing is kept behind the gap", () => {
  const thought = createThought(6);
  thought.add("12345🙂", 0);
  expect(thought.text).toBe("12345");
  thought.add("6", 0);
  expect(thought.text).toBe("12345");
});
