/**
 * The guardrail over HTTP: every path of it, for both vendors, on the live stream, in a second browser (at another app
 * server) and after a reload; and what lies in the table afterwards.
 */
import { createHash } from "node:crypto";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { ulid } from "ulid";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { blockedInput, blockedOutput, localGuardrail } from "../../infra/local/models/guardrail.ts";
import { tableName } from "../../infra/local/table.ts";
import { type Account, App, messageId, readStream, requestId, type StreamText } from "../app.ts";

let app: App;
let person: Account;
let other: string;
let table: DynamoDBClient;

beforeAll(async () => {
  app = await App.start({ servers: 2, backend: { guardrail: localGuardrail } });
  other = app.servers[1]?.url ?? "";
  table = new DynamoDBClient({
    endpoint: app.cloud.tableUrl,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
});

beforeEach(async () => {
  person = await app.createAccount();
});

afterAll(async () => {
  table?.destroy();
  await app?.stop();
});

afterEach(() => app.clearScenarios());

const vendors = [
  { vendor: "Bedrock", model: "bedrock:us.amazon.nova-lite-v1:0" },
  { vendor: "OpenAI", model: "openai:gpt-4.1-mini" },
];

interface Sent {
  threadId: string;
  question: string;
  answer: string;
  response: Response;
}

const answerOf = (question: string): string => `${question.slice(0, 25)}${nextDigit(question.at(-1) ?? "")}`;
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const nextDigit = (digit: string): string => alphabet[alphabet.indexOf(digit) + 1] ?? "";

async function send(
  text: string,
  options: { threadId?: string; model?: string; question?: string; url?: string; more?: Record<string, unknown> } = {},
): Promise<Sent> {
  const { threadId = ulid(), question = messageId(), model, url, more } = options;
  const response = await app.request(person, `/threads/${threadId}/runs`, {
    json: {
      kind: "send",
      messageId: question,
      text,
      ...(options.threadId ? {} : { create: true, ...(model ? { settings: { model } } : {}) }),
      ...more,
    },
    ...(url ? { url } : {}),
  });
  return { threadId, question, answer: answerOf(question), response };
}

async function ask(kind: "again" | "continue", sent: Pick<Sent, "threadId">, of: string): Promise<StreamText> {
  const json = { kind, requestId: requestId(), of };
  return readStream(await app.request(person, `/threads/${sent.threadId}/runs`, { json }));
}

/** One more server, without a guardrail; the caller stops it. */
function startOpenServer() {
  const backend = JSON.parse(app.cloud.env.SST_RESOURCE_Backend ?? "{}") as Record<string, unknown>;
  const { guardrail: _, ...open } = backend;
  return app.startServer({ env: { SST_RESOURCE_Backend: JSON.stringify(open) } });
}

/** What another browser reads from the run's beginning to its end. */
const follow = async ({ threadId, answer }: Sent): Promise<StreamText> =>
  readStream(await app.request(person, `/threads/${threadId}/runs/${answer}`, { url: other }));

/** The thread's page as it is loaded anew. */
const reload = async ({ threadId }: Pick<Sent, "threadId">): Promise<string> =>
  (await app.request(person, `/threads/${threadId}`, { url: other })).text();

/** The texts that the guardrail was asked about before a model call, in order of their letters. */
const askedBefore = async (since: number): Promise<string[]> =>
  (await recorded("guardrail", since))
    .map(({ body }) => body as { source: string; content: { text: { text: string } }[] })
    .filter(({ source }) => source === "INPUT")
    .map(({ content }) => content[0]?.text.text ?? "")
    .filter((text) => text !== "Is anybody there?")
    .toSorted();

/** Gives a thread another system prompt. */
async function instruct({ threadId }: Pick<Sent, "threadId">, systemPrompt: string): Promise<void> {
  const change = { set: { systemPrompt }, unset: [] };
  expect((await app.postJson(`/threads/${threadId}/settings`, change, person.cookie)).status).toBe(200);
}

const note = async (title: string, text: string): Promise<void> => {
  const made = await app.postForm("/notes/new", { intent: "create", noteId: ulid(), title, text }, person.cookie);
  expect(made.status).toBeLessThan(400);
};

interface Recorded {
  operation: string;
  startedAt: number;
  body: unknown;
  status?: number;
}

async function recorded(operation: string, since: number): Promise<Recorded[]> {
  const all = (await (await fetch(new URL("/__requests", app.cloud.modelsUrl))).json()) as Recorded[];
  return all.filter((call) => call.operation === operation && call.startedAt >= since);
}

async function itemsApartFrom(others: RegExp): Promise<string> {
  const { Items = [] } = await table.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }));
  const own = Items.filter(({ pk, sk }) => pk?.S?.includes(person.userId) && !others.test(sk?.S ?? ""));
  return JSON.stringify(own.map(({ sidenotes: _, ...item }) => item));
}

/** All items of a person's threads, as they lie in the table. Passages of their own notes are left out. */
const stored = (): Promise<string> => itemsApartFrom(/^(NOTE|SESSION)#/);

/** The same without the settings of their threads, which are the person's own words. */
const storedOfRuns = (): Promise<string> => itemsApartFrom(/^(NOTE|SESSION|THREAD)#/);

describe.each(vendors)("with $vendor", ({ model }) => {
  test("a message that holds personal data is masked for the model, in the table and on every screen", async () => {
    const since = Date.now();
    const sent = await send("My address is maria@example.org, what is yours?", { model });
    const { data } = await readStream(sent.response);
    expect(data.end).toMatchObject({ ending: "complete" });
    const [call] = await recorded("answer", since);
    expect(JSON.stringify(call?.body)).toContain("My address is {EMAIL}, what is yours?");
    expect(JSON.stringify(call?.body)).not.toContain("maria@example.org");
    const page = await reload(sent);
    expect(page).toContain("My address is {EMAIL}, what is yours?");
    expect(page).toContain("masked");
    expect(page).not.toContain("maria@example.org");
    // The title is made of the same words.
    expect(await stored()).not.toContain("maria@example");
    expect(page).toMatch(/<title>My address is \{EMAIL\}/);
  });

  test("a message about a denied topic is sent to no model, and the policy is named", async () => {
    const since = Date.now();
    const sent = await send("Which stocks should I buy?", { model });
    const live = await readStream(sent.response);
    expect(live.text).toBe(blockedInput);
    expect(live.data.end).toMatchObject({
      ending: "blocked",
      blocked: { where: "input", policies: ["Denied topic: Investment advice"] },
    });
    expect((await follow(sent)).data.end).toEqual(live.data.end);
    expect((await follow(sent)).text).toBe(blockedInput);
    const page = await reload(sent);
    expect(page).toContain("Which stocks should I buy?");
    expect(page).toContain("Denied topic: Investment advice");
    expect(await recorded("answer", since)).toEqual([]);
    const seen = await app.request(person, `/threads/${sent.threadId}/messages/${sent.answer}`);
    expect(await seen.text()).toContain("so nothing was sent to a model.");
  });

  test("personal data in a system prompt is masked for the model and in what is kept of the answer, and asked about once", async () => {
    const since = Date.now();
    const systemPrompt = "Write as anna@example.org does.";
    const sent = await send("What grows here?", { more: { settings: { model, systemPrompt } } });
    expect((await readStream(sent.response)).data.end).toMatchObject({ ending: "complete" });
    expect(await askedBefore(since)).toEqual(["What grows here?", systemPrompt]);
    const then = Date.now();
    expect((await readStream((await send("And there?", { threadId: sent.threadId })).response)).data.end).toMatchObject(
      {
        ending: "complete",
      },
    );
    expect(await askedBefore(then)).toEqual(["And there?"]);
    const calls = (await recorded("answer", since)).map(({ body }) => JSON.stringify(body));
    expect(calls).toHaveLength(2);
    for (const call of calls) {
      expect(call).toContain("Write as {EMAIL} does.");
      expect(call).not.toContain("anna@");
    }
    const seen = await (await app.request(person, `/threads/${sent.threadId}/messages/${sent.answer}`)).text();
    const what = seen.slice(seen.indexOf("<main"), seen.indexOf("</main>"));
    expect(what).toContain("Write as {EMAIL} does.");
    expect(what).toContain("Personal data was masked by the guardrail");
    expect(what).not.toContain("anna@");
    // The setting itself stays as the person wrote it.
    expect(await storedOfRuns()).not.toContain("anna@");
    expect(await reload(sent)).toContain(systemPrompt);
    await app.postForm(`/threads/${sent.threadId}`, { intent: "delete" }, person.cookie);
    await expect.poll(stored).not.toContain("{EMAIL}");
  });

  test("a message whose system prompt breaks a rule is sent to no model, and can be tried again once that is changed", async () => {
    const since = Date.now();
    const systemPrompt = "Recommend stocks, and send them to 4111 1111 1111 1111.";
    const sent = await send("What shall I plant?", { more: { settings: { model, systemPrompt } } });
    const live = await readStream(sent.response);
    expect(live.data.end).toMatchObject({
      ending: "blocked",
      blocked: {
        where: "system-prompt",
        policies: ["Denied topic: Investment advice", "Personal data: credit card number"],
      },
    });
    expect((await follow(sent)).data.end).toEqual(live.data.end);
    const page = await reload(sent);
    expect(page).toContain("System prompt blocked by the guardrail");
    expect(page).toMatch(/>Retry<[\s\S]{0,400}>Edit message</);
    expect(page).toContain("Denied topic: Investment advice");
    expect(page).toContain("<title>What shall I plant?");
    const seen = await app.request(person, `/threads/${sent.threadId}/messages/${sent.answer}`);
    expect(await seen.text()).toContain("blocked the <!-- -->system prompt");
    expect(await storedOfRuns()).not.toContain("4111");
    expect((await ask("again", sent, sent.question)).data.end).toEqual(live.data.end);
    expect(await recorded("answer", since)).toEqual([]);
    await instruct(sent, "Recommend vegetables.");
    expect((await ask("again", sent, sent.question)).data.end).toMatchObject({ ending: "complete" });
    await readStream((await send("And when?", { threadId: sent.threadId })).response);
    const [, next] = await recorded("answer", since);
    expect(JSON.stringify(next?.body)).toContain("What shall I plant?");
  });

  test("personal data in an answer is masked, though the model sends it in pieces", async () => {
    await note("Plumber", "The plumber is reached at piet.de.vries@example.org in the mornings.");
    const sent = await send("How is the plumber reached?", { model });
    let seen = "";
    const live = await readStream(sent.response, (text) => {
      seen += text;
    });
    expect(live.text).toContain("reached at {EMAIL} in the mornings");
    expect(seen).not.toContain("piet");
    expect((await follow(sent)).text).toBe(live.text);
    expect(await reload(sent)).toContain("reached at {EMAIL} in the mornings");
    expect(await stored()).not.toContain("piet");
  });

  test.each([
    { what: "masked", split: "+31 6 1234 5678", first: "+31 6", shown: "{PHONE}" },
    { what: "blocked", split: "launder money", first: "launder", shown: blockedOutput },
  ])("what lies across two windows is $what, and none of it is shown", async ({ split, first, shown }) => {
    const before = `${"harbour ".repeat(50).slice(0, 400 - first.length - 1)} `;
    await note("Harbour", `${before}${split} ${"harbour ".repeat(40)}`.trim());
    await app.scenario({ obey: true });
    const started = Date.now();
    const sent = await send("What is at the harbour?", { model });
    const texts: string[] = [];
    const live = await readStream(sent.response, (text) => texts.push(text));
    const windows = (await recorded("guardrail", started)).map(({ body }) => JSON.stringify(body));
    expect(windows[1]).toContain(`${first}"`);
    expect(windows[2]).toContain(split);
    const followed = await follow(sent);
    for (const text of [...texts, followed.text, await stored()]) expect(text).not.toContain(first);
    for (const text of [live.text, followed.text, await reload(sent)]) expect(text).toContain(shown);
  });

  test("without a guardrail nobody is asked, and text is shown as it comes", async () => {
    const server = await startOpenServer();
    const started = Date.now();
    const sent = await send("Which stocks should maria@example.org buy?", { url: server.url, model });
    const live = await readStream(sent.response);
    expect(live.data.end).toMatchObject({ ending: "complete" });
    expect(await recorded("guardrail", started)).toEqual([]);
    expect((await follow(sent)).text).toBe(live.text);
    expect(await reload(sent)).toContain("maria@example.org");
    await server.stop();
  });

  test("an answer that breaks a rule midway is taken back on every screen and in the table", async () => {
    await app.scenario({ tokens: 900, tokenMs: 4 });
    const sent = await send("Tell me about the garden", { model });
    let shown: () => void = () => undefined;
    const hasShown = new Promise<void>((resolve) => {
      shown = resolve;
    });
    const live = readStream(sent.response, (text) => text.length > 150 && shown());
    await hasShown;
    let isFollowed = false;
    const beside = readStream(
      await app.request(person, `/threads/${sent.threadId}/runs/${sent.answer}`, { url: other }),
      (text) => {
        isFollowed ||= text.length > 150 && !text.includes("scenario");
      },
    );
    await expect.poll(() => isFollowed, { timeout: 10_000 }).toBe(true);
    await app.scenario({ match: { operation: "guardrail" }, fault: "guardrail" });
    for (const { text, events, data } of await Promise.all([live, beside])) {
      expect(events).toContain("replace");
      expect(text).toBe("Sorry, this cannot be answered here.");
      expect(data.end).toMatchObject({ ending: "blocked", blocked: { where: "output" } });
    }
    await app.clearScenarios();
    await expect.poll(stored, { timeout: 10_000 }).not.toContain("CHUNK#");
    const page = await reload(sent);
    expect(page).toContain("Denied topic: scenario");
    expect((await follow(sent)).text).toBe("Sorry, this cannot be answered here.");
  });

  test("a message does not go out while the guardrail cannot be reached, and does when it is tried again", async () => {
    const since = Date.now();
    await app.scenario({ match: { operation: "guardrail" }, fault: "denied" });
    const refused = await send("Write to anna@example.org today", { model });
    expect(refused.response.status).toBe(503);
    expect(await refused.response.json()).toMatchObject({ error: { code: "guardrail-unavailable" } });
    expect(await recorded("answer", since)).toEqual([]);
    expect(await stored()).not.toContain("today");
    expect(await stored()).not.toContain(`"THREAD#${refused.threadId}"`);
    expect((await app.request(person, `/threads/${refused.threadId}`)).status).toBe(404);
    await app.clearScenarios();
    // The same request, as the page repeats it; at another server.
    const { threadId, question } = refused;
    const json = { kind: "send", messageId: question, text: "Write to anna@example.org today", create: true };
    const again = await app.request(person, `/threads/${threadId}/runs`, { json, url: other });
    expect((await readStream(again)).data.end).toMatchObject({ ending: "complete" });
    expect(await reload(refused)).toContain("Write to {EMAIL} today");
  });

  test("an answer ends where the guardrail cannot be reached any more, and is continued when it can", async () => {
    await app.scenario({ tokens: 700, tokenMs: 4 });
    const sent = await send("Tell me about the harbour", { model });
    let shown: () => void = () => undefined;
    const hasShown = new Promise<void>((resolve) => {
      shown = resolve;
    });
    const live = readStream(sent.response, (text) => text.length > 150 && shown());
    await hasShown;
    await app.scenario({ match: { operation: "guardrail" }, fault: "denied" });
    const { text, data } = await live;
    expect(data.end).toMatchObject({ ending: "interrupted", error: "guardrail-unavailable" });
    expect(text.length).toBeGreaterThan(150);
    expect((await follow(sent)).text).toBe(text);
    expect(await reload(sent)).toContain("the guardrail cannot be reached");
    await app.clearScenarios();
    const continued = await ask("continue", sent, sent.answer);
    expect(continued.data.end).toMatchObject({ ending: "complete" });
    expect(continued.text.startsWith(text)).toBe(true);
  });

  test("a busy guardrail is asked again", async () => {
    const since = Date.now();
    await app.scenario({ match: { operation: "guardrail" }, fault: "throttle", times: 2 });
    const sent = await send("Is there anything on Sunday?", { model });
    expect((await readStream(sent.response)).data.end).toMatchObject({ ending: "complete" });
    // Twice refused, then the question, and the answer in two windows.
    expect(await recorded("guardrail", since)).toHaveLength(5);
  });

  test("a thread with a blocked message goes on, and the model learns nothing of it", async () => {
    const first = await send("What is a good day to plant beans?", { model });
    await readStream(first.response);
    await readStream((await send("And which shares should I hold?", { threadId: first.threadId })).response);
    const estimate = `/threads/${first.threadId}/estimate`;
    const meter = await (await app.request(person, estimate, { json: { text: "And peas?" } })).json();
    expect(meter).toMatchObject({ sent: { messages: 2 }, leftOut: { messages: 0 } });
    const since = Date.now();
    const next = await send("And peas?", { threadId: first.threadId });
    expect((await readStream(next.response)).data.end).toMatchObject({ ending: "complete" });
    const [call] = await recorded("answer", since);
    const body = JSON.stringify(call?.body);
    expect(body).toContain("What is a good day to plant beans?");
    expect(body).toContain("And peas?");
    expect(body).not.toContain("shares");
    expect(body).not.toContain(blockedInput);
    const page = await reload(next);
    expect(page).toContain("And which shares should I hold?");
    const seen = await app.request(person, `/threads/${next.threadId}/messages/${next.answer}`);
    const view = await seen.text();
    const what = view.slice(view.indexOf("<main"), view.indexOf("</main>"));
    expect(what).toContain("plant beans");
    expect(what).not.toContain("shares");
    expect(what).not.toContain(blockedInput);
  });
});

test("a system prompt is asked about beside the message, and again only when it or the guardrail has changed", async () => {
  const open = async (
    text: string,
    more: Record<string, unknown>,
    options: { threadId?: string; url?: string } = {},
  ) => {
    const since = Date.now();
    const sent = await send(text, { more, ...options });
    expect((await readStream(sent.response)).data.end).toMatchObject({ ending: "complete" });
    return { ...sent, since, asked: await askedBefore(since) };
  };
  await hasProbed();
  await app.scenario({ match: { operation: "guardrail" }, firstTokenMs: 400 });
  const first = await open("One", { settings: { systemPrompt: "Answer as a gardener." } });
  const { threadId } = first;
  expect(first.asked).toEqual(["Answer as a gardener.", "One"]);
  const [question, beside] = (await recorded("guardrail", first.since)).map(({ startedAt }) => startedAt);
  expect(Math.abs((beside ?? 0) - (question ?? 0))).toBeLessThan(400);
  await app.clearScenarios();
  expect((await open("Two", {}, { threadId, url: other })).asked).toEqual(["Two"]);
  await instruct(first, "Answer as a sailor.");
  expect((await open("Three", {}, { threadId })).asked).toEqual(["Answer as a sailor.", "Three"]);
  expect((await open("Four", {}, { threadId })).asked).toEqual(["Four"]);
  // What is remembered of it does not tell by trying what it was.
  const tried = createHash("sha256").update("Answer as a sailor.");
  const kept = await stored();
  for (const form of ["hex", "base64", "base64url"] as const)
    expect(kept).not.toContain(tried.copy().digest(form).slice(0, 16));

  const backend = JSON.parse(app.cloud.env.SST_RESOURCE_Backend ?? "{}") as Record<string, unknown>;
  const changed = { ...backend, guardrail: { ...localGuardrail, policies: ["topics"] } };
  const server = await app.startServer({ env: { SST_RESOURCE_Backend: JSON.stringify(changed) } });
  const { url } = server;
  expect((await open("Five", {}, { threadId, url })).asked).toEqual(["Answer as a sailor.", "Five"]);
  await server.stop();

  // One that a new thread begins with by default is no other.
  const defaults = { kind: "defaults", revision: 0, settings: { systemPrompt: "Answer as a cook." } };
  expect((await app.request(person, "/preferences", { json: defaults })).status).toBe(200);
  expect((await open("Six", {})).asked).toEqual(["Answer as a cook.", "Six"]);
});

test("a message does not go out while its system prompt cannot be checked, and does when it is tried again", async () => {
  const since = Date.now();
  await app.scenario({ match: { operation: "guardrail", text: "gardener" }, fault: "denied" });
  const more = { settings: { systemPrompt: "Write as a gardener to anna@example.org." } };
  const refused = await send("Good morning", { more });
  expect(refused.response.status).toBe(503);
  expect(await refused.response.json()).toMatchObject({ error: { code: "guardrail-unavailable" } });
  expect(await recorded("answer", since)).toEqual([]);
  for (const words of ["Good morning", "gardener"]) expect(await storedOfRuns()).not.toContain(words);
  await app.clearScenarios();
  const again = await send("Good morning", { more: { ...more, create: true }, ...refused });
  expect((await readStream(again.response)).data.end).toMatchObject({ ending: "complete" });
  expect(await storedOfRuns()).not.toContain("anna@");
});

test("a blocked message is asked about again whenever it would be answered, and an edited one goes on", async () => {
  const since = Date.now();
  const sent = await send("How many tablets may I take?");
  await readStream(sent.response);
  const again = await ask("again", sent, sent.question);
  expect(again.data.end).toMatchObject({ ending: "blocked", blocked: { where: "input" } });
  expect(again.text).toBe(blockedInput);
  // What stands in the place of an answer is none to go on from.
  const json = { kind: "continue", requestId: requestId(), of: sent.answer };
  expect((await app.request(person, `/threads/${sent.threadId}/runs`, { json })).status).toBe(404);
  expect(await recorded("answer", since)).toEqual([]);

  const edited = await send("Whom do I ask about medicine?", { threadId: sent.threadId, more: { branch: true } });
  expect((await readStream(edited.response)).data.end).toMatchObject({ ending: "complete" });
  const [call] = await recorded("answer", since);
  expect(JSON.stringify(call?.body)).not.toContain("tablets");
});

test("a blocked message is kept without what must not be stored, and names each policy once", async () => {
  const sent = await send("Pay for the stocks with 4111 1111 1111 1111 and write to maria@example.org");
  const { data } = await readStream(sent.response);
  expect(data.end).toMatchObject({
    blocked: { policies: ["Denied topic: Investment advice", "Personal data: credit card number"] },
  });
  const page = await reload(sent);
  expect(page).toContain("Pay for the stocks with {CREDIT_DEBIT_CARD_NUMBER} and write to {EMAIL}");
  const kept = await stored();
  expect(kept).not.toContain("4111");
  expect(kept).not.toContain("maria@");
});

test("an answer that the model ends within its first window is blocked before a word of it is shown", async () => {
  await note("Savings", "The savings are in shares of the mill.");
  const sent = await send("Where are the savings?");
  const texts: string[] = [];
  const live = await readStream(sent.response, (text) => texts.push(text));
  expect(live.data.end).toMatchObject({
    ending: "blocked",
    blocked: { where: "output", policies: ["Denied topic: Investment advice"] },
  });
  expect(texts).toEqual([blockedOutput]);
  expect(await stored()).not.toContain("shares of the mill");
});

test("the longest message is checked whole, and kept masked whole", async () => {
  const since = Date.now();
  const filler = "The garden is behind the house. ".repeat(990).slice(0, 31_900);
  const sent = await send(`${filler} write to maria@example.org`);
  expect((await readStream(sent.response)).data.end).toMatchObject({ ending: "complete" });
  const checks = await recorded("guardrail", since);
  expect(checks.length).toBeGreaterThanOrEqual(5);
  expect(await stored()).not.toContain("maria@example.org");
  expect(await reload(sent)).toContain("write to {EMAIL}");
});

test("a message that is sent twice while it is checked is one message, and one is answered", async () => {
  const since = Date.now();
  await app.scenario({ match: { operation: "guardrail" }, firstTokenMs: 700, times: 2 });
  const [threadId, question] = [ulid(), messageId()];
  const json = { kind: "send", messageId: question, text: "Call +31 6 1234 5678 at noon", create: true };
  const both = await Promise.all(
    [app.server.url, other].map((url) => app.request(person, `/threads/${threadId}/runs`, { json, url })),
  );
  const [one, two] = await Promise.all(both.map((response) => readStream(response)));
  expect(one?.data.end).toMatchObject({ ending: "complete" });
  expect(two?.text).toBe(one?.text);
  expect(await recorded("answer", since)).toHaveLength(1);
  expect(await stored()).not.toContain("1234");
});

/** Settled tokens of the person's days, and how many reservations are left open. */
async function usage(): Promise<{ committed: number; answers: number; open: number }> {
  const { Items = [] } = await table.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }));
  const days = Items.filter(({ pk, sk }) => pk?.S?.includes(person.userId) && sk?.S?.startsWith("USAGE#"));
  const sum = (prefix: string) =>
    days.reduce(
      (all, day) =>
        Object.entries(day).reduce((some, [key, { N }]) => some + (key.startsWith(prefix) ? Number(N) : 0), all),
      0,
    );
  const open = days.reduce((all, day) => all + Object.keys(day).filter((key) => key.startsWith("reserved#")).length, 0);
  return { committed: sum("committed"), answers: sum("answers#"), open };
}

/** What the model server counts for all that it was asked as the guardrail and did not refuse. */
async function billedUnits(since: number): Promise<number> {
  const calls = await recorded("guardrail", since);
  const textOf = ({ body }: Recorded) =>
    (body as { content: { text: { text: string } }[] }).content[0]?.text.text ?? "";
  return calls
    .filter((call) => (call.status ?? 200) === 200 && textOf(call) !== "Is anybody there?")
    .reduce((sum, call) => sum + Math.ceil(textOf(call).length / 1_000), 0);
}

/** Tokens that the answers in the table say of their models, reported or by estimate. */
async function modelTokens(): Promise<number> {
  const { Items = [] } = await table.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }));
  const own = Items.filter(({ pk, sk }) => pk?.S?.includes(person.userId) && sk?.S?.startsWith("MESSAGE#"));
  return own.reduce((sum, { usage: its, cost }) => {
    const counted = its?.M ?? cost?.M?.estimated?.M;
    return sum + Number(counted?.inputTokens?.N ?? 0) + Number(counted?.outputTokens?.N ?? 0);
  }, 0);
}

const long = "The garden is behind the house. ".repeat(700);
const whileAsked = { match: { operation: "guardrail" }, firstTokenMs: 1_500, times: 1 };

const counted: { how: string; answers: number; run(): Promise<void> }[] = [
  {
    how: "is answered",
    answers: 1,
    run: async () => void (await readStream((await send("What grows in the shade?")).response)),
  },
  {
    how: "is blocked",
    answers: 1,
    run: async () => void (await readStream((await send("Which stocks should I buy?")).response)),
  },
  {
    how: "goes out with a long system prompt",
    answers: 1,
    async run() {
      const settings = { systemPrompt: long.slice(0, 15_000) };
      await readStream((await send("What grows in the shade?", { more: { settings } })).response);
    },
  },
  {
    how: "is blocked for its system prompt",
    answers: 1,
    async run() {
      const settings = { systemPrompt: "Recommend stocks." };
      await readStream((await send("What grows in the shade?", { more: { settings } })).response);
    },
  },
  {
    how: "fails before a word of its answer",
    answers: 1,
    async run() {
      await app.scenario({ fault: "denied" });
      await readStream((await send("Is there a pond?")).response);
    },
  },
  {
    how: "never gets in, since the guardrail breaks down over its end",
    answers: 0,
    async run() {
      await app.scenario({ match: { operation: "guardrail", text: "zebra" }, fault: "denied" });
      expect((await send(`${long} zebra`)).response.status).toBe(503);
    },
  },
  {
    how: "is deleted with its thread while it is asked about",
    // The one before it, which was blocked.
    answers: 1,
    async run() {
      const first = await send("Which stocks should I buy?");
      await readStream(first.response);
      await app.scenario({ ...whileAsked, firstTokenMs: 5_000 });
      const { threadId } = first;
      const sending = send(`${long} and the pond`, { threadId });
      await expect.poll(async () => (await recorded("guardrail", since)).length).toBeGreaterThan(1);
      const deleted = await app.postForm(`/threads/${threadId}`, { intent: "delete" }, person.cookie);
      expect(deleted.status).toBeLessThan(400);
      expect((await sending).response.status).toBeGreaterThanOrEqual(400);
    },
  },
  {
    how: "is sent twice while it is asked about",
    answers: 1,
    async run() {
      await app.scenario(whileAsked);
      const json = { kind: "send", messageId: messageId(), text: "Call +31 6 1234 5678 at noon", create: true };
      const path = `/threads/${ulid()}/runs`;
      const both = [app.server.url, other].map((url) => app.request(person, path, { json, url }));
      for (const response of await Promise.all(both)) await readStream(response);
    },
  },
  {
    how: "is stopped while its answer is asked about",
    answers: 1,
    async run() {
      await app.scenario({ tokens: 900, tokenMs: 4 });
      await app.scenario({ match: { operation: "guardrail", text: "local model" }, firstTokenMs: 8_000 });
      const sent = await send("Tell me about the garden", { model: vendors[0]?.model ?? "" });
      const live = readStream(sent.response);
      await expect.poll(async () => (await recorded("guardrail", since)).length).toBe(2);
      await app.request(person, `/threads/${sent.threadId}/runs/${sent.answer}/stop`, { json: {} });
      expect((await live).data.end).toMatchObject({ ending: "stopped" });
    },
  },
  {
    how: "is answered by what is taken back",
    answers: 1,
    async run() {
      await note("Savings", "The savings are in shares of the mill.");
      await readStream((await send("Where are the savings?")).response);
    },
  },
];
let since = 0;

/** So that no new process asks whether the guardrail is there, in place of what a test waits for. */
const hasProbed = () => Promise.all([app.server.url, other].map((url) => app.request(person, "/settings", { url })));

test.each(counted)(
  "what the guardrail read of a message that $how is counted as the model server counts it",
  async ({ answers, run }) => {
    await hasProbed();
    since = Date.now();
    await run();
    await expect.poll(usage, { timeout: 15_000 }).toMatchObject({ open: 0, answers });
    const units = await billedUnits(since);
    expect(units).toBeGreaterThan(0);
    expect((await usage()).committed).toBe((await modelTokens()) + 250 * units);
  },
);

test("a message that a repeat puts into the table knows the budget that it counts on", async () => {
  await hasProbed();
  await app.scenario(whileAsked);
  const [threadId, question] = [ulid(), messageId()];
  const json = { kind: "send", messageId: question, text: "What is for dinner?", create: true };
  // A server that learns of the claim read the budget before the claim's reservation was there.
  const urls = [app.server.url, other, app.server.url, other, app.server.url, other];
  await Promise.all(
    urls.map(async (url) => readStream(await app.request(person, `/threads/${threadId}/runs`, { json, url }))),
  );
  const { Items = [] } = await table.send(new ScanCommand({ TableName: tableName, ConsistentRead: true }));
  const put = Items.find(({ sk }) => sk?.S === `MESSAGE#${question}`);
  expect(put?.given?.M?.bill?.M?.day?.S).toMatch(/^\d{4}-\d\d-\d\d$/);
});

test("a name that the person gives a thread while a message is checked that would name it stays", async () => {
  await hasProbed();
  for (const title of ["Plans for spring", "New thread"]) {
    const first = await send("Which stocks should I buy?");
    await readStream(first.response);
    expect(await reload(first)).toContain("<title>New thread");
    const { threadId } = first;
    since = Date.now();
    await app.scenario(whileAsked);
    const sending = send("What shall I sow?", { threadId });
    await expect.poll(async () => (await recorded("guardrail", since)).length).toBe(1);
    await app.postForm(`/threads/${threadId}`, { intent: "rename", title }, person.cookie);
    await readStream((await sending).response);
    expect(await reload({ threadId })).toContain(`<title>${title}`);
    // Nor does a later message take it.
    await readStream((await send("And when?", { threadId })).response);
    expect(await reload({ threadId })).toContain(`<title>${title}`);
    await app.clearScenarios();
  }
});

test("a blocked message names no thread and chooses no notes; the next one does", async () => {
  const filler = "Nothing else is written here. ".repeat(190);
  await note("Harbour", `The harbour plan is in the blue folder. ${filler}`);
  await note("Zebra", `The zebra keeper is at the gate. ${filler}`);
  const small = "bedrock:meta.llama3-70b-instruct-v1:0";
  const first = await send("Which stocks does the zebra keeper at the gate hold?", { model: small });
  expect((await readStream(first.response)).data.end).toMatchObject({ ending: "blocked" });
  expect(await reload(first)).toContain("<title>New thread");
  const { threadId } = first;
  await readStream((await send("Where is the harbour plan?", { threadId })).response);
  expect(await reload(first)).toContain("<title>Where is the harbour plan?");
  await readStream((await send("Which stocks does the zebra keeper at the gate sell?", { threadId })).response);
  const start = Date.now();
  const draft = { text: "Tell me more, please" };
  const estimate = (await (await app.request(person, `/threads/${threadId}/estimate`, { json: draft })).json()) as {
    notesLeftOut: unknown;
  };
  expect(JSON.stringify(estimate.notesLeftOut)).toContain("Zebra");
  await readStream((await send(draft.text, { threadId })).response);
  const [call] = await recorded("answer", start);
  const body = JSON.stringify(call?.body);
  expect(body).toContain("blue folder");
  expect(body.toLowerCase()).not.toContain("zebra");
});

test("what is kept of a masked message does not tell by trying what was masked", async () => {
  const sent = await send("Call +31 6 1234 5678 at noon");
  await readStream(sent.response);
  const body = { kind: "send", messageId: sent.question, text: "Call +31 6 1234 5678 at noon", create: true };
  const guess = createHash("sha256").update(JSON.stringify(body)).digest("base64url").slice(0, 20);
  const kept = await stored();
  expect(kept).toContain("Call {PHONE} at noon");
  expect(kept).not.toContain(guess);
});

test("how much the guardrail was asked is stored with the answer", async () => {
  const sent = await send("What grows in the shade?");
  await readStream(sent.response);
  await expect.poll(stored).toContain('"guardrail":{"M":{"units":{"N":"3"}}}');
});

test("a guardrail that does not work is told to the operator, and keeps nobody from reading", async () => {
  const backend = JSON.parse(app.cloud.env.SST_RESOURCE_Backend ?? "{}") as Record<string, unknown>;
  const wrong = { ...backend, guardrail: { ...localGuardrail, id: "gone123" } };
  const lines: string[] = [];
  const server = await app.startServer({
    env: { SST_RESOURCE_Backend: JSON.stringify(wrong) },
    onLine: (line) => lines.push(line),
  });
  expect((await app.request(person, "/", { url: server.url })).status).toBe(200);
  await expect
    .poll(() => lines.find((line) => line.includes('"ERROR"')), { timeout: 10_000 })
    .toContain("does not work");
  expect(lines.join("\n")).toContain("ResourceNotFoundException");
  const settings = await (await app.request(person, "/settings", { url: server.url })).text();
  expect(settings).toContain("does not work at the moment");
  expect((await send("Write to maria@example.org", { url: server.url })).response.status).toBe(503);
  await expect.poll(() => lines.filter((line) => line.includes("could not be asked")).length).toBe(2);
  expect(lines.join("\n")).not.toContain("maria");
  await server.stop();
});
