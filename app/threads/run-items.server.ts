/**
 * What the run protocol is made of: the items that it keeps, the port through which it writes them, its figures,
 * and what its callers give and get. No code; run.server.ts is where to start reading.
 */
import type { AnswerOutcome, AnswerPart, AnswerUsage } from "~/ai/answer.server";
import type { Checked, Released } from "~/ai/guardrail-windows";
import type { CallSettings, DroppedSetting, ThreadSettings } from "~/ai/settings";
import type { ErrorCode } from "~/errors";
import type { Bill, Spent, StoredCost } from "./cost";
import type { PromptRecord } from "./prompt.server";
import { type ActivityView, type Blocked, type Ending, REASONING_LIMIT, type Sidenote } from "./view";

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
  /** How many of the notes that were meant to go in did not; absent: none. */
  notesLeftOut?: number | undefined;
  /** The notes were chosen by the question, because not all of them fit. */
  ranked?: boolean | undefined;
  /** What the prompt held, and how the model was asked; filled in once it is built, before anything is stored. */
  prompt?: PromptRecord | undefined;
  call?: CallRecord | undefined;
  /** What it was expected to take; absent in runs from before there were budgets. */
  bill?: Bill | undefined;
}

/** What the guardrail was asked: units of 1,000 characters. */
export interface GuardrailUse {
  units: number;
}

/** How a model was asked, beyond the notes and messages: small, and without copies of texts that stand elsewhere. */
export interface CallRecord {
  /** The settings that were sent, and those that were set and not sent. */
  sent: CallSettings;
  dropped: DroppedSetting[];
  /** The operator's system prompt, if it was in effect: in words as long as it is short, else by its hash alone. */
  operator?: { hash: string; text?: string } | undefined;
  /** The model takes no system prompt: it stood at the head of the first message. */
  inMessage?: true | undefined;
  /** The model might propose notes. */
  proposes?: true | undefined;
  /** The guardrail masked something in the system prompt: it was sent, and is stored, as the settings have it. */
  masked?: true | undefined;
  /** Length of the text that the answer goes on from. */
  continued?: number | undefined;
}

/** A system prompt that the guardrail let pass: known by a keyed hash of it and of the guardrail. */
export interface PromptPass {
  hash: string;
  /** What is sent in its place, if something in it was masked. */
  text?: string | undefined;
}

export interface ThreadItem {
  activityAt: string;
  card?: { title: string; pinned: boolean; at: number } | undefined;
  settings?: ThreadSettings | undefined;
  settingsRevision?: number | undefined;
  /** Nobody has named it yet, neither the person nor a message. */
  untitled?: boolean | undefined;
  /** Proposed notes that the person wants none of: `<id of the answer>.<which of it>`. */
  dismissed?: Set<string> | undefined;
  /** The system prompt that the guardrail let pass last. */
  promptPass?: PromptPass | undefined;
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
  /** Length of the reasoning that is in counted chunks, and how long the model has thought, in milliseconds. */
  thought?: number | undefined;
  thoughtMs?: number | undefined;
  leaseUntil?: number | undefined;
  startedAt?: number | undefined;
  stop?: boolean | undefined;
  ending?: Ending | "void" | undefined;
  error?: ErrorCode | undefined;
  finishReason?: string | undefined;
  /** As the vendor reported it; `spent` is the producer's estimate where it did not. */
  usage?: AnswerUsage | undefined;
  spent?: Spent | undefined;
  /** Something in the text was masked. */
  masked?: boolean | undefined;
  blocked?: Blocked | undefined;
  guardrail?: GuardrailUse | undefined;
  endedAt?: number | undefined;
  /** Seconds since the epoch; on the tombstone only. */
  expiresAt?: number | undefined;
}

export interface ChunkItem {
  from: number;
  text: string;
  expiresAt: number;
}

/** A piece of a run's reasoning. It stays with the answer, which says how much of it counts. */
export interface ThoughtItem {
  from: number;
  text: string;
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
  /** Something in the text was masked: no other text of it is stored. */
  masked?: boolean | undefined;
  /** On a question, `message` is what stands in the place of its answer, so that anybody can end its run. */
  blocked?: (Blocked & { message?: string | undefined }) | undefined;
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
  cost?: StoredCost | undefined;
  guardrail?: GuardrailUse | undefined;
  durationMs?: number | undefined;
  /** How long the model thought, and how much of its reasoning is kept in the chunks of the claim. */
  reasoning?: { length: number; ms: number } | undefined;
  sidenotes?: Sidenote[] | undefined;
  call?: CallRecord | undefined;
  prompt?: PromptRecord | undefined;
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
  thought: ThoughtItem;
  context: ContextItem;
  message: MessageItem;
  activity: ActivityItem;
}

export interface ItemKeys {
  thread: Address;
  run: Address;
  chunk: Address & { claimId: string; from: number };
  thought: Address & { claimId: string; from: number };
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
  thought: Partial<ThoughtItem>;
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
  thought: Address & { claimId: string; from?: number; to?: number };
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
  /** UTF-16 units of reasoning that are kept. */
  reasoning: number;
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
  reasoning: REASONING_LIMIT,
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
  claimId: string;
  runId: string;
  /** The claim is live already, and its question was lost: nothing is to be begun anew. */
  repeated: boolean;
  /** The old partial text that a continue goes on from; else empty. */
  prefix: string;
  /** Absent before its first message is in. */
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
  /** The settings that a new thread begins with. */
  beginning?: (() => Promise<ThreadSettings>) | undefined;
  /**
   * What has to be known or written before the claim (note numbers, the model). Runs beside the write to
   * ACTIVITY and must be repeatable. What it throws ends the claim. `unchecked`: the system prompt of the settings,
   * if the guardrail is to be asked about it beside the question.
   */
  prepare(view: ClaimView): Promise<{ given: Given; value: T; unchecked?: string | undefined }>;
  /** Told what the guardrail was asked beyond what the run's own producer asks it, in units. */
  asked?(units: number): void;
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
  /** That text was masked. */
  masked: boolean;
  hash: string;
  given: Given;
  /** The system prompt that was given, if the guardrail is to be asked about it. */
  unchecked: string | undefined;
  /** The depth of the answer. */
  depth: number;
  history: MessageItem[];
  /** As in {@link ClaimView}. */
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
  /** unchecked: the guardrail could not be asked about the question of a repeat. */
  | { outcome: "mismatch" | "not-found" | "bad-id" | "too-many-runs" | "unavailable" | "unchecked" };

export interface Position {
  claimId: string;
  /** UTF-16 units of the answer's text that the reader holds. */
  offset: number;
  /** The same of its reasoning; absent: none. */
  thought?: number;
}

export type ReaderEvent =
  | { type: "start"; runId: string; claimId: string }
  | { type: "text"; text: string; position: Position }
  /** Reasoning: what the reader holds of it up to `from`, then `text`. `ms`: how long the model has thought so far. */
  | { type: "reasoning"; from: number; text: string; ms: number }
  /** What the reader holds is void; text and reasoning follow from their start. */
  | { type: "replace"; claimId: string }
  | { type: "waiting"; attempt: number; seconds: number }
  /** The model refused the prompt as too long and is asked again without so many more messages and notes. */
  | { type: "shortened"; messages: number; notes: number }
  | { type: "unsaved" | "saved" }
  | { type: "end"; ending: Ending; length: number; error?: ErrorCode; blocked?: Blocked }
  /** void: the question never got in. gone: the thread was deleted. detached: not over, attach again. */
  | { type: "void" | "gone" | "detached" };

/** What a model call yields, and that it begins anew with a shorter prompt. */
export type ModelPart = AnswerPart | Extract<ReaderEvent, { type: "shortened" }>;

/** How a model call ended. */
export type ModelOutcome = Pick<AnswerOutcome, "ending" | "error" | "finishReason" | "usage"> & {
  /** The settings that were sent. */
  sent?: ThreadSettings;
  /** What the prompt held, if that is not what was given. */
  prompt?: PromptRecord;
};

/**
 * Between the model and the log. Text leaves it only when it may be shown. `blocked` ends the run as blocked, with
 * the message in place of the whole answer; `error` ends it as interrupted, with what was released.
 */
export interface ReleaseGate {
  /** Takes new text and returns what may be shown now. */
  release(text: string): Released | Promise<Released>;
  /** The model is done: returns the rest. */
  flush(): Released | Promise<Released>;
  /** What of the model's reasoning may be shown and stored. A gate without this lets none of it through. */
  think?(text: string): string;
  /** What the guardrail was asked so far, in units; a gate without this asks none. */
  units?(): number;
}

export interface ProduceOptions {
  /**
   * Starts the model call. The signal aborts on stop, delete, fence, deadline and length. `question` is the text
   * of the question that the guardrail let pass, perhaps masked, and `systemPrompt` the same of that; each is undefined
   * if it was not asked about it.
   */
  answer(
    signal: AbortSignal,
    question: string | undefined,
    systemPrompt: string | undefined,
  ): AsyncGenerator<ModelPart, ModelOutcome>;
  /** Marks a thread that is there as used; false: it was deleted. */
  touch(): Promise<boolean>;
  /** Sidenotes of the answer, from what the caller holds; without it, from what is stored. */
  cite?(text: string): Sidenote[] | Promise<Sidenote[]>;
  /** Without it, text is shown as it comes. */
  gate?: ((signal: AbortSignal) => ReleaseGate) | undefined;
  /** What the call took so far, for when its vendor did not report it. */
  spent?(): Spent;
  /** When the platform kills the process, in milliseconds since the epoch. */
  deadline?: number;
}

export interface Production {
  /**
   * "accepted": the question is in the table, and its thread. Only then may a 200 leave. "unchecked": the guardrail
   * cannot be asked.
   */
  accepted: Promise<"accepted" | "mismatch" | "unavailable" | "unchecked">;
  /** After acceptance: the text of the question as it is stored; undefined if it is blocked. */
  question(): string | undefined;
  /** After acceptance: the system prompt as the guardrail let it pass; undefined if it did not, or was not asked. */
  systemPrompt(): string | undefined;
  /** The first reader. Dropping it stops nothing. To be read only after acceptance. */
  events: AsyncGenerator<ReaderEvent, void>;
  /** Settles, without ever rejecting, when nothing is left to do. */
  done: Promise<void>;
  /** What the guardrail was asked, in units, and how many of them RUN is known to say, and so the stored answer. */
  guardrail(): { units: number; told: number };
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
  live: {
    runId: string;
    claimId: string;
    messageId: string;
    text: string;
    reasoning?: { text: string; ms: number };
    startedAt: number;
    again: boolean;
  } | null;
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
  /**
   * At most `wanted` messages of the path that ends at a message (undefined: at the thread's newest answer), oldest
   * first, for a prompt. Undefined: such a message is not there.
   */
  readHistory(address: Address, tipId: string | undefined, wanted: number): Promise<MessageItem[] | undefined>;
  /** The live run's id; null: none; undefined: no such thread. */
  getLiveRun(address: Address): Promise<string | null | undefined>;
  /**
   * The text so far of the thread's newest run, and what it was given. Undefined: this run is not the newest, or the
   * thread is not there.
   */
  readSoFar(address: Address, runId: string): Promise<{ text: string; given: Given | undefined } | undefined>;
  /** Asks a run to stop. False: there is no such thread. */
  stop(address: Address, runId: string): Promise<boolean>;
  /** The reasoning of a stored answer, as far as it was kept; empty without any. Undefined: there is no such answer. */
  getReasoning(address: Address, messageId: string): Promise<string | undefined>;
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
  /** The thread that a first question makes, by what is stored of the question: so that anybody can make it. */
  threadOf(address: Address, question: MessageItem): ThreadItem;
  /** Whether a thread is within its retention; without it, all are. The table removes expired ones later. */
  isKept?(thread: ThreadItem): boolean;
  /**
   * Asks the guardrail about the text of a question, or a system prompt, before anything of it is written or sent.
   * Without it nobody is asked, and nothing waits. What it throws counts as `unavailable`.
   */
  check?: ((text: string, signal: AbortSignal) => Promise<Checked>) | undefined;
  /** Sidenotes of an answer, when its producer is dead. */
  cite?(address: Address, text: string, given: Given): Promise<Sidenote[]>;
  /** The one place where later data hangs. Called after the answer was put; repeatable. */
  finish?(finished: Finished): Promise<void>;
  /** A failure that nobody else reports. Holds no text. */
  report?(failure: { during: string; error: unknown; address: Address }): void;
}
