import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readAssets } from "./assets.ts";

const script = "export const answer = 42;\n".repeat(50);
let folder: string;
let server: Server;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sidenote-assets-"));
  const client = join(folder, "client");
  mkdirSync(join(client, "assets"), { recursive: true });
  writeFileSync(join(client, "assets", "entry-abc123.js"), script);
  writeFileSync(join(client, "favicon.svg"), "<svg/>");
  writeFileSync(join(folder, "secret.txt"), "secret");
  const assets = readAssets(client);
  server = createServer((request, response) => {
    if (!assets.serve(request, response)) response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

test("Hashed files are kept for ever, others are asked for again", async () => {
  const hashed = await fetch(`${url}/assets/entry-abc123.js`);
  expect(hashed.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  expect(hashed.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect(hashed.headers.get("x-content-type-options")).toBe("nosniff");
  expect(await hashed.text()).toBe(script);
  const other = await fetch(`${url}/favicon.svg`);
  expect(other.headers.get("cache-control")).toBe("public, max-age=0, must-revalidate");
});

test("A file that the browser has already is not sent again", async () => {
  const etag = (await fetch(`${url}/favicon.svg`)).headers.get("etag") ?? "";
  const again = await fetch(`${url}/favicon.svg`, { headers: { "if-none-match": etag } });
  expect(again.status).toBe(304);
});

test("Text is compressed as the browser wants it", async () => {
  const asked = get(`${url}/assets/entry-abc123.js`, { headers: { "accept-encoding": "gzip, br" } });
  const [response] = await once(asked, "response");
  expect(response.headers["content-encoding"]).toBe("br");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  expect(Buffer.concat(chunks).length).toBe(Number(response.headers["content-length"]));
  expect(brotliDecompressSync(Buffer.concat(chunks)).toString()).toBe(script);
});

test("Nothing outside the folder is reached, and files are only read", async () => {
  for (const path of ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"]) {
    const asked = get({ host: "127.0.0.1", port: new URL(url).port, path });
    const [response] = await once(asked, "response");
    expect(response.statusCode).toBe(404);
  }
  expect((await fetch(`${url}/favicon.svg`, { method: "POST" })).status).toBe(404);
});
