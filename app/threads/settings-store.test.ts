import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { SettingsChange } from "~/ai/settings";
import { createKept, NEW } from "./kept";
import { createSettings } from "./settings-store";

const PERSON = "person-1";
const THREAD = "thread-1";

function memory(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  const held = new Map<string, string>();
  return {
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
  };
}

let box: ReturnType<typeof memory>;
let online: boolean;
let wake: () => void;
let calls: { threadId: string; change: SettingsChange; answer(response: Response): void; fail(): void }[];

function openTab() {
  return createSettings({
    kept: createKept(() => box, memory),
    online: () => online,
    onWake(given) {
      wake = given;
    },
    post: (threadId, change) =>
      new Promise((resolve, reject) => {
        calls.push({ threadId, change, answer: resolve, fail: () => reject(new TypeError("Failed to fetch")) });
      }),
  });
}

const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const last = () => {
  const call = calls.at(-1);
  if (!call) throw new Error("Nothing was posted");
  return call;
};

beforeEach(() => {
  vi.useFakeTimers();
  box = memory();
  online = true;
  calls = [];
});
afterEach(() => {
  vi.useRealTimers();
});

function openThread() {
  const tab = openTab();
  tab.sync(THREAD, PERSON, { settings: { temperature: 0.3 }, settingsRevision: 4 });
  return tab;
}

describe("a change of a thread's settings", () => {
  test("shows at once and is saved a moment after the last one, by name alone", async () => {
    const tab = openThread();
    tab.change(THREAD, (before) => ({ ...before, topP: 0.5 }));
    tab.change(THREAD, ({ temperature: _, ...before }) => ({ ...before, model: "openai:gpt-4.1" }));
    expect(tab.get(THREAD)).toMatchObject({ value: { topP: 0.5, model: "openai:gpt-4.1" }, own: true });
    expect(calls).toHaveLength(0);
    await pass(300);
    expect(calls).toHaveLength(1);
    expect(last().change).toEqual({ set: { topP: 0.5, model: "openai:gpt-4.1" }, unset: ["temperature"] });
  });

  test("leaves what another tab changed meanwhile, and shows it", async () => {
    const tab = openThread();
    tab.change(THREAD, (before) => ({ ...before, topP: 0.5 }));
    await pass(300);
    const settings = { temperature: 0.3, topP: 0.5, systemPrompt: "Theirs." };
    last().answer(Response.json({ settings, settingsRevision: 6 }));
    await pass();
    expect(tab.get(THREAD)).toEqual({ value: settings, own: true, problem: undefined });
    // Data of the page from before the save takes nothing back; data from after it counts.
    tab.sync(THREAD, PERSON, { settings: { temperature: 0.3 }, settingsRevision: 4 });
    expect(tab.get(THREAD)?.value).toEqual(settings);
    tab.sync(THREAD, PERSON, { settings: { topP: 0.9 }, settingsRevision: 7 });
    expect(tab.get(THREAD)).toEqual({ value: { topP: 0.9 }, own: false, problem: undefined });
  });

  test("that comes while one is on its way is saved after it", async () => {
    const tab = openThread();
    tab.change(THREAD, (before) => ({ ...before, topP: 0.5, historyLength: 4 }));
    await pass(300);
    tab.change(THREAD, (before) => ({ ...before, topP: 0.6 }));
    await pass(300);
    expect(calls).toHaveLength(1);
    const settings = { temperature: 0.3, topP: 0.5, historyLength: 4 };
    last().answer(Response.json({ settings, settingsRevision: 5 }));
    await pass();
    expect(calls).toHaveLength(2);
    expect(last().change).toEqual({ set: { topP: 0.6 }, unset: [] });
    expect(tab.get(THREAD)?.value).toEqual({ ...settings, topP: 0.6 });
  });

  test("that could not be saved says so, is tried again when the network is back, and outlives a reload", async () => {
    const tab = openThread();
    tab.change(THREAD, (before) => ({ ...before, notes: "none" }));
    const waiting = tab.flush(THREAD);
    await pass();
    online = false;
    last().fail();
    expect(await waiting).toEqual({});
    expect(tab.get(THREAD)).toMatchObject({ value: { notes: "none" }, problem: expect.stringMatching(/offline/) });
    wake();
    await pass();
    expect(calls).toHaveLength(2);
    last().fail();
    await pass();

    online = true;
    const reloaded = openThread();
    expect(reloaded.get(THREAD)?.value).toEqual({ temperature: 0.3, notes: "none" });
    await pass();
    expect(calls).toHaveLength(3);
    expect(last().change).toEqual({ set: { notes: "none" }, unset: [] });
    last().answer(Response.json({ settings: { temperature: 0.3, notes: "none" }, settingsRevision: 5 }));
    await pass();
    expect(reloaded.get(THREAD)?.problem).toBeUndefined();
    expect(openThread().flush(THREAD)).toBeUndefined();
  });

  test("that was never understood is taken back and said, and holds nothing up", async () => {
    const tab = openThread();
    tab.change(THREAD, (before) => ({ ...before, temperature: 9 }));
    await pass(300);
    last().answer(Response.json({ error: { code: "bad-request", message: "Too hot." } }, { status: 400 }));
    await pass();
    expect(tab.get(THREAD)).toEqual({ value: { temperature: 0.3 }, own: false, problem: "Not saved. Too hot." });
    expect(tab.flush(THREAD)).toBeUndefined();
  });

  test("that was never understood takes none along that was made since", async () => {
    const tab = openThread();
    tab.change(THREAD, (before) => ({ ...before, temperature: 9 }));
    await pass(300);
    tab.change(THREAD, (before) => ({ ...before, systemPrompt: "Be brief." }));
    last().answer(Response.json({ error: { code: "bad-request", message: "Too hot." } }, { status: 400 }));
    await pass(300);
    expect(tab.get(THREAD)?.value).toEqual({ temperature: 0.3, systemPrompt: "Be brief." });
    expect(last().change).toEqual({ set: { systemPrompt: "Be brief." }, unset: [] });
  });

  test("of one person is nothing to the next one at the same machine", async () => {
    const tab = openThread();
    tab.change(THREAD, (before) => ({ ...before, notes: "none" }));
    tab.sync(THREAD, "person-2", { settings: {}, settingsRevision: 0 });
    expect(tab.get(THREAD)).toEqual({ value: {}, own: false, problem: undefined });
    await pass(1_000);
    expect(calls).toHaveLength(0);
  });
});

describe("the settings of a thread to come", () => {
  test("wait for the first message, which takes them along", async () => {
    const tab = openTab();
    tab.sync(NEW, PERSON, { settings: { notes: "none" }, settingsRevision: 0 });
    expect(tab.ownOfNew()).toBeUndefined();
    tab.change(NEW, (before) => ({ ...before, temperature: 0 }));
    await pass(1_000);
    expect(calls).toHaveLength(0);
    expect(tab.ownOfNew()).toEqual({ notes: "none", temperature: 0 });
    tab.adopt(THREAD, { notes: "none", temperature: 0 });
    expect(tab.ownOfNew()).toBeUndefined();
    tab.sync(THREAD, PERSON, { settings: { notes: "none", temperature: 0 }, settingsRevision: 0 });
    await pass(1_000);
    expect(calls).toHaveLength(0);
  });

  test("stay on the page that the first message leaves, and what is changed there by then goes to the thread", async () => {
    const tab = openTab();
    tab.sync(NEW, PERSON, { settings: { notes: "none" }, settingsRevision: 0 });
    tab.change(NEW, (before) => ({ ...before, temperature: 0 }));
    tab.adopt(THREAD, { notes: "none", temperature: 0 });
    expect(tab.get(NEW)?.value).toEqual({ notes: "none", temperature: 0 });
    tab.change(NEW, (before) => ({ ...before, topP: 0.5 }));
    expect(tab.get(NEW)?.value).toEqual({ notes: "none", temperature: 0, topP: 0.5 });
    // A second message that is sent from there finds them saved.
    const waiting = tab.flush(THREAD);
    await pass();
    expect(last()).toMatchObject({ threadId: THREAD, change: { set: { topP: 0.5 }, unset: [] } });
    const settings = { notes: "none", temperature: 0, topP: 0.5 } as const;
    last().answer(Response.json({ settings, settingsRevision: 1 }));
    expect(await waiting).toBeUndefined();
    tab.sync(THREAD, PERSON, { settings: { notes: "none", temperature: 0 }, settingsRevision: 0 });
    expect(tab.get(THREAD)?.value).toEqual(settings);
    // The next new thread begins with the person's defaults.
    tab.sync(NEW, PERSON, { settings: { notes: "none" }, settingsRevision: 0 });
    expect(tab.get(NEW)).toMatchObject({ value: { notes: "none" }, own: false });
  });
});
