import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import type { LambdaFunctionURLEvent } from "aws-lambda";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type FunctionUrl, serveFunctionUrl } from "./function-url.ts";
import { isolatedRuntime } from "./isolated-runtime.ts";
import { installLambdaGlobals, type StreamingHandler, sharedRuntime } from "./lambda-runtime.ts";

installLambdaGlobals();

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function serve(handler: StreamingHandler): Promise<FunctionUrl> {
  const served = await serveFunctionUrl({ runtime: sharedRuntime(async () => handler), port: 0, deadlineMs: 60_000 });
  stops.push(() => served.stop(0));
  return served;
}

const open = (stream: Writable, head: Record<string, unknown> = {}): Writable =>
  awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { "content-type": "text/plain" }, ...head });

/** A promise and how to settle it: tests say when, instead of waiting for some time. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

const echo: StreamingHandler = (event, stream) => {
  const out = open(stream, { headers: { "content-type": "application/json" } });
  out.end(JSON.stringify(event));
};

async function echoed(url: string, init?: RequestInit): Promise<LambdaFunctionURLEvent> {
  return (await (await fetch(url, init)).json()) as LambdaFunctionURLEvent;
}

describe("The stand-in for the function URL", () => {
  test("hands over each chunk as it is written", async () => {
    const next = gate();
    const { url } = await serve(async (_event, stream) => {
      const out = open(stream);
      out.write("one");
      await next.opened;
      out.end("two");
    });
    const reader = (await fetch(url)).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("one");
    next.open();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("two");
    expect((await reader?.read())?.done).toBe(true);
  });

  test("lets a function wait while its reader is behind", async () => {
    const chunk = Buffer.alloc(256 * 1024);
    const chunks = 200;
    let written = 0;
    const { port } = await serve(async (_event, stream) => {
      const out = open(stream);
      for (; written < chunks; written += 1) if (!out.write(chunk)) await once(out, "drain");
      out.end();
    });
    const [response] = await once(get({ port, host: "127.0.0.1" }), "response");
    // Nothing is read until the buffers between the two are full and the function stands still.
    let before = -1;
    await vi.waitUntil(
      () => {
        const stands = written === before;
        before = written;
        return stands;
      },
      { interval: 200, timeout: 10_000 },
    );
    expect(written).toBeLessThan(chunks);
    let received = 0;
    for await (const part of response) received += part.length;
    expect(received).toBe(chunks * chunk.length);
  });

  test("lets the function go on when the client leaves", async () => {
    const left = gate();
    const done = gate();
    let wrote = 0;
    const { url } = await serve(async (_event, stream) => {
      const out = open(stream);
      out.write("one");
      await left.opened;
      for (; wrote < 100; wrote += 1) if (!out.write(Buffer.alloc(64 * 1024))) await once(out, "drain");
      out.end();
      await once(out, "finish");
      done.open();
    });
    const client = new AbortController();
    const reader = (await fetch(url, { signal: client.signal })).body?.getReader();
    await reader?.read();
    client.abort();
    left.open();
    await done.opened;
    expect(wrote).toBe(100);
  });

  test("makes events as a function URL does", async () => {
    const { url, port } = await serve(echo);
    const event = await echoed(`${url}//odd/p%20th?a=1&a=2`, {
      method: "POST",
      headers: { cookie: "a=1; b=2", "x-odd": "Yes", "content-type": "application/json" },
      body: '{"ü":1}',
    });
    expect(event.version).toBe("2.0");
    expect(event.rawPath).toBe("//odd/p%20th");
    expect(event.rawQueryString).toBe("a=1&a=2");
    expect(event.cookies).toEqual(["a=1", "b=2"]);
    expect(event.headers).not.toHaveProperty("cookie");
    expect(event.headers["x-odd"]).toBe("Yes");
    expect(event.headers.host).toBe(`127.0.0.1:${port}`);
    expect(event.requestContext.http.method).toBe("POST");
    expect(event.body).toBe('{"ü":1}');
    expect(event.isBase64Encoded).toBe(false);
  });

  test("hands over forms and bytes in base64", async () => {
    const { url } = await serve(echo);
    const event = await echoed(url, { method: "POST", body: new Uint8Array([0, 255, 1]) });
    expect(event.isBase64Encoded).toBe(true);
    expect(Buffer.from(event.body ?? "", "base64")).toEqual(Buffer.from([0, 255, 1]));
  });

  test("says itself where the client is, whatever the client says", async () => {
    const { url, port } = await serve(echo);
    const { headers } = await echoed(url, {
      headers: {
        "cloudfront-viewer-address": "203.0.113.9:1",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "https",
      },
    });
    expect(headers["cloudfront-viewer-address"]).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(headers["x-forwarded-for"]).toBe("127.0.0.1");
    expect(headers["x-forwarded-host"]).toBe(`127.0.0.1:${port}`);
    expect(headers["x-forwarded-proto"]).toBe("http");
  });

  test("passes status, headers and every cookie on", async () => {
    const { url } = await serve((_event, stream) => {
      open(stream, { statusCode: 302, headers: { location: "/x" }, cookies: ["a=1; Path=/", "b=2; Path=/"] }).write("");
      stream.end();
    });
    const response = await fetch(url, { redirect: "manual" });
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toBe("/x");
    expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2; Path=/"]);
    expect(await response.text()).toBe("");
  });

  test("answers 502 for a function that ends without a write, as its head was never sent", async () => {
    const { url } = await serve((_event, stream) => {
      open(stream, { statusCode: 204 }).end();
    });
    expect((await fetch(url)).status).toBe(502);
  });

  test("answers 502 for a function that throws, and cuts one that throws in the middle", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const before = await serve(() => {
      throw new Error("broken before the head");
    });
    expect((await fetch(before.url)).status).toBe(502);
    const midway = await serve(async (_event, stream) => {
      await new Promise((resolve) => open(stream).write("one", resolve));
      throw new Error("broken midway");
    });
    const response = await fetch(midway.url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(logged).toHaveBeenCalledTimes(2);
    logged.mockRestore();
  });

  test("refuses a body over 6 MB and a target that is no path", async () => {
    const { url, port } = await serve(echo);
    const long = httpRequest({ port, host: "127.0.0.1", method: "POST" });
    long.on("error", () => undefined);
    long.end(Buffer.alloc(6 * 1024 * 1024 + 1));
    const [tooLong] = await once(long, "response");
    expect(tooLong.statusCode).toBe(413);
    const odd = get({ port, host: "127.0.0.1", path: "http://evil.example/" });
    const [noPath] = await once(odd, "response");
    expect(noPath.statusCode).toBe(400);
    expect((await fetch(url, { method: "POST", body: Buffer.alloc(5 * 1024 * 1024) })).status).toBe(200);
  });
});

describe("The isolated runtime", { timeout: 30_000 }, () => {
  const source = `
    let ticks = 0;
    export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
      const out = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { "content-type": "text/plain" } });
      out.write(process.pid + "\\n");
      if (event.rawPath === "/hang") await new Promise(() => setInterval(() => {}, 1000));
      if (event.rawPath === "/hold") await new Promise((resolve) => globalThis.setTimeout(resolve, 300));
      out.end(String(Math.round(context.getRemainingTimeInMillis() / 1000)));
    });`;

  async function serveIsolated(deadlineMs: number): Promise<FunctionUrl> {
    const folder = mkdtempSync(join(tmpdir(), "sidenote-function-"));
    const file = join(folder, "index.mjs");
    writeFileSync(file, source);
    const env = { PATH: process.env.PATH ?? "" };
    const runtime = isolatedRuntime({ bundle: pathToFileURL(file).href, env, deadlineMs });
    const served = await serveFunctionUrl({ runtime, port: 0, deadlineMs });
    stops.push(async () => {
      await served.stop(0);
      rmSync(folder, { recursive: true });
    });
    return served;
  }

  /** What the system says of a process: S asleep, T stopped; empty when it is gone. */
  function stateOf(pid: string): string {
    try {
      return execFileSync("ps", ["-o", "stat=", "-p", pid], { encoding: "utf8" }).trim();
    } catch {
      return "";
    }
  }

  const waitUntil = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 10_000 });

  async function ask(url: string): Promise<{ pid: string; seconds: number }> {
    const [pid = "", seconds] = (await (await fetch(url)).text()).split("\n");
    return { pid, seconds: Number(seconds) };
  }

  test("gives each invocation a process to itself, and the next one a process that was used before", async () => {
    const { url } = await serveIsolated(30_000);
    const [one, two] = await Promise.all([ask(`${url}/hold`), ask(`${url}/hold`)]);
    expect(one.pid).not.toBe(two.pid);
    const third = await ask(url);
    expect([one.pid, two.pid]).toContain(third.pid);
    expect(third.seconds).toBe(30);
  });

  test("stands still from the end of an invocation to the next one", async () => {
    const { url } = await serveIsolated(30_000);
    const { pid } = await ask(url);
    await waitUntil(() => stateOf(pid).startsWith("T"));
    expect((await ask(url)).pid).toBe(pid);
    await waitUntil(() => stateOf(pid).startsWith("T"));
  });

  test("kills at the deadline, which the client sees as a cut", async () => {
    const { url } = await serveIsolated(2_000);
    const response = await fetch(`${url}/hang`);
    expect(response.status).toBe(200);
    const reader = response.body?.getReader();
    const pid = Buffer.from((await reader?.read())?.value ?? [])
      .toString()
      .trim();
    expect(stateOf(pid)).not.toBe("");
    await expect(reader?.read()).rejects.toThrow();
    await waitUntil(() => stateOf(pid) === "");
  });

  test("leaves no process behind when it is stopped", async () => {
    const served = await serveIsolated(30_000);
    const { pid } = await ask(served.url);
    await served.stop(0);
    await waitUntil(() => stateOf(pid) === "");
  });
});
