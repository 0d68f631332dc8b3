/**
 * The table behind the budgets: one item for each person and UTC day, one for the stage's day, and the operator's
 * switch. Reservations and sums are attributes of their own (`reserved#<claim>`, `tokens#<model>`), since an update
 * can add to an attribute that is not there yet, but not into a map that is not.
 */
import { createHash } from "node:crypto";
import { GetCommand, QueryCommand, UpdateCommand, type UpdateCommandInput } from "@aws-sdk/lib-dynamodb";
import { config } from "~/config.server";
import { type Key, keys, personPartition, prefixes, stagePartition } from "~/data/keys.server";
import { documents, expiresIn, isRefused } from "~/data/table.server";
import type { BudgetStore, DayItem, Owner, Reservation, StageItem, Totals, Written } from "./budget.server";

/** How long a person's days are kept, and the stage's, which nobody looks back at. */
const USAGE_DAYS = 400;
const STAGE_DAYS = 40;

type Stored = Record<string, unknown>;

const number = (value: unknown): number => (typeof value === "number" ? value : 0);

/** Says which share is whose, in an item that belongs to nobody; another one each day. */
const shareOf = ({ userId, day }: Owner): string =>
  `share#${createHash("sha256").update(`${userId} ${day}`).digest("base64url").slice(0, 16)}`;

function toDay(stored: Stored | undefined): DayItem {
  const day: DayItem = {
    committed: number(stored?.committed),
    left: number(stored?.left),
    granted: number(stored?.granted),
    reservations: {},
    models: {},
  };
  for (const [attribute, value] of Object.entries(stored ?? {})) {
    const hash = attribute.indexOf("#");
    if (hash < 0) continue;
    const [name, rest] = [attribute.slice(0, hash), attribute.slice(hash + 1)];
    if (name === "reserved") {
      const { n, a, t, r } = value as { n: number; a: number; t: string; r: string };
      day.reservations[rest] = { tokens: n, at: a, threadId: t, runId: r };
    } else if (name === "answers" || name === "tokens" || name === "billionths" || name === "unpriced") {
      const totals: Totals = day.models[rest] ?? { answers: 0, tokens: 0, billionths: 0, unpriced: 0 };
      day.models[rest] = { ...totals, [name]: number(value) };
    }
  }
  return day;
}

const fromReservation = ({ tokens, at, threadId, runId }: Reservation) => ({ n: tokens, a: at, t: threadId, r: runId });

/** One conditional update. Names and values are written out, since the attributes are only known when they come. */
async function update(
  key: Key,
  change: {
    set?: Stored;
    add?: Record<string, number>;
    remove?: string[];
    /** Of a number inside an attribute, by its path. */
    increase?: { path: string; by: number };
  },
  conditions: string[],
  values: Stored = {},
  names: Record<string, string> = {},
): Promise<Written> {
  const input: UpdateCommandInput = {
    TableName: config.tableName,
    Key: key,
    ConditionExpression: conditions.join(" AND "),
  };
  const allNames: Record<string, string> = { ...names };
  const allValues: Stored = { ...values };
  const clauses: string[] = [];
  const write = (clause: string, entries: [string, unknown][], join: string): void => {
    if (entries.length === 0) return;
    const parts = entries.map(([attribute, value], index) => {
      const place = `${clause.charAt(0)}${index}`;
      allNames[`#${place}`] = attribute;
      if (value === undefined) return `#${place}`;
      allValues[`:${place}`] = value;
      return `#${place}${join}:${place}`;
    });
    clauses.push(`${clause} ${parts.join(", ")}`);
  };
  write("SET", Object.entries(change.set ?? {}), " = ");
  if (change.increase) {
    allValues[":by"] = change.increase.by;
    clauses.push(`SET ${change.increase.path} = ${change.increase.path} + :by`);
  }
  write("ADD", Object.entries(change.add ?? {}), " ");
  write(
    "REMOVE",
    (change.remove ?? []).map((name) => [name, undefined]),
    "",
  );
  try {
    await documents.send(
      new UpdateCommand({
        ...input,
        UpdateExpression: clauses.join(" "),
        ExpressionAttributeNames: allNames,
        ExpressionAttributeValues: allValues,
      }),
    );
    return "done";
  } catch (error) {
    if (isRefused(error)) return "refused";
    throw error;
  }
}

/** At most, and at least, where an attribute that is not there counts as zero. */
const atMost = (name: string, value: string, figure: number): string =>
  figure >= 0 ? `(attribute_not_exists(${name}) OR ${name} <= ${value})` : `${name} <= ${value}`;
const atLeast = (name: string, value: string, figure: number): string =>
  figure <= 0 ? `(attribute_not_exists(${name}) OR ${name} >= ${value})` : `${name} >= ${value}`;
const exactly = (name: string, value: string, figure: number): string =>
  figure === 0 ? `(attribute_not_exists(${name}) OR ${name} = ${value})` : `${name} = ${value}`;

export interface Stage extends StageItem {
  /** The operator has switched all models off. */
  off: boolean;
}

interface UsageStore extends BudgetStore {
  /** The stage's day and the operator's switch, in one call. */
  getStage(owner: Owner): Promise<Stage>;
  /** Whether the operator has switched all models off; a moment behind at most. */
  isOff(): Promise<boolean>;
  /** The days from `from` to `to`, both included, oldest first; days without an answer are not there. */
  list(userId: string, from: string, to: string): Promise<{ day: string; item: DayItem }[]>;
}

export const usageStore: UsageStore = {
  async getDay({ userId, day }) {
    const { Item } = await documents.send(
      new GetCommand({ TableName: config.tableName, Key: keys.usage(userId, day), ConsistentRead: true }),
    );
    return toDay(Item);
  },

  async getStage(owner) {
    // Days sort before the switch: nothing else lies in between.
    const { Items = [] } = await documents.send(
      new QueryCommand({
        TableName: config.tableName,
        KeyConditionExpression: "pk = :pk AND sk BETWEEN :day AND :switch",
        ExpressionAttributeValues: {
          ":pk": stagePartition,
          ":day": keys.stageUsage(owner.day).sk,
          ":switch": keys.stageSwitch().sk,
        },
        ConsistentRead: true,
      }),
    );
    const find = (key: Key): Stored | undefined => Items.find(({ sk }) => sk === key.sk);
    const day = find(keys.stageUsage(owner.day));
    return {
      granted: number(day?.granted),
      share: number(day?.[shareOf(owner)]),
      off: find(keys.stageSwitch())?.off === true,
    };
  },

  reserve(owner, claimId, reservation, { committedAtMost, leftAtLeast, granted }) {
    const { tokens } = reservation;
    const attribute = `reserved#${claimId}`;
    return update(
      keys.usage(owner.userId, owner.day),
      {
        set: { [attribute]: fromReservation(reservation), expiresAt: expiresIn(USAGE_DAYS) },
        add: { committed: tokens, left: -tokens },
      },
      [
        "attribute_not_exists(#reserved)",
        atMost("#committed", ":committed", committedAtMost),
        atLeast("#left", ":left", leftAtLeast),
        ...(granted === undefined ? [] : [exactly("#granted", ":granted", granted)]),
      ],
      {
        ":committed": committedAtMost,
        ":left": leftAtLeast,
        ...(granted === undefined ? {} : { ":granted": granted }),
      },
      {
        "#reserved": attribute,
        "#committed": "committed",
        "#left": "left",
        ...(granted === undefined ? {} : { "#granted": "granted" }),
      },
    );
  },

  extend(owner, claimId, tokens, more, { committedAtMost, leftAtLeast }) {
    return update(
      keys.usage(owner.userId, owner.day),
      { increase: { path: "#reserved.#n", by: more }, add: { committed: more, left: -more } },
      ["#reserved.#n = :tokens", "#committed <= :committed", "#left >= :left"],
      { ":tokens": tokens, ":committed": committedAtMost, ":left": leftAtLeast },
      { "#reserved": `reserved#${claimId}`, "#n": "n", "#committed": "committed", "#left": "left" },
    );
  },

  grant(owner, share, tokens, { grantedAtMost }) {
    const attribute = shareOf(owner);
    return update(
      keys.stageUsage(owner.day),
      { set: { [attribute]: share + tokens, expiresAt: expiresIn(STAGE_DAYS) }, add: { granted: tokens } },
      [exactly("#share", ":share", share), atMost("#granted", ":granted", grantedAtMost)],
      { ":share": share, ":granted": grantedAtMost },
      { "#share": attribute, "#granted": "granted" },
    );
  },

  arrive(owner, granted, tokens) {
    return update(
      keys.usage(owner.userId, owner.day),
      { set: { granted: granted + tokens, expiresAt: expiresIn(USAGE_DAYS) }, add: { left: tokens } },
      [exactly("#granted", ":granted", granted)],
      { ":granted": granted },
      { "#granted": "granted" },
    );
  },

  settle(owner, claimId, tokens, settled) {
    const attribute = `reserved#${claimId}`;
    const taken = settled?.tokens ?? 0;
    const { model = "", dollars } = settled ?? {};
    return update(
      keys.usage(owner.userId, owner.day),
      {
        remove: [attribute],
        add: {
          committed: taken - tokens,
          left: tokens - taken,
          ...(settled && {
            ...(!settled.unanswered && { [`answers#${model}`]: 1 }),
            [`tokens#${model}`]: taken,
            ...(dollars === undefined
              ? { [`unpriced#${model}`]: 1 }
              : { [`billionths#${model}`]: Math.round(dollars * 1e9) }),
          }),
        },
      },
      ["#reserved.#n = :tokens"],
      { ":tokens": tokens },
      { "#reserved": attribute, "#n": "n" },
    );
  },

  async isOff() {
    const { Item } = await documents.send(new GetCommand({ TableName: config.tableName, Key: keys.stageSwitch() }));
    return Item?.off === true;
  },

  async list(userId, from, to) {
    const found: { day: string; item: DayItem }[] = [];
    let start: Stored | undefined;
    do {
      const page = await documents.send(
        new QueryCommand({
          TableName: config.tableName,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
          ExpressionAttributeValues: {
            ":pk": personPartition(userId),
            ":from": keys.usage(userId, from).sk,
            ":to": keys.usage(userId, to).sk,
          },
          ExclusiveStartKey: start,
        }),
      );
      for (const item of page.Items ?? [])
        found.push({ day: String(item.sk).slice(prefixes.usage.length), item: toDay(item) });
      start = page.LastEvaluatedKey;
    } while (start);
    return found;
  },
};
