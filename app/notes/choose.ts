/** Which notes go into a prompt, by a budget of tokens that is never passed. */
import { byPinThenChange, type Note } from "./note";

/** What the lines around a note in the prompt cost: its number, its delimiters. */
const tokensAroundNote = 16;

/**
 * About how many tokens a model counts for this text, rather too many than too few: a token is about four
 * letters of English, two of Greek, Cyrillic or Arabic, and one of Chinese or Japanese.
 */
export function estimateTokens(text: string): number {
  let quarters = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) quarters += 1;
    else if (code < 0x800) quarters += 2;
    else if (code < 0x10000) quarters += 4;
    else quarters += 8;
  }
  return Math.ceil(quarters / 4);
}

/** What a note costs in a prompt, in tokens. */
export const noteTokens = (note: Pick<Note, "title" | "text">): number =>
  estimateTokens(note.title) + estimateTokens(note.text) + tokensAroundNote;

/**
 * The notes that fit into the budget: pinned ones first, then the newest change first. A note goes in whole or
 * not at all; one that does not fit leaves room for the next. The order of the input does not matter.
 */
export function chooseNotes(notes: readonly Note[], budgetTokens: number): { chosen: Note[]; leftOut: number } {
  const ordered = [...notes].sort(byPinThenChange);
  const chosen: Note[] = [];
  let left = budgetTokens;
  for (const note of ordered) {
    const cost = noteTokens(note);
    if (cost > left) continue;
    left -= cost;
    chosen.push(note);
  }
  return { chosen, leftOut: notes.length - chosen.length };
}
