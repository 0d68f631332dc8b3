/**
 * A note that an answer proposes, in its place in the answer: Save keeps it, Edit opens it as a new note's draft,
 * Dismiss folds it away and can be taken back. Its words are shown as they are, so nothing in them can act.
 */
import { Link, useNavigate } from "@remix-run/react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "~/ui/button";
import { NotebookPenIcon } from "~/ui/icons";
import { type Suggestion, type SuggestionState, suggestedNoteId } from "./suggestions";
import { post } from "./thread-list";

/** What the editor of a new note takes over from a suggestion; the state of a navigation. */
export interface ProposedNote {
  proposed: { noteId: string; title: string; text: string };
}

export function SuggestionCard({
  threadId,
  answerId,
  nth,
  suggestion,
  stored,
  growing,
}: {
  threadId: string;
  answerId: string;
  nth: number;
  suggestion: Suggestion;
  stored: SuggestionState;
  growing: boolean;
}) {
  // What the person did here counts until the page's data says the same.
  const [own, setOwn] = useState<SuggestionState>();
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState<string>();
  const navigate = useNavigate();
  const after = useRef<HTMLDivElement>(null);
  const noteId = suggestedNoteId(answerId, nth);
  const state = own ?? stored;
  const { title, text, whole } = suggestion;

  // The pressed button is gone: the focus goes to what stands in its place.
  useEffect(() => {
    if (own) after.current?.querySelector<HTMLElement>("a, button")?.focus();
  }, [own]);

  async function save() {
    setSaving(true);
    setProblem(undefined);
    try {
      // Asked for as data, Remix runs the action alone and renders no page.
      const response = await fetch("/notes/new.data", {
        method: "POST",
        body: new URLSearchParams({ intent: "create", noteId, title, text }),
      });
      if (response.status === 200 || response.status === 409) {
        // 409: it was saved before, and reads differently by now.
        setOwn("saved");
      } else if (response.status === 404) setOwn("deleted");
      else setProblem("Not saved. Try again.");
    } catch {
      setProblem(navigator.onLine ? "Not saved. Try again." : "Not saved. You are offline.");
    }
    setSaving(false);
  }

  async function dismiss(dismissed: boolean) {
    setOwn(dismissed ? "dismissed" : "open");
    setProblem(undefined);
    const outcome = await post(threadId, {
      intent: "suggestion",
      messageId: answerId,
      nth: String(nth),
      dismissed: String(dismissed),
    });
    if (outcome === "done") return;
    setOwn(dismissed ? "open" : "dismissed");
    setProblem(navigator.onLine ? "Not kept. Try again." : "Not kept. You are offline.");
  }

  function edit() {
    const proposal: ProposedNote = { proposed: { noteId, title, text } };
    navigate("/notes/new", { state: proposal });
  }

  if (state === "dismissed")
    return (
      <Line after={after} problem={problem}>
        <span className="truncate">Suggested note dismissed: {title}</span>
        <button type="button" className="link shrink-0" onClick={() => dismiss(false)}>
          Show again
        </button>
      </Line>
    );
  return (
    <section
      aria-label={`Suggested note: ${title}`}
      className="hang my-4 rounded-l border border-line px-[calc(var(--hang)-1px)] pt-2.5 pb-3"
    >
      <p className="flex items-center gap-1.5 text-ink-3 text-meta">
        <NotebookPenIcon size={14} />
        Suggested note
      </p>
      <p className="mt-1.5 font-strong text-ink text-note [overflow-wrap:anywhere]">
        {title}
        {growing && !whole && text === "" && <span className="caret" aria-hidden />}
      </p>
      {text !== "" && (
        <p className="mt-0.5 whitespace-pre-wrap text-ink-2 text-note [overflow-wrap:anywhere]">
          {text}
          {growing && !whole && <span className="caret" aria-hidden />}
        </p>
      )}
      <div ref={after} className="mt-2.5 flex min-h-7 flex-wrap items-center gap-1 pointer-coarse:min-h-9">
        {state === "saved" ? (
          <>
            <span role="status" className="mr-2 text-ink-2 text-meta">
              Saved as a note
            </span>
            <Link to={`/notes/${noteId}`} className="link text-meta">
              Open note
            </Link>
          </>
        ) : state === "deleted" ? (
          <span className="text-ink-3 text-meta">Saved as a note and deleted since</span>
        ) : whole && !growing ? (
          <>
            <Button size="small" className="px-3!" pending={saving} onClick={save}>
              Save
            </Button>
            <Button kind="quiet" size="small" onClick={edit}>
              Edit
            </Button>
            <Button kind="quiet" size="small" onClick={() => dismiss(true)}>
              Dismiss
            </Button>
            <span className="ml-1 text-ink-3 text-meta">Nothing is stored until you save it.</span>
          </>
        ) : (
          <span className="text-ink-3 text-meta">{growing ? "" : "Cut off"}</span>
        )}
        {problem && (
          <span role="alert" className="text-danger text-meta">
            {problem}
          </span>
        )}
      </div>
    </section>
  );
}

function Line({
  after,
  problem,
  children,
}: {
  after: React.RefObject<HTMLDivElement>;
  problem: string | undefined;
  children: ReactNode;
}) {
  return (
    <div ref={after} className="my-3 flex items-center gap-3 text-ink-3 text-meta">
      {children}
      {problem && (
        <span role="alert" className="text-danger">
          {problem}
        </span>
      )}
    </div>
  );
}
