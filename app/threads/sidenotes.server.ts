/**
 * What a thread's page says of notes beyond what its answers stored: which sidenotes' notes changed or went since,
 * and how the notes stand that answers proposed. One read for the whole page.
 */
import { getNoteStates, type NoteState } from "~/notes/notes.server";
import type { MessageItem } from "./run-items.server";
import { type SuggestionState, suggestedNoteId, suggestionsIn } from "./suggestions";
import type { Sidenote, SidenoteView } from "./view";

/** So many notes of a page are looked after, the newest answers' first: one batch of the table. */
const MOST = 100;
/** So many notes are named below an answer that did not cite them. */
const NAMED = 2;

/** How a note stands that went in at this revision. */
export const sinceThen = (
  { noteId, revision }: Pick<Sidenote, "noteId" | "revision">,
  states: ReadonlyMap<string, NoteState>,
): Pick<SidenoteView, "since" | "deletedAt"> => {
  const now = states.get(noteId);
  if (!now) return { since: "deleted" };
  if (now.deletedAt !== undefined) return { since: "deleted", deletedAt: now.deletedAt };
  return now.revision === revision ? {} : { since: "edited" };
};

/** Reads how the notes of these messages stand, and returns what the page shows of each message. */
export async function readNotesOf(
  userId: string,
  messages: readonly MessageItem[],
  dismissed: ReadonlySet<string>,
): Promise<(message: MessageItem) => { sidenotes?: SidenoteView[]; suggestions?: SuggestionState[] }> {
  const noteIds = new Set<string>();
  const asked = (noteId: string): boolean => noteIds.has(noteId) || (noteIds.size < MOST && !!noteIds.add(noteId));
  const proposals = new Map<string, number>();
  for (const { id, role, text, sidenotes = [] } of messages.toReversed()) {
    if (role !== "assistant") continue;
    const proposed = suggestionsIn(text).length;
    proposals.set(id, proposed);
    for (let nth = 0; nth < proposed; nth++) asked(suggestedNoteId(id, nth));
    const named = sidenotes.filter(({ cited }) => !cited).slice(0, NAMED);
    for (const { noteId } of [...sidenotes.filter(({ cited }) => cited), ...named]) asked(noteId);
  }
  const states = noteIds.size > 0 ? await getNoteStates(userId, noteIds) : new Map<string, NoteState>();
  const suggestionOf = (id: string, nth: number): SuggestionState => {
    const note = states.get(suggestedNoteId(id, nth));
    if (note) return note.deletedAt === undefined ? "saved" : "deleted";
    return dismissed.has(`${id}.${nth}`) ? "dismissed" : "open";
  };
  return ({ id, sidenotes }) => {
    const proposed = proposals.get(id) ?? 0;
    return {
      ...(sidenotes && {
        sidenotes: sidenotes.map((note) =>
          // Of one that was not asked for nothing is said.
          noteIds.has(note.noteId) ? { ...note, ...sinceThen(note, states) } : note,
        ),
      }),
      ...(proposed > 0 && { suggestions: Array.from({ length: proposed }, (_, nth) => suggestionOf(id, nth)) }),
    };
  };
}
