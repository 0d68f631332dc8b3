/**
 * The one table of prices. A list price changes without notice, so each carries the day of the table that it was read
 * from, and an answer keeps the price that it was counted by. A model that is not here has no price: its cost is
 * unknown, which is not zero. The browser gets the prices with the models, never the table.
 *
 * Read from two open tables that others keep; the vendors' pages of prices could not be opened. They are models.dev, as
 * pi-ai 1.6.0 took it over on 20 November 2026, and genai-prices 0.1.8 of 23 September for what the other does not have.
 * What both name of the models here (input, output, cache; not the rates of long calls) was compared on 29 November and
 * is the same, but for cache reads of Claude Sonnet 5.5, where Anthropic's migration guide says what models.dev does.
 * Many of the newest are in models.dev alone. AWS's model cards of Kimi K3 and GPT-6 Luna name the same prices. They are
 * Bedrock's on demand in us-east-1 and OpenAI's standard tier, for prompts that are kept as long as by default. Other
 * tiers, fine-tuned models and taxes differ, and are not here.
 */
import { bareBedrockId } from "./families";
import type { Price, Rates } from "./model";

/** models.dev's, by the day on which pi-ai took it over; genai-prices', by its release. */
const asOf = "2026-11-20";
const earlier = "2026-09-23";

interface Row {
  vendor: "bedrock" | "openai";
  /** Of the id without its profile's geography. */
  ids: RegExp;
  rates: Rates;
  /** Of more than so many input tokens on, a call costs by these factors: its input, cached or not, and its output. */
  long?: { above: number; input: number; output: number };
  /** The rates are those of the global profile; the others cost a tenth more. */
  regional?: true;
  /** The rates are those of the US (and, if they are regional, of the global profile): elsewhere they differ. */
  american?: true;
  asOf?: string;
}

const dear = { long: { above: 272_000, input: 2, output: 1.5 } };
const regional = { regional: true } as const;
const american = { american: true } as const;
const old = { asOf: earlier };

function row(
  vendor: Row["vendor"],
  ids: RegExp,
  [input, output, cacheRead, cacheWrite]: [number, number, number?, number?],
  more: Pick<Row, "long" | "regional" | "american" | "asOf"> = {},
): Row {
  const rates: Rates = { input, output };
  if (cacheRead !== undefined) rates.cacheRead = cacheRead;
  if (cacheWrite !== undefined) rates.cacheWrite = cacheWrite;
  return { vendor, ids, rates, ...more };
}

/** Input, output, and where there are such: read from the cache, written to it. The first row that fits wins. */
const rows: readonly Row[] = [
  row("bedrock", /^amazon\.nova-2-lite-/, [0.3, 2.5, 0.075], { ...regional, ...american }),
  row("bedrock", /^amazon\.nova-micro-/, [0.035, 0.14, 0.00875], american),
  row("bedrock", /^amazon\.nova-lite-/, [0.06, 0.24, 0.015], american),
  row("bedrock", /^amazon\.nova-pro-/, [0.8, 3.2, 0.2], american),
  row("bedrock", /^amazon\.nova-premier-/, [2.5, 12.5, 0.625], american),
  row("bedrock", /^amazon\.titan-text-express-/, [0.2, 0.6], old),
  row("bedrock", /^amazon\.titan-text-lite-/, [0.15, 0.2], old),
  row("bedrock", /^anthropic\.claude-fable-5-2/, [8, 40, 0.2, 10], regional),
  row("bedrock", /^anthropic\.claude-fable-5-1/, [10, 50, 0.25, 12.5], regional),
  row("bedrock", /^anthropic\.claude-fable-5(?!-\d)/, [10, 50, 1, 12.5], regional),
  row("bedrock", /^anthropic\.claude-opus-5-5/, [4, 20, 0.2, 5], regional),
  row("bedrock", /^anthropic\.claude-opus-(5(?!-\d)|4-[5-8])/, [5, 25, 0.5, 6.25], regional),
  row("bedrock", /^anthropic\.claude-sonnet-5-5/, [2, 10, 0.1, 2.5], regional),
  row("bedrock", /^anthropic\.claude-sonnet-5(?!-\d)/, [2, 10, 0.2, 2.5], regional),
  row("bedrock", /^anthropic\.claude-sonnet-4-[56]/, [3, 15, 0.3, 3.75], regional),
  row("bedrock", /^anthropic\.claude-haiku-5-5/, [0.1, 0.5, 0.01, 0.125], {
    ...regional,
    long: { above: 100_000, input: 5, output: 5 },
  }),
  row("bedrock", /^anthropic\.claude-haiku-4-5/, [1, 5, 0.1, 1.25], regional),
  row("bedrock", /^anthropic\.claude-opus-4-/, [15, 75, 1.5, 18.75]),
  row("bedrock", /^anthropic\.claude-sonnet-4/, [3, 15, 0.3, 3.75]),
  row("bedrock", /^anthropic\.claude-(3-7-sonnet|3-5-sonnet)/, [3, 15, 0.3, 3.75], old),
  row("bedrock", /^anthropic\.claude-3-5-haiku/, [0.8, 4, 0.08, 1], old),
  row("bedrock", /^anthropic\.claude-3-haiku/, [0.25, 1.25], old),
  row("bedrock", /^anthropic\.claude-3-sonnet/, [3, 15], old),
  row("bedrock", /^anthropic\.claude-3-opus/, [15, 75], old),
  row("bedrock", /^meta\.llama4-maverick/, [0.24, 0.97]),
  row("bedrock", /^meta\.llama4-scout/, [0.17, 0.66]),
  row("bedrock", /^meta\.llama3-(1-70b|3-70b)/, [0.72, 0.72]),
  row("bedrock", /^meta\.llama3-2-90b/, [0.72, 0.72], old),
  row("bedrock", /^meta\.llama3-1-8b/, [0.22, 0.22]),
  row("bedrock", /^meta\.llama3-2-11b/, [0.16, 0.16], old),
  row("bedrock", /^meta\.llama3-2-3b/, [0.15, 0.15], old),
  row("bedrock", /^meta\.llama3-2-1b/, [0.1, 0.1], old),
  row("bedrock", /^meta\.llama3-70b/, [2.65, 3.5], old),
  row("bedrock", /^meta\.llama3-8b/, [0.3, 0.6], old),
  row("bedrock", /^mistral\.mistral-7b/, [0.15, 0.2], old),
  row("bedrock", /^mistral\.mixtral-8x7b/, [0.45, 0.7], old),
  row("bedrock", /^mistral\.mistral-large-2402/, [4, 12], old),
  row("bedrock", /^mistral\.mistral-small-2402/, [1, 3], old),
  row("bedrock", /^mistral\.pixtral-large-2502/, [2, 6]),
  row("bedrock", /^mistral\.mistral-large-3/, [0.5, 1.5]),
  row("bedrock", /^mistral\.ministral-3-14b/, [0.2, 0.2]),
  row("bedrock", /^mistral\.ministral-3-8b/, [0.15, 0.15]),
  row("bedrock", /^mistral\.ministral-3-3b/, [0.1, 0.1]),
  row("bedrock", /^mistral\.magistral-small/, [0.5, 1.5]),
  row("bedrock", /^mistral\.devstral-2-123b/, [0.4, 2]),
  row("bedrock", /^mistral\.voxtral-mini/, [0.04, 0.04]),
  row("bedrock", /^mistral\.voxtral-small/, [0.1, 0.3]),
  row("bedrock", /^deepseek\.r1/, [1.35, 5.4], old),
  row("bedrock", /^deepseek\.v3\.2/, [0.62, 1.85]),
  row("bedrock", /^deepseek\.v3-v1/, [0.58, 1.68]),
  row("bedrock", /^openai\.gpt-oss-120b/, [0.15, 0.6]),
  row("bedrock", /^openai\.gpt-oss-20b/, [0.07, 0.3]),
  row("bedrock", /^openai\.gpt-5\.6-luna/, [0.2, 1.2, 0.02, 0.25], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-5\.6-terra/, [2, 12, 0.2, 2.5], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-5\.6-sol/, [4, 20, 0.4, 5], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-6-astra/, [10, 50, 1, 12.5], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-6-luna/, [0.1, 0.5, 0.01, 0.125], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-6-sol/, [2, 10, 0.2, 2.5], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-6\.1-terra/, [1, 5, 0.05, 1.25], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-6\.[12]-sol/, [2, 10, 0.1, 2.5], { ...dear, ...regional }),
  row("bedrock", /^openai\.gpt-6\.2-astra/, [8, 40, 0.4, 10], { ...dear, ...regional }),
  row("bedrock", /^qwen\.qwen3-32b/, [0.15, 0.6]),
  row("bedrock", /^qwen\.qwen3-235b/, [0.22, 0.88]),
  row("bedrock", /^qwen\.qwen3-vl-235b/, [0.53, 2.66]),
  row("bedrock", /^qwen\.qwen3-next-80b/, [0.15, 1.2]),
  row("bedrock", /^qwen\.qwen3-coder-next/, [0.5, 1.2]),
  row("bedrock", /^qwen\.qwen3-coder-30b/, [0.15, 0.6]),
  row("bedrock", /^qwen\.qwen3-coder-480b/, [0.45, 1.8]),
  row("bedrock", /^moonshotai\.kimi-k3\.1/, [4, 20, 0.2, 5], regional),
  row("bedrock", /^moonshotai\.kimi-k3(?!\.\d)/, [3, 15, 0.3, 3.75], regional),
  row("bedrock", /^moonshotai\.kimi-k2\.5/, [0.6, 3]),
  row("bedrock", /^moonshot\.kimi-k2-thinking/, [0.6, 2.5]),
  row("bedrock", /^minimax\.minimax-m2/, [0.3, 1.2]),
  row("bedrock", /^zai\.glm-5\.3/, [1.68, 5.28, 0.312, 2.1], regional),
  row("bedrock", /^zai\.glm-5(?!\.\d)/, [1, 3.2]),
  row("bedrock", /^zai\.glm-4\.7-flash/, [0.07, 0.4]),
  row("bedrock", /^zai\.glm-4\.7(?!-)/, [0.6, 2.2]),
  row("bedrock", /^nvidia\.nemotron-nano-3-30b/, [0.06, 0.24]),
  row("bedrock", /^nvidia\.nemotron-nano-9b/, [0.06, 0.23]),
  row("bedrock", /^nvidia\.nemotron-nano-12b/, [0.2, 0.6]),
  row("bedrock", /^nvidia\.nemotron-super-3/, [0.15, 0.65]),
  row("bedrock", /^writer\.palmyra-x4/, [2.5, 10]),
  row("bedrock", /^writer\.palmyra-x5/, [0.6, 6]),
  row("bedrock", /^xai\.grok-4\.[67]/, [2, 6, 0.5], regional),

  row("openai", /^gpt-4\.1-nano/, [0.1, 0.4, 0.025]),
  row("openai", /^gpt-4\.1-mini/, [0.4, 1.6, 0.1]),
  row("openai", /^gpt-4\.1/, [2, 8, 0.5]),
  row("openai", /^gpt-4o-2024-05-13/, [5, 15]),
  row("openai", /^gpt-4o-mini/, [0.15, 0.6, 0.075]),
  row("openai", /^gpt-4o/, [2.5, 10, 1.25]),
  row("openai", /^chatgpt-4o-latest/, [5, 15], old),
  row("openai", /^gpt-4-turbo/, [10, 30]),
  row("openai", /^gpt-4-(1106|0125)/, [10, 30], old),
  row("openai", /^gpt-4(-0613|-0314|$)/, [30, 60]),
  row("openai", /^gpt-3\.5-turbo(-0125|$)/, [0.5, 1.5], old),
  row("openai", /^gpt-3\.5-turbo-1106/, [1, 2], old),
  row("openai", /^gpt-5-pro/, [15, 120]),
  row("openai", /^gpt-5-mini/, [0.25, 2, 0.025]),
  row("openai", /^gpt-5-nano/, [0.05, 0.4, 0.005]),
  row("openai", /^gpt-5(-chat|-\d{4}|$)/, [1.25, 10, 0.125]),
  row("openai", /^gpt-5-codex/, [1.25, 10, 0.125], old),
  row("openai", /^gpt-5\.1-codex-mini/, [0.25, 2, 0.025], old),
  row("openai", /^gpt-5\.1-codex/, [1.25, 10, 0.125], old),
  row("openai", /^gpt-5\.1/, [1.25, 10, 0.125]),
  row("openai", /^gpt-5\.2-pro/, [21, 168]),
  row("openai", /^gpt-5\.2-codex/, [1.75, 14, 0.175], old),
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
  row("openai", /^gpt-6\.1-terra/, [1, 5, 0.05, 1.25], dear),
  row("openai", /^gpt-6\.[12]-sol/, [2, 10, 0.1, 2.5], dear),
  row("openai", /^gpt-6\.2-astra/, [8, 40, 0.4, 10], dear),
  row("openai", /^o1-pro/, [150, 600]),
  row("openai", /^o1-mini/, [1.1, 4.4, 0.55], old),
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
  const geography = id.slice(0, id.length - bare.length);
  if (geography === "us-gov." || (found.american && !["", "us.", "global."].includes(geography))) return undefined;
  const rates = found.regional && geography !== "global." ? times(found.rates, 1.1) : found.rates;
  const { long } = found;
  return {
    ...rates,
    asOf: found.asOf ?? asOf,
    ...(long && { long: { above: long.above, ...times(rates, long.input, long.output) } }),
  };
}
