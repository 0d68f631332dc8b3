import { describe, expect, test } from "vitest";
import { traitsOf } from "~/ai/families";
import type { Model } from "~/ai/model";
import { switchTo } from "./switching";

const model = (ref: string, name: string): Model => {
  const [vendor = "", ...rest] = ref.split(":");
  const id = rest.join(":");
  return { ref, vendor, id, name, ...traitsOf(vendor, id) };
};
const nova = model("bedrock:us.amazon.nova-lite-v1:0", "Nova Lite");
const reasons = model("openai:o4-mini", "o4-mini");

describe("another model", () => {
  test("keeps what fits, and says what was dropped and why", () => {
    const before = { temperature: 0.3, topP: 0.9, systemPrompt: "Briefly.", notes: "none" as const };
    const { settings, words } = switchTo(before, reasons, false);
    expect(settings).toEqual({ model: "openai:o4-mini", systemPrompt: "Briefly.", notes: "none" });
    expect(words).toContain("o4-mini sets its own temperature.");
    expect(words).toContain("Dropped: temperature and top P.");
  });

  test("says nothing when all fits, and is no change when it is the standard one", () => {
    const before = { model: "openai:o4-mini", temperature: 0.3 };
    expect(switchTo(before, nova, true)).toEqual({ settings: { temperature: 0.3 }, words: undefined });
  });

  test("moves a value into its range, and says so", () => {
    const { settings, words } = switchTo({ temperature: 1.8 }, nova, false);
    expect(settings.temperature).toBe(1);
    expect(words).toBe("Nova Lite takes a temperature from 0 to 1.");
  });
});
