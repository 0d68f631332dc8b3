import { describe, expect, test } from "vitest";
import { bareBedrockId, families, traitsOf } from "./families";

describe("the family of a model", () => {
  test.each([
    ["bedrock", "amazon.nova-micro-v1:0", "Amazon Nova Micro"],
    ["bedrock", "us.amazon.nova-pro-v1:0", "Amazon Nova"],
    ["bedrock", "global.amazon.nova-2-lite-v1:0", "Amazon Nova 2"],
    ["bedrock", "us.amazon.nova-premier-v1:0", "Amazon Nova Premier"],
    ["bedrock", "amazon.titan-text-express-v1", "Amazon Titan Text"],
    ["bedrock", "anthropic.claude-3-haiku-20240307-v1:0", "Claude 3"],
    ["bedrock", "eu.anthropic.claude-3-5-sonnet-20240620-v1:0", "Claude 3.5"],
    ["bedrock", "us.anthropic.claude-3-7-sonnet-20250219-v1:0", "Claude Sonnet 4"],
    ["bedrock", "apac.anthropic.claude-sonnet-4-20250514-v1:0", "Claude Sonnet 4"],
    ["bedrock", "us.anthropic.claude-opus-4-1-20250805-v1:0", "Claude Opus 4"],
    ["bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "Claude Opus and Haiku 4.5"],
    ["bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "Claude Sonnet 4.5"],
    ["bedrock", "us.anthropic.claude-3-5-haiku-20241022-v1:0", "Claude 3.5 Haiku"],
    ["bedrock", "us.anthropic.claude-opus-4-6-v1", "Claude Opus 4.6"],
    ["bedrock", "us.anthropic.claude-sonnet-4-6", "Claude Sonnet 4.6"],
    ["bedrock", "us.anthropic.claude-opus-4-7", "Claude Opus 4.7"],
    ["bedrock", "us.anthropic.claude-opus-4-8", "Claude Opus 4.8"],
    ["bedrock", "us.anthropic.claude-sonnet-5", "Claude Sonnet 5"],
    ["bedrock", "us.anthropic.claude-sonnet-5-5", "Claude that always thinks"],
    ["bedrock", "us.anthropic.claude-opus-5-5", "Claude that always thinks"],
    ["bedrock", "us.anthropic.claude-haiku-6", "Claude that always thinks"],
    ["bedrock", "global.anthropic.claude-opus-5", "Claude that thinks unless told not to"],
    ["bedrock", "jp.anthropic.claude-haiku-5-5", "Claude that thinks unless told not to"],
    ["bedrock", "us.anthropic.claude-fable-5-2", "Claude that always thinks"],
    ["bedrock", "amazon.nova-2-5-sonic", "unknown"],
    ["bedrock", "meta.llama3-70b-instruct-v1:0", "Llama 3"],
    ["bedrock", "us.meta.llama3-3-70b-instruct-v1:0", "Llama 3.1 to 3.3"],
    ["bedrock", "us.meta.llama4-maverick-17b-instruct-v1:0", "Llama 4"],
    ["bedrock", "mistral.mistral-7b-instruct-v0:2", "Mistral Instruct"],
    ["bedrock", "mistral.mixtral-8x7b-instruct-v0:1", "Mistral Instruct"],
    ["bedrock", "mistral.mistral-large-2402-v1:0", "Mistral (24.02)"],
    ["bedrock", "us.mistral.pixtral-large-2502-v1:0", "Mistral"],
    ["bedrock", "us.deepseek.r1-v1:0", "DeepSeek R1"],
    ["bedrock", "cohere.command-r-plus-v1:0", "Cohere Command R"],
    ["bedrock", "openai.gpt-oss-120b-1:0", "gpt-oss"],
    ["bedrock", "openai.gpt-oss-20b-1:0", "gpt-oss"],
    ["bedrock", "global.openai.gpt-5.6-luna", "GPT on Bedrock, reasoning optional"],
    ["bedrock", "us.openai.gpt-6.1-sol", "GPT on Bedrock"],
    ["bedrock", "mistral.voxtral-mini-3b-2507", "Voxtral"],
    ["bedrock", "mistral.devstral-2-123b", "Mistral Large 3 and Devstral 2"],
    ["bedrock", "mistral.mistral-large-2407-v1:0", "Mistral"],
    ["bedrock", "qwen.qwen3-coder-480b-a35b-v1:0", "Qwen3 Coder"],
    ["bedrock", "qwen.qwen3-vl-235b-a22b", "Qwen3"],
    ["bedrock", "moonshot.kimi-k2-thinking", "Kimi K2"],
    ["bedrock", "in.moonshotai.kimi-k3.1", "Kimi K3"],
    ["bedrock", "mistral.ministral-3-8b-instruct", "Mistral"],
    ["bedrock", "deepseek.v3-v1:0", "DeepSeek"],
    ["openai", "gpt-4.1-mini", "GPT-4.1"],
    ["openai", "gpt-4o-2024-08-06", "GPT-4o"],
    ["openai", "gpt-4-turbo", "GPT-4 Turbo"],
    ["openai", "gpt-4", "GPT-4"],
    ["openai", "gpt-3.5-turbo-0125", "GPT-3.5 Turbo"],
    ["openai", "o4-mini", "OpenAI o series"],
    ["openai", "gpt-5", "GPT-5"],
    ["openai", "gpt-5-mini-2025-08-07", "GPT-5"],
    ["openai", "gpt-5-chat-latest", "GPT-5 chat"],
    ["openai", "gpt-5.2-chat-latest", "GPT-5.1 chat and later"],
    ["openai", "gpt-5-pro", "GPT-5 Pro"],
    ["openai", "gpt-5.2-pro", "GPT-5.2 Pro and later"],
    ["openai", "gpt-6.1-terra", "GPT-6, reasoning optional"],
    ["openai", "gpt-6.1-sol", "GPT-6"],
    ["openai", "gpt-5.1-codex-mini", "GPT-5 Codex"],
    ["openai", "gpt-5.1", "GPT-5.1"],
    ["openai", "gpt-5.5", "GPT-5.2 to 5.5"],
    ["openai", "gpt-5.6-terra", "GPT-5.6 and later"],
    ["openai", "gpt-6-luna", "GPT-6, reasoning optional"],
    ["openai", "gpt-6-astra", "GPT-6"],
    ["openai", "ft:gpt-4.1-mini:house::abc", "GPT-4.1"],
    ["openai", "next-year's", "unknown"],
    ["bedrock", "gpt-4.1", "unknown"],
    ["house", "gpt-4.1", "unknown"],
  ])("of %s's %s is %s", (vendor, id, family) => {
    expect(traitsOf(vendor, id).family).toBe(family);
  });

  test.each(["us-gov", "us", "eu", "apac", "jp", "au", "ca", "in", "global"])(
    "is the same by the inference profile of %s, whose id is the model's behind the geography",
    (geography) => {
      expect(bareBedrockId(`${geography}.anthropic.claude-opus-5`)).toBe("anthropic.claude-opus-5");
      expect(traitsOf("bedrock", `${geography}.amazon.nova-2-lite-v1:0`).family).toBe("Amazon Nova 2");
    },
  );

  test("names what it was held against and when, and sizes that fit each other", () => {
    for (const { name, source, window, minOutput, maxOutput } of families) {
      expect(source.page, name).not.toBe("");
      expect(source.checked, name).toMatch(/^20\d\d-\d\d-\d\d$/);
      expect(maxOutput, name).toBeLessThanOrEqual(window);
      expect(minOutput, name).toBeLessThan(maxOutput);
    }
    expect(new Set(families.map(({ vendor, name }) => `${vendor} ${name}`)).size).toBe(families.length);
  });

  test("says what it has at second hand, and claims no page of its vendor that was not read", () => {
    for (const { name, source } of families) {
      const namesVendor = /user guide|Claude documentation|OpenAI API documentation/.test(source.page);
      expect(namesVendor, name).toBe(source.reading !== "others");
      if (source.reading !== "whole") expect(source.unchecked, name).toBeTruthy();
    }
  });

  test("has prompt caching only where its vendor takes it: elsewhere Bedrock refuses the whole call", () => {
    const caching = (vendor: string, id: string) => traitsOf(vendor, id).supports.promptCache;
    expect(caching("bedrock", "us.amazon.nova-lite-v1:0")).toEqual({ leastTokens: 1_000 });
    expect(caching("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")).toEqual({ leastTokens: 1_024 });
    expect(caching("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0")).toEqual({ leastTokens: 4_096 });
    expect(caching("openai", "gpt-4o")).toEqual({ leastTokens: 1_024 });
    for (const id of [
      "anthropic.claude-3-haiku-20240307-v1:0",
      "us.anthropic.claude-3-5-sonnet-20240620-v1:0",
      "us.meta.llama3-3-70b-instruct-v1:0",
      "mistral.mistral-large-2402-v1:0",
      "us.deepseek.r1-v1:0",
      "cohere.command-r-v1:0",
      "openai.gpt-oss-120b-1:0",
      "amazon.titan-text-express-v1",
      "nobody.knows-it",
    ])
      expect(caching("bedrock", id), id).toBe(false);
    expect(caching("house", "gpt-4o")).toBe(false);
  });
});
