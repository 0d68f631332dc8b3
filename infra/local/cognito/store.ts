/**
 * Where the local Cognito keeps its pool, client and people: one JSON file per store, whole in memory, replaced
 * on each write by a rename, so that a killed process never leaves half a file behind.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DataStore } from "cognito-local/lib/services/dataStore/dataStore.js";
import type { DataStoreFactory } from "cognito-local/lib/services/dataStore/factory.js";

type Tree = Record<string, unknown>;

/** cognito-local keeps dates under keys that end in "Date". */
const revive = (key: string, value: unknown): unknown =>
  key.endsWith("Date") && typeof value === "string" ? new Date(value) : value;

function branch(tree: Tree, path: string[], create: boolean): Tree | undefined {
  let at = tree;
  for (const step of path) {
    if (!(Object.hasOwn(at, step) && typeof at[step] === "object" && at[step])) {
      if (!create) return undefined;
      at[step] = {};
    }
    at = at[step] as Tree;
  }
  return at;
}

class JsonStore implements DataStore {
  readonly #path: string;
  readonly #tree: Tree;

  constructor(path: string, defaults: object) {
    this.#path = path;
    let text: string | undefined;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    this.#tree = { ...defaults, ...(text === undefined ? {} : (JSON.parse(text, revive) as Tree)) };
    if (text === undefined) this.#save();
  }

  #save(): void {
    const next = `${this.#path}.next`;
    writeFileSync(next, JSON.stringify(this.#tree, null, 1), { mode: 0o600 });
    renameSync(next, this.#path);
  }

  async get<T>(_context: unknown, key: string | string[], defaultValue?: T): Promise<T | null> {
    const path = [key].flat();
    const last = path.pop() ?? "";
    const parent = branch(this.#tree, path, false);
    const value = parent && Object.hasOwn(parent, last) ? parent[last] : undefined;
    return (value ?? defaultValue ?? null) as T | null;
  }

  async getRoot<T>(): Promise<T | null> {
    return this.#tree as T;
  }

  async set<T>(_context: unknown, key: string | string[], value: T): Promise<void> {
    const path = [key].flat();
    const last = path.pop() ?? "";
    const parent = branch(this.#tree, path, true);
    if (parent) parent[last] = value;
    this.#save();
  }

  async delete(_context: unknown, key: string | string[]): Promise<void> {
    const path = [key].flat();
    const last = path.pop() ?? "";
    const parent = branch(this.#tree, path, false);
    if (parent) delete parent[last];
    this.#save();
  }
}

/** Stores of `folder`, each in a file named by its id. */
export function jsonStores(folder: string): DataStoreFactory {
  mkdirSync(folder, { recursive: true });
  return { create: async (_context, id, defaults) => new JsonStore(join(folder, `${id}.json`), defaults) };
}
