/**
 * What one invocation of the server is: its id, when the platform will kill it, and the work that must be
 * done before it may end. Lambda freezes a function at the end of an invocation, so work that outlives the
 * response is handed to `waitUntil`, and the entry awaits it.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export interface Invocation {
  /** The platform's request id, for logs. */
  requestId: string;
  /** Milliseconds since the epoch at which the platform kills the process. */
  deadline: number;
  /** Keeps the invocation alive until the promise settles. Rejections are the caller's to handle. */
  waitUntil(work: Promise<unknown>): void;
}

const storage = new AsyncLocalStorage<Invocation>();

/** Runs `work` as part of `invocation`; everything awaited inside sees it by {@link currentInvocation}. */
export function runInvocation<T>(invocation: Invocation, work: () => T): T {
  return storage.run(invocation, work);
}

/** The invocation that the calling code belongs to. Throws outside of one: that is a bug. */
export function currentInvocation(): Invocation {
  const invocation = storage.getStore();
  if (!invocation) throw new Error("No invocation: the server was entered without runInvocation");
  return invocation;
}
