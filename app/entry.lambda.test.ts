import type { Writable } from "node:stream";
import type { LambdaFunctionURLEvent } from "aws-lambda";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Answer, type Head, installLambdaGlobals, runHandler } from "../infra/local/lambda-runtime.ts";
import { currentInvocation } from "./invocation.server";

const remix = vi.hoisted(() => vi.fn<(request: Request, context: { nonce: string }) => Promise<Response>>());
vi.mock("virtual:remix/server-build", () => ({}));
vi.mock("@remix-run/node", () => ({ createRequestHandler: () => remix }));
vi.mock("~/config.server", () => ({ config: { stage: "local" } }));

installLambdaGlobals();
const { handler } = (await import("./entry.lambda")) as unknown as {
  handler: (event: LambdaFunctionURLEvent, stream: Writable) => Promise<void>;
};

interface Taken {
  head: Head;
  header(name: string): string | undefined;
  body: string;
  failed: boolean;
}

function event(change: {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  cookies?: string[];
  body?: string;
  isBase64Encoded?: boolean;
}): LambdaFunctionURLEvent {
  const { method = "GET", path = "/", headers, cookies, body, isBase64Encoded = false } = change;
  const [rawPath = "", rawQueryString = ""] = path.split("?");
  return {
    rawPath,
    rawQueryString,
    headers: { host: "localhost:3000", "x-forwarded-proto": "http", ...headers },
    requestContext: { http: { method } },
    isBase64Encoded,
    ...(cookies && { cookies }),
    ...(body !== undefined && { body }),
  } as unknown as LambdaFunctionURLEvent;
}

async function invoke(input: LambdaFunctionURLEvent, takeSlowly?: () => Promise<void>): Promise<Taken> {
  let head: Head = {};
  const chunks: Uint8Array[] = [];
  let failed = false;
  const answer: Answer = {
    start: (sent) => {
      head = sent;
    },
    async write(chunk) {
      chunks.push(chunk);
      await takeSlowly?.();
    },
    end: () => undefined,
    fail: () => {
      failed = true;
    },
  };
  await runHandler(handler, { event: input, requestId: "request-1", deadline: Date.now() + 30_000 }, answer);
  return {
    head,
    header: (name) => head.headers?.[name],
    body: Buffer.concat(chunks).toString(),
    failed,
  };
}

const origin = { origin: "http://localhost:3000" };
const lastRequest = (): Request => remix.mock.lastCall?.[0] as Request;

beforeEach(() => {
  remix.mockReset();
  remix.mockImplementation(async () => new Response("ok"));
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("A request reaches the app whole: address, method, headers, cookies, body", async () => {
  await invoke(
    event({
      method: "POST",
      path: "/notes/1?a=1&b=%20",
      headers: { ...origin, "content-type": "text/plain", "x-odd": "yes" },
      cookies: ["a=1", "b=2"],
      body: Buffer.from("bödy").toString("base64"),
      isBase64Encoded: true,
    }),
  );
  const request = lastRequest();
  expect(request.url).toBe("http://localhost:3000/notes/1?a=1&b=%20");
  expect(request.method).toBe("POST");
  expect(request.headers.get("cookie")).toBe("a=1; b=2");
  expect(request.headers.get("x-odd")).toBe("yes");
  expect(await request.text()).toBe("bödy");
});

test("The host is the one that the router names, and the app sees only that one", async () => {
  await invoke(event({ headers: { host: "function.lambda-url.on.aws", "x-forwarded-host": "notes.example.org" } }));
  expect(new URL(lastRequest().url).host).toBe("notes.example.org");
  expect(lastRequest().headers.get("host")).toBe("notes.example.org");
  expect(lastRequest().headers.has("x-forwarded-host")).toBe(false);
});

test("A path that begins with two slashes names no other host", async () => {
  await invoke(event({ path: "//evil.example/x" }));
  expect(lastRequest().url).toBe("http://localhost:3000//evil.example/x");
});

test("A request that none can be made of is a 400", async () => {
  const answer = await invoke(event({ headers: { host: "no host at all" } }));
  expect(answer.head.statusCode).toBe(400);
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "bad-request" } });
  expect(remix).not.toHaveBeenCalled();
});

test("A body of 512 KB is taken, one byte more is a 413 before anything reads it", async () => {
  const post = (length: number) =>
    invoke(event({ method: "POST", headers: origin, body: "a".repeat(length), isBase64Encoded: false }));
  expect((await post(512 * 1024)).head.statusCode).toBe(200);
  remix.mockClear();
  const long = await post(512 * 1024 + 1);
  expect(long.head.statusCode).toBe(413);
  expect(remix).not.toHaveBeenCalled();
});

test("A form of another site is refused before the app sees it", async () => {
  const foreign: Record<string, string>[] = [{ origin: "http://evil.example" }, { origin: "null" }, {}];
  for (const headers of foreign) {
    const answer = await invoke(event({ method: "POST", headers, body: "a=1" }));
    expect(answer.head.statusCode).toBe(403);
  }
  expect(remix).not.toHaveBeenCalled();
});

test("Answers say private and no-store, whatever a route said that is less", async () => {
  const cached = async (value?: string): Promise<string | undefined> => {
    remix.mockResolvedValueOnce(new Response("ok", value ? { headers: { "Cache-Control": value } } : {}));
    return (await invoke(event({}))).header("cache-control");
  };
  expect(await cached()).toBe("private, no-store");
  expect(await cached("public, max-age=31536000, immutable")).toBe("private, no-store");
  expect(await cached("no-store")).toBe("private, no-store");
  expect(await cached("private, no-store, no-transform")).toBe("private, no-store, no-transform");
});

test("The page is rendered with the very nonce that the policy allows", async () => {
  const answer = await invoke(event({}));
  const nonce = remix.mock.lastCall?.[1].nonce ?? "";
  expect(nonce).toMatch(/^[\w+/]{22}==$/);
  expect(answer.header("content-security-policy")).toContain(`'nonce-${nonce}'`);
});

test("Answers without a body arrive: redirects with each cookie, 204, 304, HEAD", async () => {
  const headers = new Headers({ Location: "/notes" });
  headers.append("Set-Cookie", "a=1; Path=/");
  headers.append("Set-Cookie", "b=2; Path=/");
  remix.mockResolvedValueOnce(new Response(null, { status: 302, headers }));
  const redirect = await invoke(event({ method: "POST", headers: origin, body: "a=1" }));
  expect(redirect.head).toMatchObject({ statusCode: 302, cookies: ["a=1; Path=/", "b=2; Path=/"] });
  expect(redirect.header("location")).toBe("/notes");
  expect(redirect.header("set-cookie")).toBeUndefined();
  for (const status of [204, 304]) {
    remix.mockResolvedValueOnce(new Response(null, { status }));
    const { head, body, failed } = await invoke(event({}));
    expect([head.statusCode, body, failed]).toEqual([status, "", false]);
  }
  remix.mockResolvedValueOnce(new Response(null));
  expect((await invoke(event({ method: "HEAD" }))).head.statusCode).toBe(200);
});

const stream = (chunks: string[], end: (controller: ReadableStreamDefaultController) => void) => {
  const rest = chunks.map((chunk) => new TextEncoder().encode(chunk));
  return new ReadableStream({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk) controller.enqueue(chunk);
      else end(controller);
    },
  });
};

test("A stream of events that breaks says so, without a word of why", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const body = stream(['data: "one"\n\n'], (controller) => controller.error(new Error("secret reason")));
  remix.mockResolvedValueOnce(new Response(body, { headers: { "Content-Type": "text/event-stream" } }));
  const answer = await invoke(event({}));
  const [first, last] = answer.body.split("\n\n");
  expect(first).toBe('data: "one"');
  expect(last).toMatch(/^event: error\ndata: \{"code":"internal"/);
  expect(answer.body).not.toContain("secret reason");
  expect(answer.failed).toBe(false);
  expect(logged).toHaveBeenCalledOnce();
});

test("A body is read no faster than it is taken", async () => {
  const chunk = "a".repeat(64 * 1024);
  let read = 0;
  let taken = 0;
  let ahead = 0;
  const body = new ReadableStream(
    {
      pull(controller) {
        read += 1;
        ahead = Math.max(ahead, read - taken);
        if (read > 50) controller.close();
        else controller.enqueue(new TextEncoder().encode(chunk));
      },
    },
    { highWaterMark: 0 },
  );
  remix.mockResolvedValueOnce(new Response(body));
  const answer = await invoke(event({}), async () => {
    await new Promise((resolve) => setImmediate(resolve));
    taken += 1;
  });
  expect(answer.body.length).toBe(50 * chunk.length);
  expect(ahead).toBeLessThan(5);
});

test("What was handed over to wait for is awaited before the invocation ends, even if it hands over more", async () => {
  const done: string[] = [];
  const later = (name: string): Promise<void> =>
    new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      done.push(name);
    });
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  remix.mockImplementationOnce(async () => {
    const { waitUntil } = currentInvocation();
    waitUntil(later("first").then(() => waitUntil(later("second"))));
    waitUntil(Promise.reject(new Error("broken work")));
    return new Response("ok");
  });
  expect((await invoke(event({}))).body).toBe("ok");
  expect(done).toEqual(["first", "second"]);
  expect(logged).toHaveBeenCalledOnce();
});

test("The app knows the platform's request id and when it will be killed", async () => {
  let seen: ReturnType<typeof currentInvocation> | undefined;
  remix.mockImplementationOnce(async () => {
    seen = currentInvocation();
    return new Response("ok");
  });
  await invoke(event({}));
  expect(seen?.requestId).toBe("request-1");
  expect((seen?.deadline ?? 0) - Date.now()).toBeGreaterThan(29_000);
  expect((seen?.deadline ?? 0) - Date.now()).toBeLessThanOrEqual(30_000);
});

test("A bug is a 500 of ours that tells nothing, and one line in the log", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  remix.mockRejectedValueOnce(new Error("table arn:aws:dynamodb:us-east-1:1:table/x is gone"));
  const thrown = await invoke(event({}));
  remix.mockResolvedValueOnce(new Response("Unexpected Server Error\n\nError: arn:aws:...", { status: 500 }));
  const uncaught = await invoke(event({}));
  for (const { head, body } of [thrown, uncaught]) {
    expect(head.statusCode).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ error: { code: "internal" } });
    expect(body).not.toContain("arn:");
  }
  expect(logged).toHaveBeenCalledOnce();
  const [line] = logged.mock.calls[0] as [string];
  expect(line).not.toContain("\n");
  expect(JSON.parse(line)).toMatchObject({ level: "ERROR", requestId: "request-1" });
});
