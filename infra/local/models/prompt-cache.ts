/**
 * The vendors' prompt caches: what was before a cache point is kept for five minutes after its last use and read by
 * a later call that begins the very same way. Bedrock keeps what it is told to, in up to four places; with Claude it
 * also looks at the twenty blocks before each of them, with others only at the place itself. OpenAI keeps the
 * beginnings of all prompts of 1,024 tokens and more, in steps of 128.
 */
import { createHash } from "node:crypto";
import { countTokens, splitTokens } from "./answer.ts";

/** Tokens. */
export interface Cached {
  read: number;
  written: number;
}

/** A part of a prompt, in its order; or a cache point. */
export type Block = { role: string; text: string } | "point";

const LIFE = 300_000;
const LOOK_BACK = 20;
const STEP = 128;

export class PromptCache {
  private readonly kept = new Map<string, number>();

  private has(key: string): boolean {
    return (this.kept.get(key) ?? 0) > Date.now();
  }

  private keep(key: string): void {
    this.kept.set(key, Date.now() + LIFE);
    if (this.kept.size > 10_000)
      for (const [old, until] of this.kept) if (until <= Date.now() || this.kept.size > 10_000) this.kept.delete(old);
  }

  clear(): void {
    this.kept.clear();
  }

  /** A call to Bedrock with its blocks and cache points. Keeps what stands before them, and tells what was kept. */
  readMarked(model: string, blocks: readonly Block[], options: { leastTokens: number; looksBack: boolean }): Cached {
    const hash = createHash("sha256").update(model);
    /** The beginnings up to each block. */
    const beginnings: { key: string; tokens: number }[] = [{ key: "", tokens: 0 }];
    const points: number[] = [];
    for (const block of blocks) {
      if (block === "point") {
        points.push(beginnings.length - 1);
        continue;
      }
      hash.update(`\0${block.role}\0${block.text}`);
      const tokens = (beginnings.at(-1)?.tokens ?? 0) + countTokens(block.text);
      beginnings.push({ key: hash.copy().digest("hex"), tokens });
    }
    const valid = points.filter((at) => (beginnings[at]?.tokens ?? 0) >= options.leastTokens);
    let read = 0;
    for (const point of valid)
      for (let at = point; at > (options.looksBack ? Math.max(0, point - LOOK_BACK) : point - 1); at -= 1) {
        const beginning = beginnings[at];
        if (!beginning || beginning.tokens <= read || !this.has(beginning.key)) continue;
        read = beginning.tokens;
        this.keep(beginning.key);
      }
    const last = Math.max(0, ...valid.map((at) => beginnings[at]?.tokens ?? 0));
    for (const at of valid) this.keep(beginnings[at]?.key ?? "");
    return { read, written: Math.max(0, last - read) };
  }

  /** A call to OpenAI, whose every beginning is kept. */
  readWhole(model: string, text: string, leastTokens: number): Cached {
    const hash = createHash("sha256").update(model);
    const pieces = splitTokens(text);
    let read = 0;
    let last = 0;
    for (const [index, piece] of pieces.entries()) {
      hash.update(piece);
      const tokens = index + 1;
      if (tokens < leastTokens || (tokens - leastTokens) % STEP !== 0) continue;
      const key = hash.copy().digest("hex");
      if (this.has(key)) read = tokens;
      this.keep(key);
      last = tokens;
    }
    return { read, written: last - read };
  }
}
