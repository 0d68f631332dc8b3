/**
 * What the forms of a note's page do: create, save, pin, delete, restore. A form sent by the page's own script is
 * answered with data; one sent by the browser itself says `open` and is led to the note. Whatever goes wrong with
 * a save, the answer gives the person's words back, since without a script the browser has forgotten them.
 */
import { data, redirect } from "@remix-run/node";
import { z } from "zod";
import { PublicError } from "~/errors";
import { checked, publicError, readForm } from "~/http.server";
import { isNoteId, type Note, type NoteDraft } from "./note";
import { createNote, deleteNote, pinNote, restoreNote, saveNote } from "./notes.server";

/** What a note's page is told about its form. */
export interface NoteAnswer {
  noteId: string;
  /** The note as it stands now, without its text: that is what was sent, normalised. */
  saved?: Pick<Note, "title" | "revision" | "changedAt" | "pinned">;
  deleted?: true;
  refused?: NoteRefusal;
  /** The words that were not saved; only for pages without a script. */
  draft?: NoteDraft;
}

export interface NoteRefusal {
  code: string;
  message: string;
  /** What is stored now, if that is why. */
  theirs?: NoteDraft & { revision: number };
  /** Set if the person deleted the note and it can still be brought back. */
  deleted?: true;
}

const open = z.literal("1").optional();
const words = { title: z.string(), text: z.string() };
const noteId = z.string().refine(isNoteId, "This is not an id that Sidenote made.");

const newForm = z.strictObject({ intent: z.literal("create"), ...words, noteId: noteId.optional(), open });
const noteForm = z.discriminatedUnion("intent", [
  z.strictObject({
    intent: z.literal("save"),
    ...words,
    revision: z
      .string()
      .regex(/^[1-9]\d{0,8}$/)
      .transform(Number),
    open,
  }),
  z.strictObject({ intent: z.literal("pin"), pinned: z.enum(["true", "false"]), open }),
  z.strictObject({ intent: z.literal("delete"), open }),
  z.strictObject({ intent: z.literal("restore"), open }),
]);

const saved = ({ noteId, title, revision, changedAt, pinned }: Note) => ({
  noteId,
  saved: { title, revision, changedAt, pinned },
});

type Form = Partial<NoteDraft> & { noteId?: string | undefined; open?: "1" | undefined };

/** Answers a form by `work`; an error is answered with the words that were sent. */
async function answer(noteId: string, form: Form, work: () => Promise<Omit<NoteAnswer, "refused" | "draft">>) {
  try {
    const done = await work();
    return form.open ? redirect(`/notes/${done.noteId}`, 303) : data<NoteAnswer>(done);
  } catch (error) {
    const refusal = publicError(error, "notes");
    const { title = "", text } = form;
    return data<NoteAnswer>(
      {
        noteId,
        refused: { ...refusal.details, code: refusal.code, message: refusal.message },
        ...(form.open && text !== undefined && { draft: { title, text } }),
      },
      { status: refusal.status },
    );
  }
}

/** Answers a form that was posted to a note's page; `place` is the note's id, or `new`. */
export async function answerNoteForm(userId: string, place: string, request: Request) {
  const fields = await readForm(request);
  if (place === "new") {
    const form = checked(fields, newForm);
    return answer(form.noteId ?? place, form, async () => {
      if (form.title.trim() === "" && form.text.trim() === "")
        throw new PublicError("bad-request", { message: "Write a title or a text first." });
      return saved(await createNote(userId, form));
    });
  }
  if (!isNoteId(place)) throw new PublicError("bad-id");
  const form = checked(fields, noteForm);
  return answer(place, form, async () => {
    switch (form.intent) {
      case "save":
        return saved(await saveNote(userId, place, form));
      case "pin":
        return saved(await pinNote(userId, place, form.pinned === "true"));
      case "restore":
        return saved(await restoreNote(userId, place));
      case "delete":
        await deleteNote(userId, place);
        return { noteId: place, deleted: true };
    }
  });
}
