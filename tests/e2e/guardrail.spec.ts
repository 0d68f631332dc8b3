/** What a person sees of the guardrail: the message as it was masked, the card that names the policy, the answer that was taken back. */
import type { Page } from "@playwright/test";
import { ulid } from "ulid";
import { blockedOutput, localGuardrail } from "../../infra/local/models/guardrail.ts";
import { type Account, App } from "../app.ts";
import {
  expect,
  expectFocusSeen,
  lastAnswer,
  say,
  send,
  test as shared,
  tabBackTo,
  untilDone,
  violations,
} from "./fixtures.ts";

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

/** The person's new threads begin with this model. */
async function prefer(app: App, account: Account, model: string): Promise<void> {
  const json = { kind: "defaults", revision: 0, settings: { model } };
  expect((await app.request(account, "/preferences", { json })).status).toBe(200);
}

interface Path {
  what: string;
  question: string;
  note?: string;
  /** What the model server is told before it is asked, and once a part of the answer is on both screens. */
  before?: Record<string, unknown>;
  midway?: Record<string, unknown>;
  /** What every screen shows in the end, of the message or of the answer, and what none ever does. */
  shows: { message?: string; answer?: string[] };
  never: string;
}

const atCut = (first: string): string => `${"harbour ".repeat(50).slice(0, 400 - first.length - 1)} ${first}`;

const paths: Path[] = [
  {
    what: "a masked message",
    question: "Write a line to maria@example.org please",
    shows: { message: "Write a line to {EMAIL} please", answer: ["local model server"] },
    never: "maria@",
  },
  {
    what: "a blocked message",
    question: "Which stocks should I buy?",
    shows: { answer: ["Blocked by the guardrail", "Denied topic: Investment advice"] },
    never: "local model server",
  },
  {
    what: "an answer that is masked where two windows meet",
    question: "What is at the harbour?",
    note: `${atCut("+31 6")} 1234 5678 ${"harbour ".repeat(40)}`,
    before: { obey: true, tokenMs: 12 },
    shows: { answer: ["{PHONE} harbour harbour"] },
    never: "+31 6",
  },
  {
    what: "an answer that is blocked where two windows meet",
    question: "What is at the harbour?",
    note: `${atCut("launder")} money ${"harbour ".repeat(40)}`,
    before: { obey: true, tokenMs: 12 },
    shows: { answer: ["Blocked by the guardrail", blockedOutput] },
    never: "launder",
  },
  {
    what: "an answer whose guardrail breaks down midway",
    question: "Tell me about the harbour",
    before: { tokens: 700, tokenMs: 12 },
    midway: { match: { operation: "guardrail" }, fault: "denied" },
    shows: { answer: ["local model server", "the guardrail cannot be reached"] },
    never: "Blocked",
  },
];
const vendors = [
  { vendor: "Bedrock", model: "bedrock:us.amazon.nova-lite-v1:0" },
  { vendor: "OpenAI", model: "openai:gpt-4.1-mini" },
];

for (const { vendor, model } of vendors)
  for (const { what, question, note, before, midway, shows, never } of paths)
    test(`With ${vendor}, ${what} is the same at once, in a second browser, and after a reload`, async ({
      page,
      account,
      app,
      openBrowser,
    }) => {
      await prefer(app, account, model);
      if (note) {
        const fields = { intent: "create", noteId: ulid(), title: "Harbour", text: note };
        await app.postForm("/notes/new", fields, account.cookie);
      }
      if (before) await app.scenario(before);
      await page.goto("/");
      await send(page, question);
      await expect(page).toHaveURL(/threads/);
      const other = await openBrowser(account, { server: 1 });
      await other.goto(new URL(page.url()).pathname);
      const screens = [page, other];
      const see = async (screen: Page): Promise<void> => {
        for (const words of shows.answer ?? [])
          await expect(lastAnswer(screen)).toContainText(words, { timeout: 20_000 });
        if (shows.message) await expect(screen.getByRole("article", { name: "You" })).toContainText(shows.message);
        for (const article of await screen.getByRole("log").getByRole("article").all())
          await expect(article).not.toContainText(never);
      };
      if (midway) {
        for (const screen of screens) await expect(lastAnswer(screen)).toContainText("local model server");
        await app.scenario(midway);
      }
      for (const screen of screens) await see(screen);
      await untilDone(page);
      for (const screen of screens) {
        await screen.reload();
        await see(screen);
      }
      // Nor is it kept in the browser, apart from notes.
      expect(JSON.stringify(await page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }]))).not.toContain(
        never,
      );
    });

for (const { vendor, model } of vendors)
  test(`With ${vendor} and without a guardrail nothing is masked or blocked on any screen`, async ({
    account,
    app,
    openBrowser,
  }) => {
    const backend = JSON.parse(app.cloud.env.SST_RESOURCE_Backend ?? "{}") as Record<string, unknown>;
    const { guardrail: _, ...open } = backend;
    const server = await app.startServer({ env: { SST_RESOURCE_Backend: JSON.stringify(open) } });
    const at = { server: app.servers.indexOf(server) };
    await prefer(app, account, model);
    await app.scenario({ tokenMs: 30 });
    const page = await openBrowser(account, at);
    await page.goto("/");
    await send(page, "Which stocks should maria@example.org buy?");
    await expect(page).toHaveURL(/threads/);
    const other = await openBrowser(account, at);
    await other.goto(new URL(page.url()).pathname);
    for (const reloaded of [false, true])
      for (const screen of [page, other]) {
        if (reloaded) await screen.reload();
        await expect(lastAnswer(screen)).toContainText("local model server");
        await expect(screen.getByRole("article", { name: "You" })).toContainText("maria@example.org");
        await untilDone(screen);
        await expect(screen.getByRole("log")).not.toContainText("guardrail");
      }
    await server.stop();
  });

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

test("Guardrail: with a keyboard alone a person reads which policy blocked a message, edits it, and goes on", async ({
  app,
  page,
}) => {
  await page.goto("/");
  await say(app, page, "Which stocks should I buy?");
  const card = lastAnswer(page);
  await expect(card).toContainText("Blocked by the guardrail");
  await expect(card).toContainText("The rules of this Sidenote do not allow this question.");
  await expect(card).toContainText("This message was not sent to a model.");
  await expect(card).toContainText("Denied topic: Investment advice");
  await expect(page).toHaveURL(/threads/);
  await page.goto(page.url());
  await expect(lastAnswer(page)).toContainText("Denied topic: Investment advice");
  expect(await violations(page, '[role="log"]')).toEqual([]);

  const edit = page.getByRole("textbox", { name: "Edit message" });
  await tabBackTo(page.getByRole("button", { name: "Edit message" }));
  await page.keyboard.press("Enter");
  await expect(edit).toBeFocused();
  await expectFocusSeen(page);
  // Taken back it leads to the composer, as what is sent does.
  await page.keyboard.press("Escape");
  await tabBackTo(page.getByRole("button", { name: "Edit message" }));
  await page.keyboard.press("Enter");
  await expect(edit).toBeFocused();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("What is a good book about gardens?");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.getByRole("article", { name: "You" })).toHaveText(/What is a good book about gardens\?/);
  await untilDone(page);
  await expect(lastAnswer(page)).not.toContainText("Blocked");
  await say(app, page, "And about ponds?");
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

test("While the guardrail cannot be reached a first message waits with its words and has no thread; it goes out by Retry", async ({
  page,
  account,
  app,
  openBrowser,
}) => {
  await app.scenario({ match: { operation: "guardrail" }, fault: "denied" });
  await page.goto("/");
  await send(page, "Is anybody there?");
  const mine = page.getByRole("article", { name: "You" });
  const listed = (screen: Page) => screen.getByRole("navigation", { name: "Threads" }).locator('a[href^="/threads/"]');
  await expect(mine).toContainText("Not sent. The guardrail cannot be reached, and nothing passes unchecked.");
  await expect(mine).toContainText("Is anybody there?");
  await page.reload();
  await expect(mine).toContainText("Not sent.");
  await expect(mine).toContainText("Is anybody there?");
  await expect(listed(page)).toHaveCount(0);
  const other = await openBrowser(account, { server: 1 });
  await other.goto("/");
  await expect(other.getByRole("textbox", { name: "Message" })).toBeVisible();
  await expect(other.locator("body")).not.toContainText("Is anybody there?");
  await expect(listed(other)).toHaveCount(0);
  await app.clearScenarios();
  await mine.getByRole("button", { name: "Retry" }).click();
  await untilDone(page);
  await expect(lastAnswer(page)).toContainText("local model server");
  await expect(mine).not.toContainText("Not sent");
  await other.reload();
  for (const screen of [page, other]) await expect(listed(screen)).toHaveText("Is anybody there?");
});

test("Settings says that a guardrail is on", async ({ page }) => {
  await page.goto("/settings");
  await expect(page.getByRole("region", { name: "Guardrail" })).toContainText("checked before a model sees them");
});
