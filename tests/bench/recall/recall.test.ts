import { describe, expect, test } from "vitest";
import { contenders, heldOut, isWordless, recallAt, toChooseBy, usual } from "./recall";

const named = (name: string) => {
  const found = contenders.find((contender) => contender.name === name);
  if (!found) throw new Error(`There is no ${name}`);
  return found;
};
const atFive = (name: string, asked = toChooseBy): number => recallAt(5, named(name), asked);

describe("the ranking that is used, on the evaluation set", () => {
  test("finds more than newest first and than plain term count, and on the held-out half never less", () => {
    for (const other of ["newest first", "plain term count"])
      for (const at of [1, 5, 20]) {
        const [all, held] = [[...toChooseBy, ...heldOut], heldOut];
        expect(recallAt(at, usual, all), `${other}, ${at}`).toBeGreaterThan(recallAt(at, named(other), all));
        expect(recallAt(at, usual, held), `${other}, ${at}`).toBeGreaterThanOrEqual(recallAt(at, named(other), held));
      }
    expect(recallAt(1, usual, heldOut)).toBeGreaterThan(recallAt(1, named("plain term count"), heldOut));
  });

  test("finds at least what each other style of it finds, on the questions to choose by", () => {
    for (const contender of contenders)
      expect(recallAt(5, usual, toChooseBy)).toBeGreaterThanOrEqual(recallAt(5, contender, toChooseBy));
  });

  test("finds nearly every note that a question shares a word with", () => {
    const shared = (asked: typeof toChooseBy) => asked.filter((question) => !isWordless(question));
    expect(recallAt(5, usual, shared(toChooseBy))).toBeGreaterThanOrEqual(0.97);
    expect(recallAt(5, usual, shared(heldOut))).toBeGreaterThanOrEqual(0.9);
  });

  test("finds some notes that share no word with the question, where a plain count finds none", () => {
    expect(recallAt(5, usual, toChooseBy.filter(isWordless))).toBeGreaterThanOrEqual(0.2);
    expect(atFive("plain term count", toChooseBy.filter(isWordless))).toBe(0);
  });

  test("understands follow-ups by what was said before them", () => {
    const followUps = toChooseBy.filter(({ earlier }) => earlier);
    expect(recallAt(5, usual, followUps)).toBe(1);
    expect(recallAt(5, usual, followUps)).toBeGreaterThan(atFive("BM25 without the earlier messages", followUps));
  });
});
