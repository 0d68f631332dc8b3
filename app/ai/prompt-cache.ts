/**
 * Where a prompt's beginning is marked to be kept by the vendor for the next turn. Bedrock keeps what stands before
 * a cache point, for five minutes; a later call reads it if it has the very same beginning, and (save with Claude)
 * a point at the same place. So three places are marked: the end of the system prompt, which holds the notes and
 * stays the same even when old messages are left out; the newest message that stands in the next turn too; and the
 * message that was that one in the turn before. OpenAI needs no marks: it keeps the beginnings of all prompts.
 */
import type { Model } from "./model";

/** Characters to a token, as an estimate. Too few tokens are no error: the vendor then keeps nothing. */
const TOKEN = 4;

export interface CachePoints {
  system: boolean;
  /** Indices of messages. */
  messages: ReadonlySet<number>;
}

export const noCachePoints: CachePoints = { system: false, messages: new Set() };

/**
 * The places for this prompt; none for a model without prompt caching and for a beginning that is too short.
 * `stable` is how many of the messages will stand in the next turn as they stand now.
 */
export function cachePointsFor(
  { vendor, supports }: Pick<Model, "vendor" | "supports">,
  prompt: { system: string; messages: readonly { text: string }[]; stable: number },
): CachePoints {
  const { promptCache } = supports;
  if (!promptCache || vendor !== "bedrock") return noCachePoints;
  const least = promptCache.leastTokens * TOKEN;
  const newest = Math.min(prompt.stable, prompt.messages.length) - 1;
  const messages = new Set<number>();
  let characters = prompt.system.length;
  for (const [index, { text }] of prompt.messages.entries()) {
    characters += text.length;
    // A turn is two messages: what was the newest one then is two before it now.
    if ((index === newest || index === newest - 2) && characters >= least) messages.add(index);
  }
  return { system: prompt.system.length >= least, messages };
}

/** Whether the vendor keeps this prompt's beginning by itself and wants to know what belongs together. */
export function keepsByItself(
  { vendor, supports }: Pick<Model, "vendor" | "supports">,
  prompt: { system: string; messages: readonly { text: string }[] },
): boolean {
  if (!supports.promptCache || vendor !== "openai") return false;
  const characters = prompt.messages.reduce((sum, { text }) => sum + text.length, prompt.system.length);
  return characters >= supports.promptCache.leastTokens * TOKEN;
}
