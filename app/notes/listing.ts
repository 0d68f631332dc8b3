/** The list of notes in the browser: pages that were loaded one after the other, kept in order while notes change. */
import type { NoteCard } from "./note";

const before = (one: NoteCard, other: NoteCard): boolean =>
  one.pinned === other.pinned ? one.changedAt > other.changedAt : one.pinned;

/**
 * The list to show, from the first page as it was just loaded and all cards known so far. The first page is right
 * about everything as far as it reaches: a known card that would stand in it and does not was deleted or moved.
 * Behind its end the known cards stay, save for those that this tab deleted (`gone`); what this tab changed
 * must be changed in `known`.
 */
export function mergeCards(
  first: { items: readonly NoteCard[]; more: boolean },
  known: readonly NoteCard[],
  gone: ReadonlySet<string>,
): NoteCard[] {
  const last = first.items.at(-1);
  if (!first.more || !last) return [...first.items];
  const seen = new Set(first.items.map(({ noteId }) => noteId));
  const behind: NoteCard[] = [];
  for (const card of known) {
    if (seen.has(card.noteId) || gone.has(card.noteId) || before(card, last)) continue;
    seen.add(card.noteId);
    behind.push(card);
  }
  behind.sort((one, other) => Number(before(other, one)) - Number(before(one, other)));
  return [...first.items, ...behind];
}
