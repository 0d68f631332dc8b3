/**
 * What models cost: the one table of prices, and the cost of an answer by it. A list price changes without notice,
 * so each carries the day it was read, and an answer keeps the price that it was counted by. A model that is not
 * here has no price: its cost is unknown, which is not zero.
 */
import type { AnswerUsage, Price } from "./model";

const MILLION = 1_000_000;

/**
 * Dollars that an answer cost by this price, unrounded; undefined without a price. Tokens from or to the prompt
 * cache cost as other input where the list names no price of their own.
 */
export function costOf(price: Price | undefined, usage: AnswerUsage): number | undefined {
  if (!price) return undefined;
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const plain = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens);
  return (
    (plain * price.input +
      cacheReadTokens * (price.cacheRead ?? price.input) +
      cacheWriteTokens * (price.cacheWrite ?? price.input) +
      outputTokens * price.output) /
    MILLION
  );
}
