/**
 * Sidenotes: the person's own notes beside the very lines that used them. They are placed by the pure rules of
 * `margin`; this is the measuring before and the writing after. All is read first and then written in one go, in
 * the frame in which the transcript changed, so nothing is seen to move. Where there is no margin, a chip below the
 * paragraph stands for the note and grows into it.
 */
import { Link, type LinkProps } from "@remix-run/react";
import { type RefObject, useEffect, useRef, useState } from "react";
import { useBrowserLayoutEffect } from "~/ui/layout-effect";
import { type MarginOfAnswer, type Numbered, placeSidenotes } from "./margin";
import type { SidenoteView } from "./view";

/** While an answer streams only the title of a note is known at first; its passage is `awaited`. */
export type SidenoteCard = Pick<SidenoteView, "number" | "noteId" | "title" | "since" | "deletedAt"> & {
  passage?: string | undefined;
  awaited?: boolean;
};

const WIDE = "(width >= 61.25rem)";

/** A piece of a note or an answer as it stands there, in one line; its marks are not for reading. */
export const plain = (passage: string): string =>
  passage
    .replace(/^\s*(?:[-*+]|#{1,6}|>|\d{1,3}[.)])\s+/gm, "")
    .replace(/\*\*|__|`/g, "")
    .replace(/\s+/g, " ");

const stop = (title: string): string => (/[.!?…]$/.test(title) ? "" : ".");

/** Leads to the note, and in it to the passage. That stays behind the #, so that no server is told it. */
export const noteLink = ({ noteId, passage }: SidenoteCard): LinkProps["to"] => ({
  pathname: `/notes/${noteId}`,
  ...(passage && { hash: `#passage=${encodeURIComponent(passage)}` }),
});

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** What became of the note since the answer; nothing if it stands as it stood. */
export function Since({ note: { since, deletedAt } }: { note: SidenoteCard }) {
  // The server does not know the person's day: the date appears with the page's script.
  const [date, setDate] = useState("");
  useEffect(() => {
    if (deletedAt === undefined) return;
    const thisYear = new Date(deletedAt).getFullYear() === new Date().getFullYear();
    setDate((thisYear ? day : dayOfYear).format(deletedAt));
  }, [deletedAt]);
  if (!since) return null;
  if (since === "edited") return <>Edited since this answer</>;
  return (
    <>
      Note deleted
      {date && ` on ${date}`}
    </>
  );
}

/** The margin of one answer; nothing if no note went in. Stands in the answer's frame, after its article. */
export function Sidenotes({
  answerId,
  cited,
  also,
}: {
  answerId: string;
  cited: readonly Numbered<SidenoteCard>[];
  also: readonly SidenoteCard[];
}) {
  if (cited.length === 0 && also.length === 0) return null;
  // One that will grow by its passage would push away what stands below it: that comes with the passage.
  const growing = cited.findIndex(({ note }) => note.awaited);
  const shown = growing === -1 ? cited : cited.slice(0, growing + 1);
  return (
    <aside className="margin" aria-label="Sidenotes" data-margin-of={answerId}>
      {shown.map(({ display, note }) => {
        const { number, title, since } = note;
        const passage = since === "deleted" ? undefined : note.passage;
        return (
          <div
            key={number}
            id={`sidenote-${answerId}-${display}`}
            data-version={`${title}/${passage?.length ?? 0}/${since ?? ""}`}
            tabIndex={-1}
            className="sidenote appear invisible absolute inset-x-0 top-0 rounded-s noscript:visible noscript:static [&.title.on]:z-1 [&.title.on]:bg-page [&.title.on]:shadow-[0_0_0_8px_var(--page)] [&.title.on>p]:line-clamp-4"
          >
            <span className={`num ${display > 9 ? "-ml-2" : ""}`} aria-hidden>
              {display}
            </span>
            <p>
              <b className={since === "deleted" ? "text-ink-3 line-through" : ""}>
                <span className="sr-only">{display}. </span>
                {title}
                {passage && <span className="[.title:not(.on)_&]:hidden">{stop(title)}</span>}
              </b>
              {passage && <span className="[.title:not(.on)_&]:hidden"> {plain(passage)}</span>}
            </p>
            {since && (
              <p className="text-ink-3 text-meta">
                <Since note={note} />
              </p>
            )}
            {since !== "deleted" && (
              <Link to={noteLink(note)} className="open opacity-0 focus-visible:opacity-100 in-[.on]:opacity-100">
                Open note
              </Link>
            )}
          </div>
        );
      })}
      {also.length > 0 && <Also notes={also} />}
    </aside>
  );
}

function Also({ notes }: { notes: readonly SidenoteCard[] }) {
  const [first, second] = notes;
  const named = first && second && first.title.length + second.title.length <= 28 ? [first, second] : [first];
  const more = notes.length - named.length;
  return (
    <p
      data-also
      className="invisible absolute inset-x-0 top-0 pl-5 text-ink-3 text-meta noscript:visible noscript:static"
    >
      Also read:{" "}
      {named.map(
        (note, index) =>
          note && (
            <span key={note.number}>
              {index > 0 && (more > 0 ? ", " : " and ")}
              {note.since === "deleted" ? (
                <s>{note.title}</s>
              ) : (
                <Link to={`/notes/${note.noteId}`} className="link">
                  {note.title}
                </Link>
              )}
            </span>
          ),
      )}
      {/* Never broken: a line with nothing but “more” says nothing. */}
      {more > 0 && ` and\u00a0${more}\u00a0more`}
    </p>
  );
}

/** The notes that a paragraph cites first, where there is no margin. */
export function Chips({ answerId, notes }: { answerId: string; notes: readonly Numbered<SidenoteCard>[] }) {
  return (
    <aside className="chips flex flex-wrap items-start gap-2 md:hidden" aria-label="Sidenotes">
      {notes.map(({ display, note }) => (
        <Chip key={note.number} answerId={answerId} display={display} note={note} />
      ))}
    </aside>
  );
}

function Chip({ answerId, display, note }: { answerId: string; display: number; note: SidenoteCard }) {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (!open) return;
    const cites = document.querySelectorAll(`a.cite[href="#sidenote-${answerId}-${display}"]`);
    for (const cite of cites) cite.classList.add("on");
    return () => {
      for (const cite of cites) cite.classList.remove("on");
    };
  }, [open, answerId, display]);
  const toggle = () => setOpen(!open);
  const id = `chip-${answerId}-${display}`;
  const isGone = note.since === "deleted";
  const passage = isGone ? undefined : note.passage;
  if (!open)
    return (
      <button
        key="chip"
        id={id}
        type="button"
        aria-expanded={false}
        className="chip pointer-coarse:my-1"
        onClick={toggle}
      >
        <span className="num">{display}</span>
        <span className={`truncate ${isGone ? "text-ink-3 line-through" : ""}`}>{note.title}</span>
      </button>
    );
  return (
    <div className="hang w-[calc(100%+2*var(--hang))] rounded-l border border-line px-[calc(var(--hang)-1px)] pt-2.5">
      <div className="sidenote">
        <span className="num" aria-hidden>
          {display}
        </span>
        <button
          key="chip"
          id={id}
          type="button"
          aria-expanded
          className="relative inline text-left font-strong text-ink after:absolute after:-inset-x-6 after:-inset-y-3"
          onClick={toggle}
        >
          <span className={isGone ? "text-ink-3 line-through" : ""}>{note.title}</span>
          {passage && stop(note.title)}
        </button>{" "}
        {passage && plain(passage)}
        {note.since && (
          <p className={`text-ink-3 text-meta ${isGone ? "pb-3" : "pt-1"}`}>
            <Since note={note} />
          </p>
        )}
        {!isGone && (
          <Link
            to={noteLink(note)}
            className="flex min-h-11 items-center self-start text-accent text-meta no-underline!"
          >
            Open note
          </Link>
        )}
      </div>
    </div>
  );
}

interface Baselines {
  /** From a citation's top, and from a sidenote's, down to the baseline of its line. */
  cite: number;
  note: number;
  /** From an answer's last baseline down to its end; from the top of a line in meta down to its baseline. */
  answer: number;
  meta: number;
}

/** Where lines of each kind have their baseline, measured in the fonts that are there. */
function measureBaselines(root: HTMLElement): Baselines {
  const mark = (): HTMLElement => {
    const element = document.createElement("span");
    element.style.display = "inline-block";
    return element;
  };
  const probe = (outer: string, inner: string, cited: boolean) => {
    const box = document.createElement("div");
    box.className = outer;
    box.style.position = "absolute";
    box.style.visibility = "hidden";
    const line = document.createElement("p");
    line.className = inner;
    const cite = document.createElement("a");
    cite.className = "cite";
    cite.textContent = "1";
    const baseline = mark();
    line.append("x", ...(cited ? [cite] : []), baseline);
    box.append(line);
    root.append(box);
    const at = baseline.getBoundingClientRect().bottom;
    const measured = {
      cite: at - cite.getBoundingClientRect().top,
      above: at - line.getBoundingClientRect().top,
      below: line.getBoundingClientRect().bottom - at,
    };
    box.remove();
    return measured;
  };
  const answer = probe("answer", "", true);
  return {
    cite: answer.cite,
    answer: answer.below,
    note: probe("sidenote", "", false).above,
    meta: probe("", "text-meta", false).above,
  };
}

interface Measured {
  version: string;
  width: number;
  full: number;
  title: number;
}

/** Measures and places all sidenotes below `root`. */
function place(root: HTMLElement, baselines: Baselines, heights: WeakMap<Element, Measured>): void {
  const asides = [...root.querySelectorAll<HTMLElement>("[data-margin-of]")];
  const origin = root.getBoundingClientRect();
  const written: (() => void)[] = [];

  const margins = asides.map((aside) => {
    const answerId = aside.dataset.marginOf ?? "";
    const top = aside.getBoundingClientRect().top - origin.top;
    const notes = [...aside.querySelectorAll<HTMLElement>(".sidenote")].flatMap((element) => {
      const cite = document.getElementById(`${element.id.replace(/^sidenote-/, "cite-")}-1`);
      if (!cite) return [];
      const line = cite.getBoundingClientRect().top - origin.top + baselines.cite - baselines.note;
      return [{ element, line, ...measure(element, heights) }];
    });
    const alsoElement = aside.querySelector<HTMLElement>("[data-also]");
    const answer = document.getElementById(`answer-${answerId}`);
    const also =
      alsoElement && answer
        ? {
            line: answer.getBoundingClientRect().bottom - origin.top - baselines.answer - baselines.meta,
            height: alsoElement.offsetHeight,
          }
        : undefined;
    return { top, notes, alsoElement, also } satisfies MarginOfAnswer & Record<string, unknown>;
  });

  const { answers, bottom } = placeSidenotes(margins);
  margins.forEach(({ top, notes, alsoElement }, index) => {
    const placed = answers[index];
    notes.forEach(({ element }, at) => {
      const spot = placed?.notes[at];
      if (spot) written.push(() => put(element, spot.top - top, spot.form));
    });
    const also = placed?.also;
    if (alsoElement && also !== undefined) written.push(() => put(alsoElement, also - top, "full"));
  });
  // The last sidenotes may run past the last answer: the page must reach down to them.
  const past = Math.ceil(bottom - origin.height + (Number.parseFloat(root.style.paddingBottom) || 0));
  for (const write of written) write();
  const padding = past > 0 ? `${past}px` : "";
  if (root.style.paddingBottom !== padding) root.style.paddingBottom = padding;
}

function measure(element: HTMLElement, heights: WeakMap<Element, Measured>): Measured {
  const version = element.dataset.version ?? "";
  const width = element.offsetWidth;
  const known = heights.get(element);
  if (known?.version === version && known.width === width) return known;
  const { classList } = element;
  const wasTitle = classList.contains("title");
  classList.remove("title");
  const full = element.offsetHeight;
  classList.add("title");
  const title = element.offsetHeight;
  classList.toggle("title", wasTitle);
  const measured = { version, width, full, title };
  heights.set(element, measured);
  return measured;
}

function put(element: HTMLElement, top: number, form: "full" | "title"): void {
  element.style.top = `${Math.round(top)}px`;
  // As its margin is: under the panel nothing of it is reached.
  element.style.visibility = "inherit";
  element.classList.toggle("title", form === "title");
}

/**
 * Keeps the sidenotes below `root` in their places, and lets citations and notes light each other. `shown` says
 * which ones there are: when it changes they are placed anew.
 */
export function useSidenotes(root: RefObject<HTMLElement>, shown: string): void {
  const again = useRef<() => void>();

  useBrowserLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const wide = window.matchMedia(WIDE);
    const heights = new WeakMap<Element, Measured>();
    let known: { of: string; baselines: Baselines } | undefined;
    let gone = false;
    again.current = () => {
      if (gone || !wide.matches) return;
      const of = getComputedStyle(document.documentElement).fontSize;
      if (known?.of !== of) known = { of, baselines: measureBaselines(element) };
      place(element, known.baselines, heights);
    };
    const observer = new ResizeObserver(() => again.current?.());
    observer.observe(element);
    void document.fonts.ready.then(() => {
      known = undefined;
      for (const note of element.querySelectorAll(".sidenote")) heights.delete(note);
      again.current?.();
    });
    const stopLights = followLights(element, wide);
    return () => {
      gone = true;
      observer.disconnect();
      stopLights();
    };
  }, [root]);

  useBrowserLayoutEffect(() => {
    if (document.fonts.status === "loaded") again.current?.();
  }, [shown]);
}

/** Lets a citation light its note and a note its citations, and moves the focus between them. */
function followLights(root: HTMLElement, wide: MediaQueryList): () => void {
  let pointed: string | undefined;
  let focused: string | undefined;
  let from: HTMLElement | undefined;

  const noteIdOf = (target: EventTarget | null): string | undefined => {
    const hit = target instanceof Element ? target.closest<HTMLElement>("a.cite, .sidenote") : null;
    return hit?.matches(".cite") ? hit.getAttribute("href")?.slice(1) : hit?.id;
  };
  const light = (noteId: string | undefined, on: boolean): void => {
    if (noteId === undefined) return;
    document.getElementById(noteId)?.classList.toggle("on", on);
    for (const cite of root.querySelectorAll(`a.cite[href="#${noteId}"]`)) cite.classList.toggle("on", on);
  };
  const change = (next: { pointed?: string | undefined; focused?: string | undefined }): void => {
    const before = [pointed, focused];
    if ("pointed" in next) pointed = next.pointed;
    if ("focused" in next) focused = next.focused;
    for (const noteId of before) if (noteId !== pointed && noteId !== focused) light(noteId, false);
    light(pointed, true);
    light(focused, true);
  };

  const over = (event: PointerEvent) => wide.matches && change({ pointed: noteIdOf(event.target) });
  const out = () => change({ pointed: undefined });
  const focusIn = (event: FocusEvent) => wide.matches && change({ focused: noteIdOf(event.target) });
  const focusOut = () => change({ focused: undefined });
  const click = (event: MouseEvent): void => {
    const cite = event.target instanceof Element ? event.target.closest<HTMLElement>("a.cite") : null;
    const noteId = cite && noteIdOf(cite);
    if (!cite || !noteId) return;
    event.preventDefault();
    if (!wide.matches) {
      document.getElementById(noteId.replace(/^sidenote-/, "chip-"))?.click();
      return;
    }
    from = cite;
    const note = document.getElementById(noteId);
    note?.focus({ preventScroll: true });
    note?.scrollIntoView({ block: "nearest" });
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !(event.target instanceof Element)) return;
    const note = event.target.closest(".sidenote");
    if (!note) return;
    event.preventDefault();
    const back = from?.getAttribute("href") === `#${note.id}` ? from : root.querySelector(`a.cite[href="#${note.id}"]`);
    if (back instanceof HTMLElement) back.focus();
  };

  root.addEventListener("pointerover", over);
  root.addEventListener("pointerleave", out);
  root.addEventListener("focusin", focusIn);
  root.addEventListener("focusout", focusOut);
  root.addEventListener("click", click);
  root.addEventListener("keydown", key);
  return () => {
    root.removeEventListener("pointerover", over);
    root.removeEventListener("pointerleave", out);
    root.removeEventListener("focusin", focusIn);
    root.removeEventListener("focusout", focusOut);
    root.removeEventListener("click", click);
    root.removeEventListener("keydown", key);
  };
}
