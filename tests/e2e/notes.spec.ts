import type { Page } from "@playwright/test";
import { expect, test, violations } from "./fixtures.ts";

const title = (page: Page) => page.getByRole("textbox", { name: "Title" });
const text = (page: Page) => page.getByRole("textbox", { name: "Text" });
const save = (page: Page) => page.getByRole("button", { name: "Save", exact: true });
const list = (page: Page) => page.getByRole("region", { name: "Your notes" });
const card = (page: Page, name: string | RegExp) => list(page).getByRole("link", { name });

/** Waits until the page's script runs: Save is off then, as nothing has changed. */
async function openNote(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(save(page)).toBeDisabled();
}

/** Saves a note that is stored already, and waits until it is. */
async function saveChange(page: Page): Promise<void> {
  await save(page).click();
  await expect(page.getByText(/^Saved \d\d:\d\d$/)).toBeVisible();
  await expect(save(page)).toBeDisabled();
}

async function writeNote(page: Page, note: { title: string; text: string }): Promise<string> {
  await openNote(page, "/notes/new");
  await title(page).fill(note.title);
  await text(page).fill(note.text);
  await save(page).click();
  await expect(page).toHaveURL(/\/notes\/[0-9A-Z]{26}$/);
  await expect(save(page)).toBeDisabled();
  return new URL(page.url()).pathname;
}

test("Somebody without notes is told what they are for, and writes a first one", async ({ page }) => {
  await page.goto("/notes");
  await expect(page.getByText("Write down once what you keep having to explain")).toBeVisible();
  await page.getByRole("link", { name: "Write a first note" }).click();
  await expect(title(page)).toBeFocused();
  await page.keyboard.type("Boiler log");
  await page.keyboard.press("Enter");
  await expect(text(page)).toBeFocused();
  await page.keyboard.type("3 March: 0.8 bar cold, refilled to 1.5.");
  await expect(page.getByText("Not saved yet")).toBeVisible();
  await expect(page.getByText("8 words, about 10 tokens")).toBeVisible();
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText(/^Saved \d\d:\d\d$/)).toBeVisible();
  await expect(page).toHaveURL(/\/notes\/[0-9A-Z]{26}$/);
  await expect(text(page)).toBeFocused();
  await expect(card(page, /Boiler log.*3 March/)).toHaveAttribute("aria-current", "page");
  await page.reload();
  await expect(title(page)).toHaveValue("Boiler log");
  await expect(text(page)).toHaveValue("3 March: 0.8 bar cold, refilled to 1.5.");
});

test("Save is on only while something is not saved", async ({ page }) => {
  await writeNote(page, { title: "Plan", text: "one" });
  await text(page).fill("one two");
  await expect(save(page)).toBeEnabled();
  await text(page).fill("one");
  await expect(save(page)).toBeDisabled();
});

test("What was not saved is there after leaving and after a reload, and can be discarded and brought back", async ({
  page,
}) => {
  const path = await writeNote(page, { title: "Plan", text: "stored" });
  await text(page).fill("stored, and more");
  await page.getByRole("link", { name: "New note" }).click();
  await expect(title(page)).toHaveValue("");
  await card(page, /Plan/).click();
  await expect(text(page)).toHaveValue("stored, and more");
  await page.reload();
  await expect(text(page)).toHaveValue("stored, and more");
  await expect(page.getByText("Not saved yet")).toBeVisible();
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(text(page)).toHaveValue("stored");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(text(page)).toHaveValue("stored, and more");
  await saveChange(page);
  await openNote(page, path);
  await expect(text(page)).toHaveValue("stored, and more");
});

test("A new note that was not saved waits under New note, and leaves no trace once it is", async ({ page }) => {
  await openNote(page, "/notes/new");
  await title(page).fill("Half a thought");
  await page.goto("/notes");
  await page.getByRole("link", { name: "New note" }).click();
  await expect(title(page)).toHaveValue("Half a thought");
  await save(page).click();
  await expect(page).toHaveURL(/\/notes\/[0-9A-Z]{26}$/);
  await page.getByRole("link", { name: "New note" }).click();
  await expect(title(page)).toHaveValue("");
  await expect(save(page)).toBeDisabled();
  await expect(list(page).getByRole("listitem")).toHaveCount(1);
});

test("After signing out nothing of an unsaved note is left in the browser", async ({ page }) => {
  await writeNote(page, { title: "Plan", text: "stored" });
  await text(page).fill("not for the next person");
  await expect.poll(() => page.evaluate(() => JSON.stringify(localStorage))).toContain("not for the next person");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await expect.poll(() => page.evaluate(() => JSON.stringify(localStorage))).not.toContain("not for the next person");
});

test("A note that changed elsewhere is shown beside one's own words, and either can be kept", async ({
  page,
  account,
  openBrowser,
}) => {
  const path = await writeNote(page, { title: "Plan", text: "old" });
  const other = await openBrowser(account, { server: 1 });
  await openNote(other, path);

  await text(other).fill("theirs");
  await saveChange(other);
  await text(page).fill("mine");
  await save(page).click();
  await expect(page.getByRole("alert")).toHaveText("This note changed elsewhere. Keep yours, or take theirs?");
  await expect(page.getByRole("region", { name: "Theirs" })).toContainText("theirs");
  await expect(text(page)).toHaveValue("mine");
  expect(await violations(page, "#page")).toEqual([]);
  await page.getByRole("link", { name: "Take theirs" }).click();
  await expect(text(page)).toHaveValue("theirs");
  await expect(save(page)).toBeDisabled();
  await page.getByRole("button", { name: "Bring yours back" }).click();
  await expect(text(page)).toHaveValue("mine");
  await saveChange(page);

  await text(other).fill("theirs again");
  await save(other).click();
  await other.getByRole("button", { name: "Keep yours" }).click();
  await expect(other.getByText("You kept yours.")).toBeVisible();
  await openNote(page, path);
  await expect(text(page)).toHaveValue("theirs again");
});

test("A deleted note is gone at once, and Undo brings it back", async ({ page }) => {
  await writeNote(page, { title: "Kept", text: "a" });
  await writeNote(page, { title: "Doomed", text: "b" });
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/notes$/);
  await expect(card(page, /Doomed/)).toHaveCount(0);
  await expect(page.getByText("Note deleted")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(title(page)).toHaveValue("Doomed");
  await expect(card(page, /Doomed/)).toBeVisible();
});

test("A note that is deleted elsewhere leaves one's words in the editor, to be saved as a new one", async ({
  page,
  account,
  openBrowser,
}) => {
  const path = await writeNote(page, { title: "Plan", text: "old" });
  const other = await openBrowser(account);
  await openNote(other, path);
  await other.getByRole("button", { name: "Delete" }).click();
  await expect(other).toHaveURL(/\/notes$/);
  await text(page).fill("mine");
  await save(page).click();
  await expect(page.getByRole("alert")).toHaveText("This note was deleted. Your text is still here.");
  await expect(text(page)).toHaveValue("mine");
  await page.getByRole("button", { name: "Save as a new note" }).click();
  await expect(page).not.toHaveURL(new RegExp(path));
  await expect(page).toHaveURL(/\/notes\/[0-9A-Z]{26}$/);
  await expect(text(page)).toHaveValue("mine");
  await expect(list(page).getByRole("listitem")).toHaveCount(1);
});

test("When the server cannot be reached, the words stay and can be saved later", async ({ page, context }) => {
  await writeNote(page, { title: "Plan", text: "old" });
  await context.setOffline(true);
  await text(page).fill("written on a train");
  await save(page).click();
  await expect(page.getByRole("alert")).toHaveText(
    "Sidenote cannot be reached. What you wrote is kept here. Try again.",
  );
  await expect(text(page)).toHaveValue("written on a train");
  await context.setOffline(false);
  await saveChange(page);
  await page.reload();
  await expect(text(page)).toHaveValue("written on a train");
});

test("Words that were written while the session ended are there after signing in again", async ({
  page,
  context,
  account,
}) => {
  await writeNote(page, { title: "Plan", text: "old" });
  await text(page).fill("written after midnight");
  await context.clearCookies();
  await save(page).click();
  await expect(page).toHaveURL(/\/sign-in\?redirectTo=/);
  await page.getByRole("textbox", { name: "Email" }).fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(text(page)).toHaveValue("written after midnight");
  await saveChange(page);
});

test("What is too long is said with the figures before it is sent", async ({ page }) => {
  await writeNote(page, { title: "Plan", text: "old" });
  await text(page).fill("x".repeat(50_001));
  await expect(page.getByText("A note has at most 50,000 characters. This one has 50,001.")).toBeVisible();
  await expect(save(page)).toBeDisabled();
  await text(page).fill("x".repeat(50_000));
  await saveChange(page);
});

test("A pinned note stands first, and finding follows the typing in titles and texts", async ({ page }) => {
  await writeNote(page, { title: "Café", text: "by the river" });
  await page.getByRole("button", { name: "Pin", exact: true }).click();
  await expect(page.getByRole("button", { name: "Unpin" })).toBeVisible();
  await writeNote(page, { title: "Boiler log", text: "The expansion vessel is the first thing to go." });
  await expect(list(page).getByRole("listitem").first()).toContainText("Café");
  await list(page).getByRole("searchbox", { name: "Find in notes" }).pressSequentially("VESSEL");
  await expect(list(page).getByRole("listitem")).toHaveCount(1);
  await expect(list(page).locator("mark")).toHaveText("vessel");
  await expect(title(page)).toHaveValue("Boiler log");
  await list(page).getByRole("searchbox").fill("cafe");
  await expect(card(page, /Café/)).toBeVisible();
  await list(page).getByRole("searchbox").fill("nothing like it");
  await expect(list(page).getByText("No note has these words.")).toBeVisible();
  await list(page).getByRole("searchbox").fill("");
  await expect(list(page).getByRole("listitem")).toHaveCount(2);
});

test("A long list grows while it is scrolled, and stays whole when a note far down is saved or deleted", async ({
  page,
  app,
  account,
}) => {
  for (let from = 0; from < 120; from += 20)
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        app.postForm("/notes/new", { intent: "create", title: `Note ${from + index}.`, text: "word" }, account.cookie),
      ),
    );
  await page.goto("/notes");
  const cards = list(page).getByRole("listitem");
  await expect(async () => {
    await cards.last().scrollIntoViewIfNeeded();
    await expect(cards).toHaveCount(120, { timeout: 500 });
  }).toPass();
  await cards.nth(110).getByRole("link").click();
  await expect(save(page)).toBeDisabled();
  await text(page).fill("changed");
  await saveChange(page);
  await expect(cards.first()).toContainText("changed");
  await expect(cards).toHaveCount(120);
  await cards.nth(115).getByRole("link").click();
  const doomed = await cards.nth(115).getByRole("link").getAttribute("href");
  await expect(page).toHaveURL(new RegExp(`${doomed}$`));
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(cards).toHaveCount(119);
});

test.describe("Without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("a note is written, saved, pinned, found, deleted and brought back", async ({ page }) => {
    await page.goto("/notes");
    await page.getByRole("link", { name: "New note" }).click();
    await title(page).fill("Boiler log");
    await text(page).fill("3 March: 0.8 bar cold.");
    await save(page).click();
    await expect(page).toHaveURL(/\/notes\/[0-9A-Z]{26}$/);
    await expect(card(page, /Boiler log/)).toBeVisible();

    await text(page).fill("3 March: 0.8 bar cold.\nRefilled.");
    await save(page).click();
    await expect(card(page, /Refilled/)).toBeVisible();
    await expect(text(page)).toHaveValue("3 March: 0.8 bar cold.\nRefilled.");
    await page.getByRole("button", { name: "Pin", exact: true }).click();
    await expect(page.getByRole("button", { name: "Unpin" })).toBeVisible();

    await page.getByRole("searchbox", { name: "Find in notes" }).fill("refilled");
    await page.keyboard.press("Enter");
    await expect(list(page).locator("mark")).toHaveText("Refilled");
    await card(page, /Boiler log/).click();
    await expect(title(page)).toHaveValue("Boiler log");

    await page.getByRole("button", { name: "Delete" }).click();
    await expect(page.getByText("Note deleted.")).toBeVisible();
    await expect(card(page, /Boiler log/)).toHaveCount(0);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(title(page)).toHaveValue("Boiler log");
    await expect(card(page, /Boiler log/)).toBeVisible();
  });

  test("a save against newer words shows both, and loses neither", async ({ page, account, openBrowser }) => {
    await page.goto("/notes/new");
    await title(page).fill("Plan");
    await text(page).fill("old");
    await save(page).click();
    const other = await openBrowser(account);
    await other.goto(page.url());
    await text(other).fill("theirs");
    await save(other).click();
    await expect(card(other, /theirs/)).toBeVisible();

    await text(page).fill("mine");
    await save(page).click();
    await expect(page.getByRole("alert")).toHaveText("This note changed elsewhere. Keep yours, or take theirs?");
    await expect(page.getByRole("region", { name: "Theirs" })).toContainText("theirs");
    await expect(text(page)).toHaveValue("mine");
    await page.getByRole("button", { name: "Keep yours" }).click();
    await expect(save(page)).toBeVisible();
    await expect(text(page)).toHaveValue("mine");
  });

  test("what is too long comes back with the figures, and so do the words of a deleted note", async ({
    page,
    account,
    openBrowser,
  }) => {
    await page.goto("/notes/new");
    await title(page).fill("t".repeat(201));
    await text(page).fill("words");
    await save(page).click();
    await expect(page.getByRole("alert").first()).toHaveText("A title has at most 200 characters. This one has 201.");
    await expect(text(page)).toHaveValue("words");
    await title(page).fill("Plan");
    await save(page).click();
    await expect(page).toHaveURL(/\/notes\/[0-9A-Z]{26}$/);

    const other = await openBrowser(account);
    await other.goto(page.url());
    await other.getByRole("button", { name: "Delete" }).click();
    await expect(other.getByText("Note deleted.")).toBeVisible();
    await text(page).fill("mine");
    await save(page).click();
    await expect(page.getByRole("alert")).toHaveText("This note was deleted. Your text is still here.");
    await expect(text(page)).toHaveValue("mine");
    await page.getByRole("button", { name: "Save as a new note" }).click();
    await expect(page).toHaveURL(/\/notes\/[0-9A-Z]{26}$/);
    await expect(text(page)).toHaveValue("mine");
  });
});

test.describe("On a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("the list and the note are screens of their own", async ({ page }) => {
    await writeNote(page, { title: "Boiler log", text: "3 March: 0.8 bar cold." });
    await expect(list(page)).toBeHidden();
    await page.getByRole("link", { name: "All notes" }).click();
    await expect(list(page)).toBeVisible();
    await expect(title(page)).toHaveCount(0);
    expect(await violations(page, "#page")).toEqual([]);
    await card(page, /Boiler log/).click();
    await expect(title(page)).toHaveValue("Boiler log");
    await expect(list(page)).toBeHidden();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBe(390);
  });
});

for (const colorScheme of ["light", "dark"] as const)
  test(`The pages of notes break no rule of access (${colorScheme})`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    const check = async () => expect(await violations(page, "#page")).toEqual([]);
    await page.goto("/notes");
    await expect(page.getByRole("link", { name: "Write a first note" })).toBeVisible();
    await check();
    const path = await writeNote(page, { title: "Boiler log", text: "The expansion vessel is the first to go." });
    await check();
    await text(page).fill("changed");
    await check();
    await page.goto(`${path}?find=vessel`);
    await expect(list(page).locator("mark")).toBeVisible();
    await check();
  });
