/**
 * The notes of the answer that is being written, for its sidenotes: known by title from the page's data, and with the
 * passage that the answer leans on as soon as it cites one. The passage is asked for once the log has the citation.
 */
import { useEffect, useMemo, useRef, useState } from "react";
import type { LiveTurn } from "./live";
import { citedNumbers } from "./margin";
import type { SidenoteCard } from "./Sidenotes";
import type { ThreadView } from "./view";

/** The log is a second behind the text at most. */
const LOGGED = 1_200;
const TRIES = 2;

const none: ThreadView["numbers"] = [];
const noPassages: ReadonlyMap<number, string> = new Map();

export function useLiveNotes(view: ThreadView | null, turn: LiveTurn | undefined): readonly SidenoteCard[] {
  // The numbers outlive the answer's end by a moment, until its own sidenotes are there.
  const held = useRef<ThreadView["numbers"]>(none);
  if (view && view.numbers.length > 0) held.current = view.numbers;
  const numbers = view ? held.current : none;
  const passages = usePassages(view?.thread.threadId, turn, numbers);
  return useMemo(
    () =>
      passages.size === 0
        ? numbers
        : numbers.map((note) => {
            const passage = passages.get(note.number);
            return passage === undefined ? note : { ...note, passage };
          }),
    [numbers, passages],
  );
}

/** By the thread's number of their note. */
function usePassages(
  threadId: string | undefined,
  turn: LiveTurn | undefined,
  numbers: ThreadView["numbers"],
): ReadonlyMap<number, string> {
  const runId = turn?.phase === "answering" ? turn.runId : undefined;
  const text = turn?.text ?? "";
  // Looked for only where there may be a new one: the text grows many times a second.
  const brackets = text.match(/\[\d[\d, ]*\]/g)?.length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text counts by its citations alone
  const cited = useMemo(
    () => citedNumbers(text, new Set(numbers.map(({ number }) => number))).join(","),
    [brackets, numbers, runId],
  );
  const [found, setFound] = useState<{ runId: string; passages: ReadonlyMap<number, string> }>();
  const asked = useRef<{ runId: string; tries: Map<number, number> }>();

  useEffect(() => {
    if (!threadId || !runId || cited === "") return;
    if (asked.current?.runId !== runId) asked.current = { runId, tries: new Map() };
    const { tries } = asked.current;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    async function ask(): Promise<void> {
      const open = cited
        .split(",")
        .map(Number)
        .filter((number) => (tries.get(number) ?? 0) < TRIES)
        .slice(0, 20);
      if (open.length === 0) return;
      try {
        const response = await fetch(`/threads/${threadId}/runs/${runId}/sidenotes?of=${open.join(",")}`, {
          signal: stop.signal,
        });
        if (!response.ok) return;
        const { passages } = (await response.json()) as { passages: { number: number; passage: string }[] };
        for (const number of open) tries.set(number, (tries.get(number) ?? 0) + 1);
        for (const { number } of passages) tries.set(number, TRIES);
        setFound((before) => ({
          runId: runId ?? "",
          passages: new Map([
            ...(before && before.runId === runId ? before.passages : []),
            ...passages.map(({ number, passage }) => [number, passage] as const),
          ]),
        }));
        timer = setTimeout(() => void ask(), LOGGED);
      } catch (error) {
        // Titles alone do until the answer is stored.
        if (!stop.signal.aborted) console.warn("The passages of the notes could not be read.", error);
      }
    }
    timer = setTimeout(() => void ask(), LOGGED);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [threadId, runId, cited]);

  // They stay until the stored answer takes its place.
  return found && (found.runId === runId || runId === undefined) ? found.passages : noPassages;
}
