import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createEstimates, fullness, isWorthAsking, notesToSend, othersThatGo, whatGoes } from "./estimate-store";
import type { Estimate } from "./view";

const estimate = (part: Partial<Estimate> = {}): Estimate => ({
  window: 128_000,
  room: 120_000,
  tokens: { system: 10, notes: 3_200, messages: 900 },
  wanted: 4_110,
  which: "all",
  sent: { notes: 14, messages: 4 },
  leftOut: { notes: 0, messages: 0, squeezed: 0 },
  notesLeftOut: [],
  ranked: false,
  answers: 2,
  ...part,
});

describe("what goes along", () => {
  const going = (
    sent: Estimate["sent"],
    leftOut: Partial<Estimate["leftOut"]> = {},
    which: Estimate["which"] = "all",
  ) => ({ which, sent, leftOut: { notes: 0, messages: 0, squeezed: 0, ...leftOut } });
  const says = (...state: Parameters<typeof going>) => whatGoes(going(...state));

  test("is said in plain words, and what is left out too", () => {
    expect(says({ notes: 14, messages: 4 })).toBe(
      "Sent with your message: all 14 notes and the last 4 messages. Nothing is left out.",
    );
    expect(says({ notes: 1, messages: 1 })).toBe(
      "Sent with your message: your note and the last message. Nothing is left out.",
    );
    expect(says({ notes: 12, messages: 20 }, { notes: 2, messages: 6 })).toBe(
      "Sent with your message: 12 of 14 notes and the last 20 messages. 2 notes and the 6 oldest messages are left out.",
    );
    expect(says({ notes: 0, messages: 18 }, { messages: 1 })).toBe(
      "Sent with your message: the last 18 messages. The oldest message is left out.",
    );
    expect(says({ notes: 3, messages: 0 }, { notes: 1 })).toBe(
      "Sent with your message: 3 of 4 notes. One note is left out.",
    );
    expect(says({ notes: 0, messages: 2 }, { notes: 4 })).toBe(
      "Sent with your message: none of 4 notes and the last 2 messages. 4 notes are left out.",
    );
    expect(says({ notes: 0, messages: 0 }, { messages: 6 })).toBe("The 6 oldest messages are left out.");
    expect(says({ notes: 0, messages: 0 })).toBeUndefined();
  });

  test("of chosen notes is never called all notes, and with none it is said that none go", () => {
    expect(says({ notes: 2, messages: 4 }, {}, "chosen")).toBe(
      "Sent with your message: the 2 chosen notes and the last 4 messages.",
    );
    expect(says({ notes: 1, messages: 1 }, {}, "chosen")).toBe(
      "Sent with your message: the chosen note and the last message.",
    );
    expect(says({ notes: 2, messages: 4 }, { notes: 1 }, "chosen")).toBe(
      "Sent with your message: 2 of the 3 chosen notes and the last 4 messages. One note is left out.",
    );
    expect(says({ notes: 0, messages: 4 }, {}, "chosen")).toBe(
      "Sent with your message: the last 4 messages and no notes.",
    );
    expect(says({ notes: 0, messages: 8 }, {}, "none")).toBe(
      "Sent with your message: the last 8 messages and no notes.",
    );
    expect(says({ notes: 0, messages: 2 }, { messages: 6 }, "none")).toBe(
      "Sent with your message: the last 2 messages and no notes. The 6 oldest messages are left out.",
    );
  });

  test("of the notes is said truly for a first message, before the estimate and after it", () => {
    const atFirst = (settings: Parameters<typeof notesToSend>[0], count = 14) =>
      notesToSend(settings, count, undefined);
    expect(atFirst({})).toBe("your 14 notes, as far as they fit");
    expect(atFirst({}, 1)).toBe("your note, if it fits");
    expect(atFirst({ notes: "none" })).toBe("no notes");
    expect(atFirst({ notes: "chosen", chosenNotes: ["one", "two"] })).toBe("the chosen notes, as far as they fit");
    expect(atFirst({ notes: "chosen", chosenNotes: ["one"] })).toBe("the chosen note, if it fits");
    expect(atFirst({ notes: "chosen" })).toBe("no notes");

    const then = (...state: Parameters<typeof going>) => notesToSend({ notes: state[2] }, 14, going(...state));
    expect(then({ notes: 14, messages: 0 })).toBe("all 14 notes");
    expect(then({ notes: 1, messages: 0 })).toBe("your note");
    expect(then({ notes: 12, messages: 0 }, { notes: 2 })).toBe("12 of 14 notes");
    expect(then({ notes: 2, messages: 0 }, {}, "chosen")).toBe("the 2 chosen notes");
    expect(then({ notes: 14, messages: 0 }, {}, "chosen")).toBe("the 14 chosen notes");
    expect(then({ notes: 1, messages: 0 }, { notes: 1 }, "chosen")).toBe("1 of the 2 chosen notes");
    expect(then({ notes: 0, messages: 0 }, {}, "none")).toBe("no notes");
  });

  test("is more than the window holds only above 100 %", () => {
    expect(fullness({ wanted: 19_200, room: 120_000 })).toBe(16);
    expect(fullness({ wanted: 120_000, room: 120_000 })).toBe(100);
    expect(fullness({ wanted: 120_001, room: 120_000 })).toBe(101);
  });
});

describe("beside notes that fit the draft", () => {
  const others = (
    notes: number,
    { left = 0, which = "all" }: { left?: number; which?: Estimate["which"] } = {},
  ): string =>
    othersThatGo({ which, sent: { notes, messages: 0 }, leftOut: { notes: left, messages: 0, squeezed: 0 } }, 3);

  test("it is said what else goes along, and what does not", () => {
    expect(others(14)).toBe("The other 11 are sent too, there is room.");
    expect(others(4)).toBe("The other one is sent too, there is room.");
    expect(others(3)).toBe("");
    expect(others(20, { left: 80 })).toBe("17 others are sent too. 80 notes are left out.");
    expect(others(4, { left: 1 })).toBe("One other is sent too. One note is left out.");
    expect(others(3, { left: 5 })).toBe("5 notes are left out.");
    expect(others(5, { which: "chosen" })).toBe("The other 2 that you chose are sent too.");
    expect(others(4, { which: "chosen" })).toBe("The other one that you chose is sent too.");
  });
});

describe("a question", () => {
  test("is worth its cost when the draft changes by a hundredth of the room, near the edge, or where notes compete", () => {
    expect(isWorthAsking(estimate(), "", "a few words")).toBe(false);
    expect(isWorthAsking(estimate(), "", "word ".repeat(1_000))).toBe(true);
    expect(isWorthAsking(estimate(), "word ".repeat(1_000), "")).toBe(true);
    expect(isWorthAsking(estimate({ wanted: 119_000 }), "", "a few words")).toBe(true);
    expect(isWorthAsking(estimate({ ranked: true }), "boiler", "bicycle")).toBe(true);
    expect(isWorthAsking(estimate({ ranked: true }), "boiler", "boiler ")).toBe(false);
  });

  test("is worth its cost on a new thread with every new word, since other notes may fit, and not with a comma", () => {
    const note = { noteId: "a", title: "Boiler log", pinned: false };
    const some = estimate({ going: { fit: true, notes: [note] } });
    expect(isWorthAsking(some, "The boiler", "The boiler and bicycles")).toBe(true);
    expect(isWorthAsking(some, "The boiler", "")).toBe(true);
    expect(isWorthAsking(some, "The boiler", "The boiler,\n\nthe boiler!")).toBe(false);
    expect(isWorthAsking(estimate({ going: { fit: false, notes: [] } }), "Boiler", "Bicycle")).toBe(false);
  });

  let asked: { threadId: string; body: unknown; signal: AbortSignal; answer(status: number, body?: unknown): void }[];
  let estimates: ReturnType<typeof createEstimates>;
  let waiting: Set<() => void>;
  beforeEach(() => {
    vi.useFakeTimers();
    asked = [];
    waiting = new Set();
    estimates = createEstimates({
      ask: (threadId, body, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          asked.push({
            threadId,
            body,
            signal,
            answer: (status, given) => resolve(new Response(JSON.stringify(given ?? {}), { status })),
          });
        }),
      whenBack(call) {
        waiting.add(call);
        return () => void waiting.delete(call);
      },
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  test("goes out once after the last change, and not again while nothing changes", async () => {
    estimates.about({ threadId: "new", notes: 14 });
    for (const text of ["W", "Wh", "Why"]) {
      await pass(100);
      estimates.type(text);
    }
    await pass(2_000);
    expect(asked.map(({ body }) => body)).toEqual([{ text: "Why" }]);
    asked[0]?.answer(200, estimate());
    await pass(0);
    expect(estimates.get()).toEqual(estimate());
    estimates.about({ threadId: "new", notes: 14 });
    estimates.type("Why not");
    await pass(10_000);
    expect(asked).toHaveLength(1);
  });

  test("is given up when a newer one goes out, and its answer is not shown", async () => {
    estimates.about({ threadId: "one", tipId: "a", notes: 1 });
    await pass(300);
    estimates.about({ threadId: "one", tipId: "b", notes: 1 });
    await pass(300);
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    asked[0]?.answer(200, estimate({ wanted: 1 }));
    await pass(0);
    expect(estimates.get()).toBeUndefined();
    asked[1]?.answer(200, estimate({ wanted: 2 }));
    await pass(0);
    expect(estimates.get()?.wanted).toBe(2);
    expect(asked[1]?.body).toEqual({ text: "", parentId: "b" });
  });

  test("about another thread takes the old estimate off the page; about none it stays", async () => {
    estimates.about({ threadId: "one", notes: 1 });
    await pass(300);
    asked[0]?.answer(200, estimate());
    await pass(0);
    estimates.about(undefined);
    expect(estimates.get()).toBeDefined();
    // An answer has ended: the old figure stays until the new one is there.
    estimates.about({ threadId: "one", tipId: "b", notes: 1 });
    await pass(300);
    expect(estimates.get()).toBeDefined();
    asked[1]?.answer(200, estimate());
    await pass(0);
    estimates.about({ threadId: "two", notes: 1 });
    expect(estimates.get()).toBeUndefined();
    estimates.about(undefined);
    await pass(10_000);
    expect(asked).toHaveLength(2);
  });

  test("is asked again a little later when the answer is not in the table yet, and not for ever", async () => {
    estimates.about({ threadId: "one", tipId: "a", notes: 1 });
    await pass(300);
    for (let index = 0; index < 5; index += 1) {
      asked[index]?.answer(404);
      await pass(3_000);
    }
    expect(asked).toHaveLength(3);
  });

  const long = "word ".repeat(1_000);
  async function answeredOnce(): Promise<void> {
    estimates.about({ threadId: "one", tipId: "a", notes: 1 });
    await pass(300);
    asked[0]?.answer(200, estimate());
    await pass(0);
  }

  test.each([
    ["the draft", () => estimates.type(long)],
    ["the settings", () => estimates.about({ threadId: "one", tipId: "a", notes: 1, settings: { notes: "none" } })],
    ["the thread's last answer", () => estimates.about({ threadId: "one", tipId: "b", notes: 1 })],
  ])("that fails for good takes figures off the page that were of another state of %s", async (_, change) => {
    await answeredOnce();
    change();
    await pass(1_000);
    expect(asked).toHaveLength(2);
    // While it is asked, also once more, nobody knows better.
    for (const index of [1, 2, 3]) {
      expect(estimates.get()).toEqual(estimate());
      asked[index]?.answer(503);
      await pass(1_300);
    }
    expect(estimates.get()).toBeUndefined();
    await pass(60_000);
    expect(asked).toHaveLength(4);
  });

  test("that is refused, or never answered, takes them off as well", async () => {
    await answeredOnce();
    estimates.about({ threadId: "one", tipId: "a", notes: 1, settings: { model: "openai:gone" } });
    await pass(300);
    asked[1]?.answer(422);
    await pass(0);
    expect(estimates.get()).toBeUndefined();
    estimates.about({ threadId: "one", tipId: "a", notes: 1 });
    await pass(300);
    asked[2]?.answer(200, estimate());
    await pass(0);
    expect(estimates.get()).toBeDefined();
    estimates.type(long);
    await pass(30_000);
    expect(estimates.get()).toBeUndefined();
    expect(asked).toHaveLength(4);
  });

  test("that fails leaves the figures of what stands there again by then", async () => {
    await answeredOnce();
    estimates.type(long);
    await pass(900);
    estimates.type("");
    asked[1]?.answer(429);
    await pass(60_000);
    expect(estimates.get()).toEqual(estimate());
    expect(asked).toHaveLength(2);
  });

  test("that failed is asked again when the network is back, and then no more", async () => {
    await answeredOnce();
    estimates.type(long);
    await pass(900);
    asked[1]?.answer(429);
    await pass(60_000);
    expect(asked).toHaveLength(2);
    for (const call of waiting) call();
    await pass(300);
    expect(asked).toHaveLength(3);
    expect(asked[2]?.body).toEqual({ text: long, parentId: "a" });
    asked[2]?.answer(200, estimate({ wanted: 3 }));
    await pass(0);
    expect(estimates.get()?.wanted).toBe(3);
    expect(waiting.size).toBe(0);
  });

  test("that failed is asked again with the next change, a moment after the last key", async () => {
    await answeredOnce();
    estimates.type(long);
    await pass(900);
    asked[1]?.answer(429);
    for (const text of ["a", "ab", "abc"]) {
      await pass(300);
      estimates.type(text);
    }
    await pass(900);
    expect(asked.map(({ body }) => (body as { text: string }).text)).toEqual(["", long, "abc"]);
    asked[2]?.answer(200, estimate({ wanted: 3 }));
    await pass(0);
    expect(estimates.get()?.wanted).toBe(3);
  });
});
