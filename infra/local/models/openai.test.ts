/** OpenAI as its own client sees it here. */
import OpenAI, { APIError } from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { blockedText } from "./delivery.ts";
import type { RecordedRequest } from "./scenario.ts";
import { type ModelServer, startModelServer } from "./server.ts";

const mini = "gpt-4.1-mini";
const thinking = "gpt-5-mini";

/** How long to wait for what must come; a busy machine takes its time. */
const soon = { timeout: 15_000 };
vi.setConfig({ testTimeout: 20_000 });

let server: ModelServer;
let client: OpenAI;

beforeAll(async () => {
  server = await startModelServer({ pace: { firstTokenMs: 1, tokenMs: 0 } });
  client = new OpenAI({ apiKey: "sk-local-secret", baseURL: `${server.url}/v1`, maxRetries: 0, logLevel: "off" });
});
afterEach(async () => {
  await fetch(`${server.url}/__scenario`, { method: "DELETE" });
  await fetch(`${server.url}/__requests`, { method: "DELETE" });
});
afterAll(() => server.stop());

async function script(scenario: object): Promise<void> {
  const response = await fetch(`${server.url}/__scenario`, { method: "PUT", body: JSON.stringify(scenario) });
  expect(response.status).toBe(200);
}

async function recorded(): Promise<RecordedRequest[]> {
  return (await (await fetch(`${server.url}/__requests`)).json()) as RecordedRequest[];
}

type ChatBody = OpenAI.ChatCompletionCreateParamsNonStreaming;
type ResponseBody = OpenAI.Responses.ResponseCreateParamsNonStreaming;
const question = "repeat the word moss 12 times";
const messages: ChatBody["messages"] = [{ role: "user", content: question }];
const wholeAnswer = Array.from({ length: 12 }, () => "moss").join(" ");
const six = "moss moss moss moss moss moss";

interface Reading {
  text: string;
  events: string[];
  error: unknown;
}

/** Reads a chat completion's stream to its end or its error; `events` are its finish reasons and usage figures. */
async function readChat(body: Partial<ChatBody> = {}, signal?: AbortSignal): Promise<Reading> {
  const reading: Reading = { text: "", events: [], error: undefined };
  try {
    const stream = await client.chat.completions.create(
      { model: mini, messages, stream_options: { include_usage: true }, ...body, stream: true },
      { signal },
    );
    for await (const { choices, usage } of stream) {
      reading.text += choices[0]?.delta.content ?? "";
      if (choices[0]?.finish_reason) reading.events.push(choices[0].finish_reason);
      if (usage) reading.events.push(`${usage.prompt_tokens}+${usage.completion_tokens}=${usage.total_tokens}`);
    }
  } catch (error) {
    reading.error = error;
  }
  return reading;
}

/** The same of a response's stream; `events` are the types of its events, deltas left out. */
async function readResponse(body: Partial<ResponseBody> = {}, signal?: AbortSignal): Promise<Reading> {
  const reading: Reading = { text: "", events: [], error: undefined };
  try {
    const stream = await client.responses.create({ model: mini, input: question, ...body, stream: true }, { signal });
    let sequence = 0;
    for await (const event of stream) {
      expect(event.sequence_number).toBe(sequence++);
      if (event.type === "response.output_text.delta") reading.text += event.delta;
      else reading.events.push(event.type);
    }
  } catch (error) {
    reading.error = error;
  }
  return reading;
}

describe("Answers", () => {
  test("A chat completion streams its text, its finish reason and its usage", async () => {
    expect(await readChat()).toEqual({ text: wholeAnswer, events: ["stop", "6+12=18"], error: undefined });
    expect(await recorded()).toMatchObject([
      {
        provider: "openai",
        operation: "answer",
        path: "/v1/chat/completions",
        model: mini,
        status: 200,
        ended: "completed",
        tokensSent: 12,
        usage: { inputTokens: 6, outputTokens: 12, totalTokens: 18 },
        headers: { authorization: "Bearer" },
      },
    ]);
  });

  test("Usage is streamed only to whom asks for it", async () => {
    expect((await readChat({ stream_options: null })).events).toEqual(["stop"]);
  });

  test("A chat completion in one piece has the same text and figures", async () => {
    const answer = await client.chat.completions.create({ model: mini, messages });
    expect(answer).toMatchObject({
      object: "chat.completion",
      model: mini,
      choices: [{ message: { role: "assistant", content: wholeAnswer }, finish_reason: "stop" }],
      usage: { prompt_tokens: 6, completion_tokens: 12, total_tokens: 18 },
    });
  });

  test("A response streams typed events in the order of the real ones", async () => {
    const { text, events } = await readResponse();
    expect(text).toBe(wholeAnswer);
    expect(events).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
  });

  test("A model that thinks has an item for its thoughts before the message", async () => {
    const answer = await client.responses.create({ model: thinking, input: question, reasoning: { effort: "low" } });
    expect(answer.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    expect(answer.output_text).toBe(wholeAnswer);
    expect((await readResponse({ model: thinking })).events.filter((type) => type.includes("output_item"))).toEqual([
      "response.output_item.added",
      "response.output_item.done",
      "response.output_item.added",
      "response.output_item.done",
    ]);
  });

  test("A response in one piece has the same text and figures", async () => {
    const answer = await client.responses.create({ model: mini, instructions: "Be brief.", input: question });
    expect(answer).toMatchObject({ object: "response", status: "completed", output_text: wholeAnswer });
    expect(answer.usage).toMatchObject({ input_tokens: 8, output_tokens: 12, total_tokens: 20 });
  });

  test("Instructions, developer messages and parts are all read", async () => {
    const system =
      '<notes-abcdefgh>\n<note-abcdefgh number="4" title="Tea">\nTea steeps for three minutes.\n</note-abcdefgh>\n</notes-abcdefgh>';
    const asked = "How long does tea steep?";
    const cited = "Tea steeps for three minutes [4].";
    const chat = await readChat({
      messages: [
        { role: "developer", content: [{ type: "text", text: system }] },
        { role: "user", content: [{ type: "text", text: asked }] },
      ],
    });
    expect(chat.text).toBe(cited);
    const response = await readResponse({
      instructions: system,
      input: [
        { role: "user", content: "Hello" },
        { role: "assistant", content: "Hello." },
        { role: "user", content: [{ type: "input_text", text: asked }] },
      ],
    });
    expect(response.text).toBe(cited);
  });

  test("The longest response and stop sequences are kept to", async () => {
    expect(await readChat({ max_completion_tokens: 5 })).toMatchObject({
      text: "moss moss moss moss moss",
      events: ["length", "6+5=11"],
    });
    expect(await readChat({ max_tokens: 5 })).toMatchObject({ events: ["length", "6+5=11"] });
    expect(
      await readChat({ messages: [{ role: "user", content: "write a long answer about tea" }], stop: "##" }),
    ).toMatchObject({
      text: expect.not.stringContaining("##"),
      events: [expect.stringContaining("stop"), expect.anything()],
    });
    await script({ tokens: 40 });
    const incomplete = await client.responses.create({ model: mini, input: question, max_output_tokens: 16 });
    expect(incomplete).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      usage: { output_tokens: 16 },
    });
    expect((await readResponse({ max_output_tokens: 16 })).events.at(-1)).toBe("response.incomplete");
  });

  test("A conversation need not begin with the user, nor alternate", async () => {
    const { error } = await readChat({
      messages: [
        { role: "assistant", content: "Hello" },
        { role: "user", content: "One" },
        { role: "user", content: question },
      ],
    });
    expect(error).toBeUndefined();
  });
});

describe("Refusals of chat completions", () => {
  const refused: [string, number, object, Record<string, unknown>][] = [
    ["an unknown model", 404, { code: "model_not_found" }, { model: "gpt-9" }],
    ["an embedding model", 404, { param: "model" }, { model: "text-embedding-3-small" }],
    ["no messages", 400, { param: "messages", code: "empty_array" }, { messages: [] }],
    ["an unknown parameter", 400, { param: "topP", code: "unknown_parameter" }, { topP: 0.5 }],
    [
      "a temperature above two",
      400,
      {
        param: "temperature",
        code: "decimal_above_max_value",
        message: "400 Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
      },
      { temperature: 2.5 },
    ],
    ["a temperature below zero", 400, { param: "temperature", code: "decimal_below_min_value" }, { temperature: -1 }],
    ["top_p above one", 400, { param: "top_p", code: "decimal_above_max_value" }, { top_p: 1.5 }],
    ["a temperature that is no number", 400, { param: "temperature", code: "invalid_value" }, { temperature: "warm" }],
    ["a role that is none", 400, { param: "messages[0].role" }, { messages: [{ role: "bot", content: "Hi" }] }],
    ["no tokens at all", 400, { param: "max_tokens", code: "integer_below_min_value" }, { max_tokens: 0 }],
    [
      "more tokens than the model writes",
      400,
      { param: "max_completion_tokens", message: expect.stringContaining("supports at most 32768 completion tokens") },
      { max_completion_tokens: 32_769 },
    ],
    ["five stop sequences", 400, { param: "stop" }, { stop: ["a", "b", "c", "d", "e"] }],
    [
      "a temperature that a thinking model does not take",
      400,
      {
        param: "temperature",
        code: "unsupported_value",
        message: expect.stringContaining(
          "does not support 0.5 with this model. Only the default (1) value is supported.",
        ),
      },
      { model: thinking, temperature: 0.5 },
    ],
    [
      "max_tokens for a thinking model",
      400,
      {
        param: "max_tokens",
        code: "unsupported_parameter",
        message: expect.stringContaining("'max_completion_tokens'"),
      },
      { model: thinking, max_tokens: 100 },
    ],
    [
      "stop for a thinking model",
      400,
      { param: "stop", code: "unsupported_parameter" },
      { model: thinking, stop: "." },
    ],
    [
      "an effort for a model that does not think",
      400,
      { param: "reasoning_effort", code: "unsupported_parameter" },
      { reasoning_effort: "low" },
    ],
    [
      "an effort that the model does not know",
      400,
      { param: "reasoning_effort", code: "unsupported_value" },
      { model: thinking, reasoning_effort: "none" },
    ],
    [
      "more than the window holds",
      400,
      { param: "messages", code: "context_length_exceeded" },
      { model: "gpt-4", messages: [{ role: "user", content: "tea ".repeat(8_193) }] },
    ],
  ];

  test.each(refused)("%s is refused", async (_, status, expected, body) => {
    const { error, text } = await readChat(body);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status, type: "invalid_request_error", ...expected });
    expect(text).toBe("");
    await expect(client.chat.completions.create({ model: mini, messages, ...body })).rejects.toMatchObject({
      status,
      ...expected,
    });
  });

  test("What is just within the limits is answered", async () => {
    const body = { temperature: 2, top_p: 1, max_completion_tokens: 32_768, stop: ["a1", "b1", "c1", "d1"] };
    expect((await readChat(body)).error).toBeUndefined();
    expect((await readChat({ model: thinking, temperature: 1 })).error).toBeUndefined();
  });

  test("A model whose thinking can be off takes a temperature while it is off, and only then", async () => {
    expect((await readChat({ model: "gpt-5.1", temperature: 0.3 })).error).toBeUndefined();
    const { error } = await readChat({ model: "gpt-5.1", temperature: 0.3, reasoning_effort: "low" });
    expect(error).toMatchObject({ status: 400, code: "unsupported_value" });
  });
});

describe("Refusals of responses", () => {
  const refused: [string, number, object, Partial<ResponseBody> & Record<string, unknown>][] = [
    ["an unknown model", 404, { code: "model_not_found" }, { model: "gpt-9" }],
    ["a speech model", 404, { param: "model" }, { model: "tts-1" }],
    ["an unknown parameter", 400, { param: "stop", code: "unknown_parameter" }, { stop: "." }],
    ["no input", 400, { param: "input", code: "missing_required_parameter" }, { input: undefined }],
    [
      "a temperature for a thinking model",
      400,
      { param: "temperature", code: "unsupported_parameter" },
      { model: thinking, temperature: 1 },
    ],
    ["a temperature above two", 400, { param: "temperature" }, { temperature: 2.1 }],
    ["top_p below zero", 400, { param: "top_p" }, { top_p: -0.1 }],
    [
      "fewer than sixteen tokens",
      400,
      { param: "max_output_tokens", code: "integer_below_min_value" },
      { max_output_tokens: 15 },
    ],
    [
      "an effort for a model that does not think",
      400,
      { param: "reasoning.effort", code: "unsupported_parameter" },
      { reasoning: { effort: "low" } },
    ],
    [
      "the assistant's text as input text",
      400,
      { param: "input[1].content[0]", code: "invalid_value" },
      {
        input: [
          { role: "user", content: "One" },
          { role: "assistant", content: [{ type: "input_text", text: "Two" }] },
          { role: "user", content: "Three" },
        ] as ResponseBody["input"],
      },
    ],
    [
      "more than the window holds",
      400,
      { param: "input", code: "context_length_exceeded" },
      { model: "gpt-4", input: "tea ".repeat(8_193) },
    ],
  ];

  test.each(refused)("%s is refused", async (_, status, expected, body) => {
    const { error, text } = await readResponse(body);
    expect(error).toMatchObject({ status, type: "invalid_request_error", ...expected });
    expect(text).toBe("");
    await expect(client.responses.create({ model: mini, input: question, ...body })).rejects.toMatchObject({
      status,
      ...expected,
    });
  });
});

describe("Keys", () => {
  const post = (headers: Record<string, string>, body = JSON.stringify({ model: mini, messages })) =>
    fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });

  test.each([
    ["no key", {}, null],
    ["an empty key", { authorization: "Bearer " }, "invalid_api_key"],
    ["another scheme", { authorization: "Basic YTpi" }, "invalid_api_key"],
  ])("A call with %s is refused", async (_, headers, code) => {
    const response = await post(headers as Record<string, string>);
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({
      error: { message: expect.any(String), type: "invalid_request_error", param: null, code },
    });
    expect((await fetch(`${server.url}/v1/models`, { headers: headers as Record<string, string> })).status).toBe(401);
  });

  test("The key is never recorded", async () => {
    await readChat();
    expect(JSON.stringify(await recorded())).not.toContain("sk-local-secret");
  });

  test("A body that is no JSON, and a path that is none, are refused in OpenAI's shape", async () => {
    const broken = await post({ authorization: "Bearer k" }, "{");
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    const lost = await fetch(`${server.url}/v1/nothing`, { headers: { authorization: "Bearer k" } });
    expect(lost.status).toBe(404);
    expect(await lost.json()).toMatchObject({ error: { message: "Invalid URL (GET /v1/nothing)" } });
  });
});

describe("Faults, as OpenAI's client sees them", () => {
  const apis: [string, (signal?: AbortSignal) => Promise<Reading>, string][] = [
    ["chat completions", (signal) => readChat({}, signal), "stop"],
    ["responses", (signal) => readResponse({}, signal), "response.completed"],
  ];

  describe.each(apis)("%s", (_, read, end) => {
    test("A throttle before the first token is a 429 that says when to come back", async () => {
      await script({ fault: "throttle", times: 2 });
      for (let time = 0; time < 2; time += 1) {
        const { error } = await read();
        expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded", type: "tokens" });
        expect((error as APIError).headers?.get("retry-after")).toBe("1");
      }
      expect((await read()).text).toBe(wholeAnswer);
    });

    test("A throttle in mid-stream is an error event", async () => {
      await script({ fault: "throttle", afterTokens: 6 });
      const { text, error, events } = await read();
      expect(text).toBe(six);
      expect(error).toMatchObject({ code: "rate_limit_exceeded" });
      expect(events).not.toContain(end);
      expect(await recorded()).toMatchObject([{ ended: "fault", tokensSent: 6 }]);
    });

    test("A missing access right is a 403", async () => {
      await script({ fault: "denied" });
      expect((await read()).error).toMatchObject({ status: 403, code: "model_not_found" });
    });

    test("A cut ends the stream without its end marker, and without an error", async () => {
      await script({ fault: "cut", afterTokens: 6 });
      const { text, error, events } = await read();
      expect([text, error]).toEqual([six, undefined]);
      expect(events).not.toContain(end);
    });

    test.each([0, 6])("A reset after %i tokens breaks the connection", async (afterTokens) => {
      await script({ fault: "reset", afterTokens });
      const { text, error } = await read();
      expect(text).toBe(six.slice(0, Math.max(0, afterTokens * 5 - 1)));
      expect(error).toBeInstanceOf(Error);
      expect(await recorded()).toMatchObject([{ ended: "fault" }]);
    });

    test("A malformed event breaks the client's stream", async () => {
      await script({ fault: "malformed", afterTokens: 6 });
      const { text, error } = await read();
      expect(text).toBe(six);
      expect(error).toBeInstanceOf(SyntaxError);
    });

    test("An empty answer is a 200 without a single event", async () => {
      await script({ fault: "empty" });
      expect(await read()).toEqual({ text: "", events: [], error: undefined });
    });

    test.each([0, 6])(
      "A hang after %i tokens lasts until the client gives up, and that is recorded",
      async (tokens) => {
        await script({ fault: "hang", afterTokens: tokens });
        const abort = new AbortController();
        const reading = read(abort.signal);
        await expect.poll(async () => (await recorded())[0]?.tokensSent, soon).toBe(tokens);
        expect((await recorded())[0]?.ended).toBeUndefined();
        const before = Date.now();
        abort.abort();
        await reading;
        await expect.poll(async () => (await recorded())[0]?.ended, soon).toBe("client");
        expect((await recorded())[0]?.endedAt).toBeGreaterThanOrEqual(before);
      },
    );
  });

  test("A content filter stops the answer with its own reason", async () => {
    await script({ fault: "guardrail", afterTokens: 6 });
    expect(await readChat()).toMatchObject({ text: six + blockedText, events: ["content_filter", "6+6=12"] });
    expect((await readResponse()).events.at(-1)).toBe("response.incomplete");
  });

  test.each(["cut", "reset", "malformed"])("An answer in one piece breaks: %s", async (fault) => {
    await script({ fault });
    await expect(client.chat.completions.create({ model: mini, messages })).rejects.toBeInstanceOf(Error);
    await expect(client.responses.create({ model: mini, input: question })).rejects.toBeInstanceOf(Error);
  });
});

describe("Models", () => {
  test("The list holds what a chat app must leave out", async () => {
    const models: OpenAI.Model[] = [];
    for await (const model of client.models.list()) models.push(model);
    const ids = models.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([mini, thinking, "text-embedding-3-small", "whisper-1", "dall-e-3"]));
    expect(models[0]).toEqual({
      id: expect.any(String),
      object: "model",
      created: expect.any(Number),
      owned_by: expect.any(String),
    });
  });

  test("One model can be asked for; an unknown one is not found", async () => {
    expect((await client.models.retrieve(mini)).id).toBe(mini);
    await expect(client.models.retrieve("gpt-9")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });

  test.each(["denied", "throttle", "malformed", "reset"])("The list can fail: %s", async (fault) => {
    await script({ match: { provider: "openai", operation: "list" }, fault });
    await expect(client.models.list()).rejects.toBeInstanceOf(Error);
    expect((await readChat()).text).toBe(wholeAnswer);
  });
});
