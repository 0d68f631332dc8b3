/** Reading what the forms of notes were answered. */
import type { ShouldRevalidateFunctionArgs } from "@remix-run/react";
import { useEffect, useRef } from "react";

/**
 * Calls `handle` once for each answer of a fetcher. Its effect has no list of dependencies on purpose: the router
 * changes fetchers in place, so a render that React throws away may have seen an answer already, and an effect that
 * waits for a change would then wait for ever (react/react#23090, remix-run/react-router#15028).
 */
export function useAnswer<T>(answer: T | undefined, handle: (answer: T) => void): void {
  const handled = useRef<T | undefined>(undefined);
  useEffect(() => {
    if (answer === undefined || answer === handled.current) return;
    handled.current = answer;
    handle(answer);
  });
}

/**
 * Whether a form was refused, by the server or because nobody could be reached: then nothing changed, and what is
 * on the page need not be asked for again. Asking would even close the page if nobody can be reached.
 */
export function wasRefused({
  actionStatus,
  actionResult,
}: Pick<ShouldRevalidateFunctionArgs, "actionStatus" | "actionResult">): boolean {
  const answer: unknown = actionResult;
  return (
    (actionStatus !== undefined && actionStatus >= 400) ||
    (typeof answer === "object" && answer !== null && "refused" in answer)
  );
}
