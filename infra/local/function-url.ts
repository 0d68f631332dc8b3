/**
 * A stand-in for CloudFront and a Lambda function URL: HTTP requests become the function's events, its answer
 * goes out chunk by chunk with back-pressure. It never aborts: when a client goes away the function runs on, what
 * it writes is drained, and nothing tells it, just as on Lambda.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createNetServer, type Server as NetServer } from "node:net";
import type { LambdaFunctionURLEvent } from "aws-lambda";
import type { Assets } from "./assets.ts";
import type { Answer, Head, Runtime } from "./lambda-runtime.ts";

/** A function URL takes no more than this. */
const maxBodyBytes = 6 * 1024 * 1024;

export interface FunctionUrlOptions {
  runtime: Runtime;
  /** 0 takes a free one. */
  port: number;
  deadlineMs: number;
  assets?: Assets;
  /** Sees each request first, as Vite does in development; calls `next` for those that are not its own. */
  middleware?: (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;
  /** A server to use instead of a new one. */
  server?: Server;
}

export interface FunctionUrl {
  url: string;
  port: number;
  /** Takes no more requests, gives those that run `patienceMs` to end, then cuts them. */
  stop(patienceMs: number): Promise<void>;
}

/** The whole body, as a function gets it; undefined when it is too long. Throws when the client leaves first. */
function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else resolve(undefined);
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new Error("The client left in the middle of its request")));
  });
}

/** Function URLs hand these over as text, all others in base64. */
const isText = (type: string): boolean => /^(text\/|application\/(json|xml|javascript))/i.test(type);

function toEvent(request: IncomingMessage, body: Buffer, requestId: string): LambdaFunctionURLEvent {
  const target = request.url ?? "/";
  const question = target.indexOf("?");
  const rawPath = question < 0 ? target : target.slice(0, question);
  const rawQueryString = question < 0 ? "" : target.slice(question + 1);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && name !== "cookie") headers[name] = Array.isArray(value) ? value.join(",") : value;
  const host = request.headers.host ?? "localhost";
  const { remoteAddress = "127.0.0.1", remotePort = 0 } = request.socket;
  const sourceIp = remoteAddress.replace(/^::ffff:/, "");
  // What CloudFront and the router's function set, whatever the client said.
  headers["x-forwarded-host"] = host;
  headers["x-forwarded-proto"] = "http";
  headers["x-forwarded-for"] = sourceIp;
  headers["cloudfront-viewer-address"] = `${sourceIp}:${remotePort}`;
  const text = isText(headers["content-type"] ?? "");
  const now = new Date();
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString,
    ...(request.headers.cookie ? { cookies: request.headers.cookie.split(/;\s*/) } : {}),
    headers,
    requestContext: {
      accountId: "anonymous",
      apiId: "local",
      domainName: host,
      domainPrefix: "local",
      http: {
        method: request.method ?? "GET",
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp,
        userAgent: headers["user-agent"] ?? "",
      },
      requestId,
      routeKey: "$default",
      stage: "$default",
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 ? { body: body.toString(text ? "utf8" : "base64") } : {}),
    isBase64Encoded: body.length > 0 && !text,
  };
}

function httpAnswer(response: ServerResponse): Answer {
  let over = false;
  const isGone = (): boolean => over || response.destroyed || response.socket === null || response.socket.destroyed;
  return {
    start({ statusCode = 200, headers = {}, cookies = [] }: Head) {
      if (isGone() || response.headersSent) return;
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      if (cookies.length > 0) response.setHeader("set-cookie", cookies);
      response.writeHead(statusCode);
      response.flushHeaders();
    },
    write(chunk) {
      if (isGone() || response.write(chunk)) return Promise.resolve();
      return new Promise((resolve) => {
        const go = (): void => {
          response.off("drain", go);
          response.off("close", go);
          resolve();
        };
        response.on("drain", go);
        response.on("close", go);
      });
    },
    end() {
      if (!isGone()) response.end();
      over = true;
    },
    fail() {
      if (!isGone()) {
        if (response.headersSent) response.destroy();
        else response.writeHead(502, { "Content-Type": "application/json" }).end('{"Message":"Internal Server Error"}');
      }
      over = true;
    },
  };
}

/** Listens on 127.0.0.1, and on ::1 where that is: a browser may try either for `localhost`. */
async function listen(server: Server, twin: NetServer, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const taken = (server.address() as AddressInfo).port;
  twin.listen(taken, "::1");
  try {
    await once(twin, "listening");
  } catch (error) {
    // A machine without IPv6 has no such address. A stranger on the port that was asked for would get our visitors.
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE" && port !== 0) throw error;
  }
  return taken;
}

/** Serves the function over HTTP. Throws EADDRINUSE when the port is taken. */
export async function serveFunctionUrl(options: FunctionUrlOptions): Promise<FunctionUrl> {
  const { runtime, assets, middleware, server = createServer() } = options;
  let open = 0;
  let idle: (() => void) | undefined;

  async function invoke(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (status: number): void => {
      response.writeHead(status, { Connection: "close" }).end();
    };
    if (!request.url?.startsWith("/")) return refuse(400);
    const body = await readBody(request);
    if (!body) return refuse(413);
    const requestId = randomUUID();
    const event = toEvent(request, body, requestId);
    await runtime.invoke({ event, requestId, deadline: Date.now() + options.deadlineMs }, httpAnswer(response));
  }

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const go = (error?: unknown): void => {
      if (error) {
        console.error(error);
        response.writeHead(500).end();
        return;
      }
      if (assets?.serve(request, response)) return;
      open += 1;
      invoke(request, response)
        // Only the reading of a request can fail here: its client is gone.
        .catch(() => response.destroy())
        .finally(() => {
          open -= 1;
          if (open === 0) idle?.();
        });
    };
    if (middleware) middleware(request, response, go);
    else go();
  };
  server.on("request", handle);
  server.keepAliveTimeout = 75_000;
  // The other address leads to the same server, sockets for hot reload included.
  const twin = createNetServer((socket) => server.emit("connection", socket));
  const port = await listen(server, twin, options.port);

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop(patienceMs) {
      server.close();
      twin.close();
      server.closeIdleConnections();
      if (open > 0)
        await new Promise<void>((resolve) => {
          idle = resolve;
          setTimeout(resolve, patienceMs);
        });
      server.closeAllConnections();
      await runtime.stop();
    },
  };
}
