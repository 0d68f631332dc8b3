/**
 * What stands around the composer of a thread that has no message yet: what happened in other threads meanwhile, and
 * in the margin the notes that will be sent. On the first visit three lines say what notes are for, with a sidenote.
 */
import { Link } from "@remix-run/react";
import { useEffect, useRef, useState } from "react";
import type { ThreadSettings } from "~/ai/settings";
import type { NoteCard } from "~/notes/note";
import { buttonClass } from "~/ui/button";
import { DangerIcon, PinIcon } from "~/ui/icons";
import { Markdown } from "~/ui/markdown";
import { useActivity } from "./activity-store";
import { notesToSend, othersThatGo, useEstimate } from "./estimate-store";
import { Chips, Sidenotes, useSidenotes } from "./Sidenotes";
import { useThreadList } from "./thread-list";
import type { Estimate } from "./view";

const words =
  "Write down once what you keep having to explain: who lives in the house, how the boiler behaves, what the team decided. [1] From then on every answer can know it, and shows you where it did.";
const first = {
  number: 1,
  noteId: "new",
  title: "This is a sidenote",
  passage: "When an answer used one of your notes, it stands here, beside the line that cites it.",
};
const cited = [{ display: 1, note: first }];
const citations = new Map([[1, 1]]);

/** The first visit: before there is any note. */
export function FirstVisit() {
  const root = useRef<HTMLDivElement>(null);
  useSidenotes(root, "first");
  return (
    <div ref={root} className="frame relative mt-10">
      <div>
        <div id="answer-first">
          <Markdown
            text={words}
            citations={citations}
            answerId="first"
            below={() => <Chips answerId="first" notes={cited} />}
          />
        </div>
        <Link to="/notes/new" className={buttonClass("second", "medium", "mt-5")}>
          Write a first note
        </Link>
      </div>
      <Sidenotes answerId="first" cited={cited} also={[]} />
    </div>
  );
}

/**
 * Notes that go along with a first message: a few of them, the rest as a number. While a person writes, those that
 * fit move up. `notes` are the first of the person's `count`, until the estimate says what really goes.
 */
export function NotesToSend({
  notes,
  count,
  settings,
  onChoose,
}: {
  notes: readonly NoteCard[];
  count: number;
  settings: ThreadSettings;
  onChoose(): void;
}) {
  const estimate = useEstimate();
  const which = settings.notes ?? "all";
  // One of other settings is of other notes.
  const known = estimate?.which === which ? estimate : undefined;
  if (count === 0) return <div className="margin" />;
  // Until the server has said more, all that is known is where the list begins.
  const first: Estimate["going"] = which === "all" ? { fit: false, notes: [...notes] } : undefined;
  const shown = (known ? known.going : first) ?? { fit: false, notes: [] };
  const more = (known ? known.sent.notes : count) - shown.notes.length;
  const others = known && shown.fit ? othersThatGo(known, shown.notes.length) : "";
  return (
    <aside className="margin" aria-label="Notes that are sent">
      <div className="absolute inset-x-0 top-4">
        <p className="mb-2 pl-5 text-ink-3 text-meta">
          {shown.fit ? "Notes that fit so far" : `Sent with your message: ${notesToSend(settings, count, known)}`}
        </p>
        {shown.notes.map(({ noteId, title, start, pinned }) => (
          <div key={noteId} className="sidenote mb-3">
            {pinned && <PinIcon size={12} className="absolute top-1 left-0.5 text-ink-3" />}
            <p className={shown.fit ? "line-clamp-3!" : "line-clamp-2!"}>
              <b>{title}.</b> {start}
            </p>
          </div>
        ))}
        {shown.notes.length > 0 && !shown.fit && more > 0 && (
          <p className="pl-5 text-ink-2 text-note">and {more} more</p>
        )}
        <p className="mt-2 pl-5 text-ink-3 text-meta">
          {others && <span className="block">{others}</span>}
          <button type="button" className="link" onClick={onChoose}>
            Choose notes
          </button>
        </p>
      </div>
    </aside>
  );
}

const MINUTE = 60_000;

function ago(then: number, now: number): string {
  const minutes = Math.round((now - then) / MINUTE);
  if (minutes < 1) return "just now";
  if (minutes < 60) return minutes === 1 ? "a minute ago" : `${minutes} minutes ago`;
  const hours = Math.round(minutes / 60);
  if (hours < 24) return hours === 1 ? "an hour ago" : `${hours} hours ago`;
  const days = Math.round(hours / 24);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** The threads that answer or have an unread answer, the newest first; nothing if there are none. */
export function SinceLastHere() {
  const { threads, leaving } = useThreadList();
  const { live, unread } = useActivity();
  // Only the browser's clock can say how long ago something was.
  const [now, setNow] = useState<number>();
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), MINUTE);
    return () => clearInterval(timer);
  }, []);
  const news = threads
    .filter(({ threadId }) => !leaving.has(threadId) && (live[threadId] || unread[threadId]))
    .map((thread) => ({ ...thread, isLive: Boolean(live[thread.threadId]), ended: unread[thread.threadId] }))
    .sort((one, other) => (other.ended?.endedAt ?? 0) - (one.ended?.endedAt ?? 0));
  if (news.length === 0) return null;
  return (
    <div className="frame mt-6">
      <section aria-labelledby="since">
        <h2 id="since" className="mb-1.5 text-ink-3 text-meta">
          Since you were last here
        </h2>
        <ul>
          {news.map(({ threadId, title, isLive, ended }) => {
            const failed = !isLive && ended && ended.ending !== "complete" && ended.ending !== "stopped";
            return (
              <li key={threadId}>
                <Link
                  to={`/threads/${threadId}`}
                  className="-mx-2 flex min-h-11 items-center gap-3 rounded-m px-2 text-ui transition-colors hover:bg-slip"
                >
                  <span className="flex w-4 shrink-0 justify-center" aria-hidden>
                    {isLive ? (
                      <span className="caret h-3.5!" />
                    ) : failed ? (
                      <DangerIcon className="text-danger" />
                    ) : (
                      <span className="size-[7px] rounded-full bg-accent" />
                    )}
                  </span>
                  <span className="grow truncate font-strong text-ink">{title}</span>
                  <span className="shrink-0 text-ink-3 text-meta">
                    {isLive
                      ? "answering"
                      : `${failed ? "did not complete" : "answered"}${now && ended ? ` ${ago(ended.endedAt, now)}` : ""}`}
                  </span>
                </Link>
              </li>
            );
          })}
        </ul>
      </section>
    </div>
  );
}
