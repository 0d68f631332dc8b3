/**
 * What the editor of a note knows: what is stored, what the person wrote, what is on its way, and what of others
 * stands against it. A pure function of events, so that it can be tested that no word a person wrote is ever
 * dropped: it is in `draft`, in `aside` (steps back), or in what the server said it stored.
 */
import { cleanText, type NoteDraft } from "./note";

/** What is stored: words and the revision that they have. Revision 0: not stored yet. */
export interface Stored extends NoteDraft {
  revision: number;
}

export interface Editing {
  /** What the person's words began as, and the revision that a save names. */
  base: Stored;
  /** What stands in the fields. */
  draft: NoteDraft;
  /** Words on their way to the server. */
  sent?: NoteDraft;
  /** Somebody else's words, stored since `base`: to be answered with "keep yours" or "take theirs". */
  theirs?: Stored;
  /** Words that left the fields by a choice that can be taken back, the newest last. */
  aside: readonly (NoteDraft & { why: "took-theirs" | "kept-yours" | "discarded" })[];
  /** The note was deleted under the person's hands. */
  gone?: true;
  /** Why the last save failed, as a sentence. */
  problem?: string;
}

export type Happening =
  | { type: "typed"; draft: NoteDraft }
  | { type: "sent" }
  /** The server stored what was sent, under this title and revision. */
  | { type: "saved"; title: string; revision: number }
  | { type: "refused"; problem: string; theirs?: Stored; gone?: boolean }
  /** The page was loaded (again) with what is stored. */
  | { type: "loaded"; stored: Stored }
  /** This browser had kept words that were never saved. */
  | { type: "found"; draft: NoteDraft; revision: number }
  | { type: "took-theirs" }
  | { type: "discarded" }
  | { type: "brought-back" };

const words = ({ title, text }: NoteDraft): NoteDraft => ({ title, text });
export const sameWords = (one: NoteDraft, other: NoteDraft): boolean =>
  one.title === other.title && one.text === other.text;

export const begin = (stored: Stored): Editing => ({ base: stored, draft: words(stored), aside: [] });

/** Whether the fields hold something that is not stored. */
export const isChanged = ({ base, draft }: Editing): boolean => !sameWords(base, draft);

/** The revision that the next save must name: keeping one's own words means to save them over theirs. */
export const revisionToSave = ({ base, theirs }: Editing): number => theirs?.revision ?? base.revision;

function without<K extends "sent" | "theirs" | "gone" | "problem">(state: Editing, ...keys: K[]): Omit<Editing, K> {
  const rest = { ...state };
  for (const key of keys) delete rest[key];
  return rest;
}

export function edit(state: Editing, happening: Happening): Editing {
  switch (happening.type) {
    case "typed":
      return { ...without(state, "problem"), draft: words(happening.draft) };
    case "sent":
      return { ...without(state, "problem"), sent: state.draft };
    case "saved": {
      const sent = state.sent ?? state.draft;
      const base = { title: happening.title, text: cleanText(sent.text), revision: happening.revision };
      const replaced = state.theirs && !sameWords(state.theirs, base) ? state.theirs : undefined;
      return {
        ...without(state, "sent", "theirs", "gone", "problem"),
        base,
        // What was typed meanwhile stays typed; else the fields show what is stored.
        draft: sameWords(state.draft, sent) ? words(base) : state.draft,
        aside: replaced ? [...state.aside, { ...words(replaced), why: "kept-yours" }] : state.aside,
      };
    }
    case "refused":
      return {
        ...without(state, "sent"),
        ...(happening.theirs ? { theirs: happening.theirs } : { problem: happening.problem }),
        ...(happening.gone && { gone: true as const }),
      };
    case "loaded": {
      const { stored } = happening;
      if (stored.revision <= state.base.revision) return state;
      if (!isChanged(state) || sameWords(stored, state.draft))
        return { ...without(state, "theirs", "gone", "problem"), base: stored, draft: words(stored) };
      // One's own save, whose answer is still on its way.
      if (state.sent && sameWords(stored, state.sent)) return { ...state, base: stored };
      return { ...state, theirs: stored };
    }
    case "found": {
      if (sameWords(happening.draft, state.draft)) return state;
      // Typed before the page could look for kept words: these stand one step back.
      if (isChanged(state))
        return { ...state, aside: [...state.aside, { ...words(happening.draft), why: "discarded" }] };
      const found = { ...state, draft: words(happening.draft) };
      return happening.revision < state.base.revision ? { ...found, theirs: state.base } : found;
    }
    case "took-theirs":
      if (!state.theirs) return state;
      return {
        ...without(state, "theirs", "problem"),
        base: state.theirs,
        draft: words(state.theirs),
        aside: [...state.aside, { ...state.draft, why: "took-theirs" }],
      };
    case "discarded":
      if (!isChanged(state)) return state;
      return {
        ...without(state, "problem"),
        draft: words(state.base),
        aside: [...state.aside, { ...state.draft, why: "discarded" }],
      };
    case "brought-back": {
      const back = state.aside.at(-1);
      if (!back) return state;
      const rest = state.aside.slice(0, -1);
      return {
        ...without(state, "problem"),
        draft: words(back),
        // What stood in the fields goes to the far end, so that one can go round.
        aside: isChanged(state) ? [{ ...state.draft, why: "discarded" }, ...rest] : rest,
      };
    }
  }
}
