/** The run protocol as this server runs it: on the table, by the real clock, with the guardrail and the budgets. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { checkQuestion } from "~/ai/guardrail.server";
import { config } from "~/config.server";
import { logError } from "~/http.server";
import { getNote } from "~/notes/notes.server";
import { citedSidenotes } from "./prompt.server";
import { createRuns } from "./run.server";
import type { Given } from "./run-items.server";
import { runStore } from "./run-store.server";
import { keptUntil, newThreadItem } from "./threads.server";
import { titleFrom, UNTITLED } from "./title";
import { settleAnswer } from "./usage.server";
import type { Sidenote } from "./view";

export const runs = createRuns({
  store: runStore,
  clock: {
    now: Date.now,
    sleep: async (ms, signal) => {
      try {
        await sleep(ms, undefined, { signal });
      } catch (error) {
        // An aborted sleep is a short one.
        if (!signal?.aborted) throw error;
      }
    },
  },
  newClaimId: () => randomBytes(12).toString("base64url"),
  random: Math.random,
  times: { beat: config.run.beatMs, lease: config.run.leaseMs },
  limits: { liveRuns: config.limits.liveRuns },
  threadOf: ({ userId, threadId }, { text, blocked, given }) =>
    newThreadItem(userId, threadId, blocked?.where === "input" ? UNTITLED : titleFrom(text), given?.settings ?? {}),
  isKept: ({ card }) =>
    !card || (keptUntil({ pinned: card.pinned, activityAt: card.at }) ?? Number.POSITIVE_INFINITY) > Date.now(),
  check: checkQuestion,
  cite: citeStored,
  finish: ({ address, answer }) => settleAnswer(address.userId, answer),
  report: ({ during, error }) => logError(error, `run: ${during}`),
});

/**
 * Sidenotes of an answer by what is stored of it: its producer is dead, or is still writing. A note that changed since
 * gives no passage.
 */
export async function citeStored({ userId }: { userId: string }, answer: string, given: Given): Promise<Sidenote[]> {
  const bare = given.notes.map((note) => ({ ...note, text: "" }));
  const cited = new Set(citedSidenotes(answer, bare).flatMap(({ cited, noteId }) => (cited ? [noteId] : [])));
  const notes = await Promise.all(
    bare.map(async (note) => {
      const now = cited.has(note.noteId) ? await getNote(userId, note.noteId) : undefined;
      return now?.revision === note.revision ? { ...note, text: now.text } : note;
    }),
  );
  return citedSidenotes(answer, notes);
}
