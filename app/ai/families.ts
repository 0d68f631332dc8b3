/**
 * What each family of models takes, one row per family: the vendors' lists name models but not their limits, and
 * the AI SDK knows only some. A row is found by the model's id without the geography of its inference profile; the
 * first one that fits wins. Sizes are in tokens. `source` names what a row was last held against, by title, the day of
 * that and how much of it was read; `unchecked` says which of the row's figures the vendor's own pages were not seen to
 * say. Nothing here was tried on a real account.
 * A model that fits no row gets the careful default: a small window, and what was set is sent as it was set.
 * What models cost stands in prices.server.ts.
 */
import type { Model, Range, Supports } from "./model";
import type { ReasoningEffort } from "./settings";

export interface Source {
  page: string;
  /** yyyy-mm-dd */
  checked: string;
  /** Copies of the vendor's pages at length, excerpts of them (or tables made from them), or only what others say. */
  reading: "whole" | "excerpts" | "others";
  /** Which figures of the row have no first-hand source, or sources that differ, in words. */
  unchecked?: string;
}

export interface Family {
  name: string;
  vendor: "bedrock" | "openai";
  ids: RegExp;
  window: number;
  maxOutput: number;
  /** The least that may be asked for as the longest answer. */
  minOutput: number;
  supports: Supports;
  thinks: boolean;
  thinking?: NonNullable<Model["thinking"]>;
  source: Source;
}

/** What a family says about its models. */
type Traits = Pick<Model, "family" | "window" | "minOutput" | "maxOutput" | "supports" | "thinks" | "thinking">;

const upToOne: Range = { min: 0, max: 1 };
const upToTwo: Range = { min: 0, max: 2 };
const share: Range = { min: 0.01, max: 1 };
const lowToHigh: readonly ReasoningEffort[] = ["low", "medium", "high"];
const lowToHigher: readonly ReasoningEffort[] = ["low", "medium", "high", "xhigh"];
const lowToHighest: readonly ReasoningEffort[] = [...lowToHigher, "max"];

/** What most take; rows say where they differ. */
const common: Supports = {
  temperature: upToOne,
  topP: share,
  temperatureWithTopP: true,
  sampling: "always",
  stopSequences: { max: 4 },
  reasoningEffort: false,
  systemPrompt: true,
  promptCache: false,
};
const noSampling = { temperature: false, topP: false, temperatureWithTopP: false } as const;
const cacheFrom = (leastTokens: number) => ({ promptCache: { leastTokens } });

type Row = Pick<Family, "name" | "ids" | "window" | "maxOutput" | "source" | "thinking"> & {
  minOutput?: number;
  supports?: Partial<Supports>;
  thinks?: boolean;
};

const readOn =
  (checked: string, reading: Source["reading"]) =>
  (page: string, unchecked?: string): Source => ({ page, checked, reading, ...(unchecked && { unchecked }) });
const read = readOn("2026-11-29", "whole");
const readInPart = readOn("2026-11-29", "excerpts");
/** How much of the pages was read then is not known: no more than excerpts is claimed. */
const readEarlier = readOn("2026-11-22", "excerpts");
const readElsewhere = readOn("2026-11-29", "others");

const cards = "Amazon Bedrock user guide: model cards";
const modelsDev = "models.dev in pi-ai 1.6.0";
const novaPage = `Amazon Nova user guide: Complete request schema; ${cards}`;
const novaEarlier = "Amazon Nova user guide: Complete request schema; Amazon Bedrock user guide: Prompt caching";
const claudeEffort = "Claude documentation: Effort";
const claudePages = `Amazon Bedrock user guide: Adaptive thinking; ${cards}; ${claudeEffort}; AI SDK 7: Anthropic model capabilities`;
const claudeEarlier = "Claude documentation: Models overview; Amazon Bedrock user guide: Prompt caching";
const converse = `${cards}; Supported models and model features`;
const llamaPage = `Amazon Bedrock user guide: Meta Llama models; ${converse}`;
const mistralPage = `Amazon Bedrock user guide: Mistral AI models; ${converse}`;
const deepseekPage = `Amazon Bedrock user guide: DeepSeek models; ${converse}`;
/** Its card says how much a model reads and writes, and not which settings it takes. */
const onlySizes = "which settings it takes";
const sameSettingsElsewhere = `${onlySizes}: modelparams.dev names the same`;
const settingsEarlier = "settings, last read on 22 November";
const settingsInPart = "settings, of which excerpts were read";
const claudeUnchecked = "sizes, sampling and which efforts, which are models.dev's and the AI SDK's";

/** Nova keeps 20,000 tokens of a prompt at most. */
const nova = { ...cacheFrom(1_000) };
/** Claude refuses a stop sequence of white space alone. */
const claude = { stopSequences: { max: 4, withText: true } } as const;
const claudeThinking = { ...claude, sampling: "unless-reasoning", reasoningEffort: lowToHigh } as const;
const claudeAdaptive = { ...claude, ...noSampling, reasoningEffort: lowToHighest } as const;
/** The first that thought adaptively have a highest effort, and none between it and a high one. */
const claudeAdaptiveFirst = {
  ...claudeThinking,
  temperatureWithTopP: false,
  reasoningEffort: [...lowToHigh, "max"],
} as const;

const bedrockRows: readonly Row[] = [
  {
    name: "Amazon Nova 2",
    ids: /^amazon\.nova-2-(lite|pro|premier)/,
    window: 1_000_000,
    maxOutput: 65_535,
    supports: { ...nova, sampling: "unless-effort-high", reasoningEffort: lowToHigh },
    source: read(
      `${cards} (Nova 2 Lite)`,
      "rules for efforts, last read on 22 November in the Nova 2 user guide; Pro and Premier",
    ),
  },
  {
    name: "Amazon Nova Micro",
    ids: /^amazon\.nova-micro-/,
    window: 128_000,
    maxOutput: 10_000,
    supports: nova,
    source: readInPart(novaPage, settingsInPart),
  },
  {
    name: "Amazon Nova Premier",
    ids: /^amazon\.nova-premier-/,
    window: 1_000_000,
    maxOutput: 10_000,
    supports: nova,
    source: readEarlier(novaEarlier, "all of it since then; models.dev names the same sizes"),
  },
  {
    name: "Amazon Nova",
    ids: /^amazon\.nova-(lite|pro)-/,
    window: 300_000,
    maxOutput: 10_000,
    supports: nova,
    source: readInPart(novaPage, settingsInPart),
  },
  {
    // Not on the list of active models any more; for a region that still offers one.
    name: "Amazon Titan Text",
    ids: /^amazon\.titan-(text|tg1)-/,
    window: 4_096,
    maxOutput: 2_048,
    supports: { systemPrompt: false, stopSequences: false },
    source: readInPart(converse, `window, which is that of the smallest of the family; ${settingsInPart}`),
  },
  {
    name: "Claude that always thinks",
    ids: /^anthropic\.claude-((opus|sonnet)-5-[5-9]|(opus|sonnet|haiku)-[6-9]|fable-[5-9]|mythos-([5-9]|preview))(?!\d)/,
    window: 1_000_000,
    maxOutput: 128_000,
    supports: { ...claudeAdaptive, ...cacheFrom(512) },
    thinks: true,
    thinking: "always",
    source: readInPart(
      claudePages,
      `${claudeUnchecked}; least tokens of the cache of Mythos; whatever is newer than Fable 5.2, Opus and Sonnet 5.5`,
    ),
  },
  {
    name: "Claude that thinks unless told not to",
    ids: /^anthropic\.claude-(opus-5|haiku-5)(?!\d)/,
    window: 1_000_000,
    maxOutput: 128_000,
    supports: { ...claudeAdaptive, reasoningEffort: ["none", ...lowToHighest], ...cacheFrom(512) },
    thinks: true,
    thinking: "always",
    source: read(
      `${cards} (Opus 5); ${claudeEffort}; AI SDK 7: Anthropic model capabilities`,
      "Haiku 5.5, which is models.dev's, as is which of the two takes the effort max",
    ),
  },
  {
    name: "Claude Sonnet 5",
    ids: /^anthropic\.claude-sonnet-5(?!\d)/,
    window: 1_000_000,
    maxOutput: 128_000,
    supports: { ...claudeAdaptive, reasoningEffort: ["none", ...lowToHighest], ...cacheFrom(1_024) },
    thinks: true,
    thinking: "always",
    source: readInPart(
      `Claude documentation: Claude Sonnet 5, Migrating to Claude Sonnet 5; ${claudePages}`,
      "which efforts, and that it can be told not to think, which are models.dev's and the AI SDK's; least tokens of " +
        "the cache",
    ),
  },
  {
    name: "Claude Opus 4.8",
    ids: /^anthropic\.claude-opus-4-[89]/,
    window: 1_000_000,
    maxOutput: 128_000,
    supports: { ...claudeAdaptive, ...cacheFrom(1_024) },
    thinks: true,
    thinking: "adaptive",
    source: readInPart(claudePages, claudeUnchecked),
  },
  {
    name: "Claude Opus 4.7",
    ids: /^anthropic\.claude-opus-4-7/,
    window: 1_000_000,
    maxOutput: 128_000,
    supports: { ...claudeAdaptive, ...cacheFrom(4_096) },
    thinks: true,
    thinking: "adaptive",
    source: readInPart(
      claudePages,
      `${claudeUnchecked}; whether it can be told not to think: sources differ, and it is not offered`,
    ),
  },
  {
    name: "Claude Opus 4.6",
    ids: /^anthropic\.claude-opus-4-6/,
    window: 1_000_000,
    maxOutput: 128_000,
    supports: { ...claudeAdaptiveFirst, ...cacheFrom(4_096) },
    thinking: "adaptive",
    source: readInPart(claudePages, claudeUnchecked),
  },
  {
    name: "Claude Sonnet 4.6",
    ids: /^anthropic\.claude-sonnet-4-6/,
    window: 1_000_000,
    maxOutput: 64_000,
    supports: { ...claudeAdaptiveFirst, ...cacheFrom(1_024) },
    thinking: "adaptive",
    source: readInPart(claudePages, `${claudeUnchecked}; longest output: these say 128,000, others 64,000`),
  },
  {
    name: "Claude Sonnet 4.5",
    ids: /^anthropic\.claude-sonnet-4-5/,
    window: 200_000,
    maxOutput: 64_000,
    supports: { ...claudeThinking, temperatureWithTopP: false, ...cacheFrom(1_024) },
    thinking: "budget",
    source: readInPart(
      claudePages,
      `${claudeUnchecked}; least tokens of the cache: the card says 1,024, the page on prompt caching 4,096`,
    ),
  },
  {
    name: "Claude Opus and Haiku 4.5",
    ids: /^anthropic\.claude-(opus|haiku)-4-5/,
    window: 200_000,
    maxOutput: 64_000,
    supports: { ...claudeThinking, temperatureWithTopP: false, ...cacheFrom(4_096) },
    thinking: "budget",
    source: readInPart(claudePages, claudeUnchecked),
  },
  {
    name: "Claude Opus 4",
    ids: /^anthropic\.claude-opus-4/,
    window: 200_000,
    maxOutput: 32_000,
    supports: { ...claudeThinking, temperatureWithTopP: false, ...cacheFrom(1_024) },
    thinking: "budget",
    source: readInPart(
      claudePages,
      `${claudeUnchecked}; that Opus 4 itself refuses temperature beside top P, as 4.1 does`,
    ),
  },
  {
    name: "Claude Sonnet 4",
    ids: /^anthropic\.claude-(sonnet-4|3-7-sonnet)/,
    window: 200_000,
    maxOutput: 64_000,
    supports: { ...claudeThinking, ...cacheFrom(1_024) },
    thinking: "budget",
    source: readInPart(claudePages, claudeUnchecked),
  },
  {
    name: "Claude 3.5 Haiku",
    ids: /^anthropic\.claude-3-5-haiku/,
    window: 200_000,
    maxOutput: 8_192,
    supports: { ...claude, ...cacheFrom(2_048) },
    source: readEarlier(claudeEarlier, "all of it since then"),
  },
  {
    // Its second version had prompt caching in a preview that is closed.
    name: "Claude 3.5",
    ids: /^anthropic\.claude-3-5-/,
    window: 200_000,
    maxOutput: 8_192,
    supports: claude,
    source: readEarlier(claudeEarlier, "all of it since then"),
  },
  {
    name: "Claude 3",
    ids: /^anthropic\.claude-3-/,
    window: 200_000,
    maxOutput: 4_096,
    supports: claude,
    source: readEarlier(claudeEarlier, "all of it since then"),
  },
  {
    name: "Llama 4",
    ids: /^meta\.llama4-/,
    window: 1_000_000,
    maxOutput: 8_192,
    supports: { stopSequences: false },
    source: readInPart(llamaPage, `window of Scout, which is larger; ${settingsEarlier}`),
  },
  {
    name: "Llama 3.1 to 3.3",
    ids: /^meta\.llama3-[1-3]-/,
    window: 128_000,
    maxOutput: 4_096,
    supports: { stopSequences: false },
    source: readInPart(llamaPage, settingsEarlier),
  },
  {
    name: "Llama 3",
    ids: /^meta\.llama3-/,
    window: 8_192,
    maxOutput: 2_048,
    supports: { stopSequences: false },
    source: readInPart(
      llamaPage,
      `longest output: the page on its parameters says 2,048, its card 8,000; ${settingsEarlier}`,
    ),
  },
  {
    name: "Mistral Instruct",
    ids: /^mistral\.mi[sx]tral-(7b|8x7b)-instruct/,
    window: 32_000,
    maxOutput: 4_096,
    supports: { systemPrompt: false },
    source: readInPart(mistralPage, settingsEarlier),
  },
  {
    name: "Mistral (24.02)",
    ids: /^mistral\.mistral-(large|small)-2402/,
    window: 32_000,
    maxOutput: 8_192,
    source: readInPart(mistralPage, settingsEarlier),
  },
  {
    name: "Voxtral",
    ids: /^mistral\.voxtral-/,
    window: 32_000,
    maxOutput: 4_096,
    source: readInPart(mistralPage, `longest output; ${onlySizes}`),
  },
  {
    name: "Magistral",
    ids: /^mistral\.magistral-/,
    window: 128_000,
    maxOutput: 40_000,
    thinks: true,
    source: readInPart(mistralPage, sameSettingsElsewhere),
  },
  {
    name: "Mistral Large 3 and Devstral 2",
    ids: /^mistral\.(mistral-large-3|devstral-2)-/,
    window: 128_000,
    maxOutput: 32_000,
    source: readInPart(mistralPage, `window of Devstral, which is larger; ${onlySizes}`),
  },
  {
    name: "Mistral",
    ids: /^mistral\./,
    window: 128_000,
    maxOutput: 8_192,
    source: readInPart(
      mistralPage,
      `longest output of Pixtral, which is larger; settings of Ministral; ${settingsEarlier}`,
    ),
  },
  {
    name: "DeepSeek R1",
    ids: /^deepseek\.r1/,
    window: 128_000,
    maxOutput: 32_768,
    thinks: true,
    source: readInPart(
      deepseekPage,
      `longest output: the page on its parameters says 32,768, its card 8,000; ${settingsInPart}`,
    ),
  },
  {
    name: "DeepSeek",
    ids: /^deepseek\./,
    window: 128_000,
    maxOutput: 8_000,
    source: readInPart(
      deepseekPage,
      `window of V3.2, which is larger; how V3.1 is told to reason: it is not; ${settingsInPart}`,
    ),
  },
  {
    // Legacy; for an account that still uses one.
    name: "Cohere Command R",
    ids: /^cohere\.command-r/,
    window: 128_000,
    maxOutput: 4_000,
    supports: { topP: { min: 0.01, max: 0.99 } },
    source: readInPart(
      `Amazon Bedrock user guide: Cohere Command R and Command R+ models; ${converse}`,
      settingsEarlier,
    ),
  },
  {
    // Its last day on Bedrock was to be 26 November 2026.
    name: "AI21 Jamba",
    ids: /^ai21\.jamba-1-5/,
    window: 256_000,
    maxOutput: 4_000,
    source: readInPart(`Amazon Bedrock user guide: AI21 Labs Jamba models; ${converse}`, onlySizes),
  },
  {
    name: "gpt-oss",
    ids: /^openai\.gpt-oss-/,
    window: 128_000,
    maxOutput: 16_000,
    supports: { stopSequences: false, reasoningEffort: lowToHigh },
    thinks: true,
    source: readInPart(
      `Amazon Bedrock user guide: OpenAI models; ${cards}; AI SDK 7: Amazon Bedrock provider`,
      `longest output: models.dev says 128,000; ${settingsInPart}`,
    ),
  },
  {
    // Bedrock keeps their prompts by itself, and refuses cache points.
    name: "GPT on Bedrock, reasoning optional",
    ids: /^openai\.gpt-(5\.6|6-luna|6-sol|6\.1-terra)/,
    window: 1_050_000,
    maxOutput: 128_000,
    supports: { ...noSampling, stopSequences: false, reasoningEffort: ["none", ...lowToHigher] },
    thinks: true,
    source: read(
      `${cards} (GPT-6 Luna); AI SDK 7: Amazon Bedrock provider`,
      "all but GPT-6 Luna: sizes are models.dev's, efforts OpenAI's own models', of which max is not known to be taken " +
        "here and not offered; sampling without reasoning: not offered",
    ),
  },
  {
    name: "GPT on Bedrock",
    ids: /^openai\.gpt-\d/,
    window: 1_050_000,
    maxOutput: 128_000,
    supports: { ...noSampling, stopSequences: false, reasoningEffort: lowToHigher },
    thinks: true,
    source: readInPart(
      `${cards}; AI SDK 7: Amazon Bedrock provider`,
      "window of GPT-5.4 and 5.5: models.dev says 1,000,000; efforts, which are those of OpenAI's own, without max",
    ),
  },
  {
    name: "Qwen3 32B",
    ids: /^qwen\.qwen3-32b/,
    window: 32_000,
    maxOutput: 8_000,
    source: readElsewhere(
      `An issue on GitHub that quotes its model card; ${modelsDev}`,
      `sizes; longest output: models.dev says 16,384; ${onlySizes}`,
    ),
  },
  {
    name: "Qwen3 Coder",
    ids: /^qwen\.qwen3-coder-/,
    window: 128_000,
    maxOutput: 16_000,
    source: readInPart(
      `Amazon Bedrock user guide: Qwen models; ${cards}`,
      `window of Next, which is larger; ${onlySizes}`,
    ),
  },
  {
    name: "Qwen3",
    ids: /^qwen\.qwen3-/,
    window: 256_000,
    maxOutput: 8_000,
    source: readInPart(`Amazon Bedrock user guide: Qwen models; ${cards}`, onlySizes),
  },
  {
    name: "Kimi K3",
    ids: /^moonshotai\.kimi-k3/,
    window: 1_000_000,
    maxOutput: 128_000,
    supports: noSampling,
    thinks: true,
    source: read(
      `${cards} (Kimi K3)`,
      "longest output and K3.1, which are models.dev's; that it refuses temperature, as two projects on GitHub met it, " +
        "and top P, as where Moonshot serves it; whether it takes stop sequences",
    ),
  },
  {
    name: "Kimi K2",
    ids: /^moonshot(ai)?\.kimi-k2/,
    window: 128_000,
    maxOutput: 16_000,
    thinks: true,
    source: readInPart(cards, `window of K2.5, which is larger; ${sameSettingsElsewhere}`),
  },
  {
    name: "MiniMax M2",
    ids: /^minimax\.minimax-m2/,
    window: 196_000,
    maxOutput: 8_000,
    thinks: true,
    source: readInPart(cards, sameSettingsElsewhere),
  },
  {
    name: "GLM 5",
    ids: /^zai\.glm-5/,
    window: 200_000,
    maxOutput: 128_000,
    thinks: true,
    source: readInPart(cards, `window and settings of 5.3, of which the one is larger; ${sameSettingsElsewhere}`),
  },
  {
    name: "GLM 4.7",
    ids: /^zai\.glm-4\.7/,
    window: 128_000,
    maxOutput: 4_000,
    thinks: true,
    source: readInPart(cards, sameSettingsElsewhere),
  },
  {
    name: "Gemma 3",
    ids: /^google\.gemma-3-/,
    window: 128_000,
    maxOutput: 8_000,
    source: readInPart(cards, onlySizes),
  },
  {
    name: "Nemotron",
    ids: /^nvidia\.nemotron-/,
    window: 128_000,
    maxOutput: 8_000,
    source: readInPart(cards, `sizes of Super, which are larger; ${onlySizes}`),
  },
  {
    name: "Writer Palmyra",
    ids: /^writer\.palmyra-x/,
    window: 122_880,
    maxOutput: 8_000,
    source: readInPart(
      `${cards}; ${modelsDev}`,
      `window of X4, which is models.dev's, and of X5, for which sources differ; ${onlySizes}`,
    ),
  },
  {
    name: "Grok",
    ids: /^xai\.grok-4/,
    window: 500_000,
    maxOutput: 128_000,
    supports: { ...noSampling, stopSequences: false },
    thinks: true,
    source: readElsewhere(
      `${modelsDev}; issues on GitHub that quote Bedrock's refusal of temperature`,
      "window; longest output, which is below models.dev's; top P, left out with temperature; no stop sequences, as in " +
        "xAI's own",
    ),
  },
];

/** Responses, by which models that reason are called, asks for 16 tokens at least. */
const responses = { minOutput: 16, thinks: true } as const;
const openAiModels = "OpenAI API documentation: Models";
const openAiReasoning = `${openAiModels}; Reasoning models; Prompt caching; AI SDK 7: OpenAI model catalogue`;
const openAiModelsElsewhere = `${modelsDev}; AI SDK 7: OpenAI model catalogue`;
const openAiElsewhere = `${openAiModelsElsewhere}; Vercel AI Gateway: models; Apidog`;
const windowsDiffer = "sizes and efforts; window: Vercel says 1,050,000, pi-ai 272,000";
const notOpened = "OpenAI's pages, last read on 22 November";
const sameElsewhere = `${notOpened}; models.dev names the same sizes`;
const sameEffortsElsewhere = `${notOpened}; models.dev names the same sizes and efforts`;
/** OpenAI caches by itself, from this many tokens on, in all models since GPT-4o. */
const automaticCache = cacheFrom(1_024);
const chat = { temperature: upToTwo, ...automaticCache };
const reasoning = { ...noSampling, stopSequences: false, ...automaticCache } as const;
const optionalReasoning = {
  sampling: "with-effort-none",
  stopSequences: false,
  temperature: upToTwo,
  ...automaticCache,
} as const;

const openAiRows: readonly Row[] = [
  {
    name: "GPT-5 chat",
    ids: /^(gpt-5-chat|chatgpt-)/,
    window: 128_000,
    maxOutput: 16_384,
    supports: chat,
    source: readEarlier(openAiModels, sameElsewhere),
  },
  {
    name: "GPT-5.1 chat and later",
    ids: /^gpt-5\.\d-chat/,
    window: 128_000,
    maxOutput: 16_384,
    supports: { ...reasoning, reasoningEffort: false },
    ...responses,
    source: readEarlier(openAiModels, `${notOpened}; which efforts it takes: none is offered`),
  },
  {
    name: "GPT-4.1",
    ids: /^gpt-4\.1/,
    window: 1_047_576,
    maxOutput: 32_768,
    supports: chat,
    source: readEarlier(openAiModels, sameElsewhere),
  },
  {
    name: "GPT-4o of May 2024",
    ids: /^gpt-4o-2024-05-13/,
    window: 128_000,
    maxOutput: 4_096,
    supports: { temperature: upToTwo },
    source: readElsewhere(modelsDev, "sizes; that it has no prompt caching"),
  },
  {
    name: "GPT-4o",
    ids: /^gpt-4o/,
    window: 128_000,
    maxOutput: 16_384,
    supports: chat,
    source: readEarlier(openAiModels, sameElsewhere),
  },
  {
    name: "GPT-4 Turbo",
    ids: /^gpt-4-(turbo|1106|0125)/,
    window: 128_000,
    maxOutput: 4_096,
    supports: { temperature: upToTwo },
    source: readEarlier(openAiModels, sameElsewhere),
  },
  {
    name: "GPT-4",
    ids: /^gpt-4(-|$)/,
    window: 8_192,
    maxOutput: 8_192,
    supports: { temperature: upToTwo },
    source: readEarlier(openAiModels, sameElsewhere),
  },
  {
    name: "GPT-3.5 Turbo",
    ids: /^gpt-3\.5-turbo/,
    window: 16_385,
    maxOutput: 4_096,
    supports: { temperature: upToTwo },
    source: readEarlier(openAiModels, notOpened),
  },
  {
    name: "OpenAI o series",
    ids: /^o\d/,
    window: 200_000,
    maxOutput: 100_000,
    supports: { ...reasoning, reasoningEffort: lowToHigh },
    ...responses,
    source: readEarlier(openAiReasoning, sameEffortsElsewhere),
  },
  {
    name: "GPT-5.2 Pro and later",
    ids: /^gpt-5\.\d-pro/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...reasoning, promptCache: false, reasoningEffort: ["medium", "high", "xhigh"] },
    ...responses,
    source: readElsewhere(
      modelsDev,
      "sizes (those of GPT-5.4 Pro and later are larger); efforts; no prompt caching, as with GPT-5 Pro",
    ),
  },
  {
    name: "GPT-5 Pro",
    ids: /^gpt-5-pro/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...reasoning, promptCache: false, reasoningEffort: ["high"] },
    ...responses,
    source: readEarlier(openAiReasoning, sameEffortsElsewhere),
  },
  {
    name: "GPT-5 Codex",
    ids: /^gpt-5(\.\d)?-codex(?!-spark)/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...reasoning, reasoningEffort: lowToHigh },
    ...responses,
    source: readEarlier(
      openAiReasoning,
      `${notOpened}; efforts beyond these, which models.dev names for GPT-5.3 Codex`,
    ),
  },
  {
    name: "GPT-5",
    ids: /^gpt-5(-|$)/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...reasoning, reasoningEffort: ["minimal", ...lowToHigh] },
    ...responses,
    source: readEarlier(openAiReasoning, sameEffortsElsewhere),
  },
  {
    name: "GPT-5.1",
    ids: /^gpt-5\.1/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...optionalReasoning, reasoningEffort: ["none", ...lowToHigh] },
    ...responses,
    source: readEarlier(openAiReasoning, sameEffortsElsewhere),
  },
  {
    name: "GPT-5.6 and later",
    ids: /^gpt-5\.[6-9]/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...optionalReasoning, reasoningEffort: ["none", ...lowToHighest] },
    ...responses,
    source: readInPart(
      `OpenAI API documentation: ReasoningEffort, as in openai 7.57.0; ${openAiModelsElsewhere}`,
      "sizes, last read on 22 November; which models take max: these are models.dev's and the AI SDK's, and the refusal " +
        "of another effort, quoted in an issue on GitHub, names them too; window: pi-ai names 272,000",
    ),
  },
  {
    name: "GPT-5.2 to 5.5",
    ids: /^gpt-5\.[2-5]/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...optionalReasoning, reasoningEffort: ["none", ...lowToHigher] },
    ...responses,
    source: readEarlier(
      openAiReasoning,
      `${notOpened}; models.dev names the same efforts; window: pi-ai names 272,000 for GPT-5.4 and later`,
    ),
  },
  {
    name: "GPT-6, reasoning optional",
    ids: /^gpt-6(\.1-terra|-luna|-sol)/,
    window: 1_050_000,
    maxOutput: 128_000,
    supports: { ...optionalReasoning, reasoningEffort: ["none", ...lowToHighest] },
    ...responses,
    source: readElsewhere(openAiElsewhere, windowsDiffer),
  },
  {
    name: "GPT-6",
    ids: /^gpt-[6-9]/,
    window: 1_050_000,
    maxOutput: 128_000,
    supports: { ...reasoning, reasoningEffort: lowToHighest },
    ...responses,
    source: readElsewhere(openAiElsewhere, windowsDiffer),
  },
];

const family =
  (vendor: Family["vendor"]) =>
  ({ supports, minOutput = 1, thinks = false, ...row }: Row): Family => ({
    ...row,
    vendor,
    minOutput,
    thinks,
    supports: { ...common, ...supports },
  });

export const families: readonly Family[] = [...bedrockRows.map(family("bedrock")), ...openAiRows.map(family("openai"))];

/** Of a model that no row knows: nothing is refused on its behalf, and little is assumed. */
const unknown: Traits = {
  family: "unknown",
  window: 8_192,
  minOutput: 1,
  maxOutput: 4_096,
  supports: { ...common, temperature: upToTwo },
  thinks: false,
};

/** The geographies that may stand before a Bedrock model's id and make it an inference profile's. */
const geography = /^(us-gov|us|eu|apac|jp|au|ca|in|global)\./;

/** A Bedrock id without its profile's geography. */
export function bareBedrockId(id: string): string {
  return id.replace(geography, "");
}

/** What is known about a model by its id alone. */
export function traitsOf(vendor: string, id: string): Traits {
  const bare = vendor === "bedrock" ? bareBedrockId(id) : id.replace(/^ft:/, "");
  const row = families.find((candidate) => candidate.vendor === vendor && candidate.ids.test(bare));
  if (!row) return unknown;
  const { name, window, minOutput, maxOutput, supports, thinks, thinking } = row;
  return { family: name, window, minOutput, maxOutput, supports, thinks, ...(thinking && { thinking }) };
}
