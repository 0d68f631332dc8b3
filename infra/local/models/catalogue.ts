/**
 * The models that the local model server offers, with what each really takes. A small cut of the real lists of
 * us-east-1 and OpenAI, chosen for its traps: models that want an inference profile, that refuse temperature, or
 * temperature beside topP, or a system prompt, or an answer that is begun for them; and entries that a chat app
 * must leave out (embeddings, images, speech, films, no streaming, only for bought throughput, legacy).
 */

export type Modality = "TEXT" | "IMAGE" | "VIDEO" | "SPEECH" | "EMBEDDING";

/** Sizes are in tokens. */
export interface BedrockModel {
  id: string;
  name: string;
  provider: string;
  input: Modality[];
  output: Modality[];
  streaming: boolean;
  status: "ACTIVE" | "LEGACY";
  /** Whether the bare id may be called; else only its inference profiles; without any, only bought throughput. */
  onDemand: boolean;
  /** The geographies of its inference profiles: the id is prefixed with them. */
  profiles: ("us" | "global")[];
  window: number;
  maxOutput: number;
  /** The highest temperature; false: it refuses the setting. */
  temperature: number | false;
  /** The highest top P, and the lowest. */
  topP: { min: number; max: number };
  temperatureWithTopP: boolean;
  systemPrompt: boolean;
  /** Whether the last message may be the assistant's, for the model to go on from. */
  prefill: boolean;
  /** How many it takes; 0: it refuses the field. */
  maxStopSequences: number;
  /** Which additionalModelRequestFields it knows. */
  additional: readonly string[];
  /**
   * When it reasons: never; when told to by a budget or adaptively (Claude), by Nova's or OpenAI's own field; unless
   * told not to; or in every call.
   */
  thinking: "never" | "budget" | "adaptive" | "field" | "unless-disabled" | "always";
  /** The efforts it knows. */
  efforts: readonly string[];
  /** What Nova says in place of its reasoning. */
  redacted: boolean;
  /** From how many tokens on it keeps what stands before a cache point; false: it refuses them. */
  cacheFrom: number | false;
}

const bedrockDefaults = {
  input: ["TEXT"] as Modality[],
  output: ["TEXT"] as Modality[],
  streaming: true,
  status: "ACTIVE" as const,
  onDemand: true,
  profiles: [] as ("us" | "global")[],
  window: 128_000,
  maxOutput: 8_192,
  temperature: 1 as number | false,
  topP: { min: 0, max: 1 },
  temperatureWithTopP: true,
  systemPrompt: true,
  prefill: false,
  maxStopSequences: 4,
  additional: [] as readonly string[],
  thinking: "never" as const,
  efforts: [] as readonly string[],
  redacted: false,
  cacheFrom: false as number | false,
};

function bedrock(model: Partial<BedrockModel> & Pick<BedrockModel, "id" | "name" | "provider">): BedrockModel {
  return { ...bedrockDefaults, ...model };
}

const nova = {
  provider: "Amazon",
  maxOutput: 10_000,
  profiles: ["us" as const],
  prefill: true,
  additional: ["inferenceConfig"],
  cacheFrom: 1_000,
};
const claude = {
  provider: "Anthropic",
  input: ["TEXT", "IMAGE"] as Modality[],
  onDemand: false,
  profiles: ["us" as const, "global" as const],
  window: 200_000,
  maxOutput: 64_000,
  temperatureWithTopP: false,
  prefill: true,
  maxStopSequences: 8_191,
  additional: ["anthropic_beta", "output_config", "thinking", "tool_choice", "top_k"],
  thinking: "budget" as const,
  cacheFrom: 1_024,
};
/** The newest: no sampling, no begun answers, thinking by effort. */
const newestClaude = {
  ...claude,
  window: 1_000_000,
  maxOutput: 128_000,
  temperature: false as const,
  prefill: false,
  thinking: "adaptive" as const,
  efforts: ["low", "medium", "high", "xhigh", "max"],
};
const llama = { provider: "Meta", maxStopSequences: 0 };
const mistral = { provider: "Mistral AI" };
/** They keep prompts by themselves, and take no cache points. */
const gpt = {
  provider: "OpenAI",
  onDemand: false,
  profiles: ["us" as const, "global" as const],
  window: 1_050_000,
  maxOutput: 128_000,
  temperature: false as const,
  maxStopSequences: 0,
  additional: ["reasoning"],
  thinking: "field" as const,
  efforts: ["low", "medium", "high", "xhigh", "max"],
};

export const bedrockModels: readonly BedrockModel[] = [
  bedrock({
    id: "ai21.jamba-1-5-large-v1:0",
    name: "Jamba 1.5 Large",
    provider: "AI21 Labs",
    window: 256_000,
    maxOutput: 4_000,
  }),
  bedrock({ id: "amazon.nova-micro-v1:0", name: "Nova Micro", ...nova }),
  bedrock({
    id: "amazon.nova-lite-v1:0",
    name: "Nova Lite",
    ...nova,
    input: ["TEXT", "IMAGE", "VIDEO"],
    window: 300_000,
  }),
  bedrock({
    id: "amazon.nova-pro-v1:0",
    name: "Nova Pro",
    ...nova,
    input: ["TEXT", "IMAGE", "VIDEO"],
    window: 300_000,
  }),
  bedrock({
    id: "amazon.nova-premier-v1:0",
    name: "Nova Premier",
    ...nova,
    input: ["TEXT", "IMAGE", "VIDEO"],
    onDemand: false,
    window: 1_000_000,
  }),
  bedrock({
    id: "amazon.nova-2-lite-v1:0",
    name: "Nova 2 Lite",
    ...nova,
    input: ["TEXT", "IMAGE", "VIDEO"],
    onDemand: false,
    profiles: ["us", "global"],
    window: 1_000_000,
    maxOutput: 65_535,
    additional: ["inferenceConfig", "reasoningConfig"],
    thinking: "field",
    efforts: ["low", "medium", "high"],
    redacted: true,
  }),
  bedrock({ id: "amazon.nova-lite-v1:0:300k", name: "Nova Lite", ...nova, onDemand: false, profiles: [] }),
  bedrock({
    id: "amazon.nova-2-5-sonic",
    name: "Nova 2.5 Sonic",
    provider: "Amazon",
    input: ["SPEECH", "TEXT"],
    output: ["SPEECH", "TEXT"],
  }),
  bedrock({
    id: "amazon.nova-canvas-v1:0",
    name: "Nova Canvas",
    provider: "Amazon",
    input: ["TEXT", "IMAGE"],
    output: ["IMAGE"],
    streaming: false,
  }),
  bedrock({
    id: "amazon.titan-text-express-v1",
    name: "Titan Text G1 - Express",
    provider: "Amazon",
    window: 8_192,
    maxOutput: 8_192,
    systemPrompt: false,
    maxStopSequences: 0,
  }),
  bedrock({
    id: "amazon.titan-embed-text-v2:0",
    name: "Titan Text Embeddings V2",
    provider: "Amazon",
    output: ["EMBEDDING"],
    streaming: false,
  }),
  bedrock({
    id: "anthropic.claude-3-haiku-20240307-v1:0",
    name: "Claude 3 Haiku",
    ...claude,
    status: "LEGACY",
    onDemand: true,
    profiles: ["us"],
    maxOutput: 4_096,
    temperatureWithTopP: true,
    thinking: "never",
    cacheFrom: false,
  }),
  bedrock({
    id: "anthropic.claude-3-5-haiku-20241022-v1:0",
    name: "Claude 3.5 Haiku",
    ...claude,
    profiles: ["us"],
    maxOutput: 8_192,
    temperatureWithTopP: true,
    thinking: "never",
    cacheFrom: 2_048,
  }),
  bedrock({
    id: "anthropic.claude-sonnet-4-20250514-v1:0",
    name: "Claude Sonnet 4",
    ...claude,
    temperatureWithTopP: true,
  }),
  bedrock({
    id: "anthropic.claude-opus-4-1-20250805-v1:0",
    name: "Claude Opus 4.1",
    ...claude,
    profiles: ["us"],
    maxOutput: 32_000,
  }),
  bedrock({ id: "anthropic.claude-haiku-4-5-20251001-v1:0", name: "Claude Haiku 4.5", ...claude, cacheFrom: 4_096 }),
  bedrock({ id: "anthropic.claude-sonnet-4-5-20250929-v1:0", name: "Claude Sonnet 4.5", ...claude }),
  bedrock({
    id: "anthropic.claude-opus-4-6-v1",
    name: "Claude Opus 4.6",
    ...newestClaude,
    temperature: 1,
    efforts: ["low", "medium", "high", "max"],
    cacheFrom: 4_096,
  }),
  bedrock({
    id: "anthropic.claude-sonnet-4-6",
    name: "Claude Sonnet 4.6",
    ...newestClaude,
    temperature: 1,
    efforts: ["low", "medium", "high", "max"],
    maxOutput: 64_000,
  }),
  bedrock({ id: "anthropic.claude-opus-4-7", name: "Claude Opus 4.7", ...newestClaude, cacheFrom: 4_096 }),
  bedrock({ id: "anthropic.claude-opus-4-8", name: "Claude Opus 4.8", ...newestClaude }),
  bedrock({ id: "anthropic.claude-sonnet-5", name: "Claude Sonnet 5", ...newestClaude, thinking: "unless-disabled" }),
  bedrock({
    id: "anthropic.claude-opus-5",
    name: "Claude Opus 5",
    ...newestClaude,
    thinking: "unless-disabled",
    cacheFrom: 512,
  }),
  bedrock({
    id: "anthropic.claude-haiku-5-5",
    name: "Claude Haiku 5.5",
    ...newestClaude,
    thinking: "unless-disabled",
    cacheFrom: 512,
  }),
  bedrock({
    id: "anthropic.claude-sonnet-5-5",
    name: "Claude Sonnet 5.5",
    ...newestClaude,
    thinking: "always",
    cacheFrom: 512,
  }),
  bedrock({
    id: "cohere.command-r-v1:0",
    name: "Command R",
    provider: "Cohere",
    maxOutput: 4_000,
    topP: { min: 0.01, max: 0.99 },
  }),
  bedrock({ id: "cohere.rerank-v3-5:0", name: "Rerank 3.5", provider: "Cohere", streaming: false }),
  bedrock({
    id: "deepseek.r1-v1:0",
    name: "DeepSeek-R1",
    provider: "DeepSeek",
    onDemand: false,
    profiles: ["us"],
    maxOutput: 32_768,
    thinking: "always",
  }),
  bedrock({ id: "deepseek.v3-v1:0", name: "DeepSeek-V3.1", provider: "DeepSeek", maxOutput: 8_000 }),
  bedrock({
    id: "meta.llama3-70b-instruct-v1:0",
    name: "Llama 3 70B Instruct",
    ...llama,
    window: 8_192,
    maxOutput: 2_048,
  }),
  bedrock({
    id: "meta.llama3-3-70b-instruct-v1:0",
    name: "Llama 3.3 70B Instruct",
    ...llama,
    maxOutput: 4_096,
    onDemand: false,
    profiles: ["us"],
  }),
  bedrock({
    id: "meta.llama4-maverick-17b-instruct-v1:0",
    name: "Llama 4 Maverick 17B Instruct",
    ...llama,
    input: ["TEXT", "IMAGE"],
    onDemand: false,
    profiles: ["us"],
    window: 1_000_000,
  }),
  bedrock({
    id: "mistral.mistral-7b-instruct-v0:2",
    name: "Mistral 7B Instruct",
    ...mistral,
    window: 32_000,
    systemPrompt: false,
  }),
  bedrock({ id: "mistral.mistral-large-2402-v1:0", name: "Mistral Large (24.02)", ...mistral, window: 32_000 }),
  bedrock({
    id: "mistral.pixtral-large-2502-v1:0",
    name: "Pixtral Large (25.02)",
    ...mistral,
    input: ["TEXT", "IMAGE"],
    onDemand: false,
    profiles: ["us"],
  }),
  bedrock({
    id: "openai.gpt-oss-120b-1:0",
    name: "gpt-oss-120b",
    provider: "OpenAI",
    maxOutput: 16_000,
    maxStopSequences: 0,
    additional: ["reasoning_effort"],
    thinking: "always",
    efforts: ["low", "medium", "high"],
  }),
  bedrock({ id: "openai.gpt-6-luna", name: "GPT-6 Luna", ...gpt, efforts: ["none", ...gpt.efforts] }),
  bedrock({ id: "openai.gpt-6-astra", name: "GPT-6 Astra", ...gpt }),
  bedrock({
    id: "twelvelabs.pegasus-1-2-v1:0",
    name: "Pegasus v1.2",
    provider: "TwelveLabs",
    input: ["TEXT", "VIDEO"],
  }),
  bedrock({
    id: "mistral.voxtral-small-24b-2507",
    name: "Voxtral Small 24B 2507",
    ...mistral,
    input: ["SPEECH", "TEXT"],
    window: 32_000,
    maxOutput: 4_096,
  }),
  bedrock({
    id: "mistral.magistral-small-2509",
    name: "Magistral Small 2509",
    ...mistral,
    maxOutput: 40_000,
    thinking: "always",
  }),
  bedrock({ id: "mistral.mistral-large-3-675b-instruct", name: "Mistral Large 3", ...mistral, maxOutput: 32_000 }),
  bedrock({ id: "qwen.qwen3-32b-v1:0", name: "Qwen3 32B (dense)", provider: "Qwen", window: 32_000, maxOutput: 8_000 }),
  bedrock({ id: "qwen.qwen3-coder-next", name: "Qwen3 Coder Next", provider: "Qwen", maxOutput: 16_000 }),
  bedrock({
    id: "qwen.qwen3-next-80b-a3b",
    name: "Qwen3 Next 80B A3B",
    provider: "Qwen",
    window: 256_000,
    maxOutput: 8_000,
  }),
  bedrock({
    id: "moonshotai.kimi-k3",
    name: "Kimi K3",
    provider: "Moonshot AI",
    onDemand: false,
    profiles: ["us", "global"],
    window: 1_000_000,
    maxOutput: 128_000,
    temperature: false,
    thinking: "always",
  }),
  bedrock({
    id: "moonshotai.kimi-k2.5",
    name: "Kimi K2.5",
    provider: "Moonshot AI",
    maxOutput: 16_000,
    thinking: "always",
  }),
  bedrock({
    id: "minimax.minimax-m2.5",
    name: "MiniMax M2.5",
    provider: "MiniMax",
    window: 196_000,
    maxOutput: 8_000,
    thinking: "always",
  }),
  bedrock({
    id: "zai.glm-5",
    name: "GLM 5",
    provider: "Z.AI",
    window: 200_000,
    maxOutput: 128_000,
    thinking: "always",
  }),
  bedrock({ id: "zai.glm-4.7", name: "GLM 4.7", provider: "Z.AI", maxOutput: 4_000, thinking: "always" }),
  bedrock({ id: "google.gemma-3-12b-it", name: "Gemma 3 12B IT", provider: "Google", maxOutput: 8_000 }),
  bedrock({ id: "nvidia.nemotron-nano-3-30b", name: "Nemotron Nano 3 30B", provider: "NVIDIA", maxOutput: 8_000 }),
  bedrock({
    id: "writer.palmyra-x5-v1:0",
    name: "Palmyra X5",
    provider: "Writer",
    onDemand: false,
    profiles: ["us"],
    maxOutput: 8_000,
  }),
  bedrock({
    id: "xai.grok-4.7",
    name: "Grok 4.7",
    provider: "xAI",
    onDemand: false,
    profiles: ["us", "global"],
    window: 500_000,
    maxOutput: 128_000,
    temperature: false,
    maxStopSequences: 0,
    thinking: "always",
  }),
];

export interface InferenceProfile {
  id: string;
  name: string;
  description: string;
  arn: string;
  modelArns: string[];
  model: BedrockModel;
}

/** The account that the local cloud's ARNs name. */
export const account = "000000000000";

const geographies = {
  us: { name: "US", regions: ["us-east-1", "us-east-2", "us-west-2"] },
  global: { name: "Global", regions: ["us-east-1"] },
};

/** The ARN of a foundation model; global profiles name one without a region as well. */
export function modelArn(id: string, region = "us-east-1"): string {
  return `arn:aws:bedrock:${region}::foundation-model/${id}`;
}

export const inferenceProfiles: readonly InferenceProfile[] = bedrockModels.flatMap((model) =>
  model.profiles.map((geography) => {
    const { name, regions } = geographies[geography];
    const id = `${geography}.${model.id}`;
    return {
      id,
      name: `${name} ${model.provider} ${model.name}`,
      description: `Routes requests to ${model.name} in ${geography === "us" ? regions.join(", ") : "all regions"}.`,
      arn: `arn:aws:bedrock:us-east-1:${account}:inference-profile/${id}`,
      modelArns: [...regions, ...(geography === "global" ? [""] : [])].map((region) => modelArn(model.id, region)),
      model,
    };
  }),
);

export interface OpenAiModel {
  id: string;
  /** Seconds since the epoch. */
  created: number;
  ownedBy: "openai" | "system" | "openai-internal";
  /** `chat` and `reasoning` models answer in text; all others are on the real list too. */
  kind: "chat" | "reasoning" | "other";
  window: number;
  maxOutput: number;
  /** The reasoning efforts it takes, and the one it has by itself. */
  efforts: readonly string[];
  effort: string | null;
  /** Whether it takes temperature and topP with the effort `none`. */
  sampling: boolean;
  /** Whether it is only to be had by Responses. */
  responsesOnly: boolean;
  /** From how many tokens on it keeps beginnings of prompts; false: it does not. And whether writing is counted. */
  cacheFrom: number | false;
  countsWrites: boolean;
}

function openai(id: string, created: number, sizes?: Partial<OpenAiModel>): OpenAiModel {
  return {
    id,
    created,
    ownedBy: "system",
    kind: "other",
    window: 0,
    maxOutput: 0,
    efforts: [],
    effort: null,
    sampling: true,
    responsesOnly: false,
    cacheFrom: 1_024,
    countsWrites: false,
    ...sizes,
  };
}

const gpt41 = { kind: "chat" as const, window: 1_047_576, maxOutput: 32_768 };
const gpt4o = { kind: "chat" as const, window: 128_000, maxOutput: 16_384 };
const lowToHigh = ["low", "medium", "high"];
const gpt5 = {
  kind: "reasoning" as const,
  window: 400_000,
  maxOutput: 128_000,
  efforts: ["minimal", ...lowToHigh],
  effort: "medium",
  sampling: false,
};
const gpt51 = { ...gpt5, efforts: ["none", ...lowToHigh], effort: "none", sampling: true };
const newest = { window: 1_050_000, countsWrites: true };

export const openAiModels: readonly OpenAiModel[] = [
  openai("gpt-4", 1687882411, { kind: "chat", window: 8_192, maxOutput: 8_192, ownedBy: "openai", cacheFrom: false }),
  openai("gpt-4-turbo", 1712361441, { kind: "chat", window: 128_000, maxOutput: 4_096, cacheFrom: false }),
  openai("gpt-3.5-turbo", 1677610602, { kind: "chat", window: 16_385, maxOutput: 4_096, cacheFrom: false }),
  openai("gpt-4.1", 1744316542, gpt41),
  openai("gpt-4.1-mini", 1744318173, gpt41),
  openai("gpt-4.1-nano", 1744321707, gpt41),
  openai("gpt-4o", 1715367049, gpt4o),
  openai("gpt-4o-2024-05-13", 1715368132, { ...gpt4o, maxOutput: 4_096, cacheFrom: false }),
  openai("gpt-4o-mini", 1721172741, gpt4o),
  openai("gpt-5", 1754425777, gpt5),
  openai("gpt-5-mini", 1754425928, gpt5),
  openai("gpt-5-nano", 1754426384, gpt5),
  openai("gpt-5-chat-latest", 1754073306, gpt4o),
  openai("gpt-5-codex", 1757527818, { ...gpt5, efforts: lowToHigh, responsesOnly: true }),
  openai("gpt-5-pro", 1759469822, {
    ...gpt5,
    efforts: ["high"],
    effort: "high",
    responsesOnly: true,
    cacheFrom: false,
  }),
  openai("gpt-5.2-pro", 1765343983, {
    ...gpt5,
    efforts: ["medium", "high", "xhigh"],
    responsesOnly: true,
    cacheFrom: false,
  }),
  openai("gpt-5.1", 1762800673, gpt51),
  openai("gpt-5.2", 1765313051, { ...gpt51, efforts: [...gpt51.efforts, "xhigh"] }),
  openai("gpt-5.2-chat-latest", 1765344352, { ...gpt5, window: 128_000, maxOutput: 16_384, efforts: ["medium"] }),
  openai("gpt-5.6-luna", 1783929600, { ...gpt51, ...newest, efforts: [...gpt51.efforts, "xhigh", "max"] }),
  openai("gpt-6-luna", 1788220800, { ...gpt51, ...newest, efforts: [...gpt51.efforts, "xhigh", "max"] }),
  openai("gpt-6-astra", 1788220800, { ...gpt5, ...newest, efforts: [...lowToHigh, "xhigh", "max"] }),
  openai("o4-mini", 1744225351, {
    kind: "reasoning",
    window: 200_000,
    maxOutput: 100_000,
    efforts: lowToHigh,
    effort: "medium",
    sampling: false,
  }),
  openai("gpt-3.5-turbo-instruct", 1692901427),
  openai("gpt-4o-audio-preview", 1727460443),
  openai("gpt-4o-mini-transcribe", 1742068596),
  openai("gpt-4o-realtime-preview", 1727659998),
  openai("gpt-image-1", 1745517030),
  openai("dall-e-3", 1698785189),
  openai("omni-moderation-latest", 1731689265),
  openai("text-embedding-3-small", 1705948997),
  openai("tts-1", 1681940951, { ownedBy: "openai-internal" }),
  openai("whisper-1", 1677532384, { ownedBy: "openai-internal" }),
];

/** What an OpenAI-compatible endpoint of one's own offers, under `/compatible/v1`: chat completions and a list. */
export const compatibleModels: readonly OpenAiModel[] = [
  openai("llama3.2:3b", 1727222400, { kind: "chat", window: 128_000, maxOutput: 128_000, cacheFrom: false }),
  openai("deepseek-reasoner", 1737331200, {
    kind: "reasoning",
    window: 64_000,
    maxOutput: 32_768,
    efforts: lowToHigh,
    effort: "medium",
    cacheFrom: false,
  }),
  openai("nomic-embed-text:latest", 1715299200),
];
