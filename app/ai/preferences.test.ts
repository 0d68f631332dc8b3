import { describe, expect, test } from "vitest";
import { changed, noPreferences, type Preferences, preferencesChange, presetLimits } from "./preferences";

const id = (index: number) => `preset-${String(index).padStart(3, "0")}`;
const add = (index: number, systemPrompt = "Short.") =>
  ({ kind: "add", presetId: id(index), name: `Preset ${index}`, settings: { systemPrompt } }) as const;

function made(...changes: Parameters<typeof changed>[1][]): Preferences {
  return changes.reduce((preferences, change) => {
    const next = changed(preferences, change);
    if ("reason" in next) throw new Error(next.message);
    return next;
  }, noPreferences);
}

describe("preferences", () => {
  test("count each change, and nothing that changes nothing", () => {
    const two = made(add(1), add(2));
    expect(two).toMatchObject({ revision: 2, presets: [{ name: "Preset 1" }, { name: "Preset 2" }] });
    expect(changed(two, add(2))).toBe(two);
    expect(changed(two, { kind: "delete", presetId: id(1) })).toMatchObject({
      revision: 3,
      presets: [{ name: "Preset 2" }],
    });
  });

  test("take a deleted preset back where it stood", () => {
    const three = made(add(1), add(2), add(3));
    const two = made(add(1), add(2), add(3), { kind: "delete", presetId: id(2) });
    expect(changed(two, { ...add(2), at: 1 })).toEqual({ ...three, revision: 5 });
    expect(changed(two, { ...add(2), at: 17 })).toMatchObject({ presets: [{}, {}, { presetId: id(2) }] });
  });

  test("never let one tab overwrite what another has changed since", () => {
    const before = made(add(1));
    const theirs = made(add(1), { kind: "defaults", revision: 1, settings: { temperature: 1 } });
    expect(changed(theirs, { kind: "defaults", revision: before.revision, settings: {} })).toMatchObject({
      reason: "conflict",
    });
    const edit = { kind: "replace", revision: before.revision, presetId: id(1), name: "Mine", settings: {} } as const;
    expect(changed(theirs, edit)).toMatchObject({ reason: "conflict" });
    expect(changed(theirs, { ...edit, revision: theirs.revision })).toMatchObject({ presets: [{ name: "Mine" }] });
    expect(changed(theirs, add(2))).toMatchObject({ defaults: { temperature: 1 }, presets: [{}, {}] });
  });

  test("hold twenty presets, each under a name of its own", () => {
    const full = made(...Array.from({ length: presetLimits.count }, (_, index) => add(index)));
    expect(changed(full, add(99))).toMatchObject({ reason: "too-large" });
    expect(changed(made(add(1)), { ...add(2), name: "preset 1" })).toMatchObject({ reason: "name" });
    expect(changed(made(add(1)), { kind: "delete", presetId: id(2) })).toMatchObject({ reason: "gone" });
  });

  test("hold at most 16 KB in one preset, as bytes, and 200 KB in all", () => {
    const parse = (systemPrompt: string) => preferencesChange.safeParse({ ...add(1), settings: { systemPrompt } });
    expect(parse("a".repeat(16_000)).success).toBe(true);
    expect(parse("ж".repeat(16_000)).success).toBe(false);
    let preferences = noPreferences;
    let count = 0;
    for (let index = 0; index < presetLimits.count; index += 1) {
      const next = changed(preferences, add(index, "a".repeat(15_900)));
      if ("reason" in next) {
        expect(next.reason).toBe("too-large");
        break;
      }
      preferences = next;
      count += 1;
    }
    expect(count).toBe(12);
  });

  test("take no name that is only space, and no setting that does not exist", () => {
    expect(preferencesChange.safeParse({ ...add(1), name: " \n " }).success).toBe(false);
    expect(preferencesChange.safeParse({ ...add(1), name: "  Dutch \n class " }).data).toMatchObject({
      name: "Dutch class",
    });
    expect(preferencesChange.safeParse({ ...add(1), settings: { colour: "red" } }).success).toBe(false);
  });
});
