/**
 * The editor of one note: bare paper with a title and a text. Without a script it is a plain form. With one, Save is
 * on only when something changed, Ctrl or Cmd S saves, what is not saved is kept in this browser, and whatever is
 * said against a save leaves the person's words where they are.
 */
import { Form, Link, useFetcher, useLocation, useNavigate } from "@remix-run/react";
import { type FormEvent, type ReactNode, useCallback, useEffect, useId, useReducer, useRef, useState } from "react";
import { Button, buttonClass } from "~/ui/button";
import { ChevronLeftIcon, PinIcon, UnpinIcon } from "~/ui/icons";
import { useAnswer } from "./answers";
import { estimateTokens } from "./choose";
import { keepNote, readKeptNote } from "./drafts";
import { begin, type Editing, edit, isChanged, revisionToSave, type Stored } from "./editing";
import type { NoteAnswer } from "./forms.server";
import { cleanDraft, countWords, isNoteId, type NoteDraft, problemsOf } from "./note";
import { type NotesContext, Paper, Tombstone } from "./panes";
import { clock, Day, useHydrated } from "./when";

export interface EditorProps {
  userId: string;
  /** The note's id; for a new note the one it will have. */
  noteId: string;
  /** A spare id, for when the words of a deleted note are saved as a new one. */
  newId: string;
  /** Whether the note was deleted; `stored` is then what the person began with. */
  deleted: boolean;
  /** What is stored; absent for a new note. */
  stored?: (Stored & { pinned: boolean; changedAt: number }) | undefined;
  /** What the server said to the form that led to this page, without a script. */
  answer?: NoteAnswer | undefined;
  onChanged: NotesContext["onChanged"];
  onDeleted: NotesContext["onDeleted"];
}

const empty: Stored = { title: "", text: "", revision: 0 };

function start({ stored, answer }: EditorProps): Editing {
  const state = begin(stored ?? empty);
  if (!answer?.refused || !answer.draft) return state;
  const { message, theirs, deleted, code } = answer.refused;
  return edit(edit(state, { type: "typed", draft: answer.draft }), {
    type: "refused",
    problem: message,
    ...(theirs && { theirs }),
    gone: deleted === true || code === "not-found",
  });
}

const asideWords = {
  "took-theirs": "You took theirs. Yours is kept here until you leave this note.",
  "kept-yours": "You kept yours. Theirs is kept here until you leave this note.",
  discarded: "Changes discarded.",
} as const;
const asideButtons = {
  "took-theirs": "Bring yours back",
  "kept-yours": "Bring theirs back",
  discarded: "Undo",
} as const;

/** The note that an answer proposed, if the person came to edit it: what the navigation carries along. */
function proposedNote(state: unknown): (NoteDraft & { noteId: string }) | undefined {
  const { proposed } = (state ?? {}) as { proposed?: Partial<NoteDraft & { noteId: string }> };
  if (!isNoteId(proposed?.noteId) || typeof proposed.title !== "string" || typeof proposed.text !== "string")
    return undefined;
  return { noteId: proposed.noteId, title: proposed.title, text: proposed.text };
}

/** The passage that an address points at, `#passage=<text>`; undefined: at none. */
function passageOf(hash: string): string | undefined {
  try {
    return /^#passage=(.+)$/.exec(hash)?.[1] ? decodeURIComponent(hash.slice("#passage=".length)) : undefined;
  } catch {
    // Anybody may write nonsense behind an address.
    return undefined;
  }
}

/**
 * A field cannot mark a part of its text. So the same text stands under it, unseen but for the ground of the passage,
 * which is brought into view.
 */
function PassageMark({ text, at, length }: { text: string; at: number; length: number }) {
  const mark = useRef<HTMLElement>(null);
  useEffect(() => {
    void document.fonts.ready.then(() => mark.current?.scrollIntoView({ block: "center" }));
  }, []);
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute inset-0 select-none whitespace-pre-wrap text-read text-transparent [overflow-wrap:break-word]"
    >
      {text.slice(0, at)}
      <mark ref={mark} className="rounded-s bg-accent-soft text-transparent shadow-[0_0_0_2px_var(--accent-soft)]">
        {text.slice(at, at + length)}
      </mark>
      {text.slice(at + length)}
    </div>
  );
}

/** A button that posts an intent. With a script the page stays as it is. */
function ActionForm(props: {
  action: string;
  fields: Record<string, string>;
  send: (fields: Record<string, string>) => void;
  children: ReactNode;
}) {
  const { action, fields, send, children } = props;
  return (
    <Form
      method="post"
      action={action}
      onSubmit={(event) => {
        event.preventDefault();
        send(fields);
      }}
    >
      {Object.entries({ ...fields, open: "1" }).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {children}
    </Form>
  );
}

/** Keeps what is not saved in this browser: a moment after each change, and before the page goes away. */
function useKept(userId: string, place: string, noteId: string, state: Editing, ready: boolean): boolean {
  const [refused, setRefused] = useState(false);
  const pending = useRef<(() => void) | undefined>(undefined);
  const { draft, base } = state;
  const changed = isChanged(state);
  useEffect(() => {
    if (!ready) return;
    pending.current = () => {
      pending.current = undefined;
      setRefused(!keepNote(userId, place, changed ? { ...draft, revision: base.revision, noteId } : undefined));
    };
    const timer = setTimeout(() => pending.current?.(), 300);
    return () => clearTimeout(timer);
  }, [userId, place, noteId, draft, base, changed, ready]);
  useEffect(() => {
    // Only what is not kept yet: a draft that sign-out just forgot must not come back.
    const flush = () => pending.current?.();
    window.addEventListener("pagehide", flush);
    return () => {
      window.removeEventListener("pagehide", flush);
      flush();
    };
  }, []);
  return refused && changed;
}

export function NoteEditor(props: EditorProps) {
  const { userId, noteId, stored, onChanged, onDeleted } = props;
  const { deleted } = props;
  const place = stored || deleted ? noteId : "new";
  const [state, happen] = useReducer(edit, props, start);
  const [ready, setReady] = useState(false);
  const [savedAt, setSavedAt] = useState<number>();
  const hydrated = useHydrated();
  const navigate = useNavigate();
  const { search, hash, state: handed } = useLocation();
  const saver = useFetcher<NoteAnswer>();
  const actor = useFetcher<NoteAnswer>();
  const titleField = useRef<HTMLInputElement>(null);
  const textField = useRef<HTMLTextAreaElement>(null);
  const formId = useId();

  const { draft, theirs, problem } = state;
  const aside = state.aside.at(-1);
  const changed = isChanged(state);
  const gone = state.gone || deleted;
  const problems = problemsOf(cleanDraft(draft));
  const tooLong = problems.title ?? problems.text;
  const blank = draft.title.trim() === "" && draft.text.trim() === "" && !stored;
  // The id under which a kept, never saved note was sent before: sending it again makes no second one.
  const [ownId, setOwnId] = useState(noteId);
  // Chosen once, when it is needed, so that a repeated save makes one note.
  const [spareId, setSpareId] = useState<string>();
  if (gone && spareId === undefined && props.newId !== ownId) setSpareId(props.newId);
  const target = gone || revisionToSave(state) === 0 ? "/notes/new" : `/notes/${ownId}`;
  const createdId = gone ? spareId : ownId;
  const fields: Record<string, string> =
    target === "/notes/new"
      ? { intent: "create", title: draft.title, text: draft.text, ...(createdId && { noteId: createdId }) }
      : { intent: "save", title: draft.title, text: draft.text, revision: String(revisionToSave(state)) };

  // The field holds a line's end as "\n", as the stored text does.
  const passage = stored ? passageOf(hash) : undefined;
  const passageAt = passage === undefined ? -1 : draft.text.indexOf(passage);
  const isPassageGone = passage !== undefined && !stored?.text.includes(passage);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each passage, and never while the person types
  useEffect(() => {
    const field = textField.current;
    // Under a finger the focus would bring the keyboard up.
    if (passageAt < 0 || !field || !window.matchMedia("(pointer: fine)").matches) return;
    field.focus({ preventScroll: true });
    field.setSelectionRange(passageAt, passageAt);
  }, [hydrated, passage]);

  const notKept = useKept(userId, place, ownId, state, ready);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page takes over from the server's HTML
  useEffect(() => {
    const typed: NoteDraft = {
      title: titleField.current?.value ?? draft.title,
      text: textField.current?.value ?? draft.text,
    };
    if (typed.title !== draft.title || typed.text !== draft.text) happen({ type: "typed", draft: typed });
    const kept = readKeptNote(userId, place);
    const proposed = stored ? undefined : proposedNote(handed);
    // Words that were kept of another new note stand one step back; those of this one are its newest.
    if (proposed && kept?.noteId !== proposed.noteId) {
      happen({ type: "typed", draft: proposed });
      setOwnId(proposed.noteId);
      if (kept) happen({ type: "found", draft: kept, revision: kept.revision });
    } else if (kept) {
      happen({ type: "found", draft: kept, revision: kept.revision });
      if (!stored) setOwnId(kept.noteId);
    }
    setReady(true);
  }, []);

  const loadedRevision = stored?.revision;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the words of a revision never change
  useEffect(() => {
    if (stored) happen({ type: "loaded", stored });
  }, [loadedRevision]);

  const canSave = changed && !blank && !tooLong;
  const again = useRef(false);
  const save = useCallback(() => {
    if (!canSave) return;
    if (saver.state !== "idle") {
      again.current = true;
      return;
    }
    again.current = false;
    happen({ type: "sent" });
    saver.submit(fields, { method: "post", action: target });
  }, [canSave, saver, fields, target]);
  const latestSave = useRef(save);
  useEffect(() => {
    latestSave.current = save;
    if (again.current && saver.state === "idle") save();
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      latestSave.current();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  // Where to go when the answers are in: not before, since a form that ends under way would end the navigation too.
  const [leaving, setLeaving] = useState<{ to: string; replace: boolean }>();
  const left = useRef(leaving);
  const idle = saver.state === "idle" && actor.state === "idle";
  useEffect(() => {
    if (!leaving || leaving === left.current || !idle) return;
    left.current = leaving;
    navigate({ pathname: leaving.to, search }, { replace: leaving.replace });
  });
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    // What was typed until the page was there may have been kept under the old name.
    keepNote(userId, before.current, undefined);
    before.current = place;
    setLeaving(undefined);
  }, [userId, place]);

  useAnswer(saver.data, (answer) => {
    if (answer.saved) {
      happen({ type: "saved", ...answer.saved });
      setSavedAt(Date.now());
      onChanged({ noteId: answer.noteId, ...answer.saved });
      if (!stored || gone) {
        keepNote(userId, place, undefined);
        setLeaving({ to: `/notes/${answer.noteId}`, replace: true });
      }
    } else if (answer.refused) {
      const { message, theirs, deleted, code } = answer.refused;
      happen({
        type: "refused",
        problem: message,
        ...(theirs && { theirs }),
        gone: deleted === true || (code === "not-found" && stored !== undefined),
      });
    }
  });
  useAnswer(actor.data, (answer) => {
    if (answer.deleted) {
      onDeleted(answer.noteId);
      setLeaving({ to: "/notes", replace: false });
    } else if (answer.saved) onChanged({ noteId: answer.noteId, ...answer.saved });
    else if (answer.refused) {
      const { message, code } = answer.refused;
      happen({ type: "refused", problem: message, gone: code === "not-found" });
    }
  });

  useEffect(() => {
    const field = textField.current;
    if (!field || CSS.supports("field-sizing", "content") || field.value !== draft.text) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }, [draft.text]);

  const pinned = actor.formData?.get("intent") === "pin" ? actor.formData.get("pinned") === "true" : stored?.pinned;
  const saving = saver.state !== "idle" && state.sent !== undefined;
  const off = hydrated && !canSave;
  const remark = saving ? (
    "Saving"
  ) : changed ? (
    notKept ? (
      "Not saved yet. This browser keeps no drafts."
    ) : (
      "Not saved yet"
    )
  ) : savedAt !== undefined ? (
    `Saved ${clock(savedAt)}`
  ) : stored ? (
    <>
      Changed <Day time={stored.changedAt} inSentence />
    </>
  ) : null;

  const type = (change: Partial<NoteDraft>) => happen({ type: "typed", draft: { ...draft, ...change } });
  const post = (fields: Record<string, string>) => actor.submit(fields, { method: "post", action: `/notes/${noteId}` });

  if (deleted && !changed && !leaving) return <Tombstone noteId={noteId} />;
  return (
    <Paper wide={theirs !== undefined}>
      {/* On a phone the list and its heading are out of sight. */}
      <h1 className="sr-only md:hidden">{stored ? "Note" : "New note"}</h1>
      <header className="sticky top-0 z-2 flex min-h-[var(--bar)] items-center gap-1 bg-page max-sm:flex-wrap">
        <Link
          to={{ pathname: "/notes", search }}
          className={buttonClass("quiet", "medium", "-ml-3 mr-1 px-2! md:hidden")}
        >
          <ChevronLeftIcon />
          All notes
        </Link>
        <div className="flex h-7 min-w-0 items-center gap-1 max-sm:order-last max-sm:w-full">
          <p role="status" className="truncate text-ink-3 text-meta tabular-nums">
            {remark}
          </p>
          {hydrated && changed && !theirs && !saving && (stored || !blank) && (
            <Button kind="quiet" size="small" className="text-ink-3!" onClick={() => happen({ type: "discarded" })}>
              Discard
            </Button>
          )}
        </div>
        <div className="ml-auto flex min-h-[var(--bar)] shrink-0 items-center gap-1">
          {stored && !gone && (
            <>
              <ActionForm action={`/notes/${noteId}`} fields={{ intent: "pin", pinned: String(!pinned) }} send={post}>
                <Button kind="quiet" type="submit" className="px-2.5!">
                  {pinned ? <UnpinIcon /> : <PinIcon />}
                  {pinned ? "Unpin" : "Pin"}
                </Button>
              </ActionForm>
              <ActionForm action={`/notes/${noteId}`} fields={{ intent: "delete" }} send={post}>
                <Button
                  kind="quiet"
                  type="submit"
                  className="px-2.5!"
                  pending={actor.formData?.get("intent") === "delete"}
                >
                  Delete
                </Button>
              </ActionForm>
            </>
          )}
          <Button
            kind="main"
            type="submit"
            form={formId}
            pending={saving}
            {...(off && { "aria-disabled": true })}
            className={`ml-2 aria-disabled:not-aria-busy:bg-press aria-disabled:not-aria-busy:text-ink-3 aria-disabled:cursor-default ${hydrated ? "" : "[@media(scripting:enabled)]:bg-press [@media(scripting:enabled)]:text-ink-3"}`}
          >
            {gone ? "Save as a new note" : theirs ? "Keep yours" : "Save"}
          </Button>
        </div>
      </header>

      {gone ? (
        <p role="alert" className="mt-3 text-danger text-ui">
          This note was deleted. Your text is still here.
        </p>
      ) : (
        problem && (
          <p role="alert" className="mt-3 text-danger text-ui">
            {problem}
          </p>
        )
      )}
      {aside && (
        <p className="mt-3 text-ink-2 text-ui">
          <span role="status">{asideWords[aside.why]}</span>{" "}
          <button
            type="button"
            className="text-accent underline decoration-1 underline-offset-3"
            onClick={() => happen({ type: "brought-back" })}
          >
            {asideButtons[aside.why]}
          </button>
        </p>
      )}
      {hydrated && passage !== undefined && !theirs && (
        <p role="status" className={isPassageGone ? "mt-3 text-ink-2 text-ui" : "sr-only"}>
          {isPassageGone
            ? "The passage that was cited is not in this note any more."
            : "The cited passage is marked, and the cursor stands before it."}
        </p>
      )}
      {theirs && (
        <p role="alert" className="mt-3 text-caution text-ui">
          This note changed elsewhere. Keep yours, or take theirs?
        </p>
      )}

      <div className={theirs ? "mt-3 grid gap-8 sm:grid-cols-2" : ""}>
        <Form
          id={formId}
          method="post"
          action={target}
          className={theirs ? "" : "pt-7 max-sm:pt-3"}
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            save();
          }}
        >
          {Object.entries(fields).map(([name, value]) =>
            name === "title" || name === "text" ? null : <input key={name} type="hidden" name={name} value={value} />,
          )}
          <input type="hidden" name="open" value="1" />
          {theirs && <h2 className="mb-2 font-label text-ink-3 text-meta">Yours</h2>}
          <input
            ref={titleField}
            name="title"
            aria-label="Title"
            placeholder="Title"
            autoComplete="off"
            // biome-ignore lint/a11y/noAutofocus: a person who asked for a new note is about to name it
            autoFocus={!stored}
            value={draft.title}
            aria-invalid={problems.title ? true : undefined}
            aria-describedby={`${formId}-count`}
            onChange={(event) => type({ title: event.target.value })}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.nativeEvent.isComposing || event.ctrlKey || event.metaKey) return;
              event.preventDefault();
              textField.current?.focus();
            }}
            className="block w-full truncate bg-transparent font-strong text-ink text-title caret-accent outline-none"
          />
          <div className="relative mt-2.5">
            {hydrated && passage !== undefined && passageAt >= 0 && (
              <PassageMark key={passage} text={draft.text} at={passageAt} length={passage.length} />
            )}
            <textarea
              ref={textField}
              name="text"
              aria-label="Text"
              placeholder="Write what answers should know"
              value={draft.text}
              aria-invalid={problems.text ? true : undefined}
              aria-describedby={`${formId}-count`}
              onChange={(event) => type({ text: event.target.value })}
              className="relative block field-sizing-content min-h-[60dvh] w-full resize-none bg-transparent text-ink text-read caret-accent outline-none md:min-h-40"
            />
          </div>
          <p id={`${formId}-count`} className="mt-6 pb-12 text-ink-3 text-meta tabular-nums">
            {tooLong ? (
              <span role="alert" className="text-danger">
                {[problems.title, problems.text].filter(Boolean).join(" ")}
              </span>
            ) : (
              <Count text={draft.text} />
            )}
          </p>
        </Form>
        {theirs && (
          <section aria-label="Theirs" className="min-w-0">
            <div className="mb-2 flex items-center justify-between">
              <h2 className="font-label text-ink-3 text-meta">Theirs</h2>
              <Link
                to={{ pathname: `/notes/${ownId}`, search }}
                reloadDocument
                className={buttonClass("second", "small", "-my-2")}
                onClick={(event) => {
                  event.preventDefault();
                  happen({ type: "took-theirs" });
                }}
              >
                Take theirs
              </Link>
            </div>
            <p className="font-strong text-ink text-title [overflow-wrap:anywhere]">{theirs.title}</p>
            <p className="mt-2.5 whitespace-pre-wrap text-ink-2 text-read [overflow-wrap:anywhere]">{theirs.text}</p>
          </section>
        )}
      </div>
    </Paper>
  );
}

function Count({ text }: { text: string }) {
  const words = countWords(text);
  const tokens = estimateTokens(text);
  return (
    <>
      {words.toLocaleString("en-US")} {words === 1 ? "word" : "words"}, about {tokens.toLocaleString("en-US")}{" "}
      {tokens === 1 ? "token" : "tokens"}
    </>
  );
}
