/** What a model of a family takes. `false`: it refuses the setting, and the page says so. */
import type { ReasoningEffort } from "./settings";

export interface Range {
  min: number;
  max: number;
}

export interface Supports {
  temperature: Range | false;
  topP: Range | false;
  /** Whether temperature and topP may be sent together; where not, temperature wins. */
  temperatureWithTopP: boolean;
  /** How many stop sequences it takes. */
  stopSequences: { max: number } | false;
  reasoningEffort: readonly ReasoningEffort[] | false;
  systemPrompt: boolean;
}
