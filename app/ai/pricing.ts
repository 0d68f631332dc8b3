/** The cost of an answer by its price. The prices themselves stand in prices.server.ts. */
import type { AnswerUsage, Price } from "./model";

const MILLION = 1_000_000;

/**
 * Dollars that an answer cost by this price, unrounded; undefined without a price. Tokens from or to the prompt
 * cache cost as other input where the list names no price of their own.
 */
export function costOf(price: Price | undefined, usage: AnswerUsage): number | undefined {
  if (!price) return undefined;
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const rates = price.long && inputTokens > price.long.above ? price.long : price;
  const plain = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens);
  return (
    (plain * rates.input +
      cacheReadTokens * (rates.cacheRead ?? rates.input) +
      cacheWriteTokens * (rates.cacheWrite ?? rates.input) +
      outputTokens * rates.output) /
    MILLION
  );
}
