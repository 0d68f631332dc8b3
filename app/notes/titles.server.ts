/**
 * The person's notes by their titles, for choosing some of them: paged, and searched by the words of the title.
 * Reads the index alone, whose entries are a few hundred bytes however long the notes are.
 */
import { listNotes, type NoteCard } from "./notes.server";
import { fold, termsOf } from "./search";

export interface TitlePage {
  items: Pick<NoteCard, "noteId" | "title" | "pinned">[];
  cursor?: string;
}

const PAGE = 50;
/** Pages of 100 that one request looks through: 2,000 notes. */
const LOOKED = 20;

/**
 * A page of titles, pinned notes first, then the newest change first. `find`: only titles that hold each of these
 * words. `ids`: only these notes, all of them at once.
 */
export async function listTitles(
  userId: string,
  options: { find?: string; cursor?: string; ids?: ReadonlySet<string> },
): Promise<TitlePage> {
  const terms = termsOf(options.find ?? "");
  const { ids } = options;
  const isPlain = terms.length === 0 && !ids;
  const items: TitlePage["items"] = [];
  let { cursor } = options;
  for (let looked = 0; looked < LOOKED; looked++) {
    const page = await listNotes(userId, { limit: isPlain ? PAGE : 100, ...(cursor ? { cursor } : {}) });
    for (const { noteId, title, pinned } of page.items) {
      if (ids && !ids.has(noteId)) continue;
      if (terms.length > 0) {
        const folded = fold(title);
        if (!terms.every((term) => folded.includes(term))) continue;
      }
      items.push({ noteId, title, pinned });
    }
    cursor = page.cursor;
    if (!cursor || isPlain || (ids ? items.length >= ids.size : items.length >= PAGE)) break;
  }
  return { items, ...(cursor && !ids ? { cursor } : {}) };
}
