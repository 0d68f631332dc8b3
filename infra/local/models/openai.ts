/**
 * OpenAI as its clients see it: the list of models, chat completions and responses, streamed as server-sent events
 * or sent whole. Requests are refused with its statuses and its `{ error: { message, type, param, code } }`. Under
 * `/compatible/v1` it is an OpenAI-compatible endpoint of one's own instead: other models, and chat completions
 * alone, which stream reasoning as `reasoning_content`.
 */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { composeAnswer, countPrompt, newestUserText, obey, type Prompt, splitTokens, stretch } from "./answer.ts";
import { compatibleModels, type OpenAiModel, openAiModels } from "./catalogue.ts";
import { type Answer, type Call, type Finish, send, stream, thoughtsOf, type Wire, within } from "./delivery.ts";
import type { Usage } from "./scenario.ts";

class OpenAiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;

  constructor(
    status: number,
    message: string,
    options: { type?: string; param?: string | null; code?: string | null } = {},
  ) {
    super(message);
    this.status = status;
    this.type = options.type ?? "invalid_request_error";
    this.param = options.param ?? null;
    this.code = options.code ?? null;
  }
}

const refuse = (message: string, param: string | null, code: string | null) =>
  new OpenAiError(400, message, { param, code });

function rateLimit(model: string): OpenAiError {
  const message = `Rate limit reached for ${model} in organization org-local on tokens per min (TPM): Limit 200000, Used 199000, Requested 2000. Please try again in 1s.`;
  return new OpenAiError(429, message, { type: "tokens", code: "rate_limit_exceeded" });
}

function errorBody(error: OpenAiError): { message: string; type: string; param: string | null; code: string | null } {
  return { message: error.message, type: error.type, param: error.param, code: error.code };
}

export interface OpenAiRequest {
  method: string;
  path: string[];
  headers: IncomingHttpHeaders;
  body: unknown;
}

function checkAuthorization({ authorization }: IncomingHttpHeaders): void {
  const key = /^Bearer\s+(\S+)$/iu.exec(authorization ?? "")?.[1];
  if (key) return;
  if (!authorization)
    throw new OpenAiError(
      401,
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    );
  throw new OpenAiError(401, "Incorrect API key provided.", { code: "invalid_api_key" });
}

/** Whether the path is that of the compatible endpoint. */
const isCompatible = ({ path }: OpenAiRequest): boolean => path[0] === "compatible";

function requireModel(id: string, compatible: boolean): OpenAiModel {
  const model = (compatible ? compatibleModels : openAiModels).find((candidate) => candidate.id === id);
  if (model) return model;
  const message = `The model \`${id}\` does not exist or you do not have access to it.`;
  throw new OpenAiError(404, message, { code: "model_not_found" });
}

function requireAnsweringModel(id: string, endpoint: string, compatible = false): OpenAiModel {
  const model = requireModel(id, compatible);
  if (model.responsesOnly && endpoint !== "v1/responses")
    throw new OpenAiError(404, "This model is only supported in v1/responses and not in v1/chat/completions.", {
      param: "model",
    });
  if (model.kind !== "other") return model;
  const message = `This is not a chat model and thus not supported in the ${endpoint} endpoint.`;
  throw new OpenAiError(404, message, { param: "model" });
}

const part = z.looseObject({ type: z.string(), text: z.string().optional(), refusal: z.string().optional() });
const content = z.union([z.string(), z.array(part)]).nullish();

function textOf(value: z.infer<typeof content>): string {
  if (typeof value === "string") return value;
  return (value ?? []).flatMap(({ text, refusal }) => text ?? refusal ?? []).join("\n\n");
}

function parse<Shape extends z.ZodType>(schema: Shape, body: unknown): z.infer<Shape> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path ?? [];
  const where = path.reduce<string>((left, key) => {
    if (typeof key === "number") return `${left}[${key}]`;
    return left ? `${left}.${String(key)}` : String(key);
  }, "");
  if (issue?.code === "unrecognized_keys") {
    const key = [where, issue.keys[0]].filter(Boolean).join(".");
    throw refuse(`Unknown parameter: '${key}'.`, key, "unknown_parameter");
  }
  const value = path.reduce<unknown>(
    (inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key],
    body,
  );
  if (value === undefined)
    throw refuse(`Missing required parameter: '${where}'.`, where || null, "missing_required_parameter");
  throw refuse(`Invalid value for '${where}': ${issue?.message ?? ""}`, where || null, "invalid_value");
}

interface Settings {
  temperature?: number | null | undefined;
  top_p?: number | null | undefined;
}

function checkRange(name: string, value: number | null | undefined, min: number, max: number): void {
  if (value == null) return;
  if (value < min)
    throw refuse(
      `Invalid '${name}': decimal below minimum value. Expected a value >= ${min}, but got ${value} instead.`,
      name,
      "decimal_below_min_value",
    );
  if (value > max)
    throw refuse(
      `Invalid '${name}': decimal above maximum value. Expected a value <= ${max}, but got ${value} instead.`,
      name,
      "decimal_above_max_value",
    );
}

function checkLongest(name: string, value: number | null | undefined, min: number, model: OpenAiModel): void {
  if (value == null) return;
  if (value < min)
    throw refuse(
      `Invalid '${name}': integer below minimum value. Expected a value >= ${min}, but got ${value} instead.`,
      name,
      "integer_below_min_value",
    );
  if (value > model.maxOutput)
    throw refuse(
      `${name} is too large: ${value}. This model supports at most ${model.maxOutput} completion tokens, whereas you provided ${value}.`,
      name,
      "invalid_value",
    );
}

function unsupportedParameter(name: string, instead?: string): OpenAiError {
  const hint = instead ? ` Use '${instead}' instead.` : "";
  return refuse(
    `Unsupported parameter: '${name}' is not supported with this model.${hint}`,
    name,
    "unsupported_parameter",
  );
}

/** In chat completions a reasoning model takes the default value; in responses it does not take the setting at all. */
function checkSampling(
  { temperature, top_p }: Settings,
  model: OpenAiModel,
  api: "chat" | "responses",
  effort: string | null | undefined,
): void {
  checkRange("temperature", temperature, 0, 2);
  checkRange("top_p", top_p, 0, 1);
  if (model.kind !== "reasoning" || (model.sampling && (effort ?? model.effort) === "none")) return;
  for (const [name, value] of [
    ["temperature", temperature],
    ["top_p", top_p],
  ] as const) {
    if (value == null) continue;
    if (api === "responses") throw unsupportedParameter(name);
    if (value !== 1)
      throw refuse(
        `Unsupported value: '${name}' does not support ${value} with this model. Only the default (1) value is supported.`,
        name,
        "unsupported_value",
      );
  }
}

function checkEffort(name: string, effort: string | null | undefined, model: OpenAiModel): void {
  if (effort == null) return;
  if (model.kind !== "reasoning") throw unsupportedParameter(name);
  if (!model.efforts.includes(effort))
    throw refuse(
      `Unsupported value: '${name}' does not support '${effort}' with this model. Supported values are: ${model.efforts.map((value) => `'${value}'`).join(", ")}.`,
      name,
      "unsupported_value",
    );
}

/** Takes the scenario of this call and refuses what it, or the model's window, does not let through. */
function prepare(
  call: Call,
  model: OpenAiModel,
  prompt: Prompt,
  options: { streaming: boolean; longest: number; stops: string[]; tooLong: OpenAiError; thinks: boolean },
): Answer {
  call.scenario = call.control.takeScenario({
    provider: "openai",
    operation: "answer",
    models: [model.id],
    text: newestUserText(prompt),
  });
  refuseByScenario(call, model.id, options.streaming);
  if (call.scenario?.fault === "overflow") {
    call.markFault();
    throw options.tooLong;
  }
  const inputTokens = countPrompt(prompt);
  if (inputTokens > model.window) throw options.tooLong;
  const tokens = call.scenario?.tokens;
  const whole = call.scenario?.obey ? obey(prompt) : composeAnswer(prompt);
  let pieces = tokens === undefined ? splitTokens(whole) : stretch(whole, tokens);
  const text = pieces.join("");
  const stop = Math.min(...options.stops.map((sequence) => text.indexOf(sequence)).filter((at) => at >= 0));
  if (Number.isFinite(stop)) pieces = splitTokens(text.slice(0, stop));
  const thoughts = thoughtsOf(prompt, options.thinks, call.scenario);
  const answer = within(options.longest, { pieces, finish: "stop", inputTokens, thoughts });
  if (model.cacheFrom === false) return answer;
  const beginning = [prompt.system, ...prompt.messages.map(({ role, text }) => `${role}: ${text}`)].join("\n");
  const cached = call.control.cache.readWhole(model.id, beginning, model.cacheFrom);
  return {
    ...answer,
    cached: { read: cached.read, written: model.countsWrites ? cached.written : 0 },
  };
}

function refuseByScenario(call: Call, model: string, streaming: boolean): void {
  const { scenario } = call;
  if (scenario?.fault === "denied") {
    call.markFault();
    const message = `Project \`proj_local\` does not have access to model \`${model}\``;
    throw new OpenAiError(403, message, { code: "model_not_found" });
  }
  if (scenario?.fault === "throttle" && (scenario.afterTokens === 0 || !streaming)) {
    call.markFault();
    throw rateLimit(model);
  }
}

const id = (prefix: string) => `${prefix}${randomUUID().replaceAll("-", "")}`;
const eventStream = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
const seconds = () => Math.floor(Date.now() / 1_000);

// Chat completions

const anything = z.unknown().optional();
const chatBody = z.strictObject({
  model: z.string(),
  messages: z.array(
    z.looseObject({
      role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
      content,
      reasoning_content: z.unknown().optional(),
    }),
  ),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  max_tokens: z.int().nullish(),
  max_completion_tokens: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  reasoning_effort: z.string().nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  n: z.literal(1).nullish(),
  audio: anything,
  logit_bias: anything,
  logprobs: anything,
  metadata: anything,
  modalities: anything,
  parallel_tool_calls: anything,
  prediction: anything,
  prompt_cache_key: anything,
  prompt_cache_retention: anything,
  response_format: anything,
  safety_identifier: anything,
  seed: anything,
  service_tier: anything,
  store: anything,
  tool_choice: anything,
  tools: anything,
  top_logprobs: anything,
  user: anything,
  verbosity: anything,
  web_search_options: anything,
});

const chatFinish: Record<Finish, string> = {
  stop: "stop",
  "stop-sequence": "stop",
  length: "length",
  blocked: "content_filter",
};

/** What was written is told only by the models that charge for it. */
function inputDetails({ cacheReadTokens = 0, cacheWriteTokens = 0 }: Usage): Record<string, number> {
  return { cached_tokens: cacheReadTokens, ...(cacheWriteTokens > 0 && { cache_write_tokens: cacheWriteTokens }) };
}

function chatUsage(usage: Usage): unknown {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: { ...inputDetails(usage), audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0, audio_tokens: 0 },
  };
}

async function chatCompletions(call: Call, request: OpenAiRequest): Promise<void> {
  const body = parse(chatBody, request.body);
  const compatible = isCompatible(request);
  const model = requireAnsweringModel(body.model, "v1/chat/completions", compatible);
  for (const [index, { reasoning_content }] of body.messages.entries())
    if (reasoning_content !== undefined)
      throw refuse(
        "The `reasoning_content` of earlier answers must not be in the input messages.",
        `messages.[${index}].reasoning_content`,
        null,
      );
  if (body.messages.length === 0)
    throw refuse(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      "messages",
      "empty_array",
    );
  for (const [index, message] of body.messages.entries())
    if (message.content == null && message.role !== "assistant")
      throw refuse(`Invalid value for 'content': expected a string, got null.`, `messages.[${index}].content`, null);
  if (body.stream_options && !body.stream)
    throw refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options", null);
  checkSampling(body, model, "chat", body.reasoning_effort);
  checkRange("frequency_penalty", body.frequency_penalty, -2, 2);
  checkRange("presence_penalty", body.presence_penalty, -2, 2);
  checkEffort("reasoning_effort", body.reasoning_effort, model);
  const stops = typeof body.stop === "string" ? [body.stop] : (body.stop ?? []);
  if (stops.length > 4)
    throw refuse(
      `Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length ${stops.length} instead.`,
      "stop",
      "array_above_max_length",
    );
  const thinks = model.kind === "reasoning" && (body.reasoning_effort ?? model.effort) !== "none";
  if (model.kind === "reasoning" && !compatible) {
    if (body.max_tokens != null) throw unsupportedParameter("max_tokens", "max_completion_tokens");
    if (stops.length > 0) throw unsupportedParameter("stop");
  }
  checkLongest("max_tokens", body.max_tokens, 1, model);
  checkLongest("max_completion_tokens", body.max_completion_tokens, 1, model);
  const prompt = chatPrompt(body.messages);
  const answer = prepare(call, model, prompt, {
    streaming: body.stream === true,
    longest: body.max_completion_tokens ?? body.max_tokens ?? model.maxOutput,
    stops,
    thinks,
    tooLong: refuse(
      `This model's maximum context length is ${model.window} tokens. However, your messages resulted in ${countPrompt(prompt)} tokens. Please reduce the length of the messages.`,
      "messages",
      "context_length_exceeded",
    ),
  });
  const base = { id: id("chatcmpl-"), created: seconds(), model: model.id, service_tier: "default" };
  if (!body.stream)
    return send(call, answer, (text, finish, usage) => ({
      ...base,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: text,
            ...(compatible && thinks
              ? { reasoning_content: answer.thoughts?.join("") }
              : { refusal: null, annotations: [] }),
          },
          logprobs: null,
          finish_reason: chatFinish[finish],
        },
      ],
      usage: chatUsage(usage),
    }));
  return stream(call, chatWire(base, body.stream_options?.include_usage === true, compatible && thinks), answer);
}

function chatWire(base: { model: string }, withUsage: boolean, showsThoughts: boolean): Wire {
  const chunk = (choices: unknown[], usage: unknown = null) =>
    `data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices, ...(withUsage && { usage }) })}\n\n`;
  const choice = (delta: unknown, finish: string | null = null) => [
    { index: 0, delta, logprobs: null, finish_reason: finish },
  ];
  return {
    headers: eventStream,
    opensAtOnce: true,
    begin: () => chunk(choice({ role: "assistant", content: "", refusal: null })),
    ...(showsThoughts && { thought: (text: string) => chunk(choice({ reasoning_content: text })) }),
    piece: (text) => chunk(choice({ content: text })),
    malformed: (text) =>
      `${chunk(choice({ content: text }))
        .trimEnd()
        .slice(0, -5)}\n\n`,
    throttled: () => `data: ${JSON.stringify({ error: errorBody(rateLimit(base.model)) })}\n\n`,
    finish: (finish, usage) =>
      `${chunk(choice({}, chatFinish[finish]))}${withUsage ? chunk([], chatUsage(usage)) : ""}data: [DONE]\n\n`,
  };
}

/** All instructions together are the system prompt; results of tools count as the user's. */
function chatPrompt(messages: { role: string; content?: z.infer<typeof content> }[]): Prompt {
  const isInstruction = ({ role }: { role: string }) => role === "system" || role === "developer";
  return {
    system: messages
      .filter(isInstruction)
      .map((message) => textOf(message.content))
      .join("\n\n"),
    messages: messages
      .filter((message) => !isInstruction(message))
      .map((message) => ({ role: message.role === "assistant" ? "assistant" : "user", text: textOf(message.content) })),
  };
}

// Responses

const responsesBody = z.strictObject({
  model: z.string(),
  input: z.union([
    z.string(),
    z.array(z.looseObject({ type: z.string().optional(), role: z.string().optional(), content })),
  ]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  max_output_tokens: z.int().nullish(),
  reasoning: z
    .looseObject({ effort: z.string().nullish(), summary: z.enum(["auto", "concise", "detailed"]).nullish() })
    .nullish(),
  background: anything,
  context_management: anything,
  conversation: anything,
  include: anything,
  max_tool_calls: anything,
  metadata: anything,
  parallel_tool_calls: anything,
  previous_response_id: anything,
  prompt: anything,
  prompt_cache_key: anything,
  prompt_cache_retention: anything,
  safety_identifier: anything,
  service_tier: anything,
  store: anything,
  stream_options: anything,
  text: anything,
  tool_choice: anything,
  tools: anything,
  top_logprobs: anything,
  truncation: anything,
  user: anything,
});

function responsesUsage(usage: Usage): unknown {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: inputDetails(usage),
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.totalTokens,
  };
}

async function responses(call: Call, request: OpenAiRequest): Promise<void> {
  const body = parse(responsesBody, request.body);
  const model = requireAnsweringModel(body.model, "v1/responses");
  const items = typeof body.input === "string" ? [{ role: "user", content: body.input }] : body.input;
  if (items.length === 0 && !body.instructions)
    throw refuse("Missing required parameter: 'input'.", "input", "missing_required_parameter");
  checkContentTypes(items);
  checkSampling(body, model, "responses", body.reasoning?.effort);
  checkEffort("reasoning.effort", body.reasoning?.effort, model);
  const summarised = body.reasoning?.summary != null;
  if (summarised && model.kind !== "reasoning") throw unsupportedParameter("reasoning.summary");
  checkLongest("max_output_tokens", body.max_output_tokens, 16, model);
  const prompt = chatPrompt([
    ...(body.instructions ? [{ role: "system", content: body.instructions }] : []),
    ...items.flatMap(({ role, content }) => (role ? [{ role, content }] : [])),
  ]);
  const effort = body.reasoning?.effort ?? model.effort;
  const thinks = model.kind === "reasoning" && effort !== "none";
  const answer = prepare(call, model, prompt, {
    streaming: body.stream === true,
    longest: body.max_output_tokens ?? model.maxOutput,
    stops: [],
    thinks,
    tooLong: refuse(
      "Your input exceeds the context window of this model. Please adjust your input and try again.",
      "input",
      "context_length_exceeded",
    ),
  });
  if (summarised && call.scenario?.fault === "unverified") {
    call.markFault();
    throw refuse(
      "Your organization must be verified to generate reasoning summaries. Please go to: https://platform.openai.com/settings/organization/general and click on Verify Organization.",
      "reasoning.summary",
      "unsupported_value",
    );
  }
  const base = {
    id: id("resp_"),
    object: "response",
    created_at: seconds(),
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    model: model.id,
    output: [] as unknown[],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort, summary: summarised ? "detailed" : null },
    service_tier: "default",
    status: "in_progress",
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: body.top_p ?? 1,
    truncation: "disabled",
    usage: null as unknown,
    user: null,
    metadata: {},
  };
  if (body.stream) return stream(call, responsesWire(base, { thinks, summarised }), answer);
  const summary = summarised ? (answer.thoughts ?? []).join("") : "";
  return send(call, answer, (text, finish, usage) => ({
    ...base,
    ...ended(finish),
    output: [...(thinks ? [reasoningItem(id("rs_"), summary)] : []), outputItem(id("msg_"), text, finish)],
    usage: responsesUsage(usage),
  }));
}

function checkContentTypes(items: { role?: string | undefined; content?: z.infer<typeof content> }[]): void {
  for (const [index, item] of items.entries()) {
    if (!Array.isArray(item.content)) continue;
    const allowed =
      item.role === "assistant"
        ? ["output_text", "refusal"]
        : ["input_text", "input_image", "input_file", "input_audio"];
    for (const [at, { type }] of item.content.entries())
      if (!allowed.includes(type))
        throw refuse(
          `Invalid value: '${type}'. Supported values are: ${allowed.map((value) => `'${value}'`).join(", ")}.`,
          `input[${index}].content[${at}]`,
          "invalid_value",
        );
  }
}

function ended(finish: Finish): { status: string; incomplete_details: { reason: string } | null } {
  if (finish === "length") return { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
  if (finish === "blocked") return { status: "incomplete", incomplete_details: { reason: "content_filter" } };
  return { status: "completed", incomplete_details: null };
}

function outputPart(text: string): unknown {
  return { type: "output_text", annotations: [], logprobs: [], text };
}

function outputItem(itemId: string, text: string, finish: Finish): unknown {
  const { status } = ended(finish);
  return { id: itemId, type: "message", status, role: "assistant", content: [outputPart(text)] };
}

/** A model that thinks says so by an item of its own, before the message; of its thoughts it holds a summary, if asked. */
function reasoningItem(itemId: string, summary = ""): unknown {
  return { id: itemId, type: "reasoning", summary: summary ? [{ type: "summary_text", text: summary }] : [] };
}

function responsesWire(
  base: { model: string; output: unknown[] },
  { thinks, summarised }: { thinks: boolean; summarised: boolean },
): Wire {
  const itemId = id("msg_");
  const thoughtsId = id("rs_");
  const output_index = thinks ? 1 : 0;
  const at = { item_id: itemId, output_index, content_index: 0 };
  const summaryAt = { item_id: thoughtsId, output_index: 0, summary_index: 0 };
  let summary = "";
  let sequence = 0;
  let sent = "";
  const event = (type: string, body: Record<string, unknown>) => {
    const data = JSON.stringify({ type, ...body, sequence_number: sequence });
    sequence += 1;
    return `event: ${type}\ndata: ${data}\n\n`;
  };
  const delta = (text: string) => event("response.output_text.delta", { ...at, delta: text, logprobs: [] });
  const beginMessage = () => [
    event("response.output_item.added", {
      output_index,
      item: { id: itemId, type: "message", status: "in_progress", role: "assistant", content: [] },
    }),
    event("response.content_part.added", { ...at, part: outputPart("") }),
  ];
  return {
    headers: eventStream,
    opensAtOnce: true,
    begin: () =>
      [
        event("response.created", { response: base }),
        event("response.in_progress", { response: base }),
        ...(thinks
          ? [event("response.output_item.added", { output_index: 0, item: reasoningItem(thoughtsId) })]
          : beginMessage()),
      ].join(""),
    ...(thinks && {
      ...(summarised && {
        thought: (text: string) => {
          const first = summary === "";
          summary += text;
          const part = { type: "summary_text", text: "" };
          return [
            ...(first ? [event("response.reasoning_summary_part.added", { ...summaryAt, part })] : []),
            event("response.reasoning_summary_text.delta", { ...summaryAt, delta: text }),
          ].join("");
        },
      }),
      endThoughts: () =>
        [
          ...(summary
            ? [
                event("response.reasoning_summary_text.done", { ...summaryAt, text: summary }),
                event("response.reasoning_summary_part.done", {
                  ...summaryAt,
                  part: { type: "summary_text", text: summary },
                }),
              ]
            : []),
          event("response.output_item.done", { output_index: 0, item: reasoningItem(thoughtsId, summary) }),
          ...beginMessage(),
        ].join(""),
    }),
    piece: (text) => {
      sent += text;
      return delta(text);
    },
    malformed: (text) => `${delta(text).trimEnd().slice(0, -5)}\n\n`,
    throttled: () => {
      const { message, code, param } = rateLimit(base.model);
      return event("error", { code, message, param });
    },
    finish: (finish, usage) => {
      const item = outputItem(itemId, sent, finish);
      const thoughts = thinks ? [reasoningItem(thoughtsId, summary)] : [];
      const response = { ...base, ...ended(finish), output: [...thoughts, item], usage: responsesUsage(usage) };
      return [
        event("response.output_text.done", { ...at, text: sent, logprobs: [] }),
        event("response.content_part.done", { ...at, part: outputPart(sent) }),
        event("response.output_item.done", { output_index, item }),
        event(`response.${response.status}`, { response }),
      ].join("");
    },
  };
}

// Models

function modelBody({ id, created, ownedBy }: OpenAiModel): unknown {
  return { id, object: "model", created, owned_by: ownedBy };
}

async function models(call: Call, request: OpenAiRequest): Promise<void> {
  call.scenario = call.control.takeScenario({ provider: "openai", operation: "list", models: ["models"], text: "" });
  const { scenario } = call;
  if (scenario) {
    await call.waitUntil(performance.now() + (scenario.firstTokenMs ?? 0));
    refuseByScenario(call, "models", false);
    if (scenario.fault !== "none" && scenario.fault !== "guardrail")
      return send(call, { pieces: [], finish: "stop", inputTokens: 0 }, () => ({ object: "list", data: [] }));
  }
  const compatible = isCompatible(request);
  const wanted = request.path[compatible ? 3 : 2];
  if (wanted !== undefined) return call.json(200, modelBody(requireModel(wanted, compatible)));
  call.json(200, { object: "list", data: (compatible ? compatibleModels : openAiModels).map(modelBody) });
}

/**
 * Which of OpenAI's operations a request is; undefined if it is none of them. The path begins with `v1`, or with
 * `compatible/v1`, which has no responses.
 */
export function openAiRoute(
  method: string,
  path: string[],
): ((call: Call, request: OpenAiRequest) => Promise<void>) | undefined {
  const compatible = path[0] === "compatible";
  const [second, third, ...more] = path.slice(compatible ? 2 : 1);
  if (method === "GET" && second === "models" && more.length === 0) return models;
  if (method !== "POST") return undefined;
  if (second === "chat" && third === "completions" && more.length === 0) return chatCompletions;
  if (second === "responses" && third === undefined && !compatible) return responses;
  return undefined;
}

/** Answers one call; what the service would refuse becomes its error. */
export async function answerOpenAi(
  call: Call,
  request: OpenAiRequest,
  route: (call: Call, request: OpenAiRequest) => Promise<void>,
): Promise<void> {
  call.response.setHeader("x-request-id", id("req_"));
  try {
    checkAuthorization(request.headers);
    await route(call, request);
  } catch (error) {
    if (!(error instanceof OpenAiError)) throw error;
    call.json(error.status, { error: errorBody(error) }, error.status === 429 ? { "retry-after": "1" } : {});
  }
}
