import { describe, expect, test } from "vitest";
import { calibrationOf, type Measured } from "./calibration.server";

const nova = "bedrock:us.amazon.nova-lite-v1:0";
const answer = (ref: string, tokens: number, inputTokens: number): Measured => ({
  model: { ref },
  prompt: { tokens },
  usage: { inputTokens },
});

describe("the calibration of an estimate", () => {
  test("changes nothing before the first answer", () => {
    expect(calibrationOf([{}, {}], nova)).toEqual({ scale: 1, answers: 0 });
  });

  test("is what the newest answers reported for what was estimated", () => {
    const history = [answer(nova, 1_000, 10_000), ...Array.from({ length: 5 }, () => answer(nova, 1_000, 800))];
    expect(calibrationOf(history, nova)).toEqual({ scale: 0.8, answers: 5 });
  });

  test("counts models of one family alike, by whatever id they are called, and no others", () => {
    const history = [
      answer("bedrock:amazon.nova-pro-v1:0", 1_000, 900),
      answer("openai:gpt-4.1", 1_000, 2_000),
      answer("ollama:llama3.2", 1_000, 1_500),
    ];
    expect(calibrationOf(history, nova)).toEqual({ scale: 0.9, answers: 1 });
    expect(calibrationOf(history, "openai:gpt-4.1-mini")).toEqual({ scale: 2, answers: 1 });
    expect(calibrationOf(history, "ollama:llama3.2")).toEqual({ scale: 1.5, answers: 1 });
    expect(calibrationOf(history, "ollama:phi4")).toEqual({ scale: 1, answers: 0 });
  });

  test("does not believe a vendor that reports a tenth, or nothing", () => {
    expect(calibrationOf([answer(nova, 1_000, 100)], nova).scale).toBe(0.4);
    expect(calibrationOf([answer(nova, 1_000, 9_000)], nova).scale).toBe(2.5);
    expect(calibrationOf([answer(nova, 1_000, 0), { model: { ref: nova } }], nova).answers).toBe(0);
  });
});
