/**
 * Threads: the item that a list shows and that decides whether the rest may be read. What happens inside a
 * thread is the run protocol's matter. A thread whose last activity is older than the retention counts as deleted
 * from then on. It carries no TTL: the table would remove this item alone, and nobody would find its insides again.
 * Whoever signs in has their expired threads deleted with all that is in them.
 */
import { Entity } from "dynamodb-toolbox/entity";
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { $add, $delete, $remove, $set, UpdateItemCommand } from "dynamodb-toolbox/entity/actions/update";
import { any } from "dynamodb-toolbox/schema/any";
import { boolean } from "dynamodb-toolbox/schema/boolean";
import { item } from "dynamodb-toolbox/schema/item";
import { map } from "dynamodb-toolbox/schema/map";
import { number } from "dynamodb-toolbox/schema/number";
import { record } from "dynamodb-toolbox/schema/record";
import { set } from "dynamodb-toolbox/schema/set";
import { string } from "dynamodb-toolbox/schema/string";
import { QueryCommand } from "dynamodb-toolbox/table/actions/query";
import { z } from "zod";
import { type SettingsChange, type ThreadSettings, threadSettings } from "~/ai/settings";
import { config } from "~/config.server";
import { activityAt, keys, personPartition, prefixes } from "~/data/keys.server";
import { isRefused, table } from "~/data/table.server";
import { PublicError } from "~/errors";
import { isId } from "./ids";
import type { PromptPass } from "./run-items.server";
import { cleanTitle, titleFrom, UNTITLED } from "./title";
import type { ThreadCard } from "./view";

const card = map({ title: string(), pinned: boolean(), at: number() });

/** The whole Thread item. A tombstone keeps its key and `deletedAt`. */
export const ThreadEntity = new Entity({
  name: "Thread",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({
    pk: string().key(),
    sk: string().key(),
    activityAt: string().optional(),
    card: card.optional(),
    settings: record(string(), any()).optional(),
    /** Counts their changes. */
    settingsRevision: number().optional(),
    untitled: boolean().optional(),
    dismissed: set(string()).optional(),
    promptPass: map({ hash: string(), text: string().optional() }).optional(),
    createdAt: number().optional(),
    deletedAt: number().optional(),
    expiresAt: number().optional(),
  }),
});

/** A thread's settings as they stand, and after how many changes. */
export interface StoredSettings {
  settings: ThreadSettings;
  settingsRevision: number;
}

/** Settings as stored; one that this version does not understand any more counts as never changed. */
export function readSettings(stored: unknown): ThreadSettings {
  const { shape } = threadSettings;
  const known = Object.entries(stored ?? {}).flatMap(([name, value]) => {
    const parsed = name in shape ? shape[name as keyof typeof shape].safeParse(value) : undefined;
    return parsed?.success ? [[name, parsed.data]] : [];
  });
  return Object.fromEntries(known);
}

/** The settings of a Thread item. */
export const storedSettingsOf = (item: {
  settings?: unknown;
  settingsRevision?: number | undefined;
}): StoredSettings => ({
  settings: readSettings(item.settings),
  settingsRevision: item.settingsRevision ?? 0,
});

/** What the index shows of it. */
const ThreadCardEntity = new Entity({
  name: "ThreadCard",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({ pk: string().key(), sk: string().key(), activityAt: string(), card }),
});

export interface Thread extends ThreadCard, StoredSettings {
  createdAt: number;
}

const DAY = 86_400_000;

/** When a thread expires, in milliseconds since the epoch; null while it is pinned. */
export function keptUntil(thread: Pick<ThreadCard, "pinned" | "activityAt">): number | null {
  return thread.pinned ? null : thread.activityAt + config.retentionDays * DAY;
}

/** Whether its retention is not over. */
export const isKept = (thread: Pick<ThreadCard, "pinned" | "activityAt">, now = Date.now()): boolean =>
  (keptUntil(thread) ?? now + 1) > now;

/** The attributes of a new Thread item. One that is {@link UNTITLED} can be given a title by {@link titleThread}. */
export function newThreadItem(
  userId: string,
  threadId: string,
  title: string,
  settings: ThreadSettings,
  now = Date.now(),
) {
  return {
    ...keys.thread(userId, threadId),
    activityAt: activityAt.thread(false, now),
    card: { title, pinned: false, at: now },
    ...(title === UNTITLED && { untitled: true }),
    settings,
    createdAt: now,
  };
}

/** The thread, or undefined if it is absent, deleted or expired. Read consistently. */
export async function getThread(userId: string, threadId: string): Promise<Thread | undefined> {
  const { Item } = await ThreadEntity.build(GetItemCommand)
    .key(keys.thread(userId, threadId))
    .options({ consistent: true })
    .send();
  if (!Item?.card || Item.deletedAt) return undefined;
  const thread: Thread = {
    threadId,
    title: Item.card.title,
    pinned: Item.card.pinned,
    activityAt: Item.card.at,
    ...storedSettingsOf(Item),
    createdAt: Item.createdAt ?? Item.card.at,
  };
  return isKept(thread) ? thread : undefined;
}

/** As {@link getThread}; throws `not-found`. */
export async function requireThread(userId: string, threadId: string): Promise<Thread> {
  const thread = await getThread(userId, threadId);
  if (!thread) throw new PublicError("not-found");
  return thread;
}

const cursorSchema = z.strictObject({
  a: z.string().regex(/^THREAD#[01]#\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  s: z.string().refine((sk) => sk.startsWith(prefixes.thread) && isId(sk.slice(prefixes.thread.length))),
});

function readCursor(cursor: string): z.infer<typeof cursorSchema> {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch (error) {
    throw new PublicError("bad-request", { message: "This page of the list does not exist.", cause: error });
  }
}

/**
 * A page of the person's threads: pinned ones first, then the newest activity first. The cursor names a place
 * inside the person's own partition only. Throws `bad-request` on a forged one.
 */
export async function listThreads(
  userId: string,
  options: { cursor?: string; limit?: number } = {},
): Promise<{ items: ThreadCard[]; cursor?: string }> {
  const limit = options.limit ?? 50;
  const start = options.cursor ? readCursor(options.cursor) : undefined;
  const items: ThreadCard[] = [];
  let from: Record<string, unknown> | undefined = start && {
    pk: personPartition(userId),
    sk: start.s,
    activityAt: start.a,
  };
  do {
    const page = await table
      .build(QueryCommand)
      .query({ index: "byActivity", partition: personPartition(userId), range: { beginsWith: "THREAD#" } })
      .entities(ThreadCardEntity)
      .options({
        reverse: true,
        consistent: true,
        limit: limit - items.length,
        entityAttrFilter: false,
        exclusiveStartKey: from,
      })
      .send();
    for (const { sk, card } of page.Items ?? []) {
      const thread = {
        threadId: sk.slice(prefixes.thread.length),
        title: card.title,
        pinned: card.pinned,
        activityAt: card.at,
      };
      if (isKept(thread)) items.push(thread);
    }
    from = page.LastEvaluatedKey;
  } while (from && items.length < limit);
  if (!from) return { items };
  const cursor = cursorSchema.parse({ a: from.activityAt, s: from.sk });
  return { items, cursor: Buffer.from(JSON.stringify(cursor)).toString("base64url") };
}

/** The thread is there, was not deleted, and its retention is not over. */
const alive = () => ({
  and: [
    { attr: "sk" as const, exists: true },
    { attr: "deletedAt" as const, exists: false },
    {
      or: [
        { attr: "card.pinned" as const, eq: true },
        { attr: "card.at" as const, gt: Date.now() - config.retentionDays * DAY },
      ],
    },
  ],
});

async function change<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isRefused(error) ? new PublicError("not-found") : error;
  }
}

/** Gives the thread a title of the person's own. Does not count as activity. Throws `not-found`. */
export async function renameThread(userId: string, threadId: string, title: string): Promise<void> {
  const clean = cleanTitle(title);
  if (clean === "") throw new PublicError("bad-request", { message: "A title needs at least one letter." });
  await change(
    ThreadEntity.build(UpdateItemCommand)
      .item({ ...keys.thread(userId, threadId), card: { title: clean }, untitled: $remove() })
      .options({ condition: alive() })
      .send(),
  );
}

/**
 * Gives a thread that was made without a title its first one, from a message. One that the person, or another message,
 * has named meanwhile keeps its name.
 */
export async function titleThread(userId: string, threadId: string, text: string): Promise<void> {
  const title = titleFrom(text);
  if (title === UNTITLED) return;
  try {
    await ThreadEntity.build(UpdateItemCommand)
      .item({ ...keys.thread(userId, threadId), card: { title }, untitled: $remove() })
      .options({ condition: { and: [alive(), { attr: "untitled", exists: true }] } })
      .send();
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
}

/**
 * Changes some of the thread's settings; those that another tab changed stay. Takes effect with the next message.
 * Returns all of them as they then stand. Throws `not-found`.
 */
export async function changeThreadSettings(
  userId: string,
  threadId: string,
  { set, unset }: SettingsChange,
): Promise<StoredSettings> {
  // As a whole each: a list would otherwise be written element by element, and keep its longer end.
  const settings = Object.fromEntries([
    ...unset.map((name) => [name, $remove()]),
    ...Object.entries(set).map(([name, value]) => [name, $set(value)]),
  ]);
  const { Attributes } = await change(
    ThreadEntity.build(UpdateItemCommand)
      .item({ ...keys.thread(userId, threadId), settings, settingsRevision: $add(1) })
      .options({ condition: alive(), returnValues: "ALL_NEW" })
      .send(),
  );
  return storedSettingsOf(Attributes ?? {});
}

/** Remembers the system prompt that the guardrail let pass, in place of an earlier one. Not in a deleted thread. */
export async function keepPromptPass(userId: string, threadId: string, pass: PromptPass): Promise<void> {
  try {
    await ThreadEntity.build(UpdateItemCommand)
      .item({ ...keys.thread(userId, threadId), promptPass: $set(pass) })
      .options({ condition: alive() })
      .send();
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
}

/** So many dismissed suggestions a thread remembers. */
const MOST_DISMISSED = 500;

/** Remembers that the person wants no note of a suggestion, `<id of the answer>.<which of it>`, or takes that back. */
export async function dismissSuggestion(
  userId: string,
  threadId: string,
  suggestion: string,
  dismissed: boolean,
): Promise<void> {
  const key = keys.thread(userId, threadId);
  const room = {
    or: [
      { attr: "dismissed" as const, exists: false },
      { size: "dismissed" as const, lt: MOST_DISMISSED },
    ],
  };
  await change(
    ThreadEntity.build(UpdateItemCommand)
      .item({ ...key, dismissed: dismissed ? $add(new Set([suggestion])) : $delete(new Set([suggestion])) })
      .options({ condition: dismissed ? { and: [alive(), room] } : alive() })
      .send(),
  );
}

/** Pins the thread, so that it never expires and stands first, or takes the pin off. */
export async function pinThread(userId: string, threadId: string, pinned: boolean): Promise<void> {
  const thread = await requireThread(userId, threadId);
  await change(
    ThreadEntity.build(UpdateItemCommand)
      .item({
        ...keys.thread(userId, threadId),
        activityAt: activityAt.thread(pinned, thread.activityAt),
        card: { pinned },
      })
      .options({ condition: alive() })
      .send(),
  );
}

/**
 * Marks the thread as just used: it moves up the list and its expiry moves on. Returns false if it was deleted
 * meanwhile: then the caller ends its run.
 */
export async function touchThread(
  userId: string,
  threadId: string,
  pinned: boolean,
  now = Date.now(),
): Promise<boolean> {
  const touch = (asPinned: boolean) =>
    ThreadEntity.build(UpdateItemCommand)
      .item({
        ...keys.thread(userId, threadId),
        activityAt: activityAt.thread(asPinned, now),
        card: { at: now },
      })
      .options({ condition: { and: [alive(), { attr: "card.pinned", eq: asPinned }] } })
      .send();
  for (const asPinned of [pinned, !pinned]) {
    try {
      await touch(asPinned);
      return true;
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
  return false;
}

/** The ids of threads in one range of the index, from the oldest; at most a page of 100 items is looked at. */
async function listIds(userId: string, range: [string, string]): Promise<string[]> {
  const { Items = [] } = await table
    .build(QueryCommand)
    .query({ index: "byActivity", partition: personPartition(userId), range: { between: range } })
    .options({ consistent: true, limit: 100 })
    .send();
  // Tombstones of notes stand in the same range.
  return Items.flatMap(({ sk }) =>
    String(sk).startsWith(prefixes.thread) ? [String(sk).slice(prefixes.thread.length)] : [],
  );
}

/** Threads whose retention is over, the oldest first. */
export const listExpiredThreads = (userId: string, now = Date.now()): Promise<string[]> =>
  listIds(userId, [activityAt.thread(false, 0), activityAt.thread(false, now - config.retentionDays * DAY)]);

/** Tombstones of threads that were deleted before `before`, in milliseconds since the epoch. */
export const listTombstones = (userId: string, before: number): Promise<string[]> =>
  listIds(userId, [activityAt.deleted(0), activityAt.deleted(before)]);

/** Takes a tombstone out of the index: nothing is left to do for it. It stays until its TTL, so that its id is not used again. */
export async function forgetTombstone(userId: string, threadId: string): Promise<void> {
  await ThreadEntity.build(UpdateItemCommand)
    .item({ ...keys.thread(userId, threadId), activityAt: $remove() })
    .options({ condition: { attr: "deletedAt", exists: true } })
    .send();
}
