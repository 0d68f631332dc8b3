/** The process of the local cloud: table, Cognito and models. Started by `startCloud`, in the data folder. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCognito } from "./cognito/server.ts";
import { takeLock } from "./lock.ts";
import { startModelServer } from "./models/server.ts";
import { runProcess, tellParent } from "./process.ts";
import { startTable, tableName } from "./table.ts";

export interface CloudProcessOptions {
  dataFolder: string;
  models?: { pace?: { firstTokenMs: number; tokenMs: number } };
  expireEveryMs?: number;
}

export interface CloudReady {
  tableName: string;
  tableUrl: string;
  cognitoUrl: string;
  userPoolId: string;
  clientId: string;
  clientSecret: string;
  modelsUrl: string;
  /** As SST_RESOURCE_SessionKeys holds them: JSON of ids to 32 bytes in base64. */
  sessionKeys: string;
}

/** Made once per data folder: sessions outlive a restart. */
function readSessionKeys(folder: string): string {
  const path = join(folder, "session-keys.json");
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const keys = JSON.stringify({ k1: randomBytes(32).toString("base64") });
  writeFileSync(path, keys, { mode: 0o600 });
  return keys;
}

runProcess<CloudProcessOptions, CloudReady>(async ({ dataFolder, models, expireEveryMs }) => {
  const lock = takeLock(join(dataFolder, "cloud.lock"));
  if ("holder" in lock)
    throw new Error(
      `Another Sidenote (process ${lock.holder}) uses the data in ${dataFolder}. End that one, or give this one a folder of its own by SIDENOTE_DATA.`,
    );
  process.on("exit", lock.release);

  const [table, cognito, modelServer] = await Promise.all([
    startTable({ folder: join(dataFolder, "table"), expireEveryMs }),
    startCognito({ dataFolder, onCode: (code) => tellParent({ type: "code", code }) }),
    startModelServer({ pace: models?.pace }),
  ]);
  return {
    ready: {
      tableName,
      tableUrl: table.url,
      cognitoUrl: cognito.url,
      userPoolId: cognito.userPoolId,
      clientId: cognito.clientId,
      clientSecret: cognito.clientSecret,
      modelsUrl: modelServer.url,
      sessionKeys: readSessionKeys(dataFolder),
    },
    async stop() {
      await Promise.all([table.stop(), cognito.stop(), modelServer.stop()]);
    },
  };
});
