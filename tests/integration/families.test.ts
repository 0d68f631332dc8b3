/**
 * What each family of models is really sent, through the app's own path (catalogue, settings, prompt, providers), as
 * the model server recorded it: by default, with everything set, and with what is left of everything after a switch
 * from another family. The model server refuses what the real ones refuse, so each call must also be answered.
 */
import { afterAll, describe, expect, test } from "vitest";
import { families } from "~/ai/families";
import type { ThreadSettings } from "~/ai/settings";
import { startModels } from "./answer-local.ts";

const local = await startModels({
  compatible: [],
  model: { firstMs: 5_000, silentMs: 5_000 },
});
const { streamAnswer } = await import("~/ai/answer.server");
const { requireModel } = await import("~/ai/catalogue.server");
const { settingsFor, switchModel } = await import("~/ai/settings");
const { buildPrompt } = await import("~/threads/prompt.server");
const { runInvocation } = await import("~/invocation.server");
afterAll(local.stop);

const all: ThreadSettings = {
  temperature: 0.4,
  topP: 0.9,
  maxTokens: 2_000,
  stopSequences: ["END", "STOP"],
  reasoningEffort: "medium",
  systemPrompt: "Be brief.",
  notes: "chosen",
  chosenNotes: ["01HZX3V9ZK5T8N6Q2W4Y7R0ABC"],
  historyLength: 40,
};

/** Asks through the app's own modules; returns the settings as they were recorded, and the outcome. */
async function send(ref: string, settings: ThreadSettings) {
  const background: Promise<unknown>[] = [];
  const invocation = {
    requestId: "test",
    deadline: Date.now() + 60_000,
    waitUntil: (work: Promise<unknown>) => void background.push(work),
  };
  const model = await runInvocation(invocation, () => requireModel(ref));
  await Promise.all(background);
  const marker = await local.script({ tokens: 3 });
  const { system, messages } = buildPrompt({
    model,
    settings,
    history: [{ role: "user", text: marker }],
    notes: [],
    delimiter: "Zk3_v-91qaWs",
    operatorSystemPrompt: undefined,
  });
  const answer = streamAnswer({ model, settings, system, messages, signal: new AbortController().signal });
  let next = await answer.next();
  while (!next.done) next = await answer.next();
  const calls = await local.calls(marker);
  expect(calls).toHaveLength(1);
  const [call] = calls;
  const { messages: _, input: __, system: sentSystem, model: ___, ...body } = call?.body ?? {};
  return {
    model,
    outcome: next.value,
    path: decodeURIComponent(call?.path ?? ""),
    body,
    system: sentSystem,
    whole: call?.body,
  };
}

/** The paths of all fields of a body. */
function fieldsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, part]) => fieldsOf(part, `${path}/${name}`));
}

/** What goes along with every call and is no setting. */
const chatCall = { stream: true, stream_options: { include_usage: true } };
const response = { stream: true, store: false, include: ["reasoning.encrypted_content"] };
const summarised = (reasoning: object = {}) => ({ reasoning: { ...reasoning, summary: "auto" } });
/** Asked of Claude by the AI SDK: which stop sequence ended the answer. */
const claude = { additionalModelResponseFieldPaths: ["/delta/stop_sequence"] };
const inference = (inferenceConfig: object) => ({ inferenceConfig });
const thinking = (fields: object) => ({ additionalModelRequestFields: fields });

interface Case {
  /** The family's row. */
  family: string;
  ref: string;
  /** The profile or model that is really called. */
  path: string;
  byDefault: object;
  withAll: object;
  dropped: (keyof ThreadSettings)[];
  /** What is sent of everything with the most effort, if that is not the fields of everything with some. */
  withMost?: object;
  /** Whether the system prompt is sent as such; where not, it stands in the message. */
  noSystem?: true;
}

const nova = {
  byDefault: {},
  withAll: inference({ temperature: 0.4, topP: 0.9, maxTokens: 2_000, stopSequences: ["END", "STOP"] }),
  dropped: ["reasoningEffort"],
} satisfies Partial<Case>;
const noStops = {
  byDefault: {},
  withAll: inference({ temperature: 0.4, topP: 0.9, maxTokens: 2_000 }),
  dropped: ["stopSequences", "reasoningEffort"],
} satisfies Partial<Case>;
/** Claude that thinks by a budget: of 64,000 tokens 30 %, and the response beside it. */
const budget = (share = 19_200) =>
  ({
    byDefault: claude,
    withAll: {
      ...claude,
      ...inference({ maxTokens: 2_000 + share, stopSequences: ["END", "STOP"] }),
      ...thinking({ thinking: { type: "enabled", budget_tokens: share } }),
    },
    dropped: ["temperature", "topP"],
  }) satisfies Partial<Case>;
const adaptive = (shown: object) =>
  ({
    byDefault: claude,
    withAll: {
      ...claude,
      ...inference({ maxTokens: 2_000, stopSequences: ["END", "STOP"] }),
      ...thinking({ thinking: { type: "adaptive", ...shown }, output_config: { effort: "medium" } }),
    },
    dropped: ["temperature", "topP"],
  }) satisfies Partial<Case>;
const thinksByItself = {
  ...adaptive({ display: "summarized" }),
  byDefault: { ...claude, ...thinking({ thinking: { type: "adaptive", display: "summarized" } }) },
} satisfies Partial<Case>;
const chat = {
  path: "/v1/chat/completions",
  byDefault: chatCall,
  withAll: { ...chatCall, temperature: 0.4, top_p: 0.9, max_tokens: 2_000, stop: ["END", "STOP"] },
  dropped: ["reasoningEffort"],
} satisfies Partial<Case>;
const reasoning = {
  path: "/v1/responses",
  byDefault: { ...response, ...summarised() },
  withAll: { ...response, max_output_tokens: 2_000, ...summarised({ effort: "medium" }) },
  dropped: ["temperature", "topP", "stopSequences"],
} satisfies Partial<Case>;

const gptOnBedrock = {
  byDefault: {},
  withAll: { ...inference({ maxTokens: 2_000 }), ...thinking({ reasoning: { effort: "medium" } }) },
  dropped: ["temperature", "topP", "stopSequences"],
} satisfies Partial<Case>;

const bedrock = (
  family: string,
  id: string,
  rest: Pick<Case, "byDefault" | "withAll" | "withMost" | "dropped"> & { called?: string; noSystem?: true },
): Case => {
  const { called = id, ...more } = rest;
  return { family, ref: `bedrock:${id}`, path: `/model/${called}/converse-stream`, ...more };
};
const openai = (family: string, id: string, rest: Omit<Case, "family" | "ref">): Case => ({
  family,
  ref: `openai:${id}`,
  ...rest,
});

const cases: Case[] = [
  bedrock("Amazon Nova 2", "us.amazon.nova-2-lite-v1:0", {
    byDefault: {},
    withAll: {
      ...nova.withAll,
      ...thinking({ reasoningConfig: { type: "enabled", maxReasoningEffort: "medium" } }),
    },
    dropped: [],
    withMost: {
      ...inference({ stopSequences: ["END", "STOP"] }),
      ...thinking({ reasoningConfig: { type: "enabled", maxReasoningEffort: "high" } }),
    },
  }),
  bedrock("Amazon Nova Micro", "amazon.nova-micro-v1:0", nova),
  bedrock("Amazon Nova", "amazon.nova-lite-v1:0", nova),
  // The bare id stands in the thread's settings, and only its inference profile may be called.
  bedrock("Amazon Nova Premier", "amazon.nova-premier-v1:0", { ...nova, called: "us.amazon.nova-premier-v1:0" }),
  bedrock("Amazon Titan Text", "amazon.titan-text-express-v1", { ...noStops, noSystem: true }),
  bedrock("Claude that always thinks", "us.anthropic.claude-sonnet-5-5", thinksByItself),
  bedrock("Claude that thinks unless told not to", "us.anthropic.claude-haiku-5-5", thinksByItself),
  bedrock("Claude Sonnet 5", "us.anthropic.claude-sonnet-5", thinksByItself),
  bedrock("Claude Opus 4.8", "us.anthropic.claude-opus-4-8", adaptive({ display: "summarized" })),
  bedrock("Claude Opus 4.7", "us.anthropic.claude-opus-4-7", adaptive({ display: "summarized" })),
  bedrock("Claude Opus 4.6", "us.anthropic.claude-opus-4-6-v1", adaptive({})),
  bedrock("Claude Sonnet 4.6", "us.anthropic.claude-sonnet-4-6", adaptive({})),
  bedrock("Claude Sonnet 4.5", "anthropic.claude-sonnet-4-5-20250929-v1:0", {
    ...budget(),
    called: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  }),
  bedrock("Claude Opus and Haiku 4.5", "us.anthropic.claude-haiku-4-5-20251001-v1:0", budget()),
  bedrock("Claude Opus 4", "us.anthropic.claude-opus-4-1-20250805-v1:0", budget(9_600)),
  bedrock("Claude Sonnet 4", "us.anthropic.claude-sonnet-4-20250514-v1:0", budget()),
  bedrock("Claude 3.5 Haiku", "us.anthropic.claude-3-5-haiku-20241022-v1:0", {
    byDefault: claude,
    withAll: { ...claude, ...nova.withAll },
    dropped: ["reasoningEffort"],
  }),
  bedrock("Llama 4", "us.meta.llama4-maverick-17b-instruct-v1:0", noStops),
  bedrock("Llama 3.1 to 3.3", "meta.llama3-3-70b-instruct-v1:0", {
    ...noStops,
    called: "us.meta.llama3-3-70b-instruct-v1:0",
  }),
  bedrock("Llama 3", "meta.llama3-70b-instruct-v1:0", noStops),
  bedrock("Mistral Instruct", "mistral.mistral-7b-instruct-v0:2", { ...nova, noSystem: true }),
  bedrock("Mistral (24.02)", "mistral.mistral-large-2402-v1:0", nova),
  bedrock("Voxtral", "mistral.voxtral-small-24b-2507", nova),
  bedrock("Magistral", "mistral.magistral-small-2509", nova),
  bedrock("Mistral Large 3 and Devstral 2", "mistral.mistral-large-3-675b-instruct", nova),
  bedrock("Mistral", "us.mistral.pixtral-large-2502-v1:0", nova),
  bedrock("DeepSeek R1", "us.deepseek.r1-v1:0", nova),
  bedrock("DeepSeek", "deepseek.v3-v1:0", nova),
  bedrock("Cohere Command R", "cohere.command-r-v1:0", nova),
  bedrock("AI21 Jamba", "ai21.jamba-1-5-large-v1:0", nova),
  bedrock("gpt-oss", "openai.gpt-oss-120b-1:0", {
    byDefault: {},
    withAll: {
      ...inference({ temperature: 0.4, topP: 0.9, maxTokens: 2_000 }),
      ...thinking({ reasoning_effort: "medium" }),
    },
    dropped: ["stopSequences"],
  }),
  bedrock("GPT on Bedrock, reasoning optional", "us.openai.gpt-6-luna", gptOnBedrock),
  bedrock("GPT on Bedrock", "us.openai.gpt-6-astra", gptOnBedrock),
  bedrock("Qwen3 32B", "qwen.qwen3-32b-v1:0", nova),
  bedrock("Qwen3 Coder", "qwen.qwen3-coder-next", nova),
  bedrock("Qwen3", "qwen.qwen3-next-80b-a3b", nova),
  bedrock("Kimi K3", "us.moonshotai.kimi-k3", {
    byDefault: {},
    withAll: inference({ maxTokens: 2_000, stopSequences: ["END", "STOP"] }),
    dropped: ["temperature", "topP", "reasoningEffort"],
  }),
  bedrock("Kimi K2", "moonshotai.kimi-k2.5", nova),
  bedrock("MiniMax M2", "minimax.minimax-m2.5", nova),
  bedrock("GLM 5", "zai.glm-5", nova),
  bedrock("GLM 4.7", "zai.glm-4.7", nova),
  bedrock("Gemma 3", "google.gemma-3-12b-it", nova),
  bedrock("Nemotron", "nvidia.nemotron-nano-3-30b", nova),
  bedrock("Writer Palmyra", "us.writer.palmyra-x5-v1:0", nova),
  bedrock("Grok", "us.xai.grok-4.7", {
    byDefault: {},
    withAll: inference({ maxTokens: 2_000 }),
    dropped: ["temperature", "topP", "stopSequences", "reasoningEffort"],
  }),
  openai("GPT-5 chat", "gpt-5-chat-latest", chat),
  openai("GPT-5.1 chat and later", "gpt-5.2-chat-latest", {
    ...reasoning,
    withAll: { ...response, max_output_tokens: 2_000, ...summarised() },
    dropped: ["temperature", "topP", "stopSequences", "reasoningEffort"],
  }),
  openai("GPT-4.1", "gpt-4.1-mini", chat),
  openai("GPT-4o of May 2024", "gpt-4o-2024-05-13", chat),
  openai("GPT-4o", "gpt-4o", chat),
  openai("GPT-4 Turbo", "gpt-4-turbo", chat),
  openai("GPT-4", "gpt-4", chat),
  openai("GPT-3.5 Turbo", "gpt-3.5-turbo", chat),
  openai("OpenAI o series", "o4-mini", reasoning),
  openai("GPT-5 Pro", "gpt-5-pro", {
    ...reasoning,
    withAll: { ...response, max_output_tokens: 2_000, ...summarised({ effort: "high" }) },
  }),
  openai("GPT-5.2 Pro and later", "gpt-5.2-pro", reasoning),
  openai("GPT-5 Codex", "gpt-5-codex", reasoning),
  openai("GPT-5", "gpt-5-mini", reasoning),
  openai("GPT-5.1", "gpt-5.1", reasoning),
  openai("GPT-5.2 to 5.5", "gpt-5.2", reasoning),
  openai("GPT-5.6 and later", "gpt-5.6-luna", reasoning),
  openai("GPT-6, reasoning optional", "gpt-6-luna", reasoning),
  openai("GPT-6", "gpt-6-astra", reasoning),
];

test("every family but those without an active model is among them", () => {
  const tested = new Set(cases.map(({ family }) => family));
  expect(families.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual(["Claude 3.5", "Claude 3"]);
  expect(cases.length).toBe(tested.size);
});

describe.each(cases)("$family ($ref)", (given) => {
  const { family, ref, path, byDefault, withAll, withMost = withAll, dropped, noSystem } = given;
  test("is sent the prompt alone by default", async () => {
    const sent = await send(ref, {});
    expect(sent.model.family).toBe(family);
    expect(sent.outcome).toMatchObject({ ending: "complete", sent: {}, dropped: [], attempts: 1 });
    expect(sent.path).toBe(path);
    expect(sent.body).toEqual(byDefault);
    expect(sent.system ?? []).toEqual([]);
  });

  test("is sent of everything just what it takes", async () => {
    const sent = await send(ref, all);
    expect(sent.outcome).toMatchObject({ ending: "complete", attempts: 1 });
    expect(sent.outcome.dropped.map(({ setting }) => setting).sort()).toEqual([...dropped].sort());
    expect(sent.path).toBe(path);
    expect(sent.body).toEqual(withAll);
    // The system prompt gets there one way or the other, and what is Sidenote's own does not.
    if (path.startsWith("/model/")) expect(sent.system ?? []).toEqual(noSystem ? [] : [{ text: "Be brief." }]);
    const whole = JSON.stringify(sent.whole);
    expect(whole).toContain("Be brief.");
    expect(whole).not.toMatch(/historyLength|chosenNotes|01HZX3V9ZK5T8N6Q2W4Y7R0ABC/);
  });

  test("is sent after a switch what is left, and what is left is all sent", async () => {
    // From the widest ranges that there are: OpenAI's chat models, with the longest answers and the most effort.
    const before: ThreadSettings = {
      ...all,
      model: "openai:gpt-4.1",
      temperature: 1.9,
      topP: 1,
      maxTokens: 30_000,
      reasoningEffort: "max",
    };
    const { model } = await send(ref, {});
    const { settings, dropped: lost, adjusted } = switchModel(before, model);
    for (const { reason } of [...lost, ...adjusted])
      expect(reason).toMatch(new RegExp(`^${model.name.replace(/[.()]/g, "\\$&")} `));
    const { model: to, ...kept } = settings;
    expect(to).toBe(model.ref);
    const sent = await send(ref, settings);
    expect(sent.outcome).toMatchObject({ ending: "complete", dropped: [], attempts: 1 });
    expect(fieldsOf(sent.body).sort()).toEqual(fieldsOf(withMost).sort());
    const callSettings = settingsFor(model, before).sent;
    expect(sent.outcome.sent).toEqual(callSettings);
    expect(kept).toMatchObject({ ...callSettings, systemPrompt: "Be brief.", notes: "chosen", historyLength: 40 });
    for (const { setting } of lost) expect(kept).not.toHaveProperty(setting);
  });
});

test("a sampling that a model takes only without reasoning is sent without it", async () => {
  const sampled = { temperature: 0.4, topP: 0.9 };
  const sonnet = await send("bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0", sampled);
  expect(sonnet.body).toEqual({ ...claude, ...inference({ temperature: 0.4 }) });
  expect(sonnet.outcome.dropped).toMatchObject([{ setting: "topP" }]);
  const older = await send("bedrock:us.anthropic.claude-sonnet-4-20250514-v1:0", sampled);
  expect(older.body).toEqual({ ...claude, ...inference(sampled) });
  const gpt = await send("openai:gpt-5.2", { ...sampled, reasoningEffort: "none" });
  expect(gpt.body).toEqual({ ...response, temperature: 0.4, top_p: 0.9, reasoning: { effort: "none" } });
});

test("a model that thinks by itself is told not to where it can be, and sent no effort where it cannot", async () => {
  for (const id of ["us.anthropic.claude-opus-5", "us.anthropic.claude-haiku-5-5", "us.anthropic.claude-sonnet-5"]) {
    const quiet = await send(`bedrock:${id}`, { reasoningEffort: "none", maxTokens: 2_000 });
    expect(quiet.outcome).toMatchObject({ ending: "complete", dropped: [], attempts: 1 });
    expect(quiet.body).toEqual({
      ...claude,
      ...inference({ maxTokens: 2_000 }),
      ...thinking({ thinking: { type: "disabled" } }),
    });
  }
  const luna = await send("bedrock:us.openai.gpt-6-luna", { reasoningEffort: "none" });
  expect(luna.outcome).toMatchObject({ ending: "complete", dropped: [], attempts: 1 });
  expect(luna.body).toEqual(thinking({ reasoning: { effort: "none" } }));
  for (const id of ["us.anthropic.claude-sonnet-5-5", "us.openai.gpt-6-astra"]) {
    const { outcome } = await send(`bedrock:${id}`, { reasoningEffort: "none" });
    expect(outcome).toMatchObject({ ending: "complete", dropped: [{ setting: "reasoningEffort" }], attempts: 1 });
  }
});

test.each([
  ["bedrock:us.anthropic.claude-opus-4-8", ["low", "medium", "high", "xhigh", "max"]],
  ["bedrock:us.anthropic.claude-sonnet-5-5", ["low", "medium", "high", "xhigh", "max"]],
  ["bedrock:us.anthropic.claude-opus-4-6-v1", ["low", "medium", "high", "high", "max"]],
  ["bedrock:us.openai.gpt-6-luna", ["low", "medium", "high", "xhigh", "xhigh"]],
  ["openai:gpt-5.2", ["low", "medium", "high", "xhigh", "xhigh"]],
  ["openai:gpt-6-astra", ["low", "medium", "high", "xhigh", "max"]],
])(
  "%s is sent the efforts that it has by its vendor's names for them, and the nearest for others",
  async (ref, names) => {
    const sent = [];
    for (const reasoningEffort of ["low", "medium", "high", "xhigh", "max"] as const) {
      const { outcome, body } = await send(ref, { reasoningEffort });
      expect(outcome).toMatchObject({ ending: "complete", dropped: [], attempts: 1 });
      const { additionalModelRequestFields: fields, reasoning } = body as Record<
        string,
        Record<string, { effort: string }>
      >;
      sent.push(fields?.output_config?.effort ?? fields?.reasoning?.effort ?? reasoning?.effort);
    }
    expect(sent).toEqual(names);
  },
);

test("Nova's highest effort goes alone, with the reasons for what stays behind", async () => {
  const sent = await send("bedrock:us.amazon.nova-2-lite-v1:0", { ...all, reasoningEffort: "high" });
  expect(sent.outcome.ending).toBe("complete");
  expect(sent.body).toEqual({
    ...inference({ stopSequences: ["END", "STOP"] }),
    ...thinking({ reasoningConfig: { type: "enabled", maxReasoningEffort: "high" } }),
  });
  expect(sent.outcome.dropped.map(({ setting }) => setting).sort()).toEqual(["maxTokens", "temperature", "topP"]);
});

test("a longest response and the budget to think together stay within what the model writes", async () => {
  const ref = "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0";
  const most = await send(ref, { maxTokens: 64_000, reasoningEffort: "high" });
  expect(most.outcome).toMatchObject({ ending: "complete", sent: { maxTokens: 62_976 } });
  expect(most.body).toEqual({
    ...claude,
    ...inference({ maxTokens: 64_000 }),
    ...thinking({ thinking: { type: "enabled", budget_tokens: 1_024 } }),
  });
  // Nobody set a longest one: what is beside the budget does not cut an answer short.
  const free = await send(ref, { reasoningEffort: "low" });
  expect(free.body).toMatchObject(inference({ maxTokens: 6_400 + 16_384 }));
});
