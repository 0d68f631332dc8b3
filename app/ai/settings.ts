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
export const reasoningEfforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** What each is called on a page. */
export const effortNames: Record<ReasoningEffort, string> = {
  none: "None",
  minimal: "Minimal",
  low: "Low",
  medium: "Medium",
  high: "High",
  xhigh: "Higher",
  max: "Highest",
};
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
export type SettingName = keyof ThreadSettings;

/** Some settings of a thread, set or taken away; all others stay as they are, whoever changed them meanwhile. */
export const settingsChange = z.strictObject({
  set: threadSettings,
  unset: z.array(threadSettings.keyof()).max(20),
});

export type SettingsChange = z.infer<typeof settingsChange>;

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

/** What of a model decides which settings it takes. Without its name, sentences say "This model". */
export type SettingsTaker = Pick<Model, "supports" | "minOutput" | "maxOutput" | "family" | "thinking"> &
  Partial<Pick<Model, "name">>;

/** The least that a budget for thinking may be, and so what a longest response leaves free for it. */
export const LEAST_THINKING = 1_024;

/** Of the efforts that a model takes, this one or the one nearest to it; never turns reasoning on or off. */
function nearestEffort(wanted: ReasoningEffort, taken: readonly ReasoningEffort[]): ReasoningEffort | undefined {
  if (taken.includes(wanted)) return wanted;
  if (wanted === "none") return undefined;
  const at = reasoningEfforts.indexOf(wanted);
  const distance = (effort: ReasoningEffort) => Math.abs(reasoningEfforts.indexOf(effort) - at);
  return taken
    .filter((effort) => effort !== "none")
    .sort((one, other) => distance(one) - distance(other))
    .at(0);
}

/** The effort that goes to the model; undefined: none goes, and the model does as it always does. */
function effortFor({ supports }: SettingsTaker, { reasoningEffort }: ThreadSettings): ReasoningEffort | undefined {
  return reasoningEffort && supports.reasoningEffort
    ? nearestEffort(reasoningEffort, supports.reasoningEffort)
    : undefined;
}

/**
 * Why the model does not take a setting now, as a sentence for each such setting, whether it was set or not. Some
 * depend on the others: many models take no temperature while they reason.
 */
export function reasonsAgainst(
  model: SettingsTaker,
  settings: ThreadSettings,
): Partial<Record<keyof CallSettings, string>> {
  const { supports, name = "This model" } = model;
  const effort = effortFor(model, settings);
  const reasons: Partial<Record<keyof CallSettings, string>> = {};
  if (!supports.reasoningEffort) reasons.reasoningEffort = `${name} has no reasoning effort.`;
  if (!supports.stopSequences) reasons.stopSequences = `${name} takes no stop sequences.`;
  if (supports.sampling === "unless-effort-high" && effort === "high")
    reasons.maxTokens = `${name} takes no maximum response length beside a high reasoning effort.`;
  for (const [setting, words] of [
    ["temperature", "temperature"],
    ["topP", "top P"],
  ] as const) {
    const article = setting === "temperature" ? "a " : "";
    if (!supports[setting]) reasons[setting] = `${name} sets its own ${words}.`;
    else if (supports.sampling === "with-effort-none" && effort !== "none")
      reasons[setting] = `${name} takes ${article}${words} only with no reasoning effort.`;
    else if (supports.sampling === "unless-reasoning" && effort !== undefined && effort !== "none")
      reasons[setting] = `${name} takes no ${words} beside a reasoning effort.`;
    else if (supports.sampling === "unless-effort-high" && effort === "high")
      reasons[setting] = `${name} takes no ${words} beside a high reasoning effort.`;
  }
  if (!supports.temperatureWithTopP && settings.temperature !== undefined && !reasons.temperature)
    reasons.topP ??= `${name} takes either a temperature or top P.`;
  return reasons;
}

/**
 * Of the settings that were set, those that the model takes, moved into its ranges; and those it does not take.
 * Nothing is ever added: what nobody set is the vendor's default.
 */
export function settingsFor(
  model: SettingsTaker,
  settings: ThreadSettings,
): { sent: CallSettings; dropped: DroppedSetting[] } {
  const { supports, minOutput, maxOutput, family, thinking, name = "This model" } = model;
  const reasons = reasonsAgainst(model, settings);
  const sent: CallSettings = {};
  const dropped: DroppedSetting[] = [];
  const drop = (setting: keyof CallSettings, reason: string) => dropped.push({ setting, reason });
  /** The value, unless it was not set or there is a reason against it. */
  const taken = <Name extends keyof CallSettings>(setting: Name): CallSettings[Name] => {
    const reason = settings[setting] === undefined ? undefined : reasons[setting];
    if (reason) drop(setting, reason);
    return reason ? undefined : settings[setting];
  };

  if (taken("reasoningEffort") !== undefined) {
    const effort = effortFor(model, settings);
    if (effort) sent.reasoningEffort = effort;
    else drop("reasoningEffort", `${name} cannot be told not to reason.`);
  }
  const temperature = taken("temperature");
  if (temperature !== undefined && supports.temperature) sent.temperature = clamp(temperature, supports.temperature);
  const topP = taken("topP");
  if (topP !== undefined && supports.topP) sent.topP = clamp(topP, supports.topP);
  const maxTokens = taken("maxTokens");
  if (maxTokens !== undefined) {
    const reserved = thinking === "budget" && sent.reasoningEffort ? LEAST_THINKING : 0;
    sent.maxTokens = family === "unknown" ? maxTokens : clamp(maxTokens, { min: minOutput, max: maxOutput - reserved });
  }
  const stopSequences = taken("stopSequences");
  if (stopSequences && supports.stopSequences) {
    const { max, withText } = supports.stopSequences;
    const fitting = stopSequences.filter((sequence) => !withText || sequence.trim()).slice(0, max);
    if (fitting.length > 0) sent.stopSequences = fitting;
    else drop("stopSequences", `${name} takes no stop sequence that is white space alone.`);
  }
  return { sent, dropped };
}

/** A setting that another model takes only in a changed form. */
export interface AdjustedSetting {
  setting: keyof CallSettings;
  /** As a sentence. */
  reason: string;
}

/**
 * What a thread's settings become under another model: what fits is kept, what fits changed is changed, and what
 * does not fit is dropped, each with its reason. All that is no setting of the call stays as it is.
 */
export function switchModel(
  settings: ThreadSettings,
  to: SettingsTaker & Pick<Model, "ref" | "name">,
): { settings: ThreadSettings; dropped: DroppedSetting[]; adjusted: AdjustedSetting[] } {
  const { sent, dropped } = settingsFor(to, settings);
  const rest = Object.fromEntries(
    Object.entries(settings).filter(([setting]) => !dropped.some((gone) => gone.setting === setting)),
  ) as ThreadSettings;
  const within = (range: Range | false) => (range ? `from ${range.min} to ${range.max}` : "");
  const sentences: Record<keyof CallSettings, string> = {
    temperature: `${to.name} takes a temperature ${within(to.supports.temperature)}.`,
    topP: `${to.name} takes a top P ${within(to.supports.topP)}.`,
    maxTokens: `${to.name} takes a response length ${within({ min: to.minOutput, max: to.maxOutput })} tokens.`,
    stopSequences: `${to.name} takes fewer stop sequences.`,
    reasoningEffort: `${to.name} has other reasoning efforts. The nearest is “${effortNames[sent.reasoningEffort ?? "none"]}”.`,
  };
  const adjusted = (Object.keys(sent) as (keyof CallSettings)[])
    .filter((setting) => JSON.stringify(sent[setting]) !== JSON.stringify(settings[setting]))
    .map((setting) => ({ setting, reason: sentences[setting] }));
  return { settings: { ...rest, ...sent, model: to.ref }, dropped, adjusted };
}
