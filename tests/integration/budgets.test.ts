/** Budgets, the operator's switch and the cost of answers, over HTTP and by what stands in the table. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { ulid } from "ulid";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
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

interface Sent {
  threadId: string;
  runId: string;
  response: Response;
}

async function send(account: Account, text: string, how: { url?: string; settings?: unknown } = {}): Promise<Sent> {
  const threadId = ulid();
  const question = messageId();
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
    const one = async (index: number) => {
      const sent = await send(account, `Question ${index}`, { url: app.servers[index % 2]?.url ?? "" });
      if (sent.response.status === 200) {
        expect((await read(sent)).data.end).toMatchObject({ ending: "complete" });
        codes.push("answered");
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
    expect(new Set(codes)).toEqual(new Set(["answered", "too-many-runs"]));
    expect(mostLive).toBeLessThanOrEqual(liveRuns);
    expect(mostCommitted).toBeLessThanOrEqual(budgets.person);
    const total = calls.reduce((sum, { usage }) => sum + (usage?.totalTokens ?? Number.NaN), 0);
    expect(item.committed).toBe(total);
    expect(sumOf(item, "tokens")).toBe(total);
    expect(sumOf(item, "answers")).toBe(calls.length);
  });
});
