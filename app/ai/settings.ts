/**
 * A thread's settings: only what the person changed stands in them, so that a default which changes later
 * reaches every thread that never touched it. The ranges here are the widest of all models; a model's own are
 * in its family, and {@link settingsFor} keeps of the settings what the model takes.
 */
import { z } from "zod";
import type { Model, Range } from "./model";

/** `bedrock:<model or profile id>`, `openai:<id>` or `<name of a compatible endpoint>:<id>`. */
export type ModelRef = string;

const modelRef = z.string().regex(/^[a-z0-9-]{1,24}:[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$/, "This is not a model.");

const noteId = z.string().regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, "This is not a note.");

/** From the least to the most; which of them a model takes is in its family. */
export const reasoningEfforts = ["none", "minimal", "low", "medium", "high", "xhigh"] as const;
export type ReasoningEffort = (typeof reasoningEfforts)[number];

export const threadSettings = z.strictObject({
  model: modelRef.optional(),
  /** How freely words are chosen, 0 to 2; many models end at 1. */
  temperature: z.number().min(0).max(2).optional(),
  /** Words outside this share of the probability are not chosen; above 0, to 1. */
  topP: z.number().gt(0).max(1).optional(),
  /** The longest response, in tokens. */
  maxTokens: z.int().min(1).max(1_000_000).optional(),
  stopSequences: z.array(z.string().min(1).max(100)).min(1).max(4).optional(),
  reasoningEffort: z.enum(reasoningEfforts).optional(),
  /** Takes the place of the operator's; empty means none at all. */
  systemPrompt: z.string().max(16_000).optional(),
  notes: z.enum(["all", "chosen", "none"]).optional(),
  /** Ids of the notes that "chosen" means. */
  chosenNotes: z.array(noteId).max(200).optional(),
  /** The most messages of the history that are sent; absent: 20. */
  historyLength: z.int().min(2).max(200).optional(),
});

export type ThreadSettings = z.infer<typeof threadSettings>;

/** The settings that go to the model as such. The system prompt is part of the prompt. */
export type CallSettings = Pick<
  ThreadSettings,
  "temperature" | "topP" | "maxTokens" | "stopSequences" | "reasoningEffort"
>;

/** A setting that was not sent, and why, as a sentence. */
export interface DroppedSetting {
  setting: keyof CallSettings;
  reason: string;
}

/** The two halves of a model reference; undefined if it is not one. The id may hold colons itself. */
export function parseModelRef(ref: ModelRef): { vendor: string; id: string } | undefined {
  if (!modelRef.safeParse(ref).success) return undefined;
  const colon = ref.indexOf(":");
  return { vendor: ref.slice(0, colon), id: ref.slice(colon + 1) };
}

function clamp(value: number, { min, max }: Range): number {
  return Math.min(max, Math.max(min, value));
}

/**
 * Of the settings that were set, those that the model takes, moved into its ranges; and those it does not take.
 * Nothing is ever added: what nobody set is the vendor's default.
 */
export function settingsFor(
  model: Pick<Model, "supports" | "minOutput" | "maxOutput" | "family">,
  settings: ThreadSettings,
): { sent: CallSettings; dropped: DroppedSetting[] } {
  const { supports, minOutput, maxOutput, family } = model;
  const { temperature, topP, maxTokens, stopSequences, reasoningEffort } = settings;
  const sent: CallSettings = {};
  const dropped: DroppedSetting[] = [];
  const drop = (setting: keyof CallSettings, reason: string) => dropped.push({ setting, reason });

  if (reasoningEffort !== undefined) {
    const taken = supports.reasoningEffort || [];
    if (taken.includes(reasoningEffort)) sent.reasoningEffort = reasoningEffort;
    else drop("reasoningEffort", "This model does not take this reasoning effort.");
  }
  const effort = sent.reasoningEffort;
  const whileReasoning =
    supports.sampling === "with-effort-none"
      ? effort !== "none"
      : supports.sampling === "unless-reasoning" && effort !== undefined && effort !== "none";
  if (temperature !== undefined) {
    if (!supports.temperature) drop("temperature", "This model does not take a temperature.");
    else if (whileReasoning) drop("temperature", "This model does not take a temperature while it reasons.");
    else sent.temperature = clamp(temperature, supports.temperature);
  }
  if (topP !== undefined) {
    if (!supports.topP) drop("topP", "This model does not take top P.");
    else if (whileReasoning) drop("topP", "This model does not take top P while it reasons.");
    else if (sent.temperature !== undefined && !supports.temperatureWithTopP) {
      drop("topP", "This model takes either a temperature or top P.");
    } else sent.topP = clamp(topP, supports.topP);
  }
  if (maxTokens !== undefined) {
    sent.maxTokens = family === "unknown" ? maxTokens : clamp(maxTokens, { min: minOutput, max: maxOutput });
  }
  if (stopSequences !== undefined) {
    if (!supports.stopSequences) drop("stopSequences", "This model does not take stop sequences.");
    else sent.stopSequences = stopSequences.slice(0, supports.stopSequences.max);
  }
  return { sent, dropped };
}
