/**
 * One message of a transcript. A person's stands on a slip and can be edited; an answer is set as a page is. An
 * answer is the same component while it streams and when it is stored, under the same key, so that its end moves
 * nothing: only the actions below it become usable.
 */
import { Link, useRevalidator } from "@remix-run/react";
import {
  createContext,
  type KeyboardEvent,
  memo,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { ulid } from "ulid";
import type { ThreadSettings } from "~/ai/settings";
import type { ErrorCode } from "~/errors";
import { Button } from "~/ui/button";
import { CopyButton } from "~/ui/copy";
import {
  AgainIcon,
  BlockedIcon,
  ChevronDownIcon,
  ChevronLeftIcon,
  ChevronRightIcon,
  NotebookPenIcon,
  PencilIcon,
} from "~/ui/icons";
import { SAME_PLACE } from "~/ui/kept-focus";
import { Markdown } from "~/ui/markdown";
import type { Cost } from "./cost";
import { kept } from "./kept";
import type { LiveTurn } from "./live";
import { ModelButton } from "./ModelButton";
import { numberSidenotes } from "./margin";
import { findModel, type Offer } from "./models-store";
import { billedWords, costAccount, costWords, dollars, figure } from "./money";
import { Reasoning, seconds } from "./Reasoning";
import { EndCard } from "./RunCards";
import { Chips, type SidenoteCard, Sidenotes } from "./Sidenotes";
import { SuggestionCard } from "./Suggestion";
import type { ShownMessage } from "./shown-path";
import { MOST, readSuggestion, type SuggestionState, withoutSuggestions, withPlainSuggestions } from "./suggestions";
import type { switchTo } from "./switching";
import { titleFrom } from "./title";
import type { Blocked, Ending, MessageUsage, MessageView, Sidenote, ThreadCost } from "./view";

/** What the messages of one thread have in common. */
export interface TranscriptContext {
  userId: string;
  threadId: string;
  /** What all its answers cost. */
  threadCost: ThreadCost | undefined;
  /** An answer is being sent for or is running: nothing else can be asked for. */
  busy: boolean;
  offer: Offer;
  /** How many notes go along with a question, as far as is known before its run begins. */
  notes: number;
  /** Id of the question that is being edited. */
  editing: string | null;
  edit(questionId: string | null): void;
  saveEdit(parentId: string | null, text: string): void;
  again(questionId: string): void;
  againWith(questionId: string, ref: string, how: typeof switchTo): void;
  goOn(answer: { id: string; parentId: string; text: string }): void;
  retry(runId: string): void;
  dismiss(runId: string): void;
}

export const Transcribed = createContext<TranscriptContext | null>(null);

function useTranscript(): TranscriptContext {
  const context = useContext(Transcribed);
  if (!context) throw new Error("A message stands in a transcript");
  return context;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** A time of day. The server does not know the person's clock, so it appears with the page's script. */
function TimeOfDay({ at }: { at: number }) {
  const [shown, setShown] = useState("");
  useEffect(() => setShown(clock.format(at)), [at]);
  return shown ? <time dateTime={new Date(at).toISOString()}>{shown}</time> : null;
}

/** "‹ 2 of 3 ›": the versions of a message, as links. */
function Versions({ id, versions, what }: { id: string; versions: readonly string[]; what: string }) {
  const at = versions.indexOf(id);
  if (versions.length < 2 || at === -1) return null;
  const [before, after] = [versions[at - 1], versions[at + 1]];
  const arrow = (to: string | undefined, label: string, icon: JSX.Element) =>
    to ? (
      <Link
        to={`?at=${to}`}
        replace
        preventScrollReset
        aria-label={label}
        {...{ [SAME_PLACE]: versions[0] }}
        className="relative inline-flex size-6 items-center justify-center rounded-m text-ink-3 transition-colors after:absolute after:-inset-1 hover:bg-slip hover:text-ink"
      >
        {icon}
      </Link>
    ) : (
      <span className="inline-flex size-6 items-center justify-center text-edge">{icon}</span>
    );
  return (
    <span className="-ml-1.5 inline-flex items-center gap-0.5 text-ink-3 text-meta tabular-nums">
      {arrow(before, `Earlier version of this ${what}`, <ChevronLeftIcon size={14} />)}
      {at + 1} of {versions.length}
      {arrow(after, `Later version of this ${what}`, <ChevronRightIcon size={14} />)}
    </span>
  );
}

interface QuestionState {
  id: string;
  text: string;
  parentId: string | null;
  createdAt: number;
  versions: readonly string[];
  masked?: boolean;
  turn?: LiveTurn | undefined;
}

export function questionOf(shown: ShownMessage): QuestionState {
  if (shown.kind === "message") return shown.message;
  const { turn } = shown;
  const { text = "", parentId = null, createdAt = 0 } = turn.question ?? {};
  return { id: shown.id, text, parentId, createdAt, versions: [], turn };
}

export const Question = memo(function Question({
  question,
  unanswered,
}: {
  question: QuestionState;
  unanswered: boolean;
}) {
  const { editing, edit, busy, again } = useTranscript();
  const { id, text, parentId, createdAt, versions, turn } = question;
  // Under a finger there is no pointing at: a tap on a slip shows what can be done with it.
  const [tapped, setTapped] = useState(false);
  const refused = turn?.phase === "refused";
  return (
    <div className="frame group/question pt-6 first:pt-12 max-sm:first:pt-3">
      <article aria-label="You" id={`message-${id}`}>
        <h2 className="sr-only">You</h2>
        {editing === id ? (
          <EditSlip id={id} parentId={parentId} text={text} />
        ) : (
          // biome-ignore lint/a11y/noStaticElementInteractions: the button that a tap shows is reached by keys without it
          // biome-ignore lint/a11y/useKeyWithClickEvents: as above
          <div className={`slip relative ${refused ? "text-ink-2" : ""}`} onClick={() => setTapped(!tapped)}>
            {text}
            {!busy && !turn && (
              <button
                type="button"
                onClick={() => edit(id)}
                className="absolute top-2 right-2 inline-flex h-8 items-center gap-1.5 rounded-m bg-slip px-2 text-ink-3 text-meta opacity-0 transition-opacity hover:bg-press hover:text-ink focus-visible:opacity-100 group-hover/question:opacity-100 pointer-coarse:sr-only"
              >
                <PencilIcon size={14} />
                Edit
              </button>
            )}
          </div>
        )}
        {refused && <Refused turn={turn} />}
        {question.masked && editing !== id && <Masked>Only this text is kept, and no model saw another.</Masked>}
        {editing !== id && (versions.length > 1 || tapped) && (
          <div
            className={`flex min-h-6 items-center gap-3 pt-1 text-ink-3 text-meta ${versions.length > 1 ? "" : "pointer-fine:hidden"}`}
          >
            <Versions id={id} versions={versions} what="message" />
            {versions.length > 1 && versions.indexOf(id) > 0 && (
              <span>
                Edited <TimeOfDay at={createdAt} />
              </span>
            )}
            {!busy && !turn && tapped && (
              <button type="button" onClick={() => edit(id)} className="min-h-9 pr-2 text-ink-3 pointer-fine:hidden">
                Edit
              </button>
            )}
          </div>
        )}
        {unanswered && (
          <p className="mt-2 flex min-h-9 items-center justify-between text-ink-2 text-ui">
            Not answered.
            <Button disabled={busy} onClick={() => again(id)}>
              Retry
            </Button>
          </p>
        )}
      </article>
    </div>
  );
});

/** The guardrail took something out of the text above. */
function Masked({ children }: { children: ReactNode }) {
  return (
    <p className="mt-1.5 flex items-start gap-1.5 text-ink-3 text-meta">
      <BlockedIcon size={14} className="mt-0.5 shrink-0" />
      <span>Personal data was masked by the guardrail. {children}</span>
    </p>
  );
}

/** A message that is not in: why, and what can be done. It never disappears by itself. */
function Refused({ turn }: { turn: LiveTurn }) {
  const { retry, dismiss, busy } = useTranscript();
  return (
    <div role="alert" className="mt-2 flex min-h-9 flex-wrap items-center gap-2 text-ui">
      <span className="grow basis-64 text-danger">
        Not sent. {turn.refusal?.message}
        {turn.refusal?.until !== undefined && ` It starts again at ${clock.format(turn.refusal.until)}.`}
      </span>
      <span className="ml-auto flex gap-2">
        <Button kind="quiet" onClick={() => dismiss(turn.runId)}>
          {turn.kind === "send" ? "Edit" : "Dismiss"}
        </Button>
        <Button disabled={busy} onClick={() => retry(turn.runId)}>
          Retry
        </Button>
      </span>
    </div>
  );
}

/** The slip as a field. Enter is a new line here: a long message is edited more often than sent in haste. */
function EditSlip({ id, parentId, text }: { id: string; parentId: string | null; text: string }) {
  const { userId, busy, edit, saveEdit } = useTranscript();
  // What is typed here is kept as any draft, and is there again when the message is edited the next time.
  const place = `edit/${id}`;
  const [draft, setDraft] = useState(() => kept.readDraft(userId, place) || text);
  const change = (next: string) => {
    setDraft(next);
    kept.writeDraft(userId, place, next === text ? "" : next);
  };
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = field.current;
    element?.focus();
    element?.setSelectionRange(element.value.length, element.value.length);
  }, []);
  const cancel = () => {
    kept.writeDraft(userId, place, "");
    edit(null);
  };
  const save = () => {
    if (busy || draft.trim() === "") return;
    saveEdit(parentId, draft);
    kept.writeDraft(userId, place, "");
  };
  function press(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      cancel();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save();
    }
  }
  return (
    <div className="composer">
      <textarea
        ref={field}
        aria-label="Edit message"
        value={draft}
        rows={Math.min(16, Math.max(2, draft.split("\n").length))}
        onChange={(event) => change(event.target.value)}
        onKeyDown={press}
        className="field-sizing-content block max-h-[60dvh] w-full resize-none bg-transparent px-[calc(var(--hang)-1px)] pt-[11px] text-say"
      />
      <div className="flex items-center justify-end gap-2 p-2">
        <Button kind="quiet" onClick={cancel}>
          Cancel
        </Button>
        <Button
          kind="main"
          disabled={busy || draft.trim() === ""}
          title={busy ? "Once the answer has ended" : undefined}
          onClick={save}
        >
          Save
        </Button>
      </div>
    </div>
  );
}

interface AnswerState {
  id: string;
  questionId: string;
  text: string;
  versions: readonly string[];
  notes: readonly (SidenoteCard & Partial<Sidenote>)[];
  turn?: LiveTurn | undefined;
  createdAt?: number | undefined;
  ending?: Ending | undefined;
  error?: ErrorCode | undefined;
  finishReason?: string | undefined;
  masked?: boolean;
  blocked?: Blocked | undefined;
  model?: { ref: string; name: string } | undefined;
  settings?: ThreadSettings | undefined;
  usage?: MessageUsage | undefined;
  cost?: Cost | undefined;
  durationMs?: number | undefined;
  /** How the notes stand that it proposes. */
  suggestions?: readonly SuggestionState[] | undefined;
  /** `text` comes with a live answer; of a stored one only its length is known at first. */
  reasoning?: { text?: string; length?: number; ms: number } | undefined;
}

/** Answers of stored messages: made once, so that only the live one is rendered again while it grows. */
const stored = new WeakMap<MessageView, AnswerState>();

/** An answer, stored or live. `numbers` are the notes of the live one. */
export function answerOf(shown: ShownMessage, numbers: readonly SidenoteCard[]): AnswerState {
  if (shown.kind === "message") {
    const known = stored.get(shown.message);
    if (known) return known;
    const { parentId, sidenotes, ...message } = shown.message;
    const answer = { ...message, questionId: parentId ?? "", notes: sidenotes ?? [] };
    stored.set(shown.message, answer);
    return answer;
  }
  const { turn } = shown;
  const { text, questionId, ending, error, blocked, reasoning } = turn;
  return { id: shown.id, questionId, text, versions: [], notes: numbers, turn, ending, error, blocked, reasoning };
}

export const Answer = memo(function Answer({ answer, isLast }: { answer: AnswerState; isLast: boolean }) {
  const context = useTranscript();
  const { id, text, turn, ending, notes } = answer;
  const live = turn?.phase === "sending" || turn?.phase === "answering";
  const { citations, cited, also } = useMemo(() => numberSidenotes(text, notes), [text, notes]);
  const waits = live && text === "";
  const { reasoning } = answer;
  const thinking = waits && reasoning !== undefined && !turn?.waiting;
  return (
    <div className="frame group/answer pt-5">
      <article aria-label="Assistant" id={`message-${id}`} aria-busy={live}>
        <h2 className="sr-only">Assistant</h2>
        {reasoning && (thinking || !waits) && (
          <Reasoning
            threadId={context.threadId}
            answerId={id}
            thinking={thinking}
            ms={reasoning.ms}
            text={reasoning.length === 0 ? "" : reasoning.text}
          />
        )}
        {waits && turn && !thinking && <BeforeTheFirstWord turn={turn} notes={notes.length || context.notes} />}
        {text !== "" && ending !== "blocked" && (
          <div id={`answer-${id}`}>
            <Markdown
              text={text}
              citations={citations}
              answerId={id}
              streaming={live}
              broken={ending === "stopped" || ending === "interrupted" || answer.finishReason === "length"}
              note={(block, nth, growing) =>
                nth < MOST ? (
                  <SuggestionCard
                    threadId={context.threadId}
                    answerId={id}
                    nth={nth}
                    suggestion={readSuggestion(block)}
                    stored={answer.suggestions?.[nth] ?? "open"}
                    growing={live && growing}
                  />
                ) : undefined
              }
              below={(numbers) => (
                <Chips answerId={id} notes={cited.filter(({ note }) => numbers.includes(note.number))} />
              )}
            />
          </div>
        )}
        {turn?.phase === "refused" && <Refused turn={turn} />}
        {answer.masked && <Masked>What it was is kept nowhere.</Masked>}
        {ending && (
          <EndCard
            answerId={id}
            createdAt={answer.createdAt}
            ending={ending}
            error={answer.error}
            finishReason={answer.finishReason}
            blocked={answer.blocked}
            text={text}
            model={answer.model}
            billed={answer.cost && billedWords(answer.cost)}
            offer={context.offer}
            off={context.busy}
            actions={{
              retry: () => context.again(answer.questionId),
              retryWith: (ref, how) => context.againWith(answer.questionId, ref, how),
              goOn: () => context.goOn({ id, parentId: answer.questionId, text }),
              editQuestion: () => context.edit(answer.questionId),
            }}
          />
        )}
        {live || (text !== "" && ending !== "blocked") || answer.versions.length > 1 ? (
          <Actions answer={answer} live={live} isLast={isLast} cited={cited.length} />
        ) : (
          <div className="h-5" />
        )}
      </article>
      <Sidenotes answerId={id} cited={cited} also={live ? [] : also} />
    </div>
  );
});

const READING = 1_500;

/** The caret, and what happens while there is nothing to read yet. */
function BeforeTheFirstWord({ turn, notes }: { turn: LiveTurn; notes: number }) {
  const [read, setRead] = useState(false);
  useEffect(() => {
    const left = turn.startedAt + READING - Date.now();
    const timer = setTimeout(() => setRead(true), Math.max(0, left));
    return () => clearTimeout(timer);
  }, [turn.startedAt]);
  const reading = notes === 1 ? "Reading 1 note" : `Reading ${notes} notes`;
  const words = turn.waiting
    ? `The model is busy. Asking again in ${Math.ceil(turn.waiting.seconds)} s`
    : notes > 0 && !read
      ? reading
      : "Thinking";
  return (
    <p className="flex h-7 items-center gap-2 text-ink-2 text-ui">
      <span className="caret" aria-hidden />
      {words}
    </p>
  );
}

const action =
  "finger relative inline-flex h-7 items-center gap-1.5 rounded-m px-2 text-ink-3 text-meta transition-colors hover:bg-press hover:text-ink disabled:text-edge disabled:hover:bg-transparent max-sm:px-1.5 pointer-coarse:h-9";

/** The row below an answer. Its place is kept while it is not shown, so that nothing jumps. */
function Actions({
  answer,
  live,
  isLast,
  cited,
}: {
  answer: AnswerState;
  live: boolean;
  isLast: boolean;
  cited: number;
}) {
  const { threadId, offer, busy, again, againWith } = useTranscript();
  const [details, setDetails] = useState(false);
  const { questionId, text, durationMs, cost } = answer;
  // What stands in the place of a blocked answer is nobody's answer.
  const hasText = text !== "" && answer.ending !== "blocked";
  const always = isLast || details;
  // Of an answer that did not end well the lines above have said what it cost.
  const isSaid = answer.ending !== undefined && answer.ending !== "complete";
  const figures = [
    ...(durationMs === undefined ? [] : [seconds(durationMs)]),
    ...(cost && !isSaid ? [costWords(cost)] : []),
  ].join(", ");
  const current = answer.model && findModel(offer, answer.model.ref);
  // An answer that was given before the list was read carries the bare id as its model's name.
  const model = answer.model && { ...answer.model, name: current?.name ?? answer.model.name };
  return (
    <>
      <div
        className={`relative -ml-2 mt-2 flex min-h-7 items-center gap-1 whitespace-nowrap transition-opacity max-sm:-ml-1.5 max-sm:flex-wrap max-sm:gap-0 pointer-coarse:min-h-9 ${
          always ? "" : "opacity-0 focus-within:opacity-100 group-hover/answer:opacity-100 pointer-coarse:opacity-100"
        }`}
      >
        {!live && (
          <>
            {answer.versions.length > 1 && (
              <span className="mr-1 ml-2">
                <Versions id={answer.id} versions={answer.versions} what="answer" />
              </span>
            )}
            {hasText && <CopyButton text={() => withPlainSuggestions(text)} />}
            {hasText && <SaveAsNote text={withoutSuggestions(text)} />}
            <span className="inline-flex items-center md:relative">
              <button type="button" className={action} disabled={busy} onClick={() => again(questionId)}>
                <AgainIcon size={14} />
                <span className="max-sm:hidden">Answer again</span>
                <span className="sm:hidden">Again</span>
              </button>
              {offer.models.length > 1 && !busy && (
                <ModelButton
                  offer={offer}
                  current={current?.ref}
                  name="Answer again with"
                  className="finger relative -ml-1.5 inline-flex size-6 items-center justify-center rounded-m text-ink-3 transition-colors hover:bg-press hover:text-ink aria-expanded:bg-press aria-expanded:text-ink pointer-coarse:h-9 pointer-coarse:w-8"
                  onChoose={(ref, how) => (ref === model?.ref ? again(questionId) : againWith(questionId, ref, how))}
                >
                  <ChevronDownIcon size={14} />
                </ModelButton>
              )}
            </span>
            {model && (
              <button
                type="button"
                aria-expanded={details}
                className={`${action} -mr-2 ml-auto min-w-0 gap-1! max-sm:-mr-1.5`}
                onClick={() => setDetails(!details)}
              >
                <span className="sr-only">Details: </span>
                {/* On a phone there is only room for what differs from answer to answer. */}
                <span className={`truncate ${figures ? "max-sm:hidden" : ""}`}>
                  {model.name}
                  {figures && ", "}
                </span>
                <span className="shrink-0 tabular-nums">{figures}</span>
              </button>
            )}
          </>
        )}
      </div>
      {details && model && <Details threadId={threadId} answer={answer} model={model} cited={cited} />}
    </>
  );
}

function tokensRow(usage: MessageUsage | undefined, cost: Cost | undefined): [string, string][] {
  if (usage) {
    const { inputTokens, outputTokens, cacheReadTokens = 0 } = usage;
    const cached = cacheReadTokens > 0 ? ` (${figure(cacheReadTokens)} from the cache)` : "";
    return [["Tokens", `${figure(inputTokens)} in${cached}, ${figure(outputTokens)} out`]];
  }
  if (!cost?.estimated) return [];
  const { inputTokens, outputTokens } = cost.estimated;
  return [["Tokens", `About ${figure(inputTokens)} in, ${figure(outputTokens)} out. The model did not report them.`]];
}

function threadWords({ answers, dollars: sum, unpriced }: ThreadCost): string {
  if (unpriced === answers) return `${answers} answers, price unknown`;
  const others = unpriced === 0 ? "" : `, ${unpriced} of them at an unknown price`;
  return `${dollars(sum)} for ${answers} answers${others}`;
}

function Details({
  threadId,
  answer,
  model,
  cited,
}: {
  threadId: string;
  answer: AnswerState;
  model: { name: string };
  cited: number;
}) {
  const { usage, cost, settings, notes, durationMs } = answer;
  const { threadCost } = useTranscript();
  const rows: [string, string][] = [
    ["Model", settings?.temperature === undefined ? model.name : `${model.name}, temperature ${settings.temperature}`],
    ...tokensRow(usage, cost),
    ...(cost ? ([["Cost", costAccount(cost, usage?.cacheReadTokens)]] as [string, string][]) : []),
    ...(durationMs === undefined ? [] : ([["Time", seconds(durationMs)]] as [string, string][])),
    ...(cost && threadCost && threadCost.answers > 1
      ? ([["Thread so far", threadWords(threadCost)]] as [string, string][])
      : []),
    ["Notes read", notes.length === 0 ? "None" : `${notes.length}, ${cited === 0 ? "none" : cited} of them cited`],
  ];
  return (
    <>
      <dl className="mt-2 grid grid-cols-[7.5rem_1fr] gap-y-1 text-meta">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="text-ink-2 tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      {!answer.turn && (
        <Link to={`/threads/${threadId}/messages/${answer.id}`} className="link finger mt-1.5 inline-block text-meta">
          What the model saw
        </Link>
      )}
    </>
  );
}

/** Keeps an answer as a note. The id is made here, so that asking twice makes one note. */
function SaveAsNote({ text }: { text: string }) {
  const [noteId] = useState(() => ulid());
  const [state, setState] = useState<"idle" | "saving" | "saved" | "failed">("idle");
  const { revalidate } = useRevalidator();
  async function save() {
    setState("saving");
    try {
      // Asked for as data, Remix runs the action alone and renders no page.
      const response = await fetch("/notes/new.data", {
        method: "POST",
        body: new URLSearchParams({ intent: "create", noteId, title: titleFrom(text), text }),
      });
      setState(response.status === 200 ? "saved" : "failed");
      if (response.status === 200) revalidate();
    } catch {
      setState("failed");
    }
  }
  return (
    <>
      <button type="button" className={action} aria-busy={state === "saving"} onClick={save}>
        <NotebookPenIcon size={14} />
        <span aria-live="polite">
          {state === "saved" ? (
            "Saved"
          ) : (
            <>
              Save<span className="max-sm:hidden"> as note</span>
            </>
          )}
        </span>
      </button>
      {state === "saved" && (
        <Link to={`/notes/${noteId}`} className={`${action} text-accent!`}>
          Open note
        </Link>
      )}
      {state === "failed" && (
        <span role="alert" className="text-danger text-meta">
          Not saved. {navigator.onLine ? "Try again." : "You are offline."}
        </span>
      )}
    </>
  );
}
