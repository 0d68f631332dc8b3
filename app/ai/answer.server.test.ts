import { APICallError } from "ai";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { traitsOf } from "./families";

/** What the vendor does, one entry for each time it is asked. */
let script: ((signal: AbortSignal) => Promise<ReadableStream<unknown>>)[] = [];
let asked = 0;

vi.mock("~/config.server", () => ({ config: { model: { firstMs: 60_000, silentMs: 30_000 } } }));
vi.mock("./catalogue.server", () => ({ markModel: () => {} }));
let prompts: unknown[] = [];
let extras: unknown[] = [];

vi.mock("./providers.server", () => ({
  callOptions: (_model: unknown, _sent: unknown, given: unknown) => {
    extras.push(given);
    return {};
  },
  languageModel: () => ({
    async doStream({ abortSignal, prompt }: { abortSignal: AbortSignal; prompt: unknown }) {
      asked += 1;
      prompts.push(prompt);
      const next = script.shift();
      if (!next) throw new Error("Asked more often than scripted");
      return { stream: await next(abortSignal) };
    },
  }),
}));

const { streamAnswer } = await import("./answer.server");

beforeEach(() => {
  vi.useFakeTimers();
  script = [];
  asked = 0;
  prompts = [];
  extras = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const text = (delta: string) => ({ type: "text-delta", id: "0", delta });
const reasoning = (delta: string) => ({ type: "reasoning-delta", id: "1", delta });
const usage = {
  inputTokens: { total: 30, noCache: 10, cacheRead: 15, cacheWrite: 5 },
  outputTokens: { total: 9, text: 5, reasoning: 4 },
};
const finish = (unified: string, raw: string | undefined = unified) => ({
  type: "finish",
  finishReason: { unified, raw },
  usage,
});
const wait = (ms: number) => ({ wait: ms });

/** A stream of parts, with waits between them; an abort breaks it, as it breaks a connection. */
function stream(...parts: (Record<string, unknown> | { wait: number })[]) {
  return async (signal: AbortSignal) =>
    new ReadableStream({
      async start(controller) {
        signal.addEventListener("abort", () => controller.error(signal.reason));
        for (const part of parts) {
          if (signal.aborted) return;
          if ("wait" in part) await new Promise((resolve) => setTimeout(resolve, part.wait as number));
          else controller.enqueue(part);
        }
        if (!signal.aborted) controller.close();
      },
    });
}

function refused(statusCode: number, responseHeaders: Record<string, string> = {}, message = "no") {
  return async () => {
    throw new APICallError({ message, url: "https://x", requestBodyValues: {}, statusCode, responseHeaders });
  };
}

interface Timed {
  at: number;
  part: { type: string; text?: string; attempt?: number; seconds?: number };
}

async function ask(
  id = "amazon.nova-lite-v1:0",
  signal = new AbortController().signal,
  more: { system?: string; messages?: { role: "user" | "assistant"; text: string }[]; cacheKey?: string } = {},
) {
  const vendor = id.startsWith("gpt") ? "openai" : "bedrock";
  const model = { ref: `${vendor}:${id}`, vendor, id, name: id, ...traitsOf(vendor, id) };
  const startedAt = performance.now();
  const parts: Timed[] = [];
  let after = 0;
  const running = (async () => {
    const answer = streamAnswer({
      model,
      settings: {},
      system: "",
      messages: [{ role: "user", text: "Hello" }],
      ...more,
      signal,
    });
    for (;;) {
      const next = await answer.next();
      if (next.done) {
        after = Math.round(performance.now() - startedAt);
        return next.value;
      }
      parts.push({ at: Math.round(performance.now() - startedAt), part: next.value });
    }
  })();
  await vi.runAllTimersAsync();
  const outcome = await running;
  return {
    outcome,
    parts,
    after,
    text: parts.map(({ part }) => part.text ?? "").join(""),
  };
}

describe("the text of an answer", () => {
  test("leaves at once at first, then in batches of 50 milliseconds, and whole at the end", async () => {
    const tokens = Array.from({ length: 20 }, (_, index) => [text(`${index} `), wait(10)]).flat();
    script = [stream({ type: "text-start", id: "0" }, ...tokens, { type: "text-end", id: "0" }, finish("stop"))];
    const { outcome, parts, text: whole } = await ask();
    expect(outcome.ending).toBe("complete");
    expect(whole).toBe(Array.from({ length: 20 }, (_, index) => `${index} `).join(""));
    expect(parts.map(({ at }) => at)).toEqual([0, 50, 100, 150, 200]);
    expect(parts[0]?.part.text).toBe("0 ");
  });

  test("of a slow model leaves as it comes", async () => {
    script = [stream(text("a"), wait(300), text("b"), wait(70), text("c"), finish("stop"))];
    expect((await ask()).parts.map(({ at }) => at)).toEqual([0, 300, 370]);
  });

  test("keeps its leading white space, which alone is no answer", async () => {
    script = [stream(text("\n"), wait(200), text(" Hello"), finish("stop")), stream(text(" \n"), finish("stop"))];
    const { parts } = await ask();
    expect(parts).toEqual([{ at: 200, part: { type: "text", text: "\n Hello" } }]);
    const empty = await ask();
    expect(empty).toMatchObject({ parts: [], outcome: { ending: "failed", error: "model-empty" } });
  });
});

describe("the ending of an answer", () => {
  test.each([
    ["stop", "end_turn", { ending: "complete", finishReason: "stop" }],
    ["stop", undefined, { ending: "complete", finishReason: "stop" }],
    ["length", "max_tokens", { ending: "complete", finishReason: "length" }],
    ["other", "model_context_window_exceeded", { ending: "complete", finishReason: "length" }],
    ["content-filter", "content_filtered", { ending: "interrupted", error: "model-refused" }],
    ["content-filter", "content_filter", { ending: "interrupted", error: "model-refused" }],
    // The model's own refusal, which is its answer.
    ["content-filter", "stop", { ending: "complete", finishReason: "refusal" }],
    ["content-filter", undefined, { ending: "complete", finishReason: "refusal" }],
    ["other", undefined, { ending: "interrupted", error: "model-cut" }],
    ["interrupted", undefined, { ending: "interrupted", error: "model-cut" }],
    ["other", "something_new", { ending: "interrupted", error: "model-error" }],
    ["tool-calls", "tool_use", { ending: "interrupted", error: "model-error" }],
    ["error", "error", { ending: "interrupted", error: "model-error" }],
  ])("that finishes by %s (%s) is %o", async (unified, raw, expected) => {
    script = [stream(text("Hello"), { ...finish(unified), finishReason: { unified, raw } })];
    expect((await ask()).outcome).toMatchObject(expected);
  });

  test("is not complete while a part of the text is open", async () => {
    script = [stream({ type: "text-start", id: "0" }, text("Hello"), finish("stop"))];
    expect((await ask()).outcome).toMatchObject({ ending: "interrupted", error: "model-cut" });
  });

  test("is not complete after an error in the stream, though the vendor says stop", async () => {
    script = [stream(text("Hello"), { type: "error", error: new TypeError("bad") }, text(" there"), finish("stop"))];
    const { outcome, text: kept } = await ask();
    expect(outcome).toMatchObject({ ending: "interrupted", error: "model-error" });
    expect(kept).toBe("Hello");
  });

  test("comes with the tokens of all kinds", async () => {
    script = [stream(text("Hello"), finish("stop"))];
    expect((await ask()).outcome.usage).toEqual({
      inputTokens: 30,
      outputTokens: 9,
      cacheReadTokens: 15,
      cacheWriteTokens: 5,
      reasoningTokens: 4,
    });
  });
});

describe("a silent model", () => {
  const never = stream(wait(10_000_000));

  test("is given a minute for its first word, and half a minute between two", async () => {
    script = [never, stream(text("Hello"), wait(10_000_000))];
    expect(await ask()).toMatchObject({
      outcome: { ending: "failed", error: "model-silent", attempts: 1 },
      after: 60_102,
    });
    const { outcome, text: kept } = await ask();
    expect(outcome).toMatchObject({ ending: "interrupted", error: "model-silent" });
    expect(kept).toBe("Hello");
  });

  test("is given five times as long if it thinks, and goes on while its thoughts come", async () => {
    script = [never];
    expect((await ask("gpt-5-mini")).after).toBe(300_102);
    const thoughts = Array.from({ length: 20 }, () => [wait(20_000), reasoning("hm")]).flat();
    script = [stream(...thoughts, text("Hello"), finish("stop"))];
    expect((await ask()).outcome.ending).toBe("complete");
  });

  test("is left even if its connection never notices", async () => {
    script = [() => new Promise(() => {})];
    expect((await ask()).outcome).toMatchObject({ ending: "failed", error: "model-silent" });
  });

  test("that talks without end is left after the longest life of a function", async () => {
    const endless = Array.from({ length: 100 }, () => [text("on and "), wait(20_000)]).flat();
    script = [stream(...endless)];
    const { outcome, after } = await ask();
    expect(outcome).toMatchObject({ ending: "interrupted", error: "deadline" });
    expect(after).toBeGreaterThanOrEqual(900_000);
    expect(after).toBeLessThan(900_100);
  });
});

describe("asking again", () => {
  const answer = stream(text("Hello"), finish("stop"));
  const waits = ({ parts }: { parts: Timed[] }) =>
    parts.flatMap(({ part }) => (part.type === "waiting" ? [part.seconds ?? 0] : []));

  test("waits longer each time, with a random part, at most three times", async () => {
    script = Array.from({ length: 5 }, () => refused(429));
    const result = await ask();
    expect(result.outcome).toMatchObject({ ending: "failed", error: "model-busy", attempts: 4 });
    expect(asked).toBe(4);
    const [first = 0, second = 0, third = 0] = waits(result);
    for (const [seconds, base] of [
      [first, 1],
      [second, 2],
      [third, 4],
    ] as const) {
      expect(seconds).toBeGreaterThanOrEqual(base);
      expect(seconds).toBeLessThanOrEqual(base * 1.25 + 0.1);
    }
  });

  test("waits as long as the vendor asks for, but not longer than a person would", async () => {
    script = [refused(429, { "retry-after": "12" }), answer];
    const patient = await ask();
    expect(patient.outcome).toMatchObject({ ending: "complete", attempts: 2 });
    expect(waits(patient)[0]).toBeGreaterThanOrEqual(12);
    script = [refused(429, { "retry-after": "3600" })];
    expect(await ask()).toMatchObject({ outcome: { error: "model-busy", attempts: 1 }, parts: [] });
  });

  test("happens when a kept connection turns out to be dead, and when the vendor's first word is that it is busy", async () => {
    const dead = async () => {
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "UND_ERR_SOCKET" }) });
    };
    const busy = stream({ type: "error", error: { message: "x", type: "throttlingException", statusCode: 429 } });
    script = [dead, busy, answer];
    const result = await ask();
    expect(result.outcome).toMatchObject({ ending: "complete", attempts: 3 });
    expect(waits(result)[0]).toBeLessThan(0.5);
  });

  test("never happens after the first word, nor after a stop", async () => {
    script = [stream(text("Hello"), { type: "error", error: { message: "x", statusCode: 429 } }), answer];
    expect((await ask()).outcome).toMatchObject({ ending: "interrupted", error: "model-busy", attempts: 1 });
    const stop = new AbortController();
    script = [refused(429), answer];
    setTimeout(() => stop.abort(), 500);
    const { outcome, after } = await ask(undefined, stop.signal);
    expect(outcome).toMatchObject({ ending: "interrupted" });
    expect(outcome).not.toHaveProperty("error");
    expect(after).toBe(500);
    expect(script).toHaveLength(1);
  });
});

describe("the reasoning of a model", () => {
  const thoughts = (parts: Timed[]) =>
    parts.flatMap(({ part }) => (part.type === "reasoning" ? [part.text ?? ""] : []));

  test("leaves before its text, in batches like it, with a paragraph for each part", async () => {
    const start = { type: "reasoning-start", id: "1" };
    script = [
      stream(
        start,
        reasoning("First I "),
        wait(10),
        reasoning("look."),
        start,
        reasoning("Then I "),
        wait(10),
        reasoning("see."),
        text("Hello"),
        finish("stop"),
      ),
    ];
    const { parts, outcome } = await ask("gpt-5-mini");
    expect(outcome.ending).toBe("complete");
    expect(parts.map(({ part }) => part.type)).toEqual(["reasoning", "reasoning", "text"]);
    expect(thoughts(parts)).toEqual(["First I ", "look.\n\nThen I see."]);
    expect(parts.at(-1)?.part.text).toBe("Hello");
  });

  test("is no answer: one of reasoning alone is empty", async () => {
    script = [stream(reasoning("hm"), finish("stop"))];
    const { outcome, parts } = await ask();
    expect(outcome).toMatchObject({ ending: "failed", error: "model-empty" });
    expect(thoughts(parts)).toEqual(["hm"]);
  });

  test("is not shown where a model blacks it out, but counts as a sign of life", async () => {
    script = [
      stream(
        ...Array.from({ length: 5 }, () => [wait(29_000), reasoning("[REDACTED]")]).flat(),
        text("Hello"),
        finish("stop"),
      ),
    ];
    const { outcome, parts } = await ask("us.amazon.nova-2-lite-v1:0");
    expect(outcome.ending).toBe("complete");
    expect(parts.map(({ part }) => part)).toEqual([{ type: "text", text: "Hello" }]);
  });

  test("once shown, is not begun again by asking again", async () => {
    const busy = { type: "error", error: { message: "x", type: "throttlingException", statusCode: 429 } };
    script = [stream(reasoning("hm"), wait(100), busy), stream(text("Hello"), finish("stop"))];
    expect((await ask()).outcome).toMatchObject({ ending: "failed", error: "model-busy", attempts: 1 });
  });
});

describe("what a vendor declines that the call can do without", () => {
  const answer = () => stream(text("Hello"), finish("stop"));
  const long = "The boiler was serviced in March. ".repeat(200);
  const points = (prompt: unknown) => JSON.stringify(prompt).split("cachePoint").length - 1;

  test("is left out at once, and in later calls to the same model", async () => {
    const id = "us.amazon.nova-premier-v1:0";
    script = [
      refused(403, {}, "You invoked an unsupported model or your request did not allow prompt caching."),
      answer(),
      answer(),
    ];
    const first = await ask(id, undefined, { system: long });
    expect(first.outcome).toMatchObject({ ending: "complete", attempts: 2 });
    expect(first.parts.map(({ part }) => part.type)).toEqual(["text"]);
    await ask(id, undefined, { system: long });
    expect(prompts.map(points)).toEqual([2, 0, 0]);
    script = [answer()];
    await ask("amazon.nova-pro-v1:0", undefined, { system: long });
    expect(points(prompts.at(-1))).toBe(2);
  });

  test("may be the summary of the reasoning, which OpenAI keeps for verified organisations", async () => {
    const message = "Your organization must be verified to generate reasoning summaries.";
    script = [refused(400, {}, message), answer(), answer()];
    expect((await ask("gpt-5-nano")).outcome).toMatchObject({ ending: "complete", attempts: 2 });
    await ask("gpt-5-nano");
    expect(extras).toMatchObject([{ summary: true }, { summary: false }, { summary: false }]);
  });

  test("does not hide a refusal that stays", async () => {
    script = [refused(403, {}, "prompt caching"), refused(403, {}, "prompt caching")];
    const { outcome } = await ask("amazon.nova-micro-v1:0", undefined, { system: long });
    expect(outcome).toMatchObject({ ending: "failed", error: "model-denied", attempts: 2 });
  });
});
