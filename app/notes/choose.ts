/** Which notes go into a prompt, by budgets that are never passed. */
import { byPinThenChange, type Note } from "./note";

/**
 * Question and answer each store which notes went in, beside up to 300 KB of text, and an item of the table holds
 * 400 KB. So the list has a budget of its own, in bytes; with short titles that is some 600 notes.
 */
export const listBudget = 64_000;
/** What a note takes in that list beside its title: id, number, revision, and their names. */
const bytesAroundTitle = 90;
const encoder = new TextEncoder();

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
  let leftOfList = listBudget;
  for (const note of ordered) {
    const cost = noteTokens(note);
    const listed = encoder.encode(note.title).length + bytesAroundTitle;
    if (cost > left || listed > leftOfList) continue;
    left -= cost;
    leftOfList -= listed;
    chosen.push(note);
  }
  return { chosen, leftOut: notes.length - chosen.length };
}
