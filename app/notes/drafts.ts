/**
 * Words of notes that this browser keeps until they are saved: by person and note, so that whoever signs in next
 * on this machine is shown nothing of them. They lie under the same prefix as a thread's drafts and are taken away
 * with those at sign-out.
 */
import type { NoteDraft } from "./note";

export interface KeptNote extends NoteDraft {
  /** The revision that the person began with; 0 for a note that was never saved. */
  revision: number;
  /** The id that the note will have: a repeated save makes no second note. */
  noteId: string;
}

const keyOf = (userId: string, place: string): string => `sidenote/${userId}/note/${place}`;

function isKept(value: unknown): value is KeptNote {
  const { title, text, revision, noteId } = (value ?? {}) as Partial<KeptNote>;
  return [title, text, noteId].every((part) => typeof part === "string") && typeof revision === "number";
}

/** The kept words of a note; `place` is its id, or `new`. */
export function readKeptNote(userId: string, place: string): KeptNote | undefined {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(keyOf(userId, place)) ?? "null");
    return isKept(value) ? value : undefined;
  } catch {
    // A browser may forbid its storage, and anybody may write nonsense into it: then nothing was kept.
    return undefined;
  }
}

/** Keeps the words, or forgets them. Returns whether they are kept: a browser may refuse, and the page says so. */
export function keepNote(userId: string, place: string, kept: KeptNote | undefined): boolean {
  try {
    if (kept) localStorage.setItem(keyOf(userId, place), JSON.stringify(kept));
    else localStorage.removeItem(keyOf(userId, place));
    return true;
  } catch {
    return kept === undefined;
  }
}
