import type { Page } from "@playwright/test";
import { type Account, type App, messageId, readStream } from "../app.ts";
import { expect, send, test } from "./fixtures.ts";

const sidebar = (page: Page) => page.getByRole("navigation", { name: "Threads" });
const row = (page: Page, title: string) => sidebar(page).getByRole("link", { name: title });
const menuOf = async (page: Page, title: string) => {
  await row(page, title).hover();
  await sidebar(page)
    .getByRole("button", { name: `Menu of ${title}` })
    .click();
};

/** A thread with one question and its answer. */
async function ask(app: App, account: Account, text: string): Promise<string> {
  const id = messageId();
  const threadId = `${id.slice(0, 25)}0`;
  const response = await app.request(account, `/threads/${threadId}/runs`, {
    json: { kind: "send", messageId: id, text, create: true },
  });
  await readStream(response);
  return threadId;
}

test("A person renames a thread in place, by keyboard, and it keeps its place", async ({ app, page, account }) => {
  await ask(app, account, "Alder trees");
  await ask(app, account, "Birch trees");
  await page.goto("/");
  await sidebar(page).getByRole("button", { name: "Menu of Alder trees" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Rename" }).press("Enter");
  await expect(page.getByRole("textbox", { name: "Title" })).toBeFocused();
  await page.keyboard.type("Elder trees");
  const renamed = page.waitForResponse(/\/threads\/\w+\.data$/);
  await page.keyboard.press("Enter");
  await expect(row(page, "Elder trees")).toBeFocused();
  await renamed;
  await page.reload();
  await expect(sidebar(page).getByRole("listitem").getByRole("link")).toHaveText([/^Birch trees/, /^Elder trees/]);
});

test("Escape leaves the title as it was", async ({ app, page, account }) => {
  await ask(app, account, "Alder trees");
  await page.goto("/");
  await menuOf(page, "Alder trees");
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.keyboard.type("Nothing");
  await page.keyboard.press("Escape");
  await expect(row(page, "Alder trees")).toBeFocused();
});

test("A pinned thread stands on top and says so", async ({ app, page, account }) => {
  await ask(app, account, "Alder trees");
  await ask(app, account, "Birch trees");
  await page.goto("/");
  await menuOf(page, "Alder trees");
  const pinned = page.waitForResponse(/\/threads\/\w+\.data$/);
  await page.getByRole("menuitem", { name: "Pin" }).click();
  await expect(sidebar(page).getByRole("region", { name: "Pinned" }).getByRole("link")).toHaveAccessibleName(
    /Alder trees/,
  );
  await pinned;
  await page.reload();
  await expect(sidebar(page).getByRole("region", { name: "Pinned" }).getByRole("link")).toHaveAccessibleName(
    /Alder trees/,
  );
});

test("A deleted thread can be taken back; left alone it is gone for good", async ({ app, page, account }) => {
  const threadId = await ask(app, account, "Alder trees");
  await page.goto(`/threads/${threadId}`);
  await menuOf(page, "Alder trees");
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const undo = sidebar(page).getByRole("button", { name: /^Undo/ });
  await expect(undo).toBeFocused();
  await undo.click();
  await expect(row(page, "Alder trees")).toBeVisible();

  await page.clock.install();
  await menuOf(page, "Alder trees");
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(undo).toBeVisible();
  await page.clock.runFor(8_000);
  await expect(page).toHaveURL(/\/$/);
  await expect(row(page, "Alder trees")).toHaveCount(0);
  expect((await app.request(account, `/threads/${threadId}`)).status).toBe(404);
});

test("While the threads are out of sight, a toast offers the way back", async ({ app, page, account }) => {
  const threadId = await ask(app, account, "Alder trees");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`/threads/${threadId}`);
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("button", { name: "More", exact: true })).toBeFocused();
  await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Show threads" }).click();
  await expect(row(page, "Alder trees")).toBeVisible();
});

test("Leaving the page sends the delete before its undo has run out", async ({ app, page, account }) => {
  const threadId = await ask(app, account, "Alder trees");
  await page.goto("/");
  await menuOf(page, "Alder trees");
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(sidebar(page).getByRole("button", { name: /^Undo/ })).toBeVisible();
  await page.goto("about:blank");
  await expect.poll(async () => (await app.request(account, `/threads/${threadId}`)).status).toBe(404);
});

test("A change that fails is taken back and said", async ({ app, page, account }) => {
  await ask(app, account, "Alder trees");
  await page.goto("/");
  await expect(row(page, "Alder trees")).toBeVisible();
  await page.route("**/threads/*.data", (route) => route.fulfill({ status: 503, body: "" }));
  await menuOf(page, "Alder trees");
  await page.getByRole("menuitem", { name: "Pin" }).click();
  await expect(page.getByText("Not pinned. Try again.")).toBeVisible();
  await expect(sidebar(page).getByRole("region", { name: "Pinned" })).toHaveCount(0);
});

test("The list, the tab and the button of the drawer say what another thread is doing", async ({
  app,
  page,
  account,
}) => {
  await app.scenario({ match: { text: "marker-slow" }, firstTokenMs: 50, tokenMs: 100, tokens: 60, fault: "none" });
  await ask(app, account, "Alder trees");
  await page.goto("/");
  await send(page, "Birch trees marker-slow");
  const birch = row(page, "Birch trees marker-slow");
  await expect(birch).toHaveAccessibleName(/answering/);
  await row(page, "Alder trees").click();
  await expect(page).toHaveTitle(/^Alder trees/);
  await expect(birch).toHaveAccessibleName(/answering/);
  await expect(birch).toHaveAccessibleName(/unread answer/, { timeout: 20_000 });
  await expect(page).toHaveTitle(/^\(1\) Alder trees/);
  await sidebar(page).getByRole("button", { name: "Hide threads" }).click();
  const show = page.getByRole("button", { name: "Show threads, unread answers" });
  await expect(show).toBeFocused();
  await page.reload();
  await expect(sidebar(page)).toHaveCount(0);
  await show.click();
  await birch.click();
  await expect(page).toHaveTitle(/^Birch trees/);
  await expect(birch).not.toHaveAccessibleName(/unread/);
  await app.clearScenarios();
});

test("A long list loads as it is scrolled, and says when it cannot", async ({ app, page, account }) => {
  await app.scenario({ match: { text: "marker-many" }, firstTokenMs: 1, tokenMs: 1, tokens: 2, fault: "none" });
  for (let made = 0; made < 54; made += 9)
    await Promise.all(Array.from({ length: 9 }, (_, index) => ask(app, account, `Tree ${made + index} marker-many`)));
  await app.clearScenarios();
  let isCut = true;
  await page.route("**/threads?cursor=*", (route) => (isCut ? route.abort() : route.continue()));
  await page.goto("/");
  const links = sidebar(page).getByRole("listitem").getByRole("link");
  await expect(links).toHaveCount(50);
  await links.last().scrollIntoViewIfNeeded();
  await expect(sidebar(page).getByText("More threads could not be loaded.")).toBeVisible();
  isCut = false;
  await sidebar(page).getByRole("button", { name: "Try again" }).click();
  await expect(links).toHaveCount(54);
  await expect(row(page, "Tree 0 marker-many")).toHaveCount(1);
});

test("On a phone the threads are a drawer that holds the focus and closes on the way", async ({
  app,
  page,
  account,
}) => {
  const threadId = await ask(app, account, "Alder trees");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/");
  await expect(sidebar(page)).toHaveCount(0);
  await page.getByRole("button", { name: "Show threads" }).click();
  await expect(sidebar(page)).toBeVisible();
  for (let presses = 0; presses < 12; presses++) {
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.closest("#page") === null)).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Show threads" })).toBeFocused();
  await page.getByRole("button", { name: "Show threads" }).click();
  await row(page, "Alder trees").click();
  await expect(page).toHaveURL(`/threads/${threadId}`);
  await expect(sidebar(page)).toHaveCount(0);
});

test("Light and dark are chosen in the settings and are there at the first paint", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/settings");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole("radio", { name: "Dark" }).check({ force: true });
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.reload({ waitUntil: "commit" });
  await page.waitForFunction(() => document.body !== null && document.styleSheets.length > 0);
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
  await page.getByRole("radio", { name: "System" }).check({ force: true });
  expect(await background()).toBe(light);
});
