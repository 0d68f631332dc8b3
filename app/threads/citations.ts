/**
 * Which notes an answer cites, and which few sentences of each it leans on. A citation is a note's number in
 * brackets, as the prompt asks for it, outside of code and links. The passage is a piece of the note as it
 * stands, so that the page can find and mark it there: the sentence that shares the most telling words with the
 * sentence before the citation, with a neighbour where that adds some.
 */
import type { Sidenote } from "./view";

/** A note as it went into the prompt. Without a text it gets no passage. */
export interface CitableNote {
  number: number;
  noteId: string;
  title: string;
  text: string;
  revision: number;
}

/** All passages of an answer together: its item holds its text, its settings and the list of its notes too. */
const PASSAGES = 8_000;
/** The longest passage, and how much of the answer before a citation is looked at; in UTF-16 units. */
const PASSAGE = 400;
const LOOK_BACK = 600;
/** How many citations of an answer are looked at. */
const CITATIONS = 1_000;

interface Citation {
  number: number;
  /** The sentence that it supports. */
  claim: string;
}

/** All notes that went in: the cited ones in order of their first citation, each with its passage, then the others. */
export function citedSidenotes(answerText: string, notes: readonly CitableNote[]): Sidenote[] {
  const citations = findCitations(answerText);
  const order = [...new Set(citations.map(({ number }) => number))];
  const byNumber = new Map(notes.map((note) => [note.number, note]));
  let room = PASSAGES;
  const cited = order.flatMap((number): Sidenote[] => {
    const note = byNumber.get(number);
    if (!note) return [];
    const claims = citations.filter((citation) => citation.number === number).map(({ claim }) => claim);
    const found = passageOf(note.text, claims.slice(0, 5));
    const passage = found && found.length <= room ? found : undefined;
    room -= passage?.length ?? 0;
    return [{ ...cardOf(note), cited: true, ...(passage && { passage }) }];
  });
  const others = notes.filter(({ number }) => !order.includes(number));
  return [...cited, ...others.map((note) => ({ ...cardOf(note), cited: false }))];
}

function cardOf({ number, noteId, title, revision }: CitableNote) {
  return { number, noteId, title, revision };
}

/** `[1]` or `[1, 2]`, but no link `[1](...)`. */
const citation = /\[(\d{1,5}(?:\s?,\s?\d{1,5}){0,9})\](?!\()/g;

function findCitations(answer: string): Citation[] {
  const text = withoutCode(answer);
  const found: Citation[] = [];
  for (const match of text.matchAll(citation)) {
    if (found.length >= CITATIONS) break;
    // A line that begins with `[1]:` defines a link.
    const after = match.index + match[0].length;
    if (text[after] === ":" && /(^|\n) {0,3}$/.test(text.slice(Math.max(0, match.index - 4), match.index))) continue;
    const claim = sentenceBefore(text.slice(Math.max(0, match.index - LOOK_BACK), match.index));
    for (const number of (match[1] ?? "").split(",")) found.push({ number: Number(number), claim });
  }
  return found;
}

/** The last sentence of a text, without the citations in it; its own full stop may stand at the end. */
function sentenceBefore(text: string): string {
  const plain = text.replace(citation, "").trimEnd();
  const line = plain.slice(plain.lastIndexOf("\n") + 1);
  return sentencesOf(line).at(-1)?.text ?? "";
}

/** The text with code made blank, of the same length. */
function withoutCode(text: string): string {
  let fence: { mark: string; length: number } | undefined;
  let paragraph: string[] = [];
  const lines: string[] = [];
  const flush = () => {
    // As one entry: an answer can have more lines than a call takes arguments.
    if (paragraph.length > 0) lines.push(withoutInlineCode(paragraph.join("\n")));
    paragraph = [];
  };
  for (const line of text.split("\n")) {
    const [, run = ""] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence) {
      lines.push(" ".repeat(line.length));
      if (run[0] === fence.mark && run.length >= fence.length) fence = undefined;
    } else if (run) {
      flush();
      fence = { mark: run[0] ?? "", length: run.length };
      lines.push(" ".repeat(line.length));
    } else if (line.trim() === "") {
      flush();
      lines.push(line);
    } else paragraph.push(line);
  }
  flush();
  return lines.join("\n");
}

/** Code spans end at a run of as many backticks as they begin with. */
function withoutInlineCode(paragraph: string): string {
  if (!paragraph.includes("`")) return paragraph;
  const runs = [...paragraph.matchAll(/`+/g)];
  const places = new Map<number, number[]>();
  for (const { 0: run, index } of runs.toReversed()) {
    const ofLength = places.get(run.length);
    if (ofLength) ofLength.push(index);
    else places.set(run.length, [index]);
  }
  let result = "";
  let at = 0;
  for (const { 0: run, index } of runs) {
    // The places of each length lie with the first on top; those that were passed are done with.
    const ahead = places.get(run.length) ?? [];
    while ((ahead.at(-1) ?? Number.POSITIVE_INFINITY) <= index) ahead.pop();
    const close = ahead.at(-1);
    if (index < at || close === undefined) continue;
    const end = close + run.length;
    result += paragraph.slice(at, index) + paragraph.slice(index, end).replace(/[^\n]/g, " ");
    at = end;
  }
  return result + paragraph.slice(at);
}

interface Sentence {
  text: string;
  start: number;
  end: number;
}

const enders = ".!?…";
const wideEnders = "。！？";
const closers = "\"'”’)]»*_";

/** The sentences of a text with their places; a line's end is a sentence's end. One pass, whatever the text. */
function sentencesOf(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  let start = 0;
  const push = (end: number) => {
    const raw = text.slice(start, end);
    const trimmed = raw.trim();
    // A line of marks alone (a list's dash, a table's rule) says nothing.
    if (/[\p{L}\p{N}]/u.test(trimmed)) {
      const from = start + raw.indexOf(trimmed);
      sentences.push({ text: trimmed, start: from, end: from + trimmed.length });
    }
    start = end;
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === "\n" || wideEnders.includes(character)) push(at + 1);
    else if (enders.includes(character)) {
      let end = at + 1;
      while (end < text.length && closers.includes(text[end] ?? "")) end += 1;
      if (/\s/.test(text[end] ?? " ")) {
        push(end);
        at = end - 1;
      }
    }
  }
  push(text.length);
  return sentences;
}

const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Words by their first six letters, so that endings matter less; scripts without spaces by pairs of characters. */
function termsOf(text: string): Set<string> {
  const terms = new Set<string>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    if (wide.test(word)) {
      const characters = [...word];
      for (const [index, character] of characters.entries()) {
        const next = characters[index + 1];
        if (next !== undefined || characters.length === 1) terms.add(character + (next ?? ""));
      }
    } else if (word.length > 2 || /\p{N}/u.test(word)) terms.add(word.slice(0, 6));
  }
  return terms;
}

function both(one: Set<string>, other: Set<string>): string[] {
  return [...one].filter((term) => other.has(term));
}

function without(terms: Set<string>, others: Set<string> | undefined): Set<string> {
  return new Set([...terms].filter((term) => !others?.has(term)));
}

/** What of the note fits the claims best: one to three sentences as they stand in it. Undefined for an empty note. */
function passageOf(note: string, claims: string[]): string | undefined {
  const sentences = sentencesOf(note).map((sentence) => ({ ...sentence, terms: termsOf(sentence.text) }));
  const [opening] = sentences;
  if (!opening) return undefined;
  const frequency = new Map<string, number>();
  for (const { terms } of sentences) for (const term of terms) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  // A word that stands in every sentence of the note tells nothing about one of them.
  const weight = (term: string) => {
    const having = frequency.get(term);
    return having === undefined ? 0 : Math.log(1 + sentences.length / having);
  };
  const sum = (terms: string[]) => terms.reduce((total, term) => total + weight(term), 0);

  let best: { index: number; score: number; wanted: Set<string> } | undefined;
  for (const claim of claims) {
    const wanted = termsOf(claim);
    for (const [index, { terms }] of sentences.entries()) {
      const score = sum(both(wanted, terms));
      if (score > (best?.score ?? 0)) best = { index, score, wanted };
    }
  }
  if (!best) return cut(note, opening, 0);

  let [from, to] = [best.index, best.index];
  let missing = without(best.wanted, sentences[best.index]?.terms);
  for (let added = 0; added < 2; added += 1) {
    const gains = [from - 1, to + 1].map((index) => {
      const neighbour = sentences[index];
      const [first, last] = [sentences[Math.min(from, index)], sentences[Math.max(to, index)]];
      if (!neighbour || !first || !last || last.end - first.start > PASSAGE) return { index, gain: 0 };
      // Never over an empty line: what stands behind it is about something else.
      const between = note.slice(first.start, last.end);
      return { index, gain: /\n\s*\n/.test(between) ? 0 : sum(both(missing, neighbour.terms)) };
    });
    const [next] = gains.sort((one, other) => other.gain - one.gain);
    if (!next || next.gain < best.score / 4) break;
    missing = without(missing, sentences[next.index]?.terms);
    from = Math.min(from, next.index);
    to = Math.max(to, next.index);
  }
  const [first, last] = [sentences[from] ?? opening, sentences[to] ?? opening];
  const whole = { text: note.slice(first.start, last.end), start: first.start, end: last.end };
  const lower = whole.text.toLowerCase();
  const places = [...best.wanted].map((term) => lower.indexOf(term)).filter((place) => place >= 0);
  return cut(note, whole, Math.min(...places, whole.text.length));
}

/** At most a passage's length of a sentence, at whole words, and around `place` if that is far inside. */
function cut(note: string, { start, end }: Pick<Sentence, "start" | "end">, place: number): string {
  if (end - start <= PASSAGE) return note.slice(start, end);
  let from = start;
  if (place > PASSAGE - 100) {
    const space = note.indexOf(" ", start + place - 100);
    from = space >= 0 && space < start + place ? space + 1 : start + place;
  }
  let to = Math.min(end, from + PASSAGE);
  if (to < end) {
    const space = note.lastIndexOf(" ", to);
    if (space > from) to = space;
  }
  // Never half a character.
  return note
    .slice(from, to)
    .toWellFormed()
    .replace(/^\uFFFD|\uFFFD$/g, "");
}
