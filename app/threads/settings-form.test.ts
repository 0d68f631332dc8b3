import { describe, expect, test } from "vitest";
import type { ThreadSettings } from "~/ai/settings";
import { settingsOf, valuesOf } from "./settings-form";

const all: ThreadSettings = {
  model: "openai:gpt-4.1",
  temperature: 0.3,
  topP: 0.9,
  maxTokens: 2_000,
  stopSequences: ["END", "##"],
  reasoningEffort: "low",
  systemPrompt: "Answer in Dutch.\nBriefly.",
  historyLength: 40,
  notes: "chosen",
  chosenNotes: ["01HZX3V9ZK5T8N6Q2W4Y7R0ABC"],
};

describe("settings in a plain form", () => {
  test("come back as they went out", () => {
    expect(settingsOf(valuesOf(all))).toEqual({ settings: all });
    expect(settingsOf(valuesOf({}))).toEqual({ settings: {} });
  });

  test("are not set by an empty field, and all notes are what nobody changed", () => {
    expect(settingsOf({ temperature: " ", systemPrompt: "", notes: "all", maxTokens: "" })).toEqual({ settings: {} });
  });

  test("may be written as people write numbers and lines", () => {
    expect(settingsOf({ maxTokens: "2,000", temperature: "0,3", historyLength: " 40 " })).toEqual({
      settings: { maxTokens: 2_000, temperature: 0.3, historyLength: 40 },
    });
    expect(settingsOf({ maxTokens: "2 000", stopSequences: "END\r\n\r\n##" })).toEqual({
      settings: { maxTokens: 2_000, stopSequences: ["END", "##"] },
    });
  });

  test("say what would be right where they are wrong, each at its field", () => {
    const outcome = settingsOf({
      temperature: "hot",
      topP: "0",
      maxTokens: "1.5",
      historyLength: "1",
      stopSequences: "a\nb\nc\nd\ne",
      model: "gpt",
      notes: "some",
    });
    expect("errors" in outcome && Object.keys(outcome.errors).toSorted()).toEqual([
      "historyLength",
      "maxTokens",
      "model",
      "notes",
      "stopSequences",
      "temperature",
      "topP",
    ]);
    expect("errors" in outcome && outcome.errors.temperature).toBe("A temperature is a number from 0 to 2.");
  });

  test("take nothing that is no field of theirs", () => {
    expect(settingsOf({ intent: "save", name: "Dutch", userId: "x", temperature: "1" })).toEqual({
      settings: { temperature: 1 },
    });
  });
});
