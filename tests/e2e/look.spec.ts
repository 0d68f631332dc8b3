/** What holds on every page at every width, light and dark. */
import type { Locator, Page } from "@playwright/test";
import { ulid } from "ulid";
import { type Account, type App, messageId, readStream } from "../app.ts";
import { addSession } from "./browser.ts";
import { dayOf, expect, LOCAL_BUDGET, makeThread, putUsage, send, test, untilDone, violations } from "./fixtures.ts";

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

test("A phone's targets are as large as a finger, and its settings can be left from wherever they are scrolled to", async ({
  app,
  account,
  browser,
}) => {
  const context = await browser.newContext({
    baseURL: app.server.url,
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await addSession(context, account, app.server.url);
  const page = await context.newPage();
  await openThread(page, app, account);
  /** Where a finger that aims at the middle of an element, and misses it by so much, still hits it. */
  const takes = (locator: Locator) =>
    locator.evaluate((element) => {
      element.scrollIntoView({ block: "center" });
      const { left, top, width, height } = element.getBoundingClientRect();
      return [-21, 0, 21].map((by) =>
        element.contains(document.elementFromPoint(left + width / 2, top + height / 2 + by)),
      );
    });
  const answer = page.getByRole("article", { name: "Assistant" }).last();
  await page.getByRole("button", { name: "Thread settings" }).click();
  const panel = page.getByRole("region", { name: "Thread settings" });
  expect(await takes(panel.getByRole("button", { name: "List the models again" }))).toEqual([true, true, true]);
  await panel.getByRole("button", { name: "Save as preset" }).scrollIntoViewIfNeeded();
  await panel.getByRole("button", { name: "Close" }).click();
  await expect(panel).toBeHidden();

  for (const name of ["Copy", "Save", "Again", "Answer again with", /^Details/, /Boiler log/])
    expect(await takes(answer.getByRole("button", { name, exact: true }).last()), String(name)).toEqual([
      true,
      true,
      true,
    ]);
  // What differs from answer to answer has room in the row; the model's name does not.
  await expect(answer.getByRole("button", { name: /^Details/ })).toHaveText(/^Details:\s+\d+ s, .*\$/, {
    useInnerText: true,
  });

  // Enter is a new line here, so a message is queued by a button.
  await app.scenario({ match: { text: "marker-queue" }, firstTokenMs: 20, tokenMs: 100, tokens: 200, fault: "none" });
  await send(page, "Go on, marker-queue");
  await page.getByRole("textbox", { name: "Message" }).fill("And then?");
  await page.getByRole("button", { name: "Queue" }).tap();
  await expect(page.getByText("Next", { exact: true })).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Message" })).toHaveValue("");
  await page.getByRole("button", { name: "Remove" }).tap();
  await page.getByRole("button", { name: "Stop" }).tap();
  await app.clearScenarios();
  await context.close();
});

test("An answer that fails ends with its card in sight, and its model can no longer be chosen", async ({
  app,
  page,
  account,
}) => {
  await openThread(page, app, account);
  await app.scenario({ match: { text: "marker-denied" }, fault: "denied" });
  for (const { width, height } of widths) {
    await page.setViewportSize({ width, height });
    await send(page, "And now, marker-denied");
    const retry = page.getByRole("article", { name: "Assistant" }).last().getByRole("button", { name: "Retry" });
    await expect(retry).toBeVisible();
    // The foot would lie over what is not in sight.
    await expect(async () => {
      const card = await retry.locator("xpath=ancestor::*[@data-ending]").boundingBox();
      const foot = await page.locator(".foot").boundingBox();
      expect(card && foot && card.y + card.height <= foot.y).toBe(true);
    }).toPass({ timeout: 5_000 });
  }
  await app.clearScenarios();
  await page.getByTitle("Choose a model").click();
  await expect(page.getByRole("option", { name: /^US Amazon Nova Lite/ })).toHaveAttribute("aria-disabled", "true");
});

test("Whoever reads at the end of an answer has its last words in sight when it is whole", async ({ page }) => {
  await page.goto("/");
  await send(page, "Write a long answer about the harbour");
  await untilDone(page);
  const answer = page.getByRole("article", { name: "Assistant" }).last();
  await expect(answer.getByRole("button", { name: "Copy", exact: true }).last()).toBeVisible();
  const words = await answer.locator(".answer").boundingBox();
  const foot = await page.locator(".foot").boundingBox();
  expect(words && foot && words.y + words.height <= foot.y).toBe(true);
});

test("What opens below the composer, and a window that gets smaller, cover nothing at the end of an answer", async ({
  app,
  page,
  account,
}) => {
  await openThread(page, app, account);
  const actions = page.getByRole("article", { name: "Assistant" }).last().getByRole("button", { name: "Save as note" });
  const foot = page.locator(".foot");
  const expectClear = () =>
    expect(async () => {
      const row = await actions.boundingBox();
      const below = await foot.boundingBox();
      expect(row && below && row.y > 0 && row.y + row.height <= below.y).toBe(true);
    }).toPass({ timeout: 5_000 });
  await expectClear();
  await page.getByRole("button", { name: /% of 300k/ }).click();
  await expect(page.getByText(/tokens are kept free for the answer/)).toBeVisible();
  await expectClear();
  await page.setViewportSize({ width: 1024, height: 500 });
  await expectClear();
});

test("Words that are long push nothing out of its place", async ({ app, page, account, browser }) => {
  const id = messageId();
  const text = "Minutes of the meeting about ".repeat(4);
  const json = { kind: "send", messageId: id, text, create: true, settings: { model: "openai:o4-mini", topP: 0.5 } };
  await readStream(await app.request(account, `/threads/${id}/runs`, { json }));
  await page.goto(`/threads/${id}`);
  const box = async (locator: Locator) => {
    const { x, y, width, height } = (await locator.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    return { left: x, top: y, right: x + width, bottom: y + height };
  };
  const column = await box(page.locator(".answer > p").first());
  expect((await box(page.getByText(/^Kept until/))).right).toBeLessThanOrEqual(column.right + 1);

  // The panel's head stays above what is scrolled below it, and lies over nothing that has the focus.
  await page.getByRole("button", { name: "Thread settings" }).click();
  const panel = page.getByRole("region", { name: "Thread settings" });
  await panel.getByRole("link", { name: "Edit presets" }).focus();
  await expect(panel.getByRole("button", { name: "Close" })).toBeInViewport();
  const head = await box(panel.locator("header"));
  const foot = await box(panel.locator("footer"));
  for (const field of ["Stop sequences", "System prompt", "Maximum response length"]) {
    await panel
      .getByRole("textbox", { name: field })
      .evaluate((element) => element.scrollIntoView({ block: "nearest" }));
    const { top, bottom } = await box(panel.getByRole("textbox", { name: field }));
    expect(top >= head.bottom && bottom <= foot.top, field).toBe(true);
  }

  const stranger = await browser.newContext({ baseURL: app.server.url, viewport: { width: 390, height: 844 } });
  const phone = await stranger.newPage();
  await phone.goto("/sign-up");
  await phone.getByRole("textbox", { name: "Email" }).fill(`${"maria".repeat(9)}@example.org`);
  await phone.getByLabel("Password").fill("a-good-Passw0rd");
  await phone.getByRole("button", { name: "Create account" }).click();
  await expect(phone.getByText(/^We sent six digits to/)).toBeVisible();
  expect(await phone.evaluate(() => document.querySelector("main")?.scrollWidth)).toBe(390);
  await stranger.close();
});

test("One ring shows where the keys lead, and it lies over no words", async ({ app, page, account }) => {
  await openThread(page, app, account);
  await page.getByTitle("Choose a model").click();
  const find = page.getByRole("combobox", { name: "Find a model" });
  await expect(find).toBeFocused();
  await expect(page.getByRole("option", { selected: true })).toHaveCSS("outline-style", "solid");
  await expect(find).toHaveCSS("outline-style", "none");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Thread settings" }).click();
  await page.getByRole("combobox", { name: "Model" }).press("Tab");
  await page.keyboard.press("Tab");
  const slider = page.getByRole("slider", { name: "Temperature" });
  await expect(slider).toBeFocused();
  const ring = await slider.evaluate((element) => {
    const { outlineWidth, outlineOffset } = getComputedStyle(element);
    return element.getBoundingClientRect().bottom + Number.parseFloat(outlineWidth) + Number.parseFloat(outlineOffset);
  });
  const words = await page.getByText("Plain", { exact: true }).boundingBox();
  expect(words && ring <= words.y).toBe(true);
});

test("On a phone the budget's line keeps clear of the composer, and what has no room is listed in plain words", async ({
  app,
  page,
  account,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await app.scenario({ match: { text: "Write a long answer" }, firstTokenMs: 1, tokenMs: 1 });
  const questions = ["harbour", "boiler", "garden", "river", "attic"].map(
    (subject) => `Write a long answer about the ${subject}`,
  );
  const threadId = await makeThread(app, account, questions);
  await app.clearScenarios();
  await putUsage(app, account, dayOf(Date.now()), [{ tokens: LOCAL_BUDGET, answers: 4 }]);
  await page.goto(`/threads/${threadId}`);
  const line = await page.getByRole("status").filter({ hasText: "budget is used up" }).boundingBox();
  const box = await page.locator(".composer").boundingBox();
  expect(line && box && line.y + line.height + 8 <= box.y).toBe(true);

  await page.getByTitle("Choose a model").click();
  await page.getByRole("combobox", { name: "Find a model" }).fill("Titan Text G1 - Express");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Show them" }).click();
  const left = page.getByRole("list", { name: "Messages that would be left out" });
  await expect(left.getByRole("button", { name: /^The harbour This is a long answer/ })).toBeVisible();
});

test("The first visit shows its sidenote at every width, and no room is kept for what is not seen", async ({
  page,
}) => {
  await page.goto("/");
  const note = page.locator("[data-margin-of] .sidenote");
  for (const { name, width, height } of widths) {
    await page.setViewportSize({ width, height });
    const chip = page.getByRole("button", { name: "This is a sidenote" });
    if (name === "phone") {
      await chip.click();
      await expect(page.locator(".chips")).toContainText("When an answer used one of your notes");
    } else {
      await expect(note).toBeVisible();
      await expect(chip).toBeHidden();
      expect(
        await page.locator(".answer").evaluate((answer) => {
          const last = answer.querySelector("p");
          return answer.getBoundingClientRect().bottom - (last?.getBoundingClientRect().bottom ?? 0);
        }),
        name,
      ).toBe(0);
    }
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
