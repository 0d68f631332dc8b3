/** What a person used, by day and month, by what stands in the table. */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { startTable } from "./table";

const local = await startTable();
const { beginSpending, readUsage, settleAnswer } = await import("~/threads/usage.server");
const { traitsOf } = await import("~/ai/families");
const { usageStore } = await import("~/threads/usage-store.server");
const { documents } = await import("~/data/table.server");
const { runInvocation } = await import("~/invocation.server");

afterAll(async () => {
  documents.destroy();
  await local.stop();
});

afterEach(() => {
  vi.useRealTimers();
});

const noRepair = { reap: async () => undefined, storeAnswer: async () => undefined };
const nova = "bedrock:us.amazon.nova-lite-v1:0";

const anything = { committedAtMost: 1_000_000, leftAtLeast: -1_000_000 };
const reserve = (userId: string, day: string, claimId: string) =>
  usageStore.reserve({ userId, day }, claimId, { tokens: 500, at: 0, threadId: "T", runId: "R" }, anything);

/** As if an answer had been given on that day. */
async function answered(userId: string, day: string, took: { tokens: number; dollars?: number; model?: string }) {
  const claimId = randomUUID();
  await reserve(userId, day, claimId);
  const { tokens, dollars, model = nova } = took;
  await usageStore.settle({ userId, day }, claimId, 500, { tokens, model, dollars });
}

/** Runs work as a request does, with what it leaves behind it. */
async function invoked<T>(work: () => Promise<T>): Promise<T> {
  const behind: Promise<unknown>[] = [];
  const waitUntil = (more: Promise<unknown>) => void behind.push(more);
  const result = await runInvocation({ requestId: "test", deadline: Date.now() + 60_000, waitUntil }, work);
  await Promise.all(behind);
  return result;
}

describe("What a person used", () => {
  test("is summed by UTC days and by the month of today, up to the last millisecond of a day", async () => {
    const userId = randomUUID();
    await answered(userId, "2025-12-31", { tokens: 1, dollars: 0.001 });
    await answered(userId, "2026-01-01", { tokens: 20, dollars: 0.02 });
    await answered(userId, "2026-01-02", { tokens: 300, dollars: 0.3 });
    await answered(userId, "2026-01-31", { tokens: 4_000, dollars: 4 });
    const at = (time: string) => readUsage(noRepair, userId, Date.parse(time));
    // The thirty days up to 31 January leave out its first day; the month does not.
    const last = await at("2026-01-31T23:59:59.999Z");
    expect(last.lately).toEqual({ answers: 2, tokens: 4_300, dollars: 4.3, unpriced: 0 });
    expect(last.month).toEqual({ answers: 3, tokens: 4_320, dollars: 4.32, unpriced: 0 });
    expect(last.days.at(-1)).toMatchObject({ day: "2026-01-31", tokens: 4_000 });
    expect(last.resetsAt).toBe(Date.parse("2026-02-01T00:00:00Z"));
    const next = await at("2026-02-01T00:00:00.000Z");
    expect(next.month).toEqual({ answers: 0, tokens: 0, dollars: 0, unpriced: 0 });
    expect(next.days.at(-1)).toMatchObject({ day: "2026-02-01", tokens: 0 });
    expect(next.lately).toMatchObject({ tokens: 4_000 });
    const first = await at("2026-01-01T00:00:00.000Z");
    expect(first.month).toMatchObject({ tokens: 20 });
    expect(first.lately).toMatchObject({ tokens: 21 });
  });

  test("has an unknown price beside a sum, never in it", async () => {
    const userId = randomUUID();
    await answered(userId, "2026-01-05", { tokens: 100, dollars: 0.25 });
    await answered(userId, "2026-01-05", { tokens: 900, model: "ollama:llama" });
    const { lately, models } = await readUsage(noRepair, userId, Date.parse("2026-01-06T12:00:00Z"));
    expect(lately).toEqual({ answers: 2, tokens: 1_000, dollars: 0.25, unpriced: 1 });
    expect(models).toEqual([
      { ref: "ollama:llama", answers: 1, tokens: 900, dollars: 0, unpriced: 1 },
      { ref: nova, answers: 1, tokens: 100, dollars: 0.25, unpriced: 0 },
    ]);
  });

  test("loses nothing of what many answers write at the same time, to the billionth of a dollar", async () => {
    const userId = randomUUID();
    const day = "2026-01-05";
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => answered(userId, day, { tokens: index, dollars: 0.000_000_123 })),
    );
    const { lately } = await readUsage(noRepair, userId, Date.parse(`${day}T12:00:00Z`));
    expect(lately).toEqual({ answers: 40, tokens: 780, dollars: 40 * 123 * 1e-9, unpriced: 0 });
    expect(await usageStore.getDay({ userId, day })).toMatchObject({ committed: 780, reservations: {} });
  });

  test("counts on the day of its reservation, though the answer ends after midnight; and once", async () => {
    const userId = randomUUID();
    await reserve(userId, "2026-01-05", "claim");
    const answer = {
      id: "R",
      role: "assistant" as const,
      text: "Done",
      parentId: "Q",
      depth: 1,
      createdAt: Date.parse("2026-01-05T23:59:59Z"),
      hash: "",
      claimId: "claim",
      model: { ref: nova, name: "Nova" },
      cost: { day: "2026-01-05", tokens: 70, dollars: 0.7 },
    };
    await Promise.all([1, 2, 3].map(() => settleAnswer(userId, answer)));
    const days = await usageStore.list(userId, "2026-01-01", "2026-01-31");
    expect(days.map(({ day, item }) => [day, item.committed])).toEqual([["2026-01-05", 70]]);
  });

  test("is freed by a visit of what was reserved for an answer that says nothing of its cost", async () => {
    const userId = randomUUID();
    const { runStore } = await import("~/threads/run-store.server");
    await reserve(userId, "2026-01-05", "claim");
    const key = { userId, threadId: "T", messageId: "R" };
    const stored = {
      id: "R",
      role: "assistant" as const,
      text: "Done",
      parentId: "Q",
      depth: 1,
      createdAt: 0,
      hash: "",
    };
    await runStore.put("message", key, { ...stored, claimId: "claim" }, { attr: "sk", exists: false });
    await invoked(() => readUsage(noRepair, userId, Date.parse("2026-01-06T12:00:00Z")));
    expect(await usageStore.getDay({ userId, day: "2026-01-05" })).toMatchObject({ committed: 0, reservations: {} });
  });
});

const callOf = (vendor: string, id: string) => ({
  model: { ref: `${vendor}:${id}`, vendor, id, name: id, ...traitsOf(vendor, id) },
  settings: {},
  inputTokens: 100,
  prefix: 0,
  question: 100,
  systemPrompt: 0,
});

describe("A model that is faster than the table", () => {
  test("gets no further than what is reserved", async () => {
    const userId = randomUUID();
    const owner = { userId, day: new Date().toISOString().slice(0, 10) };
    await invoked(async () => {
      const spending = beginSpending(noRepair, userId, "T");
      const its = { claimId: "claim", runId: "R", repeated: false };
      const bill = await spending.reserve(its, callOf("bedrock", "us.amazon.nova-lite-v1:0"));
      await usageStore.reserve(
        owner,
        "other",
        { tokens: 500_000, at: Date.now(), threadId: "T", runId: "O" },
        anything,
      );
      // A thousand tokens at a time, and nothing to wait for between them.
      let given = 0;
      const parts = spending.watch("claim", bill, new AbortController().signal, async function* (signal) {
        for (; given < 100 && !signal.aborted; given++) yield { type: "text", text: "word".repeat(1_000) };
        return { ending: "interrupted" };
      });
      let step = await parts.next();
      while (!step.done) step = await parts.next();
      expect(step.value).toMatchObject({ ending: "interrupted", error: "budget-spent" });
      expect(given).toBe(5);
    });
  });
});

describe("A model that thinks for a long time without a word", () => {
  test("has more reserved as time goes by, and is ended when there is no more", async () => {
    vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"] });
    const userId = randomUUID();
    const owner = { userId, day: new Date().toISOString().slice(0, 10) };
    const call = callOf("openai", "gpt-5-mini");
    const reservedTokens = async () => (await usageStore.getDay(owner)).reservations.claim?.tokens ?? 0;
    await invoked(async () => {
      const spending = beginSpending(noRepair, userId, "T");
      const bill = await spending.reserve({ claimId: "claim", runId: "R", repeated: false }, call);
      const first = await reservedTokens();
      const parts = spending.watch("claim", bill, new AbortController().signal, async function* (signal) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        yield* [];
        return { ending: "interrupted" };
      });
      const ended = parts.next();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await reservedTokens()).toBe(first);
      await vi.advanceTimersByTimeAsync(30_000);
      await expect.poll(reservedTokens, { timeout: 10_000 }).toBe(first + 4_096);
      // Others use up the rest of the day.
      await usageStore.reserve(
        owner,
        "other",
        { tokens: 500_000, at: Date.now(), threadId: "T", runId: "O" },
        anything,
      );
      let isOver = false;
      void ended.then(() => {
        isOver = true;
      });
      await expect
        .poll(
          async () => {
            await vi.advanceTimersByTimeAsync(3_000);
            return isOver;
          },
          { timeout: 10_000 },
        )
        .toBe(true);
      expect((await ended).value).toMatchObject({ ending: "interrupted", error: "budget-spent" });
      expect(await reservedTokens()).toBe(first + 4_096);
    });
  });
});
