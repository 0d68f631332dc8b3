/** What happens to the live answer, in one line above the composer, and what a screen reader is told of it. */
import { useEffect, useRef, useState } from "react";
import { Button } from "~/ui/button";
import { ArrowDownIcon } from "~/ui/icons";
import type { LiveTurn } from "./live";

/** 34 px above the composer, only while needed. */
export function StatusLine({ turn, away, onJump }: { turn: LiveTurn | undefined; away: boolean; onJump(): void }) {
  return (
    <div className="frame">
      <div className={turn || away ? "flex h-[34px] items-center justify-between gap-3 text-meta" : "h-3"}>
        {turn && (
          <span className="flex items-center gap-2 text-ink-3">
            <span className="caret h-3.5!" aria-hidden />
            <Doing turn={turn} />
          </span>
        )}
        {away && (
          <Button kind="quiet" size="small" className="-mr-2 ml-auto" onClick={onJump}>
            <ArrowDownIcon size={14} />
            Jump to latest
          </Button>
        )}
      </div>
      <Spoken turn={turn} />
    </div>
  );
}

/** That the model is asked once more, and without what. */
function shortenedWords({ messages, notes }: { messages: number; notes: number }): string {
  const without = [
    ...(messages > 0 ? [messages === 1 ? "the oldest message" : `the ${messages} oldest messages`] : []),
    ...(notes > 0 ? [notes === 1 ? "one note" : `${notes} notes`] : []),
  ];
  return `Too long for the model. Trying again without ${without.join(" and ")}.`;
}

function Doing({ turn }: { turn: LiveTurn }) {
  const [now, setNow] = useState(turn.startedAt);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (turn.stopping) return <>Stopping</>;
  if (turn.cut) return <>The connection broke. Reading on as soon as it is back</>;
  if (turn.phase === "sending") return <>Sending</>;
  if (turn.shortened && turn.text === "") return <>{shortenedWords(turn.shortened)}</>;
  const seconds = Math.max(0, Math.round((now - turn.startedAt) / 1_000));
  return (
    <span className="tabular-nums">
      Answering, {seconds} s{turn.unsaved && ". Not saved yet"}
    </span>
  );
}

/** What a screen reader is told: that it answers, and that it is done; never the words one by one. */
function Spoken({ turn }: { turn: LiveTurn | undefined }) {
  const [words, setWords] = useState("");
  const was = useRef(false);
  const isLive = turn !== undefined;
  const shortened = turn?.shortened;
  useEffect(() => {
    if (isLive) setWords(shortened ? shortenedWords(shortened) : "Answering");
    else if (was.current) setWords("Done");
    was.current = isLive;
  }, [isLive, shortened]);
  return (
    <p role="status" className="sr-only">
      {words}
    </p>
  );
}
