/** What happens to the live answer, in one line above the composer, and what a screen reader is told of it. */
import { useEffect, useRef, useState } from "react";
import { Button } from "~/ui/button";
import { ArrowDownIcon } from "~/ui/icons";
import type { LiveTurn } from "./live";

/**
 * 34 px above the composer, only while needed.
 * @param props.turn the live one
 * @param props.last the newest one that this tab knows of, live or over
 */
export function StatusLine({
  turn,
  last,
  away,
  onJump,
}: {
  turn: LiveTurn | undefined;
  last: LiveTurn | undefined;
  away: boolean;
  onJump(): void;
}) {
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
      <Spoken turn={turn} last={last} />
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

/** How it ended, in a word or two. */
function endWords({ phase, ending = "complete" }: Pick<LiveTurn, "phase" | "ending">): string {
  if (phase === "refused") return "Not sent";
  return ending === "complete" ? "Done" : ending === "stopped" ? "Stopped" : "The answer did not complete";
}

/** What a screen reader is told: that it answers, and how that ended; never the words one by one. */
function Spoken({ turn, last }: { turn: LiveTurn | undefined; last: LiveTurn | undefined }) {
  const [words, setWords] = useState("");
  const was = useRef(false);
  const isLive = turn !== undefined;
  const shortened = turn?.shortened;
  const ended = endWords(last ?? { phase: "ended" });
  useEffect(() => {
    if (isLive) setWords(shortened ? shortenedWords(shortened) : "Answering");
    else if (was.current) setWords(ended);
    was.current = isLive;
  }, [isLive, shortened, ended]);
  return (
    <p role="status" className="sr-only">
      {words}
    </p>
  );
}
