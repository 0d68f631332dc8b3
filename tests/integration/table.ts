/**
 * A table of its own for one test file: dynalite in this process, in memory, on a free port of 127.0.0.1, and the
 * environment that app/config.server.ts reads. Call it before anything that imports the app:
 *
 *     const local = await startTable();
 *     const { listNotes } = await import("~/notes/notes.server");
 *     afterAll(local.stop);
 */
import { startTable as startLocalTable, tableName } from "../../infra/local/table.ts";

export interface LocalTable {
  url: string;
  stop(): Promise<void>;
}

export async function startTable(): Promise<LocalTable> {
  const table = await startLocalTable();
  Object.assign(process.env, {
    SST_RESOURCE_App: JSON.stringify({ name: "sidenote", stage: "local" }),
    SST_RESOURCE_Backend: JSON.stringify({
      tableName,
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
    AWS_ENDPOINT_URL_DYNAMODB: table.url,
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: table.url,
  });
  return table;
}
