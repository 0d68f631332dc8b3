import { config } from "~/config.server";
import { PublicError } from "~/errors";
import type { Model } from "./model";
import { type ModelRef, parseModelRef } from "./settings";

export type { Model } from "./model";

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
    thinks: false,
    supports: {
      temperature: { min: 0, max: 1 },
      topP: { min: 0, max: 1 },
      temperatureWithTopP: true,
      sampling: "always",
      stopSequences: { max: 4 },
      reasoningEffort: false,
      systemPrompt: true,
    },
  };
}
