/** A thread's settings, the person's defaults and presets, and the meter: what is set is what the model is sent. */
import type { Locator, Page } from "@playwright/test";
import { ulid } from "ulid";
import type { App } from "../app.ts";
import { addSession } from "./browser.ts";
import {
  addNote,
  arrowTo,
  composer,
  expect,
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

const panelOf = (page: Page): Locator => page.getByRole("region", { name: "Thread settings" });

async function openPanel(page: Page): Promise<Locator> {
  await page.getByRole("button", { name: "Thread settings" }).click();
  const panel = panelOf(page);
  await expect(panel.getByRole("combobox", { name: "Model" })).toBeFocused();
  return panel;
}

/** Sends and returns what the model was sent, and under which id. */
async function sent(app: App, page: Page, text: string): Promise<{ model: string; body: Record<string, unknown> }> {
  await send(page, text);
  await untilDone(page);
  const call = (await app.modelCalls()).findLast(({ body }) => JSON.stringify(body).includes(text));
  if (!call) throw new Error("The model was never asked");
  return { model: call.model ?? "", body: call.body as Record<string, unknown> };
}

test("With a keyboard alone a person finds notes by their titles, page by page, and only the chosen ones are sent", async ({
  app,
  page,
  account,
}) => {
  test.setTimeout(90_000);
  for (let index = 0; index < 60; index += 1)
    await addNote(app, account, `Meeting ${index}`, `The ${index}th meeting was about bridges.`);
  await addNote(app, account, "Boiler log", "The boiler lost pressure in March.");
  await page.goto("/");
  await tabTo(page.getByRole("button", { name: "Choose notes" }));
  await page.keyboard.press("Enter");
  const panel = panelOf(page);
  await expect(panel.getByRole("radio", { name: /All notes/ })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  const list = panel.getByRole("list", { name: "Notes to choose from" });
  const search = panel.getByRole("searchbox", { name: "Find a note" });
  await expect(list.getByRole("checkbox")).toHaveCount(50);
  await tabTo(list.getByRole("button", { name: "Show more notes" }));
  await page.keyboard.press("Enter");
  await expect(list.getByRole("checkbox")).toHaveCount(61);
  await expect(list.getByRole("checkbox").nth(50)).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(list.getByRole("checkbox").nth(49)).toBeFocused();
  await tabBackTo(search);
  await page.keyboard.type("BOILER lóg");
  await expect(list.getByRole("checkbox")).toHaveCount(1);
  await tabTo(list.getByRole("checkbox", { name: "Boiler log" }));
  await page.keyboard.press("Space");
  await tabBackTo(search);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("meeting 1");
  await expect(list.getByRole("checkbox")).toHaveCount(15);
  await arrowTo(list.getByRole("checkbox", { name: "Meeting 17" }));
  await page.keyboard.press("Space");
  await expect(panel.getByText("2 of 61")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Choose notes" })).toBeFocused();
  await tabBackTo(composer(page));
  const { body } = await say(app, page, "What about the boiler");
  expect(JSON.stringify(body)).toContain("The boiler lost pressure in March.");
  expect(JSON.stringify(body)).toContain("The 17th meeting");
  expect(JSON.stringify(body)).not.toContain("The 18th meeting");
  await expect(page.getByText("Sent with your message: the 2 chosen notes and the last 2 messages.")).toBeVisible();

  // What was chosen stands first when the panel is opened again.
  await page.goto(page.url());
  await tabTo(page.getByRole("button", { name: "Change", exact: true }));
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("radio", { name: /^Chosen notes/ })).toBeFocused();
  const rows = list.getByRole("checkbox", { checked: true });
  await expect(rows).toHaveCount(2);
  await page.keyboard.press("ArrowDown");
  await expect(panel.getByRole("radio", { name: "None" })).toBeChecked();
  await page.keyboard.press("Shift+Escape");
  expect((await say(app, page, "And without notes")).body.system ?? []).toEqual([]);
});

test("Two tabs change different settings of a thread, and undo nothing of each other", async ({
  app,
  page,
  account,
}) => {
  const threadId = await makeThread(app, account, ["Hello"]);
  const other = await page.context().newPage();
  for (const tab of [page, other]) {
    await tab.goto(`/threads/${threadId}`);
    await openPanel(tab);
  }
  const saved = page.waitForResponse(/\/settings$/);
  await panelOf(page).getByLabel("System prompt").fill("Answer as a gardener.");
  await saved;
  await panelOf(other).getByLabel("Maximum response length").fill("500");
  const { body } = await sent(app, other, "Alder trees");
  expect(body).toMatchObject({ inferenceConfig: { maxTokens: 500 } });
  expect(JSON.stringify(body.system)).toContain("Answer as a gardener.");
  // The answer's data brings the other tab's change along, and it stays what this tab changes next.
  await expect(panelOf(other).getByLabel("System prompt")).toHaveValue("Answer as a gardener.");
  const reset = page.waitForResponse(/\/settings$/);
  await panelOf(page).getByRole("button", { name: "Reset system prompt" }).click();
  await reset;
  const { body: next } = await sent(app, other, "Birch trees");
  expect(next).toMatchObject({ inferenceConfig: { maxTokens: 500 } });
  expect(JSON.stringify(next.system)).not.toContain("Answer as a gardener.");

  // Undo of what one tab did leaves what the other one did since.
  const emptied = page.waitForResponse(/\/settings$/);
  await panelOf(page).getByRole("button", { name: "Reset all" }).click();
  await emptied;
  const retold = other.waitForResponse(/\/settings$/);
  await panelOf(other).getByLabel("System prompt").fill("Answer as a sailor.");
  await retold;
  await sent(app, page, "Cedar trees");
  await expect(panelOf(page).getByLabel("System prompt")).toHaveValue("Answer as a sailor.");
  await panelOf(page).getByRole("button", { name: "Undo" }).click();
  await expect(panelOf(page).getByLabel("Maximum response length")).toHaveValue("500");
  await expect(panelOf(page).getByLabel("System prompt")).toHaveValue("Answer as a sailor.");
});

test("A message never goes out with other settings than the page shows", async ({ app, page, account }) => {
  await addNote(app, account, "Boiler", "The boiler stands in the cellar.");
  const threadId = await makeThread(app, account, ["Hello"]);
  const saves = `**/threads/${threadId}/settings`;
  await page.route(saves, (route) => route.fulfill({ status: 503, json: { error: { code: "unavailable" } } }));
  await page.goto(`/threads/${threadId}`);
  await (await openPanel(page)).getByRole("radio", { name: "None" }).check();
  await expect(panelOf(page).getByRole("alert")).toHaveText("Not saved yet. It is kept here and tried again.");
  await send(page, "Where does it stand?");
  await expect(page.getByText(/^Not sent\. Sidenote cannot reach its storage\./)).toBeVisible({ timeout: 20_000 });
  const asked = async () =>
    (await app.modelCalls()).filter(({ body }) => JSON.stringify(body).includes("Where does it stand?"));
  expect(await asked()).toEqual([]);
  await page.unroute(saves);
  await page.getByRole("button", { name: "Retry" }).click();
  await untilDone(page);
  const calls = await asked();
  expect(calls).toHaveLength(1);
  expect(JSON.stringify(calls)).not.toContain("cellar");
  await expect(panelOf(page).getByRole("alert")).toHaveCount(0);
});

/** Asks for what is still to be loaded, and writes into the composer until it comes. */
async function askAndGoOn(page: Page, code: string, button: Locator): Promise<void> {
  const held = Promise.withResolvers<void>();
  await page.route(`**/assets/${code}*`, async (route) => {
    await held.promise;
    await route.continue();
  });
  const asked = page.waitForRequest((request) => request.url().includes(`assets/${code}`));
  await button.click();
  const url = (await asked).url();
  await composer(page).focus();
  await page.keyboard.press("End");
  await page.keyboard.type("Alder ");
  held.resolve();
  await page.evaluate((module) => import(module), url);
}

test("A part of the page that cannot be loaded says so, and takes nothing away", async ({ page, app, account }) => {
  await page.goto(`/threads/${await makeThread(app, account, ["Hello"])}`);
  await page.getByRole("textbox", { name: "Message" }).fill("Alder trees");
  await page.route(/assets\/(SettingsPanel|ModelPicker|menu-content|dialog)/, (route) => route.abort());
  const said = page.getByRole("status").filter({ hasText: "could not be loaded." });
  for (const [button, words] of [
    [page.getByRole("button", { name: "Thread settings" }), "The settings could not be loaded."],
    [page.getByTitle("Choose a model"), "The list of models could not be loaded."],
    [page.getByRole("button", { name: "More" }), "The menu could not be loaded."],
  ] as const) {
    await button.click();
    await expect(said).toContainText(words);
    await expect(button).toHaveAttribute("aria-expanded", "false");
    await expect(page.getByRole("textbox", { name: "Message" })).toHaveValue("Alder trees");
  }
  await page.unroute(/assets\/(SettingsPanel|ModelPicker|menu-content|dialog)/);
  await page.getByRole("button", { name: "Reload the page" }).click();
  await expect(page.getByRole("textbox", { name: "Message" })).toHaveValue("Alder trees");
  // What comes late beside the composer opens, and leaves the focus where it is by now.
  await askAndGoOn(page, "SettingsPanel", page.getByRole("button", { name: "Thread settings" }));
  await expect(panelOf(page)).toBeVisible();
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue("Alder treesAlder ");
});

test("What comes late takes no focus from a person who has gone on", async ({ page, app, account }) => {
  // So narrow that the panel would cover the composer.
  await page.setViewportSize({ width: 800, height: 900 });
  await page.goto(`/threads/${await makeThread(app, account, ["Hello"])}`);
  const settings = page.getByRole("button", { name: "Thread settings" });
  for (const [name, button] of [
    ["ModelPicker", lastAnswer(page).getByRole("button", { name: "Answer again with" })],
    ["menu-content", page.getByRole("button", { name: "More" })],
    ["SettingsPanel", settings],
  ] as const) {
    await askAndGoOn(page, name, button);
    await page.keyboard.type("trees. ");
    await expect(composer(page)).toBeFocused();
    await expect(button).toHaveAttribute("aria-expanded", "false");
  }
  await expect(composer(page)).toHaveValue("Alder trees. Alder trees. Alder trees. ");
  // It is there when it is asked for again.
  await openPanel(page);
});

test("Titles of notes that cannot be read are said to be missing, and are read with another try", async ({
  app,
  page,
  account,
}) => {
  for (let index = 0; index < 55; index += 1) await addNote(app, account, `Meeting ${index}`, "About bridges.");
  const found = await app.request(account, "/notes/titles?find=Meeting+0");
  const { items } = (await found.json()) as { items: { noteId: string; title: string }[] };
  // The oldest one, which does not stand on the first page.
  const oldest = items.find(({ title }) => title === "Meeting 0");
  const threadId = await makeThread(app, account, ["Hello"], { notes: "chosen", chosenNotes: [oldest?.noteId] });
  await page.route("**/notes/titles**", (route) => route.abort());
  await page.goto(`/threads/${threadId}`);
  const panel = await openPanel(page);
  await expect(panel.getByText("The notes could not be read.")).toBeVisible();

  await page.unroute("**/notes/titles**");
  await page.route("**/notes/titles?ids=*", (route) => route.abort());
  await panel.getByRole("button", { name: "Try again" }).press("Enter");
  const list = panel.getByRole("list", { name: "Notes to choose from" });
  await expect(list.getByRole("checkbox")).toHaveCount(50);
  await expect(panel.getByText("1 chosen. The titles of those chosen before could not be read.")).toBeVisible();
  await expect(list.getByRole("checkbox", { checked: true })).toHaveCount(0);

  await page.unroute("**/notes/titles?ids=*");
  await panel.getByRole("button", { name: "Try again" }).press("Enter");
  await expect(list.getByRole("checkbox", { name: "Meeting 0", exact: true, checked: true })).toBeVisible();
  await expect(panel.getByText("1 chosen", { exact: true })).toBeVisible();
  await expect(panel.getByRole("button", { name: "Try again" })).toHaveCount(0);
});

test("The margin of a new thread says truly which notes go along, before the server was asked and after", async ({
  app,
  page,
  account,
}) => {
  await addNote(app, account, "Boiler log", "The boiler lost pressure in March.");
  await addNote(app, account, "Bicycles", "Two, and the blue one has no lights.");
  const margin = page.getByRole("complementary", { name: "Notes that are sent" });
  let held = Promise.withResolvers<void>();
  await page.route("**/estimate", async (route) => {
    await held.promise;
    await route.continue();
  });
  const says = async (before: string, after: string, titles: string[]) => {
    held = Promise.withResolvers();
    const asked = page.waitForRequest("**/estimate");
    await page.goto("/");
    await expect(margin.getByText(`Sent with your message: ${before}`, { exact: true })).toBeVisible();
    await asked;
    held.resolve();
    await expect(margin.getByText(`Sent with your message: ${after}`, { exact: true })).toBeVisible();
    for (const title of ["Boiler log.", "Bicycles."])
      await expect(margin.getByText(title)).toHaveCount(titles.includes(title) ? 1 : 0);
  };
  const begin = async (revision: number, settings: Record<string, unknown>) => {
    const json = { kind: "defaults", revision, settings };
    expect((await app.request(account, "/preferences", { json })).status).toBe(200);
  };
  await says("your 2 notes, as far as they fit", "all 2 notes", ["Boiler log.", "Bicycles."]);
  await begin(0, { notes: "none" });
  await says("no notes", "no notes", []);
  const { items } = (await (await app.request(account, "/notes/titles")).json()) as { items: { noteId: string }[] };
  await begin(1, { notes: "chosen", chosenNotes: [items[0]?.noteId] });
  await says("the chosen note, if it fits", "the chosen note", ["Bicycles."]);
});

test("A preset is kept from one thread and applied to another, and can be taken back", async ({
  app,
  page,
  account,
}) => {
  const one = await makeThread(app, account, ["Hello"], { temperature: 0.1, systemPrompt: "Answer in Frisian." });
  await page.goto(`/threads/${one}`);
  let panel = await openPanel(page);
  await panel.getByRole("button", { name: "Save as preset" }).press("Enter");
  await page.keyboard.type("Frisian");
  await page.keyboard.press("Enter");
  await expect(panel.getByText("Saved as “Frisian”.")).toBeVisible();
  await expect(panel.getByText("in use")).toBeVisible();
  await panel.getByRole("button", { name: "Reset all" }).click();
  await panel.getByRole("button", { name: "Apply Frisian" }).click();
  await expect(panel.getByText("in use")).toBeVisible();
  await expect(panel.getByText("Saved as “Frisian”.")).toBeHidden();

  const other = await makeThread(app, account, ["Hello"], { systemPrompt: "Answer in Latin." });
  await page.goto(`/threads/${other}`);
  panel = await openPanel(page);
  await panel.getByRole("button", { name: "Apply Frisian" }).click();
  await expect(panel.getByRole("textbox", { name: "System prompt" })).toHaveValue("Answer in Frisian.");
  // The way back is in sight, though the presets stand far below the model.
  await expect(panel.getByRole("button", { name: "Undo" })).toBeInViewport();
  const { body } = await sent(app, page, "Which language is it");
  expect(body.inferenceConfig).toEqual({ temperature: 0.1 });
  expect(JSON.stringify(body)).toContain("Frisian");
  await panel.getByRole("button", { name: "Undo" }).click();
  await expect(panel.getByRole("textbox", { name: "System prompt" })).toHaveValue("Answer in Latin.");
  expect(JSON.stringify((await sent(app, page, "And now")).body)).toContain("Latin");

  // A second preset of the same name is refused with words, and the name stays to be changed.
  await panel.getByRole("button", { name: "Save as preset" }).click();
  await panel.getByRole("textbox", { name: "Name of the preset" }).fill("frisian");
  await panel.getByRole("button", { name: "Save", exact: true }).click();
  await expect(panel.getByText("There is a preset called “frisian” already.")).toBeVisible();
  await expect(panel.getByRole("textbox", { name: "Name of the preset" })).toHaveValue("frisian");
});

test("New threads begin with the defaults that the panel or Settings keep", async ({ app, page }) => {
  await page.goto("/settings");
  await page.getByRole("link", { name: "Change what new threads begin with" }).click();
  await page.getByRole("textbox", { name: "Temperature" }).fill("hot");
  await page.getByRole("textbox", { name: "System prompt" }).fill("Answer in Frisian.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("A temperature is a number from 0 to 2.")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Temperature" })).toBeFocused();
  await page.getByRole("textbox", { name: "Temperature" }).fill("0.4");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("temperature 0.4, a system prompt")).toBeVisible();

  await page.goto("/");
  const panel = await openPanel(page);
  await expect(panel.getByRole("textbox", { name: "System prompt" })).toHaveValue("Answer in Frisian.");
  await expect(panel.getByText("New threads begin like this")).toBeVisible();
  await panel.getByRole("textbox", { name: "System prompt" }).fill("Answer in Frisian, and briefly.");
  await panel.getByRole("button", { name: "Use for new threads" }).click();
  await expect(panel.getByText("New threads begin with these settings.")).toBeVisible();

  await page.goto("/");
  const { body } = await sent(app, page, "How does it begin");
  expect(body.inferenceConfig).toEqual({ temperature: 0.4 });
  expect(JSON.stringify(body)).toContain("Answer in Frisian, and briefly.");
});

test("Presets are made, edited and deleted by plain forms, without the page's script", async ({
  app,
  account,
  browser,
}) => {
  const context = await browser.newContext({ baseURL: app.server.url, javaScriptEnabled: false });
  const [name, value] = account.cookie.split("=", 2);
  await context.addCookies([
    { name: name ?? "", value: value ?? "", url: app.server.url.replace("http:", "https:"), secure: true },
  ]);
  await context.setExtraHTTPHeaders({ Cookie: account.cookie });
  const page = await context.newPage();
  await page.goto("/settings/presets/new");
  await page.getByRole("textbox", { name: "Name" }).fill("Reviewer");
  await page.getByRole("textbox", { name: "Top P" }).fill("7");
  await page.getByRole("textbox", { name: "System prompt" }).fill("Look for mistakes.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Top P is a number above 0, up to 1.")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "System prompt" })).toHaveValue("Look for mistakes.");
  await page.getByRole("textbox", { name: "Top P" }).fill("0.9");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Edit Reviewer" }).click();
  await expect(page.getByRole("textbox", { name: "Top P" })).toHaveValue("0.9");
  await page.getByRole("textbox", { name: "Name" }).fill("Strict reviewer");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Edit Strict reviewer" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("“Strict reviewer” is deleted.")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("link", { name: "Edit Strict reviewer" }).click();
  await expect(page.getByRole("textbox", { name: "System prompt" })).toHaveValue("Look for mistakes.");
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("link", { name: "All presets" }).click();
  await expect(page.getByRole("link", { name: "New preset" })).toBeVisible();
  await expect(page.getByText("Strict reviewer")).toBeHidden();
  await context.close();
});

test("A preset that changed in another tab is not overwritten silently", async ({ app, page, account }) => {
  const preset = { presetId: ulid(), name: "Reviewer", settings: { systemPrompt: "Mine." } };
  await app.request(account, "/preferences", { json: { kind: "add", ...preset } });
  await page.goto(`/settings/presets/${preset.presetId}`);
  await page.getByRole("textbox", { name: "System prompt" }).fill("From this tab.");
  const theirs = { ...preset, settings: { systemPrompt: "From another tab." } };
  await app.request(account, "/preferences", { json: { kind: "replace", revision: 1, ...theirs } });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(/changed elsewhere/)).toBeVisible();
  await expect(page.getByRole("textbox", { name: "System prompt" })).toHaveValue("From this tab.");
  const stored = (await (await app.request(account, "/preferences")).json()) as { presets: unknown[] };
  expect(stored.presets).toEqual([theirs]);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("link", { name: "Edit Reviewer" })).toBeVisible();
});

test("A deleted preset is brought back by Undo as it was and where it stood, by the keyboard alone", async ({
  app,
  page,
  account,
}) => {
  const presets = ["First", "Second", "Third"].map((name) => ({
    presetId: ulid(),
    name,
    settings: {
      notes: "none",
      chosenNotes: [ulid()],
      stopSequences: [" ", "##"],
      systemPrompt: `${name}.\n\nBe brief.`,
    },
  }));
  for (const preset of presets) await app.request(account, "/preferences", { json: { kind: "add", ...preset } });
  const stored = async () =>
    ((await (await app.request(account, "/preferences")).json()) as { presets: unknown[] }).presets;
  await page.goto("/settings");
  await page.getByRole("link", { name: "Edit Second" }).press("Enter");
  // What was typed and not saved is no part of what comes back.
  await page.getByRole("textbox", { name: "Name" }).fill("Half a name");
  await page.getByRole("button", { name: "Delete" }).press("Enter");
  await expect(page).toHaveURL(/\/settings#new-threads$/);
  await expect(page.getByRole("heading", { name: "New threads" })).toBeFocused();
  await expect(page.getByText("Preset deleted")).toBeVisible();
  await expect(page.getByRole("link", { name: "Edit Second" })).toBeHidden();
  expect(await stored()).toEqual([presets[0], presets[2]]);
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "Undo" }).press("Enter");
  await expect(page.getByText("Not brought back. You are offline.")).toBeVisible();
  await page.context().setOffline(false);
  await page.getByRole("button", { name: "Undo" }).press("Enter");
  await expect(page.getByRole("link", { name: "Edit Second" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "New threads" })).toBeFocused();
  expect(await stored()).toEqual(presets);

  // A name that was taken meanwhile is said, and nothing of the preset is lost.
  await page.getByRole("link", { name: "Edit Second" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/settings#new-threads$/);
  await app.request(account, "/preferences", { json: { kind: "add", presetId: ulid(), name: "second", settings: {} } });
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("There is a preset called “Second” already.")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Name" })).toBeFocused();
  await expect(page.getByRole("textbox", { name: "System prompt" })).toHaveValue("Second.\n\nBe brief.");
  await page.getByRole("textbox", { name: "Name" }).fill("The old second");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("link", { name: "Edit The old second" })).toBeVisible();
});

test("What was written in a preset's form stays when the preset is gone, or nobody answers", async ({
  app,
  page,
  account,
}) => {
  const preset = { presetId: ulid(), name: "Reviewer", settings: { systemPrompt: "Before." } };
  await app.request(account, "/preferences", { json: { kind: "add", ...preset } });
  await page.goto(`/settings/presets/${preset.presetId}`);
  const prompt = page.getByRole("textbox", { name: "System prompt" });
  await prompt.fill("A long one, written with care.");
  await page.route("**/settings/presets/**", (route) => route.abort("connectionrefused"));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toHaveText(/^Sidenote cannot be reached\./);
  await expect(page.getByRole("alert")).toBeInViewport();
  await expect(prompt).toHaveValue("A long one, written with care.");
  await page.unroute("**/settings/presets/**");

  await app.request(account, "/preferences", { json: { kind: "delete", presetId: preset.presetId } });
  await page.getByRole("button", { name: "Save" }).click();
  for (const again of [true, false]) {
    await expect(page.getByRole("alert")).toHaveText(/^This preset was deleted meanwhile\./);
    await expect(prompt).toHaveValue("A long one, written with care.");
    if (again) await page.reload();
  }
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Edit Reviewer" }).click();
  await expect(prompt).toHaveValue("A long one, written with care.");

  // A preset that never was has words too, and a way out.
  await page.goto(`/settings/presets/${ulid()}`);
  await expect(page.getByText("There is no such preset, or it was deleted.")).toBeVisible();
  await page.getByRole("link", { name: "All presets" }).click();
  await expect(page.getByRole("link", { name: "Edit Reviewer" })).toBeVisible();
});

test("A session that ends while a preset is written costs no word, and shows them to nobody else", async ({
  app,
  page,
  context,
  account,
}) => {
  const stored = async () =>
    ((await (await app.request(account, "/preferences")).json()) as { presets: { name: string }[] }).presets;
  const name = page.getByRole("textbox", { name: "Name" });
  const prompt = page.getByRole("textbox", { name: "System prompt" });
  const found = page.getByText("What you wrote here before is not saved yet.");
  await page.goto("/settings/presets/new");
  await name.fill("Reviewer");
  await prompt.fill("A long one, written with care.");
  await page.getByRole("combobox", { name: "Reasoning effort" }).selectOption("high");
  await context.clearCookies();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/\/sign-in\?redirectTo=%2Fsettings%2Fpresets%2Fnew$/);
  await addSession(context, await app.createAccount("next"), app.server.url);
  await page.goto("/settings/presets/new");
  await name.fill("Theirs");
  await expect(prompt).toHaveValue("");
  await addSession(context, account, app.server.url);
  await page.goto("/settings/presets/new");
  await expect(found).toBeVisible();
  await expect(name).toHaveValue("Reviewer");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("link", { name: "Edit Reviewer" })).toBeVisible();
  expect(await stored()).toMatchObject([
    { name: "Reviewer", settings: { systemPrompt: "A long one, written with care.", reasoningEffort: "high" } },
  ]);
  // Nothing of it is left in the form of the next one; what is given up is gone too.
  await page.getByRole("link", { name: "New preset" }).click();
  await expect(name).toHaveValue("");
  await name.fill("Another");
  await page.reload();
  await expect(name).toHaveValue("Another");
  await page.getByRole("button", { name: "Discard it" }).click();
  await expect(name).toHaveValue("");
  await page.reload();
  await expect(name).toHaveValue("");
  await expect(found).toBeHidden();
});

test("The forms of Settings say that nobody answers, and keep what was typed", async ({ app, page, account }) => {
  await page.goto("/settings");
  await page.locator("summary", { hasText: "Password" }).click();
  await page.getByLabel("Current password").fill(account.password);
  await page.getByLabel("New password").fill("another password");
  await page.route("**/settings.data*", (route) => route.abort("connectionrefused"));
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("alert")).toHaveText(/^Sidenote cannot be reached\./);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByRole("alert")).toBeInViewport();
  await expect(page.getByLabel("New password")).toHaveValue("another password");
  await page.unroute("**/settings.data*");

  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("Your password is changed.")).toBeVisible();
  // Nothing of it stands on the page any more.
  await expect(page.getByLabel("New password")).toBeHidden();
  await expect(page.getByLabel("New password")).toHaveValue("");
  expect(await app.signIn(account.email, "another password")).toContain("__Host-session=");
});

test("Whoever signs in next on the same page is shown nothing of whoever was there before", async ({
  app,
  page,
  account,
}) => {
  await app.request(account, "/preferences", {
    json: { kind: "add", presetId: ulid(), name: "My own", settings: { temperature: 0.1 } },
  });
  await page.goto("/");
  await expect((await openPanel(page)).getByRole("button", { name: "Apply My own" })).toBeVisible();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByText("You are signed out.")).toBeVisible();
  // A page keeps this as long as it is the same page.
  await page.evaluate(() => Object.assign(window, { before: true }));
  const next = await app.createAccount("next");
  await page.getByLabel("Email").fill(next.email);
  await page.getByLabel("Password").fill(next.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  const panel = await openPanel(page);
  await expect(panel.getByRole("button", { name: "Use for new threads" })).toBeHidden();
  await expect(panel.getByText("New threads begin like this")).toBeVisible();
  await expect(panel.getByRole("button", { name: "Apply My own" })).toBeHidden();
  expect(await page.evaluate(() => "before" in window)).toBe(false);
});

test("In a narrow window the panel is all that Tab leads to, and leads back to what opened it", async ({
  app,
  page,
  account,
}) => {
  await page.setViewportSize({ width: 1_000, height: 900 });
  await page.goto(`/threads/${await makeThread(app, account, ["Hello"])}`);
  const button = page.getByRole("button", { name: "Thread settings" });
  const panel = panelOf(page);
  await tabTo(button);
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("combobox", { name: "Model" })).toBeFocused();
  await tabBackTo(panel.getByRole("button", { name: "Close" }));
  await page.keyboard.press("Shift+Tab");
  await expect(composer(page)).not.toBeFocused();
  await tabTo(panel.getByRole("button", { name: "Save as preset" }));
  await page.keyboard.press("Escape");
  await expect(button).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(panel).toBeVisible();
  await page.mouse.click(200, 400);
  await expect(panel).toBeHidden();
  await tabBackTo(composer(page));
});

for (const colorScheme of ["light", "dark"] as const)
  test(`The panel and the presets can be used by everybody, on a phone too, ${colorScheme}`, async ({
    app,
    page,
    account,
  }) => {
    test.setTimeout(90_000);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await addNote(app, account, "Boiler log", "The boiler lost pressure in March.");
    const threadId = await makeThread(app, account, ["Hello"], { model: "openai:o4-mini" });
    for (const width of [1_440, 390]) {
      await page.setViewportSize({ width, height: 844 });
      await page.goto(`/threads/${threadId}`);
      await expect(page.getByRole("meter")).toBeVisible();
      const panel = await openPanel(page);
      await panel.getByRole("radio", { name: /Chosen notes/ }).check();
      await expect(panel.getByRole("checkbox", { name: "Boiler log" })).toBeVisible();
      if (!(await panel.getByRole("slider", { name: "Top P" }).isVisible())) await panel.locator("summary").click();
      await panel.getByRole("button", { name: "Save as preset" }).click();
      expect(await violations(page)).toEqual([]);
      const box = await panel.boundingBox();
      expect(box && box.x + box.width).toBeLessThanOrEqual(width);
      for (const path of ["/settings", "/settings/presets/defaults", "/settings/presets/new"]) {
        await page.goto(path);
        expect(await violations(page), path).toEqual([]);
        expect(
          await page.evaluate(() => {
            const main = document.querySelector(".main");
            return main?.scrollWidth === main?.clientWidth;
          }),
          `${path} is not wider than its window`,
        ).toBe(true);
      }
    }
  });
