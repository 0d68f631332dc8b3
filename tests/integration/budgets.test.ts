/** Budgets, the operator's switch and the cost of answers, over HTTP and by what stands in the table. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { ulid } from "ulid";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { AppServer } from "../../infra/local/app-server.ts";
import { localGuardrail } from "../../infra/local/models/guardrail.ts";
import { tableName } from "../../infra/local/table.ts";
import { type Account, App, type ModelCall, messageId, readStream, type StreamText } from "../app.ts";

const budgets = { person: 60_000, stage: 100_000 };
const liveRuns = 3;

let app: App;
let table: DynamoDBDocumentClient;

beforeAll(async () => {
  app = await App.start({
    servers: 2,
    backend: { limits: { liveRuns }, budgets, run: { leaseMs: 3_000 }, model: { firstMs: 5_000, silentMs: 5_000 } },
  });
  table = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: app.cloud.tableUrl,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    }),
  );
});

afterAll(async () => {
  table?.destroy();
  await app?.stop();
});

afterEach(async () => {
  await app.clearScenarios();
  await table.send(new DeleteCommand({ TableName: tableName, Key: { pk: "STAGE#USAGE", sk: "SWITCH" } }));
  await table.send(new DeleteCommand({ TableName: tableName, Key: { pk: "STAGE#USAGE", sk: today() } }));
});

/** One more server, with figures of its own; the caller stops it. */
function startServer(backend: Record<string, unknown>): Promise<AppServer> {
  const shared = JSON.parse(app.cloud.env.SST_RESOURCE_Backend ?? "{}") as Record<string, unknown>;
  return app.startServer({ env: { SST_RESOURCE_Backend: JSON.stringify({ ...shared, ...backend }) } });
}

const today = () => new Date().toISOString().slice(0, 10);

async function usageOf(account: Account): Promise<Record<string, number>> {
  const { Items = [] } = await table.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
      ExpressionAttributeValues: { ":pk": `USER#${account.userId}`, ":sk": "USAGE#" },
      ConsistentRead: true,
    }),
  );
  return (Items[0] ?? {}) as Record<string, number>;
}

const sumOf = (item: Record<string, unknown>, name: string): number =>
  Object.entries(item).reduce((sum, [key, value]) => sum + (key.startsWith(`${name}#`) ? Number(value) : 0), 0);

const reservationsOf = (item: Record<string, unknown>): number =>
  Object.keys(item).filter((key) => key.startsWith("reserved#")).length;

/** The ids of a person's threads, by the table; the list shows the same. */
async function threadsOf(account: Account): Promise<string[]> {
  const { Items = [] } = await table.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
      ExpressionAttributeValues: { ":pk": `USER#${account.userId}`, ":sk": "THREAD#" },
      ConsistentRead: true,
    }),
  );
  const stored = Items.map(({ sk }) => String(sk).slice("THREAD#".length)).sort();
  const { items } = (await (await app.request(account, "/threads")).json()) as { items: { threadId: string }[] };
  expect(items.map(({ threadId }) => threadId).sort()).toEqual(stored);
  return stored;
}

interface Sent {
  threadId: string;
  runId: string;
  response: Response;
}

interface How {
  url?: string;
  settings?: unknown;
}

/** Sends a first message; as the page does, again under the same ids while the table is too busy. */
async function send(account: Account, text: string, how: How = {}): Promise<Sent> {
  const ids = { threadId: ulid(), question: messageId() };
  for (let tries = 1; ; tries += 1) {
    const sent = await post(account, text, how, ids);
    if (sent.response.status !== 503 || tries === 6) return sent;
    const { error } = (await sent.response.clone().json()) as { error: { code: string } };
    if (error.code !== "unavailable") return sent;
  }
}

async function post(
  account: Account,
  text: string,
  how: How,
  { threadId, question }: { threadId: string; question: string },
): Promise<Sent> {
  const response = await app.request(account, `/threads/${threadId}/runs`, {
    json: {
      kind: "send",
      messageId: question,
      text,
      create: true,
      ...(how.settings ? { settings: how.settings } : {}),
    },
    ...(how.url ? { url: how.url } : {}),
  });
  return { threadId, runId: `${question.slice(0, 25)}1`, response };
}

const read = async (sent: Sent): Promise<StreamText> => readStream(sent.response);

async function until<T>(what: () => Promise<T | undefined | false>, ms = 20_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await what();
    if (found) return found;
    if (Date.now() > end) throw new Error("It did not come about in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const settled = (account: Account) =>
  until(async () => {
    const item = await usageOf(account);
    return reservationsOf(item) === 0 && "committed" in item && item;
  });

type Reported = ModelCall & { usage?: { inputTokens: number; outputTokens: number; totalTokens: number } };
const reported = async (from = 0): Promise<Reported[]> => (await app.modelCalls()).slice(from) as Reported[];

describe("Fifty messages that one person sends at the same time, to two servers", () => {
  test("never have more runs live than allowed, nor more tokens committed than the budget; what is settled is what the models reported", async () => {
    const account = await app.createAccount("fifty");
    const before = (await app.modelCalls()).length;
    await app.scenario({ tokens: 60, tokenMs: 5 });
    let over = false;
    let [mostLive, mostCommitted] = [0, 0];
    const watching = (async () => {
      while (!over) {
        const [usage, activity] = await Promise.all([
          usageOf(account),
          table.send(
            new GetCommand({
              TableName: tableName,
              Key: { pk: `USER#${account.userId}`, sk: "ACTIVITY" },
              ConsistentRead: true,
            }),
          ),
        ]);
        mostCommitted = Math.max(mostCommitted, usage.committed ?? 0);
        mostLive = Math.max(mostLive, Object.keys((activity.Item?.live ?? {}) as object).length);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const codes: string[] = [];
    const answered: string[] = [];
    const one = async (index: number) => {
      const sent = await send(account, `Question ${index}`, { url: app.servers[index % 2]?.url ?? "" });
      if (sent.response.status === 200) {
        expect((await read(sent)).data.end).toMatchObject({ ending: "complete" });
        codes.push("answered");
        answered.push(sent.threadId);
        return;
      }
      expect(sent.response.status).toBe(429);
      const { error } = (await sent.response.json()) as { error: { code: string } };
      codes.push(error.code);
    };
    await Promise.all(Array.from({ length: 50 }, (_, index) => one(index)));
    over = true;
    await watching;
    const item = await settled(account);
    const calls = await reported(before);
    expect(codes.filter((code) => code === "answered").length).toBe(calls.length);
    expect(calls.length).toBeGreaterThanOrEqual(1);
    expect(await threadsOf(account)).toEqual(answered.sort());
    expect(new Set(codes)).toEqual(new Set(["answered", "too-many-runs"]));
    expect(mostLive).toBeLessThanOrEqual(liveRuns);
    expect(mostCommitted).toBeLessThanOrEqual(budgets.person);
    const total = calls.reduce((sum, { usage }) => sum + (usage?.totalTokens ?? Number.NaN), 0);
    expect(item.committed).toBe(total);
    expect(sumOf(item, "tokens")).toBe(total);
    expect(sumOf(item, "answers")).toBe(calls.length);
  });
});

describe("A budget", () => {
  test("is never passed, however many messages come at once; what is refused says when it goes on", async () => {
    const person = 12_000;
    const servers = await Promise.all(
      [1, 2].map(() => startServer({ budgets: { person, stage: 1_000_000 }, limits: { liveRuns: 50 } })),
    );
    const account = await app.createAccount("spender");
    const before = (await app.modelCalls()).length;
    await app.scenario({ tokens: 900, tokenMs: 1 });
    const committed: number[] = [];
    const waves: unknown[] = [];
    // Until a wave in which nobody gets an answer any more.
    for (let wave = 0, answered = 1; answered > 0; wave++) {
      const sends = Array.from({ length: 10 }, async (_, index) => {
        const sent = await send(account, `Wave ${wave}, question ${index}`, { url: servers[index % 2]?.url ?? "" });
        committed.push((await usageOf(account)).committed ?? 0);
        if (sent.response.status === 200) return (await read(sent)).data.end?.ending;
        const { error } = (await sent.response.json()) as { error: { code: string; until: number; message: string } };
        expect(sent.response.status).toBe(429);
        expect(error.code).toBe("budget-spent");
        expect(new Date(error.until).toISOString()).toMatch(/T00:00:00.000Z$/);
        expect(error.until).toBeGreaterThan(Date.now());
        const wait = Number(sent.response.headers.get("Retry-After"));
        expect(Math.abs(wait * 1000 - (error.until - Date.now()))).toBeLessThan(5_000);
        return error.code;
      });
      const outcomes = await Promise.all(sends);
      answered = outcomes.filter((outcome) => outcome === "complete").length;
      waves.push(...outcomes);
      await settled(account);
    }
    const item = await settled(account);
    expect(Math.max(...committed)).toBeLessThanOrEqual(person);
    const calls = await reported(before);
    expect(waves.filter((how) => how === "complete")).toHaveLength(calls.length);
    expect(waves.filter((how) => how === "budget-spent")).toHaveLength(waves.length - calls.length);
    expect(calls.length).toBeGreaterThan(3);
    expect(item.committed).toBe(calls.reduce((sum, { usage }) => sum + (usage?.totalTokens ?? Number.NaN), 0));
    // What is left is less than one reservation.
    expect(item.committed).toBeGreaterThan(person - 4_400);
    await Promise.all(servers.map((server) => server.stop()));
  });

  test("refuses a first message and leaves no thread of it; later it goes out with what is chosen by then", async () => {
    const poor = await startServer({ budgets: { person: 1_000, stage: 1_000_000 } });
    const account = await app.createAccount("chooses-again");
    const first = { kind: "send", messageId: messageId(), text: "Alder trees", create: true };
    const threadId = ulid();
    const ask = (settings: unknown, url?: string) =>
      app.request(account, `/threads/${threadId}/runs`, { json: { ...first, settings }, ...(url ? { url } : {}) });
    expect((await ask({ systemPrompt: "Answer as a gardener.", topP: 0.5 }, poor.url)).status).toBe(429);
    await poor.stop();
    expect(await threadsOf(account)).toEqual([]);
    expect((await app.request(account, `/threads/${threadId}`)).status).toBe(404);
    const response = await ask({ systemPrompt: "Answer as a sailor." });
    expect(response.status).toBe(200);
    await readStream(response);
    expect(await threadsOf(account)).toEqual([threadId]);
    const [call] = (await reported()).slice(-1);
    expect(JSON.stringify(call?.body)).toContain("Answer as a sailor.");
    expect(JSON.stringify(call?.body)).not.toContain("topP");
    const page = await (await app.request(account, `/threads/${threadId}.data`)).text();
    expect(page).toContain("Answer as a sailor.");
    expect(page).not.toContain("Answer as a gardener.");
  });

  test("of the stage holds for all people together", async () => {
    const stage = 15_000;
    const server = await startServer({ budgets: { person: 13_000, stage }, limits: { liveRuns: 50 } });
    const people = await Promise.all([app.createAccount("one"), app.createAccount("two")]);
    await app.scenario({ tokens: 900, tokenMs: 1 });
    const codes = new Set<string>();
    let all = 0;
    for (let wave = 0, answered = 1; answered > 0; wave++) {
      answered = 0;
      await Promise.all(
        people.flatMap((account) =>
          Array.from({ length: 6 }, async (_, index) => {
            const sent = await send(account, `Wave ${wave}, question ${index}`, { url: server.url });
            if (sent.response.status === 200) {
              await read(sent);
              answered += 1;
              all += 1;
            } else codes.add(((await sent.response.json()) as { error: { code: string } }).error.code);
          }),
        ),
      );
      await Promise.all(people.map(settled));
    }
    const items = await Promise.all(people.map(settled));
    const used = items.reduce((sum, { committed = 0 }) => sum + committed, 0);
    expect(codes).toContain("stage-budget-spent");
    expect((await Promise.all(people.map(threadsOf))).flat()).toHaveLength(all);
    expect(used).toBeLessThanOrEqual(stage);
    // Each may keep what a reservation took and did not need; nobody else gets that.
    expect(used).toBeGreaterThan(stage - 2 * 4_400);
    const { Item } = await table.send(
      new GetCommand({ TableName: tableName, Key: { pk: "STAGE#USAGE", sk: today() }, ConsistentRead: true }),
    );
    expect(Item?.granted).toBeLessThanOrEqual(stage);
    expect(JSON.stringify(Item)).not.toContain(people[0]?.userId);
    await server.stop();
  });

  test("comes right again when a server is killed between reservation and settlement", async () => {
    const account = await app.createAccount("killed");
    const server = await startServer({});
    await app.scenario({ tokens: 4_000, tokenMs: 10 });
    const sent = await send(account, "A long one", { url: server.url });
    let [seen, text] = [() => {}, ""];
    const started = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const stream = readStream(sent.response, (so) => {
      text = so;
      if (so.length > 80) seen();
    }).catch(() => undefined);
    await started;
    expect(reservationsOf(await usageOf(account))).toBe(1);
    await server.kill();
    await stream;
    const page = await until(async () => {
      const answer = await readStream(await app.request(account, `/threads/${sent.threadId}/runs/${sent.runId}`));
      return answer.data.end && answer;
    });
    expect(page.data.end).toMatchObject({ ending: "interrupted", error: "server-ended" });
    expect(text.length).toBeGreaterThan(80);
    const item = await settled(account);
    // By estimate, since no vendor reports what a killed server asked for: the question, and the text that is kept.
    expect(item.committed).toBeGreaterThanOrEqual(Math.floor(page.text.length / 4));
    expect(item.committed).toBeLessThan(1_500);
    const shown = await (await app.request(account, `/threads/${sent.threadId}.data`)).text();
    expect(shown).toContain("estimated");
  });

  test("gets back what was reserved for a run that never was, and what an answer that was stored has left open", async () => {
    const account = await app.createAccount("stale");
    const first = await send(account, "Something that is settled");
    await read(first);
    const before = await settled(account);
    const { Item: answer } = await table.send(
      new GetCommand({
        TableName: tableName,
        Key: { pk: `USER#${account.userId}#THREAD#${first.threadId}`, sk: `MESSAGE#${first.runId}` },
      }),
    );
    // As if the server had been killed after it stored the answer, and another one before its claim.
    const at = Date.now() - 120_000;
    const stale = { n: 20_000, a: at, t: ulid(), r: `${messageId().slice(0, 25)}1` };
    const open = { n: 5_000, a: at, t: first.threadId, r: first.runId };
    await table.send(
      new UpdateCommand({
        TableName: tableName,
        Key: { pk: `USER#${account.userId}`, sk: `USAGE#${today()}` },
        UpdateExpression: "SET #never = :never, #open = :open ADD committed :all, #left :less",
        ExpressionAttributeNames: {
          "#never": "reserved#AAAAAAAAAAAAAAAA",
          "#open": `reserved#${answer?.claimId}`,
          "#left": "left",
        },
        ExpressionAttributeValues: { ":never": stale, ":open": open, ":all": 25_000, ":less": -25_000 },
      }),
    );
    expect((await app.request(account, "/settings")).status).toBe(200);
    const after = await settled(account);
    expect(after.committed).toBe((before.committed ?? 0) * 2);
    expect(sumOf(after, "answers")).toBe(2);
    // A message that needs the room gets it at once, without any visit to Settings.
    await table.send(
      new UpdateCommand({
        TableName: tableName,
        Key: { pk: `USER#${account.userId}`, sk: `USAGE#${today()}` },
        UpdateExpression: "SET #never = :never ADD committed :n, #left :less",
        ExpressionAttributeNames: { "#never": "reserved#BBBBBBBBBBBBBBBB", "#left": "left" },
        ExpressionAttributeValues: {
          ":never": { ...stale, n: budgets.person },
          ":n": budgets.person,
          ":less": -budgets.person,
        },
      }),
    );
    expect((await read(await send(account, "There is room"))).data.end).toMatchObject({ ending: "complete" });
    expect((await settled(account)).committed).toBeLessThan(budgets.person / 2);
  });

  test("counts a call that the vendor refused first once, by what it reported in the end; and one that it refused for good as nothing", async () => {
    const account = await app.createAccount("busy");
    const before = (await app.modelCalls()).length;
    await app.scenario({ fault: "throttle", times: 2 });
    await read(await send(account, "Patience"));
    const once = await settled(account);
    const [usage] = (await reported(before)).flatMap((call) => call.usage ?? []);
    expect(once.committed).toBe(usage?.totalTokens);
    await app.clearScenarios();
    await app.scenario({ fault: "denied" });
    const refused = await send(account, "Not enabled");
    expect((await read(refused)).data.end).toMatchObject({ ending: "failed", error: "model-denied" });
    const after = await settled(account);
    expect(after.committed).toBe(once.committed);
    const shown = await (await app.request(account, `/threads/${refused.threadId}`)).text();
    expect(shown).toContain("Nothing was billed.");
  });

  test("counts nothing of a model that refused until somebody stopped waiting for it", async () => {
    const account = await app.createAccount("impatient");
    await app.scenario({ fault: "throttle" });
    const sent = await send(account, "Are you there?");
    const stop = () =>
      app.request(account, `/threads/${sent.threadId}/runs/${sent.runId}/stop`, { json: {} }).then(() => undefined);
    const { data } = await readStream(sent.response, undefined, (event) =>
      event === "waiting" ? void stop() : undefined,
    );
    expect(data.end).toMatchObject({ ending: "stopped" });
    expect((await settled(account)).committed).toBe(0);
  });

  test("counts an answer that was stopped by estimate, and says so", async () => {
    const account = await app.createAccount("stopped");
    await app.scenario({ tokens: 4_000, tokenMs: 10 });
    const sent = await send(account, "Go on and on");
    let seen: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const stream = readStream(sent.response, (text) => text.length > 200 && seen());
    await started;
    await app.request(account, `/threads/${sent.threadId}/runs/${sent.runId}/stop`, { json: {} });
    const { text, data } = await stream;
    expect(data.end).toMatchObject({ ending: "stopped" });
    const item = await settled(account);
    expect(item.committed).toBeGreaterThanOrEqual(Math.floor(text.length / 4));
    const [call] = (await reported()).slice(-1);
    expect(call?.usage).toBeUndefined();
    expect(Math.abs((item.committed ?? 0) - text.length / 4)).toBeLessThan(400);
    expect(await (await app.request(account, `/threads/${sent.threadId}.data`)).text()).toContain("estimated");
  });

  test("lets an answer that outgrows what was reserved go on while there is more, and ends it when there is none", async () => {
    const server = await startServer({ budgets: { person: 11_000, stage: 1_000_000 }, limits: { liveRuns: 50 } });
    const account = await app.createAccount("long");
    await app.scenario({ tokens: 9_000, tokenMs: 1 });
    const sent = await send(account, "The longest one", { url: server.url });
    const { text, data } = await read(sent);
    expect(data.end).toMatchObject({ ending: "interrupted", error: "budget-spent" });
    // More than the 4,096 tokens that were reserved at first.
    expect(text.length).toBeGreaterThan(4_096 * 3);
    expect((await settled(account)).committed).toBeGreaterThan(4_096);
    await server.stop();
  });

  test.each([
    { model: "openai:gpt-5-mini", longest: 6_000 },
    { model: "bedrock:us.amazon.nova-2-lite-v1:0", reasoningEffort: "low", longest: 6_000 },
    // Its budget to think, a tenth of what it can write, comes on top of what was asked for.
    { model: "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0", reasoningEffort: "low", longest: 12_400 },
  ])(
    "is not passed by what $model thinks within the length that was asked for, and needs no more than that",
    async ({ longest, ...settings }) => {
      const person = 2 * longest + 1_000;
      const server = await startServer({ budgets: { person, stage: 1_000_000 }, limits: { liveRuns: 50 } });
      const account = await app.createAccount("thinks");
      const before = (await app.modelCalls()).length;
      const how = { url: server.url, settings: { ...settings, maxTokens: 6_000 } };
      for (const [thoughts, ending] of [
        [50_000, "failed"],
        [5_000, "complete"],
      ] as const) {
        // OpenAI gives no summary: nothing is seen before the answer.
        await app.scenario({ thoughts, tokens: 20, tokenMs: 0, fault: "unverified" });
        const { text, data } = await read(await send(account, "Think hard", how));
        expect(data.end).toMatchObject({ ending });
        expect(text === "").toBe(ending === "failed");
      }
      const item = await settled(account);
      const taken = (await reported(before)).flatMap(({ usage }) => usage?.outputTokens ?? []);
      expect(taken).toEqual([longest, 5_020]);
      expect(item.committed).toBeGreaterThan(longest + 5_020);
      expect(item.committed).toBeLessThanOrEqual(person);
      await server.stop();
    },
  );

  test("holds what the guardrail will read of an answer that grows, before it grows", async () => {
    const person = 15_000;
    const server = await startServer({
      guardrail: localGuardrail,
      budgets: { person, stage: 1_000_000 },
      limits: { liveRuns: 50 },
    });
    const account = await app.createAccount("guarded");
    await app.scenario({ tokens: 9_000, tokenMs: 1 });
    const sent = await send(account, "The longest one", { url: server.url });
    const { text, data } = await read(sent);
    expect(data.end).toMatchObject({ ending: "interrupted", error: "budget-spent" });
    expect(text.length).toBeGreaterThan(4_096 * 3);
    expect((await settled(account)).committed).toBeLessThanOrEqual(person);
    await server.stop();
  });

  test("counts what the guardrail read for a server that was killed", async () => {
    const server = await startServer({ guardrail: localGuardrail });
    const account = await app.createAccount("killed");
    await app.scenario({ tokens: 4_000, tokenMs: 8 });
    const sent = await send(account, "A long one", { url: server.url });
    const stream = read(sent).catch(() => undefined);
    const key = { pk: `USER#${account.userId}#THREAD#${sent.threadId}`, sk: "RUN" };
    // Its question and two windows of its answer.
    const told = await until(async () => {
      const { Item } = await table.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }));
      const units = (Item?.w as { n: number } | undefined)?.n ?? 0;
      return units >= 3 && units;
    });
    await server.kill();
    await stream;
    await until(async () => {
      const answer = await readStream(await app.request(account, `/threads/${sent.threadId}/runs/${sent.runId}`));
      return answer.data.end;
    });
    await settled(account);
    const { Item: answer } = await table.send(
      new GetCommand({ TableName: tableName, Key: { ...key, sk: `MESSAGE#${sent.runId}` }, ConsistentRead: true }),
    );
    const { guardrail, cost } = (answer ?? {}) as { guardrail?: { units: number }; cost?: { guardrail: number } };
    expect(guardrail?.units).toBeGreaterThanOrEqual(told);
    expect(cost?.guardrail).toBeGreaterThanOrEqual(told * 0.0004);
  });
});

describe("The operator's switch", () => {
  const turn = (off: boolean) =>
    table.send(new PutCommand({ TableName: tableName, Item: { pk: "STAGE#USAGE", sk: "SWITCH", off } }));

  test("ends the live runs of every server within seconds, keeps their text, and lets no message in until it is back", async () => {
    const account = await app.createAccount("switched");
    await app.scenario({ tokens: 20_000, tokenMs: 10 });
    const both = await Promise.all(
      [0, 1].map((index) => send(account, `Live ${index}`, { url: app.servers[index]?.url ?? "" })),
    );
    const begun = both.map(({ response }) => {
      let seen: () => void = () => undefined;
      const started = new Promise<void>((resolve) => {
        seen = resolve;
      });
      return { started, stream: readStream(response, (text) => text.length > 40 && seen()) };
    });
    await Promise.all(begun.map(({ started }) => started));
    const streams = begun.map(({ stream }) => stream);
    const at = Date.now();
    await turn(false);
    await turn(true);
    for (const { text, data } of await Promise.all(streams)) {
      expect(data.end).toMatchObject({ ending: "interrupted", error: "switched-off", length: text.length });
      expect(text.length).toBeGreaterThan(20);
    }
    expect(Date.now() - at).toBeLessThan(10_000);
    for (const call of (await reported()).slice(-2)) expect(call.ended).toBe("client");
    const before = (await app.modelCalls()).length;
    const refused = await send(account, "Let me in");
    expect(refused.response.status).toBe(503);
    expect(await refused.response.json()).toMatchObject({ error: { code: "switched-off" } });
    expect((await app.modelCalls()).length).toBe(before);
    expect(await threadsOf(account)).toEqual(both.map(({ threadId }) => threadId).sort());
    expect(await (await app.request(account, "/settings")).text()).toContain("switched the models off");
    await app.clearScenarios();
    await turn(false);
    expect((await read(await send(account, "Let me in"))).data.end).toMatchObject({ ending: "complete" });
    await settled(account);
  });
});

describe("An account that is deleted", () => {
  test("leaves nothing of its usage behind", async () => {
    const account = await app.createAccount("leaving");
    await read(await send(account, "One answer"));
    await settled(account);
    const deleted = await app.postForm(
      "/settings",
      { intent: "delete-account", password: account.password },
      account.cookie,
    );
    expect(deleted.status).toBeLessThan(400);
    await until(async () => Object.keys(await usageOf(account)).length === 0);
  });
});
