/**
 * One model call: from a prompt to text, an ending and an error code.
 *
 * It reads the provider's own stream (doStream) and not streamText's: that halves the CPU of a token, and every
 * fault is seen as it happened. An answer is complete only if the provider said so: a finish reason stop or
 * length, which the providers report only after the vendor's own end marker (Bedrock's messageStop, OpenAI's
 * finish_reason or response.completed), no error event, and no text part left open. All else is interrupted if
 * there is text, failed if there is none.
 * Before the first text a busy vendor is asked again, a few times, and the person sees the waiting. After it
 * nothing is asked again: half an answer twice is worse than half an answer.
 * The request's own signal never comes here; only a stop, a fence or the deadline abort the call.
 */
import { InvalidResponseDataError } from "ai";
import { config } from "~/config.server";
import type { ErrorCode } from "~/errors";
import { markModel } from "./catalogue.server";
import { type Fault, faultOf } from "./fault";
import type { AnswerUsage, Model } from "./model";
import { callOptions, languageModel } from "./providers.server";
import { type CallSettings, type DroppedSetting, settingsFor, type ThreadSettings } from "./settings";

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

const notEnabled =
  "Not enabled in the account that runs Sidenote. Its operator enables it by calling it once with their own credentials.";

/** Asks the model. Yields what the person sees, returns how it ended; it does not throw. */
export async function* streamAnswer(options: {
  model: Model;
  settings: ThreadSettings;
  system: string;
  messages: readonly AnswerMessage[];
  signal: AbortSignal;
}): AsyncGenerator<AnswerPart, AnswerOutcome> {
  const { model, settings, system, messages, signal } = options;
  const { sent, dropped } = settingsFor(model, settings);
  const startedAt = performance.now();
  for (let attempts = 1; ; attempts += 1) {
    const call = new Call({ model, sent, system, messages, signal, deadline: startedAt + TOTAL });
    yield* call.run();
    const { fault } = call;
    const wait = fault && !call.text && !signal.aborted ? waitAfter(fault, attempts) : undefined;
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

interface CallInput {
  model: Model;
  sent: CallSettings;
  system: string;
  messages: readonly AnswerMessage[];
  signal: AbortSignal;
  /** When the call must be over, by performance.now(). */
  deadline: number;
}

/**
 * One try. `pump` reads the provider's stream as fast as it comes, `run` hands out what it read in batches, and
 * `watch` ends both when the model is silent for too long, even if the connection never notices.
 */
class Call {
  /** Whether any text came. */
  text = false;
  fault: Fault | undefined;

  private readonly input: CallInput;
  private readonly abort = new AbortController();
  private pending = "";
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
          const text = this.pending;
          this.pending = "";
          this.lastBatchAt = performance.now();
          yield { type: "text", text };
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

  /** Whether there is text to hand out. White space waits for a word, so that an empty answer is empty. */
  private get readable(): boolean {
    return this.text && this.pending !== "";
  }

  private async pump(): Promise<void> {
    const { model, sent, system, messages } = this.input;
    let answering = false;
    try {
      const { stream } = await languageModel(model).doStream({
        ...callOptions(model, sent),
        prompt: [
          ...(system ? [{ role: "system" as const, content: system }] : []),
          ...messages.map(({ role, text }) => ({ role, content: [{ type: "text" as const, text }] })),
        ],
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
          case "reasoning-delta":
            this.lastSignAt = performance.now();
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
  private watch(until: number): void {
    this.watchTimer = setTimeout(
      () => {
        const { deadline } = this.input;
        const silentUntil = this.lastSignAt + config.model.silentMs;
        const next = Math.min(this.text ? silentUntil : Math.max(until, silentUntil), deadline);
        if (next > performance.now()) return this.watch(next);
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
