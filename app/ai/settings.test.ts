import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { families, traitsOf } from "./families";
import { parseModelRef, reasoningEfforts, settingsFor, threadSettings } from "./settings";

const nova = traitsOf("bedrock", "us.amazon.nova-lite-v1:0");
const sonnet = traitsOf("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0");

describe("the settings of a thread", () => {
  test("hold only what was set, and nothing that nobody knows", () => {
    expect(threadSettings.parse({})).toEqual({});
    expect(threadSettings.parse({ temperature: 0.5, notes: "none" })).toEqual({ temperature: 0.5, notes: "none" });
    expect(threadSettings.safeParse({ temprature: 0.5 }).success).toBe(false);
    expect(threadSettings.safeParse(JSON.parse('{"__proto__": {"temperature": 1}}')).success).toBe(false);
  });

  test.each([
    { temperature: -0.1 },
    { temperature: 2.1 },
    { temperature: Number.NaN },
    { temperature: "1" },
    { topP: 0 },
    { topP: 1.1 },
    { maxTokens: 0 },
    { maxTokens: 10.5 },
    { stopSequences: [] },
    { stopSequences: [""] },
    { stopSequences: ["a", "b", "c", "d", "e"] },
    { reasoningEffort: "much" },
    { systemPrompt: "x".repeat(16_001) },
    { notes: "some" },
    { notes: "chosen", chosenNotes: ["../someone-else's"] },
    { notes: "chosen", chosenNotes: Array.from({ length: 201 }, () => "01HZX3V9ZK5T8N6Q2W4Y7R0ABC") },
    { historyLength: 1 },
    { historyLength: 201 },
    { model: "gpt-4.1" },
  ])("are refused where they are out of range: %o", (settings) => {
    expect(threadSettings.safeParse(settings).success).toBe(false);
  });
});

describe("a model reference", () => {
  test("has a vendor and an id, which may hold colons and slashes", () => {
    expect(parseModelRef("bedrock:us.amazon.nova-lite-v1:0")).toEqual({
      vendor: "bedrock",
      id: "us.amazon.nova-lite-v1:0",
    });
    expect(parseModelRef("ollama:hf.co/someone/model:Q4_K_M")?.id).toBe("hf.co/someone/model:Q4_K_M");
    expect(parseModelRef("openai:ft:gpt-4.1-mini:house::abc")?.id).toBe("ft:gpt-4.1-mini:house::abc");
  });

  test.each(["", ":", "openai:", "openai", "Open AI:x", "openai:\nx", "openai:../x", `openai:${"x".repeat(300)}`])(
    "is refused if it is %j",
    (ref) => {
      expect(parseModelRef(ref)).toBeUndefined();
    },
  );
});

describe("the settings that are sent", () => {
  test("are none if none were set", () => {
    expect(settingsFor(nova, {})).toEqual({ sent: {}, dropped: [] });
    expect(settingsFor(nova, { model: "openai:x", notes: "all", systemPrompt: "Be brief." })).toEqual({
      sent: {},
      dropped: [],
    });
  });

  test("are moved into the ranges of the model, as after a change of the vendor", () => {
    const { sent } = settingsFor(nova, { temperature: 1.8, topP: 0.001, maxTokens: 500_000, stopSequences: ["a"] });
    expect(sent).toEqual({ temperature: 1, topP: 0.01, maxTokens: 10_000, stopSequences: ["a"] });
    expect(settingsFor(traitsOf("openai", "gpt-5-mini"), { maxTokens: 3 }).sent).toEqual({ maxTokens: 16 });
  });

  test("leave out top P where only one of both may be sent, and take it alone", () => {
    expect(settingsFor(sonnet, { temperature: 0.5, topP: 0.5 })).toEqual({
      sent: { temperature: 0.5 },
      dropped: [{ setting: "topP", reason: "This model takes either a temperature or top P." }],
    });
    expect(settingsFor(sonnet, { topP: 0.5 }).sent).toEqual({ topP: 0.5 });
  });

  test("leave out the temperature of a model that reasons", () => {
    expect(settingsFor(sonnet, { temperature: 0.5, reasoningEffort: "low" }).sent).toEqual({ reasoningEffort: "low" });
    const optional = traitsOf("openai", "gpt-5.2");
    expect(settingsFor(optional, { temperature: 0.5 }).sent).toEqual({});
    expect(settingsFor(optional, { temperature: 0.5, reasoningEffort: "none" }).sent).toEqual({
      temperature: 0.5,
      reasoningEffort: "none",
    });
    expect(settingsFor(traitsOf("openai", "gpt-5"), { temperature: 0.5 }).dropped).toEqual([
      { setting: "temperature", reason: "This model does not take a temperature." },
    ]);
  });

  test("are sent as they were set to a model that nobody knows", () => {
    const settings = { temperature: 1.4, topP: 0.3, maxTokens: 60_000, stopSequences: ["END"] };
    expect(settingsFor(traitsOf("house", "some-model"), settings)).toEqual({ sent: settings, dropped: [] });
  });

  test("are for every family either sent or dropped with a reason, and never made up", () => {
    const settings = fc.record(
      {
        temperature: fc.double({ min: 0, max: 2, noNaN: true }),
        topP: fc.double({ min: 0.001, max: 1, noNaN: true }),
        maxTokens: fc.integer({ min: 1, max: 1_000_000 }),
        stopSequences: fc.array(fc.string({ minLength: 1, maxLength: 100 }), { minLength: 1, maxLength: 4 }),
        reasoningEffort: fc.constantFrom(...reasoningEfforts),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.constantFrom(...families), settings, (family, set) => {
        const { sent, dropped } = settingsFor({ ...family, family: family.name }, set);
        const accounted = [...Object.keys(sent), ...dropped.map(({ setting }) => setting)];
        expect(accounted.sort()).toEqual(Object.keys(set).sort());
        const { supports } = family;
        if (sent.temperature !== undefined && sent.topP !== undefined) expect(supports.temperatureWithTopP).toBe(true);
        if (!supports.temperature) expect(sent).not.toHaveProperty("temperature");
        if (!supports.stopSequences) expect(sent).not.toHaveProperty("stopSequences");
        expect(threadSettings.safeParse(sent).success).toBe(true);
      }),
    );
  });
});
