import { afterAll, expect, test } from "vitest";
import { keys, threadPartition } from "~/data/keys.server";
import type { Address, ItemKeys, Kind, Outcome, RunItem } from "~/threads/run-items.server";
import { tableName } from "../../infra/local/table.ts";
import { recordSeed } from "../faults/model-check/check.ts";
import { loadProtocol } from "../faults/model-check/protocol.ts";
import { startTable } from "./table";

const local = await startTable();
const { runStore } = await import("~/threads/run-store.server");
const { documents } = await import("~/data/table.server");
const { GetCommand } = await import("@aws-sdk/lib-dynamodb");
afterAll(local.stop);

const consistent = { consistent: true };
const absent = { attr: "sk", exists: false };
const sixteen = "claim-0123456789";
const id = "01MCC5S5SCQ9M0CQPFSG7V1Z5A";

test("The table decides every write of a run as the simulated one does, and holds the same afterwards", async () => {
  const protocol = await loadProtocol();
  let writes = 0;
  let refused = 0;
  const pieces = { chunk: 0, thought: 0 };
  for (let seed = 1; writes < 1_200; seed++) {
    const userId = `person-${seed}`;
    const { table, journal } = await recordSeed(protocol, seed);
    const seen = new Map<string, { kind: Kind; key: ItemKeys[Kind] }>();
    for (const entry of journal) {
      const { kind, condition } = entry;
      const key = { ...entry.key, userId };
      let outcome: Outcome = "done";
      if (entry.operation === "put") outcome = await runStore.put(kind, key, entry.item, condition ?? absent);
      if (entry.operation === "update") outcome = await runStore.update(kind, key, entry.change, condition);
      if (entry.operation === "delete") await runStore.delete(kind, key);
      expect({ ...entry, outcome }).toEqual(entry);
      seen.set(JSON.stringify(entry.key), { kind, key: entry.key });
      writes++;
      if (outcome === "refused") refused++;
    }
    for (const { kind, key } of seen.values())
      expect(await runStore.get(kind, { ...key, userId }, consistent)).toEqual(table.get(kind, key));
    await compareLists(userId);

    async function compareLists(as: string): Promise<void> {
      for (const threadId of new Set(journal.flatMap(({ key }) => ("threadId" in key ? [key.threadId] : [])))) {
        const mine: Address = { userId: "person", threadId };
        for (const backwards of [false, true]) {
          let cursor: string | undefined;
          const items: unknown[] = [];
          do {
            const from = cursor === undefined ? {} : { cursor };
            const page = await runStore.list(
              "message",
              { ...mine, userId: as },
              { ...consistent, backwards, limit: 3, ...from },
            );
            items.push(...page.items);
            cursor = page.cursor;
          } while (cursor !== undefined);
          const now = () => Number.POSITIVE_INFINITY;
          expect(items).toEqual(table.list("message", mine, { backwards, moment: now }).items);
        }
        const claims = new Set(
          journal.flatMap(({ key }) => ("claimId" in key && key.threadId === threadId ? [key.claimId] : [])),
        );
        for (const claimId of claims) {
          const range = { ...mine, claimId, from: 1, to: 900 };
          for (const kind of ["chunk", "thought"] as const) {
            const { items } = await runStore.list(kind, { ...range, userId: as }, consistent);
            expect(items).toEqual(table.list(kind, range, { moment: () => Number.POSITIVE_INFINITY }).items);
            pieces[kind] += items.length;
          }
        }
      }
    }
  }
  expect(refused).toBeGreaterThan(30);
  expect(pieces.chunk).toBeGreaterThan(0);
  expect(pieces.thought).toBeGreaterThan(0);
});

test("The limit of live runs counts the other threads, and not the thread itself", async () => {
  const userId = "limited";
  const room = (threadId: string) => ({
    or: [
      { size: "live", lt: 2 },
      { attr: `live.${threadId}`, exists: true },
    ],
  });
  const add = (threadId: string) =>
    runStore.update("activity", { userId }, { set: { [`live.${threadId}`]: { runId: id, since: 1 } } }, room(threadId));
  expect(await add("A"), "an absent item has no room").toBe("refused");
  await runStore.put("activity", { userId }, { live: {}, unread: {} }, absent);
  expect(await add("A")).toBe("done");
  expect(await add("B")).toBe("done");
  expect(await add("C")).toBe("refused");
  expect(await add("B")).toBe("done");
  const remove = { set: { "unread.B": { ending: "complete" as const, endedAt: 2 } }, remove: ["live.B" as const] };
  expect(await runStore.update("activity", { userId }, remove, { attr: "live.B.runId", eq: "another" })).toBe(
    "refused",
  );
  expect(await runStore.update("activity", { userId }, remove, { attr: "live.B.runId", eq: id })).toBe("done");
  expect(await runStore.get("activity", { userId }, consistent)).toEqual({
    live: { A: { runId: id, since: 1 } },
    unread: { B: { ending: "complete", endedAt: 2 } },
  });
});

test("RUN stays under 1 KB, so that a beat costs one write unit, and so does the end", async () => {
  const address = { userId: "a2c0ffee-1234-4321-8888-0123456789ab", threadId: id };
  const live: RunItem = {
    state: "live",
    runId: id,
    claimId: sixteen,
    messageId: id,
    parentId: id,
    hash: "h".repeat(22),
    prev: id,
    beat: 10_000,
    base: 300_000,
    tail: "t".repeat(660),
    leaseUntil: 1_900_000_000_000,
    startedAt: 1_900_000_000_000,
    stop: true,
  };
  await runStore.put("run", address, live, absent);
  expect(await sizeOfRun(address)).toBeLessThan(1_024);

  const usage = {
    inputTokens: 123_456,
    outputTokens: 12_345,
    cacheReadTokens: 12_345,
    cacheWriteTokens: 12_345,
    reasoningTokens: 12_345,
  };
  const ended: Partial<RunItem> = {
    state: "ended",
    ending: "interrupted",
    error: "model-unreachable",
    finishReason: "content-filter",
    usage,
    endedAt: 1_900_000_000_000,
  };
  await runStore.update("run", address, { set: ended });
  expect(await sizeOfRun(address)).toBeLessThan(1_024);
  expect(await runStore.get("run", address, consistent)).toEqual({ ...live, ...ended });
  await runStore.update("run", address, { set: { usage: { inputTokens: 1, outputTokens: 2 } } });
  expect((await runStore.get("run", address, consistent))?.usage).toEqual({ inputTokens: 1, outputTokens: 2 });
});

/** As DynamoDB counts: texts by their bytes, two digits of a number or a boolean as one, and a margin for maps. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value === "number") return 1 + Math.ceil(String(value).length / 2);
  if (typeof value !== "object" || value === null) return 1;
  return Object.entries(value).reduce((sum, [name, inner]) => sum + name.length + sizeOf(inner) + 1, 3);
}

async function sizeOfRun({ userId, threadId }: Address): Promise<number> {
  const { Item = {} } = await documents.send(new GetCommand({ TableName: tableName, Key: keys.run(userId, threadId) }));
  return sizeOf(Item) - 3 - Object.keys(Item).length;
}

test("A sweep leaves nothing of a thread but RUN, however much there is", async () => {
  const address = { userId: "sweeper", threadId: id };
  await runStore.put("run", address, { state: "deleted" }, absent);
  await runStore.put("context", { ...address, claimId: sixteen }, { given: given(), depth: 1, expiresAt: 1 }, absent);
  for (let from = 0; from < 60; from++)
    await runStore.put("chunk", { ...address, claimId: sixteen, from }, { from, text: "", expiresAt: 1 }, absent);
  while (await runStore.sweep(address));
  expect(await runStore.get("run", address, consistent)).toEqual({ state: "deleted" });
  expect((await runStore.list("chunk", { ...address, claimId: sixteen }, consistent)).items).toEqual([]);
  expect(await runStore.get("context", { ...address, claimId: sixteen }, consistent)).toBeUndefined();
});

test("A context chunk is no chunk of the text", async () => {
  const address = { userId: "context", threadId: id, claimId: sixteen };
  await runStore.put("context", address, { given: given(), depth: 1, expiresAt: 1 }, absent);
  await runStore.put("chunk", { ...address, from: 7 }, { from: 7, text: "words", expiresAt: 1 }, absent);
  const { items } = await runStore.list("chunk", address, consistent);
  expect(items).toEqual([{ from: 7, text: "words", expiresAt: 1 }]);
  expect(threadPartition(address.userId, id)).toContain(address.userId);
});

function given() {
  return {
    model: { ref: "bedrock:model", name: "Model" },
    settings: { temperature: 0.5, stopSequences: ["END"] },
    notes: [{ number: 1, noteId: id, title: "A note", revision: 3 }],
  };
}
