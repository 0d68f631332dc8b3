/**
 * The thread list as this tab holds it: the pages that were loaded, what the person changed and the server has not
 * confirmed yet, threads that are on their way out, and what GET /activity says about all of them. Changes show at
 * once and are taken back visibly if they fail. A delete is sent when its undo runs out, when the page is left, or
 * before signing out; its answer is final.
 */
import { useLocation, useNavigate, useRevalidator } from "@remix-run/react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { showToast } from "~/ui/toast";
import { activityStore, useActivity } from "./activity-store";
import { compareThreads, isOutdated, joinFirstPage, joinNextPage, type ThreadPage } from "./thread-groups";
import type { ActivityView, ThreadCard } from "./view";

/** How long a deleted thread can be taken back, in milliseconds. */
export const UNDO = 8_000;
/** How often the activity is asked for, in milliseconds: while a thread answers, and otherwise. */
const OFTEN = 3_000;
const SELDOM = 15_000;

type Change = Partial<Pick<ThreadCard, "title" | "pinned">>;

export interface ThreadList {
  threads: ThreadCard[];
  /** The thread on screen. */
  currentId: string | undefined;
  /** Deleted, and still to be taken back. */
  leaving: ReadonlySet<string>;
  hasMore: boolean;
  /** The last attempt to load more failed. */
  stuck: boolean;
  /** While the server cannot be reached: when it last could, in milliseconds since the epoch. */
  staleSince: number | undefined;
  /** What a screen reader is told. */
  news: string;
  loadMore(): void;
  rename(threadId: string, title: string): void;
  pin(threadId: string, pinned: boolean): void;
  remove(threadId: string): void;
  undo(threadId: string): void;
  /** Sends the deletes that still wait; before the session ends. Undefined if there are none. */
  flush(): Promise<unknown> | undefined;
}

const Context = createContext<ThreadList | undefined>(undefined);

/** The thread list; only inside the shell. */
export function useThreadList(): ThreadList {
  const list = useContext(Context);
  if (!list) throw new Error("The thread list exists only inside the shell");
  return list;
}

/** Whether the list is on screen: as a column, or as an open drawer. */
export const isListInSight = (): boolean => (document.getElementById("threads")?.getClientRects().length ?? 0) > 0;

type Outcome = "done" | "gone" | "failed";

/**
 * Posts to the thread's page. Asked for as data, Remix runs the action alone and renders no page. It outlives the page:
 * what was changed just before a reload or a closed tab is changed.
 */
export async function post(threadId: string, fields: Record<string, string>): Promise<Outcome> {
  const body = new URLSearchParams(fields);
  try {
    const response = await fetch(`/threads/${threadId}.data`, { method: "POST", body, keepalive: true });
    // Read in every case: a body that nobody reads keeps its connection.
    const answer = await response.text();
    if (response.status === 404) return "gone";
    // A redirect comes as 202 with the place in its body: here it can only be the page for signing in.
    if (response.status === 202 && answer.includes("/sign-in")) {
      window.location.assign(`/sign-in?redirectTo=${encodeURIComponent(window.location.pathname)}`);
      return "failed";
    }
    return response.ok ? "done" : "failed";
  } catch {
    return "failed";
  }
}

/** Whatever went wrong, it is one of two things to a person. */
const because = () => (navigator.onLine ? "Try again." : "You are offline.");

/** A page of the list; undefined if it could not be had. */
async function fetchPage(cursor?: string): Promise<ThreadPage | undefined> {
  try {
    const response = await fetch(cursor ? `/threads?cursor=${encodeURIComponent(cursor)}` : "/threads");
    const body: unknown = await response.json();
    return response.ok ? (body as ThreadPage) : undefined;
  } catch {
    return undefined;
  }
}

/** @param props.page the first page, as the shell's loader gave it; a new object is fresh data */
export function ThreadListProvider({ page, children }: { page: ThreadPage; children: ReactNode }) {
  const [given, setGiven] = useState(page);
  const [shown, setShown] = useState(page);
  const [changes, setChanges] = useState<ReadonlyMap<string, Change>>(new Map());
  const [leaving, setLeaving] = useState<ReadonlySet<string>>(new Set());
  const [stuck, setStuck] = useState(false);
  const [staleSince, setStaleSince] = useState<number>();
  const [news, setNews] = useState("");
  const loading = useRef(false);
  const navigate = useNavigate();
  const { revalidate } = useRevalidator();
  const { pathname } = useLocation();
  const currentId = /^\/threads\/([^/]+)/.exec(pathname)?.[1];

  if (page !== given) {
    setGiven(page);
    setShown((before) => joinFirstPage(before, page));
  }

  const threads = useMemo(
    () => shown.items.map((thread) => ({ ...thread, ...changes.get(thread.threadId) })).sort(compareThreads),
    [shown, changes],
  );

  // What callbacks that outlive a render need to see as it is then.
  const latest = useRef({ shown, threads, currentId });
  useEffect(() => {
    latest.current = { shown, threads, currentId };
  });

  const refresh = useCallback(async () => {
    const fresh = await fetchPage();
    if (fresh) setShown((before) => joinFirstPage(before, fresh));
  }, []);

  const loadMore = useCallback(async () => {
    const { cursor } = latest.current.shown;
    if (!cursor || loading.current) return;
    loading.current = true;
    const next = await fetchPage(cursor);
    loading.current = false;
    setStuck(!next);
    if (next) setShown((before) => joinNextPage(before, next));
  }, []);

  const change = useCallback(
    async (threadId: string, wanted: Change, fields: Record<string, string>, failure: string) => {
      setChanges((before) => new Map(before).set(threadId, { ...before.get(threadId), ...wanted }));
      const outcome = await post(threadId, fields);
      setChanges((before) => {
        const after = new Map(before);
        after.delete(threadId);
        return after;
      });
      if (outcome === "failed") return showToast({ text: `${failure} ${because()}` });
      setShown((before) => ({
        ...before,
        items: before.items
          .filter((thread) => outcome === "done" || thread.threadId !== threadId)
          .map((thread) => (thread.threadId === threadId ? { ...thread, ...wanted } : thread))
          .sort(compareThreads),
      }));
      if (latest.current.currentId === threadId) revalidate();
    },
    [revalidate],
  );

  const rename = useCallback(
    (threadId: string, title: string) => {
      const clean = title.trim().replace(/\s+/g, " ");
      const before = latest.current.threads.find((thread) => thread.threadId === threadId);
      if (clean !== "" && clean !== before?.title)
        void change(threadId, { title: clean }, { intent: "rename", title: clean }, "Not renamed.");
    },
    [change],
  );
  const pin = useCallback(
    (threadId: string, pinned: boolean) =>
      void change(
        threadId,
        { pinned },
        { intent: "pin", pinned: String(pinned) },
        pinned ? "Not pinned." : "Still pinned.",
      ),
    [change],
  );

  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  const stay = useCallback((threadId: string) => {
    clearTimeout(timers.current.get(threadId));
    timers.current.delete(threadId);
    setLeaving((before) => new Set([...before].filter((other) => other !== threadId)));
  }, []);
  const sendDelete = useCallback(
    async (threadId: string) => {
      clearTimeout(timers.current.get(threadId));
      timers.current.delete(threadId);
      const outcome = await post(threadId, { intent: "delete" });
      if (outcome === "failed") {
        stay(threadId);
        showToast({ text: `Not deleted. ${because()}` });
        return;
      }
      setShown((before) => ({ ...before, items: before.items.filter((thread) => thread.threadId !== threadId) }));
      stay(threadId);
      if (latest.current.currentId === threadId) navigate("/");
    },
    [navigate, stay],
  );
  const undo = useCallback(
    (threadId: string) => {
      if (!timers.current.has(threadId)) return;
      stay(threadId);
      setNews("Thread kept.");
    },
    [stay],
  );
  const remove = useCallback(
    (threadId: string) => {
      setLeaving((before) => new Set(before).add(threadId));
      if (isListInSight()) setNews("Thread deleted. Undo is next.");
      else
        showToast({
          text: "Thread deleted",
          action: { label: "Undo", onAction: () => undo(threadId) },
          seconds: UNDO / 1000,
        });
      timers.current.set(
        threadId,
        setTimeout(() => void sendDelete(threadId), UNDO),
      );
    },
    [sendDelete, undo],
  );
  const flush = useCallback(() => {
    const waiting = [...timers.current.keys()];
    return waiting.length > 0 ? Promise.all(waiting.map((threadId) => sendDelete(threadId))) : undefined;
  }, [sendDelete]);
  useEffect(() => {
    const leave = () => void flush();
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, [flush]);

  useFollowing(setStaleSince);
  useNews(latest, setNews, refresh);
  useEffect(() => activityStore.forget, []);

  const list = useMemo<ThreadList>(
    () => ({
      threads,
      currentId,
      leaving,
      hasMore: shown.cursor !== undefined,
      stuck,
      staleSince,
      news,
      loadMore: () => void loadMore(),
      rename,
      pin,
      remove,
      undo,
      flush,
    }),
    [threads, currentId, leaving, shown.cursor, stuck, staleSince, news, loadMore, rename, pin, remove, undo, flush],
  );
  return <Context.Provider value={list}>{children}</Context.Provider>;
}

/** Asks for the activity again and again: only while the tab is looked at, one question at a time. */
function useFollowing(setStaleSince: (since: number | undefined) => void) {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;
    let ended = false;
    let answeredAt = Date.now();
    let isOften = false;

    const isBusy = () => Object.keys(activityStore.get()?.live ?? {}).length > 0;
    function plan() {
      clearTimeout(timer);
      isOften = isBusy();
      if (!ended && !document.hidden) timer = setTimeout(ask, isOften ? OFTEN : SELDOM);
    }
    async function ask() {
      if (asking || ended || document.hidden) return;
      asking = true;
      const askedAt = Date.now();
      try {
        const response = await fetch("/activity", { signal: AbortSignal.timeout(10_000) });
        // The session is over. The next thing that the person does leads to the page for signing in.
        if (response.status === 401) ended = true;
        const body: unknown = await response.json();
        if (!response.ok) throw new Error(`GET /activity: ${response.status}`);
        activityStore.tell(body as ActivityView, askedAt);
        answeredAt = askedAt;
        setStaleSince(undefined);
      } catch {
        setStaleSince(answeredAt);
      }
      asking = false;
      plan();
    }
    const look = () => void ask();
    const unsubscribe = activityStore.subscribe(() => {
      if (isBusy() && !isOften) plan();
    });
    document.addEventListener("visibilitychange", look);
    window.addEventListener("online", look);
    window.addEventListener("offline", look);
    plan();
    return () => {
      ended = true;
      clearTimeout(timer);
      unsubscribe();
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("online", look);
      window.removeEventListener("offline", look);
    };
  }, [setStaleSince]);
}

/** So often the list is fetched for a thread that is not in what is shown of it. */
const MOST_TRIES = 8;

/** Where runs begin or end the list has changed: it is fetched again, and a screen reader is told what ended. */
function useNews(
  latest: { current: { threads: ThreadCard[]; currentId: string | undefined } },
  setNews: (news: string) => void,
  refresh: () => Promise<void>,
) {
  const activity = useActivity();
  const before = useRef(activity);
  /** How often the thread of a run was looked for. */
  const tries = useRef(new Map<string, number>());
  useEffect(() => {
    const earlier = before.current;
    before.current = activity;
    const isSought = (runId: string): boolean => {
      const count = (tries.current.get(runId) ?? 0) + 1;
      tries.current.set(runId, count);
      return count <= MOST_TRIES;
    };
    if (!isOutdated(latest.current.threads, earlier.live, activity.live, isSought)) return;
    const told = Object.keys(earlier.live).flatMap((threadId) => {
      const unread = activity.unread[threadId];
      if (activity.live[threadId] || !unread || threadId === latest.current.currentId) return [];
      const title = latest.current.threads.find((thread) => thread.threadId === threadId)?.title ?? "A thread";
      return [`${title}: ${unread.ending === "complete" ? "answered" : "the answer did not complete"}.`];
    });
    if (told.length > 0) setNews(told.join(" "));
    void refresh();
  }, [activity, latest, setNews, refresh]);
}
