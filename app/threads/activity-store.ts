/**
 * Which threads are answering and which have unread answers, as this tab knows it. The server's word comes from the
 * shell's loader and from GET /activity; what this tab did itself counts at once, and holds until an answer that was
 * asked for later says otherwise, so that a slow poll cannot undo it. On the server there is no store, only what the
 * loader gave: a module there is shared by everybody.
 */
import { useRouteLoaderData } from "@remix-run/react";
import { useSyncExternalStore } from "react";
import type { ActivityView } from "./view";

type Live = ActivityView["live"][string];

/** What this tab did to a thread: its live run, or null for none; `seen` if its answer was looked at. */
interface Mark {
  at: number;
  live?: Live | null;
  seen?: true;
}

const nothing: ActivityView = { live: {}, unread: {} };

/** One tab's knowledge. Times are milliseconds since the epoch. */
export function createActivityStore(now: () => number = Date.now) {
  let told: ActivityView | undefined;
  let marks = new Map<string, Mark>();
  let view: ActivityView | undefined;
  const listeners = new Set<() => void>();

  function refresh() {
    if (told || marks.size > 0) {
      const live = { ...told?.live };
      const unread = { ...told?.unread };
      for (const [threadId, mark] of marks) {
        if (mark.live) live[threadId] = mark.live;
        if (mark.live === null) delete live[threadId];
        if (mark.live || mark.seen) delete unread[threadId];
      }
      view = { live, unread };
    } else view = undefined;
    for (const listener of listeners) listener();
  }
  function mark(threadId: string, change: Omit<Mark, "at">) {
    marks.set(threadId, { ...marks.get(threadId), ...change, at: now() });
    refresh();
  }

  return {
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get: () => view,
    /** What the server said to a question asked at `askedAt`. */
    tell(activity: ActivityView, askedAt: number) {
      told = activity;
      marks = new Map([...marks].filter(([, { at }]) => at >= askedAt));
      refresh();
    },
    noteRunStarted: (threadId: string, runId: string) => mark(threadId, { live: { runId, since: now() } }),
    noteRunEnded: (threadId: string) => mark(threadId, { live: null }),
    noteSeen: (threadId: string) => mark(threadId, { seen: true }),
    /** Forgets everything; for the end of a session in this tab. */
    forget() {
      told = undefined;
      marks = new Map();
      refresh();
    },
  };
}

export const activityStore = createActivityStore();

/** This tab started or joined a run of the thread. */
export const noteRunStarted = activityStore.noteRunStarted;
/** This tab saw the end of the thread's run. */
export const noteRunEnded = activityStore.noteRunEnded;
/** The person has the thread's newest answer before their eyes. */
export const noteSeen = activityStore.noteSeen;

/** Which threads are answering, and which have unread answers; follows every change. */
export function useActivity(): ActivityView {
  const loaded = (useRouteLoaderData("routes/_app") as { activity?: ActivityView } | undefined)?.activity ?? nothing;
  return useSyncExternalStore(
    activityStore.subscribe,
    () => activityStore.get() ?? loaded,
    () => loaded,
  );
}
