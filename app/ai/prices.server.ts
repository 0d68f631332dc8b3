/**
 * The one table of prices. A list price changes without notice, so each carries the day it was read, and an answer
 * keeps the price that it was counted by. A model that is not here has no price: its cost is unknown, which is not
 * zero. The browser gets the prices with the models, never the table.
 *
 * Read from genai-prices 0.1.8 (Pydantic's open table of the vendors' list prices, published on that day), for
 * Bedrock on demand in us-east-1 and OpenAI's standard tier; the vendors' own pages could not be opened. Other
 * regions of Bedrock, other tiers, fine-tuned models and taxes differ, and are not here.
 */
import { bareBedrockId } from "./families";
import type { Price, Rates } from "./model";

const asOf = "2026-09-23";

interface Row {
  vendor: "bedrock" | "openai";
  /** Of the id without its profile's geography. */
  ids: RegExp;
  rates: Rates;
  /** From so many input tokens on, input (cached or not) costs twice as much, and output half as much again. */
  longFrom?: number;
  /** The rates are those of the global profile; the others cost a tenth more. */
  regional?: true;
}

const dear = { longFrom: 272_000 };
const regional = { regional: true } as const;

function row(
  vendor: Row["vendor"],
  ids: RegExp,
  [input, output, cacheRead, cacheWrite]: [number, number, number?, number?],
  more: Pick<Row, "longFrom" | "regional"> = {},
): Row {
  const rates: Rates = { input, output };
  if (cacheRead !== undefined) rates.cacheRead = cacheRead;
  if (cacheWrite !== undefined) rates.cacheWrite = cacheWrite;
  return { vendor, ids, rates, ...more };
}

/** Input, output, and where there are such: read from the cache, written to it. The first row that fits wins. */
const rows: readonly Row[] = [
  row("bedrock", /^amazon\.nova-2-lite-/, [0.3, 2.5, 0.075], regional),
  row("bedrock", /^amazon\.nova-micro-/, [0.035, 0.14, 0.00875]),
  row("bedrock", /^amazon\.nova-lite-/, [0.06, 0.24, 0.015]),
  row("bedrock", /^amazon\.nova-pro-/, [0.8, 3.2, 0.2]),
  row("bedrock", /^amazon\.nova-premier-/, [2.5, 12.5, 0.625]),
  row("bedrock", /^amazon\.titan-text-express-/, [0.2, 0.6]),
  row("bedrock", /^amazon\.titan-text-lite-/, [0.15, 0.2]),
  row("bedrock", /^anthropic\.claude-fable-5-1/, [10, 50, 0.25, 12.5], regional),
  row("bedrock", /^anthropic\.claude-fable-5(?!-\d)/, [10, 50, 1, 12.5], regional),
  row("bedrock", /^anthropic\.claude-opus-5-5/, [4, 20, 0.2, 5], regional),
  row("bedrock", /^anthropic\.claude-opus-(5(?!-\d)|4-[5-8])/, [5, 25, 0.5, 6.25], regional),
  row("bedrock", /^anthropic\.claude-sonnet-5(?!-\d)/, [2, 10, 0.2, 2.5], regional),
  row("bedrock", /^anthropic\.claude-sonnet-4-[56]/, [3, 15, 0.3, 3.75], regional),
  row("bedrock", /^anthropic\.claude-haiku-4-5/, [1, 5, 0.1, 1.25], regional),
  row("bedrock", /^anthropic\.claude-opus-4-/, [15, 75, 1.5, 18.75]),
  row("bedrock", /^anthropic\.claude-(sonnet-4|3-7-sonnet|3-5-sonnet)/, [3, 15, 0.3, 3.75]),
  row("bedrock", /^anthropic\.claude-3-5-haiku/, [0.8, 4, 0.08, 1]),
  row("bedrock", /^anthropic\.claude-3-haiku/, [0.25, 1.25]),
  row("bedrock", /^anthropic\.claude-3-sonnet/, [3, 15]),
  row("bedrock", /^anthropic\.claude-3-opus/, [15, 75]),
  row("bedrock", /^meta\.llama4-maverick/, [0.24, 0.97]),
  row("bedrock", /^meta\.llama4-scout/, [0.17, 0.66]),
  row("bedrock", /^meta\.llama3-(1-70b|2-90b|3-70b)/, [0.72, 0.72]),
  row("bedrock", /^meta\.llama3-1-8b/, [0.22, 0.22]),
  row("bedrock", /^meta\.llama3-2-11b/, [0.16, 0.16]),
  row("bedrock", /^meta\.llama3-2-3b/, [0.15, 0.15]),
  row("bedrock", /^meta\.llama3-2-1b/, [0.1, 0.1]),
  row("bedrock", /^meta\.llama3-70b/, [2.65, 3.5]),
  row("bedrock", /^meta\.llama3-8b/, [0.3, 0.6]),
  row("bedrock", /^mistral\.mistral-7b/, [0.15, 0.2]),
  row("bedrock", /^mistral\.mixtral-8x7b/, [0.45, 0.7]),
  row("bedrock", /^mistral\.mistral-large-2402/, [4, 12]),
  row("bedrock", /^mistral\.mistral-small-2402/, [1, 3]),
  row("bedrock", /^mistral\.pixtral-large-2502/, [2, 6]),
  row("bedrock", /^mistral\.mistral-large-3/, [0.5, 1.5]),
  row("bedrock", /^mistral\.ministral-3-14b/, [0.2, 0.2]),
  row("bedrock", /^mistral\.ministral-3-8b/, [0.15, 0.15]),
  row("bedrock", /^mistral\.ministral-3-3b/, [0.1, 0.1]),
  row("bedrock", /^mistral\.magistral-small/, [0.5, 1.5]),
  row("bedrock", /^deepseek\.r1/, [1.35, 5.4]),
  row("bedrock", /^openai\.gpt-oss-120b/, [0.15, 0.6]),
  row("bedrock", /^openai\.gpt-oss-20b/, [0.07, 0.3]),
  row("bedrock", /^openai\.gpt-5\.6-luna/, [0.2, 1.2, 0.02, 0.25], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-5\.6-terra/, [2, 12, 0.2, 2.5], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-5\.6-sol/, [4, 20, 0.4, 5], { ...dear, ...regional }),
  row("bedrock", /^qwen\.qwen3-32b/, [0.15, 0.6]),
  row("bedrock", /^qwen\.qwen3-coder-30b/, [0.15, 0.6]),
  row("bedrock", /^qwen\.qwen3-coder-480b/, [0.45, 1.8]),

  row("openai", /^gpt-4\.1-nano/, [0.1, 0.4, 0.025]),
  row("openai", /^gpt-4\.1-mini/, [0.4, 1.6, 0.1]),
  row("openai", /^gpt-4\.1/, [2, 8, 0.5]),
  row("openai", /^gpt-4o-2024-05-13/, [5, 15]),
  row("openai", /^gpt-4o-mini/, [0.15, 0.6, 0.075]),
  row("openai", /^gpt-4o/, [2.5, 10, 1.25]),
  row("openai", /^chatgpt-4o-latest/, [5, 15]),
  row("openai", /^gpt-4-(turbo|1106|0125)/, [10, 30]),
  row("openai", /^gpt-4(-0613|-0314|$)/, [30, 60]),
  row("openai", /^gpt-3\.5-turbo(-0125|$)/, [0.5, 1.5]),
  row("openai", /^gpt-3\.5-turbo-1106/, [1, 2]),
  row("openai", /^gpt-5-pro/, [15, 120]),
  row("openai", /^gpt-5-mini/, [0.25, 2, 0.025]),
  row("openai", /^gpt-5-nano/, [0.05, 0.4, 0.005]),
  row("openai", /^gpt-5(-chat|-codex|-\d{4}|$)/, [1.25, 10, 0.125]),
  row("openai", /^gpt-5\.1-codex-mini/, [0.25, 2, 0.025]),
  row("openai", /^gpt-5\.1/, [1.25, 10, 0.125]),
  row("openai", /^gpt-5\.2-pro/, [21, 168]),
  row("openai", /^gpt-5\.[23]/, [1.75, 14, 0.175]),
  row("openai", /^gpt-5\.[45]-pro/, [30, 180], dear),
  row("openai", /^gpt-5\.4-mini/, [0.75, 4.5, 0.075]),
  row("openai", /^gpt-5\.4-nano/, [0.2, 1.25, 0.02]),
  row("openai", /^gpt-5\.4(-\d{4}|$)/, [2.5, 15, 0.25], dear),
  row("openai", /^gpt-5\.5(-\d{4}|$)/, [5, 30, 0.5], dear),
  row("openai", /^gpt-5\.6-luna/, [0.2, 1.2, 0.02, 0.25], dear),
  row("openai", /^gpt-5\.6-terra/, [2, 12, 0.2, 2.5], dear),
  row("openai", /^gpt-5\.6-sol/, [4, 20, 0.4, 5], dear),
  row("openai", /^gpt-6-astra/, [10, 50, 1, 12.5], dear),
  row("openai", /^gpt-6-luna/, [0.1, 0.5, 0.01, 0.125], dear),
  row("openai", /^gpt-6-sol/, [2, 10, 0.2, 2.5], dear),
  row("openai", /^o1-pro/, [150, 600]),
  row("openai", /^o1-mini/, [1.1, 4.4, 0.55]),
  row("openai", /^o1/, [15, 60, 7.5]),
  row("openai", /^o3-pro/, [20, 80]),
  row("openai", /^o3-mini/, [1.1, 4.4, 0.55]),
  row("openai", /^o3(-\d{4}|$)/, [2, 8, 0.5]),
  row("openai", /^o4-mini/, [1.1, 4.4, 0.275]),
];

/** Rates by a factor, without the noise of binary fractions: to a billionth of a dollar per million. */
function times(rates: Rates, input: number, output = input): Rates {
  const by = (rate: number, factor: number) => Math.round(rate * factor * 1e9) / 1e9;
  return {
    input: by(rates.input, input),
    output: by(rates.output, output),
    ...(rates.cacheRead !== undefined && { cacheRead: by(rates.cacheRead, input) }),
    ...(rates.cacheWrite !== undefined && { cacheWrite: by(rates.cacheWrite, input) }),
  };
}

/** The list price of a model by its id; undefined if it is not known. */
export function priceOf(vendor: string, id: string): Price | undefined {
  const bare = vendor === "bedrock" ? bareBedrockId(id) : id;
  const found = rows.find((candidate) => candidate.vendor === vendor && candidate.ids.test(bare));
  if (!found) return undefined;
  const rates = found.regional && !id.startsWith("global.") ? times(found.rates, 1.1) : found.rates;
  return { ...rates, asOf, ...(found.longFrom && { long: { from: found.longFrom, ...times(rates, 2, 1.5) } }) };
}
