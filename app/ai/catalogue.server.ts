import { config } from "~/config.server";
import { PublicError } from "~/errors";
import type { Supports } from "./families";
import { type ModelRef, parseModelRef } from "./settings";

/** A model as it is offered. Sizes are in tokens. */
export interface Model {
  ref: ModelRef;
  vendor: string;
  id: string;
  name: string;
  family: string;
  window: number;
  maxOutput: number;
  supports: Supports;
  /** Why it cannot be used now, as a sentence. */
  unavailable?: string;
}

/** The models that a person may choose from, and what to say about lists that could not be read. */
export async function listModels(): Promise<{ models: Model[]; notices: string[] }> {
  return { models: [await requireModel(undefined)], notices: [] };
}

/** The model of a thread, or the operator's default one. Throws a PublicError "model-missing". */
export async function requireModel(ref: ModelRef | undefined): Promise<Model> {
  const wanted = ref ?? config.models.default;
  const parsed = parseModelRef(wanted);
  if (!parsed) throw new PublicError("model-missing");
  return {
    ref: wanted,
    ...parsed,
    name: parsed.id,
    family: "unknown",
    window: 8_192,
    maxOutput: 4_096,
    supports: {
      temperature: { min: 0, max: 1 },
      topP: { min: 0, max: 1 },
      temperatureWithTopP: true,
      stopSequences: { max: 4 },
      reasoningEffort: false,
      systemPrompt: true,
    },
  };
}
