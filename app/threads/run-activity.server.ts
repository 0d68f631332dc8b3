/**
 * ACTIVITY: one item per person that says which threads are answering and which have an answer that nobody has
 * seen, so that one Get tells. It decides nothing about a run, save for the limit of live runs; an entry that a
 * killed server left behind is repaired by whoever meets it.
 */
import { absent, type Basis, present } from "./run-basis.server";
import type { ActivityItem, Address, Condition, LiveEntry, RunItem, UnreadEntry } from "./run-items.server";
import type { ActivityView } from "./view";

const liveOf = (threadId: string) => `live.${threadId}` as const;
const unreadOf = (threadId: string) => `unread.${threadId}` as const;

/** The thread's entry is this run's, and not a later one's. */
const names = ({ threadId }: Address, runId: string): Condition => ({ attr: `live.${threadId}.runId`, eq: runId });

export function createActivity(basis: Basis, reap: (address: Address) => Promise<RunItem | undefined>) {
  const { store, clock, time, limit, report, getRun, isExpired } = basis;

  /** ACTIVITY as it was a moment ago: enough to know whether the item is there, and where to be careful. */
  const peek = ({ userId }: Address) => store.get("activity", { userId }, { consistent: false });

  /** Whether the limit of live runs seems to be reached by other threads. */
  const seemsFull = ({ threadId }: Address, seen: ActivityItem | undefined): boolean =>
    seen !== undefined && !(threadId in seen.live) && Object.keys(seen.live).length >= limit.liveRuns;

  /**
   * Adds a run that is about to be claimed. `seen` is what {@link peek} saw. False: the person's limit of live runs
   * is reached.
   */
  async function addLive(address: Address, runId: string, seen: ActivityItem | undefined): Promise<boolean> {
    const { userId, threadId } = address;
    const entry: LiveEntry = { runId, since: clock.now() };
    const room: Condition = {
      or: [
        { size: "live", lt: limit.liveRuns },
        { attr: liveOf(threadId), exists: true },
      ],
    };
    if (!seen) {
      const first: ActivityItem = { live: { [threadId]: entry }, unread: {} };
      if ((await store.put("activity", { userId }, first, absent)) === "done") return true;
    }
    const change = { set: { [liveOf(threadId)]: entry }, remove: [unreadOf(threadId)] };
    if ((await store.update("activity", { userId }, change, room)) === "done") return true;
    // Full. Some of the entries may be of runs whose server is dead.
    const activity = await store.get("activity", { userId }, { consistent: true });
    const entries = Object.entries(activity?.live ?? {});
    await Promise.all(entries.map(([thread, live]) => repairEntry({ userId, threadId: thread }, live)));
    return (await store.update("activity", { userId }, change, room)) === "done";
  }

  /** Takes back an entry whose claim did not come about. */
  async function removeLive(address: Address, runId: string): Promise<void> {
    const { userId, threadId } = address;
    const run = await getRun(address);
    if (run?.state === "live" && run.runId === runId) return;
    if (run?.state === "live" && run.runId) {
      const entry: LiveEntry = { runId: run.runId, since: run.startedAt ?? clock.now() };
      await store.update("activity", { userId }, { set: { [liveOf(threadId)]: entry } }, names(address, runId));
    } else await store.update("activity", { userId }, { remove: [liveOf(threadId)] }, names(address, runId));
  }

  /** Moves an entry from live to unread, or just out. Repeatable; leaves the entry of another run alone. */
  async function moveToUnread(address: Address, runId: string, run: RunItem): Promise<void> {
    const { userId, threadId } = address;
    const { ending } = run;
    if (ending === undefined || ending === "void") {
      await store.update("activity", { userId }, { remove: [liveOf(threadId)] }, names(address, runId));
      return;
    }
    const entry: UnreadEntry = { ending, endedAt: run.endedAt ?? clock.now() };
    const room: Condition[] = [
      { size: "unread", lt: limit.unread },
      { attr: unreadOf(threadId), exists: true },
    ];
    for (let round = 0; round < 3; round++) {
      const change = { set: { [unreadOf(threadId)]: entry }, remove: [liveOf(threadId)] };
      const condition: Condition = { and: [names(address, runId), { or: room }] };
      if ((await store.update("activity", { userId }, change, condition)) === "done") return;
      const activity = await store.get("activity", { userId }, { consistent: true });
      if (activity?.live[threadId]?.runId !== runId) return;
      const oldest = Object.entries(activity.unread).sort(([, one], [, other]) => one.endedAt - other.endedAt)[0];
      if (oldest) await store.update("activity", { userId }, { remove: [unreadOf(oldest[0])] }, present);
    }
  }

  /** Takes an entry out of live if its run is over, or never came about. */
  async function repairEntry(address: Address, entry: LiveEntry): Promise<void> {
    const { userId, threadId } = address;
    const remove = () =>
      store.update("activity", { userId }, { remove: [liveOf(threadId)] }, names(address, entry.runId));
    let run = await getRun(address, false);
    if (run?.state === "live" && run.runId === entry.runId && !isExpired(run)) return;
    run = await getRun(address);
    if (run?.state === "live" && isExpired(run)) run = await reap(address);
    if (run?.state === "deleted") await remove();
    else if (run?.runId === entry.runId) {
      if (run.state === "ended") await moveToUnread(address, entry.runId, run);
    } else if (clock.now() - entry.since > time.unclaimed) {
      if (run?.state === "ended") await moveToUnread(address, entry.runId, run);
      else if (run) await removeLive(address, entry.runId);
      else await remove();
    }
  }

  async function getActivity(userId: string): Promise<ActivityView> {
    const read = (consistent: boolean) => store.get("activity", { userId }, { consistent });
    let activity = await read(false);
    const old = Object.entries(activity?.live ?? {}).filter(([, live]) => clock.now() - live.since > time.lease);
    const repair = async ([threadId, live]: [string, LiveEntry]) => {
      try {
        await repairEntry({ userId, threadId }, live);
      } catch (error) {
        report({ during: "repair of activity", error, address: { userId, threadId } });
      }
    };
    await Promise.all(old.map(repair));
    if (old.length > 0) activity = await read(true);
    return { live: activity?.live ?? {}, unread: activity?.unread ?? {} };
  }

  async function markSeen(address: Address): Promise<void> {
    const { userId, threadId } = address;
    const [run, activity] = await Promise.all([
      getRun(address),
      store.get("activity", { userId }, { consistent: true }),
    ]);
    if (run?.state !== "live" && run?.runId && activity?.live[threadId]?.runId === run.runId) {
      // The end was seen before its producer came to note it: so it shall not become unread any more.
      const change = { remove: [liveOf(threadId), unreadOf(threadId)] };
      if ((await store.update("activity", { userId }, change, names(address, run.runId))) === "done") return;
    }
    if (activity) {
      const there: Condition = { attr: unreadOf(threadId), exists: true };
      await store.update("activity", { userId }, { remove: [unreadOf(threadId)] }, there);
    }
  }

  /** The thread is gone. */
  async function forget({ userId, threadId }: Address): Promise<void> {
    const remove = [liveOf(threadId), unreadOf(threadId)];
    await store.update("activity", { userId }, { remove }, present);
  }

  return { peek, seemsFull, addLive, removeLive, moveToUnread, getActivity, markSeen, forget };
}
