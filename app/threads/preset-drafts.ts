/**
 * What this browser keeps of the forms of the defaults and of presets until they are saved: by person and form, so that
 * whoever signs in next on this machine is shown nothing of it. It lies under the same prefix as a thread's drafts and
 * is taken away with those at sign-out.
 */
import type { SettingsValues } from "./settings-form";

/** A form, as far as it was written. */
export interface KeptForm {
  name: string;
  values: SettingsValues;
  /** What it was made from. */
  revision: number;
  /** The id that a new preset will have: saved twice, it is one preset. */
  presetId?: string;
}

const keyOf = (userId: string, place: string): string => `sidenote/${userId}/preset/${place}`;

function isKept(value: unknown): value is KeptForm {
  const { name, values, revision } = (value ?? {}) as Partial<KeptForm>;
  const words: unknown[] = [name, ...Object.values(values ?? {})];
  return words.every((word) => typeof word === "string") && typeof revision === "number";
}

/** The kept words of a form; `place` is `defaults`, `new`, or a preset's id. */
export function readKeptForm(userId: string, place: string): KeptForm | undefined {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(keyOf(userId, place)) ?? "null");
    return isKept(value) ? { ...value, values: value.values ?? {} } : undefined;
  } catch {
    // A browser may forbid its storage, and anybody may write nonsense into it: then nothing was kept.
    return undefined;
  }
}

/** Keeps the words, or forgets them. */
export function keepForm(userId: string, place: string, form: KeptForm | undefined): void {
  try {
    if (form) localStorage.setItem(keyOf(userId, place), JSON.stringify(form));
    else localStorage.removeItem(keyOf(userId, place));
  } catch {
    // Then they live as long as the page does.
  }
}
