/**
 * The notes of the answer that is being written, for its sidenotes: known by title from the page's data, and with the
 * passage that the answer leans on as soon as it cites one. The passage is asked for once the log has the citation;
 * until it is there, or is known not to come, the note is marked as `awaited`.
 */
import { useEffect, useMemo, useRef, useState } from "react";
import type { LiveTurn } from "./live";
import { citedNumbers } from "./margin";
import type { SidenoteCard } from "./Sidenotes";
import type { ThreadView } from "./view";

/** The log is a second behind the text at most. */
const LOGGED = 1_200;
const TRIES = 3;

const none: ThreadView["numbers"] = [];
const nothingFound: Found = { passages: new Map(), settled: new Set() };

interface Found {
  /** By the thread's number of their note. */
  passages: ReadonlyMap<number, string>;
  /** The numbers of those that are not asked for again. */
  settled: ReadonlySet<number>;
}

export function useLiveNotes(view: ThreadView | null, turn: LiveTurn | undefined): readonly SidenoteCard[] {
  // The numbers outlive the answer's end by a moment, until its own sidenotes are there.
  const held = useRef<ThreadView["numbers"]>(none);
  if (view && view.numbers.length > 0) held.current = view.numbers;
  const numbers = view ? held.current : none;
  const { passages, settled } = usePassages(view?.thread.threadId, turn, numbers);
  return useMemo(
    () =>
      numbers.map((note) => {
        const passage = passages.get(note.number);
        return { ...note, ...(passage === undefined ? !settled.has(note.number) && { awaited: true } : { passage }) };
      }),
    [numbers, passages, settled],
  );
}

function usePassages(threadId: string | undefined, turn: LiveTurn | undefined, numbers: ThreadView["numbers"]): Found {
  const runId = turn?.phase === "answering" ? turn.runId : undefined;
  const text = turn?.text ?? "";
  // Looked for only where there may be a new one: the text grows many times a second.
  const brackets = text.match(/\[\d[\d, ]*\]/g)?.length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text counts by its citations alone
  const cited = useMemo(
    () => citedNumbers(text, new Set(numbers.map(({ number }) => number))).join(","),
    [brackets, numbers, runId],
  );
  const [found, setFound] = useState<Found & { runId: string }>();
  const asked = useRef<{ runId: string; at: number; tries: Map<number, number> }>();

  const startedAt = turn?.startedAt ?? 0;
  const openedAt = useRef(Date.now());
  useEffect(() => {
    if (!threadId || !runId || cited === "") return;
    const known = asked.current?.runId === runId ? asked.current : undefined;
    const about = known ?? { runId, at: 0, tries: new Map<number, number>() };
    asked.current = about;
    // Of an answer that began before the page was opened the text comes out of the log.
    const wait = !known && startedAt < openedAt.current ? 0 : LOGGED;
    // What is awaited already is not put off by one citation more.
    if (about.at < Date.now()) about.at = Date.now() + wait;
    const { tries } = about;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const triesOf = (number: number): number => tries.get(number) ?? 0;
    function settle(passages: readonly { number: number; passage: string }[]): void {
      setFound((before) => ({
        runId: runId ?? "",
        passages: new Map([
          ...(before && before.runId === runId ? before.passages : []),
          ...passages.map(({ number, passage }) => [number, passage] as const),
        ]),
        settled: new Set([...tries.keys()].filter((number) => triesOf(number) >= TRIES)),
      }));
    }
    async function ask(): Promise<void> {
      const open = cited
        .split(",")
        .map(Number)
        .filter((number) => triesOf(number) < TRIES)
        .slice(0, 20);
      if (open.length === 0) return;
      let passages: { number: number; passage: string }[] = [];
      try {
        const response = await fetch(`/threads/${threadId}/runs/${runId}/sidenotes?of=${open.join(",")}`, {
          signal: stop.signal,
        });
        if (response.ok) ({ passages } = (await response.json()) as { passages: typeof passages });
      } catch (error) {
        if (stop.signal.aborted) return;
        // Titles alone do until the answer is stored.
        console.warn("The passages of the notes could not be read.", error);
      }
      for (const number of open) tries.set(number, triesOf(number) + 1);
      for (const { number } of passages) tries.set(number, TRIES);
      settle(passages);
      askLater();
    }
    function askLater(): void {
      timer = setTimeout(
        () => {
          about.at = Date.now() + LOGGED;
          void ask();
        },
        Math.max(0, about.at - Date.now()),
      );
    }
    askLater();
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [threadId, runId, startedAt, cited]);

  // They stay until the stored answer takes its place.
  return found && (found.runId === runId || runId === undefined) ? found : nothingFound;
}
