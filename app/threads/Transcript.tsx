/**
 * The messages of a thread, one below the other, and where the page stands in them. The page follows an answer only
 * while the person is at its end; any scroll upward lets go. The end of a whole answer moves nothing; one that did
 * not end well has something to press below it, which comes into sight. A thread is found again where it was left.
 */
import { type RefObject, useCallback, useMemo, useRef, useState } from "react";
import { useBrowserLayoutEffect } from "~/ui/layout-effect";
import { useNonce } from "~/ui/nonce";
import { Answer, answerOf, Question, questionOf, Transcribed, type TranscriptContext } from "./Message";
import { type SidenoteCard, useSidenotes } from "./Sidenotes";
import type { ShownMessage } from "./shown-path";

/** This close to the end counts as being there, in px. */
const NEAR = 48;
/** The last words come in one go with the end, and are still followed: in ms after it. */
const LAST_WORDS = 100;
/** For so long, in ms, what stands below a failed answer may still come: its model's name, what it cost. */
const ENDING = 2_000;

const placeKey = (threadId: string): string => `sidenote/place/${threadId}`;

function readPlace(threadId: string): number | undefined {
  try {
    const place = sessionStorage.getItem(placeKey(threadId));
    return place === null ? undefined : Number(place);
  } catch {
    return undefined; // Then a thread opens at its end.
  }
}

function writePlace(threadId: string, top: number | undefined): void {
  try {
    if (top === undefined) sessionStorage.removeItem(placeKey(threadId));
    else sessionStorage.setItem(placeKey(threadId), String(Math.round(top)));
  } catch {
    // As above.
  }
}

export interface Scrolling {
  /** The person is well above the end. */
  away: boolean;
  /** Goes to the end and stays there: asked for by the person, or because they sent something. */
  jump(): void;
}

/** Follows the end of `log` while `live`, remembers the place, and says whether the end is out of sight. */
export function useScrolling(log: RefObject<HTMLElement>, threadId: string, live: boolean): Scrolling {
  const [away, setAway] = useState(false);
  const pinned = useRef(true);
  const following = useRef(live);
  following.current = live;
  const endedAt = useRef(Number.NEGATIVE_INFINITY);
  useBrowserLayoutEffect(() => {
    if (!live) return;
    return () => {
      endedAt.current = performance.now();
    };
  }, [live]);
  const scroller = useCallback(() => log.current?.closest<HTMLElement>(".main") ?? null, [log]);

  const toEnd = useCallback(() => {
    const main = scroller();
    if (main) main.scrollTop = main.scrollHeight;
  }, [scroller]);

  useBrowserLayoutEffect(() => {
    const main = scroller();
    const element = log.current;
    if (!main || !element) return;
    const place = readPlace(threadId);
    // An address may name a message to begin with.
    const named = /^#(message-\w+)$/.exec(window.location.hash)?.[1];
    const message = named === undefined ? null : document.getElementById(named);
    pinned.current = place === undefined && !message;
    main.scrollTop = place ?? main.scrollHeight;
    message?.scrollIntoView({ block: "start" });

    let before = main.scrollTop;
    // Fonts and sidenotes may still change the height of a page that has just opened at its end.
    let settling = true;
    const settled = setTimeout(() => {
      settling = false;
    }, 1_500);
    const gap = () => main.scrollHeight - main.scrollTop - main.clientHeight;
    const look = () => {
      const left = gap();
      setAway(left > (following.current ? NEAR : main.clientHeight));
      writePlace(threadId, left <= NEAR ? undefined : main.scrollTop);
    };
    const scrolled = () => {
      // Upward by whatever means: a wheel, a key, a finger. Growth alone never scrolls upward.
      if (main.scrollTop < before - 1) pinned.current = gap() <= 2;
      else if (gap() <= NEAR) pinned.current = true;
      before = main.scrollTop;
      look();
    };
    const isEnding = () => {
      const since = performance.now() - endedAt.current;
      return since < LAST_WORDS || (since < ENDING && element.lastElementChild?.querySelector("[data-ending]") != null);
    };
    const observer = new ResizeObserver(() => {
      if (pinned.current && (following.current || settling || isEnding())) main.scrollTop = main.scrollHeight;
      before = main.scrollTop;
      look();
    });
    observer.observe(element);
    // What opens below the composer, or a window that gets smaller, covers nothing that was in sight at the end.
    const foot = main.querySelector<HTMLElement>(".foot");
    let footBefore = foot?.offsetHeight ?? 0;
    const footObserver = new ResizeObserver(() => {
      const height = foot?.offsetHeight ?? 0;
      if (pinned.current && height > footBefore) main.scrollTop += height - footBefore;
      footBefore = height;
      before = main.scrollTop;
    });
    if (foot) footObserver.observe(foot);
    let sizeBefore = `${main.clientWidth} ${main.clientHeight}`;
    const windowObserver = new ResizeObserver(() => {
      const size = `${main.clientWidth} ${main.clientHeight}`;
      if (pinned.current && size !== sizeBefore) main.scrollTop = main.scrollHeight;
      sizeBefore = size;
      before = main.scrollTop;
    });
    windowObserver.observe(main);
    main.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      clearTimeout(settled);
      observer.disconnect();
      footObserver.disconnect();
      windowObserver.disconnect();
      main.removeEventListener("scroll", scrolled);
    };
  }, [threadId, log, scroller]);

  return {
    away,
    jump: useCallback(() => {
      pinned.current = true;
      toEnd();
    }, [toEnd]),
  };
}

/** Puts a page that the server made at its place before it is first painted; stands at the page's end. */
export function FirstPlace({ threadId }: { threadId: string }) {
  const nonce = useNonce();
  const script = `try{var m=document.querySelector(".main"),p=sessionStorage.getItem(${JSON.stringify(placeKey(threadId))});m.scrollTop=p===null?m.scrollHeight:+p}catch(e){m.scrollTop=m.scrollHeight}`;
  return (
    <script
      nonce={nonce}
      suppressHydrationWarning
      // biome-ignore lint/security/noDangerouslySetInnerHtml: a constant and an id; it must run before the first paint
      dangerouslySetInnerHTML={{ __html: script }}
    />
  );
}

export function Transcript({
  log,
  path,
  numbers,
  context,
}: {
  log: RefObject<HTMLDivElement>;
  path: readonly ShownMessage[];
  /** Notes of the live answer. */
  numbers: readonly SidenoteCard[];
  context: TranscriptContext;
}) {
  const rows = useMemo(
    () =>
      path.map((shown, index) => {
        const isQuestion = shown.kind === "question" || (shown.kind === "message" && shown.message.role === "user");
        return isQuestion
          ? {
              shown,
              question: questionOf(shown),
              unanswered: path[index + 1] === undefined && shown.kind === "message",
            }
          : { shown, answer: answerOf(shown, numbers) };
      }),
    [path, numbers],
  );
  const lastAnswer = rows.findLast((row) => row.answer && !isLive(row.shown))?.shown.id;
  // Whatever could move a sidenote without changing the transcript's height.
  useSidenotes(
    log,
    rows
      .map(({ shown, answer }) =>
        shown.kind === "message" || !answer
          ? shown.id
          : [
              shown.id,
              answer.notes.length,
              answer.notes.filter(({ passage }) => passage !== undefined).length,
              answer.notes.filter(({ awaited }) => awaited).length,
              answer.text.match(/\[\d/g)?.length ?? 0,
            ].join(":"),
      )
      .join(" "),
  );
  return (
    <Transcribed.Provider value={context}>
      <div ref={log} role="log" aria-label="Conversation" aria-live="off" className="pb-8">
        {rows.map(({ shown, question, answer, unanswered }) =>
          question ? (
            <Question key={shown.id} question={question} unanswered={unanswered} />
          ) : (
            <Answer key={shown.id} answer={answer} isLast={shown.id === lastAnswer} />
          ),
        )}
      </div>
    </Transcribed.Provider>
  );
}

const isLive = (shown: ShownMessage): boolean =>
  shown.kind === "answer" && (shown.turn.phase === "sending" || shown.turn.phase === "answering");
