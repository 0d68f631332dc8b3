/**
 * Producing an answer: the model's stream is drained into the log of RUN, one write a second, and the response of
 * the request is merely the first reader. That write is flush, heartbeat, fence, stop poll and delete check in one.
 * The ending is decided by one conditional write too; then the answer is put, once.
 */

import { type Released, unitsOf } from "~/ai/guardrail-windows";
import type { ErrorCode } from "~/errors";
import {
  absent,
  answerOf,
  type Basis,
  blockedBefore,
  checkedGiven,
  checkedQuestion,
  held,
  isLive,
  unlessStopped,
} from "./run-basis.server";
import type {
  Address,
  ChunkItem,
  Claim,
  Clock,
  Condition,
  Finished,
  Given,
  MessageItem,
  ModelOutcome,
  ProduceOptions,
  Production,
  ReaderEvent,
  ReleaseGate,
  RunItem,
  Settable,
  ThoughtItem,
} from "./run-items.server";
import { createThought } from "./run-thought.server";
import type { Blocked, Ending, Sidenote } from "./view";

// --- Text ----------------------------------------------------------------------------------------------------

/** Bytes of well-formed text in UTF-8. */
function bytesOf(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/** The longest start of the text within `bytes` of UTF-8, never cut between surrogates. */
function startWithin(text: string, bytes: number): string {
  let used = 0;
  let length = 0;
  for (const character of text) {
    used += bytesOf(character);
    if (used > bytes) break;
    length += character.length;
  }
  return text.slice(0, length);
}

/** Above this size one big chunk is better than many small ones. */
const MANY = 4;

/** The table stores UTF-8, which has no lone surrogates. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\uFFFD");

/** Lets several waiters sleep until something happens or their time is over. */
function createBell(clock: Clock) {
  const waiting = new Set<AbortController>();
  return {
    ring(): void {
      for (const waiter of waiting) waiter.abort();
      waiting.clear();
    },
    async wait(ms: number): Promise<void> {
      if (ms <= 0) return;
      const waiter = new AbortController();
      waiting.add(waiter);
      await clock.sleep(ms, waiter.signal);
      waiting.delete(waiter);
    },
  };
}

/**
 * mismatch: another message stands under the question's id. elsewhere: the question got in late for an earlier
 * claim, under another parent, so that this claim's prompt is not its path; a repeat will find it. unchecked: the
 * guardrail could not be asked, so nothing of the question was written.
 */
type Acceptance = "accepted" | "mismatch" | "elsewhere" | "unavailable" | "unchecked";

/** While no guardrail is configured. */
const openGate: ReleaseGate = {
  release: (text) => ({ text }),
  flush: () => ({ text: "" }),
  think: (text) => text,
};

/** What is to be put before the beat that counts it. */
type Piece = { kind: "chunk"; item: ChunkItem } | { kind: "thought"; item: ThoughtItem };

/** What else a producer needs of the protocol. */
interface Surroundings {
  finish(finished: Finished): Promise<void>;
  moveToUnread(address: Address, runId: string, run: RunItem): Promise<void>;
  markRunDeleted(address: Address): Promise<void>;
  cite(address: Address, text: string, given: Given, own: ProduceOptions["cite"]): Promise<Sidenote[] | undefined>;
}

export function createProducer(basis: Basis, { finish, moveToUnread, markRunDeleted, cite }: Surroundings) {
  const {
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
  } = basis;

  function produce<T>(mine: Claim<T>, how: ProduceOptions): Production {
    /** `own`: with the person's settings as they are, whatever the guardrail makes of them. */
    const { address, runId, claimId, given: own } = mine;
    /** Rung for the reader, and for the one who decides. */
    const news = createBell(clock);
    const turn = createBell(clock);
    const model = new AbortController();
    /** A stop ends the model call; the guardrail is asked to the end, so that the question gets in. */
    const asking = new AbortController();
    const gate = how.gate?.(model.signal) ?? openGate;
    const endBy = (how.deadline ?? Number.POSITIVE_INFINITY) - time.margin;

    /** All text that may be shown. */
    let text = mine.prefix;
    let bytes = bytesOf(text);
    /** First half of a character whose other half has not come. */
    let half = "";
    /** From here on no text is added: the end has been written down. */
    let isSealed = false;
    /** What stands in place of the answer, and why. */
    let blocked: { message: string; by: Blocked } | undefined;
    let isMasked = mine.masked;
    /** What the guardrail was asked before the model, and all that it was asked that RUN is known to say. */
    let questionUnits = 0;
    let told = 0;
    /** The question's text as it is stored, and as the model may see it; and the system prompt, if it was asked about. */
    let stored = mine.question?.text ?? "";
    let asked: string | undefined;
    let systemPrompt: string | undefined;
    let isTooLong = bytes >= limit.answer;
    let isStopped = false;
    let isGivenUp = false;
    let outcome: ModelOutcome | undefined;
    let waiting: ReaderEvent | undefined;
    let acceptance: Acceptance | undefined;

    /** The log as it will be after the next beat. Only grows, whether or not that beat gets in. */
    const log = { base: 0, tail: "" };
    const thought = createThought(limit.reasoning);
    /** Chunks of both that are not known to be in the table. */
    let unwritten: Piece[] = [];
    let beat = 0;
    /** Length of the text that RUN vouches for, and when that was last confirmed. */
    let saved = 0;
    let savedAt = mine.startedAt;
    let savedThought = 0;
    let nextBeat = mine.startedAt + time.beat;
    /** Shown text beyond `saved`: where it ends and when it was shown. */
    let shownAhead: { end: number; at: number }[] = [];
    let thoughtAhead: { end: number; at: number }[] = [];
    /** How the run is over for the reader. */
    let closing: ReaderEvent | undefined;

    function close(event: ReaderEvent): void {
      isSealed = true;
      closing ??= event;
      model.abort();
      asking.abort();
      news.ring();
    }

    const units = (): number => questionUnits + (gate.units?.() ?? 0);

    function append(released: Released): void {
      if (isSealed || blocked) return;
      if (released.blocked) {
        const { message, policies } = released.blocked;
        blocked = { message, by: { where: "output", policies: [...policies] } };
      }
      if (released.error) outcome = { ending: "interrupted", error: released.error };
      if (released.masked) isMasked = true;
      if (isTooLong) return;
      let added = half + released.text;
      half = /[\uD800-\uDBFF]$/.test(added) ? added.slice(-1) : "";
      added = wellFormed(half ? added.slice(0, -1) : added);
      const size = bytesOf(added);
      if (bytes + size >= limit.answer) {
        added = startWithin(added, limit.answer - bytes);
        isTooLong = true;
      }
      text += added;
      bytes += size;
      news.ring();
      if (isTooLong || blocked || outcome) {
        model.abort();
        turn.ring();
      }
    }

    function think(added: string): void {
      if (isSealed || blocked) return;
      thought.add(gate.think?.(added) ?? "", clock.now());
      news.ring();
    }

    /** How the model call ended, unless the guardrail could not be asked about its last words. */
    function noteOutcome(last: ModelOutcome): void {
      outcome = { ...last, ...outcome };
    }

    async function consume(): Promise<void> {
      const parts = how.answer(model.signal, asked, systemPrompt);
      try {
        while (!isSealed && !outcome) {
          const step = await parts.next();
          if (isSealed) break;
          if (step.done) {
            append(await gate.flush());
            noteOutcome(step.value);
            return;
          }
          if (step.value.type === "waiting" || step.value.type === "shortened") {
            waiting = step.value;
            news.ring();
          } else if (step.value.type === "reasoning") {
            waiting = undefined;
            think(step.value.text);
          } else {
            waiting = undefined;
            thought.pause(clock.now());
            append(await gate.release(step.value.text));
          }
        }
        // Nobody listens any more: the model's stream is closed.
        await parts.return({ ending: "interrupted" });
      } catch (error) {
        report({ during: "answer", error, address });
        outcome ??= { ending: "interrupted", error: "internal" };
      } finally {
        turn.ring();
      }
    }

    /** Freezes the text that is not in the log yet. What has been frozen stays the same until it is in. */
    function freeze(): void {
      const reasoning = thought.freeze();
      if (reasoning) unwritten.push({ kind: "thought", item: reasoning });
      let rest = log.tail + text.slice(log.base + log.tail.length);
      while (bytesOf(rest) > limit.tail) {
        const size = bytesOf(rest);
        const isBig = size > MANY * limit.chunk;
        const part = isBig || size <= limit.chunk ? rest : startWithin(rest, limit.chunk);
        unwritten.push({
          kind: "chunk",
          item: { from: log.base, text: part, expiresAt: daysAhead(limit.chunkDays) },
        });
        log.base += part.length;
        rest = rest.slice(part.length);
      }
      log.tail = rest;
    }

    /** False: it cannot be known before `until` whether they are in. */
    async function putChunks(until: number): Promise<boolean> {
      for (;;) {
        const pieces = unwritten;
        const results = await Promise.allSettled(
          // Refused: it is in already, for the key holds the claim and the text of a place never changes.
          pieces.map(({ kind, item }) => store.put(kind, { ...address, claimId, from: item.from }, item, absent)),
        );
        unwritten = pieces.filter((_, index) => results[index]?.status === "rejected");
        if (unwritten.length === 0) return true;
        if (clock.now() >= until) return false;
        await backOff();
      }
    }

    type Written = "in" | "stop" | "fenced" | "gone" | "lost";

    /**
     * Writes to RUN, repeating the same write until it is known to be in, or known never to be. `isDone` tells
     * from RUN whether a refused write was in fact an earlier success of ours.
     */
    async function write(
      set: Settable["run"],
      condition: (beat: number) => Condition[],
      until: number,
      isDone: (run: RunItem) => boolean,
    ): Promise<Written> {
      const isIn = (): void => {
        beat++;
        told = set.guardrail?.units ?? told;
      };
      for (;;) {
        try {
          const lease = set.state === "ended" ? time.grace : time.lease;
          const change = { ...set, beat: beat + 1, leaseUntil: clock.now() + lease };
          const result = await store.update("run", address, { set: change }, { and: condition(beat) });
          if (result === "done") {
            isIn();
            return "in";
          }
          const run = await getRun(address);
          if (!run || run.state === "deleted") return "gone";
          if (run.claimId !== claimId) return "fenced";
          if (isDone(run)) {
            isIn();
            return run.state === "live" && run.stop ? "stop" : "in";
          }
          if (run.state === "ended") return "fenced";
          // A beat whose result stayed unknown was in after all.
          if (run.beat === beat + 1) beat++;
          if (run.stop) return "stop";
        } catch (error) {
          if (clock.now() >= until) report({ during: "write of a run", error, address });
        }
        if (clock.now() >= until) return "lost";
        await backOff();
      }
    }

    function setSaved(length: number, thoughtLength: number): void {
      saved = length;
      savedThought = thoughtLength;
      savedAt = clock.now();
      thoughtAhead = thoughtAhead.filter(({ end }) => end > savedThought);
      shownAhead = shownAhead.filter(({ end }) => end > saved);
      news.ring();
    }

    /** One write a second: flush, heartbeat, fence and stop poll. */
    async function flush(): Promise<Written> {
      const until = savedAt + time.giveUp;
      // Before that the run can still turn out void, and a reader of the log would have seen its text.
      if (acceptance === "accepted") freeze();
      const { base, tail } = log;
      const counted = thought.frozen;
      if (!(await putChunks(until))) return "lost";
      const written = await write(
        { base, tail, ...thoughtOf(counted), ...(isMasked ? { masked: true } : {}), ...guardrailOf() },
        (beat) => [...held(claimId, beat), ...unlessStopped],
        until,
        (run) => run.state === "live" && run.beat === beat + 1,
      );
      if (written === "in") setSaved(base + tail.length, counted);
      return written;
    }

    /** What RUN says of the reasoning; nothing if there was none. */
    function thoughtOf(counted: number): Pick<RunItem, "thought" | "thoughtMs"> {
      const thoughtMs = thought.ms(clock.now());
      return thoughtMs === undefined ? {} : { thought: counted, thoughtMs };
    }

    /** What RUN says of the guardrail, so that whoever ends it for us knows what was asked; nothing if that is none. */
    function guardrailOf(): Pick<RunItem, "guardrail"> {
      const asked = units();
      return asked > 0 ? { guardrail: { units: asked } } : {};
    }

    interface Decision {
      ending: Ending;
      error?: ErrorCode | undefined;
      finishReason?: string | undefined;
    }

    /** How the run ends, if it is to end now. */
    function decide(): Decision | undefined {
      if (blocked) return { ending: "blocked" };
      if (isStopped) return { ending: "stopped" };
      if (isGivenUp) return { ending: "interrupted", error: "log-lost" };
      if (isTooLong) return { ending: "complete", finishReason: "length" };
      if (outcome) {
        const { ending, error, finishReason } = outcome;
        if (ending === "complete" && text === "") return { ending: "failed", error: "model-empty", finishReason };
        if (ending !== "complete") return { ending: text === "" ? "failed" : "interrupted", error, finishReason };
        return { ending, error, finishReason };
      }
      if (clock.now() >= endBy) return { ending: "interrupted", error: "deadline" };
      return undefined;
    }

    /** Decides the ending in one write of RUN, which is also the last flush. Only then is it shown. */
    async function end(first: Decision): Promise<void> {
      const until = Math.max(clock.now() + time.unsaved, savedAt + time.giveUp);
      let decision = first;
      isSealed = true;
      model.abort();
      thought.pause(clock.now());
      if (half && decision.ending !== "blocked") text += "\uFFFD";
      if (blocked) {
        text = blocked.message;
        log.base = 0;
        log.tail = text;
        unwritten = [];
        thought.forget();
      } else freeze();
      const { base, tail } = log;
      const reasoning = thoughtOf(thought.frozen);
      const spent = how.spent?.();
      let run: RunItem;
      for (;;) {
        if (!(await putChunks(until))) return close({ type: "detached" });
        const { ending, error, finishReason } = decision;
        const log = { base, tail, ...reasoning, ...guardrailOf() };
        const set: Settable["run"] = { state: "ended", ending, ...log, endedAt: clock.now() };
        if (error) set.error = error;
        if (finishReason) set.finishReason = finishReason;
        if (outcome?.usage) set.usage = outcome.usage;
        else if (spent) set.spent = spent;
        if (blocked) set.blocked = blocked.by;
        else if (isMasked) set.masked = true;
        const written = await write(
          set,
          (beat) => [...held(claimId, beat), ...(ending === "complete" ? unlessStopped : [])],
          until,
          // A reaper's ending after a beat of unknown result looks like mine by its beat alone.
          (run) =>
            run.state === "ended" &&
            run.beat === beat + 1 &&
            run.ending === ending &&
            run.error === error &&
            run.base === base &&
            run.tail === tail &&
            run.thought === reasoning.thought,
        );
        run = {
          runId,
          claimId,
          messageId: mine.messageId,
          hash: mine.hash,
          startedAt: mine.startedAt,
          ...set,
          state: "ended",
        };
        if (written === "in") break;
        if (written === "gone") return await leave();
        if (written !== "stop") return close({ type: "detached" });
        if (ending === "complete") decision = { ending: "stopped" };
      }
      const { ending, error } = decision;
      setSaved(text.length, thought.frozen);
      close({
        type: "end",
        ending,
        length: text.length,
        ...(error ? { error } : {}),
        ...(blocked ? { blocked: blocked.by } : {}),
      });

      const sidenotes = await cite(address, text, mine.given, how.cite);
      const given: Given = {
        ...mine.given,
        ...(outcome?.sent && { settings: { ...mine.given.settings, ...outcome.sent } }),
        ...(outcome?.prompt && { prompt: outcome.prompt }),
      };
      const answer = answerOf(run, text, { given, depth: mine.depth, sidenotes });
      await settle(() => store.put("message", { ...address, messageId: runId }, answer, absent));
      if (ending === "blocked") await deleteChunks();
      await finish({ address, run, answer });
    }

    /** Of a blocked run: nobody reads them any more. */
    async function deleteChunks(): Promise<void> {
      for (const kind of ["chunk", "thought"] as const) {
        let cursor: string | undefined;
        do {
          const page = await store.list(
            kind,
            { ...address, claimId },
            { consistent: true, ...(cursor === undefined ? {} : { cursor }) },
          );
          for (const { from } of page.items) await settle(() => store.delete(kind, { ...address, claimId, from }));
          cursor = page.cursor;
        } while (cursor !== undefined);
      }
    }

    /** Sets what stands in place of the answer, by what is stored of a block before the model call. */
    function block({ where, policies, message = "" }: NonNullable<MessageItem["blocked"]>): void {
      blocked = { message, by: { where, policies } };
    }

    /**
     * Asks the guardrail about what is to be answered, and about the system prompt if that has not passed yet; only
     * what it lets pass is put.
     */
    async function askFirst(): Promise<Acceptance> {
      const { question, unchecked } = mine;
      const raw = question?.text ?? mine.history.at(-1)?.text ?? "";
      questionUnits = unitsOf(raw) + unitsOf(unchecked ?? "");
      const checked = await check?.(raw, unchecked, asking.signal);
      questionUnits = checked?.units ?? 0;
      const verdicts = checked?.verdicts;
      if (!verdicts) return "unchecked";
      // Over meanwhile: whatever ended this run has decided about its question.
      if (closing) return "unavailable";
      const before = blockedBefore(verdicts);
      if (before) block(before);
      asked = verdicts.question.text;
      const { systemPrompt: its } = verdicts;
      if (its && its.outcome !== "blocked") systemPrompt = its.text;
      mine.given = checkedGiven(mine.given, verdicts);
      return await accept(question && checkedQuestion(question, verdicts));
    }

    /**
     * Puts the question, or what a run without a new question was given; after a first question its thread, so that
     * none is ever without a message.
     */
    async function accept(question: MessageItem | undefined): Promise<Acceptance> {
      try {
        if (!question) {
          const context = { given: mine.given, depth: mine.depth, expiresAt: daysAhead(limit.chunkDays) };
          await settle(() => store.put("context", { ...address, claimId }, context, absent));
          return "accepted";
        }
        const key = { ...address, messageId: question.id };
        stored = question.text;
        if ((await settle(() => store.put("message", key, question, absent))) === "done") {
          await enter(question);
          return "accepted";
        }
        const earlier = await settle(() => getMessage(address, question.id));
        if (!earlier) return "unavailable";
        if (earlier.hash !== mine.hash) return "mismatch";
        stored = earlier.text;
        if (check) {
          // A repeat has asked too, and was first. The model sees what the page shows, or less.
          if (earlier.masked || !question.masked) asked = earlier.text;
          if (earlier.blocked && !blocked) block(earlier.blocked);
        }
        await enter(earlier);
        return earlier.parentId === question.parentId ? "accepted" : "elsewhere";
      } catch (error) {
        report({ during: "put of a question", error, address });
        return "unavailable";
      }
    }

    /** The question cannot be put as it was claimed: the claim never was. */
    async function annul(): Promise<void> {
      const set: Settable["run"] = { state: "ended", ending: "void", endedAt: clock.now() };
      await settle(() => store.update("run", address, { set }, { and: [{ attr: "claimId", eq: claimId }, isLive] }));
      await moveToUnread(address, runId, { state: "ended", ending: "void" });
    }

    async function enter(question: MessageItem): Promise<void> {
      if (mine.thread) return;
      // Refused: another request has made it, or it was deleted since.
      if ((await settle(() => makeThread(address, question, own))) === "refused") await touch();
    }

    /**
     * The thread was deleted. If it was made meanwhile, it went with its account before it was there, and what this run
     * has put is found by nobody else.
     */
    async function leave(): Promise<void> {
      close({ type: "gone" });
      const { question } = mine;
      if (mine.thread || !question) return;
      await accepted;
      const thread = await settle(() => getThread(address));
      if (thread?.deletedAt !== undefined) return;
      await settle(() => store.delete("thread", address));
      await settle(() => store.delete("message", { ...address, messageId: question.id }));
    }

    async function touch(): Promise<void> {
      try {
        if (!(await settle(how.touch))) await markRunDeleted(address);
      } catch (error) {
        report({ during: "touch of a thread", error, address });
      }
    }

    async function drive(): Promise<void> {
      for (;;) {
        if (acceptance === "mismatch" || acceptance === "elsewhere") {
          close({ type: "void" });
          return await annul();
        }
        // Annulled already, before anybody was told.
        if (acceptance === "unchecked") return close({ type: "void" });
        // Whether it is in nobody knows: the reaper will see.
        if (acceptance === "unavailable") return close({ type: "detached" });
        const decision = decide();
        if (decision && acceptance) return await end(decision);
        const now = clock.now();
        if (now < nextBeat) {
          await turn.wait(Math.min(nextBeat, endBy > now ? endBy : nextBeat) - now);
          continue;
        }
        const written = await flush();
        nextBeat = clock.now() + time.beat;
        if (written === "gone") return await leave();
        if (written === "fenced") return close({ type: "detached" });
        if (written === "stop") isStopped = true;
        if (written === "lost") isGivenUp = true;
        if (isStopped || isGivenUp) model.abort();
        if (isGivenUp && !acceptance) return close({ type: "detached" });
      }
    }

    /** How much may be shown: what the log vouches for, and what was added within the last second. */
    function showable(now: number): { text: number; thought: number } {
      const isEnd = closing?.type === "end";
      if (closing) return { text: isEnd ? text.length : 0, thought: isEnd ? thought.text.length : 0 };
      const isHeld = [shownAhead[0], thoughtAhead[0]].some((oldest) => oldest && now - oldest.at >= time.ahead);
      return isHeld ? { text: saved, thought: savedThought } : { text: text.length, thought: thought.text.length };
    }

    async function* events(): AsyncGenerator<ReaderEvent, void> {
      yield { type: "start", runId, claimId };
      let shown = 0;
      let shownThought = 0;
      let toldMs: number | undefined;
      let isUnsaved = false;
      for (;;) {
        const now = clock.now();
        const isAhead = text.length > saved || thought.text.length > savedThought;
        const isLate = !closing && isAhead && now - savedAt >= time.unsaved;
        if (isLate !== isUnsaved) {
          isUnsaved = isLate;
          yield { type: isLate ? "unsaved" : "saved" };
          continue;
        }
        if (waiting) {
          const event = waiting;
          waiting = undefined;
          yield event;
          continue;
        }
        if (closing?.type === "end" && closing.ending === "blocked") {
          yield { type: "replace", claimId };
          if (text) yield { type: "text", text, position: { claimId, offset: text.length } };
          yield closing;
          return;
        }
        const { text: upTo, thought: thoughtUpTo } = showable(now);
        const ms = thought.restedMs;
        if (thoughtUpTo > shownThought || (ms !== undefined && ms !== toldMs)) {
          const from = shownThought;
          shownThought = Math.max(from, thoughtUpTo);
          toldMs = ms;
          if (shownThought > savedThought) thoughtAhead.push({ end: shownThought, at: now });
          yield { type: "reasoning", from, text: thought.text.slice(from, shownThought), ms: thought.ms(now) ?? 0 };
          continue;
        }
        if (upTo > shown) {
          const piece = text.slice(shown, upTo);
          shown = upTo;
          if (upTo > saved) shownAhead.push({ end: upTo, at: now });
          yield { type: "text", text: piece, position: { claimId, offset: upTo } };
          continue;
        }
        if (closing) {
          yield closing;
          return;
        }
        await news.wait(isUnsaved ? time.unsaved : Math.max(1, savedAt + time.unsaved - now));
      }
    }

    // Without a guardrail the model is called beside the put; with one, after the question has passed and is in.
    const entered = check ? askFirst() : accept(mine.question);
    const accepted = entered.then(async (result) => {
      // So that the same request can be tried again as soon as it is answered.
      if (result === "unchecked" && !closing)
        await annul().catch((error: unknown) => report({ during: "end of an unchecked claim", error, address }));
      acceptance = result;
      if (result !== "accepted") model.abort();
      // The old text of a continue is in the log at once, so that a reload does not show less than before.
      if (mine.prefix) nextBeat = clock.now();
      turn.ring();
      return result === "elsewhere" ? "unavailable" : result;
    });
    const consumed = check
      ? accepted.then((result) => (result === "accepted" && !blocked && !isStopped ? consume() : undefined))
      : consume();
    const touched = mine.thread && touch();
    const done = drive()
      .catch((error: unknown) => {
        report({ during: "production", error, address });
        close({ type: "detached" });
      })
      .then(() => Promise.all([accepted, touched]))
      .then(() => {});
    // The model call ends by its signal; nothing waits for it.
    void consumed;
    return {
      accepted,
      events: events(),
      done,
      question: () => (blocked?.by.where === "input" ? undefined : stored),
      systemPrompt: () => systemPrompt,
      guardrail: () => ({ units: units(), told }),
    };
  }

  return produce;
}
