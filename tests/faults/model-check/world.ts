/**
 * The world of one seed: two servers that run the app's own protocol module, a simulated table, a network that cuts
 * and delays, and tabs that send, repeat, edit, retry, continue, stop, delete, read along and reload. It writes down
 * what people saw and asked for; the rules in rules.ts judge it.
 */
import { type Checked, checkWhole, createWindows, type Verdict } from "../../../app/ai/guardrail-windows.ts";
import { runIdOf } from "../../../app/threads/ids.ts";
import type {
  Address,
  Claim,
  LoadedThread,
  MessageItem,
  ModelOutcome,
  Position,
  ReaderEvent,
  ReleaseGate,
  RunRequest,
  Runs,
  RunsOptions,
} from "../../../app/threads/run-items.server.ts";
import { type Chance, Process, Simulation } from "./simulation.ts";
import { connect, type Faults, SimulatedTable, type Write } from "./table.ts";

export type Protocol = { createRuns(options: RunsOptions): Runs };

/** What chance decides once for a whole seed. */
export interface Weather {
  faults: Faults;
  /** Share of table calls at which the server is killed. */
  kills: number;
  /** Kills a minute, at any moment. */
  deaths: number;
  stalls: number;
  /** A minute: times at which the table answers nobody, up to 30 s long. */
  outages: number;
  /** Share of answers that never arrive, and of streams that are cut. */
  cuts: number;
  /** The longest delay of a request on its way, in milliseconds. */
  network: number;
  deletes: number;
  tabs: number;
  threads: number;
  liveRuns: number;
  /** How long tabs act, in milliseconds. */
  span: number;
  quick: boolean;
  /** Whether a guardrail is asked about every question and answer. */
  guardrail: boolean;
}

/** One producer's work, as its server knows it. */
export interface Work {
  address: Address;
  runId: string;
  claimId: string;
  messageId: string;
  /** The last message of the prompt, apart from a question that comes with the request. */
  promptTip: string | null;
  isSend: boolean;
  server: Process;
  /** All that the model has said, with what it went on from. */
  said: string;
  /** All that it has thought. */
  thought: string;
  /** Whether the gate lets its reasoning through. */
  isThoughtShown: boolean;
  outcome: ModelOutcome | undefined;
  isBlocked: boolean;
  isCalled: boolean;
  /** Whether the model call is over, on a server that lives. */
  isCallOver: boolean;
  accepted: boolean;
  /** What the guardrail was asked for it, and what of that RUN is known to say. */
  guardrail(): { units: number; told: number };
  /** What readers were shown: up to where, and when it left a server. */
  shown: { start: number; end: number; at: number }[];
  /** The same of its reasoning. */
  shownThought: { start: number; end: number; at: number }[];
}

/** How a reader came to the end of a run. */
export interface Reading {
  address: Address;
  runId: string;
  claimId: string;
  text: string;
  reasoning: string;
  ending: string;
}

export interface Facts {
  works: Map<string, Work>;
  readings: Reading[];
  /** Requests by id that got a 200, with the text or target each asked for. */
  accepted: Map<string, { address: Address; request: RunRequest; bodies: Set<string>; at: number }>;
  stopsAsked: Set<string>;
  /** True time at which the 200 of a delete left. */
  deletedAt: Map<string, number>;
  /** Texts of questions about which the guardrail has said something. */
  checked: Set<string>;
  /** What the guardrail billed each server for, and what of it servers know of beside their works. */
  billed: Map<Process, number>;
  askedBeside: Map<Process, number>;
  violations: string[];
  kills: number;
  runs: number;
}

/** What the guardrail of the model check masks, and what it blocks. */
const secret = /secret:\d+/g;
export const isSecret = (text: string): boolean => /secret:\d/.test(text);
export const isForbidden = (text: string): boolean => text.includes("a forbidden thing");
/** What is left of a text that the guardrail masks. */
export const maskedText = (text: string): string => text.replace(secret, "{SECRET}");

/** Adds to what is known of a server. */
function count(figures: Map<Process, number>, server: Process, more: number): void {
  figures.set(server, (figures.get(server) ?? 0) + more);
}

interface Server {
  process: Process;
  runs: Runs;
  deadline: number;
}

type Answer =
  | { status: "ok"; events: AsyncGenerator<ReaderEvent, void> }
  | { status: "busy"; runId: string }
  | { status: "stale"; newestId: string }
  | { status: "mismatch" | "not-found" | "bad-id" | "too-many-runs" | "unavailable" };

/** How a model speaks: at most so many parts of so many characters, at most so many milliseconds apart. */
const manners = [
  { parts: 6, size: 60, pace: 300 },
  { parts: 6, size: 60, pace: 300 },
  { parts: 60, size: 60, pace: 500 },
  { parts: 60, size: 60, pace: 500 },
  { parts: 3, size: 900, pace: 2_000 },
  { parts: 8, size: 30, pace: 6_000 },
  { parts: 12, size: 2_000, pace: 300 },
] as const;

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const userId = "person";

/** A response body on its way to a tab. */
class Connection {
  private readonly arrived: ReaderEvent[] = [];
  private isClosed = false;
  private isCut = false;
  private arrivesAt = 0;
  private wake: (() => void) | undefined;
  private readonly simulation: Simulation;

  constructor(simulation: Simulation) {
    this.simulation = simulation;
  }

  private later(work: () => void): void {
    this.arrivesAt = Math.max(this.arrivesAt, this.simulation.now + this.simulation.chance.between(1, 40));
    this.simulation.after(this.arrivesAt - this.simulation.now, () => {
      if (!this.isCut) work();
      this.wake?.();
    });
  }

  send(event: ReaderEvent, onArrival: () => void): void {
    this.later(() => {
      this.arrived.push(event);
      onArrival();
    });
  }

  close(): void {
    this.later(() => {
      this.isClosed = true;
    });
  }

  /** The tab goes away, or the network does. */
  cut(): void {
    this.isCut = true;
    this.isClosed = true;
    this.wake?.();
  }

  get isDropped(): boolean {
    return this.isCut;
  }

  /** Undefined: closed. */
  async next(): Promise<ReaderEvent | undefined> {
    while (this.arrived.length === 0 && !this.isClosed)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    return this.arrived.shift();
  }
}

export class World {
  readonly simulation: Simulation;
  readonly chance: Chance;
  readonly table: SimulatedTable;
  readonly weather: Weather;
  readonly facts: Facts = {
    works: new Map(),
    readings: [],
    accepted: new Map(),
    stopsAsked: new Set(),
    deletedAt: new Map(),
    checked: new Set(),
    billed: new Map(),
    askedBeside: new Map(),
    violations: [],
    kills: 0,
    runs: 0,
  };
  readonly addresses: Address[];
  private readonly servers: Server[] = [];
  private readonly protocol: Protocol;
  private isCalm = false;
  private tableIsBackAt = 0;
  private claims = 0;
  /** Kills the server at one table call: for the check of every point. */
  private readonly killAt: { call: number; when: "before" | "after" } | undefined;

  constructor(
    chance: Chance,
    weather: Weather,
    protocol: Protocol,
    onWrite: (world: World, write: Write) => void,
    killAt?: { call: number; when: "before" | "after" },
  ) {
    this.chance = chance;
    this.weather = weather;
    this.protocol = protocol;
    this.killAt = killAt;
    this.simulation = new Simulation(chance);
    this.table = new SimulatedTable(
      () => this.simulation.now,
      (write) => onWrite(this, write),
    );
    this.addresses = Array.from({ length: weather.threads }, (_, index) => ({ userId, threadId: `T${index}` }));
    for (let index = 0; index < 2; index++) this.start(index);
  }

  violate(rule: string, detail: string): void {
    this.facts.violations.push(`${rule}: ${detail}`);
  }

  // --- Servers -----------------------------------------------------------------------------------------------

  private start(index: number): void {
    const { simulation, chance, weather } = this;
    const server = new Process(simulation, index === 0 ? 0 : chance.between(-5_000, 5_000));
    const lifetime = chance.between(30_000, 150_000);
    const calm: Faults = { ...weather.faults, lost: 0, unanswered: 0, late: 0, doubled: 0, repeated: 0, messages: 0 };
    const store = connect(
      simulation,
      this.table,
      server,
      () => {
        if (this.isCalm) return calm;
        return simulation.now < this.tableIsBackAt ? { ...weather.faults, lost: 1 } : weather.faults;
      },
      (when, call) => {
        const isPoint = this.killAt?.call === call && this.killAt.when === when;
        if (isPoint || chance.happens(weather.kills)) this.kill(index, server);
      },
    );
    const runs = this.protocol.createRuns({
      store,
      clock: { now: server.now, sleep: server.sleep },
      newClaimId: () => `claim${String(++this.claims).padStart(11, "0")}`,
      random: () => chance.next(),
      limits: { liveRuns: weather.liveRuns, answer: 12_000, reasoning: 3_000, unread: 1 },
      ...(weather.guardrail
        ? { check: (text: string, signal: AbortSignal) => this.checkQuestion(server, text, signal) }
        : {}),
      threadOf: () => ({
        activityAt: "THREAD#0#",
        card: { title: "A thread", pinned: false, at: server.now() },
        createdAt: server.now(),
      }),
      cite: async () => [],
      finish: async () => {
        if (chance.happens(0.05)) throw new Error("The search index did not answer");
      },
      report: ({ error }) => {
        if (!(error instanceof Error) || !/did not answer/.test(error.message))
          this.violate("No bug", String(error instanceof Error ? error.stack : error));
      },
    });
    this.servers[index] = { process: server, runs, deadline: server.now() + lifetime };
    if (weather.deaths > 0) simulation.after(lifetime, () => this.kill(index, server));
  }

  private kill(index: number, server: Process): void {
    if (!server.isAlive || this.isCalm) return;
    server.kill();
    this.facts.kills++;
    this.simulation.after(this.chance.between(50, 4_000), () => this.start(index));
  }

  /** Kills, stalls and outages at any moment. */
  private async misfortune(until: number): Promise<void> {
    const { simulation, chance, weather } = this;
    const { deaths, stalls, outages } = weather;
    const rate = deaths + stalls + outages;
    while (rate > 0 && simulation.now < until) {
      await simulation.sleep(chance.between(0, 120_000 / rate));
      const index = chance.whole(0, 1);
      const server = this.servers[index]?.process;
      if (!server || this.isCalm) continue;
      const dice = chance.between(0, rate);
      if (dice < deaths) this.kill(index, server);
      else if (dice < deaths + stalls) server.stall(chance.between(500, 30_000));
      else this.tableIsBackAt = simulation.now + chance.between(500, 30_000);
    }
  }

  /** Runs work inside a server, as a request does. Undefined: no answer came. */
  request<R>(work: (server: Server) => Promise<R>, delay?: number): Promise<R | undefined> {
    const { simulation, chance, weather } = this;
    return new Promise((resolve) => {
      let isOpen = true;
      const settle = (answer: R | undefined) => {
        if (!isOpen) return;
        isOpen = false;
        resolve(answer);
      };
      const isCut = !this.isCalm && chance.happens(weather.cuts);
      const giveUpAfter = isCut ? chance.between(10, 8_000) : 60_000;
      simulation.after(giveUpAfter, () => settle(undefined));
      simulation.after(delay ?? chance.between(2, weather.network), () => {
        const alive = this.servers.filter(({ process }) => process.isAlive);
        if (alive.length === 0) return settle(undefined);
        const server = chance.pick(alive);
        const forget = server.process.onKill(() => simulation.after(chance.between(1, 50), () => settle(undefined)));
        server.process.enter(() => {
          work(server).then(
            (answer) => {
              forget();
              simulation.after(chance.between(2, weather.network), () => settle(isCut ? undefined : answer));
            },
            (error: unknown) => {
              if (!(error instanceof Error) || !/did not answer/.test(error.message))
                this.violate("No bug", String(error instanceof Error ? error.stack : error));
              settle(undefined);
            },
          );
        });
      });
    });
  }

  /** A request whose 200 is a stream. */
  async stream(
    open: (server: Server) => Promise<Answer>,
    delay?: number,
  ): Promise<Exclude<Answer, { status: "ok" }> | { status: "ok"; connection: Connection } | undefined> {
    const { simulation, chance, weather } = this;
    return await this.request(async (server) => {
      const answer = await open(server);
      if (answer.status !== "ok") return answer;
      const connection = new Connection(simulation);
      const forget = server.process.onKill(() => connection.close());
      const isFollowed = chance.happens(0.7);
      if (!this.isCalm && chance.happens(weather.cuts * 2))
        simulation.after(chance.between(0, 15_000), () => connection.cut());
      const pump = async () => {
        let claimId = "";
        // A client that goes away is not noticed on Lambda: the events are drained all the same.
        for await (const event of answer.events) {
          if (connection.isDropped && !isFollowed) return;
          const at = simulation.now;
          if (event.type === "start" || event.type === "replace") claimId = event.claimId;
          const claim = claimId;
          connection.send(event, () => this.noteShown(event, claim, at));
        }
        forget();
        connection.close();
      };
      void pump();
      return { status: "ok" as const, connection };
    }, delay);
  }

  private noteShown(event: ReaderEvent, claim: string, at: number): void {
    if (event.type === "reasoning" && event.text !== "") {
      const end = event.from + event.text.length;
      this.facts.works.get(claim)?.shownThought.push({ start: event.from, end, at });
    }
    if (event.type !== "text") return;
    const { claimId, offset } = event.position;
    this.facts.works.get(claimId)?.shown.push({ start: offset - event.text.length, end: offset, at });
  }

  // --- What a server does ------------------------------------------------------------------------------------

  /** What the app's route does with a request for a run. */
  async post({ runs, process, deadline }: Server, address: Address, request: RunRequest): Promise<Answer> {
    const { chance } = this;
    const startedAt = this.simulation.now;
    const outcome = await runs.claim(address, request, {
      hash: JSON.stringify(request),
      history: 3,
      prepare: async ({ history }) => {
        this.checkChain(history);
        if (chance.happens(0.3)) await process.sleep(chance.between(1, 300));
        if (chance.happens(0.01)) throw new Error("The list of models did not answer");
        // Whether it has passed before is remembered outside of the protocol, and sometimes is not.
        const systemPrompt = this.weather.guardrail && chance.happens(0.3) ? this.words("Be brief.") : undefined;
        const settings = systemPrompt === undefined ? {} : { systemPrompt };
        return {
          given: { model: { ref: "m", name: "M" }, settings, notes: [] },
          value: undefined,
          unchecked: systemPrompt,
        };
      },
      asked: (units) => count(this.facts.askedBeside, process, units),
    });
    const isThere = !["not-found", "unavailable", "bad-id"].includes(outcome.outcome);
    this.checkDeleted(address, startedAt, isThere, "a request for a run");
    if (outcome.outcome === "attach") return await this.attach({ runs, process, deadline }, address, outcome.runId);
    if (outcome.outcome === "busy") return { status: "busy", runId: outcome.runId };
    if (outcome.outcome === "stale") return { status: "stale", newestId: outcome.newestId };
    if (outcome.outcome === "unchecked") return { status: "unavailable" };
    if (outcome.outcome !== "claimed") return { status: outcome.outcome };

    const work = this.newWork(outcome.claim, process);
    const production = runs.produce(outcome.claim, {
      answer: (signal, question, systemPrompt) => {
        if (this.weather.guardrail) this.checkPrompt(outcome.claim.unchecked, systemPrompt);
        return this.speak(work, signal, question);
      },
      touch: async () => {
        if (chance.happens(0.5)) await process.sleep(chance.between(1, 50));
        const thread = this.table.get("thread", address);
        return thread !== undefined && thread.deletedAt === undefined;
      },
      gate: (signal) => (this.weather.guardrail ? this.windowsOf(work, signal) : this.gateOf(work)),
      deadline,
    });
    work.guardrail = production.guardrail;
    const accepted = await production.accepted;
    if (accepted !== "accepted") return { status: accepted === "unchecked" ? "unavailable" : accepted };
    work.accepted = true;
    return { status: "ok", events: production.events };
  }

  async attach({ runs }: Server, address: Address, runId: string, position?: Position): Promise<Answer> {
    const startedAt = this.simulation.now;
    const events = await runs.readAlong(address, runId, position);
    this.checkDeleted(address, startedAt, events !== undefined, "a reader");
    return events ? { status: "ok", events } : { status: "not-found" };
  }

  private checkDeleted(address: Address, startedAt: number, isThere: boolean, what: string): void {
    const deletedAt = this.facts.deletedAt.get(address.threadId);
    if (isThere && deletedAt !== undefined && deletedAt < startedAt)
      this.violate("Nothing of a deleted thread is readable", what);
  }

  private checkChain(history: MessageItem[]): void {
    for (const [index, message] of history.entries()) {
      const parent = history[index - 1];
      if (
        parent &&
        (message.parentId !== parent.id || message.depth !== parent.depth + 1 || message.role === parent.role)
      )
        this.violate("A prompt's history is one path", `${message.id} after ${parent.id}`);
    }
  }

  /** A page shows a path without a gap, its tip, and everything that was accepted before it was asked for. */
  private checkPage(page: LoadedThread, tipId: string | undefined, accepted: { request: RunRequest }[]): void {
    const messages = new Map(page.messages.map((message) => [message.id, message]));
    const path = page.path.flatMap((id) => messages.get(id) ?? []);
    this.checkChain(path);
    if (path.length !== page.path.length || (path[0] && path[0].parentId !== null))
      this.violate("A page shows a whole path", page.path.join());
    if (tipId !== undefined && page.path.at(-1) !== tipId) this.violate("A page shows its tip", tipId);
    if (tipId === undefined && page.headId && !page.live && !page.path.includes(page.headId))
      this.violate("A page shows the newest answer", page.headId);
    for (const { request } of accepted)
      if (request.kind === "send" && !messages.has(request.messageId))
        this.violate("A page shows every accepted message", request.messageId);
  }

  private newWork<T>(claim: Claim<T>, server: Process): Work {
    this.facts.runs++;
    const work: Work = {
      address: claim.address,
      runId: claim.runId,
      claimId: claim.claimId,
      messageId: claim.messageId,
      promptTip: claim.history.at(-1)?.id ?? null,
      isSend: claim.question !== undefined,
      server,
      said: claim.prefix,
      thought: "",
      isThoughtShown: this.chance.happens(0.8) && !this.weather.guardrail,
      outcome: undefined,
      isBlocked: false,
      isCalled: false,
      isCallOver: false,
      accepted: false,
      guardrail: () => ({ units: 0, told: 0 }),
      shown: [],
      shownThought: [],
    };
    if (this.facts.works.has(claim.claimId)) this.violate("A claim has one producer", claim.claimId);
    this.facts.works.set(claim.claimId, work);
    return work;
  }

  /** The model. Its text differs in every claim. */
  private async *speak(
    work: Work,
    signal: AbortSignal,
    question: string | undefined,
  ): AsyncGenerator<
    { type: "text" | "reasoning"; text: string } | { type: "waiting"; attempt: number; seconds: number },
    ModelOutcome
  > {
    const { chance } = this;
    const { server } = work;
    work.isCalled = true;
    if (this.weather.guardrail) this.checkCall(work, question);
    const { parts, size, pace } = this.weather.quick ? manners[0] : chance.pick(manners);
    const end = chance.next();
    const count = chance.whole(0, parts);
    const thinks = chance.pick([0, 0, 0.4]);
    try {
      if (chance.happens(0.1)) yield { type: "waiting", attempt: 1, seconds: 1 };
      for (let index = 0; index < count; index++) {
        await server.sleep(chance.between(1, pace), signal);
        if (signal.aborted) return { ending: "interrupted" };
        if (chance.happens(index < 4 ? thinks : thinks / 8)) {
          // Thinks before it speaks, and now and then between its words.
          for (let thoughts = chance.whole(1, 4); thoughts > 0; thoughts--) {
            const thought = `(${work.claimId.slice(-3)}.${index}🙂 ${"hm ".repeat(chance.whole(0, size / 3))})`;
            const half = chance.happens(0.3) ? thought.indexOf("🙂") + 1 : thought.length;
            for (const part of [thought.slice(0, half), thought.slice(half)]) {
              if (part === "") continue;
              work.thought += part;
              yield { type: "reasoning", text: part };
            }
            await server.sleep(chance.between(1, pace), signal);
            if (signal.aborted) return { ending: "interrupted" };
          }
        }
        let text = `${work.claimId.slice(-3)}.${index} ${"words ".repeat(chance.whole(0, size / 6))}`;
        if (chance.happens(0.2)) text += "é🙂";
        if (this.weather.guardrail && chance.happens(0.2)) text += `secret:${chance.whole(1, 99_999)} `;
        if (this.weather.guardrail && chance.happens(0.01)) text += "a forbidden thing ";
        // A character may come in two halves.
        const cut = chance.happens(0.2) ? text.length - chance.whole(1, 9) : text.length;
        for (const part of [text.slice(0, cut), text.slice(cut)]) {
          if (part === "") continue;
          work.said += part;
          yield { type: "text", text: part };
        }
      }
      if (end < 0.03) {
        await server.sleep(60_000, signal);
        return { ending: "interrupted", error: "model-silent" };
      }
      const usage = { inputTokens: 10, outputTokens: count };
      if (end < 0.05) throw new Error("The model did not answer");
      if (end < 0.1) work.outcome = { ending: "failed", error: "model-busy" };
      else if (end < 0.18) work.outcome = { ending: "interrupted", error: "model-cut", usage };
      else work.outcome = { ending: "complete", finishReason: "stop", usage };
      return work.outcome;
    } finally {
      work.isCallOver = true;
    }
  }

  /** Blocks some answers, on the way or at their end. */
  private gateOf(work: Work): ReleaseGate {
    const { chance } = this;
    const blocksAfter = chance.happens(0.05) ? chance.whole(0, 1_500) : Number.POSITIVE_INFINITY;
    let length = 0;
    const block = () => {
      work.isBlocked = true;
      return { text: "", blocked: { message: "This was blocked.", policies: ["Denied topic"] } };
    };
    return {
      release: (text) => {
        length += text.length;
        return length < blocksAfter ? { text } : block();
      },
      flush: () => (chance.happens(0.01) ? block() : { text: "" }),
      ...(work.isThoughtShown ? { think: (text: string) => text } : {}),
    };
  }

  // --- The guardrail -------------------------------------------------------------------------------------------

  /** One call of it: late, sometimes not to be reached, and not always of the same mind. */
  private async ask(server: Process, text: string, signal: AbortSignal): Promise<Verdict> {
    const verdict = await this.verdictOn(server, text, signal);
    count(this.facts.billed, server, verdict.units);
    return verdict;
  }

  private async verdictOn(server: Process, text: string, signal: AbortSignal): Promise<Verdict> {
    const { chance } = this;
    await server.sleep(chance.between(5, chance.happens(0.1) ? 8_000 : 400), signal);
    if (signal.aborted || chance.happens(0.04)) return { outcome: "unavailable", units: text.length % 3 };
    const matches = [...text.matchAll(secret)].map(([found]) => ({ text: found, mask: "{SECRET}" }));
    if (isForbidden(text) || chance.happens(0.02))
      return { outcome: "blocked", policies: ["Denied topic: things"], message: "Not here.", matches, units: 1 };
    if (matches.length > 0) return { outcome: "masked", text: maskedText(text), matches, units: 1 };
    return { outcome: "passed", units: 1 };
  }

  /** A text of a person's, in which a guardrail may find something. */
  words(text: string): string {
    const { chance, weather } = this;
    const hidden = weather.guardrail && chance.happens(0.3) ? ` secret:${chance.whole(1, 99_999)}` : "";
    return text + hidden + (weather.guardrail && chance.happens(0.15) ? " a forbidden thing" : "");
  }

  private async checkQuestion(server: Process, text: string, signal: AbortSignal): Promise<Checked> {
    const checked = await checkWhole(text, (part) => this.ask(server, part, signal));
    if (checked.outcome !== "unavailable") this.facts.checked.add(text);
    return checked;
  }

  private windowsOf(work: Work, signal: AbortSignal): ReleaseGate {
    return createWindows({
      before: work.said,
      check: async (text) => {
        const verdict = await this.ask(work.server, text, signal);
        if (verdict.outcome === "blocked") work.isBlocked = true;
        return verdict;
      },
    });
  }

  /** With a guardrail a model is called only about what is in the table, and with no other words. */
  private checkCall(work: Work, question: string | undefined): void {
    const stored = this.table.get("message", { ...work.address, messageId: work.messageId });
    // A sweep may have been there.
    if (this.table.get("thread", work.address)?.deletedAt !== undefined) return;
    if (stored?.text !== question) this.violate("A model is asked what is stored", `${stored?.text}, not ${question}`);
    if (work.isSend && stored?.blocked) this.violate("No model is called for a blocked question", work.claimId);
    if (question === undefined || isForbidden(question))
      this.violate("No model is called for a blocked question", work.claimId);
  }

  /** No system prompt goes to a model as it was before the guardrail was asked. */
  private checkPrompt(unchecked: string | undefined, systemPrompt: string | undefined): void {
    if (systemPrompt !== (unchecked === undefined ? undefined : maskedText(unchecked)))
      this.violate("A system prompt is sent as it passed", `${systemPrompt}, not ${unchecked}`);
    if (isForbidden(systemPrompt ?? "")) this.violate("No model is called beside a blocked system prompt", "");
  }

  // --- What tabs do ------------------------------------------------------------------------------------------

  newId(newest: string | null, now: number, lastBit: 0 | 1): string {
    let time = Math.floor(now);
    if (newest !== null) {
      let seen = 0;
      for (const digit of newest.slice(0, 10)) seen = seen * 32 + digits.indexOf(digit);
      time = Math.max(time, seen + 1);
    }
    let id = "";
    for (let index = 0; index < 10; index++) {
      id = digits.charAt(time % 32) + id;
      time = Math.floor(time / 32);
    }
    for (let index = 0; index < 15; index++) id += digits.charAt(this.chance.whole(0, 31));
    return id + digits.charAt(2 * this.chance.whole(0, 15) + lastBit);
  }

  async load(address: Address, tipId?: string): Promise<LoadedThread | undefined | "unanswered"> {
    // What is not on the path may be missing for as long as an eventually consistent read may be late.
    const before = this.simulation.now - this.weather.faults.staleness - 1;
    const accepted = [...this.facts.accepted.values()].filter(
      (one) => one.address.threadId === address.threadId && one.at < before,
    );
    const loaded = await this.request(async ({ runs }) => {
      const startedAt = this.simulation.now;
      const page = await runs.loadThread(address, tipId === undefined ? {} : { tipId });
      this.checkDeleted(address, startedAt, page !== undefined, "a page");
      // While a sweep runs, parts of what is deleted may be missing already.
      const isDeleted = this.table.get("thread", address)?.deletedAt !== undefined;
      if (page) this.checkPage(page, tipId, isDeleted ? [] : accepted);
      return { page };
    });
    return loaded ? loaded.page : "unanswered";
  }

  /** Everything that happens in one seed. */
  async run(): Promise<void> {
    const { simulation, weather, chance } = this;
    const until = simulation.now + weather.span;
    void this.misfortune(until);
    for (let index = 0; index < weather.tabs; index++) {
      const tab = new Tab(this, chance.pick(this.addresses), chance.between(-20_000, 20_000));
      void tab.live(until, index > 0 && chance.happens(0.3));
    }
    await simulation.runUntil(until);
    // The storm ends. Late calls come in, leases run out; then somebody looks.
    this.isCalm = true;
    for (const [index, { process }] of this.servers.entries()) if (!process.isAlive) this.start(index);
    await simulation.runUntil(simulation.now + 75_000);
    for (const visit of [() => this.visit(), () => this.visit()]) {
      void visit();
      await simulation.runUntil(simulation.now + 30_000);
    }
  }

  private async visit(): Promise<void> {
    for (const address of this.addresses) {
      // A delete that was begun, perhaps by a server that was killed over it.
      if (this.table.get("thread", address)?.deletedAt !== undefined)
        await this.request(async ({ runs }) => {
          if (await runs.deleteThread(address)) this.facts.deletedAt.set(address.threadId, this.simulation.now);
          return await runs.sweepThread(address);
        });
      else await this.load(address);
    }
    await this.request(({ runs }) => runs.getActivity(userId));
  }
}

/** A browser tab of one person, with a clock of its own. */
class Tab {
  private readonly world: World;
  private readonly address: Address;
  private readonly offset: number;
  private page: LoadedThread | undefined;
  private newest: string | null = null;
  private runId: string | undefined;

  constructor(world: World, address: Address, offset: number) {
    this.world = world;
    this.address = address;
    this.offset = offset;
  }

  private see(id: string | null | undefined): void {
    if (id && (this.newest === null || id > this.newest)) this.newest = id;
  }

  async live(until: number, isObserver: boolean): Promise<void> {
    const { world } = this;
    const { simulation, chance, weather } = world;
    while (simulation.now < until) {
      if (await this.open()) return;
      const dice = chance.next();
      if (isObserver) await simulation.sleep(chance.between(200, 5_000));
      else if (dice < 0.12 * weather.deletes) {
        void this.delete();
        await simulation.sleep(chance.between(0, 3_000));
      } else if (dice < 0.7 || !this.page?.path.length) await this.send();
      else if (dice < 0.9) await this.again();
      else await this.tidy();
      await simulation.sleep(chance.between(0, 2_500));
    }
  }

  private readonly tidy = async (): Promise<void> => {
    await this.world.request(({ runs }) => runs.getActivity(userId));
    await this.world.request(({ runs }) => runs.markSeen(this.address));
  };

  /** Loads the page and follows its live run. True: the thread is gone. */
  private async open(): Promise<boolean> {
    const { world, address } = this;
    const page = await world.load(address, world.chance.happens(0.1) ? this.page?.path[0] : undefined);
    if (page === "unanswered") return false;
    if (!page) {
      if (this.page && !world.facts.deletedAt.has(address.threadId) && !world.table.get("thread", address)?.deletedAt)
        world.violate("A thread stays", address.threadId);
      return this.page !== undefined;
    }
    this.page = page;
    for (const { id } of page.messages) this.see(id);
    this.see(page.headId);
    if (page.live) {
      const { runId, claimId, text, reasoning } = page.live;
      this.see(runId);
      if (world.chance.happens(0.2)) await world.request(({ runs }) => runs.getLiveRun(address));
      if (world.chance.happens(0.8)) await this.follow(runId, { claimId, text, reasoning: reasoning?.text ?? "" });
    }
    return false;
  }

  private async send(): Promise<void> {
    const { world, page } = this;
    const { chance } = world;
    const id = world.newId(this.newest, world.simulation.now + this.offset, 0);
    const text = world.words(`Question ${id.slice(-6)}`);
    const questions = page?.messages.filter(({ role }) => role === "user") ?? [];
    let request: RunRequest = { kind: "send", messageId: id, text, create: !page };
    if (questions.length > 0 && chance.happens(0.15)) {
      const { parentId } = chance.pick(questions);
      request = { ...request, branch: true, ...(parentId === null ? {} : { parentId }) };
    } else if (page?.headId && chance.happens(0.7)) request = { ...request, parentId: page.headId };
    await this.ask(request);
    if (chance.happens(0.06)) await this.ask({ ...request, text: `${text}, changed` });
  }

  /** Retry, regenerate or continue. */
  private async again(): Promise<void> {
    const { world, page } = this;
    const { chance } = world;
    const requestId = world.newId(this.newest, world.simulation.now + this.offset, 1);
    const kind = chance.happens(0.6) ? "again" : "continue";
    const targets = page?.messages.filter(({ role }) => role === (kind === "again" ? "user" : "assistant")) ?? [];
    if (targets.length === 0) return;
    await this.ask({ kind, requestId, of: chance.pick(targets).id });
  }

  /** Sends a request for a run and sees it through: double clicks, repeats, stops. */
  private async ask(request: RunRequest): Promise<void> {
    const { chance, simulation } = this.world;
    const id = request.kind === "send" ? request.messageId : request.requestId;
    const runId = runIdOf(id);
    this.see(runId);
    if (chance.happens(0.15)) void this.askOnce(request, runId);
    if (chance.happens(0.1)) void simulation.sleep(chance.between(0, 40_000)).then(() => this.askOnce(request, runId));
    if (chance.happens(0.2))
      void simulation.sleep(chance.between(100, 6_000)).then(() => this.stop(runId, chance.between(0, 500)));
    for (let attempt = 0; attempt < 4; attempt++) {
      if (await this.askOnce(request, runId)) return;
      // Another text under the same id, by a client that has gone wrong.
      if (request.kind === "send" && chance.happens(0.1)) await this.askOnce({ ...request, text: "Changed" }, runId);
      await simulation.sleep(chance.between(100, attempt === 0 ? 1_000 : 12_000));
    }
  }

  /** True: there is an answer. */
  private async askOnce(request: RunRequest, runId: string): Promise<boolean> {
    const { world, address } = this;
    const answer = await world.stream((server) => world.post(server, address, request));
    if (!answer || answer.status === "unavailable") return false;
    if (answer.status === "ok") {
      const id = request.kind === "send" ? request.messageId : request.requestId;
      const known = world.facts.accepted.get(id) ?? {
        address,
        request,
        bodies: new Set<string>(),
        at: world.simulation.now,
      };
      known.bodies.add(JSON.stringify(request));
      world.facts.accepted.set(id, known);
      await this.follow(runId, { claimId: undefined, text: "" }, answer.connection);
    } else if (answer.status === "busy") {
      this.see(answer.runId);
      if (world.chance.happens(0.3)) await this.follow(answer.runId, { claimId: undefined, text: "" });
    } else if (answer.status === "stale") this.see(answer.newestId);
    else if (answer.status === "not-found" && request.kind === "send" && !request.branch && this.page) {
      if (!world.table.get("thread", address)?.deletedAt) world.violate("A thread stays", `404 for ${runId}`);
    }
    return true;
  }

  /** Reads a run to its end, attaching again whenever the stream breaks. */
  private async follow(
    runId: string,
    from: { claimId: string | undefined; text: string; reasoning?: string },
    first?: Connection,
  ): Promise<void> {
    const { world, address } = this;
    const { chance, simulation } = world;
    this.runId = runId;
    let { claimId, text, reasoning = "" } = from;
    let connection = first;
    for (let attempt = 0; attempt < 12; attempt++) {
      if (!connection) {
        const position =
          claimId === undefined ? undefined : { claimId, offset: text.length, thought: reasoning.length };
        const answer = await world.stream((server) => world.attach(server, address, runId, position));
        if (answer?.status === "not-found") return;
        if (answer?.status === "ok") connection = answer.connection;
      }
      const leavesAfter = chance.happens(0.15) ? chance.whole(0, 10) : Number.POSITIVE_INFINITY;
      let count = 0;
      for (let event = await connection?.next(); event; event = await connection?.next()) {
        if (event.type === "start") claimId ??= event.claimId;
        if (event.type === "replace") {
          claimId = event.claimId;
          text = "";
          reasoning = "";
        }
        if (event.type === "reasoning") {
          if (event.from > reasoning.length)
            world.violate("No gap in the reasoning", `${runId} at ${reasoning.length}, told ${event.from}`);
          reasoning = reasoning.slice(0, event.from) + event.text;
        }
        if (event.type === "text") {
          text += event.text;
          if (event.position.claimId !== claimId || event.position.offset !== text.length)
            world.violate("No gap and no repeat", `${runId} at ${text.length}, told ${event.position.offset}`);
        }
        if (event.type === "end") {
          if (event.length !== text.length)
            world.violate("A reader ends byte-equal", `${runId} holds ${text.length} of ${event.length}`);
          world.facts.readings.push({ address, runId, claimId: claimId ?? "", text, reasoning, ending: event.ending });
          return;
        }
        if (event.type === "void" || event.type === "gone") return;
        if (event.type === "detached") break;
        if (++count > leavesAfter) {
          connection?.cut();
          if (chance.happens(0.3)) return;
          break;
        }
      }
      connection = undefined;
      await simulation.sleep(chance.between(50, 2_000));
    }
  }

  private async stop(runId: string, delay: number): Promise<void> {
    const { world, address } = this;
    const { chance } = world;
    const target = chance.happens(0.8) ? runId : (this.runId ?? runId);
    world.facts.stopsAsked.add(target);
    await world.request(
      ({ runs }) => runs.stop(address, target),
      chance.happens(0.3) ? chance.between(0, 20_000) : delay,
    );
  }

  private async delete(): Promise<void> {
    const { world, address } = this;
    for (let attempt = 0; attempt < 5; attempt++) {
      const answer = await world.request(async ({ runs }) => {
        const isDeleted = await runs.deleteThread(address);
        if (isDeleted && !world.facts.deletedAt.has(address.threadId))
          world.facts.deletedAt.set(address.threadId, world.simulation.now);
        // What a sweep does not come to do, a later one does.
        if (isDeleted) void runs.sweepThread(address).catch(() => {});
        return isDeleted;
      });
      if (answer !== undefined) return;
      await world.simulation.sleep(world.chance.between(100, 3_000));
    }
  }
}
