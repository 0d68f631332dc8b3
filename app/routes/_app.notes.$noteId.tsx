import { type ActionFunctionArgs, data, type LoaderFunctionArgs, type MetaFunction } from "@remix-run/node";
import {
  type ClientActionFunctionArgs,
  Link,
  type ShouldRevalidateFunctionArgs,
  useActionData,
  useLoaderData,
  useOutletContext,
  useParams,
} from "@remix-run/react";
import { useEffect, useRef } from "react";
import { ulid } from "ulid";
import { requirePerson } from "~/auth/session.server";
import { PublicError } from "~/errors";
import { page } from "~/http.server";
import { wasRefused } from "~/notes/answers";
import { answerNoteForm, type NoteAnswer } from "~/notes/forms.server";
import { NoteEditor } from "~/notes/NoteEditor";
import { getNoteOrTombstone } from "~/notes/notes.server";
import { NoteProblem, type NotesContext, Tombstone } from "~/notes/panes";
import { buttonClass } from "~/ui/button";
import { answerOr } from "~/ui/unanswered";

export const meta: MetaFunction<typeof loader> = ({ data }) => {
  const title = data?.note?.title ?? (data?.deleted ? "Note deleted" : data ? "New note" : "Notes");
  return [{ title: `${title} · Sidenote` }];
};

export function loader({ request, params }: LoaderFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    const place = params.noteId ?? "";
    const newId = ulid();
    if (place === "new") return { newId, note: undefined, deleted: false };
    const note = await getNoteOrTombstone(userId, place);
    if (!note) throw new PublicError("not-found");
    if (note.deletedAt === undefined) return { newId, note, deleted: false };
    return data({ newId, note: undefined, deleted: true }, { status: 404 });
  });
}

export function action({ request, params }: ActionFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    return answerNoteForm(userId, params.noteId ?? "", request);
  });
}

export function clientAction({ serverAction, params }: ClientActionFunctionArgs) {
  const message = "Sidenote cannot be reached. What you wrote is kept here. Try again.";
  const refused = { code: "unavailable", message };
  return answerOr(
    () => serverAction<typeof action>(),
    () => ({ noteId: params.noteId ?? "", refused }) satisfies NoteAnswer,
  );
}

export function shouldRevalidate(change: ShouldRevalidateFunctionArgs) {
  const { currentUrl, nextUrl, currentParams, nextParams, formMethod, formData } = change;
  if (wasRefused(change)) return false;
  if (currentParams.noteId !== nextParams.noteId) return true;
  // The editor leaves by itself.
  if (formData?.get("intent") === "delete") return false;
  // A new note keeps its id until it is left, so that it is made once.
  if (nextParams.noteId === "new") return false;
  // What is looked for in the list does not concern the note beside it.
  const reads = formMethod === undefined || formMethod.toUpperCase() === "GET";
  return reads && currentUrl.search !== nextUrl.search ? false : change.defaultShouldRevalidate;
}

export default function NoteRoute() {
  const { note, newId, deleted } = useLoaderData<typeof loader>();
  const answer = useActionData<NoteAnswer>();
  const { userId, onChanged, onDeleted } = useOutletContext<NotesContext>();
  // A note that is deleted elsewhere while it is being edited must not take the editor along.
  const edited = useRef(note);
  useEffect(() => {
    if (note || !deleted) edited.current = note;
  }, [note, deleted]);
  const { noteId = newId } = useParams();
  const stored = note ?? (deleted && edited.current?.noteId === noteId ? edited.current : undefined);
  if (deleted && !stored && !answer?.draft) return <Tombstone noteId={noteId} />;
  const id = noteId === "new" ? newId : noteId;
  return (
    <NoteEditor
      key={id}
      userId={userId}
      noteId={id}
      newId={newId}
      stored={stored}
      deleted={deleted}
      answer={answer}
      onChanged={onChanged}
      onDeleted={onDeleted}
    />
  );
}

export function ErrorBoundary() {
  return (
    <NoteProblem
      action={
        <Link to="/notes" className={buttonClass("second")}>
          All notes
        </Link>
      }
    />
  );
}
