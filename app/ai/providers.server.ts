/**
 * The clients of the model vendors, one of each per warm process, made at first use.
 *
 * OpenAI has two protocols. Models that reason are called by Responses, where their reasoning is continued and
 * summarised and some exist only there; it is told not to keep what it is sent, which it does by default. All
 * others are called by chat completions, which takes stop sequences, keeps nothing, and costs less to read.
 */
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { config } from "~/config.server";
import { PublicError } from "~/errors";
import type { Model } from "./model";
import { type CallSettings, LEAST_THINKING, type ReasoningEffort } from "./settings";

/** The AI SDK's model, as its providers make it. */
export type LanguageModel = ReturnType<ReturnType<typeof createOpenAI>["chat"]>;
type CallOptions = Parameters<LanguageModel["doStream"]>[0];

const makers = new Map<string, (model: Model) => LanguageModel>();

function maker(vendor: string): (model: Model) => LanguageModel {
  if (vendor === "bedrock" && config.bedrock) {
    const bedrock = createAmazonBedrock({
      region: config.region,
      credentialProvider: fromNodeProviderChain(),
      ...(config.endpoints.bedrock && { baseURL: config.endpoints.bedrock }),
    });
    return ({ id }) => bedrock(id);
  }
  if (vendor === "openai" && config.openAiApiKey) {
    const openai = createOpenAI({
      apiKey: config.openAiApiKey,
      ...(config.endpoints.openAi && { baseURL: config.endpoints.openAi }),
    });
    return (model) => (speaksResponses(model) ? openai.responses(model.id) : openai.chat(model.id));
  }
  const endpoint = config.compatible.find(({ name }) => name === vendor);
  if (!endpoint) throw new PublicError("model-missing");
  const compatible = createOpenAICompatible({
    name: endpoint.name,
    baseURL: endpoint.url,
    includeUsage: true,
    ...(endpoint.key && { apiKey: endpoint.key }),
  });
  return ({ id }) => compatible(id);
}

const speaksResponses = (model: Model) => model.vendor === "openai" && model.thinks;

/** The AI SDK's model that speaks to this model's vendor. Throws a PublicError "model-missing". */
export function languageModel(model: Model): LanguageModel {
  let make = makers.get(model.vendor);
  if (!make) {
    make = maker(model.vendor);
    makers.set(model.vendor, make);
  }
  return make(model);
}

/** What a call asks for beside its settings, unless the vendor declined it before. */
export interface Extras {
  /** OpenAI's summary of its reasoning, which it gives to verified organisations only. */
  summary: boolean;
  /** What belongs together in OpenAI's prompt cache. */
  cacheKey?: string | undefined;
}

/** The share of the longest response that a Claude model may think with, as the AI SDK has it. */
const THINKING_SHARE: Partial<Record<ReasoningEffort, number>> = { low: 0.1, medium: 0.3, high: 0.6 };
/** The response beside it, in tokens, if nobody set a longest one: the AI SDK's 4,096 cut answers short. */
const BESIDE_THINKING = 16_384;

/**
 * The settings in the AI SDK's words. What is not set is not there. Reasoning is asked for so that it can be read:
 * the newest Claude models leave it out unless told otherwise, and OpenAI summarises it only on request. Efforts go
 * by the vendors' own names: the AI SDK's common ones have no "max", and its "xhigh" becomes "max" on Bedrock.
 */
export function callOptions(model: Model, sent: CallSettings, extras: Extras): Omit<CallOptions, "prompt"> {
  const { temperature, topP, maxTokens, stopSequences, reasoningEffort } = sent;
  const options: Omit<CallOptions, "prompt"> = {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(maxTokens !== undefined && { maxOutputTokens: maxTokens }),
    ...(stopSequences && { stopSequences }),
  };
  const { cacheKey } = extras;
  if (model.vendor === "openai") {
    const asked = extras.summary && reasoningEffort !== "none";
    return {
      ...options,
      ...(speaksResponses(model)
        ? {
            providerOptions: {
              openai: {
                store: false,
                ...(reasoningEffort && { reasoningEffort }),
                reasoningSummary: asked ? "auto" : null,
                ...(cacheKey && { promptCacheKey: cacheKey }),
              },
            },
          }
        : cacheKey && { providerOptions: { openai: { promptCacheKey: cacheKey } } }),
    };
  }
  // Bedrock's models that reason by themselves are told not to in words of their own, which the AI SDK leaves out.
  if (reasoningEffort === "none" && model.vendor === "bedrock") {
    const additionalModelRequestFields = model.thinking
      ? { thinking: { type: "disabled" } }
      : { reasoning: { effort: "none" } };
    return { ...options, providerOptions: { amazonBedrock: { additionalModelRequestFields } } };
  }
  const reasoningConfig =
    claudeThinking(model, sent) ??
    (reasoningEffort && ({ type: "enabled", maxReasoningEffort: reasoningEffort } as const));
  if (!reasoningConfig) return options;
  return {
    ...options,
    // Bedrock's figure is for both together; the AI SDK adds the budget to it.
    ...("budgetTokens" in reasoningConfig && { maxOutputTokens: longestBeside(model, maxTokens) }),
    providerOptions: { amazonBedrock: { reasoningConfig } },
  };
}

/** The longest response of a Claude model that thinks with a budget. */
function longestBeside({ maxOutput }: Model, maxTokens: number | undefined): number {
  return Math.min(maxTokens ?? BESIDE_THINKING, maxOutput - LEAST_THINKING);
}

/** The most that a call may give, reasoning included, as its vendor is told and sees to; undefined: it is told nothing. */
export function longestOutput(model: Model, sent: CallSettings): number | undefined {
  const thinking = claudeThinking(model, sent);
  return thinking?.type === "enabled" ? longestBeside(model, sent.maxTokens) + thinking.budgetTokens : sent.maxTokens;
}

/** How a Claude model is told to think; undefined: it is not, or the model is none. */
function claudeThinking(model: Model, { reasoningEffort, maxTokens }: CallSettings) {
  const { thinking, maxOutput, supports } = model;
  if (thinking === "budget" && reasoningEffort) {
    const wanted = Math.round(maxOutput * (THINKING_SHARE[reasoningEffort] ?? 0));
    const room = maxOutput - longestBeside(model, maxTokens);
    return { type: "enabled", budgetTokens: Math.max(LEAST_THINKING, Math.min(wanted, room)) } as const;
  }
  if (thinking === "always" || (thinking === "adaptive" && reasoningEffort)) {
    return {
      type: "adaptive",
      ...(reasoningEffort && { maxReasoningEffort: reasoningEffort }),
      // Those that still take a temperature show what they think.
      ...(supports.temperature === false && { display: "summarized" }),
    } as const;
  }
  return undefined;
}
