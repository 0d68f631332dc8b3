import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { families, traitsOf } from "./families";
import { parseModelRef, reasoningEfforts, reasonsAgainst, settingsFor, switchModel, threadSettings } from "./settings";

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
      { setting: "temperature", reason: "This model sets its own temperature." },
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

describe("why a setting is off", () => {
  const named = (vendor: string, id: string, name: string) => ({
    ...traitsOf(vendor, id),
    ref: `${vendor}:${id}`,
    name,
  });
  const gpt5 = named("openai", "gpt-5", "GPT-5");
  const gpt52 = named("openai", "gpt-5.2", "GPT-5.2");
  const claude = named("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "Claude Sonnet 4.5");
  const opus = named("bedrock", "us.anthropic.claude-opus-4-7", "Claude Opus 4.7");
  const nova2 = named("bedrock", "us.amazon.nova-2-lite-v1:0", "Nova 2 Lite");
  const llama = named("bedrock", "us.meta.llama3-3-70b-instruct-v1:0", "Llama 3.3");

  test("is a sentence with the model's name, for each setting that it does not take now", () => {
    expect(reasonsAgainst(named("house", "some-model", "Some model"), {})).toEqual({
      reasoningEffort: "Some model has no reasoning effort.",
    });
    expect(reasonsAgainst(llama, {})).toEqual({
      reasoningEffort: "Llama 3.3 has no reasoning effort.",
      stopSequences: "Llama 3.3 takes no stop sequences.",
    });
    expect(reasonsAgainst(gpt5, {})).toEqual({
      temperature: "GPT-5 sets its own temperature.",
      topP: "GPT-5 sets its own top P.",
      stopSequences: "GPT-5 takes no stop sequences.",
    });
    expect(reasonsAgainst(opus, {})).toEqual({
      temperature: "Claude Opus 4.7 sets its own temperature.",
      topP: "Claude Opus 4.7 sets its own top P.",
    });
  });

  test("depends on what else is set", () => {
    expect(reasonsAgainst(claude, {})).toEqual({});
    expect(reasonsAgainst(claude, { temperature: 0.2 })).toEqual({
      topP: "Claude Sonnet 4.5 takes either a temperature or top P.",
    });
    expect(reasonsAgainst(claude, { topP: 0.2 })).toEqual({});
    expect(reasonsAgainst(claude, { reasoningEffort: "low" })).toEqual({
      temperature: "Claude Sonnet 4.5 takes no temperature beside a reasoning effort.",
      topP: "Claude Sonnet 4.5 takes no top P beside a reasoning effort.",
    });
    expect(reasonsAgainst(gpt52, {})).toMatchObject({
      temperature: "GPT-5.2 takes a temperature only with no reasoning effort.",
      topP: "GPT-5.2 takes top P only with no reasoning effort.",
    });
    expect(reasonsAgainst(gpt52, { reasoningEffort: "none" })).not.toHaveProperty("temperature");
    expect(reasonsAgainst(nova2, { reasoningEffort: "medium" })).toEqual({});
    expect(reasonsAgainst(nova2, { reasoningEffort: "high" })).toEqual({
      temperature: "Nova 2 Lite takes no temperature beside a high reasoning effort.",
      topP: "Nova 2 Lite takes no top P beside a high reasoning effort.",
      maxTokens: "Nova 2 Lite takes no maximum response length beside a high reasoning effort.",
    });
  });

  test("is the reason too for which the server drops it", () => {
    const all = {
      temperature: 0.2,
      topP: 0.3,
      maxTokens: 99,
      stopSequences: ["END"],
      reasoningEffort: "high" as const,
    };
    for (const model of [gpt5, gpt52, claude, opus, nova2, llama]) {
      const reasons = reasonsAgainst(model, all);
      const { dropped } = settingsFor(model, all);
      expect(Object.fromEntries(dropped.map(({ setting, reason }) => [setting, reason])), model.name).toEqual(reasons);
    }
  });

  test("can lie in the value alone", () => {
    expect(settingsFor(claude, { stopSequences: ["\n", "END", " "] }).sent).toEqual({ stopSequences: ["END"] });
    expect(settingsFor(claude, { stopSequences: ["\n\n"] })).toEqual({
      sent: {},
      dropped: [
        { setting: "stopSequences", reason: "Claude Sonnet 4.5 takes no stop sequence that is white space alone." },
      ],
    });
    expect(settingsFor(nova, { stopSequences: ["\n\n"] }).sent).toEqual({ stopSequences: ["\n\n"] });
    expect(settingsFor(gpt5, { reasoningEffort: "none" }).dropped).toEqual([
      { setting: "reasoningEffort", reason: "GPT-5 cannot be told not to reason." },
    ]);
  });

  test("leaves room to think under a longest response", () => {
    expect(settingsFor(claude, { maxTokens: 64_000 }).sent.maxTokens).toBe(64_000);
    expect(settingsFor(claude, { maxTokens: 64_000, reasoningEffort: "high" }).sent.maxTokens).toBe(64_000 - 1_024);
  });
});

describe("changing the model", () => {
  const named = (vendor: string, id: string, name: string) => ({
    ...traitsOf(vendor, id),
    ref: `${vendor}:${id}`,
    name,
  });
  const all = {
    model: "openai:gpt-4.1",
    temperature: 1.6,
    topP: 0.9,
    maxTokens: 30_000,
    stopSequences: ["END"],
    systemPrompt: "Be brief.",
    notes: "none" as const,
    historyLength: 50,
  };

  test("keeps what fits, changes what fits changed, and says what it dropped", () => {
    const to = named("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "Claude Haiku 4.5");
    expect(switchModel(all, to)).toEqual({
      settings: {
        model: to.ref,
        temperature: 1,
        maxTokens: 30_000,
        stopSequences: ["END"],
        systemPrompt: "Be brief.",
        notes: "none",
        historyLength: 50,
      },
      dropped: [{ setting: "topP", reason: "Claude Haiku 4.5 takes either a temperature or top P." }],
      adjusted: [{ setting: "temperature", reason: "Claude Haiku 4.5 takes a temperature from 0 to 1." }],
    });
  });

  test("finds the nearest effort, and never turns reasoning on or off", () => {
    const efforts = (reasoningEffort: (typeof reasoningEfforts)[number], id: string, vendor = "openai") =>
      switchModel({ reasoningEffort }, named(vendor, id, "It")).settings.reasoningEffort;
    expect(efforts("xhigh", "gpt-5")).toBe("high");
    expect(efforts("max", "gpt-5.5")).toBe("xhigh");
    expect(efforts("max", "gpt-5.6-luna")).toBe("max");
    expect(switchModel({ reasoningEffort: "max" }, named("openai", "gpt-5.5", "It")).adjusted).toEqual([
      { setting: "reasoningEffort", reason: "It has other reasoning efforts. The nearest is “Higher”." },
    ]);
    // As near to the one as to the other: the one that costs less.
    expect(efforts("xhigh", "us.anthropic.claude-opus-4-6-v1", "bedrock")).toBe("high");
    expect(efforts("minimal", "o4-mini")).toBe("low");
    expect(efforts("minimal", "gpt-5.1")).toBe("low");
    expect(efforts("none", "gpt-5")).toBeUndefined();
    expect(efforts("none", "gpt-5.1")).toBe("none");
    expect(efforts("high", "gpt-4.1")).toBeUndefined();
  });

  test("drops nothing on the way to a model that nobody knows, and is the same if done twice", () => {
    const to = named("house", "some-model", "Some model");
    const once = switchModel(all, to);
    expect(once).toEqual({ settings: { ...all, model: to.ref }, dropped: [], adjusted: [] });
    const titan = named("bedrock", "amazon.titan-text-express-v1", "Titan");
    const { settings } = switchModel(all, titan);
    expect(switchModel(settings, titan)).toEqual({ settings, dropped: [], adjusted: [] });
  });
});
