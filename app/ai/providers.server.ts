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
import type { CallSettings } from "./settings";

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

/**
 * The settings in the AI SDK's words. What is not set is not there; so the summary that the SDK asks for beside an
 * effort is unset (OpenAI gives it to verified organisations only, and refuses the others).
 */
export function callOptions(model: Model, sent: CallSettings): Omit<CallOptions, "prompt"> {
  const { temperature, topP, maxTokens, stopSequences, reasoningEffort } = sent;
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(maxTokens !== undefined && { maxOutputTokens: maxTokens }),
    ...(stopSequences && { stopSequences }),
    ...(reasoningEffort && { reasoning: reasoningEffort }),
    ...(speaksResponses(model) && { providerOptions: { openai: { store: false, reasoningSummary: null } } }),
  };
}
