/** Runs over HTTP, through the built server, the real clients and the local cloud. */
import { ulid } from "ulid";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Account, App, type ModelCall, messageId, readStream, requestId, type StreamText } from "../app.ts";
import { type Step, startTableProxy, type TableProxy } from "../faults/table-proxy.ts";

let app: App;
let proxy: TableProxy;
let person: Account;

beforeAll(async () => {
  app = await App.start({
    servers: 2,
    backend: { model: { firstMs: 5_000, silentMs: 5_000 }, limits: { liveRuns: 4 } },
  });
  // Far longer than anything that the server does between two calls, so that only what waits counts.
  proxy = await startTableProxy(app.cloud.tableUrl, 300);
  await app.startServer({ env: { AWS_ENDPOINT_URL_DYNAMODB: proxy.url } });
  person = await app.createAccount();
});

afterAll(async () => {
  await app?.stop();
  await proxy?.stop();
});

afterEach(() => app.clearScenarios());

interface Sent {
  threadId: string;
  question: string;
  response: Response;
}

async function send(
  text: string,
  options: { threadId?: string; settings?: Record<string, unknown>; account?: Account; url?: string } = {},
): Promise<Sent> {
  const threadId = options.threadId ?? ulid();
  const question = messageId();
  const response = await app.request(options.account ?? person, `/threads/${threadId}/runs`, {
    json: {
      kind: "send",
      messageId: question,
      text,
      ...(options.threadId ? {} : { create: true, ...(options.settings ? { settings: options.settings } : {}) }),
    },
    ...(options.url ? { url: options.url } : {}),
  });
  return { threadId, question, response };
}

const answerOf = (question: string): string => {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return question.slice(0, 25) + (alphabet[alphabet.indexOf(question.at(-1) ?? "") + 1] ?? "");
};

const follow = async (sent: Sent, account = person): Promise<StreamText> =>
  readStream(await app.request(account, `/threads/${sent.threadId}/runs/${answerOf(sent.question)}`));

async function lastCall(): Promise<ModelCall> {
  const call = (await app.modelCalls()).at(-1);
  if (!call) throw new Error("The model was never asked");
  return call;
}

const addNote = async (account: Account, title: string, text: string): Promise<void> => {
  const made = await app.postForm("/notes/new", { intent: "create", noteId: ulid(), title, text }, account.cookie);
  expect(made.status).toBeLessThan(400);
};

/**
 * What a question at the server behind the proxy asks of the table before the model is called. Steps `beside` the
 * chain are those that nothing waits for, though they end before something else begins.
 */
async function roundTrips(
  ask: () => Promise<Sent>,
  beside: (Step | undefined)[] = [],
): Promise<{ calls: number; chain: number; call: ModelCall; stream: StreamText }> {
  // What the answer before still writes belongs to no chain of this one.
  const quietFor = () => Date.now() - Math.max(0, ...proxy.calls.map(({ endedAt }) => endedAt));
  await expect.poll(quietFor, { timeout: 20_000 }).toBeGreaterThan(1_000);
  proxy.calls.length = 0;
  const before = (await app.modelCalls()).length;
  const stream = await readStream((await ask()).response);
  const call = (await app.modelCalls())[before];
  if (!call) throw new Error("The model was never asked");
  const inTime = proxy.calls.filter(({ endedAt }) => endedAt <= call.startedAt);
  // The longest chain of calls, each of which began after the one before had ended.
  let chain = 0;
  let end = 0;
  for (const one of inTime.toSorted((a, b) => a.endedAt - b.endedAt))
    if (one.startedAt >= end && !beside.includes(one.step)) {
      chain++;
      end = one.endedAt;
    }
  return { calls: inTime.length, chain, call, stream };
}

describe("what the model is sent", () => {
  test("holds the notes in their block, the history in order and nothing that nobody set", async () => {
    const account = await app.createAccount("notes");
    await addNote(account, "Boiler log", "The pressure was 0.8 bar in March.");
    await addNote(account, "House rules", "Nothing heavy on the network before 23:00.");
    const first = await send("What was the pressure in March?", { account });
    const answer = await readStream(first.response);
    expect(answer.text).toContain("0.8 bar");
    await readStream((await send("And the network?", { account, threadId: first.threadId })).response);

    const { body, provider } = await lastCall();
    expect(provider).toBe("bedrock");
    const converse = body as {
      system: { text: string }[];
      messages: { role: string; content: { text: string }[] }[];
      inferenceConfig?: unknown;
    };
    const system = converse.system.map(({ text }) => text).join("\n");
    expect(system).toContain("The pressure was 0.8 bar in March.");
    expect(system).toContain("Nothing heavy on the network before 23:00.");
    expect(converse.messages.map(({ role, content }) => [role, content.map(({ text }) => text).join("")])).toEqual([
      ["user", "What was the pressure in March?"],
      ["assistant", answer.text],
      ["user", "And the network?"],
    ]);
    expect(Object.keys(converse).toSorted()).toEqual(["messages", "system"]);
  });

  test("holds the settings of that thread, and of no other", async () => {
    const sent = await send("Hello", {
      settings: { model: "openai:gpt-4.1-mini", temperature: 0.4, maxTokens: 200, systemPrompt: "Answer in Dutch." },
    });
    await readStream(sent.response);
    const call = await lastCall();
    expect(call.provider).toBe("openai");
    expect(JSON.stringify(call.body)).toContain("Answer in Dutch.");
    expect(call.body).toMatchObject({ temperature: 0.4 });
    await readStream((await send("Hello")).response);
    const other = JSON.stringify((await lastCall()).body);
    expect(other).not.toMatch(/temperature|maxTokens|max_tokens|topP|top_p|Dutch/);
  });

  test("keeps the history when the vendor changes in the middle of a thread", async () => {
    const sent = await send("The first question of this thread");
    const first = await readStream(sent.response);
    const change = { set: { model: "openai:gpt-4.1-mini" }, unset: [] };
    const saved = await app.postJson(`/threads/${sent.threadId}/settings`, change, person.cookie);
    expect(await saved.json()).toEqual({ settings: change.set, settingsRevision: 1 });
    const second = await readStream((await send("The second one", { threadId: sent.threadId })).response);
    const call = await lastCall();
    expect(call.provider).toBe("openai");
    const body = JSON.stringify(call.body);
    const places = ["The first question of this thread", first.text.slice(0, 30), "The second one"].map((text) =>
      body.indexOf(JSON.stringify(text).slice(1, -1)),
    );
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(second.data.end).toMatchObject({ ending: "complete" });
  });

  test("goes out after at most four round trips to the table that wait for each other", async () => {
    const [, , slow] = app.servers;
    await addNote(person, "Any", "A note, so that numbers are given.");
    for (const threadId of [undefined, (await settled(await send("An older thread"))).threadId]) {
      // A busy machine can only make a chain look longer than it is: the shortest of three is the nearest to it.
      const chains: number[] = [];
      while (chains.length < 3 && Math.min(...chains) > 4) {
        const { calls, chain } = await roundTrips(() =>
          send("How long is the way?", { ...(threadId ? { threadId } : {}), url: slow?.url ?? "" }),
        );
        expect(calls).toBeGreaterThanOrEqual(4);
        chains.push(chain);
      }
      expect(Math.min(...chains)).toBeLessThanOrEqual(4);
    }
  });
});

describe("a person with 2,000 notes", () => {
  test("waits for no more round trips, also at a server that begins, and the note that fits stands before the question", async () => {
    const account = await app.createAccount("many-notes");
    Object.assign(process.env, app.cloud.env);
    const { makeNotes, storeNotes } = await import("../bench/many-notes.ts");
    const made = makeNotes(2_000);
    await storeNotes(account.userId, made);
    await addNote(account, "Boiler log", "The pressure was 0.8 bar in March.");
    // The first answer leaves what a server that begins reads in place of the notes.
    await settled(await send("Hello", { account }));
    const { documents } = await import("../../app/data/table.server.ts");
    const { GetCommand } = await import("@aws-sdk/lib-dynamodb");
    const Key = { pk: `USER#${account.userId}`, sk: "NOTEINDEX" };
    await expect
      .poll(async () => (await documents.send(new GetCommand({ TableName: "sidenote", Key }))).Item, {
        timeout: 20_000,
      })
      .toBeDefined();
    documents.destroy();

    for (const question of ["What was the pressure in March?", "The boiler's pressure in March?"]) {
      // To unpack what stands for 2,000 notes may take as long as a call does here. What runs beside that is over
      // by then; and the answer before may still be on its way into the table.
      const { chain, call, stream } = await roundTrips(
        () => send(question, { account, url: app.servers[2]?.url ?? "" }),
        ["activity", "end", "answer", "unread"],
      );
      expect(chain).toBeLessThanOrEqual(4);
      expect(stream.text).toContain("0.8 bar");
      const body = call.body as { system?: unknown[]; messages: { content: { text: string }[] }[] };
      expect(JSON.stringify(body.system ?? [])).not.toContain("<notes-");
      const [asked] = body.messages.at(-1)?.content ?? [];
      expect(asked?.text).toMatch(
        new RegExp(`The pressure was 0\\.8 bar[\\s\\S]*</notes-[\\w-]+>\\n\\n${question.replace("?", "\\?")}$`),
      );
      expect(asked?.text.match(/<note-/g)).toHaveLength(20);
    }

    // Notes come and go with the questions of a thread, and each keeps the number that it was given first.
    const numberOf = async (title: string): Promise<string | undefined> =>
      new RegExp(`number=\\\\"(\\d+)\\\\" title=\\\\"${title}`).exec(JSON.stringify((await lastCall()).body))?.[1];
    const { threadId } = await settled(await send("What was the boiler's pressure?", { account }));
    const number = await numberOf("Boiler log");
    expect(number).toMatch(/^\d+$/);
    const unlike = made.slice(0, 30).map(({ title }) => title);
    await settled(await send(unlike.join(" "), { account, threadId }));
    await settled(await send(unlike.join(" again "), { account, threadId }));
    expect(await numberOf("Boiler log")).toBeUndefined();
    await settled(await send("What was the boiler's pressure again?", { account, threadId }));
    expect(await numberOf("Boiler log")).toBe(number);
  });
});

async function settled(sent: Sent): Promise<Sent> {
  await readStream(sent.response);
  return sent;
}

describe("the same request twice", () => {
  const messagesOf = async (threadId: string): Promise<string[]> => {
    const page = await (await app.request(person, `/threads/${threadId}`)).text();
    return [...page.matchAll(/aria-label="(You|Assistant)"/g)].map(([, name]) => name ?? "");
  };

  test("as a first message leaves one message and one run", async () => {
    const before = (await app.modelCalls()).length;
    const threadId = ulid();
    const json = { kind: "send", messageId: messageId(), text: "Once only", create: true };
    const responses = await Promise.all(
      [0, 1, 0].map((server) =>
        app.request(person, `/threads/${threadId}/runs`, { json, url: app.servers[server]?.url ?? "" }),
      ),
    );
    const streams = await Promise.all(responses.map((response) => readStream(response)));
    expect(new Set(streams.map(({ text }) => text)).size).toBe(1);
    expect((await app.modelCalls()).length - before).toBe(1);
    expect(await messagesOf(threadId)).toEqual(["You", "Assistant"]);
  });

  test("as a later message leaves one message and one run", async () => {
    const { threadId } = await settled(await send("The first one"));
    const before = (await app.modelCalls()).length;
    const json = { kind: "send", messageId: messageId(), text: "Twice" };
    const both = await Promise.all(
      [0, 1].map((server) =>
        app.request(person, `/threads/${threadId}/runs`, { json, url: app.servers[server]?.url ?? "" }),
      ),
    );
    const [one, two] = await Promise.all(both.map((response) => readStream(response)));
    expect(one?.text).toBe(two?.text);
    expect((await app.modelCalls()).length - before).toBe(1);
    expect(await messagesOf(threadId)).toEqual(["You", "Assistant", "You", "Assistant"]);
  });

  test("after its answer was lost on the way finds the run that is there", async () => {
    const threadId = ulid();
    const json = { kind: "send", messageId: messageId(), text: "Lost on the way", create: true };
    const gone = new AbortController();
    const before = (await app.modelCalls()).length;
    const first = await app.request(person, `/threads/${threadId}/runs`, { json, signal: gone.signal });
    expect(first.status).toBe(200);
    gone.abort();
    const again = await readStream(await app.request(person, `/threads/${threadId}/runs`, { json }));
    expect(again.data.end).toMatchObject({ ending: "complete" });
    expect((await app.modelCalls()).length).toBe(before + 1);
    expect(await messagesOf(threadId)).toEqual(["You", "Assistant"]);
  });

  test("with another text is refused and changes nothing", async () => {
    const sent = await settled(await send("The words that count"));
    const response = await app.request(person, `/threads/${sent.threadId}/runs`, {
      json: { kind: "send", messageId: sent.question, text: "Other words", create: true },
    });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ error: { code: "mismatch" } });
  });
});

describe("a live run", () => {
  test("refuses a second message with the id of the run, and the thread stays as it was", async () => {
    await app.scenario({ tokens: 60, tokenMs: 20 });
    const sent = await send("Take your time");
    const second = await send("Impatient", { threadId: sent.threadId });
    expect(second.response.status).toBe(409);
    expect(await second.response.json()).toMatchObject({ error: { code: "busy", runId: answerOf(sent.question) } });
    expect((await readStream(sent.response)).data.end).toMatchObject({ ending: "complete" });
  });

  test("is read by another server as by its own, byte for byte, also from the middle", async () => {
    await app.scenario({ tokens: 120, tokenMs: 15 });
    const sent = await send("Read along, ünïcödé and all");
    const own = readStream(sent.response);
    const other = await app.request(person, `/threads/${sent.threadId}/runs/${answerOf(sent.question)}`, {
      url: app.servers[1]?.url ?? "",
    });
    const [mine, theirs] = await Promise.all([own, readStream(other)]);
    expect(theirs.text).toBe(mine.text);
    expect(theirs.data.end).toEqual(mine.data.end);
    const half = Math.floor(mine.text.length / 2);
    const claimId = mine.position?.split(".")[0];
    const rest = await readStream(
      await app.request(person, `/threads/${sent.threadId}/runs/${answerOf(sent.question)}?after=${claimId}.${half}`),
    );
    expect(rest.text).toBe(mine.text.slice(half));
  });

  test("is stopped from a second server: the model call ends within two seconds and the text stays", async () => {
    await app.scenario({ tokens: 4_000, tokenMs: 20 });
    const sent = await send("Stop me");
    let seen: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const stream = readStream(sent.response, (text) => text.length > 40 && seen());
    await started;
    const pressed = Date.now();
    const stopped = await app.request(person, `/threads/${sent.threadId}/runs/${answerOf(sent.question)}/stop`, {
      json: {},
      url: app.servers[1]?.url ?? "",
    });
    expect(stopped.status).toBe(200);
    const { text, data } = await stream;
    expect(data.end).toMatchObject({ ending: "stopped", length: text.length });
    const call = await lastCall();
    expect(call.ended).toBe("client");
    expect((call.endedAt ?? Number.POSITIVE_INFINITY) - pressed).toBeLessThan(2_000);
    expect((await follow(sent)).text).toBe(text);
  });

  test("goes on when its reader goes away, and the answer is there later", async () => {
    await app.scenario({ tokens: 80, tokenMs: 15 });
    const gone = new AbortController();
    const threadId = ulid();
    const question = messageId();
    await app.request(person, `/threads/${threadId}/runs`, {
      json: { kind: "send", messageId: question, text: "I am gone", create: true },
      signal: gone.signal,
    });
    gone.abort();
    const later = await follow({ threadId, question, response: new Response() });
    expect(later.data.end).toMatchObject({ ending: "complete" });
    expect((await lastCall()).ended).toBe("completed");
  });

  test("counts against the person's limit, and the answer to one too many says what to do", async () => {
    await app.scenario({ tokens: 3_000, tokenMs: 20 });
    const account = await app.createAccount("many");
    const sends = await Promise.all(Array.from({ length: 12 }, (_, index) => send(`Thread ${index}`, { account })));
    const live = sends.filter(({ response }) => response.status === 200);
    expect(live).toHaveLength(4);
    for (const { response } of sends.filter(({ response }) => response.status !== 200)) {
      expect(response.status).toBe(429);
      expect(await response.json()).toMatchObject({ error: { code: "too-many-runs" } });
    }
    const activity = (await (await app.request(account, "/activity")).json()) as { live: Record<string, unknown> };
    expect(Object.keys(activity.live).toSorted()).toEqual(live.map(({ threadId }) => threadId).toSorted());
    await Promise.all(
      live.map(async (sent) => {
        await app.request(account, `/threads/${sent.threadId}/runs/${answerOf(sent.question)}/stop`, { json: {} });
        await readStream(sent.response);
      }),
    );
    expect((await send("There is room again", { account })).response.status).toBe(200);
  });

  test("of a thread that is deleted ends at the model within two seconds, and nothing comes back", async () => {
    await app.scenario({ tokens: 4_000, tokenMs: 20 });
    const sent = await send("Delete me");
    let seen: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const stream = readStream(sent.response, (text) => text.length > 40 && seen());
    await started;
    const deleted = Date.now();
    const response = await app.postForm(`/threads/${sent.threadId}`, { intent: "delete" }, person.cookie);
    expect(response.status).toBeLessThan(400);
    expect((await stream).events).toContain("gone");
    const call = await lastCall();
    expect(call.ended).toBe("client");
    expect((call.endedAt ?? Number.POSITIVE_INFINITY) - deleted).toBeLessThan(2_500);
    expect((await app.request(person, `/threads/${sent.threadId}`)).status).toBe(404);
    const again = await send("Still there?", { threadId: sent.threadId });
    expect(again.response.status).toBe(404);
  });
});

describe("an answer", () => {
  test("is given again, and the first one stays", async () => {
    const sent = await send("Tell me something");
    const first = await readStream(sent.response);
    const id = requestId();
    const response = await app.request(person, `/threads/${sent.threadId}/runs`, {
      json: { kind: "again", requestId: id, of: sent.question },
    });
    const second = await readStream(response);
    expect(second.data.end).toMatchObject({ ending: "complete" });
    expect((await follow(sent)).text).toBe(first.text);
    const kept = await readStream(await app.request(person, `/threads/${sent.threadId}/runs/${id}`));
    expect(kept.text).toBe(second.text);
  });

  test("that was stopped is continued from its last word", async () => {
    await app.scenario({ tokens: 4_000, tokenMs: 10 });
    const sent = await send("Go on and on");
    let seen: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const stream = readStream(sent.response, (text) => text.length > 60 && seen());
    await started;
    await app.request(person, `/threads/${sent.threadId}/runs/${answerOf(sent.question)}/stop`, { json: {} });
    const partial = (await stream).text;
    await app.clearScenarios();
    const continued = await readStream(
      await app.request(person, `/threads/${sent.threadId}/runs`, {
        json: { kind: "continue", requestId: requestId(), of: answerOf(sent.question) },
      }),
    );
    expect(continued.data.end).toMatchObject({ ending: "complete" });
    expect(continued.text.startsWith(partial)).toBe(true);
    expect(continued.text.length).toBeGreaterThan(partial.length);
    expect((await follow(sent)).text).toBe(partial);
  });

  test("to an edited message is a branch of its own", async () => {
    const first = await settled(await send("The first wording"));
    const edited = messageId();
    const stream = await readStream(
      await app.request(person, `/threads/${first.threadId}/runs`, {
        json: { kind: "send", messageId: edited, text: "The second wording", branch: true },
      }),
    );
    expect(stream.data.end).toMatchObject({ ending: "complete" });
    const { body } = await lastCall();
    expect(JSON.stringify(body)).toContain("The second wording");
    expect(JSON.stringify(body)).not.toContain("The first wording");
    const old = await (await app.request(person, `/threads/${first.threadId}?at=${first.question}`)).text();
    expect(old).toContain("The first wording");
  });
});

/** For each fault before the first token and, where there is one, midway: how the run ends. */
const faults = [
  { fault: "throttle", afterTokens: 0, times: 10, ending: "failed", error: "model-busy" },
  { fault: "throttle", afterTokens: 20, ending: "interrupted" },
  { fault: "cut", afterTokens: 0, ending: "failed" },
  { fault: "cut", afterTokens: 20, ending: "interrupted", error: "model-cut" },
  { fault: "reset", afterTokens: 0, ending: "failed" },
  { fault: "reset", afterTokens: 20, ending: "interrupted", error: "model-cut" },
  { fault: "hang", afterTokens: 0, ending: "failed", error: "model-silent" },
  { fault: "hang", afterTokens: 20, ending: "interrupted", error: "model-silent" },
  { fault: "malformed", afterTokens: 0, ending: "failed" },
  { fault: "malformed", afterTokens: 20, ending: "interrupted" },
  { fault: "empty", afterTokens: 0, ending: "failed", error: "model-empty" },
  { fault: "denied", afterTokens: 0, ending: "failed", error: "model-denied" },
] as const;

describe.each([
  { vendor: "Bedrock", model: "bedrock:us.amazon.nova-lite-v1:0" },
  { vendor: "OpenAI", model: "openai:gpt-4.1-mini" },
])("a fault of $vendor", ({ vendor, model }) => {
  interface Outcome {
    first: StreamText;
    followed: StreamText;
    retried: StreamText;
    /** What the model was asked at the retry. */
    body: string;
  }
  const nameOf = ({ fault, afterTokens }: (typeof faults)[number]) => `${vendor}, ${fault} after ${afterTokens} tokens`;
  const outcomes = new Map<string, Outcome>();

  // All at once, since most of their time is waiting.
  beforeAll(async () => {
    const accounts = await Promise.all([0, 1, 2].map((index) => app.createAccount(`faults-${index}`)));
    const failed = await Promise.all(
      faults.map(async (row, index) => {
        const text = `Please fail: ${nameOf(row)}`;
        const account = accounts[index % accounts.length];
        await app.scenario({ match: { text }, fault: row.fault, afterTokens: row.afterTokens, tokens: 60 });
        const sent = await send(text, { settings: { model }, ...(account ? { account } : {}) });
        const first = await readStream(sent.response);
        return { row, text, account, sent, first, followed: await follow(sent, account) };
      }),
    );
    await app.clearScenarios();
    const before = (await app.modelCalls()).length;
    const retried = await Promise.all(
      failed.map(async ({ account, sent }) =>
        readStream(
          await app.request(account ?? person, `/threads/${sent.threadId}/runs`, {
            json: { kind: "again", requestId: requestId(), of: sent.question },
          }),
        ),
      ),
    );
    const bodies = (await app.modelCalls()).slice(before).map(({ body }) => JSON.stringify(body));
    for (const [index, { row, text, first, followed }] of failed.entries()) {
      const again = retried[index];
      const body = bodies.find((said) => said.includes(text));
      if (again && body) outcomes.set(nameOf(row), { first, followed, retried: again, body });
    }
  });

  test.each(faults)("$fault after $afterTokens tokens ends the run as $ending, and a retry works", (row) => {
    const outcome = outcomes.get(nameOf(row));
    if (!outcome) throw new Error("The model was not asked again");
    const { first, followed, retried, body } = outcome;
    expect(first.data.end).toMatchObject({ ending: row.ending, ...("error" in row ? { error: row.error } : {}) });
    if (row.ending === "failed") expect(first.text).toBe("");
    else expect(first.text.length).toBeGreaterThan(20);
    expect(followed.text).toBe(first.text);
    expect(retried.data.end).toMatchObject({ ending: "complete" });
    // What failed is never given back to the model as if the assistant had said it.
    expect(body.match(/Please fail/g)).toHaveLength(1);
  });
});

test("a vendor that is busy for a moment is asked again, in sight of the person", async () => {
  await app.scenario({ fault: "throttle", times: 1 });
  const { events, data } = await readStream((await send("Patience")).response);
  expect(events).toContain("waiting");
  expect(data.end).toMatchObject({ ending: "complete" });
});
