import { describe, expect, test } from "vitest";
import type { Model, Supports } from "~/ai/model";
import { groupModels, remarkOf, sizeName } from "./models-store";
import { lengthProblem, stopsProblem } from "./SettingsPanel";

const model = (part: Partial<Omit<Model, "supports">> & { supports?: Partial<Supports> } = {}): Model => ({
  ref: "openai:alder",
  vendor: "openai",
  id: "alder",
  name: "Alder",
  family: "alder",
  window: 128_000,
  minOutput: 16,
  maxOutput: 8_192,
  thinks: false,
  ...part,
  supports: {
    temperature: { min: 0, max: 1 },
    topP: false,
    temperatureWithTopP: false,
    sampling: "always",
    stopSequences: false,
    reasoningEffort: false,
    systemPrompt: true,
    promptCache: false,
    ...part.supports,
  },
});

describe("the thread's settings", () => {
  test("say what is wrong with stop sequences, by what the model takes", () => {
    const takes = (max: number) => model({ supports: { stopSequences: { max } } });
    expect(stopsProblem("", takes(4))).toBeUndefined();
    expect(stopsProblem("a\n\nb", takes(4))).toBeUndefined();
    expect(stopsProblem("a\nb\nc", takes(2))).toBe("Alder takes up to 2, one on each line.");
    expect(stopsProblem("a\nb", takes(1))).toBe("Alder takes one stop sequence.");
    // Nothing longer is stored, whatever a model takes.
    const most = "There are at most four stop sequences, each of at most 100 characters.";
    expect(stopsProblem("a".repeat(101), takes(4))).toBe(most);
    expect(stopsProblem("a\nb\nc\nd\ne", takes(8_191))).toBe(most);
  });

  test("say what is wrong with a length by what the model allows, however it is written", () => {
    for (const fine of ["", " ", "16", "8192", "8,192", "8.192", "8 192", "8'192"])
      expect(lengthProblem(fine, model()), fine).toBeUndefined();
    expect(lengthProblem("9,500", model())).toBe("Alder allows up to 8,192.");
    expect(lengthProblem("99999999", model({ maxOutput: 2_000_000 }))).toMatch(/^A length is/);
    expect(lengthProblem("15", model())).toBe("Alder needs at least 16.");
    expect(lengthProblem("1", model({ minOutput: 1 }))).toBeUndefined();
    for (const wrong of ["0", "-5", "many", "1e3", "1.5", "10.00", "12345678"])
      for (const which of [undefined, model()])
        expect(lengthProblem(wrong, which), wrong).toBe("A length is a whole number of tokens, from 1 to 1,000,000.");
  });
});

describe("the list of models", () => {
  const models = [
    model({
      ref: "bedrock:a",
      vendor: "bedrock",
      id: "us.amazon.nova-lite-v1:0",
      name: "Nova Lite",
      family: "Amazon Nova",
    }),
    model({ ref: "openai:b", id: "gpt-4.1-mini", name: "gpt-4.1-mini" }),
    model({
      ref: "bedrock:c",
      vendor: "bedrock",
      id: "c",
      name: "Claude",
      unavailable: "Not enabled in this account.",
    }),
  ];

  test("stands in groups by vendor, in the order of the list", () => {
    expect(groupModels(models).map(({ name, models: group }) => [name, group.map((each) => each.name)])).toEqual([
      ["Amazon Bedrock", ["Nova Lite", "Claude"]],
      ["OpenAI", ["gpt-4.1-mini"]],
    ]);
  });

  test("is searched by words of the name, the id or the vendor", () => {
    const found = (words: string) =>
      groupModels(models, words).flatMap(({ models: group }) => group.map(({ ref }) => ref));
    expect(found("nova lite")).toEqual(["bedrock:a"]);
    expect(found("LITE amazon")).toEqual(["bedrock:a"]);
    expect(found("mini")).toEqual(["openai:b"]);
    expect(found("bedrock")).toEqual(["bedrock:a", "bedrock:c"]);
    expect(found("nothing")).toEqual([]);
  });

  test("says the size of a window as people do, or that a model cannot be used", () => {
    expect([900, 8_192, 128_000, 300_000, 1_000_000, 1_047_576].map(sizeName)).toEqual([
      "900",
      "8k",
      "128k",
      "300k",
      "1M",
      "1M",
    ]);
    expect(models.map(remarkOf)).toEqual(["128k", "128k", "not allowed here"]);
  });
});
