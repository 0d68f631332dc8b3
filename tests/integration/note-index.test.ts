/** Choosing notes for a question, through the real table calls: what is read, and how fresh it is. */
import { createHash, randomUUID } from "node:crypto";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { DeleteCommand, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { measureNoteReads } from "../bench/note-reads";
import { startTable } from "./table";

const local = await startTable();
const { makeNotes, storeNotes } = await import("../bench/many-notes");
const { unitsOf } = await import("../bench/read-units");
const { config } = await import("~/config.server");
const { documents } = await import("~/data/table.server");
const { keys } = await import("~/data/keys.server");
const { chooseNotesFor, estimateNotesFor, MOST_RANKED } = await import("~/notes/choose.server");
const { countNotes, forgetNotes, NoteIndex, openNotes } = await import("~/notes/note-index.server");
const { createNote, deleteNote, getNotes, pinNote, restoreNote, saveNote } = await import("~/notes/notes.server");
const { markAccountDeleted } = await import("~/auth/account.server");
const { runInvocation } = await import("~/invocation.server");

afterAll(async () => {
  documents.destroy();
  await local.stop();
});
let later: Promise<unknown>[] = [];
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await upkeep();
  forgetNotes();
});

async function upkeep(): Promise<void> {
  const work = later;
  later = [];
  await Promise.all(work);
}

const asked = (
  userId: string,
  question: string,
  more: {
    which?: "all" | "chosen" | "none";
    chosenNotes?: string[];
    budgetTokens?: number;
    earlier?: string[];
    beside?: (noteIds: string[]) => void;
  } = {},
) =>
  runInvocation({ requestId: "test", deadline: Date.now() + 60_000, waitUntil: (work) => later.push(work) }, () =>
    chooseNotesFor(
      userId,
      { which: "all", budgetTokens: 100_000, earlier: [], question, ...more },
      { beside: async (noteIds) => more.beside?.(noteIds) },
    ),
  );

const estimated = (
  userId: string,
  wanted: Pick<Parameters<typeof estimateNotesFor>[1], "question"> & Partial<Parameters<typeof estimateNotesFor>[1]>,
  options: Parameters<typeof estimateNotesFor>[2] = {},
) =>
  runInvocation({ requestId: "test", deadline: Date.now() + 60_000, waitUntil: (work) => later.push(work) }, () =>
    estimateNotesFor(userId, { which: "all", earlier: [], budgetTokens: 100_000, ...wanted }, options),
  );

const titles = (chosen: { notes: { title: string }[] }): string[] => chosen.notes.map(({ title }) => title);

/** Room for the two or three notes that fit best, of the person's hundred. */
const TIGHT = 900;

/** A person with a hundred notes about nothing, and one about a boiler. */
async function crowd(count = 100): Promise<{ userId: string; boiler: string; others: string[] }> {
  const userId = randomUUID();
  const made = makeNotes(count);
  await storeNotes(userId, made);
  const { noteId } = await createNote(userId, { title: "Boiler log", text: "The pressure was 0.8 bar in March." });
  return { userId, boiler: noteId, others: made.map((note) => note.noteId) };
}

/** What a process finds that begins now. */
const begin = (): void => forgetNotes();

const stored = async (userId: string): Promise<Record<string, unknown> | undefined> =>
  (await documents.send(new GetCommand({ TableName: config.tableName, Key: keys.noteIndex(userId) }))).Item;

describe("which notes go in", () => {
  test("all of them while they fit, whole", async () => {
    const userId = randomUUID();
    for (const title of ["One", "Two", "Three"]) await createNote(userId, { title, text: `${title} words` });
    const chosen = await asked(userId, "anything");
    expect(chosen).toMatchObject({ leftOut: 0, ranked: false });
    expect(chosen.notes.map(({ text }) => text).sort()).toEqual(["One words", "Three words", "Two words"]);
  });

  test("beyond the budget the pinned ones first, then those that fit the question, and the rest is counted", async () => {
    const { userId, others } = await crowd();
    await createNote(userId, { title: "Router", text: "192.168.7.1, admin page only by cable." });
    await pinNote(userId, others[3] ?? "", true);
    for (const question of ["What was the pressure?", "how do I get to the router's admin page"]) {
      const chosen = await asked(userId, question, { budgetTokens: TIGHT });
      expect(chosen.ranked).toBe(true);
      expect(chosen.notes[0]?.noteId).toBe(others[3]);
      expect(titles(chosen)[1]).toBe(question.includes("router") ? "Router" : "Boiler log");
      expect(chosen.leftOut).toBe(102 - chosen.notes.length);
    }
  });

  test("a follow-up is understood by what was said before it", async () => {
    const { userId } = await crowd();
    const earlier = ["What does the boiler log say?", "There was a service [1]."];
    expect(titles(await asked(userId, "and in March?", { budgetTokens: TIGHT, earlier }))[0]).toBe("Boiler log");
  });

  test("ranked ones are so many at most, however large the window", async () => {
    const { userId } = await crowd(60);
    const chosen = await asked(userId, "pressure", { budgetTokens: 12_000 });
    expect(chosen.notes).toHaveLength(MOST_RANKED);
    expect(chosen.leftOut).toBe(61 - MOST_RANKED);
  });

  test("exactly the chosen ones that still exist, cut to the budget, pinned first", async () => {
    const { userId, boiler, others } = await crowd(30);
    const [one = "", two = "", three = ""] = others;
    await pinNote(userId, three, true);
    await deleteNote(userId, two);
    const chosenNotes = [one, two, three, boiler, "01J00000000000000000000000"];
    const all = await asked(userId, "x", { which: "chosen", chosenNotes });
    expect(all.notes.map(({ noteId }) => noteId)).toEqual([three, one, boiler]);
    expect(all).toMatchObject({ leftOut: 0, ranked: false });
    const cut = await asked(userId, "x", { which: "chosen", chosenNotes, budgetTokens: 320 });
    expect(cut.notes.map(({ noteId }) => noteId)).toEqual([three, boiler]);
    expect(cut.leftOut).toBe(1);
  });

  test("none at all, and nothing is read", async () => {
    const { userId } = await crowd(3);
    const { result, calls } = await unitsOf(() => asked(userId, "pressure", { which: "none" }));
    expect(result).toMatchObject({ notes: [], leftOut: 0 });
    expect(calls).toBe(0);
  });

  test("never another person's", async () => {
    const [one, other] = [await crowd(3), await crowd(3)];
    const chosen = await asked(one.userId, "pressure", { which: "chosen", chosenNotes: [other.boiler] });
    expect(chosen.notes).toEqual([]);
  });

  test("and an estimate says the same beforehand", async () => {
    const { userId } = await crowd();
    const estimate = await estimated(userId, { question: "pressure", budgetTokens: TIGHT });
    const chosen = await asked(userId, "pressure", { budgetTokens: TIGHT });
    expect(estimate.chosen.map(({ noteId }) => noteId)).toEqual(chosen.notes.map(({ noteId }) => noteId));
    expect(estimate).toMatchObject({ leftOut: chosen.leftOut, ranked: true });
    expect(estimate.left).toHaveLength(20);
  });

  test("and of those that go in an estimate names the few that fit a draft best, when all go in too", async () => {
    const { userId, boiler, others } = await crowd(20);
    const { noteId: router } = await createNote(userId, {
      title: "Router",
      text: "Only by cable.\nThe boiler has one too.",
    });
    await pinNote(userId, others[3] ?? "", true);
    const going = async (question: string, more: Partial<Parameters<typeof estimated>[1]> = {}) =>
      (await estimated(userId, { question, ...more }, { going: true })).going;
    expect(await going("what about the boiler's pressure")).toEqual({
      fit: true,
      notes: [
        { noteId: boiler, title: "Boiler log", pinned: false, start: "The pressure was 0.8 bar in March." },
        { noteId: router, title: "Router", pinned: false, start: "Only by cable. The boiler has one too." },
      ],
    });
    // Nothing fits, or nothing is written yet: the first ones of the list.
    const first = await going("?");
    expect(first).toMatchObject({ fit: false, notes: [{ noteId: others[3], pinned: true }, { noteId: router }] });
    // Only those that go in.
    expect((await going("boiler", { which: "chosen", chosenNotes: [router] }))?.notes).toHaveLength(1);
    expect(await going("boiler", { which: "none" })).toBeUndefined();
    const tight = await going("boiler", { budgetTokens: TIGHT });
    expect(tight?.fit).toBe(true);
    expect(tight?.notes.map(({ noteId }) => noteId)).toEqual([boiler, router]);
  });

  test("of all that is read the ids are told, so that each can have its number", async () => {
    const { userId } = await crowd();
    const told: string[] = [];
    const chosen = await asked(userId, "pressure", { budgetTokens: TIGHT, beside: (ids) => told.push(...ids) });
    for (const { noteId } of chosen.notes) expect(told).toContain(noteId);
  });
});

/** In a process that knows the notes, and in one that begins with a NOTEINDEX from before the change. */
describe.each(["warm", "cold"])("a change counts at once, %s", (kind) => {
  const best = async (userId: string, question = "What was the pressure?") =>
    (await asked(userId, question, { budgetTokens: TIGHT })).notes[0];
  async function known(): Promise<Awaited<ReturnType<typeof crowd>>> {
    const made = await crowd();
    await best(made.userId);
    await upkeep();
    expect(await stored(made.userId)).toBeDefined();
    return made;
  }
  const changed = (): void => {
    if (kind === "cold") begin();
  };

  test("when a note is edited: its new words are found, and are what is sent", async () => {
    const { userId, others } = await known();
    const noteId = others[5] ?? "";
    const [before] = await getNotes(userId, [noteId], { consistent: true });
    await saveNote(userId, noteId, { title: before?.title ?? "", text: "Zeppelins over Lake Constance", revision: 1 });
    changed();
    expect(await best(userId, "any zeppelins?")).toMatchObject({
      noteId,
      revision: 2,
      text: "Zeppelins over Lake Constance",
    });
  });

  test("when a note is made", async () => {
    const { userId } = await known();
    const { noteId } = await createNote(userId, { title: "Trip", text: `${"word ".repeat(100)} zeppelins` });
    changed();
    expect((await best(userId, "any zeppelins?"))?.noteId).toBe(noteId);
  });

  test("when a note is pinned, and when the pin is taken off", async () => {
    const { userId, others } = await known();
    const noteId = others[5] ?? "";
    await pinNote(userId, noteId, true);
    changed();
    expect(await best(userId)).toMatchObject({ noteId, pinned: true });
    await pinNote(userId, noteId, false);
    changed();
    expect((await best(userId))?.title).toBe("Boiler log");
  });

  test("when a note is deleted, and when it is brought back", async () => {
    const { userId, boiler } = await known();
    await deleteNote(userId, boiler);
    changed();
    const without = await asked(userId, "What was the pressure?", { budgetTokens: TIGHT });
    expect(titles(without)).not.toContain("Boiler log");
    expect(without.leftOut + without.notes.length).toBe(100);
    await restoreNote(userId, boiler);
    changed();
    const again = await asked(userId, "What was the pressure?", { budgetTokens: TIGHT });
    expect(titles(again)[0]).toBe("Boiler log");
    expect(again.leftOut + again.notes.length).toBe(101);
  });

  test("when a note is brought back that was deleted before anything was known", async () => {
    const { userId, boiler } = await crowd();
    await deleteNote(userId, boiler);
    await best(userId);
    await upkeep();
    await restoreNote(userId, boiler);
    changed();
    expect((await best(userId))?.title).toBe("Boiler log");
  });
});

describe("how many notes there are", () => {
  /** What another server did before this one is asked, in the order of a hard day. */
  async function change(userId: string, check: (count: number) => Promise<void>): Promise<void> {
    const { noteId } = await createNote(userId, { title: "One more", text: "" });
    await check(102);
    await saveNote(userId, noteId, { title: "Still one more", text: "", revision: 1 });
    await check(102);
    await pinNote(userId, noteId, true);
    await check(102);
    await deleteNote(userId, noteId);
    await check(101);
    await restoreNote(userId, noteId);
    await check(102);
  }

  test.each([
    ["in a process that knows the notes", () => undefined, 3],
    ["in one that begins", begin, 8],
  ])("is right at once after every change on another server, and cheap, %s", async (_, anew, most) => {
    const { userId } = await crowd();
    await asked(userId, "pressure", { budgetTokens: TIGHT });
    await upkeep();
    await change(userId, async (count) => {
      anew();
      const { result, read } = await unitsOf(() => countNotes(userId));
      expect(result).toBe(count);
      expect(read).toBeLessThanOrEqual(most);
    });
  });

  test("is right without NOTEINDEX too, and no note is read for it", async () => {
    const { userId } = await crowd();
    begin();
    await change(userId, async (count) => {
      const { result, read } = await unitsOf(() => countNotes(userId));
      expect(result).toBe(count);
      expect(read).toBeLessThan(20);
    });
  });

  test("does not hold a note that was deleted so long ago that its tombstone is gone", async () => {
    const { userId, boiler } = await crowd();
    await asked(userId, "pressure", { budgetTokens: TIGHT });
    await upkeep();
    await deleteNote(userId, boiler);
    await documents.send(new DeleteCommand({ TableName: config.tableName, Key: keys.note(userId, boiler) }));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 20 * 86_400_000 });
    begin();
    expect(await countNotes(userId)).toBe(100);
  });

  test.each(["with NOTEINDEX", "without it"])("was asked first, and a question finds its note, %s", async (how) => {
    const { userId } = await crowd();
    if (how === "with NOTEINDEX") {
      await asked(userId, "pressure", { budgetTokens: TIGHT });
      await upkeep();
    }
    begin();
    expect(await countNotes(userId)).toBe(101);
    const [chosen, count] = await Promise.all([
      asked(userId, "What was the pressure?", { budgetTokens: TIGHT }),
      countNotes(userId),
    ]);
    expect(titles(chosen)[0]).toBe("Boiler log");
    expect(chosen.leftOut + chosen.notes.length).toBe(101);
    expect(count).toBe(101);
    await upkeep();
    expect(await stored(userId)).toBeDefined();
  });

  test("is zero for a person without notes", async () => {
    expect(await countNotes(randomUUID())).toBe(0);
  });
});

describe("a note that changes while it is chosen", () => {
  test("is sent as it is read, with the revision of that; one that is deleted drops out", async () => {
    const { userId, boiler, others } = await crowd();
    const index = new NoteIndex(userId);
    await index.refresh();
    await index.keepUp();
    await index.dropTexts();
    await saveNote(userId, boiler, { title: "Boiler log", text: "It was 1.6 bar.", revision: 1 });
    const gone = others[7] ?? "";
    await deleteNote(userId, gone);
    const read = await index.read([boiler, gone]);
    expect(read.get(boiler)).toMatchObject({ text: "It was 1.6 bar.", revision: 2 });
    expect(read.has(gone)).toBe(false);
  });
});

/** A pack that opens, and whose last bytes are missing inside. */
function shorter(data: Uint8Array): Buffer {
  const packed = brotliCompressSync(brotliDecompressSync(data.subarray(8)).subarray(0, -40));
  return Buffer.concat([createHash("sha256").update(packed).digest().subarray(0, 8), packed]);
}

describe("NOTEINDEX", () => {
  async function withIndex(): Promise<Awaited<ReturnType<typeof crowd>>> {
    const made = await crowd();
    await asked(made.userId, "pressure", { budgetTokens: TIGHT });
    await upkeep();
    return made;
  }

  test("is written for whoever has many notes, and not for a few", async () => {
    const { userId } = await crowd(5);
    await asked(userId, "pressure");
    await upkeep();
    expect(await stored(userId)).toBeUndefined();
    expect(await stored((await withIndex()).userId)).toMatchObject({ parts: 1 });
  });

  test.each([
    ["cut short", (item: Record<string, unknown>) => ({ ...item, data: (item.data as Uint8Array).subarray(0, 900) })],
    ["whose words end too early", (item: Record<string, unknown>) => ({ ...item, data: shorter(item.data as Buffer) })],
    ["of another version", (item: Record<string, unknown>) => ({ ...item, data: Buffer.from("something else") })],
    ["without its parts", (item: Record<string, unknown>) => ({ ...item, parts: 3 })],
    ["dated in the future", (item: Record<string, unknown>) => ({ ...item, at: Date.now() + 86_400_000 })],
    ["not even an index", ({ pk, sk }: Record<string, unknown>) => ({ pk, sk, generation: 7, data: "text" })],
  ])("that is %s is made anew, and the person notices nothing", async (_, spoil) => {
    const { userId } = await withIndex();
    const item = (await stored(userId)) ?? {};
    await documents.send(new PutCommand({ TableName: config.tableName, Item: spoil(item) }));
    begin();
    expect(titles(await asked(userId, "pressure", { budgetTokens: TIGHT }))[0]).toBe("Boiler log");
    await upkeep();
    expect(await stored(userId)).toMatchObject({ parts: 1, generation: expect.stringMatching(/^[0-9a-f]{12}$/) });
    begin();
    const { result, read } = await unitsOf(() => asked(userId, "pressure", { budgetTokens: TIGHT }));
    expect(titles(result)[0]).toBe("Boiler log");
    expect(read).toBeLessThan(20);
  });

  test("is never replaced by an older one", async () => {
    const { userId } = await withIndex();
    const late = new NoteIndex(userId);
    await late.refresh();
    const item = (await stored(userId)) ?? {};
    const newer = { ...item, at: Date.now() + 60_000, generation: "newer" };
    await documents.send(new PutCommand({ TableName: config.tableName, Item: newer }));
    await late.keepUp();
    expect(await stored(userId)).toMatchObject({ generation: "newer" });
  });

  test("is written again once there are many changes, or when it is old", async () => {
    const { userId } = await withIndex();
    const first = (await stored(userId))?.generation;
    await createNote(userId, { title: "One more", text: "" });
    await asked(userId, "pressure");
    await upkeep();
    expect((await stored(userId))?.generation).toBe(first);
    await storeNotes(
      userId,
      makeNotes(20, 300, 9).map((note) => ({ ...note, changedAt: Date.now() })),
    );
    await asked(userId, "pressure");
    await upkeep();
    const second = (await stored(userId))?.generation;
    expect(second).not.toBe(first);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 13 * 3_600_000 });
    await asked(userId, "pressure");
    await upkeep();
    expect((await stored(userId))?.generation).not.toBe(second);
  });

  test("of last month does not bring back what was deleted since", async () => {
    const { userId, boiler } = await withIndex();
    await deleteNote(userId, boiler);
    // Its tombstone is gone by now; only NOTEINDEX still names the note.
    await documents.send(new DeleteCommand({ TableName: config.tableName, Key: keys.note(userId, boiler) }));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 20 * 86_400_000 });
    begin();
    expect(titles(await asked(userId, "pressure", { budgetTokens: TIGHT }))).not.toContain("Boiler log");
    await upkeep();
    begin();
    const chosen = await asked(userId, "pressure", { budgetTokens: TIGHT });
    expect(chosen.notes.length + chosen.leftOut).toBe(100);
  });

  test("does not outlive the account", async () => {
    const { userId } = await crowd();
    await asked(userId, "pressure", { budgetTokens: TIGHT });
    await markAccountDeleted(userId);
    await upkeep();
    // The answer that was on its way looks at the mark before it writes.
    const index = await openNotes(userId);
    const before = (await stored(userId))?.generation;
    await index.keepUp();
    expect((await stored(userId))?.generation).toBe(before);
  });
});

describe("2,000 notes of 1 KB", () => {
  test("cost under 50 read units in a process that begins, and under 15 in one that knows them", async () => {
    const measured = await measureNoteReads();
    const units = (name: string): number => {
      const found = measured.find((one) => one.name.startsWith(name));
      if (!found) throw new Error(`Nothing was measured as ${name}`);
      const notes = name.includes("how many") ? 0 : name.startsWith("all") ? 2_000 : MOST_RANKED;
      expect(found.notes).toBe(notes);
      return found.read;
    };
    expect(units("all notes whole")).toBeGreaterThan(500);
    expect(units("cold")).toBeLessThan(50);
    expect(units("warm: the next question")).toBeLessThan(15);
    expect(units("warm: the same notes again")).toBeLessThanOrEqual(3);
    expect(units("cold: how many notes there are")).toBeLessThan(45);
    expect(units("warm: how many notes there are")).toBeLessThanOrEqual(3);
    // To say which notes fit a draft is no dearer than to count them.
    expect(units("warm: an estimate, with the notes that fit")).toBe(units("warm: an estimate, without them"));
    expect(units("warm: an estimate, with the notes that fit")).toBeLessThanOrEqual(3);
    expect(units("cold: an estimate, with the notes that fit")).toBe(units("cold: an estimate, without them"));
  });
});

test("many requests of one person at a time share what is read, and each sees what was there before it", async () => {
  const { userId } = await crowd();
  const { calls } = await unitsOf(async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => asked(userId, "pressure", { budgetTokens: TIGHT })));
    for (const chosen of all) expect(titles(chosen)[0]).toBe("Boiler log");
  });
  expect(calls).toBeLessThan(20);
});
