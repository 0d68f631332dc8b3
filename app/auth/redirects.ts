/** Where a person is sent after signing in: only ever to a page of this origin. */

const BASE = "https://sidenote.invalid";

/** Control characters (which browsers drop from URLs), spaces, and backslashes (which they read as slashes). */
const odd = (character: string): boolean => character <= " " || character === "\\" || character === "\u007f";

/**
 * `to` as a path of our own origin, normalised; `fallback` for anything else. It must be one slash and then a path:
 * a scheme, a host, userinfo, a second slash (also one that only appears after `..` is resolved) are refused.
 */
export function safeRedirect(to: unknown, fallback = "/"): string {
  if (typeof to !== "string" || !to.startsWith("/") || to.length > 2000 || [...to].some(odd)) return fallback;
  let url: URL;
  try {
    url = new URL(to, BASE);
  } catch {
    return fallback;
  }
  const path = `${url.pathname}${url.search}${url.hash}`;
  return url.origin === BASE && !path.startsWith("//") ? path : fallback;
}

/** The address of the sign-in page (or another one of its kind) that leads back to `redirectTo`. */
export function withRedirect(path: string, redirectTo: string): string {
  return redirectTo === "/" ? path : `${path}?${new URLSearchParams({ redirectTo })}`;
}
