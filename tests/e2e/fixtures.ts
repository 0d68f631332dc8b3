/**
 * What every end-to-end test gets: the whole app (one for all tests of a worker, two app servers), a person who
 * has just signed up, and a page where that person is signed in.
 */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import AxeBuilder from "@axe-core/playwright";
import { type BrowserContext, test as base, expect, type Locator, type Page } from "@playwright/test";
import { ulid } from "ulid";
import { tableName } from "../../infra/local/table.ts";
import { type Account, App, messageId, readStream } from "../app.ts";
import { addSession } from "./browser.ts";

interface TestFixtures {
  account: Account;
  /** Signed in as `account`, at the first app server. */
  page: Page;
  /** Another browser, signed in as anybody, at any of the app servers. */
  openBrowser(account: Account, options?: { server?: number; storage?: BrowserContext }): Promise<Page>;
}

export const test = base.extend<TestFixtures, { app: App }>({
  app: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are asked for from this pattern.
    async ({}, use) => {
      const app = await App.start({ servers: 2, pace: { firstTokenMs: 150, tokenMs: 15 } });
      await use(app);
      await app.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  baseURL: async ({ app }, use) => use(app.server.url),
  account: async ({ app }, use) => use(await app.createAccount()),
  page: async ({ page, context, account, app }, use) => {
    await addSession(context, account, app.server.url);
    await use(page);
  },
  openBrowser: async ({ browser, app }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (account, { server = 0 } = {}) => {
      const url = app.servers[server]?.url;
      if (!url) throw new Error(`There is no app server ${server}`);
      const context = await browser.newContext({ baseURL: url, viewport: { width: 1440, height: 900 } });
      contexts.push(context);
      await addSession(context, account, url);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});

/** The transcript's last answer. */
export const lastAnswer = (page: Page) =>
  page.getByRole("log", { name: "Conversation" }).getByRole("article", { name: "Assistant" }).last();

/** Sends a message by the composer. */
export async function send(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** The field that a person writes into. */
export const composer = (page: Page): Locator => page.getByRole("textbox", { name: "Message" });

/** Writes where the focus is and sends with Enter; returns what the model was sent. */
export async function say(
  app: App,
  page: Page,
  text: string,
): Promise<{ model: string; body: Record<string, unknown> }> {
  await expect(composer(page)).toBeFocused();
  await expectFocusSeen(page);
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await untilDone(page);
  await expect(composer(page)).toBeFocused();
  const call = (await app.modelCalls()).findLast(({ body }) => JSON.stringify(body).includes(text));
  return { model: call?.model ?? "", body: (call?.body ?? {}) as Record<string, unknown> };
}

/** Waits until no run is live on the page. */
export async function untilDone(page: Page): Promise<void> {
  await expect(page.getByRole("button", { name: "Send" })).toBeVisible({ timeout: 30_000 });
}

/** A note of this person, made by a script; returns its id. */
export async function addNote(app: App, account: Account, title: string, text: string): Promise<string> {
  const noteId = ulid();
  const made = await app.postForm("/notes/new", { intent: "create", noteId, title, text }, account.cookie);
  expect(made.status).toBeLessThan(400);
  return noteId;
}

/** A thread with these questions and their answers, made by a script, so that a test begins where it matters. */
export async function makeThread(app: App, account: Account, texts: string[], settings = {}): Promise<string> {
  const threadId = ulid();
  for (const [index, text] of texts.entries())
    await readStream(
      await app.request(account, `/threads/${threadId}/runs`, {
        json: { kind: "send", messageId: messageId(), text, ...(index === 0 && { create: true, settings }) },
      }),
    );
  return threadId;
}

/** What a person may use on one machine, in tokens a day. */
export const LOCAL_BUDGET = 10_000_000;
/** The day of a moment, in UTC. */
export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** The app's table, to put things into it that no page can. */
export function openTable(app: App): DynamoDBDocumentClient {
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
export async function putUsage(app: App, account: Account, day: string, used: Used[]): Promise<void> {
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

/** Presses Tab until this control has the focus, as a person does who has only a keyboard. See {@link goTo}. */
export const tabTo = (target: Locator): Promise<void> => goTo(target, "Tab");

/** The same with Shift and Tab. */
export const tabBackTo = (target: Locator): Promise<void> => goTo(target, "Shift+Tab");

/** The same with the arrow that leads on, within radio buttons, a menu, or a list that a search field points into. */
export const arrowTo = (target: Locator): Promise<void> => goTo(target, "ArrowDown");

const MOST_PRESSES = 60;

/**
 * Goes to a control by one key. The focus must be somewhere to begin with, save in a page that has just been opened,
 * and wherever it stops on the way it must be seen: with its ring, in the window, and under nothing.
 */
async function goTo(target: Locator, key: string): Promise<void> {
  const page = target.page();
  await expect(target).toBeAttached();
  await expect.poll(() => page.evaluate(isFocusKept), "the focus was not lost by what was done before").toBe(true);
  const passed: string[] = [];
  for (let presses = 0; presses <= MOST_PRESSES; presses++) {
    if (await target.evaluate(isPointedAt)) {
      await expectFocusSeen(page);
      return;
    }
    await page.keyboard.press(key);
    passed.push(await expectFocusSeen(page));
  }
  throw new Error(`${key} does not lead to ${target}. It passed: ${passed.join("; ")}`);
}

/** The focus is where it can be seen; returns the name of what has it. */
export async function expectFocusSeen(page: Page): Promise<string> {
  const { name, problem } = await page.evaluate(lookAtFocus);
  expect(problem, `“${name}” has the focus`).toBe("");
  return name;
}

/** Whether something has the focus, or nothing had it yet since the page was opened. Runs in the page. */
function isFocusKept(): boolean {
  const had = document.documentElement.dataset.hadFocus !== undefined;
  return !had || (document.activeElement !== null && document.activeElement !== document.body);
}

/** Whether this element has the focus, or what has it points at this one. Runs in the page. */
function isPointedAt(element: Element): boolean {
  const active = document.activeElement;
  return active === element || (element.id !== "" && active?.getAttribute("aria-activedescendant") === element.id);
}

/** Says what has the focus, and why a person would not see it there. Runs in the page. */
async function lookAtFocus(): Promise<{ name: string; problem: string }> {
  // What fades in, scrolls there or is still on its way has half a second for it.
  let found = look();
  for (let frame = 0; found.problem !== "" && frame < 30; frame++) {
    await new Promise(requestAnimationFrame);
    found = look();
  }
  return found;

  function look(): { name: string; problem: string } {
    const active = document.activeElement;
    // Past the page's last control the focus is the browser's own.
    if (!active || active === document.body) return { name: "the browser", problem: "" };
    document.documentElement.dataset.hadFocus = "";
    const field = active instanceof HTMLInputElement || active instanceof HTMLTextAreaElement ? active : undefined;
    const name =
      active.getAttribute("aria-label") ?? field?.labels?.[0]?.textContent ?? active.textContent?.trim().slice(0, 60);

    // A search field may point into a list: then that is where the person is.
    const at = document.getElementById(active.getAttribute("aria-activedescendant") ?? "") ?? active;

    function ring(): { of: Element; width: number; offset: number } | undefined {
      for (const of of [at, at.closest("label")]) {
        if (!of) continue;
        const { outlineStyle, outlineWidth, outlineOffset, outlineColor } = getComputedStyle(of);
        const width = outlineStyle === "none" || / 0\)$/.test(outlineColor) ? 0 : Number.parseFloat(outlineWidth);
        if (width >= 1) return { of, width, offset: Number.parseFloat(outlineOffset) };
      }
      // The notes' editor is bare paper: there the coloured caret shows it.
      if (field && getComputedStyle(field).caretColor !== getComputedStyle(field).color)
        return { of: field, width: 0, offset: 0 };
      const box = field?.closest(".composer");
      return box && getComputedStyle(box).boxShadow !== "none" ? { of: box, width: 3, offset: 0 } : undefined;
    }
    function problem(): string {
      const shown = ring();
      if (!shown) return "nothing shows it";
      const { of, width, offset } = shown;
      const box = of.getBoundingClientRect();
      const [centre = box] = (of.matches(".composer") ? at : of).getClientRects();
      if (box.width === 0 || box.height === 0) return "it has no size";
      const sides = {
        top: box.top - offset,
        left: box.left - offset,
        bottom: box.bottom + offset,
        right: box.right + offset,
      };
      const clipped = new Set<string>();
      for (let outer = of.parentElement; outer; outer = outer.parentElement) {
        const style = getComputedStyle(outer);
        if (Number(style.opacity) < 0.99) return "it is transparent";
        if (style.overflowX === "visible") continue;
        const clip = outer.getBoundingClientRect();
        if (clip.top + outer.clientTop >= sides.top) clipped.add("top");
        if (clip.left + outer.clientLeft >= sides.left) clipped.add("left");
        if (clip.top + outer.clientTop + outer.clientHeight <= sides.bottom) clipped.add("bottom");
        if (clip.left + outer.clientLeft + outer.clientWidth <= sides.right) clipped.add("right");
      }
      if (Number(getComputedStyle(of).opacity) < 0.99) return "it is transparent";
      if (width > 0 && clipped.size > 1) return `its ring of ${width} px is cut off`;
      const middle = { x: centre.left + centre.width / 2, y: centre.top + centre.height / 2 };
      if (middle.x < 0 || middle.y < 0 || middle.x > window.innerWidth || middle.y > window.innerHeight)
        return "it is out of the window";
      if (centre.height < window.innerHeight / 2 && (centre.top < 0 || centre.bottom > window.innerHeight))
        return "it is partly out of the window";
      const hit = document.elementFromPoint(middle.x, middle.y);
      if (!hit || !(of.contains(hit) || hit.contains(of))) return `it is under ${hit?.outerHTML.slice(0, 200)}`;
      return "";
    }
    return { name: name || active.tagName, problem: problem() };
  }
}

/**
 * What axe finds wrong, in the whole page or in one part of it. The regions named Sidenotes are one for each answer,
 * and all of one name, by design.
 */
export async function violations(page: Page, part?: string): Promise<string[]> {
  // A colour on its way from one to another has a contrast of its own, which nobody reads.
  await page.evaluate(async () => {
    const moving = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    await Promise.allSettled(moving.map(({ finished }) => finished));
  });
  // The modern way opens a page of its own for each look, for frames of other origins: there are none here.
  const axe = new AxeBuilder({ page })
    .options({ resultTypes: ["violations"] })
    .disableRules(["landmark-unique"])
    .setLegacyMode(true);
  const { violations: found } = await (part ? axe.include(part) : axe).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

export { expect };
