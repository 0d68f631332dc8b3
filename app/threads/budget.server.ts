/**
 * Budgets: how many tokens a person and the whole stage may use in one UTC day. Tokens are reserved before a model
 * call and settled after it, exactly once, by conditional writes of single items.
 *
 * A person's day is one item: what is committed (settled and reserved), the reservations by claim, and how many
 * tokens of the stage's budget lie ready for this person. Those are asked for in blocks, so that the stage's item is
 * not written by every send. The stage counts what it gave to whom (`share`), the person's item what of it has
 * arrived (`granted`). Both only grow, so the difference is a credit on its way, and whoever sees one lets it arrive:
 * a server that is killed between the two writes loses nothing. While a block is asked for, a reservation may go in
 * at the same time; it counts only once it is covered, that is, once `left` and the credit together are not below
 * zero. Reservations are covered in the order in which they went in, so no two can rest on the same tokens.
 *
 * "Refused" never means "lost": calls repeat themselves, so what is there is read again before anything is decided.
 * Storage comes from outside, so that the rules are tested against a table that loses and doubles calls.
 */
import { PublicError } from "~/errors";

/** Whose day. `day` is yyyy-mm-dd, in UTC: a run counts on the day of its reservation, also past midnight. */
export interface Owner {
  userId: string;
  day: string;
}

export interface Reservation {
  tokens: number;
  /** When it was made, in milliseconds since the epoch. */
  at: number;
  threadId: string;
  runId: string;
}

/** Sums of settled answers; `billionths` are billionths of a dollar, since sums of fractions drift. */
export interface Totals {
  answers: number;
  tokens: number;
  billionths: number;
  /** Answers whose price is unknown. */
  unpriced: number;
}

/** One person's day. */
export interface DayItem {
  /** Settled and reserved tokens. */
  committed: number;
  /** Granted tokens that are not committed. Below zero while a block is on its way, or after an answer that took more than was reserved. */
  left: number;
  /** Tokens of the stage's budget that have arrived. */
  granted: number;
  reservations: Record<string, Reservation>;
  /** By the model's reference. */
  models: Record<string, Totals>;
}

/** The stage's day, as far as one person needs it. */
export interface StageItem {
  /** Tokens given to all. */
  granted: number;
  /** Tokens given to this person. */
  share: number;
}

/** What an answer took. */
export interface Settled {
  tokens: number;
  /** The model's reference. */
  model: string;
  /** Undefined: the price is unknown. */
  dollars: number | undefined;
  /** No model was asked for it: it counts as no answer. */
  unanswered?: true;
}

export type Written = "done" | "refused";

export interface BudgetStore {
  /** Consistent. */
  getDay(owner: Owner): Promise<DayItem>;
  /** Consistent. */
  getStage(owner: Owner): Promise<StageItem>;
  /** Adds a reservation that is not there yet, if the conditions hold. `granted`: what must have arrived, exactly. */
  reserve(
    owner: Owner,
    claimId: string,
    reservation: Reservation,
    conditions: { committedAtMost: number; leftAtLeast: number; granted?: number },
  ): Promise<Written>;
  /** Adds tokens to a reservation of exactly `tokens`. */
  extend(
    owner: Owner,
    claimId: string,
    tokens: number,
    more: number,
    conditions: { committedAtMost: number; leftAtLeast: number },
  ): Promise<Written>;
  /** Gives tokens of the stage to the person whose share is exactly this. */
  grant(owner: Owner, share: number, tokens: number, conditions: { grantedAtMost: number }): Promise<Written>;
  /** Lets a credit arrive, if exactly `granted` tokens have arrived so far. */
  arrive(owner: Owner, granted: number, tokens: number): Promise<Written>;
  /** Replaces a reservation of exactly `tokens` by what the answer took; by nothing if there was none. */
  settle(owner: Owner, claimId: string, tokens: number, settled: Settled | undefined): Promise<Written>;
}

export interface BudgetLimits {
  /** Tokens of one person and of all together, a day. */
  person: number;
  stage: number;
}

export type Refusal = {
  refused: "budget-spent" | "stage-budget-spent";
  /** Tokens that are left today; for the stage it is not told. */
  left?: number;
};
export type Reserved = "reserved" | Refusal;

/** What a send has read already. */
export interface Seen {
  day: DayItem;
  stage: StageItem;
}

export interface Budgets {
  look(owner: Owner): Promise<Seen>;
  /**
   * Reserves tokens for a claim; a repeat is harmless. `repair` is called once before a refusal: it settles
   * reservations whose runs are over, and says whether there were any. Throws `unavailable` if the table cannot be
   * reached, or too many others were quicker.
   */
  reserve(
    owner: Owner,
    claimId: string,
    reservation: Reservation,
    options?: { seen?: Seen; repair?(reservations: DayItem["reservations"]): Promise<boolean> },
  ): Promise<Reserved>;
  /** Reserves more for a claim that has a reservation; without one nothing is asked for. */
  extend(owner: Owner, claimId: string, more: number): Promise<Reserved>;
  /** Settles a reservation, or releases it (undefined). False: there is none, so it was settled before. */
  settle(owner: Owner, claimId: string, settled: Settled | undefined): Promise<boolean>;
  /** Counts, once, what was used without a reservation, whatever room there is. `key`: as a claim's, and its own. */
  charge(owner: Owner, key: string, about: Omit<Reservation, "tokens">, settled: Settled): Promise<void>;
}

/** Rounds of one request; each begins with what is in the table. */
const ROUNDS = 12;
/** A block is this part of the stage's budget. */
const BLOCK_SHARE = 0.01;

export function createBudgets(options: {
  store: BudgetStore;
  limits: BudgetLimits;
  /** Gets what need not be waited for. */
  background(work: Promise<unknown>): void;
  /** Waits a moment between two rounds. */
  backOff(): Promise<void>;
}): Budgets {
  const { store, limits, background, backOff } = options;
  const block = Math.max(1, Math.ceil(limits.stage * BLOCK_SHARE));

  async function look(owner: Owner): Promise<Seen> {
    const [day, stage] = await Promise.all([store.getDay(owner), store.getStage(owner)]);
    return { day, stage };
  }

  /** The result of a write that throws is unknown: what is in the table will tell. */
  async function tried(write: Promise<Written>): Promise<Written | "unknown"> {
    try {
      return await write;
    } catch {
      return "unknown";
    }
  }

  /** How many tokens to ask the stage for; undefined: it has not as many. */
  function blockFor(missing: number, { granted, share }: StageItem): number | undefined {
    const wanted = Math.max(missing, Math.min(block, limits.person - share));
    const room = limits.stage - granted;
    return wanted <= room ? wanted : missing <= room ? missing : undefined;
  }

  const grant = (owner: Owner, { share }: StageItem, tokens: number) =>
    tried(store.grant(owner, share, tokens, { grantedAtMost: limits.stage - tokens }));

  const arriveLater = (owner: Owner, { granted }: DayItem, tokens: number): void => {
    if (tokens > 0) background(tried(store.arrive(owner, granted, tokens)));
  };

  const creditOf = ({ day, stage }: Seen): number => Math.max(0, stage.share - day.granted);

  async function settle(owner: Owner, claimId: string, settled: Settled | undefined): Promise<boolean> {
    for (let round = 0; ; round++) {
      if (round > 0) await backOff();
      try {
        const reservation = (await store.getDay(owner)).reservations[claimId];
        if (!reservation) return round > 0;
        if ((await store.settle(owner, claimId, reservation.tokens, settled)) === "done") return true;
      } catch (error) {
        if (round >= ROUNDS) throw error;
      }
      if (round >= ROUNDS) throw new Error("A reservation could not be settled");
    }
  }

  const reserve: Budgets["reserve"] = async (owner, claimId, reservation, { seen, repair } = {}) => {
    const { tokens } = reservation;
    let repairs = repair;
    let known = seen;
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 1) await backOff();
      known ??= await look(owner);
      const { day, stage } = known;
      const credit = creditOf(known);

      /** Settles what is over, once; false: there was nothing. */
      const makeRoom = async (): Promise<boolean> => {
        const others = Object.entries(day.reservations).filter(([id]) => id !== claimId);
        if (!repairs || others.length === 0) return false;
        const isRoom = await repairs(Object.fromEntries(others));
        repairs = undefined;
        known = undefined;
        return isRoom;
      };

      if (claimId in day.reservations) {
        const missing = -(day.left + credit);
        if (missing <= 0) {
          arriveLater(owner, day, credit);
          return "reserved";
        }
        const added = blockFor(missing, stage);
        if (added !== undefined) await grant(owner, stage, added);
        else if (!(await makeRoom())) {
          await settle(owner, claimId, undefined);
          return { refused: "stage-budget-spent" };
        }
        known = undefined;
        continue;
      }

      if (day.committed + tokens > limits.person) {
        if (await makeRoom()) continue;
        return { refused: "budget-spent", left: Math.max(0, limits.person - day.committed) };
      }
      const missing = tokens - day.left - credit;
      const added = missing > 0 ? blockFor(missing, stage) : 0;
      if (added === undefined) {
        if (await makeRoom()) continue;
        return { refused: "stage-budget-spent" };
      }
      // At the same time, so that a new block costs the person no wait.
      const coming = credit + added;
      const [granted, reserved] = await Promise.all([
        added > 0 ? grant(owner, stage, added) : "done",
        tried(
          store.reserve(owner, claimId, reservation, {
            committedAtMost: limits.person - tokens,
            leftAtLeast: tokens - coming,
            ...(coming > 0 ? { granted: day.granted } : {}),
          }),
        ),
      ]);
      if (granted === "done" && reserved === "done") {
        arriveLater(owner, day, coming);
        return "reserved";
      }
      known = undefined;
    }
    throw new PublicError("unavailable", { cause: new Error("Tokens could not be reserved") });
  };

  const extend: Budgets["extend"] = async (owner, claimId, more) => {
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) await backOff();
      const known = await look(owner);
      const { day, stage } = known;
      const reservation = day.reservations[claimId];
      if (!reservation) return "reserved";
      if (day.committed + more > limits.person)
        return { refused: "budget-spent", left: Math.max(0, limits.person - day.committed) };
      const credit = creditOf(known);
      const missing = more - day.left - credit;
      const added = missing > 0 ? blockFor(missing, stage) : 0;
      if (added === undefined) return { refused: "stage-budget-spent" };
      if (added > 0 && (await grant(owner, stage, added)) !== "done") continue;
      if (credit + added > 0 && (await tried(store.arrive(owner, day.granted, credit + added))) !== "done") continue;
      const written = await tried(
        store.extend(owner, claimId, reservation.tokens, more, {
          committedAtMost: limits.person - more,
          leftAtLeast: more,
        }),
      );
      if (written === "done") return "reserved";
      if (written === "unknown") {
        const after = (await store.getDay(owner)).reservations[claimId];
        if (!after || after.tokens === reservation.tokens + more) return "reserved";
      }
    }
    throw new PublicError("unavailable", { cause: new Error("Tokens could not be reserved") });
  };

  const charge: Budgets["charge"] = async (owner, key, about, settled) => {
    // An empty reservation first: only what stands there can be settled, and only once.
    const whatever = { committedAtMost: Number.MAX_SAFE_INTEGER, leftAtLeast: -Number.MAX_SAFE_INTEGER };
    for (let round = 0; ; round++) {
      if (round > 0) await backOff();
      if ((await tried(store.reserve(owner, key, { ...about, tokens: 0 }, whatever))) !== "unknown") break;
      if (round >= ROUNDS) throw new Error("Tokens could not be counted");
    }
    await settle(owner, key, settled);
  };

  return { look, reserve, extend, settle, charge };
}

/** The UTC day of a time, yyyy-mm-dd. */
export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** When the next UTC day begins, in milliseconds since the epoch. */
export const nextDay = (time: number): number => (Math.floor(time / 86_400_000) + 1) * 86_400_000;
