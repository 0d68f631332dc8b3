/**
 * A table and a Cognito of its own for one test file, both in this process, and the environment that the app reads.
 * Call it before anything that imports the app.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import type { Invocation } from "~/invocation.server";
import type { Delivery } from "../../infra/local/cognito/pool.ts";
import { startCognito } from "../../infra/local/cognito/server.ts";
import { startTable } from "./table";

/** Long enough that no call to the local Cognito takes longer, and short enough to wait for it in many tests. */
export const LEAST_WAIT = 150;

/** Lets only Date stand still or jump: sockets and clients keep their timers. */
export function setClock(time: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: time });
}

/** A request of a browser. `ip` is where CloudFront saw it come from. */
export function browserRequest(
  options: { cookie?: string; path?: string; ip?: string; method?: string } = {},
): Request {
  const headers = new Headers();
  if (options.cookie) headers.set("cookie", options.cookie);
  if (options.ip) headers.set("cloudfront-viewer-address", options.ip);
  return new Request(`http://localhost:3000${options.path ?? "/"}`, { method: options.method ?? "GET", headers });
}

/** What a browser sends back of a Set-Cookie. */
export const cookieOf = (next: { cookie?: string } | Headers): string =>
  ((next instanceof Headers ? next.get("Set-Cookie") : next.cookie) ?? "").split(";")[0] ?? "";

export interface LocalSignIn {
  userPoolId: string;
  cognitoUrl: string;
  tableUrl: string;
  mails: Delivery[];
  /** How far Cognito's clock is ahead, in milliseconds. */
  setCognitoAhead(milliseconds: number): void;
  /** The newest code mailed to this address. */
  codeFor(email: string): string;
  /** Calls by operation, as the local Cognito counted them. */
  counts(): Promise<Record<string, number>>;
  /** Nothing answers at Cognito's address until it is resumed there. */
  pauseCognito(): Promise<void>;
  resumeCognito(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSignIn(
  options: { limits?: Record<string, unknown>; signUp?: "open" | "closed"; sessionKeys?: Record<string, string> } = {},
): Promise<LocalSignIn> {
  const table = await startTable();
  const dataFolder = await mkdtemp(join(tmpdir(), "sidenote-auth-"));
  const mails: Delivery[] = [];
  let ahead = 0;
  const start = (port?: number) =>
    startCognito({ dataFolder, port, onCode: (mail) => mails.push(mail), now: () => Date.now() + ahead });
  let cognito = await start();
  const { userPoolId, clientId, clientSecret } = cognito;
  const backend = JSON.parse(process.env.SST_RESOURCE_Backend ?? "{}") as Record<string, unknown>;
  const plenty = { limit: 1000, seconds: 3600 };
  const limits = {
    signIn: plenty,
    signUp: plenty,
    code: plenty,
    resend: plenty,
    forgot: plenty,
    leastWaitMs: LEAST_WAIT,
    ...options.limits,
  };
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
    userPoolId,
    cognitoUrl: cognito.url,
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
    pauseCognito: () => cognito.stop(),
    async resumeCognito() {
      cognito = await start(Number(new URL(cognito.url).port));
    },
    async stop() {
      await cognito.stop();
      await table.stop();
      await rm(dataFolder, { recursive: true });
    },
  };
}

/**
 * Runs as one invocation of the server does, up to the end of the work that outlives the answer. `run` is the app's
 * `runInvocation`, which a test file imports after the environment stands.
 */
export async function invokeWith<T>(
  run: (invocation: Invocation, work: () => Promise<T>) => Promise<T>,
  work: () => Promise<T>,
): Promise<T> {
  const late: Promise<unknown>[] = [];
  try {
    return await run(
      { requestId: "test", deadline: Date.now() + 60_000, waitUntil: (promise) => late.push(promise) },
      work,
    );
  } finally {
    await Promise.all(late);
  }
}
