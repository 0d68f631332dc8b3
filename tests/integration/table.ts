/**
 * A table of its own for one test file: dynalite in this process, in memory, on a free port of 127.0.0.1, and the
 * environment that app/config.server.ts reads. Call it before anything that imports the app:
 *
 *     const local = await startTable();
 *     const { listNotes } = await import("~/notes/notes.server");
 *     afterAll(local.stop);
 */
import { once } from "node:events";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";

const dynalite = createRequire(import.meta.url)("dynalite") as (options: { createTableMs: number }) => Server;

export interface LocalTable {
  url: string;
  stop(): Promise<void>;
}

export async function startTable(): Promise<LocalTable> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(process.env, {
    SST_RESOURCE_App: JSON.stringify({ name: "sidenote", stage: "local" }),
    SST_RESOURCE_Backend: JSON.stringify({
      tableName: "Sidenote",
      userPoolId: "us-east-1_Local0001",
      clientId: "client",
      clientSecret: "secret",
      signUp: "open",
      bedrock: true,
      models: { default: "bedrock:model" },
      limits: { liveRuns: 50 },
    }),
    SST_RESOURCE_SessionKeys: JSON.stringify({
      type: "sst:sst:Secret",
      value: JSON.stringify({ k1: Buffer.alloc(32, 7).toString("base64") }),
    }),
    SST_RESOURCE_OpenAiKey: JSON.stringify({ value: "off" }),
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_DYNAMODB: url,
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: url,
  });
  const client = new DynamoDBClient({});
  await client.send(
    new CreateTableCommand({
      TableName: "Sidenote",
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
  client.destroy();
  return {
    url,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
    },
  };
}
