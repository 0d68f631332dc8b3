/**
 * Who may reach what, as a table with one row for every route of the build: a route that is added without a row
 * fails here. "The same 404" means that status, body and headers equal those for an id that was never made.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type AttributeValue, DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { ulid } from "ulid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Account, App, messageId, readStream, requestId } from "../app.ts";

interface Ids {
  threadId: string;
  messageId: string;
  runId: string;
  noteId: string;
}

interface Attempt {
  method: string;
  path: string;
  json?: unknown;
  form?: Record<string, string>;
}

interface Route {
  id: string;
  path?: string;
  parentId?: string;
}

/** The manifest of routes, as Remix prints it: a tree. */
function flatten(
  tree: (Route & { children?: (Route & { children?: Route[] })[] })[],
  parentId = "",
): Record<string, Route> {
  return Object.assign(
    {},
    ...tree.map(({ children = [], ...route }) => ({
      [route.id]: { ...route, parentId },
      ...flatten(children, route.id),
    })),
  );
}

const forms = (path: string, fields: Record<string, string>[]): Attempt[] =>
  fields.map((form) => ({ method: "POST", path, form }));

/** `public`: anybody; `own`: shows only what belongs to whoever asks; a function: what names another one's things. */
type Row = "public" | "own" | ((ids: Ids) => Attempt[]);

const rows: Record<string, Row> = {
  root: "public",
  "routes/sign-up": "public",
  "routes/sign-in": "public",
  "routes/sign-out": "public",
  "routes/confirm": "public",
  "routes/first-password": "public",
  "routes/forgot-password": "public",
  "routes/reset-password": "public",
  "routes/_app": "own",
  "routes/_app._index": "own",
  "routes/_app.settings": "own",
  "routes/_app.notes": "own",
  "routes/_app.notes._index": "own",
  "routes/threads._index": "own",
  "routes/activity": "own",
  "routes/models": "own",
  "routes/preferences": "own",
  "routes/notes.titles": "own",
  // A preset is kept on its owner's account: under another's its id is no preset, like any id that never was.
  "routes/_app.settings_.presets.$presetId": ({ noteId: presetId }) => [
    { method: "GET", path: `/settings/presets/${presetId}` },
    { method: "GET", path: `/settings/presets/${presetId}.data` },
    ...forms(`/settings/presets/${presetId}`, [{ intent: "save", name: "taken", revision: "0" }, { intent: "delete" }]),
  ],
  "routes/_app.notes.$noteId": ({ noteId }) => [
    { method: "GET", path: `/notes/${noteId}` },
    { method: "GET", path: `/notes/${noteId}.data` },
    ...forms(`/notes/${noteId}`, [
      { intent: "save", title: "taken", text: "taken", revision: "1" },
      { intent: "pin", pinned: "true" },
      { intent: "delete" },
      { intent: "restore" },
    ]),
  ],
  "routes/_app.threads.$threadId": ({ threadId, messageId: at }) => [
    { method: "GET", path: `/threads/${threadId}` },
    { method: "GET", path: `/threads/${threadId}?at=${at}` },
    { method: "GET", path: `/threads/${threadId}.data` },
    { method: "GET", path: `/threads/${threadId}.data?_routes=routes%2F_app.threads.%24threadId` },
    ...forms(`/threads/${threadId}`, [
      { intent: "rename", title: "taken" },
      { intent: "pin", pinned: "true" },
      { intent: "suggestion", messageId: requestId(), nth: "0", dismissed: "true" },
      { intent: "seen" },
      { intent: "delete" },
    ]),
  ],
  "routes/threads.$threadId.runs": ({ threadId, messageId: of, runId }) => [
    {
      method: "POST",
      path: `/threads/${threadId}/runs`,
      json: { kind: "send", messageId: messageId(), text: "taken" },
    },
    {
      method: "POST",
      path: `/threads/${threadId}/runs`,
      json: { kind: "send", messageId: messageId(), text: "taken", parentId: runId, branch: true },
    },
    { method: "POST", path: `/threads/${threadId}/runs`, json: { kind: "again", requestId: requestId(), of } },
    {
      method: "POST",
      path: `/threads/${threadId}/runs`,
      json: { kind: "continue", requestId: requestId(), of: runId },
    },
  ],
  "routes/threads.$threadId.settings": ({ threadId }) => [
    { method: "POST", path: `/threads/${threadId}/settings`, json: { set: { temperature: 0 }, unset: ["model"] } },
  ],
  "routes/threads.$threadId.estimate": ({ threadId, runId }) => [
    { method: "POST", path: `/threads/${threadId}/estimate`, json: { text: "taken" } },
    { method: "POST", path: `/threads/${threadId}/estimate`, json: { text: "taken", parentId: runId } },
  ],
  "routes/threads.$threadId.runs.$runId": ({ threadId, runId }) => [
    { method: "GET", path: `/threads/${threadId}/runs/${runId}` },
    { method: "GET", path: `/threads/${threadId}/runs/${runId}?after=aaaaaaaaaaaaaaaa.3` },
    { method: "GET", path: `/threads/${threadId}/runs/current` },
  ],
  "routes/threads.$threadId.runs.$runId.sidenotes": ({ threadId, runId }) => [
    { method: "GET", path: `/threads/${threadId}/runs/${runId}/sidenotes?of=1` },
  ],
  "routes/_app.threads.$threadId_.messages.$messageId": ({ threadId, runId }) => [
    { method: "GET", path: `/threads/${threadId}/messages/${runId}` },
    { method: "GET", path: `/threads/${threadId}/messages/${runId}.data` },
  ],
  "routes/threads.$threadId.messages.$messageId.reasoning": ({ threadId, runId }) => [
    { method: "GET", path: `/threads/${threadId}/messages/${runId}/reasoning` },
  ],
  "routes/threads.$threadId.runs.$runId.stop": ({ threadId, runId }) => [
    { method: "POST", path: `/threads/${threadId}/runs/${runId}/stop`, json: {} },
  ],
};

let app: App;
let attacker: Account;
let victim: Account;
let owned: Ids;
let routes: Record<string, Route>;

beforeAll(async () => {
  app = await App.start();
  const cli = fileURLToPath(new URL("../../node_modules/@remix-run/dev/dist/cli.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "routes", "--json"], {
    env: { ...process.env, VITEST: "" },
  });
  routes = flatten(JSON.parse(stdout));
  [attacker, victim] = [await app.createAccount("attacker"), await app.createAccount("victim")];

  const noteId = ulid();
  const made = await app.postForm(
    "/notes/new",
    { intent: "create", noteId, title: "Secret", text: "The code is 4711." },
    victim.cookie,
  );
  expect(made.status).toBeLessThan(400);
  const threadId = ulid();
  const question = messageId();
  const answer = await readStream(
    await app.request(victim, `/threads/${threadId}/runs`, {
      json: { kind: "send", messageId: question, text: "What is the code?", create: true },
    }),
  );
  expect(answer.data.end).toMatchObject({ ending: "complete" });
  owned = { threadId, messageId: question, runId: `${question.slice(0, 25)}1`, noteId };
});

afterAll(async () => {
  await app?.stop();
});

async function everythingOf(account: Account): Promise<Record<string, AttributeValue>[]> {
  const client = new DynamoDBClient({
    region: "us-east-1",
    endpoint: app.cloud.tableUrl,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const { tableName } = JSON.parse(app.cloud.env.SST_RESOURCE_Backend ?? "{}") as { tableName: string };
  const read = async (pk: string) =>
    (
      await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": { S: pk } },
          ConsistentRead: true,
        }),
      )
    ).Items ?? [];
  const items = [
    ...(await read(`USER#${account.userId}`)),
    ...(await read(`USER#${account.userId}#THREAD#${owned.threadId}`)),
  ];
  client.destroy();
  // A session notes when it was used last; that is the victim's own doing.
  return items.filter((item) => !item.sk?.S?.startsWith("SESSION#"));
}

/** Status, headers and body, without what differs from one answer to the next, and with the ids made equal. */
async function answerTo(attempt: Attempt, account: Account | undefined, ids: Ids): Promise<unknown> {
  const response = attempt.form
    ? await app.postForm(attempt.path, attempt.form, account?.cookie)
    : await app.request(account ?? { email: "", password: "", userId: "", cookie: "" }, attempt.path, {
        method: attempt.method,
        ...(attempt.json === undefined ? {} : { json: attempt.json }),
      });
  const nonce = /'nonce-([^']+)'/.exec(response.headers.get("content-security-policy") ?? "")?.[1];
  let body = await response.text();
  for (const [name, id] of Object.entries(ids)) body = body.replaceAll(id, `<${name}>`);
  if (nonce) body = body.replaceAll(nonce, "<nonce>");
  // Times of the asker's own list.
  body = body.replace(/\d{13}/g, "<time>").replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
  const headers = Object.fromEntries(
    [...response.headers]
      .filter(([name]) => !["date", "x-request-id", "content-length"].includes(name))
      .map(([name, value]) => [name, nonce ? value.replaceAll(nonce, "<nonce>") : value]),
  );
  return { status: response.status, headers, body };
}

const neverMade = (): Ids => {
  const question = messageId();
  return { threadId: ulid(), messageId: question, runId: `${question.slice(0, 25)}1`, noteId: ulid() };
};

describe("every route", () => {
  test("has a row in this table, and every row a route", () => {
    expect(Object.keys(rows).toSorted()).toEqual(Object.keys(routes).toSorted());
  });

  test("that shows something private sends nobody away empty-handed but to sign in", async () => {
    for (const [id, row] of Object.entries(rows)) {
      if (row === "public") continue;
      const attempts: Attempt[] = typeof row === "function" ? row(owned) : [{ method: "GET", path: pathOf(id) }];
      for (const attempt of attempts) {
        const { status, headers, body } = (await answerTo(attempt, undefined, owned)) as {
          status: number;
          headers: Record<string, string>;
          body: string;
        };
        const where = `${attempt.method} ${attempt.path}`;
        if (status === 302) expect(headers.location, where).toMatch(/^\/sign-in/);
        else if (status === 202) expect(body, where).toContain("/sign-in");
        else expect(status, where).toBe(401);
        expect(headers["cache-control"], where).toContain("no-store");
        expect(body, where).not.toContain("4711");
      }
    }
  });

  test("answers another person's things with the same 404 as things that never were, and writes nothing", async () => {
    const before = await everythingOf(victim);
    const calls = (await app.modelCalls()).length;
    for (const row of Object.values(rows)) {
      if (typeof row !== "function") continue;
      const random = neverMade();
      const [theirs, nobodys] = [row(owned), row(random)];
      for (const [index, attempt] of theirs.entries()) {
        const other = nobodys[index];
        if (!other) throw new Error("both lists come from one row");
        const where = `${attempt.method} ${attempt.path} ${JSON.stringify(attempt.form ?? attempt.json ?? "")}`;
        const answer = (await answerTo(attempt, attacker, owned)) as { status: number; body: string };
        expect(answer, where).toEqual(await answerTo(other, attacker, random));
        expect(answer.status, where).toBe(404);
        expect(answer.body, where).not.toContain("4711");
      }
    }
    expect(await everythingOf(victim)).toEqual(before);
    expect(await app.modelCalls()).toHaveLength(calls);
  });

  test("that shows one's own things shows nothing of another's", async () => {
    for (const [id, row] of Object.entries(rows)) {
      if (row !== "own") continue;
      const { status, body } = (await answerTo({ method: "GET", path: pathOf(id) }, attacker, owned)) as {
        status: number;
        body: string;
      };
      expect(status, id).toBe(200);
      for (const word of ["4711", "<noteId>", "<threadId>", "What is the code?", victim.email])
        expect(body, id).not.toContain(word);
    }
  });
});

/** The address of a route without parameters. */
function pathOf(id: string): string {
  const parts: string[] = [];
  for (let route = routes[id]; route; route = routes[route.parentId ?? ""]) if (route.path) parts.unshift(route.path);
  return `/${parts.join("/")}`;
}

describe("ids that Sidenote never makes", () => {
  const odd = [
    "..%2f",
    "a%23b",
    "a%2Fb",
    "%00",
    "x".repeat(2048),
    "__proto__",
    randomUUID(),
    "01ARZ3NDEKTSV4RRFFQ69G5FA%00",
  ];

  test("are a plain 400 or 404, wherever they stand", async () => {
    for (const id of odd)
      for (const path of [
        `/threads/${id}`,
        `/notes/${id}`,
        `/threads/${id}/runs/${owned.runId}`,
        `/threads/${owned.threadId}/runs/${id}`,
      ]) {
        const response = await app.request(victim, path);
        expect([400, 404], path).toContain(response.status);
        expect(await response.text(), path).not.toMatch(/at .*\.[jt]s:\d|Sidenote-local|arn:/);
      }
  });

  test("in a body are a 400 and start nothing", async () => {
    const calls = (await app.modelCalls()).length;
    const bodies: unknown[] = [
      { kind: "send", messageId: "x", text: "hi", create: true },
      { kind: "send", messageId: requestId(), text: "hi", create: true },
      { kind: "send", messageId: messageId(), text: "hi", create: true, userId: victim.userId },
      { kind: "send", messageId: messageId(), text: "hi", create: true, role: "assistant" },
      { kind: "send", messageId: messageId(), text: "hi", create: true, createdAt: 1 },
      { kind: "send", messageId: messageId(), text: "   ", create: true },
      { kind: "send", messageId: messageId(), text: "x".repeat(32_001), create: true },
      { kind: "again", requestId: messageId(), of: owned.messageId },
      { kind: "delete" },
      [],
      "text",
      null,
    ];
    for (const json of bodies) {
      const response = await app.request(victim, `/threads/${ulid()}/runs`, { json });
      expect(response.status, JSON.stringify(json).slice(0, 80)).toBe(400);
    }
    expect(await app.modelCalls()).toHaveLength(calls);
  });
});
