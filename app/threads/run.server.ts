/**
 * The run protocol: how one answer is produced, read along, stopped, ended and repaired on single-item
 * conditional writes, by servers that may be killed at any point and never talk to each other. One item, RUN,
 * decides everything: who produces, what the log says, how the run ends, whether the thread lives. Messages are
 * written once and never change. "Refused" never means "lost": read again, consistently, and decide.
 *
 * Time, sleep, randomness and storage come from outside, and conditions are plain data, so that the model check
 * in tests/faults runs these very modules against a simulated table. Change them only together with that check.
 */
import { activityAt } from "~/data/keys.server";
import { idTime, runIdOf } from "./ids";
import { createActivity } from "./run-activity.server";
import {
  absent,
  answerOf,
  checkedQuestion,
  createBasis,
  headOf,
  held,
  isLive,
  parentOfQuestion,
  present,
  reasoningOf,
} from "./run-basis.server";
import type {
  Address,
  Claim,
  ClaimOptions,
  ClaimOutcome,
  ClaimView,
  Condition,
  Finished,
  Given,
  LoadedThread,
  MessageItem,
  Position,
  ProduceOptions,
  ReaderEvent,
  RunItem,
  RunRequest,
  Runs,
  RunsOptions,
  Settable,
  ThreadItem,
} from "./run-items.server";
import { createProducer } from "./run-produce.server";
import { createReading } from "./run-reading.server";

/** The protocol over a table. One per process. */
export function createRuns(options: RunsOptions): Runs {
  const { newClaimId, random } = options;
  const basis = createBasis(options);
  const { store, clock, time, limit, report, backOff, settle, check, daysAhead } = basis;
  const { getRun, getThread, getMessage, makeThread, isReadable, isExpired } = basis;
  const { readLog, readThought, readPath, readHistory } = createReading(basis);
  const { peek, seemsFull, addLive, removeLive, moveToUnread, getActivity, markSeen, forget } = createActivity(
    basis,
    reap,
  );
  const produce = createProducer(basis, { finish, moveToUnread, markRunDeleted, cite });

  // --- Ending for others ---------------------------------------------------------------------------------------

  /** The answer's sidenotes, from what its producer holds or from what is stored. It is kept without them if need be. */
  async function cite(address: Address, text: string, given: Given | undefined, own?: ProduceOptions["cite"]) {
    if (!given) return undefined;
    try {
      return own ? await own(text) : await options.cite?.(address, text, given);
    } catch (error) {
      report({ during: "sidenotes", error, address });
      return undefined;
    }
  }

  /** What follows the put of an answer. */
  async function finish(finished: Finished): Promise<void> {
    const { address, run } = finished;
    try {
      await settle(() => moveToUnread(address, run.runId ?? "", run));
    } catch (error) {
      report({ during: "activity after an end", error, address });
    }
    try {
      await options.finish?.(finished);
    } catch (error) {
      report({ during: "finish", error, address });
    }
  }

  /** What a run was given, and its answer's depth. */
  async function readGiven(address: Address, run: RunItem): Promise<{ given: Given | undefined; depth: number }> {
    const { messageId = "", claimId = "" } = run;
    const [question, context] = await Promise.all([
      getMessage(address, messageId),
      run.again ? store.get("context", { ...address, claimId }, { consistent: true }) : undefined,
    ]);
    return { given: context?.given ?? question?.given, depth: context?.depth ?? (question?.depth ?? 0) + 1 };
  }

  async function storeAnswer(address: Address, seen: RunItem): Promise<MessageItem | undefined> {
    let run: RunItem | undefined = seen;
    for (let round = 0; round < 3; round++) {
      if (run?.state !== "ended" || run.ending === "void") return undefined;
      const { runId: messageId = "" } = run;
      const stored = await getMessage(address, messageId);
      if (stored) return stored;
      const [log, from] = await Promise.all([readLog(address, run, 0), readGiven(address, run)]);
      if (!log.whole) {
        const again = await getRun(address);
        const isSame: boolean = again?.claimId === run.claimId && again?.state === "ended";
        const chunksUntil = (run.endedAt ?? 0) + limit.chunkDays * 86_400_000;
        if (!isSame || clock.now() < chunksUntil) {
          run = again;
          continue;
        }
        // The chunks have expired: what is left is kept, but never as complete.
        run = { ...run, ending: "interrupted", error: "server-ended" };
      }
      const sidenotes = await cite(address, log.text, from.given);
      const answer = answerOf(run, log.text, { ...from, sidenotes });
      const outcome = await store.put("message", { ...address, messageId }, answer, absent);
      if (outcome === "refused") return await getMessage(address, messageId);
      await finish({ address, run, answer });
      return answer;
    }
    return undefined;
  }

  /** How a run ends whose question was blocked. Nothing of an answer can be in its log. */
  const blockedBy = ({ where, policies, message }: NonNullable<MessageItem["blocked"]>): Settable["run"] => ({
    ending: "blocked",
    blocked: { where, policies },
    // No model was asked.
    spent: { inputTokens: 0, outputTokens: 0 },
    base: 0,
    tail: message ?? "",
  });

  async function reap(address: Address): Promise<RunItem | undefined> {
    const run = await getRun(address);
    if (run?.state !== "live" || !isExpired(run)) return run;
    const { claimId = "", beat = 0, messageId = "", leaseUntil = 0 } = run;
    let change: Settable["run"] = { ending: "interrupted", error: "server-ended" };
    if (run.stop) change = { ending: "stopped" };
    if (!run.again) {
      const question = await getMessage(address, messageId);
      // Never accepted: the head goes back to the one before.
      if (question?.hash !== run.hash) change = { ending: "void" };
      else if (question?.blocked) change = blockedBy(question.blocked);
      // Its producer may have died between the two. Nobody would find the message without its thread.
      if (question && change.ending !== "void" && run.prev === undefined) await makeThread(address, question);
    }
    const set = { ...change, state: "ended" as const, endedAt: Math.max(run.startedAt ?? 0, leaseUntil - time.lease) };
    const outcome = await store.update("run", address, { set }, { and: held(claimId, beat) });
    const ended = outcome === "done" ? { ...run, ...set } : await getRun(address);
    // RUN first, the message second: only then is the text that RUN vouches for final.
    if (ended?.state === "ended" && isExpired(ended)) await storeAnswer(address, ended);
    if (outcome === "done" && set.ending === "void") await moveToUnread(address, run.runId ?? "", { ...run, ...set });
    return ended;
  }

  async function stop(address: Address, runId: string): Promise<boolean> {
    const [thread] = await Promise.all([
      settle(() => getThread(address)),
      settle(() =>
        store.update("run", address, { set: { stop: true } }, { and: [{ attr: "runId", eq: runId }, isLive] }),
      ),
    ]);
    return isReadable(thread);
  }

  // --- Claim -------------------------------------------------------------------------------------------------

  async function claim<T>(
    address: Address,
    request: RunRequest,
    claimOptions: ClaimOptions<T>,
  ): Promise<ClaimOutcome<T>> {
    const { hash } = claimOptions;
    const isSend = request.kind === "send";
    const ownId = isSend ? request.messageId : request.requestId;
    const runId = runIdOf(ownId);
    const branchRoot = isSend && request.branch && request.parentId === undefined;
    const started = clock.now();
    if (idTime(ownId) > started + time.future) return { outcome: "bad-id" };
    let claimId = newClaimId();
    let isListed = false;
    /** The last claim that was tried, in case its result stays unknown at first. */
    let tried: Claim<T> | undefined;

    /** What `prepare` throws is the caller's own and ends the claim. */
    class Refusal extends Error {}

    async function prepare(view: ClaimView): Promise<Awaited<ReturnType<ClaimOptions<T>["prepare"]>> | Refusal> {
      try {
        return await claimOptions.prepare(view);
      } catch (error) {
        return new Refusal("Not prepared", { cause: error });
      }
    }

    const questionOf = (given: Given, parent: MessageItem | undefined, text: string, now: number): MessageItem => ({
      id: ownId,
      role: "user",
      text,
      parentId: parent?.id ?? null,
      depth: parent ? parent.depth + 1 : 0,
      createdAt: now,
      hash,
      given,
    });

    /** RUN is, or was, this request's. Makes its question and its thread durable before anybody attaches. */
    async function repeat(run: RunItem, thread: ThreadItem | undefined): Promise<ClaimOutcome<T> | undefined> {
      if (run.hash !== hash) return { outcome: "mismatch" };
      if (isSend && (run.state === "live" || !thread)) {
        let question = await getMessage(address, ownId);
        let given: Given | undefined;
        if (!question && run.state === "live") {
          const history = await readHistory(address, parentOfQuestion(run), claimOptions.history);
          if (!history) return undefined;
          const mine = { claimId: run.claimId ?? "", runId, repeated: true, prefix: "" };
          const prepared = await prepare({ ...mine, thread, history });
          if (prepared instanceof Refusal) throw prepared;
          given = prepared.given;
          // Its producer is asking, or was killed over it. Whoever writes the question has asked first.
          const checked = check && (await check(request.text, prepared.unchecked, new AbortController().signal));
          claimOptions.asked?.(checked?.units ?? 0);
          // Whether its producer could ask is not known yet: the next repeat will see.
          if (checked && !checked.verdicts) return { outcome: "unavailable" };
          const raw = questionOf(prepared.given, history.at(-1), request.text, run.startedAt ?? clock.now());
          const item = checked?.verdicts ? checkedQuestion(raw, checked.verdicts) : raw;
          const outcome = await store.put("message", { ...address, messageId: ownId }, item, absent);
          question = outcome === "done" ? item : await getMessage(address, ownId);
        }
        if (!question) return undefined;
        if (question.hash !== hash) return { outcome: "mismatch" };
        if (!thread) {
          const settings = await claimOptions.beginning?.();
          const own = given ?? (question.given && settings ? { ...question.given, settings } : undefined);
          await makeThread(address, question, own);
        }
      }
      return { outcome: "attach", runId };
    }

    /** One round. Undefined: something changed meanwhile; begin again. */
    async function round(): Promise<ClaimOutcome<T> | undefined> {
      const to = isSend ? (request.branch ? request.parentId : undefined) : request.of;
      const read = (range: { to?: string }, most: number) =>
        store.list("message", { ...address, ...range }, { consistent: false, backwards: true, limit: most });
      const [thread, run, activity, newest, page] = await Promise.all([
        getThread(address),
        getRun(address),
        peek(address),
        read({}, to === undefined ? claimOptions.history + 2 : 2),
        to === undefined ? undefined : read({ to }, claimOptions.history + 2),
      ]);
      const seen = new Map([...newest.items, ...(page?.items ?? [])].map((item) => [item.id, item]));
      const find = async (id: string) => seen.get(id) ?? (await getMessage(address, id));

      // A thread that is not there yet is made once its first question is in: what is refused leaves none.
      if (thread ? !isReadable(thread) : !(isSend && request.create)) return { outcome: "not-found" };
      if (run?.state === "deleted") return { outcome: "not-found" };

      if (run?.claimId === claimId) {
        if (run.state === "live" && tried) return { outcome: "claimed", claim: tried };
        claimId = newClaimId();
      }
      if (run?.runId === runId && run.ending !== "void") return await repeat(run, thread);
      if (run?.state === "live") {
        if (!isExpired(run)) return { outcome: "busy", runId: run.runId ?? "" };
        await reap(address);
        return undefined;
      }

      const head = headOf(run);
      if (head !== null && ownId <= head) {
        const earlier = await getMessage(address, ownId);
        if (!earlier) return { outcome: "stale", newestId: head };
        return earlier.hash === hash ? { outcome: "attach", runId } : { outcome: "mismatch" };
      }
      if (isSend && !request.branch && request.parentId !== undefined && request.parentId !== head)
        return { outcome: "stale", newestId: head ?? run?.runId ?? request.parentId };

      // The head's answer must be in the table before RUN forgets it.
      if (run && head !== null && run.ending !== "void" && !(await find(head))) {
        await storeAnswer(address, run);
        return undefined;
      }

      let parentId: string | null;
      let prefix = "";
      let of: MessageItem | undefined;
      const late = isSend ? seen.get(ownId) : undefined;
      if (late && late.hash !== hash) return { outcome: "mismatch" };
      if (isSend) {
        // A question that got in after its run was void stays where it stands.
        parentId = late ? late.parentId : branchRoot ? null : (request.parentId ?? head);
        if (request.branch && parentId !== null && (await find(parentId))?.role !== "assistant")
          return { outcome: "not-found" };
      } else {
        of = await find(request.of);
        if (of?.role !== (request.kind === "again" ? "user" : "assistant")) return { outcome: "not-found" };
        // What stands in the place of a blocked answer is no answer to go on from.
        if (request.kind === "continue" && of.ending === "blocked") return { outcome: "not-found" };
        if (request.kind === "continue") prefix = of.text;
        parentId = request.kind === "again" ? of.id : of.parentId;
      }
      const history = await readHistory(address, parentId, claimOptions.history, page ?? newest);
      if (!history) return undefined;

      isListed = true;
      const added = addLive(address, runId, activity);
      // Nothing else is written for a person who may have too many runs already.
      if (seemsFull(address, activity) && !(await added)) return { outcome: "too-many-runs" };
      const [hasRoom, prepared] = await Promise.all([
        added,
        prepare({ claimId, runId, repeated: false, prefix, thread, history }),
      ]);
      if (!hasRoom) return { outcome: "too-many-runs" };
      if (prepared instanceof Refusal) throw prepared;
      const { given, value, unchecked } = prepared;

      const now = clock.now();
      const last = history.at(-1);
      const question = isSend ? questionOf(given, last, request.text, now) : undefined;
      const messageId = question?.id ?? parentId ?? "";
      const set: Settable["run"] = {
        state: "live",
        runId,
        claimId,
        messageId,
        hash,
        beat: 0,
        base: 0,
        tail: "",
        startedAt: now,
        leaseUntil: now + time.lease,
      };
      if (head !== null) set.prev = head;
      if (isSend && parentId !== head) set.parentId = parentId ?? "";
      if (!isSend) set.again = true;
      const optional = [
        ...["prev", "parentId", "again", "stop", "ending", "error", "finishReason", "usage", "spent"],
        ...["masked", "blocked", "guardrail", "endedAt"],
        ...["thought", "thoughtMs"],
      ];
      const remove = (optional as (keyof RunItem)[]).filter((name) => !(name in set));
      const condition: Condition = run
        ? {
            and: [
              { attr: "claimId", eq: run.claimId ?? "" },
              { attr: "state", eq: "ended" },
            ],
          }
        : { attr: "state", exists: false };
      tried = {
        address,
        runId,
        claimId,
        messageId,
        startedAt: now,
        question,
        prefix,
        masked: prefix !== "" && of?.masked === true,
        hash,
        given,
        unchecked,
        depth: (question?.depth ?? last?.depth ?? 0) + 1,
        history,
        thread,
        value,
      };
      const outcome = await store.update("run", address, { set, remove }, condition);
      return outcome === "done" ? { outcome: "claimed", claim: tried } : undefined;
    }

    let result: ClaimOutcome<T> = { outcome: "unavailable" };
    let refusal: Refusal | undefined;
    for (let count = 0; count < limit.rounds && clock.now() - started < time.claim; count++) {
      if (count > 0) await backOff();
      try {
        const outcome = await round();
        if (!outcome) continue;
        result = outcome;
        break;
      } catch (error) {
        if (error instanceof Refusal) {
          refusal = error;
          break;
        }
        report({ during: "claim", error, address });
      }
    }
    const isOpen = ["claimed", "attach", "unavailable"].includes(result.outcome);
    if (isListed && (refusal || !isOpen)) {
      try {
        await removeLive(address, runId);
      } catch (error) {
        report({ during: "activity after a refused claim", error, address });
      }
    }
    if (refusal) throw refusal.cause;
    return result;
  }

  // --- Read along ----------------------------------------------------------------------------------------------

  async function* follow(
    address: Address,
    runId: string,
    position: Position | undefined,
  ): AsyncGenerator<ReaderEvent, void> {
    const until = clock.now() + time.tail;
    let claimId = position?.claimId;
    let offset = position?.offset ?? 0;
    let thought = position?.thought ?? 0;
    let toldMs: number | undefined;
    let isAnnounced = false;
    let silent = 0;
    let failures = 0;

    function* announce(): Generator<ReaderEvent, void> {
      if (!isAnnounced && claimId !== undefined) yield { type: "start", runId, claimId };
      isAnnounced = true;
    }

    /** The end, from the stored answer or from what RUN vouches for: both are the same text. */
    async function* close(
      run: Pick<MessageItem, "claimId" | "error" | "reasoning" | "blocked"> & Pick<RunItem, "ending">,
      text: string,
    ): AsyncGenerator<ReaderEvent, void> {
      const from = run.claimId ?? "";
      claimId ??= from;
      yield* announce();
      if (from !== claimId || run.ending === "blocked" || offset > text.length) {
        yield { type: "replace", claimId: from };
        offset = 0;
        thought = 0;
      }
      // More than was kept, if it came from a producer that is dead: then it is cut.
      const { length = 0, ms = 0 } = run.reasoning ?? {};
      if (run.reasoning || thought > 0) {
        const reasoning = await readThought(address, from, length, Math.min(thought, length));
        yield { type: "reasoning", from: Math.min(thought, length), text: reasoning.text, ms };
      }
      if (offset < text.length)
        yield { type: "text", text: text.slice(offset), position: { claimId: from, offset: text.length } };
      const ending = run.ending === "void" || run.ending === undefined ? "interrupted" : run.ending;
      yield {
        type: "end",
        ending,
        length: text.length,
        ...(run.error ? { error: run.error } : {}),
        ...(run.blocked ? { blocked: run.blocked } : {}),
      };
    }

    for (;;) {
      let pause = silent < 5 ? time.poll : time.slowPoll;
      try {
        let run = claimId === undefined ? undefined : await getRun(address, false);
        const isMine = run?.state === "live" && run.runId === runId && run.claimId === claimId;
        if (!run || !isMine || isExpired(run)) run = await getRun(address);
        if (!run || run.state === "deleted") {
          yield { type: "gone" };
          return;
        }
        if (run.runId !== runId) {
          // The run is over and its answer is stored: later claims have seen to it.
          const answer = await getMessage(address, runId);
          if (answer?.role === "assistant") yield* close(answer, answer.text);
          else yield { type: "void" };
          return;
        }
        if (run.state === "live") {
          if (isExpired(run)) {
            await reap(address);
            continue;
          }
          claimId ??= run.claimId ?? "";
          yield* announce();
          if (run.claimId !== claimId) {
            claimId = run.claimId ?? "";
            offset = 0;
            thought = 0;
            toldMs = undefined;
            yield { type: "replace", claimId };
          }
          const { thought: counted = 0, thoughtMs: ms } = run;
          if (ms !== undefined && (counted > thought || ms !== toldMs)) {
            const reasoning = await readThought(address, claimId, counted, thought);
            if (reasoning.whole) {
              yield { type: "reasoning", from: thought, text: reasoning.text, ms };
              thought += reasoning.text.length;
              toldMs = ms;
              silent = 0;
            }
          }
          const length = (run.base ?? 0) + (run.tail ?? "").length;
          const log = offset < length ? await readLog(address, run, offset) : undefined;
          // Not whole: a lag, or RUN has changed. Never a loss.
          if (log?.whole) {
            offset = length;
            silent = 0;
            yield { type: "text", text: log.text, position: { claimId, offset } };
          } else silent++;
        } else {
          if (run.ending === "void") {
            yield { type: "void" };
            return;
          }
          let answer = await getMessage(address, runId);
          if (!answer && isExpired(run)) answer = await storeAnswer(address, run);
          const log = answer ? undefined : await readLog(address, run, 0);
          if (answer) yield* close(answer, answer.text);
          else if (log?.whole) yield* close({ ...run, reasoning: reasoningOf(run) }, log.text);
          if (answer || log?.whole) return;
        }
        failures = 0;
      } catch (error) {
        failures++;
        if (failures > 5) {
          report({ during: "reading along", error, address });
          yield { type: "detached" };
          return;
        }
        pause = 50 + random() * 350;
      }
      if (clock.now() >= until) {
        yield { type: "detached" };
        return;
      }
      await clock.sleep(pause);
    }
  }

  async function readAlong(address: Address, runId: string, position?: Position) {
    const thread = await settle(() => getThread(address));
    return isReadable(thread) ? follow(address, runId, position) : undefined;
  }

  async function getReasoning(address: Address, messageId: string): Promise<string | undefined> {
    const [thread, stored] = await Promise.all([
      settle(() => getThread(address)),
      settle(() => getMessage(address, messageId)),
    ]);
    if (!isReadable(thread)) return undefined;
    let found = stored;
    if (!found) {
      // Its run has just ended, and nobody has stored it yet.
      const run = await settle(() => getRun(address));
      if (run?.state === "ended" && run.runId === messageId && run.ending !== "void")
        found = answerOf(run, "", { given: undefined, depth: 0, sidenotes: undefined });
    }
    if (found?.role !== "assistant") return undefined;
    const { claimId = "", reasoning } = found;
    return reasoning ? (await settle(() => readThought(address, claimId, reasoning.length, 0))).text : "";
  }

  async function readSoFar(address: Address, runId: string) {
    const [thread, run] = await Promise.all([settle(() => getThread(address)), settle(() => getRun(address))]);
    if (!isReadable(thread) || run?.runId !== runId || run.state === "deleted") return undefined;
    const [{ text }, { given }] = await Promise.all([
      settle(() => readLog(address, run, 0)),
      settle(() => readGiven(address, run)),
    ]);
    return { text, given };
  }

  async function getLiveRun(address: Address): Promise<string | null | undefined> {
    const [thread, run] = await Promise.all([settle(() => getThread(address)), settle(() => getRun(address))]);
    if (!isReadable(thread) || run?.state === "deleted") return undefined;
    if (run?.state !== "live") return null;
    const fresh = isExpired(run) ? await settle(() => reap(address)) : run;
    return fresh?.state === "live" ? (fresh.runId ?? null) : null;
  }

  async function readPrompt(address: Address, tipId: string | undefined, wanted: number) {
    const tip = tipId ?? headOf(await getRun(address, false));
    return await readHistory(address, tip, wanted);
  }

  // --- Load ----------------------------------------------------------------------------------------------------

  /** One try. Undefined: something changed meanwhile. Null: there is no such thread. */
  async function tryLoad(
    address: Address,
    how: { tipId: string | undefined; limit: number; consistent: boolean; isLast: boolean },
  ): Promise<LoadedThread | null | undefined> {
    const [thread, found] = await Promise.all([getThread(address), getRun(address)]);
    if (!isReadable(thread) || found?.state === "deleted") return null;
    let run = found;
    if (run?.state === "live" && isExpired(run)) {
      run = await reap(address);
      if (run?.state === "deleted") return null;
      if (run?.state === "live" && isExpired(run)) return undefined;
    }

    const headId = headOf(run);
    let live: LoadedThread["live"] = null;
    let answer: MessageItem | undefined;
    let tip = headId;
    if (run?.state === "live") {
      const log = await readLog(address, run, 0);
      if (!log.whole) return undefined;
      const { runId = "", claimId = "", messageId = "", startedAt = 0, again = false, thought = 0, thoughtMs } = run;
      live = { runId, claimId, messageId, text: log.text, startedAt, again };
      if (thoughtMs !== undefined) {
        const reasoning = await readThought(address, claimId, thought, 0);
        if (!reasoning.whole) return undefined;
        live.reasoning = { text: reasoning.text, ms: thoughtMs };
      }
      tip = messageId;
    }

    const path = { consistent: how.consistent, limit: how.limit, jump: false };
    let chain = await readPath(address, how.tipId ?? tip ?? "", path);
    if (run?.state === "ended" && run.ending !== "void" && run.runId && !chain.read.has(run.runId)) {
      answer = await getMessage(address, run.runId);
      if (!answer && isExpired(run)) answer = await storeAnswer(address, run);
      if (!answer) {
        const [log, from] = await Promise.all([readLog(address, run, 0), readGiven(address, run)]);
        if (!log.whole) return undefined;
        answer = answerOf(run, log.text, { ...from, sidenotes: undefined });
      }
      if ((how.tipId ?? tip) === run.runId) {
        const rest = await readPath(address, run.messageId ?? "", { ...path, limit: how.limit - 1 });
        chain = { path: [answer, ...rest.path], read: rest.read, whole: rest.whole };
      }
      chain.read.set(answer.id, answer);
    }
    if (live && how.tipId === undefined && chain.path.length === 0 && !chain.read.has(live.messageId)) {
      // The live question is not in the table yet: the path ends at its parent.
      if (!how.consistent) return undefined;
      tip = run ? parentOfQuestion(run) : null;
      chain = await readPath(address, tip ?? "", path);
    }
    const isEmpty = (how.tipId ?? tip) === null;
    if (!isEmpty && !chain.whole && !how.isLast) return undefined;

    const messages = [...chain.read.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    const ids = chain.path.map(({ id }) => id).reverse();
    if (!live && how.tipId === undefined) {
      // A question that got in after its run was given up: shown as not answered, never dropped.
      const last = messages.findLast(
        ({ id, role, parentId }) => role === "user" && parentId === tip && id > (tip ?? ""),
      );
      if (last && !messages.some(({ parentId }) => parentId === last.id)) ids.push(last.id);
    }
    return { thread, run, live, headId, messages, path: ids };
  }

  async function loadThread(
    address: Address,
    { tipId, limit: wanted = Number.POSITIVE_INFINITY }: { tipId?: string; limit?: number } = {},
  ): Promise<LoadedThread | undefined> {
    const last = 5;
    for (let round = 0; ; round++) {
      if (round > 0) await backOff();
      const how = { tipId, limit: wanted, consistent: round > 0, isLast: round >= last };
      try {
        const loaded = await tryLoad(address, how);
        if (loaded) return loaded;
        if (loaded === null) return undefined;
        if (round > last + limit.rounds) throw new Error("The thread could not be read whole");
      } catch (error) {
        if (round >= last) throw error;
      }
    }
  }

  // --- Delete --------------------------------------------------------------------------------------------------

  /** Ends the producer at its next beat and refuses every later claim. */
  async function markRunDeleted(address: Address): Promise<void> {
    const set = { state: "deleted" as const, expiresAt: daysAhead(limit.tombstoneDays) };
    await settle(() => store.update("run", address, { set, remove: ["tail", "hash", "stop"] }));
  }

  async function deleteThread(address: Address): Promise<boolean> {
    const now = clock.now();
    const set = {
      deletedAt: now,
      activityAt: activityAt.deleted(now),
      expiresAt: daysAhead(limit.tombstoneDays),
    };
    const outcome = await settle(() =>
      store.update("thread", address, { set, remove: ["card", "settings", "promptPass"] }, present),
    );
    if (outcome === "refused") return false;
    await markRunDeleted(address);
    return true;
  }

  async function sweepThread(address: Address): Promise<boolean> {
    const thread = await settle(() => getThread(address));
    if (thread && thread.deletedAt === undefined) return false;
    // One that the table removed when it expired has no mark yet; for the others this is a repeat.
    await markRunDeleted(address);
    while (await settle(() => store.sweep(address)));
    await settle(() => forget(address));
    return true;
  }

  return {
    claim,
    produce,
    readAlong,
    getLiveRun,
    readSoFar,
    readHistory: readPrompt,
    getReasoning,
    stop,
    reap,
    storeAnswer,
    loadThread,
    deleteThread,
    sweepThread,
    getActivity,
    markSeen,
  };
}
