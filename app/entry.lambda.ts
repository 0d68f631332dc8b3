/**
 * The server, as Lambda runs it: one event of a function URL in, one streamed answer out. Around every request
 * stand the check of its origin, the limit of its body, the headers that every answer carries, and the wait for
 * the work that outlives the answer: Lambda freezes the function when the invocation ends. A client that goes away
 * stops nothing here, since Lambda tells no function. Bodies go out with back-pressure; a stream of events that
 * breaks says so in its own words. Nothing is thrown out of here.
 */
import { randomBytes } from "node:crypto";
import type { Writable } from "node:stream";
import * as build from "virtual:remix/server-build";
import { createRequestHandler } from "@remix-run/node";
import type { Context, LambdaFunctionURLEvent } from "aws-lambda";
import { probeGuardrail } from "~/ai/guardrail.server";
import { checkOrigin } from "~/auth/origin.server";
import { config } from "~/config.server";
import { PublicError } from "~/errors";
import { logError } from "~/http.server";
import { type Invocation, runInvocation } from "~/invocation.server";

const maxBodyBytes = 512 * 1024;
const isDevelopment = import.meta.env.DEV;

const handleRequest = createRequestHandler(build);

/** Hot reload needs a socket, and styles that Vite puts into the page by itself. */
const contentPolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    isDevelopment ? "style-src 'self' 'unsafe-inline'" : `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    isDevelopment ? "connect-src 'self' ws:" : "connect-src 'self'",
    "manifest-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
  ].join("; ");

const fixedHeaders = {
  "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  // Never no-referrer: under it Chromium posts plain forms with `Origin: null`, which the origin check refuses.
  "Referrer-Policy": "same-origin",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** The same answer with the headers that every one carries. CloudFront's key has no cookies: nothing is kept. */
function withHeaders(response: Response, nonce: string): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(fixedHeaders)) headers.set(name, value);
  headers.set("Content-Security-Policy", contentPolicy(nonce));
  const caching = headers.get("Cache-Control") ?? "";
  if (!(/\bprivate\b/.test(caching) && /\bno-store\b/.test(caching))) headers.set("Cache-Control", "private, no-store");
  return new Response(response.body, { status: response.status, headers });
}

/** The event as a Request. Throws `bad-request` for one that none can be made of, `too-large` for a long body. */
function toRequest(event: LambdaFunctionURLEvent): Request {
  const body =
    event.body === undefined ? undefined : Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
  if (body && body.length > maxBodyBytes) throw new PublicError("too-large");
  const { method } = event.requestContext.http;
  try {
    const headers = new Headers();
    for (const [name, value] of Object.entries(event.headers)) if (value !== undefined) headers.set(name, value);
    if (event.cookies) headers.set("cookie", event.cookies.join("; "));
    // The router's function sets the viewer's host, whatever the client said; further in there is only one host.
    const host = headers.get("x-forwarded-host") ?? headers.get("host");
    const origin = config.origin ?? `${headers.get("x-forwarded-proto") ?? "http"}://${host}`;
    // Joined as text: a path that begins with two slashes must not name another host.
    const url = new URL(
      new URL(origin).origin + event.rawPath + (event.rawQueryString ? `?${event.rawQueryString}` : ""),
    );
    headers.set("host", url.host);
    headers.delete("x-forwarded-host");
    return new Request(url, { method, headers, body: method === "GET" || method === "HEAD" ? undefined : body });
  } catch (error) {
    throw new PublicError("bad-request", { cause: error });
  }
}

/** Remix answers what no route caught in plain words of its own; here every such answer is one of the table. */
const isUncaught = (response: Response): boolean =>
  response.status === 500 && !/json|html|x-script|event-stream/.test(response.headers.get("Content-Type") ?? "");

async function answer(event: LambdaFunctionURLEvent): Promise<Response> {
  const nonce = randomBytes(16).toString("base64");
  try {
    const request = toRequest(event);
    const refusal = checkOrigin(request);
    if (refusal) return withHeaders(refusal, nonce);
    const response = await handleRequest(request, { nonce });
    return withHeaders(isUncaught(response) ? new PublicError("internal").toResponse() : response, nonce);
  } catch (error) {
    if (error instanceof PublicError) return withHeaders(error.toResponse(), nonce);
    logError(error, "entry");
    return withHeaders(new PublicError("internal").toResponse(), nonce);
  }
}

/** Writes, and waits while the reader is behind. False when nobody takes it any more. */
function write(stream: Writable, chunk: Uint8Array | string): Promise<boolean> {
  if (stream.destroyed) return Promise.resolve(false);
  if (stream.write(chunk)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off("drain", settle);
      stream.off("close", settle);
      resolve(!stream.destroyed);
    };
    stream.on("drain", settle);
    stream.on("close", settle);
  });
}

async function send(response: Response, bare: Writable): Promise<void> {
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) if (name !== "set-cookie") headers[name] = value;
  const head = { statusCode: response.status, headers, cookies: response.headers.getSetCookie() };
  const stream = awslambda.HttpResponseStream.from(bare, head);
  // The head goes out with the first write, so an answer without a body needs an empty one.
  await write(stream, "");
  const reader = response.body?.getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
      if (!(await write(stream, next.value))) await reader?.cancel();
  } catch (error) {
    logError(error, "body");
    const { code, message } = new PublicError("internal");
    if (headers["content-type"]?.startsWith("text/event-stream"))
      await write(stream, `event: error\ndata: ${JSON.stringify({ code, message })}\n\n`);
  }
  stream.end();
}

async function serve(event: LambdaFunctionURLEvent, stream: Writable, context: Context): Promise<void> {
  const work = new Set<Promise<unknown>>();
  const invocation: Invocation = {
    requestId: context.awsRequestId,
    deadline: Date.now() + context.getRemainingTimeInMillis(),
    waitUntil(promise) {
      const settled = promise
        .catch((error: unknown) => logError(error, "work after the answer"))
        .finally(() => work.delete(settled));
      work.add(settled);
    },
  };
  await runInvocation(invocation, async () => {
    // Beside the first answer of this process; nobody waits for it.
    const probe = probeGuardrail();
    if (probe) invocation.waitUntil(probe);
    try {
      await send(await answer(event), stream);
    } catch (error) {
      logError(error, "answer");
      stream.end();
    }
    // What is awaited here may itself hand over more.
    while (work.size > 0) await Promise.all(work);
  });
}

/** What Lambda calls. */
export const handler = awslambda.streamifyResponse(serve);
