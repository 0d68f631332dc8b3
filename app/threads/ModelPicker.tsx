/**
 * The list of models that opens from a button: grouped by vendor, with a search, and with the reason where one
 * cannot be chosen. Loaded when it is first opened.
 */
import { type KeyboardEvent, type RefObject, useEffect, useId, useRef, useState } from "react";
import { fieldClass } from "~/ui/field";
import { CheckIcon, SearchIcon } from "~/ui/icons";
import { groupModels, loadModels, type Offer, remarkOf } from "./models-store";
import { switchTo } from "./switching";

export interface ModelPickerProps {
  offer: Offer;
  /** The model in use. */
  current: string | undefined;
  /** What it was opened from. */
  button: RefObject<HTMLButtonElement>;
  /** The model, and what says what it does to settings. */
  onChoose(ref: string, how: typeof switchTo): void;
  /** `back`: the focus goes back to the button. */
  onClose(back: boolean): void;
}

/** From the list to what it opens along and to the window's end together, in px. */
const WHITE = 16;

/** Up or down from the box that the list opens along: where there is more room, and how much, in px. */
function roomAt(button: HTMLElement | null): { side: "top" | "bottom"; height: number } {
  const { top, bottom } = (button?.offsetParent ?? document.body).getBoundingClientRect();
  const below = window.innerHeight - bottom;
  return top > below ? { side: "top", height: top - WHITE } : { side: "bottom", height: below - WHITE };
}
export default function ModelPicker({ offer, current, button, onChoose, onClose }: ModelPickerProps) {
  // Before the search takes the focus, which would bring a list out of sight into it by moving the page.
  const [{ side, height }] = useState(() => roomAt(button.current));
  const [words, setWords] = useState("");
  const [marked, setMarked] = useState(current);
  const [byKeys, setByKeys] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const groups = groupModels(offer.models, words);
  const rows = groups.flatMap(({ models }) => models);
  const shownMark = rows.some(({ ref }) => ref === marked) ? marked : rows[0]?.ref;
  const rowId = (ref: string | undefined) => (ref ? `${id}-${ref}` : undefined);

  useEffect(() => void loadModels(), []);
  useEffect(() => {
    const element = box.current;
    const press = (event: PointerEvent) => {
      if (!(event.target instanceof Element) || element?.parentElement?.contains(event.target)) return;
      onClose(false);
    };
    document.addEventListener("pointerdown", press);
    return () => document.removeEventListener("pointerdown", press);
  }, [onClose]);
  useEffect(() => {
    if (!shownMark) return;
    box.current?.querySelector("[data-marked]")?.scrollIntoView({ block: "nearest" });
  }, [shownMark]);

  function choose(ref: string | undefined) {
    const model = rows.find((row) => row.ref === ref);
    if (!model || model.unavailable) return;
    onChoose(model.ref, switchTo);
    onClose(true);
  }
  function press(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    const at = rows.findIndex(({ ref }) => ref === shownMark);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const to = moves[event.key];
    if (to !== undefined && !(event.key === "Home" || event.key === "End" ? words : "")) {
      event.preventDefault();
      setByKeys(true);
      setMarked(rows[(to + rows.length) % rows.length]?.ref);
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(shownMark);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      onClose(true);
    } else if (event.key === "Tab") onClose(true); // From the button the same key then goes on.
  }

  return (
    <div
      ref={box}
      style={{ maxHeight: `min(26rem, 60dvh, ${height}px)` }}
      className={`appear absolute left-0 z-20 flex whitespace-normal w-[min(21rem,calc(100vw-2*var(--white)))] flex-col rounded-l border border-line bg-raised p-1.5 shadow-float ${
        side === "top" ? "bottom-full mb-2" : "top-full mt-2"
      }`}
    >
      <div className="relative shrink-0">
        <SearchIcon className="absolute top-2.5 left-2.5 text-ink-3 pointer-coarse:top-3.5" />
        <input
          // biome-ignore lint/a11y/noAutofocus: the person has just opened this list to search it
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={rowId(shownMark)}
          aria-label="Find a model"
          placeholder="Find a model"
          autoComplete="off"
          value={words}
          onChange={(event) => setWords(event.target.value)}
          onKeyDown={press}
          // The row that its keys lead to has the ring.
          className={fieldClass("medium", `pl-8.5! ${shownMark && byKeys ? "outline-none!" : ""}`)}
        />
      </div>
      <div id={`${id}-list`} role="listbox" aria-label="Models" className="min-h-0 overflow-y-auto overscroll-contain">
        {groups.map(({ name, models }) => (
          // biome-ignore lint/a11y/useSemanticElements: a group of options is no fieldset
          <div key={name} role="group" aria-label={name}>
            <p className="px-2.5 pt-2.5 pb-1 text-ink-3 text-meta" aria-hidden>
              {name}
            </p>
            {models.map((model) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the search field has the focus and its keys choose
              // biome-ignore lint/a11y/useFocusableInteractive: the search field points at it
              <div
                key={model.ref}
                id={rowId(model.ref)}
                role="option"
                aria-selected={model.ref === current}
                aria-disabled={model.unavailable ? true : undefined}
                title={model.unavailable ?? model.id}
                data-marked={model.ref === shownMark ? (byKeys ? "keys" : "pointer") : undefined}
                onPointerMove={() => {
                  setMarked(model.ref);
                  setByKeys(false);
                }}
                onClick={() => choose(model.ref)}
                className="flex min-h-[34px] flex-wrap items-center gap-x-3 rounded-m px-2.5 text-ink text-ui aria-disabled:py-1.5 aria-disabled:text-ink-3 data-marked:bg-slip data-[marked=keys]:outline-2 data-[marked=keys]:outline-accent data-[marked=keys]:-outline-offset-2 pointer-coarse:min-h-11"
              >
                <span className="min-w-0 flex-1 truncate">{model.name}</span>
                <span className="shrink-0 text-ink-3 text-meta tabular-nums">{remarkOf(model)}</span>
                <span className="w-4 shrink-0 text-ink-3">{model.ref === current && <CheckIcon />}</span>
                {model.unavailable && <span className="basis-full pr-7 text-meta">{model.unavailable}</span>}
              </div>
            ))}
          </div>
        ))}
        {rows.length === 0 && (
          <p className="px-2.5 py-2.5 text-ink-3 text-ui">
            {offer.problem ?? (offer.models.length > 0 ? "No model of this name." : "The models are being listed.")}
          </p>
        )}
        {offer.notices.map((notice) => (
          <p key={notice} className="px-2.5 py-2 text-caution text-meta">
            {notice}
          </p>
        ))}
      </div>
    </div>
  );
}
