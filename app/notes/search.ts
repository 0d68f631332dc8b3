/**
 * Finding words in notes, whatever their case and accents. Text is folded character by character, so that a
 * place in the folded text can be led back to the place in the text that the person wrote. Plain comparison of
 * strings, no regular expression made from a query: its time is bounded by the length of the notes.
 */
import type { NoteCard } from "./note";

/** Part of a text; `hit` parts are what was searched for. The parts together are the text. */
export interface Part {
  text: string;
  hit: boolean;
}

/** A found note: its card, its title with the hits in it, and the text around the first hit. */
export interface NoteHit extends NoteCard {
  titleParts: Part[];
  snippet: Part[];
}

const snippetLength = 120;
const mostTerms = 8;

// Letters that people type without their stroke or as two letters, and that Unicode does not take apart.
const letters: Record<string, string> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ı: "i", ς: "σ" };
const marks = /[\u0300-\u036f]/g;
const folded = new Map<string, string>();

function foldCharacter(character: string): string {
  const known = folded.get(character);
  if (known !== undefined) return known;
  const plain = character.toLowerCase().normalize("NFKD").replace(marks, "");
  const result = [...plain].map((letter) => letters[letter] ?? letter).join("");
  if (folded.size < 10_000) folded.set(character, result);
  return result;
}

/** The text as it is compared: lower case, without accents. */
export function fold(text: string): string {
  let result = "";
  for (const character of text) result += foldCharacter(character);
  return result;
}

/** The words of a query, folded; at most eight, without repeats. */
export function termsOf(query: string): string[] {
  const terms = fold(query)
    .split(/\s+/)
    .filter((term) => term !== "");
  return [...new Set(terms)].slice(0, mostTerms);
}

/** Where the terms stand in the text, in UTF-16 units of the text: in order, without overlap. */
export function hitsIn(text: string, terms: string[]): [from: number, to: number][] {
  const origin: number[] = [];
  let plain = "";
  let at = 0;
  for (const character of text) {
    const fold = foldCharacter(character);
    for (let unit = 0; unit < fold.length; unit++) origin.push(at);
    plain += fold;
    at += character.length;
  }
  origin.push(text.length);
  // A place after the whole character that the folded unit came from.
  const after = (unit: number): number => {
    const from = origin[unit - 1] ?? 0;
    let next = unit;
    while (next < plain.length && origin[next] === from) next++;
    return origin[next] ?? text.length;
  };
  const hits: [number, number][] = [];
  for (const term of terms)
    for (let place = plain.indexOf(term); place >= 0 && hits.length < 200; place = plain.indexOf(term, place + 1))
      hits.push([origin[place] ?? 0, after(place + term.length)]);
  hits.sort(([one], [other]) => one - other);
  const joined: [number, number][] = [];
  for (const [from, to] of hits) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** The text in parts that are hits and parts that are not. */
export function partsOf(text: string, terms: string[]): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const [from, to] of hitsIn(text, terms)) {
    if (from > at) parts.push({ text: text.slice(at, from), hit: false });
    parts.push({ text: text.slice(from, to), hit: true });
    at = to;
  }
  if (at < text.length) parts.push({ text: text.slice(at), hit: false });
  return parts;
}

/** About 120 characters of the text on one line, with the first hit in them. */
function snippetOf(text: string, terms: string[]): Part[] {
  const first = hitsIn(text, terms)[0]?.[0] ?? 0;
  let from = Math.max(0, first - snippetLength / 4);
  if (from > 0) {
    const space = text.slice(from, first).search(/\s/);
    if (space >= 0) from += space + 1;
  }
  const around = text
    .slice(from, from + snippetLength)
    .replace(/\p{Surrogate}/gu, "")
    .replace(/\s+/g, " ")
    .trim();
  return partsOf(`${from > 0 ? "…" : ""}${around}`, terms);
}

/** The note as a hit if its title and text together hold every term, else undefined. */
export function findInNote(card: NoteCard, text: string, terms: string[]): NoteHit | undefined {
  const title = fold(card.title);
  const plain = fold(text);
  if (!terms.every((term) => title.includes(term) || plain.includes(term))) return undefined;
  return { ...card, titleParts: partsOf(card.title, terms), snippet: snippetOf(text, terms) };
}
