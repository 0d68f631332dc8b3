/**
 * Where a person writes. It is never blocked: while an answer runs the next message waits, and can be changed or taken
 * back. Whatever stands in it is kept at once, by person and thread. Until the page's script is there it is a plain
 * field, and what was typed into it by then stays.
 */
import { type KeyboardEvent, type ReactNode, useId, useImperativeHandle, useRef, useState } from "react";
import { Button } from "~/ui/button";
import { ChevronDownIcon, SlidersIcon } from "~/ui/icons";
import { useBrowserLayoutEffect } from "~/ui/layout-effect";
import { estimates } from "./estimate-store";
import { kept, type WaitingMessage } from "./kept";
import { Meter, MeterAccount, PastTheWindow } from "./Meter";
import { ModelButton } from "./ModelButton";
import { findModel, type Offer } from "./models-store";
import type { switchTo } from "./switching";

/** The longest message, in UTF-16 units; as the server has it. */
const LIMIT = 32_000;

export interface ComposerHandle {
  focus(): void;
  /** Puts text in front of what stands there. */
  insert(text: string): void;
  /** Shows the draft as it is kept now. */
  reload(): void;
}

export interface ComposerProps {
  userId: string;
  /** Where the draft is kept: a thread's id, or that of threads to come. */
  place: string;
  live: boolean;
  stopping: boolean;
  waiting: readonly WaitingMessage[];
  offer: Offer;
  /** The model of the thread, and a name for it while the list is not there. */
  model: { ref: string | undefined; name: string | undefined };
  settings: { open: boolean; changed: boolean; button: React.RefObject<HTMLButtonElement>; load(): unknown };
  /** Why the last message came back, as a sentence. */
  notice: string | undefined;
  tall?: boolean;
  onSend(text: string): void;
  onStop(): void;
  onType(hasText: boolean): void;
  onEditLast(): void;
  onModel(ref: string, how: typeof switchTo): void;
  onSettings(): void;
  onTakeBack(key: string): string;
  onSendWaiting(): void;
  /** What another model did to the settings, in sentences, and how that is taken back. */
  news: { words: string; undo(): void } | undefined;
  /** The messages on screen, oldest first, as far as they can be sent. */
  sendable: readonly { id: string; text: string }[];
  handle: React.RefObject<ComposerHandle>;
}

let isFirst = true;

/** Whether the person is busy somewhere else. A page that has just come may be used before its script is there. */
function isElsewhere(): boolean {
  const active = document.activeElement;
  const first = isFirst;
  isFirst = false;
  if (!active || active === document.body || active.id === "page") return false;
  return first || active.matches("input, textarea, select, dialog *, [role=dialog] *");
}

const isTouch = (): boolean => window.matchMedia("(pointer: coarse)").matches;

export function Composer(props: ComposerProps) {
  const { userId, place, live, waiting, onType } = props;
  const [text, setText] = useState("");
  const [accounts, setAccounts] = useState(false);
  const accountId = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const tooLong = text.length > LIMIT;

  function change(next: string) {
    setText(next);
    onType(next.trim() !== "");
    kept.writeDraft(userId, place, next);
    estimates.type(next);
  }
  const changed = useRef(change);
  changed.current = change;

  useImperativeHandle(props.handle, () => ({
    focus: () => field.current?.focus(),
    insert(more) {
      const now = field.current?.value ?? "";
      changed.current(now.trim() === "" ? more : `${more}\n\n${now}`);
      field.current?.focus();
    },
    reload() {
      changed.current(kept.readDraft(userId, place));
      field.current?.focus();
    },
  }));

  // What was typed before the script came, or else what is kept.
  useBrowserLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    const draft = element.value || kept.readDraft(userId, place);
    if (draft) changed.current(draft);
    else estimates.type("");
    if (isTouch() || isElsewhere()) return;
    element.focus({ preventScroll: true });
    element.setSelectionRange(draft.length, draft.length);
  }, [userId, place]);

  // Browsers that cannot size a field by its content are helped.
  useBrowserLayoutEffect(() => {
    const element = field.current;
    if (!element || CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  function submit() {
    const words = text.trim();
    if (words === "" || tooLong) return;
    change("");
    props.onSend(words);
    if (!isTouch()) field.current?.focus();
  }
  function stop() {
    props.onStop();
    if (!isTouch()) field.current?.focus();
  }
  function press(event: KeyboardEvent<HTMLTextAreaElement>) {
    // 229: a key that an input method has taken; Safari tells it only so.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && !isTouch()) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && text === "") {
      event.preventDefault();
      props.onEditLast();
    }
  }

  return (
    <>
      <div className="composer relative">
        {waiting.map((message, index) => (
          <div
            key={message.key}
            className="flex min-h-11 items-center gap-2 border-line border-b py-1 pr-2 pl-[calc(var(--hang)-1px)] text-ui"
          >
            <span className="w-9 shrink-0 text-ink-3">{index === 0 ? "Next" : "Then"}</span>
            <span className="grow truncate text-ink-2">{message.text}</span>
            {!live && index === 0 && (
              <Button kind="quiet" size="small" onClick={props.onSendWaiting}>
                Send now
              </Button>
            )}
            <Button
              kind="quiet"
              size="small"
              onClick={() => {
                const taken = props.onTakeBack(message.key);
                change([taken, text].filter((part) => part.trim() !== "").join("\n\n"));
                field.current?.focus();
              }}
            >
              Edit
            </Button>
            <Button
              kind="quiet"
              size="small"
              onClick={() => {
                props.onTakeBack(message.key);
                field.current?.focus();
              }}
            >
              Remove
            </Button>
          </div>
        ))}
        <textarea
          ref={field}
          name="message"
          aria-label="Message"
          aria-invalid={tooLong || undefined}
          aria-describedby="composer-notice"
          placeholder="Ask, or think out loud"
          autoComplete="off"
          rows={1}
          value={text}
          onChange={(event) => change(event.target.value)}
          onKeyDown={press}
          enterKeyHint="enter"
          className={`field-sizing-content block max-h-[40dvh] w-full resize-none bg-transparent px-[calc(var(--hang)-1px)] pt-[13px] pb-1 text-ink text-say ${props.tall ? "min-h-[4.25rem]" : "min-h-10"}`}
        />
        <div className="flex h-12 items-center gap-1 pr-[7px] pb-[7px] pl-[calc(var(--hang)-9px)]">
          <ComposerModel {...props} />
          <button
            ref={props.settings.button}
            type="button"
            aria-label="Thread settings"
            aria-description={props.settings.changed ? "changed" : undefined}
            title="Thread settings"
            aria-expanded={props.settings.open}
            onPointerEnter={props.settings.load}
            onFocus={props.settings.load}
            onClick={props.onSettings}
            className="relative inline-flex h-8 shrink-0 items-center gap-1 rounded-m px-2.5 text-ink-3 transition-colors hover:bg-slip hover:text-ink aria-expanded:bg-slip aria-expanded:text-ink pointer-coarse:h-11"
          >
            <SlidersIcon />
            {props.settings.changed && <span className="size-[5px] rounded-full bg-accent" aria-hidden />}
          </button>
          <span className="grow" />
          <Meter account={accountId} open={accounts} onOpen={setAccounts} />
          {/* Distinct keys: a button that changed its part in mid-press would act twice. */}
          {live && text.trim() !== "" && (
            // Enter is a new line under a finger, so what queues a message there has to be seen.
            <Button key="queue" kind="quiet" className="pointer-fine:hidden" disabled={tooLong} onClick={submit}>
              Queue
            </Button>
          )}
          {live ? (
            <Button key="stop" pending={false} aria-disabled={props.stopping || undefined} onClick={stop}>
              <span className="size-[9px] rounded-[1px] bg-current" aria-hidden />
              Stop
            </Button>
          ) : (
            <Button key="send" kind="main" disabled={text.trim() === "" || tooLong} onClick={submit}>
              Send
            </Button>
          )}
        </div>
        <div id="composer-notice" className="text-meta">
          {tooLong && (
            <p role="alert" className="px-(--hang) pb-2.5 text-danger">
              A message can have {LIMIT.toLocaleString("en-US")} characters. This one has{" "}
              {text.length.toLocaleString("en-US")}.
            </p>
          )}
          {props.notice && !tooLong && (
            <p role="alert" className="px-(--hang) pb-2.5 text-danger">
              {props.notice}
            </p>
          )}
        </div>
      </div>
      <div role="status" className="text-ink-2 text-meta">
        {props.news && (
          <p className="pt-2">
            {props.news.words}{" "}
            <button type="button" className="link" onClick={props.news.undo}>
              Undo
            </button>
          </p>
        )}
      </div>
      {accounts && <MeterAccount id={accountId} />}
      <PastTheWindow sendable={props.sendable} />
    </>
  );
}

function ComposerModel({ offer, model, onModel }: Pick<ComposerProps, "offer" | "model" | "onModel">) {
  const known = findModel(offer, model.ref);
  const name: ReactNode = known?.name ?? model.name;
  return (
    <ModelButton
      offer={offer}
      current={known?.ref ?? model.ref}
      title="Choose a model"
      onChoose={onModel}
      className="inline-flex h-8 min-w-0 items-center gap-1.5 rounded-m px-2 text-ink-2 text-ui transition-colors hover:bg-slip hover:text-ink aria-expanded:bg-slip aria-expanded:text-ink pointer-coarse:h-11"
    >
      {name ? <span className="truncate">{name}</span> : <span className="inline-block w-24" aria-hidden />}
      {!name && <span className="sr-only">Choose a model</span>}
      <ChevronDownIcon size={14} className="shrink-0 text-ink-3" />
    </ModelButton>
  );
}
