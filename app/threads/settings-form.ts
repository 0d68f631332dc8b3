/**
 * Settings as a person types them, in a thread's panel and in the plain forms of defaults and presets: a field that is
 * empty is a setting that nobody changed. Shared by the page and the server, so that a text means the same everywhere.
 */
import { type ThreadSettings, threadSettings } from "~/ai/settings";

export const settingsFields = [
  "model",
  "temperature",
  "topP",
  "maxTokens",
  "stopSequences",
  "reasoningEffort",
  "systemPrompt",
  "historyLength",
  "notes",
  "chosenNotes",
] as const;
export type SettingsField = (typeof settingsFields)[number];
export type SettingsValues = Partial<Record<SettingsField, string>>;

/** What is wrong with a field, in words that say what would be right. */
const problems: Record<SettingsField, string> = {
  model: "This is not a model.",
  temperature: "A temperature is a number from 0 to 2.",
  topP: "Top P is a number above 0, up to 1.",
  maxTokens: "A length is a whole number of tokens, from 1 to 1,000,000.",
  stopSequences: "There are at most four stop sequences, each of at most 100 characters.",
  reasoningEffort: "This is not a reasoning effort.",
  systemPrompt: "A system prompt has at most 16,000 characters.",
  historyLength: "The length of the history is a whole number from 2 to 200.",
  notes: "Choose which notes go along.",
  chosenNotes: "These are not notes.",
};

/** The values of the form's fields; absent ones are empty. */
export function valuesOf(settings: ThreadSettings): SettingsValues {
  const values: SettingsValues = {};
  for (const field of settingsFields) {
    const value = settings[field];
    if (value !== undefined) values[field] = Array.isArray(value) ? value.join("\n") : String(value);
  }
  return values;
}

/** A whole number, with or without marks between its thousands: 1,000 and 1.000 and 1 000 are all a thousand. */
const whole = /^(?:\d+|[1-9]\d{0,2}([,.'’_]|\s)\d{3}(?:\1\d{3})*)$/;
/** A small number with or without a fraction, behind a point or a comma. */
const decimal = /^(?:\d+|\d*[.,]\d+)$/;

/**
 * What a field means as typed; undefined if it is empty. What is no number where there must be one stays a text, and
 * is refused: a mark that does not part whole thousands is never taken out of a length, since 1.5 is not 15.
 */
function meaningOf(field: SettingsField, typed: string): unknown {
  const text = typed.replace(/\r\n?/g, "\n").replaceAll("\0", "").toWellFormed();
  const plain = text.trim();
  if (plain === "") return undefined;
  switch (field) {
    case "stopSequences":
    case "chosenNotes":
      return text.split("\n").filter((line) => line !== "");
    case "maxTokens":
    case "historyLength":
      return whole.test(plain) ? Number(plain.replace(/\D/g, "")) : plain;
    case "temperature":
    case "topP":
      return decimal.test(plain) ? Number(plain.replace(",", ".")) : plain;
    case "systemPrompt":
      return text;
    default:
      return plain;
  }
}

/** What one field means as typed, or what is wrong with it, whatever the model. Neither: it is empty. */
export function fieldOf<Field extends SettingsField>(
  field: Field,
  typed: string,
): { value?: ThreadSettings[Field]; problem?: string } {
  const meaning = meaningOf(field, typed);
  if (meaning === undefined) return {};
  const parsed = threadSettings.shape[field].safeParse(meaning);
  return parsed.success ? { value: parsed.data as ThreadSettings[Field] } : { problem: problems[field] };
}

/** The settings that the fields mean, or what is wrong where. Fields that are none are not looked at. */
export function readSettingsForm(
  form: Record<string, unknown>,
): { settings: ThreadSettings } | { errors: Partial<Record<SettingsField, string>> } {
  const settings: Record<string, unknown> = {};
  const errors: Partial<Record<SettingsField, string>> = {};
  for (const field of settingsFields) {
    const typed = form[field];
    if (typeof typed !== "string" || (field === "chosenNotes" && settings.notes !== "chosen")) continue;
    const { value, problem } = fieldOf(field, typed);
    if (problem !== undefined) errors[field] = problem;
    else if (value !== undefined) settings[field] = value;
  }
  if (settings.notes === "all") delete settings.notes;
  return Object.keys(errors).length > 0 ? { errors } : { settings: settings as ThreadSettings };
}
