/**
 * How full the model's window will be with what stands in the composer, as this tab knows it. The server says so by
 * building the very prompt; here it is only decided when to ask: a moment after the last change, one question at a
 * time, and not at all for a change that could not be seen. The page says what it is about, the composer what is typed.
 * Figures of an older state stand while a newer one is asked for, and go when that was given up: they would be wrong.
 */
import { useSyncExternalStore } from "react";
import type { ThreadSettings } from "~/ai/settings";
import type { Estimate } from "./view";

/** What the estimate is about. */
export interface Subject {
  /** `new` for a thread to come. */
  threadId: string;
  /** The last message of the path on screen. */
  tipId?: string | undefined;
  /** Where they are not stored yet, or only just. */
  settings?: ThreadSettings | undefined;
  /** How many notes the person has: another number is another estimate. */
  notes: number;
}

interface Surroundings {
  ask(threadId: string, body: unknown, signal: AbortSignal): Promise<Response>;
  /** Calls back when the network is there again, or the person; until what it returns is called. */
  whenBack(call: () => void): () => void;
}

const browser: Surroundings = {
  ask: (threadId, body, signal) =>
    fetch(`/threads/${threadId}/estimate`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    }),
  whenBack(call) {
    const seen = () => document.visibilityState === "visible" && call();
    window.addEventListener("online", call);
    document.addEventListener("visibilitychange", seen);
    return () => {
      window.removeEventListener("online", call);
      document.removeEventListener("visibilitychange", seen);
    };
  },
};

/** In ms: after a change of the thread or its settings, and after the last key. */
const SOON = 250;
const TYPED = 800;
/** An answer that has just ended is in the table a moment later. */
const AGAIN = 1_200;
const TRIES = 3;
/** A question that nobody answered for so long has failed. */
const PATIENCE = 15_000;
/** The change of a draft that is worth a question, as a share of the room; near the edge every change is. */
const SHARE = 0.01;
const EDGE = 0.95;
/** Letters of a token, roughly: only to tell a change that matters. */
const LETTERS = 3;

/** The words of a draft, each once, in the order of their first use. */
const wordsOf = (draft: string): string => [...new Set(draft.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu))].join(" ");

/** Whether a draft may change what was answered for another one. */
export function isWorthAsking(estimate: Estimate, before: string, now: string): boolean {
  if (before.trim() === now.trim()) return false;
  // Which notes fit depends on the words.
  const hangsOnWords = estimate.ranked || (estimate.going?.notes.length ?? 0) > 0;
  if (hangsOnWords && wordsOf(before) !== wordsOf(now)) return true;
  const change = (now.length - before.length) / LETTERS;
  return Math.abs(change) > SHARE * estimate.room || estimate.wanted + change > EDGE * estimate.room;
}

const keyOf = (subject: Subject): string => JSON.stringify(subject);

export function createEstimates({ ask, whenBack }: Surroundings = browser) {
  const listeners = new Set<() => void>();
  let subject: Subject | undefined;
  let draft = "";
  let shown: Estimate | undefined;
  /** The thread that it is of. */
  let shownOf: string | undefined;
  let answered: { key: string; draft: string } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let flight: AbortController | undefined;
  /** Set from the moment a question was given up until one is answered, and ends the waiting for the network. */
  let failed: (() => void) | undefined;

  function put(estimate: Estimate | undefined): void {
    if (shown === estimate) return;
    shown = estimate;
    for (const listener of listeners) listener();
  }

  function isKnown(): boolean {
    if (!subject || !answered || !shown || answered.key !== keyOf(subject)) return false;
    return !isWorthAsking(shown, answered.draft, draft);
  }

  function plan(wait: number, tries = 1): void {
    clearTimeout(timer);
    timer = undefined;
    if (!subject || isKnown()) return;
    timer = setTimeout(() => void send(tries), wait);
  }

  /**
   * The last question has failed for good: what is shown stays only if it is of what is there now. The next change
   * asks again, and so does the network when it is back.
   */
  function giveUp(): void {
    failed ??= whenBack(() => plan(SOON));
    if (isKnown()) return;
    answered = undefined;
    put(undefined);
  }

  function succeed(): void {
    failed?.();
    failed = undefined;
  }

  async function send(tries: number): Promise<void> {
    timer = undefined;
    if (!subject) return;
    const { threadId, tipId, settings } = subject;
    const asked = { key: keyOf(subject), draft };
    flight?.abort();
    const mine = new AbortController();
    flight = mine;
    const patience = setTimeout(() => mine.abort(), PATIENCE);
    const body = { text: draft, ...(settings && { settings }), ...(tipId && { parentId: tipId }) };
    try {
      const response = await ask(threadId, body, mine.signal);
      if (flight !== mine) return;
      if (response.ok) {
        const estimate = (await response.json()) as Estimate;
        if (flight !== mine) return;
        answered = asked;
        succeed();
        put(estimate);
        // What was typed meanwhile.
        plan(TYPED);
      } else if (tries < TRIES && (response.status === 404 || response.status >= 500)) plan(AGAIN, tries + 1);
      else giveUp();
    } catch {
      // Offline, or no longer wanted.
      if (flight === mine) giveUp();
    } finally {
      clearTimeout(patience);
      if (flight === mine) flight = undefined;
    }
  }

  return {
    subscribe(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    /** Undefined until the first answer about this thread, and after a failure. */
    get: (): Estimate | undefined => shown,

    /** What the page shows now; undefined while nothing could be sent. Another thread's estimate is not shown. */
    about(next: Subject | undefined, threadId = next?.threadId): void {
      if (threadId !== undefined && threadId !== shownOf) {
        shownOf = threadId;
        put(undefined);
        answered = undefined;
      }
      if (next && subject && keyOf(next) === keyOf(subject)) return;
      subject = next;
      flight?.abort();
      flight = undefined;
      plan(SOON);
    },

    /** What stands in the composer. */
    type(text: string): void {
      draft = text;
      if (subject) plan(answered || failed ? TYPED : SOON);
    },
  };
}

/** The store of this tab. */
export const estimates = createEstimates();

export const useEstimate = (): Estimate | undefined =>
  useSyncExternalStore(estimates.subscribe, estimates.get, () => undefined);

const many = (count: number, one: string, several: string): string => (count === 1 ? one : `${count} ${several}`);

const noNotes = "no notes";

type Going = Pick<Estimate, "which" | "sent" | "leftOut">;

/** The notes that go along, by number; undefined if all are meant and there is none. */
function notesThatGo({ which, sent, leftOut }: Going): string | undefined {
  const meant = sent.notes + leftOut.notes;
  const isChosen = which === "chosen";
  if (meant === 0) return which === "all" ? undefined : noNotes;
  if (leftOut.notes > 0) return `${sent.notes || "none"} of ${isChosen ? `the ${meant} chosen` : meant} notes`;
  if (isChosen) return `the ${many(meant, "chosen note", "chosen notes")}`;
  return meant === 1 ? "your note" : `all ${meant} notes`;
}

/** The notes that go along with a first message. Before the estimate is there, nobody knows how many of them fit. */
export function notesToSend(
  { notes: which = "all", chosenNotes = [] }: Pick<ThreadSettings, "notes" | "chosenNotes">,
  count: number,
  estimate: Going | undefined,
): string {
  if (estimate) return notesThatGo(estimate) ?? noNotes;
  const wanted = which === "chosen" ? chosenNotes.length : which === "all" ? count : 0;
  if (wanted === 0) return noNotes;
  if (wanted === 1) return which === "chosen" ? "the chosen note, if it fits" : "your note, if it fits";
  return `${which === "chosen" ? "the chosen" : `your ${count}`} notes, as far as they fit`;
}

/** What goes along beside the few notes that are shown because they fit the draft; empty if nothing does. */
export function othersThatGo({ which, sent, leftOut }: Going, shown: number): string {
  const others = sent.notes - shown;
  const sentences: string[] = [];
  if (others > 0) {
    const all = leftOut.notes === 0;
    const words = all
      ? `The other ${others === 1 ? "one" : others}${which === "chosen" ? " that you chose" : ""}`
      : `${others === 1 ? "One other" : `${others} others`}`;
    const room = all && which === "all" ? ", there is room" : "";
    sentences.push(`${words} ${others === 1 ? "is" : "are"} sent too${room}.`);
  }
  if (leftOut.notes > 0)
    sentences.push(leftOut.notes === 1 ? "One note is left out." : `${leftOut.notes} notes are left out.`);
  return sentences.join(" ");
}

/** What goes along with the message and what does not, in sentences; undefined if there is nothing to say. */
export function whatGoes({ which, sent, leftOut }: Going): string | undefined {
  const notes = notesThatGo({ which, sent, leftOut });
  const messages = sent.messages > 0 ? `the last ${many(sent.messages, "message", "messages")}` : undefined;
  const goes = notes === noNotes ? [messages, notes] : [notes, messages];
  const stays = [
    ...(leftOut.notes > 0 ? [many(leftOut.notes, "one note", "notes")] : []),
    ...(leftOut.messages > 0 ? [`the ${many(leftOut.messages, "oldest message", "oldest messages")}`] : []),
  ];
  const words = goes.filter((part) => part !== undefined);
  if (words.length === 0 && stays.length === 0) return undefined;
  const first = words.length > 0 ? `Sent with your message: ${words.join(" and ")}.` : "";
  // Of notes that were not chosen nothing is said, so it would not be true of them.
  if (stays.length === 0) return which === "all" ? `${first} Nothing is left out.` : first;
  const left = `${stays.join(" and ")} ${leftOut.notes + leftOut.messages === 1 ? "is" : "are"} left out.`;
  return `${first} ${left.charAt(0).toUpperCase()}${left.slice(1)}`.trim();
}

/** How full the window is with all that was wanted, in percent of what a prompt may take; above 100: too much. */
export const fullness = ({ wanted, room }: Pick<Estimate, "wanted" | "room">): number => {
  const percent = (100 * wanted) / Math.max(1, room);
  return percent > 100 ? Math.ceil(percent) : Math.max(1, Math.round(percent));
};
