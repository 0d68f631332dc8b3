/** What holds on every page at every width, light and dark. */
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { ulid } from "ulid";
import { type Account, type App, messageId, readStream } from "../app.ts";
import { expect, send, test } from "./fixtures.ts";

/** A thread with a cited note, opened on the page. Its answer has all that markdown can be. */
async function openThread(page: Page, app: App, account: Account): Promise<void> {
  await app.postForm(
    "/notes/new",
    { intent: "create", noteId: ulid(), title: "Boiler log", text: "The boiler lost pressure in March." },
    account.cookie,
  );
  const id = messageId();
  const run = await app.request(account, `/threads/${id}/runs`, {
    json: { kind: "send", messageId: id, text: "Write a long answer about the boiler and its pressure", create: true },
  });
  await readStream(run);
  await page.goto(`/threads/${id}`);
}

/** What axe finds wrong. The regions named Sidenotes are one for each answer, and all of one name, by design. */
async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).disableRules(["landmark-unique"]).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

const widths = [
  { name: "wide", width: 1440, height: 900 },
  { name: "narrow", width: 1024, height: 768 },
  { name: "phone", width: 390, height: 844 },
];

for (const colorScheme of ["light", "dark"] as const)
  test(`Every page can be read and used by everybody, ${colorScheme}`, async ({ app, page, account }) => {
    test.setTimeout(240_000);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await openThread(page, app, account);
    const thread = page.url();
    for (const { name, width, height } of widths) {
      await page.setViewportSize({ width, height });
      for (const path of [thread, "/", "/notes", "/notes/new", "/settings", "/nowhere"]) {
        await page.goto(path);
        expect(await violations(page), `${path} ${name}`).toEqual([]);
        expect(
          await page.evaluate(
            () => document.querySelector(".main")?.scrollWidth === document.querySelector(".main")?.clientWidth,
          ),
          `${path} ${name} is not wider than its window`,
        ).toBe(true);
      }
    }
  });

for (const path of ["/sign-in", "/sign-up", "/forgot-password"])
  test(`${path} can be read and used by everybody`, async ({ browser, app }) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({ baseURL: app.server.url, colorScheme });
      const page = await context.newPage();
      await page.goto(path);
      expect(await violations(page)).toEqual([]);
      await context.close();
    }
  });

test("Title, question, answer, code and composer stand on one edge", async ({ app, page, account }) => {
  await openThread(page, app, account);
  const log = page.getByRole("log", { name: "Conversation" });
  for (const { name, width, height } of widths) {
    await page.setViewportSize({ width, height });
    /** Where the content of an element begins, inside its border and padding. */
    const edgeOf = (locator: ReturnType<Page["locator"]>) =>
      locator.evaluate((element) => {
        const style = getComputedStyle(element);
        return Math.round(
          element.getBoundingClientRect().left +
            Number.parseFloat(style.paddingLeft) +
            Number.parseFloat(style.borderLeftWidth),
        );
      });
    const column = await edgeOf(log.locator(".answer > p").first());
    const edges = {
      slip: await edgeOf(log.locator(".slip").first()),
      code: await edgeOf(log.locator(".code pre").first()),
      // The composer has a border around its field.
      composer: await edgeOf(page.getByRole("textbox", { name: "Message" })),
    };
    expect(edges, name).toEqual({ slip: column, code: column, composer: column });
    if (name !== "phone") expect(await edgeOf(page.locator(".bar h1")), name).toBe(column);
  }
});

test("Nothing blinks or moves for a person who wants less motion", async ({ app, page }) => {
  await app.scenario({ match: { text: "marker-still" }, firstTokenMs: 20, tokenMs: 100, tokens: 60, fault: "none" });
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.goto("/");
  await send(page, "Say something, marker-still");
  const caret = page.getByRole("log", { name: "Conversation" }).locator(".caret").first();
  await expect(caret).toHaveCSS("animation-name", "none");
  await page.getByRole("button", { name: "Stop" }).click();
  await app.clearScenarios();
});
