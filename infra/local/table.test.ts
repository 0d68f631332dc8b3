import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type LocalTable, startTable, tableName } from "./table.ts";

let folder: string;
let table: LocalTable;

const connect = (): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: table.url,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    }),
  );

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sidenote-table-"));
});
afterEach(async () => {
  await table.stop();
  rmSync(folder, { recursive: true });
});

test("A new thread is in its list at once, with the card and nothing else", async () => {
  table = await startTable({ folder });
  const client = connect();
  const item = { pk: "USER#1", sk: "THREAD#1", activityAt: "THREAD#0#now", card: { title: "One" }, secret: "x" };
  await client.send(new PutCommand({ TableName: tableName, Item: item }));
  const { Items } = await client.send(
    new QueryCommand({
      TableName: tableName,
      IndexName: "byActivity",
      ConsistentRead: true,
      KeyConditionExpression: "pk = :pk and begins_with(activityAt, :prefix)",
      ExpressionAttributeValues: { ":pk": "USER#1", ":prefix": "THREAD#0#" },
    }),
  );
  const { secret, ...shown } = item;
  expect(secret).toBe("x");
  expect(Items).toEqual([shown]);
});

test("Items survive a restart", async () => {
  table = await startTable({ folder });
  await connect().send(new PutCommand({ TableName: tableName, Item: { pk: "USER#1", sk: "ACCOUNT" } }));
  await table.stop();
  table = await startTable({ folder });
  const { Item } = await connect().send(new GetCommand({ TableName: tableName, Key: { pk: "USER#1", sk: "ACCOUNT" } }));
  expect(Item).toEqual({ pk: "USER#1", sk: "ACCOUNT" });
});

test("What has expired is removed and handed on; what has not, stays", { timeout: 20_000 }, async () => {
  const removed = vi.fn();
  table = await startTable({ folder, onRemoved: removed, expireEveryMs: 50 });
  const client = connect();
  const seconds = Math.floor(Date.now() / 1000);
  const put = (sk: string, expiresAt?: number) =>
    client.send(new PutCommand({ TableName: tableName, Item: { pk: "USER#1", sk, expiresAt } }));
  await put("NOTE#later", seconds + 3600);
  await put("NOTE#over", seconds - 10);
  await vi.waitUntil(() => removed.mock.calls.length > 0, { timeout: 10_000 });
  expect(removed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ sk: { S: "NOTE#over" } }));
  const get = async (sk: string) =>
    (await client.send(new GetCommand({ TableName: tableName, Key: { pk: "USER#1", sk } }))).Item;
  expect(await get("NOTE#over")).toBeUndefined();
  expect(await get("NOTE#later")).toBeDefined();
});
