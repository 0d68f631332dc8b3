/**
 * The run protocol under everything that can go wrong. The module that is checked is the one that the app runs. A
 * failure names its seed: `npm run check:protocol 1 <seed>` runs it alone.
 */
import { expect, test } from "vitest";
import { createRuns } from "~/threads/run.server";
import { checkKill, checkSeed, noFigures } from "./model-check/check.ts";
import { mutations } from "./model-check/mutations.ts";
import { loadProtocol } from "./model-check/protocol.ts";

const SEEDS = 2_000;
/**
 * A rule that is taken out has to show within so many seeds. Chance meets the rarest of them once in a thousand, and
 * a check that finds it stops there.
 */
const ENOUGH = 12_000;

test("Whatever servers, network and table do, every promise about a run holds", { timeout: 240_000 }, async () => {
  const figures = noFigures();
  for (let seed = 1; seed <= SEEDS; seed++) await checkSeed({ createRuns }, seed, figures);
  expect(figures.violations).toEqual([]);
  expect(figures.seeds).toBe(SEEDS);
  // The storm was one: otherwise nothing was checked.
  expect(figures.runs).toBeGreaterThan(2 * SEEDS);
  expect(figures.kills).toBeGreaterThan(SEEDS);
  expect(figures.tableCalls).toBeGreaterThan(100 * SEEDS);
});

test("A server may be killed before or after any of the first 40 table calls of a send and of a delete", {
  timeout: 120_000,
}, async () => {
  const figures = noFigures();
  for (const deletes of [false, true])
    for (const when of ["before", "after"] as const)
      for (let call = 1; call <= 40; call++)
        for (let seed = 1; seed <= 2; seed++)
          await checkKill({ createRuns }, { call, when, deletes, seed: 1_000 * call + seed }, figures);
  expect(figures.violations).toEqual([]);
  expect(figures.kills).toBeGreaterThan(0.9 * figures.seeds);
});

test.each(mutations)(
  "The model check notices when a rule is missing: $rule",
  { timeout: 240_000 },
  async (mutation) => {
    const protocol = await loadProtocol(mutation);
    const figures = noFigures();
    // Seeds after those of the first test: what they say without the rule is known there.
    for (let seed = SEEDS + 1; seed <= SEEDS + ENOUGH && figures.violations.length === 0; seed++)
      await checkSeed(protocol, seed, figures);
    expect(figures.violations, `${figures.seeds} seeds without a violation`).not.toEqual([]);
  },
);
