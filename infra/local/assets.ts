/**
 * The files of `build/client`, as the bucket behind CloudFront serves them: known by name beforehand, so that no
 * request reaches any other file; hashed ones for ever; compressed once.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const types: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};
const compressible = /text|json|svg|manifest/;

type Encoding = "br" | "gzip" | "identity";

const compress: Record<Encoding, (body: Buffer) => Promise<Buffer>> = {
  br: (body) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }),
  gzip: (body) => promisify(gzip)(body),
  identity: async (body) => body,
};

export interface Assets {
  /** Answers if the path is a file; else does nothing and returns false. */
  serve(request: IncomingMessage, response: ServerResponse): boolean;
}

export function readAssets(folder: string): Assets {
  const paths = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    paths.set(`/${relative(folder, file).split(sep).map(encodeURIComponent).join("/")}`, file);
  }
  const bodies = new Map<string, Promise<Buffer>>();

  async function send(request: IncomingMessage, response: ServerResponse, path: string, file: string): Promise<void> {
    const type = types[extname(file)] ?? "application/octet-stream";
    const accepted = String(request.headers["accept-encoding"] ?? "");
    const encoding: Encoding = !compressible.test(type)
      ? "identity"
      : /\bbr\b/.test(accepted)
        ? "br"
        : /\bgzip\b/.test(accepted)
          ? "gzip"
          : "identity";
    const key = `${encoding} ${path}`;
    const body = bodies.get(key) ?? compress[encoding](readFileSync(file));
    bodies.set(key, body);
    const bytes = await body;
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    response.setHeader("Content-Type", type);
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("ETag", etag);
    response.setHeader(
      "Cache-Control",
      path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "public, max-age=0, must-revalidate",
    );
    if (compressible.test(type)) response.setHeader("Vary", "Accept-Encoding");
    if (encoding !== "identity") response.setHeader("Content-Encoding", encoding);
    if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
    else response.writeHead(200, { "Content-Length": bytes.length }).end(request.method === "HEAD" ? undefined : bytes);
  }

  return {
    serve(request, response) {
      const path = request.url?.split("?", 1)[0] ?? "";
      const file = paths.get(path);
      if (!file || (request.method !== "GET" && request.method !== "HEAD")) return false;
      send(request, response, path, file).catch((error: unknown) => {
        console.error("A file could not be served:", error);
        response.destroy();
      });
      return true;
    },
  };
}
