/** What answers cost, and what happens when a budget is used up, as a person sees it. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import AxeBuilder from "@axe-core/playwright";
import { tableName } from "../../infra/local/table.ts";
import type { Account, App } from "../app.ts";
import { expect, lastAnswer, send, test, untilDone } from "./fixtures.ts";

const LOCAL_BUDGET = 10_000_000;
const DAY = 86_400_000;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

function openTable(app: App): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: app.cloud.tableUrl,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    }),
  );
}

interface Used {
  tokens: number;
  answers: number;
  dollars?: number;
  model?: string;
}

/** As if these answers had been given on that day. */
async function putUsage(app: App, account: Account, day: string, used: Used[]): Promise<void> {
  const table = openTable(app);
  const total = used.reduce((sum, { tokens }) => sum + tokens, 0);
  const item: Record<string, unknown> = { committed: total, granted: total, left: 0 };
  for (const { tokens, answers, dollars, model = "bedrock:us.amazon.nova-lite-v1:0" } of used) {
    item[`tokens#${model}`] = tokens;
    item[`answers#${model}`] = answers;
    if (dollars === undefined) item[`unpriced#${model}`] = answers;
    else item[`billionths#${model}`] = Math.round(dollars * 1e9);
  }
  await table.send(
    new PutCommand({ TableName: tableName, Item: { pk: `USER#${account.userId}`, sk: `USAGE#${day}`, ...item } }),
  );
  table.destroy();
}

test("What an answer cost stands below it, and in its details with the tokens and the price", async ({ page }) => {
  await page.goto("/");
  await send(page, "What does this cost?");
  await untilDone(page);
  const details = lastAnswer(page).getByRole("button", { name: /^Details: / });
  await expect(details).toContainText(/, (\$0\.0|under \$0\.0001|price unknown)/);
  await details.focus();
  await page.keyboard.press("Enter");
  await expect(lastAnswer(page).getByText("Tokens", { exact: true })).toBeVisible();
  await expect(lastAnswer(page).getByText("Cost", { exact: true })).toBeVisible();
});

test("Settings show thirty days, by model and by day, in words as well as in bars", async ({ page, app, account }) => {
  const now = Date.now();
  for (let back = 1; back < 30; back++)
    if (back % 7 !== 3)
      await putUsage(app, account, dayOf(now - back * DAY), [
        { tokens: 20_000 + ((back * 7_919) % 60_000), answers: 5 + (back % 9), dollars: 0.01 + back / 1000 },
        ...(back % 5 === 0 ? [{ tokens: 4_000, answers: 2, model: "openai:gpt-4.1-mini" }] : []),
      ]);
  await putUsage(app, account, dayOf(now), [{ tokens: 31_400, answers: 12, dollars: 0.0412 }]);
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.goto("/settings");
  const usage = page.getByRole("region", { name: "Usage" });
  await expect(usage).toContainText(/\$\d+\.\d\d and [\d,]+ tokens in the last 30 days/);
  await expect(usage.getByRole("row", { name: /gpt-4\.1-mini/i })).toContainText("unknown");
  await expect(usage.locator("svg rect")).toHaveCount(30);
  await expect(usage.getByRole("row", { name: /31,400/ })).toBeHidden();
  await usage.getByText("By day").focus();
  await page.keyboard.press("Enter");
  await expect(usage.getByRole("row", { name: /31,400/ })).toContainText("$0.041");
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});

test("From four fifths of the budget on a line says so, once; a spent one keeps the message and says when it goes on", async ({
  page,
  app,
  account,
}) => {
  const today = dayOf(Date.now());
  await putUsage(app, account, today, [{ tokens: 0.83 * LOCAL_BUDGET, answers: 4, dollars: 1.2 }]);
  await page.goto("/");
  const line = page.getByText("83% of today's budget is used.");
  await expect(line).toBeVisible();
  await page.getByRole("button", { name: "Dismiss" }).focus();
  await page.keyboard.press("Enter");
  await expect(line).toBeHidden();
  await page.reload();
  await expect(page.getByRole("textbox", { name: "Message" })).toBeFocused();
  await expect(line).toBeHidden();

  await send(page, "The last one that fits");
  await untilDone(page);
  await putUsage(app, account, today, [{ tokens: LOCAL_BUDGET, answers: 4, dollars: 1.2 }]);
  const url = page.url();
  await send(page, "One too many");
  const at = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(
    Date.parse(`${dayOf(Date.now() + DAY)}T00:00:00Z`),
  );
  const refused = page.getByRole("alert").filter({ hasText: "Not sent." });
  await expect(refused).toContainText(`Not sent. Today's budget is used up. It starts again at ${at}.`);
  // A reload keeps the words and the reason, and asks nobody.
  const asked: string[] = [];
  page.on("request", (request) => request.method() === "POST" && asked.push(request.url()));
  await page.goto(url);
  await expect(refused).toContainText(at);
  await expect(page.getByText("One too many")).toBeVisible();
  expect(asked.filter((one) => one.endsWith("/runs"))).toEqual([]);
  await expect(
    page.getByRole("status").getByText(`Today's budget is used up. It starts again at ${at}.`),
  ).toBeVisible();
  await putUsage(app, account, today, [{ tokens: 10, answers: 4, dollars: 1.2 }]);
  await page.getByRole("button", { name: "Retry" }).click();
  await untilDone(page);
  await expect(lastAnswer(page)).not.toBeEmpty();
});

test("While the operator has the models switched off, the page says so and keeps what is sent", async ({
  page,
  app,
}) => {
  const table = openTable(app);
  await app.scenario({ match: { text: "until it is cut" }, tokens: 4_000, tokenMs: 20 });
  try {
    await page.goto("/");
    await send(page, "Go on until it is cut");
    await expect(lastAnswer(page)).toContainText(/\w{3}/);
    await table.send(new PutCommand({ TableName: tableName, Item: { pk: "STAGE#USAGE", sk: "SWITCH", off: true } }));
    await expect(lastAnswer(page)).toContainText("Whoever runs this Sidenote has switched the models off for now.", {
      timeout: 15_000,
    });
    await expect(lastAnswer(page)).toContainText("The text so far is kept.");
    await send(page, "And now?");
    await expect(page.getByRole("alert").filter({ hasText: "Not sent." })).toContainText("switched the models off");
  } finally {
    await table.send(new DeleteCommand({ TableName: tableName, Key: { pk: "STAGE#USAGE", sk: "SWITCH" } }));
    table.destroy();
    await app.clearScenarios();
  }
  await page.getByRole("button", { name: "Retry" }).last().click();
  await untilDone(page);
});
