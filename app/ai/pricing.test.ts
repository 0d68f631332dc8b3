import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { families } from "./families";
import { priceOf } from "./prices.server";
import { costOf } from "./pricing";

const price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, asOf: "2026-11-01" };

describe("the cost of an answer", () => {
  test("is its tokens times the price of a million", () => {
    expect(costOf(price, { inputTokens: 2_000, outputTokens: 400 })).toBeCloseTo(0.006 + 0.006, 10);
  });

  test("counts each token of the input once, by what it cost", () => {
    const usage = { inputTokens: 10_000, outputTokens: 0, cacheReadTokens: 8_000, cacheWriteTokens: 1_500 };
    expect(costOf(price, usage)).toBeCloseTo((500 * 3 + 8_000 * 0.3 + 1_500 * 3.75) / 1e6, 10);
    const { cacheRead, cacheWrite, ...flat } = price;
    expect(costOf(flat, usage)).toBeCloseTo(0.03, 10);
  });

  test("never falls below zero, whatever a vendor reports", () => {
    expect(costOf(price, { inputTokens: 10, outputTokens: 0, cacheReadTokens: 20 })).toBeGreaterThan(0);
  });

  test("does not count reasoning twice: it is part of the output", () => {
    const usage = { inputTokens: 0, outputTokens: 1_000, reasoningTokens: 900 };
    expect(costOf(price, usage)).toBeCloseTo(0.015, 10);
  });

  test("is unknown without a price, and not zero", () => {
    expect(costOf(undefined, { inputTokens: 10, outputTokens: 10 })).toBeUndefined();
  });
});

describe("the list of prices", () => {
  test("knows what the models cost that are offered as shipped, and on which day that was read", () => {
    const prices = [
      ["bedrock", "us.amazon.nova-lite-v1:0", 0.06, 0.24],
      ["bedrock", "us.amazon.nova-pro-v1:0", 0.8, 3.2],
      ["bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3, 16.5],
      ["bedrock", "openai.gpt-oss-120b-1:0", 0.15, 0.6],
      ["openai", "gpt-6-luna", 0.1, 0.5],
      ["openai", "gpt-6.1-terra", 1, 5],
      ["openai", "gpt-6.1-sol", 2, 10],
    ] as const;
    const shipped = readFileSync(new URL("../../infra/models.ts", import.meta.url), "utf8");
    expect(shipped.match(/(?<=^ {2}")(bedrock|openai):.+(?=",$)/gm)).toEqual(
      prices.map(([vendor, id]) => `${vendor}:${id}`),
    );
    for (const [vendor, id, input, output] of prices)
      expect(priceOf(vendor, id), id).toMatchObject({
        input,
        output,
        asOf: expect.stringMatching(/^20\d\d-\d\d-\d\d$/),
      });
  });

  test("asks a tenth more of the newer Claude models in a region than everywhere", () => {
    const id = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    expect(priceOf("bedrock", `global.${id}`)).toMatchObject({
      input: 3,
      output: 15,
      cacheRead: 0.3,
      cacheWrite: 3.75,
    });
    for (const where of [id, `us.${id}`, `eu.${id}`])
      expect(priceOf("bedrock", where)).toMatchObject({ input: 3.3, output: 16.5, cacheRead: 0.33, cacheWrite: 4.125 });
  });

  test("does not guess what a model costs elsewhere, where it costs more", () => {
    expect(priceOf("bedrock", "us.amazon.nova-lite-v1:0")?.input).toBe(0.06);
    expect(priceOf("bedrock", "global.amazon.nova-2-lite-v1:0")?.input).toBe(0.3);
    for (const id of ["eu.amazon.nova-lite-v1:0", "jp.amazon.nova-2-lite-v1:0", "us-gov.anthropic.claude-sonnet-4-5-x"])
      expect(priceOf("bedrock", id), id).toBeUndefined();
    expect(priceOf("bedrock", "jp.anthropic.claude-haiku-4-5-20251001-v1:0")?.input).toBe(1.1);
  });

  test("names of each price the day of its own list", () => {
    expect(priceOf("openai", "gpt-5-mini")?.asOf).toBe("2026-11-20");
    expect(priceOf("openai", "gpt-3.5-turbo")?.asOf).toBe("2026-09-23");
  });

  test("does not guess: a model that it does not know has no price", () => {
    for (const [vendor, id] of [
      ["openai", "gpt-5.5-mini"],
      ["openai", "ft:gpt-4.1-mini:house::abc"],
      ["openai", "gpt-9"],
      ["bedrock", "gpt-4.1"],
      ["bedrock", "us.anthropic.claude-sonnet-6"],
      ["bedrock", "xai.grok-5"],
      ["bedrock", "cohere.command-r-plus-v1:0"],
      ["ollama", "gpt-4.1"],
    ] as const)
      expect(priceOf(vendor, id), id).toBeUndefined();
  });

  test("counts a very long call by the price of long calls, whole", () => {
    const long = priceOf("openai", "gpt-5.4");
    expect(costOf(long, { inputTokens: 272_000, outputTokens: 1_000 })).toBeCloseTo(0.272 * 2.5 + 0.015, 8);
    expect(costOf(long, { inputTokens: 272_001, outputTokens: 1_000, cacheReadTokens: 72_001 })).toBeCloseTo(
      0.2 * 5 + 0.072001 * 0.5 + 0.0225,
      8,
    );
    // Each has its own bound and its own factors; a region's tenth counts in both.
    expect(priceOf("bedrock", "us.anthropic.claude-haiku-5-5")).toMatchObject({
      input: 0.11,
      output: 0.55,
      long: { above: 100_000, input: 0.55, output: 2.75, cacheRead: 0.055, cacheWrite: 0.6875 },
    });
  });

  test("has a cheaper price for what is read from the cache of every family that has one and a price", () => {
    const ids: Record<string, string> = {
      "Amazon Nova 2": "us.amazon.nova-2-lite-v1:0",
      "Amazon Nova": "us.amazon.nova-pro-v1:0",
      "Claude Sonnet 4.5": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      "Claude Opus 4.7": "us.anthropic.claude-opus-4-7",
      "GPT-4.1": "gpt-4.1",
      "GPT-5": "gpt-5",
      "OpenAI o series": "o4-mini",
    };
    for (const { name, vendor } of families) {
      const price = ids[name] && priceOf(vendor, ids[name]);
      if (price) expect(price.cacheRead, name).toBeLessThan(price.input);
    }
  });
});
