/**
 * The run protocol: how one answer is produced, read along, stopped, ended and repaired on single-item
 * conditional writes, by servers that may be killed at any point and never talk to each other. One item, RUN,
 * decides everything: who produces, what the log says, how the run ends, whether the thread lives. Messages are
 * written once and never change. "Refused" never means "lost": read again, consistently, and decide.
 *
 * Time, sleep, randomness and storage come from outside, and conditions are plain data, so that the model check
 * in tests/faults runs this very module against a simulated table. Change it only together with that check.
 */
import type { AnswerOutcome, AnswerPart, AnswerUsage } from "~/ai/answer.server";
import type { ThreadSettings } from "~/ai/settings";
import type { ErrorCode } from "~/errors";
import { idTime, runIdOf } from "./ids";
import type { ActivityView, Ending, Sidenote } from "./view";

// --- Items ---------------------------------------------------------------------------------------------------

/** One thread of one person. */
export interface Address {
  userId: string;
  threadId: string;
}

/** What a run was given. Stands on its question, or in a context chunk if it has no new question. */
export interface Given {
  model: { ref: string; name: string };
  settings: ThreadSettings;
  notes: { number: number; noteId: string; title: string; revision: number }[];
}

export interface ThreadItem {
  activityAt: string;
  card?: { title: string; pinned: boolean; at: number } | undefined;
  settings?: ThreadSettings | undefined;
  createdAt?: number | undefined;
  deletedAt?: number | undefined;
  expiresAt?: number | undefined;
}

export interface RunItem {
  state: "live" | "ended" | "deleted";
  /** The id of the answer. */
  runId?: string | undefined;
  /** The fence: who may write, and the key of the chunks. */
  claimId?: string | undefined;
  /** The question. */
  messageId?: string | undefined;
  /** The question's parent, only if that is not `prev`; empty: it has none. */
  parentId?: string | undefined;
  /** Of the request's body. */
  hash?: string | undefined;
  /** The head before this claim; absent in a thread's first run. */
  prev?: string | undefined;
  /** No message came with the request. */
  again?: boolean | undefined;
  beat?: number | undefined;
  /** Length of the text that is in counted chunks. */
  base?: number | undefined;
  /** The text after `base`. */
  tail?: string | undefined;
  leaseUntil?: number | undefined;
  startedAt?: number | undefined;
  stop?: boolean | undefined;
  ending?: Ending | "void" | undefined;
  error?: ErrorCode | undefined;
  finishReason?: string | undefined;
  usage?: AnswerUsage | undefined;
  endedAt?: number | undefined;
  /** Seconds since the epoch; on the tombstone only. */
  expiresAt?: number | undefined;
}

export interface ChunkItem {
  from: number;
  text: string;
  expiresAt: number;
}

export interface ContextItem {
  given: Given;
  /** The depth of the answer. */
  depth: number;
  expiresAt: number;
}

export interface MessageItem {
  id: string;
  role: "user" | "assistant";
  text: string;
  parentId: string | null;
  /** How many messages stand above it on its path. */
  depth: number;
  createdAt: number;
  hash: string;
  /** On questions: what the run was given. */
  given?: Given | undefined;
  /** The rest: on answers. */
  claimId?: string | undefined;
  ending?: Ending | undefined;
  error?: ErrorCode | undefined;
  finishReason?: string | undefined;
  model?: { ref: string; name: string } | undefined;
  settings?: ThreadSettings | undefined;
  usage?: AnswerUsage | undefined;
  durationMs?: number | undefined;
  sidenotes?: Sidenote[] | undefined;
}

export interface LiveEntry {
  runId: string;
  since: number;
}

export interface UnreadEntry {
  ending: Ending;
  endedAt: number;
}

export interface ActivityItem {
  live: Record<string, LiveEntry>;
  unread: Record<string, UnreadEntry>;
}

// --- The port ------------------------------------------------------------------------------------------------

export interface Items {
  thread: ThreadItem;
  run: RunItem;
  chunk: ChunkItem;
  context: ContextItem;
  message: MessageItem;
  activity: ActivityItem;
}

export interface ItemKeys {
  thread: Address;
  run: Address;
  chunk: Address & { claimId: string; from: number };
  context: Address & { claimId: string };
  message: Address & { messageId: string };
  activity: { userId: string };
}

export type Kind = keyof Items;

/** What an update sets: attributes, or entries of the two maps of ACTIVITY. */
export interface Settable {
  thread: Partial<ThreadItem>;
  run: Partial<RunItem>;
  chunk: Partial<ChunkItem>;
  context: Partial<ContextItem>;
  message: Partial<MessageItem>;
  activity: Record<string, LiveEntry | UnreadEntry>;
}

export interface Change<K extends Kind> {
  set?: Settable[K];
  remove?: (K extends "activity" ? `live.${string}` | `unread.${string}` : keyof Items[K] & string)[];
}

/** In dynamodb-toolbox's own form. Names are attributes, `sk` (exists on every item) or paths into ACTIVITY. */
export type Condition =
  | { attr: string; eq: string | number | boolean }
  | { attr: string; exists: boolean }
  | { size: string; lt: number }
  | { and: Condition[] }
  | { or: Condition[] };

/** "refused": the condition did not hold. It can be one's own earlier success, since calls are repeated. */
export type Outcome = "done" | "refused";

/** Both ends belong to the range. */
export interface Ranges {
  /** Message ids. */
  message: Address & { from?: string; to?: string };
  /** Offsets. */
  chunk: Address & { claimId: string; from?: number; to?: number };
}

/** The table, as far as the protocol needs it. Whatever throws has an unknown result. */
export interface RunStore {
  get<K extends Kind>(kind: K, key: ItemKeys[K], options: { consistent: boolean }): Promise<Items[K] | undefined>;
  put<K extends Kind>(kind: K, key: ItemKeys[K], item: Items[K], condition: Condition): Promise<Outcome>;
  /** Without a condition it creates what is absent. */
  update<K extends Kind>(kind: K, key: ItemKeys[K], change: Change<K>, condition?: Condition): Promise<Outcome>;
  /** One page in key order. `cursor`: there may be more. */
  list<K extends keyof Ranges>(
    kind: K,
    range: Ranges[K],
    options: { consistent: boolean; backwards?: boolean; limit?: number; cursor?: string },
  ): Promise<{ items: Items[K][]; cursor?: string }>;
  /** Deletes one page of what stands inside a thread, all but RUN. Returns whether there may be more. */
  sweep(address: Address): Promise<boolean>;
  delete<K extends Kind>(kind: K, key: ItemKeys[K]): Promise<void>;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

// --- Figures -------------------------------------------------------------------------------------------------

/** In milliseconds. */
export interface Times {
  /** From the return of a beat to the next one. */
  beat: number;
  lease: number;
  /** How long after an ending the answer is left to its producer. */
  grace: number;
  /** How far shown text may be ahead of the log. */
  ahead: number;
  /** Without a beat for so long: "not saved", and then the run is given up. */
  unsaved: number;
  giveUp: number;
  poll: number;
  slowPoll: number;
  /** How long a reader follows before it asks the client to attach again. */
  tail: number;
  /** How long a claim is tried. */
  claim: number;
  /** How long before the platform's deadline a run is ended. */
  margin: number;
  /** How far ahead of the server's clock an id may be. */
  future: number;
  /** After so long an activity entry whose run was never claimed is dead. */
  unclaimed: number;
}

export const times: Times = {
  beat: 1_000,
  lease: 15_000,
  grace: 5_000,
  ahead: 1_000,
  unsaved: 5_000,
  giveUp: 15_000,
  poll: 900,
  slowPoll: 2_000,
  tail: 60_000,
  claim: 10_000,
  margin: 8_000,
  future: 24 * 3_600_000,
  unclaimed: 30_000,
};

export interface Limits {
  /** Live runs per person. */
  liveRuns: number;
  /** Unread threads that are remembered per person. */
  unread: number;
  /** Bytes of UTF-8. */
  answer: number;
  tail: number;
  chunk: number;
  rounds: number;
  /** Tries of one call, each of which the table's client repeats by itself. */
  attempts: number;
  chunkDays: number;
  tombstoneDays: number;
}

export const limits: Limits = {
  liveRuns: 3,
  unread: 100,
  answer: 300 * 1024,
  tail: 660,
  chunk: 850,
  rounds: 12,
  attempts: 3,
  chunkDays: 90,
  tombstoneDays: 90,
};

// --- What callers see ----------------------------------------------------------------------------------------

export type RunRequest =
  | { kind: "send"; messageId: string; text: string; parentId?: string; branch?: boolean; create?: boolean }
  | { kind: "again" | "continue"; requestId: string; of: string };

export interface ClaimView {
  /** Absent while the first message creates it. */
  thread: ThreadItem | undefined;
  /**
   * The path that the answer continues, oldest first: with the question at its end if that is in the table
   * already (again, continue), without it if it comes with this request.
   */
  history: MessageItem[];
}

export interface ClaimOptions<T> {
  /** SHA-256 of the request's body, 22 characters or so. */
  hash: string;
  /** How many messages of the path are read. */
  history: number;
  /** The Thread to create if the request says so. */
  thread?: ThreadItem;
  /**
   * What has to be known or written before the claim (note numbers, the model). Runs beside the write to
   * ACTIVITY and must be repeatable. What it throws ends the claim.
   */
  prepare(view: ClaimView): Promise<{ given: Given; value: T }>;
}

export interface Claim<T> {
  address: Address;
  runId: string;
  claimId: string;
  /** The question's id. */
  messageId: string;
  startedAt: number;
  /** To be put by {@link Runs.produce}; undefined for again and continue. */
  question: MessageItem | undefined;
  /** The old partial text that a continue goes on from; else empty. */
  prefix: string;
  hash: string;
  given: Given;
  /** The depth of the answer. */
  depth: number;
  history: MessageItem[];
  thread: ThreadItem | undefined;
  /** What `prepare` returned. */
  value: T;
}

export type ClaimOutcome<T> =
  | { outcome: "claimed"; claim: Claim<T> }
  /** A repeat: its run is live or over. Read along. */
  | { outcome: "attach"; runId: string }
  | { outcome: "busy"; runId: string }
  | { outcome: "stale"; newestId: string }
  | { outcome: "mismatch" | "not-found" | "bad-id" | "too-many-runs" | "unavailable" };

export interface Position {
  claimId: string;
  /** UTF-16 units of the answer's text that the reader holds. */
  offset: number;
}

export type ReaderEvent =
  | { type: "start"; runId: string; claimId: string }
  | { type: "text"; text: string; position: Position }
  /** What the reader holds is void; the text follows from its start. */
  | { type: "replace"; claimId: string }
  | { type: "waiting"; attempt: number; seconds: number }
  | { type: "unsaved" | "saved" }
  | { type: "end"; ending: Ending; length: number; error?: ErrorCode }
  /** void: the question never got in. gone: the thread was deleted. detached: not over, attach again. */
  | { type: "void" | "gone" | "detached" };

/** How a model call ended. */
export type ModelOutcome = Pick<AnswerOutcome, "ending" | "error" | "finishReason" | "usage"> & {
  /** The settings that were sent. */
  sent?: ThreadSettings;
};

/** Between the model and the log. Text leaves it only when it may be shown. Open: {@link openGate}. */
export interface ReleaseGate {
  /** Takes new text and returns what may be shown now. */
  release(text: string): Released | Promise<Released>;
  /** The model is done: returns the rest. */
  flush(): Released | Promise<Released>;
}

/** `blocked`: the run ends as blocked, with this text in place of the whole answer. */
export type Released = { text: string; blocked?: string };

export const openGate = (): ReleaseGate => ({
  release: (text) => ({ text }),
  flush: () => ({ text: "" }),
});

export interface ProduceOptions {
  /** Starts the model call. The signal aborts on stop, delete, fence, deadline and length. */
  answer(signal: AbortSignal): AsyncGenerator<AnswerPart, ModelOutcome>;
  /** Marks the thread as used; false: it was deleted. */
  touch(): Promise<boolean>;
  /** Sidenotes of the answer, from what the caller holds; without it, from what is stored. */
  cite?(text: string): Sidenote[] | Promise<Sidenote[]>;
  gate?: ReleaseGate;
  /** When the platform kills the process, in milliseconds since the epoch. */
  deadline?: number;
}

export interface Production {
  /** "accepted": the question is in the table. Only then may a 200 leave. */
  accepted: Promise<"accepted" | "mismatch" | "unavailable">;
  /** The first reader. Dropping it stops nothing. To be read only after acceptance. */
  events: AsyncGenerator<ReaderEvent, void>;
  /** Settles, without ever rejecting, when nothing is left to do. */
  done: Promise<void>;
}

/** An answer has been put. May come more than once for one answer. */
export interface Finished {
  address: Address;
  run: RunItem;
  answer: MessageItem;
}

export interface LoadedThread {
  thread: ThreadItem;
  run: RunItem | undefined;
  /** The live run with the text that its log vouches for. */
  live: { runId: string; claimId: string; messageId: string; text: string; startedAt: number; again: boolean } | null;
  /** The newest answer, or the live run's; null in a thread without one. */
  headId: string | null;
  /** All messages that were read, oldest first: the path to the tip and, as far as read, its siblings. */
  messages: MessageItem[];
  /** The ids of the path to the tip, oldest first. */
  path: string[];
}

export interface Runs {
  /** Claims the thread's RUN for a request, or says why not. Never throws for lack of the table: "unavailable". */
  claim<T>(address: Address, request: RunRequest, options: ClaimOptions<T>): Promise<ClaimOutcome<T>>;
  /** Produces the answer of a claim. */
  produce<T>(claim: Claim<T>, options: ProduceOptions): Production;
  /** Follows a run from a position. Undefined: there is no such thread. */
  readAlong(
    address: Address,
    runId: string,
    position?: Position,
  ): Promise<AsyncGenerator<ReaderEvent, void> | undefined>;
  /** The live run's id; null: none; undefined: no such thread. */
  getLiveRun(address: Address): Promise<string | null | undefined>;
  /** Asks a run to stop. False: there is no such thread. */
  stop(address: Address, runId: string): Promise<boolean>;
  /** Ends a run whose lease is over, and stores its answer. Returns RUN as it stands then. */
  reap(address: Address): Promise<RunItem | undefined>;
  /** Stores the answer of an ended run for its producer. Undefined: RUN has changed, or it is void. */
  storeAnswer(address: Address, run: RunItem): Promise<MessageItem | undefined>;
  /** All of a thread that a page shows; repairs what is due. Undefined: there is no such thread. */
  loadThread(address: Address, options?: { tipId?: string; limit?: number }): Promise<LoadedThread | undefined>;
  /** After it returns true nothing of the thread can be read. The rest is {@link Runs.sweepThread}'s. */
  deleteThread(address: Address): Promise<boolean>;
  /** Removes what is left of a deleted or expired thread; to be repeated later. False: the thread is alive. */
  sweepThread(address: Address): Promise<boolean>;
  /** Which threads are answering, which are unread. Repairs entries of dead runs. */
  getActivity(userId: string): Promise<ActivityView>;
  /** The person has seen how the thread's last run ended. */
  markSeen(address: Address): Promise<void>;
}

export interface RunsOptions {
  store: RunStore;
  clock: Clock;
  /** Sixteen random characters. */
  newClaimId(): string;
  /** From 0 up to 1, for back-off. */
  random(): number;
  times?: Partial<Times>;
  limits?: Partial<Limits>;
  /** Sidenotes of an answer, when its producer is dead. */
  cite?(address: Address, text: string, given: Given): Promise<Sidenote[]>;
  /** The one place where later data hangs. Called after the answer was put; repeatable. */
  finish?(finished: Finished): Promise<void>;
  /** A failure that nobody else reports. Holds no text. */
  report?(failure: { during: string; error: unknown; address: Address }): void;
}

// --- Conditions ----------------------------------------------------------------------------------------------

const absent: Condition = { attr: "sk", exists: false };
const present: Condition = { attr: "sk", exists: true };
const isLive: Condition = { attr: "state", eq: "live" };
const unlessStopped: Condition[] = [{ attr: "stop", exists: false }];

/** The claim is live, and nothing was written since this beat: a late duplicate of an older write is harmless. */
const held = (claimId: string, beat: number): Condition[] => [
  { attr: "claimId", eq: claimId },
  isLive,
  { attr: "beat", eq: beat },
];

// --- Text ----------------------------------------------------------------------------------------------------

/** Bytes of well-formed text in UTF-8. */
function bytesOf(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/** The longest start of the text within `bytes` of UTF-8, never cut between surrogates. */
function startWithin(text: string, bytes: number): string {
  let used = 0;
  let length = 0;
  for (const character of text) {
    used += bytesOf(character);
    if (used > bytes) break;
    length += character.length;
  }
  return text.slice(0, length);
}

/** Above this size one big chunk is better than many small ones. */
const MANY = 4;

/** The table stores UTF-8, which has no lone surrogates. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\uFFFD");

const headOf = (run: RunItem | undefined): string | null => (run?.ending === "void" ? run.prev : run?.runId) ?? null;

const isReadable = (thread: ThreadItem | undefined): thread is ThreadItem =>
  thread !== undefined && thread.deletedAt === undefined;

/** The parent of the question of RUN's claim. */
const parentOfQuestion = (run: RunItem): string | null => (run.parentId ?? run.prev ?? "") || null;

/** Lets several waiters sleep until something happens or their time is over. */
function createBell(clock: Clock) {
  const waiting = new Set<AbortController>();
  return {
    ring(): void {
      for (const waiter of waiting) waiter.abort();
      waiting.clear();
    },
    async wait(ms: number): Promise<void> {
      if (ms <= 0) return;
      const waiter = new AbortController();
      waiting.add(waiter);
      await clock.sleep(ms, waiter.signal);
      waiting.delete(waiter);
    },
  };
}

// --- The protocol --------------------------------------------------------------------------------------------

/** The protocol over a table. One per process. */
export function createRuns(options: RunsOptions): Runs {
  const { store, clock, newClaimId, random } = options;
  const time: Times = { ...times, ...options.times };
  const limit: Limits = { ...limits, ...options.limits };
  const report = options.report ?? (() => {});
  const daysAhead = (days: number): number => Math.floor(clock.now() / 1000) + days * 86_400;
  const backOff = (): Promise<void> => clock.sleep(50 + random() * 350);

  /** Repeats a call whose result is unknown. What is unknown to the last is thrown. */
  async function settle<R>(call: () => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (attempt >= limit.attempts) throw error;
        await backOff();
      }
    }
  }

  const getRun = (address: Address, consistent = true) => store.get("run", address, { consistent });
  const getThread = (address: Address) => store.get("thread", address, { consistent: true });
  const getMessage = (address: Address, messageId: string) =>
    store.get("message", { ...address, messageId }, { consistent: true });
  const isExpired = (run: RunItem): boolean => (run.leaseUntil ?? 0) < clock.now();

  // --- The log -----------------------------------------------------------------------------------------------

  /**
   * The text that RUN vouches for, from an offset on: counted chunks, then the tail. Not whole: a chunk is
   * missing, so RUN has changed since it was read, or the chunks have expired.
   */
  async function readLog(address: Address, run: RunItem, offset: number): Promise<{ text: string; whole: boolean }> {
    const { claimId = "", base = 0, tail = "" } = run;
    if (offset >= base) return { text: tail.slice(offset - base), whole: true };
    let from = 0;
    if (offset > 0) {
      const before = await store.list(
        "chunk",
        { ...address, claimId, to: offset },
        { consistent: true, backwards: true, limit: 1 },
      );
      from = before.items[0]?.from ?? 0;
    }
    let text = "";
    let whole = true;
    let cursor: string | undefined;
    do {
      const page = await store.list(
        "chunk",
        { ...address, claimId, from, to: base - 1 },
        { consistent: true, ...(cursor === undefined ? {} : { cursor }) },
      );
      for (const chunk of page.items) {
        if (chunk.from !== from + text.length) whole = false;
        text += chunk.text;
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    if (from + text.length !== base) whole = false;
    return { text: (text + tail).slice(offset - from), whole };
  }

  // --- Paths -------------------------------------------------------------------------------------------------

  interface Path {
    /** Newest first, from the tip. */
    path: MessageItem[];
    read: Map<string, MessageItem>;
    /** Whether nothing is missing between the tip and the root (or the limit). */
    whole: boolean;
  }

  type Page = { items: MessageItem[]; cursor?: string };

  /**
   * The chain of parents from a message. With `jump` it reads from the tip, and goes on at the parent wherever the
   * chain leaves the page. Without, it reads all from the newest message down to the first one (or the limit), so
   * that the other versions of each message come along.
   */
  async function readPath(
    address: Address,
    tipId: string,
    how: { consistent: boolean; limit: number; jump: boolean; first?: Page | undefined },
  ): Promise<Path> {
    const { consistent, limit: most, jump } = how;
    const path: MessageItem[] = [];
    const read = new Map<string, MessageItem>();
    const size = jump ? { limit: most + 2 } : {};
    let wanted = tipId;
    let whole = false;
    let page = how.first;
    let cursor: string | undefined;
    for (;;) {
      page ??= await store.list(
        "message",
        { ...address, ...(jump ? { to: wanted } : {}) },
        { consistent, backwards: true, ...size, ...(cursor === undefined ? {} : { cursor }) },
      );
      for (const message of page.items) read.set(message.id, message);
      for (let found = read.get(wanted); found && !whole; found = read.get(wanted)) {
        path.push(found);
        wanted = found.parentId ?? "";
        whole = found.parentId === null || path.length >= most;
      }
      const last = page.items.at(-1);
      const isMissing = !whole && last !== undefined && last.id <= wanted;
      const isEnough = whole && (jump || path.length >= most);
      if (page.cursor === undefined || isMissing || isEnough) return { path, read, whole };
      cursor = jump ? undefined : page.cursor;
      page = undefined;
    }
  }

  /** The path to a message for a prompt, oldest first. Undefined: a message is missing. */
  async function readHistory(
    address: Address,
    tipId: string | null,
    wanted: number,
    first?: Page,
  ): Promise<MessageItem[] | undefined> {
    if (tipId === null) return [];
    const how = { limit: Math.max(1, wanted), jump: true };
    let found = await readPath(address, tipId, { ...how, consistent: false, first });
    if (!found.whole) found = await readPath(address, tipId, { ...how, consistent: true });
    return found.whole ? found.path.reverse() : undefined;
  }

  // --- Activity ----------------------------------------------------------------------------------------------

  const liveOf = (threadId: string) => `live.${threadId}` as const;
  const unreadOf = (threadId: string) => `unread.${threadId}` as const;
  const names = ({ threadId }: Address, runId: string): Condition => ({ attr: `live.${threadId}.runId`, eq: runId });

  /** Adds a run that is about to be claimed. False: the person's limit of live runs is reached. */
  async function addLive(address: Address, runId: string): Promise<boolean> {
    const { userId, threadId } = address;
    const entry: LiveEntry = { runId, since: clock.now() };
    const room: Condition = {
      or: [
        { size: "live", lt: limit.liveRuns },
        { attr: liveOf(threadId), exists: true },
      ],
    };
    for (let round = 0; round < 3; round++) {
      const change = { set: { [liveOf(threadId)]: entry }, remove: [unreadOf(threadId)] };
      if ((await store.update("activity", { userId }, change, room)) === "done") return true;
      const activity = await store.get("activity", { userId }, { consistent: true });
      if (activity) {
        if (round > 0) return false;
        for (const [thread, live] of Object.entries(activity.live))
          await repairEntry({ userId, threadId: thread }, live);
      } else {
        const first: ActivityItem = { live: { [threadId]: entry }, unread: {} };
        if ((await store.put("activity", { userId }, first, absent)) === "done") return true;
      }
    }
    return false;
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
    for (const [threadId, live] of old) {
      try {
        await repairEntry({ userId, threadId }, live);
      } catch (error) {
        report({ during: "repair of activity", error, address: { userId, threadId } });
      }
    }
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

  // --- Ending for others ---------------------------------------------------------------------------------------

  /** The answer's item, the same whoever writes it. */
  function answerOf(
    run: RunItem,
    text: string,
    from: { given: Given | undefined; depth: number; sidenotes: Sidenote[] | undefined },
  ): MessageItem {
    const { runId = "", messageId = "", hash = "", startedAt = 0, ending, error, finishReason, usage } = run;
    return {
      id: runId,
      role: "assistant",
      text,
      parentId: messageId,
      depth: from.depth,
      createdAt: startedAt,
      hash,
      claimId: run.claimId,
      ending: ending === "void" ? undefined : ending,
      error,
      finishReason,
      model: from.given?.model,
      settings: from.given?.settings,
      usage,
      durationMs: run.endedAt === undefined ? undefined : Math.max(0, run.endedAt - startedAt),
      sidenotes: from.sidenotes,
    };
  }

  /** What follows the put of an answer. */
  async function finish(finished: Finished): Promise<void> {
    const { address, run } = finished;
    try {
      await settle(() => moveToUnread(address, run.runId ?? "", run));
    } catch (error) {
      report({ during: "activity after an end", error, address });
    }
    try {
      await options.finish?.(finished);
    } catch (error) {
      report({ during: "finish", error, address });
    }
  }

  /** What a run was given, and its answer's depth. */
  async function readGiven(address: Address, run: RunItem): Promise<{ given: Given | undefined; depth: number }> {
    const { messageId = "", claimId = "" } = run;
    const [question, context] = await Promise.all([
      getMessage(address, messageId),
      run.again ? store.get("context", { ...address, claimId }, { consistent: true }) : undefined,
    ]);
    return { given: context?.given ?? question?.given, depth: context?.depth ?? (question?.depth ?? 0) + 1 };
  }

  async function storeAnswer(address: Address, seen: RunItem): Promise<MessageItem | undefined> {
    let run: RunItem | undefined = seen;
    for (let round = 0; round < 3; round++) {
      if (run?.state !== "ended" || run.ending === "void") return undefined;
      const { runId: messageId = "" } = run;
      const stored = await getMessage(address, messageId);
      if (stored) return stored;
      const [log, from] = await Promise.all([readLog(address, run, 0), readGiven(address, run)]);
      if (!log.whole) {
        const again = await getRun(address);
        const isSame: boolean = again?.claimId === run.claimId && again?.state === "ended";
        const chunksUntil = (run.endedAt ?? 0) + limit.chunkDays * 86_400_000;
        if (!isSame || clock.now() < chunksUntil) {
          run = again;
          continue;
        }
        // The chunks have expired: what is left is kept, but never as complete.
        run = { ...run, ending: "interrupted", error: "server-ended" };
      }
      const sidenotes = from.given && (await options.cite?.(address, log.text, from.given));
      const answer = answerOf(run, log.text, { ...from, sidenotes });
      const outcome = await store.put("message", { ...address, messageId }, answer, absent);
      if (outcome === "refused") return await getMessage(address, messageId);
      await finish({ address, run, answer });
      return answer;
    }
    return undefined;
  }

  async function reap(address: Address): Promise<RunItem | undefined> {
    const run = await getRun(address);
    if (run?.state !== "live" || !isExpired(run)) return run;
    const { claimId = "", beat = 0, messageId = "", leaseUntil = 0 } = run;
    let change: Settable["run"] = { ending: "interrupted", error: "server-ended" };
    if (run.stop) change = { ending: "stopped" };
    if (!run.again) {
      const question = await getMessage(address, messageId);
      // Never accepted: the head goes back to the one before.
      if (question?.hash !== run.hash) change = { ending: "void" };
    }
    const set = { ...change, state: "ended" as const, endedAt: Math.max(run.startedAt ?? 0, leaseUntil - time.lease) };
    const outcome = await store.update("run", address, { set }, { and: held(claimId, beat) });
    const ended = outcome === "done" ? { ...run, ...set } : await getRun(address);
    // RUN first, the message second: only then is the text that RUN vouches for final.
    if (ended?.state === "ended" && isExpired(ended)) await storeAnswer(address, ended);
    if (outcome === "done" && set.ending === "void") await moveToUnread(address, run.runId ?? "", { ...run, ...set });
    return ended;
  }

  async function stop(address: Address, runId: string): Promise<boolean> {
    const [thread] = await Promise.all([
      settle(() => getThread(address)),
      settle(() =>
        store.update("run", address, { set: { stop: true } }, { and: [{ attr: "runId", eq: runId }, isLive] }),
      ),
    ]);
    return isReadable(thread);
  }

  // --- Claim -------------------------------------------------------------------------------------------------

  async function claim<T>(
    address: Address,
    request: RunRequest,
    claimOptions: ClaimOptions<T>,
  ): Promise<ClaimOutcome<T>> {
    const { hash } = claimOptions;
    const isSend = request.kind === "send";
    const ownId = isSend ? request.messageId : request.requestId;
    const runId = runIdOf(ownId);
    const branchRoot = isSend && request.branch && request.parentId === undefined;
    const started = clock.now();
    if (idTime(ownId) > started + time.future) return { outcome: "bad-id" };
    let claimId = newClaimId();
    let isListed = false;
    /** The last claim that was tried, in case its result stays unknown at first. */
    let tried: Claim<T> | undefined;

    /** What `prepare` throws is the caller's own and ends the claim. */
    class Refusal extends Error {}

    async function prepare(view: ClaimView): Promise<{ given: Given; value: T }> {
      try {
        return await claimOptions.prepare(view);
      } catch (error) {
        throw new Refusal("Not prepared", { cause: error });
      }
    }

    const questionOf = (given: Given, parent: MessageItem | undefined, text: string, now: number): MessageItem => ({
      id: ownId,
      role: "user",
      text,
      parentId: parent?.id ?? null,
      depth: parent ? parent.depth + 1 : 0,
      createdAt: now,
      hash,
      given,
    });

    /** RUN is, or was, this request's. Makes its question durable before anybody attaches. */
    async function repeat(run: RunItem, thread: ThreadItem | undefined): Promise<ClaimOutcome<T> | undefined> {
      if (run.hash !== hash) return { outcome: "mismatch" };
      if (isSend && run.state === "live") {
        let question = await getMessage(address, ownId);
        if (!question) {
          const history = await readHistory(address, parentOfQuestion(run), claimOptions.history);
          if (!history) return undefined;
          const { given } = await prepare({ thread, history });
          const item = questionOf(given, history.at(-1), request.text, run.startedAt ?? clock.now());
          const outcome = await store.put("message", { ...address, messageId: ownId }, item, absent);
          question = outcome === "done" ? item : await getMessage(address, ownId);
        }
        if (!question) return undefined;
        if (question.hash !== hash) return { outcome: "mismatch" };
      }
      return { outcome: "attach", runId };
    }

    /** One round. Undefined: something changed meanwhile; begin again. */
    async function round(): Promise<ClaimOutcome<T> | undefined> {
      const to = isSend ? (request.branch ? request.parentId : undefined) : request.of;
      const [thread, run, page] = await Promise.all([
        getThread(address),
        getRun(address),
        branchRoot
          ? { items: [] }
          : store.list(
              "message",
              { ...address, ...(to === undefined ? {} : { to }) },
              { consistent: false, backwards: true, limit: claimOptions.history + 2 },
            ),
      ]);
      const find = async (id: string) => page.items.find((item) => item.id === id) ?? (await getMessage(address, id));

      if (thread ? !isReadable(thread) : !(isSend && request.create)) return { outcome: "not-found" };
      if (run?.state === "deleted") return { outcome: "not-found" };

      if (run?.claimId === claimId) {
        if (run.state === "live" && tried) return { outcome: "claimed", claim: tried };
        claimId = newClaimId();
      }
      if (run?.runId === runId && run.ending !== "void") return await repeat(run, thread);
      if (run?.state === "live") {
        if (!isExpired(run)) return { outcome: "busy", runId: run.runId ?? "" };
        await reap(address);
        return undefined;
      }

      const head = headOf(run);
      if (head !== null && ownId <= head) {
        const earlier = await getMessage(address, ownId);
        if (!earlier) return { outcome: "stale", newestId: head };
        return earlier.hash === hash ? { outcome: "attach", runId } : { outcome: "mismatch" };
      }
      if (isSend && !request.branch && request.parentId !== undefined && request.parentId !== head)
        return { outcome: "stale", newestId: head ?? run?.runId ?? request.parentId };

      // The head's answer must be in the table before RUN forgets it.
      if (run && head !== null && run.ending !== "void" && !(await find(head))) {
        await storeAnswer(address, run);
        return undefined;
      }

      let parentId: string | null;
      let prefix = "";
      let of: MessageItem | undefined;
      if (isSend) {
        parentId = branchRoot ? null : (request.parentId ?? head);
        if (request.branch && parentId !== null && (await find(parentId))?.role !== "assistant")
          return { outcome: "not-found" };
      } else {
        of = await find(request.of);
        if (of?.role !== (request.kind === "again" ? "user" : "assistant")) return { outcome: "not-found" };
        if (request.kind === "continue") prefix = of.text;
        parentId = request.kind === "again" ? of.id : of.parentId;
      }
      const history = await readHistory(address, parentId, claimOptions.history, page);
      if (!history) return undefined;

      isListed = true;
      const [hasRoom, { given, value }, created] = await Promise.all([
        addLive(address, runId),
        prepare({ thread, history }),
        thread || !claimOptions.thread ? "done" : store.put("thread", address, claimOptions.thread, absent),
      ]);
      if (!hasRoom) return { outcome: "too-many-runs" };
      if (created === "refused") return undefined;

      const now = clock.now();
      const last = history.at(-1);
      const question = isSend ? questionOf(given, last, request.text, now) : undefined;
      const messageId = question?.id ?? parentId ?? "";
      const set: Settable["run"] = {
        state: "live",
        runId,
        claimId,
        messageId,
        hash,
        beat: 0,
        base: 0,
        tail: "",
        startedAt: now,
        leaseUntil: now + time.lease,
      };
      if (head !== null) set.prev = head;
      if (isSend && parentId !== head) set.parentId = parentId ?? "";
      if (!isSend) set.again = true;
      const optional = ["prev", "parentId", "again", "stop", "ending", "error", "finishReason", "usage", "endedAt"];
      const remove = (optional as (keyof RunItem)[]).filter((name) => !(name in set));
      const condition: Condition = run
        ? {
            and: [
              { attr: "claimId", eq: run.claimId ?? "" },
              { attr: "state", eq: "ended" },
            ],
          }
        : { attr: "state", exists: false };
      tried = {
        address,
        runId,
        claimId,
        messageId,
        startedAt: now,
        question,
        prefix,
        hash,
        given,
        depth: (question?.depth ?? last?.depth ?? 0) + 1,
        history,
        thread,
        value,
      };
      const outcome = await store.update("run", address, { set, remove }, condition);
      return outcome === "done" ? { outcome: "claimed", claim: tried } : undefined;
    }

    let result: ClaimOutcome<T> = { outcome: "unavailable" };
    let refusal: Refusal | undefined;
    for (let count = 0; count < limit.rounds && clock.now() - started < time.claim; count++) {
      if (count > 0) await backOff();
      try {
        const outcome = await round();
        if (!outcome) continue;
        result = outcome;
        break;
      } catch (error) {
        if (error instanceof Refusal) {
          refusal = error;
          break;
        }
        report({ during: "claim", error, address });
      }
    }
    if (isListed && result.outcome !== "claimed" && result.outcome !== "attach" && result.outcome !== "unavailable") {
      try {
        await removeLive(address, runId);
      } catch (error) {
        report({ during: "activity after a refused claim", error, address });
      }
    }
    if (refusal) throw refusal.cause;
    return result;
  }

  // --- Produce -------------------------------------------------------------------------------------------------

  function produce<T>(mine: Claim<T>, how: ProduceOptions): Production {
    const { address, runId, claimId } = mine;
    const bell = createBell(clock);
    const model = new AbortController();
    const gate = how.gate ?? openGate();
    const endBy = (how.deadline ?? Number.POSITIVE_INFINITY) - time.margin;

    /** All text that may be shown. */
    let text = mine.prefix;
    let bytes = bytesOf(text);
    /** First half of a character whose other half has not come. */
    let half = "";
    /** From here on no text is added: the end has been written down. */
    let isSealed = false;
    let blocked: string | undefined;
    let isTooLong = bytes >= limit.answer;
    let isStopped = false;
    let isGivenUp = false;
    let outcome: ModelOutcome | undefined;
    let waiting: ReaderEvent | undefined;
    let acceptance: "accepted" | "mismatch" | "unavailable" | undefined;

    /** The log as it will be after the next beat. Only grows, whether or not that beat gets in. */
    const log = { base: 0, tail: "" };
    /** Chunks of it that are not known to be in the table. */
    let unwritten: ChunkItem[] = [];
    let beat = 0;
    /** Length of the text that RUN vouches for, and when that was last confirmed. */
    let saved = 0;
    let savedAt = mine.startedAt;
    let nextBeat = mine.startedAt + time.beat;
    /** Shown text beyond `saved`: where it ends and when it was shown. */
    let shownAhead: { end: number; at: number }[] = [];
    /** How the run is over for the reader. */
    let closing: ReaderEvent | undefined;

    function close(event: ReaderEvent): void {
      isSealed = true;
      closing = event;
      model.abort();
      bell.ring();
    }

    function append(released: Released): void {
      if (isSealed || isTooLong || blocked !== undefined) return;
      blocked = released.blocked;
      let added = half + released.text;
      half = /[\uD800-\uDBFF]$/.test(added) ? added.slice(-1) : "";
      added = wellFormed(half ? added.slice(0, -1) : added);
      const size = bytesOf(added);
      if (bytes + size >= limit.answer) {
        added = startWithin(added, limit.answer - bytes);
        isTooLong = true;
      }
      text += added;
      bytes += size;
      if (isTooLong || blocked !== undefined) model.abort();
    }

    async function consume(): Promise<void> {
      const parts = how.answer(model.signal);
      try {
        while (!isSealed) {
          const step = await parts.next();
          if (isSealed) break;
          if (step.done) {
            append(await gate.flush());
            outcome = step.value;
            return;
          }
          if (step.value.type === "waiting") waiting = step.value;
          else {
            waiting = undefined;
            append(await gate.release(step.value.text));
          }
          bell.ring();
        }
        // Nobody listens any more: the model's stream is closed.
        await parts.return({ ending: "interrupted" });
      } catch (error) {
        report({ during: "answer", error, address });
        outcome ??= { ending: "interrupted", error: "internal" };
      } finally {
        bell.ring();
      }
    }

    /** Freezes the text that is not in the log yet. What has been frozen stays the same until it is in. */
    function freeze(): void {
      let rest = log.tail + text.slice(log.base + log.tail.length);
      while (bytesOf(rest) > limit.tail) {
        const size = bytesOf(rest);
        const isBig = size > MANY * limit.chunk;
        const part = isBig || size <= limit.chunk ? rest : startWithin(rest, limit.chunk);
        unwritten.push({ from: log.base, text: part, expiresAt: daysAhead(limit.chunkDays) });
        log.base += part.length;
        rest = rest.slice(part.length);
      }
      log.tail = rest;
    }

    /** False: it cannot be known before `until` whether they are in. */
    async function putChunks(until: number): Promise<boolean> {
      for (;;) {
        const chunks = unwritten;
        const results = await Promise.allSettled(
          // Refused: it is in already, for the key holds the claim and the text of a place never changes.
          chunks.map((chunk) => store.put("chunk", { ...address, claimId, from: chunk.from }, chunk, absent)),
        );
        unwritten = chunks.filter((_, index) => results[index]?.status === "rejected");
        if (unwritten.length === 0) return true;
        if (clock.now() >= until) return false;
        await backOff();
      }
    }

    type Written = "in" | "stop" | "fenced" | "gone" | "lost";

    /**
     * Writes to RUN, repeating the same write until it is known to be in, or known never to be. `isDone` tells
     * from RUN whether a refused write was in fact an earlier success of ours.
     */
    async function write(
      set: Settable["run"],
      condition: (beat: number) => Condition[],
      until: number,
      isDone: (run: RunItem) => boolean,
    ): Promise<Written> {
      for (;;) {
        try {
          const lease = set.state === "ended" ? time.grace : time.lease;
          const change = { ...set, beat: beat + 1, leaseUntil: clock.now() + lease };
          const result = await store.update("run", address, { set: change }, { and: condition(beat) });
          if (result === "done") {
            beat++;
            return "in";
          }
          const run = await getRun(address);
          if (!run || run.state === "deleted") return "gone";
          if (run.claimId !== claimId) return "fenced";
          if (isDone(run)) {
            beat++;
            return run.state === "live" && run.stop ? "stop" : "in";
          }
          if (run.state === "ended") return "fenced";
          // A beat whose result stayed unknown was in after all.
          if (run.beat === beat + 1) beat++;
          if (run.stop) return "stop";
        } catch (error) {
          if (clock.now() >= until) report({ during: "write of a run", error, address });
        }
        if (clock.now() >= until) return "lost";
        await backOff();
      }
    }

    function setSaved(length: number): void {
      saved = length;
      savedAt = clock.now();
      shownAhead = shownAhead.filter(({ end }) => end > saved);
      bell.ring();
    }

    /** One write a second: flush, heartbeat, fence and stop poll. */
    async function flush(): Promise<Written> {
      const until = savedAt + time.giveUp;
      // Before that the run can still turn out void, and a reader of the log would have seen its text.
      if (acceptance === "accepted") freeze();
      const { base, tail } = log;
      if (!(await putChunks(until))) return "lost";
      const written = await write(
        { base, tail },
        (beat) => [...held(claimId, beat), ...unlessStopped],
        until,
        (run) => run.state === "live" && run.beat === beat + 1,
      );
      if (written === "in") setSaved(base + tail.length);
      return written;
    }

    interface Decision {
      ending: Ending;
      error?: ErrorCode | undefined;
      finishReason?: string | undefined;
    }

    /** How the run ends, if it is to end now. */
    function decide(): Decision | undefined {
      if (blocked !== undefined) return { ending: "blocked" };
      if (isStopped) return { ending: "stopped" };
      if (isGivenUp) return { ending: "interrupted", error: "log-lost" };
      if (isTooLong) return { ending: "complete", finishReason: "length" };
      if (outcome) {
        const { ending, error, finishReason } = outcome;
        if (ending === "complete" && text === "") return { ending: "failed", error: "model-empty", finishReason };
        if (ending !== "complete") return { ending: text === "" ? "failed" : "interrupted", error, finishReason };
        return { ending, error, finishReason };
      }
      if (clock.now() >= endBy) return { ending: "interrupted", error: "deadline" };
      return undefined;
    }

    /** Decides the ending in one write of RUN, which is also the last flush. Only then is it shown. */
    async function end(first: Decision): Promise<void> {
      const until = Math.max(clock.now() + time.unsaved, savedAt + time.giveUp);
      let decision = first;
      isSealed = true;
      model.abort();
      if (half && decision.ending !== "blocked") text += "\uFFFD";
      if (blocked !== undefined) {
        text = blocked;
        log.base = 0;
        log.tail = blocked;
        unwritten = [];
      } else freeze();
      const { base, tail } = log;
      let run: RunItem;
      for (;;) {
        if (!(await putChunks(until))) return close({ type: "detached" });
        const { ending, error, finishReason } = decision;
        const set: Settable["run"] = { state: "ended", ending, base, tail, endedAt: clock.now() };
        if (error) set.error = error;
        if (finishReason) set.finishReason = finishReason;
        if (outcome?.usage) set.usage = outcome.usage;
        const written = await write(
          set,
          (beat) => [...held(claimId, beat), ...(ending === "complete" ? unlessStopped : [])],
          until,
          // A reaper's ending after a beat of unknown result looks like mine by its beat alone.
          (run) =>
            run.state === "ended" &&
            run.beat === beat + 1 &&
            run.ending === ending &&
            run.error === error &&
            run.base === base &&
            run.tail === tail,
        );
        run = {
          runId,
          claimId,
          messageId: mine.messageId,
          hash: mine.hash,
          startedAt: mine.startedAt,
          ...set,
          state: "ended",
        };
        if (written === "in") break;
        if (written === "gone") return close({ type: "gone" });
        if (written !== "stop") return close({ type: "detached" });
        if (ending === "complete") decision = { ending: "stopped" };
      }
      const { ending, error } = decision;
      setSaved(text.length);
      close({ type: "end", ending, length: text.length, ...(error ? { error } : {}) });

      const sidenotes = how.cite ? await how.cite(text) : await options.cite?.(address, text, mine.given);
      const answer = answerOf(run, text, { given: mine.given, depth: mine.depth, sidenotes });
      if (outcome?.sent) answer.settings = { ...mine.given.settings, ...outcome.sent };
      await settle(() => store.put("message", { ...address, messageId: runId }, answer, absent));
      if (ending === "blocked") await deleteChunks();
      await finish({ address, run, answer });
    }

    /** Of a blocked run: nobody reads them any more. */
    async function deleteChunks(): Promise<void> {
      let cursor: string | undefined;
      do {
        const page = await store.list(
          "chunk",
          { ...address, claimId },
          { consistent: true, ...(cursor === undefined ? {} : { cursor }) },
        );
        for (const { from } of page.items) await settle(() => store.delete("chunk", { ...address, claimId, from }));
        cursor = page.cursor;
      } while (cursor !== undefined);
    }

    /** Puts the question, or what a run without a new question was given. */
    async function accept(): Promise<"accepted" | "mismatch" | "unavailable"> {
      const { question } = mine;
      try {
        if (!question) {
          const context = { given: mine.given, depth: mine.depth, expiresAt: daysAhead(limit.chunkDays) };
          await settle(() => store.put("context", { ...address, claimId }, context, absent));
          return "accepted";
        }
        const key = { ...address, messageId: question.id };
        if ((await settle(() => store.put("message", key, question, absent))) === "done") return "accepted";
        const stored = await settle(() => getMessage(address, question.id));
        if (!stored) return "unavailable";
        return stored.hash === mine.hash ? "accepted" : "mismatch";
      } catch (error) {
        report({ during: "put of a question", error, address });
        return "unavailable";
      }
    }

    /** Another message stands under this id: the claim never was. */
    async function annul(): Promise<void> {
      const set: Settable["run"] = { state: "ended", ending: "void", endedAt: clock.now() };
      await settle(() => store.update("run", address, { set }, { and: [{ attr: "claimId", eq: claimId }, isLive] }));
      await moveToUnread(address, runId, { state: "ended", ending: "void" });
    }

    async function touch(): Promise<void> {
      try {
        if (!(await settle(how.touch))) await markRunDeleted(address);
      } catch (error) {
        report({ during: "touch of a thread", error, address });
      }
    }

    async function drive(): Promise<void> {
      for (;;) {
        if (acceptance === "mismatch") {
          close({ type: "void" });
          return await annul();
        }
        // Whether it is in nobody knows: the reaper will see.
        if (acceptance === "unavailable") return close({ type: "detached" });
        const decision = decide();
        if (decision && acceptance) return await end(decision);
        const now = clock.now();
        if (now < nextBeat) {
          await bell.wait(Math.min(nextBeat, endBy > now ? endBy : nextBeat) - now);
          continue;
        }
        const written = await flush();
        nextBeat = clock.now() + time.beat;
        if (written === "gone") return close({ type: "gone" });
        if (written === "fenced") return close({ type: "detached" });
        if (written === "stop") isStopped = true;
        if (written === "lost") isGivenUp = true;
        if (isStopped || isGivenUp) model.abort();
        if (isGivenUp && !acceptance) return close({ type: "detached" });
      }
    }

    /** How much may be shown: what the log vouches for, and what was added within the last second. */
    function showable(now: number): number {
      const oldest = shownAhead[0];
      if (closing) return closing.type === "end" ? text.length : 0;
      return oldest && now - oldest.at >= time.ahead ? saved : text.length;
    }

    async function* events(): AsyncGenerator<ReaderEvent, void> {
      yield { type: "start", runId, claimId };
      let shown = 0;
      let isUnsaved = false;
      for (;;) {
        const now = clock.now();
        const isLate = !closing && text.length > saved && now - savedAt >= time.unsaved;
        if (isLate !== isUnsaved) {
          isUnsaved = isLate;
          yield { type: isLate ? "unsaved" : "saved" };
          continue;
        }
        if (waiting) {
          const event = waiting;
          waiting = undefined;
          yield event;
          continue;
        }
        if (closing?.type === "end" && closing.ending === "blocked") {
          yield { type: "replace", claimId };
          if (text) yield { type: "text", text, position: { claimId, offset: text.length } };
          yield closing;
          return;
        }
        const upTo = showable(now);
        if (upTo > shown) {
          const piece = text.slice(shown, upTo);
          shown = upTo;
          if (upTo > saved) shownAhead.push({ end: upTo, at: now });
          yield { type: "text", text: piece, position: { claimId, offset: upTo } };
          continue;
        }
        if (closing) {
          yield closing;
          return;
        }
        await bell.wait(isUnsaved ? time.unsaved : Math.max(1, savedAt + time.unsaved - now));
      }
    }

    const accepted = accept().then((result) => {
      acceptance = result;
      if (result !== "accepted") model.abort();
      // The old text of a continue is in the log at once, so that a reload does not show less than before.
      if (mine.prefix) nextBeat = clock.now();
      bell.ring();
      return result;
    });
    const consumed = consume();
    const touched = touch();
    const done = drive()
      .catch((error: unknown) => {
        report({ during: "production", error, address });
        close({ type: "detached" });
      })
      .then(() => Promise.all([accepted, touched]))
      .then(() => {});
    // The model call ends by its signal; nothing waits for it.
    void consumed;
    return { accepted, events: events(), done };
  }

  // --- Read along ----------------------------------------------------------------------------------------------

  async function* follow(
    address: Address,
    runId: string,
    position: Position | undefined,
  ): AsyncGenerator<ReaderEvent, void> {
    const until = clock.now() + time.tail;
    let claimId = position?.claimId;
    let offset = position?.offset ?? 0;
    let isAnnounced = false;
    let silent = 0;
    let failures = 0;

    function* announce(): Generator<ReaderEvent, void> {
      if (!isAnnounced && claimId !== undefined) yield { type: "start", runId, claimId };
      isAnnounced = true;
    }

    /** The end, from the stored answer or from what RUN vouches for: both are the same text. */
    function* close(run: Pick<RunItem, "claimId" | "ending" | "error">, text: string): Generator<ReaderEvent, void> {
      const from = run.claimId ?? "";
      claimId ??= from;
      yield* announce();
      if (from !== claimId || run.ending === "blocked" || offset > text.length) {
        yield { type: "replace", claimId: from };
        offset = 0;
      }
      if (offset < text.length)
        yield { type: "text", text: text.slice(offset), position: { claimId: from, offset: text.length } };
      const ending = run.ending === "void" || run.ending === undefined ? "interrupted" : run.ending;
      yield { type: "end", ending, length: text.length, ...(run.error ? { error: run.error } : {}) };
    }

    for (;;) {
      let pause = silent < 5 ? time.poll : time.slowPoll;
      try {
        let run = claimId === undefined ? undefined : await getRun(address, false);
        const isMine = run?.state === "live" && run.runId === runId && run.claimId === claimId;
        if (!run || !isMine || isExpired(run)) run = await getRun(address);
        if (!run || run.state === "deleted") {
          yield { type: "gone" };
          return;
        }
        if (run.runId !== runId) {
          // The run is over and its answer is stored: later claims have seen to it.
          const answer = await getMessage(address, runId);
          if (answer?.role === "assistant") yield* close(answer, answer.text);
          else yield { type: "void" };
          return;
        }
        if (run.state === "live") {
          if (isExpired(run)) {
            await reap(address);
            continue;
          }
          claimId ??= run.claimId ?? "";
          yield* announce();
          if (run.claimId !== claimId) {
            claimId = run.claimId ?? "";
            offset = 0;
            yield { type: "replace", claimId };
          }
          const length = (run.base ?? 0) + (run.tail ?? "").length;
          const log = offset < length ? await readLog(address, run, offset) : undefined;
          // Not whole: a lag, or RUN has changed. Never a loss.
          if (log?.whole) {
            offset = length;
            silent = 0;
            yield { type: "text", text: log.text, position: { claimId, offset } };
          } else silent++;
        } else {
          if (run.ending === "void") {
            yield { type: "void" };
            return;
          }
          let answer = await getMessage(address, runId);
          if (!answer && isExpired(run)) answer = await storeAnswer(address, run);
          const log = answer ? undefined : await readLog(address, run, 0);
          if (answer) yield* close(answer, answer.text);
          else if (log?.whole) yield* close(run, log.text);
          if (answer || log?.whole) return;
        }
        failures = 0;
      } catch (error) {
        failures++;
        if (failures > 5) {
          report({ during: "reading along", error, address });
          yield { type: "detached" };
          return;
        }
        pause = 50 + random() * 350;
      }
      if (clock.now() >= until) {
        yield { type: "detached" };
        return;
      }
      await clock.sleep(pause);
    }
  }

  async function readAlong(address: Address, runId: string, position?: Position) {
    const thread = await settle(() => getThread(address));
    return isReadable(thread) ? follow(address, runId, position) : undefined;
  }

  async function getLiveRun(address: Address): Promise<string | null | undefined> {
    const [thread, run] = await Promise.all([settle(() => getThread(address)), settle(() => getRun(address))]);
    if (!isReadable(thread) || run?.state === "deleted") return undefined;
    if (run?.state !== "live") return null;
    const fresh = isExpired(run) ? await settle(() => reap(address)) : run;
    return fresh?.state === "live" ? (fresh.runId ?? null) : null;
  }

  // --- Load ----------------------------------------------------------------------------------------------------

  /** One try. Undefined: something changed meanwhile. Null: there is no such thread. */
  async function tryLoad(
    address: Address,
    how: { tipId: string | undefined; limit: number; consistent: boolean; isLast: boolean },
  ): Promise<LoadedThread | null | undefined> {
    const [thread, found] = await Promise.all([getThread(address), getRun(address)]);
    if (!isReadable(thread) || found?.state === "deleted") return null;
    let run = found;
    if (run?.state === "live" && isExpired(run)) {
      run = await reap(address);
      if (run?.state === "deleted") return null;
      if (run?.state === "live" && isExpired(run)) return undefined;
    }

    const headId = headOf(run);
    let live: LoadedThread["live"] = null;
    let answer: MessageItem | undefined;
    let tip = headId;
    if (run?.state === "live") {
      const log = await readLog(address, run, 0);
      if (!log.whole) return undefined;
      const { runId = "", claimId = "", messageId = "", startedAt = 0, again = false } = run;
      live = { runId, claimId, messageId, text: log.text, startedAt, again };
      tip = messageId;
    }

    const path = { consistent: how.consistent, limit: how.limit, jump: false };
    let chain = await readPath(address, how.tipId ?? tip ?? "", path);
    if (run?.state === "ended" && run.ending !== "void" && run.runId && !chain.read.has(run.runId)) {
      answer = await getMessage(address, run.runId);
      if (!answer && isExpired(run)) answer = await storeAnswer(address, run);
      if (!answer) {
        const [log, from] = await Promise.all([readLog(address, run, 0), readGiven(address, run)]);
        if (!log.whole) return undefined;
        answer = answerOf(run, log.text, { ...from, sidenotes: undefined });
      }
      if ((how.tipId ?? tip) === run.runId) {
        const rest = await readPath(address, run.messageId ?? "", { ...path, limit: how.limit - 1 });
        chain = { path: [answer, ...rest.path], read: rest.read, whole: rest.whole };
      }
      chain.read.set(answer.id, answer);
    }
    if (live && how.tipId === undefined && chain.path.length === 0 && !chain.read.has(live.messageId)) {
      // The live question is not in the table yet: the path ends at its parent.
      if (!how.consistent) return undefined;
      tip = run ? parentOfQuestion(run) : null;
      chain = await readPath(address, tip ?? "", path);
    }
    const isEmpty = (how.tipId ?? tip) === null;
    if (!isEmpty && !chain.whole && !how.isLast) return undefined;

    const messages = [...chain.read.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    const ids = chain.path.map(({ id }) => id).reverse();
    if (!live && how.tipId === undefined) {
      // A question that got in after its run was given up: shown as not answered, never dropped.
      const last = messages.findLast(
        ({ id, role, parentId }) => role === "user" && parentId === tip && id > (tip ?? ""),
      );
      if (last && !messages.some(({ parentId }) => parentId === last.id)) ids.push(last.id);
    }
    return { thread, run, live, headId, messages, path: ids };
  }

  async function loadThread(
    address: Address,
    { tipId, limit: wanted = Number.POSITIVE_INFINITY }: { tipId?: string; limit?: number } = {},
  ): Promise<LoadedThread | undefined> {
    const last = 5;
    for (let round = 0; ; round++) {
      if (round > 0) await backOff();
      const how = { tipId, limit: wanted, consistent: round > 0, isLast: round >= last };
      try {
        const loaded = await tryLoad(address, how);
        if (loaded) return loaded;
        if (loaded === null) return undefined;
        if (round > last + limit.rounds) throw new Error("The thread could not be read whole");
      } catch (error) {
        if (round >= last) throw error;
      }
    }
  }

  // --- Delete --------------------------------------------------------------------------------------------------

  /** Ends the producer at its next beat and refuses every later claim. */
  async function markRunDeleted(address: Address): Promise<void> {
    const set = { state: "deleted" as const, expiresAt: daysAhead(limit.tombstoneDays) };
    await settle(() => store.update("run", address, { set, remove: ["tail", "hash", "stop"] }));
  }

  async function deleteThread(address: Address): Promise<boolean> {
    const now = clock.now();
    const set = {
      deletedAt: now,
      activityAt: `DELETED#${new Date(now).toISOString()}`,
      expiresAt: daysAhead(limit.tombstoneDays),
    };
    const outcome = await settle(() => store.update("thread", address, { set, remove: ["card", "settings"] }, present));
    if (outcome === "refused") return false;
    await markRunDeleted(address);
    return true;
  }

  async function sweepThread(address: Address): Promise<boolean> {
    const { userId, threadId } = address;
    const thread = await settle(() => getThread(address));
    if (isReadable(thread)) return false;
    // One that the table removed when it expired has no mark yet; for the others this is a repeat.
    await markRunDeleted(address);
    while (await settle(() => store.sweep(address)));
    const remove = [liveOf(threadId), unreadOf(threadId)];
    await settle(() => store.update("activity", { userId }, { remove }, present));
    return true;
  }

  return {
    claim,
    produce,
    readAlong,
    getLiveRun,
    stop,
    reap,
    storeAnswer,
    loadThread,
    deleteThread,
    sweepThread,
    getActivity,
    markSeen,
  };
}
