/**
 * Killing the app server at named points of a run, by a proxy before the table, under the eyes of an open page.
 *
 * A lane is one app server behind its own proxy, one person and one browser page. A trial arms the proxy at a
 * point, sends a message by the page, kills the server with SIGKILL when the point is reached, starts it again on
 * the same port, and then holds what the page shows and what the table holds against what must be true.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type AttributeValue, DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { type Browser, expect, type Page } from "@playwright/test";
import { ulid } from "ulid";
import type { AppServer } from "../../infra/local/app-server.ts";
import { type Account, type App, messageId, readStream } from "../app.ts";
import { addSession } from "../e2e/browser.ts";
import { type Step, startTableProxy, type TableProxy } from "./table-proxy.ts";

export interface KillPoint {
  name: string;
  step: Step;
  /** Which call of the step; a range is drawn from. */
  nth: [number, number];
  when: "before" | "after";
  /**
   * What is left, once the lease is over: a partial answer; a whole one; or, where the question was not in yet when
   * the server died, whatever the page's own repeat of the request makes of it.
   */
  leaves: "interrupted" | "complete" | "repeat";
}

/** In the order of a run. Every write of a send has a point before it that is the point after the one before. */
export const killPoints: KillPoint[] = [
  { name: "before the first write of a send", step: "activity", nth: [1, 1], when: "before", leaves: "repeat" },
  { name: "between the activity and the numbers", step: "numbers", nth: [1, 1], when: "before", leaves: "repeat" },
  { name: "between the numbers and the claim", step: "claim", nth: [1, 1], when: "before", leaves: "repeat" },
  { name: "between the claim and the question", step: "question", nth: [1, 1], when: "before", leaves: "repeat" },
  { name: "between the question and the touch", step: "touch", nth: [1, 1], when: "before", leaves: "interrupted" },
  { name: "before the first beat", step: "beat", nth: [1, 1], when: "before", leaves: "interrupted" },
  { name: "in mid-stream", step: "beat", nth: [2, 6], when: "after", leaves: "interrupted" },
  { name: "between a chunk and its beat", step: "chunk", nth: [1, 2], when: "after", leaves: "interrupted" },
  { name: "between the ending and the answer", step: "end", nth: [1, 1], when: "after", leaves: "complete" },
  { name: "after the answer", step: "answer", nth: [1, 1], when: "after", leaves: "complete" },
];

const TOKEN_MS = 20;
/** A token of the model server has six characters at most. */
const LONGEST_TOKEN = 6;
/** Deltas are joined for so long before they are shown. */
const JOINED_MS = 50;

export interface Lane {
  app: App;
  proxy: TableProxy;
  account: Account;
  server: AppServer;
  page: Page;
  threadId: string;
  close(): Promise<void>;
}

const port = (url: string): number => Number(new URL(url).port);

/** Sets up a lane: its thread has one complete turn and the person one note before the first kill. */
export async function openLane(app: App, browser: Browser, name: string): Promise<Lane> {
  const proxy = await startTableProxy(app.cloud.tableUrl);
  const start = (onPort: number) => app.startServer({ port: onPort, env: { AWS_ENDPOINT_URL_DYNAMODB: proxy.url } });
  const server = await start(0);
  const account = await app.createAccount(name);
  const context = await browser.newContext({ baseURL: server.url, viewport: { width: 1440, height: 900 } });
  await addSession(context, account, server.url);
  const page = await context.newPage();
  await page.addInitScript(watchAnswers);
  return {
    app,
    proxy,
    account,
    server,
    page,
    threadId: "",
    async close() {
      await context.close();
      await proxy.stop();
    },
  };
}

/** Runs in the page: notes, whenever it changes, how much of the thread's second answer is on screen, and when. */
function watchAnswers(): void {
  const samples: { at: number; text: string }[] = [];
  Object.assign(window, { answerSamples: samples });
  new MutationObserver(() => {
    const answers = document.querySelectorAll('[role="log"] [aria-label="Assistant"] .answer');
    const text = answers.item(1)?.textContent ?? "";
    if (samples.at(-1)?.text !== text) samples.push({ at: Date.now(), text });
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

/** Letters only: what markdown and citations add or take away on the page does not count. */
const letters = (text: string): string => text.replace(/[^\p{L}]/gu, "");

interface Stored {
  run: Record<string, AttributeValue> | undefined;
  messages: { id: string; role: string; text: string; ending: string | undefined; parentId: string | undefined }[];
}

async function readThread(lane: Lane): Promise<Stored> {
  const { tableName } = JSON.parse(lane.app.cloud.env.SST_RESOURCE_Backend ?? "{}") as { tableName: string };
  const client = new DynamoDBClient({
    region: "us-east-1",
    endpoint: lane.app.cloud.tableUrl,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: `USER#${lane.account.userId}#THREAD#${lane.threadId}` } },
      ConsistentRead: true,
    }),
  );
  client.destroy();
  return {
    run: Items.find((item) => item.sk?.S === "RUN"),
    messages: Items.filter((item) => item.sk?.S?.startsWith("MESSAGE#")).map((item) => ({
      id: item.sk?.S?.slice("MESSAGE#".length) ?? "",
      role: item.role?.S ?? "",
      text: item.text?.S ?? "",
      ending: item.ending?.S,
      parentId: item.parentId?.S,
    })),
  };
}

/** A thread with one complete turn, and the page on it. A note that is new to the thread makes it number again. */
async function prepare(lane: Lane): Promise<void> {
  const { app, account, server, page } = lane;
  lane.threadId = ulid();
  const first = await app.request(account, `/threads/${lane.threadId}/runs`, {
    json: { kind: "send", messageId: messageId(), text: "Hello", create: true },
    url: server.url,
  });
  await readStream(first);
  const note = { intent: "create", noteId: ulid(), title: `Note of ${Date.now()}`, text: "Something of my own." };
  const made = await app.postForm("/notes/new", note, account.cookie, server.url);
  expect(made.status).toBeLessThan(400);
  await page.goto(`/threads/${lane.threadId}`);
  await expect(page.getByRole("log", { name: "Conversation" }).getByRole("article")).toHaveCount(2);
}

/**
 * One trial. Throws with a sentence when something is lost, doubled or wrongly said. `leaseMs` is the lease that
 * the app is configured with.
 */
export async function killAt(lane: Lane, point: KillPoint, draw: number, leaseMs: number): Promise<void> {
  const { app, page, proxy } = lane;
  await prepare(lane);
  const [least, most] = point.nth;
  const nth = least + Math.floor(draw * (most - least + 1));
  const words = `Question ${ulid()}`;
  await app.scenario({
    match: { text: words },
    firstTokenMs: 100,
    tokenMs: TOKEN_MS,
    // Long enough for the point to be reached, short where the end of the answer is the point.
    tokens: point.leaves === "complete" ? 100 : 900,
  });

  let killedAt = 0;
  const struck = proxy.arm(point.step, nth, point.when, async () => {
    killedAt = Date.now();
    await lane.server.kill();
  });
  await page.getByRole("textbox", { name: "Message" }).fill(words);
  await page.getByRole("button", { name: "Send" }).click();
  await Promise.race([
    struck,
    sleep(60_000).then(() => {
      if (!killedAt) throw new Error(`${point.name}: the run never came to this point`);
    }),
  ]);
  const samples = await page.evaluate(
    () => (window as unknown as { answerSamples: { at: number; text: string }[] }).answerSamples,
  );
  lane.app.servers.splice(lane.app.servers.indexOf(lane.server), 1);
  lane.server = await app.startServer({
    port: port(lane.server.url),
    env: { AWS_ENDPOINT_URL_DYNAMODB: proxy.url },
  });

  const log = page.getByRole("log", { name: "Conversation" });
  const answer = log.getByRole("article", { name: "Assistant" }).last();
  if (point.leaves === "interrupted") {
    const lease = Number((await readThread(lane)).run?.l?.N ?? 0);
    expect(lease, "the run's lease").toBeGreaterThan(killedAt);
    const patience = lease + 5_000 - Date.now();
    await expect(answer.getByRole("button", { name: "Retry" })).toBeVisible({ timeout: Math.max(1, patience) });
  } else {
    // A whole answer, or the repeat's: answered, or offered again.
    await expect(log.getByRole("article", { name: "You" }).last()).toContainText(words);
    const answers = log.getByRole("article", { name: "Assistant" });
    const notSent = log.getByText(/^Not sent/);
    await expect(notSent.or(answers.nth(1))).toBeVisible({ timeout: leaseMs + 25_000 });
    // The page stops repeating after a while and says so; then the person does it, under the same id.
    if (await notSent.isVisible()) await page.getByRole("button", { name: "Retry" }).last().click();
    await expect(answers).toHaveCount(2, { timeout: leaseMs + 25_000 });
    const settled = answer.getByRole("button", { name: /^(Retry|Copy)$/ }).first();
    await expect(settled).toBeVisible({ timeout: leaseMs + 25_000 });
  }

  await expectNothingLost(lane, point, words, { samples, killedAt });

  // Whatever was left, the thread can be used: what ended badly is retried.
  const retry = answer.getByRole("button", { name: "Retry" });
  if (await retry.isVisible()) {
    await app.scenario({ match: { text: words }, tokenMs: 2, tokens: 30 });
    await retry.click();
    await expect(answer.getByRole("button", { name: "Copy" })).toBeVisible({ timeout: 20_000 });
    await expect(answer.getByRole("button", { name: "Retry" })).toBeHidden();
  }
}

async function expectNothingLost(
  lane: Lane,
  point: KillPoint,
  words: string,
  seen: { samples: { at: number; text: string }[]; killedAt: number },
): Promise<void> {
  // What is stored follows what is shown by a moment: an ended run's answer may be put by whoever reads it next.
  let stored = await readThread(lane);
  const answersOf = (thread: Stored, id: string | undefined) =>
    thread.messages.filter(({ parentId }) => parentId === id);
  const deadline = Date.now() + 12_000;
  for (;;) {
    const question = stored.messages.find(({ text }) => text === words);
    if (stored.run?.s?.S === "ended" && question && answersOf(stored, question.id).length > 0) break;
    // The server before may have put the question just after the run was void: then the page offers it again.
    if (stored.run?.e?.S === "void" && question) {
      await lane.app.scenario({ match: { text: words }, tokenMs: 2, tokens: 30 });
      await lane.page.reload();
      await lane.page.getByRole("button", { name: "Retry" }).last().click();
    }
    if (Date.now() > deadline)
      throw new Error(
        `${point.name}: RUN is ${stored.run?.s?.S} (${stored.run?.e?.S}), the question ${question ? "is" : "is not"} there, no answer`,
      );
    await sleep(250);
    await lane.app.request(lane.account, `/threads/${lane.threadId}`, { url: lane.server.url });
    stored = await readThread(lane);
  }
  const questions = stored.messages.filter(({ text }) => text === words);
  expect(questions, `${point.name}: the message is there exactly once`).toHaveLength(1);
  const answers = answersOf(stored, questions[0]?.id);
  expect(answers, `${point.name}: there is one answer`).toHaveLength(1);
  const [answer] = answers;
  if (!answer) return;
  if (point.leaves !== "repeat") expect(answer.ending, `${point.name}: how the answer ended`).toBe(point.leaves);
  expect(stored.run?.e?.S, `${point.name}: RUN and the answer agree`).toBe(answer.ending);
  if (answer.ending === "interrupted" || answer.ending === "complete") {
    // Shown text runs at most a second ahead of the log, and is held back from then on: so what is missing is no
    // more than the model says in one second. Its amount is measured and not the clock of the page, which stands
    // still while a busy machine draws.
    const missing = seen.samples.filter(
      ({ at, text }) => at <= seen.killedAt && !letters(answer.text).startsWith(letters(text)),
    );
    const lost = letters(missing.at(-1)?.text ?? "").length - letters(answer.text).length;
    expect(lost, `${point.name}: at most a second of shown text is missing`).toBeLessThanOrEqual(
      ((1_000 + JOINED_MS) / TOKEN_MS) * LONGEST_TOKEN,
    );
    const [shown, kept] = [letters(seen.samples.at(-1)?.text ?? ""), letters(answer.text)];
    expect(shown.startsWith(kept) || kept.startsWith(shown), `${point.name}: it is the text that was shown`).toBe(true);
  }
}

/** A send whose question never got in, and nobody repeated it: void, and sending it again works. */
export async function killUnrepeated(lane: Lane): Promise<void> {
  const { app, account, proxy } = lane;
  await prepare(lane);
  await lane.page.goto("about:blank");
  const json = { kind: "send", messageId: messageId(), text: `Question ${ulid()}` };
  const struck = proxy.arm("question", 1, "before", () => lane.server.kill());
  const lost = app.request(account, `/threads/${lane.threadId}/runs`, { json, url: lane.server.url });
  await Promise.all([struck, expect(lost).rejects.toThrow()]);
  lane.app.servers.splice(lane.app.servers.indexOf(lane.server), 1);
  lane.server = await app.startServer({ port: port(lane.server.url), env: { AWS_ENDPOINT_URL_DYNAMODB: proxy.url } });
  const { run } = await readThread(lane);
  await sleep(Number(run?.l?.N ?? 0) - Date.now() + 200);
  const page = await (await app.request(account, `/threads/${lane.threadId}`, { url: lane.server.url })).text();
  expect(page).not.toContain(json.text);
  const after = await readThread(lane);
  expect(after.run?.e?.S).toBe("void");
  expect(after.messages).toHaveLength(2);
  const again = await readStream(
    await app.request(account, `/threads/${lane.threadId}/runs`, { json, url: lane.server.url }),
  );
  expect(again.data.end).toMatchObject({ ending: "complete" });
  expect((await readThread(lane)).messages.filter(({ text }) => text === json.text)).toHaveLength(1);
}
