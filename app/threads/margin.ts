/**
 * Where sidenotes stand. Numbers count per answer, in order of first citation, whatever numbers the notes have in
 * the thread. A sidenote stands level with the line that cites it first; where two would meet, the later one moves
 * down, and the order is never changed. One cursor runs through all answers of a transcript, so a note that grows
 * moves only what stands below it. Pure: the measuring and the writing are the page's.
 */
import { isCode, splitBlocks } from "~/ui/markdown-blocks";

/** The least white above a sidenote, in px; less between two that show only their titles. */
const GAP = 22;
const TITLE_GAP = 8;
/** A sidenote further below its line than this shows its title only, in px. */
const DRIFT = 160;
/** From this one on an answer's sidenotes show their titles only. */
const FULL_NOTES = 6;

const citation = /\[(\d{1,3}(?: ?, ?\d{1,3})*)\]/g;

/** The thread's numbers that a text cites, in order of first citation, of those that `known` has. */
export function citedNumbers(text: string, known: ReadonlySet<number>): number[] {
  const cited = new Set<number>();
  if (known.size === 0) return [];
  for (const block of splitBlocks(text)) {
    if (isCode(block.text) || !block.text.includes("[")) continue;
    for (const [, group = ""] of block.text.replace(/`+[^`]*`+/g, "").matchAll(citation)) {
      const numbers = group.split(",").map(Number);
      if (numbers.every((number) => known.has(number))) for (const number of numbers) cited.add(number);
    }
  }
  return [...cited];
}

export interface Numbered<Note> {
  /** The number that the page shows. */
  display: number;
  note: Note;
}

/** The notes of one answer: those that it cites, numbered, and those that merely went in. */
export function numberSidenotes<Note extends { number: number }>(
  text: string,
  notes: readonly Note[],
): { citations: Map<number, number>; cited: Numbered<Note>[]; also: Note[] } {
  const byNumber = new Map(notes.map((note) => [note.number, note]));
  const cited = citedNumbers(text, new Set(byNumber.keys())).flatMap((number, index) => {
    const note = byNumber.get(number);
    return note ? [{ display: index + 1, note }] : [];
  });
  const citations = new Map(cited.map(({ display, note }) => [note.number, display]));
  return { citations, cited, also: notes.filter((note) => !citations.has(note.number)) };
}

/** Heights in px; `line` is the top at which it would be level with what it belongs to. */
export interface Placeable {
  line: number;
  full: number;
  title: number;
}

export interface MarginOfAnswer {
  notes: readonly Placeable[];
  /** The line about notes that were not cited. */
  also?: { line: number; height: number } | undefined;
}

export interface Placed {
  top: number;
  form: "full" | "title";
}

export interface PlacedMargin {
  notes: Placed[];
  also?: number;
}

/** Places the sidenotes of a whole transcript, answer by answer from the top. `bottom` is where the last one ends. */
export function placeSidenotes(answers: readonly MarginOfAnswer[]): { answers: PlacedMargin[]; bottom: number } {
  let bottom = Number.NEGATIVE_INFINITY;
  let above: Placed["form"] | undefined;
  const below = (line: number, tight: boolean): number =>
    above === undefined ? line : Math.max(line, bottom + (tight && above === "title" ? TITLE_GAP : GAP));

  const placed = answers.map(({ notes, also }) => {
    const margin: PlacedMargin = { notes: [] };
    notes.forEach(({ line, full, title }, index) => {
      const asFull = below(line, false);
      const form = index >= FULL_NOTES || asFull - line > DRIFT ? "title" : "full";
      const top = form === "full" ? asFull : below(line, true);
      margin.notes.push({ top, form });
      bottom = top + (form === "full" ? full : title);
      above = form;
    });
    if (also) {
      margin.also = below(also.line, true);
      bottom = margin.also + also.height;
      above = "full";
    }
    return margin;
  });
  return { answers: placed, bottom: above === undefined ? 0 : bottom };
}
