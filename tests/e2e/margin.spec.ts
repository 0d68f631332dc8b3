/** What stands beside an answer, by the keyboard alone: notes that changed, the cited passage, proposed notes. */
import {
  addNote,
  expect,
  expectFocusSeen,
  lastAnswer,
  makeThread,
  say,
  send,
  tabBackTo,
  tabTo,
  test,
  untilDone,
  violations,
} from "./fixtures.ts";

test.afterEach(({ app }) => app.clearScenarios());

const filler = Array.from({ length: 60 }, (_, line) => `Line ${line + 1} of the log says nothing of interest.`);
const passage = "In March the boiler pressure fell to 0.8 bar.";
const log = [...filler.slice(0, 40), "", passage, "", ...filler.slice(40)].join("\n");

test("A note stands beside its line with its passage while the answer is still being written", async ({
  app,
  account,
  page,
}) => {
  await addNote(app, account, "Boiler log", log);
  await app.scenario({ match: { text: "boiler pressure" }, tokens: 1_000, tokenMs: 20 });
  await page.goto("/");
  await send(page, "What did the boiler pressure do in March?");
  await expect(page.getByRole("complementary", { name: "Sidenotes" })).toContainText(passage);
  await expect(page.getByRole("button", { name: "Stop" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("complementary", { name: "Sidenotes" })).toContainText(passage);
  await page.getByRole("button", { name: "Stop" }).click();
  await untilDone(page);
  await expect(page.getByRole("complementary", { name: "Sidenotes" })).toContainText(passage);
});

test("While an answer cites note after note, each comes with its passage and none is moved by another", async ({
  app,
  account,
  page,
}) => {
  const titles = ["Boiler", "Cabin", "Disks", "Medicine", "Train"];
  for (const title of titles)
    await addNote(
      app,
      account,
      title,
      `What stands here of the ${title} is long enough to fill three lines of a margin.`,
    );
  await app.scenario({ match: { text: "Summarise my notes" }, tokens: 2_000, tokenMs: 30 });
  await page.goto("/");
  // Where each sidenote was seen first, and where it was seen elsewhere, within the transcript.
  await page.evaluate(() => {
    const seen = new Map<string, number>();
    const moved: string[] = [];
    Object.assign(window, { moved });
    const look = () => {
      const log = document.querySelector("[role=log]")?.getBoundingClientRect().top ?? 0;
      for (const note of document.querySelectorAll<HTMLElement>("[data-margin-of] .sidenote")) {
        if (getComputedStyle(note).visibility === "hidden") continue;
        const top = Math.round(note.getBoundingClientRect().top - log);
        const before = seen.get(note.id) ?? top;
        if (Math.abs(before - top) > 1) moved.push(`${note.textContent} from ${before} to ${top}`);
        seen.set(note.id, top);
      }
      requestAnimationFrame(look);
    };
    look();
  });
  await send(page, "Summarise my notes");
  const sidenotes = page.getByRole("complementary", { name: "Sidenotes" });
  for (const title of titles) await expect(sidenotes).toContainText(`What stands here of the ${title}`);
  await expect(page.getByRole("button", { name: "Stop" })).toBeVisible();
  await page.getByRole("button", { name: "Stop" }).click();
  await untilDone(page);
  expect(await page.evaluate(() => (window as unknown as { moved: string[] }).moved)).toEqual([]);
});

for (const [name, width] of [
  ["beside its line", 1440],
  ["on a phone", 390],
] as const)
  test(`From a citation a person with only a keyboard goes to its note, back, and on to the passage, ${name}`, async ({
    app,
    account,
    page,
  }) => {
    await page.setViewportSize({ width, height: 844 });
    const noteId = await addNote(app, account, "Boiler log", log);
    const threadId = await makeThread(app, account, ["What did the boiler pressure do in March?"]);
    await page.goto(`/threads/${threadId}`);
    const sidenotes = page.getByRole("complementary", { name: "Sidenotes" });
    const open = async () => {
      if (width < 980) {
        const chip = lastAnswer(page).getByRole("button", { name: "Boiler log" });
        await tabBackTo(chip);
        await page.keyboard.press("Enter");
        await expect(chip).toHaveAttribute("aria-expanded", "true");
        await expect(chip).toBeFocused();
      } else {
        const cite = lastAnswer(page).getByRole("link", { name: "Sidenote 1", exact: true }).first();
        await tabBackTo(cite);
        await expect(cite).toHaveClass(/\bon\b/);
        await page.keyboard.press("Enter");
        await expect(sidenotes.locator(".sidenote").first()).toBeFocused();
        await expectFocusSeen(page);
        await page.keyboard.press("Escape");
        await expect(cite).toBeFocused();
        await page.keyboard.press("Enter");
      }
      await page.keyboard.press("Tab");
      await expect(sidenotes.getByRole("link", { name: "Open note" }).first()).toBeFocused();
      await expectFocusSeen(page);
      await page.keyboard.press("Enter");
    };
    await open();
    await expect(page.getByRole("textbox", { name: "Text" })).toHaveValue(log);
    const mark = page.locator("mark");
    await expect(mark).toHaveText(passage);
    await expect(mark).toBeInViewport();
    // It lies under the very words: the field's own line of them.
    if (width >= 980) {
      const field = page.getByRole("textbox", { name: "Text" });
      await expect(field).toBeFocused();
      expect(await field.evaluate((element: HTMLTextAreaElement) => element.selectionStart)).toBe(log.indexOf(passage));
    }
    expect(await violations(page)).toEqual([]);

    await app.postForm(
      `/notes/${noteId}`,
      { intent: "save", title: "Boiler log", text: log.replace(passage, "Nothing."), revision: "1" },
      account.cookie,
    );
    await page.goto(`/threads/${threadId}`);
    await open();
    await expect(page.getByText("The passage that was cited is not in this note any more.")).toBeVisible();
    await expect(page.locator("mark")).toHaveCount(0);
  });

test("A sidenote says that its note was edited, and later that it was deleted, as soon as one comes back", async ({
  app,
  account,
  page,
}) => {
  const noteId = await addNote(app, account, "Boiler log", passage);
  const threadId = await makeThread(app, account, ["What did the boiler pressure do in March?"]);
  await page.goto(`/threads/${threadId}`);
  const sidenotes = page.getByRole("complementary", { name: "Sidenotes" });
  await expect(sidenotes.getByText("Edited since this answer")).toHaveCount(0);
  await sidenotes.getByRole("link", { name: "Open note" }).click();
  await page.getByRole("textbox", { name: "Text" }).fill(`${passage} It is fixed.`);
  await page.keyboard.press("Control+s");
  await expect(page.getByRole("status").filter({ hasText: /^Saved/ })).toBeVisible();
  await page.goBack();
  await expect(sidenotes.getByText("Edited since this answer")).toBeVisible();
  expect(await violations(page)).toEqual([]);

  await sidenotes.getByRole("link", { name: "Open note" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/notes$/);
  await page.goto(`/threads/${threadId}`);
  await expect(sidenotes.getByText(/^Note deleted on \d+ \w+$/)).toBeVisible();
  await expect(sidenotes.getByRole("link", { name: "Open note" })).toHaveCount(0);
  expect(await page.locator(`a[href*="${noteId}"]`).count()).toBe(0);
  expect(await violations(page)).toEqual([]);
});

test("While a person writes a new thread, the notes that fit move up in the margin", async ({ app, account, page }) => {
  await addNote(app, account, "Cabin, what is there", "Blankets for six, no towels. The key is with Ines.");
  await addNote(app, account, "Night train", "Two bags each. The ladder is missing in coach 21.");
  for (const title of ["Bins", "Sourdough", "Router"])
    await addNote(app, account, title, "Nothing else is written here.");
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/estimate")) asked.push(request.postData() ?? "");
  });
  await page.goto("/");
  const margin = page.getByRole("complementary", { name: "Notes that are sent" });
  await expect(margin.getByText("Sent with your message: all 5 notes")).toBeVisible();
  await expect(margin.getByText("and 3 more")).toBeVisible();
  await expect(margin.getByText("Cabin, what is there.")).toHaveCount(0);

  const field = page.getByRole("textbox", { name: "Message" });
  await field.fill("What do we still need for the cabin, if six of us go by train?");
  await expect(margin.getByText("Notes that fit so far")).toBeVisible();
  await expect(margin.getByText("Cabin, what is there. Blankets for six, no towels.")).toBeVisible();
  await expect(margin.getByText("Night train. Two bags each.")).toBeVisible();
  await expect(margin.getByText("Sourdough.")).toHaveCount(0);
  await expect(margin.getByText("The other 3 are sent too, there is room.")).toBeVisible();
  expect(await violations(page)).toEqual([]);
  // Once for the empty page and once for the words.
  expect(asked).toHaveLength(2);

  await field.fill("How does sourdough rise?");
  await expect(margin.getByText("Sourdough.")).toBeVisible();
  await expect(margin.getByText("Cabin, what is there.")).toHaveCount(0);

  // Of chosen notes only those, and of none nothing.
  await margin.getByRole("button", { name: "Choose notes" }).click();
  const panel = page.getByRole("region", { name: "Thread settings" });
  await panel.getByRole("radio", { name: /Chosen notes/ }).check();
  await panel.getByRole("checkbox", { name: "Night train" }).check();
  await panel.getByRole("checkbox", { name: "Router" }).check();
  await panel.getByRole("button", { name: "Close" }).click();
  await expect(margin.getByText("Sent with your message: the 2 chosen notes")).toBeVisible();
  await expect(margin.getByText("Sourdough.")).toHaveCount(0);
  await field.fill("When does the night train leave?");
  await expect(margin.getByText("Notes that fit so far")).toBeVisible();
  await expect(margin.getByText("The other one that you chose is sent too.")).toBeVisible();
  await margin.getByRole("button", { name: "Choose notes" }).click();
  await panel.getByRole("radio", { name: "None" }).check();
  await panel.getByRole("button", { name: "Close" }).click();
  await expect(margin.getByText("Sent with your message: no notes")).toBeVisible();
  await expect(margin.getByText("Night train.")).toHaveCount(0);
});

test("With a keyboard alone a person saves, edits or dismisses a proposed note, and it stays so", async ({
  app,
  account,
  page,
  openBrowser,
}) => {
  await page.goto("/");
  await say(app, page, "Remember that the boiler needs 1.5 bar");
  const card = page.getByRole("region", { name: "Suggested note: The boiler needs 1.5 bar" });
  await expect(card).toBeVisible();
  await expect(lastAnswer(page).locator("pre")).toHaveCount(0);
  const thread = page.url();
  expect(await violations(page)).toEqual([]);

  await tabBackTo(card.getByRole("button", { name: "Dismiss" }));
  await page.keyboard.press("Enter");
  const again = page.getByRole("button", { name: "Show again" });
  await expect(again).toBeFocused();
  const other = await openBrowser(account, { server: 1 });
  await expect(async () => {
    await other.goto(thread);
    await expect(other.getByText("Suggested note dismissed: The boiler needs 1.5 bar")).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await page.keyboard.press("Enter");
  await expect(card).toBeVisible();
  await expect(card.getByRole("button", { name: "Save" })).toBeFocused();

  // Edit leads to the draft of a new note; nothing is stored before Save there.
  await tabTo(card.getByRole("button", { name: "Edit" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Title" })).toHaveValue("The boiler needs 1.5 bar");
  await tabTo(page.getByRole("textbox", { name: "Text" }));
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("1.5 bar, when it is cold.");
  await page.goto(page.url());
  await expect(page.getByRole("textbox", { name: "Text" })).toHaveValue("1.5 bar, when it is cold.");
  await page.keyboard.press("Control+s");
  await expect(page).toHaveURL(/\/notes\/[0-9A-Z]{26}/);
  const saved = page.url();
  await page.goto(thread);
  await expect(card.getByText("Saved as a note")).toBeVisible();
  await tabBackTo(card.getByRole("link", { name: "Open note" }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(saved);

  await page.goto(thread);
  await say(app, page, "Remember that the plumber is called Jansen");
  const second = page.getByRole("region", { name: "Suggested note: The plumber is called Jansen" });
  await tabBackTo(second.getByRole("button", { name: "Save" }));
  await page.keyboard.press("Enter");
  await expect(second.getByRole("link", { name: "Open note" })).toBeFocused();
  await page.goto(thread);
  await expect(second.getByText("Saved as a note")).toBeVisible();
  await other.goto("/notes");
  await expect(other.getByText("The plumber is called Jansen").first()).toBeVisible();
  expect(await app.request(account, "/notes").then((response) => response.text())).toContain(
    "1.5 bar, when it is cold.",
  );
});

test("With a keyboard alone a person goes from an answer's details to what the model saw, which needs no script", async ({
  app,
  account,
  page,
  browser,
}) => {
  await addNote(app, account, "Boiler log", passage);
  const threadId = await makeThread(app, account, ["What did the boiler pressure do in March?"], { temperature: 0.2 });
  await page.goto(`/threads/${threadId}`);
  await tabBackTo(lastAnswer(page).getByRole("button", { name: /^Details/ }));
  await page.keyboard.press("Enter");
  await tabTo(lastAnswer(page).getByRole("link", { name: "What the model saw" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "What the model saw" })).toBeVisible();
  await expect(page.getByRole("main")).toBeFocused();
  await expect(page.getByText("Temperature")).toBeVisible();
  await tabTo(page.locator("summary", { hasText: "Boiler log" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText(passage)).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(
    await page.evaluate(
      () => document.querySelector(".main")?.scrollWidth === document.querySelector(".main")?.clientWidth,
    ),
  ).toBe(true);

  const plain = await browser.newContext({
    baseURL: app.server.url,
    javaScriptEnabled: false,
    storageState: await page.context().storageState(),
  });
  const scriptless = await plain.newPage();
  await scriptless.goto(page.url());
  await scriptless.getByText("Boiler log").click();
  await expect(scriptless.getByText(passage)).toBeVisible();
  await plain.close();
});
