/** Which notes go into a prompt, by budgets that are never passed. */
import type { Note } from "./note";

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

/** A note as far as its fitting in is concerned. */
export interface Fitting {
  title: string;
  /** What it costs in a prompt, by {@link noteTokens}. */
  tokens: number;
}

/**
 * Of the notes, in the order given, those that fit into the budget, and at most `most`. A note goes in whole or not
 * at all; one that does not fit leaves room for the next.
 */
export function fitNotes<T extends Fitting>(
  ordered: readonly T[],
  budgetTokens: number,
  most = Number.POSITIVE_INFINITY,
): T[] {
  const chosen: T[] = [];
  let left = budgetTokens;
  let leftOfList = listBudget;
  for (const note of ordered) {
    if (chosen.length >= most) break;
    const listed = encoder.encode(note.title).length + bytesAroundTitle;
    if (note.tokens > left || listed > leftOfList) continue;
    left -= note.tokens;
    leftOfList -= listed;
    chosen.push(note);
  }
  return chosen;
}

/** A note of which only the cost is known, as one that takes as much room: for estimates. */
export const withoutText = <T extends Fitting>(note: T): T & { text: string } => ({
  ...note,
  text: "x".repeat(4 * Math.max(0, note.tokens - noteTokens({ title: note.title, text: "" }))),
});
