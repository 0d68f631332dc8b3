/**
 * Amazon Bedrock as its clients see it: the Runtime's Converse, ConverseStream, ApplyGuardrail and CountTokens, and
 * the control plane's lists. Requests are checked in the order of the real service (signature, model, shape,
 * settings), and refused with its statuses, error names and sentences.
 */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { z } from "zod";
import {
  composeAnswer,
  countPrompt,
  countTokens,
  newestUserText,
  obey,
  type Prompt,
  splitTokens,
  stretch,
} from "./answer.ts";
import { type BedrockModel, bedrockModels, type InferenceProfile, inferenceProfiles, modelArn } from "./catalogue.ts";
import {
  type Answer,
  blockedText,
  type Call,
  type Finish,
  send,
  stream,
  thoughtsOf,
  type Wire,
  within,
} from "./delivery.ts";
import { assess, localGuardrail } from "./guardrail.ts";
import type { Block } from "./prompt-cache.ts";
import type { Scenario, Usage } from "./scenario.ts";

class BedrockError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

const invalid = (message: string) => new BedrockError(400, "ValidationException", message);
const throttlingMessage = "Too many requests, please wait before trying again.";

/** What a handler needs of the request; the path is split at slashes and decoded. */
export interface BedrockRequest {
  method: string;
  path: string[];
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: unknown;
}

const signatureAge = 15 * 60_000;

/** Checks that a SigV4 signature (or a Bedrock API key) is there and well formed; the signature itself is not computed. */
function checkAuthorization(headers: IncomingHttpHeaders): void {
  const { authorization } = headers;
  if (!authorization)
    throw new BedrockError(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
  const bearer = /^Bearer (.*)$/iu.exec(authorization);
  if (bearer) {
    if (/^(?:bedrock-api-key-|ABSK)\S+$/u.test(bearer[1] ?? "")) return;
    const message = "Invalid API Key format: Must start with pre-defined prefix";
    throw new BedrockError(403, "AccessDeniedException", message);
  }
  const incomplete = (message: string) => new BedrockError(403, "IncompleteSignatureException", message);
  const fields = /^AWS4-HMAC-SHA256\s+(.*)$/u.exec(authorization)?.[1];
  if (fields === undefined)
    throw incomplete("Authorization header requires 'AWS4-HMAC-SHA256' followed by its parameters.");
  const parts = new Map(fields.split(",").map((field) => field.trim().split("=", 2) as [string, string]));
  for (const name of ["Credential", "Signature", "SignedHeaders"])
    if (!parts.get(name)) throw incomplete(`Authorization header requires '${name}' parameter.`);
  const [key, date, region, service, terminator, ...more] = parts.get("Credential")?.split("/") ?? [];
  if (!key || !/^\d{8}$/u.test(date ?? "") || !region || terminator !== "aws4_request" || more.length > 0)
    throw incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.");
  const wrong = (message: string) => new BedrockError(403, "InvalidSignatureException", message);
  if (service !== "bedrock") throw wrong("Credential should be scoped to correct service: 'bedrock'.");
  if (!/^[0-9a-f]{64}$/u.test(parts.get("Signature") ?? ""))
    throw incomplete("Authorization header requires a 'Signature' of 64 hexadecimal digits.");
  const signed = parts.get("SignedHeaders")?.split(";") ?? [];
  if (!(signed.includes("host") || signed.includes(":authority")) || !signed.includes("x-amz-date"))
    throw incomplete("'Host' and 'X-Amz-Date' must be signed headers.");
  const time = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(String(headers["x-amz-date"] ?? ""));
  if (!time) throw incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  const [, year, month, day, hour, minute, second] = time.map(Number);
  const at = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  if (time[0].slice(0, 8) !== date)
    throw wrong("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.");
  if (Math.abs(Date.now() - at) > signatureAge)
    throw wrong(`Signature expired: ${time[0]} is not within 15 minutes of the current time.`);
}

/** The credential scope without key id and signature, for the record. */
export function redactAuthorization(authorization: string): string {
  const scope = /Credential=[^/,\s]+\/([^,\s]+)/u.exec(authorization)?.[1];
  const scheme = authorization.split(/\s/u, 1)[0] ?? "";
  return scope ? `${scheme} ${scope}` : scheme;
}

function findModel(identifier: string): { model: BedrockModel; profile?: InferenceProfile } | undefined {
  const profile = inferenceProfiles.find(({ id, arn }) => id === identifier || arn === identifier);
  if (profile) return { model: profile.model, profile };
  const model = bedrockModels.find(({ id }) => id === identifier || modelArn(id) === identifier);
  return model && { model };
}

function requireModel(identifier: string): BedrockModel {
  const found = findModel(identifier);
  if (!found) throw invalid("The provided model identifier is invalid.");
  const { model, profile } = found;
  if (model.output.join() !== "TEXT" || /^(cohere\.rerank|twelvelabs\.)/.test(model.id))
    throw invalid("The action or operation requested is invalid. This model doesn't support it.");
  if (model.status === "LEGACY")
    throw new BedrockError(
      404,
      "ResourceNotFoundException",
      "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days. Please upgrade to an active model on Amazon Bedrock",
    );
  if (!model.onDemand && !profile)
    throw invalid(
      `Invocation of model ID ${identifier} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.`,
    );
  return model;
}

const contentBlock = z.looseObject({
  text: z.string().optional(),
  cachePoint: z.strictObject({ type: z.literal("default"), ttl: z.enum(["5m", "1h"]).optional() }).optional(),
  reasoningContent: z.looseObject({}).optional(),
});
const converseBody = z.looseObject({
  messages: z
    .array(z.looseObject({ role: z.enum(["user", "assistant"]), content: z.array(contentBlock) }))
    .nullish()
    .transform((messages) => messages ?? []),
  system: z
    .array(contentBlock)
    .nullish()
    .transform((blocks) => blocks ?? []),
  inferenceConfig: z
    .strictObject({
      maxTokens: z.int().nullish(),
      temperature: z.number().nullish(),
      topP: z.number().nullish(),
      stopSequences: z.array(z.string()).nullish(),
    })
    .nullish()
    .transform((settings) => settings ?? {}),
  additionalModelRequestFields: z
    .looseObject({
      thinking: z
        .looseObject({ type: z.string(), budget_tokens: z.number().optional(), display: z.string().optional() })
        .optional(),
      output_config: z.looseObject({ effort: z.string().optional() }).optional(),
      reasoningConfig: z.looseObject({ type: z.string(), maxReasoningEffort: z.string().optional() }).optional(),
      reasoning_effort: z.string().optional(),
      reasoning: z.looseObject({ effort: z.string().optional() }).optional(),
    })
    .nullish()
    .transform((fields) => fields ?? {}),
});
type ConverseBody = z.infer<typeof converseBody>;

function parse<Shape extends z.ZodType>(schema: Shape, body: unknown): z.infer<Shape> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join("/") ?? "";
  if (issue?.code === "unrecognized_keys")
    throw invalid(
      `Malformed input request: #/${where}: extraneous key [${issue.keys[0]}] is not permitted, please reformat your input and try again.`,
    );
  throw new BedrockError(400, "SerializationException", `Malformed input request: #/${where}: ${issue?.message ?? ""}`);
}

function checkMessages({ messages, system }: ConverseBody, model: BedrockModel): void {
  const blank = (where: string) =>
    invalid(
      `The text field in the ContentBlock object at ${where} is blank. Add text to the text field, and try again.`,
    );
  if (messages.length === 0 || messages[0]?.role !== "user")
    throw invalid(
      "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    );
  for (const [index, { role, content }] of messages.entries()) {
    if (content.length === 0)
      throw invalid(
        `The content field in the Message object at messages.${index} is empty. Add a ContentBlock object to the content field and try again.`,
      );
    if (role === messages[index - 1]?.role)
      throw invalid(
        "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.",
      );
    for (const [at, block] of content.entries())
      if (block.text !== undefined && !block.text.trim()) throw blank(`messages.${index}.content.${at}`);
  }
  for (const [index, block] of system.entries())
    if (block.text !== undefined && !block.text.trim())
      throw invalid(
        `The text field in the SystemContentBlock object at system.${index} is blank. Add text to the text field, and try again.`,
      );
  if (model.provider !== "Anthropic" && messages.some(({ content }) => content.some((block) => block.reasoningContent)))
    throw invalid(
      "This model doesn't support the reasoningContent field in messages. Remove the reasoning content and try again.",
    );
  checkCachePoints({ messages, system }, model);
  if (system.length > 0 && !model.systemPrompt)
    throw invalid(
      "This model doesn't support the system field. Try again with a model that supports the system field, or without it.",
    );
  const last = messages.at(-1);
  if (last?.role !== "assistant") return;
  if (!model.prefill)
    throw invalid(
      model.provider === "Anthropic"
        ? "The model returned the following errors: This model does not support assistant message prefill. The conversation must end with a user message."
        : "The model that you are using requires the last turn in the conversation to be a user message. Add a user message to the conversation and try again.",
    );
  if (/\s$/u.test(last.content.at(-1)?.text ?? ""))
    throw invalid(
      "The model returned the following errors: messages: final assistant content cannot end with trailing whitespace",
    );
}

/** A model without prompt caching refuses the whole call, and says that it was denied. */
function checkCachePoints({ messages, system }: Pick<ConverseBody, "messages" | "system">, model: BedrockModel): void {
  const points = [...system, ...messages.flatMap(({ content }) => content)].filter(({ cachePoint }) => cachePoint);
  if (points.length === 0) return;
  if (model.cacheFrom === false)
    throw new BedrockError(
      403,
      "AccessDeniedException",
      "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.",
    );
  if (points.length > 4)
    throw invalid(
      `The number of cache points exceeds the limit of 4. Remove ${points.length - 4} of them and try again.`,
    );
}

function checkSettings({ inferenceConfig }: ConverseBody, model: BedrockModel): void {
  const { maxTokens, temperature, topP, stopSequences } = inferenceConfig;
  const constraint = (name: string, value: unknown, bound: string) =>
    invalid(
      `1 validation error detected: Value '${value}' at 'inferenceConfig.${name}' failed to satisfy constraint: Member must have ${bound}`,
    );
  if (maxTokens != null && maxTokens < 1) throw constraint("maxTokens", maxTokens, "value greater than or equal to 1");
  if (temperature != null && temperature < 0)
    throw constraint("temperature", temperature, "value greater than or equal to 0");
  if (temperature != null && temperature > (model.temperature || 1))
    throw constraint("temperature", temperature, `value less than or equal to ${model.temperature || 1}`);
  const { min, max } = model.topP;
  if (topP != null && topP < min) throw constraint("topP", topP, `value greater than or equal to ${min}`);
  if (topP != null && topP > max) throw constraint("topP", topP, `value less than or equal to ${max}`);
  if (stopSequences?.some((sequence) => !sequence))
    throw constraint("stopSequences", "", "length greater than or equal to 1");
  if (stopSequences && model.maxStopSequences === 0)
    throw invalid("This model doesn't support the stopSequences field. Remove stopSequences and try again.");
  if (stopSequences && stopSequences.length > model.maxStopSequences)
    throw constraint("stopSequences", stopSequences.length, `length less than or equal to ${model.maxStopSequences}`);
  if (maxTokens != null && maxTokens > model.maxOutput)
    throw invalid(
      `The maximum tokens you requested exceeds the model limit of ${model.maxOutput}. Try again with a maximum tokens value that is lower than ${model.maxOutput}.`,
    );
  const returned = (message: string) => invalid(`The model returned the following errors: ${message}`);
  if (model.provider === "Anthropic" && stopSequences?.some((sequence) => !sequence.trim()))
    throw returned("stop_sequences: each stop sequence must contain non-whitespace");
  if (model.temperature === false && model.provider !== "Anthropic")
    for (const [field, value] of Object.entries({ temperature, topP }))
      if (value != null) throw invalid(`This model doesn't support the ${field} field. Remove ${field} and try again.`);
  if (model.temperature === false && temperature != null) throw returned("`temperature` is deprecated for this model.");
  if (model.temperature === false && topP != null) throw returned("`top_p` is deprecated for this model.");
  if (!model.temperatureWithTopP && temperature != null && topP != null)
    throw returned("`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
}

/** What the models themselves say about the settings that make them think. Returns whether this call does. */
function checkThinking({ inferenceConfig, additionalModelRequestFields }: ConverseBody, model: BedrockModel): boolean {
  const { temperature, topP, maxTokens } = inferenceConfig;
  const unknown = Object.keys(additionalModelRequestFields).find((name) => !model.additional.includes(name));
  if (unknown !== undefined)
    throw invalid(
      `The model returned the following errors: Malformed input request: extraneous key [${unknown}] is not permitted, please reformat your input and try again.`,
    );
  const returned = (message: string) => invalid(`The model returned the following errors: ${message}`);
  const { thinking, output_config, reasoningConfig, reasoning_effort, reasoning } = additionalModelRequestFields;
  const effort = output_config?.effort ?? reasoningConfig?.maxReasoningEffort ?? reasoning_effort ?? reasoning?.effort;
  if (effort !== undefined && !model.efforts.includes(effort))
    throw returned(`The effort '${effort}' is not supported by this model. Supported: ${model.efforts.join(", ")}.`);
  if (reasoningConfig?.type === "enabled") {
    if (reasoningConfig.maxReasoningEffort === "high" && (temperature ?? topP ?? maxTokens) != null)
      throw invalid("temperature, topP and maxTokens must be unset when maxReasoningEffort is high.");
    return true;
  }
  if (thinking?.type === "enabled" && model.thinking !== "budget")
    throw returned(
      "thinking.type: 'enabled' is not supported for this model. Use 'adaptive' and output_config.effort.",
    );
  if (thinking?.type === "adaptive" && !["adaptive", "unless-disabled", "always"].includes(model.thinking))
    throw returned("thinking.type: adaptive thinking is not supported on this model.");
  if (thinking?.type === "disabled" && model.thinking === "always")
    throw returned("thinking.type: thinking cannot be disabled for this model.");
  if (thinking?.type === "disabled" && ["xhigh", "max"].includes(effort ?? ""))
    throw returned("output_config.effort: effort above 'high' is not supported when thinking is disabled.");
  if (thinking?.type === "disabled") return false;
  if (!thinking && ["unless-disabled", "always"].includes(model.thinking)) return true;
  if (!thinking) return model.thinking === "field" && effort !== undefined && effort !== "none";
  if (thinking.type === "enabled") {
    const { budget_tokens: budget = 0 } = thinking;
    if (budget < 1_024) throw returned("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    if (maxTokens != null && maxTokens <= budget)
      throw returned("`max_tokens` must be greater than `thinking.budget_tokens`.");
  }
  if (temperature != null && temperature !== 1)
    throw returned("`temperature` may only be set to 1 when thinking is enabled.");
  if (topP != null && topP < 0.95)
    throw returned("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.");
  return true;
}

/** Whether what it thinks can be read: the newest Claude models leave it out unless told otherwise. */
function showsThoughts({ additionalModelRequestFields }: ConverseBody, model: BedrockModel): boolean {
  if (model.provider !== "Anthropic" || model.temperature !== false) return true;
  return additionalModelRequestFields.thinking?.display === "summarized";
}

/** The prompt as the cache sees it: its parts in order, and the points. */
function blocksOf({ messages, system }: Pick<ConverseBody, "messages" | "system">): Block[] {
  const parts = [
    ...system.map((block) => ({ role: "system", block })),
    ...messages.flatMap(({ role, content }) => content.map((block) => ({ role, block }))),
  ];
  return parts.map(({ role, block }) => (block.cachePoint ? "point" : { role, text: block.text ?? "" }));
}

function promptOf({ messages, system }: Pick<ConverseBody, "messages" | "system">): Prompt {
  const text = (blocks: { text?: string | undefined }[]) => blocks.flatMap((block) => block.text ?? []).join("\n\n");
  return { system: text(system), messages: messages.map(({ role, content }) => ({ role, text: text(content) })) };
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
  (text) => Buffer.from(text, "utf8"),
);

function frame(kind: "event" | "exception", type: string, json: string): Uint8Array {
  return codec.encode({
    headers: {
      [`:${kind}-type`]: { type: "string", value: type },
      ":content-type": { type: "string", value: "application/json" },
      ":message-type": { type: "string", value: kind },
    },
    body: Buffer.from(json),
  });
}

/** Events are padded to hide the length of a token, as the real service does. */
function event(type: string, body: Record<string, unknown>): Uint8Array {
  const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
  return frame(
    "event",
    type,
    JSON.stringify({ ...body, p: alphabet.slice(0, 36 - (JSON.stringify(body).length % 32)) }),
  );
}

const stopReasons: Record<Finish, string> = {
  stop: "end_turn",
  "stop-sequence": "stop_sequence",
  length: "max_tokens",
  blocked: "guardrail_intervened",
};

const signature = "bG9jYWw=";

/** Bedrock counts what is read from and written to the cache apart from the other input. */
function bedrockUsage({ inputTokens, outputTokens, totalTokens, cacheReadTokens, cacheWriteTokens }: Usage): unknown {
  if (cacheReadTokens === undefined || cacheWriteTokens === undefined)
    return { inputTokens, outputTokens, totalTokens };
  return {
    inputTokens: inputTokens - cacheReadTokens - cacheWriteTokens,
    outputTokens,
    totalTokens,
    cacheReadInputTokens: cacheReadTokens,
    cacheWriteInputTokens: cacheWriteTokens,
  };
}

/** Thoughts are a block of their own before the answer's; their signature is what Claude would want back. */
function wireOf(startedAt: number, options: { thinks: boolean; shown: boolean; redacted: boolean }): Wire {
  const { thinks, shown, redacted } = options;
  const contentBlockIndex = thinks ? 1 : 0;
  const delta = (text: string) => ({ contentBlockIndex, delta: { text } });
  const thought = (reasoningContent: unknown) =>
    event("contentBlockDelta", { contentBlockIndex: 0, delta: { reasoningContent } });
  return {
    headers: { "content-type": "application/vnd.amazon.eventstream" },
    opensAtOnce: false,
    begin: () => event("messageStart", { role: "assistant" }),
    ...(thinks && {
      ...(shown && !redacted && { thought: (text: string) => thought({ text }) }),
      endThoughts: () =>
        Buffer.concat([
          ...(redacted ? [thought({ text: "[REDACTED]" })] : []),
          thought({ signature }),
          event("contentBlockStop", { contentBlockIndex: 0 }),
        ]),
    }),
    piece: (text) => event("contentBlockDelta", delta(text)),
    // The frame is whole, its JSON is not: a reader that skips what it cannot parse loses text in silence.
    malformed: (text) => frame("event", "contentBlockDelta", JSON.stringify(delta(text)).slice(0, -4)),
    throttled: () => frame("exception", "throttlingException", JSON.stringify({ message: throttlingMessage })),
    finish: (finish, usage) =>
      Buffer.concat([
        event("contentBlockStop", { contentBlockIndex }),
        event("messageStop", { stopReason: stopReasons[finish] }),
        event("metadata", { usage: bedrockUsage(usage), metrics: { latencyMs: Date.now() - startedAt } }),
      ]),
  };
}

function answerTo(prompt: Prompt, body: ConverseBody, model: BedrockModel, scenario: Scenario | undefined): Answer {
  const { tokens } = scenario ?? {};
  const inputTokens = countPrompt(prompt);
  if (inputTokens > model.window) throw invalid("Input is too long for requested model.");
  let text = scenario?.obey ? obey(prompt) : composeAnswer(prompt);
  let pieces = tokens === undefined ? splitTokens(text) : stretch(text, tokens);
  let finish: Finish = "stop";
  text = pieces.join("");
  const stops = body.inferenceConfig.stopSequences?.map((sequence) => text.indexOf(sequence)) ?? [];
  const stop = Math.min(...stops.filter((at) => at >= 0));
  if (Number.isFinite(stop)) {
    pieces = splitTokens(text.slice(0, stop));
    finish = "stop-sequence";
  }
  return { pieces, finish, inputTokens };
}

async function converse(call: Call, request: BedrockRequest, streaming: boolean): Promise<void> {
  const identifier = request.path[1] ?? "";
  const model = requireModel(identifier);
  const body = parse(converseBody, request.body);
  checkMessages(body, model);
  checkSettings(body, model);
  const thinks = checkThinking(body, model);
  const prompt = promptOf(body);
  call.scenario = call.control.takeScenario({
    provider: "bedrock",
    operation: "answer",
    models: [identifier, model.id],
    text: newestUserText(prompt),
  });
  refuseByScenario(call, streaming);
  const answer = within(body.inferenceConfig.maxTokens ?? model.maxOutput, {
    ...answerTo(prompt, body, model, call.scenario),
    thoughts: thoughtsOf(prompt, thinks, call.scenario),
  });
  const blocks = blocksOf(body);
  if (model.cacheFrom !== false && blocks.includes("point"))
    answer.cached = call.control.cache.readMarked(model.id, blocks, {
      leastTokens: model.cacheFrom,
      looksBack: model.provider === "Anthropic",
    });
  const shown = showsThoughts(body, model);
  const { redacted } = model;
  if (streaming) return stream(call, wireOf(call.record.startedAt, { thinks, shown, redacted }), answer);
  const thoughts = redacted ? "[REDACTED]" : shown ? (answer.thoughts ?? []).join("") : "";
  return send(call, answer, (text, finish, usage) => ({
    output: {
      message: {
        role: "assistant",
        content: [
          ...(thinks ? [{ reasoningContent: { reasoningText: { text: thoughts, signature } } }] : []),
          { text },
        ],
      },
    },
    stopReason: stopReasons[finish],
    usage: bedrockUsage(usage),
    metrics: { latencyMs: Date.now() - call.record.startedAt },
  }));
}

/** A scenario's refusals before the first token. */
function refuseByScenario(call: Call, streaming: boolean): void {
  const { scenario } = call;
  if (scenario?.fault === "denied") {
    call.markFault();
    throw new BedrockError(
      403,
      "AccessDeniedException",
      "You don't have access to the model with the specified model ID.",
    );
  }
  if (scenario?.fault === "overflow") {
    call.markFault();
    throw invalid("Input is too long for requested model.");
  }
  if (scenario?.fault === "throttle" && (scenario.afterTokens === 0 || !streaming)) {
    call.markFault();
    throw new BedrockError(429, "ThrottlingException", throttlingMessage);
  }
}

/**
 * The faults of calls that answer in one piece of JSON and are no model calls. Returns false if the call is to be
 * answered as usual.
 */
async function failByScenario(call: Call): Promise<boolean> {
  const { scenario } = call;
  if (!scenario) return false;
  await call.waitUntil(performance.now() + (scenario.firstTokenMs ?? 0));
  refuseByScenario(call, false);
  if (scenario.fault === "none" || scenario.fault === "guardrail") return false;
  await send(call, { pieces: [], finish: "stop", inputTokens: 0 }, () => ({ message: "cut off by a scenario" }));
  return true;
}

const guardrailBody = z.looseObject({
  source: z.enum(["INPUT", "OUTPUT"]),
  content: z.array(z.looseObject({ text: z.looseObject({ text: z.string() }).optional() })),
  outputScope: z.enum(["INTERVENTIONS", "FULL"]).optional(),
});

/** The most text of one call, in units of 1,000 characters. */
const guardrailUnits = 25;

/** There is one guardrail; a scenario can have it intervene whatever the text says. */
async function applyGuardrail(call: Call, request: BedrockRequest): Promise<void> {
  const [, identifier = "", , version = ""] = request.path;
  const id = /^(?:arn:aws[^:]*:bedrock:[a-z0-9-]+:\d{12}:guardrail\/)?([a-z0-9]+)$/u.exec(identifier)?.[1];
  if (!id) throw invalid("The guardrail identifier is invalid.");
  if (!/^(?:[1-9]\d{0,7}|DRAFT)$/u.test(version)) throw invalid("The guardrail version is invalid.");
  const body = parse(guardrailBody, request.body);
  const texts = body.content.flatMap((block) => block.text?.text ?? []);
  if (!texts.some((text) => text)) throw invalid("The content to be checked is empty.");
  if (id !== localGuardrail.id || ![localGuardrail.version, "DRAFT"].includes(version))
    throw new BedrockError(
      404,
      "ResourceNotFoundException",
      "The guardrail identifier or version provided in the request does not exist.",
    );
  const text = texts.join("\n");
  if (text.length > guardrailUnits * 1_000) throw invalid(`The content is longer than ${guardrailUnits} text units.`);
  call.scenario = call.control.takeScenario({
    provider: "bedrock",
    operation: "guardrail",
    models: [identifier, id],
    text,
  });
  if (await failByScenario(call)) return;
  if (call.scenario?.firstTokenMs === undefined) await call.waitUntil(performance.now() + call.pace.firstTokenMs);
  const found = assess(text, body.source);
  const scripted = call.scenario?.fault === "guardrail";
  if (scripted) call.markFault();
  const topic = { name: "scenario", type: "DENY", action: "BLOCKED", detected: true };
  call.json(200, {
    ...found,
    ...(scripted && {
      action: "GUARDRAIL_INTERVENED",
      actionReason: "Guardrail blocked.",
      outputs: [{ text: blockedText }],
      assessments: [{ topicPolicy: { topics: [topic] } }],
    }),
    ...(!scripted &&
      found.action === "NONE" &&
      body.outputScope === "FULL" && { outputs: texts.map((text) => ({ text })) }),
    guardrailCoverage: { textCharacters: { guarded: text.length, total: text.length } },
  });
}

const countBody = z.looseObject({
  input: z.union([
    z.looseObject({ converse: converseBody }),
    z.looseObject({ invokeModel: z.looseObject({ body: z.string() }) }),
  ]),
});

/** CountTokens takes bare ids of models too; with a body for InvokeModel, its bytes count as text. */
async function countTokensOf(call: Call, request: BedrockRequest): Promise<void> {
  const identifier = request.path[1] ?? "";
  const found = findModel(identifier);
  if (!found) throw invalid("The provided model identifier is invalid.");
  const { input } = parse(countBody, request.body);
  const prompt = "converse" in input ? promptOf(converseBody.parse(input.converse)) : undefined;
  call.scenario = call.control.takeScenario({
    provider: "bedrock",
    operation: "count",
    models: [identifier, found.model.id],
    text: prompt ? newestUserText(prompt) : "",
  });
  if (await failByScenario(call)) return;
  if (prompt) return call.json(200, { inputTokens: countPrompt(prompt) });
  const { body } = z.looseObject({ body: z.string() }).parse("invokeModel" in input ? input.invokeModel : undefined);
  call.json(200, { inputTokens: countTokens(Buffer.from(body, "base64").toString("utf8")) });
}

function listFoundationModels(query: URLSearchParams): unknown {
  const wanted = (name: string, allowed?: string[]) => {
    const value = query.get(name);
    if (value !== null && allowed && !allowed.includes(value))
      throw invalid(
        `1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(", ")}]`,
      );
    return value;
  };
  const provider = wanted("byProvider");
  const output = wanted("byOutputModality", ["TEXT", "IMAGE", "EMBEDDING", "VIDEO", "SPEECH"]);
  const inference = wanted("byInferenceType", ["ON_DEMAND", "PROVISIONED", "INFERENCE_PROFILE"]);
  const customization = wanted("byCustomizationType", ["FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION"]);
  const summaries = bedrockModels.map((model) => ({
    modelArn: modelArn(model.id),
    modelId: model.id,
    modelName: model.name,
    providerName: model.provider,
    inputModalities: model.input,
    outputModalities: model.output,
    responseStreamingSupported: model.streaming,
    customizationsSupported: [] as string[],
    inferenceTypesSupported: [
      ...(model.onDemand ? ["ON_DEMAND"] : []),
      ...(model.profiles.length > 0 ? ["INFERENCE_PROFILE"] : []),
      ...(model.onDemand || model.profiles.length > 0 ? [] : ["PROVISIONED"]),
    ],
    modelLifecycle: { status: model.status },
  }));
  return {
    modelSummaries: summaries.filter(
      (summary) =>
        (provider === null || summary.providerName.toLowerCase() === provider.toLowerCase()) &&
        (output === null || (summary.outputModalities as string[]).includes(output)) &&
        (inference === null || summary.inferenceTypesSupported.includes(inference)) &&
        (customization === null || summary.customizationsSupported.includes(customization)),
    ),
  };
}

/** Small on purpose: whoever reads only the first page misses models at once. */
const profilesPerPage = 5;

function listInferenceProfiles(query: URLSearchParams): unknown {
  const type = query.get("type") ?? query.get("typeEquals") ?? "SYSTEM_DEFINED";
  if (type !== "SYSTEM_DEFINED" && type !== "APPLICATION")
    throw invalid(
      `1 validation error detected: Value '${type}' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SYSTEM_DEFINED, APPLICATION]`,
    );
  const size = Number(query.get("maxResults") ?? profilesPerPage);
  if (!Number.isInteger(size) || size < 1 || size > 1_000)
    throw invalid(
      `1 validation error detected: Value '${query.get("maxResults")}' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and 1000`,
    );
  const token = query.get("nextToken");
  const from = token === null ? 0 : Number(/^profiles:(\d+)$/u.exec(Buffer.from(token, "base64url").toString())?.[1]);
  const all = type === "SYSTEM_DEFINED" ? inferenceProfiles : [];
  if (!Number.isInteger(from) || from > all.length) throw invalid("The pagination token is invalid.");
  const next = from + size;
  return {
    inferenceProfileSummaries: all.slice(from, next).map((profile) => ({
      inferenceProfileName: profile.name,
      description: profile.description,
      createdAt: "2026-01-15T00:00:00Z",
      updatedAt: "2026-06-01T00:00:00Z",
      inferenceProfileArn: profile.arn,
      models: profile.modelArns.map((arn) => ({ modelArn: arn })),
      inferenceProfileId: profile.id,
      status: "ACTIVE",
      type: "SYSTEM_DEFINED",
    })),
    ...(next < all.length && { nextToken: Buffer.from(`profiles:${next}`).toString("base64url") }),
  };
}

async function list(call: Call, make: () => unknown): Promise<void> {
  const models = [call.record.path.split("?")[0]?.slice(1) ?? ""];
  call.scenario = call.control.takeScenario({ provider: "bedrock", operation: "list", models, text: "" });
  if (await failByScenario(call)) return;
  call.json(200, make());
}

/** Which of Bedrock's operations a request is; undefined if it is none of them. */
export function bedrockRoute(
  method: string,
  path: string[],
): ((call: Call, request: BedrockRequest) => Promise<void>) | undefined {
  const [first, identifier, third, , fifth] = path;
  if (method === "GET" && path.length === 1) {
    if (first === "foundation-models") return (call, { query }) => list(call, () => listFoundationModels(query));
    if (first === "inference-profiles") return (call, { query }) => list(call, () => listInferenceProfiles(query));
  }
  if (method !== "POST" || !identifier) return undefined;
  if (first === "model" && path.length === 3) {
    if (third === "converse-stream") return (call, request) => converse(call, request, true);
    if (third === "converse") return (call, request) => converse(call, request, false);
    if (third === "count-tokens") return countTokensOf;
  }
  if (first === "guardrail" && third === "version" && fifth === "apply" && path.length === 5) return applyGuardrail;
  return undefined;
}

/** Answers one call; what the service would refuse becomes its error. */
export async function answerBedrock(
  call: Call,
  request: BedrockRequest,
  route: (call: Call, request: BedrockRequest) => Promise<void>,
): Promise<void> {
  call.response.setHeader("x-amzn-requestid", randomUUID());
  try {
    checkAuthorization(request.headers);
    await route(call, request);
  } catch (error) {
    if (!(error instanceof BedrockError)) throw error;
    call.json(
      error.status,
      { message: error.message },
      { "x-amzn-errortype": `${error.type}:http://internal.amazon.com/coral/com.amazon.bedrock/` },
    );
  }
}
