/**
 * The browser's side of runs: an external store that sends messages, reads the answer of the thread on screen, and
 * keeps what the page shows until the loader's data has it. It rests on three rules of the protocol. Every request
 * has an id of its own, so one whose outcome is unknown is simply repeated. A reader's position is a claim and an
 * offset, so any stream can be taken up again without a gap or a repeat. A stream that closes without `end`, `void`
 * or `gone` is not over: it is attached to again. A tab holds one stream at most, that of the thread on screen;
 * leaving drops the reader, never the run. The store knows no framework: the page subscribes and hands in its data.
 */
import type { EventSourceMessage } from "eventsource-parser";
import type { ThreadSettings } from "~/ai/settings";
import { type ErrorCode, errors } from "~/errors";
import { newMessageId, newRequestId, newThreadId, runIdOf } from "./ids";
import { createKept, type Kept, type KeptSend, NEW, type WaitingMessage } from "./kept";
import { HeldText, Misaligned, readEvents } from "./run-text";
import { type SaveRefusal, threadSettings } from "./settings-store";
import type { Blocked, Ending, MessageView, RunView, ThreadView } from "./view";

/** Why a request did not go in, as the person reads it. */
export interface Refusal {
  code: ErrorCode | "offline" | "unreachable";
  message: string;
  /** When it makes sense to try again, in milliseconds since the epoch; before that nothing is sent by itself. */
  until?: number;
}

/** A question and its answer as far as this tab knows more of them than the page's data. */
export interface LiveTurn {
  /** Id of the run, and of the answer's message. */
  runId: string;
  kind: "send" | "again" | "continue" | "joined";
  questionId: string;
  /** The question itself, if this tab sent it. */
  question?: { text: string; parentId: string | null; createdAt: number };
  phase: "sending" | "refused" | "answering" | "ended";
  refusal?: Refusal;
  text: string;
  /** What the model has thought, as far as it is shown, and for how many milliseconds. */
  reasoning?: { text: string; ms: number };
  startedAt: number;
  /** The server asks a busy model again. */
  waiting?: { attempt: number; seconds: number };
  /** The model refused the prompt as too long and is asked again without so many older messages and notes. */
  shortened?: { messages: number; notes: number };
  /** What is on screen is not in the table yet, and has not been for a while. */
  unsaved: boolean;
  stopping: boolean;
  /** The stream broke and is being taken up again. */
  cut: boolean;
  ending?: Ending;
  error?: ErrorCode;
  blocked?: Blocked;
}

export interface ThreadLive {
  turns: readonly LiveTurn[];
  /** Messages that go out one by one when the answer ends. */
  waiting: readonly WaitingMessage[];
  /** Text of a message that was not taken and belongs back into the composer. */
  returned: { text: string; refusal: Refusal } | null;
}

export interface NewMessage {
  text: string;
  /** Of an edited message: the parent that the new version shares with it. Otherwise the end of the path on screen. */
  parentId?: string | null;
  branch?: boolean;
}

/** What the store asks of the page it serves. */
export interface Page {
  revalidate(): void;
  /** A request of this thread was accepted; `created`: with it the thread. */
  accepted(threadId: string, created: boolean): void;
  signIn(): void;
}

export interface Surroundings {
  fetch: typeof fetch;
  kept: Kept;
  settings: {
    /** Saves what the person changed, before anything goes out. Resolves to why that failed; undefined: all is saved. */
    flush(threadId: string): Promise<SaveRefusal | undefined> | undefined;
    /** What was chosen for a thread that its first message makes. */
    ownOfNew(): ThreadSettings | undefined;
    /** The first message made the thread, with these. */
    adopt(threadId: string, sent: ThreadSettings | undefined): void;
  };
  now(): number;
  online(): boolean;
  /** Calls back with the next picture that is drawn. */
  frame(draw: () => void): void;
  /** Calls back whenever trying again at once makes sense: the network is back, the tab is looked at. */
  onWake(wake: () => void): void;
}

const IDLE: ThreadLive = { turns: [], waiting: [], returned: null };
const TRIES = 6;
const HEADERS_WITHIN = 20_000;
/** The answer is put right after its end is told. */
const PUT_TAKES = 200;

/** How long to wait before try number `failures + 1`, in ms. Short at its longest: a dead run shows 5 s after its lease. */
export const backOff = (failures: number): number => Math.min(300 * 1.6 ** failures, 3_000);

/** Whether the request may have gone in all the same. */
const isUnknown = (code: Refusal["code"]): boolean =>
  code === "offline" || code === "unreachable" || code === "internal" || code === "unavailable";

const refusalOf = (code: Refusal["code"], message?: string, until?: number): Refusal => ({
  code,
  message:
    code === "offline"
      ? "You are offline."
      : code === "unreachable"
        ? "Sidenote cannot be reached."
        : (message ?? errors[code].message),
  ...(until !== undefined && { until }),
});

/** The turn that is being sent or answered, if any: always the last. */
export const liveTurn = (live: ThreadLive): LiveTurn | undefined =>
  live.turns.findLast((turn) => turn.phase === "sending" || turn.phase === "answering");

interface RunEnd {
  ending: Ending;
  length: number;
  error?: ErrorCode;
  blocked?: Blocked;
}

interface Ask {
  kind: "again" | "continue";
  requestId: string;
  of: string;
}
type Request = ({ kind: "send" } & KeptSend) | Ask;

const bodyOf = (request: Request): unknown => {
  if (request.kind !== "send") return request;
  const { kind, messageId, text, parentId, branch, create, settings } = request;
  return { kind, messageId, text, parentId, branch, create, settings };
};

/** One thread as this tab follows it. */
interface Channel {
  threadId: string;
  /** Where its words are kept: NEW until its first message is accepted. */
  place: string;
  state: ThreadLive;
  requests: Map<string, Request>;
  /** What was read of the run on screen. */
  held: HeldText;
  drawing: boolean;
  newest: string;
  /** The newest run known to be over. */
  over: string;
  tip: string | null;
  head: string | null;
  tipEnding: Ending | undefined;
  reader: AbortController | null;
  synced: (() => void)[];
  /** How often the data was asked for again because an ended answer was not in it. */
  asked: number;
  loaded: boolean;
  restored: KeptSend | undefined;
}

interface RefusedBody {
  code: ErrorCode;
  message?: string;
  runId?: string;
  newestId?: string;
  until?: number;
}

async function refusedBody(response: Response): Promise<RefusedBody | undefined> {
  try {
    const { error } = (await response.json()) as { error?: RefusedBody };
    return error && error.code in errors ? error : undefined;
  } catch {
    return undefined;
  }
}

const refusedSave = ({ code, message }: SaveRefusal): RefusedBody | undefined =>
  code && { code, ...(message !== undefined && { message }) };

/** Whether it makes its thread. */
const isFirst = (request: Request): boolean => request.kind === "send" && request.create === true;

const isStream = (response: Response): boolean =>
  response.ok && (response.headers.get("Content-Type") ?? "").startsWith("text/event-stream");

const browser = (): Surroundings => ({
  fetch: (input, init) => fetch(input, init),
  kept: createKept(),
  settings: threadSettings,
  now: Date.now,
  online: () => navigator.onLine,
  // A hidden tab draws nothing, yet its text should be there when it is looked at.
  frame: (draw) => (document.hidden ? setTimeout(draw, 250) : requestAnimationFrame(draw)),
  onWake(wake) {
    window.addEventListener("online", wake);
    window.addEventListener("pageshow", wake);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  },
});

export type Live = ReturnType<typeof createLive>;

export function createLive(given?: Surroundings) {
  const channels = new Map<string, Channel>();
  const listeners = new Set<() => void>();
  const sleepers = new Set<() => void>();
  let lent: Surroundings | undefined = given;
  let listening = false;
  let userId = "";
  let current: Channel | undefined;
  let page: Page = { revalidate() {}, accepted() {}, signIn() {} };

  function surroundings(): Surroundings {
    lent ??= browser();
    if (!listening) {
      listening = true;
      lent.onWake(wake);
    }
    return lent;
  }

  function wake(): void {
    for (const rise of [...sleepers]) rise();
    for (const channel of channels.values())
      for (const turn of channel.state.turns)
        if (turn.refusal?.code === "offline" || turn.refusal?.code === "unreachable")
          retry(channel.threadId, turn.runId);
  }

  /** Waits, but no longer than until waking up, or until `signal` says that nobody cares any more. */
  function pause(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const rise = (): void => {
        clearTimeout(timer);
        sleepers.delete(rise);
        signal?.removeEventListener("abort", rise);
        resolve();
      };
      const timer = setTimeout(rise, ms);
      sleepers.add(rise);
      signal?.addEventListener("abort", rise);
    });
  }

  function channelOf(threadId: string, place = threadId): Channel {
    const known = channels.get(threadId);
    if (known) return known;
    const channel: Channel = {
      threadId,
      place,
      state: IDLE,
      requests: new Map(),
      held: new HeldText(),
      drawing: false,
      newest: "",
      over: "",
      tip: null,
      head: null,
      tipEnding: undefined,
      reader: null,
      synced: [],
      asked: 0,
      loaded: false,
      restored: undefined,
    };
    channels.set(threadId, channel);
    return channel;
  }

  function change(channel: Channel, state: Partial<ThreadLive>): void {
    channel.state = { ...channel.state, ...state };
    for (const listener of listeners) listener();
  }

  const turnOf = (channel: Channel, runId: string): LiveTurn | undefined =>
    channel.state.turns.find((turn) => turn.runId === runId);

  function patch(channel: Channel, runId: string, part: Partial<LiveTurn>): void {
    change(channel, {
      turns: channel.state.turns.map((turn) => (turn.runId === runId ? { ...turn, ...part } : turn)),
    });
  }

  function drop(channel: Channel, runId: string): void {
    channel.requests.delete(runId);
    change(channel, { turns: channel.state.turns.filter((turn) => turn.runId !== runId) });
  }

  function saw(channel: Channel, ...ids: (string | null | undefined)[]): void {
    for (const id of ids) if (id && id > channel.newest) channel.newest = id;
  }

  function setWaiting(channel: Channel, waiting: readonly WaitingMessage[]): void {
    surroundings().kept.writeWaiting(userId, channel.place, waiting);
    change(channel, { waiting });
  }

  // ---- sending ----

  /** Writes down what is about to be sent, before the first byte leaves. */
  function remember(channel: Channel, request: Request): void {
    if (request.kind === "send") surroundings().kept.writeSend(userId, channel.place, request);
  }

  function settle(channel: Channel, request: Request | undefined): void {
    if (request?.kind === "send") surroundings().kept.writeSend(userId, channel.place, undefined);
  }

  function begin(
    channel: Channel,
    request: Request,
    turn: Pick<LiveTurn, "kind" | "questionId" | "question" | "text">,
  ): void {
    const runId = request.kind === "send" ? runIdOf(request.messageId) : request.requestId;
    channel.requests.set(runId, request);
    saw(channel, runId);
    remember(channel, request);
    channel.reader?.abort();
    channel.held.clear(turn.text);
    const startedAt = surroundings().now();
    change(channel, {
      turns: [
        ...channel.state.turns.filter((other) => other.runId !== runId),
        { ...turn, runId, phase: "sending", startedAt, unsaved: false, stopping: false, cut: false },
      ],
      returned: null,
    });
    void deliver(channel, runId);
  }

  function beginSend(channel: Channel, send: KeptSend): void {
    const { refusal, ...fresh } = send;
    const { text, createdAt } = fresh;
    const turn = {
      kind: "send" as const,
      questionId: send.messageId,
      question: { text, parentId: send.parentId ?? null, createdAt },
      text: "",
    };
    if ((refusal?.until ?? 0) > surroundings().now()) stayRefused(channel, fresh, turn, refusal);
    else begin(channel, { kind: "send", ...fresh }, turn);
  }

  /** A message that was refused before the page was loaded, with a time before which sending it again is no use. */
  function stayRefused(
    channel: Channel,
    send: KeptSend,
    turn: Pick<LiveTurn, "kind" | "questionId" | "question" | "text">,
    refusal: Refusal | undefined,
  ): void {
    const runId = runIdOf(send.messageId);
    channel.requests.set(runId, { kind: "send", ...send });
    saw(channel, runId);
    const state = { startedAt: surroundings().now(), unsaved: false, stopping: false, cut: false };
    const refused: LiveTurn = { ...turn, ...state, runId, phase: "refused", ...(refusal && { refusal }) };
    change(channel, { turns: [...channel.state.turns, refused] });
  }

  async function post(channel: Channel, request: Request): Promise<Response | undefined> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), HEADERS_WITHIN);
    try {
      return await surroundings().fetch(`/threads/${channel.threadId}/runs`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
        body: JSON.stringify(bodyOf(request)),
        signal: limit.signal,
      });
    } catch {
      return undefined; // Whether it went in is unknown: the same request is sent again.
    } finally {
      clearTimeout(timer);
    }
  }

  async function deliver(channel: Channel, first: string): Promise<void> {
    let runId = first;
    let tries = 0;
    let renewed = false;
    for (;;) {
      const request = channel.requests.get(runId);
      if (!request || turnOf(channel, runId)?.phase !== "sending") return;
      // A message never goes out with other settings than the person sees. A first one brings them along.
      const saving = isFirst(request) ? undefined : surroundings().settings.flush(channel.threadId);
      const unsaved = saving && (await saving);
      const response = unsaved ? undefined : await post(channel, request);
      if (turnOf(channel, runId)?.phase !== "sending") {
        void response?.body?.cancel().catch(() => undefined);
        return;
      }
      if (response && isStream(response)) return accepted(channel, runId, request, response);
      const refused = unsaved ? refusedSave(unsaved) : response && !response.ok && (await refusedBody(response));
      if (!refused || refused.code === "internal" || refused.code === "unavailable") {
        tries += 1;
        if (!surroundings().online()) return refuse(channel, runId, refusalOf("offline"));
        if (tries >= TRIES) return refuse(channel, runId, refusalOf(refused ? refused.code : "unreachable"));
        await pause(backOff(tries));
        continue;
      }
      if (refused.code === "stale" && !renewed) {
        renewed = true;
        runId = await renew(channel, runId, request, refused.newestId);
        continue;
      }
      return turnedAway(channel, runId, request, refused);
    }
  }

  /** The thread has moved on: with its present end known, the same words go out under a newer id. */
  async function renew(channel: Channel, runId: string, request: Request, newestId?: string): Promise<string> {
    saw(channel, newestId);
    const synced = new Promise<void>((resolve) => channel.synced.push(resolve));
    page.revalidate();
    await Promise.race([synced, pause(5_000)]);
    const now = surroundings().now();
    const turn = turnOf(channel, runId);
    let renewed: Request;
    if (request.kind === "send") {
      const messageId = newMessageId(channel.newest, now);
      const parentId = request.branch ? request.parentId : (channel.tip ?? undefined);
      renewed = { ...request, messageId, parentId };
    } else renewed = { ...request, requestId: newRequestId(channel.newest, now) };
    const newRunId = renewed.kind === "send" ? runIdOf(renewed.messageId) : renewed.requestId;
    saw(channel, newRunId);
    channel.requests.delete(runId);
    if (!turn) return runId;
    channel.requests.set(newRunId, renewed);
    remember(channel, renewed);
    const part: Partial<LiveTurn> = { runId: newRunId };
    if (renewed.kind === "send") {
      part.questionId = renewed.messageId;
      if (turn.question) part.question = { ...turn.question, parentId: renewed.parentId ?? null };
    }
    patch(channel, runId, part);
    return newRunId;
  }

  function accepted(channel: Channel, runId: string, request: Request, response: Response): void {
    settle(channel, request);
    const created = isFirst(request);
    if (channel.place === NEW) {
      const { waiting } = channel.state;
      setWaiting(channel, []);
      channel.place = channel.threadId;
      setWaiting(channel, waiting);
      surroundings().settings.adopt(channel.threadId, request.kind === "send" ? request.settings : undefined);
    }
    const stopping = turnOf(channel, runId)?.stopping === true;
    patch(channel, runId, { phase: "answering" });
    if (current === channel) {
      void follow(channel, runId, response);
      page.accepted(channel.threadId, created);
    } else {
      void response.body?.cancel().catch(() => undefined);
      drop(channel, runId);
    }
    if (stopping) void postStop(channel, runId);
  }

  function refuse(channel: Channel, runId: string, refusal: Refusal): void {
    patch(channel, runId, { phase: "refused", refusal, stopping: false });
  }

  /** The server knows this request and says no; nothing was written. */
  function turnedAway(channel: Channel, runId: string, request: Request, refused: RefusedBody): void {
    const refusal = refusalOf(refused.code, refused.message, refused.until);
    if (refusal.until !== undefined && request.kind === "send") remember(channel, { ...request, refusal });
    if (refused.code !== "busy" && refused.code !== "not-signed-in") {
      refuse(channel, runId, refusal);
      return;
    }
    settle(channel, request);
    drop(channel, runId);
    if (request.kind === "send") {
      const { kept } = surroundings();
      const draft = kept.readDraft(userId, channel.place);
      kept.writeDraft(userId, channel.place, [request.text, draft].filter(Boolean).join("\n\n"));
      change(channel, { returned: { text: request.text, refusal } });
    }
    if (current !== channel) return;
    if (refused.code === "not-signed-in") page.signIn();
    else {
      if (refused.runId) join(channel, { runId: refused.runId, claimId: null, messageId: "", text: "", startedAt: 0 });
      page.revalidate();
    }
  }

  // ---- reading ----

  function draw(channel: Channel): void {
    if (channel.drawing) return;
    channel.drawing = true;
    surroundings().frame(() => {
      channel.drawing = false;
      show(channel);
    });
  }

  /** Puts the text read so far on screen. */
  function show(channel: Channel): void {
    const turn = channel.state.turns.findLast((other) => other.phase === "answering");
    const { text, reasoning, claimId } = channel.held;
    if (turn && (turn.text !== text || turn.reasoning !== reasoning) && claimId !== null)
      patch(channel, turn.runId, { text, reasoning, waiting: undefined });
  }

  type Joinable = Omit<RunView, "claimId"> & { claimId: string | null };

  function join(channel: Channel, run: Joinable): void {
    channel.reader?.abort();
    channel.held.join(run);
    saw(channel, run.runId);
    change(channel, {
      turns: [
        // One run at a time: whatever this tab still took for live is over, and in the page's data.
        ...channel.state.turns.filter((turn) => turn.runId !== run.runId && turn.phase !== "answering"),
        {
          runId: run.runId,
          kind: "joined",
          questionId: run.messageId,
          phase: "answering",
          text: run.text,
          ...(run.reasoning && { reasoning: run.reasoning }),
          startedAt: run.startedAt || surroundings().now(),
          unsaved: false,
          stopping: false,
          cut: false,
        },
      ],
    });
    void follow(channel, run.runId);
  }

  /** Reads a run to its end, over as many streams as that takes. */
  async function follow(channel: Channel, runId: string, first?: Response): Promise<void> {
    channel.reader?.abort();
    const reader = new AbortController();
    channel.reader = reader;
    let failures = 0;
    let response = first;
    while (!reader.signal.aborted) {
      response ??= await attachOnce(channel, runId, reader.signal);
      if (reader.signal.aborted) break;
      if (response && isStream(response)) {
        const { over, heard } = await read(channel, runId, response, reader.signal);
        if (over || reader.signal.aborted) break;
        failures = heard ? 0 : failures + 1;
      } else {
        if (response?.status === 401) return page.signIn();
        if (response?.status === 404 || response?.status === 204) {
          if (runId > channel.over) channel.over = runId;
          drop(channel, runId);
          return page.revalidate();
        }
        failures += 1;
      }
      response = undefined;
      patch(channel, runId, { cut: failures > 0 });
      await pause(backOff(failures), reader.signal);
    }
    void response?.body?.cancel().catch(() => undefined);
  }

  async function attachOnce(channel: Channel, runId: string, signal: AbortSignal): Promise<Response | undefined> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), HEADERS_WITHIN);
    try {
      return await surroundings().fetch(`/threads/${channel.threadId}/runs/${runId}${channel.held.position()}`, {
        headers: { Accept: "text/event-stream" },
        signal: AbortSignal.any([signal, limit.signal]),
      });
    } catch {
      return undefined; // Tried again with the same position.
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads one stream. `over`: the run's outcome was told; `heard`: at least one event came. */
  async function read(
    channel: Channel,
    runId: string,
    response: Response,
    signal: AbortSignal,
  ): Promise<{ over: boolean; heard: boolean }> {
    let heard = false;
    try {
      return await readEvents(response, signal, (event) => {
        heard = true;
        return take(channel, runId, event);
      });
    } catch (error) {
      // A broken connection, or text that does not join on to ours: either way the position says how to go on.
      if (error instanceof Misaligned) channel.held.claimId = null;
      return { over: false, heard };
    }
  }

  /** Takes one event; true if it tells the run's outcome. */
  function take(channel: Channel, runId: string, event: EventSourceMessage): boolean {
    const { held } = channel;
    if (event.event === undefined) {
      held.takeText(event.id ?? "", JSON.parse(event.data) as string);
      draw(channel);
      return false;
    }
    const data = JSON.parse(event.data) as Record<string, unknown>;
    const turn = turnOf(channel, runId);
    switch (event.event) {
      case "start":
        if (data.runId !== runId) throw new Misaligned();
        // Old text stays on screen until the first word of what replaces it is there.
        if (held.claimId === null) held.replace(String(data.claimId));
        if (turn?.cut) patch(channel, runId, { cut: false });
        return false;
      case "replace":
        held.replace(String(data.claimId));
        draw(channel);
        return false;
      case "reasoning":
        held.takeReasoning(data as { from: number; text: string; ms: number });
        draw(channel);
        return false;
      case "waiting":
        patch(channel, runId, { waiting: { attempt: Number(data.attempt), seconds: Number(data.seconds) } });
        return false;
      case "shortened":
        patch(channel, runId, { shortened: { messages: Number(data.messages), notes: Number(data.notes) } });
        return false;
      case "unsaved":
      case "saved":
        patch(channel, runId, { unsaved: event.event === "unsaved" });
        return false;
      case "end":
        finish(channel, runId, data as unknown as RunEnd);
        return true;
      case "void":
        takeVoid(channel, runId);
        return true;
      case "gone":
        drop(channel, runId);
        page.revalidate();
        return true;
      default:
        return false; // `detached`: the stream closes, and is attached to again.
    }
  }

  function finish(channel: Channel, runId: string, end: RunEnd): void {
    show(channel);
    if (runId > channel.over) channel.over = runId;
    channel.requests.delete(runId);
    channel.asked = 0;
    // Where the length differs the page's data, which is asked for now, has the right text.
    patch(channel, runId, {
      phase: "ended",
      ending: end.ending,
      error: end.error,
      blocked: end.blocked,
      waiting: undefined,
      unsaved: false,
      stopping: false,
      cut: false,
    });
    if (current !== channel) return;
    setTimeout(() => page.revalidate(), PUT_TAKES);
    sendNext(channel);
  }

  /** The run's question never got in. If this tab has it, it can be sent again under the same id. */
  function takeVoid(channel: Channel, runId: string): void {
    const request = channel.requests.get(runId);
    if (request) {
      remember(channel, request);
      refuse(channel, runId, refusalOf("unreachable"));
    } else drop(channel, runId);
    page.revalidate();
  }

  // ---- stopping ----

  async function postStop(channel: Channel, runId: string): Promise<void> {
    for (let failures = 0; failures < TRIES; failures += 1) {
      try {
        const response = await surroundings().fetch(`/threads/${channel.threadId}/runs/${runId}/stop`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: "{}",
        });
        if (response.ok || response.status === 404) return;
        if (response.status === 401) return page.signIn();
      } catch {
        // Asking twice to stop is harmless.
      }
      await pause(backOff(failures));
    }
    patch(channel, runId, { stopping: false });
  }

  // ---- what waits ----

  const mayFollow = (ending: Ending | undefined): boolean =>
    ending === undefined || ending === "complete" || ending === "stopped";

  /** Sends the first waiting message, unless the last answer went wrong: then the person decides. */
  function sendNext(channel: Channel, force = false): void {
    const [next, ...rest] = channel.state.waiting;
    const last = channel.state.turns.at(-1);
    if (!next || !channel.loaded || liveTurn(channel.state) || last?.phase === "refused") return;
    if (!force && !mayFollow(last ? last.ending : channel.tipEnding)) return;
    setWaiting(channel, rest);
    sendNow(channel, { text: next.text });
  }

  function sendNow(channel: Channel, message: NewMessage): void {
    const { now, kept, settings } = surroundings();
    const createdAt = now();
    const create = channel.place === NEW;
    const own = create ? settings.ownOfNew() : undefined;
    const last = channel.state.turns.findLast((turn) => turn.phase === "ended");
    // Data from while it ran names a live run as the head too.
    const lastRunId = last && last.runId >= (channel.head ?? "") ? last.runId : undefined;
    const parentId = message.parentId === undefined ? (lastRunId ?? channel.tip) : message.parentId;
    const branch = message.branch === true || (parentId ?? null) !== (lastRunId ?? channel.head);
    const send: KeptSend = {
      threadId: channel.threadId,
      messageId: newMessageId(channel.newest, createdAt),
      text: message.text,
      ...(parentId && { parentId }),
      ...(branch && !create && { branch: true }),
      ...(create && { create: true }),
      ...(own && { settings: own }),
      createdAt,
      tab: kept.tabName(),
    };
    beginSend(channel, send);
  }

  function retry(threadId: string, runId: string): void {
    const channel = channelOf(threadId);
    if (turnOf(channel, runId)?.phase !== "refused" || !channel.requests.has(runId)) return;
    if (liveTurn(channel.state)) return;
    const refusal = turnOf(channel, runId)?.refusal?.code;
    const request = channel.requests.get(runId);
    if (request?.kind === "send" && request.create && refusal && !isUnknown(refusal)) {
      // The server has taken nothing of it: it goes out with what is chosen now.
      const { settings: _, ...rest } = request;
      const own = surroundings().settings.ownOfNew();
      const fresh = { ...rest, ...(own && { settings: own }) };
      channel.requests.set(runId, fresh);
      remember(channel, fresh);
    }
    patch(channel, runId, { phase: "sending", refusal: undefined, startedAt: surroundings().now() });
    channel.held.clear();
    // A refused id may be taken by other words; only then is a new one right.
    if (refusal !== "mismatch") return void deliver(channel, runId);
    if (request) void renew(channel, runId, request).then((renewed) => deliver(channel, renewed));
  }

  function leaveCurrent(): void {
    const channel = current;
    current = undefined;
    if (!channel) return;
    channel.reader?.abort();
    channel.reader = null;
    channel.held.clear();
    channel.loaded = false;
    // What was read is in the page's data when the person comes back; what is not sent yet is kept.
    const turns = channel.state.turns.filter((turn) => turn.phase === "sending" || turn.phase === "refused");
    if (turns.length !== channel.state.turns.length) change(channel, { turns });
  }

  /** Another person signed in on this page: nothing of the one before is shown or sent. */
  function become(person: string): void {
    if (person === userId) return;
    leaveCurrent();
    for (const channel of channels.values()) channel.requests.clear();
    channels.clear();
    userId = person;
  }

  function enter(channel: Channel): void {
    if (current === channel) return;
    leaveCurrent();
    current = channel;
    const { kept } = surroundings();
    const waiting = kept.readWaiting(userId, channel.place);
    if (waiting.length > 0 || channel.state.waiting.length > 0) change(channel, { waiting });
    const restored = kept.readSend(userId, channel.place);
    if (restored && !turnOf(channel, runIdOf(restored.messageId))) channel.restored = restored;
  }

  return {
    subscribe(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    /** What this tab knows of a thread beyond the page's data. The same object until something changes. */
    get: (threadId: string): ThreadLive => channels.get(threadId)?.state ?? IDLE,

    /** What the server renders with, and the browser's first picture too. */
    idle: (): ThreadLive => IDLE,

    /** Lends the store the page that it serves; the returned function takes it back. */
    serve(server: Page): () => void {
      page = server;
      return () => {
        if (page === server) page = { revalidate() {}, accepted() {}, signIn() {} };
      };
    },

    /** The page shows this thread now; the one before is left. */
    open(threadId: string, person: string): void {
      become(person);
      enter(channelOf(threadId));
    },

    /**
     * The page shows a new thread. Returns its id: a fresh one, or that of a first message which this tab sent and
     * whose outcome is still open.
     */
    openNew(person: string): string {
      become(person);
      const { kept, now } = surroundings();
      const send = kept.readSend(person, NEW);
      const ours = send && (send.tab === kept.tabName() || now() - send.createdAt > 60_000);
      const channel = channelOf(ours ? send.threadId : newThreadId(now()), NEW);
      enter(channel);
      channel.loaded = true;
      const { restored } = channel;
      channel.restored = undefined;
      if (ours && restored) beginSend(channel, restored);
      return channel.threadId;
    },

    /** The page with this thread is gone. Only the reader is dropped; a request under way goes on to its answer. */
    leave(threadId: string): void {
      if (current?.threadId === threadId) leaveCurrent();
    },

    /**
     * Takes the page's data: joins the live run, drops what the data has by now, sends what waited. `version`: the
     * data shows a version that was asked for; an answer that it knows and does not show belongs to another one.
     */
    sync(view: ThreadView, version = false): void {
      const channel = channelOf(view.thread.threadId);
      if (current !== channel) return;
      const known = new Set(view.messages.map((message) => message.id));
      saw(channel, view.headId, view.tipId, view.run?.runId, ...view.messages.flatMap((message) => message.versions));
      saw(channel, ...known);
      // What comes next follows an answer: a question that was not answered gets a sibling.
      const last = view.messages.at(-1);
      channel.tip = last?.role === "user" ? last.parentId : view.tipId;
      channel.head = view.headId;
      channel.tipEnding = last?.ending;
      channel.loaded = true;

      const { restored } = channel;
      channel.restored = undefined;
      if (restored && known.has(restored.messageId)) surroundings().kept.writeSend(userId, channel.place, undefined);

      const turns = channel.state.turns.filter((turn) => {
        if (known.has(turn.runId)) return false;
        const isElsewhere = version && !known.has(turn.questionId) && turn.runId <= (view.headId ?? "");
        if (turn.phase === "ended") return !isElsewhere && turn.runId >= (view.headId ?? "");
        // Refused as far as this tab could tell, and yet it went in.
        if (turn.phase === "refused" && turn.kind === "send" && known.has(turn.questionId)) {
          settle(channel, channel.requests.get(turn.runId));
          return false;
        }
        return true;
      });
      if (turns.length !== channel.state.turns.length) {
        if (!turns.some((turn) => turn.phase === "answering")) channel.reader?.abort();
        change(channel, { turns });
      }

      const { run } = view;
      const live = liveTurn(channel.state);
      if (run && run.runId > channel.over && (!live || (live.phase === "answering" && run.runId > live.runId)))
        join(channel, run);
      else if (run && live && run.runId === live.runId && live.questionId === "")
        patch(channel, live.runId, { questionId: run.messageId, startedAt: run.startedAt });

      // The end was told, and the answer is not in the data yet: a moment later it is.
      if (turns.some((turn) => turn.phase === "ended" && known.has(turn.questionId)) && channel.asked < 5) {
        channel.asked += 1;
        setTimeout(() => current === channel && page.revalidate(), 1_000);
      }
      for (const told of channel.synced.splice(0)) told();
      if (restored && !known.has(restored.messageId) && !liveTurn(channel.state)) beginSend(channel, restored);
      sendNext(channel);
    },

    /** Follows a run from a position; the page's data usually does it by `sync`. */
    attach(threadId: string, run: RunView): void {
      join(channelOf(threadId), run);
    },

    /** Sends a message, or lets it wait for the end of the answer. Its text is the store's to keep from here on. */
    send(threadId: string, message: NewMessage): "sent" | "waits" {
      const channel = channelOf(threadId);
      const free = !liveTurn(channel.state) && !channel.state.turns.some((turn) => turn.phase === "refused");
      if (free && (message.branch || channel.state.waiting.length === 0)) {
        sendNow(channel, message);
        return "sent";
      }
      const key = newRequestId(channel.state.waiting.at(-1)?.key, surroundings().now());
      setWaiting(channel, [...channel.state.waiting, { key, text: message.text }]);
      return "waits";
    },

    /** Takes a waiting message back; returns its text. */
    takeBack(threadId: string, key: string): string {
      const channel = channelOf(threadId);
      const text = channel.state.waiting.find((message) => message.key === key)?.text ?? "";
      setWaiting(
        channel,
        channel.state.waiting.filter((message) => message.key !== key),
      );
      return text;
    },

    /** Sends what waits although the last answer went wrong. */
    sendWaiting(threadId: string): void {
      sendNext(channelOf(threadId), true);
    },

    /** The composer has taken the returned text. */
    takeReturned(threadId: string): void {
      const channel = channelOf(threadId);
      if (channel.state.returned) change(channel, { returned: null });
    },

    /** Answers a question once more; the answer so far stays as a version. */
    again(threadId: string, questionId: string): void {
      const channel = channelOf(threadId);
      if (liveTurn(channel.state)) return;
      const requestId = newRequestId(channel.newest, surroundings().now());
      begin(channel, { kind: "again", requestId, of: questionId }, { kind: "again", questionId, text: "" });
    },

    /** Goes on from an answer that was cut off or stopped; that one stays as a version. */
    continueAnswer(threadId: string, answer: Pick<MessageView, "id" | "parentId" | "text">): void {
      const channel = channelOf(threadId);
      if (liveTurn(channel.state)) return;
      const requestId = newRequestId(channel.newest, surroundings().now());
      begin(
        channel,
        { kind: "continue", requestId, of: answer.id },
        { kind: "continue", questionId: answer.parentId ?? "", text: answer.text },
      );
    },

    /** Repeats a refused request, under the same id. */
    retry,

    /** Gives up a refused request; returns the message's text. */
    dismiss(threadId: string, runId: string): string {
      const channel = channelOf(threadId);
      const turn = turnOf(channel, runId);
      if (turn?.phase !== "refused") return "";
      settle(channel, channel.requests.get(runId));
      drop(channel, runId);
      sendNext(channel);
      return turn.question?.text ?? "";
    },

    /** Stops the live run, wherever it is produced. */
    stop(threadId: string): void {
      const channel = channelOf(threadId);
      const turn = liveTurn(channel.state);
      if (!turn || turn.stopping) return;
      patch(channel, turn.runId, { stopping: true });
      // A request that is not accepted yet has no run to stop: that follows its acceptance.
      if (turn.phase === "answering") void postStop(channel, turn.runId);
    },
  };
}

/** The store of this tab. */
export const live = createLive();
