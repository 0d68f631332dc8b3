/**
 * What must hold: the six promises of the design, and the invariants of the run protocol. Some are checked at every
 * write that goes in, the others when the storm is over and somebody has looked.
 */
import { keys, threadPartition } from "../../../app/data/keys.server.ts";
import { runIdOf } from "../../../app/threads/ids.ts";
import type { Address, ChunkItem, MessageItem, RunItem, ThoughtItem } from "../../../app/threads/run-items.server.ts";
import type { Write } from "./table.ts";
import { isForbidden, isSecret, maskedText, userId, type World } from "./world.ts";

const bytes = new TextEncoder();

/** The text that RUN vouches for; undefined if a counted chunk is missing. */
function vouched(world: World, address: Address, run: RunItem): string | undefined {
  const { claimId = "", base = 0, tail = "" } = run;
  let text = "";
  while (text.length < base) {
    const chunk: ChunkItem | undefined = world.table.get("chunk", { ...address, claimId, from: text.length });
    if (!chunk) return undefined;
    text += chunk.text;
  }
  return text.length === base ? text + tail : undefined;
}

/** The first so many units of a claim's reasoning; undefined if a counted chunk is missing. */
function vouchedThought(world: World, address: Address, claimId: string, length: number): string | undefined {
  let text = "";
  while (text.length < length) {
    const piece: ThoughtItem | undefined = world.table.get("thought", { ...address, claimId, from: text.length });
    if (!piece?.text) return undefined;
    text += piece.text;
  }
  return text.length === length ? text : undefined;
}

const headOf = (run: RunItem): string | undefined => (run.ending === "void" ? run.prev : run.runId);

/** Judges one write at the moment it goes in. */
export function judgeWrite(world: World, write: Write): void {
  const { before, after, sk, address } = write;
  if (world.weather.guardrail && after) judgeStored(world, sk, after);
  if (sk.startsWith("MESSAGE#") && before && after) world.violate("Messages never change", `${sk} was written twice`);
  if (write.kind === "thread" && address && !before && !hasMessage(world, address))
    world.violate("A thread is made after its first message", address.threadId);
  if (sk !== "RUN" || !address) return;
  const was = before as unknown as RunItem | undefined;
  const is = after as unknown as RunItem | undefined;
  if (!is) world.violate("RUN stays", "it was deleted");
  if (!is || is.state === "deleted") return;
  if (was?.state === "deleted") world.violate("Nothing of a deleted thread comes back", "RUN was written");
  if (world.facts.deletedAt.has(address.threadId))
    world.violate("A delete ends the run", `RUN was written after the delete's 200`);

  if (bytes.encode(is.tail ?? "").length > 660 && is.ending !== "blocked")
    world.violate("RUN stays small", `a tail of ${is.tail?.length}`);
  if (vouched(world, address, is) === undefined)
    world.violate("A chunk is written before the beat that counts it", is.claimId ?? "");
  if (vouchedThought(world, address, is.claimId ?? "", is.thought ?? 0) === undefined)
    world.violate("Reasoning is written before the beat that counts it", is.claimId ?? "");

  if (!was || is.claimId !== was.claimId) judgeClaim(world, address, was, is);
  else judgeChange(world, address, was, is);
}

const hasMessage = (world: World, { userId, threadId }: Address): boolean =>
  world.table.names(threadPartition(userId, threadId), "MESSAGE#", "MESSAGE#~").length > 0;

/** With a guardrail nothing is stored that it did not let pass. */
function judgeStored(world: World, sk: string, after: Record<string, unknown>): void {
  const { settings, given } = after as Partial<MessageItem>;
  const systemPrompt = (settings ?? given?.settings)?.systemPrompt ?? "";
  if (isSecret(systemPrompt)) world.violate("No unmasked system prompt is in the table", sk);
  const text = after.text ?? after.tail;
  if (typeof text !== "string") return;
  if (isSecret(text)) world.violate("No unmasked text is in the table", sk);
  if (!sk.startsWith("MESSAGE#")) {
    if (isForbidden(text)) world.violate("No forbidden answer is in the table", sk);
    return;
  }
  const { role, blocked, hash } = after as unknown as MessageItem;
  if (isForbidden(text) && !blocked) world.violate("A forbidden message is marked", sk);
  if (role !== "user") return;
  if (isForbidden(systemPrompt) && !blocked) world.violate("A message with a forbidden system prompt is marked", sk);
  const { text: raw } = JSON.parse(hash) as { text: string };
  if (!world.facts.checked.has(raw)) world.violate("Nothing unchecked is in the table", sk);
}

function judgeClaim(world: World, address: Address, was: RunItem | undefined, is: RunItem): void {
  if (is.state !== "live") world.violate("A claim begins live", is.claimId ?? "");
  if (!was) return;
  if (was.state === "live") world.violate("At most one live run per thread", is.claimId ?? "");
  const head = headOf(was);
  if (head && (is.runId ?? "") <= head) world.violate("The order of ids is the order of claims", is.runId ?? "");
  if (is.prev !== head) world.violate("A claim remembers the head before it", `${is.prev} is not ${head}`);
  if (was.ending !== "void" && !world.table.get("message", { ...address, messageId: was.runId ?? "" }))
    world.violate("An answer is stored before the next claim", was.runId ?? "");
}

function judgeChange(world: World, address: Address, was: RunItem, is: RunItem): void {
  const text = vouched(world, address, is);
  if (was.state === "ended" && (is.state !== "ended" || is.ending !== was.ending))
    world.violate("One ending per run", `${was.ending} became ${is.state} ${is.ending}`);
  if (was.state === "ended" && vouched(world, address, was) !== text)
    world.violate("One ending per run", "its text changed");
  if (is.state === "ended" && was.state === "live") {
    if (is.ending === "complete" && was.stop) world.violate("No stop becomes complete", is.runId ?? "");
    if (is.ending === "stopped" && !world.facts.stopsAsked.has(is.runId ?? ""))
      world.violate("Only a stop of this run stops it", is.runId ?? "");
  }
  const earlier = vouched(world, address, was);
  if (is.ending !== "blocked" && text !== undefined && earlier !== undefined && !text.startsWith(earlier))
    world.violate("The log only grows", `${is.claimId} from ${earlier.length} to ${text.length}`);
  if (is.ending !== "blocked" && ((is.thought ?? 0) < (was.thought ?? 0) || (is.thoughtMs ?? 0) < (was.thoughtMs ?? 0)))
    world.violate("The reasoning only grows", `${is.claimId} from ${was.thought} to ${is.thought}`);
}

/** Judges what is left when everything is over. */
export function judgeEnd(world: World): void {
  for (const address of world.addresses) {
    if (world.facts.deletedAt.has(address.threadId)) judgeDeleted(world, address);
    else judgeThread(world, address);
  }
  if (world.weather.guardrail) judgeUnits(world);
  for (const work of world.facts.works.values())
    if (work.server.isAlive && work.isCalled && !work.isCallOver)
      world.violate("No model call goes on for ever", work.claimId);
  const live = Object.keys(world.table.get("activity", { userId })?.live ?? {});
  if (live.length > 0) world.violate("A visit clears the list of answering threads", live.join());
}

/** A server that lived to the end knows of every unit that it was billed for. */
function judgeUnits(world: World): void {
  const { billed, askedBeside, works } = world.facts;
  const known = new Map(askedBeside);
  for (const { server, guardrail } of works.values()) known.set(server, (known.get(server) ?? 0) + guardrail().units);
  for (const [server, units] of billed)
    if (server.isAlive && known.get(server) !== units)
      world.violate("No unit of the guardrail is forgotten", `${known.get(server)} of ${units}`);
}

function judgeDeleted(world: World, address: Address): void {
  const { table } = world;
  if (!table.get("thread", address)?.deletedAt) world.violate("A deleted thread stays deleted", address.threadId);
  const pk = threadPartition(address.userId, address.threadId);
  const left = table.names(pk).filter((sk) => sk !== "RUN" && table.read(pk, sk));
  if (left.length > 0) world.violate("A sweep leaves nothing but tombstones", left.join());
  if (table.get("run", address)?.state !== "deleted") world.violate("A delete ends the run", address.threadId);
}

function judgeThread(world: World, address: Address): void {
  const { table, facts } = world;
  const pk = threadPartition(address.userId, address.threadId);
  const messages = new Map<string, MessageItem>();
  for (const sk of table.names(pk, "MESSAGE#", "MESSAGE#~")) {
    const item = table.read(pk, sk) as unknown as MessageItem | undefined;
    if (item) messages.set(sk.slice("MESSAGE#".length), item);
  }
  const run = table.get("run", address);
  const isThere = table.get("thread", address) !== undefined;
  // Nobody visits a thread that is not there; its message comes again, or it never was.
  if (run?.state === "live" && isThere) world.violate("No run is live after a visit", run.claimId ?? "");
  if (run?.state === "ended" && run.ending !== "void" && !messages.has(run.runId ?? ""))
    world.violate("An ended run has its answer", run.runId ?? "");
  if (run?.state === "ended" && run.ending !== "void" && !isThere)
    world.violate("An ended run has its thread", run.runId ?? "");

  for (const [id, message] of messages) {
    if (message.parentId !== null && !messages.has(message.parentId))
      world.violate("No answer without its question", `${id} has no parent`);
    if (message.role === "assistant") judgeAnswer(world, address, message);
    const answer = message.role === "user" && message.blocked && messages.get(runIdOf(id));
    if (answer && answer.ending !== "blocked")
      world.violate("The run of a blocked question is blocked", `${id} ends ${answer.ending}`);
  }

  for (const [id, { address: its, request, bodies }] of facts.accepted) {
    if (its.threadId !== address.threadId) continue;
    if (bodies.size > 1) world.violate("One request under an id", id);
    if (request.kind !== "send") continue;
    if (!isThere) world.violate("An accepted message has its thread", id);
    const message = messages.get(id);
    if (!message) world.violate("An accepted message is never lost", id);
    else if (!bodies.has(message.hash)) world.violate("An accepted message keeps its text", id);
  }

  const ended = new Map<string, string[]>();
  for (const work of facts.works.values()) {
    if (work.address.threadId !== address.threadId) continue;
    const answer = messages.get(work.runId);
    const text = answer?.claimId === work.claimId ? answer.text : undefined;
    if (text !== undefined) ended.set(work.runId, [...(ended.get(work.runId) ?? []), work.claimId]);
    if (answer?.ending === "blocked" && text !== undefined) continue;
    const lost = work.shown.filter(({ end }) => end > (text ?? "").length).map(({ at }) => at);
    // A clock shows whole milliseconds.
    if (lost.length > 0 && Math.max(...lost) - Math.min(...lost) > 1_001)
      world.violate(
        "Shown text lost spans at most a second",
        `${work.claimId}: ${Math.max(...lost) - Math.min(...lost)}`,
      );
    const kept = text === undefined ? 0 : (answer?.reasoning?.length ?? 0);
    const forgotten = work.shownThought.filter(({ end }) => end > kept).map(({ at }) => at);
    if (forgotten.length > 0 && Math.max(...forgotten) - Math.min(...forgotten) > 1_001)
      world.violate("Shown reasoning lost spans at most a second", work.claimId);
  }

  for (const reading of facts.readings) {
    if (reading.address.threadId !== address.threadId) continue;
    const answer = messages.get(reading.runId);
    if (!answer) world.violate("What a reader saw end is stored", reading.runId);
    else if (answer.text !== reading.text || answer.claimId !== reading.claimId)
      world.violate("A reader ends byte-equal", `${reading.runId}: ${reading.text.length} of ${answer.text.length}`);
    else if (reasoningOf(world, address, answer) !== reading.reasoning)
      world.violate(
        "A reader's reasoning is what is stored",
        `${reading.runId}: ${reading.reasoning.length} of ${answer.reasoning?.length}`,
      );
    else if (answer.ending !== reading.ending)
      world.violate("One ending per run", `${reading.ending} was shown, ${answer.ending} is stored`);
  }
}

/** The reasoning of a stored answer; undefined if a part of it is missing. */
const reasoningOf = (world: World, address: Address, { claimId = "", reasoning }: MessageItem): string | undefined =>
  vouchedThought(world, address, claimId, reasoning?.length ?? 0);

function judgeAnswer(world: World, address: Address, answer: MessageItem): void {
  const question =
    answer.parentId === null ? undefined : world.table.get("message", { ...address, messageId: answer.parentId });
  if (question?.role !== "user") world.violate("No answer without its question", answer.id);
  const { claimId = "" } = answer;
  const work = world.facts.works.get(claimId);
  // RUN as it stood when this claim ended: the last state of the claim.
  const { pk, sk } = keys.run(address.userId, address.threadId);
  const run = world.table.lastWhere(pk, sk, (item) => item.claimId === claimId) as RunItem | undefined;
  if (!run) {
    world.violate("Every answer has its claim", answer.id);
    return;
  }
  if (run.state !== "ended" || run.ending !== answer.ending)
    world.violate("Message and RUN agree", `${answer.id}: ${run.state} ${run.ending}, ${answer.ending}`);
  if (run.runId !== answer.id || run.messageId !== answer.parentId)
    world.violate("Message and RUN agree", `${answer.id} stands elsewhere`);
  // The chunks of a blocked run are deleted, and its text stands in the tail.
  const text = vouched(world, address, run);
  if (text !== answer.text)
    world.violate("Message and RUN agree", `${answer.id}: ${text?.length}, ${answer.text.length}`);

  // A server that was killed before it began has no record of its own.
  if (!work) {
    if (answer.ending === "complete") world.violate("A partial answer is never complete", answer.id);
    return;
  }
  const { units, told } = work.guardrail();
  const inAnswer = answer.guardrail?.units ?? 0;
  // A beat whose result stayed unknown may have said more than is known.
  if (work.server.isAlive && inAnswer < told)
    world.violate("An answer says what the guardrail was asked", `${answer.id}: ${inAnswer} of ${units}, ${told} told`);
  if (work.promptTip !== (work.isSend ? question?.parentId : answer.parentId))
    world.violate("A prompt is the path of its answer", answer.id);
  const thought = reasoningOf(world, address, answer);
  if (thought === undefined || !work.thought.startsWith(thought))
    world.violate("Stored reasoning is what the model thought", answer.id);
  if (!work.isThoughtShown && thought !== "")
    world.violate("Reasoning that its gate cannot check is not kept", answer.id);
  if (answer.ending === "blocked" && answer.reasoning) world.violate("A blocked answer has no reasoning", answer.id);
  // The cap may fall between the two halves of a character.
  const most = Math.min(work.thought.length, 3_000);
  const isWhole = answer.ending === "complete" && answer.finishReason !== "length";
  if (isWhole && work.isThoughtShown && most - (thought?.length ?? 0) > 1)
    world.violate("A complete answer has its whole reasoning", `${answer.id}: ${thought?.length} of ${most}`);
  const whole = work.said.replace(/\p{Surrogate}/gu, "\uFFFD");
  const said = world.weather.guardrail ? maskedText(whole) : whole;
  const isStart = said.startsWith(answer.text.replace(/\uFFFD$/, ""));
  if (answer.ending === "blocked") {
    if (answer.blocked?.where !== run.blocked?.where || !answer.blocked)
      world.violate("Message and RUN agree", `${answer.id}: blocked ${answer.blocked?.where}`);
    if (answer.blocked && answer.blocked.where !== "output") {
      if (work.isCalled) world.violate("No model is called for a blocked question", answer.id);
    } else if (!work.isBlocked) world.violate("Only what the gate blocks is blocked", answer.id);
    return;
  }
  if (!isStart) world.violate("An answer is what the model said", answer.id);
  if (answer.ending !== "complete") return;
  if (work.isBlocked) world.violate("No block becomes complete", answer.id);
  if (answer.finishReason !== "length" && (work.outcome?.ending !== "complete" || answer.text !== said))
    world.violate("A partial answer is never complete", answer.id);
}
