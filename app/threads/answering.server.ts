/**
 * The run protocol, put to work: from a person's request to a stream of events. Here the protocol meets the
 * table, the models and the notes. What a run needs is read at the same time as the protocol reads (so that the
 * model call waits for four table round trips at most), and what outlives the response is handed to the
 * invocation.
 */
import { createHmac } from "node:crypto";
import { z } from "zod";
import { type AnswerOutcome, type AnswerPart, streamAnswer } from "~/ai/answer.server";
import { type Model, requireModel } from "~/ai/catalogue.server";
import { checkQuestion, createGate } from "~/ai/guardrail.server";
import { type ThreadSettings, threadSettings } from "~/ai/settings";
import { config } from "~/config.server";
import { PublicError } from "~/errors";
import { logError } from "~/http.server";
import { currentInvocation } from "~/invocation.server";
import { withoutText } from "~/notes/choose";
import { chooseNotesFor, estimateNotesFor, openNotes, type WantedNotes } from "~/notes/choose.server";
import { calibrationOf } from "./calibration.server";
import { eventStream } from "./event-stream.server";
import { isId, isMessageId, isRunId } from "./ids";
import { getNumbers, numberNotes } from "./numbers.server";
import { getDefaults } from "./preferences.server";
import {
  buildPrompt,
  citedSidenotes,
  type HistoryMessage,
  type NumberedNote,
  type Prompt,
  type PromptOptions,
  type PromptRecord,
  shorterPrompt,
  sizeOf,
  whichLeft,
} from "./prompt.server";
import type { Address, Given, MessageItem, ModelPart, Position, PromptPass, RunRequest } from "./run-items.server";
import { citeStored, runs } from "./runs.server";
import { callRecord } from "./seen.server";
import { keepPromptPass, readSettings, requireThread, titleThread, touchThread } from "./threads.server";
import { beginSpending, type WatchedOutcome } from "./usage.server";
import type { Estimate } from "./view";

/** Messages of the path that are read for every prompt; the prompt itself leaves out more. */
const HISTORY = 40;
/** The longest message, in UTF-16 units. */
export const MESSAGE_LIMIT = 32_000;

const text = z
  .string()
  .max(MESSAGE_LIMIT, `A message can have ${MESSAGE_LIMIT.toLocaleString("en")} characters.`)
  .transform((value) => value.replaceAll("\0", "").toWellFormed())
  .refine((value) => value.trim() !== "", "A message needs at least one word.");
const id = z.string().refine(isId, "This is not an id.");

/** The body of `POST /threads/:threadId/runs`. */
export const runBody = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("send"),
    messageId: z.string().refine(isMessageId, "This is not a message id."),
    text,
    parentId: id.optional(),
    branch: z.boolean().optional(),
    create: z.boolean().optional(),
    /** Only with `create`: what was chosen before the thread was there; absent: the person's defaults. */
    settings: threadSettings.optional(),
  }),
  z.strictObject({
    kind: z.enum(["again", "continue"]),
    requestId: z.string().refine(isRunId, "This is not a request id."),
    of: id,
  }),
]);
export type RunBody = z.output<typeof runBody>;

/** The oldest key of the ring stays in it the longest, so a new one does not change hashes. */
const hashKey = Buffer.from(Object.values(config.sessionKeys).at(-1) ?? "", "base64");

/**
 * What is hashed stands beside what is left of a masked text, so it needs a key: a phone number is soon found by trying
 * all of them.
 */
const hashOf = (what: "message" | "system prompt", value: unknown): string =>
  createHmac("sha256", hashKey)
    .update(`${what} ${JSON.stringify(value)}`)
    .digest("base64url")
    .slice(0, 22);

/**
 * By this a Thread knows the system prompt that the guardrail let pass, so that it is asked again only after one of
 * both has changed. Undefined: a draft changes under its name, so nothing is remembered of it.
 */
function passOf(systemPrompt: string): string | undefined {
  const { id, version, policies } = config.guardrail ?? {};
  return version === "DRAFT" ? undefined : hashOf("system prompt", [id, version, policies, systemPrompt]);
}

/**
 * Settings with the system prompt as it may be sent, as far as that is known: `unchecked` is what the guardrail is to
 * be asked about first. `masked`: it was, and this is not the person's own text any more.
 */
function passedSettings(
  settings: ThreadSettings,
  pass: PromptPass | undefined,
): { settings: ThreadSettings; unchecked?: string; masked?: true } {
  const { systemPrompt = "" } = settings;
  if (!checkQuestion || systemPrompt.trim() === "") return { settings };
  if (!pass || pass.hash !== passOf(systemPrompt)) return { settings, unchecked: systemPrompt };
  return pass.text === undefined ? { settings } : { settings: { ...settings, systemPrompt: pass.text }, masked: true };
}

/** A promise that may be awaited late, or never: its rejection waits inside. */
function begin<T>(work: Promise<T>): () => Promise<T> {
  const settled = Promise.allSettled([work]);
  return async () => {
    const [result] = await settled;
    if (result.status === "rejected") throw result.reason;
    return result.value;
  };
}

interface Prepared {
  model: Model;
  settings: ThreadSettings;
  /** The system prompt in them is what the guardrail left of the person's. */
  masked: true | undefined;
  notes: NumberedNote[];
  /** Their ids, the most useful first. */
  order: string[];
  notesLeftOut: number;
  ranked: boolean;
  delimiter: string;
  /** What of the path stands above what the protocol reads, where the person wants a long history. */
  older: MessageItem[];
}

/** Of a message before the question, what the notes are ranked by. */
const SAID = 1_000;

/** Which notes a thread with these settings wants for the question at the end of the path. */
function wantedNotes(settings: ThreadSettings, model: Model, whole: readonly HistoryMessage[]): WantedNotes {
  const left = whichLeft(whole);
  const path = whole.filter((_, index) => !left[index]);
  const at = path.findLastIndex(({ role }) => role === "user");
  return {
    which: settings.notes ?? "all",
    chosenNotes: settings.chosenNotes,
    question: path[at]?.text ?? "",
    earlier: path.slice(Math.max(0, at - 2), Math.max(0, at)).map(({ text }) => text.slice(0, SAID)),
    budgetTokens: Math.floor(model.window / 4),
  };
}

/**
 * What a new thread begins with: what was chosen before it was there, else the person's defaults. They are read at
 * once, beside what the protocol reads; and once more if that failed.
 */
function beginningOf(userId: string, chosen: ThreadSettings | undefined): () => Promise<ThreadSettings> {
  let reading: Promise<ThreadSettings> | undefined;
  const read = (): Promise<ThreadSettings> => {
    reading ??= chosen ? Promise.resolve(chosen) : getDefaults(userId);
    reading.catch(() => {
      reading = undefined;
    });
    return reading;
  };
  void read();
  return read;
}

/** What of a path is still to be read, above the messages that were read, for this length of history. */
async function readOlder(address: Address, read: readonly MessageItem[], wanted = 0): Promise<MessageItem[]> {
  const parentId = read[0]?.parentId;
  if (!parentId || wanted <= read.length) return [];
  // Without them the prompt is shorter, and says so.
  return (await runs.readHistory(address, parentId, wanted - read.length)) ?? [];
}

const recordOf = (prompt: Prompt, notesLeftOut: number, ranked: boolean): PromptRecord => ({
  tokens: sizeOf(prompt),
  messages: prompt.earlier,
  leftOut: { messages: prompt.leftOut.messages, notes: notesLeftOut },
  ...(ranked && { ranked }),
});

/**
 * Starts a run, or attaches to the one that this request started before. Returns the stream of its events; throws
 * the public errors of the protocol's outcomes. Nothing is written when it throws `busy`, `stale` or `not-found`; and
 * no thread is made by a message that did not get in.
 */
export async function startRun(userId: string, threadId: string, body: RunBody): Promise<Response> {
  const address = { userId, threadId };
  const opening = begin(openNotes(userId));
  const readingNumbers = begin(getNumbers(userId, threadId));
  const spending = beginSpending(runs, userId, threadId);
  const beginning = body.kind === "send" && body.create ? beginningOf(userId, body.settings) : undefined;

  const claiming = runs.claim<Prepared>(address, requestOf(body), {
    // The same id with another body is a mismatch.
    hash: hashOf("message", body),
    history: HISTORY,
    beginning,
    async prepare({ thread, history, ...claim }) {
      const wanted = thread ? readSettings(thread.settings) : ((await beginning?.()) ?? {});
      const { settings, unchecked, masked } = passedSettings(wanted, thread?.promptPass);
      const [model, numbers, older] = await Promise.all([
        requireModel(settings.model),
        readingNumbers(),
        readOlder(address, history, settings.historyLength),
      ]);
      const { prefix } = claim;
      const path = [...older, ...history];
      const asked = [
        ...(body.kind === "send" ? [{ role: "user" as const, text: body.text }] : []),
        ...(prefix ? [{ role: "assistant" as const, text: prefix }] : []),
      ];
      let bill: Promise<Given["bill"]> | undefined;
      const chosen = await chooseNotesFor(userId, wantedNotes(settings, model, [...path, ...asked]), {
        opened: opening,
        // While the notes are read, they get their numbers, and the tokens are reserved that they will take.
        async beside(noteIds, planned) {
          const expected = promptOptions({
            model,
            settings,
            path,
            asked,
            notes: planned.map((note, index) => ({ ...withoutText(note), number: index + 1 })),
            delimiter: "estimate-only",
          });
          const inputTokens = Math.ceil(sizeOf(buildPrompt(expected)) * (expected.scale ?? 1));
          bill ??= spending.reserve(claim, {
            model,
            settings,
            inputTokens,
            prefix: prefix.length,
            question: asked[0]?.role === "user" ? asked[0].text.length : (history.at(-1)?.text.length ?? 0),
            systemPrompt: unchecked?.length ?? 0,
          });
          const [numbered] = await Promise.all([numberNotes(userId, threadId, numbers, noteIds), bill]);
          return { numbered, bill: await bill };
        },
      });
      const { leftOut, ranked } = chosen;
      const { numbered, bill: reserved } = chosen.beside;
      const notes = chosen.notes.map(({ noteId, title, text, revision }) => ({
        number: numbered.notes[noteId] ?? 0,
        noteId,
        title,
        text,
        revision,
      }));
      const order = notes.map(({ noteId }) => noteId);
      // In order of their numbers, so that a new note does not move the others in a cached prefix.
      notes.sort((a, b) => a.number - b.number);
      const given: Given = {
        model: { ref: model.ref, name: model.name },
        settings,
        notes: notes.map(({ number, noteId, title, revision }) => ({ number, noteId, title, revision })),
        ...(leftOut > 0 && { notesLeftOut: leftOut }),
        ...(ranked && { ranked }),
        ...(reserved && { bill: reserved }),
      };
      const { delimiter } = numbered;
      return {
        given,
        value: { model, settings, masked, notes, order, notesLeftOut: leftOut, ranked, delimiter, older },
        unchecked,
      };
    },
    asked: spending.asked,
  });

  const { deadline, waitUntil } = currentInvocation();
  const outcome = await claiming.catch((error: unknown) => {
    waitUntil(spending.release());
    throw error;
  });
  waitUntil(spending.release(outcome.outcome === "claimed" ? outcome.claim.claimId : undefined));
  switch (outcome.outcome) {
    case "claimed":
      break;
    case "attach":
      return readRun(userId, threadId, outcome.runId);
    case "busy":
      throw new PublicError("busy", { details: { runId: outcome.runId } });
    case "stale":
      throw new PublicError("stale", { details: { newestId: outcome.newestId } });
    case "too-many-runs":
      throw new PublicError("too-many-runs", { headers: { "Retry-After": "10" } });
    case "unchecked":
      throw new PublicError("guardrail-unavailable");
    default:
      throw new PublicError(outcome.outcome);
  }

  const { claim } = outcome;
  const { model, settings, masked, notes, order, notesLeftOut, ranked, delimiter, older } = claim.value;
  const path = [...older, ...claim.history];
  let options = promptOptions({
    model,
    settings,
    path,
    asked: [
      ...(claim.question ? [claim.question] : []),
      ...(claim.prefix ? [{ role: "assistant" as const, text: claim.prefix }] : []),
    ],
    notes,
    ranked,
    delimiter,
  });
  let prompt = buildPrompt(options);
  claim.given.prompt = recordOf(prompt, notesLeftOut, ranked);
  claim.given.call = { ...callRecord(model, settings, claim.prefix), ...(masked && { masked }) };
  /** What the model has before it: fewer once it was asked again. */
  let sent: readonly NumberedNote[] = notes;

  /** Asks the model; if it finds that too long after all, once more, without what is least missed, and says so. */
  async function* ask(
    signal: AbortSignal,
    question: string | undefined,
    systemPrompt: string | undefined,
  ): AsyncGenerator<ModelPart, WatchedOutcome> {
    // As the guardrail let them pass.
    if (systemPrompt !== undefined) options = { ...options, settings: { ...settings, systemPrompt } };
    if (question !== undefined) {
      options = { ...options, history: withQuestion(options.history, question) };
      prompt = buildPrompt(options);
    }
    const { system, messages } = prompt;
    /**
     * Messages at the end that no later turn holds: the one that asks to go on with an answer; and, with ranked
     * notes, the question that they stand before, with what was answered to it so far.
     */
    const goesOn = body.kind === "continue";
    const passing = ranked ? (goesOn ? 3 : 1) : goesOn ? 1 : 0;
    const outcome = yield* logged(
      model,
      streamAnswer({
        model,
        settings,
        system,
        messages,
        stable: messages.length - passing,
        cacheKey: threadId,
        signal,
      }),
    );
    if (outcome.error !== "context-too-long" || outcome.ending !== "failed" || signal.aborted) return outcome;
    const less = shorterPrompt(options, prompt, order);
    if (!less) return outcome;
    const dropped = notes.length - less.notes.length;
    const record = recordOf(less.prompt, notesLeftOut + dropped, ranked);
    sent = less.notes;
    yield {
      type: "shortened",
      messages: record.leftOut.messages - prompt.leftOut.messages,
      notes: dropped,
    };
    const { system: again, messages: fewer } = less.prompt;
    const second = yield* logged(
      model,
      streamAnswer({
        model,
        settings,
        system: again,
        messages: fewer,
        stable: fewer.length - passing,
        cacheKey: threadId,
        signal,
      }),
    );
    return { ...second, prompt: { ...record, shortened: true } };
  }

  const { bill } = claim.given;
  const production = runs.produce(claim, {
    answer: (signal, question, systemPrompt) =>
      spending.watch(claim.claimId, bill, signal, (its) => ask(its, question, systemPrompt)),
    gate: createGate(claim.prefix),
    spent: spending.spent,
    touch: () => touchThread(userId, threadId, claim.thread?.card?.pinned ?? false),
    cite: (answer) => citedSidenotes(answer, [...sent]),
    deadline,
  });
  waitUntil(
    production.done.then(() => spending.close(claim, { model: model.ref, bill, guardrail: production.guardrail() })),
  );
  const accepted = await production.accepted;
  if (accepted !== "accepted") throw new PublicError(accepted === "unchecked" ? "guardrail-unavailable" : accepted);
  const passed = production.systemPrompt();
  if (passed !== undefined) waitUntil(rememberPass(address, claim.unchecked, passed));
  const words = production.question();
  if (words !== undefined && claim.thread?.untitled) {
    try {
      await titleThread(userId, threadId, words);
    } catch (error) {
      // A thread is usable without one, and its next message gives it one.
      logError(error, "title of a thread");
    }
  }
  return eventStream(production.events);
}

/** Remembers that a system prompt passed, and as what. A thread works without that: its next message asks again. */
async function rememberPass({ userId, threadId }: Address, asked = "", passed: string): Promise<void> {
  const hash = passOf(asked);
  if (hash === undefined) return;
  try {
    await keepPromptPass(userId, threadId, { hash, ...(passed !== asked && { text: passed }) });
  } catch (error) {
    logError(error, "pass of a system prompt");
  }
}

/** A history with other words in its newest question. */
function withQuestion(history: readonly HistoryMessage[], text: string): HistoryMessage[] {
  const at = history.findLastIndex(({ role }) => role === "user");
  return history.map((message, index) => (index === at ? { ...message, text } : message));
}

/** The options of a prompt: from the path, what is asked at its end, and how far earlier estimates were off. */
function promptOptions(given: {
  model: Model;
  settings: ThreadSettings;
  path: readonly MessageItem[];
  asked: readonly HistoryMessage[];
  notes: readonly NumberedNote[];
  ranked?: boolean;
  delimiter: string;
}): PromptOptions & { answers: number } {
  const { model, settings, path, asked, notes, ranked, delimiter } = given;
  return {
    model,
    settings,
    history: [...path, ...asked],
    notes,
    ranked,
    delimiter,
    operatorSystemPrompt: config.models.systemPrompt,
    proposes: settings.notes !== "none",
    ...calibrationOf(path, model.ref),
  };
}

/** The body of `POST /threads/:threadId/estimate`; `settings` where they are not saved yet. */
export const estimateBody = z.strictObject({
  text: z.string().max(2 * MESSAGE_LIMIT),
  settings: threadSettings.optional(),
  /** The last message of the path on screen; without it, the newest one. */
  parentId: id.optional(),
});

/**
 * How full the model's window would be with this draft, and what would be left out: found by building the prompt as
 * a run would. Writes nothing and asks no model. Throws `not-found`; a thread of its own for `new`.
 */
export async function estimateRun(
  userId: string,
  threadId: string,
  { text: draft, settings: unsaved, parentId }: z.output<typeof estimateBody>,
): Promise<Estimate> {
  const address = { userId, threadId };
  const isNew = threadId === "new";
  const opening = begin(openNotes(userId));
  const [stored, read] = await Promise.all([
    isNew ? (unsaved ?? getDefaults(userId)) : requireThread(userId, threadId).then((thread) => thread.settings),
    isNew ? [] : runs.readHistory(address, parentId, HISTORY),
  ]);
  if (!read) throw new PublicError("not-found");
  const settings = unsaved ?? stored;
  const [model, older] = await Promise.all([
    requireModel(settings.model),
    readOlder(address, read, settings.historyLength),
  ]);
  const path = [...older, ...read];
  const asked = [{ role: "user" as const, text: draft.trim() || "?", depth: (path.at(-1)?.depth ?? -1) + 1 }];
  const { chosen, left, leftOut, ranked, going } = await estimateNotesFor(
    userId,
    wantedNotes(settings, model, [...path, ...asked]),
    { opened: opening, going: isNew },
  );
  const { answers, ...options } = promptOptions({
    model,
    settings,
    path,
    asked,
    // Numbers and delimiter are given to a thread once its question is sent; here they only take their room.
    notes: chosen.map((note, index) => ({ ...withoutText(note), number: index + 1 })),
    ranked,
    delimiter: "estimate-only",
  });
  const prompt = buildPrompt(options);
  const real = (tokens: number): number => Math.round(tokens * (options.scale ?? 1));
  const { system, notes, messages } = prompt.size;
  return {
    window: model.window,
    room: real(prompt.room),
    tokens: { system: real(system), notes: real(notes), messages: real(messages) },
    wanted: real(prompt.wanted),
    which: settings.notes ?? "all",
    sent: { notes: chosen.length, messages: prompt.earlier },
    leftOut: { notes: leftOut, messages: prompt.leftOut.messages, squeezed: prompt.squeezedOut },
    ...(going && { going }),
    notesLeftOut: left,
    ranked,
    answers,
  };
}

/** Tells the operator why a vendor refused or broke off: its status and error name, never its words. */
async function* logged(
  model: Model,
  answer: AsyncGenerator<AnswerPart, AnswerOutcome>,
): AsyncGenerator<AnswerPart, AnswerOutcome> {
  const outcome = yield* answer;
  const { ending, error, attempts, fault } = outcome;
  if (error)
    console.warn(
      JSON.stringify({
        level: "WARN",
        where: "model call",
        requestId: currentInvocation().requestId,
        model: model.ref,
        ending,
        error,
        attempts,
        status: fault?.status,
        name: fault?.name,
      }),
    );
  return outcome;
}

function requestOf(body: RunBody): RunRequest {
  if (body.kind !== "send") return body;
  const { kind, messageId, parentId, branch, create } = body;
  return {
    kind,
    messageId,
    text: body.text,
    ...(parentId === undefined ? {} : { parentId }),
    ...(branch === undefined ? {} : { branch }),
    ...(create === undefined ? {} : { create }),
  };
}

const positionShape = /^([A-Za-z0-9_-]{16})\.(\d{1,9})(?:\.(\d{1,9}))?$/;

/** Reads a position: `<claimId>.<offset>`, and `.<length>` of the reasoning that is held. Throws `bad-request`. */
export function parsePosition(after: string | null): Position | undefined {
  if (after === null || after === "") return undefined;
  const match = positionShape.exec(after);
  if (!match?.[1]) throw new PublicError("bad-request");
  return { claimId: match[1], offset: Number(match[2]), ...(match[3] && { thought: Number(match[3]) }) };
}

/** Follows a run from a position, live or over. Throws `not-found`. */
export async function readRun(userId: string, threadId: string, runId: string, position?: Position): Promise<Response> {
  const events = await runs.readAlong({ userId, threadId }, runId, position);
  if (!events) throw new PublicError("not-found");
  return eventStream(events);
}

/** The id of the thread's live run; null if none is live. Throws `not-found`. */
export async function getLiveRun(userId: string, threadId: string): Promise<string | null> {
  const runId = await runs.getLiveRun({ userId, threadId });
  if (runId === undefined) throw new PublicError("not-found");
  return runId;
}

/** Asks a run to stop, wherever it is produced. Throws `not-found` for an unknown thread; else it is a success. */
export async function stopRun(userId: string, threadId: string, runId: string): Promise<void> {
  if (!(await runs.stop({ userId, threadId }, runId))) throw new PublicError("not-found");
}

/**
 * Of the notes with these numbers, the passages that the thread's newest run cites so far. Throws `not-found` where
 * this run is not the newest.
 */
export async function getPassages(
  userId: string,
  threadId: string,
  runId: string,
  numbers: ReadonlySet<number>,
): Promise<{ number: number; passage: string }[]> {
  if (!isId(threadId) || !isRunId(runId)) throw new PublicError("not-found");
  const soFar = await runs.readSoFar({ userId, threadId }, runId);
  if (!soFar) throw new PublicError("not-found");
  const { text, given } = soFar;
  if (!given) return [];
  const asked = { ...given, notes: given.notes.filter(({ number }) => numbers.has(number)) };
  const sidenotes = await citeStored({ userId }, text, asked);
  return sidenotes.flatMap(({ number, passage }) => (passage === undefined ? [] : [{ number, passage }]));
}
