/**
 * The pane at the left of the notes: a new note, the search, the cards. All of it works as links and forms of the
 * browser; with a script the search follows the typing, and further pages join the list while it is scrolled.
 */
import { Form, Link, NavLink, useLocation, useNavigate, useSubmit } from "@remix-run/react";
import { type ReactNode, useEffect, useRef } from "react";
import { buttonClass } from "~/ui/button";
import { fieldClass } from "~/ui/field";
import { CloseIcon, PinIcon, PlusIcon, SearchIcon } from "~/ui/icons";
import { ShowThreads } from "~/ui/page";
import type { NoteCard } from "./note";
import type { NoteHit, Part } from "./search";
import { Day } from "./when";

function Parts({ parts }: { parts: readonly Part[] }) {
  let at = 0;
  return parts.map(({ text, hit }) => {
    const key = at;
    at += text.length;
    return hit ? (
      <mark key={key} className="bg-accent-soft text-ink shadow-[inset_0_-1px_0_var(--accent)]">
        {text}
      </mark>
    ) : (
      text
    );
  });
}

function Card({ card, title, start, search }: { card: NoteCard; title: ReactNode; start: ReactNode; search: string }) {
  return (
    <li>
      <NavLink
        to={{ pathname: `/notes/${card.noteId}`, search }}
        className={({ isActive }) =>
          `block rounded-m px-3 py-2.5 transition-colors pointer-coarse:py-3 ${isActive ? "bg-press" : "hover:bg-[color-mix(in_srgb,var(--press)_60%,transparent)]"}`
        }
      >
        <span className="flex items-center gap-2">
          <span className="truncate font-label text-ui text-ink max-sm:text-say">{title}</span>
          <span className="ml-auto flex shrink-0 items-center gap-2 text-ink-3 text-meta">
            {card.pinned && (
              <>
                <PinIcon size={14} />
                <span className="sr-only">Pinned</span>
              </>
            )}
            <Day time={card.changedAt} className="tabular-nums" />
          </span>
        </span>
        <span className="block min-h-5 truncate text-ink-2 text-note">{start}</span>
      </NavLink>
    </li>
  );
}

/** `more` leads to the next page; with a script it is followed by itself when it comes into sight. */
function More({ to, onMore }: { to: string; onMore: () => void }) {
  const link = useRef<HTMLAnchorElement>(null);
  const latest = useRef(onMore);
  useEffect(() => {
    latest.current = onMore;
  });
  useEffect(() => {
    if (!link.current) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) latest.current();
    });
    observer.observe(link.current);
    return () => observer.disconnect();
  }, []);
  return (
    <p className="px-3 py-3 text-meta">
      <Link
        ref={link}
        to={to}
        className="link"
        onClick={(event) => {
          event.preventDefault();
          onMore();
        }}
      >
        More notes
      </Link>
    </p>
  );
}

export interface NoteListProps {
  cards: readonly NoteCard[];
  /** Set while a search is on. */
  found?: { query: string; items: readonly NoteHit[]; more: boolean } | undefined;
  /** Where the next page is. */
  next?: string | undefined;
  onMore: () => void;
  /** Whether this is a page in the middle, shown without a script. */
  middle: boolean;
  className: string;
}

export function NoteList({ cards, found, next, onMore, middle, className }: NoteListProps) {
  const { pathname, search } = useLocation();
  const submit = useSubmit();
  const navigate = useNavigate();
  const field = useRef<HTMLInputElement>(null);
  const typing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const query = found?.query ?? "";

  useEffect(() => () => clearTimeout(typing.current), []);
  useEffect(() => {
    // Back, forward and links change the search too; but never under the typing person's hands.
    if (field.current && field.current !== document.activeElement) field.current.value = query;
  }, [query]);

  const cardSearch = found ? `?${new URLSearchParams({ find: found.query })}` : "";
  return (
    <section aria-label="Your notes" className={`flex min-h-0 flex-col ${className}`}>
      <header className="flex h-[var(--bar)] shrink-0 items-center gap-2 pr-4 pl-5 max-sm:gap-0 max-sm:pr-5 max-sm:pl-[18px]">
        <ShowThreads />
        <h1 className="font-strong text-ink text-ui max-sm:text-say">Notes</h1>
        <Link to="/notes/new" className={buttonClass("second", "medium", "ml-auto")}>
          <PlusIcon />
          New note
        </Link>
      </header>
      <Form
        role="search"
        method="get"
        action={pathname}
        className="relative mr-4 mb-2.5 ml-5 shrink-0 max-sm:mr-5 pointer-coarse:mt-1.5"
        onChange={(event) => {
          const form = event.currentTarget;
          clearTimeout(typing.current);
          const replace = search.includes("find=");
          typing.current = setTimeout(() => {
            if (field.current?.value.trim()) submit(form, { replace });
            else navigate(pathname, { replace });
          }, 200);
        }}
        onSubmit={() => clearTimeout(typing.current)}
      >
        <SearchIcon className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-ink-3" />
        <input
          ref={field}
          type="search"
          name="find"
          defaultValue={query}
          aria-label="Find in notes"
          placeholder="Find in notes"
          autoComplete="off"
          maxLength={200}
          className={fieldClass(
            "medium",
            "h-[34px]! px-9! [&::-webkit-search-cancel-button]:hidden pointer-coarse:h-11!",
          )}
        />
        {found && (
          <Link
            to={pathname}
            aria-label="Show all notes"
            title="Show all notes"
            className="-translate-y-1/2 absolute top-1/2 right-1 inline-flex size-7 items-center justify-center rounded-m text-ink-3 hover:bg-slip hover:text-ink pointer-coarse:size-10"
            onClick={() => {
              clearTimeout(typing.current);
              field.current?.focus();
              if (field.current) field.current.value = "";
            }}
          >
            <CloseIcon />
          </Link>
        )}
      </Form>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pb-6">
        {found && (
          <p role="status" className="px-3 py-2 text-ink-3 text-meta">
            {found.items.length === 0
              ? "No note has these words."
              : found.more
                ? `The newest ${found.items.length} notes with these words`
                : `${found.items.length} ${found.items.length === 1 ? "note" : "notes"}`}
          </p>
        )}
        {middle && (
          <p className="px-3 py-2 text-meta">
            <Link to="/notes" className="link">
              Newest notes
            </Link>
          </p>
        )}
        {found ? (
          <ul aria-label="Notes found">
            {found.items.map((hit) => (
              <Card
                key={hit.noteId}
                card={hit}
                title={<Parts parts={hit.titleParts} />}
                start={<Parts parts={hit.snippet} />}
                search={cardSearch}
              />
            ))}
          </ul>
        ) : (
          <ul aria-label="Notes">
            {cards.map((card) => (
              <Card key={card.noteId} card={card} title={card.title} start={card.start} search="" />
            ))}
          </ul>
        )}
        {!found && cards.length === 0 && <p className="px-3 py-2 text-ink-3 text-meta">Your notes will stand here.</p>}
        {!found && next && <More to={next} onMore={onMore} />}
      </div>
    </section>
  );
}
