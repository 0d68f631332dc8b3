/**
 * Which of a person's notes fit a question best: BM25 over the terms of title and text, by `minisearch`. A word in
 * the title counts twice, the last messages count half (a follow-up makes sense only with them), and a term that
 * differs by one letter counts a little. Every figure here was chosen by the evaluation set in tests/bench.
 */
import MiniSearch, { type AsPlainObject, type Options } from "minisearch";
import { isPair, rankingTerms } from "./words";

/** How a ranking compares; the bench tries others beside the usual one. */
export interface RankingStyle {
  terms(text: string): string[];
  title: number;
  earlier: number;
  /** Weight of a term that differs by one letter; 0: none does. */
  loosely: number;
}

export const usualStyle: RankingStyle = { terms: (text) => rankingTerms(text), title: 2, earlier: 0.5, loosely: 0.2 };

/** Most terms of a question, and of what was said before it: a pasted page is not a question. */
const mostTerms = 64;
/** Up to so many terms before the question have their full weight. */
const fewSaid = 12;
/** Shorter terms, and those with figures in them, are compared exactly. */
const leastLoose = 5;

interface Document {
  id: string;
  title: string;
  text: string;
}

/** The postings of a ranking, as its storage packs them. */
export type Postings = Pick<AsPlainObject, "index" | "documentIds" | "fieldLength" | "averageFieldLength">;

export class Ranking {
  readonly #style: RankingStyle;
  #search: MiniSearch<Document>;

  constructor(style: RankingStyle = usualStyle, postings?: Postings) {
    this.#style = style;
    const options = optionsOf(style);
    this.#search = postings ? load(postings, options) : new MiniSearch(options);
  }

  /** Takes a note in, in place of what it said before. */
  set(noteId: string, title: string, text: string): void {
    this.remove(noteId);
    this.#search.add({ id: noteId, title, text });
  }

  remove(noteId: string): void {
    if (this.#search.has(noteId)) this.#search.discard(noteId);
  }

  has(noteId: string): boolean {
    return this.#search.has(noteId);
  }

  /** Ids of the notes that share a term with the question or with what was said before it, best first. */
  rank(question: string, earlier: readonly string[] = []): string[] {
    const weights = new Map<string, number>();
    const take = (text: string, weight: number): void => {
      for (const term of [...new Set(this.#style.terms(text))].slice(0, mostTerms))
        if (!weights.has(term)) weights.set(term, weight);
    };
    take(question, 1);
    // The more was said, the less each word of it counts: the question must not drown in it.
    const said = new Set(this.#style.terms(earlier.join("\n"))).size;
    if (this.#style.earlier > 0) take(earlier.join("\n"), this.#style.earlier * Math.min(1, fewSaid / said));
    if (weights.size === 0) return [];
    const isLoose = (term: string): boolean =>
      this.#style.loosely > 0 && term.length >= leastLoose && !isPair(term) && !/\p{N}/u.test(term);
    return this.#search
      .search([...weights.keys()].join("\n"), {
        tokenize: (text) => text.split("\n"),
        processTerm: (term) => term,
        boost: { title: this.#style.title },
        boostTerm: (term) => weights.get(term) ?? 1,
        fuzzy: (term) => (isLoose(term) ? 1 : false),
        weights: { fuzzy: this.#style.loosely, prefix: 0 },
      })
      .sort((one, other) => other.score - one.score || (one.id < other.id ? 1 : -1))
      .map(({ id }) => String(id));
  }

  /** What {@link Ranking} can be made from again. */
  postings(): Postings {
    return this.#search.toJSON();
  }
}

function optionsOf(style: RankingStyle): Options<Document> {
  return {
    fields: ["title", "text"],
    tokenize: (text) => style.terms(text),
    processTerm: (term) => term,
    // It knows every id that it discards; a warning of its own could name words of a note.
    logger: () => undefined,
  };
}

function load(postings: Postings, options: Options<Document>): MiniSearch<Document> {
  const ids = Object.keys(postings.documentIds).map(Number);
  return MiniSearch.loadJS(
    {
      ...postings,
      documentCount: ids.length,
      nextId: ids.reduce((most, id) => Math.max(most, id), -1) + 1,
      fieldIds: { title: 0, text: 1 },
      storedFields: {},
      dirtCount: 0,
      serializationVersion: 2,
    },
    options,
  );
}
