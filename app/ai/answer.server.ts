/**
 * One model call: from a prompt to text, an ending and an error code.
 *
 * It reads the provider's own stream (doStream) and not streamText's: that halves the CPU of a token, and every
 * fault is seen as it happened. An answer is complete only if the provider said so: a finish reason stop or
 * length, which the providers report only after the vendor's own end marker (Bedrock's messageStop, OpenAI's
 * finish_reason or response.completed), no error event, and no text part left open. All else is interrupted if
 * there is text, failed if there is none.
 * Before the first text a busy vendor is asked again, a few times, and the person sees the waiting. After it
 * nothing is asked again: half an answer twice is worse than half an answer. A vendor that refuses what the call
 * can do without (cache points, a summary of the reasoning) is asked at once without it, and so is ever after.
 * The request's own signal never comes here; only a stop, a fence or the deadline abort the call.
 */
import { InvalidResponseDataError } from "ai";
import { config } from "~/config.server";
import type { ErrorCode } from "~/errors";
import { markModel } from "./catalogue.server";
import { type Fault, faultOf } from "./fault";
import type { AnswerUsage, Model } from "./model";
import { cachePointsFor, keepsByItself, noCachePoints } from "./prompt-cache";
import { callOptions, type Extras, languageModel } from "./providers.server";
import { type CallSettings, type DroppedSetting, type ModelRef, settingsFor, type ThreadSettings } from "./settings";

export interface AnswerMessage {
  role: "user" | "assistant";
  text: string;
}

/** Text, or what the model says of its reasoning, joined to batches; or a wait before the next try, in seconds. */
export type AnswerPart =
  | { type: "text"; text: string }
  | { type: "reasoning"; text: string }
  | { type: "waiting"; attempt: number; seconds: number };

export type { AnswerUsage } from "./model";

export interface AnswerOutcome {
  ending: "complete" | "interrupted" | "failed";
  /** Why it is not complete; undefined after the caller's own abort. */
  error?: ErrorCode;
  finishReason?: string;
  usage?: AnswerUsage;
  /** The settings that were sent, and those that were set but not sent. */
  sent: CallSettings;
  dropped: DroppedSetting[];
  /** For the log: the vendor's status and error name, never its text. */
  fault?: { status?: number; name?: string };
  /** How often the model was asked. */
  attempts: number;
}

/** Deltas are joined for this long; the first leaves at once. Milliseconds. */
const BATCH = 50;
/** How long what a process has not read yet has to be read, in milliseconds, when it seems that nothing came. */
const READ_FIRST = 100;
/** How often a busy vendor, and an unreachable one, is asked in all. */
const ATTEMPTS = { busy: 4, connection: 3 } as const;
/** The first wait; it doubles each time. Milliseconds. */
const WAIT = { busy: 1_000, connection: 250 } as const;
/** A vendor that wants a longer pause than this gets no further try. Milliseconds. */
const LONGEST_WAIT = 20_000;
/** No call lasts longer than a function can. Milliseconds. */
const TOTAL = 900_000;
/** How many times as long a model that thinks may take until its first word. */
const THINKING = 5;

/** What vendors declined to this process, by model. */
const declined = new Map<ModelRef, Set<NonNullable<Fault["declined"]>>>();

/** What Amazon's models say in place of their reasoning. */
const REDACTED = /^\s*\[REDACTED\]\s*$/;

const notEnabled =
  "Not enabled in the account that runs Sidenote. Its operator enables it by calling it once with their own credentials.";

/** Asks the model. Yields what the person sees, returns how it ended; it does not throw. */
export async function* streamAnswer(options: {
  model: Model;
  settings: ThreadSettings;
  system: string;
  messages: readonly AnswerMessage[];
  /** How many of the messages will stand in the next turn as they stand now, from the first; absent: all. */
  stable?: number;
  /** The same for all calls of a thread, and of no other: it finds their beginnings in the vendor's cache. */
  cacheKey?: string;
  signal: AbortSignal;
}): AsyncGenerator<AnswerPart, AnswerOutcome> {
  const { model, settings, system, messages, stable = messages.length, cacheKey, signal } = options;
  const { sent, dropped } = settingsFor(model, settings);
  const startedAt = performance.now();
  for (let attempts = 1; ; attempts += 1) {
    const without = declined.get(model.ref);
    const call = new Call({
      model,
      sent,
      prompt: promptOf({ model, system, messages, stable, cached: !without?.has("cache") }),
      extras: {
        summary: !without?.has("summary"),
        ...(keepsByItself(model, { system, messages }) && { cacheKey }),
      },
      signal,
      deadline: startedAt + TOTAL,
    });
    yield* call.run();
    const { fault } = call;
    if (fault?.declined && !without?.has(fault.declined) && !signal.aborted) {
      declined.set(model.ref, new Set([...(without ?? []), fault.declined]));
      continue;
    }
    const wait = fault && !call.text && !call.reasoned && !signal.aborted ? waitAfter(fault, attempts) : undefined;
    if (wait === undefined) {
      const outcome = call.outcome();
      if (outcome.error === "model-denied") markModel(model.ref, notEnabled);
      if (outcome.ending === "complete") markModel(model.ref, undefined);
      return { ...outcome, sent, dropped, attempts };
    }
    yield { type: "waiting", attempt: attempts, seconds: Math.ceil(wait / 100) / 10 };
    await pause(wait, signal);
    if (signal.aborted) return { ending: "interrupted", sent, dropped, attempts };
  }
}

/** How long to wait before the next try, in milliseconds; undefined: there is none. */
function waitAfter({ again, retryAfterMs }: Fault, attempts: number): number | undefined {
  if (!again || attempts >= ATTEMPTS[again]) return undefined;
  if (retryAfterMs !== undefined && retryAfterMs > LONGEST_WAIT) return undefined;
  // Never less than asked for; the random part keeps many waiting runs from coming back at the same moment.
  const growing = WAIT[again] * 2 ** (attempts - 1);
  return Math.max(growing, retryAfterMs ?? 0) * (1 + Math.random() / 4);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}

type Prompt = Parameters<ReturnType<typeof languageModel>["doStream"]>[0]["prompt"];

/**
 * The prompt in the AI SDK's words. It holds no reasoning of earlier answers, for no vendor asks for it in a
 * conversation without tools: Claude wants its signed thoughts back only between a tool's call and its result and
 * drops them else, OpenAI's are continued only within a turn of tools too, DeepSeek's first API refuses them and R1
 * on Bedrock as well, and gpt-oss may leak them into its answer. With tools this would have to change.
 */
function promptOf(options: {
  model: Model;
  system: string;
  messages: readonly AnswerMessage[];
  stable: number;
  cached: boolean;
}): Prompt {
  const { model, system, messages, stable, cached } = options;
  const points = cached ? cachePointsFor(model, { system, messages, stable }) : noCachePoints;
  const cachePoint = { providerOptions: { amazonBedrock: { cachePoint: { type: "default" } } } };
  return [
    ...(system ? [{ role: "system" as const, content: system, ...(points.system && cachePoint) }] : []),
    ...messages.map(({ role, text }, index) => ({
      role,
      content: [{ type: "text" as const, text }],
      ...(points.messages.has(index) && cachePoint),
    })),
  ];
}

interface CallInput {
  model: Model;
  sent: CallSettings;
  prompt: Prompt;
  extras: Extras;
  signal: AbortSignal;
  /** When the call must be over, by performance.now(). */
  deadline: number;
}

/**
 * One try. `pump` reads the provider's stream as fast as it comes, `run` hands out what it read in batches, and
 * `watch` ends both when the model is silent for too long, even if the connection never notices.
 */
class Call {
  /** Whether any text came, and any reasoning. */
  text = false;
  reasoned = false;
  fault: Fault | undefined;

  private readonly input: CallInput;
  private readonly abort = new AbortController();
  private pending = "";
  /** Reasoning that was not handed out yet. */
  private thoughts = "";
  private over = false;
  private wake: () => void = () => {};
  private batchTimer: NodeJS.Timeout | undefined;
  private watchTimer: NodeJS.Timeout | undefined;
  private lastBatchAt = Number.NEGATIVE_INFINITY;
  private lastSignAt = performance.now();
  private openParts = 0;
  private finishReason: { unified: string; raw: string | undefined } | undefined;
  private usage: AnswerUsage | undefined;

  constructor(input: CallInput) {
    this.input = input;
  }

  async *run(): AsyncGenerator<AnswerPart, void> {
    const { signal } = this.input;
    if (signal.aborted) return;
    const stop = () => this.end();
    signal.addEventListener("abort", stop);
    const { model, sent, deadline } = this.input;
    const thinks = model.thinks || (sent.reasoningEffort !== undefined && sent.reasoningEffort !== "none");
    this.watch(Math.min(performance.now() + config.model.firstMs * (thinks ? THINKING : 1), deadline));
    void this.pump();
    try {
      while (!this.over || this.readable) {
        const wait = this.over ? 0 : this.lastBatchAt + BATCH - performance.now();
        if (this.readable && wait <= 0) {
          const { thoughts, pending } = this;
          this.thoughts = "";
          this.lastBatchAt = performance.now();
          if (thoughts) yield { type: "reasoning", text: thoughts };
          if (!this.text) continue;
          // What came in the meantime waits for the next batch.
          this.pending = this.pending.slice(pending.length);
          if (pending) yield { type: "text", text: pending };
          continue;
        }
        await new Promise<void>((resolve) => {
          this.wake = resolve;
          if (this.readable) this.batchTimer = setTimeout(resolve, wait);
        });
        this.batchTimer = undefined;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.end();
    }
  }

  outcome(): Omit<AnswerOutcome, "sent" | "dropped" | "attempts"> {
    const { fault, finishReason, usage } = this;
    const ended = {
      ...(finishReason && { finishReason: finishReason.unified }),
      ...(usage && { usage }),
    };
    const partial = this.text ? ("interrupted" as const) : ("failed" as const);
    if (fault) {
      const { code, status, name } = fault;
      return {
        ...ended,
        ending: partial,
        error: code,
        fault: { ...(status !== undefined && { status }), ...(name !== undefined && { name }) },
      };
    }
    if (this.input.signal.aborted) return { ...ended, ending: "interrupted" };
    const { unified, raw } = finishReason ?? { unified: "interrupted", raw: undefined };
    // Without the vendor's mark it was cut off, however cleanly; without any text it was empty.
    if (unified === "stop" || unified === "length" || raw === "model_context_window_exceeded") {
      if (!this.text) return { ...ended, ending: "failed", error: "model-empty" };
      if (this.openParts > 0) return { ...ended, ending: "interrupted", error: "model-cut" };
      return { ...ended, ending: "complete", finishReason: unified === "stop" ? "stop" : "length" };
    }
    if (unified === "content-filter" || raw === "refusal") {
      // The model's own refusal is its answer, and whole. A filter of the vendor's cuts an answer off.
      const filtered = raw !== undefined && raw !== "stop" && raw !== "refusal";
      if (this.text && !filtered) return { ...ended, ending: "complete", finishReason: "refusal" };
      return { ...ended, ending: partial, error: "model-refused", finishReason: "content-filter" };
    }
    if (raw !== undefined) return { ...ended, ending: partial, error: "model-error" };
    return { ...ended, ending: partial, error: this.text ? "model-cut" : "model-empty" };
  }

  /** Whether there is something to hand out. White space waits for a word, so that an empty answer is empty. */
  private get readable(): boolean {
    return this.thoughts !== "" || (this.text && this.pending !== "");
  }

  private async pump(): Promise<void> {
    const { model, sent, prompt, extras } = this.input;
    let answering = false;
    try {
      const { stream } = await languageModel(model).doStream({
        ...callOptions(model, sent, extras),
        prompt,
        abortSignal: this.abort.signal,
      });
      answering = true;
      const reader = stream.getReader();
      while (!this.over) {
        const { done, value } = await reader.read();
        if (done || this.over) break;
        switch (value.type) {
          case "text-delta":
            this.append(value.delta);
            break;
          case "reasoning-start":
            this.lastSignAt = performance.now();
            // A new part of it is a new paragraph.
            if (this.reasoned) this.thoughts += "\n\n";
            break;
          case "reasoning-delta":
            this.think(value.delta);
            break;
          case "text-start":
            this.openParts += 1;
            break;
          case "text-end":
            this.openParts -= 1;
            break;
          case "error":
            // A compatible endpoint's missing end: the finish that follows tells the same of every vendor.
            if (InvalidResponseDataError.isInstance(value.error)) break;
            // What came after it would have a hole before it.
            this.fault = faultOf(value.error, { answering });
            this.end();
            break;
          case "finish": {
            const { inputTokens, outputTokens } = value.usage;
            this.finishReason = value.finishReason;
            if (inputTokens.total !== undefined || outputTokens.total !== undefined) {
              this.usage = {
                inputTokens: inputTokens.total ?? 0,
                outputTokens: outputTokens.total ?? 0,
                ...(inputTokens.cacheRead && { cacheReadTokens: inputTokens.cacheRead }),
                ...(inputTokens.cacheWrite && { cacheWriteTokens: inputTokens.cacheWrite }),
                ...(outputTokens.reasoning && { reasoningTokens: outputTokens.reasoning }),
              };
            }
            break;
          }
        }
      }
    } catch (error) {
      // After an end of our own the stream breaks because of it.
      if (!this.over) this.fault = faultOf(error, { answering });
    }
    this.end();
  }

  private think(delta: string): void {
    this.lastSignAt = performance.now();
    if (!delta || REDACTED.test(delta) || (!this.reasoned && !delta.trim())) return;
    this.reasoned = true;
    this.thoughts += delta;
    if (!this.batchTimer) this.wake();
  }

  private append(delta: string): void {
    this.pending += delta;
    this.lastSignAt = performance.now();
    if (!this.text && this.pending.trim()) {
      this.text = true;
      clearTimeout(this.watchTimer);
      this.watch(this.lastSignAt + config.model.silentMs);
    }
    if (!this.batchTimer) this.wake();
  }

  /** Ends the call at `until`, unless there was a sign of life; one timer, and nothing per token. */
  private watch(until: number, hasRead = false): void {
    this.watchTimer = setTimeout(
      () => {
        const { deadline } = this.input;
        const silentUntil = this.lastSignAt + config.model.silentMs;
        const next = Math.min(this.text ? silentUntil : Math.max(until, silentUntil), deadline);
        if (next > performance.now()) return this.watch(next);
        // A process that stood still hears its timers before it reads what came meanwhile.
        if (!hasRead && next !== deadline) return this.watch(performance.now() + READ_FIRST, true);
        this.fault = { code: next === deadline ? "deadline" : "model-silent" };
        this.end();
      },
      Math.max(0, until - performance.now()) + 1,
    );
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.batchTimer);
    clearTimeout(this.watchTimer);
    this.abort.abort();
    this.wake();
  }
}
