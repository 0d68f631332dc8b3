/** What a person does to a thread beside talking in it, and how deleted and expired ones are removed for good. */
import { PublicError } from "~/errors";
import { logError } from "~/http.server";
import { currentInvocation } from "~/invocation.server";
import { isId } from "./ids";
import { runs } from "./runs.server";
import type { ThreadForm } from "./thread-form";
import {
  dismissSuggestion,
  forgetTombstone,
  listExpiredThreads,
  listTombstones,
  pinThread,
  renameThread,
  requireThread,
} from "./threads.server";

/** Carries out one of the forms of a thread's page. Throws `not-found` and `bad-request`. */
export async function changeThread(userId: string, threadId: string, form: ThreadForm): Promise<void> {
  if (!isId(threadId)) throw new PublicError("not-found");
  const address = { userId, threadId };
  switch (form.intent) {
    case "rename":
      return renameThread(userId, threadId, form.title);
    case "pin":
      return pinThread(userId, threadId, form.pinned);
    case "suggestion":
      return dismissSuggestion(userId, threadId, `${form.messageId}.${form.nth}`, form.dismissed);
    case "seen":
      await requireThread(userId, threadId);
      return runs.markSeen(address);
    case "delete":
      if (!(await runs.deleteThread(address))) throw new PublicError("not-found");
      // What is left of it is unreadable from here on; it is removed beside the answer, and again later.
      currentInvocation().waitUntil(
        runs.sweepThread(address).catch((error: unknown) => logError(error, "sweep of a deleted thread")),
      );
  }
}

/** How long a dying server may still write into a thread that was deleted: longer than any function lives. */
const LATE_MS = 20 * 60_000;

/**
 * Finishes what deletions left undone, and deletes the threads whose retention is over with all that is in them.
 * Repeatable from any step. Called after a sign-in, beside the answer.
 */
export async function tidyThreads(userId: string, now = Date.now()): Promise<void> {
  for (const threadId of await listExpiredThreads(userId, now)) {
    await removeThread(userId, threadId);
  }
  for (const threadId of await listTombstones(userId, now - LATE_MS)) {
    await runs.sweepThread({ userId, threadId });
    await forgetTombstone(userId, threadId);
  }
}

/** As {@link tidyThreads}, beside the answer of this request. */
export function tidyAfterSignIn(userId: string): void {
  currentInvocation().waitUntil(tidyThreads(userId).catch((error: unknown) => logError(error, "tidying of threads")));
}

/** Deletes one thread with all that is in it; its run ends at the next beat. A repeat is harmless. */
export async function removeThread(userId: string, threadId: string): Promise<void> {
  await runs.deleteThread({ userId, threadId });
  await runs.sweepThread({ userId, threadId });
}
