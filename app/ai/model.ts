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
   * When temperature and topP are taken: `always`; `unless-reasoning`, so not beside a reasoning effort;
   * `unless-effort-high`, so not beside that one, which forbids a longest response too; or `with-effort-none`,
   * since the model reasons unless it is told not to.
   */
  sampling: "always" | "unless-reasoning" | "unless-effort-high" | "with-effort-none";
  /** How many stop sequences it takes. `withText`: one of white space alone is refused. */
  stopSequences: { max: number; withText?: boolean } | false;
  reasoningEffort: readonly ReasoningEffort[] | false;
  /** Where not, the system prompt stands at the head of the first message. */
  systemPrompt: boolean;
  /** Whether the vendor keeps the beginning of a prompt for the next turn, and from how many tokens on. */
  promptCache: false | { leastTokens: number };
}

/** Dollars per million tokens. */
export interface Rates {
  input: number;
  output: number;
  /** Of input tokens that were read from the prompt cache, or written to it; absent: as other input. */
  cacheRead?: number;
  cacheWrite?: number;
}

/** What a model cost by the table that was read; `asOf` is that table's day (yyyy-mm-dd), not the vendor's. */
export interface Price extends Rates {
  asOf: string;
  /** What the whole call costs if its input has more than so many tokens. */
  long?: Rates & { above: number };
}

/** Tokens of one answer. A detail that is undefined was not reported. */
export interface AnswerUsage {
  /** All of the input, that from the cache included. */
  inputTokens: number;
  /** All of the output, reasoning included. */
  outputTokens: number;
  /** Of the input: read from and written to the vendor's prompt cache. */
  cacheReadTokens?: number;
  cacheWriteTokens?: number;
  /** Of the output. */
  reasoningTokens?: number;
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
  /**
   * How a Claude model is asked to think: with a share of the longest response as its budget; adaptively, by an
   * effort; or not at all, since it does by itself, and is only asked to let it be read. Some of the last can be told
   * not to, by the effort "none".
   */
  thinking?: "budget" | "adaptive" | "always";
  /** Undefined: nobody knows; it is shown as unknown, never as zero. */
  price?: Price;
  /** Why it cannot be used now, as a sentence. */
  unavailable?: string;
}
