import { describe, expect, test } from "vitest";
import { billedWords, costAccount, costWords, dollars } from "./money";

const price = { input: 0.7, output: 2.1, asOf: "2026-11-01" };

describe("a sum", () => {
  test.each([
    [0, "$0"],
    [0.00001, "under $0.0001"],
    [0.0001, "$0.0001"],
    [0.0004, "$0.0004"],
    [0.00123, "$0.0012"],
    [0.004, "$0.004"],
    [0.012, "$0.012"],
    [0.0149, "$0.015"],
    [0.0999, "$0.10"],
    [0.1, "$0.10"],
    [1.2, "$1.20"],
    [1234.5, "$1,234.50"],
  ])("of %d dollars reads %s", (sum, words) => {
    expect(dollars(sum)).toBe(words);
  });
});

describe("the cost of an answer", () => {
  test("is said to be an estimate where the vendor reported nothing", () => {
    const cost = { dollars: 0.004, price, estimated: { inputTokens: 1, outputTokens: 1 } };
    expect(costWords(cost)).toBe("about $0.004");
    expect(billedWords(cost)).toBe("Billed about $0.004.");
    expect(billedWords({ ...cost, dollars: 0.00001 })).toBe("Billed under $0.0001.");
  });

  test("is unknown without a price, and never reads as nothing", () => {
    expect(costWords({})).toBe("price unknown");
    expect(billedWords({})).not.toMatch(/Nothing|\$0/);
  });

  test("is nothing only where nothing was used", () => {
    expect(billedWords({ dollars: 0 })).toBe("Nothing was billed.");
    expect(billedWords({ dollars: 0.00001, price })).toBe("Billed under $0.0001.");
  });

  test("names the price that it was counted by, and its day", () => {
    expect(costAccount({ dollars: 0.004, price })).toBe(
      "$0.004 at $0.70 and $2.10 a million tokens (prices of 1 November 2026)",
    );
  });

  test("names the price of what was read from the cache, where anything was", () => {
    const cost = { dollars: 0.004, price: { ...price, cacheRead: 0.07 } };
    expect(costAccount(cost)).not.toContain("cache");
    expect(costAccount(cost, 4_000)).toBe(
      "$0.004 at $0.70 and $2.10 a million tokens, $0.07 a million from the cache (prices of 1 November 2026)",
    );
  });
});
