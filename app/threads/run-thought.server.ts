/**
 * A run's reasoning, beside its text: what the model thinks before and between its words, and for how long. It has
 * chunks of its own, put before the beat that counts them, so that the text's positions and rules know nothing of
 * it. They carry no end of life: the answer says how much of them counts, and nothing is written twice.
 */
import type { ThoughtItem } from "./run-items.server";

/** What a producer holds of its run's reasoning. Times are in milliseconds since the epoch. */
export function createThought(limit: number) {
  let text = "";
  /** First half of a character whose other half has not come. */
  let half = "";
  let frozen = 0;
  /** Milliseconds of what is over, and since when the model thinks again. */
  let before: number | undefined;
  let since: number | undefined;

  return {
    /** All that may be shown. */
    get text(): string {
      return text;
    },

    /** How much of it is frozen: the log's length after the next beat. */
    get frozen(): number {
      return frozen;
    },

    /** The model thinks. `added` is what may be shown of it, which can be nothing. */
    add(added: string, now: number): void {
      since ??= now;
      const all = half + added;
      half = /[\uD800-\uDBFF]$/.test(all) ? all.slice(-1) : "";
      const whole = (half ? all.slice(0, -1) : all).toWellFormed();
      const room = limit - text.length;
      text += whole.length <= room ? whole : whole.slice(0, room).replace(/[\uD800-\uDBFF]$/, "");
      if (whole.length > room) limit = text.length;
    },

    /** The model speaks, or is over. */
    pause(now: number): void {
      if (since !== undefined) before = (before ?? 0) + Math.max(0, now - since);
      since = undefined;
    },

    /** How long the model has thought; undefined: not at all. */
    ms(now: number): number | undefined {
      return since === undefined ? before : (before ?? 0) + Math.max(0, now - since);
    },

    /** The same of what is over. */
    get restedMs(): number | undefined {
      return since === undefined ? before : undefined;
    },

    /** The piece that is not in the log yet. It stays the same until it is in. */
    freeze(): ThoughtItem | undefined {
      if (text.length === frozen) return undefined;
      const piece = { from: frozen, text: text.slice(frozen) };
      frozen = text.length;
      return piece;
    },

    /** What it said is void. */
    forget(): void {
      text = "";
      half = "";
      frozen = 0;
      limit = 0;
    },
  };
}
