/**
 * Reading along: what a tab holds of a run's text, and one stream of its events. A position is a claim and an offset
 * in the text, so what is held says by itself how any other stream goes on from it, without a gap or a repeat.
 */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { RunView } from "./view";

/** The server pings a silent stream every 10 s. */
const SILENCE = 14_000;

/** Text came that does not join on to what is held. */
export class Misaligned extends Error {}

export class HeldText {
  /** The claim that the text belongs to; null: the next text replaces what is held. */
  claimId: string | null = null;
  text = "";
  reasoning: RunView["reasoning"];

  /** Forgets all, or all but the text that a new run goes on from. */
  clear(text = ""): void {
    this.claimId = null;
    this.text = text;
    this.reasoning = undefined;
  }

  /** Takes over what the page's data has of a run. */
  join({ claimId, text, reasoning }: Omit<RunView, "claimId"> & { claimId: string | null }): void {
    this.claimId = claimId;
    this.text = text;
    this.reasoning = reasoning;
  }

  /** Where to go on reading, as a query; empty: from the beginning. */
  position(): string {
    if (this.claimId === null) return "";
    const thought = this.reasoning?.text ? `.${this.reasoning.text.length}` : "";
    return `?after=${this.claimId}.${this.text.length}${thought}`;
  }

  /** A claim's text begins anew. */
  replace(claimId: string): void {
    this.clear();
    this.claimId = claimId;
  }

  /** More text, up to the position `<claimId>.<offset>`. Throws {@link Misaligned}. */
  takeText(position: string, text: string): void {
    const dot = position.lastIndexOf(".");
    const offset = Number(position.slice(dot + 1));
    if (position.slice(0, dot) !== this.claimId || offset !== this.text.length + text.length) throw new Misaligned();
    this.text += text;
  }

  /** What is held up to `from` stays; where a producer died with more than it could keep, that is cut. */
  takeReasoning({ from, text, ms }: { from: number; text: string; ms: number }): void {
    const held = this.reasoning?.text ?? "";
    if (from > held.length) throw new Misaligned();
    this.reasoning = { text: held.slice(0, from) + text, ms };
  }
}

/**
 * Reads one stream of server-sent events until `take` says that it is over, the stream ends, breaks or falls silent,
 * or `signal` says that nobody reads any more. `heard`: at least one event came. Throws what `take` throws.
 */
export async function readEvents(
  response: Response,
  signal: AbortSignal,
  take: (event: EventSourceMessage) => boolean,
): Promise<{ over: boolean; heard: boolean }> {
  const stream = response.body?.getReader();
  const outcome = { over: false, heard: false };
  if (!stream) return outcome;
  const leave = (): void => void stream.cancel().catch(() => undefined);
  signal.addEventListener("abort", leave);
  let silence = setTimeout(leave, SILENCE);
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent(event) {
      if (outcome.over || signal.aborted) return;
      outcome.heard = true;
      outcome.over = take(event);
    },
  });
  try {
    while (!outcome.over) {
      const { done, value } = await stream.read();
      if (done) break;
      clearTimeout(silence);
      silence = setTimeout(leave, SILENCE);
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", leave);
    leave();
  }
  return outcome;
}
