/**
 * Changes of settings by name, so that two tabs that change different ones do not undo each other. Without the schema,
 * which no page needs on its first load.
 */
import type { SettingName, SettingsChange, ThreadSettings } from "./settings";

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const namesOf = (settings: ThreadSettings): SettingName[] =>
  (Object.keys(settings) as SettingName[]).filter((name) => settings[name] !== undefined);

const only = (settings: ThreadSettings, wanted: (name: SettingName) => boolean): ThreadSettings =>
  Object.fromEntries(
    namesOf(settings)
      .filter(wanted)
      .map((name) => [name, settings[name]]),
  );

const orNothing = (change: SettingsChange): SettingsChange | undefined =>
  namesOf(change.set).length > 0 || change.unset.length > 0 ? change : undefined;

/** What leads from one state of the settings to another; undefined if they are the same. */
export const changeBetween = (before: ThreadSettings, after: ThreadSettings): SettingsChange | undefined =>
  orNothing({
    set: only(after, (name) => !isSame(after[name], before[name])),
    unset: namesOf(before).filter((name) => after[name] === undefined),
  });

/** The settings after a change. */
export const withChange = (settings: ThreadSettings, { set, unset }: SettingsChange): ThreadSettings => ({
  ...only(settings, (name) => !unset.includes(name)),
  ...set,
});

/** The settings once a change is taken back that led from one state to another: all that it did not touch stays. */
export function takenBack(settings: ThreadSettings, before: ThreadSettings, after: ThreadSettings): ThreadSettings {
  const back = changeBetween(after, before);
  return back ? withChange(settings, back) : settings;
}

/** Two changes as one: where both name a setting, the later one counts. */
export const joinChanges = (earlier: SettingsChange, later: SettingsChange): SettingsChange => ({
  set: withChange(earlier.set, later),
  unset: [
    ...earlier.unset.filter((name) => later.set[name] === undefined && !later.unset.includes(name)),
    ...later.unset,
  ],
});

/** What of a change is not in another one that was made already; undefined if all is. */
export const restOf = (change: SettingsChange, made: SettingsChange): SettingsChange | undefined =>
  orNothing({
    set: only(change.set, (name) => !isSame(change.set[name], made.set[name])),
    unset: change.unset.filter((name) => !made.unset.includes(name)),
  });
