/**
 * What a run may use, does use, and did use. Before the model call its tokens are reserved on two budgets (the
 * person's and the stage's day), and the operator's switch is read; while it is produced the switch is looked at
 * again and an answer that outgrows its reservation asks for more; after it the reservation is replaced by what was
 * used. The answer itself says what that is, so whoever stores it, settles it; a reservation whose run never was, or
 * whose server died in between, is settled by whoever comes upon it.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { guardrailCost } from "~/ai/guardrail.server";
import type { Model } from "~/ai/model";
import { longestOutput } from "~/ai/providers.server";
import { settingsFor, type ThreadSettings } from "~/ai/settings";
import { config } from "~/config.server";
import { type ErrorCode, PublicError } from "~/errors";
import { logError } from "~/http.server";
import { currentInvocation } from "~/invocation.server";
import {
  createBudgets,
  type DayItem,
  dayOf,
  nextDay,
  type Owner,
  type Refusal,
  type Reservation,
  type Settled,
  type Totals,
} from "./budget.server";
import { type Bill, costOfAnswer, type Spent, UNIT_TOKENS } from "./cost";
import type { MessageItem, ModelOutcome, ModelPart, Runs } from "./run-items.server";
import { runStore } from "./run-store.server";
import { createTally, type Tally } from "./tally";
import { type Stage, usageStore } from "./usage-store.server";
import { type BudgetView, GUARDRAIL_ALONE, type UsageSum, type UsageView } from "./view";

/** What is reserved for an answer whose length nobody set, and asked for again when it grows longer. */
const ANSWER = 4_096;
/** The same for a model that thinks: its reasoning is billed too, and not always seen. */
const THOUGHT = 12_288;
/** When so much of the reservation is left, more is asked for. */
const NEARLY = 1_000;
/** A table that does not answer is asked for more after so many milliseconds. */
const AGAIN = 1_000;
/** An estimate is no count: so much is added to what the model is sent. */
const MARGIN = 1.1;
/** How often the switch is looked at while an answer is produced, in milliseconds. */
const LOOK = 3_000;
const DAY = 86_400_000;
/** A reservation that is older may belong to a run that is over, in milliseconds. */
const OLD = 60_000;

const budgets = createBudgets({
  store: usageStore,
  limits: config.budgets,
  background: (work) => currentInvocation().waitUntil(work),
  backOff: () => sleep(20 + Math.random() * 80),
});

/** The error that a budget without room is, with when it goes on. */
function spentError({ refused, left = 0 }: Refusal, tokens: number, now = Date.now()): PublicError {
  const figure = (count: number) => count.toLocaleString("en-US");
  const { person } = config.budgets;
  if (refused === "budget-spent" && tokens > person)
    return new PublicError(refused, {
      message: `This message may take ${figure(tokens)} tokens. The budget of a day has ${figure(person)}.`,
    });
  const until = nextDay(now);
  return new PublicError(refused, {
    ...(refused === "budget-spent" &&
      left > 0.01 * person && {
        message: `Today's budget has ${figure(left)} tokens left, and this message may take ${figure(tokens)}.`,
      }),
    details: { until },
    headers: { "Retry-After": String(Math.ceil((until - now) / 1000)) },
  });
}

/** Settles what an answer took. Repeatable; an answer from before there were budgets has nothing to settle. */
export async function settleAnswer(userId: string, answer: MessageItem): Promise<void> {
  const { cost, claimId, model } = answer;
  if (!cost || !claimId) return;
  const settled = { tokens: cost.tokens, model: model?.ref ?? "", dollars: cost.dollars };
  await budgets.settle({ userId, day: cost.day }, claimId, settled);
}

/** What the guardrail read of messages that no model was asked about; as billed as any other. */
const guardrailAlone = (units: number): Settled => ({
  tokens: units * UNIT_TOKENS,
  model: GUARDRAIL_ALONE,
  dollars: guardrailCost(units),
  unanswered: true,
});

type Repair = Pick<Runs, "reap" | "storeAnswer">;

/** Settles a reservation whose run is over, or releases it if its run never was. False: the run is live. */
async function resolve(runs: Repair, owner: Owner, claimId: string, reservation: Reservation): Promise<boolean> {
  const { userId } = owner;
  const { threadId, runId } = reservation;
  const address = { userId, threadId };
  const getRun = () => runStore.get("run", address, { consistent: true });
  const settleStored = async (): Promise<boolean> => {
    const answer = await runStore.get("message", { ...address, messageId: runId }, { consistent: true });
    if (answer?.role !== "assistant" || answer.claimId !== claimId) return false;
    if (answer.cost) await settleAnswer(userId, answer);
    else await budgets.settle(owner, claimId, undefined);
    return true;
  };
  if (await settleStored()) return true;
  let run = await getRun();
  if (run?.claimId === claimId && run.state === "live") {
    if ((run.leaseUntil ?? 0) >= Date.now()) return false;
    await runs.reap(address);
    run = await getRun();
  }
  if (run?.claimId === claimId && (run.state === "live" || (run.state === "ended" && run.ending !== "void"))) {
    // Its producer, or whoever reaped it, has some seconds to store the answer.
    if (run.state === "live" || (run.leaseUntil ?? 0) >= Date.now()) return false;
    await runs.storeAnswer(address, run);
  }
  // Whatever came of it is stored by now. Nothing: its question never got in, or its thread is deleted.
  if (await settleStored()) return true;
  const { units = 0 } = (run?.claimId === claimId && run.guardrail) || {};
  await budgets.settle(owner, claimId, units > 0 ? guardrailAlone(units) : undefined);
  return true;
}

/** Settles the old ones of these reservations. Whether any is gone. */
async function repairAll(runs: Repair, owner: Owner, reservations: DayItem["reservations"]): Promise<boolean> {
  const old = Object.entries(reservations).filter(([, { at }]) => Date.now() - at > OLD);
  const results = await Promise.allSettled(
    old.map(([claimId, reservation]) => resolve(runs, owner, claimId, reservation)),
  );
  for (const result of results) if (result.status === "rejected") logError(result.reason, "repair of a reservation");
  return results.some((result) => result.status === "fulfilled" && result.value);
}

let lastLook: { at: number; off: Promise<boolean> } | undefined;

/** Whether the operator has switched all models off; all runs of a process share one look. */
function isOff(): Promise<boolean> {
  if (!lastLook || Date.now() - lastLook.at > LOOK / 3) lastLook = { at: Date.now(), off: usageStore.isOff() };
  return lastLook.off;
}

/** What the guardrail may count for a whole text of this length, of which some is read twice if it is long. */
const wholeUnits = (length: number): number => Math.ceil(length / 1_000) + Math.floor(length / 10_000);

/** What it may count: texts that are checked whole, and windows of the answer, of which some text is read twice. */
const guardrailTokens = (whole: number[], output: number): number =>
  UNIT_TOKENS * (whole.reduce((sum, length) => sum + wholeUnits(length), 0) + Math.ceil((4 * output) / 700) + 1);

/** What is sent to whom, as far as the budgets need to know. */
interface Call {
  model: Model;
  settings: ThreadSettings;
  /** An estimate of what the model is sent. */
  inputTokens: number;
  /** UTF-16 units of the answer that are there already, of the question, and of the system prompt if it is checked. */
  prefix: number;
  question: number;
  systemPrompt: number;
}

/** What was reserved for the answer of a call, and how its tokens are counted while it comes. */
interface Room {
  output: number;
  /** The vendor was told no more than that, and ends the answer there. */
  bounded: boolean;
  thinks: boolean;
  tellsAll: boolean;
}
const boundless: Room = { output: Number.POSITIVE_INFINITY, bounded: true, thinks: false, tellsAll: true };

/** How a call ended; with the vendor's status, if it refused. */
export type WatchedOutcome = ModelOutcome & { fault?: { status?: number } };

/** One request's use of the budgets. */
export interface Spending {
  /**
   * Reserves for a claim, and returns what the run is given to be settled by. `repeated`: its run is live already, and
   * has its reservation. Throws `budget-spent`, `stage-budget-spent`, `switched-off`.
   */
  reserve(claim: { claimId: string; runId: string; repeated: boolean }, call: Call): Promise<Bill | undefined>;
  /** Notes what the guardrail was asked beside any production, in units. */
  asked(units: number): void;
  /** Gives back what was reserved for claims that did not come about, all but this one, and counts what was asked. */
  release(claimed?: string): Promise<void>;
  /** Watches a model call: counts what comes, asks for more, and ends it when the models are switched off. */
  watch(
    claimId: string,
    bill: Bill | undefined,
    signal: AbortSignal,
    call: (signal: AbortSignal) => AsyncGenerator<ModelPart, WatchedOutcome>,
  ): AsyncGenerator<ModelPart, WatchedOutcome>;
  /** What the watched call took, where its vendor did not say. */
  spent(): Spent;
  /**
   * Settles a run that stored no answer: its question never got in, its thread was deleted or its server lost the table.
   * Where one was stored, what the guardrail was asked beyond what that says is counted apart.
   */
  close(
    run: { claimId: string; runId: string },
    given: { model: string; bill: Bill | undefined; guardrail: { units: number; told: number } },
  ): Promise<void>;
}

/** Failures before the first word for which no vendor bills anything. */
const unbilled: ReadonlySet<ErrorCode> = new Set([
  "model-busy",
  "model-denied",
  "model-credit",
  "model-missing",
  "model-unreachable",
  "context-too-long",
]);

/** Begins a request's use of the budgets: reads at once what the reservation will need. */
export function beginSpending(runs: Repair, userId: string, threadId: string): Spending {
  const owner: Owner = { userId, day: dayOf(Date.now()) };
  const reading: Promise<[DayItem, Stage]> = Promise.all([usageStore.getDay(owner), usageStore.getStage(owner)]);
  // Whoever needs it awaits it; a request that is refused before does not.
  reading.catch(() => undefined);
  const reserved = new Map<string, { reservation: Reservation; room: Room }>();
  /** Of the watched call. */
  let tally: Tally | undefined;
  let spentNothing = false;
  /** A busy model is asked again at this time; until then it has taken nothing. */
  let askedAgainAt = 0;
  let estimate: Bill | undefined;
  let askedBeside = 0;

  return {
    async reserve({ claimId, runId, repeated }, { model, settings, inputTokens, prefix, question, systemPrompt }) {
      const [day, stage] = await reading;
      const bill: Bill = {
        day: owner.day,
        inputTokens,
        ...(prefix > 0 && { prefix }),
        ...(model.price && { price: model.price }),
        ...(config.guardrail && { guardrail: guardrailCost(1) }),
      };
      if (repeated) {
        // Its question is not there yet, or was lost. The reservation may be newer than what was read, or a day older.
        for (const its of [owner, { userId, day: dayOf(Date.parse(owner.day) - DAY) }])
          if (claimId in (await usageStore.getDay(its)).reservations) return { ...bill, day: its.day };
        return undefined;
      }
      if (stage.off) throw new PublicError("switched-off");
      // What is sent counts, and not what was set: a length can be raised, or dropped.
      const { sent } = settingsFor(model, settings);
      const thinks = model.thinks || (sent.reasoningEffort ?? "none") !== "none";
      const longest = longestOutput(model, sent);
      const output = longest ?? Math.min(ANSWER + (thinks ? THOUGHT : 0), model.maxOutput);
      const reservation = {
        tokens:
          Math.ceil(inputTokens * MARGIN) +
          output +
          (config.guardrail ? guardrailTokens([question, systemPrompt], output) : 0),
        at: Date.now(),
        threadId,
        runId,
      };
      // OpenAI summarises its reasoning, and so do Claude's newer models.
      const tellsAll = model.vendor !== "openai" && !model.thinking;
      reserved.set(claimId, { reservation, room: { output, bounded: longest !== undefined, thinks, tellsAll } });
      const outcome = await budgets.reserve(owner, claimId, reservation, {
        seen: { day, stage },
        repair: (reservations) => repairAll(runs, owner, reservations),
      });
      if (outcome !== "reserved") {
        reserved.delete(claimId);
        throw spentError(outcome, reservation.tokens);
      }
      if (Object.values(day.reservations).some(({ at }) => Date.now() - at > 2 * OLD))
        currentInvocation().waitUntil(repairAll(runs, owner, day.reservations));
      return bill;
    },

    asked(units) {
      askedBeside += units;
    },

    async release(claimed) {
      if (askedBeside > 0) {
        const about = { at: Date.now(), threadId, runId: "" };
        try {
          await budgets.charge(owner, randomUUID(), about, guardrailAlone(askedBeside));
        } catch (error) {
          logError(error, "count of the guardrail's units");
        }
      }
      for (const [claimId, { reservation }] of reserved) {
        if (claimId === claimed) continue;
        try {
          await resolve(runs, owner, claimId, reservation);
        } catch (error) {
          // It is old some time, and whoever comes upon it then settles it.
          logError(error, "release of a reservation");
        }
      }
    },

    async *watch(claimId, bill, signal, call) {
      const own = new AbortController();
      let cut: ErrorCode | undefined;
      const { output, bounded, ...how } = reserved.get(claimId)?.room ?? boundless;
      const count = createTally(how);
      tally = count;
      let room = output;
      let refused: ErrorCode | undefined;
      let growing: Promise<void> | undefined;
      let againAt = 0;
      estimate = bill;
      const end = (code: ErrorCode): void => {
        cut ??= code;
        own.abort();
      };
      const look = async (): Promise<void> => {
        try {
          if (await isOff()) end("switched-off");
        } catch (error) {
          logError(error, "look at the switch");
        }
      };
      const grow = async (): Promise<void> => {
        try {
          const more = ANSWER + (config.guardrail ? guardrailTokens([], ANSWER) : 0);
          const outcome = await budgets.extend(owner, claimId, more);
          if (outcome === "reserved") room += ANSWER;
          // What was reserved is still there to be used up.
          else refused = outcome.refused;
        } catch (error) {
          againAt = Date.now() + AGAIN;
          logError(error, "extension of a reservation");
        } finally {
          growing = undefined;
        }
        if (refused && count.atMost() >= room) end(refused);
      };
      /** Sees to it that what the call may have taken is reserved. One of a length that was asked for ends by itself. */
      const weigh = (): void => {
        if (bounded) return;
        const most = count.atMost();
        if (!refused && most > room - NEARLY && Date.now() >= againAt) growing ??= grow();
        if (refused && most >= room) end(refused);
      };
      const timer = setInterval(() => {
        void look();
        // Other runs may have left room since.
        refused = undefined;
        weigh();
      }, LOOK);
      const answer = call(AbortSignal.any([signal, own.signal]));
      try {
        for (;;) {
          const step = await answer.next();
          if (step.done) {
            const outcome = step.value;
            const { ending, error, fault, usage } = outcome;
            spentNothing =
              count.isEmpty() &&
              !usage &&
              ending !== "complete" &&
              !cut &&
              (fault?.status !== undefined || (error !== undefined && unbilled.has(error)));
            return cut && ending !== "complete" ? { ...outcome, ending: "interrupted", error: cut } : outcome;
          }
          if (step.value.type === "text" || step.value.type === "reasoning") {
            count.add({ type: step.value.type, text: step.value.text });
            weigh();
            // A fast model must not run ahead of a slow table.
            if (growing && count.atMost() >= room) {
              await growing;
              weigh();
            }
          }
          if (step.value.type === "waiting") {
            askedAgainAt = Date.now() + step.value.seconds * 1_000;
            count.beginAt(askedAgainAt);
          }
          yield step.value;
        }
      } finally {
        clearInterval(timer);
        await answer.return({ ending: "interrupted" });
        await growing;
      }
    },

    spent: () =>
      !tally || spentNothing || (tally.isEmpty() && Date.now() < askedAgainAt)
        ? { inputTokens: 0, outputTokens: 0 }
        : { inputTokens: estimate?.inputTokens ?? 0, outputTokens: tally.taken() },

    async close({ claimId, runId }, { model, bill, guardrail: { units, told } }) {
      if (!bill) return;
      const its = { userId, day: bill.day };
      const spent = this.spent();
      let settled: Settled | undefined;
      if (spent.inputTokens + spent.outputTokens > 0) {
        const { tokens, dollars } = costOfAnswer(bill, { text: "", spent, units });
        settled = { tokens, model, dollars };
      } else if (units > 0) settled = guardrailAlone(units);
      try {
        const isMine = await budgets.settle(its, claimId, settled);
        if (!isMine && units > told)
          await budgets.charge(its, randomUUID(), { at: Date.now(), threadId, runId }, guardrailAlone(units - told));
      } catch (error) {
        logError(error, "settlement of a run");
      }
    },
  };
}

const nothing: UsageSum = { answers: 0, tokens: 0, dollars: 0, unpriced: 0 };
const add = (one: UsageSum, other: UsageSum): UsageSum => ({
  answers: one.answers + other.answers,
  tokens: one.tokens + other.tokens,
  dollars: one.dollars + other.dollars,
  unpriced: one.unpriced + other.unpriced,
});
const sumOf = ({ billionths, ...totals }: Totals): UsageSum => ({ ...totals, dollars: billionths / 1e9 });
const sumOfDay = ({ models }: DayItem): UsageSum =>
  Object.values(models).reduce((sum, totals) => add(sum, sumOf(totals)), nothing);

const DAYS_SHOWN = 30;

/** What a person used in the last thirty days and in this month. Settles, beside the answer, what was left open. */
export async function readUsage(runs: Repair, userId: string, now = Date.now()): Promise<UsageView> {
  const shown = Array.from({ length: DAYS_SHOWN }, (_, index) => dayOf(now - (DAYS_SHOWN - 1 - index) * DAY));
  const today = dayOf(now);
  const firstOfMonth = `${today.slice(0, 8)}01`;
  const [first = today] = shown;
  const [listed, isOff] = await Promise.all([
    usageStore.list(userId, first < firstOfMonth ? first : firstOfMonth, today),
    usageStore.isOff(),
  ]);
  for (const { day, item } of listed)
    if (Object.keys(item.reservations).length > 0)
      currentInvocation().waitUntil(repairAll(runs, { userId, day }, item.reservations));

  const byDay = new Map(listed.map(({ day, item }) => [day, item]));
  const days = shown.map((day) => {
    const item = byDay.get(day);
    return { ...(item ? sumOfDay(item) : nothing), day };
  });
  const byModel = new Map<string, UsageSum>();
  for (const day of shown)
    for (const [ref, totals] of Object.entries(byDay.get(day)?.models ?? {}))
      byModel.set(ref, add(byModel.get(ref) ?? nothing, sumOf(totals)));
  const sum = (sums: UsageSum[]) =>
    sums.reduce(
      (all, { answers, tokens, dollars, unpriced }) => add(all, { answers, tokens, dollars, unpriced }),
      nothing,
    );
  return {
    days,
    models: [...byModel].map(([ref, totals]) => ({ ...totals, ref })).sort((one, other) => other.tokens - one.tokens),
    lately: sum(days),
    month: sum(listed.filter(({ day }) => day >= firstOfMonth).map(({ item }) => sumOfDay(item))),
    budget: config.budgets.person,
    resetsAt: nextDay(now),
    isOff,
  };
}

/** How far today's budget is used by settled answers, and whether models are switched off. */
export async function readBudget(userId: string, now = Date.now()): Promise<BudgetView> {
  const day = dayOf(now);
  const [[today], isOff] = await Promise.all([usageStore.list(userId, day, day), usageStore.isOff()]);
  const { tokens } = today ? sumOfDay(today.item) : nothing;
  return { share: tokens / config.budgets.person, resetsAt: nextDay(now), isOff };
}
