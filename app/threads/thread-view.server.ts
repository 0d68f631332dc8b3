/** What a person is shown of their threads: a thread's page, what stands behind an answer, what happens meanwhile. */
import { PublicError } from "~/errors";
import { costView, sumOfCosts } from "./cost";
import { idTime, isId, isRunId } from "./ids";
import type { MessageItem } from "./run-items.server";
import { runs } from "./runs.server";
import { describeCall, type SeenView } from "./seen.server";
import { readNotesOf } from "./sidenotes.server";
import { keptUntil, requireThread, storedSettingsOf } from "./threads.server";
import { readUsage } from "./usage.server";
import type { ActivityView, MessageView, ThreadView, UsageView } from "./view";

/** Which of the person's threads are answering, and which have an answer that nobody has seen. One Get. */
export const getActivity = (userId: string): Promise<ActivityView> => runs.getActivity(userId);

/** What a person used in the last thirty days and in this month. */
export const getUsage = (userId: string): Promise<UsageView> => readUsage(runs, userId);

/**
 * All that the thread's page shows. `at` names a message whose branch is looked at; without it, the newest one.
 * Throws `not-found`.
 */
export async function loadThread(userId: string, threadId: string, options: { at?: string } = {}): Promise<ThreadView> {
  if (!isId(threadId)) throw new PublicError("not-found");
  const loaded = await runs.loadThread(
    { userId, threadId },
    options.at && isId(options.at) ? { tipId: options.at } : {},
  );
  const card = loaded?.thread.card;
  if (!loaded || !card) throw new PublicError("not-found");
  const summary = { threadId, title: card.title, pinned: card.pinned, activityAt: card.at };
  const expires = keptUntil(summary);
  if (expires !== null && expires < Date.now()) throw new PublicError("not-found");

  const byId = new Map(loaded.messages.map((message) => [message.id, message]));
  const versions = new Map<string, string[]>();
  const family = ({ role, parentId }: MessageItem): string => `${role} ${parentId ?? ""}`;
  for (const message of loaded.messages)
    versions.set(family(message), [...(versions.get(family(message)) ?? []), message.id]);

  // A link to a message that is not there leads to the thread as it is.
  if (options.at && loaded.path.length === 0 && loaded.messages.length > 0) return loadThread(userId, threadId);
  const path = loaded.path.flatMap((messageId) => byId.get(messageId) ?? []);
  // A version is looked at down to its newest end: its answers and what was said after it belong to it.
  for (let next = path.at(-1); options.at && next; ) {
    const { id }: MessageItem = next;
    next = loaded.messages.findLast(({ parentId }) => parentId === id);
    if (next) path.push(next);
  }
  const notesOf = await readNotesOf(userId, path, new Set(loaded.thread.dismissed));
  const liveQuestion = loaded.live && byId.get(loaded.live.messageId);
  return {
    thread: { ...summary, ...storedSettingsOf(loaded.thread), keptUntil: expires },
    messages: path.map((message) => ({
      ...messageView(message, versions.get(family(message)) ?? [message.id]),
      ...notesOf(message),
    })),
    run: loaded.live,
    headId: loaded.headId,
    cost: sumOfCosts(loaded.messages),
    tipId: path.at(-1)?.id ?? null,
    numbers: (liveQuestion?.given?.notes ?? []).map(({ number, noteId, title }) => ({ number, noteId, title })),
  };
}

function messageView(message: MessageItem, versions: string[]): MessageView {
  const { id, role, text, parentId, ending, error, finishReason, model, settings, usage, durationMs } = message;
  const { prompt, reasoning, masked, blocked, cost } = message;
  return {
    id,
    role,
    text,
    parentId,
    createdAt: idTime(id),
    versions,
    ...(ending && { ending }),
    ...(error && { error }),
    ...(finishReason && { finishReason }),
    ...(model && { model }),
    ...(settings && { settings }),
    ...(usage && { usage }),
    ...(cost && { cost: costView(cost) }),
    ...(durationMs !== undefined && { durationMs }),
    ...(reasoning && { reasoning }),
    ...(prompt && {
      prompt: { messages: prompt.messages, leftOut: prompt.leftOut, ...(prompt.shortened && { shortened: true }) },
    }),
    ...(masked && { masked }),
    ...(blocked && { blocked: { where: blocked.where, policies: blocked.policies } }),
  };
}

/** The reasoning of an answer; empty if none of it was kept. Throws `not-found`. */
export async function getReasoning(userId: string, threadId: string, messageId: string): Promise<string> {
  if (!isId(threadId) || !isId(messageId)) throw new PublicError("not-found");
  const text = await runs.getReasoning({ userId, threadId }, messageId);
  if (text === undefined) throw new PublicError("not-found");
  return text;
}

/** What the model was given for an answer. Throws `not-found`, also for a question and for an answer that still runs. */
export async function getSeen(userId: string, threadId: string, messageId: string): Promise<SeenView> {
  if (!isId(threadId) || !isRunId(messageId)) throw new PublicError("not-found");
  const address = { userId, threadId };
  const [thread, pair] = await Promise.all([requireThread(userId, threadId), runs.readHistory(address, messageId, 2)]);
  const [question, answer] = pair ?? [];
  if (question?.role !== "user" || answer?.role !== "assistant") throw new PublicError("not-found");
  const sent = answer.prompt ? question.depth + 1 - answer.prompt.leftOut.messages : 1;
  const path = sent > 1 ? await runs.readHistory(address, question.id, sent) : [question];
  return describeCall(userId, thread, answer, path ?? [question]);
}
