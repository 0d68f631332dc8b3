/**
 * Reading what a run and a thread say: the text that RUN vouches for, and the path of messages to a tip.
 */
import type { Basis } from "./run-basis.server";
import type { Address, MessageItem, RunItem } from "./run-items.server";

interface Path {
  /** Newest first, from the tip. */
  path: MessageItem[];
  read: Map<string, MessageItem>;
  /** Whether nothing is missing between the tip and the root (or the limit). */
  whole: boolean;
}

type Page = { items: MessageItem[]; cursor?: string };

export function createReading({ store }: Basis) {
  /** Pieces of a claim's text or reasoning joined, from an offset up to an end. Not whole: one is missing. */
  async function readPieces(
    kind: "chunk" | "thought",
    claim: Address & { claimId: string },
    { offset, end }: { offset: number; end: number },
  ): Promise<{ text: string; whole: boolean }> {
    if (offset >= end) return { text: "", whole: true };
    let from = 0;
    if (offset > 0) {
      const before = await store.list(kind, { ...claim, to: offset }, { consistent: true, backwards: true, limit: 1 });
      from = before.items[0]?.from ?? 0;
    }
    let text = "";
    let whole = true;
    let cursor: string | undefined;
    do {
      const page = await store.list(
        kind,
        { ...claim, from, to: end - 1 },
        { consistent: true, ...(cursor === undefined ? {} : { cursor }) },
      );
      for (const piece of page.items) {
        if (piece.from !== from + text.length) whole = false;
        text += piece.text;
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    if (from + text.length !== end) whole = false;
    return { text: text.slice(offset - from), whole };
  }

  /**
   * The text that RUN vouches for, from an offset on: counted chunks, then the tail. Not whole: a chunk is
   * missing, so RUN has changed since it was read, or the chunks have expired.
   */
  async function readLog(address: Address, run: RunItem, offset: number): Promise<{ text: string; whole: boolean }> {
    const { claimId = "", base = 0, tail = "" } = run;
    if (offset >= base) return { text: tail.slice(offset - base), whole: true };
    const { text, whole } = await readPieces("chunk", { ...address, claimId }, { offset, end: base });
    return { text: text + tail, whole };
  }

  /** The first `length` units of a claim's reasoning, from an offset on. Not whole: as with {@link readLog}. */
  const readThought = (address: Address, claimId: string, length: number, offset: number) =>
    readPieces("thought", { ...address, claimId }, { offset, end: length });

  /**
   * The chain of parents from a message. With `jump` it reads from the tip, and goes on at the parent wherever the
   * chain leaves the page. Without, it reads all from the newest message down to the first one (or the limit), so
   * that the other versions of each message come along.
   */
  async function readPath(
    address: Address,
    tipId: string,
    how: { consistent: boolean; limit: number; jump: boolean; first?: Page | undefined },
  ): Promise<Path> {
    const { consistent, limit: most, jump } = how;
    const path: MessageItem[] = [];
    const read = new Map<string, MessageItem>();
    const size = jump ? { limit: most + 2 } : {};
    let wanted = tipId;
    let whole = false;
    let page = how.first;
    let cursor: string | undefined;
    for (;;) {
      page ??= await store.list(
        "message",
        { ...address, ...(jump ? { to: wanted } : {}) },
        { consistent, backwards: true, ...size, ...(cursor === undefined ? {} : { cursor }) },
      );
      for (const message of page.items) read.set(message.id, message);
      for (let found = read.get(wanted); found && !whole; found = read.get(wanted)) {
        path.push(found);
        wanted = found.parentId ?? "";
        whole = found.parentId === null || path.length >= most;
      }
      const last = page.items.at(-1);
      const isMissing = !whole && last !== undefined && last.id <= wanted;
      const isEnough = whole && (jump || path.length >= most);
      if (page.cursor === undefined || isMissing || isEnough) return { path, read, whole };
      cursor = jump ? undefined : page.cursor;
      page = undefined;
    }
  }

  /** The path to a message for a prompt, oldest first. Undefined: a message is missing. */
  async function readHistory(
    address: Address,
    tipId: string | null,
    wanted: number,
    first?: Page,
  ): Promise<MessageItem[] | undefined> {
    if (tipId === null) return [];
    const how = { limit: Math.max(1, wanted), jump: true };
    let found = await readPath(address, tipId, { ...how, consistent: false, first });
    if (!found.whole) found = await readPath(address, tipId, { ...how, consistent: true });
    return found.whole ? found.path.reverse() : undefined;
  }

  return { readLog, readThought, readPath, readHistory };
}
