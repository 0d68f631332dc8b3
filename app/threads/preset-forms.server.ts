/**
 * What the plain forms of the defaults and of presets do: save, delete, and bring a deleted one back. Whatever goes
 * wrong, the answer gives the person's words back, since without a script the browser has forgotten them. Of a deleted
 * preset nothing is kept: the answer holds it whole, and Undo sends it back.
 */
import { data, redirect } from "@remix-run/node";
import { type Preferences, preferencesChange, presetName, presetSettings } from "~/ai/preferences";
import { PublicError } from "~/errors";
import { checked, publicError, readForm } from "~/http.server";
import { changePreferences, getPreferences } from "./preferences.server";
import { readSettingsForm, type SettingsField, type SettingsValues, settingsFields, valuesOf } from "./settings-form";

/** What the page of a preset is told about its form. */
export interface PresetAnswer {
  /** It was deleted just now; `undo` is what brings it back. */
  deleted?: { name: string; undo: string };
  /** What is wrong, at its field or with the whole form. */
  refused?: Partial<Record<SettingsField | "name" | "form", string>>;
  /** The words that were not saved. */
  name?: string;
  values?: SettingsValues;
  /** What stands there now, if that is not what the form was made from. */
  revision?: number;
  /** The preset is not there any more: saving makes it anew. */
  gone?: boolean;
}

const after = () => redirect("/settings#new-threads");

/** Answers with what is wrong, and with the words; an error that is no PublicError is an outage, or a bug. */
function refuse(error: unknown, words: Omit<PresetAnswer, "refused" | "deleted">) {
  const { code, status, message, details } = publicError(error, "presets");
  if (code === "conflict") {
    const form = "This changed elsewhere meanwhile. Your words are still here: save again to keep them.";
    const { revision } = details.preferences as Preferences;
    return data<PresetAnswer>({ ...words, refused: { form }, revision }, { status });
  }
  const refused = { [code === "bad-request" ? "name" : "form"]: message };
  return data<PresetAnswer>({ ...words, gone: words.gone || code === "not-found", refused }, { status });
}

async function deletePreset(userId: string, presetId: string, words: { name: string; values: SettingsValues }) {
  try {
    const { presets } = await getPreferences(userId);
    const at = presets.findIndex((one) => one.presetId === presetId);
    const preset = presets[at];
    if (!preset) return data<PresetAnswer>({ gone: true }, { status: 404 });
    await changePreferences(userId, { kind: "delete", presetId });
    return data<PresetAnswer>({ deleted: { name: preset.name, undo: JSON.stringify({ ...preset, at }) } });
  } catch (error) {
    return refuse(error, words);
  }
}

async function restorePreset(userId: string, presetId: string, undo: unknown) {
  let given: unknown;
  try {
    given = JSON.parse(String(undo));
  } catch (error) {
    throw new PublicError("bad-request", { cause: error });
  }
  const change = checked({ ...(given as object), kind: "add", presetId }, preferencesChange);
  if (change.kind !== "add") throw new PublicError("bad-request");
  try {
    await changePreferences(userId, change);
    return after();
  } catch (error) {
    return refuse(error, { name: change.name, values: valuesOf(change.settings), gone: true });
  }
}

/** Answers a form that was posted to `place`: `defaults`, `new`, or the id of a preset. */
export async function answerPresetForm(userId: string, place: string, request: Request) {
  const form = await readForm(request);
  const values: SettingsValues = {};
  for (const field of settingsFields) if (typeof form[field] === "string") values[field] = form[field];
  const name = typeof form.name === "string" ? form.name : "";
  const isPreset = place !== "defaults" && place !== "new";
  if (isPreset && form.intent === "delete") return deletePreset(userId, place, { name, values });
  if (isPreset && form.intent === "restore") return restorePreset(userId, place, form.undo);

  const gone = isPreset && form.gone !== undefined;
  const words = { name, values, gone };
  const read = readSettingsForm(form);
  const named = place === "defaults" ? undefined : presetName.safeParse(name);
  const refused: PresetAnswer["refused"] = { ...("errors" in read ? read.errors : {}) };
  if (named && !named.success) refused.name = named.error.issues[0]?.message ?? "A preset needs a name.";
  if ("settings" in read) {
    const bounded = presetSettings.safeParse(read.settings);
    if (!bounded.success) refused.systemPrompt = bounded.error.issues[0]?.message ?? "This is too long.";
  }
  if ("errors" in read || Object.keys(refused).length > 0)
    return data<PresetAnswer>({ ...words, refused }, { status: 400 });

  const revision = Number(form.revision) || 0;
  const { settings } = read;
  const preset = { name: named?.data ?? "", settings };
  try {
    if (place === "defaults") await changePreferences(userId, { kind: "defaults", revision, settings });
    else if (place === "new" || gone) {
      // The id of a new one comes with its page, so that a form which is sent twice makes one preset.
      const presetId = gone ? place : form.presetId;
      await changePreferences(userId, checked({ kind: "add", presetId, ...preset }, preferencesChange));
    } else {
      const { presets } = await getPreferences(userId);
      if (!presets.some((one) => one.presetId === place)) {
        const form = "This preset was deleted meanwhile. Your words are still here: save again to keep them.";
        return data<PresetAnswer>({ ...words, gone: true, refused: { form } }, { status: 404 });
      }
      await changePreferences(userId, { kind: "replace", revision, presetId: place, ...preset });
    }
    return after();
  } catch (error) {
    return refuse(error, words);
  }
}
