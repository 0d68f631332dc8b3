/**
 * Which of a person's notes go into a prompt. All of them while they fit into the budget; beyond it the pinned ones
 * and those that fit the question best; or the ones that the thread names; or none. What is sent is always what the
 * table holds now: the index only says which notes are worth reading.
 */

import { logError } from "~/http.server";
import { currentInvocation } from "~/invocation.server";
import { fitNotes } from "./choose";
import type { Note } from "./note";
import { type NoteIndex, openNotes } from "./note-index.server";
import type { IndexedNote } from "./ranking-pack.server";

export { openNotes } from "./note-index.server";

/**
 * Ranked notes stand beside the question and not in the prefix that vendors cache, so each of them is paid for in
 * full in every turn, and read from the table one by one. On the evaluation set the twentieth note is the last one
 * that any question needed.
 */
export const MOST_RANKED = 20;
/** Of the notes that an estimate leaves out, so many are named. */
const MOST_NAMED = 20;
/** Of those that go in, so many are shown beside a draft that they fit, and so many where none fits. */
const MOST_FITTING = 3;
const MOST_FIRST = 2;

export interface WantedNotes {
  which: "all" | "chosen" | "none";
  /** Note ids, if `which` is "chosen". */
  chosenNotes?: readonly string[] | undefined;
  question: string;
  /** The last messages before the question, oldest first. */
  earlier: readonly string[];
  budgetTokens: number;
}

export interface ChosenNotes<T> {
  /** Whole, as they are in the table now: ranked ones the best first after the pinned ones. */
  notes: Note[];
  /** How many of the notes that were meant did not go in. */
  leftOut: number;
  /** Whether they were ranked, because not all of them fit. */
  ranked: boolean;
  /** What `beside` returned. */
  beside: T;
}

interface Plan {
  chosen: IndexedNote[];
  meant: number;
  ranked: boolean;
  /** The ids of all that fit the question, best first, if they had to be ranked. */
  best?: string[];
}

const byPinThenAge = (one: IndexedNote, other: IndexedNote): number =>
  Number(other.pinned) - Number(one.pinned) || (one.noteId < other.noteId ? -1 : 1);

async function plan(index: NoteIndex, wanted: WantedNotes, among?: ReadonlyMap<string, Note>): Promise<Plan> {
  const { which, chosenNotes = [], question, earlier, budgetTokens } = wanted;
  if (which === "none") return { chosen: [], meant: 0, ranked: false };
  if (which === "chosen") {
    const named = [...new Set(chosenNotes)].flatMap((noteId) => index.get(noteId) ?? []).sort(byPinThenAge);
    return { chosen: fitNotes(named, budgetTokens), meant: named.length, ranked: false };
  }
  const all = index.list();
  const fitting = fitNotes(all, budgetTokens);
  if (fitting.length === all.length) return { chosen: all, meant: all.length, ranked: false };
  const pinned = all.filter((note) => note.pinned);
  const best = await index.rank(question, earlier);
  const fit = best.flatMap((noteId) => index.get(noteId) ?? []);
  // What fits nothing of the question follows by its age.
  const ordered = [...new Set([...pinned, ...fit, ...all])].filter(({ noteId }) => !among || among.has(noteId));
  const chosen = fitNotes(ordered, budgetTokens, pinned.length + MOST_RANKED);
  return { chosen, meant: all.length, ranked: true, best };
}

/**
 * Chooses and reads. `opened` may have begun earlier, so that this waits for one table call only; `beside` gets the
 * ids that are read, all that are chosen in the end among them, and what is expected to be chosen; it runs at the same
 * time, and once more if much more fits than was expected.
 */
export async function chooseNotesFor<T>(
  userId: string,
  wanted: WantedNotes,
  options: { opened?: () => Promise<NoteIndex>; beside: (noteIds: string[], planned: IndexedNote[]) => Promise<T> },
): Promise<ChosenNotes<T>> {
  if (wanted.which === "none") return { notes: [], leftOut: 0, ranked: false, beside: await options.beside([], []) };
  const index = await (options.opened?.() ?? openNotes(userId));
  const read = new Map<string, Note>();
  let planned = await plan(index, wanted);
  let beside: T | undefined;
  for (let round = 0; ; round++) {
    const ids = new Set(planned.chosen.map(({ noteId }) => noteId));
    // A note that was just written is read as well: its words may be what was asked for.
    if (wanted.which === "all") for (const note of index.list()) if (index.isUnread(note)) ids.add(note.noteId);
    const guessed = [...ids].some((noteId) => !read.has(noteId));
    if (guessed || round === 0) {
      const [found, result] = await Promise.all([
        index.read([...ids]),
        options.beside([...new Set([...read.keys(), ...ids])], planned.chosen),
      ]);
      for (const [noteId, note] of found) read.set(noteId, note);
      beside = result;
      // Now that they were read, what they cost and say is known.
      planned = await plan(index, wanted);
    }
    const { chosen, ranked } = planned;
    // More than was read fits after all, which only a guess at a length can cause.
    if (!ranked && round < 2 && chosen.some(({ noteId }) => !read.has(noteId) && index.get(noteId))) continue;
    const final = ranked ? await plan(index, wanted, read) : planned;
    const notes = final.chosen.flatMap(({ noteId }) => read.get(noteId) ?? []);
    keepUpBeside(index);
    return { notes, leftOut: Math.max(0, final.meant - notes.length), ranked: final.ranked, beside: beside as T };
  }
}

/** What {@link chooseNotesFor} would choose, without its texts. */
export interface NotesEstimate {
  chosen: IndexedNote[];
  leftOut: number;
  /** The first of those that are left out, 20 at most. */
  left: { noteId: string; title: string }[];
  ranked: boolean;
  /** If asked for: some of those that go in, by how well they fit the draft, or else the first ones. */
  going?: { fit: boolean; notes: { noteId: string; title: string; pinned: boolean; start?: string }[] };
}

/**
 * Which notes would go in with a draft, and what they would cost. Cheap enough to be asked for while a person types,
 * with notes that were `opened` a moment ago: then nothing is read but what has never been read. The same holds with
 * `going`, since the ranking knows the notes without their texts.
 */
export async function estimateNotesFor(
  userId: string,
  wanted: WantedNotes,
  options: { opened?: () => Promise<NoteIndex>; going?: boolean } = {},
): Promise<NotesEstimate> {
  if (wanted.which === "none") return { chosen: [], leftOut: 0, left: [], ranked: false };
  const index = await (options.opened?.() ?? openNotes(userId));
  const unread = index.list().filter((note) => index.isUnread(note));
  if (unread.length > 0) await index.read(unread.map(({ noteId }) => noteId));
  const { chosen, meant, ranked, best } = await plan(index, wanted);
  const going = options.going
    ? goingOf(index, chosen, best ?? (await index.rank(wanted.question, wanted.earlier)))
    : undefined;
  keepUpBeside(index);
  const ids = new Set(chosen.map(({ noteId }) => noteId));
  const isMeant = ({ noteId }: IndexedNote): boolean =>
    !ids.has(noteId) && (wanted.which === "all" || wanted.chosenNotes?.includes(noteId) === true);
  const left = index.list().filter(isMeant).slice(0, MOST_NAMED);
  return {
    chosen,
    leftOut: meant - chosen.length,
    left: left.map(({ noteId, title }) => ({ noteId, title })),
    ranked,
    ...(going && { going }),
  };
}

function goingOf(index: NoteIndex, chosen: readonly IndexedNote[], best: readonly string[]): NotesEstimate["going"] {
  const goes = new Map(chosen.map((note) => [note.noteId, note]));
  const fitting = best.flatMap((noteId) => goes.get(noteId) ?? []).slice(0, MOST_FITTING);
  const fit = fitting.length > 0;
  const notes = (fit ? fitting : chosen.slice(0, MOST_FIRST)).map(({ noteId, title, pinned }) => {
    const start = index.startOf(noteId);
    return { noteId, title, pinned, ...(start !== undefined && { start }) };
  });
  return { fit, notes };
}

function keepUpBeside(index: NoteIndex): void {
  if (!index.needsUpkeep) return;
  currentInvocation().waitUntil(index.keepUp().catch((error: unknown) => logError(error, "upkeep of a note index")));
}
