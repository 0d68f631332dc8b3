/**
 * A person's defaults and presets, as this tab knows them: read when they are first shown, and after each change.
 * Calls may be answered in any order: of two answers the one with the higher revision is the newer, and what is said
 * to be wrong is what the call said that was made last. What belongs to one person is never shown to another, who may
 * have signed in on this very page.
 */
import { useCallback, useEffect, useSyncExternalStore } from "react";
import type { Preferences, PreferencesChange } from "~/ai/preferences";

export interface PreferencesState {
  preferences?: Preferences;
  /** Why they are not there, or the last change was not made, as a sentence. */
  problem?: string;
}

interface Surroundings {
  /** Reads the preferences, or makes a change. */
  ask(change: PreferencesChange | undefined): Promise<Response>;
  isOnline(): boolean;
}

const browser: Surroundings = {
  ask: (change) =>
    fetch(
      "/preferences",
      change && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(change) },
    ),
  isOnline: () => navigator.onLine,
};

interface Refused {
  error?: { message?: string; preferences?: Preferences };
}

const nothing: PreferencesState = {};

/** One tab's knowledge of one person at a time: whoever is asked about takes the place of the one before. */
export function createPreferencesStore({ ask, isOnline }: Surroundings = browser) {
  const listeners = new Set<() => void>();
  let owner: string | undefined;
  let state = nothing;
  /** Counts the calls, and which of those that were answered was made last. */
  let made = 0;
  let answered = 0;

  function put(next: PreferencesState): void {
    state = next;
    for (const listener of listeners) listener();
  }

  /** Takes an answer's preferences unless newer ones are known, and what it says is wrong unless a later call said so. */
  function learn(call: number, heard: Preferences | undefined, wrong: string | undefined): void {
    const known = state.preferences;
    const preferences = heard && (!known || heard.revision >= known.revision) ? heard : known;
    const problem = call > answered ? wrong : state.problem;
    answered = Math.max(answered, call);
    put({ ...(preferences && { preferences }), ...(problem !== undefined && { problem }) });
  }

  async function call(userId: string, change?: PreferencesChange): Promise<boolean> {
    if (owner !== userId) {
      owner = userId;
      put(nothing);
    }
    made += 1;
    const mine = made;
    let heard: Preferences | undefined;
    let wrong: string | undefined;
    try {
      const response = await ask(change);
      const body: unknown = await response.json();
      if (response.ok) heard = body as Preferences;
      else {
        const { error } = body as Refused;
        heard = error?.preferences;
        wrong = error?.message ?? "Your presets could not be read.";
      }
    } catch {
      wrong = isOnline() ? "Sidenote cannot be reached." : "You are offline.";
    }
    if (owner === userId) learn(mine, heard, wrong);
    return wrong === undefined;
  }

  return {
    subscribe(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get: (userId: string): PreferencesState => (owner === userId ? state : nothing),
    read: (userId: string): Promise<boolean> => call(userId),
    /** Makes a change; false: it was refused, and `problem` says why. */
    change: (userId: string, change: PreferencesChange): Promise<boolean> => call(userId, change),
  };
}

const store = createPreferencesStore();

/** What this person prefers, read again whenever it is shown anew, and how it is changed. */
export function usePreferences(
  userId: string,
): PreferencesState & { change(change: PreferencesChange): Promise<boolean> } {
  useEffect(() => void store.read(userId), [userId]);
  const state = useSyncExternalStore(
    store.subscribe,
    () => store.get(userId),
    () => nothing,
  );
  const change = useCallback((change: PreferencesChange) => store.change(userId, change), [userId]);
  return { ...state, change };
}
