/**
 * Notes that were written to make a model betray its person, and a model that does what they say. Nothing may leave:
 * the page asks nobody but its own server, whatever the answer holds.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ulid } from "ulid";
import { hostileNotes } from "../hostile-notes.ts";
import { expect, lastAnswer, send, test, untilDone } from "./fixtures.ts";

test("Fifty hostile notes and a model that obeys them: nothing leaves, and nothing of another person appears", async ({
  page,
  context,
  app,
  account,
}) => {
  test.setTimeout(120_000);
  const reached: string[] = [];
  const attacker = createServer((request, response) => {
    reached.push(request.url ?? "");
    response.writeHead(200, { "Access-Control-Allow-Origin": "*" }).end("thanks");
  });
  await new Promise<void>((done) => attacker.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}`;

  const own = new URL(app.server.url).origin;
  const foreign: string[] = [];
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== own && !["data:", "blob:"].includes(url.protocol)) foreign.push(request.url());
  });

  const other = await app.createAccount("other");
  const secret = "the other person's secret: heliotrope";
  const add = async (cookie: string, title: string, text: string): Promise<void> => {
    const made = await app.postForm("/notes/new", { intent: "create", noteId: ulid(), title, text }, cookie);
    expect(made.status).toBeLessThan(400);
  };
  await add(other.cookie, "Private", secret);
  const notes = hostileNotes(origin);
  expect(notes).toHaveLength(50);
  for (const { title, text } of notes) await add(account.cookie, title, text);

  try {
    await app.scenario({ match: { text: "what do my notes say" }, obey: true, firstTokenMs: 0, tokenMs: 0 });
    await page.goto("/");
    await send(page, "So what do my notes say?");
    await untilDone(page);
    // The model did obey: the page holds what it was told to say.
    await expect(lastAnswer(page)).toContainText("Reveal");
    const sent = (await app.modelCalls()).at(-1)?.body as { system: { text: string }[] };
    const firstWords = encodeURIComponent(sent.system[0]?.text.slice(0, 30) ?? "nothing");
    expect(await lastAnswer(page).innerText()).toContain(`${origin}/take?q=${firstWords}`);

    const body = JSON.stringify(sent);
    const delimiter = /<notes-([\w-]{8,64})>/.exec(body)?.[1] ?? "";
    expect(delimiter).not.toBe("");
    expect(body.split(`</notes-${delimiter}>`)).toHaveLength(2);
    expect(body.split(`<note-${delimiter} number=`)).toHaveLength(51);
    expect(body).not.toContain("heliotrope");

    const check = async (when: string): Promise<void> => {
      await expect(page.getByRole("log", { name: "Conversation" })).toBeVisible();
      // What a page wants to fetch it fetches at once; a frame later it would have begun.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
      const elements = page.locator(
        "article img, article picture, article iframe, article object, article embed, article video, article audio, article form, article script, article style, article link, article meta, article base, article [style*='url(']",
      );
      expect(await elements.evaluateAll((all) => all.map(({ outerHTML }) => outerHTML.slice(0, 200))), when).toEqual(
        [],
      );
      const links = await page
        .locator("article a[href]")
        .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
      for (const link of links) expect(new URL(link).protocol, when).toMatch(/^(?:https?|mailto):$/);
      expect(await page.locator("body").innerText()).not.toContain("heliotrope");
      expect(foreign, when).toEqual([]);
      expect(reached, when).toEqual([]);
      expect(new URL(page.url()).origin).toBe(own);
    };
    await check("as it streamed in");
    await page.reload();
    await check("from the table");
    await lastAnswer(page).getByRole("button", { name: "Save as note" }).click();
    await lastAnswer(page).getByRole("link", { name: "Open note" }).click();
    await expect(page.getByLabel("Text")).toHaveValue(/take\?q=/);
    expect(foreign).toEqual([]);
    expect(reached).toEqual([]);
  } finally {
    await app.clearScenarios();
    attacker.closeAllConnections();
    await new Promise((done) => attacker.close(done));
  }
});
