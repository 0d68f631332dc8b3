/** What a thread's page shows: its data, and on top of it what this tab knows better. */
import { type LiveTurn, liveTurn, type ThreadLive } from "./live";
import type { MessageView, ThreadView } from "./view";

export type ShownMessage =
  | { kind: "message"; id: string; message: MessageView }
  | { kind: "question"; id: string; turn: LiveTurn }
  | { kind: "answer"; id: string; turn: LiveTurn };

/**
 * The path on screen: the page's data, and on top of it what this tab knows better. A turn stands where its
 * question stands; all that followed it on the path belongs to another version. `version`: the page's data shows a
 * version that was asked for, so a turn that this data knows and does not show belongs to another one.
 */
export function shownPath(
  view: Pick<ThreadView, "messages" | "run" | "headId"> | null,
  live: ThreadLive,
  version = false,
): ShownMessage[] {
  let path: ShownMessage[] = (view?.messages ?? []).map((message) => ({ kind: "message", id: message.id, message }));
  const turns = [...live.turns];
  if (view?.run && turns.every((turn) => turn.runId !== view.run?.runId) && !liveTurn(live)) {
    const { runId, messageId, text, reasoning, startedAt } = view.run;
    const known = turns.some((turn) => turn.runId > runId);
    if (!known)
      turns.push({
        runId,
        kind: "joined",
        questionId: messageId,
        phase: "answering",
        text,
        ...(reasoning && { reasoning }),
        startedAt,
        unsaved: false,
        stopping: false,
        cut: false,
      });
  }
  const cutAfter = (id: string | null): boolean => {
    const end = id === null ? 0 : path.findIndex((shown) => shown.id === id) + 1;
    if (id !== null && end === 0) return false;
    path = path.slice(0, end);
    return true;
  };
  for (const turn of turns) {
    if (path.some((shown) => shown.id === turn.runId)) continue;
    const { question } = turn;
    const elsewhere = version && turn.runId <= (view?.headId ?? "");
    if (path.some((shown) => shown.id === turn.questionId)) cutAfter(turn.questionId);
    else if (question && !elsewhere && cutAfter(question.parentId))
      path.push({ kind: "question", id: turn.questionId, turn });
    else continue; // It belongs to a version that is not looked at.
    if (turn.phase !== "refused" || turn.kind !== "send") path.push({ kind: "answer", id: turn.runId, turn });
  }
  return path;
}
