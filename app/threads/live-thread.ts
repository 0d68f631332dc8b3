/** A thread's page and the store of live runs: what each needs of the other while the page is there. */
import { useLocation, useNavigate, useRevalidator } from "@remix-run/react";
import { type RefObject, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useBrowserLayoutEffect } from "~/ui/layout-effect";
import { noteRunEnded, noteRunStarted, noteSeen, useActivity } from "./activity-store";
import type { ComposerHandle } from "./Composer";
import { type LiveTurn, live, liveTurn, type ThreadLive } from "./live";
import { post } from "./thread-list";
import type { ThreadView } from "./view";

/** Opens the thread in the store, feeds it the loader's data, and does what it asks of the page. */
export function useLiveThread(
  view: ThreadView | null,
  userId: string,
  version: boolean,
): { threadId: string; state: ThreadLive } {
  const [newId, setNewId] = useState("");
  const storedId = view?.thread.threadId;
  const threadId = storedId ?? newId;
  const navigate = useNavigate();
  const { search } = useLocation();
  const { revalidate } = useRevalidator();
  const latest = useRef({ navigate, search, revalidate });
  latest.current = { navigate, search, revalidate };

  useBrowserLayoutEffect(
    () =>
      live.serve({
        revalidate: () => latest.current.revalidate(),
        accepted(acceptedId, created) {
          const runId = liveTurn(live.get(acceptedId))?.runId;
          if (runId) noteRunStarted(acceptedId, runId);
          if (created) latest.current.navigate(`/threads/${acceptedId}`, { replace: true, preventScrollReset: true });
          else if (new URLSearchParams(latest.current.search).has("at"))
            latest.current.navigate(`/threads/${acceptedId}`, { preventScrollReset: true });
          else latest.current.revalidate();
        },
        signIn() {
          const { pathname, search: query } = window.location;
          window.location.assign(`/sign-in?redirectTo=${encodeURIComponent(pathname + query)}`);
        },
      }),
    [],
  );

  useBrowserLayoutEffect(() => {
    const opened = storedId ?? live.openNew(userId);
    if (storedId === undefined) setNewId(opened);
    else live.open(storedId, userId);
    open.add(opened);
    return () => leaveSoon(opened);
  }, [storedId, userId]);

  useBrowserLayoutEffect(() => {
    if (view) live.sync(view, version);
  }, [view, version]);

  const state = useSyncExternalStore(live.subscribe, () => live.get(threadId), live.idle);
  return { threadId, state };
}

/** Threads that a page shows now. */
const open = new Set<string>();

/** A first message leads from one page to another with the same thread: only a thread that stays away is left. */
function leaveSoon(threadId: string): void {
  open.delete(threadId);
  setTimeout(() => {
    if (!open.has(threadId)) live.leave(threadId);
  }, 0);
}

/** Runs that others began in this thread are read along; an answer before the person's eyes is no longer unread. */
export function useSeen(view: ThreadView | null, turn: LiveTurn | undefined): void {
  const activity = useActivity();
  const { revalidate } = useRevalidator();
  const threadId = view?.thread.threadId;
  const theirs = threadId ? activity.live[threadId]?.runId : undefined;
  const unread = threadId ? activity.unread[threadId] : undefined;
  const head = view?.headId ?? "";
  const asked = useRef("");

  useEffect(() => {
    if (!theirs || turn || theirs <= head || asked.current === theirs) return;
    asked.current = theirs;
    revalidate();
  }, [theirs, turn, head, revalidate]);

  const [ended, setEnded] = useState(0);
  const wasLive = useRef(false);
  useEffect(() => {
    if (!threadId) return;
    if (wasLive.current && !turn) {
      noteRunEnded(threadId);
      setEnded(Date.now());
    }
    wasLive.current = turn !== undefined;
  }, [turn, threadId]);

  // An end that was watched is seen at once: whoever leaves right after it has read it.
  const endedAt = unread?.endedAt ?? (ended || undefined);
  useEffect(() => {
    if (!threadId || endedAt === undefined || turn) return;
    const see = () => {
      if (document.visibilityState !== "visible") return;
      document.removeEventListener("visibilitychange", see);
      noteSeen(threadId);
      void post(threadId, { intent: "seen" });
    };
    document.addEventListener("visibilitychange", see);
    see();
    return () => document.removeEventListener("visibilitychange", see);
  }, [threadId, endedAt, turn]);
}

/** A message that was not taken is in the draft already; the composer shows it and says why. */
export function useReturned(
  threadId: string,
  state: ThreadLive,
  onNotice: (notice: string) => void,
  composer: RefObject<ComposerHandle>,
): void {
  const { returned } = state;
  useEffect(() => {
    if (!returned) return;
    onNotice(returned.refusal.message);
    composer.current?.reload();
    live.takeReturned(threadId);
  }, [returned, threadId, onNotice, composer]);
}

/** Escape stops the answer, Shift and Escape go to the composer; unless something open has taken the key. */
export function useKeys(actions: { stop: (() => void) | undefined; focus(): void }): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
      if (event.shiftKey) latest.current.focus();
      else if (latest.current.stop) latest.current.stop();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
