/**
 * A simulated table: every version of every item, conditions evaluated from the same data that DynamoDB is given,
 * and, for each server, a connection to it that loses, delays and doubles calls, reads stale items, and queries
 * without a snapshot.
 */
import { keys, prefixes, threadPartition } from "../../../app/data/keys.server.ts";
import type {
  Address,
  Change,
  Condition,
  ItemKeys,
  Items,
  Kind,
  Outcome,
  Ranges,
  RunStore,
} from "../../../app/threads/run-items.server.ts";
import type { Process, Simulation } from "./simulation.ts";

type Attributes = Record<string, unknown>;

interface Version {
  at: number;
  item: Attributes | undefined;
}

/** A write as it was asked for, with what came of it. */
export type Operation = { kind: Kind; key: ItemKeys[Kind]; condition: Condition | undefined; outcome: Outcome } & (
  | { operation: "put"; item: Items[Kind] }
  | { operation: "update"; change: Change<Kind> }
  | { operation: "delete" }
);

/** One write that went in. */
export interface Write {
  kind: Kind | undefined;
  address: Address | undefined;
  pk: string;
  sk: string;
  before: Attributes | undefined;
  after: Attributes | undefined;
}

const keyOf: { [K in Kind]: (key: ItemKeys[K]) => { pk: string; sk: string } } = {
  thread: ({ userId, threadId }) => keys.thread(userId, threadId),
  run: ({ userId, threadId }) => keys.run(userId, threadId),
  chunk: ({ userId, threadId, claimId, from }) => keys.chunk(userId, threadId, claimId, from),
  thought: ({ userId, threadId, claimId, from }) => keys.thought(userId, threadId, claimId, from),
  context: ({ userId, threadId, claimId }) => keys.context(userId, threadId, claimId),
  message: ({ userId, threadId, messageId }) => keys.message(userId, threadId, messageId),
  activity: ({ userId }) => keys.activity(userId),
};

function valueAt(item: Attributes | undefined, path: string): unknown {
  if (path === "sk") return item && "there";
  let value: unknown = item;
  for (const name of path.split(".")) value = (value as Attributes | undefined)?.[name];
  return value;
}

function sizeOf(value: unknown): number | undefined {
  if (typeof value === "string") return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : undefined;
}

/** Whether DynamoDB would find that the condition holds. */
export function holds(condition: Condition | undefined, item: Attributes | undefined): boolean {
  if (!condition) return true;
  if ("and" in condition) return condition.and.every((part) => holds(part, item));
  if ("or" in condition) return condition.or.some((part) => holds(part, item));
  if ("size" in condition) {
    const size = sizeOf(valueAt(item, condition.size));
    return size !== undefined && size < condition.lt;
  }
  const value = valueAt(item, condition.attr);
  if ("exists" in condition) return (value !== undefined) === condition.exists;
  return value === condition.eq;
}

/** The item after an update. Throws where DynamoDB knows no such path. */
function changed<K extends Kind>(item: Attributes | undefined, { set, remove }: Change<K>): Attributes {
  const after: Attributes = { ...item };
  const open = (path: string): [Attributes, string] => {
    const [attribute = "", entry] = path.split(".");
    if (entry === undefined) return [after, attribute];
    const map = after[attribute];
    if (typeof map !== "object" || map === null) throw new Error(`The document path is invalid: ${path}`);
    const copy = { ...map } as Attributes;
    after[attribute] = copy;
    return [copy, entry];
  };
  for (const [path, value] of Object.entries(set ?? {})) {
    if (value === undefined) continue;
    const [target, name] = open(path);
    target[name] = value;
  }
  for (const path of remove ?? []) {
    const [target, name] = open(path);
    delete target[name];
  }
  return after;
}

/** As DynamoDB stores it: no attribute without a value. */
const stored = (item: object): Attributes =>
  Object.freeze(Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)));

export class SimulatedTable {
  /** Calls so far. */
  calls = 0;
  /** If set: every write but those of sweeps, in the order in which the table took them. */
  journal: Operation[] | undefined;
  private readonly partitions = new Map<string, Map<string, Version[]>>();
  private readonly now: () => number;
  private readonly onWrite: (write: Write) => void;

  constructor(now: () => number, onWrite: (write: Write) => void = () => {}) {
    this.now = now;
    this.onWrite = onWrite;
  }

  /** An item as it stood at a moment; now, if none is given. */
  read(pk: string, sk: string, at = Number.POSITIVE_INFINITY): Attributes | undefined {
    return this.partitions
      .get(pk)
      ?.get(sk)
      ?.findLast((version) => version.at <= at)?.item;
  }

  /** The last version of an item that fits. */
  lastWhere(pk: string, sk: string, fits: (item: Attributes) => boolean): Attributes | undefined {
    return this.partitions
      .get(pk)
      ?.get(sk)
      ?.findLast(({ item }) => item !== undefined && fits(item))?.item;
  }

  get<K extends Kind>(kind: K, key: ItemKeys[K], at?: number): Items[K] | undefined {
    const { pk, sk } = keyOf[kind](key);
    return this.read(pk, sk, at) as unknown as Items[K] | undefined;
  }

  /** Sort keys that ever were in a partition, in order. */
  names(pk: string, low = "", high = "\uffff"): string[] {
    const names = [...(this.partitions.get(pk)?.keys() ?? [])];
    return names.filter((sk) => sk >= low && sk <= high).sort();
  }

  private write(place: { pk: string; sk: string }, item: object | undefined, kind?: Kind, key?: object): void {
    const { pk, sk } = place;
    const partition = this.partitions.get(pk) ?? new Map<string, Version[]>();
    this.partitions.set(pk, partition);
    const versions = partition.get(sk) ?? [];
    partition.set(sk, versions);
    const before = versions.at(-1)?.item;
    const after = item && stored(item);
    versions.push({ at: this.now(), item: after });
    this.onWrite({ kind, address: key && "threadId" in key ? (key as Address) : undefined, pk, sk, before, after });
  }

  put<K extends Kind>(kind: K, key: ItemKeys[K], item: Items[K], condition?: Condition): Outcome {
    const place = keyOf[kind](key);
    const outcome = holds(condition, this.read(place.pk, place.sk)) ? "done" : "refused";
    if (outcome === "done") this.write(place, item, kind, key);
    this.journal?.push({ operation: "put", kind, key, item, condition, outcome });
    return outcome;
  }

  update<K extends Kind>(kind: K, key: ItemKeys[K], change: Change<K>, condition?: Condition): Outcome {
    const place = keyOf[kind](key);
    const before = this.read(place.pk, place.sk);
    const outcome = holds(condition, before) ? "done" : "refused";
    if (outcome === "done") this.write(place, changed(before, change), kind, key);
    this.journal?.push({
      operation: "update",
      kind,
      key,
      change: change as unknown as Change<Kind>,
      condition,
      outcome,
    });
    return outcome;
  }

  delete<K extends Kind>(kind: K, key: ItemKeys[K]): void {
    const { pk, sk } = keyOf[kind](key);
    this.sweep(pk, sk);
    this.journal?.push({ operation: "delete", kind, key, condition: undefined, outcome: "done" });
  }

  sweep(pk: string, sk: string): void {
    if (this.read(pk, sk)) this.write({ pk, sk }, undefined);
  }

  /** A page of a range. Every item is seen as it stood at a moment of its own. */
  list<K extends keyof Ranges>(
    kind: K,
    range: Ranges[K],
    options: { backwards?: boolean; limit?: number; cursor?: string; moment: () => number },
  ): { items: Items[K][]; cursor?: string } {
    const pk = threadPartition(range.userId, range.threadId);
    let low: string;
    let high: string;
    if (kind === "message") {
      const { from = "", to = "~" } = range as Ranges["message"];
      [low, high] = [prefixes.message + from, prefixes.message + to];
    } else {
      const { userId, threadId, claimId, from = 0, to = 999_999_999 } = range as Ranges["chunk"];
      const key = kind === "thought" ? keys.thought : keys.chunk;
      low = key(userId, threadId, claimId, from).sk;
      high = key(userId, threadId, claimId, to).sk;
    }
    let names = this.names(pk, low, high);
    if (options.backwards) names.reverse();
    const { cursor } = options;
    if (cursor !== undefined) names = names.filter((sk) => (options.backwards ? sk < cursor : sk > cursor));
    const items: Items[K][] = [];
    for (const sk of names) {
      const item = this.read(pk, sk, options.moment());
      if (item) items.push(item as unknown as Items[K]);
      // As DynamoDB does, it says where it stopped even if nothing follows.
      if (items.length === options.limit) return { items, cursor: sk };
    }
    return { items };
  }
}

/** How badly a connection behaves: shares of calls. */
export interface Faults {
  /** Never applied. */
  lost: number;
  /** Applied, but the answer is lost. */
  unanswered: number;
  /** The caller gives up; applied up to 20 s later. */
  late: number;
  /** Applied at once, and once more up to 20 s later. */
  doubled: number;
  /** Applied twice at once; the answer is the second one's. */
  repeated: number;
  /** The same again for messages alone, of which a run has few. */
  messages: number;
  /** How old an eventually consistent read may be, in milliseconds. */
  staleness: number;
  /** The slowest ordinary call, one way, in milliseconds. */
  latency: number;
}

/** A connection of one process to the table. `onCall` is told of each call, before and after it went in, for kills. */
export function connect(
  simulation: Simulation,
  table: SimulatedTable,
  server: Process,
  faults: () => Faults,
  onCall: (when: "before" | "after", call: number) => void,
): RunStore {
  const { chance } = simulation;

  /** One call. `apply` runs at the table, at its own time; the answer comes back into the process. */
  function call<R>(apply: () => R, isWrite: boolean, unlucky = 0): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const number = ++table.calls;
      const { unanswered, doubled, repeated, latency, ...shares } = faults();
      const lost = shares.lost + unlucky / 2;
      const delayed = shares.late + unlucky / 2;
      const there = chance.between(1, latency);
      const back = chance.between(1, latency);
      const fail = (after: number) =>
        simulation.after(after, () => server.enter(() => reject(new Error("The table did not answer"))));
      const attempt = (work: () => R): { value: R } | { error: unknown } => {
        try {
          return { value: work() };
        } catch (error) {
          return { error };
        }
      };
      onCall("before", number);
      if (!server.isAlive) return;
      const dice = chance.next();
      if (dice < lost) return fail(chance.between(1_000, 4_500));
      if (dice < lost + delayed) {
        if (isWrite) simulation.after(chance.between(500, 20_000), () => attempt(apply));
        return fail(chance.between(1_000, 4_500));
      }
      simulation.after(there, () => {
        let result = attempt(apply);
        if (isWrite) {
          if (chance.happens(repeated)) result = attempt(apply);
          if (chance.happens(doubled)) simulation.after(chance.between(10, 20_000), () => attempt(apply));
        }
        onCall("after", number);
        if (dice < lost + delayed + unanswered) return fail(chance.between(1_000, 4_500));
        simulation.after(back, () =>
          server.enter(() => ("error" in result ? reject(result.error) : resolve(result.value))),
        );
      });
    });
  }

  /** When an item is seen. A consistent query is no snapshot either: it sees its items one after the other. */
  const moment = (consistent: boolean, askedAt: number): number =>
    consistent ? chance.between(askedAt, simulation.now) : simulation.now - chance.between(0, faults().staleness);

  return {
    get: (kind, key, { consistent }) =>
      call(() => table.get(kind, key, consistent ? undefined : moment(false, 0)), false),
    put: (kind, key, item, condition) => {
      const frozen = stored(item) as unknown as typeof item;
      return call(() => table.put(kind, key, frozen, condition), true, kind === "message" ? faults().messages : 0);
    },
    update: (kind, key, change, condition) => call(() => table.update(kind, key, change, condition), true),
    list: (kind, range, { consistent, ...options }) => {
      const askedAt = simulation.now;
      const seen = { ...options, limit: options.limit ?? 7, moment: () => moment(consistent, askedAt) };
      return call(() => table.list(kind, range, seen), false);
    },
    sweep: async (address) => {
      const pk = threadPartition(address.userId, address.threadId);
      const run = keys.run(address.userId, address.threadId).sk;
      const found = await call(() => table.names(pk).filter((sk) => sk !== run && table.read(pk, sk)), false);
      for (const sk of found.slice(0, 5)) await call(() => table.sweep(pk, sk), true);
      return found.length > 5;
    },
    delete: (kind, key) => call(() => table.delete(kind, key), true),
  };
}
