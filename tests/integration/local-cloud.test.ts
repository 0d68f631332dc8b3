import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type AppServer, startAppServer } from "../../infra/local/app-server.ts";
import { type Cloud, startCloud } from "../../infra/local/cloud.ts";
import { freePort } from "../free-port.ts";

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sidenote-local-"));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
const waitUntilGone = (pids: number[]) => vi.waitUntil(() => !pids.some(isAlive), { timeout: 10_000 });

describe("One cloud with several app servers", () => {
  let cloud: Cloud;
  const servers: AppServer[] = [];
  const start = async (more: { port?: number; isolated?: boolean; development?: boolean } = {}): Promise<AppServer> => {
    const server = await startAppServer({ env: cloud.env, ...more });
    servers.push(server);
    return server;
  };

  beforeAll(async () => {
    cloud = await startCloud({ dataFolder: newFolder(), quiet: true });
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  afterAll(() => cloud.stop());

  test.each([false, true])(
    "The sign-in page comes with every header that protects it (isolated: %s)",
    async (isolated) => {
      const { url } = await start({ isolated });
      const response = await fetch(`${url}/sign-in`);
      const html = await response.text();
      expect(response.status).toBe(200);
      const policy = response.headers.get("content-security-policy") ?? "";
      const nonce = /script-src 'self' 'nonce-([\w+/=]{24})'/.exec(policy)?.[1];
      expect(html).toContain(`nonce="${nonce}"`);
      for (const part of [
        "default-src 'none'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
      ])
        expect(policy.split("; ")).toContain(part);
      expect(policy).not.toContain("unsafe-eval");
      expect(policy.replace("style-src-attr 'unsafe-inline'", "")).not.toContain("unsafe-inline");
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "cache-control": "private, no-store",
        "content-type": "text/html; charset=utf-8",
        "referrer-policy": "same-origin",
        "strict-transport-security": "max-age=63072000; includeSubDomains",
        "x-content-type-options": "nosniff",
      });
      expect(response.headers.get("permissions-policy")).toContain("camera=()");
      const other = (await fetch(`${url}/sign-in`)).headers.get("content-security-policy");
      expect(other).not.toContain(nonce);
    },
  );

  test("No inline script of the page lacks its nonce", async () => {
    const { url } = await start();
    const html = await (await fetch(`${url}/sign-in`)).text();
    const scripts = html.match(/<script\b[^>]*>/g) ?? [];
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) expect(script).toMatch(/ nonce="[\w+/=]+"/);
  });

  test("Redirects, errors and refusals carry the same headers as pages", async () => {
    const { url } = await start();
    const post = (body: string, headers: Record<string, string>): Promise<Response> =>
      fetch(`${url}/sign-in`, { method: "POST", body, headers, redirect: "manual" });
    const origin = url;
    const form = "application/x-www-form-urlencoded";
    const answers = {
      redirect: await fetch(`${url}/settings`, { redirect: "manual" }),
      missing: await fetch(`${url}/there-is-no-such-page`),
      foreign: await post("email=a", { origin: "http://evil.example", "content-type": form }),
      long: await post("a".repeat(512 * 1024 + 1), { origin, "content-type": form }),
      head: await fetch(`${url}/sign-in`, { method: "HEAD" }),
      data: await fetch(`${url}/sign-in.data`),
    };
    expect(Object.fromEntries(Object.entries(answers).map(([name, { status }]) => [name, status]))).toEqual({
      redirect: 302,
      missing: 404,
      foreign: 403,
      long: 413,
      head: 200,
      data: 200,
    });
    for (const { headers } of Object.values(answers)) {
      expect(headers.get("cache-control")).toBe("private, no-store");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
    expect(await answers.long.json()).toMatchObject({ error: { code: "too-large" } });
    expect(await answers.head.text()).toBe("");
  });

  test("A path that names another host stays here", async () => {
    const { url } = await start();
    for (const path of ["//evil.example", "//evil.example/..//", "/\\evil.example"]) {
      const response = await fetch(url + path, { redirect: "manual" });
      const to = response.headers.get("location");
      expect(new URL(to ?? "/", url).origin).toBe(url);
    }
  });

  test("An app server is killed and started again on its port, while the cloud and a second server stay", async () => {
    const first = await start();
    const second = await start();
    await first.kill();
    expect(isAlive(first.pid)).toBe(false);
    expect((await fetch(`${second.url}/sign-in`)).status).toBe(200);
    const again = await start({ port: Number(new URL(first.url).port) });
    expect(again.url).toBe(first.url);
    expect((await fetch(`${again.url}/sign-in`)).status).toBe(200);
  });

  test("In development the same handler serves the sources, and the browser may listen for changes", {
    timeout: 120_000,
  }, async () => {
    const { url } = await start({ development: true });
    const page = await fetch(`${url}/sign-in`);
    const html = await page.text();
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toContain("connect-src 'self' ws:");
    expect(page.headers.get("cache-control")).toBe("private, no-store");
    const entry = /"(\/app\/entry\.client\.tsx[^"]*)"/.exec(html)?.[1];
    const source = await fetch(url + entry);
    expect(source.headers.get("content-type")).toContain("javascript");
    expect(await source.text()).toContain("hydrateRoot");
    for (const host of ["127.0.0.1", "localhost"]) {
      const socket = new WebSocket(`ws://${host}:${new URL(url).port}/`, "vite-ping");
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = () => reject(new Error(`No socket at ${host}`));
      });
      socket.close();
    }
  });

  test("A port that is taken is named in the error", async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    await expect(start({ port })).rejects.toThrow(`Port ${port} is taken`);
  });

  test("A second cloud on the same data is refused, with the process that has it", async () => {
    const dataFolder = newFolder();
    const first = await startCloud({ dataFolder, quiet: true });
    await expect(startCloud({ dataFolder, quiet: true })).rejects.toThrow(String(first.pid));
    await first.stop();
  });

  test("A cloud that was killed comes back with the same pool, client, keys and table", async () => {
    const dataFolder = newFolder();
    const first = await startCloud({ dataFolder, quiet: true });
    process.kill(first.pid, "SIGKILL");
    await first.gone;
    const second = await startCloud({ dataFolder, quiet: true });
    for (const name of ["SST_RESOURCE_Backend", "SST_RESOURCE_SessionKeys"])
      expect(second.env[name]).toBe(first.env[name]);
    await second.stop();
  });
});

// The first start may have to build.
describe("npm start", { timeout: 240_000 }, () => {
  const running: Started[] = [];
  afterEach(async () => {
    for (const { child, ended } of running.splice(0)) {
      child.kill("SIGTERM");
      await ended;
    }
  });

  interface Started {
    child: ChildProcess;
    lines: string[];
    /** Resolves with the first line that fits. */
    line(pattern: RegExp): Promise<string>;
    ended: Promise<number | null>;
  }

  function npmStart(env: Record<string, string>): Started {
    const child = spawn(process.execPath, ["infra/local/bootstrap.mjs", "start"], {
      env: { ...process.env, SIDENOTE_DATA: newFolder(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, as a terminal gives it: Ctrl-C goes to the whole group.
      detached: true,
    });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => lines.push(line));
    const ended = once(child, "close").then(([code]) => code as number | null);
    const started: Started = {
      child,
      lines,
      ended,
      line: (pattern) =>
        vi.waitUntil(
          () => {
            const found = lines.find((line) => pattern.test(line));
            if (!found && child.exitCode !== null) throw new Error(`It ended:\n${lines.join("\n")}`);
            return found;
          },
          { timeout: 180_000 },
        ) as Promise<string>,
    };
    running.push(started);
    return started;
  }

  /** The process and all that it started, over all generations. */
  function family(pid: number): number[] {
    const parents = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
    const found = [pid];
    for (const member of found)
      found.push(...parents.filter(([, parent]) => parent === member).map(([child]) => child));
    return found;
  }

  test("serves the app where it says, and Ctrl-C ends all that it started", async () => {
    const port = await freePort();
    const { child, line, ended } = npmStart({ PORT: String(port) });
    expect(await line(/is ready/)).toContain(`http://localhost:${port}`);
    expect((await fetch(`http://localhost:${port}/sign-in`)).status).toBe(200);
    const pids = family(child.pid ?? 0);
    expect(pids.length).toBeGreaterThanOrEqual(4);
    process.kill(-(child.pid ?? 0), "SIGINT");
    expect(await ended).toBe(0);
    await waitUntilGone(pids);
  });

  test("neither installs nor builds anything that is there already", async () => {
    const { line, lines } = npmStart({ PORT: String(await freePort()) });
    await line(/is ready/);
    expect(lines.filter((said) => /Installing|Building/.test(said))).toEqual([]);
  });

  test("shows on the first start how to sign in, and that works", async () => {
    const port = await freePort();
    const { line } = npmStart({ PORT: String(port) });
    const [, email = "", password = ""] =
      /Sign in as (\S+) with the password (\S+),/.exec(await line(/^Sign in as/)) ?? [];
    const url = `http://localhost:${port}`;
    await line(/is ready/);
    const signedIn = await fetch(`${url}/sign-in`, {
      method: "POST",
      redirect: "manual",
      headers: { origin: url, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ email, password }),
    });
    expect(signedIn.status).toBe(302);
    const cookie = signedIn.headers.getSetCookie().map((set) => set.split(";")[0]);
    const page = await fetch(`${url}/notes`, { headers: { cookie: cookie.join("; ") } });
    const html = await page.text();
    for (const title of ["Bread that works here", "Second talk with Noor"]) expect(html).toContain(title);
  });

  test("leaves nothing behind when it is killed without a word", async () => {
    const { child, line } = npmStart({ PORT: String(await freePort()) });
    await line(/is ready/);
    const pids = family(child.pid ?? 0);
    child.kill("SIGKILL");
    await waitUntilGone(pids);
  });

  test("starts the app server again when it dies", async () => {
    const port = await freePort();
    const { child, line } = npmStart({ PORT: String(port) });
    await line(/is ready/);
    const server = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
      .split("\n")
      .map((row) => /^\s*(\d+) .*app-server-process/.exec(row)?.[1])
      .map(Number)
      .find((pid) => family(child.pid ?? 0).includes(pid));
    process.kill(server ?? 0, "SIGKILL");
    await line(/started again/);
    await vi.waitUntil(async () => (await fetch(`http://localhost:${port}/sign-in`).catch(() => undefined))?.ok, {
      timeout: 10_000,
      interval: 100,
    });
  });

  test("says that the port is taken, and stops", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { ended, lines } = npmStart({ PORT: String(port) });
    expect(await ended).toBe(1);
    expect(lines.at(-1)).toBe(`Port ${port} is taken. Choose another one: PORT=${port + 1}`);
    server.close();
  });
});
