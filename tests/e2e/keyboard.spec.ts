/**
 * What a person does who has only a keyboard. Nothing but the address and keys acts on these pages, and wherever the
 * focus stops it is seen. What the guardrail does is in guardrail.spec, what stands in the margin in margin.spec.
 */
import type { Locator, Page } from "@playwright/test";
import { ulid } from "ulid";
import { messageId } from "../app.ts";
import {
  addNote,
  arrowTo,
  composer,
  dayOf,
  expect,
  expectFocusSeen,
  LOCAL_BUDGET,
  lastAnswer,
  makeThread,
  putUsage,
  say,
  tabBackTo,
  tabTo,
  test,
  untilDone,
} from "./fixtures.ts";

test.afterEach(({ app }) => app.clearScenarios());

const panelOf = (page: Page): Locator => page.getByRole("region", { name: "Thread settings" });
const modelButton = (page: Page): Locator => page.getByTitle("Choose a model");

/** From the composer. */
async function openPanel(page: Page): Promise<Locator> {
  await tabTo(page.getByRole("button", { name: "Thread settings" }));
  await page.keyboard.press("Enter");
  const panel = panelOf(page);
  await expect(panel.getByRole("combobox", { name: "Model" })).toBeFocused();
  return panel;
}

/** Back to where it was opened from, and from there to the composer. */
async function closePanel(page: Page): Promise<void> {
  await page.keyboard.press("Escape");
  await expect(panelOf(page)).toBeHidden();
  await expect(page.getByRole("button", { name: "Thread settings" })).toBeFocused();
  await tabBackTo(composer(page));
}

test("Catalogue: with a keyboard alone a person lists the models again, chooses another vendor's, and reads why one is denied", async ({
  app,
  page,
}) => {
  await app.scenario({ match: { model: "gpt-4.1" }, fault: "denied" });
  await page.goto("/");
  await expect(composer(page)).toBeFocused();
  const panel = await openPanel(page);
  const again = panel.getByRole("button", { name: "List the models again" });
  const asked = page.waitForRequest((request) => request.url().endsWith("/models?fresh=1"));
  await tabTo(again);
  await page.keyboard.press("Enter");
  await asked;
  await expect(panel.getByRole("status").filter({ hasText: "The list is new." })).toBeVisible();
  await expect(again).toBeFocused();
  await closePanel(page);

  const search = page.getByRole("combobox", { name: "Find a model" });
  const option = (name: RegExp): Locator => page.getByRole("option", { name });
  await tabTo(modelButton(page));
  await page.keyboard.press("Enter");
  await expect(search).toBeFocused();
  await page.keyboard.type("gpt-4.1");
  await arrowTo(option(/^gpt-4\.1 1M/));
  await page.keyboard.press("Enter");
  await expect(modelButton(page)).toBeFocused();
  await expect(modelButton(page)).toHaveText("gpt-4.1");
  await tabBackTo(composer(page));
  await page.keyboard.type("Hello");
  await page.keyboard.press("Enter");
  await expect(page.getByText("This model is not enabled in the account that runs Sidenote")).toBeVisible();

  await expect(page).toHaveURL(/\/threads\//);
  await page.goto(page.url());
  await tabTo(modelButton(page));
  await page.keyboard.press("Enter");
  await page.keyboard.type("gpt-4.1");
  const denied = option(/^gpt-4\.1 not allowed here/);
  await expect(denied).toBeDisabled();
  await expect(denied).toContainText("calling it once with their own credentials");
  await arrowTo(denied);
  await page.keyboard.press("Enter");
  await expect(search).toBeFocused();
  // Tab leaves the list as it was, and goes on from its button.
  await page.keyboard.press("Tab");
  await expect(search).toBeHidden();
  await expect(page.getByRole("button", { name: "Thread settings" })).toBeFocused();
  // The card of the failed answer offers the others too, and is gone with what was chosen from it.
  await tabBackTo(lastAnswer(page).getByRole("button", { name: "Use another model" }));
  await page.keyboard.press("Enter");
  await expect(search).toBeFocused();
  await expect(option(/^gpt-4\.1 /)).toHaveCount(0);
  await page.keyboard.type("mini");
  await arrowTo(option(/^gpt-4\.1-mini/));
  await page.keyboard.press("Enter");
  await untilDone(page);
  await expect(lastAnswer(page)).toContainText("gpt-4.1-mini");
  await expect(modelButton(page)).toHaveText("gpt-4.1-mini");
  await tabTo(composer(page));
  expect((await say(app, page, "Hello again")).model).toBe("gpt-4.1-mini");
});

test("Families: with a keyboard alone a person passes over models that refuse the temperature, sees what one drops, and takes it back", async ({
  app,
  page,
  account,
}) => {
  const settings = { temperature: 0.2, systemPrompt: "Answer briefly." };
  const threadId = await makeThread(app, account, ["Hello"], settings);
  await page.goto(`/threads/${threadId}`);
  const panel = await openPanel(page);
  const model = panel.getByRole("combobox", { name: "Model" });
  const slider = panel.getByRole("slider", { name: "Temperature" });
  await expect(panel.getByRole("option", { name: "o4-mini, 200k window" })).toBeAttached();
  // The arrows choose each model on the way; only the last one counts.
  await page.keyboard.press("End");
  await page.keyboard.type("o4-mini");
  await expect(model).toHaveValue("openai:o4-mini");
  const words = /o4-mini sets its own temperature\. Dropped: temperature\./;
  await expect(panel.getByRole("status").filter({ hasText: words })).toBeVisible();
  await expect(model).toBeFocused();
  await expect(slider).toBeDisabled();
  await expect(slider).toHaveAccessibleDescription(/sets its own/);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  await expect(model).toHaveValue("openai:o4-mini");
  await expect(panel.getByRole("status").filter({ hasText: words })).toBeVisible();
  await tabTo(panel.locator("summary"));
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("textbox", { name: "Stop sequences" })).toBeDisabled();
  await expect(panel.getByText("o4-mini takes no stop sequences.")).toBeVisible();
  await page.keyboard.press("Shift+Escape");
  const { model: asked, body } = await say(app, page, "The model is another one");
  expect(asked).toBe("o4-mini");
  expect(body).not.toHaveProperty("temperature");
  expect(JSON.stringify(body)).toContain("Answer briefly.");

  await tabTo(panel.getByRole("button", { name: "Undo" }));
  await page.keyboard.press("Enter");
  await expect(slider).toBeEnabled();
  await expect(panel.getByRole("combobox", { name: "Model" })).toBeFocused();
  await page.keyboard.press("Shift+Escape");
  const undone = await say(app, page, "The first one again");
  expect(undone.model).toContain("nova-lite");
  expect(undone.body.inferenceConfig).toEqual({ temperature: 0.2 });

  // The same by the list that opens from the composer; it is said, and taken back, below it.
  await tabTo(panel.getByRole("button", { name: "Close" }));
  await page.keyboard.press("Enter");
  await tabBackTo(modelButton(page));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("combobox", { name: "Find a model" })).toBeFocused();
  await page.keyboard.type("o4");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: words })).toBeVisible();
  await tabTo(page.getByRole("button", { name: "Undo" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText(words)).toBeHidden();
  await expect(modelButton(page)).toHaveText(/Nova Lite/);
  await tabBackTo(composer(page));
});

test("Settings per thread: with a keyboard alone a person changes, resets, keeps and applies every one of them", async ({
  app,
  page,
  account,
}) => {
  test.setTimeout(90_000);
  const threadId = await makeThread(app, account, ["Hello"]);
  await page.goto(`/threads/${threadId}`);
  const panel = await openPanel(page);
  const button = (name: string): Locator => panel.getByRole("button", { name, exact: true });
  const slider = (name: string): Locator => panel.getByRole("slider", { name });
  const box = (name: string): Locator => panel.getByRole("textbox", { name });
  await tabTo(slider("Temperature"));
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await expect(slider("Temperature")).toHaveAttribute("aria-valuetext", "0.3");
  await tabTo(box("Maximum response length"));
  await page.keyboard.type("99999999");
  await expect(panel.getByText("A length is a whole number of tokens, from 1 to 1,000,000.")).toBeVisible();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("1,234");
  await tabTo(box("System prompt"));
  await page.keyboard.type("Answer like a lighthouse keeper.");
  await tabTo(panel.getByRole("radio", { name: /^All notes/ }));
  await arrowTo(panel.getByRole("radio", { name: "None" }));
  await tabTo(panel.locator("summary"));
  await page.keyboard.press("Enter");
  await tabTo(slider("Top P"));
  await page.keyboard.press("ArrowLeft");
  await tabTo(box("Stop sequences"));
  await page.keyboard.type("END\n##");
  await tabTo(box("History length"));
  await page.keyboard.type("3");

  await tabTo(button("Save as preset"));
  await page.keyboard.press("Enter");
  await page.keyboard.type("Keeper");
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("status").filter({ hasText: "Saved as “Keeper”." })).toBeVisible();
  await expect(button("Save as preset")).toBeFocused();
  await tabTo(button("Use for new threads"));
  await page.keyboard.press("Enter");
  await expect(panel.getByText("New threads begin with these settings.")).toBeVisible();
  await tabTo(button("Reset all"));
  await closePanel(page);
  await expect(page.getByRole("button", { name: "Thread settings" })).toHaveAccessibleDescription("changed");
  const all = {
    temperature: 0.3,
    topP: 0.95,
    maxTokens: 1_234,
    stopSequences: ["END", "##"],
  };
  const { body } = await say(app, page, "What comes now");
  expect(body.inferenceConfig).toEqual(all);
  expect(JSON.stringify(body.system)).toContain("Answer like a lighthouse keeper.");

  // Reset leaves the focus at the field that it was for.
  await page.goto(page.url());
  await openPanel(page);
  await expect(box("Stop sequences")).toHaveValue("END\n##");
  await expect(box("History length")).toHaveValue("3");
  for (const [name, field] of [
    ["Reset temperature", slider("Temperature")],
    ["Reset maximum response length", box("Maximum response length")],
    ["Reset system prompt", box("System prompt")],
    ["Reset notes", panel.getByRole("radio", { name: /^All notes/ })],
    ["Reset top p", slider("Top P")],
    ["Reset stop sequences", box("Stop sequences")],
  ] as const) {
    await tabTo(button(name));
    await page.keyboard.press("Enter");
    await expect(button(name)).toBeHidden();
    await expect(field).toBeFocused();
    await expectFocusSeen(page);
  }
  await tabTo(button("Reset all"));
  await page.keyboard.press("Enter");
  await expect(panel.getByText("All settings of this thread are reset.")).toBeVisible();
  await tabBackTo(button("Undo"));
  await closePanel(page);
  const plain = await say(app, page, "And now nothing is set");
  expect(plain.body.inferenceConfig ?? {}).toEqual({});
  expect(JSON.stringify(plain.body)).not.toContain("lighthouse");

  await openPanel(page);
  await tabTo(button("Apply Keeper"));
  await page.keyboard.press("Enter");
  await expect(panel.getByText("in use")).toBeVisible();
  await expect(box("System prompt")).toHaveValue("Answer like a lighthouse keeper.");
  // A setting that only some models have: the panel names one, and the choice is made by arrows.
  await tabBackTo(panel.getByRole("button", { name: /^Use / }));
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("radio", { name: "Low" })).toBeEnabled();
  await tabBackTo(panel.getByRole("radio", { name: "High" }));
  await arrowTo(panel.getByRole("radio", { name: "Medium" }));
  await expect(panel.getByRole("radio", { name: "Medium" })).toBeChecked();
  await tabBackTo(button("Reset reasoning effort"));
  await closePanel(page);
  expect(JSON.stringify((await say(app, page, "With some effort")).body)).toContain('"medium"');

  await page.goto("/");
  await expect(composer(page)).toBeFocused();
  expect((await say(app, page, "A new thread begins")).body.inferenceConfig).toEqual(all);
});

test("Reasoning: with a keyboard alone a person unfolds and folds it, while the model thinks, over a reload, and afterwards", async ({
  app,
  account,
  page,
  openBrowser,
}) => {
  await app.scenario({ thoughts: 500, tokens: 60, tokenMs: 15 });
  const threadId = ulid();
  const gone = new AbortController();
  const settings = { model: "openai:gpt-5-mini", reasoningEffort: "low" };
  const started = await app.request(account, `/threads/${threadId}/runs`, {
    json: { kind: "send", messageId: messageId(), text: "Think about tea", create: true, settings },
    signal: gone.signal,
  });
  expect(started.status).toBe(200);
  gone.abort();
  await page.goto(`/threads/${threadId}`);
  const fold = lastAnswer(page).getByRole("button", { name: "Thinking" });
  await expect(fold).toHaveAttribute("aria-expanded", "false");
  await tabBackTo(fold);
  await page.keyboard.press("Enter");
  const thoughts = lastAnswer(page).getByRole("group", { name: "What the model thought" });
  await expect(thoughts).toContainText(/\w+ \w+ \w+/);
  const before = await thoughts.innerText();

  await page.goto(page.url());
  await expect(fold).toHaveAttribute("aria-expanded", "false");
  await tabBackTo(fold);
  await page.keyboard.press("Enter");
  await expect(thoughts).toContainText(before.slice(0, 80));
  await untilDone(page);
  const after = lastAnswer(page).getByRole("button", { name: /^Thought for \d+ s$/ });
  await expect(after).toHaveAttribute("aria-expanded", "true");
  await expect(after).toBeFocused();
  const whole = await thoughts.innerText();
  expect(whole.startsWith(before.slice(0, 80))).toBe(true);

  const other = await openBrowser(account, { server: 1 });
  await other.goto(`/threads/${threadId}`);
  const stored = lastAnswer(other).getByRole("button", { name: /^Thought for \d+ s$/ });
  await expect(stored).toHaveAttribute("aria-expanded", "false");
  await tabBackTo(stored);
  await other.keyboard.press("Enter");
  const read = lastAnswer(other).getByRole("group", { name: "What the model thought" });
  await expect(read).toHaveText(whole, { useInnerText: true });
  // What is longer than its box is scrolled by keys.
  await tabTo(read);
  await other.keyboard.press("End");
  await expect.poll(() => read.evaluate((element) => element.scrollTop)).toBeGreaterThan(0);
  await tabBackTo(stored);
  await other.keyboard.press("Space");
  await expect(read).toHaveCount(0);
  await expect(stored).toBeFocused();
});

test("Prompt caching: with a keyboard alone a person sees what the second turn read from the cache, and at which price", async ({
  app,
  account,
  page,
}) => {
  await addNote(app, account, "Log of the boiler", "The boiler lost pressure in the cellar again. ".repeat(700));
  await page.goto("/");
  await say(app, page, "What about the boiler");
  await say(app, page, "And what about the cellar");
  const details = lastAnswer(page).getByRole("button", { name: /^Details: / });
  await tabBackTo(details);
  await page.keyboard.press("Enter");
  await expect(details).toHaveAttribute("aria-expanded", "true");
  await expect(details).toBeFocused();
  await expect(lastAnswer(page).getByText(/^[\d,]+ in \([\d,]{5,} from the cache\), [\d,]+ out$/)).toBeVisible();
  await expect(lastAnswer(page).getByText(/\$0\.015 a million from the cache/)).toBeVisible();
});

test("Length: with a keyboard alone a person reads what fills the window and what would be left out, and sees a second, shorter try", async ({
  app,
  page,
  account,
}) => {
  const long = "word ".repeat(1_400);
  const threadId = await makeThread(
    app,
    account,
    ["first", "second", "third", "fourth"].map((name) => `Minutes of the ${name} meeting ${long}`),
    { model: "openai:gpt-4", notes: "none", maxTokens: 100 },
  );
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/estimate")) asked.push(request.postData() ?? "");
  });
  await page.goto(`/threads/${threadId}`);
  const meter = page.getByRole("meter", { name: "Window of the model" });
  await expect(meter).toHaveAttribute("aria-valuetext", /^\d\d% of 8k$/);
  await expect(page.getByText("Sent with your message: the last 8 messages and no notes.")).toBeVisible();
  expect(asked).toHaveLength(1);
  const fills = page.getByRole("button", { name: /^\d\d% of 8k/ });
  await tabTo(fills);
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^Messages [\d,]+\. .* tokens are kept free for the answer\./)).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByText(/tokens are kept free for the answer\./)).toBeHidden();
  await tabBackTo(composer(page));

  await page.keyboard.insertText(`Which promises did nobody keep? ${long}${long}`);
  await expect(meter).toHaveAttribute("aria-valuetext", /^1\d\d% of 8k$/);
  await expect(page.getByText(/The \d oldest messages would be left out\./)).toBeVisible();
  await tabTo(page.getByRole("button", { name: "Show them" }));
  await page.keyboard.press("Enter");
  const left = page.getByRole("list", { name: "Messages that would be left out" });
  await expect(left.getByRole("button").first()).toContainText("Minutes of the first meeting");
  const count = await left.getByRole("button").count();
  expect(asked.length).toBeLessThanOrEqual(3);
  await tabTo(left.getByRole("button").first());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("article", { name: "You" }).first()).toBeInViewport();
  await tabBackTo(page.getByRole("button", { name: "Hide them" }));
  await page.keyboard.press("Enter");
  await tabBackTo(page.getByRole("button", { name: "Send" }));
  // The second try takes its time, so that a person sees what happens.
  await app.scenario({ firstTokenMs: 2_500, match: { text: "nobody keep" } });
  await app.scenario({ fault: "overflow", times: 1, match: { text: "nobody keep" } });
  await page.keyboard.press("Enter");
  const words = /Too long for the model\. Trying again without the \d+ oldest messages\./;
  await expect(page.getByText(words).first()).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: words })).toHaveCount(1);
  await expect(composer(page)).toBeFocused();
  await untilDone(page);
  const lengths = (await app.modelCalls())
    .filter(({ body }) => JSON.stringify(body).includes("nobody keep"))
    .map(({ body }) => (body as { messages: unknown[] }).messages.length);
  expect(lengths).toEqual([9 - count, expect.any(Number)]);
  expect(lengths[1]).toBeLessThan(9 - count);
  await expect(page.getByRole("log", { name: "Conversation" }).getByRole("alert")).toHaveCount(0);
});

test("Budgets: with a keyboard alone a person puts the warning away, reads when a spent one goes on, and sends again", async ({
  page,
  app,
  account,
}) => {
  const today = dayOf(Date.now());
  await putUsage(app, account, today, [{ tokens: 0.83 * LOCAL_BUDGET, answers: 4, dollars: 1.2 }]);
  await page.goto("/");
  const line = page.getByRole("status").filter({ hasText: "83% of today's budget is used." });
  await expect(line).toBeVisible();
  await tabBackTo(page.getByRole("button", { name: "Dismiss" }));
  await page.keyboard.press("Enter");
  await expect(line).toBeHidden();
  await expect(composer(page)).toBeFocused();
  await page.goto("/");
  await expect(composer(page)).toBeFocused();
  await expect(line).toBeHidden();

  await say(app, page, "The last one that fits");
  await putUsage(app, account, today, [{ tokens: LOCAL_BUDGET, answers: 4, dollars: 1.2 }]);
  await page.keyboard.type("One too many");
  await page.keyboard.press("Enter");
  const at = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(
    Date.parse(`${dayOf(Date.now() + 86_400_000)}T00:00:00Z`),
  );
  const refused = page.getByRole("alert").filter({ hasText: "Not sent." });
  await expect(refused).toContainText(`Not sent. Today's budget is used up. It starts again at ${at}.`);
  // A reload keeps the words and the reason, and asks nobody.
  const asked: string[] = [];
  page.on("request", (request) => request.method() === "POST" && asked.push(request.url()));
  await page.goto(page.url());
  await expect(refused).toContainText(at);
  await expect(page.getByText("One too many")).toBeVisible();
  expect(asked.filter((one) => one.endsWith("/runs"))).toEqual([]);
  await expect(
    page.getByRole("status").getByText(`Today's budget is used up. It starts again at ${at}.`),
  ).toBeVisible();
  await putUsage(app, account, today, [{ tokens: 10, answers: 4, dollars: 1.2 }]);
  await tabBackTo(refused.getByRole("button", { name: "Retry" }));
  await page.keyboard.press("Enter");
  await untilDone(page);
  await expect(refused).toBeHidden();
  await expect(lastAnswer(page)).not.toBeEmpty();
  await expect(composer(page)).toBeFocused();
});

test("Cost: with a keyboard alone a person reads it below an answer, in its details, and in Settings by day and month", async ({
  page,
  app,
  account,
}) => {
  const now = Date.now();
  for (let back = 1; back < 30; back++)
    if (back % 7 !== 3)
      await putUsage(app, account, dayOf(now - back * 86_400_000), [
        { tokens: 20_000 + ((back * 7_919) % 60_000), answers: 5 + (back % 9), dollars: 0.01 + back / 1000 },
        ...(back % 5 === 0 ? [{ tokens: 4_000, answers: 2, model: "openai:gpt-4.1-mini" }] : []),
      ]);
  await putUsage(app, account, dayOf(now), [{ tokens: 31_400, answers: 12, dollars: 0.0412 }]);
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.goto("/");
  await say(app, page, "What does this cost?");
  const details = lastAnswer(page).getByRole("button", { name: /^Details: / });
  await expect(details).toContainText(/, (\$0\.0|under \$0\.0001)/);
  await tabBackTo(details);
  await page.keyboard.press("Enter");
  const detail = (name: string): Locator =>
    lastAnswer(page).getByRole("term").filter({ hasText: name }).locator("xpath=following-sibling::dd");
  await expect(detail("Tokens")).toHaveText(/^[\d,]+ in, [\d,]+ out$/);
  await expect(detail("Cost")).toHaveText(/^(\$0\.0\S+|under \$0\.0001) at \$0\.06 and \$0\.24 a million tokens/);

  await tabBackTo(page.getByRole("link", { name: "Settings", exact: true }));
  await page.keyboard.press("Enter");
  const usage = page.getByRole("region", { name: "Usage" });
  await expect(usage).toContainText(/\$\d+\.\d\d and [\d,]+ tokens in the last 30 days/);
  await expect(usage).toContainText(/\$\d+\.\d\d and [\d,]+ tokens in [A-Z][a-z]+\./);
  await expect(usage.getByRole("row", { name: /gpt-4\.1-mini/i })).toContainText("unknown");
  await expect(usage.locator("svg rect")).toHaveCount(30);
  const words = new Intl.DateTimeFormat("en-GB", { month: "long", day: "numeric", timeZone: "UTC" }).format(now);
  const today = usage.getByRole("row", { name: new RegExp(`${words} `) });
  await expect(today).toBeHidden();
  await tabTo(usage.locator("summary"));
  await page.keyboard.press("Enter");
  await expect(today).toContainText("$0.041");
  await expect(today).toContainText(/3[12],\d{3}/);
});
