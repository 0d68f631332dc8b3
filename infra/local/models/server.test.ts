/** The server as tests and the app use it: scripted, watched, at its pace, and through the AI SDK's providers. */
import { connect } from "node:net";
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, generateText, streamText } from "ai";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { blockedText } from "./delivery.ts";
import type { RecordedRequest } from "./scenario.ts";
import { type ModelServer, startModelServer } from "./server.ts";

/** How long to wait for what must come; a busy machine takes its time. */
const soon = { timeout: 15_000 };
vi.setConfig({ testTimeout: 20_000 });

let server: ModelServer;
let bedrock: ReturnType<typeof createAmazonBedrock>;
let openai: ReturnType<typeof createOpenAI>;

beforeAll(async () => {
  server = await startModelServer({ pace: { firstTokenMs: 1, tokenMs: 0 } });
  bedrock = createAmazonBedrock({
    region: "us-east-1",
    accessKeyId: "AKIDLOCAL",
    secretAccessKey: "secret",
    baseURL: server.url,
  });
  openai = createOpenAI({ apiKey: "sk-local", baseURL: `${server.url}/v1` });
});
afterEach(async () => {
  await fetch(`${server.url}/__scenario`, { method: "DELETE" });
  await fetch(`${server.url}/__requests`, { method: "DELETE" });
});
afterAll(() => server.stop());

const put = (body: string) => fetch(`${server.url}/__scenario`, { method: "PUT", body });

async function script(scenario: object): Promise<void> {
  expect((await put(JSON.stringify(scenario))).status).toBe(200);
}

async function recorded(): Promise<RecordedRequest[]> {
  return (await (await fetch(`${server.url}/__requests`)).json()) as RecordedRequest[];
}

type Model = Parameters<typeof streamText>[0]["model"];
const question = "repeat the word moss 12 times";
const wholeAnswer = Array.from({ length: 12 }, () => "moss").join(" ");
const six = "moss moss moss moss moss moss";

/** Reads an answer as the AI SDK tells it: its text, its errors, and the finish reason at its end. */
async function read(
  model: Model,
  options: { prompt?: string; abortSignal?: AbortSignal; temperature?: number; topP?: number } = {},
): Promise<{ text: string; errors: unknown[]; finish: string | undefined; outputTokens: number | undefined }> {
  const result = streamText({ model, prompt: question, maxRetries: 0, onError: () => {}, ...options });
  const reading = {
    text: "",
    errors: [] as unknown[],
    finish: undefined as string | undefined,
    outputTokens: undefined as number | undefined,
  };
  try {
    for await (const part of result.stream) {
      if (part.type === "text-delta") reading.text += part.text;
      if (part.type === "error") reading.errors.push(part.error);
      if (part.type === "finish") {
        reading.finish = part.finishReason;
        reading.outputTokens = part.totalUsage.outputTokens;
      }
    }
  } catch (error) {
    reading.errors.push(error);
  }
  return reading;
}

const models: [string, () => Model][] = [
  ["Bedrock", () => bedrock("amazon.nova-lite-v1:0")],
  ["OpenAI chat completions", () => openai.chat("gpt-4.1-mini")],
  ["OpenAI responses", () => openai.responses("gpt-4.1-mini")],
];

describe.each(models)("%s through the AI SDK", (name, make) => {
  const isBedrock = name === "Bedrock";

  test("An answer is whole, finishes with stop and tells its tokens", async () => {
    expect(await read(make())).toEqual({ text: wholeAnswer, errors: [], finish: "stop", outputTokens: 12 });
    const { text, usage } = await generateText({ model: make(), prompt: question, maxRetries: 0 });
    expect([text, usage.outputTokens]).toEqual([wholeAnswer, 12]);
  });

  test("An answer that was too long finishes with length", async () => {
    await script({ tokens: 50 });
    const { finishReason } = await generateText({ model: make(), prompt: question, maxOutputTokens: 20 });
    expect(finishReason).toBe("length");
  });

  test("A throttle before the first token is tried again by the SDK and then answered", async () => {
    await script({ fault: "throttle", times: 1 });
    const { errors } = await read(make());
    expect(errors[0]).toMatchObject({ statusCode: 429, isRetryable: true });
    expect((await read(make())).text).toBe(wholeAnswer);
  });

  test("A throttle in mid-stream is an error part, and no good finish", async () => {
    await script({ fault: "throttle", afterTokens: 6 });
    const { text, errors, finish } = await read(make());
    expect(text).toBe(six);
    expect(errors).toHaveLength(1);
    expect(finish).toBe("error");
  });

  test("A clean cut is no finish of the vendor's", async () => {
    await script({ fault: "cut", afterTokens: 6 });
    const { text, finish } = await read(make());
    expect(text).toBe(six);
    expect(finish).toBe(isBedrock ? "other" : "interrupted");
  });

  test.each([0, 6])("A reset after %i tokens is an error", async (afterTokens) => {
    await script({ fault: "reset", afterTokens });
    const { text, errors, finish } = await read(make());
    expect(text).toBe(six.slice(0, Math.max(0, afterTokens * 5 - 1)));
    expect(errors.length).toBeGreaterThan(0);
    expect(finish).not.toBe("stop");
  });

  test("A malformed event is an error part, while the rest of the text goes on behind a hole", async () => {
    await script({ fault: "malformed", afterTokens: 6 });
    const { text, errors, finish } = await read(make());
    expect(errors.length).toBeGreaterThan(0);
    expect(text).toBe(wholeAnswer.slice(5));
    expect(finish).toBe(name === "OpenAI responses" ? "error" : "stop");
  });

  test("An empty answer has neither text nor a good finish", async () => {
    await script({ fault: "empty" });
    const { text, finish } = await read(make());
    expect(text).toBe("");
    expect(finish).not.toBe("stop");
  });

  test("A guardrail's answer finishes with content-filter", async () => {
    await script({ fault: "guardrail", afterTokens: 6 });
    expect(await read(make())).toMatchObject({ text: six + blockedText, finish: "content-filter" });
  });

  test("A missing access right is a 403", async () => {
    await script({ fault: "denied" });
    const { errors } = await read(make());
    expect(APICallError.isInstance(errors[0])).toBe(true);
    expect(errors[0]).toMatchObject({ statusCode: 403, isRetryable: false });
  });

  test.each([0, 6])(
    "A hang after %i tokens ends when the caller aborts, and the server sees it",
    async (afterTokens) => {
      await script({ fault: "hang", afterTokens });
      const abort = new AbortController();
      const reading = read(make(), { abortSignal: abort.signal });
      await expect.poll(async () => (await recorded())[0]?.tokensSent, soon).toBe(afterTokens);
      abort.abort();
      await reading;
      await expect.poll(async () => (await recorded())[0]?.ended, soon).toBe("client");
    },
  );
});

describe("What the AI SDK does not know", () => {
  test("It sends what models refuse, and the refusal comes as the vendor's", async () => {
    const { errors: bare } = await read(bedrock("anthropic.claude-haiku-4-5-20251001-v1:0"));
    expect(bare[0]).toMatchObject({ statusCode: 400, message: expect.stringContaining("inference profile") });
    const { errors: missing } = await read(openai("gpt-9"));
    expect(missing[0]).toMatchObject({ statusCode: 404 });
    const haiku = bedrock("us.anthropic.claude-haiku-4-5-20251001-v1:0");
    const { errors: both } = await read(haiku, { temperature: 0.5, topP: 0.9 });
    expect(both[0]).toMatchObject({ statusCode: 400, message: expect.stringContaining("cannot both be specified") });
  });
});

describe("Scenarios", () => {
  const anthropic = () => bedrock("us.anthropic.claude-haiku-4-5-20251001-v1:0");

  test("The newest one that fits decides, and those below it come back when it is used up", async () => {
    await script({ tokens: 3 });
    await script({ match: { provider: "openai" }, tokens: 5 });
    await script({ match: { text: "twice" }, tokens: 7, times: 2 });
    const count = async (model: Model, prompt: string) => (await read(model, { prompt })).outputTokens;
    expect(await count(openai("gpt-4.1-mini"), "twice")).toBe(7);
    expect(await count(anthropic(), "twice, please")).toBe(7);
    expect(await count(anthropic(), "twice")).toBe(3);
    expect(await count(openai("gpt-4.1-mini"), "twice")).toBe(5);
    const listed = (await (await fetch(`${server.url}/__scenario`)).json()) as { applied: number }[];
    expect(listed.map(({ applied }) => applied)).toEqual([1, 1, 2]);
  });

  test("A model is matched by the id it was called by and by that without its geography", async () => {
    for (const model of ["us.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0"]) {
      await script({ match: { model }, fault: "denied", times: 1 });
      expect((await read(anthropic())).errors[0]).toMatchObject({ statusCode: 403 });
      expect((await read(anthropic())).text).toBe(wholeAnswer);
    }
  });

  test("Only the newest text of the user is matched", async () => {
    await script({ match: { text: "boiler" }, fault: "denied" });
    const { text } = await generateText({
      model: openai("gpt-4.1-mini"),
      messages: [
        { role: "user", content: "About the boiler" },
        { role: "assistant", content: "The boiler?" },
        { role: "user", content: question },
      ],
    });
    expect(text).toBe(wholeAnswer);
  });

  test("A wrong scenario is refused with a reason, and changes nothing", async () => {
    for (const wrong of ['{"fault":"explode"}', '{"speed":1}', '{"match":{"vendor":"openai"}}', "{"]) {
      const response = await put(wrong);
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ error: expect.stringMatching(/./) });
    }
    expect(await (await fetch(`${server.url}/__scenario`)).json()).toEqual([]);
  });

  test("Deleting them brings the usual answers back", async () => {
    await script({ fault: "denied" });
    await fetch(`${server.url}/__scenario`, { method: "DELETE" });
    expect((await read(openai("gpt-4.1-mini"))).text).toBe(wholeAnswer);
  });
});

describe("Requests", () => {
  test("Whoever opens its address reads what it is and how to script it", async () => {
    const text = await (await fetch(server.url)).text();
    expect(text).toContain("Sidenote's local model server");
    expect(text).toContain("PUT /__scenario");
    expect(await recorded()).toEqual([]);
  });

  test("They are recorded in order with what was sent and when, and can be forgotten", async () => {
    const before = Date.now();
    await read(bedrock("amazon.nova-lite-v1:0"), { temperature: 0.25 });
    await read(openai.chat("gpt-4.1-mini"));
    const [first, second, ...more] = await recorded();
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      provider: "bedrock",
      path: "/model/amazon.nova-lite-v1%3A0/converse-stream",
      model: "amazon.nova-lite-v1:0",
      body: { messages: [{ role: "user", content: [{ text: question }] }], inferenceConfig: { temperature: 0.25 } },
    });
    expect(first?.startedAt).toBeGreaterThanOrEqual(before);
    expect(first?.endedAt).toBeGreaterThanOrEqual(first?.startedAt ?? 0);
    expect(second).toMatchObject({ provider: "openai", body: { model: "gpt-4.1-mini" } });
    expect(second?.body).not.toHaveProperty("temperature");
    await fetch(`${server.url}/__requests`, { method: "DELETE" });
    expect(await recorded()).toEqual([]);
  });

  test("A client that leaves in mid-stream is told apart from an end of our own, with the tokens it got", async () => {
    await script({ tokens: 10_000, tokenMs: 2 });
    const abort = new AbortController();
    const reading = read(openai("gpt-4.1-mini"), { abortSignal: abort.signal });
    await expect.poll(async () => (await recorded())[0]?.tokensSent ?? 0, soon).toBeGreaterThan(10);
    abort.abort();
    await reading;
    await expect.poll(async () => (await recorded())[0]?.ended, soon).toBe("client");
    const [request] = await recorded();
    expect(request?.tokensSent).toBeLessThan(10_000);
    expect(request?.usage).toBeUndefined();
  });

  test("A client that breaks off while it sends leaves nothing behind", async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) =>
      socket.write("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", resolve),
    );
    socket.destroy();
    await read(openai("gpt-4.1-mini"));
    expect((await recorded()).map(({ ended }) => ended)).toEqual(["completed"]);
  });

  test("A client that does not read holds its own answer up, and no memory", async () => {
    await script({ tokens: 200_000, tokenMs: 0 });
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const body = JSON.stringify({
      model: "gpt-4.1",
      stream: true,
      messages: [{ role: "user", content: question }],
      max_tokens: 32_768,
    });
    socket.pause();
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await expect.poll(async () => (await recorded())[0]?.tokensSent ?? 0, soon).toBeGreaterThan(0);
    let sent = -1;
    await expect
      .poll(async () => {
        const before = sent;
        sent = (await recorded())[0]?.tokensSent ?? 0;
        return sent === before;
      }, soon)
      .toBe(true);
    expect(sent).toBeLessThan(32_768);
    expect((await recorded())[0]?.ended).toBeUndefined();
    socket.destroy();
    await expect.poll(async () => (await recorded())[0]?.ended, soon).toBe("client");
  });
});

describe("Pace and company", () => {
  test("Three answers at once keep to their own marker word", async () => {
    await script({ tokenMs: 1 });
    const words = ["ZEBRA", "OTTER", "HERON"];
    const answers = await Promise.all(
      words.map((word, index) =>
        read(models[index]?.[1]() ?? openai("gpt-4.1"), { prompt: `write a long answer about rain, marker ${word}` }),
      ),
    );
    for (const [index, { text }] of answers.entries()) {
      for (const word of words) expect(text.includes(word)).toBe(word === words[index]);
      expect(text.split(words[index] ?? "").length).toBeGreaterThan(15);
    }
  });

  test("The pace is kept: nothing before the first token's time, and the last token not before its own", async () => {
    await script({ firstTokenMs: 120, tokenMs: 10 });
    const startedAt = performance.now();
    await read(openai("gpt-4.1-mini"));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(120 + 11 * 10 - 1);
    expect((await recorded())[0]?.tokensSent).toBe(12);
  });

  test("A server stops with answers under way, and a taken port is an error", async () => {
    const other = await startModelServer();
    const { port } = new URL(other.url);
    await expect(startModelServer({ port: Number(port) })).rejects.toMatchObject({ code: "EADDRINUSE" });
    const answer = fetch(`${other.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: "Bearer k" },
      body: JSON.stringify({
        model: "gpt-4.1",
        messages: [{ role: "user", content: "write a long answer about tea" }],
      }),
    });
    const failed = expect(answer).rejects.toBeInstanceOf(Error);
    await expect
      .poll(async () => ((await (await fetch(`${other.url}/__requests`)).json()) as unknown[]).length)
      .toBe(1);
    await other.stop();
    await failed;
  });
});
