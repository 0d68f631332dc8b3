/**
 * What a model thought before it spoke: one line above its answer, "Thinking" while it does and then for how long it
 * did, that unfolds. While the answer is live its reasoning comes along with it; of a stored one it is asked for
 * when it is opened for the first time.
 */
import { useEffect, useId, useRef, useState } from "react";
import { ChevronRightIcon } from "~/ui/icons";
import { REASONING_LIMIT } from "./view";

/** "8 s", "2 min 5 s". */
export const seconds = (ms: number): string =>
  ms < 60_000
    ? `${Math.max(1, Math.round(ms / 1000))} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;

/** @param props.text undefined: it is not on this page yet; empty: none of it may be shown */
export function Reasoning({
  threadId,
  answerId,
  thinking,
  ms,
  text,
}: {
  threadId: string;
  answerId: string;
  thinking: boolean;
  ms: number;
  text: string | undefined;
}) {
  const [open, setOpen] = useState(false);
  // What came while the answer was live is not asked for again.
  const [held, setHeld] = useState(text);
  if (text !== undefined && text !== held) setHeld(text);
  const [failed, setFailed] = useState(false);
  const id = useId();

  async function load() {
    setFailed(false);
    try {
      const response = await fetch(`/threads/${threadId}/messages/${answerId}/reasoning`);
      if (!response.ok) throw new Error(`It answered ${response.status}`);
      setHeld(((await response.json()) as { text: string }).text);
    } catch {
      setFailed(true);
    }
  }
  function toggle() {
    setOpen(!open);
    if (!open && held === undefined) void load();
  }

  const words = thinking ? "Thinking" : `Thought for ${seconds(ms)}`;
  if (held === "")
    return (
      <p className="flex h-7 items-center gap-2 text-ink-2 text-ui">
        {thinking && <span className="caret" aria-hidden />}
        {words}
        {!thinking && <span className="text-ink-3">, not shown</span>}
      </p>
    );
  return (
    <>
      <button
        type="button"
        aria-expanded={open}
        {...(open && { "aria-controls": id })}
        onClick={toggle}
        className="relative -ml-1.5 flex h-7 items-center gap-2 rounded-m pr-2 pl-1.5 text-ink-2 text-ui tabular-nums transition-colors after:absolute hover:bg-slip hover:text-ink pointer-coarse:after:-inset-y-2 pointer-coarse:after:inset-x-0"
      >
        {thinking ? (
          <>
            <span className="caret" aria-hidden />
            {words}
            <Chevron open={open} />
          </>
        ) : (
          <>
            <Chevron open={open} />
            {words}
          </>
        )}
      </button>
      {open && (
        <section id={id} aria-label="Reasoning" className="mt-1 mb-3 pl-6">
          {failed ? (
            <p role="alert" className="text-danger text-ui">
              Not loaded. {navigator.onLine ? "" : "You are offline. "}
              <button type="button" className="link text-danger!" onClick={load}>
                Try again
              </button>
            </p>
          ) : (
            held !== undefined && <Thoughts text={held} growing={thinking} />
          )}
        </section>
      )}
    </>
  );
}

const Chevron = ({ open }: { open: boolean }) => (
  <ChevronRightIcon size={14} className={`text-ink-3 transition-transform ${open ? "rotate-90" : ""}`} />
);

/** Plain text, and nothing in it acts. It scrolls in itself, at its end while it grows. */
function Thoughts({ text, growing }: { text: string; growing: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const pinned = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (element && growing && pinned.current && text) element.scrollTop = element.scrollHeight;
  }, [text, growing]);
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: what scrolls must be reached by keys, and is no set of fields */}
      <div
        ref={box}
        role="group"
        aria-label="What the model thought"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: as above
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          pinned.current = scrollHeight - scrollTop - clientHeight < 24;
        }}
        className="max-h-80 overflow-y-auto overscroll-contain whitespace-pre-wrap rounded-s text-ink-2 text-ui [overflow-wrap:anywhere]"
      >
        {text.split(/\*\*([^*\n]+)\*\*/).map((part, index) =>
          // Every second part stood between marks of emphasis, which many models set their headings in.
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of a text that only grows
          index % 2 === 1 ? <b key={index}>{part}</b> : part,
        )}
      </div>
      {/* The cap may fall between the two halves of a character. */}
      {text.length >= REASONING_LIMIT - 1 && (
        <p className="mt-2 text-ink-3 text-meta">
          Only the first {REASONING_LIMIT.toLocaleString("en-US")} characters are kept.
        </p>
      )}
    </>
  );
}
