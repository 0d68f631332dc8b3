/**
 * What a person prefers: the settings that their new threads begin with, and presets, which are settings under a name.
 * Kept small, since both stand on one item that is read whenever a thread is made. Shared by the page and the server.
 */
import { z } from "zod";
import { threadSettings } from "./settings";

export const presetLimits = {
  /** How many. */
  count: 20,
  /** Bytes of UTF-8, of one preset's or the defaults' settings. */
  settings: 16 * 1024,
  /** Bytes of all together. */
  all: 200 * 1024,
  name: 80,
} as const;

const encoder = new TextEncoder();
/** The size of a value as it is stored, in bytes, as JSON counts them. */
export const bytesOf = (value: unknown): number => encoder.encode(JSON.stringify(value)).length;

export const presetName = z
  .string()
  .transform((name) =>
    name
      .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
      .trim()
      .toWellFormed(),
  )
  .pipe(
    z
      .string()
      .min(1, "A preset needs a name.")
      .max(presetLimits.name, `A name has at most ${presetLimits.name} characters.`),
  );

export const presetSettings = threadSettings.refine(
  (settings) => bytesOf(settings) <= presetLimits.settings,
  `Settings that are kept have at most ${presetLimits.settings / 1024} KB. A shorter system prompt fits.`,
);

const presetId = z.string().regex(/^[A-Za-z0-9_-]{8,32}$/, "This is not a preset.");

export const preset = z.strictObject({ presetId, name: presetName, settings: presetSettings });
export type Preset = z.infer<typeof preset>;

export const preferences = z.strictObject({
  /** Counts the changes, from 1; 0: never changed. */
  revision: z.int().min(0),
  /** What new threads begin with. */
  defaults: presetSettings,
  presets: z.array(preset).max(presetLimits.count),
});
export type Preferences = z.infer<typeof preferences>;

export const noPreferences: Preferences = { revision: 0, defaults: {}, presets: [] };

/**
 * One change. `revision`: what the person had before them. Without it the change is one that takes nothing from
 * anybody, such as one more preset, and is made on whatever stands there now.
 */
export const preferencesChange = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("defaults"), revision: z.int().min(0), settings: presetSettings }),
  z.strictObject({
    kind: z.literal("add"),
    presetId,
    name: presetName,
    settings: presetSettings,
    /** Where it stands among the others; at their end by default. */
    at: z.int().min(0).optional(),
  }),
  z.strictObject({
    kind: z.literal("replace"),
    revision: z.int().min(0),
    presetId,
    name: presetName,
    settings: presetSettings,
  }),
  z.strictObject({ kind: z.literal("delete"), presetId }),
]);
export type PreferencesChange = z.infer<typeof preferencesChange>;

/** Why a change cannot be made, as a sentence, and what of it. */
export interface Refused {
  reason: "conflict" | "gone" | "too-large" | "name";
  message: string;
}

/** The preferences after a change; the same object if it changes nothing. */
export function changed(before: Preferences, change: PreferencesChange): Preferences | Refused {
  if ("revision" in change && change.revision !== before.revision)
    return {
      reason: "conflict",
      message: "Your presets changed elsewhere. They are shown as they are now; yours were not saved.",
    };
  const others = before.presets.filter((other) => !("presetId" in change) || other.presetId !== change.presetId);
  const known = others.length < before.presets.length;
  let next: Preferences;
  switch (change.kind) {
    case "defaults":
      next = { ...before, defaults: change.settings };
      break;
    case "delete":
      if (!known) return { reason: "gone", message: "This preset was deleted." };
      next = { ...before, presets: others };
      break;
    case "add":
      // A repeat of a request that went in already.
      if (known) return before;
      next = before;
      break;
    case "replace":
      if (!known) return { reason: "gone", message: "This preset was deleted." };
      next = before;
  }
  if (change.kind === "add" || change.kind === "replace") {
    const { presetId: id, name, settings } = change;
    if (others.some((other) => other.name.toLowerCase() === name.toLowerCase()))
      return { reason: "name", message: `There is a preset called “${name}” already.` };
    if (others.length >= presetLimits.count)
      return { reason: "too-large", message: `There are at most ${presetLimits.count} presets. Delete one first.` };
    const put = { presetId: id, name, settings };
    next = {
      ...before,
      presets: known
        ? before.presets.map((other) => (other.presetId === id ? put : other))
        : others.toSpliced((change.kind === "add" ? change.at : undefined) ?? others.length, 0, put),
    };
  }
  if (bytesOf(next) > presetLimits.all)
    return {
      reason: "too-large",
      message: `All presets together have at most ${presetLimits.all / 1024} KB. Delete one, or shorten one.`,
    };
  return { ...next, revision: before.revision + 1 };
}
