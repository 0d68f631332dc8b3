/**
 * Whether a request that changes something comes from our own pages. Browsers send Origin with every unsafe
 * request; one that is missing, null or another's is refused, on resource routes as well. Only the configured
 * origin counts; on one machine, where there is none, every loopback name with the port that was asked for.
 */
import { config } from "~/config.server";
import { PublicError } from "~/errors";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** The origins that forms of this request may come from. X-Forwarded-Host is never asked. */
function ownOrigins(request: Request, configured: string | undefined): string[] {
  if (configured) return [new URL(configured).origin];
  const host = request.headers.get("host") ?? new URL(request.url).host;
  const port = /^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?$/i.exec(host)?.[1];
  return LOOPBACK.map((name) => `http://${name}${port ? `:${port}` : ""}`);
}

/** Undefined for a request that may go on, else the 403 to answer with. `configured` is the one origin, if any. */
export function checkOrigin(request: Request, configured: string | undefined = config.origin): Response | undefined {
  if (SAFE.has(request.method.toUpperCase())) return undefined;
  const origin = request.headers.get("origin");
  if (origin !== null && ownOrigins(request, configured).includes(origin)) return undefined;
  return new PublicError("foreign-origin").toResponse();
}
