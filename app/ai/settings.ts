/**
 * A thread's settings: only what the person changed stands in them, so that a default which changes later
 * reaches every thread that never touched it. The ranges here are the widest of all models; a model's own are
 * in its family, and what it refuses is dropped before the call.
 */
import { z } from "zod";

/** `bedrock:<model or profile id>`, `openai:<id>` or `<name of a compatible endpoint>:<id>`. */
export type ModelRef = string;

const modelRef = z.string().regex(/^[a-z0-9-]{1,24}:[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$/, "This is not a model.");

/** From the least to the most; which of them a model takes is in its family. */
export const reasoningEfforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type ReasoningEffort = (typeof reasoningEfforts)[number];

export const threadSettings = z.strictObject({
  model: modelRef.optional(),
  /** How freely words are chosen, 0 to 2; most models end at 1. */
  temperature: z.number().min(0).max(2).optional(),
  /** Words outside this share of the probability are not chosen, above 0 to 1. */
  topP: z.number().gt(0).max(1).optional(),
  /** The longest response, in tokens. */
  maxTokens: z.int().min(1).max(1_000_000).optional(),
  stopSequences: z.array(z.string().min(1).max(100)).min(1).max(4).optional(),
  reasoningEffort: z.enum(reasoningEfforts).optional(),
  /** Replaces the operator's; empty means none at all. */
  systemPrompt: z.string().max(16_000).optional(),
  notes: z.enum(["all", "none"]).optional(),
});

export type ThreadSettings = z.infer<typeof threadSettings>;

/** The two halves of a model reference; undefined if it is not one. The id may hold colons itself. */
export function parseModelRef(ref: ModelRef): { vendor: string; id: string } | undefined {
  if (!modelRef.safeParse(ref).success) return undefined;
  const colon = ref.indexOf(":");
  return { vendor: ref.slice(0, colon), id: ref.slice(colon + 1) };
}
