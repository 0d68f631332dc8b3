/** What a person sees of the guardrail: the message as it was masked, the card that names the policy, the answer that was taken back. */
import { AxeBuilder } from "@axe-core/playwright";
import { localGuardrail } from "../../infra/local/models/guardrail.ts";
import { App } from "../app.ts";
import { expect, lastAnswer, send, test as shared, untilDone } from "./fixtures.ts";

/** As the other tests have it, with the guardrail on. */
const test = shared.extend<object, { app: App }>({
  app: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are asked for from this pattern.
    async ({}, use) => {
      const app = await App.start({
        servers: 2,
        pace: { firstTokenMs: 150, tokenMs: 15 },
        backend: { guardrail: localGuardrail },
      });
      await use(app);
      await app.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
});

test.afterEach(({ app }) => app.clearScenarios());

test("Personal data is masked before the person's eyes, and stays so in another browser", async ({
  page,
  account,
  openBrowser,
}) => {
  await page.goto("/");
  await send(page, "Write a line to maria@example.org please");
  const mine = page.getByRole("article", { name: "You" });
  await expect(mine).toContainText("Write a line to {EMAIL} please");
  await expect(mine).toContainText("Personal data was masked by the guardrail.");
  await untilDone(page);
  await expect(page.getByRole("main")).not.toContainText("maria@example.org");
  await expect(page.getByRole("navigation", { name: "Threads" })).toContainText("Write a line to {EMAIL} please");
  const other = await openBrowser(account, { server: 1 });
  await other.goto(new URL(page.url()).pathname);
  await expect(other.getByRole("article", { name: "You" })).toContainText("{EMAIL}");
  await expect(other.getByText("Personal data was masked by the guardrail.")).toBeVisible();
  await expect(other.locator("body")).not.toContainText("maria@example.org");
});

test("A blocked message names the policy, can be edited by keys alone, and the thread goes on", async ({ page }) => {
  await page.goto("/");
  await send(page, "Which stocks should I buy?");
  const card = lastAnswer(page);
  await expect(card).toContainText("Blocked by the guardrail");
  await expect(card).toContainText("The rules of this Sidenote do not allow this question.");
  await expect(card).toContainText("This message was not sent to a model.");
  await expect(card).toContainText("Denied topic: Investment advice");
  await expect(page).toHaveURL(/threads/);
  await page.reload();
  await expect(lastAnswer(page)).toContainText("Denied topic: Investment advice");
  expect((await new AxeBuilder({ page }).include('[role="log"]').analyze()).violations).toEqual([]);

  await page.getByRole("button", { name: "Edit message" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Edit message" })).toBeFocused();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("What is a good book about gardens?");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.getByRole("article", { name: "You" })).toHaveText(/What is a good book about gardens\?/);
  await untilDone(page);
  await expect(lastAnswer(page)).not.toContainText("Blocked");
  await send(page, "And about ponds?");
  await untilDone(page);
  await expect(page.getByRole("article", { name: "Assistant" })).toHaveCount(2);
});

test("An answer that breaks a rule midway is taken back on every screen", async ({
  page,
  account,
  app,
  openBrowser,
}) => {
  await app.scenario({ tokens: 1_500, tokenMs: 15 });
  await page.goto("/");
  await send(page, "Tell me about the harbour");
  await expect(lastAnswer(page)).toContainText("local model server");
  await expect(page).toHaveURL(/threads/);
  const other = await openBrowser(account, { server: 1 });
  await other.goto(new URL(page.url()).pathname);
  await expect(lastAnswer(other)).toContainText("local model server");
  await app.scenario({ match: { operation: "guardrail" }, fault: "guardrail" });
  for (const screen of [page, other]) {
    await expect(lastAnswer(screen)).toContainText("Blocked by the guardrail", { timeout: 20_000 });
    await expect(lastAnswer(screen)).toContainText("Denied topic: scenario");
    await expect(lastAnswer(screen)).not.toContainText("local model server");
    await screen.reload();
    await expect(lastAnswer(screen)).toContainText("Denied topic: scenario");
    await expect(lastAnswer(screen)).not.toContainText("local model server");
  }
});

test("While the guardrail cannot be reached a message waits with its words, and goes out by Retry", async ({
  page,
  app,
}) => {
  await app.scenario({ match: { operation: "guardrail" }, fault: "denied" });
  await page.goto("/");
  await send(page, "Is anybody there?");
  const mine = page.getByRole("article", { name: "You" });
  await expect(mine).toContainText("Not sent. The guardrail cannot be reached, and nothing passes unchecked.");
  await expect(mine).toContainText("Is anybody there?");
  await app.clearScenarios();
  await mine.getByRole("button", { name: "Retry" }).click();
  await untilDone(page);
  await expect(lastAnswer(page)).toContainText("local model server");
  await expect(mine).not.toContainText("Not sent");
});

test("Settings says that a guardrail is on", async ({ page }) => {
  await page.goto("/settings");
  await expect(page.getByRole("region", { name: "Guardrail" })).toContainText("checked before a model sees them");
});
