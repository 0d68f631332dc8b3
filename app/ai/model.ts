/** A model as the catalogue offers it. Sizes are in tokens. */
import type { ModelRef, ReasoningEffort } from "./settings";

export interface Range {
  min: number;
  max: number;
}

/** What a model takes. `false`: it refuses the setting, so the page disables it and the server drops it. */
export interface Supports {
  temperature: Range | false;
  topP: Range | false;
  /** Whether temperature and topP may be sent together; where not, temperature wins. */
  temperatureWithTopP: boolean;
  /**
   * When temperature and topP are taken: `always`; `unless-reasoning`, so not beside a reasoning effort; or
   * `with-effort-none`, since the model reasons unless it is told not to.
   */
  sampling: "always" | "unless-reasoning" | "with-effort-none";
  /** How many stop sequences it takes. */
  stopSequences: { max: number } | false;
  reasoningEffort: readonly ReasoningEffort[] | false;
  /** Where not, the system prompt stands at the head of the first message. */
  systemPrompt: boolean;
}

export interface Model {
  ref: ModelRef;
  vendor: string;
  /** The vendor's id, of an inference profile where the model demands one. */
  id: string;
  name: string;
  /** Name of its row in the family table; "unknown" if there is none. */
  family: string;
  window: number;
  /** What may be asked for as the longest answer. */
  minOutput: number;
  maxOutput: number;
  supports: Supports;
  /** Whether it may think for minutes before its first word. */
  thinks: boolean;
  /** Why it cannot be used now, as a sentence. */
  unavailable?: string;
}
