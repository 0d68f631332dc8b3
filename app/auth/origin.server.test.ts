import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";

vi.mock("~/config.server", () => ({ config: {} }));
const { checkOrigin } = await import("./origin.server");

const OURS = "https://chat.example.org";

interface Asked {
  method?: string;
  origin?: string;
  host?: string;
  headers?: Record<string, string>;
}

function asked({ method = "POST", origin, host = "chat.example.org", headers = {} }: Asked): Request {
  return new Request("https://chat.example.org/notes", {
    method,
    headers: { host, ...(origin === undefined ? {} : { origin }), ...headers },
  });
}

const allows = (request: Asked, configured: string | undefined = OURS) =>
  checkOrigin(asked(request), configured) === undefined;

describe("On a deployed stage", () => {
  test("a form of our own pages is taken", () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) expect(allows({ method, origin: OURS })).toBe(true);
    expect(allows({ origin: OURS }, `${OURS}/`)).toBe(true);
  });

  test("reading needs no origin", () => {
    for (const method of ["GET", "HEAD", "OPTIONS"])
      for (const origin of [undefined, "null", "https://evil.example"]) expect(allows({ method, origin })).toBe(true);
  });

  test.each([
    ["a missing one", undefined],
    ["null", "null"],
    ["an empty one", ""],
    ["a foreign one", "https://evil.example"],
    ["the same host without encryption", "http://chat.example.org"],
    ["another port", "https://chat.example.org:8443"],
    ["a subdomain", "https://a.chat.example.org"],
    ["a longer name", "https://chat.example.org.evil.example"],
    ["userinfo", "https://chat.example.org@evil.example"],
    ["a path", "https://chat.example.org/"],
    ["capitals", "https://CHAT.example.org"],
    ["two of them", "https://chat.example.org, https://evil.example"],
    ["a loopback name", "http://localhost:3000"],
  ])("%s is refused", async (_name, origin) => {
    const refusal = checkOrigin(asked({ origin, host: "localhost:3000" }), OURS);
    expect(refusal?.status).toBe(403);
    expect(refusal?.headers.get("content-type")).toBe("application/json");
    expect(refusal?.headers.get("cache-control")).toBe("private, no-store");
    expect(await refusal?.json()).toMatchObject({ error: { code: "foreign-origin" } });
  });

  test("no other origin is taken, whatever the request says of its host", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("POST", "PUT", "PATCH", "DELETE"),
        fc.oneof(
          fc.webUrl(),
          fc.domain().map((name) => `https://${name}`),
          fc.stringMatching(/^[!-~]{0,40}$/),
        ),
        fc.domain(),
        (method, origin, forged) => {
          fc.pre(origin !== OURS);
          const headers = { "x-forwarded-host": forged, "x-forwarded-proto": "https", forwarded: `host=${forged}` };
          expect(allows({ method, origin, host: forged, headers })).toBe(false);
          expect(allows({ method, origin: `https://${forged}`, host: forged, headers })).toBe(false);
        },
      ),
    );
  });
});

describe("On one machine", () => {
  const local = (origin: string | undefined, host: string, method = "POST") => {
    const request = new Request(`http://${host}/notes`, { method, headers: { host, ...(origin ? { origin } : {}) } });
    return checkOrigin(request, undefined) === undefined;
  };

  test("every loopback name with the port that was asked for is taken", () => {
    for (const host of ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"])
      for (const name of ["localhost", "127.0.0.1", "[::1]"]) expect(local(`http://${name}:3000`, host)).toBe(true);
    expect(local("http://localhost", "localhost")).toBe(true);
  });

  test("another port, another name and a missing origin are refused", () => {
    for (const origin of [
      undefined,
      "null",
      "http://localhost:3001",
      "http://localhost",
      "https://localhost:3000",
      "http://localhost.evil.example:3000",
      "http://127.0.0.2:3000",
      "http://0.0.0.0:3000",
      "http://evil.example:3000",
    ])
      expect(local(origin, "localhost:3000")).toBe(false);
  });

  test("a name of somebody else that leads here is refused, also as its own origin", () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        expect(local(`http://${name}:${port}`, `${name}:${port}`)).toBe(false);
      }),
    );
  });
});
