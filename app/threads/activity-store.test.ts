import { describe, expect, test } from "vitest";
import { createActivityStore } from "./activity-store";

describe("What a tab knows of its threads", () => {
  const clock = () => {
    let now = 1000;
    const store = createActivityStore(() => now);
    return { store, at: (time: number) => (now = time) };
  };

  test("is nothing before anybody said something", () => {
    expect(clock().store.get()).toBeUndefined();
  });

  test("a run that this tab started shows at once, and an earlier question cannot undo it", () => {
    const { store, at } = clock();
    at(2000);
    store.noteRunStarted("thread", "run");
    store.tell({ live: {}, unread: {} }, 1999);
    expect(store.get()).toEqual({ live: { thread: { runId: "run", since: 2000 } }, unread: {} });
    store.tell({ live: {}, unread: {} }, 2001);
    expect(store.get()).toEqual({ live: {}, unread: {} });
  });

  test("an end that this tab saw shows at once, and an earlier question cannot undo it", () => {
    const { store, at } = clock();
    store.tell({ live: { thread: { runId: "run", since: 1 } }, unread: {} }, 1000);
    at(2000);
    store.noteRunEnded("thread");
    expect(store.get()?.live).toEqual({});
    store.tell({ live: { thread: { runId: "run", since: 1 } }, unread: {} }, 1500);
    expect(store.get()?.live).toEqual({});
    store.tell({ live: { thread: { runId: "next", since: 3 } }, unread: {} }, 2500);
    expect(store.get()?.live).toEqual({ thread: { runId: "next", since: 3 } });
  });

  test("an answer that was looked at is unread no more, until there is a newer one", () => {
    const { store, at } = clock();
    const unread = { thread: { ending: "complete", endedAt: 900 } } as const;
    store.tell({ live: {}, unread }, 1000);
    at(1100);
    store.noteSeen("thread");
    expect(store.get()?.unread).toEqual({});
    store.tell({ live: {}, unread }, 1050);
    expect(store.get()?.unread).toEqual({});
    store.tell({ live: {}, unread: { thread: { ending: "failed", endedAt: 1200 } } }, 1300);
    expect(store.get()?.unread).toEqual({ thread: { ending: "failed", endedAt: 1200 } });
  });

  test("a start after an end counts", () => {
    const { store } = clock();
    store.noteRunEnded("thread");
    store.noteRunStarted("thread", "again");
    expect(store.get()?.live).toHaveProperty("thread.runId", "again");
  });

  test("is told to whoever listens, and forgotten with the session", () => {
    const { store } = clock();
    let told = 0;
    const stop = store.subscribe(() => (told += 1));
    store.noteRunStarted("thread", "run");
    store.forget();
    expect(told).toBe(2);
    expect(store.get()).toBeUndefined();
    stop();
    store.noteSeen("thread");
    expect(told).toBe(2);
  });
});
