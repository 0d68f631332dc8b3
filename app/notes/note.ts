/**
 * What a note is, on the server and in the browser alike: its shape, its limits, and how what a person wrote
 * becomes what is stored. Normalising comes first, then the limits, so that both sides count the same characters.
 */

/** Times are milliseconds since the epoch. */
export interface Note {
  noteId: string;
  title: string;
  /** Markdown, as the person wrote it, with "\n" at the end of lines. */
  text: string;
  /** Counts the changes of title and text, from 1. */
  revision: number;
  pinned: boolean;
  createdAt: number;
  changedAt: number;
  deletedAt?: number;
}

/** What a list shows of a note. */
export interface NoteCard {
  noteId: string;
  title: string;
  /** The first 120 characters of the text, on one line. */
  start: string;
  pinned: boolean;
  changedAt: number;
  revision: number;
  /** Length of the text in UTF-16 units. */
  size: number;
}

/** The two texts of a note that a person writes. */
export interface NoteDraft {
  title: string;
  text: string;
}

/** The order of lists and prompts: pinned ones first, then the newest change first. */
export const byPinThenChange = (one: Note, other: Note): number =>
  Number(other.pinned) - Number(one.pinned) ||
  other.changedAt - one.changedAt ||
  Number(one.noteId < other.noteId) - Number(one.noteId > other.noteId);

/** In UTF-16 units, as browsers count a field's length. */
export const noteLimits = { title: 200, text: 50_000, query: 200 } as const;

/** Length of the time in which a deleted note can be brought back, in days. */
export const UNDO_DAYS = 1;

const idShape = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const startLength = 120;
const derivedTitleLength = 80;

/** Whether this is an id as Sidenote makes them for notes: a ULID in upper case. */
export const isNoteId = (value: unknown): value is string => typeof value === "string" && idShape.test(value);

const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\ufffd");

/** The text as it is stored: "\n" at the end of lines, no NUL, no half of a surrogate pair. */
export function cleanText(text: string): string {
  return wellFormed(text).replaceAll("\0", "").replace(/\r\n?/g, "\n");
}

/** A title as it is stored: one line, without control characters, without space around it. */
export function cleanTitle(title: string): string {
  return wellFormed(title.replaceAll("\0", ""))
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const head = text.slice(0, length - 1).replace(/\p{Surrogate}$/u, "");
  const space = head.lastIndexOf(" ");
  return `${(space > length / 2 ? head.slice(0, space) : head).trimEnd()}…`;
}

/** The title of a note that was given none: its first line with words on it, without marks of markdown. */
export function titleFrom(text: string): string {
  // Only the start is looked at: a title does not wait on 50,000 characters.
  for (const line of text.slice(0, 4_000).split("\n")) {
    const words = cleanTitle(
      line
        .slice(0, 400)
        .replace(/^[\s#>*+\-`~_]+/, "")
        // Marks that touch a word; "5 * 3" and "file_name" stay.
        .replace(/[*`]+(?=\S)|(?<=\S)[*`]+|(?<=\S)_+(?=\s|$)|(?<=\s)_+(?=\S)/g, ""),
    );
    if (/[\p{L}\p{N}\p{S}]/u.test(words)) return cut(words, derivedTitleLength);
  }
  return "Untitled";
}

/** The first characters of a text on one line, for lists. */
export function startOf(text: string): string {
  const line = text
    .slice(0, 4 * startLength)
    .replace(/\s+/g, " ")
    .trim();
  return line.slice(0, startLength).replace(/\p{Surrogate}$/u, "");
}

const figure = (value: number): string => value.toLocaleString("en-US");

/** What is too long, as sentences for the fields; empty if all fits. The draft is normalised already. */
export function problemsOf(draft: NoteDraft): { title?: string; text?: string } {
  const problems: { title?: string; text?: string } = {};
  const { title, text } = noteLimits;
  if (draft.title.length > title)
    problems.title = `A title has at most ${figure(title)} characters. This one has ${figure(draft.title.length)}.`;
  if (draft.text.length > text)
    problems.text = `A note has at most ${figure(text)} characters. This one has ${figure(draft.text.length)}.`;
  return problems;
}

/** The draft as it would be stored: normalised, and with a title. It may still be too long. */
export function cleanDraft(draft: NoteDraft): NoteDraft {
  const text = cleanText(draft.text);
  return { title: cleanTitle(draft.title) || titleFrom(text), text };
}

const words =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}'’_-]|[.,:](?=\p{N}))*/gu;

/** How many words a text has; each Chinese or Japanese character counts as one. */
export function countWords(text: string): number {
  let count = 0;
  for (const _ of text.matchAll(words)) count++;
  return count;
}
