import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BudgetStore,
  type Budgets,
  createBudgets,
  type DayItem,
  dayOf,
  nextDay,
  type Owner,
  type Reserved,
  type StageItem,
  type Written,
} from "./budget.server";

const emptyDay = (): DayItem => ({ committed: 0, left: 0, granted: 0, reservations: {}, models: {} });

/** What can happen to one call: `lost` before it was applied, its answer `unanswered`, or applied and asked `again`. */
type Fate = "fine" | "lost" | "unanswered" | "again";

/** A table in memory. Each call waits for its turn, so that calls of several servers mix in an order that chance gives. */
class Table implements BudgetStore {
  readonly days = new Map<string, DayItem>();
  readonly shares = new Map<string, number>();
  granted = 0;
  /** The most that was ever granted, and the most that one person ever had committed. */
  mostGranted = 0;
  mostCommitted = 0;
  private readonly next: () => { fate: Fate; turns: number };

  constructor(next: () => { fate: Fate; turns: number }) {
    this.next = next;
  }

  private dayOf({ userId, day }: Owner): DayItem {
    const key = `${userId} ${day}`;
    const found = this.days.get(key) ?? emptyDay();
    this.days.set(key, found);
    return found;
  }

  private async call<T>(work: () => T): Promise<T> {
    const { fate, turns } = this.next();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    if (fate === "lost") throw new Error("lost");
    let result = work();
    this.mostGranted = Math.max(this.mostGranted, this.granted);
    for (const { committed } of this.days.values()) this.mostCommitted = Math.max(this.mostCommitted, committed);
    if (fate === "again") result = work();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    if (fate === "unanswered") throw new Error("unanswered");
    return result;
  }

  private write(holds: () => boolean, change: () => void): Promise<Written> {
    return this.call(() => {
      if (!holds()) return "refused";
      change();
      return "done";
    });
  }

  getDay(owner: Owner): Promise<DayItem> {
    return this.call(() => structuredClone(this.dayOf(owner)));
  }

  getStage({ userId }: Owner): Promise<StageItem> {
    return this.call(() => ({ granted: this.granted, share: this.shares.get(userId) ?? 0 }));
  }

  reserve: BudgetStore["reserve"] = (owner, claimId, reservation, { committedAtMost, leftAtLeast, granted }) => {
    const day = () => this.dayOf(owner);
    return this.write(
      () =>
        !(claimId in day().reservations) &&
        day().committed <= committedAtMost &&
        day().left >= leftAtLeast &&
        (granted === undefined || day().granted === granted),
      () => {
        day().reservations[claimId] = reservation;
        day().committed += reservation.tokens;
        day().left -= reservation.tokens;
      },
    );
  };

  extend: BudgetStore["extend"] = (owner, claimId, tokens, more, { committedAtMost, leftAtLeast }) => {
    const day = () => this.dayOf(owner);
    return this.write(
      () =>
        day().reservations[claimId]?.tokens === tokens &&
        day().committed <= committedAtMost &&
        day().left >= leftAtLeast,
      () => {
        const reservation = day().reservations[claimId];
        if (reservation) reservation.tokens += more;
        day().committed += more;
        day().left -= more;
      },
    );
  };

  grant: BudgetStore["grant"] = ({ userId }, share, tokens, { grantedAtMost }) =>
    this.write(
      () => (this.shares.get(userId) ?? 0) === share && this.granted <= grantedAtMost,
      () => {
        this.shares.set(userId, share + tokens);
        this.granted += tokens;
      },
    );

  arrive: BudgetStore["arrive"] = (owner, granted, tokens) => {
    const day = () => this.dayOf(owner);
    return this.write(
      () => day().granted === granted,
      () => {
        day().granted += tokens;
        day().left += tokens;
      },
    );
  };

  settle: BudgetStore["settle"] = (owner, claimId, tokens, settled) => {
    const day = () => this.dayOf(owner);
    return this.write(
      () => day().reservations[claimId]?.tokens === tokens,
      () => {
        delete day().reservations[claimId];
        const taken = settled?.tokens ?? 0;
        day().committed += taken - tokens;
        day().left += tokens - taken;
        if (!settled) return;
        const totals = day().models[settled.model] ?? { answers: 0, tokens: 0, billionths: 0, unpriced: 0 };
        day().models[settled.model] = {
          ...totals,
          answers: totals.answers + (settled.unanswered ? 0 : 1),
          tokens: totals.tokens + settled.tokens,
        };
      },
    );
  };
}

const DAY = "2026-11-22";

interface Place {
  table: Table;
  server(): Budgets;
  /** All that servers do behind their answers. */
  rest(): Promise<unknown>;
}

function open(limits: { person: number; stage: number }, next: () => { fate: Fate; turns: number }): Place {
  const table = new Table(next);
  const behind: Promise<unknown>[] = [];
  return {
    table,
    server: () =>
      createBudgets({
        store: table,
        limits,
        background: (work) => void behind.push(work),
        backOff: () => Promise.resolve(),
      }),
    rest: async () => {
      for (let done = 0; done < behind.length; done = behind.length) await Promise.all(behind);
    },
  };
}

const calm = () => ({ fate: "fine" as const, turns: 1 });
const reservation = (tokens: number) => ({ tokens, at: 0, threadId: "T", runId: "R" });

describe("A day's budgets", () => {
  test("are never passed, and every answer is counted once, whatever happens to the calls", async () => {
    const run = fc.record({
      person: fc.integer({ min: 0, max: 3 }),
      server: fc.integer({ min: 0, max: 1 }),
      tokens: fc.integer({ min: 1, max: 400 }),
      /** What the answer took, in hundredths of what was reserved; undefined: its claim did not come about. */
      takes: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
      more: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
      settledBy: fc.constantFrom(1, 2),
      waits: fc.integer({ min: 0, max: 30 }),
    });
    const fates = fc.array(
      fc.record({
        fate: fc.oneof(
          { weight: 20, arbitrary: fc.constant<Fate>("fine") },
          { weight: 1, arbitrary: fc.constantFrom<Fate>("lost", "unanswered", "again") },
        ),
        turns: fc.integer({ min: 0, max: 6 }),
      }),
      { minLength: 1, maxLength: 60 },
    );
    const limits = fc.record({
      person: fc.integer({ min: 300, max: 1_200 }),
      stage: fc.integer({ min: 300, max: 2_500 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 24 }), fates, limits, async (works, chances, limit) => {
        let at = 0;
        let isCalm = false;
        const place = open(limit, () => {
          const chance = chances[at++ % chances.length] ?? calm();
          return isCalm ? { ...chance, fate: "fine" } : chance;
        });
        const servers = [place.server(), place.server()];
        const { table } = place;
        const taken = new Map<string, number>();
        const isAdmitted = new Set<string>();
        /** What the admitted runs hold together, at every moment. */
        let [held, mostHeld] = [0, 0];
        await Promise.all(
          works.map(async ({ person, server, tokens, takes, more, settledBy, waits }, index) => {
            const owner = { userId: `person-${person}`, day: DAY };
            const claimId = `claim-${index}`;
            const budgets = servers[server] ?? place.server();
            for (let turn = 0; turn < waits; turn++) await Promise.resolve();
            let outcome: Reserved;
            try {
              outcome = await budgets.reserve(owner, claimId, reservation(tokens));
            } catch {
              return; // Killed, or without its table: a reservation may be left.
            }
            if (outcome !== "reserved") return;
            isAdmitted.add(claimId);
            let own = tokens;
            held += tokens;
            mostHeld = Math.max(mostHeld, held);
            if (more !== undefined)
              try {
                if ((await budgets.extend(owner, claimId, more)) === "reserved") {
                  own += more;
                  held += more;
                  mostHeld = Math.max(mostHeld, held);
                }
              } catch {
                // The answer ends by what it has.
              }
            const tookTokens = takes === undefined ? undefined : Math.floor((own * takes) / 100);
            const settled =
              tookTokens === undefined ? undefined : { tokens: tookTokens, model: "m", dollars: undefined };
            const settle = async () => {
              for (let tries = 0; tries < 50; tries++)
                try {
                  return await (servers[(server + tries) % 2] ?? budgets).settle(owner, claimId, settled);
                } catch {
                  // Whoever comes upon it next tries again.
                }
              throw new Error("Never settled");
            };
            // The run is over: from here on it holds what it took.
            held += (tookTokens ?? 0) - own;
            // The producer, and perhaps whoever reaped the run meanwhile.
            await Promise.all(Array.from({ length: settledBy }, settle));
            if (tookTokens !== undefined) taken.set(claimId, tookTokens);
          }),
        );
        await place.rest();

        expect(table.mostGranted).toBeLessThanOrEqual(limit.stage);
        expect(table.mostCommitted).toBeLessThanOrEqual(limit.person);
        expect(mostHeld).toBeLessThanOrEqual(limit.stage);

        // What is left of the refused and the killed is released; then every sum is that of the answers alone.
        isCalm = true;
        for (const [key, day] of table.days) {
          const owner = { userId: key.split(" ")[0] ?? "", day: DAY };
          for (const claimId of Object.keys(day.reservations)) {
            expect(isAdmitted.has(claimId)).toBe(false);
            await servers[0]?.settle(owner, claimId, undefined);
          }
        }
        let all = 0;
        for (const [key, { committed, left, granted, models }] of table.days) {
          const userId = key.split(" ")[0] ?? "";
          const own = works.flatMap(({ person }, index) => {
            const took = taken.get(`claim-${index}`);
            return `person-${person}` === userId && took !== undefined ? [took] : [];
          });
          const sum = own.reduce((one, other) => one + other, 0);
          expect(committed).toBe(sum);
          expect(left).toBe(granted - sum);
          expect(granted).toBeLessThanOrEqual(table.shares.get(userId) ?? 0);
          expect(models.m?.tokens ?? 0).toBe(sum);
          expect(models.m?.answers ?? 0).toBe(own.length);
          all += sum;
        }
        expect(all).toBeLessThanOrEqual(limit.stage);
      }),
      { numRuns: 200 },
    );
  });

  test("let a block of the stage's arrive that a killed server had asked for", async () => {
    const place = open({ person: 1_000, stage: 1_000 }, calm);
    const owner = { userId: "person", day: DAY };
    // It died between the two writes: the stage gave all it had, and nothing has arrived.
    await place.table.grant(owner, 0, 1_000, { grantedAtMost: 0 });
    const budgets = place.server();
    expect(await budgets.reserve(owner, "claim", reservation(900))).toBe("reserved");
    await place.rest();
    const { day, stage } = await budgets.look(owner);
    expect(day).toMatchObject({ granted: 1_000, left: 100, committed: 900 });
    expect(stage).toEqual({ granted: 1_000, share: 1_000 });
  });

  test("that nobody gets to, since others are always quicker, are unavailable and no bug", async () => {
    const place = open({ person: 1_000, stage: 1_000 }, calm);
    place.table.reserve = async () => "refused";
    const owner = { userId: "person", day: DAY };
    await expect(place.server().reserve(owner, "claim", reservation(100))).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("are written by the first of many sends, and not by each", async () => {
    const place = open({ person: 100_000, stage: 1_000_000 }, calm);
    const owner = { userId: "person", day: DAY };
    const budgets = place.server();
    let grants = 0;
    const { grant } = place.table;
    place.table.grant = (...given) => {
      grants += 1;
      return grant(...given);
    };
    for (let count = 0; count < 20; count++) {
      expect(await budgets.reserve(owner, `claim-${count}`, reservation(400))).toBe("reserved");
      await place.rest();
      await budgets.settle(owner, `claim-${count}`, { tokens: 100, model: "m", dollars: 0 });
    }
    expect(grants).toBe(1);
  });

  test("have room again once what is over is settled, and ask for that before they refuse", async () => {
    const place = open({ person: 500, stage: 10_000 }, calm);
    const owner = { userId: "person", day: DAY };
    const budgets = place.server();
    await budgets.reserve(owner, "stale", reservation(450));
    const asked: string[][] = [];
    const repair = async (reservations: DayItem["reservations"]) => {
      asked.push(Object.keys(reservations));
      return budgets.settle(owner, "stale", undefined);
    };
    expect(await budgets.reserve(owner, "next", reservation(100))).toEqual({ refused: "budget-spent", left: 50 });
    expect(await budgets.reserve(owner, "next", reservation(100), { repair })).toBe("reserved");
    expect(asked).toEqual([["stale"]]);
  });

  test("count what nobody reserved, once, whatever room there is and whatever is lost on the way", async () => {
    const fates: Fate[] = ["unanswered", "again", "lost", "fine"];
    for (const first of fates)
      for (const second of fates) {
        const coming = [first, second];
        const place = open({ person: 500, stage: 500 }, () => ({ fate: coming.shift() ?? "fine", turns: 0 }));
        const owner = { userId: "person", day: DAY };
        const { threadId, runId, at } = reservation(0);
        const settled = { tokens: 750, model: "guardrail", dollars: 0.0012, unanswered: true as const };
        await place.server().charge(owner, "key", { threadId, runId, at }, settled);
        await place.rest();
        const { day } = await place.server().look(owner);
        expect(day).toMatchObject({ committed: 750, reservations: {} });
        expect(day.models.guardrail).toMatchObject({ answers: 0, tokens: 750 });
      }
  });

  test("take a repeated reservation for what it is", async () => {
    const place = open({ person: 500, stage: 500 }, calm);
    const owner = { userId: "person", day: DAY };
    const budgets = place.server();
    for (let count = 0; count < 3; count++)
      expect(await budgets.reserve(owner, "claim", reservation(400))).toBe("reserved");
    await place.rest();
    expect((await budgets.look(owner)).day.committed).toBe(400);
  });
});

describe("A day", () => {
  test("is that of UTC, to the millisecond", () => {
    const midnight = Date.UTC(2026, 10, 23);
    expect(dayOf(midnight - 1)).toBe("2026-11-22");
    expect(dayOf(midnight)).toBe("2026-11-23");
    expect(nextDay(midnight - 1)).toBe(midnight);
    expect(nextDay(midnight)).toBe(midnight + 86_400_000);
  });
});
