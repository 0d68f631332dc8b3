import { describe, expect, test } from "vitest";
import type { ThreadSettings } from "~/ai/settings";
import { fieldOf, readSettingsForm, valuesOf } from "./settings-form";

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
    expect(readSettingsForm(valuesOf(all))).toEqual({ settings: all });
    expect(readSettingsForm(valuesOf({}))).toEqual({ settings: {} });
  });

  test("are not set by an empty field, and all notes are what nobody changed", () => {
    expect(readSettingsForm({ temperature: " ", systemPrompt: "", notes: "all", maxTokens: "" })).toEqual({
      settings: {},
    });
  });

  test("may be written as people write numbers and lines", () => {
    expect(readSettingsForm({ maxTokens: "2,000", temperature: "0,3", historyLength: " 40 " })).toEqual({
      settings: { maxTokens: 2_000, temperature: 0.3, historyLength: 40 },
    });
    expect(readSettingsForm({ maxTokens: "2 000", stopSequences: "END\r\n\r\n##" })).toEqual({
      settings: { maxTokens: 2_000, stopSequences: ["END", "##"] },
    });
  });

  test.each(["1000", "1,000", "1.000", "1 000", "1\u00a0000", "1\u202f000", "1'000", "1’000", " 1.000 "])(
    "take %j for a length of a thousand",
    (typed) => {
      expect(fieldOf("maxTokens", typed)).toEqual({ value: 1_000 });
    },
  );

  test("take marks between thousands for nothing else, in any number of groups", () => {
    expect(fieldOf("maxTokens", "1.000.000")).toEqual({ value: 1_000_000 });
    expect(fieldOf("maxTokens", "16,384")).toEqual({ value: 16_384 });
    const problem = "A length is a whole number of tokens, from 1 to 1,000,000.";
    for (const typed of ["1.5", "1,5", "10.00", "1.0", "1.0000", "1.00.000", "1,000.000", "1.000,5", "0.500", "0,128"])
      expect(fieldOf("maxTokens", typed), typed).toEqual({ problem });
    for (const typed of [
      "1.",
      ".5",
      "1..000",
      "1 00",
      "-1,000",
      "+5",
      "1e3",
      "0x10",
      "1000 tokens",
      "٣",
      "0",
      "2.000.000",
    ])
      expect(fieldOf("maxTokens", typed), typed).toEqual({ problem });
  });

  test("read the length of the history as a whole number too", () => {
    expect(fieldOf("historyLength", "200")).toEqual({ value: 200 });
    const problem = "The length of the history is a whole number from 2 to 200.";
    for (const typed of ["1", "0", "201", "-4", "many", "2.5", "10.00", "1.000", "2,0"])
      expect(fieldOf("historyLength", typed), typed).toEqual({ problem });
  });

  test("read a point or a comma in a temperature or top P as the beginning of its fraction", () => {
    for (const typed of ["0.25", "0,25", ".25", ",25", "0.250"])
      expect(fieldOf("temperature", typed), typed).toEqual({ value: 0.25 });
    expect(fieldOf("temperature", "1.000")).toEqual({ value: 1 });
    expect(fieldOf("topP", "0.125")).toEqual({ value: 0.125 });
    for (const typed of ["2.5", "1.2.3", "1 5", "0'5", "-0.5", "1e-1", "0.", ".", "NaN", "Infinity"])
      expect(fieldOf("temperature", typed), typed).toEqual({ problem: "A temperature is a number from 0 to 2." });
  });

  test("say what would be right where they are wrong, each at its field", () => {
    const outcome = readSettingsForm({
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
    expect(readSettingsForm({ intent: "save", name: "Dutch", userId: "x", temperature: "1" })).toEqual({
      settings: { temperature: 1 },
    });
  });
});
