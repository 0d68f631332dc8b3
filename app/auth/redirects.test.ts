import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { safeRedirect, withRedirect } from "./redirects";

const ours = "https://chat.example.org";
/** Where a browser goes that reads this Location on a page of ours. */
const destination = (location: string) => new URL(location, `${ours}/sign-in`);

describe("After signing in a person lands", () => {
  test.each([
    "/",
    "/notes",
    "/threads/01J8Z3?after=x#y",
    "/notes/new?title=a%20b%2Fc",
    "/%2F%2Fevil.example",
    "/%5Cevil.example",
    "/a//b",
    "/search?q=https://evil.example",
  ])("on the page of ours that they wanted: %s", (to) => {
    expect(safeRedirect(to)).toBe(to);
  });

  test.each([
    ["another scheme", "https://evil.example"],
    ["no scheme", "//evil.example"],
    ["three slashes", "///evil.example"],
    ["a backslash", "/\\evil.example"],
    ["two backslashes", "\\\\evil.example"],
    ["a backslash later", "/a\\..\\\\evil.example"],
    ["a tab", "/\t/evil.example"],
    ["a newline", "/\n/evil.example"],
    ["a carriage return", "/\r\nSet-Cookie: a=b"],
    ["dots before slashes", "/..//evil.example"],
    ["one dot before slashes", "/.//evil.example"],
    ["encoded dots before slashes", "/%2e%2e//evil.example"],
    ["a path that climbs to slashes", "/a/..//evil.example"],
    ["userinfo", "https://chat.example.org@evil.example"],
    ["userinfo without a scheme", "//chat.example.org@evil.example/"],
    ["a script", "javascript:alert(1)"],
    ["a script after a space", " javascript:alert(1)"],
    ["data", "data:text/html,hello"],
    ["a bare host", "evil.example"],
    ["a relative path", "notes"],
    ["a space first", " //evil.example"],
    ["a NUL", "/\u0000/evil.example"],
    ["nothing", ""],
    ["no text", null],
    ["two values", ["/notes"]],
    ["a very long path", `/${"a".repeat(2000)}`],
  ])("at home instead of where %s leads", (_name, to) => {
    expect(safeRedirect(to)).toBe("/");
  });

  test("on our own origin, whatever the address says", () => {
    const piece = fc.constantFrom(
      ..."/ // \\ . .. %2e %2f %5c : @ ? # \t \n \r javascript: https: evil.example chat.example.org a & = \u00a0 é 😀".split(
        " ",
      ),
    );
    const address = fc
      .array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 8 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(
        fc.oneof(
          address,
          address.map((text) => `/${text}`),
        ),
        (to) => {
          const url = destination(safeRedirect(to));
          expect(url.origin).toBe(ours);
          expect(url.username).toBe("");
          expect(safeRedirect(to)).not.toMatch(/^\/[/\\]|[\r\n]/);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test("on the same page when the address goes through twice", () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const once = safeRedirect(`/${path}`);
        expect(safeRedirect(once)).toBe(once);
      }),
    );
  });
});

test("The sign-in page's address carries the way back, whatever characters it has", () => {
  expect(withRedirect("/sign-in", "/")).toBe("/sign-in");
  const url = new URL(withRedirect("/sign-in", "/threads/1?a=b&c=d#e"), ours);
  expect(url.searchParams.get("redirectTo")).toBe("/threads/1?a=b&c=d#e");
});
