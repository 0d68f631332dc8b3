import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { activityAt, keys } from "./keys.server";

const app = new URL("..", import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(app, path), "utf8");

/** The functions that the header of the key module names, without what follows a dot. */
function listed(): Set<string> {
  const rows = read("data/keys.server.ts")
    .split("\n")
    .filter((line) => line.startsWith(" * |"))
    .slice(2);
  return new Set(
    rows.flatMap((row) => (row.split("|")[3] ?? "").split(",").map((name) => name.trim().replace(/\..*/, ""))),
  );
}

/** The exported functions of a module that touch the table, by themselves or by others of the module. */
function touching(path: string): string[] {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
  const bodies = new Map<string, { text: string; exported: boolean }>();
  for (const statement of source.statements) {
    const exported = ts.canHaveModifiers(statement)
      ? (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      : false;
    if (ts.isFunctionDeclaration(statement) && statement.name)
      bodies.set(statement.name.text, { text: statement.getText(), exported });
    if (ts.isVariableStatement(statement))
      for (const { name, initializer } of statement.declarationList.declarations)
        if (ts.isIdentifier(name) && initializer) bodies.set(name.text, { text: initializer.getText(), exported });
  }
  const touches = new Set(
    [...bodies].flatMap(([name, { text }]) =>
      /\.build\(\s*(Get|Put|Update|Delete|Query)|documents\.send\(/.test(text) ? [name] : [],
    ),
  );
  for (let size = -1; size !== touches.size; ) {
    size = touches.size;
    for (const [name, { text }] of bodies)
      if ([...touches].some((other) => new RegExp(`\\b${other}\\b`).test(text))) touches.add(name);
  }
  return [...touches].filter((name) => bodies.get(name)?.exported);
}

const modules = readdirSync(app, { recursive: true, encoding: "utf8" }).filter(
  (path) => path.endsWith(".server.ts") && !path.startsWith("routes") && path !== "data/table.server.ts",
);

describe("the list of access patterns", () => {
  it("names every function that touches the table", () => {
    const found = modules.flatMap(touching);
    expect(found.length).toBeGreaterThan(20);
    expect(found.filter((name) => !listed().has(name))).toEqual([]);
  });

  it("names no function that is not there", () => {
    const exported = new Set(
      modules.flatMap((path) =>
        [...read(path).matchAll(/export (?:async )?(?:function|const) (\w+)/g)].map(([, name]) => name),
      ),
    );
    expect([...listed()].filter((name) => !exported.has(name))).toEqual([]);
  });
});

describe("keys", () => {
  it("begin with the owner, save for those that hold nobody's data", () => {
    const shared = new Set(["throttle", "challenge", "stageUsage", "stageSwitch"]);
    for (const [name, make] of Object.entries(keys)) {
      const { pk } = (make as (...parts: unknown[]) => { pk: string })("owner", "second", "third", 4);
      if (!shared.has(name)) expect(pk, name).toMatch(/^USER#owner(#|$)/);
    }
  });

  it("sort chunks by their place in the text, and reasoning and context behind them", () => {
    const places = [0, 9, 10, 99, 1000, 300_000].map((from) => keys.chunk("u", "t", "c", from).sk);
    expect(places.toSorted()).toEqual(places);
    expect(keys.context("u", "t", "c").sk > (places.at(-1) ?? "")).toBe(true);
    const thoughts = [0, 9, 10, 59_999].map((from) => keys.thought("u", "t", "c", from).sk);
    expect(thoughts.toSorted()).toEqual(thoughts);
    expect((thoughts[0] ?? "") > keys.chunk("u", "t", "c", 999_999_999).sk).toBe(true);
  });

  it("sort lists by time, pinned above the rest, and tombstones apart", () => {
    const older = activityAt.thread(false, Date.UTC(2026, 0, 1));
    const newer = activityAt.thread(false, Date.UTC(2026, 10, 1));
    const pinned = activityAt.thread(true, Date.UTC(2025, 0, 1));
    expect([newer, pinned, older].toSorted()).toEqual([older, newer, pinned]);
    expect(activityAt.deleted(0).startsWith("THREAD#")).toBe(false);
  });
});
