/** The shapes that loaders and streams give to the page. Times are milliseconds since the epoch. */
import type { ThreadSettings } from "~/ai/settings";
import type { ErrorCode } from "~/errors";
import type { Cost } from "./cost";
import type { SuggestionState } from "./suggestions";

/** So much of an answer's reasoning is kept and shown, in UTF-16 units. */
export const REASONING_LIMIT = 60_000;

/** How a run ended, as stored with its answer. A `void` run has no answer and is not shown. */
export type Ending = "complete" | "stopped" | "interrupted" | "blocked" | "failed";

/** A note that informed an answer. `number` is the note's number in the thread, for the thread's whole life. */
export interface Sidenote {
  number: number;
  noteId: string;
  title: string;
  revision: number;
  cited: boolean;
  /** What of the note fits the citing sentence best; only on cited ones, 400 characters at most. */
  passage?: string;
}

/** What the guardrail stopped, and by which of its policies, in plain words. */
export interface Blocked {
  /** The question or the system prompt beside it: then no model was asked. Or the answer, which was taken back. */
  where: "input" | "system-prompt" | "output";
  policies: string[];
}

/** As the page shows it: with what became of the note since the answer, as far as the page knows. */
export interface SidenoteView extends Sidenote {
  since?: "edited" | "deleted";
  /** While its tombstone is kept. */
  deletedAt?: number;
}

export interface MessageUsage {
  inputTokens: number;
  outputTokens: number;
  /** Of the input: read from the vendor's prompt cache, and written to it. */
  cacheReadTokens?: number;
  cacheWriteTokens?: number;
}

export interface MessageView {
  id: string;
  role: "user" | "assistant";
  text: string;
  parentId: string | null;
  createdAt: number;
  /** The ids of all versions of this message (its siblings and itself), oldest first. */
  versions: string[];
  ending?: Ending;
  error?: ErrorCode;
  finishReason?: string;
  model?: { ref: string; name: string };
  settings?: ThreadSettings;
  usage?: MessageUsage;
  cost?: Cost;
  durationMs?: number;
  /** How long the model thought, and how much of its reasoning is kept, in UTF-16 units. */
  reasoning?: { length: number; ms: number };
  sidenotes?: SidenoteView[];
  /** Answers: how the notes stand that it proposes, in order. */
  suggestions?: SuggestionState[];
  /** Answers: what went along with the question, and what was left out. */
  prompt?: { messages: number; leftOut: { messages: number; notes: number }; shortened?: true };
  /** The guardrail masked something in it: only the masked text is stored, and the model saw no other. */
  masked?: boolean;
  blocked?: Blocked;
}

/** A note that would go along with a draft. */
export interface GoingNote {
  noteId: string;
  title: string;
  pinned: boolean;
  /** The first characters of its text, where they are known without reading it. */
  start?: string;
}

/** How full the model's window would be with a draft, and what would be left out. Sizes are in tokens. */
export interface Estimate {
  window: number;
  /** What the prompt may take of it: the rest is kept free for the answer. */
  room: number;
  /** Of what would be sent. */
  tokens: { system: number; notes: number; messages: number };
  /** All of it, had nothing been left out for lack of room. */
  wanted: number;
  /** Which notes the thread takes. */
  which: NonNullable<ThreadSettings["notes"]>;
  /** Messages: those before the draft. */
  sent: { notes: number; messages: number };
  leftOut: {
    notes: number;
    messages: number;
    /** Of the messages: those that are left out for lack of room alone. */
    squeezed: number;
  };
  /**
   * Only of a thread to come: a few of the notes that go along. `fit`: the ones that fit the draft, best first; else
   * the first ones, since none fits or nothing is written.
   */
  going?: { fit: boolean; notes: GoingNote[] };
  /** Titles of notes that are left out, 20 at most. */
  notesLeftOut: { noteId: string; title: string }[];
  /** The notes are chosen by the draft: more of them than fit. */
  ranked: boolean;
  /** How many real answers the sizes were calibrated by. */
  answers: number;
}

export interface ThreadCard {
  threadId: string;
  title: string;
  pinned: boolean;
  activityAt: number;
}

/** Which of a person's threads are answering, and which have an answer that nobody has seen. */
export interface ActivityView {
  live: Record<string, { runId: string; since: number }>;
  unread: Record<string, { ending: Ending; endedAt: number }>;
}

/** The live run of a thread, with the text that its log vouches for now. */
export interface RunView {
  runId: string;
  claimId: string;
  /** The question it answers. */
  messageId: string;
  text: string;
  reasoning?: { text: string; ms: number };
  startedAt: number;
}

/** Sums of answers. */
export interface UsageSum {
  answers: number;
  tokens: number;
  /** Of the answers whose price is known. */
  dollars: number;
  /** How many have no known price. */
  unpriced: number;
}

/** In place of a model: what the guardrail read of messages that were sent to none. */
export const GUARDRAIL_ALONE = "guardrail";

/** What a person used, by UTC day. */
export interface UsageView {
  /** Thirty of them, today the last. */
  days: (UsageSum & { day: string })[];
  /** In those days, the most used first. */
  models: (UsageSum & { ref: string })[];
  lately: UsageSum;
  /** The calendar month so far. */
  month: UsageSum;
  /** Tokens a day. */
  budget: number;
  /** When the next day begins. */
  resetsAt: number;
  /** The operator has switched the models off. */
  isOff: boolean;
}

/** How far today's budget is used, as every page is told. */
export interface BudgetView {
  /** Of the person's budget, from 0 on. */
  share: number;
  resetsAt: number;
  isOff: boolean;
}

/** What the answers of a thread cost, those of other versions included. */
export interface ThreadCost {
  answers: number;
  /** Of the answers whose price is known. */
  dollars: number;
  /** How many have no known price. */
  unpriced: number;
}

export interface ThreadView {
  thread: ThreadCard & {
    settings: ThreadSettings;
    /** Counts their changes. */
    settingsRevision: number;
    /** When it expires, or null while pinned. */
    keptUntil: number | null;
  };
  /** The path on screen, oldest first. A question without an answer that is not the live run's was not answered. */
  messages: MessageView[];
  run: RunView | null;
  /** The newest answer's id in order of acceptance. */
  headId: string | null;
  /** The last message of the path on screen. Differs from `headId` while an older version is looked at. */
  tipId: string | null;
  cost: ThreadCost;
  /** Notes of the thread with their numbers as they stand now, for the sidenotes of a live answer. */
  numbers: { number: number; noteId: string; title: string }[];
}
