/** The thread list as data: its order, its groups by day, and how a fresh first page joins what is already shown. */
import type { ActivityView, ThreadCard } from "./view";

export interface ThreadPage {
  items: ThreadCard[];
  cursor?: string | undefined;
}

export interface ThreadGroup {
  name: string;
  threads: ThreadCard[];
}

/** The order of the list: pinned first, then the newest activity. The id decides where the times are equal. */
export function compareThreads(one: ThreadCard, other: ThreadCard): number {
  if (one.pinned !== other.pinned) return one.pinned ? -1 : 1;
  return other.activityAt - one.activityAt || (one.threadId < other.threadId ? 1 : -1);
}

/**
 * A fresh first page over the pages that are shown. As far down as it reaches it is the truth: what it lacks is gone.
 * Below that, what was shown stays.
 */
export function joinFirstPage(shown: ThreadPage, fresh: ThreadPage): ThreadPage {
  const last = fresh.items.at(-1);
  if (!fresh.cursor || !last) return fresh;
  const known = new Set(fresh.items.map(({ threadId }) => threadId));
  const below = shown.items.filter((thread) => !known.has(thread.threadId) && compareThreads(last, thread) < 0);
  return below.length > 0 ? { items: [...fresh.items, ...below], cursor: shown.cursor } : fresh;
}

/**
 * Whether the list may have changed since it was fetched: runs began or ended, or one is told of whose thread is not
 * shown. A thread is there a moment after its first run has begun, so that one is looked for until it is, as long as
 * `isSought` says of its run: it may stand far below what is shown.
 */
export function isOutdated(
  shown: readonly ThreadCard[],
  before: ActivityView["live"],
  live: ActivityView["live"],
  isSought: (runId: string) => boolean = () => true,
): boolean {
  const runs = (of: ActivityView["live"]) =>
    Object.values(of)
      .map(({ runId }) => runId)
      .sort()
      .join(" ");
  const known = new Set(shown.map(({ threadId }) => threadId));
  return (
    runs(before) !== runs(live) ||
    Object.entries(live).some(([threadId, { runId }]) => !known.has(threadId) && isSought(runId))
  );
}

/** The next page below what is shown. */
export function joinNextPage(shown: ThreadPage, next: ThreadPage): ThreadPage {
  const known = new Set(shown.items.map(({ threadId }) => threadId));
  return {
    items: [...shown.items, ...next.items.filter(({ threadId }) => !known.has(threadId))].sort(compareThreads),
    cursor: next.cursor,
  };
}

const DAY = 86_400_000;
const months = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];

/** The calendar day of a moment, as days since 1970: in the browser's own time zone, or in UTC. */
export const localDay = (time: number): number => {
  const date = new Date(time);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY;
};
export const utcDay = (time: number): number => Math.floor(time / DAY);

/** Pinned, Today, Yesterday, Previous 7 days, Previous 30 days, then months. `threads` are in the list's order. */
export function groupThreads(
  threads: readonly ThreadCard[],
  now: number,
  dayOf: (time: number) => number,
): ThreadGroup[] {
  const today = dayOf(now);
  const thisYear = new Date(today * DAY).getUTCFullYear();
  const nameOf = ({ pinned, activityAt }: ThreadCard): string => {
    if (pinned) return "Pinned";
    const day = dayOf(activityAt);
    // A clock that is ahead makes no group of its own.
    if (day >= today) return "Today";
    if (day === today - 1) return "Yesterday";
    if (day >= today - 7) return "Previous 7 days";
    if (day >= today - 30) return "Previous 30 days";
    const date = new Date(day * DAY);
    const month = months[date.getUTCMonth()] ?? "";
    return date.getUTCFullYear() === thisYear ? month : `${month} ${date.getUTCFullYear()}`;
  };
  const groups = new Map<string, ThreadCard[]>();
  for (const thread of threads) {
    const name = nameOf(thread);
    const group = groups.get(name);
    if (group) group.push(thread);
    else groups.set(name, [thread]);
  }
  return [...groups].map(([name, members]) => ({ name, threads: members }));
}
