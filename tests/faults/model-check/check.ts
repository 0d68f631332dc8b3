/**
 * One seed of the model check: chance decides the weather, the world runs, the rules judge. The same seed always
 * gives the same run.
 */
import { judgeEnd, judgeWrite } from "./rules.ts";
import { Chance } from "./simulation.ts";
import type { Operation, SimulatedTable } from "./table.ts";
import { type Protocol, type Weather, World } from "./world.ts";

export interface Figures {
  seeds: number;
  runs: number;
  kills: number;
  tableCalls: number;
  /** `seed: rule: detail`. */
  violations: string[];
}

export function weatherOf(chance: Chance): Weather {
  const rough = chance.pick([0, 0.3, 1, 1, 2.5]);
  return {
    faults: {
      lost: 0.01 * rough,
      unanswered: 0.015 * rough,
      late: 0.015 * rough,
      doubled: 0.03 * rough,
      repeated: 0.02 * rough,
      messages: chance.pick([0, 0, 0, 0.4]),
      staleness: chance.pick([50, 500, 2_000]),
      latency: chance.pick([4, 15, 120]),
    },
    kills: chance.pick([0, 0.002, 0.01, 0.03]),
    deaths: chance.pick([0, 1, 4]),
    stalls: chance.pick([0, 0, 1, 4]),
    outages: chance.pick([0, 0, 0, 2]),
    cuts: chance.pick([0, 0.05, 0.2]),
    network: chance.pick([10, 100, 1_500]),
    deletes: chance.pick([0, 0, 1]),
    tabs: chance.whole(1, 3),
    threads: chance.happens(0.25) ? 2 : 1,
    liveRuns: chance.pick([1, 2, 3]),
    span: chance.between(15_000, 60_000),
    quick: chance.happens(0.3),
    guardrail: chance.happens(0.35),
  };
}

/** Runs one seed and adds to the figures. */
export async function checkSeed(protocol: Protocol, seed: number, figures: Figures): Promise<void> {
  const chance = new Chance(seed);
  const world = new World(chance, weatherOf(chance), protocol, judgeWrite);
  await finish(world, `seed ${seed}`, figures);
}

/** Every write of one seed without a deleted thread, as its table took them, and that table. */
export async function recordSeed(
  protocol: Protocol,
  seed: number,
): Promise<{ table: SimulatedTable; journal: Operation[] }> {
  const chance = new Chance(seed);
  const world = new World(chance, { ...weatherOf(chance), deletes: 0 }, protocol, judgeWrite);
  const journal: Operation[] = [];
  world.table.journal = journal;
  await world.run();
  return { table: world.table, journal };
}

/** One person who sends (and may delete), with the server killed before or after one given table call. */
export async function checkKill(
  protocol: Protocol,
  point: { call: number; when: "before" | "after"; deletes: boolean; seed: number },
  figures: Figures,
): Promise<void> {
  const chance = new Chance(point.seed);
  const weather: Weather = {
    faults: { lost: 0, unanswered: 0, late: 0, doubled: 0, repeated: 0, messages: 0, staleness: 200, latency: 10 },
    kills: 0,
    deaths: 0,
    stalls: 0,
    outages: 0,
    cuts: 0,
    network: 30,
    deletes: point.deletes ? 4 : 0,
    tabs: 1,
    threads: 1,
    liveRuns: 3,
    span: 20_000,
    quick: true,
    guardrail: point.seed % 2 === 0,
  };
  const world = new World(chance, weather, protocol, judgeWrite, point);
  await finish(world, `kill ${point.when} call ${point.call}, seed ${point.seed}`, figures);
}

async function finish(world: World, name: string, figures: Figures): Promise<void> {
  await world.run();
  judgeEnd(world);
  figures.seeds++;
  figures.runs += world.facts.runs;
  figures.kills += world.facts.kills;
  figures.tableCalls += world.table.calls;
  for (const violation of new Set(world.facts.violations)) figures.violations.push(`${name}: ${violation}`);
}

export const noFigures = (): Figures => ({ seeds: 0, runs: 0, kills: 0, tableCalls: 0, violations: [] });
