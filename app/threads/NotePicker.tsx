/**
 * Choosing notes for a thread: a search over the titles, and the list a page at a time, so that two thousand notes are
 * as quick as twenty. What is chosen stands first while nothing is searched. The list is one stop for Tab; arrows lead
 * through it.
 */
import { type KeyboardEvent, useCallback, useEffect, useRef, useState } from "react";
import { fieldClass } from "~/ui/field";
import { PinIcon, SearchIcon } from "~/ui/icons";

interface Title {
  noteId: string;
  title: string;
  pinned: boolean;
}
interface Page {
  items: Title[];
  cursor?: string;
}

/** Of one thread. */
const MOST = 200;
const TYPED = 250;

async function readTitles(query: Record<string, string>, signal: AbortSignal): Promise<Page> {
  const response = await fetch(`/notes/titles?${new URLSearchParams(query)}`, { signal });
  if (!response.ok) throw new Error(`The titles of notes answered ${response.status}`);
  return (await response.json()) as Page;
}

export default function NotePicker({
  chosen,
  onChange,
}: {
  chosen: readonly string[];
  onChange(chosen: string[]): void;
}) {
  const [words, setWords] = useState("");
  const [page, setPage] = useState<Page>();
  const [known, setKnown] = useState<ReadonlyMap<string, Title>>(new Map());
  const [first] = useState(chosen);
  const [failed, setFailed] = useState(false);
  /** The titles of what was chosen could not be read. */
  const [areUnknown, setUnknown] = useState(false);
  const [isReading, setReading] = useState(false);
  const flight = useRef<AbortController>();
  const [at, setAt] = useState<string>();
  const list = useRef<HTMLUListElement>(null);
  const wanted = useRef<string>();

  // The titles of what was chosen before.
  const readChosen = useCallback(
    (signal: AbortSignal) => {
      if (first.length === 0) return;
      readTitles({ ids: first.join(",") }, signal)
        .then(({ items }) => {
          setKnown((before) => new Map([...before, ...items.map((item) => [item.noteId, item] as const)]));
          setUnknown(false);
        })
        .catch(() => !signal.aborted && setUnknown(true));
    },
    [first],
  );
  const readFirst = useCallback(() => {
    flight.current?.abort();
    const mine = new AbortController();
    flight.current = mine;
    readTitles(words.trim() ? { find: words } : {}, mine.signal)
      .then((next) => {
        setPage(next);
        setFailed(false);
      })
      .catch(() => !mine.signal.aborted && setFailed(true));
  }, [words]);

  const open = useRef<AbortController>();
  useEffect(() => {
    open.current = new AbortController();
    readChosen(open.current.signal);
    return () => open.current?.abort();
  }, [readChosen]);
  useEffect(() => {
    const timer = setTimeout(readFirst, words ? TYPED : 0);
    return () => clearTimeout(timer);
  }, [readFirst, words]);
  useEffect(() => () => flight.current?.abort(), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is wanted comes with a page
  useEffect(() => {
    if (wanted.current === undefined) return;
    boxes()
      .find(({ value }) => value === wanted.current)
      ?.focus();
    wanted.current = undefined;
  }, [page]);

  async function readMore() {
    if (!page?.cursor || isReading) return;
    flight.current?.abort();
    const mine = new AbortController();
    flight.current = mine;
    setReading(true);
    try {
      const query = { cursor: page.cursor, ...(words.trim() && { find: words }) };
      const next = await readTitles(query, mine.signal);
      // The button is gone with the last page.
      if (!next.cursor) wanted.current = next.items[0]?.noteId;
      setPage({ ...next, items: [...page.items, ...next.items] });
      setFailed(false);
    } catch {
      if (!mine.signal.aborted) setFailed(true);
    }
    setReading(false);
  }

  function readAgain() {
    if (failed) readFirst();
    if (areUnknown && open.current) readChosen(open.current.signal);
  }

  function boxes(): HTMLInputElement[] {
    return [...(list.current?.querySelectorAll<HTMLInputElement>("input:not(:disabled)") ?? [])];
  }
  function walk(event: KeyboardEvent) {
    const all = boxes();
    const from = all.indexOf(event.target as HTMLInputElement);
    const moves: Record<string, number> = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: all.length - 1 };
    const to = moves[event.key];
    if (to === undefined || from === -1) return;
    event.preventDefault();
    all[to]?.focus();
  }

  const isChosen = new Set(chosen);
  const isSearch = words.trim() !== "";
  const above = isSearch ? [] : first.flatMap((noteId) => known.get(noteId) ?? []);
  const inAbove = new Set(above.map(({ noteId }) => noteId));
  const rows = [...above, ...(page?.items ?? []).filter(({ noteId }) => !inAbove.has(noteId))];
  const isFull = chosen.length >= MOST;
  const usable = rows.filter(({ noteId }) => !isFull || isChosen.has(noteId));
  const stop = usable.some(({ noteId }) => noteId === at) ? at : usable[0]?.noteId;

  const again = (
    <button type="button" className="link" onClick={readAgain}>
      Try again
    </button>
  );

  return (
    <div className="mt-1 rounded-m border border-edge">
      <div className="relative">
        <SearchIcon className="absolute top-2.5 left-2.5 text-ink-3 pointer-coarse:top-3.5" />
        <input
          type="search"
          aria-label="Find a note"
          placeholder="Find a note"
          autoComplete="off"
          maxLength={200}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") {
              event.preventDefault();
              boxes()[0]?.focus();
            } else if (event.key === "Escape" && words !== "") {
              event.preventDefault();
              setWords("");
            }
          }}
          className={fieldClass("medium", "border-0! border-line! border-b! rounded-b-none! pl-8.5!")}
        />
      </div>
      <ul
        ref={list}
        aria-label="Notes to choose from"
        onKeyDown={walk}
        // Ends within a row, so that it is seen to go on.
        className="max-h-56 overflow-y-auto overscroll-contain py-1 pointer-coarse:max-h-62"
      >
        {rows.map(({ noteId, title, pinned }) => (
          <li key={noteId}>
            <label className="flex min-h-[30px] items-center gap-2.5 px-2.5 text-ink text-ui hover:bg-slip pointer-coarse:min-h-11">
              <input
                type="checkbox"
                value={noteId}
                tabIndex={noteId === stop ? 0 : -1}
                onFocus={() => setAt(noteId)}
                className="size-4 shrink-0 accent-(--fill)"
                checked={isChosen.has(noteId)}
                disabled={isFull && !isChosen.has(noteId)}
                onChange={({ target: { checked } }) =>
                  onChange(checked ? [...chosen, noteId] : chosen.filter((other) => other !== noteId))
                }
              />
              <span className="grow truncate">{title}</span>
              {pinned && <PinIcon size={12} className="shrink-0 text-ink-3" />}
            </label>
          </li>
        ))}
        {page?.cursor && (
          <li className="px-1.5">
            <button
              type="button"
              className="link px-1 py-1.5 text-meta"
              aria-disabled={isReading || undefined}
              onClick={() => void readMore()}
            >
              Show more notes
            </button>
          </li>
        )}
      </ul>
      <p role="status" className="border-line border-t px-2.5 py-1.5 text-ink-3 text-meta">
        {failed ? (
          <>The notes could not be read. {again}</>
        ) : areUnknown ? (
          <>
            {chosen.length} chosen. The titles of those chosen before could not be read. {again}
          </>
        ) : page && rows.length === 0 ? (
          isSearch ? (
            "No note of this title."
          ) : (
            "There are no notes yet."
          )
        ) : isFull ? (
          `${MOST} notes are chosen. No more can be.`
        ) : (
          `${chosen.length} chosen`
        )}
      </p>
    </div>
  );
}
