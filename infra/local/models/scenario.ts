/**
 * What the model server is told to do (scenarios) and what it was sent (recorded requests): the two halves of its
 * control endpoint. Scenarios stack, and the newest one that matches a call decides about it alone; each counts
 * the calls it was applied to, so that "throttle twice, then answer" is one scenario.
 */
import { z } from "zod";
import { PromptCache } from "./prompt-cache.ts";

const count = z.int().min(0);

export const faults = [
  "none",
  "throttle",
  "cut",
  "reset",
  "hang",
  "malformed",
  "empty",
  "denied",
  "overflow",
  "guardrail",
  "unverified",
] as const;
export type Fault = (typeof faults)[number];

/** Which calls there are: model calls, ApplyGuardrail, token counts, and lists of models or profiles. */
export const operations = ["answer", "guardrail", "count", "list"] as const;
export type Operation = (typeof operations)[number];
export type Provider = "bedrock" | "openai";

/** Times are in milliseconds. */
export const scenarioSchema = z.strictObject({
  match: z
    .strictObject({
      provider: z.enum(["bedrock", "openai"]).optional(),
      /** A model's id as it was called, or without its profile's geography. For ApplyGuardrail the guardrail's id. */
      model: z.string().optional(),
      /** A part of the newest text of the user; for ApplyGuardrail, of the text to be checked. */
      text: z.string().optional(),
      operation: z.enum(operations).default("answer"),
    })
    .default({ operation: "answer" }),
  firstTokenMs: count.optional(),
  tokenMs: count.optional(),
  /** How many tokens the answer has: it is cut short, or goes on from its beginning. */
  tokens: z.int().min(1).max(200_000).optional(),
  /** How many tokens of reasoning come before it, of a model that reasons in this call. */
  thoughts: z.int().min(0).max(200_000).optional(),
  /** `unverified`: OpenAI gives no summaries of reasoning to this organisation. */
  fault: z.enum(faults).default("none"),
  /** After how many tokens the fault strikes; 0 is before the first. */
  afterTokens: count.default(0),
  /** The model does what the notes tell it, whatever they tell it: see {@link obey} in answer.ts. */
  obey: z.boolean().optional(),
  /** How many calls it applies to; without it, every one. */
  times: z.int().min(1).optional(),
});

export type Scenario = z.infer<typeof scenarioSchema>;

/** How a call ended: wholly answered (or plainly refused), left by the client, or by a scenario's fault. */
export type Ended = "completed" | "client" | "fault";

/** All of the input and all of the output; the details, where there are such, are part of them. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  cacheReadTokens?: number;
  cacheWriteTokens?: number;
  reasoningTokens?: number;
}

/** One call as `GET /__requests` returns it. Times are milliseconds since the epoch. */
export interface RecordedRequest {
  id: string;
  provider: Provider;
  operation: Operation | "unknown";
  method: string;
  path: string;
  /** As it was called: a model's or profile's id, or a guardrail's. */
  model?: string;
  /** Authorization is cut down to its scheme and credential scope. */
  headers: Record<string, string>;
  body?: unknown;
  startedAt: number;
  endedAt?: number;
  /** Undefined while the call runs. */
  ended?: Ended;
  status?: number;
  tokensSent: number;
  /** The figures that the client was sent; undefined if it never got any. */
  usage?: Usage;
}

/** Enough for the longest test; older ones are forgotten so that a server left alone does not grow for ever. */
const requestsKept = 2_000;
/** Of the recorded bodies together. */
const bytesKept = 64 * 1024 * 1024;

/** The state behind the control endpoint. */
export class Control {
  /** What the vendors keep of prompts. */
  readonly cache = new PromptCache();
  private scenarios: { scenario: Scenario; applied: number }[] = [];
  private recorded: { request: RecordedRequest; bytes: number }[] = [];
  private bytes = 0;
  private made = 0;

  addScenario(scenario: Scenario): void {
    this.scenarios.push({ scenario, applied: 0 });
  }

  listScenarios(): (Scenario & { applied: number })[] {
    return this.scenarios.map(({ scenario, applied }) => ({ ...scenario, applied }));
  }

  clearScenarios(): void {
    this.scenarios = [];
  }

  /** The newest scenario that fits the call, counted as applied. */
  takeScenario(call: {
    provider: Provider;
    operation: Operation;
    models: string[];
    text: string;
  }): Scenario | undefined {
    const found = this.scenarios.findLast(({ scenario: { match, times }, applied }) => {
      if (times !== undefined && applied >= times) return false;
      if (match.operation !== call.operation) return false;
      if (match.provider !== undefined && match.provider !== call.provider) return false;
      if (match.model !== undefined && !call.models.includes(match.model)) return false;
      return match.text === undefined || call.text.includes(match.text);
    });
    if (!found) return undefined;
    found.applied += 1;
    return found.scenario;
  }

  /** Keeps a request with a body of so many bytes; what is returned is filled in as the call goes on. */
  record(bytes: number, given: Omit<RecordedRequest, "id" | "startedAt" | "tokensSent">): RecordedRequest {
    this.made += 1;
    const request: RecordedRequest = { id: `call-${this.made}`, startedAt: Date.now(), tokensSent: 0, ...given };
    this.recorded.push({ request, bytes });
    this.bytes += bytes;
    while (this.recorded.length > requestsKept || (this.bytes > bytesKept && this.recorded.length > 1))
      this.bytes -= this.recorded.shift()?.bytes ?? 0;
    return request;
  }

  /** In the order of their arrival. */
  listRequests(): RecordedRequest[] {
    return this.recorded.map(({ request }) => request);
  }

  clearRequests(): void {
    this.recorded = [];
    this.bytes = 0;
  }

  /** What the control endpoint says to a request. */
  answer(method: string, path: string, body: unknown): { status: number; body: unknown } {
    switch (`${method} ${path}`) {
      case "GET /__requests":
        return { status: 200, body: this.listRequests() };
      case "DELETE /__requests":
        this.clearRequests();
        return { status: 200, body: {} };
      case "DELETE /__cache":
        this.cache.clear();
        return { status: 200, body: {} };
      case "GET /__scenario":
        return { status: 200, body: this.listScenarios() };
      case "DELETE /__scenario":
        this.clearScenarios();
        return { status: 200, body: {} };
      case "PUT /__scenario": {
        const scenario = scenarioSchema.safeParse(body);
        if (!scenario.success) return { status: 400, body: { error: z.prettifyError(scenario.error) } };
        this.addScenario(scenario.data);
        return { status: 200, body: {} };
      }
      default:
        return {
          status: 404,
          body: { error: "There are PUT, GET and DELETE /__scenario, GET and DELETE /__requests, DELETE /__cache." },
        };
    }
  }
}
