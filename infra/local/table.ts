/**
 * The local table: dynalite on disk, with the keys and the index that `infra/table.ts` gives the real one, and
 * what dynalite lacks of DynamoDB and Sidenote needs: the removal of items whose time has come.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";

export const tableName = "sidenote";

type Item = Record<string, AttributeValue>;

export interface LocalTable {
  url: string;
  stop(): Promise<void>;
}

/** Creates the table in a new folder, and waits until it takes items: until then it answers that it is not there. */
async function ensureTable(client: DynamoDBClient): Promise<void> {
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  if (!TableNames.includes(tableName)) await createTable(client);
  for (const give = Date.now() + 10_000; ; await wait(10)) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
    if (Table?.TableStatus === "ACTIVE") return;
    if (Date.now() > give) throw new Error("The local table was never made whole. Remove its data folder.");
  }
}

async function createTable(client: DynamoDBClient): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
        { AttributeName: "activityAt", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      LocalSecondaryIndexes: [
        {
          IndexName: "byActivity",
          KeySchema: [
            { AttributeName: "pk", KeyType: "HASH" },
            { AttributeName: "activityAt", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["card"] },
        },
      ],
    }),
  );
}

/**
 * Removes what has expired, as DynamoDB's TTL does, and hands each removed item on, as the table's stream does.
 * Only here is the table ever scanned: the real one does this by itself.
 */
async function removeExpired(client: DynamoDBClient, onRemoved: (item: Item) => void): Promise<void> {
  const now = { ":now": { N: String(Math.floor(Date.now() / 1000)) } };
  let from: Item | undefined;
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: tableName,
        FilterExpression: "expiresAt < :now",
        ExpressionAttributeValues: now,
        ExclusiveStartKey: from,
      }),
    );
    for (const item of page.Items ?? []) {
      const { pk, sk } = item;
      if (!pk || !sk) continue;
      try {
        await client.send(
          new DeleteItemCommand({
            TableName: tableName,
            Key: { pk, sk },
            ConditionExpression: "expiresAt < :now",
            ExpressionAttributeValues: now,
          }),
        );
        onRemoved(item);
      } catch (error) {
        // It was given a longer life in the meantime.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    }
    from = page.LastEvaluatedKey;
  } while (from);
}

/**
 * Starts the table on a free port of 127.0.0.1, its files in `folder`, or in memory without one. `onRemoved` gets each item that expired:
 * the place for whoever finishes deletions. `expireEveryMs` is one minute unless told.
 */
export async function startTable(
  options: { folder?: string; onRemoved?: (item: Item) => void; expireEveryMs?: number } = {},
): Promise<LocalTable> {
  const server = dynalite({
    ...(options.folder ? { path: options.folder } : {}),
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
  });
  // A frozen function finds its connection still open when it is woken within this time.
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new DynamoDBClient({
    endpoint: url,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  await ensureTable(client);

  let expiring: Promise<void> | undefined;
  const timer = setInterval(() => {
    expiring ??= removeExpired(client, options.onRemoved ?? (() => undefined))
      .catch((error: unknown) => console.error("Expired items could not be removed:", error))
      .finally(() => {
        expiring = undefined;
      });
  }, options.expireEveryMs ?? 60_000);

  return {
    url,
    async stop() {
      clearInterval(timer);
      await expiring;
      client.destroy();
      const closed = new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
      });
      server.closeAllConnections();
      await closed;
    },
  };
}
