import { randomUUID } from "node:crypto";
import { ulid } from "ulid";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import type { PublicError } from "~/errors";
import { startTable } from "./table";

const local = await startTable();
const {
  createNote,
  deleteNote,
  getNote,
  listAllNotes,
  listNotes,
  pinNote,
  requireNote,
  restoreNote,
  saveNote,
  searchNotes,
} = await import("~/notes/notes.server");
const { countNotes } = await import("~/notes/note-index.server");
const { documents } = await import("~/data/table.server");

afterAll(async () => {
  documents.destroy();
  await local.stop();
});
afterEach(() => {
  vi.useRealTimers();
});

const person = (): string => randomUUID();

async function thrown(work: Promise<unknown>): Promise<PublicError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "PublicError" });
  return error as PublicError;
}

/** Lets only Date stand still or jump: sockets and the table's client keep their timers. */
function setClock(time: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: time });
}

describe("writing", () => {
  test("a new note can be read back at once, as it was written", async () => {
    const userId = person();
    const note = await createNote(userId, { title: "Boiler log", text: "3 March: *0.8 bar* cold.\n\nRefilled." });
    expect(note).toMatchObject({ title: "Boiler log", revision: 1, pinned: false });
    expect(await requireNote(userId, note.noteId)).toEqual(note);
    expect((await listNotes(userId)).items).toEqual([
      {
        noteId: note.noteId,
        title: "Boiler log",
        start: "3 March: *0.8 bar* cold. Refilled.",
        pinned: false,
        changedAt: note.changedAt,
        revision: 1,
        size: 35,
      },
    ]);
    expect(await listAllNotes(userId)).toEqual([note]);
    expect(await countNotes(userId)).toBe(1);
  });

  test("a form that is submitted twice makes one note", async () => {
    const userId = person();
    const noteId = ulid();
    const made = await Promise.all(
      Array.from({ length: 8 }, () => createNote(userId, { noteId, title: "Once", text: "only" })),
    );
    expect(new Set(made.map((note) => note.noteId))).toEqual(new Set([noteId]));
    expect(await countNotes(userId)).toBe(1);
    expect(await requireNote(userId, noteId)).toMatchObject({ title: "Once", text: "only", revision: 1 });
  });

  test("other words under the id of a stored note change nothing and give the stored ones back", async () => {
    const userId = person();
    const { noteId } = await createNote(userId, { title: "First", text: "words" });
    const error = await thrown(createNote(userId, { noteId, title: "First", text: "other words" }));
    expect(error.status).toBe(409);
    expect(error.details).toEqual({ theirs: { title: "First", text: "words", revision: 1 } });
    expect(await requireNote(userId, noteId)).toMatchObject({ text: "words" });
  });

  test("two people may come to the same id, and each has a note of their own", async () => {
    const noteId = ulid();
    const [one, other] = [person(), person()];
    await createNote(one, { noteId, title: "Mine", text: "" });
    await createNote(other, { noteId, title: "Yours", text: "" });
    expect((await requireNote(one, noteId)).title).toBe("Mine");
    expect((await requireNote(other, noteId)).title).toBe("Yours");
  });

  test("a note without a title gets its first line, and without any words is Untitled", async () => {
    const userId = person();
    expect((await createNote(userId, { title: "  ", text: "\n## Cabin, *what is there*\nBlankets" })).title).toBe(
      "Cabin, what is there",
    );
    expect((await createNote(userId, { title: "", text: "\n---\n" })).title).toBe("Untitled");
  });

  test("line ends of a form, NUL and half surrogates are normalised before they are stored", async () => {
    const userId = person();
    const { noteId } = await createNote(userId, { title: "a\r\nb\0\ud800", text: "one\r\ntwo\0\rthree \udc00 🌿" });
    expect(await requireNote(userId, noteId)).toMatchObject({ title: "a b\ufffd", text: "one\ntwo\nthree \ufffd 🌿" });
  });
});

describe("limits", () => {
  test.each([
    ["title", { title: "t".repeat(200), text: "" }, { title: "t".repeat(201), text: "" }, "200", "201"],
    ["text", { title: "t", text: "x".repeat(50_000) }, { title: "t", text: "x".repeat(50_001) }, "50,000", "50,001"],
  ])(
    "a %s at the limit is stored, one character more is refused with the figures",
    async (_, fits, tooLong, limit, length) => {
      const userId = person();
      const { noteId, revision } = await createNote(userId, fits);
      expect(await requireNote(userId, noteId)).toMatchObject(fits);
      for (const error of [
        await thrown(createNote(userId, tooLong)),
        await thrown(saveNote(userId, noteId, { ...tooLong, revision })),
      ]) {
        expect(error.status).toBe(413);
        expect(error.message).toContain(`at most ${limit} characters. This one has ${length}.`);
      }
      expect(await requireNote(userId, noteId)).toMatchObject(fits);
      expect(await countNotes(userId)).toBe(1);
    },
  );

  test("50,000 characters of three bytes each are stored whole", async () => {
    const userId = person();
    const text = "注".repeat(50_000);
    const { noteId } = await createNote(userId, { title: "", text });
    expect((await requireNote(userId, noteId)).text).toBe(text);
  });
});

describe("saving", () => {
  test("a save counts the revision up and moves the note to the top", async () => {
    const userId = person();
    setClock(1_700_000_000_000);
    const first = await createNote(userId, { title: "First", text: "a" });
    setClock(1_700_000_001_000);
    await createNote(userId, { title: "Second", text: "b" });
    setClock(1_700_000_002_000);
    const saved = await saveNote(userId, first.noteId, { title: "First, changed", text: "aa", revision: 1 });
    expect(saved).toEqual({ ...first, title: "First, changed", text: "aa", revision: 2, changedAt: 1_700_000_002_000 });
    expect(await requireNote(userId, first.noteId)).toEqual(saved);
    expect((await listNotes(userId)).items.map(({ title, revision }) => [title, revision])).toEqual([
      ["First, changed", 2],
      ["Second", 1],
    ]);
  });

  test("of two saves from the same revision one wins, and the other gets its words and loses none", async () => {
    const userId = person();
    const { noteId } = await createNote(userId, { title: "Plan", text: "old" });
    const results = await Promise.allSettled(
      ["mine", "yours"].map((text) => saveNote(userId, noteId, { title: "Plan", text, revision: 1 })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [won] = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const [lost] = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(lost).toMatchObject({
      code: "conflict",
      status: 409,
      details: { theirs: { title: "Plan", text: won?.text, revision: 2 } },
    });
    expect(await requireNote(userId, noteId)).toEqual(won);
  });

  test("keeping one's own words after a conflict means saving them from the other's revision", async () => {
    const userId = person();
    const { noteId } = await createNote(userId, { title: "Plan", text: "old" });
    await saveNote(userId, noteId, { title: "Plan", text: "theirs", revision: 1 });
    const error = await thrown(saveNote(userId, noteId, { title: "Plan", text: "mine", revision: 1 }));
    const { revision } = error.details.theirs as { revision: number };
    expect(await saveNote(userId, noteId, { title: "Plan", text: "mine", revision })).toMatchObject({
      text: "mine",
      revision: 3,
    });
  });

  test("a save that is sent twice is saved once, and both are told so", async () => {
    const userId = person();
    const { noteId } = await createNote(userId, { title: "Plan", text: "old" });
    const draft = { title: "Plan", text: "new", revision: 1 };
    const saved = await Promise.all([saveNote(userId, noteId, draft), saveNote(userId, noteId, draft)]);
    expect(saved.map(({ revision }) => revision)).toEqual([2, 2]);
    expect((await requireNote(userId, noteId)).revision).toBe(2);
  });

  test("saving what is stored already changes neither revision nor time", async () => {
    const userId = person();
    setClock(1_700_000_000_000);
    const note = await createNote(userId, { title: "Plan", text: "one\ntwo" });
    setClock(1_700_000_009_000);
    expect(await saveNote(userId, note.noteId, { title: "Plan", text: "one\r\ntwo", revision: 1 })).toEqual(note);
  });

  test("a pin while somebody saves is no conflict, and both are kept", async () => {
    const userId = person();
    const { noteId } = await createNote(userId, { title: "Plan", text: "old" });
    await Promise.all([
      pinNote(userId, noteId, true),
      saveNote(userId, noteId, { title: "Plan", text: "new", revision: 1 }),
    ]);
    const note = await requireNote(userId, noteId);
    expect(note).toMatchObject({ pinned: true, text: "new", revision: 2 });
    expect((await listNotes(userId)).items).toMatchObject([{ pinned: true, revision: 2, changedAt: note.changedAt }]);
  });

  test("a note that was never made cannot be saved", async () => {
    const error = await thrown(saveNote(person(), ulid(), { title: "Plan", text: "new", revision: 1 }));
    expect([error.status, error.details]).toEqual([404, {}]);
  });
});

describe("deleting", () => {
  test("a deleted note is in no list, no count, no search and no prompt, and cannot be read", async () => {
    const userId = person();
    const { noteId } = await createNote(userId, { title: "Secret plan", text: "words" });
    await createNote(userId, { title: "Kept", text: "" });
    await deleteNote(userId, noteId);
    expect(await getNote(userId, noteId)).toBeUndefined();
    expect((await thrown(requireNote(userId, noteId))).status).toBe(404);
    expect((await listNotes(userId)).items.map(({ title }) => title)).toEqual(["Kept"]);
    expect((await listAllNotes(userId)).map(({ title }) => title)).toEqual(["Kept"]);
    expect(await countNotes(userId)).toBe(1);
    expect((await searchNotes(userId, "secret")).items).toEqual([]);
  });

  test("undo brings the note back as it was, pin and place in the list included", async () => {
    const userId = person();
    setClock(1_700_000_000_000);
    const { noteId } = await createNote(userId, { title: "Pinned", text: "words" });
    const pinned = await pinNote(userId, noteId, true);
    setClock(1_700_000_005_000);
    await createNote(userId, { title: "Newer", text: "" });
    await deleteNote(userId, noteId);
    expect(await restoreNote(userId, noteId)).toEqual(pinned);
    expect(await requireNote(userId, noteId)).toEqual(pinned);
    expect((await listNotes(userId)).items.map(({ title }) => title)).toEqual(["Pinned", "Newer"]);
    expect(await saveNote(userId, noteId, { title: "Pinned", text: "more", revision: 1 })).toMatchObject({
      revision: 2,
    });
  });

  test("undo works for a day and not a second longer", async () => {
    const userId = person();
    const start = 1_700_000_000_000;
    setClock(start);
    const { noteId } = await createNote(userId, { title: "Plan", text: "words" });
    await deleteNote(userId, noteId);
    setClock(start + 86_400_000 - 1);
    await restoreNote(userId, noteId);
    await deleteNote(userId, noteId);
    setClock(start + 2 * 86_400_000);
    expect((await thrown(restoreNote(userId, noteId))).status).toBe(404);
  });

  test("deleting twice and undoing twice are as good as once", async () => {
    const userId = person();
    const { noteId } = await createNote(userId, { title: "Plan", text: "words" });
    await Promise.all([deleteNote(userId, noteId), deleteNote(userId, noteId)]);
    await Promise.all([restoreNote(userId, noteId), restoreNote(userId, noteId)]);
    expect(await requireNote(userId, noteId)).toMatchObject({ text: "words", revision: 1 });
  });

  test("a delete wins over a save, whichever comes first", async () => {
    const userId = person();
    for (let round = 0; round < 10; round++) {
      const { noteId } = await createNote(userId, { title: "Plan", text: "old" });
      const [saved] = await Promise.allSettled([
        saveNote(userId, noteId, { title: "Plan", text: "new", revision: 1 }),
        deleteNote(userId, noteId),
      ]);
      expect(await getNote(userId, noteId)).toBeUndefined();
      if (saved.status === "rejected") expect(saved.reason).toMatchObject({ status: 404, details: { deleted: true } });
      expect((await restoreNote(userId, noteId)).text).toBe(saved.status === "fulfilled" ? "new" : "old");
    }
  });

  test("the editor of a note that was deleted elsewhere is told that it was deleted", async () => {
    const userId = person();
    const note = await createNote(userId, { title: "Plan", text: "old" });
    await deleteNote(userId, note.noteId);
    for (const error of [
      await thrown(saveNote(userId, note.noteId, { title: "Plan", text: "new", revision: 1 })),
      await thrown(createNote(userId, { noteId: note.noteId, title: "Plan", text: "old" })),
      await thrown(pinNote(userId, note.noteId, true)),
    ])
      expect([error.status, error.details]).toEqual([404, { deleted: true }]);
  });
});

describe("another person", () => {
  test("gets for a note that is not theirs what an unknown id gets, and changes nothing", async () => {
    const [owner, other] = [person(), person()];
    const note = await createNote(owner, { title: "Private", text: "words" });
    const attempts = (noteId: string) => [
      requireNote(other, noteId),
      saveNote(other, noteId, { title: "Taken", text: "over", revision: 1 }),
      pinNote(other, noteId, true),
      deleteNote(other, noteId),
      restoreNote(other, noteId),
    ];
    const unknown = await Promise.all(attempts(ulid()).map(thrown));
    const foreign = await Promise.all(attempts(note.noteId).map(thrown));
    expect(foreign.map((error) => [error.status, error.body()])).toEqual(
      unknown.map((error) => [error.status, error.body()]),
    );
    expect(foreign.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    expect(await requireNote(owner, note.noteId)).toEqual(note);
    expect((await listNotes(other)).items).toEqual([]);
    expect((await searchNotes(other, "private")).items).toEqual([]);
  });

  test.each([
    "",
    "#",
    "/",
    "..",
    "a\0b",
    "x".repeat(2_048),
    "01ARZ3NDEKTSV4RRFFQ69G5FAV#",
    "01arz3ndektsv4rrffq69g5fav",
  ])("an id that Sidenote never made (%j) is refused before the table is asked", async (noteId) => {
    const userId = person();
    for (const work of [
      getNote(userId, noteId),
      createNote(userId, { noteId, title: "a", text: "" }),
      saveNote(userId, noteId, { title: "a", text: "", revision: 1 }),
      pinNote(userId, noteId, true),
      deleteNote(userId, noteId),
      restoreNote(userId, noteId),
    ])
      expect(await thrown(work)).toMatchObject({ code: "bad-id", status: 400 });
  });
});

describe("lists", () => {
  test("2,000 notes are paged without a gap or a repeat, pinned first, then the newest change", async () => {
    const userId = person();
    const start = 1_700_000_000_000;
    for (let from = 0; from < 2_000; from += 50) {
      setClock(start + from);
      await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          createNote(userId, { title: `Note ${from + index}`, text: `Text ${"word ".repeat(200)}` }),
        ),
      );
    }
    const all = await listAllNotes(userId);
    expect(all).toHaveLength(2_000);
    for (const note of all.slice(1_500, 1_507)) await pinNote(userId, note.noteId, true);

    const seen: Awaited<ReturnType<typeof listNotes>>["items"] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await listNotes(userId, { cursor, limit: 100 });
      expect(page.items.length).toBeLessThanOrEqual(100);
      seen.push(...page.items);
      cursor = page.cursor;
      pages++;
    } while (cursor);
    expect(pages).toBe(20);
    expect(new Set(seen.map(({ noteId }) => noteId)).size).toBe(2_000);
    expect(seen.slice(0, 8).map(({ pinned }) => pinned)).toEqual([true, true, true, true, true, true, true, false]);
    const times = seen.slice(7).map(({ changedAt }) => changedAt);
    expect(times).toEqual([...times].sort((one, other) => other - one));
    expect(await countNotes(userId)).toBe(2_000);
    const found = await searchNotes(userId, "text word");
    expect([found.items.length, found.more]).toEqual([50, true]);
  });

  test("a page goes on at its place when the notes around it are deleted or change", async () => {
    const userId = person();
    for (let index = 0; index < 6; index++) {
      setClock(1_700_000_000_000 + index);
      await createNote(userId, { title: `Note ${index}`, text: "" });
    }
    const first = await listNotes(userId, { limit: 3 });
    expect(first.items.map(({ title }) => title)).toEqual(["Note 5", "Note 4", "Note 3"]);
    for (const { noteId } of first.items) await deleteNote(userId, noteId);
    const second = await listNotes(userId, { limit: 3, cursor: first.cursor });
    expect(second.items.map(({ title }) => title)).toEqual(["Note 2", "Note 1", "Note 0"]);
    expect(second.cursor).toBeUndefined();
  });

  test("notes of more than a megabyte are given to prompts whole", async () => {
    const userId = person();
    const texts = Array.from({ length: 30 }, (_, index) => String(index).padEnd(50_000, "x"));
    await Promise.all(texts.map((text) => createNote(userId, { title: "Long", text })));
    expect((await listAllNotes(userId)).map(({ text }) => text).sort()).toEqual([...texts].sort());
  });

  const place = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const at = "NOTE#0#2026-01-01T00:00:00.000Z";
  const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  test.each([
    ["empty", ""],
    ["not of our making", "garbage"],
    ["NUL", "\0"],
    ["no object", place("x")],
    ["too many keys", place({ at, id, pk: "USER#victim" })],
    ["another kind of item", place({ at: "THREAD#0#2026-01-01T00:00:00.000Z", id })],
    ["among the deleted", place({ at: "DELETED#2026-01-01T00:00:00.000Z", id })],
    ["another key", place({ at, id: "../ACCOUNT" })],
    ["2 KB", place({ at, id: "x".repeat(2_048) })],
    ["a polluted prototype", Buffer.from(`{"at":"${at}","id":"${id}","__proto__":{"pk":"x"}}`).toString("base64url")],
  ])("a forged cursor (%s) is a bad request", async (_, cursor) => {
    expect(await thrown(listNotes(person(), { cursor }))).toMatchObject({ code: "bad-request", status: 400 });
  });

  test("another person's cursor shows only one's own notes", async () => {
    const [owner, other] = [person(), person()];
    for (const title of ["a", "b", "c"]) await createNote(owner, { title, text: "" });
    setClock(1_600_000_000_000);
    const own = await createNote(other, { title: "own", text: "" });
    const { cursor } = await listNotes(owner, { limit: 1 });
    expect(cursor).toBeDefined();
    expect((await listNotes(other, { cursor })).items.map(({ noteId }) => noteId)).toEqual([own.noteId]);
  });
});

describe("search", () => {
  test("finds titles and texts whatever their case and accents, every word of the query, newest first", async () => {
    const userId = person();
    const write = async (time: number, title: string, text: string) => {
      setClock(1_700_000_000_000 + time);
      return createNote(userId, { title, text });
    };
    const old = await write(1, "Café in Łódź", "opening hours");
    await pinNote(userId, old.noteId, true);
    await write(2, "Trip", "The CAFE by the river in Lodz, ask for Zoë");
    await write(3, "Tea", "Straße 4");
    const titles = async (query: string) => (await searchNotes(userId, query)).items.map(({ title }) => title);
    expect(await titles("cafe lodz")).toEqual(["Trip", "Café in Łódź"]);
    expect(await titles("ZOE")).toEqual(["Trip"]);
    expect(await titles("strasse")).toEqual(["Tea"]);
    expect(await titles("cafe tea")).toEqual([]);
    expect(await titles("   ")).toEqual([]);
    expect(await titles("(.*)+$[")).toEqual([]);
  });

  test("shows the words around the hit", async () => {
    const userId = person();
    await createNote(userId, {
      title: "Log",
      text: `${"before ".repeat(300)}the expansión vessel ${"after ".repeat(300)}`,
    });
    const [hit] = (await searchNotes(userId, "expansion")).items;
    expect(hit?.snippet.filter((part) => part.hit)).toEqual([{ text: "expansión", hit: true }]);
    expect(hit?.snippet.map(({ text }) => text).join("")).toMatch(/^…before before .*the expansión vessel after/);
  });
});
