/**
 * Settings as a plain form writes them, for the defaults and presets: a field that is empty is a setting that nobody
 * changed. Shared by the page and the server.
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

const numbers = new Set<SettingsField>(["temperature", "topP", "maxTokens", "historyLength"]);

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

/** A number as people write it: 1,000 and 1 000 are a thousand. What is none stays a text, and is refused. */
function numberOf(text: string): unknown {
  const plain = text.replace(/[\s_']|,(?=\d{3}\b)/g, "").replace(/^(\d+),(\d{1,2})$/, "$1.$2");
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : text;
}

/** The settings that the fields mean, or what is wrong where. Fields that are none are not looked at. */
export function settingsOf(
  form: Record<string, unknown>,
): { settings: ThreadSettings } | { errors: Partial<Record<SettingsField, string>> } {
  const read: Record<string, unknown> = {};
  for (const field of settingsFields) {
    const given = form[field];
    if (typeof given !== "string" || given.trim() === "") continue;
    const text = given.replace(/\r\n?/g, "\n").replaceAll("\0", "").toWellFormed();
    if (field === "stopSequences") read[field] = text.split("\n").filter((line) => line !== "");
    else if (field === "chosenNotes") read[field] = text.split("\n").filter((line) => line !== "");
    else if (numbers.has(field)) read[field] = numberOf(text.trim());
    else read[field] = field === "systemPrompt" ? text : text.trim();
  }
  if (read.notes === "all") delete read.notes;
  if (read.notes !== "chosen") delete read.chosenNotes;
  const parsed = threadSettings.safeParse(read);
  if (parsed.success) return { settings: parsed.data };
  const errors: Partial<Record<SettingsField, string>> = {};
  for (const { path } of parsed.error.issues) {
    const field = path[0] as SettingsField;
    errors[field] ??= problems[field];
  }
  return { errors };
}
