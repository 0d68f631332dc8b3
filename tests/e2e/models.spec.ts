/** Choosing a model: what a denied one looks like, and the list on demand. */
import { expect, test } from "./fixtures.ts";

test("A model that its vendor denied cannot be chosen, and says how it is enabled", async ({ page, app }) => {
  await app.scenario({ match: { model: "gpt-4.1" }, fault: "denied" });
  await page.goto("/");
  await page.getByTitle("Choose a model").click();
  await page.getByRole("combobox", { name: "Find a model" }).fill("gpt-4.1");
  await page.getByRole("option", { name: /^gpt-4\.1 1M/ }).click();
  await page.getByRole("textbox", { name: "Message" }).fill("Hello");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("This model is not enabled in the account that runs Sidenote")).toBeVisible();

  await page.reload();
  await page.getByTitle("Choose a model").click();
  await page.getByRole("combobox", { name: "Find a model" }).fill("gpt-4.1");
  const denied = page.getByRole("option", { name: /^gpt-4\.1 not allowed here/ });
  await expect(denied).toBeDisabled();
  await expect(denied).toContainText("calling it once with their own credentials");
  await expect(page.getByRole("option", { name: /^gpt-4\.1-mini/ })).toBeEnabled();
});

test("The models are listed again from the settings, by keyboard", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Thread settings" }).click();
  await expect(page.getByLabel("Model", { exact: true })).toBeFocused();
  const asked = page.waitForRequest((request) => request.url().endsWith("/models?fresh=1"));
  const button = page.getByRole("button", { name: "List the models again" });
  await button.focus();
  await page.keyboard.press("Enter");
  await asked;
  await expect(page.getByText("The list is new.")).toBeVisible();
  await expect(button).toBeFocused();
});
