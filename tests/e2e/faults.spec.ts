/** How each fault of a model looks to the person who asked, at both vendors. */

import { test as base, expect, type Page } from "@playwright/test";
import { ulid } from "ulid";
import { App } from "../app.ts";
import { addSession } from "./browser.ts";
import { lastAnswer, send, untilDone } from "./fixtures.ts";

/** An app of its own: here a model that is silent for four seconds counts as hung. */
const test = base.extend<object, { app: App }>({
  app: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are asked for from this pattern.
    async ({}, use) => {
      const app = await App.start({ backend: { model: { firstMs: 4_000, silentMs: 4_000 } } });
      await use(app);
      await app.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  page: async ({ browser, app }, use) => {
    const context = await browser.newContext({ baseURL: app.server.url });
    await addSession(context, await app.createAccount(), app.server.url);
    await use(await context.newPage());
    await context.close();
  },
});

test.afterEach(({ app }) => app.clearScenarios());

interface Fault {
  fault: "throttle" | "empty" | "hang" | "reset" | "cut" | "malformed" | "denied";
  after: number;
  /** What the card says; interrupted ones keep their text and offer Continue. */
  says: string | RegExp;
  /** How often the model is asked before the card comes. */
  times?: number;
}

/**
 * Each row is gone through in a page of its own, beside the others: most of the time of a fault is waiting. After 59
 * tokens code is open.
 */
const rows: Fault[][] = [
  [
    { fault: "throttle", after: 0, says: "The model is busy", times: 4 },
    { fault: "empty", after: 0, says: "answered with nothing" },
  ],
  [
    { fault: "hang", after: 0, says: "fell silent" },
    { fault: "reset", after: 0, says: /broke|cannot be reached/ },
    { fault: "cut", after: 0, says: /answered with nothing|broke/ },
    { fault: "malformed", after: 0, says: /failed|broke/ },
  ],
  [
    { fault: "throttle", after: 25, says: /busy|Cut off/ },
    { fault: "cut", after: 59, says: "Cut off: the connection to the model broke." },
    { fault: "reset", after: 25, says: "Cut off: the connection to the model broke." },
    { fault: "hang", after: 25, says: "Cut off: the model fell silent." },
    { fault: "malformed", after: 25, says: /Cut off|failed/ },
  ],
];

for (const { vendor, model } of [
  { vendor: "Bedrock", model: "bedrock:us.amazon.nova-lite-v1:0" },
  { vendor: "OpenAI", model: "openai:gpt-4.1-mini" },
]) {
  test(`Every fault of ${vendor} is said plainly, keeps the message, and Retry works`, async ({ page, app }) => {
    test.setTimeout(180_000);
    const goThrough = async (tab: Page, row: Fault[]): Promise<void> => {
      await tab.goto("/");
      for (const fault of row) await meet(tab, app, model, fault);
    };
    await Promise.all(rows.map(async (row) => goThrough(await page.context().newPage(), row)));
    // The last one: the catalogue marks the model.
    await goThrough(page, [{ fault: "denied", after: 0, says: "not enabled" }]);
  });
}

async function meet(page: Page, app: App, model: string, { fault, after, says, times = 1 }: Fault): Promise<void> {
  await test.step(`${fault} after ${after} tokens`, async () => {
    const name = `Case ${ulid()}`;
    await app.scenario({ match: { text: name }, fault, afterTokens: after, tokens: 60, tokenMs: 5, times });
    await page.getByRole("link", { name: "New thread" }).click();
    await expect(page.getByRole("article")).toHaveCount(0);
    await chooseModel(page, model);
    await send(page, name);
    await expect(page).toHaveURL(/\/threads\//);
    await expect(page.getByRole("button", { name: "Retry" })).toBeVisible({ timeout: 20_000 });
    const log = page.getByRole("log", { name: "Conversation" });
    await expect(log).toContainText(says);
    await expect(page.getByRole("article", { name: "You" })).toContainText(name);
    await expect(page.getByRole("button", { name: "Continue" })).toHaveCount(after > 0 ? 1 : 0);
    const text = lastAnswer(page).locator(".answer");
    if (after > 0) expect((await text.innerText()).length).toBeGreaterThan(20);
    if (after === 59) await expect(text.locator("code")).toHaveText("OPENAI_API_");

    await page.reload();
    await expect(log).toContainText(says);
    if (after === 59) await expect(text.locator("code")).toHaveText("OPENAI_API_");
    // It says once what it cost.
    if (after > 0) expect((await lastAnswer(page).innerText()).match(/\$/g)).toHaveLength(1);
    await page.getByRole("button", { name: "Retry" }).click();
    await untilDone(page);
    await expect(page.getByRole("button", { name: "Retry" })).toHaveCount(0);
    await expect(lastAnswer(page).getByRole("button", { name: "Copy" })).toBeVisible();
  });
}

/** Through the thread's settings, as a person does. */
async function chooseModel(page: Page, ref: string): Promise<void> {
  await page.getByRole("button", { name: "Thread settings" }).click();
  await page.getByLabel("Model", { exact: true }).selectOption(ref);
  await page.keyboard.press("Escape");
}

test("A message that is sent is there at once, before the model says a word", async ({ page, app }) => {
  await app.scenario({ match: { text: "slow start" }, firstTokenMs: 1_500, tokens: 20 });
  await page.goto("/");
  await send(page, "A slow start");
  await expect(page.getByRole("article", { name: "You" })).toContainText("A slow start", { timeout: 1_000 });
  await untilDone(page);
});
