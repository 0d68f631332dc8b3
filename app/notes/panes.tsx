/** What stands beside the list of notes: the paper for one note, and the words where there is none. */
import { Form, isRouteErrorResponse, Link, useNavigation, useRouteError } from "@remix-run/react";
import type { ReactNode } from "react";
import { Button, buttonClass } from "~/ui/button";
import { errorWords } from "~/ui/error-page";
import type { NoteCard } from "./note";

/** What the list of notes gives to the page beside it. */
export interface NotesContext {
  userId: string;
  /** Whether the person has no note at all. */
  none: boolean;
  onChanged: (change: Pick<NoteCard, "noteId" | "title" | "pinned" | "changedAt">) => void;
  onDeleted: (noteId: string) => void;
}

/** The place of the editor: 500 wide beside the list, the whole width on a phone. */
export function Paper({ children, wide = false }: { children: ReactNode; wide?: boolean }) {
  return (
    <div
      className={`mx-auto min-h-full w-[min(37rem,100%_-_2*var(--white))] md:mr-8 md:ml-12 md:w-auto ${wide ? "md:max-w-[48.75rem]" : "md:max-w-[31.25rem]"}`}
    >
      {children}
    </div>
  );
}

/** A sentence on the paper, with what can be done about it. */
export function Remark({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <Paper>
      <div className="pt-[5rem] max-md:pt-8">
        <p className="text-read">{children}</p>
        {action && <div className="mt-6 flex flex-wrap gap-2">{action}</div>}
      </div>
    </Paper>
  );
}

/** Why this note cannot be shown; the list stays beside it. */
export function NoteProblem({ action }: { action: ReactNode }) {
  const error = useRouteError();
  const missing = isRouteErrorResponse(error) && (error.status === 404 || error.status === 400);
  const { text } = errorWords(error, typeof navigator === "undefined" || navigator.onLine);
  return <Remark action={action}>{missing ? "There is no such note, or it was deleted." : text}</Remark>;
}

/** What stands in the place of a note that the person deleted less than a day ago. */
export function Tombstone({ noteId }: { noteId: string }) {
  const pending = useNavigation().formData?.get("intent") === "restore";
  return (
    <Remark
      action={
        <>
          <Form method="post" action={`/notes/${noteId}`}>
            <input type="hidden" name="intent" value="restore" />
            <input type="hidden" name="open" value="1" />
            <Button type="submit" pending={pending}>
              Undo
            </Button>
          </Form>
          <Link to="/notes" className={buttonClass("quiet", "medium", "md:hidden")}>
            All notes
          </Link>
        </>
      }
    >
      Note deleted. Its text is kept for a day.
    </Remark>
  );
}
