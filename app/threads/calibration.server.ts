/**
 * How many real tokens one of our own estimate stands for. We count characters; every family of models cuts them
 * into tokens its own way, and languages and code differ more than families do. So the earlier answers of the thread
 * say how far the estimate was off: each stores what was estimated for its prompt beside what its vendor reported.
 */
import { traitsOf } from "~/ai/families";
import { parseModelRef } from "~/ai/settings";

export interface Measured {
  model?: { ref: string } | undefined;
  /** As the vendor reported it. */
  usage?: { inputTokens: number } | undefined;
  prompt?: { tokens: number } | undefined;
}

/** So many of the newest answers count. */
const ANSWERS = 5;
/** A vendor that reports less or more than this has counted something else. */
const LEAST = 0.4;
const MOST = 2.5;

/** Models of one family count alike; of an unknown one each for itself. */
function kindOf(ref: string): string {
  const parsed = parseModelRef(ref);
  const { family } = parsed ? traitsOf(parsed.vendor, parsed.id) : { family: "unknown" };
  return family === "unknown" ? ref : family;
}

/** The scale for a model, by the newest answers (`history` has the oldest first) of its family; 1 without any. */
export function calibrationOf(history: readonly Measured[], ref: string): { scale: number; answers: number } {
  const kind = kindOf(ref);
  let estimated = 0;
  let reported = 0;
  let answers = 0;
  for (const { model, usage, prompt } of history.toReversed()) {
    if (!model || !usage?.inputTokens || !prompt?.tokens || kindOf(model.ref) !== kind) continue;
    estimated += prompt.tokens;
    reported += usage.inputTokens;
    answers += 1;
    if (answers === ANSWERS) break;
  }
  if (answers === 0) return { scale: 1, answers };
  return { scale: Math.min(MOST, Math.max(LEAST, reported / estimated)), answers };
}
