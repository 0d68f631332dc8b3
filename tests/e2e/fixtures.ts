/**
 * What every end-to-end test gets: the whole app (one for all tests of a worker, two app servers), a person who
 * has just signed up, and a page where that person is signed in.
 */
import { type BrowserContext, test as base, expect, type Page } from "@playwright/test";
import { type Account, App } from "../app.ts";
import { addSession } from "./browser.ts";

interface TestFixtures {
  account: Account;
  /** Signed in as `account`, at the first app server. */
  page: Page;
  /** Another browser, signed in as anybody, at any of the app servers. */
  openBrowser(account: Account, options?: { server?: number; storage?: BrowserContext }): Promise<Page>;
}

export const test = base.extend<TestFixtures, { app: App }>({
  app: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are asked for from this pattern.
    async ({}, use) => {
      const app = await App.start({ servers: 2, pace: { firstTokenMs: 150, tokenMs: 15 } });
      await use(app);
      await app.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  baseURL: async ({ app }, use) => use(app.server.url),
  account: async ({ app }, use) => use(await app.createAccount()),
  page: async ({ page, context, account, app }, use) => {
    await addSession(context, account, app.server.url);
    await use(page);
  },
  openBrowser: async ({ browser, app }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (account, { server = 0 } = {}) => {
      const url = app.servers[server]?.url;
      if (!url) throw new Error(`There is no app server ${server}`);
      const context = await browser.newContext({ baseURL: url, viewport: { width: 1440, height: 900 } });
      contexts.push(context);
      await addSession(context, account, url);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});

/** The transcript's last answer. */
export const lastAnswer = (page: Page) =>
  page.getByRole("log", { name: "Conversation" }).getByRole("article", { name: "Assistant" }).last();

/** Sends a message by the composer. */
export async function send(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** Waits until no run is live on the page. */
export async function untilDone(page: Page): Promise<void> {
  await expect(page.getByRole("button", { name: "Send" })).toBeVisible({ timeout: 30_000 });
}

export { expect };
