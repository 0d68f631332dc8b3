/** What the vendors' own clients get of reasoning and of the prompt caches, and what a compatible endpoint offers. */
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type SystemContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ModelServer, startModelServer } from "./server.ts";

let server: ModelServer;
let runtime: BedrockRuntimeClient;
let openai: OpenAI;
let house: OpenAI;

beforeAll(async () => {
  server = await startModelServer({ pace: { firstTokenMs: 1, tokenMs: 0 } });
  runtime = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: server.url,
    credentials: { accessKeyId: "AKIDLOCAL", secretAccessKey: "secret" },
    maxAttempts: 1,
  });
  openai = new OpenAI({ apiKey: "sk-local", baseURL: `${server.url}/v1`, maxRetries: 0 });
  house = new OpenAI({ apiKey: "house-key", baseURL: `${server.url}/compatible/v1`, maxRetries: 0 });
});
afterEach(async () => {
  for (const what of ["__scenario", "__requests", "__cache"])
    await fetch(`${server.url}/${what}`, { method: "DELETE" });
});
afterAll(async () => {
  runtime.destroy();
  await server.stop();
});

type Messages = NonNullable<ConverseCommandInput["messages"]>;
const say = (role: "user" | "assistant", text: string): Messages[number] => ({ role, content: [{ text }] });
const question = [say("user", "repeat the word moss 12 times")];
const answer = Array.from({ length: 12 }, () => "moss").join(" ");
const converse = (input: Partial<ConverseCommandInput>) =>
  runtime.send(new ConverseCommand({ messages: question, ...input } as ConverseCommandInput));

/** The thoughts and the text of a stream, and the usage at its end. */
async function stream(input: Partial<ConverseCommandInput>) {
  const { stream = [] } = await runtime.send(
    new ConverseStreamCommand({ messages: question, ...input } as ConverseCommandInput),
  );
  let [thoughts, text] = ["", ""];
  let usage: object | undefined;
  for await (const { contentBlockDelta, metadata } of stream) {
    thoughts += contentBlockDelta?.delta?.reasoningContent?.text ?? "";
    text += contentBlockDelta?.delta?.text ?? "";
    usage = metadata?.usage ?? usage;
  }
  return { thoughts, text, usage };
}

const sonnet = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const effort = (fields: Record<string, unknown>) => ({
  additionalModelRequestFields: fields as NonNullable<ConverseCommandInput["additionalModelRequestFields"]>,
});

describe("Bedrock's reasoning", () => {
  test.each([
    [sonnet, effort({ thinking: { type: "enabled", budget_tokens: 2_000 } })],
    ["us.anthropic.claude-opus-4-6-v1", effort({ thinking: { type: "adaptive" }, output_config: { effort: "max" } })],
    ["us.anthropic.claude-opus-5", effort({ thinking: { type: "adaptive", display: "summarized" } })],
    ["us.deepseek.r1-v1:0", {}],
    ["openai.gpt-oss-120b-1:0", effort({ reasoning_effort: "low" })],
  ])("%s says what it thinks before its answer", async (modelId, input) => {
    const { thoughts, text, usage } = await stream({ modelId, ...input });
    expect(thoughts).toContain("The question is “repeat the word moss 12 times”.");
    expect(text).toBe(answer);
    // What it thought is part of the output.
    expect((usage as { outputTokens: number }).outputTokens).toBeGreaterThan(20);
  });

  test.each([
    ["us.anthropic.claude-opus-5", {}, ""],
    ["us.anthropic.claude-opus-4-7", effort({ thinking: { type: "adaptive" }, output_config: { effort: "low" } }), ""],
    [
      "us.amazon.nova-2-lite-v1:0",
      effort({ reasoningConfig: { type: "enabled", maxReasoningEffort: "low" } }),
      "[REDACTED]",
    ],
    ["us.anthropic.claude-haiku-5-5", effort({ thinking: { type: "disabled" } }), ""],
  ])("%s keeps it to itself", async (modelId, input, said) => {
    expect(await stream({ modelId, ...input })).toMatchObject({ thoughts: said, text: answer });
  });

  test.each([
    [
      "an effort that it does not know",
      "us.anthropic.claude-opus-4-6-v1",
      effort({ thinking: { type: "adaptive" }, output_config: { effort: "xhigh" } }),
      "effort",
    ],
    [
      "a budget, where it thinks by effort",
      "us.anthropic.claude-opus-4-7",
      effort({ thinking: { type: "enabled", budget_tokens: 2_000 } }),
      "adaptive",
    ],
    ["an effort, where it thinks by budget", sonnet, effort({ thinking: { type: "adaptive" } }), "adaptive thinking"],
    [
      "to think no more, where it always does",
      "us.anthropic.claude-sonnet-5-5",
      effort({ thinking: { type: "disabled" } }),
      "cannot be disabled",
    ],
    [
      "to think no more with the most effort",
      "us.anthropic.claude-opus-5",
      effort({ thinking: { type: "disabled" }, output_config: { effort: "max" } }),
      "above 'high'",
    ],
    [
      "no effort, where GPT always reasons",
      "us.openai.gpt-6-astra",
      effort({ reasoning: { effort: "none" } }),
      "effort",
    ],
    [
      "Nova's field, where it does not think",
      "amazon.nova-pro-v1:0",
      effort({ reasoningConfig: { type: "enabled", maxReasoningEffort: "low" } }),
      "reasoningConfig",
    ],
    ["OpenAI's field, where it is none", sonnet, effort({ reasoning_effort: "low" }), "reasoning_effort"],
    [
      "stop sequences",
      "us.meta.llama3-3-70b-instruct-v1:0",
      { inferenceConfig: { stopSequences: ["END"] } },
      "stopSequences",
    ],
    ["a stop sequence of white space", sonnet, { inferenceConfig: { stopSequences: ["\n"] } }, "non-whitespace"],
    ["all of the probability", "cohere.command-r-v1:0", { inferenceConfig: { topP: 1 } }, "0.99"],
    [
      "a temperature beside GPT's reasoning",
      "us.openai.gpt-6-luna",
      { inferenceConfig: { temperature: 0.5 } },
      "temperature",
    ],
    [
      "its own thoughts back",
      "us.deepseek.r1-v1:0",
      {
        messages: [
          ...question,
          { role: "assistant", content: [{ reasoningContent: { reasoningText: { text: "Hm." } } }, { text: "moss" }] },
          say("user", "And again"),
        ] as Messages,
      },
      "reasoningContent",
    ],
  ])("Refused: %s (%s)", async (_, modelId, input, words) => {
    await expect(converse({ modelId, ...input })).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(words),
    });
  });
});

describe("Bedrock's prompt cache", () => {
  const notes = Array.from({ length: 300 }, (_, index) => `The boiler of house ${index} is fine.`).join("\n");
  const point: SystemContentBlock = { cachePoint: { type: "default" } };
  const system = [{ text: notes }, point];
  const ask = async (modelId: string, input: Partial<ConverseCommandInput> = {}) =>
    (await converse({ modelId, system, ...input })).usage;

  test("is written once and then read, with the same figures in a stream, and is each model's own", async () => {
    const first = await ask("amazon.nova-lite-v1:0");
    expect(first).toMatchObject({ cacheReadInputTokens: 0 });
    const written = first?.cacheWriteInputTokens ?? 0;
    expect(written).toBeGreaterThan(1_000);
    const { usage } = await stream({ modelId: "amazon.nova-lite-v1:0", system });
    expect(usage).toMatchObject({ cacheReadInputTokens: written, cacheWriteInputTokens: 0 });
    // Bedrock counts what was cached apart from the other input.
    expect((usage as { inputTokens: number }).inputTokens).toBeLessThan(50);
    expect((usage as { totalTokens: number }).totalTokens).toBeGreaterThan(written);
    expect(await ask("amazon.nova-pro-v1:0")).toMatchObject({ cacheReadInputTokens: 0 });
  });

  test("is not read by another beginning, and not kept below the least tokens", async () => {
    await ask(sonnet);
    expect(await ask(sonnet, { system: [{ text: `Now: ${notes}` }, point] })).toMatchObject({
      cacheReadInputTokens: 0,
    });
    const short = { system: [{ text: "The boiler is fine. ".repeat(100) }, point] };
    await ask(sonnet, short);
    expect(await ask(sonnet, short)).toMatchObject({ cacheReadInputTokens: 0, cacheWriteInputTokens: 0 });
  });

  test("is found by Claude before a point, by Nova only at one", async () => {
    const turn = (marked: boolean): Messages => [
      { role: "user", content: [{ text: "First" }, ...(marked ? [{ cachePoint: { type: "default" as const } }] : [])] },
      say("assistant", "Yes."),
      { role: "user", content: [{ text: "Second" }, { cachePoint: { type: "default" } }] },
    ];
    for (const [modelId, atPointOnly] of [
      [sonnet, false],
      ["amazon.nova-micro-v1:0", true],
    ] as const) {
      const first = await converse({ modelId, system: [{ text: notes }], messages: turn(true).slice(0, 1) });
      expect(first.usage?.cacheWriteInputTokens).toBeGreaterThan(1_000);
      const unmarked = await converse({ modelId, system: [{ text: notes }], messages: turn(false) });
      if (atPointOnly) expect(unmarked.usage?.cacheReadInputTokens).toBe(0);
      else expect(unmarked.usage?.cacheReadInputTokens).toBe(first.usage?.cacheWriteInputTokens);
    }
  });

  test.each([
    "us.meta.llama3-3-70b-instruct-v1:0",
    "mistral.mistral-large-2402-v1:0",
    "us.deepseek.r1-v1:0",
    "cohere.command-r-v1:0",
    "openai.gpt-oss-120b-1:0",
    "amazon.titan-text-express-v1",
  ])("is refused where %s has none, as an access that is denied", async (modelId) => {
    const messages = [{ role: "user", content: [{ text: "Hello" }, { cachePoint: { type: "default" } }] }] as Messages;
    await expect(converse({ modelId, messages })).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining("did not allow prompt caching"),
    });
  });

  test("has four points at most", async () => {
    const points = Array.from({ length: 5 }, () => point);
    await expect(converse({ modelId: sonnet, system: [{ text: notes }, ...points] })).rejects.toThrow("cache points");
  });
});

describe("OpenAI", () => {
  const notes = Array.from({ length: 300 }, (_, index) => `The boiler of house ${index} is fine.`).join("\n");

  test("reads by itself what it was sent before, in chat completions and in responses", async () => {
    const chat = () =>
      openai.chat.completions.create({ model: "gpt-4.1", messages: [{ role: "user", content: notes }] });
    expect((await chat()).usage?.prompt_tokens_details?.cached_tokens).toBe(0);
    const { usage } = await chat();
    expect(usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThan(1_000);
    expect(usage?.prompt_tokens_details?.cached_tokens).toBeLessThanOrEqual(usage?.prompt_tokens ?? 0);
    const respond = () => openai.responses.create({ model: "gpt-6-luna", input: notes });
    const first = (await respond()).usage?.input_tokens_details as unknown as Record<string, number>;
    expect(first.cached_tokens).toBe(0);
    // The newest count what they keep, since they charge for it.
    expect(first.cache_write_tokens).toBeGreaterThan(1_000);
    expect((await respond()).usage?.input_tokens_details.cached_tokens).toBeGreaterThan(1_000);
  });

  test("summarises its reasoning on request, in the events of the real one", async () => {
    const events = [];
    for await (const event of await openai.responses.create({
      model: "gpt-5-mini",
      input: "repeat the word moss 12 times",
      reasoning: { summary: "auto" },
      stream: true,
    }))
      events.push(event);
    const types = [...new Set(events.map(({ type }) => type))];
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.reasoning_summary_part.added",
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
      "response.reasoning_summary_part.done",
      "response.output_item.done",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.completed",
    ]);
    const last = events.at(-1);
    if (last?.type !== "response.completed") throw new Error("It did not complete");
    expect(last.response.usage?.output_tokens_details.reasoning_tokens).toBeGreaterThan(10);
    expect(JSON.stringify(last.response.output[0])).toContain("The question is");
  });

  test("keeps it to itself unless asked, and refuses a summary of a model that does not reason", async () => {
    const { output } = await openai.responses.create({ model: "gpt-5-mini", input: "Hello" });
    expect(output[0]).toMatchObject({ type: "reasoning", summary: [] });
    await expect(
      openai.responses.create({ model: "gpt-4.1", input: "Hello", reasoning: { summary: "auto" } }),
    ).rejects.toMatchObject({ status: 400, param: "reasoning.summary" });
  });

  test("can keep its summaries for verified organisations", async () => {
    await fetch(`${server.url}/__scenario`, { method: "PUT", body: JSON.stringify({ fault: "unverified" }) });
    const ask = (reasoning?: { summary: "auto" }) =>
      openai.responses.create({ model: "gpt-5-mini", input: "Hello", ...(reasoning && { reasoning }) });
    await expect(ask({ summary: "auto" })).rejects.toMatchObject({ status: 400, param: "reasoning.summary" });
    expect((await ask()).status).toBe("completed");
  });

  test("has some models by responses alone", async () => {
    await expect(
      openai.chat.completions.create({ model: "gpt-5-pro", messages: [{ role: "user", content: "Hello" }] }),
    ).rejects.toMatchObject({ status: 404 });
  });
});

describe("A compatible endpoint", () => {
  test("has models of its own, and chat completions alone", async () => {
    const ids = [];
    for await (const { id } of house.models.list()) ids.push(id);
    expect(ids).toEqual(["llama3.2:3b", "deepseek-reasoner", "nomic-embed-text:latest"]);
    await expect(house.responses.create({ model: "llama3.2:3b", input: "Hello" })).rejects.toMatchObject({
      status: 404,
    });
  });

  test("streams its reasoning beside its text, and refuses to have it back", async () => {
    let [thoughts, text] = ["", ""];
    for await (const { choices } of await house.chat.completions.create({
      model: "deepseek-reasoner",
      messages: [{ role: "user", content: "repeat the word moss 12 times" }],
      stream: true,
    })) {
      const delta = choices[0]?.delta as { content?: string; reasoning_content?: string } | undefined;
      thoughts += delta?.reasoning_content ?? "";
      text += delta?.content ?? "";
    }
    expect(thoughts).toContain("The question is");
    expect(text).toBe(answer);
    const back = { role: "assistant" as const, content: "moss", reasoning_content: thoughts };
    await expect(
      house.chat.completions.create({
        model: "deepseek-reasoner",
        messages: [{ role: "user", content: "Hello" }, back, { role: "user", content: "And again" }],
      }),
    ).rejects.toMatchObject({ status: 400 });
  });

  test("streams as many thoughts as a scenario wants", async () => {
    await fetch(`${server.url}/__scenario`, {
      method: "PUT",
      body: JSON.stringify({ match: { model: "deepseek-reasoner" }, thoughts: 70, tokens: 5 }),
    });
    const { usage } = await house.chat.completions.create({
      model: "deepseek-reasoner",
      messages: [{ role: "user", content: "Hello" }],
    });
    expect(usage).toMatchObject({ completion_tokens: 75, completion_tokens_details: { reasoning_tokens: 70 } });
  });
});
