/** The whole way of a new person, with nothing prepared. */
import { randomUUID } from "node:crypto";
import { test as base, expect } from "@playwright/test";
import { App } from "../app.ts";
import { lastAnswer, send, untilDone } from "./fixtures.ts";

const test = base.extend<object, { app: App }>({
  app: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are asked for from this pattern.
    async ({}, use) => {
      const app = await App.start({ pace: { firstTokenMs: 100, tokenMs: 10 } });
      await use(app);
      await app.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  baseURL: async ({ app }, use) => use(app.server.url),
});

test("A new person signs up, writes a note, asks about it and reads the answer with the note in the margin", async ({
  page,
  app,
}) => {
  const email = `maria-${randomUUID().slice(0, 8)}@example.org`;
  const password = `${randomUUID()}Aa1!`;
  await page.goto("/");
  await expect(page).toHaveURL(/\/sign-in/);
  await page.getByRole("link", { name: "Create account" }).click();
  await expect(page).toHaveURL(/\/sign-up/);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page).toHaveURL(/\/confirm/);
  await page.getByLabel("Confirmation code").fill(app.code(email));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();

  await page.getByRole("link", { name: "Notes" }).click();
  await page
    .getByRole("link", { name: "New note" })
    .or(page.getByRole("button", { name: "New note" }))
    .first()
    .click();
  await page.getByLabel("Title").fill("Boiler log");
  await page
    .getByLabel("Text")
    .fill("21 November: the pressure fell to 0.8 bar. The filling tap is behind the washing machine.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/notes\/[0-9A-Z]{26}/);

  await page.getByRole("link", { name: "New thread" }).click();
  await send(page, "Where is the filling tap?");
  await expect(lastAnswer(page)).toContainText("behind the washing machine");
  await untilDone(page);
  const sidenotes = page.getByRole("complementary", { name: "Sidenotes" }).last();
  await expect(sidenotes).toContainText("Boiler log");
  await expect(sidenotes).toContainText("The filling tap is behind the washing machine.");

  // The numeral leads to its sidenote, and the sidenote to the note.
  await lastAnswer(page)
    .getByRole("link", { name: /Sidenote 1/ })
    .first()
    .focus();
  await page.keyboard.press("Enter");
  await sidenotes
    .getByRole("link", { name: /Open note/ })
    .first()
    .click();
  await expect(page.getByLabel("Title")).toHaveValue("Boiler log");

  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await page.goBack();
  await expect(page.getByText("filling tap")).toHaveCount(0);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("signing up, notes and reading threads work", async ({ page, app }) => {
    const email = `nojs-${randomUUID().slice(0, 8)}@example.org`;
    const password = `${randomUUID()}Aa1!`;
    await page.goto("/sign-up");
    await page.getByLabel("Email").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page).toHaveURL(/\/confirm/);
    await page.getByLabel("Confirmation code").fill(app.code(email));
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "Notes" }).click();
    await page.getByRole("link", { name: "New note" }).first().click();
    await page.getByLabel("Title").fill("Written by hand");
    await page.getByLabel("Text").fill("No script was here.");
    await page.getByRole("button", { name: "Save" }).click();
    await page.goto("/notes");
    await page
      .getByRole("link", { name: /Written by hand/ })
      .first()
      .click();
    await expect(page.getByLabel("Text")).toHaveValue("No script was here.");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.goto("/notes");
    await expect(page.getByRole("link", { name: /Written by hand/ }).first()).toBeVisible();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page).toHaveURL(/\/sign-in/);
  });
});
