/**
 * The page of one thread, and of one that does not exist yet: the same page, so that a first message becomes a thread
 * without a jump. It joins what the loader says (the thread as it is stored) with what this tab knows better (the
 * store of live runs), and hands both to the transcript, the composer and the settings.
 */
import { useLocation, useRouteLoaderData } from "@remix-run/react";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ThreadSettings } from "~/ai/settings";
import { changeBetween, takenBack } from "~/ai/settings-change";
import { onDemand } from "~/ui/on-demand";
import { Bar } from "~/ui/page";
import { BudgetLine } from "./BudgetLine";
import { Composer, type ComposerHandle } from "./Composer";
import { estimates, useEstimate, whatGoes } from "./estimate-store";
import { NEW } from "./kept";
import { type LiveTurn, live, liveTurn } from "./live";
import { useLiveNotes } from "./live-notes";
import { useKeys, useLiveThread, useReturned, useSeen } from "./live-thread";
import type { TranscriptContext } from "./Message";
import { findModel, useModels } from "./models-store";
import type { SidenoteCard } from "./Sidenotes";
import { StatusLine } from "./StatusLine";
import { useThreadSettings } from "./settings-store";
import { type ShownMessage, shownPath } from "./shown-path";
import type { switchTo } from "./switching";
import { ThreadMenu } from "./ThreadList";
import { FirstPlace, Transcript, useScrolling } from "./Transcript";
import { useThreadList } from "./thread-list";
import type { ActivityView, BudgetView, ThreadView } from "./view";

const settingsPanel = onDemand("The settings", () => import("./SettingsPanel"));

/** What the shell's loader gives to every page in it. */
interface ShellData {
  person: { userId: string; email: string };
  notes: number;
  activity: ActivityView;
  budget: BudgetView;
}

export function useShellData(): ShellData {
  const data = useRouteLoaderData("routes/_app") as ShellData | undefined;
  if (!data) throw new Error("This page stands inside the shell");
  return data;
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: "UTC" });

/**
 * @param props.defaults what a thread begins with that has no message yet
 * @param props.margin what stands beside its composer; gets its settings, and what opens the choice of notes
 * @param props.children what stands below its composer
 */
export function ThreadPage({
  view,
  defaults,
  margin,
  children,
}: {
  view: ThreadView | null;
  defaults?: ThreadSettings;
  margin?: (settings: ThreadSettings, chooseNotes: () => void) => ReactNode;
  children?: ReactNode;
}) {
  const { person, notes, budget } = useShellData();
  // Whether the data shows a version that was asked for, and not simply the newest.
  const version = new URLSearchParams(useLocation().search).has("at");
  const { threadId, state } = useLiveThread(view, person.userId, version);
  const path = useMemo(() => shownPath(view, state, version), [view, state, version]);
  const turn = liveTurn(state) ?? shownLiveTurn(path);
  const notesOfAnswer = useLiveNotes(view, turn);
  const scrolling = useRef<() => void>(() => {});

  // From its first message on a thread has a place of its own, though its page may still be that of a new one.
  const place = view || path.length > 0 ? threadId : NEW;
  const settings = useThreadSettings(person.userId, view, defaults);
  const composer = useRef<ComposerHandle>(null);
  const [typing, setTyping] = useState(false);
  const [notice, setNotice] = useState<string>();
  const [editing, setEditing] = useState<string | null>(null);
  const [panel, setPanel] = useState<{ at: "notes" | undefined; takesFocus: boolean } | null>(null);
  const [news, setNews] = useState<{ words: string; before: ThreadSettings; after: ThreadSettings }>();
  const settingsButton = useRef<HTMLButtonElement>(null);
  const panelOpener = useRef<Element | null>(null);
  const offer = useModels();

  useSeen(view, turn);
  useReturned(threadId, state, setNotice, composer);
  useKeys({
    stop: turn && !turn.stopping ? () => live.stop(threadId) : undefined,
    focus: () => composer.current?.focus(),
  });

  const sendable = useMemo(() => path.flatMap(sendableOf), [path]);
  const tipId = path.findLast(isAnswer)?.id;
  const isFree = turn === undefined;
  const unsaved = settings.own ? settings.value : undefined;
  useEffect(() => {
    const threadId = view?.thread.threadId ?? NEW;
    estimates.about(isFree ? { threadId, tipId, settings: unsaved, notes } : undefined, threadId);
  }, [isFree, view, tipId, unsaved, notes]);
  useEffect(() => () => estimates.about(undefined), []);

  const send = useCallback(
    (message: { text: string; parentId?: string | null; branch?: boolean }) => {
      setNotice(undefined);
      passing.current = undefined;
      live.send(threadId, message);
      requestAnimationFrame(() => scrolling.current());
    },
    [threadId],
  );

  const { now, change: changeSettings } = settings;
  const changeTo = useCallback(
    (next: ThreadSettings, words: string | undefined, before = now()) => {
      changeSettings(() => next);
      setNews(words === undefined ? undefined : { words, before, after: next });
    },
    [now, changeSettings],
  );
  const passing = useRef<{ before: ThreadSettings; after: ThreadSettings }>();
  const chooseModel = useCallback(
    (ref: string, how: typeof switchTo) => {
      // Arrows in a list choose every model that they pass: each counts from where the first began.
      const before = passing.current && !changeBetween(passing.current.after, now()) ? passing.current.before : now();
      const to = findModel(offer, ref);
      const { settings: next, words } = to
        ? how(before, to, ref === offer.models[0]?.ref)
        : { settings: { ...before, model: ref }, words: undefined };
      changeTo(next, words, before);
      passing.current = { before, after: next };
    },
    [offer, now, changeTo],
  );
  const told = news && {
    words: news.words,
    undo() {
      // Another tab may have changed others meanwhile.
      changeSettings((settings) => takenBack(settings, news.before, news.after));
      setNews(undefined);
    },
  };

  const model = settings.value.model;
  const busy = turn !== undefined;
  const { notes: which = "all", chosenNotes = [] } = settings.value;
  const going = which === "none" ? 0 : which === "chosen" ? chosenNotes.length : notes;
  const context = useMemo<TranscriptContext>(
    () => ({
      userId: person.userId,
      threadId,
      threadCost: view?.cost,
      busy,
      offer,
      notes: going,
      editing,
      edit(questionId) {
        setEditing(questionId);
        if (questionId === null) composer.current?.focus();
      },
      saveEdit(parentId, text) {
        setEditing(null);
        send({ text, parentId, branch: true });
        composer.current?.focus();
      },
      again: (questionId) => live.again(threadId, questionId),
      againWith(questionId, ref, how) {
        chooseModel(ref, how);
        live.again(threadId, questionId);
      },
      goOn: (answer) => live.continueAnswer(threadId, answer),
      retry: (runId) => live.retry(threadId, runId),
      dismiss(runId) {
        const text = live.dismiss(threadId, runId);
        if (text) composer.current?.insert(text);
      },
    }),
    [person.userId, threadId, view?.cost, busy, offer, going, editing, send, chooseModel],
  );

  function openPanel(at?: "notes") {
    panelOpener.current = document.activeElement;
    settingsPanel.use(({ coversColumn }, isElsewhere) => {
      // What covers all else would take the focus after all.
      if (!isElsewhere || !coversColumn()) setPanel({ at, takesFocus: !isElsewhere });
    });
  }
  const [backFromPanel, setBackFromPanel] = useState(false);
  function closePanel() {
    setPanel(null);
    setBackFromPanel(true);
  }
  // What it was opened from may have been covered by it.
  useEffect(() => {
    if (!backFromPanel) return;
    setBackFromPanel(false);
    const opener = panelOpener.current;
    const isThere = opener instanceof HTMLElement && opener !== document.body && opener.isConnected;
    (isThere ? opener : settingsButton.current)?.focus();
  }, [backFromPanel]);
  function editLast() {
    const last = path.findLast((shown) => shown.kind === "message" && shown.message.role === "user");
    if (last && !turn) setEditing(last.id);
  }

  const SettingsPanel = settingsPanel.get()?.default;
  const isEmpty = path.length === 0;
  const lastModel = path.findLast((shown) => shown.kind === "message" && shown.message.model !== undefined);
  const lastName = lastModel?.kind === "message" ? lastModel.message.model : undefined;
  const budgetLine = <BudgetLine userId={person.userId} budget={budget} />;
  const box = (
    <Composer
      userId={person.userId}
      place={place}
      live={turn !== undefined}
      stopping={turn?.stopping ?? false}
      waiting={state.waiting}
      offer={offer}
      model={{ ref: model, name: lastName && (!model || lastName.ref === model) ? lastName.name : undefined }}
      settings={{
        open: panel !== null,
        changed: Object.keys(settings.value).some((name) => name !== "model" && name !== "chosenNotes"),
        button: settingsButton,
        load: settingsPanel.preload,
      }}
      notice={notice}
      tall={isEmpty}
      onSend={(text) => send({ text })}
      onStop={() => live.stop(threadId)}
      onType={setTyping}
      onEditLast={editLast}
      onModel={chooseModel}
      onSettings={() => (panel === null ? openPanel() : setPanel(null))}
      news={panel === null ? told : undefined}
      onTakeBack={(key) => live.takeBack(threadId, key)}
      onSendWaiting={() => live.sendWaiting(threadId)}
      sendable={sendable}
      handle={composer}
    />
  );

  return (
    <div className="sheet ruled">
      <ThreadBar view={view} />
      {isEmpty ? (
        <>
          <div className="frame pt-20 sm:pt-[132px]">{budgetLine}</div>
          <div className="frame">
            <div>{box}</div>
            {margin?.(settings.value, () => openPanel("notes"))}
          </div>
          {children}
        </>
      ) : (
        <>
          <Thread
            threadId={threadId}
            path={path}
            numbers={notesOfAnswer}
            context={context}
            turn={turn}
            last={state.turns.at(-1)}
            jump={scrolling}
          >
            <div className="frame">{budgetLine}</div>
            <div className="frame">
              <div>{box}</div>
              <p className="margin pt-4 pl-5 text-ink-3 text-meta">
                <Goes
                  live={turn !== undefined}
                  typing={typing}
                  waiting={state.waiting.length}
                  onChange={() => openPanel("notes")}
                />
              </p>
            </div>
          </Thread>
          <FirstPlace threadId={threadId} />
        </>
      )}
      {panel !== null && SettingsPanel && (
        <SettingsPanel
          userId={person.userId}
          settings={settings.value}
          offer={offer}
          notes={notes}
          problem={settings.problem}
          news={told}
          {...panel}
          onChange={(next) => {
            setNews(undefined);
            changeSettings(() => next);
          }}
          onModel={chooseModel}
          onReplace={changeTo}
          onClose={closePanel}
        />
      )}
    </div>
  );
}

/** The live run that the loader's data shows, before the store knows it. */
const shownLiveTurn = (path: readonly ShownMessage[]): LiveTurn | undefined => {
  const last = path.at(-1);
  return last?.kind === "answer" && (last.turn.phase === "answering" || last.turn.phase === "sending")
    ? last.turn
    : undefined;
};

/** Title, how long it is kept, and the thread's menu. What the list changed counts before the loader says so. */
function ThreadBar({ view }: { view: ThreadView | null }) {
  const { threads } = useThreadList();
  if (!view) return <Bar title="New thread" remark="Stored with its first message" />;
  const { thread } = view;
  const listed = threads.find(({ threadId }) => threadId === thread.threadId);
  const card = {
    threadId: thread.threadId,
    title: listed?.title ?? thread.title,
    pinned: listed?.pinned ?? thread.pinned,
  };
  const until = card.pinned ? null : thread.keptUntil;
  return (
    <Bar
      title={card.title}
      remark={until === null ? (card.pinned ? "Pinned, kept" : undefined) : `Kept until ${day.format(until)}`}
      menu={<ThreadMenu thread={card} />}
    />
  );
}

/** The transcript, and at the window's end the status line with the composer. */
function Thread({
  threadId,
  path,
  numbers,
  context,
  turn,
  last,
  jump,
  children,
}: {
  threadId: string;
  path: readonly ShownMessage[];
  numbers: readonly SidenoteCard[];
  context: TranscriptContext;
  turn: LiveTurn | undefined;
  last: LiveTurn | undefined;
  jump: { current: () => void };
  children: ReactNode;
}) {
  const log = useRef<HTMLDivElement>(null);
  const scrolling = useScrolling(log, threadId, turn !== undefined);
  jump.current = scrolling.jump;
  const foot = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const main = foot.current?.closest<HTMLElement>(".main");
    if (!foot.current || !main) return;
    const observer = new ResizeObserver(([entry]) =>
      main.style.setProperty("--foot", `${Math.ceil(entry?.borderBoxSize[0]?.blockSize ?? 0)}px`),
    );
    observer.observe(foot.current);
    return () => {
      observer.disconnect();
      main.style.removeProperty("--foot");
    };
  }, []);
  return (
    <>
      <Transcript log={log} path={path} numbers={numbers} context={context} />
      <div ref={foot} className="foot">
        <StatusLine turn={turn} last={last} away={scrolling.away} onJump={scrolling.jump} />
        {children}
      </div>
    </>
  );
}

const isAnswer = (shown: ShownMessage): boolean =>
  shown.kind === "message"
    ? shown.message.role === "assistant"
    : shown.kind === "answer" && shown.turn.phase === "ended";

/** What of a shown message a later prompt may hold: all but those that were not taken. */
function sendableOf(shown: ShownMessage): { id: string; text: string }[] {
  const { id } = shown;
  if (shown.kind === "message") return [{ id, text: shown.message.text }];
  if (shown.turn.phase === "refused") return [];
  return [{ id, text: shown.kind === "question" ? (shown.turn.question?.text ?? "") : shown.turn.text }];
}

/** What the next message takes along, in the margin beside the composer. */
function Goes({
  live: isLive,
  typing,
  waiting,
  onChange,
}: {
  live: boolean;
  typing: boolean;
  waiting: number;
  onChange(): void;
}) {
  const estimate = useEstimate();
  if (isLive && waiting > 0)
    return waiting === 1
      ? "One message waits. It goes out when the answer ends."
      : `${waiting} messages wait. They go out one by one when the answer ends.`;
  if (isLive) return typing ? "Enter queues this message. It goes out when the answer ends." : null;
  const goes = estimate && whatGoes(estimate);
  if (!goes) return null;
  return (
    <>
      {goes}{" "}
      <button type="button" className="link" onClick={onChange}>
        Change
      </button>
    </>
  );
}
