import { randomUUID } from "node:crypto";
import { ulid } from "ulid";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { NoteAnswer } from "~/notes/forms.server";
import { startTable } from "./table";

const local = await startTable();
const { answerNoteForm } = await import("~/notes/forms.server");
const { createNote, deleteNote, getNote, listAllNotes, requireNote } = await import("~/notes/notes.server");
const { documents } = await import("~/data/table.server");
const { runInvocation } = await import("~/invocation.server");

let running = true;
async function stopTable(): Promise<void> {
  if (running) await local.stop();
  running = false;
}
afterAll(async () => {
  documents.destroy();
  await stopTable();
});

const invocation = { requestId: "test", deadline: Date.now() + 600_000, waitUntil: () => undefined };

/** What a route hands back: a redirect, or data with its status. */
async function post(
  userId: string,
  place: string,
  body: Record<string, string> | FormData,
): Promise<{ status: number; answer?: NoteAnswer; location?: string | null }> {
  const request = new Request(`http://localhost/notes/${place}`, {
    method: "POST",
    body: body instanceof FormData ? body : new URLSearchParams(body),
  });
  const result = await runInvocation(invocation, () => answerNoteForm(userId, place, request));
  if ("data" in result) return { status: result.init?.status ?? 200, answer: result.data };
  return { status: result.status, location: result.headers.get("location") };
}

describe("a new note", () => {
  test("that another page saves is answered with its id, and saving it twice makes one", async () => {
    const userId = randomUUID();
    const form = { intent: "create", title: "", text: "# From an answer\nwords", noteId: ulid() };
    const answers = await Promise.all([post(userId, "new", form), post(userId, "new", form)]);
    for (const { status, answer } of answers)
      expect({ status, answer }).toMatchObject({
        status: 200,
        answer: { noteId: form.noteId, saved: { title: "From an answer", revision: 1 } },
      });
    expect(await listAllNotes(userId)).toHaveLength(1);
  });

  test("that a browser without a script posts leads to its page", async () => {
    const userId = randomUUID();
    const { status, location } = await post(userId, "new", { intent: "create", title: "a", text: "", open: "1" });
    const [note] = await listAllNotes(userId);
    expect([status, location]).toEqual([303, `/notes/${note?.noteId}`]);
  });

  test("without any words is refused, and the form stays", async () => {
    const { status, answer } = await post(randomUUID(), "new", {
      intent: "create",
      title: " ",
      text: "\r\n",
      open: "1",
    });
    expect(status).toBe(400);
    expect(answer?.refused?.message).toBe("Write a title or a text first.");
  });

  test("that is too long comes back whole, with the figures", async () => {
    const draft = { title: "Long", text: "x".repeat(50_001) };
    const { status, answer } = await post(randomUUID(), "new", { intent: "create", ...draft, open: "1" });
    expect(status).toBe(413);
    expect(answer?.draft).toEqual(draft);
    expect(answer?.refused?.message).toBe("A note has at most 50,000 characters. This one has 50,001.");
  });
});

describe("a save", () => {
  test("against newer words is a 409 that holds both, with the id to save over", async () => {
    const userId = randomUUID();
    const { noteId } = await createNote(userId, { title: "Plan", text: "old" });
    await post(userId, noteId, { intent: "save", title: "Plan", text: "theirs", revision: "1" });
    const mine = { title: "Plan", text: "mine" };
    const { status, answer } = await post(userId, noteId, { intent: "save", ...mine, revision: "1", open: "1" });
    expect(status).toBe(409);
    expect(answer).toEqual({
      noteId,
      refused: {
        code: "conflict",
        message: "This note changed elsewhere. Keep yours, or take theirs?",
        theirs: { title: "Plan", text: "theirs", revision: 2 },
      },
      draft: mine,
    });
  });

  test("of a deleted note says that it was deleted and gives the words back", async () => {
    const userId = randomUUID();
    const { noteId } = await createNote(userId, { title: "Plan", text: "old" });
    await deleteNote(userId, noteId);
    const { status, answer } = await post(userId, noteId, {
      intent: "save",
      title: "Plan",
      text: "mine",
      revision: "1",
      open: "1",
    });
    expect(status).toBe(404);
    expect(answer).toMatchObject({ refused: { deleted: true }, draft: { text: "mine" } });
    expect(await getNote(userId, noteId)).toBeUndefined();
  });
});

test("delete, undo and pin answer with what then holds", async () => {
  const userId = randomUUID();
  const { noteId } = await createNote(userId, { title: "Plan", text: "old" });
  expect(await post(userId, noteId, { intent: "pin", pinned: "true" })).toMatchObject({
    answer: { noteId, saved: { pinned: true, revision: 1 } },
  });
  expect(await post(userId, noteId, { intent: "delete" })).toMatchObject({ answer: { noteId, deleted: true } });
  expect(await post(userId, noteId, { intent: "restore", open: "1" })).toEqual({
    status: 303,
    location: `/notes/${noteId}`,
  });
  expect(await requireNote(userId, noteId)).toMatchObject({ text: "old", pinned: true });
});

test("for another person's note every form gets what an unknown id gets", async () => {
  const [owner, other] = [randomUUID(), randomUUID()];
  const note = await createNote(owner, { title: "Private", text: "words" });
  const forms: Record<string, string>[] = [
    { intent: "save", title: "Taken", text: "over", revision: "1" },
    { intent: "pin", pinned: "true" },
    { intent: "delete" },
    { intent: "restore" },
  ];
  const unknownId = ulid();
  for (const form of forms) {
    const foreign = await post(other, note.noteId, form);
    const unknown = await post(other, unknownId, form);
    expect(foreign.status).toBe(404);
    expect({ ...foreign.answer, noteId: "" }).toEqual({ ...unknown.answer, noteId: "" });
  }
  expect(await requireNote(owner, note.noteId)).toEqual(note);
});

describe("what a form must not hold", () => {
  const noteId = ulid();
  const file = new FormData();
  for (const [name, value] of Object.entries({ intent: "create", title: "a" })) file.set(name, value);
  file.set("text", new Blob(["words"]), "text.txt");
  test.each<[string, string, Record<string, string> | FormData]>([
    ["nothing", "new", {}],
    ["another person's id", "new", { intent: "create", title: "a", text: "b", userId: "victim" }],
    ["a time of its own", "new", { intent: "create", title: "a", text: "b", createdAt: "1" }],
    ["an id with a path in it", "new", { intent: "create", title: "a", text: "b", noteId: "../ACCOUNT" }],
    ["a file for a text", "new", file],
    ["a save where nothing is stored", "new", { intent: "save", title: "a", text: "b", revision: "1" }],
    ["a create where something is stored", noteId, { intent: "create", title: "a", text: "b" }],
    ["no revision", noteId, { intent: "save", title: "a", text: "b" }],
    ["revision 0", noteId, { intent: "save", title: "a", text: "b", revision: "0" }],
    ["a revision that is no number", noteId, { intent: "save", title: "a", text: "b", revision: "1e3" }],
    ["a pin that is neither on nor off", noteId, { intent: "pin", pinned: "maybe" }],
    ["an unknown intent", noteId, { intent: "steal" }],
    ["words with a delete", noteId, { intent: "delete", text: "b" }],
    ["the prototype", noteId, JSON.parse('{ "intent": "delete", "__proto__": "x" }') as Record<string, string>],
  ])("%s: 400", async (_, place, body) => {
    await expect(post(randomUUID(), place, body)).rejects.toMatchObject({ code: "bad-request", status: 400 });
  });

  test("another content type: 415", async () => {
    const request = new Request("http://localhost/notes/new", {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body: "intent=create&title=a&text=b",
    });
    await expect(answerNoteForm(randomUUID(), "new", request)).rejects.toMatchObject({ status: 415 });
  });
});

test("while the table cannot be reached, the words come back with a 503 and none of them is logged", async () => {
  await stopTable();
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const draft = { title: "Plan", text: "written during an outage" };
  const { status, answer } = await post(randomUUID(), "new", { intent: "create", ...draft, open: "1" });
  expect(status).toBe(503);
  expect(answer).toMatchObject({ refused: { code: "unavailable" }, draft });
  expect(logged).toHaveBeenCalled();
  expect(JSON.stringify(logged.mock.calls)).not.toContain("outage");
  logged.mockRestore();
});
