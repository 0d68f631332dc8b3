/**
 * Choosing another model for a thread: what of its settings fits is kept, and what does not is dropped and named, so
 * that nothing is lost in silence. Loaded with the list of models.
 */
import type { Model } from "~/ai/model";
import { switchModel, type ThreadSettings } from "~/ai/settings";

export interface Switched {
  settings: ThreadSettings;
  /** What was dropped or changed, in sentences; undefined if nothing was. */
  words: string | undefined;
}

const names = {
  temperature: "temperature",
  topP: "top P",
  maxTokens: "maximum response length",
  stopSequences: "stop sequences",
  reasoningEffort: "reasoning effort",
} as const;

const list = (words: string[]): string =>
  words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** The settings under another model; the standard model is what nobody changed. */
export function switchTo(before: ThreadSettings, to: Model, isStandard: boolean): Switched {
  const { settings, dropped, adjusted } = switchModel(before, to);
  const { model: _, ...others } = settings;
  const gone = dropped.map(({ setting }) => names[setting]);
  const sentences = [
    ...dropped.map(({ reason }) => reason),
    ...adjusted.map(({ reason }) => reason),
    ...(gone.length > 0 ? [`Dropped: ${list(gone)}.`] : []),
  ];
  return { settings: isStandard ? others : settings, words: sentences.length > 0 ? sentences.join(" ") : undefined };
}
