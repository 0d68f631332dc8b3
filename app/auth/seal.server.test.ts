import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";

const ring = vi.hoisted(() => ({ sessionKeys: {} as Record<string, string> }));
vi.mock("~/config.server", () => ({ config: ring }));
const { newToken, seal, tokenHash, unseal } = await import("./seal.server");

const newKey = () => randomBytes(32).toString("base64");
let oldKey: string;

beforeEach(() => {
  oldKey = newKey();
  ring.sessionKeys = { old: oldKey };
});

describe("A sealed text", () => {
  test("opens in its place, whatever it says, and looks different each time", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (text, place) => {
        fc.pre(text.isWellFormed() && place.isWellFormed());
        const sealed = seal(text, place);
        expect(unseal(sealed, place)).toBe(text);
        expect(seal(text, place)).not.toBe(sealed);
      }),
    );
  });

  test("names its key, and stays readable when a new key comes first", () => {
    const sealed = seal("refresh token", "here");
    expect(sealed).toMatch(/^old\./);
    ring.sessionKeys = { new: newKey(), old: oldKey };
    expect(unseal(sealed, "here")).toBe("refresh token");
    expect(seal("refresh token", "here")).toMatch(/^new\./);
  });

  test("is lost when its key leaves the ring, or another key takes its name", () => {
    const sealed = seal("refresh token", "here");
    ring.sessionKeys = { new: newKey() };
    expect(unseal(sealed, "here")).toBeUndefined();
    ring.sessionKeys = { old: newKey() };
    expect(unseal(sealed, "here")).toBeUndefined();
  });

  test("does not open in another place", () => {
    expect(unseal(seal("refresh token", "session:a:1"), "session:a:2")).toBeUndefined();
    expect(unseal(seal("refresh token", "session:a:1"), "session:b:1")).toBeUndefined();
  });

  test("does not open once a character of it was changed, cut or added", () => {
    const sealed = seal("refresh token", "here");
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom(..."AZaz09-_."), (at, character) => {
        fc.pre(sealed[at] !== character);
        const changed = `${sealed.slice(0, at)}${character}${sealed.slice(at + 1)}`;
        const same = changed
          .split(".")
          .map((part, index) => (index === 0 ? part : Buffer.from(part, "base64url").toString("hex")));
        const original = sealed
          .split(".")
          .map((part, index) => (index === 0 ? part : Buffer.from(part, "base64url").toString("hex")));
        fc.pre(same.join(".") !== original.join("."));
        expect(unseal(changed, "here")).toBeUndefined();
      }),
    );
    for (const odd of ["", ".", "..", "old", "old.", "old..", sealed.slice(0, -4), "__proto__.a.b", "constructor.a.b"])
      expect(unseal(odd, "here")).toBeUndefined();
  });
});

test("A token has 256 random bits, and its hash does not tell it", () => {
  const tokens = Array.from({ length: 100 }, newToken);
  expect(new Set(tokens).size).toBe(100);
  for (const token of tokens) expect(Buffer.from(token, "base64url")).toHaveLength(32);
  expect(tokenHash(tokens[0] ?? "")).toMatch(/^[0-9a-f]{64}$/);
});
