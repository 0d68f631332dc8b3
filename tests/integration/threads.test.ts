import { randomUUID } from "node:crypto";
import { PutItemCommand } from "dynamodb-toolbox/entity/actions/put";
import { afterAll, describe, expect, test } from "vitest";
import { startTable } from "./table";

const local = await startTable();
const { runInvocation } = await import("~/invocation.server");
const { tidyThreads } = await import("~/threads/thread-changes.server");
const { runStore } = await import("~/threads/run-store.server");
const {
  changeThreadSettings,
  getThread,
  listThreads,
  newThreadItem,
  pinThread,
  readSettings,
  renameThread,
  ThreadEntity,
  touchThread,
} = await import("~/threads/threads.server");
const { getNumbers, numberNotes } = await import("~/threads/numbers.server");
const { keys } = await import("~/data/keys.server");
const { documents } = await import("~/data/table.server");
const { newThreadId } = await import("~/threads/ids");

afterAll(async () => {
  documents.destroy();
  await local.stop();
});

const DAY = 86_400_000;

async function makeThread(userId: string, title: string, at = Date.now()): Promise<string> {
  const threadId = newThreadId(at);
  await ThreadEntity.build(PutItemCommand)
    .item(newThreadItem(userId, threadId, title, {}, at))
    .send();
  return threadId;
}

const titles = async (userId: string): Promise<string[]> => (await listThreads(userId)).items.map(({ title }) => title);

describe("the list of threads", () => {
  test("shows pinned threads first, then those used last", async () => {
    const userId = randomUUID();
    const now = Date.now();
    const oldest = await makeThread(userId, "oldest", now - 3000);
    await makeThread(userId, "middle", now - 2000);
    const newest = await makeThread(userId, "newest", now - 1000);
    expect(await titles(userId)).toEqual(["newest", "middle", "oldest"]);
    await pinThread(userId, oldest, true);
    expect(await titles(userId)).toEqual(["oldest", "newest", "middle"]);
    await pinThread(userId, oldest, false);
    expect(await touchThread(userId, oldest, false)).toBe(true);
    expect(await titles(userId)).toEqual(["oldest", "newest", "middle"]);
    expect(newest).not.toBe(oldest);
  });

  test("is paged without a gap or a repeat, and its cursor leads nowhere else", async () => {
    const userId = randomUUID();
    const other = randomUUID();
    await makeThread(other, "another person's");
    for (let index = 0; index < 23; index++) await makeThread(userId, `thread ${index}`, Date.now() - index * 1000);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listThreads(userId, { limit: 5, ...(cursor ? { cursor } : {}) });
      seen.push(...page.items.map(({ title }) => title));
      if (cursor) await expect(listThreads(other, { cursor })).resolves.toMatchObject({ items: [] });
      cursor = page.cursor;
    } while (cursor);
    expect(seen).toEqual(Array.from({ length: 23 }, (_, index) => `thread ${index}`));
    const place = { a: "THREAD#0#2026-01-01T00:00:00.000Z", s: `THREAD#${newThreadId()}` };
    const forge = (fields: object) => Buffer.from(JSON.stringify({ ...place, ...fields })).toString("base64url");
    await expect(listThreads(userId, { cursor: forge({}) })).resolves.toMatchObject({ items: expect.any(Array) });
    const forged = [
      { a: "NOTE#0#x" },
      { s: "NOTE#x" },
      { a: "THREAD#0#x" },
      { s: "THREAD#\ud800\0" },
      { pk: "USER#x" },
    ];
    for (const bad of ["x", "e30", ...forged.map(forge)])
      await expect(listThreads(userId, { cursor: bad })).rejects.toMatchObject({ code: "bad-request" });
  });

  test("leaves out a thread whose retention is over, unless it is pinned", async () => {
    const userId = randomUUID();
    const old = Date.now() - 91 * DAY;
    await makeThread(userId, "expired", old);
    const kept = await makeThread(userId, "kept", Date.now() - 89 * DAY);
    const expired = await makeThread(userId, "pinned in time", old);
    await ThreadEntity.build(PutItemCommand)
      .item({
        ...newThreadItem(userId, expired, "pinned in time", {}, old),
        card: { title: "pinned in time", pinned: true, at: old },
      })
      .send();
    expect((await titles(userId)).toSorted()).toEqual(["kept", "pinned in time"]);
    expect(await getThread(userId, kept)).toMatchObject({ title: "kept" });
  });
});

describe("a thread", () => {
  test("keeps its place in the list when it is renamed", async () => {
    const userId = randomUUID();
    const first = await makeThread(userId, "first", Date.now() - 1000);
    await makeThread(userId, "second");
    await renameThread(userId, first, "  A name\nof my own ");
    expect(await titles(userId)).toEqual(["second", "A name of my own"]);
    await expect(renameThread(userId, first, " \n ")).rejects.toMatchObject({ code: "bad-request" });
  });

  test("keeps the settings that two tabs change at the same time, each its own", async () => {
    const userId = randomUUID();
    const threadId = await makeThread(userId, "settings");
    await changeThreadSettings(userId, threadId, { set: { temperature: 0.3, topP: 0.9 }, unset: [] });
    const both = await Promise.all([
      changeThreadSettings(userId, threadId, { set: { model: "openai:gpt-4.1-mini" }, unset: ["topP"] }),
      changeThreadSettings(userId, threadId, { set: { notes: "chosen", chosenNotes: [] }, unset: [] }),
    ]);
    expect(both.map(({ settingsRevision }) => settingsRevision).sort()).toEqual([2, 3]);
    const settings = { temperature: 0.3, model: "openai:gpt-4.1-mini", notes: "chosen", chosenNotes: [] };
    expect(await getThread(userId, threadId)).toMatchObject({ settings, settingsRevision: 3 });
    expect(both.find(({ settingsRevision }) => settingsRevision === 3)?.settings).toEqual(settings);
    for (const stopSequences of [["a", "b", "c"], ["d"]])
      await changeThreadSettings(userId, threadId, { set: { stopSequences }, unset: [] });
    expect(await getThread(userId, threadId)).toMatchObject({ settings: { ...settings, stopSequences: ["d"] } });
    const { settings: none } = await changeThreadSettings(userId, threadId, {
      set: {},
      unset: ["temperature", "model", "notes", "chosenNotes", "systemPrompt", "stopSequences"],
    });
    expect(none).toEqual({});
  });

  test("loses one setting that is no longer understood, and no other", () => {
    const stored = { temperature: 0.3, notes: "some", seed: 7 };
    expect(readSettings(stored)).toEqual({ temperature: 0.3 });
    expect(readSettings(undefined)).toEqual({});
  });

  test("of another person does not exist, whatever is asked of it", async () => {
    const [owner, other] = [randomUUID(), randomUUID()];
    const threadId = await makeThread(owner, "private");
    expect(await getThread(other, threadId)).toBeUndefined();
    await expect(renameThread(other, threadId, "mine")).rejects.toMatchObject({ code: "not-found" });
    await expect(pinThread(other, threadId, true)).rejects.toMatchObject({ code: "not-found" });
    await expect(changeThreadSettings(other, threadId, { set: {}, unset: [] })).rejects.toMatchObject({
      code: "not-found",
    });
    expect(await touchThread(other, threadId, false)).toBe(false);
    expect(await getThread(owner, threadId)).toMatchObject({ title: "private" });
    expect(keys.thread(other, threadId).pk).toContain(other);
  });
});

describe("a thread whose retention is over", () => {
  test("counts as deleted for its page, its runs and its forms", async () => {
    const userId = randomUUID();
    const threadId = await makeThread(userId, "expired", Date.now() - 91 * DAY);
    expect(await getThread(userId, threadId)).toBeUndefined();
    expect(await runStore.get("thread", { userId, threadId }, { consistent: true })).toHaveProperty("deletedAt");
    await expect(renameThread(userId, threadId, "again")).rejects.toMatchObject({ code: "not-found" });
    expect(await touchThread(userId, threadId, false)).toBe(false);
  });

  test("is deleted with all that is in it when its owner signs in, and so is what a broken deletion left", async () => {
    const userId = randomUUID();
    const now = Date.now();
    const expired = await makeThread(userId, "expired", now - 91 * DAY);
    const kept = await makeThread(userId, "kept");
    const message = (threadId: string) => ({ userId, threadId, messageId: newThreadId() });
    const put = (threadId: string) => {
      const key = message(threadId);
      return runStore.put(
        "message",
        key,
        { id: key.messageId, role: "user", text: "words", parentId: null, depth: 0, createdAt: now, hash: "h" },
        { attr: "sk", exists: false },
      );
    };
    await put(expired);
    await put(kept);
    const listed = async (threadId: string) =>
      (await runStore.list("message", { userId, threadId }, { consistent: true })).items.length;
    const tidy = (at: number) =>
      runInvocation({ requestId: "test", deadline: at + 60_000, waitUntil: () => undefined }, () =>
        tidyThreads(userId, at),
      );
    await tidy(now);
    expect([await listed(expired), await listed(kept)]).toEqual([0, 1]);
    // A dying server's late write is swept once more, later.
    await put(expired);
    await tidy(now + 21 * 60_000);
    expect([await listed(expired), await listed(kept)]).toEqual([0, 1]);
    expect(await titles(userId)).toEqual(["kept"]);
  });
});

describe("the numbers of a thread's notes", () => {
  test("are given once and kept", async () => {
    const userId = randomUUID();
    const first = await numberNotes(userId, "T", undefined, ["a", "b"]);
    expect(first.notes).toEqual({ a: 1, b: 2 });
    const second = await numberNotes(userId, "T", await getNumbers(userId, "T"), ["b", "c"]);
    expect(second.notes).toEqual({ a: 1, b: 2, c: 3 });
    expect(second.delimiter).toBe(first.delimiter);
    expect(await getNumbers(userId, "T")).toEqual(second);
  });

  test("are never given twice, even by requests at the same time that saw nothing yet", async () => {
    const userId = randomUUID();
    const rounds = await Promise.all(
      ["a", "b", "c", "d"].map((noteId) => numberNotes(userId, "T", undefined, [noteId, "shared"])),
    );
    const stored = await getNumbers(userId, "T");
    const given = Object.values(stored?.notes ?? {});
    expect(new Set(given).size).toBe(5);
    for (const round of rounds) {
      expect(stored?.notes).toMatchObject(round.notes);
      expect(round.delimiter).toBe(stored?.delimiter);
    }
  });

  test("are not written while the person has no notes", async () => {
    const userId = randomUUID();
    expect((await numberNotes(userId, "T", undefined, [])).notes).toEqual({});
    expect(await getNumbers(userId, "T")).toBeUndefined();
  });
});
