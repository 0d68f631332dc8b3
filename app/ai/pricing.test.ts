import { describe, expect, test } from "vitest";
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
