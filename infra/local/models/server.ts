/**
 * The local model server: one HTTP server on the loopback interface that speaks the wire protocols of Amazon Bedrock
 * (Runtime and control plane) and of OpenAI, so that the app meets on one machine the very protocols, refusals and
 * faults that it meets in production. It answers from the prompt (answer.ts), can be scripted and asked what it was
 * sent (scenario.ts, under `/__scenario` and `/__requests`), and keeps nothing on disk.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer as createSocketServer, type Socket } from "node:net";
import { z } from "zod";
import { answerBedrock, bedrockRoute, redactAuthorization } from "./bedrock.ts";
import { Call, type Pace } from "./delivery.ts";
import { answerOpenAi, openAiRoute } from "./openai.ts";
import { Control, type Operation } from "./scenario.ts";

export interface ModelServer {
  /** Without a slash at its end: Bedrock's endpoint; OpenAI's is this with `/v1`. */
  url: string;
  stop(): Promise<void>;
}

const about = `Sidenote's local model server.

It speaks Amazon Bedrock (Converse, ConverseStream, ApplyGuardrail, CountTokens, lists), OpenAI (under /v1), and is an
OpenAI-compatible endpoint of its own (under /compatible/v1).
PUT /__scenario     change what it does next: pace, length and faults; GET and DELETE list and forget scenarios
GET /__requests     what it was sent, and how each call ended; DELETE forgets them
DELETE /__cache     forget what it keeps of prompts
`;

const realisticPace: Pace = { firstTokenMs: 300, tokenMs: 20 };
const largestBody = 25 * 1024 * 1024;

/**
 * Starts the server on 127.0.0.1, on a free port unless one is given. `pace` is in milliseconds and holds for every
 * answer without a scenario of its own. Rejects if the port is taken.
 */
export async function startModelServer(options: { port?: number; pace?: Partial<Pace> } = {}): Promise<ModelServer> {
  const pace = { ...realisticPace, ...options.pace };
  const control = new Control();
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response, control, pace).catch((error: unknown) => {
      console.error("Model server:", error);
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end("The local model server failed.");
    });
  };
  // Longer than any client keeps a connection, so that none is closed just as it is used again.
  const http = createServer({ keepAliveTimeout: 120_000 }, serve);
  // HTTP/2's compatible request and response have all that is used here, but types of their own.
  const http2 = createHttp2Server((request, response) =>
    serve(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  );
  const sockets = new Set<Socket>();
  const server = createSocketServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    chooseProtocol(socket, (isHttp2) => (isHttp2 ? http2 : http).emit("connection", socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * The AWS SDK's Bedrock Runtime client speaks HTTP/2, all others HTTP/1.1. Over TLS they would agree by ALPN; without
 * it the first bytes tell.
 */
function chooseProtocol(socket: Socket, choose: (isHttp2: boolean) => void): void {
  const preface = "PRI";
  const leave = () => socket.destroy();
  const look = () => {
    const start = socket.read(preface.length) as Buffer | null;
    if (start === null) {
      socket.once("readable", look);
      return;
    }
    const isHttp2 = start.toString("latin1") === preface;
    socket.off("error", leave);
    // The HTTP/1.1 server sees to a client's end itself; a session of HTTP/2 on this socket would outlive its client.
    if (!isHttp2) socket.off("end", leave);
    socket.unshift(start);
    choose(isHttp2);
  };
  socket.on("error", leave);
  socket.once("end", leave);
  look();
}

/** The whole body; "too large" above the limit, and "left" if the client went away in the middle of it. */
async function readBody(request: IncomingMessage): Promise<Buffer | "too large" | "left"> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= largestBody) chunks.push(chunk);
    }
  } catch (error) {
    if (request.destroyed) return "left";
    throw error;
  }
  return size > largestBody ? "too large" : Buffer.concat(chunks);
}

function parseJson(text: string): { body?: unknown; malformed: boolean } {
  if (!text) return { malformed: false };
  try {
    return { body: JSON.parse(text) as unknown, malformed: false };
  } catch {
    return { malformed: true };
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, control: Control, pace: Pace): Promise<void> {
  const method = request.method ?? "GET";
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const raw = await readBody(request);
  if (raw === "left") return;
  const text = raw === "too large" ? "" : raw.toString("utf8");
  if (url.pathname.startsWith("/__")) {
    const { status, body } = control.answer(method, url.pathname, parseJson(text).body);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
    return;
  }

  if (url.pathname === "/") {
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
    response.end(about);
    return;
  }

  const path = decodePath(url.pathname);
  const openAi = path[0] === "v1" || (path[0] === "compatible" && path[1] === "v1");
  const { body, malformed } = parseJson(text);
  const record = control.record(raw.length, {
    provider: openAi ? "openai" : "bedrock",
    operation: operationOf(path),
    method,
    path: `${url.pathname}${url.search}`,
    headers: recordedHeaders(request),
    ...(modelOf(path, body) !== undefined && { model: modelOf(path, body) as string }),
    ...(body !== undefined && { body }),
  });
  const call = new Call({ control, record, response, pace });
  if (raw === "too large" || malformed) {
    const message = malformed ? "The body of the request is not valid JSON." : "The request is too large.";
    const error = { message, type: "invalid_request_error", param: null, code: null };
    return call.json(
      malformed ? 400 : 413,
      openAi ? { error } : { message },
      openAi ? {} : { "x-amzn-errortype": malformed ? "SerializationException" : "RequestEntityTooLargeException" },
    );
  }
  if (openAi) {
    const route = openAiRoute(method, path);
    if (route) return answerOpenAi(call, { method, path, headers: request.headers, body }, route);
    const message = `Invalid URL (${method} ${url.pathname})`;
    return call.json(404, { error: { message, type: "invalid_request_error", param: null, code: null } });
  }
  const route = bedrockRoute(method, path);
  if (route)
    return answerBedrock(call, { method, path, query: url.searchParams, headers: request.headers, body }, route);
  call.json(404, { message: null }, { "x-amzn-errortype": "UnknownOperationException" });
}

function decodePath(pathname: string): string[] {
  return pathname
    .split("/")
    .slice(1)
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        return segment;
      }
    });
}

function operationOf(path: string[]): Operation | "unknown" {
  if (path.includes("count-tokens")) return "count";
  const [area] = path.slice(path[0] === "compatible" ? 2 : 1);
  if (path[0] === "model" || area === "chat" || area === "responses") return "answer";
  if (path[0] === "guardrail") return "guardrail";
  return ["foundation-models", "inference-profiles"].includes(path[0] ?? "") || area === "models" ? "list" : "unknown";
}

function modelOf(path: string[], body: unknown): string | undefined {
  if (path[0] === "model" || path[0] === "guardrail") return path[1];
  const parsed = z.object({ model: z.string() }).safeParse(body);
  return parsed.success ? parsed.data.model : undefined;
}

const secretHeaders = new Set(["authorization", "x-amz-security-token", "cookie", "x-api-key"]);

function recordedHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined) continue;
    const text = Array.isArray(value) ? value.join(", ") : value;
    headers[name] =
      name === "authorization" ? redactAuthorization(text) : secretHeaders.has(name) ? "[redacted]" : text;
  }
  return headers;
}
