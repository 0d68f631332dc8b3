import { gzipSync } from "node:zlib";
import { ulid } from "ulid";
import { type Account, type App, messageId } from "../app.ts";
import { addSession } from "./browser.ts";
import { expect, lastAnswer, send, test, untilDone } from "./fixtures.ts";

/** Starts an answer in a new thread, from elsewhere. Its stream is read by nobody. */
async function startAnswer(app: App, account: Account, text: string): Promise<string> {
  const threadId = ulid();
  const gone = new AbortController();
  const response = await app.request(account, `/threads/${threadId}/runs`, {
    json: { kind: "send", messageId: messageId(), text, create: true },
    signal: gone.signal,
  });
  expect(response.status).toBe(200);
  gone.abort();
  return threadId;
}

test.afterEach(({ app }) => app.clearScenarios());

test("Three threads answer at once, and each shows only its own text", async ({ page, app, account }) => {
  const words = ["ZEBRA", "MAGPIE", "WALRUS"];
  await app.scenario({ match: { text: "marker" }, tokenMs: 30, tokens: 1_400 });
  const threads = await Promise.all(
    words.map((word) => startAnswer(app, account, `Write a long answer about patience, marker ${word}`)),
  );
  await page.goto("/");
  const list = page.getByRole("navigation", { name: "Threads" });
  for (const round of [0, 1, 2])
    for (const [index, word] of words.entries()) {
      await list.locator(`a[href="/threads/${threads[index]}"]`).click();
      const answer = lastAnswer(page);
      await expect(answer).toContainText(word);
      // It grows while it is watched.
      const before = (await answer.innerText()).length;
      await expect.poll(async () => (await answer.innerText()).length).toBeGreaterThan(before);
      const shown = await page.getByRole("log", { name: "Conversation" }).innerText();
      for (const other of words) if (other !== word) expect(shown, `round ${round}`).not.toContain(other);
    }
});

test("With ten answers on their way, opening a page and Stop take less than a second", async ({ page, app }) => {
  // A person of their own: the limit counts live runs.
  const account = await app.createAccount("busy");
  await page.context().clearCookies();
  await addSession(page.context(), account, app.server.url);
  await app.scenario({ tokenMs: 40, tokens: 2_000 });
  const threads: string[] = [];
  for (let index = 0; index < 10; index++)
    threads.push(await startAnswer(app, account, `Number ${index}, take your time`));
  await page.goto(`/threads/${threads[0]}`);
  await expect(page.getByRole("button", { name: "Stop", exact: true })).toBeVisible();

  const opened = Date.now();
  await page.getByRole("navigation", { name: "Threads" }).locator(`a[href="/threads/${threads[5]}"]`).click();
  await expect(page.getByRole("article", { name: "You" })).toContainText("Number 5");
  expect(Date.now() - opened).toBeLessThan(1_000);

  await expect(lastAnswer(page)).toContainText(/\w+ \w+/);
  const answered = page.waitForResponse((response) => response.url().endsWith("/stop"));
  const pressed = Date.now();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  expect((await answered).ok()).toBe(true);
  expect(Date.now() - pressed).toBeLessThan(1_000);
  await expect(page.getByText("You stopped this answer.")).toBeVisible();
});

test("A reload in mid-answer goes on with no gap and no repeat", async ({ page, app }) => {
  await app.scenario({ match: { text: "patience" }, tokenMs: 25, tokens: 400 });
  await page.goto("/");
  await send(page, "Write a long answer about patience");
  await expect(page).toHaveURL(/\/threads\//);
  for (const words of [20, 60]) {
    await expect
      .poll(async () => (await lastAnswer(page).innerText()).split(/\s+/).length, { timeout: 20_000 })
      .toBeGreaterThan(words);
    await page.reload();
  }
  await untilDone(page);
  const shown = await lastAnswer(page).locator(".answer").innerText();
  await page.reload();
  await expect(lastAnswer(page).getByRole("button", { name: "Copy" })).toBeVisible();
  expect(shown).toBe(await lastAnswer(page).locator(".answer").innerText());
});

test("An answer whose tab was closed is whole when the person comes back", async ({
  page,
  app,
  account,
  openBrowser,
}) => {
  await app.scenario({ match: { text: "closed tab" }, tokenMs: 20, tokens: 150 });
  await page.goto("/");
  await send(page, "Think about a closed tab");
  await expect(lastAnswer(page)).toContainText(/\w+ \w+/);
  const address = page.url();
  await page.close();
  await expect
    .poll(async () => (await app.modelCalls()).at(-1)?.ended, { timeout: 20_000, message: "how the model call ended" })
    .toBe("completed");
  const later = await openBrowser(account, { server: 1 });
  await later.goto(new URL(address).pathname);
  await expect(lastAnswer(later).getByRole("button", { name: "Copy" })).toBeVisible();
  await expect(lastAnswer(later).getByRole("button", { name: /Continue|Retry/ })).toHaveCount(0);
});

test("Stop in a second browser, at a second server, ends the model call within two seconds", async ({
  page,
  app,
  account,
  openBrowser,
}) => {
  await app.scenario({ match: { text: "second browser" }, tokenMs: 25, tokens: 3_000 });
  await page.goto("/");
  await send(page, "Stop this in a second browser");
  await expect(page).toHaveURL(/\/threads\//);
  const second = await openBrowser(account, { server: 1 });
  await second.goto(new URL(page.url()).pathname);
  await expect(lastAnswer(second)).toContainText(/\w+ \w+ \w+/);
  const pressed = Date.now();
  await second.getByRole("button", { name: "Stop", exact: true }).click();
  await expect.poll(async () => (await app.modelCalls()).at(-1)?.ended).toBe("client");
  expect(((await app.modelCalls()).at(-1)?.endedAt ?? Number.POSITIVE_INFINITY) - pressed).toBeLessThan(2_000);
  for (const browser of [page, second]) {
    await expect(browser.getByText("You stopped this answer.")).toBeVisible();
    await expect(lastAnswer(browser)).toContainText(/\w+ \w+ \w+/);
  }
  expect(await lastAnswer(page).locator(".answer").innerText()).toBe(
    await lastAnswer(second).locator(".answer").innerText(),
  );
});

test("A message written while an answer streams waits, and goes out when it ends", async ({ page, app }) => {
  await app.scenario({ match: { text: "first of two" }, tokenMs: 25, tokens: 80 });
  await page.goto("/");
  await send(page, "The first of two");
  await expect(page.getByRole("button", { name: "Stop", exact: true })).toBeVisible();
  const box = page.getByRole("textbox", { name: "Message" });
  await box.fill("The second one");
  await box.press("Enter");
  await expect(page.getByRole("article", { name: "You" })).toHaveCount(1);
  await expect(page.getByRole("article", { name: "You" })).toHaveCount(2, { timeout: 20_000 });
  await untilDone(page);
  await expect(page.getByRole("article", { name: "Assistant" })).toHaveCount(2);
});

test("Opening a thread loads at most 200 KB of JavaScript in at most 20 requests", async ({ page, app, account }) => {
  await page.goto(`/threads/${await startAnswer(app, account, "Hello")}`);
  await untilDone(page);
  const scripts = new Map<string, number>();
  page.on("response", async (response) => {
    if (response.request().resourceType() === "script")
      scripts.set(response.url(), gzipSync(await response.body()).length);
  });
  await page.reload({ waitUntil: "networkidle" });
  const total = [...scripts.values()].reduce((sum, size) => sum + size, 0);
  expect(scripts.size).toBeGreaterThan(2);
  expect(scripts.size).toBeLessThanOrEqual(20);
  expect(total / 1024).toBeGreaterThan(60);
  expect(total / 1024).toBeLessThanOrEqual(200);
});
