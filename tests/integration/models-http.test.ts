/** Models over HTTP, through the built server: prompt caching, reasoning, compatible endpoints, and the list on demand. */
import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { ulid } from "ulid";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ModelServer, startModelServer } from "../../infra/local/models/server.ts";
import { type Account, App, messageId, readStream } from "../app.ts";

let app: App;
let house: ModelServer;
let table: DynamoDBClient;

beforeAll(async () => {
  house = await startModelServer({ pace: { firstTokenMs: 1, tokenMs: 1 } });
  app = await App.start({
    backend: {
      compatible: [{ name: "house", url: `${house.url}/compatible/v1`, key: "house-key", window: 64_000 }],
      limits: { liveRuns: 8 },
    },
  });
  table = new DynamoDBClient({
    endpoint: app.cloud.tableUrl,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
});
afterAll(async () => {
  table?.destroy();
  await app?.stop();
  await house?.stop();
});
afterEach(() => app.clearScenarios());

interface Recorded {
  operation: string;
  path: string;
  headers: Record<string, string>;
  body: Record<string, unknown>;
  status: number;
  usage?: Record<string, number>;
}

const recorded = async (url = app.cloud.modelsUrl) =>
  (await (await fetch(new URL("/__requests", url))).json()) as Recorded[];

/** The calls whose body holds the marker, oldest first. */
const callsWith = async (marker: string, url?: string) =>
  (await recorded(url)).filter(
    ({ operation, body }) => operation === "answer" && JSON.stringify(body ?? "").includes(marker),
  );

/** Two turns in one thread; returns what the answers' streams said. */
async function converse(account: Account, settings: Record<string, unknown>, marker: string) {
  const threadId = ulid();
  const streams = [];
  for (const [index, text] of [`First ${marker}`, `Second ${marker}`].entries()) {
    const response = await app.request(account, `/threads/${threadId}/runs`, {
      json: { kind: "send", messageId: messageId(), text, ...(index === 0 && { create: true, settings }) },
    });
    const stream = await readStream(response);
    expect(stream.data.end).toMatchObject({ ending: "complete" });
    streams.push(stream);
  }
  return { threadId, streams };
}

/** The usage that is stored with each answer of a thread, in order. */
async function storedUsage(account: Account, threadId: string) {
  const { Items = [] } = await table.send(
    new QueryCommand({
      TableName: app.cloud.env.SST_RESOURCE_Backend
        ? (JSON.parse(app.cloud.env.SST_RESOURCE_Backend) as { tableName: string }).tableName
        : "Sidenote",
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
      ExpressionAttributeValues: {
        ":pk": { S: `USER#${account.userId}#THREAD#${threadId}` },
        ":sk": { S: "MESSAGE#" },
      },
      ConsistentRead: true,
    }),
  );
  return Items.flatMap(({ usage }) =>
    usage?.M ? [Object.fromEntries(Object.entries(usage.M).map(([name, value]) => [name, Number(value.N)]))] : [],
  );
}

/** Where a Converse body has its cache points: "system", or the index of a message. */
function placesOf({ system = [], messages }: Record<string, unknown> | Recorded["body"]): (string | number)[] {
  const has = (blocks: unknown) => (blocks as object[]).some((block) => "cachePoint" in block);
  return [
    ...(has(system) ? ["system"] : []),
    ...(messages as { content: object[] }[]).flatMap(({ content }, index) => (has(content) ? [index] : [])),
  ];
}

async function personWithNotes(): Promise<Account> {
  const account = await app.createAccount("notes");
  const text = Array.from({ length: 560 }, (_, index) => `Line ${index}: the boiler of house ${index} is fine.`).join(
    "\n",
  );
  const made = await app.postForm(
    "/notes/new",
    { intent: "create", noteId: ulid(), title: "Boilers", text },
    account.cookie,
  );
  expect(made.status).toBeLessThan(400);
  return account;
}

describe("the vendor's prompt cache", () => {
  test.each([
    ["bedrock:amazon.nova-lite-v1:0"],
    ["bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ["bedrock:us.anthropic.claude-haiku-4-5-20251001-v1:0"],
    ["openai:gpt-4.1-mini"],
    ["openai:gpt-5-mini"],
    ["openai:gpt-6-luna"],
  ])("is read by the second turn of a thread with %s, and what was read is stored", async (model) => {
    const account = await personWithNotes();
    const marker = `marker-${ulid()}`;
    const { threadId } = await converse(account, { model }, marker);
    const calls = await callsWith(marker);
    expect(calls).toHaveLength(2);
    const [first, second] = calls;
    expect(first?.usage).toMatchObject({ cacheReadTokens: 0 });
    expect(second?.usage?.cacheReadTokens).toBeGreaterThan(4_000);
    // The whole first turn but its answer was kept: only what is new is not read.
    expect(second?.usage?.cacheReadTokens).toBeGreaterThan((first?.usage?.inputTokens ?? 0) - 200);

    // The end of an answer is told before the answer is stored.
    await expect.poll(async () => (await storedUsage(account, threadId)).length, { timeout: 10_000 }).toBe(2);
    const stored = await storedUsage(account, threadId);
    expect(stored[1]).toMatchObject({
      inputTokens: second?.usage?.inputTokens,
      cacheReadTokens: second?.usage?.cacheReadTokens,
    });
    if (model.startsWith("bedrock")) {
      expect(placesOf(first?.body ?? {})).toEqual(["system", 0]);
      expect(placesOf(second?.body ?? {})).toEqual(["system", 0, 2]);
      expect(stored[0]).toMatchObject({ cacheWriteTokens: first?.usage?.cacheWriteTokens });
    } else {
      expect(calls.map(({ body }) => body.prompt_cache_key)).toEqual([threadId, threadId]);
    }
  });

  test("is not asked for where the model has none, and not for a prompt that is too short to keep", async () => {
    const account = await personWithNotes();
    const marker = `marker-${ulid()}`;
    await converse(account, { model: "bedrock:us.meta.llama3-3-70b-instruct-v1:0" }, marker);
    const stranger = await app.createAccount();
    await converse(stranger, { model: "bedrock:amazon.nova-lite-v1:0" }, marker);
    await converse(stranger, { model: "openai:gpt-4.1-mini" }, marker);
    const calls = await callsWith(marker);
    expect(calls).toHaveLength(6);
    expect(JSON.stringify(calls.map(({ body }) => body))).not.toMatch(/cachePoint|prompt_cache_key/);
  });
});

describe("the reasoning of a model", () => {
  test.each([
    ["bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0", { reasoningEffort: "low" }],
    ["bedrock:us.anthropic.claude-opus-4-7", { reasoningEffort: "low" }],
    ["bedrock:us.anthropic.claude-opus-5", {}],
    ["bedrock:us.deepseek.r1-v1:0", {}],
    ["bedrock:openai.gpt-oss-120b-1:0", { reasoningEffort: "low" }],
    ["openai:gpt-5-mini", {}],
    ["house:deepseek-reasoner", {}],
  ])("of %s is streamed apart from its answer, and is not sent back in the next turn", async (model, settings) => {
    const account = await app.createAccount();
    const marker = `marker-${ulid()}`;
    const { streams } = await converse(account, { model, ...settings }, marker);
    for (const { events, text } of streams) {
      expect(events).toContain("reasoning");
      // What the model server thinks begins so.
      expect(text).not.toContain("The question is");
    }
    const calls = await callsWith(marker, model.startsWith("house:") ? house.url : app.cloud.modelsUrl);
    expect(calls).toHaveLength(2);
    const { messages, input } = calls[1]?.body ?? {};
    const sent = (messages ?? input) as { role: string; content: unknown; type?: string }[];
    // With OpenAI the system prompt is one of them.
    const history = sent.filter(({ role }) => !["system", "developer"].includes(role));
    expect(history.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(JSON.stringify(history)).not.toMatch(/reasoning|thinking|signature|encrypted|The question is/);
    expect(JSON.stringify(history[1]?.content)).toContain("local model server");
  });

  test("is done without where OpenAI gives its summary to verified organisations only", async () => {
    await app.scenario({ match: { model: "gpt-5-nano" }, fault: "unverified" });
    const account = await app.createAccount();
    const marker = `marker-${ulid()}`;
    const { streams } = await converse(account, { model: "openai:gpt-5-nano" }, marker);
    expect(streams.map(({ text }) => text.length > 0)).toEqual([true, true]);
    const calls = await callsWith(marker);
    // The refusal, the answer without a summary, and the second turn, which knows.
    expect(calls.map(({ status, body }) => [status, "reasoning" in body])).toEqual([
      [400, true],
      [200, false],
      [200, false],
    ]);
  });
});

test("A compatible endpoint is listed under its name, called with its key, and answers", async () => {
  const account = await app.createAccount();
  const { models } = (await (await app.request(account, "/models")).json()) as {
    models: { ref: string; vendor: string; window: number; family: string }[];
  };
  expect(models.filter(({ vendor }) => vendor === "house")).toMatchObject([
    { ref: "house:deepseek-reasoner", window: 64_000, family: "unknown" },
    { ref: "house:llama3.2:3b", window: 64_000, family: "unknown" },
  ]);
  const marker = `marker-${ulid()}`;
  const settings = { temperature: 0.4, maxTokens: 300, stopSequences: ["END"] };
  await converse(account, { model: "house:llama3.2:3b", ...settings }, marker);
  const [call] = await callsWith(marker, house.url);
  expect(call).toMatchObject({ path: "/compatible/v1/chat/completions", status: 200 });
  expect(call?.headers.authorization).toBe("Bearer");
  expect(call?.body).toMatchObject({ model: "llama3.2:3b", temperature: 0.4, max_tokens: 300, stop: ["END"] });
});

test("The list is read again when a person asks for it, but not twice in a moment", async () => {
  const account = await app.createAccount();
  const lists = async () => (await recorded()).filter(({ operation }) => operation === "list").length;
  expect((await app.request(account, "/models")).status).toBe(200);
  const before = await lists();
  const asked = await Promise.all(Array.from({ length: 10 }, () => app.request(account, "/models?fresh=1")));
  expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 200));
  // Three lists of two vendors, once at most, however many ask.
  expect((await lists()) - before).toBeLessThanOrEqual(3);
});
