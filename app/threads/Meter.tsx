/**
 * The meter in the composer: how full the model's window will be, and what of the thread there is no room for. Green
 * is notes, grey is messages.
 */
import { useId, useState } from "react";
import { fullness, useEstimate } from "./estimate-store";
import { sizeName } from "./models-store";
import { plain } from "./Sidenotes";
import type { Estimate } from "./view";

const figure = (tokens: number): string => tokens.toLocaleString("en-US");

function particulars({ tokens, room, window, answers }: Estimate): string {
  const { system, notes, messages } = tokens;
  const parts = [
    ...(notes > 0 ? [`notes ${figure(notes)}`] : []),
    `messages ${figure(messages)}`,
    ...(system > 0 ? [`system prompt ${figure(system)}`] : []),
  ].join(", ");
  const free = `${figure(Math.max(0, window - room))} of ${figure(window)} tokens are kept free for the answer.`;
  const by =
    answers > 0 ? "Estimated by what earlier answers took." : "An estimate, until there is an answer to learn from.";
  return `${parts.charAt(0).toUpperCase()}${parts.slice(1)}. ${free} ${by}`;
}

/** @param props.account id of what its words open */
export function Meter({ account, open, onOpen }: { account: string; open: boolean; onOpen(open: boolean): void }) {
  const estimate = useEstimate();
  if (!estimate) return null;
  const { tokens, room, window } = estimate;
  const percent = fullness(estimate);
  const isOver = percent > 100;
  const share = (part: number): number => Math.min(100, (100 * part) / Math.max(1, room));
  const green = share(tokens.notes);
  const grey = isOver ? 100 - green : Math.min(100 - green, share(tokens.messages + tokens.system));
  const words = `${percent}% of ${sizeName(window)}`;
  return (
    <span className="relative mr-1 inline-flex shrink-0 items-center gap-1 text-meta tabular-nums max-sm:mr-0">
      {/* biome-ignore lint/a11y/useSemanticElements: the look has its own bar, which no browser draws by itself */}
      <span
        role="meter"
        aria-label="Window of the model"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.min(100, percent)}
        aria-valuetext={words}
        className="max-sm:pointer-events-none max-sm:absolute max-sm:inset-0"
      >
        <span className="flex h-1 w-16 overflow-hidden rounded-full bg-press max-sm:hidden" aria-hidden>
          <span className={`bg-accent ${green > 0 ? "min-w-px" : ""}`} style={{ width: `${green}%` }} />
          <span className={`bg-ink-3 ${grey > 0 ? "min-w-px" : ""}`} style={{ width: `${grey}%` }} />
        </span>
      </span>
      <button
        type="button"
        aria-label={words}
        aria-expanded={open}
        {...(open && { "aria-controls": account })}
        title={particulars(estimate)}
        onClick={() => onOpen(!open)}
        className={`-outline-offset-2 inline-flex h-8 items-center rounded-m px-1.5 transition-colors hover:bg-slip hover:text-ink pointer-coarse:h-11 ${
          isOver ? "font-label text-caution" : "text-ink-3"
        }`}
      >
        {percent}%<span className="whitespace-pre max-sm:hidden"> of {sizeName(window)}</span>
      </button>
    </span>
  );
}

/** Below the composer, where it was asked for: what the meter's figure is made of. */
export function MeterAccount({ id }: { id: string }) {
  const estimate = useEstimate();
  return (
    <p id={id} className="pt-2 text-ink-3 text-meta tabular-nums">
      {estimate && particulars(estimate)}
    </p>
  );
}

/** Below the composer, while there is no room for all of the thread: what would be left out. */
export function PastTheWindow({ sendable }: { sendable: readonly { id: string; text: string }[] }) {
  const estimate = useEstimate();
  const [open, setOpen] = useState(false);
  const id = useId();
  const count = estimate?.leftOut.squeezed ?? 0;
  const isOver = estimate !== undefined && fullness(estimate) > 100;
  if (!isOver) return null;
  const left = sendable.slice(0, estimate.leftOut.messages);
  return (
    <div className="pt-2 text-ink-3 text-meta">
      <p>
        {count === 0 ? (
          "This message alone is more than the model can read at once. It may be refused."
        ) : (
          <>
            {count === 1 ? "The oldest message" : `The ${count} oldest messages`} would be left out.{" "}
            <button
              type="button"
              className="link"
              aria-expanded={open}
              aria-controls={id}
              onClick={() => setOpen(!open)}
            >
              {open ? "Hide them" : "Show them"}
            </button>
          </>
        )}
      </p>
      {open && count > 0 && (
        <ol id={id} aria-label="Messages that would be left out" className="mt-1.5 max-h-40 overflow-y-auto">
          {left.map((message) => (
            <li key={message.id}>
              <button
                type="button"
                className="-outline-offset-2 block w-full truncate py-1 text-left text-ink-2 hover:text-ink pointer-coarse:py-3"
                onClick={() => document.getElementById(`message-${message.id}`)?.scrollIntoView({ block: "start" })}
              >
                {plain(message.text.slice(0, 200)) || "An empty answer"}
              </button>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
