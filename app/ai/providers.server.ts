/** The clients of the model vendors, one of each per warm process, made at first use. */
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { config } from "~/config.server";
import { PublicError } from "~/errors";
import type { Model } from "./catalogue.server";

export type LanguageModel = ReturnType<ReturnType<typeof createOpenAI>["chat"]>;

const makers = new Map<string, (id: string) => LanguageModel>();

function maker(vendor: string): (id: string) => LanguageModel {
  if (vendor === "bedrock") {
    return createAmazonBedrock({
      region: config.region,
      credentialProvider: fromNodeProviderChain(),
      ...(config.endpoints.bedrock && { baseURL: config.endpoints.bedrock }),
    });
  }
  if (vendor === "openai" && config.openAiApiKey) {
    const { chat } = createOpenAI({
      apiKey: config.openAiApiKey,
      ...(config.endpoints.openAi && { baseURL: config.endpoints.openAi }),
    });
    return chat;
  }
  const endpoint = config.compatible.find(({ name }) => name === vendor);
  if (!endpoint) throw new PublicError("model-missing");
  return createOpenAICompatible({
    name: endpoint.name,
    baseURL: endpoint.url,
    includeUsage: true,
    ...(endpoint.key && { apiKey: endpoint.key }),
  });
}

/** The AI SDK's model that speaks to this model's vendor. Throws a PublicError "model-missing". */
export function languageModel(model: Model): LanguageModel {
  let make = makers.get(model.vendor);
  if (!make) {
    make = maker(model.vendor);
    makers.set(model.vendor, make);
  }
  return make(model.id);
}
