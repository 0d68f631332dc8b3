/**
 * The run protocol's port on the one table. Conditions and changes come as plain data and are handed on as they
 * are, so that the table decides by the very data that the model check decides by. The mapping of each item that
 * the protocol owns stands here (the Thread's stands with the threads). RUN is written once a second and must
 * stay under 1 KB: hence its stored names of one letter.
 */
import { BatchWriteCommand, type BatchWriteCommandOutput } from "@aws-sdk/lib-dynamodb";
import { Entity } from "dynamodb-toolbox/entity";
import { DeleteItemCommand } from "dynamodb-toolbox/entity/actions/delete";
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { PutItemCommand } from "dynamodb-toolbox/entity/actions/put";
import { $remove, $set, UpdateItemCommand } from "dynamodb-toolbox/entity/actions/update";
import { any } from "dynamodb-toolbox/schema/any";
import { boolean } from "dynamodb-toolbox/schema/boolean";
import { item } from "dynamodb-toolbox/schema/item";
import { list } from "dynamodb-toolbox/schema/list";
import { map } from "dynamodb-toolbox/schema/map";
import { number } from "dynamodb-toolbox/schema/number";
import { record } from "dynamodb-toolbox/schema/record";
import { string } from "dynamodb-toolbox/schema/string";
import { QueryCommand } from "dynamodb-toolbox/table/actions/query";
import { config } from "~/config.server";
import { type Key, keys, prefixes, threadPartition } from "~/data/keys.server";
import { documents, isRefused, table } from "~/data/table.server";
import type { Address, Change, Condition, ItemKeys, Items, Kind, Outcome, Ranges, RunStore } from "./run-items.server";
import { isKept, ThreadEntity } from "./threads.server";

const key = { pk: string().key(), sk: string().key() };
const plain = { table, entityAttribute: false, timestamps: false } as const;

const RunEntity = new Entity({
  ...plain,
  name: "Run",
  schema: item({
    ...key,
    state: string().enum("live", "ended", "deleted").savedAs("s"),
    runId: string().optional().savedAs("r"),
    claimId: string().optional().savedAs("c"),
    messageId: string().optional().savedAs("m"),
    parentId: string().optional().savedAs("p"),
    hash: string().optional().savedAs("h"),
    prev: string().optional().savedAs("v"),
    again: boolean().optional().savedAs("a"),
    beat: number().optional().savedAs("b"),
    base: number().optional().savedAs("o"),
    tail: string().optional().savedAs("t"),
    thought: number().optional().savedAs("k"),
    thoughtMs: number().optional().savedAs("q"),
    leaseUntil: number().optional().savedAs("l"),
    startedAt: number().optional().savedAs("d"),
    stop: boolean().optional().savedAs("x"),
    ending: string().optional().savedAs("e"),
    error: string().optional().savedAs("f"),
    finishReason: string().optional().savedAs("g"),
    usage: map({
      inputTokens: number().savedAs("i"),
      outputTokens: number().savedAs("o"),
      cacheReadTokens: number().optional().savedAs("r"),
      cacheWriteTokens: number().optional().savedAs("w"),
      reasoningTokens: number().optional().savedAs("t"),
    })
      .optional()
      .savedAs("u"),
    spent: map({ inputTokens: number().savedAs("i"), outputTokens: number().savedAs("o") })
      .optional()
      .savedAs("y"),
    masked: boolean().optional().savedAs("j"),
    blocked: map({ where: string().savedAs("w"), policies: list(string()).savedAs("p") })
      .optional()
      .savedAs("n"),
    guardrail: map({ units: number().savedAs("n") })
      .optional()
      .savedAs("w"),
    endedAt: number().optional().savedAs("z"),
    expiresAt: number().optional(),
  }),
});

const ChunkEntity = new Entity({
  ...plain,
  name: "Chunk",
  schema: item({ ...key, from: number(), text: string(), expiresAt: number() }),
});

const ThoughtEntity = new Entity({
  ...plain,
  name: "Thought",
  schema: item({ ...key, from: number(), text: string() }),
});

const ContextEntity = new Entity({
  ...plain,
  name: "Context",
  schema: item({ ...key, given: any(), depth: number(), expiresAt: number() }),
});

const MessageEntity = new Entity({
  ...plain,
  name: "Message",
  schema: item({
    ...key,
    role: string().enum("user", "assistant"),
    text: string(),
    /** Absent: it has none. */
    parentId: string().optional(),
    depth: number(),
    createdAt: number(),
    hash: string(),
    masked: boolean().optional(),
    blocked: any().optional(),
    given: any().optional(),
    claimId: string().optional(),
    ending: string().optional(),
    error: string().optional(),
    finishReason: string().optional(),
    model: map({ ref: string(), name: string() }).optional(),
    settings: any().optional(),
    usage: any().optional(),
    cost: any().optional(),
    guardrail: any().optional(),
    durationMs: number().optional(),
    reasoning: map({ length: number(), ms: number() }).optional(),
    sidenotes: any().optional(),
    prompt: any().optional(),
    call: any().optional(),
  }),
});

const ActivityEntity = new Entity({
  ...plain,
  name: "Activity",
  schema: item({
    ...key,
    live: record(string(), map({ runId: string(), since: number() })),
    unread: record(string(), map({ ending: string(), endedAt: number() })),
  }),
});

type Stored = Record<string, unknown>;

const entities: Record<Kind, Entity> = {
  thread: ThreadEntity as unknown as Entity,
  run: RunEntity as unknown as Entity,
  chunk: ChunkEntity as unknown as Entity,
  thought: ThoughtEntity as unknown as Entity,
  context: ContextEntity as unknown as Entity,
  message: MessageEntity as unknown as Entity,
  activity: ActivityEntity as unknown as Entity,
};

const entityOf = (kind: Kind): Entity => entities[kind];

const keyOf: { [K in Kind]: (key: ItemKeys[K]) => Key } = {
  thread: ({ userId, threadId }) => keys.thread(userId, threadId),
  run: ({ userId, threadId }) => keys.run(userId, threadId),
  chunk: ({ userId, threadId, claimId, from }) => keys.chunk(userId, threadId, claimId, from),
  thought: ({ userId, threadId, claimId, from }) => keys.thought(userId, threadId, claimId, from),
  context: ({ userId, threadId, claimId }) => keys.context(userId, threadId, claimId),
  message: ({ userId, threadId, messageId }) => keys.message(userId, threadId, messageId),
  activity: ({ userId }) => keys.activity(userId),
};

/** Out of the table: without its key, and a message with the id that its key holds. */
function fromStored<K extends Kind>(kind: K, { pk: _, sk, ...attributes }: Stored): Items[K] {
  const named =
    kind === "message"
      ? { ...attributes, id: String(sk).slice(prefixes.message.length), parentId: attributes.parentId ?? null }
      : attributes;
  return named as unknown as Items[K];
}

/** A thread whose retention is over counts as deleted, whoever asks. */
function asDeletedIfExpired(thread: Items["thread"]): Items["thread"] {
  const { card, deletedAt } = thread;
  const expired = card && !deletedAt && !isKept({ pinned: card.pinned, activityAt: card.at });
  return expired ? { ...thread, deletedAt: card.at } : thread;
}

function toStored(kind: Kind, value: Items[Kind]): Stored {
  if (kind !== "message") return { ...value };
  const { id: _, parentId, ...attributes } = value as Items["message"];
  return parentId === null ? attributes : { ...attributes, parentId };
}

/** Paths (`live.<thread>`) become entries of maps; each value replaces the old one as a whole. */
function toUpdate<K extends Kind>({ set, remove }: Change<K>): Stored {
  const update: Stored = {};
  const write = (path: string, value: unknown): void => {
    const [attribute = "", entry] = path.split(".");
    if (entry === undefined) update[attribute] = value;
    else update[attribute] = { ...(update[attribute] as Stored | undefined), [entry]: value };
  };
  for (const [path, value] of Object.entries(set ?? {})) write(path, typeof value === "object" ? $set(value) : value);
  for (const path of remove ?? []) write(path, $remove());
  return update;
}

async function outcomeOf(write: Promise<unknown>): Promise<Outcome> {
  try {
    await write;
    return "done";
  } catch (error) {
    if (isRefused(error)) return "refused";
    throw error;
  }
}

/** What the schema's types cannot say of data that is known only when it comes. */
const asCondition = (condition: Condition) => condition as never;

const bounds: { [K in keyof Ranges]: (range: Ranges[K]) => [string, string] } = {
  message: ({ from = "", to = "~" }) => [`${prefixes.message}${from}`, `${prefixes.message}${to}`],
  chunk: ({ userId, threadId, claimId, from = 0, to = 999_999_999 }) => [
    keys.chunk(userId, threadId, claimId, from).sk,
    keys.chunk(userId, threadId, claimId, to).sk,
  ],
  thought: ({ userId, threadId, claimId, from = 0, to = 999_999_999 }) => [
    keys.thought(userId, threadId, claimId, from).sk,
    keys.thought(userId, threadId, claimId, to).sk,
  ],
};

/** Deletes the items of one partition, at most 25 at a time, until none is left unprocessed. */
async function deleteItems(items: Key[]): Promise<void> {
  for (let start = 0; start < items.length; start += 25) {
    let requests: NonNullable<BatchWriteCommandOutput["UnprocessedItems"]> = {
      [config.tableName]: items.slice(start, start + 25).map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })),
    };
    while (Object.keys(requests).length > 0) {
      const { UnprocessedItems } = await documents.send(new BatchWriteCommand({ RequestItems: requests }));
      requests = UnprocessedItems ?? {};
    }
  }
}

/** The table behind the run protocol. */
export const runStore: RunStore = {
  async get(kind, itemKey, { consistent }) {
    const { Item } = await entityOf(kind)
      .build(GetItemCommand)
      .key({ ...keyOf[kind](itemKey) })
      .options({ consistent })
      .send();
    if (!Item) return undefined;
    const found = fromStored(kind, Item);
    return kind === "thread" ? (asDeletedIfExpired(found as Items["thread"]) as typeof found) : found;
  },

  put(kind, itemKey, value, condition) {
    return outcomeOf(
      entityOf(kind)
        .build(PutItemCommand)
        .item({ ...toStored(kind, value), ...keyOf[kind](itemKey) })
        .options({ condition: asCondition(condition) })
        .send(),
    );
  },

  update(kind, itemKey, change, condition) {
    return outcomeOf(
      entityOf(kind)
        .build(UpdateItemCommand)
        .item({ ...toUpdate(change), ...keyOf[kind](itemKey) })
        .options(condition ? { condition: asCondition(condition) } : {})
        .send(),
    );
  },

  async list(kind, range, { consistent, backwards = false, limit, cursor }) {
    const partition = threadPartition(range.userId, range.threadId);
    const page = await table
      .build(QueryCommand)
      .entities(entityOf(kind))
      .query({ partition, range: { between: bounds[kind](range) } })
      .options({
        consistent,
        reverse: backwards,
        entityAttrFilter: false,
        ...(limit === undefined ? {} : { limit }),
        ...(cursor === undefined ? {} : { exclusiveStartKey: { pk: partition, sk: cursor } }),
      })
      .send();
    const items = (page.Items ?? []).map((stored) => fromStored(kind, stored));
    return page.LastEvaluatedKey ? { items, cursor: String(page.LastEvaluatedKey.sk) } : { items };
  },

  async sweep({ userId, threadId }: Address) {
    const partition = threadPartition(userId, threadId);
    const page = await table.build(QueryCommand).query({ partition }).options({ consistent: true }).send();
    const found = (page.Items ?? []).map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) }));
    await deleteItems(found.filter(({ sk }) => sk !== keys.run(userId, threadId).sk));
    return page.LastEvaluatedKey !== undefined;
  },

  async delete(kind, itemKey) {
    await entityOf(kind)
      .build(DeleteItemCommand)
      .key({ ...keyOf[kind](itemKey) })
      .send();
  },
};
