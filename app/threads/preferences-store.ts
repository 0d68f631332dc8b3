/** The person's defaults and presets, as this tab knows them: read when they are first shown, and after each change. */
import { useEffect, useSyncExternalStore } from "react";
import type { Preferences, PreferencesChange } from "~/ai/preferences";

interface State {
  preferences?: Preferences;
  /** Why they are not there, or the last change was not made, as a sentence. */
  problem?: string;
}

let state: State = {};
const listeners = new Set<() => void>();

function put(next: State): void {
  state = next;
  for (const listener of listeners) listener();
}

interface Refused {
  error?: { message?: string; preferences?: Preferences };
}

async function call(change?: PreferencesChange): Promise<boolean> {
  try {
    const response = await fetch(
      "/preferences",
      change && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(change) },
    );
    if (response.ok) {
      put({ preferences: (await response.json()) as Preferences });
      return true;
    }
    const { error } = (await response.json()) as Refused;
    const preferences = error?.preferences ?? state.preferences;
    put({ ...(preferences && { preferences }), problem: error?.message ?? "Your presets could not be read." });
  } catch {
    put({ ...state, problem: navigator.onLine ? "Sidenote cannot be reached." : "You are offline." });
  }
  return false;
}

/** Makes a change; false: it was refused, and `problem` says why. */
export const changePreferences = (change: PreferencesChange): Promise<boolean> => call(change);

export function usePreferences(): State {
  useEffect(() => void call(), []);
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => state,
    () => state,
  );
}
