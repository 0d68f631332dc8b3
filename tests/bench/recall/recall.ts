/** Ways to choose notes for a question, side by side on the evaluation set. */
import { Ranking, type RankingStyle, usualStyle } from "~/notes/ranking";
import { rankingTerms } from "~/notes/words";
import { notes } from "./notes";
import { questions, type RecallQuestion } from "./questions";
import { plainWords } from "./words";

export interface Contender {
  name: string;
  /** Ids of notes, the best first. */
  rank(question: RecallQuestion): string[];
}

/** A number that looks random and is always the same: the order in which the notes were changed. */
function hash(text: string): number {
  let value = 2166136261;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 16777619);
  return value >>> 0;
}

const newest = notes.toSorted((one, other) => hash(other.id) - hash(one.id)).map(({ id }) => id);
const words = new Map(notes.map(({ id, title, text }) => [id, plainWords(`${title} ${text}`)]));

const newestFirst: Contender = { name: "newest first", rank: () => newest };

/** How often the words of the question and of what was said before stand in the note; newest first among equals. */
const termCount: Contender = {
  name: "plain term count",
  rank({ question, earlier = [] }) {
    const asked = new Set(plainWords([question, ...earlier].join(" ")));
    const counts = newest.map((id) => ({ id, count: words.get(id)?.filter((word) => asked.has(word)).length ?? 0 }));
    return counts
      .filter(({ count }) => count > 0)
      .sort((one, other) => other.count - one.count)
      .map(({ id }) => id);
  },
};

function bm25(name: string, style: Partial<RankingStyle> = {}): Contender {
  const ranking = new Ranking({ ...usualStyle, ...style });
  for (const { id, title, text } of notes) ranking.set(id, title, text);
  return { name, rank: ({ question, earlier }) => ranking.rank(question, earlier) };
}

/** English endings off, as the usual stemmers for search begin. */
const withoutEnding = (word: string): string =>
  word.length < 4 ? word : word.replace(/ies$/u, "y").replace(/(?:ing|ed|er|ly|e|s|en|em)$/u, "");

const letters = (count: number) => ({ terms: (text: string) => rankingTerms(text, { letters: count }) });
const whole = { terms: (text: string) => rankingTerms(text, { letters: 100 }) };

export const usual: Contender = bm25("BM25 as it is used");
export const contenders: Contender[] = [
  newestFirst,
  termCount,
  bm25("BM25 as minisearch comes", {
    terms: (text) =>
      text
        .toLowerCase()
        .split(/[\n\r\p{Z}\p{P}]+/u)
        .filter(Boolean),
    loosely: 0,
    title: 1,
    earlier: 1,
  }),
  bm25("BM25, whole words, function words kept", {
    terms: (text) => rankingTerms(text, { letters: 100, all: true }),
    loosely: 0,
    title: 1,
  }),
  bm25("BM25, whole words", { ...whole, loosely: 0 }),
  bm25("BM25, whole words, one letter may differ", whole),
  bm25("BM25, English endings off", {
    terms: (text) => rankingTerms(text, { letters: 100 }).map(withoutEnding),
    loosely: 0,
  }),
  bm25("BM25, first 4 letters", letters(4)),
  bm25("BM25, first 6 letters", letters(6)),
  bm25("BM25, first 5 letters, compared exactly", { loosely: 0 }),
  bm25("BM25 without the earlier messages", { earlier: 0 }),
  bm25("BM25 with the title as text", { title: 1 }),
  usual,
];

export const toChooseBy = questions.filter(({ heldOut }) => !heldOut);
export const heldOut = questions.filter(({ heldOut }) => heldOut);
export const isWordless = ({ wordless }: RecallQuestion): boolean => wordless === true;

/** The share of the questions for which a note that answers is among the first `at`. */
export function recallAt(at: number, { rank }: Contender, asked: readonly RecallQuestion[]): number {
  const found = asked.filter((question) =>
    rank(question)
      .slice(0, at)
      .some((id) => question.answers.includes(id)),
  );
  return found.length / asked.length;
}

/** The table of all contenders, as markdown. */
export function recallTable(): string {
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  const rows = contenders.map((contender) =>
    [
      contender.name,
      percent(recallAt(1, contender, toChooseBy)),
      percent(recallAt(5, contender, toChooseBy)),
      percent(recallAt(20, contender, toChooseBy)),
      percent(recallAt(5, contender, toChooseBy.filter(isWordless))),
      percent(recallAt(1, contender, heldOut)),
      percent(recallAt(5, contender, heldOut)),
      percent(recallAt(20, contender, heldOut)),
      percent(recallAt(5, contender, heldOut.filter(isWordless))),
    ].join(" | "),
  );
  return [
    `${notes.length} notes, ${toChooseBy.length} questions to choose by (${toChooseBy.filter(isWordless).length} of them share no word with their note), ${heldOut.length} held out (${heldOut.filter(isWordless).length}).`,
    "",
    "| a note that answers is among the first | 1 | 5 | 20 | 5, no shared word | held out: 1 | 5 | 20 | 5, no shared word |",
    "|---|---|---|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}
