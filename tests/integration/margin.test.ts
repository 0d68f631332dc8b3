/**
 * What stands beside an answer, over HTTP: its reasoning while it comes and afterwards, what the model saw, what became
 * of its notes, and the notes that it proposes.
 */
import { ulid } from "ulid";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Account, App, messageId, readStream } from "../app.ts";

const LEASE_MS = 3_000;
let app: App;
let person: Account;

beforeAll(async () => {
  app = await App.start({
    servers: 2,
    backend: {
      run: { leaseMs: LEASE_MS },
      models: { allow: ["bedrock:amazon.nova-lite-v1:0", "openai:gpt-5-mini"], systemPrompt: "Be brief." },
    },
  });
  person = await app.createAccount();
});
afterAll(async () => app?.stop());
afterEach(() => app.clearScenarios());

const answerIdOf = (question: string): string => {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return question.slice(0, 25) + (alphabet[alphabet.indexOf(question.at(-1) ?? "") + 1] ?? "");
};

async function ask(
  text: string,
  options: { account?: Account; threadId?: string; settings?: Record<string, unknown>; url?: string } = {},
) {
  const threadId = options.threadId ?? ulid();
  const question = messageId();
  const response = await app.request(options.account ?? person, `/threads/${threadId}/runs`, {
    json: {
      kind: "send",
      messageId: question,
      text,
      ...(options.threadId ? {} : { create: true, settings: options.settings ?? {} }),
    },
    ...(options.url ? { url: options.url } : {}),
  });
  return { threadId, question, answerId: answerIdOf(question), response };
}

async function addNote(account: Account, title: string, text: string): Promise<string> {
  const noteId = ulid();
  const made = await app.postForm("/notes/new", { intent: "create", noteId, title, text }, account.cookie);
  expect(made.status).toBeLessThan(400);
  return noteId;
}

/** What a person reads of a piece of HTML. */
const read = (html: string): string =>
  html
    .replace(/<!--.*?-->/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&quot;/g, '"')
    .replace(/&#x27;/g, "'")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&")
    .replace(/\s+/g, " ")
    .trim();

async function html(path: string, account = person, url?: string): Promise<string> {
  const response = await app.request(account, path, url ? { url } : {});
  expect(response.status).toBe(200);
  const page = await response.text();
  return page.slice(page.indexOf("<main"), page.indexOf("</main>"));
}

/** The parts of the page about what the model saw, by the beginning of their titles. */
async function seen(path: string, account = person): Promise<(title: string) => string> {
  const parts = (await html(path, account)).split(/<h2[^>]*>/).slice(1);
  return (title) => parts.find((part) => read(part).includes(title) && read(part).indexOf(title) < 12) ?? "";
}

interface Told {
  reasoning: string;
  ms: number;
  text: string;
  events: string[];
  ending: string | undefined;
}

/** Reads a run as the page does, reasoning included. `until` says when it has seen enough. */
async function follow(response: Response, until: (told: Told) => boolean = () => false): Promise<Told> {
  expect(response.status).toBe(200);
  const told: Told = { reasoning: "", ms: 0, text: "", events: [], ending: undefined };
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (reader) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
    if (done) break;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = /^event:\s*(\w+)/m.exec(block)?.[1];
      const data = /^data:(.*)$/m.exec(block)?.[1];
      if (data === undefined) continue;
      const value = JSON.parse(data) as unknown;
      if (event) told.events.push(event);
      if (!event) told.text += String(value);
      if (event === "reasoning") {
        const { from, text, ms } = value as { from: number; text: string; ms: number };
        expect(from).toBeLessThanOrEqual(told.reasoning.length);
        told.reasoning = told.reasoning.slice(0, from) + text;
        told.ms = ms;
      }
      if (event === "end") told.ending = (value as { ending: string }).ending;
    }
    if (until(told)) break;
  }
  return told;
}

const reasoningOf = async (threadId: string, answerId: string, url?: string): Promise<string> => {
  const response = await app.request(person, `/threads/${threadId}/messages/${answerId}/reasoning`, url ? { url } : {});
  expect(response.status).toBe(200);
  return ((await response.json()) as { text: string }).text;
};

describe("reasoning", () => {
  const thinking = { model: "openai:gpt-5-mini" };

  test("comes before the text, is the same for a second reader, and is kept apart from the answer", async () => {
    await app.scenario({ thoughts: 120, tokens: 40, tokenMs: 20 });
    const { threadId, answerId, response } = await ask("Think about tea", { settings: thinking });
    const own = follow(response);
    const other = follow(
      await app.request(person, `/threads/${threadId}/runs/${answerId}`, { url: app.servers[1]?.url ?? "" }),
    );
    const [mine, theirs] = await Promise.all([own, other]);
    expect(mine.ending).toBe("complete");
    expect(mine.reasoning.length).toBeGreaterThan(100);
    expect(mine.text).not.toContain(mine.reasoning.slice(0, 40));
    expect(theirs).toMatchObject({ reasoning: mine.reasoning, text: mine.text, ending: "complete" });
    // 120 tokens, 20 ms each.
    expect(mine.ms).toBeGreaterThan(1_500);
    expect(await reasoningOf(threadId, answerId, app.servers[1]?.url)).toBe(mine.reasoning);
    const page = read(await html(`/threads/${threadId}`));
    expect(page).toMatch(/Thought for \d+ s/);
    expect(page).not.toContain(mine.reasoning.slice(0, 40));
  });

  test("in its middle is there for a page that is opened then, and goes on where that ends", async () => {
    await app.scenario({ thoughts: 250, tokens: 20, tokenMs: 20 });
    const { threadId, answerId, response } = await ask("Think about maps", { settings: thinking });
    await follow(response, ({ reasoning }) => reasoning.length > 400);
    const page = await (
      await app.request(person, `/threads/${threadId}.data`, { url: app.servers[1]?.url ?? "" })
    ).text();
    const whole = await follow(await app.request(person, `/threads/${threadId}/runs/${answerId}`));
    expect(whole.ending).toBe("complete");
    // What the page was given is a beginning of what it came to, and more than nothing.
    const strings = [...page.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([text]) => JSON.parse(text) as string);
    const known = strings.find((text) => text.length > 60 && whole.reasoning.startsWith(text)) ?? "";
    expect(known.length).toBeGreaterThan(60);
    expect(known.length).toBeLessThan(whole.reasoning.length);
    // Whoever holds a part of it is sent the rest alone.
    const claimId = /"claimId","([\w-]{16})"/.exec(page)?.[1];
    const path = `/threads/${threadId}/runs/${answerId}?after=${claimId}.0.${known.length}`;
    const rest = await (await app.request(person, path)).text();
    expect(rest).toContain(`"from":${known.length},`);
    expect(rest).toContain(JSON.stringify(whole.reasoning.slice(known.length)));
  });

  test("survives the kill of the server in mid-thought, save for the last second", async () => {
    const doomed = await app.startServer();
    await app.scenario({ thoughts: 600, tokens: 20, tokenMs: 20 });
    const { threadId, answerId, response } = await ask("Think for long", { settings: thinking, url: doomed.url });
    let keptAt = 0;
    const startedAt = Date.now();
    const shown = follow(response, ({ reasoning }) => {
      if (Date.now() - startedAt < 2_000) keptAt = reasoning.length;
      return Date.now() - startedAt > 4_000;
    });
    await shown;
    await doomed.kill();
    const after = await follow(
      await app.request(person, `/threads/${threadId}/runs/${answerId}`, { url: app.servers[1]?.url ?? "" }),
    );
    expect(after.ending).toBe("interrupted");
    expect((await shown).reasoning.startsWith(after.reasoning)).toBe(true);
    // What was shown more than a second (and a slow machine's pause) before the kill is there.
    expect(keptAt).toBeGreaterThan(100);
    expect(after.reasoning.length).toBeGreaterThanOrEqual(keptAt);
    expect(await reasoningOf(threadId, answerId)).toBe(after.reasoning);
  });

  test("is nobody else's, and none where there was none", async () => {
    const { threadId, answerId, response } = await ask("Hello");
    await readStream(response);
    expect(await reasoningOf(threadId, answerId)).toBe("");
    const stranger = await app.createAccount("stranger");
    const path = `/threads/${threadId}/messages/${answerId}`;
    expect((await app.request(stranger, `${path}/reasoning`)).status).toBe(404);
    expect((await app.request(stranger, path)).status).toBe(404);
    expect((await app.request(person, `/threads/${threadId}/messages/${ulid()}`)).status).toBe(404);
  });
});

describe("what the model saw", () => {
  test("is what the recorded request holds: system prompt, notes, settings, messages, and nothing more", async () => {
    const account = await app.createAccount("seen");
    await addNote(account, "Boiler log", "The pressure was 0.8 bar in March.\nThe vessel is from 2011.");
    await addNote(account, "House rules", "Nothing heavy on the network before 23:00.");
    const settings = { temperature: 0.4, reasoningEffort: "low", systemPrompt: "Answer in Dutch, please." };
    const first = await ask("What was the pressure in March?", { account, settings });
    await readStream(first.response);
    const second = await ask("And the network?", { account, threadId: first.threadId });
    await readStream(second.response);
    const call = (await app.modelCalls()).at(-1);
    const body = call?.body as {
      system: { text: string }[];
      messages: { content: { text: string }[] }[];
      inferenceConfig: Record<string, unknown>;
    };
    const system = body.system.map(({ text }) => text ?? "").join("");

    const part = await seen(`/threads/${first.threadId}/messages/${second.answerId}`, account);
    const sent = Object.fromEntries(
      [...part("Settings").matchAll(/<dt[^>]*>(.*?)<\/dt><dd[^>]*>(.*?)<\/dd>/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    expect(sent).toEqual({ Temperature: "0.4" });
    expect(body.inferenceConfig).toEqual({ temperature: 0.4 });
    expect(read(part("Settings"))).toMatch(/Reasoning effort low was not sent\. \S/);

    const words = [...part("System prompt").matchAll(/whitespace-pre-wrap[^>]*>(.*?)<\/p>/gs)].map(([, text = ""]) =>
      read(text),
    );
    expect(words[0]).toBe("Answer in Dutch, please.");
    const flat = system.replace(/\s+/g, " ");
    for (const text of words) expect(flat).toContain(text);

    const notes = part("2 notes");
    const listed = [...notes.matchAll(/<details[^>]*>(.*?)<\/details>/gs)].map(([, note = ""]) => ({
      head: read(/<summary.*?<\/summary>/s.exec(note)?.[0] ?? ""),
      text: read(/whitespace-pre-wrap[^>]*>(.*?)<\/p>/s.exec(note)?.[1] ?? ""),
    }));
    const given = [...system.matchAll(/<note-[\w-]+ number="(\d+)" title="(.*)">\n([\s\S]*?)\n<\/note-/g)];
    expect(listed).toHaveLength(given.length);
    for (const [index, [, number, title, text = ""]] of given.entries()) {
      expect(listed[index]?.head).toContain(`[${number}] ${title}`);
      expect(listed[index]?.head).toContain("Revision 1");
      expect(listed[index]?.text).toBe(text.replace(/\s+/g, " "));
    }
    // Nothing stands in the request that the page does not show.
    const rest = [...words, ...listed.map(({ text }) => text)].reduce((left, text) => left.replace(text, ""), flat);
    expect(rest.replace(/<\/?notes?-[\w-]+[^>]*>/g, "").trim()).toBe("");

    const messages = [...part("3 messages").matchAll(/<li[^>]*>.*?<a [^>]*>(.*?)<\/a><\/li>/gs)].map(([, text = ""]) =>
      read(text),
    );
    expect(messages).toHaveLength(body.messages.length);
    for (const [index, { content }] of body.messages.entries()) {
      const text = content
        .map(({ text }) => text ?? "")
        .join("")
        .replace(/\s+/g, " ");
      expect(text.startsWith((messages[index] ?? "?").replace(/…$/, ""))).toBe(true);
    }
  });

  test("says which messages and notes were left out, whose system prompt it was, and what changed since", async () => {
    const account = await app.createAccount("left");
    const [edited, deleted] = [
      await addNote(account, "Boiler log", "The pressure was 0.8 bar in March."),
      await addNote(account, "Router", "The router restarts at four."),
    ];
    const first = await ask("The first of many", { account, settings: { historyLength: 2 } });
    await readStream(first.response);
    await readStream((await ask("The second", { account, threadId: first.threadId })).response);
    const last = await ask("What was the pressure in March?", { account, threadId: first.threadId });
    await readStream(last.response);
    const body = (await app.modelCalls()).at(-1)?.body as { messages: unknown[]; system: { text: string }[] };
    await app.postForm(
      `/notes/${edited}`,
      { intent: "save", title: "Boiler log", text: "Entirely other words.", revision: "1" },
      account.cookie,
    );
    await app.postForm(`/notes/${deleted}`, { intent: "delete" }, account.cookie);

    const part = await seen(`/threads/${first.threadId}/messages/${last.answerId}`, account);
    const left = Number(
      /(?:The (\d+) oldest messages were|The oldest message was) left out/.exec(read(part("message")))?.[1],
    );
    expect(left + body.messages.length).toBe(5);
    expect(read(part("System prompt"))).toContain("whoever runs this Sidenote has set: Be brief.");
    expect(body.system[0]?.text).toMatch(/^Be brief\./);
    const notes = read(part("2 notes"));
    expect(notes).toMatch(/\[\d\] Boiler log Edited since this answer, cited/);
    expect(notes).toMatch(/\[\d\] Router Note deleted/);
    expect(notes).not.toMatch(/Entirely other words|restarts at four|0\.8 bar/);

    // The thread's page says it beside the answer.
    const page = await html(`/threads/${first.threadId}`, account);
    expect(read(page)).toContain("Edited since this answer");
    expect(page).not.toContain(`href="/notes/${deleted}`);
    await app.postForm(`/notes/${edited}`, { intent: "delete" }, account.cookie);
    const later = await html(`/threads/${first.threadId}`, account);
    expect(read(later)).toContain("Note deleted");
    expect(later).not.toContain(`href="/notes/${edited}`);
  });
});

describe("the passages of an answer that is still being written", () => {
  test("can be read from any server once it cites them, and are those that are stored with it", async () => {
    const boiler = "The boiler lost pressure in March. It was refilled twice.";
    await addNote(person, "Boiler", boiler);
    await addNote(person, "Bins", "The bins are emptied on Tuesday.");
    await app.scenario({ match: { text: "pressure in March" }, tokens: 2_000, tokenMs: 20 });
    const { threadId, answerId, response } = await ask("What was the boiler pressure in March?");
    const reader = response.body?.getReader();
    const passages = async (of: string, server = 0) => {
      const path = `/threads/${threadId}/runs/${answerId}/sidenotes?of=${of}`;
      const answer = await app.request(person, path, { url: app.servers[server]?.url ?? "" });
      return answer.status === 200 ? ((await answer.json()) as { passages: unknown[] }).passages : answer.status;
    };
    await expect.poll(() => passages("1,2", 1), { timeout: 20_000 }).not.toEqual([]);
    const found = await passages("1,2", 1);
    expect(found).toEqual([{ number: expect.any(Number), passage: "The boiler lost pressure in March." }]);
    expect(await passages("77")).toEqual([]);
    for (const odd of ["", "1,", "-1", "1;2", "999999"]) expect(await passages(odd)).toBe(400);
    await app.request(person, `/threads/${threadId}/runs/${answerId}/stop`, { json: {} });
    while (reader && !(await reader.read()).done);
    // Of an older run, or one that never was, there is nothing to say here.
    await readStream((await ask("And now?", { threadId })).response);
    expect(await passages("1,2")).toBe(404);
    expect(await html(`/threads/${threadId}`)).toContain("The boiler lost pressure in March.");
  });
});

describe("a note that an answer proposes", () => {
  const derived = (answerId: string): string => answerId;

  async function propose(account: Account) {
    const asked = await ask("Remember that the boiler needs 1.5 bar", { account });
    const { text } = await readStream(asked.response);
    expect(text).toContain("```note\nThe boiler needs 1.5 bar\n");
    return asked;
  }
  const titlesOf = async (account: Account): Promise<string[]> => {
    const list = await (await app.request(account, "/notes")).text();
    return [...list.matchAll(/href="\/notes\/([0-9A-Z]{26})/g)].map(([, noteId = ""]) => noteId);
  };

  test("is stored only when the person saves it, once however often, and stays saved everywhere", async () => {
    const account = await app.createAccount("keeper");
    const { threadId, answerId } = await propose(account);
    expect(await titlesOf(account)).toEqual([]);
    expect(read(await html(`/threads/${threadId}`, account))).toContain("Nothing is stored until you save it.");
    const form = {
      intent: "create",
      noteId: derived(answerId),
      title: "The boiler needs 1.5 bar",
      text: "The boiler needs 1.5 bar.",
    };
    await Promise.all(
      [0, 1, 1].map((server) => app.postForm("/notes/new", form, account.cookie, app.servers[server]?.url)),
    );
    expect(new Set(await titlesOf(account)).size).toBe(1);
    expect(read(await html(`/threads/${threadId}`, account, app.servers[1]?.url))).toContain("Saved as a note");
    await app.postForm(`/notes/${derived(answerId)}`, { intent: "delete" }, account.cookie);
    expect(read(await html(`/threads/${threadId}`, account))).toContain("Saved as a note and deleted since");
  });

  test("stays dismissed everywhere until that is taken back, and goes to the model as it was", async () => {
    const account = await app.createAccount("dismisser");
    const { threadId, answerId } = await propose(account);
    const change = (dismissed: boolean) =>
      app.postForm(
        `/threads/${threadId}`,
        { intent: "suggestion", messageId: answerId, nth: "0", dismissed: String(dismissed) },
        account.cookie,
      );
    for (const time of [1, 2]) expect((await change(true)).status, `time ${time}`).toBeLessThan(400);
    expect(read(await html(`/threads/${threadId}`, account, app.servers[1]?.url))).toContain(
      "Suggested note dismissed: The boiler needs 1.5 bar",
    );
    expect((await change(false)).status).toBeLessThan(400);
    expect(read(await html(`/threads/${threadId}`, account))).not.toContain("dismissed");
    await readStream((await ask("And now?", { account, threadId })).response);
    expect(JSON.stringify((await app.modelCalls()).at(-1)?.body)).toContain("```note\\nThe boiler needs 1.5 bar");
    const forged = await app.postForm(
      `/threads/${threadId}`,
      { intent: "suggestion", messageId: "x", nth: "99", dismissed: "true" },
      account.cookie,
    );
    expect(forged.status).toBe(400);
  });

  test("is not asked for where the thread goes without notes", async () => {
    const { response } = await ask("Remember that the boiler needs 1.5 bar", { settings: { notes: "none" } });
    expect((await readStream(response)).text).not.toContain("```note");
    expect(JSON.stringify((await app.modelCalls()).at(-1)?.body)).not.toContain("info word note");
  });
});
