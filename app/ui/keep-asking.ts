/**
 * A page asks the server again after each answer and each form. Where nobody can be reached just then (a deploy, a
 * train in a tunnel), what is on screen is worth more than an error in its place: so it is asked again for a while.
 */
import { isRouteErrorResponse } from "@remix-run/react";

/** The first pause before asking again; it doubles. Milliseconds. */
const PAUSE = 300;
const LONGEST_PAUSE = 3_000;

const pauseFor = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks until there is an answer, for up to `patience` milliseconds; then throws what went wrong last. An answer that
 * is an error, or leads elsewhere, is an answer. To be a route's clientLoader: `keepAsking(serverLoader)`.
 */
export async function keepAsking<T>(ask: () => Promise<T>, patience = 30_000, pause = pauseFor): Promise<T> {
  const until = Date.now() + patience;
  for (let wait = PAUSE; ; wait = Math.min(2 * wait, LONGEST_PAUSE)) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Response || isRouteErrorResponse(error) || Date.now() + wait > until) throw error;
      await pause(wait);
    }
  }
}
