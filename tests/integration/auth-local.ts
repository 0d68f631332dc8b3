/**
 * A table and a Cognito of its own for one test file, both in this process, and the environment that the app reads.
 * Call it before anything that imports the app.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Delivery } from "../../infra/local/cognito/pool.ts";
import { type Cognito, startCognito } from "../../infra/local/cognito/server.ts";
import { startTable } from "./table";

export interface LocalSignIn {
  cognito: Cognito;
  tableUrl: string;
  mails: Delivery[];
  /** How far Cognito's clock is ahead, in milliseconds. */
  setCognitoAhead(milliseconds: number): void;
  /** The newest code mailed to this address. */
  codeFor(email: string): string;
  counts(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

export async function startSignIn(
  options: { limits?: Record<string, unknown>; signUp?: "open" | "closed"; sessionKeys?: Record<string, string> } = {},
): Promise<LocalSignIn> {
  const table = await startTable();
  const dataFolder = await mkdtemp(join(tmpdir(), "sidenote-auth-"));
  const mails: Delivery[] = [];
  let ahead = 0;
  const cognito = await startCognito({
    dataFolder,
    onCode: (mail) => mails.push(mail),
    now: () => Date.now() + ahead,
  });
  const { userPoolId, clientId, clientSecret } = cognito;
  const backend = JSON.parse(process.env.SST_RESOURCE_Backend ?? "{}") as Record<string, unknown>;
  const plenty = { limit: 1000, seconds: 3600 };
  const limits = { signIn: plenty, signUp: plenty, code: plenty, resend: plenty, forgot: plenty, ...options.limits };
  Object.assign(process.env, {
    SST_RESOURCE_Backend: JSON.stringify({
      ...backend,
      userPoolId,
      clientId,
      clientSecret,
      signUp: options.signUp ?? "open",
      limits,
    }),
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: cognito.url,
    ...(options.sessionKeys && {
      SST_RESOURCE_SessionKeys: JSON.stringify({ value: JSON.stringify(options.sessionKeys) }),
    }),
  });
  return {
    cognito,
    tableUrl: table.url,
    mails,
    setCognitoAhead: (milliseconds) => {
      ahead = milliseconds;
    },
    codeFor(email) {
      const mail = mails.filter((other) => other.email === email).at(-1);
      if (!mail) throw new Error(`Nothing was mailed to ${email}`);
      return mail.code;
    },
    counts: async () => (await (await fetch(`${cognito.url}/__counts`)).json()) as Record<string, number>,
    async stop() {
      await cognito.stop();
      await table.stop();
      await rm(dataFolder, { recursive: true });
    },
  };
}
