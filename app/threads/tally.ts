/**
 * What a model call takes, as far as it can be told while it is on its way. Reasoning is billed, and mostly not seen, or
 * only as a summary: until the first word of the answer it is counted by the time that goes by.
 */
import { estimateTokens } from "~/notes/choose";

/** About how many tokens a second a model thinks; and how many are kept free for it, since some are faster. */
const PACE = 80;
const FAST = 200;
/** The most that is counted by time alone, for a call of which its vendor says nothing in the end. */
const MOST = 12_288;

export interface Tally {
  /** The model was busy, and begins at this time, in milliseconds since the epoch. */
  beginAt(time: number): void;
  add(part: { type: "text" | "reasoning"; text: string }): void;
  /** Nothing came yet. */
  isEmpty(): boolean;
  /** What it has taken, by estimate. */
  taken(): number;
  /** What it may have taken: no estimate, but what is to be reserved. */
  atMost(): number;
}

/** `thinks`: the model reasons in this call. `tellsAll`: what it shows of that is all of it, and no summary. */
export function createTally({
  thinks,
  tellsAll,
  now = Date.now,
}: {
  thinks: boolean;
  tellsAll: boolean;
  now?: () => number;
}): Tally {
  let startedAt = now();
  let text = 0;
  let reasoning = 0;
  let firstTextAt: number | undefined;

  const thought = (pace: number, most: number): number => {
    if (!thinks || (tellsAll && reasoning > 0)) return reasoning;
    const seconds = Math.max(0, (firstTextAt ?? now()) - startedAt) / 1_000;
    return Math.max(reasoning, Math.min(most, Math.ceil(seconds * pace)));
  };

  return {
    beginAt(time) {
      startedAt = time;
    },
    add(part) {
      const tokens = estimateTokens(part.text);
      if (part.type === "reasoning") reasoning += tokens;
      else {
        text += tokens;
        firstTextAt ??= now();
      }
    },
    isEmpty: () => text + reasoning === 0,
    taken: () => text + thought(PACE, MOST),
    atMost: () => text + thought(FAST, Number.POSITIVE_INFINITY),
  };
}
