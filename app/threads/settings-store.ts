/**
 * The settings of threads as this tab shows them: those that the page's data has, and over them what the person
 * changed and the server has not confirmed. Changes show at once and are saved a moment later, each by its name, so
 * that another tab's changes stay. Until they are saved they are kept in the browser, over reloads, and nothing
 * goes out from their thread: a message never leaves with other settings than the person sees.
 */
import { useMemo, useSyncExternalStore } from "react";
import type { SettingsChange, ThreadSettings } from "~/ai/settings";
import { changeBetween, joinChanges, restOf, withChange } from "~/ai/settings-change";
import type { ErrorCode } from "~/errors";
import { useBrowserLayoutEffect } from "~/ui/layout-effect";
import { type Kept, kept, NEW } from "./kept";

/** Why settings could not be saved; without a code the server could not be reached. */
export interface SaveRefusal {
  code?: ErrorCode;
  message?: string;
}

interface Stored {
  settings: ThreadSettings;
  settingsRevision: number;
}

export interface ShownSettings {
  value: ThreadSettings;
  /** Whether they may be others than the page's data says. */
  own: boolean;
  /** Why the last change is not saved, as a sentence. */
  problem: string | undefined;
}

interface Surroundings {
  post(threadId: string, change: SettingsChange): Promise<Response>;
  kept: Pick<Kept, "readSettings" | "writeSettings">;
  online(): boolean;
  /** Calls back whenever trying again at once makes sense, or the page is left. */
  onWake(wake: () => void): void;
}

const browser = (): Surroundings => ({
  post(threadId, change) {
    const body = JSON.stringify(change);
    return fetch(`/threads/${threadId}/settings`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      // Browsers refuse to keep more than 64 KB alive, in bytes and over all requests.
      keepalive: body.length < 20_000,
      signal: AbortSignal.timeout(SAVE_WITHIN),
    });
  },
  kept,
  online: () => navigator.onLine,
  onWake(wake) {
    window.addEventListener("online", wake);
    window.addEventListener("pagehide", wake);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  },
});

/** In ms: after the last change; the longest that a save may take. */
const SAVE_AFTER = 300;
const SAVE_WITHIN = 15_000;

interface Entry {
  userId: string;
  stored: Stored;
  /** The revision that the page's data has. */
  given: number;
  unsaved: SettingsChange | undefined;
  problem: string | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  saving: Promise<SaveRefusal | undefined> | undefined;
  shown: ShownSettings;
}

const nothing: ShownSettings = { value: {}, own: false, problem: undefined };

export function createSettings(lent?: Surroundings) {
  const entries = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  let given = lent;
  let listening = false;
  /** The thread that was made of what was new, while its page is still that of a new one. */
  let made: string | undefined;

  const placeOf = (place: string): string => (place === NEW ? (made ?? NEW) : place);

  function surroundings(): Surroundings {
    given ??= browser();
    if (!listening) {
      listening = true;
      given.onWake(() => {
        for (const [place, entry] of entries) if (entry.unsaved) void flush(place);
      });
    }
    return given;
  }

  function show(place: string, entry: Entry): void {
    const { stored, unsaved, problem } = entry;
    const value = unsaved ? withChange(stored.settings, unsaved) : stored.settings;
    const own = unsaved !== undefined || stored.settingsRevision > entry.given;
    const before = entry.shown;
    if (
      before.problem === problem &&
      before.own === own &&
      (before.value === value || !changeBetween(before.value, value))
    )
      return;
    entry.shown = { value: changeBetween(before.value, value) ? value : before.value, own, problem };
    if (entries.get(place) === entry) for (const listener of listeners) listener();
  }

  function keep(place: string, entry: Entry, unsaved: SettingsChange | undefined): void {
    entry.unsaved = unsaved;
    if (place !== NEW) surroundings().kept.writeSettings(entry.userId, place, unsaved);
  }

  async function save(place: string, entry: Entry): Promise<SaveRefusal | undefined> {
    const sent = entry.unsaved;
    if (!sent) return undefined;
    const { post, online } = surroundings();
    let refusal: SaveRefusal;
    try {
      const response = await post(place, sent);
      const body = (await response.json()) as Stored & { error?: { code: ErrorCode; message: string } };
      if (response.ok) {
        entry.stored = { settings: body.settings, settingsRevision: body.settingsRevision };
        // What was changed while it was on its way is still to be saved.
        const rest = entry.unsaved && restOf(entry.unsaved, sent);
        keep(place, entry, rest);
        entry.problem = undefined;
        show(place, entry);
        return rest ? save(place, entry) : undefined;
      }
      refusal = body.error ?? {};
    } catch {
      refusal = {};
    }
    const { code, message } = refusal;
    if (code === "bad-request" || code === "not-found") {
      // It would be refused for ever: what is stored is shown, and a deleted thread says so by itself. What was changed
      // while it was on its way stays, and is saved by itself.
      keep(place, entry, code === "bad-request" ? entry.unsaved && restOf(entry.unsaved, sent) : undefined);
      entry.problem = code === "bad-request" ? `Not saved. ${message ?? ""}`.trim() : undefined;
    } else
      entry.problem = online()
        ? "Not saved yet. It is kept here and tried again."
        : "Not saved yet: you are offline. It is kept here.";
    show(place, entry);
    return code === "not-found" ? undefined : refusal;
  }

  function flush(place: string): Promise<SaveRefusal | undefined> | undefined {
    const entry = entries.get(place);
    if (!entry || place === NEW) return undefined;
    clearTimeout(entry.timer);
    entry.timer = undefined;
    if (!entry.unsaved) return undefined;
    // One after the other: the last change must be the last to arrive.
    const saving = (entry.saving ?? Promise.resolve(undefined)).then(() => save(place, entry));
    entry.saving = saving;
    void saving.finally(() => {
      if (entry.saving === saving) entry.saving = undefined;
    });
    return saving;
  }

  function entryOf(place: string, userId: string, stored: Stored): Entry {
    const known = entries.get(place);
    if (known && known.userId === userId) return known;
    clearTimeout(known?.timer);
    const unsaved = place === NEW ? undefined : surroundings().kept.readSettings(userId, place);
    const entry: Entry = {
      userId,
      stored,
      given: stored.settingsRevision,
      unsaved,
      problem: undefined,
      timer: undefined,
      saving: undefined,
      shown: nothing,
    };
    entries.set(place, entry);
    show(place, entry);
    if (unsaved) void flush(place);
    return entry;
  }

  return {
    subscribe(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    /** As they are shown; undefined before {@link sync}. The same object until something changes. */
    get: (place: string): ShownSettings | undefined => entries.get(placeOf(place))?.shown,

    /** Takes what the page's data says. `place`: a thread's id, or NEW with the person's defaults. */
    sync(place: string, userId: string, stored: Stored): void {
      if (place === NEW) made = undefined;
      const entry = entryOf(place, userId, stored);
      entry.given = stored.settingsRevision;
      if (stored.settingsRevision >= entry.stored.settingsRevision) entry.stored = stored;
      show(place, entry);
    },

    /** Changes them as the person sees them at this moment. */
    change(shownAt: string, next: (before: ThreadSettings) => ThreadSettings): void {
      const place = placeOf(shownAt);
      const entry = entries.get(place);
      if (!entry) return;
      const change = changeBetween(entry.shown.value, next(entry.shown.value));
      if (!change) return;
      keep(place, entry, entry.unsaved ? joinChanges(entry.unsaved, change) : change);
      show(place, entry);
      clearTimeout(entry.timer);
      if (place !== NEW) entry.timer = setTimeout(() => void flush(place), SAVE_AFTER);
    },

    /**
     * Saves what is not saved yet, before something goes out from the thread. Undefined: all is. Resolves to why it
     * was not, if it was not.
     */
    flush,

    /** What was chosen for a thread to come; undefined: nothing, so it begins with the person's defaults. */
    ownOfNew(): ThreadSettings | undefined {
      const entry = entries.get(NEW);
      return entry?.unsaved && entry.shown.value;
    },

    /**
     * A first message made a thread of what was new, with these settings: what was changed since goes there, and so
     * does what is changed until the thread's own page has come.
     */
    adopt(threadId: string, sent: ThreadSettings | undefined): void {
      const chosen = entries.get(NEW);
      if (!chosen) return;
      entries.delete(NEW);
      const stored = { settings: sent ?? chosen.stored.settings, settingsRevision: 0 };
      const entry = { ...chosen, stored };
      entries.set(threadId, entry);
      made = threadId;
      keep(threadId, entry, chosen.unsaved && changeBetween(stored.settings, chosen.shown.value));
      show(threadId, entry);
      void flush(threadId);
    },
  };
}

/** The store of this tab. */
export const threadSettings = createSettings();

const untouched: ThreadSettings = {};

/**
 * The settings of a thread's page, or with `defaults` of one to come, and how they are changed.
 * @param view the page's data; null for a new thread
 */
export function useThreadSettings(
  userId: string,
  view: { thread: { threadId: string } & Stored } | null,
  defaults: ThreadSettings = untouched,
): ShownSettings & { change(next: (before: ThreadSettings) => ThreadSettings): void; now(): ThreadSettings } {
  const place = view?.thread.threadId ?? NEW;
  const stored = useMemo(
    () =>
      view
        ? { settings: view.thread.settings, settingsRevision: view.thread.settingsRevision }
        : { settings: defaults, settingsRevision: 0 },
    [view, defaults],
  );
  useBrowserLayoutEffect(() => threadSettings.sync(place, userId, stored), [place, userId, stored]);
  const shown = useSyncExternalStore(
    threadSettings.subscribe,
    () => threadSettings.get(place),
    () => undefined,
  );
  const { change, now } = useMemo(
    () => ({
      change: (next: (before: ThreadSettings) => ThreadSettings) => threadSettings.change(place, next),
      now: () => threadSettings.get(place)?.value ?? untouched,
    }),
    [place],
  );
  return { ...(shown ?? { value: stored.settings, own: false, problem: undefined }), change, now };
}
