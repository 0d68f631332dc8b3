import { beforeEach, describe, expect, test } from "vitest";
import type { Preferences, PreferencesChange } from "~/ai/preferences";
import { createPreferencesStore } from "./preferences-store";

const preferences = (revision: number, ...names: string[]): Preferences => ({
  revision,
  defaults: {},
  presets: names.map((name) => ({ presetId: `preset-${name.toLowerCase()}`, name, settings: {} })),
});
const add = (name: string): PreferencesChange => ({
  kind: "add",
  presetId: `preset-${name.toLowerCase()}`,
  name,
  settings: {},
});
const refusal = (message: string, more = {}) => ({ error: { code: "conflict", message, ...more } });

describe("what a person prefers", () => {
  let asked: {
    change: PreferencesChange | undefined;
    answer(body: unknown, status?: number): void;
    fail(): void;
  }[];
  let store: ReturnType<typeof createPreferencesStore>;
  beforeEach(() => {
    asked = [];
    store = createPreferencesStore({
      ask: (change) =>
        new Promise((resolve, reject) => {
          asked.push({
            change,
            answer: (body, status = 200) => resolve(new Response(JSON.stringify(body), { status })),
            fail: () => reject(new TypeError("Failed to fetch")),
          });
        }),
      isOnline: () => true,
    });
  });
  const names = (userId = "maria") => store.get(userId).preferences?.presets.map(({ name }) => name);

  test("is what the newest answer says, in whatever order two calls are answered", async () => {
    const read = store.read("maria");
    const change = store.change("maria", add("Reviewer"));
    asked[1]?.answer(preferences(2, "Plain", "Reviewer"));
    expect(await change).toBe(true);
    asked[0]?.answer(preferences(1, "Plain"));
    expect(await read).toBe(true);
    expect(names()).toEqual(["Plain", "Reviewer"]);
  });

  test("is newest by what stands there, not by who asked last", async () => {
    const change = store.change("maria", add("Reviewer"));
    const read = store.read("maria");
    asked[1]?.answer(preferences(1, "Plain"));
    await read;
    expect(names()).toEqual(["Plain"]);
    asked[0]?.answer(preferences(2, "Plain", "Reviewer"));
    await change;
    expect(names()).toEqual(["Plain", "Reviewer"]);
  });

  test("keeps the reason of a refusal when an earlier call is answered after it", async () => {
    const read = store.read("maria");
    const change = store.change("maria", add("Plain"));
    asked[1]?.answer(refusal("There is a preset called “Plain” already."), 400);
    expect(await change).toBe(false);
    asked[0]?.answer(preferences(1, "Plain"));
    await read;
    expect(store.get("maria").problem).toBe("There is a preset called “Plain” already.");
    expect(names()).toEqual(["Plain"]);
    const again = store.change("maria", add("Reviewer"));
    asked[2]?.answer(preferences(2, "Plain", "Reviewer"));
    await again;
    expect(store.get("maria").problem).toBeUndefined();
  });

  test("says nothing of an earlier call that failed once a later one went well", async () => {
    const read = store.read("maria");
    const change = store.change("maria", add("Reviewer"));
    asked[1]?.answer(preferences(1, "Reviewer"));
    await change;
    asked[0]?.fail();
    expect(await read).toBe(false);
    expect(store.get("maria")).toEqual({ preferences: preferences(1, "Reviewer") });
  });

  test("is shown as it stands there when a change is refused because of it, and stays when nobody answers", async () => {
    const change = store.change("maria", { kind: "defaults", revision: 1, settings: {} });
    asked[0]?.answer(refusal("Your presets changed elsewhere.", { preferences: preferences(3, "Plain") }), 409);
    expect(await change).toBe(false);
    expect(names()).toEqual(["Plain"]);
    const read = store.read("maria");
    asked[1]?.fail();
    await read;
    expect(store.get("maria").problem).toBe("Sidenote cannot be reached.");
    expect(names()).toEqual(["Plain"]);
  });

  test("is never shown to another person on the same page, also not by an answer that comes late", async () => {
    const first = store.read("maria");
    asked[0]?.answer(preferences(7, "Mine"));
    await first;
    expect(store.get("jonas")).toEqual({});
    const late = store.change("maria", add("Later"));
    const read = store.read("jonas");
    expect(names("maria")).toBeUndefined();
    asked[1]?.answer(preferences(8, "Mine", "Later"));
    await late;
    expect(store.get("jonas")).toEqual({});
    // A lower revision than the other person's counts.
    asked[2]?.answer(preferences(1, "Yours"));
    await read;
    expect(names("jonas")).toEqual(["Yours"]);
    expect(store.get("maria")).toEqual({});
  });
});
