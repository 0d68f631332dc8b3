/**
 * How an answer goes over the wire, at the pace of a real model and with the faults of a scenario; the same for
 * both vendors. A vendor hands in its wire: the bytes for the beginning, a piece of text, the end, and what its
 * own throttle or content filter look like in mid-stream. A call notices at once when its client goes away.
 */
import type { ServerResponse } from "node:http";
import { constants, Http2ServerResponse } from "node:http2";
import { composeThoughts, type Prompt, splitTokens, stretch } from "./answer.ts";
import type { Cached } from "./prompt-cache.ts";
import type { Control, Ended, Fault, RecordedRequest, Scenario, Usage } from "./scenario.ts";

export interface Pace {
  firstTokenMs: number;
  tokenMs: number;
}

export type Finish = "stop" | "stop-sequence" | "length" | "blocked";

/** What stands in for an answer that a guardrail or content filter stopped. */
export const blockedText = "Sorry, this cannot be answered here.";

function http2StreamOf(response: ServerResponse): Http2ServerResponse["stream"] | undefined {
  const given: unknown = response;
  return given instanceof Http2ServerResponse ? given.stream : undefined;
}

/** One request that is being answered. */
export class Call {
  readonly control: Control;
  readonly record: RecordedRequest;
  readonly response: ServerResponse;
  readonly pace: Pace;
  scenario: Scenario | undefined;
  private readonly closed = new AbortController();
  private outcome: Ended = "completed";
  private broken = false;
  private readonly isFinished: () => boolean;

  constructor(options: { control: Control; record: RecordedRequest; response: ServerResponse; pace: Pace }) {
    this.control = options.control;
    this.record = options.record;
    this.response = options.response;
    this.pace = options.pace;
    const stream = http2StreamOf(this.response);
    this.isFinished = () => (stream ? !stream.aborted : this.response.writableFinished);
    this.response.once("close", () => {
      const left = !this.isFinished() && !this.broken;
      this.record.ended = left ? "client" : this.outcome;
      this.record.endedAt = Date.now();
      if (this.response.headersSent) this.record.status = this.response.statusCode;
      this.closed.abort();
    });
  }

  /** Whether the connection is gone. */
  get over(): boolean {
    return this.closed.signal.aborted;
  }

  /** Unless the client leaves first, the end of this call counts as the scenario's doing. */
  markFault(): void {
    this.outcome = "fault";
  }

  /** Waits until that time (of performance.now), or until the client is gone. */
  async waitUntil(time: number): Promise<void> {
    const wait = time - performance.now();
    if (this.over || wait <= 0) return;
    await this.race((done) => {
      const timer = setTimeout(done, wait);
      return () => clearTimeout(timer);
    });
  }

  /** Writes, and waits while the client does not read. */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.over || this.response.write(bytes)) return;
    await this.race((done) => {
      this.response.once("drain", done);
      return () => this.response.off("drain", done);
    });
  }

  /** Nothing more is said; ends when the client gives up. */
  async hang(): Promise<void> {
    await this.race(() => () => {});
  }

  end(bytes?: Uint8Array | string): void {
    if (!this.over) this.response.end(bytes);
  }

  /** Sends what is there, then breaks the connection (RST). */
  async reset(bytes: Uint8Array | string): Promise<void> {
    this.markFault();
    await this.write(bytes);
    // A reset discards what the other side has not read yet, so it gets a moment to read what went before.
    await this.waitUntil(performance.now() + 30);
    if (this.over) return;
    this.broken = true;
    const stream = http2StreamOf(this.response);
    if (stream) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.response.socket?.resetAndDestroy();
  }

  json(status: number, body: unknown, headers: Record<string, string> = {}): void {
    if (this.over) return;
    this.response.writeHead(status, { "content-type": "application/json", ...headers });
    this.response.end(JSON.stringify(body));
  }

  private race(start: (done: () => void) => () => void): Promise<void> {
    if (this.over) return Promise.resolve();
    return new Promise((resolve) => {
      const { signal } = this.closed;
      const finish = () => {
        signal.removeEventListener("abort", finish);
        stop();
        resolve();
      };
      signal.addEventListener("abort", finish);
      const stop = start(finish);
    });
  }
}

export type Bytes = Uint8Array | string;

/** A vendor's stream, as bytes. */
export interface Wire {
  headers: Record<string, string>;
  /** OpenAI answers at once and says that it began; Bedrock says nothing before the first token. */
  opensAtOnce: boolean;
  begin(): Bytes;
  /** What the model says of its reasoning, before the answer; only where it says it. */
  thought?(text: string): Bytes;
  /** The reasoning is over, or there was none that is shown. */
  endThoughts?(): Bytes;
  piece(text: string): Bytes;
  /** An event that no client can read, in the place of that piece. */
  malformed(text: string): Bytes;
  /** The vendor's own way to say in mid-stream that there were too many requests. */
  throttled(): Bytes;
  finish(finish: Finish, usage: Usage): Bytes;
}

export interface Answer {
  pieces: string[];
  finish: Finish;
  inputTokens: number;
  /** The reasoning before it; its tokens are part of the output, whether it is shown or not. */
  thoughts?: string[];
  /** Of the input. */
  cached?: Cached;
}

/** What the text before a begun answer is, if the scenario does not say how long the answer is. */
export function thoughtsOf(prompt: Prompt, thinks: boolean, scenario: Scenario | undefined): string[] {
  if (!thinks) return [];
  const text = composeThoughts(prompt);
  if (scenario?.thoughts !== undefined) return stretch(text, scenario.thoughts);
  return scenario?.tokens === undefined ? splitTokens(text) : [];
}

/** As much of an answer as the longest that was asked for allows. The reasoning before it counts too. */
export function within(longest: number, answer: Answer): Answer {
  const thoughts = answer.thoughts?.slice(0, longest);
  const room = longest - (thoughts?.length ?? 0);
  if (answer.pieces.length <= room) return answer;
  return { ...answer, ...(thoughts && { thoughts }), pieces: answer.pieces.slice(0, room), finish: "length" };
}

function usageOf(answer: Answer, answered: number): Usage {
  const { inputTokens, thoughts = [], cached } = answer;
  const outputTokens = answered + thoughts.length;
  // Parts of a prompt can come out at a token more than the whole.
  const read = Math.min(cached?.read ?? 0, inputTokens);
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    ...(cached && { cacheReadTokens: read, cacheWriteTokens: Math.min(cached.written, inputTokens - read) }),
    ...(thoughts.length > 0 && { reasoningTokens: thoughts.length }),
  };
}

function half<Part extends Bytes>(bytes: Part): Part {
  return bytes.slice(0, Math.floor(bytes.length / 2)) as Part;
}

/** What goes wrong with an answer that was begun; that a summary was refused is over by then. */
function faultOf(scenario: Scenario | undefined): Fault {
  return !scenario || scenario.fault === "unverified" ? "none" : scenario.fault;
}

/** Streams an answer. Refusals before the first token (denied, throttled) are the vendor's, and come before this. */
export async function stream(call: Call, wire: Wire, answer: Answer): Promise<void> {
  const { record, response, scenario } = call;
  const fault = faultOf(scenario);
  const strikesAt = fault === "none" ? -1 : Math.min(scenario?.afterTokens ?? 0, answer.pieces.length);
  const tokenMs = scenario?.tokenMs ?? call.pace.tokenMs;
  let due = performance.now() + (scenario?.firstTokenMs ?? call.pace.firstTokenMs);
  const open = async () => {
    if (response.headersSent || call.over) return;
    response.writeHead(200, wire.headers);
    if (fault === "empty") response.flushHeaders();
    else await call.write(wire.begin());
  };
  if (wire.opensAtOnce) await open();
  await call.waitUntil(due);
  if (fault === "hang" && strikesAt === 0) return call.hang();
  await open();
  if (fault === "empty") {
    call.markFault();
    return call.end();
  }
  // A fault before the first token comes before the thoughts too.
  for (const thought of strikesAt === 0 ? [] : (answer.thoughts ?? [])) {
    if (!wire.thought) break;
    await call.waitUntil(due);
    due += tokenMs;
    if (call.over) return;
    await call.write(wire.thought(thought));
  }
  if (wire.endThoughts) await call.write(wire.endThoughts());
  // One step more than there are pieces: a fault may strike between the last one and the end.
  for (let step = 0; step <= answer.pieces.length; step += 1) {
    const piece = answer.pieces[step] ?? "";
    if (piece) await call.waitUntil(due);
    due += tokenMs;
    if (call.over) return;
    if (step !== strikesAt) {
      if (!piece) continue;
      await call.write(wire.piece(piece));
      record.tokensSent += 1;
      continue;
    }
    call.markFault();
    if (fault === "hang") return call.hang();
    if (fault === "cut") return call.end();
    if (fault === "throttle") return call.end(wire.throttled());
    if (fault === "reset") return call.reset(half(wire.piece(piece || " ")));
    if (fault === "guardrail") {
      await call.write(wire.piece(blockedText));
      record.usage = usageOf(answer, record.tokensSent);
      return call.end(wire.finish("blocked", record.usage));
    }
    // Malformed: this piece is lost, and the stream goes on as if nothing had been.
    await call.write(wire.malformed(piece));
  }
  if (call.over) return;
  record.usage = usageOf(answer, record.tokensSent);
  call.end(wire.finish(answer.finish, record.usage));
}

/** Sends an answer in one piece, after the time that the stream would have taken. */
export async function send(
  call: Call,
  answer: Answer,
  body: (text: string, finish: Finish, usage: Usage) => unknown,
): Promise<void> {
  const { record, response, scenario } = call;
  const fault = faultOf(scenario);
  const { firstTokenMs, tokenMs } = { ...call.pace, ...scenario };
  const tokens = answer.pieces.length + (answer.thoughts?.length ?? 0);
  await call.waitUntil(performance.now() + firstTokenMs + tokenMs * tokens);
  if (fault === "hang") return call.hang();
  if (call.over) return;
  if (fault !== "none") call.markFault();
  response.writeHead(200, { "content-type": "application/json" });
  if (fault === "empty") return call.end();
  const blocked = fault === "guardrail";
  const usage = usageOf(answer, blocked ? 0 : answer.pieces.length);
  const text = blocked ? blockedText : answer.pieces.join("");
  const json = JSON.stringify(body(text, blocked ? "blocked" : answer.finish, usage));
  if (fault === "reset") return call.reset(half(json));
  if (fault === "cut" || fault === "malformed") return call.end(half(json));
  record.tokensSent = blocked ? 0 : answer.pieces.length;
  record.usage = usage;
  call.end(json);
}
