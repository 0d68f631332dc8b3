import { describe, expect, test } from "vitest";
import { costOfAnswer, sumOfCosts } from "./cost";

const price = { input: 1, output: 10, cacheRead: 0.1, asOf: "2026-11-01" };
const bill = { day: "2026-11-22", inputTokens: 1_000, price };

describe("the cost of an answer", () => {
  test("is what the vendor reported, by the price of that day", () => {
    const usage = { inputTokens: 2_000, outputTokens: 300, cacheReadTokens: 1_000 };
    const cost = costOfAnswer(bill, {
      text: "Whatever stands there",
      usage,
      spent: { inputTokens: 9, outputTokens: 9 },
    });
    expect(cost).toEqual({ day: bill.day, tokens: 2_300, price, dollars: (1_000 + 100 + 3_000) / 1e6 });
  });

  test("is what the producer knows where the vendor reported nothing", () => {
    const spent = { inputTokens: 1_000, outputTokens: 40 };
    expect(costOfAnswer(bill, { text: "", spent })).toMatchObject({ tokens: 1_040, estimated: spent });
  });

  test("of a killed server's answer is worked out from what was sent and what is there, without what it went on from", () => {
    const text = "x".repeat(400) + "y".repeat(80);
    const cost = costOfAnswer({ ...bill, prefix: 400 }, { text });
    expect(cost).toMatchObject({ tokens: 1_020, estimated: { inputTokens: 1_000, outputTokens: 20 } });
  });

  test("is nothing where nothing was asked, and is no estimate then", () => {
    const spent = { inputTokens: 0, outputTokens: 0 };
    expect(costOfAnswer(bill, { text: "", spent })).toEqual({ day: bill.day, tokens: 0, price, dollars: 0 });
  });

  test("holds the guardrail, also of a message that went to no model", () => {
    const guarded = { ...bill, guardrail: 0.0004 };
    const spent = { inputTokens: 0, outputTokens: 0 };
    expect(costOfAnswer(guarded, { text: "Blocked", spent, units: 2 })).toMatchObject({
      tokens: 500,
      dollars: 0.0008,
      guardrail: 0.0008,
    });
  });

  test("is unknown without a price, and counts on the budget all the same", () => {
    const cost = costOfAnswer(
      { day: bill.day, inputTokens: 0 },
      { text: "", usage: { inputTokens: 1, outputTokens: 2 } },
    );
    expect(cost).toEqual({ day: bill.day, tokens: 3 });
  });

  test("adds up over a thread; what has no price is counted apart", () => {
    expect(sumOfCosts([{}, { cost: { dollars: 0.5 } }, { cost: {} }, { cost: { dollars: 0.25 } }])).toEqual({
      answers: 3,
      dollars: 0.75,
      unpriced: 1,
    });
  });
});
