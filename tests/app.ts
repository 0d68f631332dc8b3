/**
 * The whole app for a test: the local cloud in a throw-away folder, one or more app servers (the built ones), and
 * people who signed up by the real pages. Run directly by Node, by vitest and by Playwright alike.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ulid } from "ulid";
import { type AppServer, type AppServerOptions, startAppServer } from "../infra/local/app-server.ts";
import { ensureBuild } from "../infra/local/build.ts";
import { type BackendOverrides, type Cloud, type Code, startCloud } from "../infra/local/cloud.ts";

export interface AppOptions {
  servers?: number;
  backend?: BackendOverrides;
  pace?: { firstTokenMs: number; tokenMs: number };
  isolated?: boolean;
  deadlineMs?: number;
  /** Environment of the app servers that differs from the cloud's, such as a proxy before the table. */
  env?: Record<string, string>;
}

export interface Account {
  email: string;
  password: string;
  /** The Cognito sub. */
  userId: string;
  /** The Cookie header of a session. */
  cookie: string;
}

/** The throttles are per address and IP; tests share one IP. */
const generous = { limit: 10_000, seconds: 60 };
export const generousLimits = {
  signIn: generous,
  signUp: generous,
  code: generous,
  resend: generous,
  forgot: generous,
  leastWaitMs: 20,
};

/** A ULID whose last bit is 0, as the browser makes them for messages; its answer has the next one. */
export function messageId(time = Date.now()): string {
  return `${ulid(time).slice(0, 25)}0`;
}
/** A ULID whose last bit is 1, for `again` and `continue`. */
export function requestId(time = Date.now()): string {
  return `${ulid(time).slice(0, 25)}1`;
}

export class App {
  readonly cloud: Cloud;
  readonly servers: AppServer[];
  readonly codes: Code[] = [];
  readonly #folder: string;
  readonly #options: AppOptions;

  private constructor(cloud: Cloud, servers: AppServer[], folder: string, options: AppOptions, codes: Code[]) {
    this.cloud = cloud;
    this.servers = servers;
    this.#folder = folder;
    this.#options = options;
    this.codes = codes;
  }

  /** Starts the app as its sources are: a test that is run by itself never meets an old build. */
  static async start(options: AppOptions = {}): Promise<App> {
    await ensureBuild();
    const folder = mkdtempSync(join(tmpdir(), "sidenote-"));
    const codes: Code[] = [];
    const cloud = await startCloud({
      dataFolder: folder,
      quiet: true,
      onCode: (code) => codes.push(code),
      models: { pace: options.pace ?? { firstTokenMs: 30, tokenMs: 3 } },
      backend: { ...options.backend, limits: { ...generousLimits, ...options.backend?.limits } },
    });
    const app = new App(cloud, [], folder, options, codes);
    for (let index = 0; index < (options.servers ?? 1); index++) await app.startServer();
    return app;
  }

  /** Starts one more app server, or one again. */
  async startServer(more: Partial<AppServerOptions> = {}): Promise<AppServer> {
    const server = await startAppServer({
      isolated: this.#options.isolated ?? false,
      ...(this.#options.deadlineMs ? { deadlineMs: this.#options.deadlineMs } : {}),
      ...more,
      env: { ...this.cloud.env, ...this.#options.env, ...more.env },
    });
    this.servers.push(server);
    return server;
  }

  get server(): AppServer {
    const [server] = this.servers;
    if (!server) throw new Error("No app server is running");
    return server;
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.cloud.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The newest code that was sent to this address. */
  code(email: string): string {
    const code = this.codes.findLast((sent) => sent.email.toLowerCase() === email.toLowerCase());
    if (!code) throw new Error(`No code was sent to ${email}`);
    return code.code;
  }

  /** Posts a form as a browser without JavaScript does. Redirects are not followed. */
  postForm(path: string, fields: Record<string, string>, cookie = "", url = this.server.url): Promise<Response> {
    return fetch(new URL(path, url), {
      method: "POST",
      redirect: "manual",
      headers: {
        Origin: new URL(url).origin,
        "Content-Type": "application/x-www-form-urlencoded",
        ...(cookie ? { Cookie: cookie } : {}),
      },
      body: new URLSearchParams(fields),
    });
  }

  /** Posts JSON as a page's script does. */
  postJson(path: string, body: unknown, cookie = "", url = this.server.url): Promise<Response> {
    return fetch(new URL(path, url), {
      method: "POST",
      headers: {
        Origin: new URL(url).origin,
        "Content-Type": "application/json",
        ...(cookie ? { Cookie: cookie } : {}),
      },
      body: JSON.stringify(body),
    });
  }

  /** A new person, signed up and confirmed by the real pages. */
  async createAccount(name = "person"): Promise<Account> {
    const email = `${name}-${randomUUID().slice(0, 8)}@example.org`;
    const password = `${randomUUID()}Aa1!`;
    const signedUp = await this.postForm("/sign-up", { email, password });
    let cookie = cookiesOf(signedUp);
    const confirmed = await this.postForm("/confirm", { email, code: this.code(email) }, cookie);
    cookie = cookiesOf(confirmed) || cookie;
    if (!cookie.includes("__Host-session=")) cookie = await this.signIn(email, password);
    const userId = /__Host-session=([0-9a-f-]{36})\./.exec(cookie)?.[1];
    if (!userId) throw new Error(`Signing up answered ${signedUp.status}, confirming ${confirmed.status}`);
    return { email, password, userId, cookie: sessionOf(cookie) };
  }

  /** The cookies of a new session. */
  async signIn(email: string, password: string, url = this.server.url): Promise<string> {
    const response = await this.postForm("/sign-in", { email, password }, "", url);
    const cookie = cookiesOf(response);
    if (!cookie.includes("__Host-session=")) throw new Error(`Signing in answered ${response.status}`);
    return sessionOf(cookie);
  }

  /** A request of a signed-in browser's script. */
  request(
    account: Account,
    path: string,
    init: {
      method?: string;
      json?: unknown;
      url?: string;
      headers?: Record<string, string>;
      signal?: AbortSignal;
    } = {},
  ): Promise<Response> {
    const url = init.url ?? this.server.url;
    return fetch(new URL(path, url), {
      method: init.method ?? (init.json === undefined ? "GET" : "POST"),
      redirect: "manual",
      headers: {
        Cookie: account.cookie,
        Origin: new URL(url).origin,
        ...(init.json === undefined ? {} : { "Content-Type": "application/json" }),
        ...init.headers,
      },
      ...(init.json === undefined ? {} : { body: JSON.stringify(init.json) }),
      ...(init.signal ? { signal: init.signal } : {}),
    });
  }

  /** Scripts the model server; returns when the scenario holds. */
  async scenario(scenario: Record<string, unknown>): Promise<void> {
    const response = await fetch(new URL("/__scenario", this.cloud.modelsUrl), {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(scenario),
    });
    if (!response.ok) throw new Error(`The scenario was refused: ${await response.text()}`);
  }

  async clearScenarios(): Promise<void> {
    await fetch(new URL("/__scenario", this.cloud.modelsUrl), { method: "DELETE" });
  }

  /** The model calls that the model server recorded, oldest first. */
  async modelCalls(): Promise<ModelCall[]> {
    const response = await fetch(new URL("/__requests", this.cloud.modelsUrl));
    const body = (await response.json()) as ModelCall[] | { requests: ModelCall[] };
    return (Array.isArray(body) ? body : body.requests).filter(({ operation }) => operation === "answer");
  }
}

export interface ModelCall {
  provider: "bedrock" | "openai";
  operation: string;
  path: string;
  model?: string;
  body: unknown;
  startedAt: number;
  endedAt?: number;
  ended?: "completed" | "client" | "fault";
  tokensSent: number;
}

function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .filter((cookie) => !cookie.endsWith("="))
    .join("; ");
}

const sessionOf = (cookies: string): string => /__Host-session=[^;]+/.exec(cookies)?.[0] ?? "";

/** What a run's stream said, read to its end. */
export interface StreamText {
  text: string;
  /** Names of the events that are not text, in order. */
  events: string[];
  data: Record<string, Record<string, unknown>>;
  /** Position after the last text: `<claimId>.<offset>`. */
  position: string | undefined;
}

/** Reads a run's stream as the page does. `onText` sees the text so far, `onEvent` other events. Ends when the stream does. */
export async function readStream(
  response: Response,
  onText?: (text: string) => void,
  onEvent?: (event: string) => void,
): Promise<StreamText> {
  if (!response.ok || !response.body)
    throw new Error(`The stream answered ${response.status}: ${await response.text()}`);
  const seen: StreamText = { text: "", events: [], data: {}, position: undefined };
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value: part } = await reader.read();
    if (done) break;
    const blocks = (rest + part).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(
        block.split("\n").flatMap((line) => {
          const colon = line.indexOf(":");
          return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).trimStart()] as const] : [];
        }),
      );
      const data: unknown = JSON.parse(fields.get("data") ?? "null");
      const event = fields.get("event");
      if (event) {
        seen.events.push(event);
        seen.data[event] = (data ?? {}) as Record<string, unknown>;
        if (event === "replace") seen.text = "";
        onEvent?.(event);
      } else if (typeof data === "string") {
        seen.text += data;
        seen.position = fields.get("id");
        onText?.(seen.text);
      }
    }
  }
  return seen;
}
