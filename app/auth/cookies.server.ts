/** The cookies around sign-in: all are `__Host-`, so no other host can set them, and out of reach of scripts. */

export type CookieName = "__Host-session" | "__Host-challenge" | "__Host-address" | "__Host-signed-out";

/** The value of a cookie of this request, or undefined. */
export function readCookie(request: Request, name: CookieName): string | undefined {
  for (const pair of request.headers.get("cookie")?.split(";") ?? []) {
    const [key, ...value] = pair.split("=");
    if (key?.trim() === name) return value.join("=").trim();
  }
  return undefined;
}

/** A Set-Cookie header. `seconds` is how long the browser keeps it; 0 deletes it. */
export function setCookie(name: CookieName, value: string, seconds: number): string {
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; Secure; SameSite=Lax`;
}
