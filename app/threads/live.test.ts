import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isMessageId, newMessageId, newThreadId, runIdOf } from "./ids";
import { createKept, type Kept, NEW } from "./kept";
import { createLive, type Live, liveTurn, type Surroundings } from "./live";
import { createSettings } from "./settings-store";
import { shownPath } from "./shown-path";
import type { MessageView, RunView, ThreadView } from "./view";

const PERSON = "person-1";
const CLAIM = "claim-aaaaaaaaaa";

/** One server-sent stream under the test's hand. */
function openStream() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let cancelled = false;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    cancel() {
      cancelled = true;
    },
  });
  const write = (text: string): void => controller.enqueue(encoder.encode(text));
  let offset = 0;
  let claim = CLAIM;
  return {
    response: new Response(body, { headers: { "Content-Type": "text/event-stream; charset=utf-8" } }),
    write,
    start(runId: string, claimId = CLAIM, from = 0) {
      offset = from;
      claim = claimId;
      write(`event: start\ndata: ${JSON.stringify({ runId, claimId })}\n\n`);
    },
    text(text: string) {
      offset += text.length;
      write(`id: ${claim}.${offset}\ndata: ${JSON.stringify(text)}\n\n`);
    },
    replace(claimId: string) {
      claim = claimId;
      offset = 0;
      write(`event: replace\ndata: ${JSON.stringify({ claimId, length: 0 })}\n\n`);
    },
    event(name: string, data: unknown = {}) {
      write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    close: () => controller.close(),
    breakOff: () => controller.error(new TypeError("network error")),
    get cancelled() {
      return cancelled;
    },
  };
}

interface Call {
  method: string;
  path: string;
  body: Record<string, unknown>;
  answer(response: Response): void;
  fail(): void;
}

function memory(): Storage {
  const held = new Map<string, string>();
  return {
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
    key: (index) => [...held.keys()][index] ?? null,
    clear: () => held.clear(),
    get length() {
      return held.size;
    },
  };
}

let calls: Call[];
let live: Live;
let settings: ReturnType<typeof createSettings>;
let kept: Kept;
let online: boolean;
let wake: () => void;
let told: string[];
let boxes: { lasting: Storage; tab: Storage };

const refused = (status: number, error: Record<string, unknown>): Response => Response.json({ error }, { status });

function openTab(lasting = memory(), tab = memory()): void {
  boxes = { lasting, tab };
  kept = createKept(
    () => lasting,
    () => tab,
  );
  const fetch: Surroundings["fetch"] = (input, init) =>
    new Promise((resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      calls.push({
        method: init?.method ?? "GET",
        path: String(input),
        body: init?.body ? JSON.parse(String(init.body)) : {},
        answer: resolve,
        fail: () => reject(new TypeError("Failed to fetch")),
      });
    });
  settings = createSettings({
    kept,
    online: () => online,
    onWake() {},
    post: (threadId, change) =>
      fetch(`/threads/${threadId}/settings`, { method: "POST", body: JSON.stringify(change) }),
  });
  live = createLive({
    kept,
    settings,
    now: Date.now,
    online: () => online,
    frame: (draw) => void setTimeout(draw, 16),
    onWake: (given) => {
      wake = given;
    },
    fetch,
  });
  live.serve({
    revalidate: () => told.push("revalidate"),
    accepted: (threadId, created) => told.push(`accepted ${threadId} ${created}`),
    signIn: () => told.push("sign in"),
  });
}

/** Lets all that is due happen, and `ms` pass. */
const pass = (ms = 20): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const calling = (index = calls.length - 1): Call => {
  const call = calls.at(index);
  if (!call) throw new Error(`There was no call ${index}`);
  return call;
};

beforeEach(() => {
  vi.useFakeTimers({ now: 1_760_000_000_000 });
  calls = [];
  told = [];
  online = true;
  openTab();
});
afterEach(() => {
  vi.useRealTimers();
});

const message = (part: Partial<MessageView> & Pick<MessageView, "id" | "role" | "text" | "parentId">): MessageView => ({
  createdAt: Date.now(),
  versions: [part.id],
  ...(part.role === "assistant" && { ending: "complete" as const }),
  ...part,
});

function viewOf(threadId: string, messages: MessageView[] = [], run: RunView | null = null): ThreadView {
  const answers = messages.filter((one) => one.role === "assistant");
  return {
    thread: {
      threadId,
      title: "A thread",
      pinned: false,
      activityAt: 0,
      settings: {},
      settingsRevision: 0,
      keptUntil: null,
    },
    messages,
    run,
    headId: run?.runId ?? answers.at(-1)?.id ?? null,
    tipId: messages.at(-1)?.id ?? null,
    cost: { answers: 0, dollars: 0, unpriced: 0 },
    numbers: [],
  };
}

/** A thread with one finished turn, open in this tab. */
function openThread() {
  const threadId = newThreadId();
  const questionId = newMessageId();
  const question = message({ id: questionId, role: "user", text: "First?", parentId: null });
  const answer = message({ id: runIdOf(questionId), role: "assistant", text: "First.", parentId: questionId });
  live.open(threadId, PERSON);
  live.sync(viewOf(threadId, [question, answer]));
  return { threadId, question, answer };
}

const only = (threadId: string) => {
  const { turns } = live.get(threadId);
  expect(turns).toHaveLength(1);
  const [turn] = turns;
  if (!turn) throw new Error("There is no turn");
  return turn;
};

describe("sending", () => {
  test("a message goes out after the end of the path, under an id newer than all seen", async () => {
    const { threadId, answer } = openThread();
    expect(live.send(threadId, { text: "Second?" })).toBe("sent");
    const { method, path, body } = calling();
    expect([method, path]).toEqual(["POST", `/threads/${threadId}/runs`]);
    expect(body).toMatchObject({ kind: "send", text: "Second?", parentId: answer.id });
    expect(body).not.toHaveProperty("branch");
    expect(body).not.toHaveProperty("create");
    expect(body).not.toHaveProperty("tab");
    expect(isMessageId(body.messageId)).toBe(true);
    expect(String(body.messageId) > answer.id).toBe(true);
    expect(only(threadId)).toMatchObject({ phase: "sending", question: { text: "Second?" } });
  });

  test("the answer grows with the stream and ends with it", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    const runId = runIdOf(String(calling().body.messageId));
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId);
    stream.text("Hello, ");
    await pass();
    expect(only(threadId)).toMatchObject({ runId, phase: "answering", text: "Hello, " });
    expect(told).toEqual([`accepted ${threadId} false`]);
    stream.text("wörld 🌍.");
    stream.event("end", { ending: "complete", length: 16 });
    await pass();
    expect(only(threadId)).toMatchObject({ phase: "ended", ending: "complete", text: "Hello, wörld 🌍." });
    expect(calls).toHaveLength(1);
    await pass(300);
    expect(told).toContain("revalidate");
  });

  test("the data takes over from the stream, and nothing is shown twice", async () => {
    const { threadId, question, answer } = openThread();
    live.send(threadId, { text: "Second?" });
    const messageId = String(calling().body.messageId);
    const runId = runIdOf(messageId);
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId);
    stream.text("Done.");
    stream.event("end", { ending: "complete", length: 5 });
    await pass();
    const second = message({ id: messageId, role: "user", text: "Second?", parentId: answer.id });
    const before = viewOf(threadId, [question, answer]);
    expect(shownPath(before, live.get(threadId)).map((shown) => shown.id)).toEqual([
      question.id,
      answer.id,
      messageId,
      runId,
    ]);
    const stored = message({ id: runId, role: "assistant", text: "Done.", parentId: messageId });
    const after = viewOf(threadId, [question, answer, second, stored]);
    const during = shownPath(after, live.get(threadId));
    expect(during.map((shown) => shown.id)).toEqual([question.id, answer.id, messageId, runId]);
    live.sync(after);
    expect(live.get(threadId).turns).toEqual([]);
    expect(shownPath(after, live.get(threadId))).toEqual(during);
  });

  test("a request whose outcome is unknown is repeated with the same id and text", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    const first = calling().body;
    calling().fail();
    await pass(1_000);
    calling().answer(new Response("<html>bad gateway</html>", { status: 502 }));
    await pass(2_000);
    calling().answer(refused(503, { code: "unavailable" }));
    await pass(3_000);
    calling().answer(new Response("<html>some portal</html>", { headers: { "Content-Type": "text/html" } }));
    await pass(3_000);
    expect(calls).toHaveLength(5);
    for (const call of calls) expect(call.body).toEqual(first);
    expect(only(threadId).phase).toBe("sending");
  });

  test("a server that hangs before its headers is asked again", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    await pass(25_000);
    expect(calls).toHaveLength(2);
    expect(calling().body).toEqual(calling(0).body);
  });

  test("after some tries the message says that it was not sent, and Retry keeps its id", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    const first = calling().body;
    for (let tries = 0; tries < 6; tries += 1) {
      calling().fail();
      await pass(4_000);
    }
    expect(calls).toHaveLength(6);
    expect(only(threadId)).toMatchObject({ phase: "refused", refusal: { message: "Sidenote cannot be reached." } });
    live.retry(threadId, only(threadId).runId);
    expect(calls).toHaveLength(7);
    expect(calling().body).toEqual(first);
  });

  test("offline it says so at once, and goes out when the network is back", async () => {
    const { threadId } = openThread();
    online = false;
    live.send(threadId, { text: "Second?" });
    calling().fail();
    await pass();
    expect(only(threadId)).toMatchObject({ phase: "refused", refusal: { message: "You are offline." } });
    online = true;
    wake();
    expect(calls).toHaveLength(2);
    expect(calling().body).toEqual(calling(0).body);
  });

  test("a reload in mid-send repeats the request, unless the message is in the data by then", async () => {
    const { threadId, question, answer } = openThread();
    live.send(threadId, { text: "Second?" });
    const first = calling().body;
    const messageId = String(first.messageId);

    openTab(boxes.lasting, boxes.tab);
    live.open(threadId, PERSON);
    live.sync(viewOf(threadId, [question, answer]));
    expect(calls).toHaveLength(2);
    expect(calling().body).toEqual(first);

    openTab(boxes.lasting, boxes.tab);
    const second = message({ id: messageId, role: "user", text: "Second?", parentId: answer.id });
    const stored = message({ id: runIdOf(messageId), role: "assistant", text: "Yes.", parentId: messageId });
    live.open(threadId, PERSON);
    live.sync(viewOf(threadId, [question, answer, second, stored]));
    expect(calls).toHaveLength(2);
    expect(live.get(threadId).turns).toEqual([]);
    expect(kept.readSend(PERSON, threadId)).toBeUndefined();
  });

  test("whoever signs in next is shown nothing of it", async () => {
    const { threadId, question, answer } = openThread();
    live.send(threadId, { text: "Second?" });
    live.open(threadId, "person-2");
    live.sync(viewOf(threadId, [question, answer]));
    expect(live.get(threadId).turns).toEqual([]);
    expect(calls).toHaveLength(1);
  });

  test("busy: the text goes back to the composer, and the live run is read", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    const other = runIdOf(newMessageId());
    calling().answer(refused(409, { code: "busy", message: "This thread is answering already.", runId: other }));
    await pass();
    expect(live.get(threadId).returned).toMatchObject({ text: "Second?" });
    expect(kept.readDraft(PERSON, threadId)).toBe("Second?");
    expect(kept.readSend(PERSON, threadId)).toBeUndefined();
    expect(calling()).toMatchObject({ method: "GET", path: `/threads/${threadId}/runs/${other}` });
    expect(told).toEqual(["revalidate"]);
  });

  test("stale: once the page is up to date the same words go out under a newer id, after the new end", async () => {
    const { threadId, question, answer } = openThread();
    live.send(threadId, { text: "Second?" });
    const first = calling().body;
    const theirs = newMessageId(String(first.messageId), Date.now() + 60_000);
    calling().answer(refused(409, { code: "stale", newestId: runIdOf(theirs) }));
    await pass();
    expect(told).toEqual(["revalidate"]);
    expect(calls).toHaveLength(1);
    live.sync(
      viewOf(threadId, [
        question,
        answer,
        message({ id: theirs, role: "user", text: "Theirs?", parentId: answer.id }),
        message({ id: runIdOf(theirs), role: "assistant", text: "Theirs.", parentId: theirs }),
      ]),
    );
    await pass();
    expect(calls).toHaveLength(2);
    const { body } = calling();
    expect(body).toMatchObject({ kind: "send", text: "Second?", parentId: runIdOf(theirs) });
    expect(String(body.messageId) > runIdOf(theirs)).toBe(true);
    expect(only(threadId).runId).toBe(runIdOf(String(body.messageId)));
    calling().answer(refused(409, { code: "stale", newestId: runIdOf(theirs) }));
    await pass();
    expect(only(threadId)).toMatchObject({ phase: "refused", refusal: { code: "stale" } });
  });

  test("too many runs: the message stays, says why, and can be tried again", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    calling().answer(refused(429, { code: "too-many-runs", message: "Too many threads are answering." }));
    await pass();
    expect(only(threadId)).toMatchObject({
      phase: "refused",
      refusal: { code: "too-many-runs", message: "Too many threads are answering." },
    });
    live.retry(threadId, only(threadId).runId);
    expect(calling(0).body).toEqual(calling(1).body);
  });

  test("a spent budget: the message stays and says when it goes on, and a reload sends nothing before that", async () => {
    const { threadId, question, answer } = openThread();
    const until = Date.now() + 3_600_000;
    live.send(threadId, { text: "Second?" });
    calling().answer(refused(429, { code: "budget-spent", message: "Today's budget is used up.", until }));
    await pass();
    const refusal = { code: "budget-spent", message: "Today's budget is used up.", until };
    expect(only(threadId)).toMatchObject({ phase: "refused", refusal });
    wake();
    await pass(60_000);

    openTab(boxes.lasting, boxes.tab);
    live.open(threadId, PERSON);
    live.sync(viewOf(threadId, [question, answer]));
    await pass(60_000);
    expect(calls).toHaveLength(1);
    expect(only(threadId)).toMatchObject({ phase: "refused", refusal, question: { text: "Second?" } });
    live.retry(threadId, only(threadId).runId);
    expect(calling(1).body).toEqual(calling(0).body);
    const stream = openStream();
    calling(1).answer(stream.response);
    await pass();
    expect(kept.readSend(PERSON, threadId)).toBeUndefined();
  });

  test("a budget that was spent yesterday no longer keeps a message: it goes out with the next load", async () => {
    const { threadId, question, answer } = openThread();
    live.send(threadId, { text: "Second?" });
    calling().answer(refused(429, { code: "stage-budget-spent", until: Date.now() + 3_600_000 }));
    await pass(3_700_000);
    openTab(boxes.lasting, boxes.tab);
    live.open(threadId, PERSON);
    live.sync(viewOf(threadId, [question, answer]));
    await pass();
    expect(calls).toHaveLength(2);
    expect(calling(1).body).toEqual(calling(0).body);
  });

  test("a session that ended: the words are a draft again, and the sign-in page is asked for", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    calling().answer(refused(401, { code: "not-signed-in" }));
    await pass();
    expect(told).toEqual(["sign in"]);
    expect(kept.readDraft(PERSON, threadId)).toBe("Second?");
    expect(live.get(threadId).turns).toEqual([]);
  });

  test("a refused message can be taken back", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    calling().answer(refused(413, { code: "too-large" }));
    await pass();
    expect(live.dismiss(threadId, only(threadId).runId)).toBe("Second?");
    expect(live.get(threadId).turns).toEqual([]);
    expect(kept.readSend(PERSON, threadId)).toBeUndefined();
  });

  test("from an older version a message branches off where the person looks", () => {
    const { threadId, question, answer } = openThread();
    const later = newMessageId(answer.id, Date.now() + 10);
    live.sync({ ...viewOf(threadId, [question, answer]), headId: runIdOf(later), tipId: answer.id });
    live.send(threadId, { text: "From here?" });
    expect(calling().body).toMatchObject({ parentId: answer.id, branch: true });
  });

  test("an edit branches off before the edited message, the first one too", () => {
    const { threadId, question, answer } = openThread();
    live.send(threadId, { text: "First, but better?", parentId: null, branch: true });
    expect(calling().body).toMatchObject({ branch: true });
    expect(calling().body).not.toHaveProperty("parentId");
    const path = shownPath(viewOf(threadId, [question, answer]), live.get(threadId));
    expect(path.map((shown) => shown.id)).toEqual([only(threadId).questionId, only(threadId).runId]);
  });

  test("a message shows at once and goes out when the settings it goes with are saved", async () => {
    const { threadId } = openThread();
    settings.sync(threadId, PERSON, { settings: {}, settingsRevision: 0 });
    settings.change(threadId, () => ({ notes: "none" }));
    live.send(threadId, { text: "Second?" });
    expect(only(threadId)).toMatchObject({ phase: "sending", question: { text: "Second?" } });
    await pass();
    expect(calls.map(({ path }) => path)).toEqual([`/threads/${threadId}/settings`]);
    calling().answer(Response.json({ settings: { notes: "none" }, settingsRevision: 1 }));
    await pass();
    expect(calling()).toMatchObject({ path: `/threads/${threadId}/runs`, body: { text: "Second?" } });
  });

  test("a message whose settings cannot be saved does not go out; Retry saves them first", async () => {
    const { threadId } = openThread();
    settings.sync(threadId, PERSON, { settings: {}, settingsRevision: 0 });
    settings.change(threadId, () => ({ notes: "none" }));
    live.send(threadId, { text: "Second?" });
    await pass();
    online = false;
    calling().fail();
    await pass();
    expect(only(threadId)).toMatchObject({ phase: "refused", refusal: { code: "offline" } });
    online = true;
    live.retry(threadId, only(threadId).runId);
    await pass();
    expect(calls.map(({ path }) => path)).toEqual([`/threads/${threadId}/settings`, `/threads/${threadId}/settings`]);
    calling().answer(Response.json({ settings: { notes: "none" }, settingsRevision: 1 }));
    await pass();
    expect(calling()).toMatchObject({ path: `/threads/${threadId}/runs`, body: { text: "Second?" } });
  });

  test("settings that the server refuses are said with the message, which goes out by Retry with those that stand", async () => {
    const { threadId } = openThread();
    settings.sync(threadId, PERSON, { settings: {}, settingsRevision: 0 });
    settings.change(threadId, () => ({ temperature: 9 }));
    live.send(threadId, { text: "Second?" });
    await pass();
    calling().answer(refused(400, { code: "bad-request", message: "Too hot." }));
    await pass();
    expect(only(threadId)).toMatchObject({ phase: "refused", refusal: { code: "bad-request", message: "Too hot." } });
    expect(settings.get(threadId)).toMatchObject({ value: {}, problem: "Not saved. Too hot." });
    live.retry(threadId, only(threadId).runId);
    await pass();
    expect(calling().path).toBe(`/threads/${threadId}/runs`);
  });

  test("two clicks send one message", () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    live.again(threadId, "anything");
    expect(calls).toHaveLength(1);
  });
});

describe("a new thread", () => {
  test("is made by its first message and opened when that is in", async () => {
    const threadId = live.openNew(PERSON);
    settings.sync(NEW, PERSON, { settings: {}, settingsRevision: 0 });
    settings.change(NEW, () => ({ temperature: 0.2 }));
    live.send(threadId, { text: "Hello?" });
    expect(calling().body).toMatchObject({ create: true, settings: { temperature: 0.2 }, text: "Hello?" });
    expect(calling().body).not.toHaveProperty("branch");
    const path = shownPath(null, live.get(threadId));
    expect(path.map((shown) => shown.kind)).toEqual(["question", "answer"]);
    const stream = openStream();
    const runId = runIdOf(String(calling().body.messageId));
    calling().answer(stream.response);
    stream.start(runId);
    stream.text("Hi");
    await pass();
    expect(told).toEqual([`accepted ${threadId} true`]);
    expect(kept.readSend(PERSON, NEW)).toBeUndefined();

    // The thread's own page takes over: the stream goes on, and no second one is opened.
    live.open(threadId, PERSON);
    const { messageId } = calling().body;
    const question = message({ id: String(messageId), role: "user", text: "Hello?", parentId: null });
    const run = { runId, claimId: CLAIM, messageId: String(messageId), text: "", startedAt: Date.now() };
    live.sync(viewOf(threadId, [question], run));
    stream.text(" there");
    await pass();
    expect(only(threadId).text).toBe("Hi there");
    expect(calls).toHaveLength(1);
  });

  test("a reload before it was accepted sends the same first message again", () => {
    const threadId = live.openNew(PERSON);
    live.send(threadId, { text: "Hello?" });
    openTab(boxes.lasting, boxes.tab);
    expect(live.openNew(PERSON)).toBe(threadId);
    expect(calls).toHaveLength(2);
    expect(calling().body).toEqual(calling(0).body);
  });

  test("a refused first message goes out by Retry with what is chosen by then, and what waits makes the thread itself", async () => {
    const threadId = live.openNew(PERSON);
    settings.sync(NEW, PERSON, { settings: {}, settingsRevision: 0 });
    live.send(threadId, { text: "Hello?" });
    live.send(threadId, { text: "And then?" });
    calling().answer(refused(429, { code: "budget-spent" }));
    await pass();
    expect(only(threadId).phase).toBe("refused");
    settings.change(NEW, () => ({ model: "openai:gpt-4.1-mini" }));
    live.retry(threadId, only(threadId).runId);
    await pass();
    expect(calls).toHaveLength(2);
    expect(calling().body).toMatchObject({ create: true, settings: { model: "openai:gpt-4.1-mini" }, text: "Hello?" });
    expect(calling().body.messageId).toBe(calling(0).body.messageId);
    calling().answer(refused(429, { code: "budget-spent" }));
    await pass();
    // Given up: the words go back, and the next one makes the thread.
    expect(live.dismiss(threadId, only(threadId).runId)).toBe("Hello?");
    await pass();
    expect(calling().body).toMatchObject({ create: true, text: "And then?" });
    expect(calling().body).not.toHaveProperty("parentId");
  });

  test("a first message whose fate is unknown is repeated to the letter", async () => {
    const threadId = live.openNew(PERSON);
    settings.sync(NEW, PERSON, { settings: {}, settingsRevision: 0 });
    live.send(threadId, { text: "Hello?" });
    online = false;
    calling().fail();
    await pass();
    settings.change(NEW, () => ({ model: "openai:gpt-4.1-mini" }));
    online = true;
    live.retry(threadId, only(threadId).runId);
    await pass();
    expect(calling().body).toEqual(calling(0).body);
    // What was changed since is for the thread that it made.
    const stream = openStream();
    calling().answer(stream.response);
    await pass();
    settings.sync(threadId, PERSON, { settings: {}, settingsRevision: 0 });
    await pass();
    expect(calls.find(({ path }) => path.endsWith("/settings"))).toMatchObject({
      path: `/threads/${threadId}/settings`,
      body: { set: { model: "openai:gpt-4.1-mini" }, unset: [] },
    });
  });

  test("another tab leaves a first message under way alone", () => {
    const threadId = live.openNew(PERSON);
    live.send(threadId, { text: "Hello?" });
    openTab(boxes.lasting, memory());
    expect(live.openNew(PERSON)).not.toBe(threadId);
    expect(calls).toHaveLength(1);
  });
});

describe("reading along", () => {
  function openLive(text = "Once upon ", reasoning?: RunView["reasoning"]) {
    const threadId = newThreadId();
    const questionId = newMessageId();
    const runId = runIdOf(questionId);
    const question = message({ id: questionId, role: "user", text: "Tell me", parentId: null });
    const ids = { runId, claimId: CLAIM, messageId: questionId };
    const run = { ...ids, text, ...(reasoning && { reasoning }), startedAt: Date.now() };
    live.open(threadId, PERSON);
    live.sync(viewOf(threadId, [question], run));
    return { threadId, runId, question, run };
  }

  test("a reload in mid-answer goes on at its position, with no gap and no repeat", async () => {
    const { threadId, runId } = openLive();
    expect(calling()).toMatchObject({ method: "GET", path: `/threads/${threadId}/runs/${runId}?after=${CLAIM}.10` });
    expect(only(threadId).text).toBe("Once upon ");
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId, CLAIM, 10);
    stream.text("a time");
    await pass();
    expect(only(threadId).text).toBe("Once upon a time");
  });

  test("a stream that closes without an end is attached to again", async () => {
    const { threadId, runId } = openLive();
    const first = openStream();
    calling().answer(first.response);
    first.start(runId, CLAIM, 10);
    first.text("a ");
    first.close();
    await pass(400);
    expect(calling()).toMatchObject({ path: `/threads/${threadId}/runs/${runId}?after=${CLAIM}.12` });
    const second = openStream();
    calling().answer(second.response);
    second.start(runId, CLAIM, 12);
    second.text("time");
    second.event("end", { ending: "complete", length: 16 });
    await pass();
    expect(only(threadId)).toMatchObject({ phase: "ended", text: "Once upon a time" });
  });

  test("a reload while the model thinks goes on in its reasoning, and what the table lost is cut", async () => {
    const { threadId, runId } = openLive("", { text: "Let me ", ms: 900 });
    expect(calling().path).toBe(`/threads/${threadId}/runs/${runId}?after=${CLAIM}.0.7`);
    expect(only(threadId).reasoning).toEqual({ text: "Let me ", ms: 900 });
    const first = openStream();
    calling().answer(first.response);
    first.start(runId, CLAIM, 0);
    first.event("reasoning", { from: 7, text: "see. Perhaps", ms: 1_900 });
    await pass();
    expect(only(threadId).reasoning).toEqual({ text: "Let me see. Perhaps", ms: 1_900 });
    first.close();
    await pass(400);
    expect(calling().path).toBe(`/threads/${threadId}/runs/${runId}?after=${CLAIM}.0.19`);
    const second = openStream();
    calling().answer(second.response);
    second.start(runId, CLAIM, 0);
    second.event("reasoning", { from: 11, text: "", ms: 1_500 });
    second.event("end", { ending: "interrupted", length: 0, error: "server-ended" });
    await pass();
    expect(only(threadId)).toMatchObject({ phase: "ended", reasoning: { text: "Let me see.", ms: 1_500 } });
  });

  test("reasoning with a gap before it is asked for from its start, and a new claim voids what came", async () => {
    const { threadId, runId } = openLive();
    const first = openStream();
    calling().answer(first.response);
    first.start(runId, CLAIM, 10);
    first.event("reasoning", { from: 5, text: "the middle", ms: 100 });
    await pass(400);
    expect(calling().path).toBe(`/threads/${threadId}/runs/${runId}`);
    const second = openStream();
    calling().answer(second.response);
    second.start(runId);
    second.event("reasoning", { from: 0, text: "All of it", ms: 100 });
    second.text("Once");
    await pass();
    expect(only(threadId)).toMatchObject({ text: "Once", reasoning: { text: "All of it" } });
    second.replace("claim-bbbbbbbbbb");
    second.text("Other");
    await pass();
    expect(only(threadId)).toMatchObject({ text: "Other", reasoning: undefined });
  });

  test("a broken stream and a fenced one likewise", async () => {
    const { threadId, runId } = openLive();
    const first = openStream();
    calling().answer(first.response);
    first.start(runId, CLAIM, 10);
    await pass();
    first.breakOff();
    await pass(1_000);
    expect(calls).toHaveLength(2);
    const second = openStream();
    calling().answer(second.response);
    second.start(runId, CLAIM, 10);
    second.event("detached");
    second.close();
    await pass(400);
    expect(calls).toHaveLength(3);
    expect(calling().path).toBe(`/threads/${threadId}/runs/${runId}?after=${CLAIM}.10`);
  });

  test("a stream without a sound, not even a ping, is given up and taken up again", async () => {
    const { runId } = openLive();
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId, CLAIM, 10);
    for (let seconds = 0; seconds < 60; seconds += 10) {
      await pass(10_000);
      stream.write(": ping\n\n");
    }
    expect(calls).toHaveLength(1);
    await pass(16_000);
    expect(stream.cancelled).toBe(true);
    expect(calls).toHaveLength(2);
  });

  test("while the server is away it is tried again and again, never more than 3 s apart", async () => {
    const { threadId } = openLive();
    for (let seconds = 0; seconds < 60; seconds += 1) {
      if (calls.length > 0) calling().fail();
      await pass(1_000);
    }
    expect(calls.length).toBeGreaterThan(15);
    expect(only(threadId)).toMatchObject({ phase: "answering", cut: true, text: "Once upon " });
  });

  test("coming back online tries at once", async () => {
    openLive();
    for (let tries = 0; tries < 8; tries += 1) {
      calling().fail();
      await pass(3_000);
    }
    calling().fail();
    await pass(0);
    const before = calls.length;
    wake();
    await pass(0);
    expect(calls).toHaveLength(before + 1);
  });

  test("an answer that the dead server's reader ended shows as interrupted", async () => {
    const { threadId, runId } = openLive();
    calling().fail();
    await pass(1_000);
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId, CLAIM, 10);
    stream.event("end", { ending: "interrupted", length: 10, error: "server-ended" });
    await pass();
    expect(only(threadId)).toMatchObject({ phase: "ended", ending: "interrupted", error: "server-ended" });
  });

  test("replace takes the text back and sets another", async () => {
    const { threadId, runId } = openLive("Something forbidden");
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId, CLAIM, 19);
    stream.replace("claim-bbbbbbbbbb");
    stream.text("This was blocked.");
    await pass();
    expect(only(threadId).text).toBe("This was blocked.");
    stream.close();
    await pass(400);
    expect(calling().path).toContain("?after=claim-bbbbbbbbbb.17");
  });

  test("text that does not join on to what is held is never shown: the run is read from its start", async () => {
    const { threadId, runId } = openLive();
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId, CLAIM, 14); // four characters are missing
    stream.text("time");
    await pass(600);
    expect(only(threadId).text).toBe("Once upon ");
    expect(calling().path).toBe(`/threads/${threadId}/runs/${runId}`);
    const whole = openStream();
    calling().answer(whole.response);
    whole.start(runId);
    await pass();
    expect(only(threadId).text).toBe("Once upon ");
    whole.text("Once upon a time");
    await pass();
    expect(only(threadId).text).toBe("Once upon a time");
  });

  test("an end of another length asks the data, which then counts", async () => {
    const { threadId, runId, question } = openLive();
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId, CLAIM, 10);
    stream.event("end", { ending: "complete", length: 16 });
    await pass(300);
    expect(told).toContain("revalidate");
    const stored = message({ id: runId, role: "assistant", text: "Once upon a time", parentId: question.id });
    live.sync(viewOf(threadId, [question, stored]));
    expect(shownPath(viewOf(threadId, [question, stored]), live.get(threadId)).at(-1)).toMatchObject({
      kind: "message",
      message: { text: "Once upon a time" },
    });
  });

  test("an ended answer that the data does not have yet is asked for again, a few times", async () => {
    const { threadId, runId, question } = openLive();
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId, CLAIM, 10);
    stream.event("end", { ending: "complete", length: 10 });
    await pass(300);
    for (let rounds = 0; rounds < 10; rounds += 1) {
      live.sync({ ...viewOf(threadId, [question]), headId: runId });
      await pass(1_100);
    }
    expect(only(threadId)).toMatchObject({ phase: "ended", text: "Once upon " });
    expect(told.filter((what) => what === "revalidate")).toHaveLength(6);
  });

  test("older data does not bring an ended run back to life", async () => {
    const { threadId, runId, question, run } = openLive();
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId, CLAIM, 10);
    stream.event("end", { ending: "complete", length: 10 });
    await pass();
    live.sync(viewOf(threadId, [question], run));
    expect(only(threadId).phase).toBe("ended");
    expect(calls).toHaveLength(1);
  });

  test("void and gone ask the page again and show nothing that is not there", async () => {
    for (const outcome of ["void", "gone"]) {
      told = [];
      const { threadId, runId } = openLive();
      const stream = openStream();
      calling().answer(stream.response);
      stream.start(runId, CLAIM, 10);
      stream.event(outcome);
      await pass();
      expect(live.get(threadId).turns).toEqual([]);
      expect(told).toEqual(["revalidate"]);
    }
  });

  test("a deleted thread and an unknown run end the reading", async () => {
    const { threadId, run, question } = openLive();
    calling().answer(refused(404, { code: "not-found" }));
    await pass();
    expect(live.get(threadId).turns).toEqual([]);
    expect(told).toEqual(["revalidate"]);
    live.sync(viewOf(threadId, [question], run));
    await pass(5_000);
    expect(calls).toHaveLength(1);
  });

  test("a run that another browser began is joined, the one before is over", async () => {
    const { threadId, runId, question } = openLive();
    const first = openStream();
    calling().answer(first.response);
    first.start(runId, CLAIM, 10);
    await pass();
    const next = newMessageId(runId, Date.now() + 5);
    const stored = message({ id: runId, role: "assistant", text: "Once upon a time", parentId: question.id });
    const asked = message({ id: next, role: "user", text: "More", parentId: runId });
    live.sync(
      viewOf(threadId, [question, stored, asked], {
        runId: runIdOf(next),
        claimId: "claim-cccccccccc",
        messageId: next,
        text: "And",
        startedAt: Date.now(),
      }),
    );
    await pass();
    expect(first.cancelled).toBe(true);
    expect(only(threadId)).toMatchObject({ runId: runIdOf(next), text: "And" });
    expect(calling().path).toContain(`/runs/${runIdOf(next)}?after=claim-cccccccccc.3`);
  });

  test("leaving drops the reader only, and coming back reads on", async () => {
    const { threadId, runId, question, run } = openLive();
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId, CLAIM, 10);
    await pass();
    live.open(newThreadId(), PERSON);
    await pass();
    expect(stream.cancelled).toBe(true);
    expect(calls).toHaveLength(1);
    live.open(threadId, PERSON);
    live.sync(viewOf(threadId, [question], { ...run, text: "Once upon a t" }));
    expect(calling().path).toContain(`?after=${CLAIM}.13`);
    expect(only(threadId).text).toBe("Once upon a t");
  });

  test("one tab never holds two streams", async () => {
    const open = new Set<ReturnType<typeof openStream>>();
    const threads = [0, 1, 2].map((index) => {
      vi.setSystemTime(Date.now() + index);
      return openLive();
    });
    for (const { threadId, question, run } of threads) {
      live.open(threadId, PERSON);
      live.sync(viewOf(threadId, [question], run));
      const stream = openStream();
      open.add(stream);
      calling().answer(stream.response);
      stream.start(run.runId, CLAIM, 10);
      await pass();
      expect([...open].filter((other) => !other.cancelled)).toHaveLength(1);
    }
  });

  test("a message under way is still sent when the person has left, without a stream", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    live.open(newThreadId(), PERSON);
    calling().fail();
    await pass(1_000);
    expect(calls).toHaveLength(2);
    const stream = openStream();
    calling().answer(stream.response);
    await pass();
    expect(stream.cancelled).toBe(true);
    expect(kept.readSend(PERSON, threadId)).toBeUndefined();
    expect(told).toEqual([]);
  });

  test("waiting for a busy model, and text that is not saved yet, are said while they last", async () => {
    const { threadId, runId } = openLive("");
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId);
    stream.event("waiting", { attempt: 2, seconds: 4 });
    await pass();
    expect(only(threadId).waiting).toEqual({ attempt: 2, seconds: 4 });
    stream.text("Hello");
    stream.event("unsaved");
    await pass();
    expect(only(threadId)).toMatchObject({ waiting: undefined, unsaved: true });
    stream.event("saved");
    await pass();
    expect(only(threadId).unsaved).toBe(false);
  });

  test("a session that ended while reading leads to the sign-in page", async () => {
    openLive();
    calling().answer(refused(401, { code: "not-signed-in" }));
    await pass();
    expect(told).toEqual(["sign in"]);
  });
});

describe("stopping", () => {
  test("names the run, and asks again while the network fails", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    const runId = runIdOf(String(calling().body.messageId));
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId);
    await pass();
    live.stop(threadId);
    live.stop(threadId);
    expect(calls).toHaveLength(2);
    expect(calling()).toMatchObject({ method: "POST", path: `/threads/${threadId}/runs/${runId}/stop` });
    calling().fail();
    await pass(1_000);
    expect(calls).toHaveLength(3);
    calling().answer(Response.json({}));
    stream.text("So far");
    stream.event("end", { ending: "stopped", length: 6 });
    await pass();
    expect(only(threadId)).toMatchObject({ phase: "ended", ending: "stopped", text: "So far", stopping: false });
  });

  test("before the request is accepted it waits for that", async () => {
    const { threadId } = openThread();
    live.send(threadId, { text: "Second?" });
    live.stop(threadId);
    expect(calls).toHaveLength(1);
    calling().answer(openStream().response);
    await pass();
    expect(calling().path).toMatch(/\/stop$/);
  });
});

describe("what waits", () => {
  function answering() {
    const thread = openThread();
    live.send(thread.threadId, { text: "Second?" });
    const messageId = String(calling().body.messageId);
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runIdOf(messageId));
    return { ...thread, messageId, runId: runIdOf(messageId), stream };
  }

  test("a message written while an answer runs goes out when that ends, in order", async () => {
    const { threadId, runId, stream } = answering();
    await pass();
    expect(live.send(threadId, { text: "Third?" })).toBe("waits");
    expect(live.send(threadId, { text: "Fourth?" })).toBe("waits");
    expect(calls).toHaveLength(1);
    stream.event("end", { ending: "complete", length: 0 });
    await pass();
    expect(calls).toHaveLength(2);
    expect(calling().body).toMatchObject({ text: "Third?", parentId: runId });
    expect(calling().body).not.toHaveProperty("branch");
    expect(live.get(threadId).waiting.map(({ text }) => text)).toEqual(["Fourth?"]);
    // The ended answer stays on screen until the data has it.
    expect(live.get(threadId).turns.map(({ phase }) => phase)).toEqual(["ended", "sending"]);
  });

  test("it follows the answer that just ended, also where the data is from while that ran", async () => {
    const { threadId, question, answer, messageId, runId, stream } = answering();
    await pass();
    const second = message({ id: messageId, role: "user", text: "Second?", parentId: answer.id });
    const run = { runId, claimId: CLAIM, messageId, text: "", startedAt: Date.now() };
    live.sync(viewOf(threadId, [question, answer, second], run));
    live.send(threadId, { text: "Third?" });
    stream.event("end", { ending: "stopped", length: 0 });
    await pass();
    expect(calling().body).toMatchObject({ text: "Third?", parentId: runId });
    expect(calling().body).not.toHaveProperty("branch");
  });

  test("it can be taken back", async () => {
    const { threadId } = answering();
    live.send(threadId, { text: "Third?" });
    const [waiting] = live.get(threadId).waiting;
    expect(live.takeBack(threadId, waiting?.key ?? "")).toBe("Third?");
    expect(live.get(threadId).waiting).toEqual([]);
  });

  test("a reload keeps it, and sends it if the answer has ended meanwhile", async () => {
    const { threadId, question, answer, messageId, runId } = answering();
    await pass();
    live.send(threadId, { text: "Third?" });
    openTab(boxes.lasting, boxes.tab);
    live.open(threadId, PERSON);
    expect(live.get(threadId).waiting.map(({ text }) => text)).toEqual(["Third?"]);
    const second = message({ id: messageId, role: "user", text: "Second?", parentId: answer.id });
    const stored = message({ id: runId, role: "assistant", text: "Yes.", parentId: messageId });
    live.sync(viewOf(threadId, [question, answer, second, stored]));
    expect(calling().body).toMatchObject({ text: "Third?", parentId: runId });
  });

  test("after an answer that went wrong the person decides", async () => {
    const { threadId, stream } = answering();
    await pass();
    live.send(threadId, { text: "Third?" });
    stream.event("end", { ending: "failed", length: 0, error: "model-busy" });
    await pass();
    expect(calls).toHaveLength(1);
    live.sendWaiting(threadId);
    expect(calling().body).toMatchObject({ text: "Third?" });
  });

  test("nothing is shown of a message that waits elsewhere: another tab does not send it too", async () => {
    const { threadId, question, answer } = answering();
    live.send(threadId, { text: "Third?" });
    openTab(boxes.lasting, memory());
    live.open(threadId, PERSON);
    live.sync(viewOf(threadId, [question, answer]));
    expect(live.get(threadId).waiting).toEqual([]);
  });
});

describe("again and continue", () => {
  test("a question is answered once more under an id of its own, in place of the answer on screen", async () => {
    const { threadId, question, answer } = openThread();
    live.again(threadId, question.id);
    const { body } = calling();
    expect(body).toEqual({ kind: "again", requestId: body.requestId, of: question.id });
    expect(String(body.requestId) > answer.id).toBe(true);
    const path = shownPath(viewOf(threadId, [question, answer]), live.get(threadId));
    expect(path.map((shown) => shown.id)).toEqual([question.id, body.requestId]);
    calling().fail();
    await pass(1_000);
    expect(calling().body).toEqual(body);
  });

  test("an answer that was cut off goes on from its text", async () => {
    const { threadId, answer } = openThread();
    live.continueAnswer(threadId, answer);
    const { body } = calling();
    expect(body).toEqual({ kind: "continue", requestId: body.requestId, of: answer.id });
    expect(only(threadId).text).toBe("First.");
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(String(body.requestId));
    await pass();
    expect(only(threadId).text).toBe("First.");
    stream.text("First.");
    stream.text(" And more.");
    await pass();
    expect(only(threadId).text).toBe("First. And more.");
  });
});

describe("the path on screen", () => {
  test("the server's page shows a live run before any script runs", () => {
    const threadId = newThreadId();
    const questionId = newMessageId();
    const question = message({ id: questionId, role: "user", text: "Tell me", parentId: null });
    const run = { runId: runIdOf(questionId), claimId: CLAIM, messageId: questionId, text: "Once", startedAt: 0 };
    const path = shownPath(viewOf(threadId, [question], run), live.idle());
    expect(path.at(-1)).toMatchObject({ kind: "answer", id: run.runId, turn: { text: "Once", phase: "answering" } });
  });

  test("a run of another version is not shown on this one", () => {
    const { threadId, question, answer } = openThread();
    const elsewhere = newMessageId(answer.id);
    const run = { runId: runIdOf(elsewhere), claimId: CLAIM, messageId: elsewhere, text: "Other", startedAt: 0 };
    const view = viewOf(threadId, [question, answer], run);
    expect(shownPath(view, live.idle()).map((shown) => shown.id)).toEqual([question.id, answer.id]);
  });

  test("an older version that is looked at stays, also right after a new one was made", async () => {
    const { threadId, question, answer } = openThread();
    live.send(threadId, { text: "First, but better?", parentId: null, branch: true });
    const { messageId } = calling().body;
    const runId = runIdOf(String(messageId));
    const old = viewOf(threadId, [question, answer]);
    // Asked for from the older version, it is shown although the data cannot know it.
    expect(shownPath(old, live.get(threadId), true).map((shown) => shown.id)).toEqual([messageId, runId]);
    const stream = openStream();
    calling().answer(stream.response);
    stream.start(runId);
    stream.event("end", { ending: "complete", length: 0 });
    await pass();
    const looked = { ...old, headId: runId };
    expect(shownPath(looked, live.get(threadId), true).map((shown) => shown.id)).toEqual([question.id, answer.id]);
    expect(shownPath(old, live.get(threadId)).map((shown) => shown.id)).toEqual([messageId, runId]);
    live.sync(looked, true);
    live.send(threadId, { text: "From here?" });
    expect(calling().body).toMatchObject({ parentId: answer.id, branch: true });
  });

  test("a listener hears of changes and gets the same object while nothing changes", () => {
    const { threadId } = openThread();
    let heard = 0;
    const leave = live.subscribe(() => {
      heard += 1;
    });
    live.send(threadId, { text: "Second?" });
    expect(heard).toBeGreaterThan(0);
    expect(live.get(threadId)).toBe(live.get(threadId));
    expect(liveTurn(live.get(threadId))?.phase).toBe("sending");
    leave();
    const before = heard;
    live.stop(threadId);
    expect(heard).toBe(before);
  });
});
