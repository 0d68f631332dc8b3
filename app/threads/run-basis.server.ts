/**
 * The ground that the parts of the run protocol share: conditions, table calls that are repeated while their
 * result is unknown, and the shape of an answer.
 */
import { type Checked, unitsOf } from "~/ai/guardrail-windows";
import { costOfAnswer } from "./cost";
import type {
  Address,
  Clock,
  Condition,
  Given,
  Limits,
  MessageItem,
  Outcome,
  RunItem,
  RunStore,
  RunsOptions,
  ThreadItem,
  Times,
} from "./run-items.server";
import { limits as usualLimits, times as usualTimes } from "./run-items.server";
import type { Sidenote } from "./view";

export const absent: Condition = { attr: "sk", exists: false };
export const present: Condition = { attr: "sk", exists: true };
export const isLive: Condition = { attr: "state", eq: "live" };
export const unlessStopped: Condition[] = [{ attr: "stop", exists: false }];

/** The claim is live, and nothing was written since this beat: a late duplicate of an older write is harmless. */
export const held = (claimId: string, beat: number): Condition[] => [
  { attr: "claimId", eq: claimId },
  isLive,
  { attr: "beat", eq: beat },
];

export const headOf = (run: RunItem | undefined): string | null =>
  (run?.ending === "void" ? run.prev : run?.runId) ?? null;

/** The parent of the question of RUN's claim. */
export const parentOfQuestion = (run: RunItem): string | null => (run.parentId ?? run.prev ?? "") || null;

/** What an answer says of its reasoning; undefined: there was none, or the answer was blocked. */
export const reasoningOf = ({ thought: length = 0, thoughtMs: ms, ending }: RunItem): MessageItem["reasoning"] =>
  ms === undefined || ending === "blocked" ? undefined : { length, ms };

/** An item of the table holds 400 KB; this is below it, by the bytes of its JSON. */
const LARGEST = 400_000;

/**
 * An answer that fits into an item. Its text always does; what stands beside a very long one gives way, the least
 * missed first: without this the put would be refused for ever, and the thread with it.
 */
function withinItem(answer: MessageItem): MessageItem {
  const fits = (item: MessageItem): boolean => Buffer.byteLength(JSON.stringify(item)) <= LARGEST;
  if (answer.text.length < LARGEST / 8 || fits(answer)) return answer;
  const bare = { ...answer, sidenotes: answer.sidenotes?.map(({ passage: _, ...note }) => note) };
  if (fits(bare)) return bare;
  const { systemPrompt: _, ...settings } = answer.settings ?? {};
  const brief = { ...bare, settings };
  return fits(brief) ? brief : { ...brief, sidenotes: brief.sidenotes?.filter(({ cited }) => cited).slice(0, 100) };
}

/** The answer's item, the same whoever writes it. */
export function answerOf(
  run: RunItem,
  text: string,
  from: { given: Given | undefined; depth: number; sidenotes: Sidenote[] | undefined },
): MessageItem {
  const { runId = "", messageId = "", hash = "", startedAt = 0, ending, error, finishReason, usage, spent } = run;
  const { bill } = from.given ?? {};
  return withinItem({
    id: runId,
    role: "assistant",
    text,
    parentId: messageId,
    depth: from.depth,
    createdAt: startedAt,
    hash,
    claimId: run.claimId,
    ending: ending === "void" ? undefined : ending,
    error,
    finishReason,
    masked: run.masked,
    blocked: run.blocked,
    guardrail: run.guardrail,
    model: from.given?.model,
    settings: from.given?.settings,
    usage,
    cost: bill && costOfAnswer(bill, { text, usage, spent, units: run.guardrail?.units }),
    durationMs: run.endedAt === undefined ? undefined : Math.max(0, run.endedAt - startedAt),
    reasoning: reasoningOf(run),
    sidenotes: from.sidenotes,
    prompt: from.given?.prompt,
    call: from.given?.call,
  });
}

/** What the guardrail said before a model call: of the question, and of the system prompt if it was asked about that. */
export interface Verdicts {
  question: Answered;
  systemPrompt: Answered | undefined;
}
type Answered = Exclude<Checked, { outcome: "unavailable" }>;

/** What of the two was blocked: the question first, since it is new. */
export function blockedBefore({ question, systemPrompt }: Verdicts): MessageItem["blocked"] {
  const found = question.outcome === "blocked" ? question : systemPrompt;
  if (found?.outcome !== "blocked") return undefined;
  const { policies, message } = found;
  return { where: found === question ? "input" : "system-prompt", policies: [...policies], message };
}

/** What a run was given, with the system prompt as the guardrail lets it be stored. */
export function checkedGiven(given: Given, { systemPrompt }: Verdicts): Given {
  if (!systemPrompt || systemPrompt.outcome === "passed") return given;
  return {
    ...given,
    settings: { ...given.settings, systemPrompt: systemPrompt.text },
    ...(given.call && { call: { ...given.call, masked: true as const } }),
  };
}

/** A question as the guardrail lets it be stored, with what goes with it. */
export function checkedQuestion(question: MessageItem, verdicts: Verdicts): MessageItem {
  const { question: checked } = verdicts;
  const masked = checked.outcome === "blocked" ? checked.masked : checked.outcome === "masked";
  const blocked = blockedBefore(verdicts);
  return {
    ...question,
    text: checked.text,
    ...(masked && { masked }),
    ...(blocked && { blocked }),
    ...(question.given && { given: checkedGiven(question.given, verdicts) }),
  };
}

export interface Basis {
  store: RunStore;
  clock: Clock;
  time: Times;
  limit: Limits;
  report: NonNullable<RunsOptions["report"]>;
  /** Waits 50 to 400 ms. */
  backOff(): Promise<void>;
  /** Repeats a call whose result is unknown. What is unknown to the last is thrown. */
  settle<R>(call: () => Promise<R>): Promise<R>;
  /**
   * Asks the guardrail about a question, and beside it about the system prompt if that has not passed yet. Without
   * verdicts nothing may be stored or sent: it could not be asked. Undefined: there is no guardrail.
   */
  check:
    | ((
        question: string,
        systemPrompt: string | undefined,
        signal: AbortSignal,
      ) => Promise<{ units: number; verdicts: Verdicts | undefined }>)
    | undefined;
  /** In seconds since the epoch, the unit of the table's TTL. */
  daysAhead(days: number): number;
  getRun(address: Address, consistent?: boolean): Promise<RunItem | undefined>;
  getThread(address: Address): Promise<ThreadItem | undefined>;
  getMessage(address: Address, messageId: string): Promise<MessageItem | undefined>;
  /**
   * Makes the thread of a first question that is in the table, with what the run was `given` before the guardrail was
   * asked, where that is known: its settings are the person's own. A reaper has only what was stored. Refused: it is there, or it was deleted.
   */
  makeThread(address: Address, question: MessageItem, given?: Given): Promise<Outcome>;
  /** Whether the thread is there for its owner: neither deleted nor expired. */
  isReadable(thread: ThreadItem | undefined): thread is ThreadItem;
  /** Whether the lease of a live run, or the producer's time to store an ended one, is over. */
  isExpired(run: RunItem): boolean;
}

export function createBasis(options: RunsOptions): Basis {
  const { store, clock, random } = options;
  const time: Times = { ...usualTimes, ...options.times };
  const limit: Limits = { ...usualLimits, ...options.limits };
  const report = options.report ?? (() => {});
  const daysAhead = (days: number): number => Math.floor(clock.now() / 1000) + days * 86_400;
  const backOff = (): Promise<void> => clock.sleep(50 + random() * 350);

  /** Repeats a call whose result is unknown. What is unknown to the last is thrown. */
  async function settle<R>(call: () => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (attempt >= limit.attempts) throw error;
        await backOff();
      }
    }
  }

  const { check: asks } = options;
  const check: Basis["check"] =
    asks &&
    (async (question, systemPrompt, signal) => {
      const one = async (text: string): Promise<Checked> => {
        try {
          return await asks(text, signal);
        } catch {
          return { outcome: "unavailable", units: unitsOf(text) };
        }
      };
      const [its, beside] = await Promise.all([
        one(question),
        systemPrompt === undefined ? undefined : one(systemPrompt),
      ]);
      const units = its.units + (beside?.units ?? 0);
      if (its.outcome === "unavailable" || beside?.outcome === "unavailable") return { units, verdicts: undefined };
      return { units, verdicts: { question: its, systemPrompt: beside } };
    });

  const getRun = (address: Address, consistent = true) => store.get("run", address, { consistent });
  const getThread = (address: Address) => store.get("thread", address, { consistent: true });
  const getMessage = (address: Address, messageId: string) =>
    store.get("message", { ...address, messageId }, { consistent: true });
  const makeThread: Basis["makeThread"] = (address, question, given = question.given) =>
    store.put("thread", address, options.threadOf(address, { ...question, given }), absent);
  const isReadable = (thread: ThreadItem | undefined): thread is ThreadItem =>
    thread !== undefined && thread.deletedAt === undefined && (options.isKept?.(thread) ?? true);
  const isExpired = (run: RunItem): boolean => (run.leaseUntil ?? 0) < clock.now();

  return {
    store,
    clock,
    time,
    limit,
    report,
    backOff,
    settle,
    check,
    daysAhead,
    getRun,
    getThread,
    getMessage,
    makeThread,
    isReadable,
    isExpired,
  };
}
