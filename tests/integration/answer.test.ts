import { afterAll, describe, expect, test } from "vitest";
import { startModels } from "./answer-local.ts";

const local = await startModels();
const { streamAnswer } = await import("~/ai/answer.server");
const { requireModel } = await import("~/ai/catalogue.server");
const { runInvocation } = await import("~/invocation.server");
afterAll(local.stop);

type Settings = Parameters<typeof streamAnswer>[0]["settings"];
type Part = { type: "text" | "reasoning"; text: string } | { type: "waiting"; attempt: number; seconds: number };

/** As inside of an invocation, whose background work is awaited before it ends. */
async function invoke<T>(work: () => Promise<T>): Promise<T> {
  const background: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>) => void background.push(promise);
  const result = await runInvocation({ requestId: "test", deadline: Date.now() + 60_000, waitUntil }, work);
  await Promise.all(background);
  return result;
}

async function ask(
  ref: string | undefined,
  question: string,
  options: { settings?: Settings; system?: string; signal?: AbortSignal; onPart?: (part: Part) => unknown } = {},
) {
  const model = await invoke(() => requireModel(ref));
  const answer = streamAnswer({
    model,
    settings: options.settings ?? {},
    system: options.system ?? "",
    messages: [{ role: "user", text: question }],
    signal: options.signal ?? new AbortController().signal,
  });
  const parts: Part[] = [];
  for (;;) {
    const next = await answer.next();
    if (next.done) {
      const text = parts.flatMap((part) => (part.type === "text" ? part.text : [])).join("");
      return { outcome: next.value, text, parts, waits: parts.filter(({ type }) => type === "waiting") };
    }
    parts.push(next.value);
    options.onPart?.(next.value);
  }
}

/** Each vendor, and each protocol of it. */
const wires = [
  { wire: "Bedrock", ref: "bedrock:amazon.nova-lite-v1:0" },
  { wire: "OpenAI's chat completions", ref: "openai:gpt-4.1-mini" },
  { wire: "OpenAI's responses", ref: "openai:gpt-5-mini" },
  { wire: "a compatible endpoint", ref: "house:gpt-4o" },
];

describe.each(wires)("$wire", ({ ref }) => {
  test("streams an answer and reports it as complete, with its tokens", async () => {
    const marker = await local.script({ tokens: 40, tokenMs: 10 });
    const { outcome, text, parts } = await ask(ref, `Hello ${marker}`);
    expect(outcome).toMatchObject({ ending: "complete", finishReason: "stop", sent: {}, dropped: [], attempts: 1 });
    expect(outcome).not.toHaveProperty("error");
    expect(outcome.usage?.outputTokens).toBe(40);
    expect(outcome.usage?.inputTokens).toBeGreaterThan(0);
    expect(text.length).toBeGreaterThan(40);
    // 400 ms in batches of 50.
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.length).toBeLessThan(20);
    const [call] = await local.calls(marker);
    expect(call).toMatchObject({ ended: "completed", tokensSent: 40 });
  });

  test.concurrent.each(["cut", "reset", "malformed", "hang"])(
    "that ends by %s midway leaves an interrupted answer",
    async (fault) => {
      const marker = await local.script({ tokens: 40, fault, afterTokens: 12 });
      const { outcome, text, waits } = await ask(ref, `Hello ${marker}`);
      const error = { cut: "model-cut", reset: "model-cut", malformed: "model-error", hang: "model-silent" }[fault];
      expect(outcome).toMatchObject({ ending: "interrupted", error, attempts: 1 });
      expect(waits).toEqual([]);
      const whole = await ask(ref, `Hello ${await local.script({ tokens: 12 })}`);
      expect(text.trimEnd()).toBe(whole.text.trimEnd());
      expect(await local.calls(marker)).toHaveLength(1);
    },
  );

  test.concurrent.each(["cut", "reset", "malformed", "hang", "empty"])(
    "that ends by %s before the first word leaves a failed answer",
    async (fault) => {
      const marker = await local.script({ tokens: 40, fault, afterTokens: 0, firstTokenMs: 1 });
      const { outcome, text, parts } = await ask(ref, `Hello ${marker}`);
      expect(outcome).toMatchObject({ ending: "failed", attempts: 1 });
      expect(outcome.error).toBe(
        {
          cut: "model-empty",
          reset: "model-cut",
          malformed: "model-error",
          hang: "model-silent",
          empty: "model-empty",
        }[fault],
      );
      expect(text).toBe("");
      expect(parts).toEqual([]);
      expect(await local.calls(marker)).toHaveLength(1);
    },
  );

  test("goes on where this process stood still for longer than a model may be silent", async () => {
    const marker = await local.script({ tokens: 60, tokenMs: 10 });
    let stoodStill = false;
    const { outcome } = await ask(ref, `Hello ${marker}`, {
      onPart() {
        if (stoodStill) return;
        stoodStill = true;
        const until = performance.now() + 1_200;
        while (performance.now() < until);
      },
    });
    expect(stoodStill).toBe(true);
    expect(outcome).toMatchObject({ ending: "complete", usage: { outputTokens: 60 } });
  });

  test("that is throttled midway leaves an interrupted answer and is not asked again", async () => {
    const marker = await local.script({ tokens: 40, fault: "throttle", afterTokens: 12 });
    const { outcome, text } = await ask(ref, `Hello ${marker}`);
    expect(outcome).toMatchObject({ ending: "interrupted", error: "model-busy", attempts: 1 });
    expect(text).not.toBe("");
    expect(await local.calls(marker)).toHaveLength(1);
  });

  test("that is throttled at first is asked again in sight of the person, and answers", async () => {
    const marker = await local.script({ tokens: 5, fault: "throttle", afterTokens: 0, times: 1 });
    const { outcome, text, parts } = await ask(ref, `Hello ${marker}`);
    expect(parts[0]).toMatchObject({ type: "waiting", attempt: 1 });
    expect(parts[0]).toHaveProperty("seconds", expect.closeTo(1.15, 0));
    expect(outcome).toMatchObject({ ending: "complete", attempts: 2 });
    expect(text).not.toBe("");
  });

  test("that is denied leaves a failed answer, is not asked again, and is marked", async () => {
    const marker = await local.script({ fault: "denied" });
    const { outcome } = await ask(ref, `Hello ${marker}`);
    expect(outcome).toMatchObject({ ending: "failed", error: "model-denied", attempts: 1, fault: { status: 403 } });
    expect(await invoke(() => requireModel(ref))).toHaveProperty("unavailable", expect.stringContaining("Not enabled"));
    await ask(ref, "Hello again");
    expect(await invoke(() => requireModel(ref))).not.toHaveProperty("unavailable");
  });

  test("stops at once when the run is stopped, and keeps what was said", async () => {
    const marker = await local.script({ tokens: 5_000, tokenMs: 5 });
    const stop = new AbortController();
    const startedAt = performance.now();
    const { outcome, text } = await ask(ref, `Hello ${marker}`, {
      signal: stop.signal,
      onPart: () => stop.abort(),
    });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(outcome).toMatchObject({ ending: "interrupted" });
    expect(outcome).not.toHaveProperty("error");
    expect(text).not.toBe("");
    await expect.poll(async () => (await local.calls(marker))[0]?.ended).toBe("client");
  });

  test("stops before its first word too, and while it waits to ask again", async () => {
    const stopped = { ending: "interrupted", sent: {}, dropped: [], attempts: 1 };
    const slow = await local.script({ firstTokenMs: 800, tokens: 5 });
    const early = new AbortController();
    const asked = ask(ref, `Hello ${slow}`, { signal: early.signal });
    await expect.poll(() => local.calls(slow), { interval: 10 }).toHaveLength(1);
    early.abort();
    expect((await asked).outcome).toEqual(stopped);

    const throttled = await local.script({ fault: "throttle" });
    const waiting = new AbortController();
    const { outcome } = await ask(ref, `Hello ${throttled}`, {
      signal: waiting.signal,
      onPart: ({ type }) => type === "waiting" && waiting.abort(),
    });
    expect(outcome).toEqual(stopped);
    expect(await local.calls(throttled)).toHaveLength(1);
    await expect.poll(async () => (await local.calls(slow))[0]?.ended).toBe("client");
  });

  test("whose reader goes away is ended too", async () => {
    const marker = await local.script({ tokens: 5_000, tokenMs: 5 });
    const model = await invoke(() => requireModel(ref));
    const answer = streamAnswer({
      model,
      settings: {},
      system: "",
      messages: [{ role: "user", text: marker }],
      signal: new AbortController().signal,
    });
    for await (const part of answer) {
      expect(part.type).toBe("text");
      break;
    }
    await expect.poll(async () => (await local.calls(marker))[0]?.ended).toBe("client");
  });

  test("is asked nothing when the run is over before it began", async () => {
    const marker = await local.script({ tokens: 5 });
    const { outcome } = await ask(ref, marker, { signal: AbortSignal.abort() });
    expect(outcome.ending).toBe("interrupted");
    expect(await local.calls(marker)).toEqual([]);
  });

  test("is complete when the longest response is reached, and says so", async () => {
    const marker = await local.script({ tokens: 60 });
    const { outcome } = await ask(ref, marker, { settings: { maxTokens: 20 } });
    expect(outcome).toMatchObject({ ending: "complete", finishReason: "length", sent: { maxTokens: 20 } });
  });

  test("whose own filter steps in says that it refused, and keeps what was said before", async () => {
    const marker = await local.script({ tokens: 40, fault: "guardrail", afterTokens: 12 });
    const { outcome, text } = await ask(ref, marker);
    expect(outcome).toMatchObject({ ending: "interrupted", error: "model-refused", finishReason: "content-filter" });
    expect(text).not.toBe("");
  });
});

test.concurrent.each(wires)("$wire that stays busy is asked four times, then the person may retry", async ({ ref }) => {
  const marker = await local.script({ fault: "throttle" });
  const { outcome, waits } = await ask(ref, marker);
  expect(outcome).toMatchObject({ ending: "failed", error: "model-busy", attempts: 4, fault: { status: 429 } });
  expect(waits).toMatchObject([{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }]);
  expect(await local.calls(marker)).toHaveLength(4);
});

describe("what is sent", () => {
  const messages = (text: string) => [{ role: "user", content: [{ text }] }];

  test("to Bedrock is the prompt alone when nobody set anything", async () => {
    const marker = await local.script({ tokens: 3 });
    await ask("bedrock:amazon.nova-lite-v1:0", marker, { system: "Be brief." });
    const [call] = await local.calls(marker);
    expect(call?.path).toBe("/model/amazon.nova-lite-v1%3A0/converse-stream");
    expect(call?.body).toEqual({ system: [{ text: "Be brief." }], messages: messages(marker) });
  });

  test("to chat completions is the prompt alone when nobody set anything", async () => {
    const marker = await local.script({ tokens: 3 });
    await ask("openai:gpt-4.1-mini", marker);
    const [call] = await local.calls(marker);
    expect(call?.path).toBe("/v1/chat/completions");
    expect(call?.body).toEqual({
      model: "gpt-4.1-mini",
      messages: [{ role: "user", content: marker }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("to responses is the prompt, and that OpenAI shall not keep it", async () => {
    const marker = await local.script({ tokens: 3 });
    await ask("openai:gpt-5-mini", marker, { system: "Be brief." });
    const [call] = await local.calls(marker);
    expect(call?.path).toBe("/v1/responses");
    expect(call?.body).toEqual({
      model: "gpt-5-mini",
      input: [
        { role: "developer", content: "Be brief." },
        { role: "user", content: [{ type: "input_text", text: marker }] },
      ],
      store: false,
      reasoning: { summary: "auto" },
      include: ["reasoning.encrypted_content"],
      stream: true,
    });
  });

  const everything: Settings = {
    temperature: 0.4,
    topP: 0.9,
    maxTokens: 50,
    stopSequences: ["END"],
    reasoningEffort: "low",
  };
  const cases = [
    {
      ref: "bedrock:amazon.nova-lite-v1:0",
      body: { inferenceConfig: { temperature: 0.4, topP: 0.9, maxTokens: 50, stopSequences: ["END"] } },
      dropped: ["reasoningEffort"],
    },
    {
      ref: "bedrock:us.anthropic.claude-opus-4-7",
      settings: { ...everything, reasoningEffort: undefined },
      body: { inferenceConfig: { maxTokens: 50, stopSequences: ["END"] } },
      dropped: ["temperature", "topP"],
    },
    {
      ref: "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      settings: { ...everything, reasoningEffort: undefined },
      body: { inferenceConfig: { temperature: 0.4, maxTokens: 50, stopSequences: ["END"] } },
      dropped: ["topP"],
    },
    {
      ref: "openai:gpt-4.1-mini",
      body: { temperature: 0.4, top_p: 0.9, max_tokens: 50, stop: ["END"] },
      dropped: ["reasoningEffort"],
    },
    {
      ref: "openai:gpt-5-mini",
      body: { max_output_tokens: 50, reasoning: { effort: "low", summary: "auto" } },
      dropped: ["temperature", "topP", "stopSequences"],
    },
    {
      ref: "house:gpt-4o",
      settings: { ...everything, reasoningEffort: undefined },
      body: { temperature: 0.4, top_p: 0.9, max_tokens: 50, stop: ["END"] },
      dropped: [],
    },
  ];

  test.each(cases)("to $ref is of all settings what it takes", async ({ ref, settings, body, dropped }) => {
    const marker = await local.script({ tokens: 3 });
    const { outcome } = await ask(ref, marker, { settings: settings ?? everything });
    expect(outcome.ending).toBe("complete");
    expect(outcome.dropped.map(({ setting }) => setting).sort()).toEqual([...dropped].sort());
    const [call] = await local.calls(marker);
    const prompt = `model messages system input stream stream_options store include additionalModelResponseFieldPaths`;
    const settingsSent = Object.entries(call?.body ?? {}).filter(([name]) => !prompt.split(" ").includes(name));
    expect(Object.fromEntries(settingsSent)).toEqual(body);
  });

  test("is moved into the model's range, and reported as it was sent", async () => {
    const marker = await local.script({ tokens: 3 });
    const settings = { temperature: 1.7, maxTokens: 900_000 };
    const { outcome } = await ask("bedrock:amazon.nova-lite-v1:0", marker, { settings });
    expect(outcome).toMatchObject({ ending: "complete", sent: { temperature: 1, maxTokens: 10_000 } });
  });
});

describe("a model that refuses the request", () => {
  test("because its window is too small is named as that", async () => {
    const { outcome } = await ask("bedrock:mistral.mistral-large-2402-v1:0", "many words ".repeat(40_000));
    expect(outcome).toMatchObject({ ending: "failed", error: "context-too-long", attempts: 1 });
    const chat = await ask("openai:gpt-4", "many words ".repeat(10_000));
    expect(chat.outcome).toMatchObject({ ending: "failed", error: "context-too-long", fault: { status: 400 } });
  });

  test("because it does not know the id is named as missing", async () => {
    const model = await invoke(() => requireModel("bedrock:amazon.nova-lite-v1:0"));
    for (const gone of [
      { ...model, id: "amazon.nova-gone-v1:0" },
      { ...model, id: "anthropic.claude-3-haiku-20240307-v1:0" },
      { ...model, id: "anthropic.claude-haiku-4-5-20251001-v1:0" },
      { ...model, vendor: "openai", id: "gpt-gone" },
    ]) {
      const answer = streamAnswer({
        model: gone,
        settings: {},
        system: "",
        messages: [{ role: "user", text: "Hello" }],
        signal: new AbortController().signal,
      });
      expect(await answer.next()).toMatchObject({ done: true, value: { ending: "failed", error: "model-missing" } });
    }
  });

  test("for any other reason is said to have refused it, without its words", async () => {
    const model = await invoke(() => requireModel("bedrock:amazon.nova-lite-v1:0"));
    const answer = streamAnswer({
      model,
      settings: {},
      system: "",
      messages: [
        { role: "assistant", text: "I was first" },
        { role: "user", text: "Hello" },
      ],
      signal: new AbortController().signal,
    });
    expect(await answer.next()).toEqual({
      done: true,
      value: {
        ending: "failed",
        error: "model-refused",
        fault: { status: 400, name: "ValidationException" },
        sent: {},
        dropped: [],
        attempts: 1,
      },
    });
  });
});

test("a vendor that cannot be reached is tried three times within seconds", async () => {
  const { outcome, waits } = await ask("dead:any", "Hello");
  expect(outcome).toMatchObject({ ending: "failed", error: "model-unreachable", attempts: 3 });
  expect(outcome.fault).toEqual({ name: "ECONNREFUSED" });
  expect(waits).toHaveLength(2);
});
