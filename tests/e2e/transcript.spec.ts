/** The thread's page as people use it: writing, reading, what stands in the margin, and what is kept. */
import type { Locator, Page } from "@playwright/test";
import { ulid } from "ulid";
import type { Account, App } from "../app.ts";
import { addSession } from "./browser.ts";
import { expect, lastAnswer, send, tabBackTo, test, untilDone, violations } from "./fixtures.ts";

test.afterEach(({ app }) => app.clearScenarios());

const composer = (page: Page): Locator => page.getByRole("textbox", { name: "Message" });
const questions = (page: Page): Locator => page.getByRole("article", { name: "You" });
const stopButton = (page: Page): Locator => page.getByRole("button", { name: "Stop", exact: true });
const cite = (page: Page, number: number): Locator =>
  lastAnswer(page)
    .getByRole("link", { name: `Sidenote ${number}`, exact: true })
    .first();
const sidenotes = (page: Page): Locator => page.getByRole("complementary", { name: "Sidenotes" }).last();

async function writeNotes(app: App, account: Account, notes: Record<string, string>): Promise<void> {
  for (const [title, text] of Object.entries(notes)) {
    const response = await app.postForm(
      "/notes/new",
      { intent: "create", noteId: ulid(), title, text },
      account.cookie,
    );
    expect(response.status).toBe(200);
    await response.text();
  }
}

/** A run of the same page that is not told by the page itself. */
function runRequests(page: Page): string[] {
  const requests: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/runs")) requests.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  return requests;
}

test.describe("Writing", () => {
  test("What is typed before the page's script is there stays, and can be sent", async ({ page }) => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/assets/*.js", async (route) => {
      await held;
      await route.continue();
    });
    await page.goto("/", { waitUntil: "commit" });
    await composer(page).pressSequentially("Typed early");
    await expect(page.getByRole("button", { name: "Send" })).toBeDisabled();
    release();
    await expect(page.getByRole("button", { name: "Send" })).toBeEnabled();
    await expect(composer(page)).toHaveValue("Typed early");
    await composer(page).press("Enter");
    await expect(questions(page)).toContainText("Typed early");
  });

  test("Enter sends, Shift and Enter make a new line, and an input method keeps its Enter", async ({ page }) => {
    await page.goto("/");
    await expect(composer(page)).toBeFocused();
    await page.keyboard.type("one");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("two");
    await expect(composer(page)).toHaveValue("one\ntwo");
    await composer(page).dispatchEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true });
    await composer(page).dispatchEvent("keydown", { key: "Enter", isComposing: true, bubbles: true });
    await expect(questions(page)).toHaveCount(0);
    await page.keyboard.press("Enter");
    await expect(questions(page)).toHaveText(/one\ntwo/);
    await expect(composer(page)).toHaveValue("");
    await expect(composer(page)).toBeFocused();
  });

  test("A draft is kept for each thread, over switching and reloading", async ({ page }) => {
    await page.goto("/");
    await send(page, "Alder trees");
    await untilDone(page);
    await composer(page).fill("More about them");
    await page.getByRole("link", { name: "New thread" }).click();
    await expect(composer(page)).toHaveValue("");
    await composer(page).fill("Something new");
    await page.getByRole("link", { name: /^Alder trees/ }).click();
    await expect(composer(page)).toHaveValue("More about them");
    await page.reload();
    await expect(composer(page)).toHaveValue("More about them");
    await page.goto("/");
    await expect(composer(page)).toHaveValue("Something new");
  });

  test("Signing out takes the drafts along; a stranger's link to that page does not", async ({
    page,
    context,
    app,
    account,
  }) => {
    await page.goto("/");
    await composer(page).fill("Half a thought");
    const signedIn = await context.cookies();
    await context.clearCookies();
    await page.goto("/sign-in?done=signed-out");
    await expect(page.getByRole("button", { name: "Sign in" })).toBeEnabled();
    // A link that stands in our own pages, as in an answer, is as strange.
    await page.evaluate(() => window.location.assign("/sign-in?done=deleted"));
    await expect(page.getByText("Your account is deleted")).toBeVisible();
    await expect(page.getByRole("button", { name: "Sign in" })).toBeEnabled();
    await context.addCookies(signedIn);
    await page.goto("/");
    await expect(composer(page)).toHaveValue("Half a thought");
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByText("You are signed out.")).toBeVisible();
    const signInAgain = async () =>
      addSession(context, { cookie: await app.signIn(account.email, account.password) }, app.server.url);
    await signInAgain();
    await page.goto("/");
    await expect(composer(page)).toBeFocused();
    await expect(composer(page)).toHaveValue("");

    // On every device at once as well.
    await composer(page).fill("Another thought");
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Sign out everywhere" }).click();
    await expect(page.getByText("You are signed out.")).toBeVisible();
    await signInAgain();
    await page.goto("/");
    await expect(composer(page)).toBeFocused();
    await expect(composer(page)).toHaveValue("");
  });

  test("A first message becomes a thread with one request, and what is typed meanwhile goes along", async ({
    page,
    app,
  }) => {
    await app.scenario({ match: { text: "one request" }, tokenMs: 25, tokens: 60 });
    const requests = runRequests(page);
    await page.goto("/");
    await send(page, "Only one request, please");
    await page.keyboard.type("And then");
    await expect(page).toHaveURL(/\/threads\/[0-9A-Z]{26}$/);
    await expect(composer(page)).toHaveValue("And then");
    await expect(composer(page)).toBeFocused();
    await expect(stopButton(page)).toBeVisible();
    await untilDone(page);
    expect(requests).toHaveLength(1);
    await page.goBack();
    await expect(page).not.toHaveURL(/\/threads\//);
  });

  test("A message that waits can be changed and taken back, and a reload keeps it", async ({ page, app }) => {
    await app.scenario({ match: { text: "long wait" }, tokenMs: 30, tokens: 4_000 });
    await page.goto("/");
    await send(page, "A long wait");
    await expect(stopButton(page)).toBeVisible();
    // The reload below is one of the thread's page.
    await expect(page).toHaveURL(/\/threads\//);
    for (const text of ["Second", "Third"]) {
      await composer(page).fill(text);
      await composer(page).press("Enter");
    }
    await expect(page.getByText("2 messages wait.")).toBeVisible();
    await page.getByRole("button", { name: "Edit", exact: true }).first().click();
    await expect(composer(page)).toHaveValue("Second");
    await composer(page).fill("");
    await page.reload();
    await expect(page.getByText("Third")).toBeVisible();
    await page.getByRole("button", { name: "Remove" }).click();
    await expect(page.getByText("Third")).toHaveCount(0);
    await composer(page).press("Escape");
    await expect(page.getByText("You stopped this answer.")).toBeVisible();
    await expect(page.getByRole("status").filter({ hasText: /^Stopped$/ })).toHaveCount(1);
    await expect(questions(page)).toHaveCount(1);
  });

  test("Offline a message says so and stays; it goes out when the network is back, once", async ({ page }) => {
    await page.goto("/");
    await send(page, "Alder trees");
    await untilDone(page);
    await page.context().setOffline(true);
    await send(page, "Birch trees");
    await expect(page.getByText("Not sent. You are offline.")).toBeVisible();
    await expect(page.getByRole("status").filter({ hasText: /^Not sent$/ })).toHaveCount(1);
    await expect(questions(page).last()).toContainText("Birch trees");
    await page.context().setOffline(false);
    await expect(page.getByText("Not sent.")).toHaveCount(0);
    await untilDone(page);
    await expect(page.getByRole("article", { name: "Assistant" })).toHaveCount(2);
    await page.reload();
    await expect(questions(page)).toHaveCount(2);
  });

  test("A session that ends while a person writes costs them no word", async ({ page, account, app }) => {
    await page.goto("/");
    await send(page, "Alder trees");
    await untilDone(page);
    await expect(lastAnswer(page).getByRole("button", { name: /^Details/ })).toBeVisible();
    const path = new URL(page.url()).pathname;
    await app.postForm("/sign-out", {}, account.cookie);
    await send(page, "Nothing of this may be lost");
    await expect(page).toHaveURL(/\/sign-in\?redirectTo=/);
    await page.getByLabel("Email").fill(account.email);
    await page.getByLabel("Password").fill(account.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(new RegExp(`${path}$`));
    await expect(composer(page)).toHaveValue("Nothing of this may be lost");
    await expect(questions(page)).toHaveCount(1);
  });
});

test.describe("Versions", () => {
  test("An edited message keeps its earlier version, and the arrows lead to each with its answer", async ({ page }) => {
    await page.goto("/");
    await send(page, "Alder trees");
    await untilDone(page);
    await send(page, "And birches?");
    await untilDone(page);
    await page.getByRole("textbox", { name: "Message" }).press("ArrowUp");
    const field = page.getByRole("textbox", { name: "Edit message" });
    await expect(field).toBeFocused();
    await expect(field).toHaveValue("And birches?");
    await field.press("Escape");
    await expect(composer(page)).toBeFocused();
    await questions(page).first().hover();
    await page.getByRole("button", { name: "Edit", exact: true }).first().click();
    await field.fill("Elder trees");
    // Nothing is lost by a reload, nor by a session that ends.
    await page.reload();
    await questions(page).first().hover();
    await page.getByRole("button", { name: "Edit", exact: true }).first().click();
    await expect(field).toHaveValue("Elder trees");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect(questions(page)).toHaveCount(1);
    await untilDone(page);
    await expect(questions(page)).toContainText("Elder trees");
    await expect(questions(page)).toContainText("2 of 2");

    await tabBackTo(page.getByRole("link", { name: "Earlier version of this message" }));
    await page.keyboard.press("Enter");
    await expect(questions(page)).toHaveCount(2);
    // The focus stays at the arrows, though they are others now.
    await expect(page.getByRole("link", { name: "Later version of this message" })).toBeFocused();
    await expect(questions(page).first()).toContainText("Alder trees");
    await expect(page.getByRole("article", { name: "Assistant" })).toHaveCount(2);

    // What is sent from there goes on from there.
    await send(page, "And willows?");
    await untilDone(page);
    await expect(page).not.toHaveURL(/at=/);
    await expect(questions(page)).toHaveCount(3);
    await expect(questions(page).first()).toContainText("1 of 2");
  });

  test("Answering again keeps the answer before, and Continue goes on from one that was stopped", async ({
    page,
    app,
  }) => {
    await app.scenario({ match: { text: "Count" }, tokenMs: 100, tokens: 120, times: 1 });
    await page.goto("/");
    await send(page, "Count the trees");
    await expect(lastAnswer(page)).toContainText(/\w+ \w+ \w+/);
    await stopButton(page).click();
    await expect(page.getByText("You stopped this answer.")).toBeVisible();
    const part = await lastAnswer(page).locator(".answer").innerText();
    await tabBackTo(page.getByRole("button", { name: "Continue" }));
    await page.keyboard.press("Enter");
    await untilDone(page);
    await expect(page.getByText("You stopped this answer.")).toHaveCount(0);
    expect((await lastAnswer(page).locator(".answer").innerText()).startsWith(part.slice(0, 40))).toBe(true);
    await expect(lastAnswer(page)).toContainText("2 of 2");
    // What stands below an answer keeps to one line: only the model's name gives way.
    expect((await lastAnswer(page).getByText("2 of 2").boundingBox())?.height).toBeLessThan(30);
    await tabBackTo(lastAnswer(page).getByRole("button", { name: "Answer again", exact: true }));
    await page.keyboard.press("Enter");
    await expect(lastAnswer(page)).toContainText("3 of 3");
    const earlier = page.getByRole("link", { name: "Earlier version of this answer" });
    await tabBackTo(earlier);
    await page.keyboard.press("Enter");
    await expect(lastAnswer(page)).toContainText("2 of 3");
    await expect(earlier).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByText("You stopped this answer.")).toBeVisible();
  });
});

test.describe("The margin", () => {
  const house = {
    "House rules": "Nothing heavy on the network between 18:00 and 23:00.",
    "Basement server": "The photos live on the 4 TB disk at /srv/photos.",
  };
  const question = "What do you know of the network, the house rules, the photos and the disk?";

  test("A sidenote stands beside the line that cites it, and none stands on another", async ({
    page,
    app,
    account,
  }) => {
    await writeNotes(app, account, house);
    await page.goto("/");
    await send(page, question);
    await untilDone(page);
    const notes = sidenotes(page).locator(".sidenote");
    await expect(notes).toHaveCount(2);
    await expect(notes.first()).toContainText(/House rules\.|Basement server\./);
    const boxes: { top: number; bottom: number; line: number }[] = [];
    for (const number of [1, 2]) {
      const note = await notes.nth(number - 1).boundingBox();
      const line = await cite(page, number).boundingBox();
      if (!note || !line) throw new Error("Nothing stands there");
      boxes.push({ top: note.y, bottom: note.y + note.height, line: line.y });
    }
    const [first, second] = boxes;
    expect(Math.abs((first?.top ?? 0) - (first?.line ?? 0))).toBeLessThan(6);
    expect((second?.top ?? 0) - (first?.bottom ?? 0)).toBeGreaterThanOrEqual(21);
    expect((second?.top ?? 0) - (second?.line ?? 0)).toBeGreaterThan(-6);
  });

  test("On a phone a chip below the paragraph grows into the note", async ({ page, app, account }) => {
    await writeNotes(app, account, house);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto("/");
    await send(page, question);
    await untilDone(page);
    const chip = page.getByRole("complementary", { name: "Sidenotes" }).getByRole("button").first();
    await expect(chip).toHaveAttribute("aria-expanded", "false");
    await cite(page, 1).click();
    await expect(chip).toHaveAttribute("aria-expanded", "true");
    await expect(
      page.getByRole("complementary", { name: "Sidenotes" }).getByRole("link", { name: "Open note" }),
    ).toBeVisible();
  });

  test("An answer kept as a note is one note, and the margin counts it", async ({ page, account, app }) => {
    await writeNotes(app, account, house);
    await page.goto("/");
    await send(page, question);
    await untilDone(page);
    await lastAnswer(page).getByRole("button", { name: "Save as note" }).click();
    await lastAnswer(page).getByRole("button", { name: "Saved" }).click();
    await expect(page.getByText("all 3 notes")).toBeVisible();
    await lastAnswer(page).getByRole("link", { name: "Open note" }).click();
    await expect(page.getByLabel("Text")).toHaveValue(/\/srv\/photos/);
  });
});

test.describe("Settings", () => {
  test("What is chosen before the first message goes along, and is there afterwards", async ({ page, app }) => {
    await page.goto("/");
    await page.getByRole("button", { name: "Thread settings" }).click();
    await page.getByLabel("Temperature").fill("0.3");
    await page.getByLabel("Maximum response length").fill("123456789");
    await expect(page.getByText(/allows up to [\d,]+\.|A length is a whole number/)).toBeVisible();
    await page.getByLabel("Maximum response length").fill("500");
    await page.getByLabel("System prompt").fill("Answer as a gardener.");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("button", { name: "Thread settings" })).toBeFocused();
    await send(page, "Alder trees");
    await untilDone(page);
    const sent = JSON.stringify((await app.modelCalls()).at(-1));
    expect(sent).toContain("Answer as a gardener.");
    expect(sent).toMatch(/"temperature":0\.3/);
    expect(sent).toMatch(/"maxTokens":500/);
    await page.reload();
    await page.getByRole("button", { name: /^Thread settings/ }).click();
    await expect(page.getByLabel("Temperature")).toHaveValue("0.3");
    await expect(page.getByLabel("Maximum response length")).toHaveValue("500");
  });

  test("A change holds for the very next message, at another vendor too", async ({ page, app }) => {
    await page.goto("/");
    await send(page, "Alder trees");
    await untilDone(page);
    await page.getByTitle("Choose a model").click();
    await page.getByRole("combobox", { name: "Find a model" }).fill("4.1-mini");
    await page.keyboard.press("Enter");
    await send(page, "Birch trees");
    await untilDone(page);
    const call = (await app.modelCalls()).at(-1);
    expect(call?.provider).toBe("openai");
    expect(JSON.stringify(call)).toContain("Alder trees");
    await expect(lastAnswer(page)).toContainText("gpt-4.1-mini");
    await page.reload();
    await expect(page.getByTitle("Choose a model")).toContainText("gpt-4.1-mini");
  });

  test("What the model does not take is off, with the reason", async ({ page }) => {
    await page.goto("/");
    await page.getByRole("button", { name: "Thread settings" }).click();
    const model = page.getByLabel("Model", { exact: true });
    await expect(model.locator("option", { hasText: /^gpt-5,/ })).toHaveCount(1);
    await model.selectOption("openai:gpt-5");
    await expect(page.getByLabel("Temperature")).toBeDisabled();
    await expect(page.getByText(/gpt-5 (sets its own temperature|takes a temperature only)/)).toBeVisible();
    await page.getByRole("button", { name: "Reset model" }).click();
    await expect(page.getByLabel("Temperature")).toBeEnabled();
  });
});

test.describe("Reading", () => {
  test("A person who scrolls up is left alone, until they jump; the end moves nothing", async ({ page, app }) => {
    await app.scenario({ match: { text: "long story" }, tokenMs: 12, tokens: 500 });
    await page.goto("/");
    await send(page, "Write a long answer about a long story");
    const main = page.locator(".main");
    const gap = () => main.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
    const top = () => main.evaluate((element) => element.scrollTop);
    await expect.poll(top, { timeout: 20_000 }).toBeGreaterThan(200);
    expect(await gap()).toBeLessThan(60);
    await page.mouse.move(640, 400);
    await page.mouse.wheel(0, -150);
    await expect(page.getByRole("button", { name: "Jump to latest" })).toBeVisible();
    const left = await top();
    await expect.poll(gap).toBeGreaterThan(250);
    expect(await top()).toBe(left);
    await untilDone(page);
    expect(await top()).toBe(left);
    await page.getByRole("link", { name: "New thread" }).click();
    await expect(page.getByRole("article")).toHaveCount(0);
    await page.goBack();
    await expect(lastAnswer(page).getByRole("button", { name: "Copy" }).first()).toBeVisible();
    await expect.poll(top).toBe(left);
    await page.reload();
    await expect.poll(top).toBe(left);
  });

  test("A run that a second browser begins is read along on an open page", async ({
    page,
    app,
    account,
    openBrowser,
  }) => {
    await page.goto("/");
    await send(page, "Alder trees");
    await untilDone(page);
    const second = await openBrowser(account, { server: 1 });
    await second.goto(new URL(page.url()).pathname);
    await app.scenario({ match: { text: "from elsewhere" }, tokenMs: 60, tokens: 400 });
    await send(page, "A question from elsewhere");
    await expect(stopButton(second)).toBeVisible({ timeout: 20_000 });
    await expect(questions(second).last()).toContainText("from elsewhere");
    await expect(lastAnswer(second)).toContainText(/\w+ \w+/);
    await composer(second).fill("I too");
    await composer(second).press("Enter");
    await expect(second.getByText("One message waits.")).toBeVisible();
    await second.getByRole("button", { name: "Remove" }).click();
    await stopButton(second).click();
    await expect(page.getByText("You stopped this answer.")).toBeVisible();
  });

  test("The page can be used by everybody, in light and dark, on a desk and on a phone", async ({
    page,
    app,
    account,
  }) => {
    await writeNotes(app, account, { "House rules": "Nothing heavy on the network between 18:00 and 23:00." });
    const check = async (what: string): Promise<void> => expect(await violations(page), what).toEqual([]);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.goto("/");
    await check("a new thread");
    await send(page, "What about the network in the evening?");
    await untilDone(page);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await check(`a thread, ${colorScheme}`);
      await page.getByRole("button", { name: "Thread settings" }).click();
      await expect(page.getByLabel("Temperature")).toBeVisible();
      await check(`settings, ${colorScheme}`);
      await page.keyboard.press("Escape");
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await check("a thread on a phone");
    await page.getByTitle("Choose a model").click();
    await expect(page.getByRole("option").first()).toBeVisible();
    await check("the list of models");
  });
});
