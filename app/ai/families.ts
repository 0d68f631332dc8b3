/**
 * What each family of models takes, one row per family: the vendors' lists name models but not their limits, and
 * the AI SDK knows only some. A row is found by the model's id without the geography of its inference profile.
 * The first row that fits wins. `source` names the page that the row was written from; sizes are in tokens.
 * A model that fits no row gets the careful default: a small window, and what was set is sent as it was set.
 */
import type { Model, Range, Supports } from "./model";
import type { ReasoningEffort } from "./settings";

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
  source: string;
}

/** What a family says about its models. */
type Traits = Pick<Model, "family" | "window" | "minOutput" | "maxOutput" | "supports" | "thinks">;

const upToOne: Range = { min: 0, max: 1 };
const upToTwo: Range = { min: 0, max: 2 };
const share: Range = { min: 0.01, max: 1 };
const lowToHigh: readonly ReasoningEffort[] = ["low", "medium", "high"];
const lowToMost: readonly ReasoningEffort[] = ["low", "medium", "high", "xhigh"];

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

type Row = Pick<Family, "name" | "ids" | "window" | "maxOutput" | "source"> & {
  minOutput?: number;
  supports?: Partial<Supports>;
  thinks?: boolean;
};

const novaPage = "Amazon Nova user guide: Complete request schema";
const claudePage = "Claude documentation: Models overview; Claude on Amazon Bedrock (Opus 4.6 and earlier)";
const llamaPage = "Amazon Bedrock user guide: Meta Llama models";
const mistralPage = "Amazon Bedrock user guide: Mistral AI models; Supported models and model features";
const extendedThinking = { sampling: "unless-reasoning", reasoningEffort: lowToHigh } as const;

const bedrockRows: readonly Row[] = [
  {
    name: "Amazon Nova 2",
    ids: /^amazon\.nova-2-/,
    window: 1_000_000,
    maxOutput: 65_535,
    supports: extendedThinking,
    source: "Amazon Nova 2 user guide: Extended thinking",
  },
  { name: "Amazon Nova Micro", ids: /^amazon\.nova-micro-/, window: 128_000, maxOutput: 10_000, source: novaPage },
  {
    name: "Amazon Nova Premier",
    ids: /^amazon\.nova-premier-/,
    window: 1_000_000,
    maxOutput: 10_000,
    source: novaPage,
  },
  { name: "Amazon Nova", ids: /^amazon\.nova-(lite|pro)-/, window: 300_000, maxOutput: 10_000, source: novaPage },
  {
    name: "Amazon Titan Text",
    ids: /^amazon\.titan-(text|tg1)-/,
    window: 4_096,
    maxOutput: 2_048,
    supports: { systemPrompt: false, stopSequences: false },
    source: "Amazon Bedrock user guide: Supported models and model features (window of the smallest of the family)",
  },
  {
    name: "Claude without sampling",
    ids: /^anthropic\.claude-(opus-4-[7-9]|(opus|sonnet|fable|mythos)-[5-9])/,
    window: 1_000_000,
    maxOutput: 128_000,
    supports: { ...noSampling, reasoningEffort: lowToMost },
    thinks: true,
    source: "Claude documentation: Models overview; AI SDK 7: Anthropic model capabilities",
  },
  {
    name: "Claude Opus 4.6",
    ids: /^anthropic\.claude-opus-4-6/,
    window: 1_000_000,
    maxOutput: 128_000,
    supports: { temperatureWithTopP: false, sampling: "unless-reasoning", reasoningEffort: lowToMost },
    source: "Claude documentation: Claude Opus 4.6",
  },
  {
    name: "Claude Sonnet 4.6",
    ids: /^anthropic\.claude-sonnet-4-6/,
    window: 1_000_000,
    maxOutput: 64_000,
    supports: { temperatureWithTopP: false, sampling: "unless-reasoning", reasoningEffort: lowToMost },
    source: "Claude documentation: Models overview",
  },
  {
    name: "Claude 4.5",
    ids: /^anthropic\.claude-(opus|sonnet|haiku)-4-5/,
    window: 200_000,
    maxOutput: 64_000,
    supports: { ...extendedThinking, temperatureWithTopP: false },
    source: claudePage,
  },
  {
    name: "Claude Opus 4",
    ids: /^anthropic\.claude-opus-4/,
    window: 200_000,
    maxOutput: 32_000,
    supports: { ...extendedThinking, temperatureWithTopP: false },
    source: claudePage,
  },
  {
    name: "Claude Sonnet 4",
    ids: /^anthropic\.claude-(sonnet-4|3-7-sonnet)/,
    window: 200_000,
    maxOutput: 64_000,
    supports: extendedThinking,
    source: claudePage,
  },
  { name: "Claude 3.5", ids: /^anthropic\.claude-3-5-/, window: 200_000, maxOutput: 8_192, source: claudePage },
  { name: "Claude 3", ids: /^anthropic\.claude-3-/, window: 200_000, maxOutput: 4_096, source: claudePage },
  {
    name: "Llama 4",
    ids: /^meta\.llama4-/,
    window: 1_000_000,
    maxOutput: 8_192,
    supports: { stopSequences: false },
    source: llamaPage,
  },
  {
    name: "Llama 3.1 to 3.3",
    ids: /^meta\.llama3-[1-3]-/,
    window: 128_000,
    maxOutput: 8_192,
    supports: { stopSequences: false },
    source: llamaPage,
  },
  {
    name: "Llama 3",
    ids: /^meta\.llama3-/,
    window: 8_192,
    maxOutput: 2_048,
    supports: { stopSequences: false },
    source: llamaPage,
  },
  {
    name: "Mistral Instruct",
    ids: /^mistral\.mi[sx]tral-.*instruct/,
    window: 32_000,
    maxOutput: 4_096,
    supports: { systemPrompt: false },
    source: mistralPage,
  },
  {
    name: "Mistral (24.02)",
    ids: /^mistral\.mistral-(large|small)-2402/,
    window: 32_000,
    maxOutput: 8_192,
    source: mistralPage,
  },
  { name: "Mistral", ids: /^mistral\./, window: 128_000, maxOutput: 8_192, source: `${mistralPage} (not checked)` },
  {
    name: "DeepSeek R1",
    ids: /^deepseek\.r1/,
    window: 128_000,
    maxOutput: 32_768,
    thinks: true,
    source: "Amazon Bedrock user guide: DeepSeek models",
  },
  {
    name: "DeepSeek",
    ids: /^deepseek\./,
    window: 128_000,
    maxOutput: 32_768,
    source: "Amazon Bedrock user guide: DeepSeek models (not checked)",
  },
  {
    name: "Cohere Command R",
    ids: /^cohere\.command-r/,
    window: 128_000,
    maxOutput: 4_096,
    source: "Amazon Bedrock user guide: Cohere Command R and Command R+ models",
  },
  {
    name: "AI21 Jamba",
    ids: /^ai21\.jamba-1-5/,
    window: 256_000,
    maxOutput: 4_096,
    source: "Amazon Bedrock user guide: AI21 Labs Jamba models",
  },
  {
    name: "gpt-oss",
    ids: /^openai\.gpt-oss-/,
    window: 128_000,
    maxOutput: 32_768,
    supports: { stopSequences: false, reasoningEffort: lowToHigh },
    thinks: true,
    source: "Amazon Bedrock user guide: OpenAI models (longest output not checked)",
  },
  {
    name: "Qwen3",
    ids: /^qwen\.qwen3-/,
    window: 131_072,
    maxOutput: 16_384,
    source: "Amazon Bedrock user guide: Qwen models (not checked)",
  },
];

/** Responses, by which models that reason are called, asks for 16 tokens at least. */
const responses = { minOutput: 16, thinks: true } as const;
const reasoning = { ...noSampling, stopSequences: false } as const;
const openAiModels = "OpenAI API documentation: Models";
const optionalReasoning = { sampling: "with-effort-none", stopSequences: false, temperature: upToTwo } as const;

const openAiRows: readonly Row[] = [
  {
    name: "GPT-5 chat",
    ids: /^(gpt-5(\.\d)?-chat|chatgpt-)/,
    window: 128_000,
    maxOutput: 16_384,
    supports: { temperature: upToTwo },
    source: openAiModels,
  },
  {
    name: "GPT-4.1",
    ids: /^gpt-4\.1/,
    window: 1_047_576,
    maxOutput: 32_768,
    supports: { temperature: upToTwo },
    source: openAiModels,
  },
  {
    name: "GPT-4o",
    ids: /^gpt-4o/,
    window: 128_000,
    maxOutput: 16_384,
    supports: { temperature: upToTwo },
    source: openAiModels,
  },
  {
    name: "GPT-4 Turbo",
    ids: /^gpt-4-(turbo|1106|0125)/,
    window: 128_000,
    maxOutput: 4_096,
    supports: { temperature: upToTwo },
    source: openAiModels,
  },
  {
    name: "GPT-4",
    ids: /^gpt-4(-|$)/,
    window: 8_192,
    maxOutput: 8_192,
    supports: { temperature: upToTwo },
    source: openAiModels,
  },
  {
    name: "GPT-3.5 Turbo",
    ids: /^gpt-3\.5-turbo/,
    window: 16_385,
    maxOutput: 4_096,
    supports: { temperature: upToTwo },
    source: openAiModels,
  },
  {
    name: "OpenAI o series",
    ids: /^o\d/,
    window: 200_000,
    maxOutput: 100_000,
    supports: { ...reasoning, reasoningEffort: lowToHigh },
    ...responses,
    source: `${openAiModels}; Reasoning models`,
  },
  {
    name: "GPT-5 Pro",
    ids: /^gpt-5(\.\d)?-pro/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...reasoning, reasoningEffort: ["high"] },
    ...responses,
    source: openAiModels,
  },
  {
    name: "GPT-5 Codex",
    ids: /^gpt-5(\.\d)?-codex/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...reasoning, reasoningEffort: lowToHigh },
    ...responses,
    source: openAiModels,
  },
  {
    name: "GPT-5",
    ids: /^gpt-5(-|$)/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...reasoning, reasoningEffort: ["minimal", ...lowToHigh] },
    ...responses,
    source: `${openAiModels}; AI SDK 7: OpenAI model catalogue`,
  },
  {
    name: "GPT-5.1",
    ids: /^gpt-5\.1/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...optionalReasoning, reasoningEffort: ["none", ...lowToHigh] },
    ...responses,
    source: `${openAiModels}; AI SDK 7: OpenAI model catalogue`,
  },
  {
    name: "GPT-5.2 and later",
    ids: /^gpt-5\.[2-9]/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...optionalReasoning, reasoningEffort: ["none", ...lowToMost] },
    ...responses,
    source: "AI SDK 7: OpenAI model catalogue (window: the smallest of them)",
  },
  {
    name: "GPT-6, reasoning optional",
    ids: /^gpt-6(\.1-terra|-luna|-sol)/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...optionalReasoning, reasoningEffort: ["none", ...lowToMost] },
    ...responses,
    source: "AI SDK 7: OpenAI model catalogue (sizes not checked)",
  },
  {
    name: "GPT-6",
    ids: /^gpt-[6-9]/,
    window: 400_000,
    maxOutput: 128_000,
    supports: { ...reasoning, reasoningEffort: lowToMost },
    ...responses,
    source: "AI SDK 7: OpenAI model catalogue (sizes not checked)",
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
const geography = /^(us-gov|us|eu|apac|jp|au|ca|global)\./;

/** A Bedrock id without its profile's geography. */
export function bareBedrockId(id: string): string {
  return id.replace(geography, "");
}

/** What is known about a model by its id alone. */
export function traitsOf(vendor: string, id: string): Traits {
  const bare = vendor === "bedrock" ? bareBedrockId(id) : id.replace(/^ft:/, "");
  const row = families.find((candidate) => candidate.vendor === vendor && candidate.ids.test(bare));
  if (!row) return unknown;
  const { name, window, minOutput, maxOutput, supports, thinks } = row;
  return { family: name, window, minOutput, maxOutput, supports, thinks };
}
