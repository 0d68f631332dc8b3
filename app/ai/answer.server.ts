/**
 * One model call: from a prompt to text, an ending and an error code.
 */
import type { ErrorCode } from "~/errors";
import type { Model } from "./catalogue.server";
import { languageModel } from "./providers.server";
import type { ThreadSettings } from "./settings";

export interface AnswerMessage {
  role: "user" | "assistant";
  text: string;
}

/** Text as it comes, joined; or a wait before the next try, in seconds. */
export type AnswerPart = { type: "text"; text: string } | { type: "waiting"; attempt: number; seconds: number };

/** Tokens. Undefined details were not reported. */
export interface AnswerUsage {
  inputTokens: number;
  outputTokens: number;
  /** Of the input: read from and written to the provider's prompt cache. */
  cacheReadTokens?: number;
  cacheWriteTokens?: number;
  /** Of the output. */
  reasoningTokens?: number;
}

/** The settings that were sent. */
export type SentSettings = Pick<
  ThreadSettings,
  "temperature" | "topP" | "maxTokens" | "stopSequences" | "reasoningEffort"
>;

export interface AnswerOutcome {
  ending: "complete" | "interrupted" | "failed";
  error?: ErrorCode;
  finishReason?: string;
  usage?: AnswerUsage;
  sent: SentSettings;
}

/** Asks the model. The generator yields what the person sees and returns how it ended; it does not throw. */
export async function* streamAnswer(options: {
  model: Model;
  settings: ThreadSettings;
  system: string;
  messages: readonly AnswerMessage[];
  signal: AbortSignal;
}): AsyncGenerator<AnswerPart, AnswerOutcome> {
  const { model, system, messages, signal } = options;
  const { stream } = await languageModel(model).doStream({
    prompt: [
      ...(system ? [{ role: "system" as const, content: system }] : []),
      ...messages.map(({ role, text }) => ({ role, content: [{ type: "text" as const, text }] })),
    ],
    abortSignal: signal,
  });
  let finishReason = "other";
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (next.value.type === "text-delta") yield { type: "text", text: next.value.delta };
    if (next.value.type === "finish") finishReason = next.value.finishReason.unified;
  }
  return { ending: finishReason === "stop" ? "complete" : "interrupted", finishReason, sent: {} };
}
