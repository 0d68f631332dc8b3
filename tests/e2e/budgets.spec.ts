/** What a person sees when the operator switches the models off; their own budget is in keyboard.spec. */
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { tableName } from "../../infra/local/table.ts";
import { expect, lastAnswer, openTable, send, test, untilDone } from "./fixtures.ts";

test("While the operator has the models switched off, the page says so and keeps what is sent", async ({
  page,
  app,
}) => {
  const table = openTable(app);
  await app.scenario({ match: { text: "until it is cut" }, tokens: 4_000, tokenMs: 20 });
  try {
    await page.goto("/");
    await send(page, "Go on until it is cut");
    await expect(lastAnswer(page).locator(".answer")).toContainText(/\w{3}/);
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
