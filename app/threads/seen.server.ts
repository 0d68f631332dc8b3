/**
 * What the model saw: for one answer the system prompt, the notes, the settings and the messages that were sent, and
 * what was left out. What changes is stored with the answer when it is asked for (small: ids, counts and what stands
 * nowhere else); texts are shown from where they stand, and only where they still are what was sent.
 */
import { createHash } from "node:crypto";
import type { Model } from "~/ai/model";
import { type CallSettings, settingsFor, type ThreadSettings } from "~/ai/settings";
import { config } from "~/config.server";
import { getNoteStates } from "~/notes/notes.server";
import { idTime } from "./ids";
import { aboutNotes, goOn, proposals, whichLeft } from "./prompt.server";
import type { CallRecord, MessageItem } from "./run-items.server";
import { sinceThen } from "./sidenotes.server";
import type { Thread } from "./threads.server";
import type { Ending } from "./view";

export interface SeenNote {
  number: number;
  noteId: string;
  title: string;
  revision: number;
  cited: boolean;
  since?: "edited" | "deleted";
  deletedAt?: number;
  /** Where the revision that was sent still stands. */
  text?: string;
}

export interface SeenView {
  threadId: string;
  threadTitle: string;
  answerId: string;
  at: number;
  ending: Ending;
  model: string;
  /** Undefined: this was not stored, since the server ended in the middle or the answer is older than the record. */
  settings?: {
    sent: [name: string, value: string][];
    dropped: { name: string; value: string; reason: string }[];
  };
  system: {
    whose: "thread" | "operator" | "nobody" | "unknown";
    /** The operator's is not kept in words if it is long and has changed since. */
    text?: string;
    inMessage: boolean;
    /** The guardrail masked something in it. */
    masked?: true;
    /** What Sidenote adds to it of its own, as it stands now. */
    added: string[];
  };
  /** Undefined: it is not known. */
  notes?: SeenNote[];
  notesLeftOut: number;
  /** Those that went in were chosen by how well they fit the question. */
  ranked: boolean;
  /** Oldest first, the question last. */
  messages: { id: string; role: "user" | "assistant"; start: string }[];
  /** Undefined: it is not known how many went along. */
  messagesLeftOut?: number;
  shortened: boolean;
  /** What the guardrail blocked: no model was asked, and all that would have been sent is left out here. */
  unasked?: "message" | "system prompt";
  /** The answer goes on from text of this length, and the model was told so in these words. */
  continued?: { length: number; words: string };
}

/** The operator's system prompt is kept with an answer up to this length, in UTF-16 units. */
const OPERATOR_TEXT = 2_000;
/** Texts of notes that one page shows, in UTF-16 units; and of how many notes they are looked up. */
const TEXTS = 400_000;
const NOTES = 600;
const START = 100;

const hashOf = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 16);

/** How a model is about to be asked, as it is stored with the answer. */
export function callRecord(model: Model, settings: ThreadSettings, prefix: string): CallRecord {
  const { sent, dropped } = settingsFor(model, settings);
  const operator = settings.systemPrompt === undefined ? config.models.systemPrompt : undefined;
  return {
    sent,
    dropped,
    ...(operator && {
      operator: { hash: hashOf(operator), ...(operator.length <= OPERATOR_TEXT && { text: operator }) },
    }),
    ...(!model.supports.systemPrompt && { inMessage: true as const }),
    ...(settings.notes !== "none" && { proposes: true as const }),
    ...(prefix && { continued: prefix.length }),
  };
}

const names: Record<keyof CallSettings, string> = {
  temperature: "Temperature",
  topP: "Top P",
  maxTokens: "Maximum response length",
  stopSequences: "Stop sequences",
  reasoningEffort: "Reasoning effort",
};
const isCallSetting = (name: string): name is keyof CallSettings => name in names;

const inWords = (name: keyof CallSettings, value: unknown): string =>
  name === "maxTokens"
    ? `${Number(value).toLocaleString("en-US")} tokens`
    : Array.isArray(value)
      ? value.map((part) => JSON.stringify(part)).join(", ")
      : String(value);

/** The first words of a message, on one line. */
function startOf(text: string): string {
  const line = text
    .slice(0, 4 * START)
    .replace(/\s+/g, " ")
    .trim();
  if (line.length <= START) return line;
  const cut = line.slice(0, START).replace(/\p{Surrogate}$/u, "");
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), START / 2))}…`;
}

function settingsSeen({ call, settings = {} }: MessageItem): SeenView["settings"] {
  if (!call) return undefined;
  return {
    sent: Object.entries(call.sent).flatMap(([name, value]): [string, string][] =>
      isCallSetting(name) && value !== undefined ? [[names[name], inWords(name, value)]] : [],
    ),
    dropped: call.dropped.map(({ setting, reason }) => ({
      name: names[setting],
      value: settings[setting] === undefined ? "" : inWords(setting, settings[setting]),
      reason,
    })),
  };
}

function systemOf({ call, settings = {} }: MessageItem, withNotes: boolean): SeenView["system"] {
  const inMessage = call?.inMessage === true;
  const added = [...(call?.proposes ? [proposals] : []), ...(withNotes ? aboutNotes : [])];
  const rest = { inMessage, added };
  if (settings.systemPrompt !== undefined)
    return settings.systemPrompt.trim()
      ? { whose: "thread", text: settings.systemPrompt, ...(call?.masked && { masked: true }), ...rest }
      : { whose: "nobody", ...rest };
  if (!call) return { whose: "unknown", ...rest };
  if (!call.operator) return { whose: "nobody", ...rest };
  const { hash, text } = call.operator;
  const now = config.models.systemPrompt ?? "";
  const words = text ?? (hashOf(now) === hash ? now : undefined);
  return { whose: "operator", ...(words !== undefined && { text: words }), ...rest };
}

/** Tells what the model was given for an answer; `path` is what was sent of the thread, up to the question. */
export async function describeCall(
  userId: string,
  thread: Pick<Thread, "threadId" | "title">,
  answer: MessageItem,
  path: readonly MessageItem[],
): Promise<SeenView> {
  const { sidenotes, prompt, call } = answer;
  const about = {
    threadId: thread.threadId,
    threadTitle: thread.title,
    answerId: answer.id,
    at: idTime(answer.id),
    ending: answer.ending ?? ("interrupted" as const),
    model: answer.model?.name ?? "",
  };
  if (answer.blocked && answer.blocked.where !== "output") {
    const system: SeenView["system"] = { whose: "nobody", inMessage: false, added: [] };
    return {
      ...about,
      system,
      notes: [],
      notesLeftOut: 0,
      ranked: false,
      messages: [],
      shortened: false,
      unasked: answer.blocked.where === "input" ? "message" : "system prompt",
    };
  }
  const asked = (sidenotes ?? []).slice(0, NOTES);
  const states = await getNoteStates(
    userId,
    asked.map(({ noteId }) => noteId),
    { texts: true },
  );
  let room = TEXTS;
  const notes = sidenotes
    ?.toSorted((one, other) => one.number - other.number)
    .map(({ number, noteId, title, revision, cited }, index): SeenNote => {
      const note = { number, noteId, title, revision, cited };
      if (index >= NOTES) return note;
      const since = sinceThen(note, states);
      const { text } = states.get(noteId) ?? {};
      if (since.since || text === undefined || text.length > room) return { ...note, ...since };
      room -= text.length;
      return { ...note, text };
    });
  const settings = settingsSeen(answer);
  const left = whichLeft(path);
  return {
    ...about,
    ...(settings && { settings }),
    system: systemOf(answer, (notes?.length ?? 0) > 0),
    ...(notes && { notes }),
    notesLeftOut: prompt?.leftOut.notes ?? 0,
    ranked: prompt?.ranked === true,
    messages: path.filter((_, index) => !left[index]).map(({ id, role, text }) => ({ id, role, start: startOf(text) })),
    ...(prompt && { messagesLeftOut: prompt.leftOut.messages }),
    shortened: prompt?.shortened === true,
    ...(call?.continued && { continued: { length: call.continued, words: goOn } }),
  };
}
