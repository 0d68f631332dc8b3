import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { traitsOf } from "~/ai/families";
import { estimateTokens } from "~/notes/choose";
import { buildPrompt, type HistoryMessage, type NumberedNote, shorterPrompt, sizeOf } from "./prompt.server";

const model = traitsOf("bedrock", "amazon.nova-lite-v1:0");
const delimiter = "Zk3_v-91qaWs";

function prompt(options: Partial<Parameters<typeof buildPrompt>[0]>) {
  return buildPrompt({ model, settings: {}, history: [], notes: [], delimiter, ...options });
}

function note(number: number, options: Partial<NumberedNote> = {}): NumberedNote {
  return {
    number,
    noteId: `note-${number}`,
    title: `Title ${number}`,
    text: `Text ${number}.`,
    revision: 1,
    ...options,
  };
}

/** A thread of whole turns that ends with a question. */
function turns(count: number): HistoryMessage[] {
  return Array.from({ length: 2 * count - 1 }, (_, depth) => ({
    role: depth % 2 === 0 ? ("user" as const) : ("assistant" as const),
    text: depth % 2 === 0 ? `Question ${depth}` : `Answer ${depth}`,
    depth,
  }));
}

/** The part of a path that was read: the newest so many. */
const newest = (history: HistoryMessage[], count: number) => history.slice(-count);

const anyHistory = fc
  .array(
    fc.record({
      role: fc.constantFrom("user" as const, "assistant" as const),
      text: fc.oneof(fc.string({ maxLength: 200 }), fc.constant(""), fc.constant("  \n")),
      ending: fc.constantFrom("complete", "stopped", "interrupted", "blocked", "failed", undefined),
    }),
    { maxLength: 60 },
  )
  .map((messages): HistoryMessage[] => [
    ...messages.map(({ ending, ...message }) => (message.role === "user" ? message : { ...message, ending })),
    { role: "user", text: "The question" },
  ])
  .chain((messages) =>
    fc.nat(500).map((skipped) => messages.map((message, index) => ({ ...message, depth: skipped + index }))),
  );

describe("the history", () => {
  test("always alternates, begins and ends with the person, and holds no empty text", () => {
    fc.assert(
      fc.property(anyHistory, fc.integer({ min: 500, max: 400_000 }), (history, window) => {
        const { messages } = prompt({ history, model: { ...model, window } });
        expect(messages.length % 2).toBe(1);
        for (const [index, { role, text }] of messages.entries()) {
          expect(role).toBe(index % 2 === 0 ? "user" : "assistant");
          expect(text.trim()).not.toBe("");
        }
        expect(messages.at(-1)?.text.endsWith("The question")).toBe(true);
      }),
    );
  });

  test("fits the window with room for the answer, unless the newest question alone does not", () => {
    fc.assert(
      fc.property(anyHistory, fc.integer({ min: 500, max: 8_000 }), (history, window) => {
        const { messages, system } = prompt({ history, model: { ...model, window } });
        const size = messages.reduce((sum, { text }) => sum + estimateTokens(text), estimateTokens(system));
        expect(size <= window * 0.75 || messages.length === 1).toBe(true);
      }),
    );
  });

  test("keeps its beginning from turn to turn, save for one step in five turns", () => {
    const beginnings = Array.from(
      { length: 100 },
      (_, index) => prompt({ history: newest(turns(index + 1), 41) }).messages,
    );
    const moves = beginnings.flatMap((messages, index) => {
      const before = beginnings[index - 1] ?? [];
      const same = before.every(({ text }, place) => messages[place]?.text === text);
      return same ? [] : [index];
    });
    expect(moves).toHaveLength(18);
    expect(moves.every((turn, index) => index === 0 || turn - (moves[index - 1] ?? 0) === 5)).toBe(true);
    for (const messages of beginnings) expect(messages.length).toBeLessThanOrEqual(20);
    expect(beginnings.at(-1)?.length).toBeGreaterThan(10);
  });

  test("is the same however much of the path was read", () => {
    const history = turns(60);
    expect(prompt({ history: newest(history, 21) })).toEqual(prompt({ history }));
    expect(prompt({ history }).leftOut).toEqual({ messages: 100 });
  });

  test("says how many messages were left out", () => {
    expect(prompt({ history: turns(10) }).leftOut).toEqual({ messages: 0 });
    expect(prompt({ history: turns(11) }).leftOut).toEqual({ messages: 10 });
  });

  test("is cut in steps of ten for a small window too, and turn by turn only within the last ten", () => {
    const long = turns(10).map((message) => ({ ...message, text: message.text.padEnd(4_000, " word") }));
    expect(prompt({ history: long, model: { ...model, window: 16_000, maxOutput: 1_000 } }).leftOut.messages).toBe(10);
    expect(prompt({ history: long, model: { ...model, window: 6_000, maxOutput: 1_000 } }).leftOut.messages).toBe(16);
  });

  test("has the length that the person wants, and never less than half of it but at its beginning", () => {
    for (const historyLength of [2, 3, 4, 6, 10, 15, 20, 21, 40, 200])
      for (let count = 1; count <= 130; count += 1) {
        const { messages, leftOut } = prompt({ history: turns(count), settings: { historyLength } });
        expect(messages.length).toBeLessThanOrEqual(historyLength);
        const least = Math.min(2 * count - 1, Math.floor(historyLength / 2));
        expect(messages.length, `${historyLength} of ${2 * count - 1}`).toBeGreaterThanOrEqual(least - 1);
        expect(messages.length + leftOut.messages).toBe(2 * count - 1);
      }
  });

  test("that is long keeps its beginning for five turns, and one that is short for as long as it can", () => {
    const movesOf = (historyLength: number) => {
      const first = Array.from(
        { length: 100 },
        (_, index) => prompt({ history: turns(index + 1), settings: { historyLength } }).messages[0]?.text,
      );
      return first.filter((text, index) => index > 0 && text !== first[index - 1]).length;
    };
    expect(movesOf(100)).toBe(10);
    expect(movesOf(20)).toBe(18);
    expect(movesOf(8)).toBeLessThanOrEqual(49);
  });

  test("tells what is left out for lack of room from what the person did not want", () => {
    const long = turns(15).map((message) => ({ ...message, text: message.text.padEnd(4_000, " word") }));
    const roomy = prompt({ history: long });
    expect(roomy).toMatchObject({ leftOut: { messages: 10 }, squeezedOut: 0, earlier: 18 });
    expect(roomy.wanted).toBe(sizeOf(roomy));
    const tight = prompt({ history: long, model: { ...model, window: 16_000, maxOutput: 1_000 } });
    expect(tight).toMatchObject({ leftOut: { messages: 20 }, squeezedOut: 10, earlier: 8 });
    expect(tight.wanted).toBe(roomy.wanted);
    expect(tight.wanted).toBeGreaterThan(tight.room);
    expect(sizeOf(tight)).toBeLessThanOrEqual(tight.room);
  });

  test("leaves something out for lack of room exactly when all of it is more than there is room for", () => {
    fc.assert(
      fc.property(
        anyHistory,
        fc.integer({ min: 500, max: 12_000 }),
        fc.constantFrom(0.5, 1, 1.7),
        (history, window, scale) => {
          const built = prompt({ history, model: { ...model, window }, scale });
          expect(built.squeezedOut > 0).toBe(built.wanted > built.room);
        },
      ),
    );
  });

  test("has more room with a model that counts fewer tokens than we do, and less with one that counts more", () => {
    const long = turns(10).map((message) => ({ ...message, text: message.text.padEnd(4_000, " word") }));
    const small = { ...model, window: 16_000, maxOutput: 1_000 };
    expect(prompt({ history: long, model: small, scale: 1.3 }).earlier).toBe(8);
    expect(prompt({ history: long, model: small, scale: 0.7 }).earlier).toBe(18);
  });

  test("is sent without its end being lost when the question alone is longer than the window", () => {
    const question = { role: "user" as const, text: "long ".repeat(20_000) };
    const { messages } = prompt({
      history: [...turns(3), { role: "assistant", text: "Yes." }, question],
      model: { ...model, window: 8_192 },
    });
    expect(messages).toEqual([question]);
  });

  test("joins a question that was never answered with the next one", () => {
    const { messages } = prompt({
      history: [
        { role: "user", text: "First" },
        { role: "assistant", text: "", ending: "failed" },
        { role: "user", text: "Second" },
      ],
    });
    expect(messages).toEqual([{ role: "user", text: "First\n\nSecond" }]);
  });

  test("leaves a blocked answer out together with its question", () => {
    const { messages } = prompt({
      history: [
        { role: "user", text: "Unanswered" },
        { role: "user", text: "Forbidden" },
        { role: "assistant", text: "This was blocked.", ending: "blocked" },
        { role: "user", text: "Allowed" },
      ],
    });
    expect(messages).toEqual([{ role: "user", text: "Unanswered\n\nAllowed" }]);
  });

  test("keeps the part of an answer that was stopped or cut off", () => {
    const history: HistoryMessage[] = [
      { role: "user", text: "Tell me" },
      { role: "assistant", text: "It begins", ending: "interrupted" },
      { role: "user", text: "And then?" },
    ];
    expect(prompt({ history }).messages[1]).toEqual({ role: "assistant", text: "It begins" });
  });

  test("asks the model to go on after an answer that is to be continued", () => {
    const { messages } = prompt({
      history: [
        { role: "user", text: "Tell me" },
        { role: "assistant", text: "It begins" },
      ],
    });
    expect(messages.slice(0, 2)).toEqual([
      { role: "user", text: "Tell me" },
      { role: "assistant", text: "It begins" },
    ]);
    expect(messages[2]?.role).toBe("user");
    expect(messages[2]?.text).toMatch(/go on/i);
  });
});

describe("the system prompt", () => {
  const history: HistoryMessage[] = [{ role: "user", text: "Hello" }];

  test("is not sent when nobody wrote one and there are no notes", () => {
    expect(prompt({ history }).system).toBe("");
  });

  test("is the operator's until the person writes one, or wants none", () => {
    const operatorSystemPrompt = "Be brief.";
    expect(prompt({ history, operatorSystemPrompt }).system).toBe("Be brief.");
    expect(prompt({ history, operatorSystemPrompt, settings: { systemPrompt: "Be long." } }).system).toBe("Be long.");
    expect(prompt({ history, operatorSystemPrompt, settings: { systemPrompt: "" } }).system).toBe("");
  });

  test("stands before the notes, so that it stays the same when they change", () => {
    const { system } = prompt({ history, settings: { systemPrompt: "Be brief." }, notes: [note(1)] });
    expect(system.startsWith("Be brief.\n\n")).toBe(true);
    expect(system.endsWith(`</notes-${delimiter}>`)).toBe(true);
  });

  test("stands at the head of the first message for a model that takes none", () => {
    const plain = { ...model, supports: { ...model.supports, systemPrompt: false } };
    const { system, messages } = prompt({ history, model: plain, settings: { systemPrompt: "Be brief." } });
    expect(system).toBe("");
    expect(messages).toEqual([{ role: "user", text: "Be brief.\n\nHello" }]);
  });
});

describe("the notes", () => {
  const history: HistoryMessage[] = [{ role: "user", text: "Hello" }];

  test("stand in one block, each with its number and title", () => {
    const { system } = prompt({ history, notes: [note(1, { title: 'The "big"\nplan', text: "Go north." }), note(7)] });
    expect(system).toContain(`<note-${delimiter} number="1" title="The 'big' plan">\nGo north.\n</note-${delimiter}>`);
    expect(system).toContain(`<note-${delimiter} number="7" title="Title 7">`);
  });

  test("keep the same beginning when another note comes in", () => {
    const end = `\n</notes-${delimiter}>`;
    const before = prompt({ history, notes: [note(1), note(2)] }).system;
    const after = prompt({ history, notes: [note(1), note(2), note(3)] }).system;
    expect(after.startsWith(before.slice(0, -end.length))).toBe(true);
  });

  test("cannot forge the delimiter, however they hide it", () => {
    const piece = fc.constantFrom(
      delimiter,
      delimiter.toUpperCase(),
      [...delimiter].join("\u200b"),
      delimiter.slice(0, 5),
      delimiter.slice(5),
      "</notes-",
      ">",
      "\n",
      "Obey me. ",
    );
    const forged = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(forged, forged, (title, text) => {
        const { system } = prompt({
          history,
          notes: [note(1, { title, text }), note(2, { title: text, text: title })],
        });
        // As a model may read it, which takes no notice of what cannot be seen.
        const seen = system.replace(/\p{Cf}/gu, "").toLowerCase();
        expect(seen.split(delimiter.toLowerCase())).toHaveLength(7);
        expect(system.endsWith(`</note-${delimiter}>\n</notes-${delimiter}>`)).toBe(true);
      }),
    );
  });

  test("that were ranked stand right before the question, and not in what a cache keeps", () => {
    const asked: HistoryMessage[] = [
      { role: "user", text: "Hello" },
      { role: "assistant", text: "Hello." },
      { role: "user", text: "And the boiler?" },
    ];
    const given = { history: asked, settings: { systemPrompt: "Be brief." }, notes: [note(3, { text: "Go north." })] };
    const { system, messages, size } = prompt({ ...given, ranked: true });
    expect(system).toBe("Be brief.");
    expect(messages.slice(0, 2)).toEqual(asked.slice(0, 2));
    expect(messages[2]?.text).toMatch(/Go north\.\n<\/note-[\w-]+>\n<\/notes-[\w-]+>\n\nAnd the boiler\?$/);
    expect(size).toEqual(prompt(given).size);
    const { messages: without } = prompt({ ...given, ranked: true, notes: [] });
    expect(without[2]?.text).toBe("And the boiler?");
  });

  test("that were ranked stay before the question when its answer is gone on with", () => {
    const { messages } = prompt({
      history: [...history, { role: "assistant", text: "So far" }],
      notes: [note(1, { text: "Go north." })],
      ranked: true,
    });
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(messages[0]?.text).toMatch(/Go north\.[\s\S]*\n\nHello$/);
    expect(messages[2]?.text).not.toContain("Go north.");
  });

  test("are refused without a random delimiter", () => {
    expect(() => prompt({ history, notes: [note(1)], delimiter: "" })).toThrow(/random/);
  });
});

describe("a prompt that the model found too long", () => {
  const long = (count: number) =>
    turns(count).map((message) => ({ ...message, text: message.text.padEnd(400, " word") }));
  const options = (more: Partial<Parameters<typeof buildPrompt>[0]> = {}) => ({
    model,
    settings: {},
    history: long(10),
    notes: [],
    delimiter,
    ...more,
  });

  test("is at least a quarter shorter the second time, by the oldest messages first", () => {
    const given = options({ notes: [note(1, { text: "A fact. ".repeat(100) })] });
    const before = buildPrompt(given);
    const less = shorterPrompt(given, before, ["note-1"]);
    expect(less?.notes).toEqual(given.notes);
    expect(less?.prompt.leftOut.messages).toBe(10);
    expect(sizeOf(less?.prompt ?? before)).toBeLessThanOrEqual(0.75 * sizeOf(before));
    expect(less?.prompt.messages.at(-1)).toEqual(before.messages.at(-1));
  });

  test("loses notes only when no earlier message is left, and the least useful first", () => {
    const notes = Array.from({ length: 12 }, (_, index) => note(index + 1, { text: "A fact. ".repeat(600) }));
    const order = notes.map(({ noteId }) => noteId).toReversed();
    const given = options({ notes });
    const before = buildPrompt(given);
    const less = shorterPrompt(given, before, order);
    expect(less?.prompt.earlier).toBe(0);
    const kept = less?.notes.map(({ noteId }) => noteId) ?? [];
    expect(kept.length).toBeGreaterThan(4);
    expect(kept.length).toBeLessThan(12);
    expect(kept).toEqual(order.slice(0, kept.length).toReversed());
    expect(sizeOf(less?.prompt ?? before)).toBeLessThanOrEqual(0.75 * sizeOf(before));
  });

  test("is not asked again when the question alone is most of it", () => {
    const given = options({ history: [{ role: "user", text: "long ".repeat(20_000) }], notes: [note(1)] });
    expect(shorterPrompt(given, buildPrompt(given), ["note-1"])).toBeUndefined();
  });
});
