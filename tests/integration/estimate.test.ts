/** What is said before sending, against what is then sent; and what happens when that is too long after all. */
import { ulid } from "ulid";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { SettingsChange } from "../../app/ai/settings.ts";
import { estimateTokens } from "../../app/notes/choose.ts";
import type { Estimate } from "../../app/threads/view.ts";
import { type Account, App, type ModelCall, messageId, readStream } from "../app.ts";

let app: App;
let person: Account;

beforeAll(async () => {
  app = await App.start();
  person = await app.createAccount();
});
afterAll(() => app?.stop());
afterEach(() => app.clearScenarios());

interface Options {
  threadId?: string | undefined;
  settings?: Record<string, unknown>;
  account?: Account;
}

async function send(text: string, { threadId, settings, account = person }: Options = {}) {
  const id = threadId ?? ulid();
  const response = await app.request(account, `/threads/${id}/runs`, {
    json: {
      kind: "send",
      messageId: messageId(),
      text,
      ...(threadId ? {} : { create: true, ...(settings ? { settings } : {}) }),
    },
  });
  return { threadId: id, ...(await readStream(response)) };
}

async function estimate(text: string, { threadId = "new", settings, account = person }: Options = {}) {
  const response = await app.request(account, `/threads/${threadId}/estimate`, {
    json: { text, ...(settings ? { settings } : {}) },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Estimate;
}

type Recorded = ModelCall & { usage?: { inputTokens: number } };

async function lastCall(): Promise<Recorded> {
  const call = (await app.modelCalls()).at(-1);
  if (!call) throw new Error("The model was never asked");
  return call;
}

interface Said {
  messages: { role: string; text: string }[];
  system: string;
}

/** The prompt of a recorded call, whichever vendor it went to. */
function promptOf(call: Recorded): Said {
  const body = call.body as Record<string, unknown>;
  const textOf = (content: unknown): string =>
    typeof content === "string" ? content : (content as { text?: string }[]).map(({ text }) => text ?? "").join("");
  const all = (body.messages as { role: string; content: unknown }[]).map(({ role, content }) => ({
    role,
    text: textOf(content),
  }));
  const isSystem = ({ role }: { role: string }) => role === "system" || role === "developer";
  const own = body.system === undefined ? "" : textOf(body.system);
  return {
    messages: all.filter((message) => !isSystem(message)),
    system:
      own ||
      all
        .filter(isSystem)
        .map(({ text }) => text)
        .join(""),
  };
}

async function addNote(account: Account, title: string, text: string): Promise<void> {
  const made = await app.postForm("/notes/new", { intent: "create", noteId: ulid(), title, text }, account.cookie);
  expect(made.status).toBeLessThan(400);
}

async function changeSettings(threadId: string, change: SettingsChange): Promise<void> {
  const saved = await app.postJson(`/threads/${threadId}/settings`, change, person.cookie);
  expect(saved.status).toBe(200);
}

describe("the estimate before sending", () => {
  test("is of the very prompt that is then sent", async () => {
    const account = await app.createAccount("estimate");
    for (const index of [1, 2, 3]) await addNote(account, `Note ${index}`, `Fact number ${index}. `.repeat(20));
    const settings = { systemPrompt: "Answer briefly.", model: "openai:gpt-4.1-mini" };
    const first = await estimate("How many facts are there?", { settings, account });
    const { threadId } = await send("How many facts are there?", { settings, account });
    const said = promptOf(await lastCall());
    expect(first).toMatchObject({ window: 1_047_576, which: "all", sent: { notes: 3, messages: 0 }, answers: 0 });
    expect(first.going).toMatchObject({
      fit: true,
      notes: [{ start: expect.stringContaining("Fact number") }, {}, {}],
    });
    const none = await estimate("How many facts are there?", { settings: { ...settings, notes: "none" }, account });
    expect(none).toMatchObject({ which: "none", sent: { notes: 0 }, tokens: { notes: 0 } });
    expect(none.going).toBeUndefined();
    expect(first.leftOut).toEqual({ notes: 0, messages: 0, squeezed: 0 });
    expect(first.tokens.messages).toBe(estimateTokens("How many facts are there?") + 8);
    const whole = first.tokens.system + first.tokens.notes;
    // Delimiters are random words of about the same length.
    expect(Math.abs(whole - estimateTokens(said.system))).toBeLessThan(20);

    const second = await estimate("And now?", { threadId, account });
    expect(second).toMatchObject({ sent: { notes: 3, messages: 2 }, answers: 1 });
    // Which notes fit is shown beside a thread's first message only.
    expect(second.going).toBeUndefined();
    await send("And now?", { threadId, account });
    expect(promptOf(await lastCall()).messages).toHaveLength(3);
  });

  test("comes closer by what earlier answers really took", async () => {
    const account = await app.createAccount("calibration");
    const question = "Uncommonly extraordinary circumstances notwithstanding, reconsider. ".repeat(40);
    const { threadId } = await send(question, { account });
    const real = async () => (await lastCall()).usage?.inputTokens ?? 0;
    const before = await estimate(question, { account });
    const off = Math.abs(before.wanted - (await real())) / (await real());
    const next = await estimate(question, { threadId, account });
    await send(question, { threadId, account });
    const closer = Math.abs(next.wanted - (await real())) / (await real());
    expect(next.answers).toBe(1);
    expect(off).toBeGreaterThan(0.15);
    expect(closer).toBeLessThan(0.05);
  });

  test("says which messages will be left out for lack of room, and they are", async () => {
    const account = await app.createAccount("room");
    // Long, and counted alike by everybody.
    const settings = { model: "openai:gpt-4", maxTokens: 100 };
    const { threadId } = await send(`First ${"word ".repeat(1_400)}`, { settings, account });
    for (const name of ["Second", "Third", "Fourth"])
      await send(`${name} ${"word ".repeat(1_400)}`, { threadId, account });
    const tight = await estimate(`Fifth ${"word ".repeat(3_000)}`, { threadId, account });
    expect(tight.leftOut.squeezed).toBeGreaterThan(0);
    expect(tight.wanted).toBeGreaterThan(tight.room);
    const sum = tight.tokens.system + tight.tokens.notes + tight.tokens.messages;
    expect(sum).toBeLessThanOrEqual(tight.room);
    await send(`Fifth ${"word ".repeat(3_000)}`, { threadId, account });
    const { messages } = promptOf(await lastCall());
    expect(messages).toHaveLength(tight.sent.messages + 1);
    expect((await lastCall()).usage?.inputTokens).toBeLessThan(8_192);
    // The same draft with a larger window leaves nothing out.
    const roomy = await estimate("Fifth", { threadId, account, settings: { model: "openai:gpt-4.1" } });
    expect(roomy.leftOut).toEqual({ notes: 0, messages: 0, squeezed: 0 });
  });

  test("asks no model and writes nothing, and refuses what a run would refuse", async () => {
    const calls = (await app.modelCalls()).length;
    await estimate("Hello");
    expect(await app.modelCalls()).toHaveLength(calls);
    const gone = await app.request(person, `/threads/new/estimate`, {
      json: { text: "Hello", settings: { model: "openai:never-made" } },
    });
    expect(((await gone.json()) as { error: { code: string } }).error.code).toBe("model-missing");
    for (const json of [{ text: 1 }, { text: "x", userId: "y" }, { text: "x", parentId: "../" }, {}]) {
      const refused = await app.request(person, "/threads/new/estimate", { json });
      expect(refused.status, JSON.stringify(json)).toBe(400);
    }
  });
});

describe("the length of the history", () => {
  test("is what the person set, also where that is more than is read for everybody", async () => {
    await app.scenario({ tokens: 4 });
    const settings = { historyLength: 60 };
    const { threadId } = await send("Question 0", { settings });
    for (let index = 1; index < 25; index += 1) await send(`Question ${index}`, { threadId });
    const told = await estimate("The last", { threadId });
    expect(told.sent.messages).toBe(50);
    await send("The last", { threadId });
    const said = promptOf(await lastCall()).messages;
    expect(said).toHaveLength(51);
    expect(said[0]?.text).toBe("Question 0");

    await changeSettings(threadId, { set: { historyLength: 4 }, unset: [] });
    await send("Shorter", { threadId });
    expect(promptOf(await lastCall()).messages.length).toBeLessThanOrEqual(4);
    await changeSettings(threadId, { set: {}, unset: ["historyLength"] });
    await send("As ever", { threadId });
    const usual = promptOf(await lastCall()).messages.length;
    expect(usual).toBeGreaterThan(10);
    expect(usual).toBeLessThanOrEqual(20);
  }, 60_000);
});

describe("a prompt that is too long for the model after all", () => {
  test.each(["bedrock:us.amazon.nova-lite-v1:0", "openai:gpt-4.1-mini", "openai:gpt-5-mini"])(
    "is asked again without the oldest messages, visibly, and says so for good: %s",
    async (model) => {
      const account = await app.createAccount("overflow");
      await addNote(account, "Boiler", "The pressure is 1.2 bar.");
      const { threadId } = await send(`Question 0 ${"word ".repeat(50)}`, { settings: { model }, account });
      for (let index = 1; index < 4; index += 1)
        await send(`Question ${index} ${"word ".repeat(50)}`, { threadId, account });
      const before = (await app.modelCalls()).length;
      await app.scenario({ fault: "overflow", times: 1, match: { text: "And the pressure?" } });
      const answer = await send("And the pressure?", { threadId, account });
      expect(answer.data.end).toMatchObject({ ending: "complete" });
      expect(answer.text).not.toBe("");
      expect(answer.events).toContain("shortened");
      const told = answer.data.shortened as { messages: number; notes: number };
      expect(told.messages).toBeGreaterThan(0);
      expect(told.notes).toBe(0);
      const calls = (await app.modelCalls()).slice(before);
      expect(calls).toHaveLength(2);
      const sizes = calls.map(({ body }) => JSON.stringify(body).length);
      expect(sizes[1]).toBeLessThan(0.8 * (sizes[0] ?? 0));

      const page = await app.request(account, `/threads/${threadId}.data?_routes=routes%2F_app.threads.%24threadId`);
      expect(await page.text()).toContain("shortened");
    },
  );

  test("gives up, with its own card, when there is nothing left to leave out", async () => {
    await app.scenario({ fault: "overflow" });
    const before = (await app.modelCalls()).length;
    const answer = await send("A question without anything around it", { account: await app.createAccount("alone") });
    expect(answer.data.end).toMatchObject({ ending: "failed", error: "context-too-long" });
    expect(answer.events).not.toContain("shortened");
    expect((await app.modelCalls()).length - before).toBe(1);
  });

  test("is asked again once and not for ever", async () => {
    const { threadId } = await send("One");
    await send("Two", { threadId });
    await app.scenario({ fault: "overflow" });
    const before = (await app.modelCalls()).length;
    const answer = await send("Three", { threadId });
    expect(answer.data.end).toMatchObject({ ending: "failed", error: "context-too-long" });
    expect((await app.modelCalls()).length - before).toBe(2);
  });
});
