import { describe, expect, test } from "vitest";
import { traitsOf } from "./families";
import { cachePointsFor, keepsByItself } from "./prompt-cache";

const model = (vendor: string, id: string) => ({ vendor, ...traitsOf(vendor, id) });
const nova = model("bedrock", "us.amazon.nova-lite-v1:0");
const haiku = model("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0");
/** So many tokens, as the estimate counts them. */
const tokens = (count: number) => "text".repeat(count);
const turns = (...sizes: number[]) => sizes.map((size) => ({ text: tokens(size) }));
const places = (given: ReturnType<typeof cachePointsFor>) => [given.system, ...given.messages];

describe("the places of a prompt that are kept for the next turn", () => {
  test("are the end of the system prompt, the newest message, and the one that was the newest before", () => {
    const prompt = { system: tokens(2_000), messages: turns(9, 9, 9, 9, 9) };
    expect(places(cachePointsFor(nova, { ...prompt, stable: 5 }))).toEqual([true, 2, 4]);
  });

  test("leave out a message that the next turn does not hold as it is now", () => {
    const prompt = { system: tokens(2_000), messages: turns(9, 9, 9, 9, 9) };
    expect(places(cachePointsFor(nova, { ...prompt, stable: 4 }))).toEqual([true, 1, 3]);
    expect(places(cachePointsFor(nova, { ...prompt, stable: 0 }))).toEqual([true]);
  });

  test("are only those up to which there is enough to keep", () => {
    expect(places(cachePointsFor(nova, { system: tokens(999), messages: turns(2), stable: 1 }))).toEqual([false, 0]);
    expect(places(cachePointsFor(nova, { system: tokens(900), messages: turns(9, 9, 9), stable: 3 }))).toEqual([false]);
    expect(places(cachePointsFor(haiku, { system: tokens(4_000), messages: turns(9), stable: 1 }))).toEqual([false]);
    expect(places(cachePointsFor(haiku, { system: tokens(4_096), messages: turns(9), stable: 1 }))).toEqual([true, 0]);
  });

  test("are none for a model without prompt caching, and none for OpenAI, which keeps all by itself", () => {
    const prompt = { system: tokens(9_000), messages: turns(9), stable: 1 };
    for (const other of [
      model("bedrock", "us.meta.llama3-3-70b-instruct-v1:0"),
      model("bedrock", "nobody.knows-it"),
      model("openai", "gpt-4.1"),
      model("house", "gpt-4.1"),
    ])
      expect(places(cachePointsFor(other, prompt))).toEqual([false]);
    expect(keepsByItself(model("openai", "gpt-4.1"), prompt)).toBe(true);
    expect(keepsByItself(model("openai", "gpt-4.1"), { system: "", messages: turns(9) })).toBe(false);
    expect(keepsByItself(model("openai", "gpt-4"), prompt)).toBe(false);
    expect(keepsByItself(model("house", "gpt-4.1"), prompt)).toBe(false);
    expect(keepsByItself(nova, prompt)).toBe(false);
  });
});
