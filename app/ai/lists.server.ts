/**
 * The vendors' own lists of models, each cut down to those that can hold a conversation and stream it. The
 * clients are loaded when a list is read for the first time: a send needs none of them.
 */
import { config } from "~/config.server";
import { bareBedrockId } from "./families";

export interface ListedModel {
  id: string;
  name: string;
  /** A Bedrock model that may only be called by this inference profile. */
  standsFor?: string;
  /** Another id of a model that is on the list already: usable, but not offered. */
  alias?: boolean;
  /** On its way out, or made for something else than conversations: usable, and offered to who names it. */
  onlyNamed?: boolean;
}

/** Milliseconds that a list may take. */
const TIMEOUT = 4_000;

/** The geographies of inference profiles by region, the nearest first; global ones may leave the continent. */
export function geographies(region: string): string[] {
  const near = region.startsWith("us-gov")
    ? ["us-gov"]
    : region.startsWith("us")
      ? ["us"]
      : region.startsWith("eu")
        ? ["eu"]
        : region.startsWith("ca")
          ? ["ca", "us"]
          : region === "ap-northeast-1" || region === "ap-northeast-3"
            ? ["jp", "apac"]
            : region === "ap-southeast-2" || region === "ap-southeast-4"
              ? ["au", "apac"]
              : region.startsWith("ap-south-")
                ? ["in", "apac"]
                : region.startsWith("ap")
                  ? ["apac"]
                  : [];
  return [...near, "global"];
}

/** They write text about a film, and know neither messages nor Converse; the list does not say so. */
const withoutConverse = /^twelvelabs\./;

/**
 * Bedrock's text models. Where only inference profiles may be called, they stand in the model's place. A legacy model
 * still answers those who use it until its last day, so a thread or an operator's list that names it goes on.
 */
export async function listBedrock(): Promise<ListedModel[]> {
  const { BedrockClient, ListFoundationModelsCommand, paginateListInferenceProfiles } = await import(
    "@aws-sdk/client-bedrock"
  );
  const client = new BedrockClient({
    region: config.region,
    maxAttempts: 2,
    requestHandler: { requestTimeout: TIMEOUT, connectionTimeout: 1_000 },
  });
  const listProfiles = async () => {
    const profiles: { id: string; name: string }[] = [];
    const pages = paginateListInferenceProfiles({ client, pageSize: 1_000 }, { typeEquals: "SYSTEM_DEFINED" });
    for await (const { inferenceProfileSummaries = [] } of pages) {
      for (const { inferenceProfileId, inferenceProfileName, status } of inferenceProfileSummaries) {
        if (inferenceProfileId && status === "ACTIVE") {
          profiles.push({ id: inferenceProfileId, name: inferenceProfileName ?? inferenceProfileId });
        }
      }
    }
    return profiles;
  };
  try {
    const [{ modelSummaries = [] }, profiles] = await Promise.all([
      client.send(new ListFoundationModelsCommand({ byOutputModality: "TEXT" })),
      listProfiles(),
    ]);
    const nearest = geographies(config.region);
    return modelSummaries.flatMap((summary): ListedModel[] => {
      const { modelId, modelName, providerName, inferenceTypesSupported: types = [] } = summary;
      // One that speaks as well answers in another way than by ConverseStream.
      const usable =
        summary.responseStreamingSupported &&
        summary.outputModalities?.join() === "TEXT" &&
        summary.inputModalities?.includes("TEXT");
      if (!modelId || !usable || withoutConverse.test(modelId)) return [];
      const onlyNamed = summary.modelLifecycle?.status !== "ACTIVE" && { onlyNamed: true };
      const name = modelName ?? modelId;
      const full = providerName && !name.includes(providerName) ? `${providerName} ${name}` : name;
      const rank = (id: string) => nearest.findIndex((geography) => id.startsWith(`${geography}.`));
      const own = profiles
        .filter(({ id }) => bareBedrockId(id) === modelId && rank(id) >= 0)
        .sort((one, other) => rank(one.id) - rank(other.id));
      if (types.includes("ON_DEMAND")) {
        return [{ id: modelId, name: full, ...onlyNamed }, ...own.map(({ id, name }) => ({ id, name, alias: true }))];
      }
      return own.map(({ id }, index) =>
        index === 0
          ? { id, name: full, standsFor: modelId, ...onlyNamed }
          : { id, name: `${full} (${id.split(".")[0]})`, alias: true },
      );
    });
  } finally {
    client.destroy();
  }
}

async function listIds(options: { baseURL?: string | undefined; apiKey: string }): Promise<string[]> {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ ...options, timeout: TIMEOUT, maxRetries: 1 });
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  return ids;
}

const chat = /^(ft:)?(gpt-\d|chatgpt-|o\d)/;
const notChat = /instruct|audio|realtime|transcribe|tts|image|search|deep-research|computer-use|moderation|live/;
/** Made to work on code in an agent, or to think for many minutes at many times the price. */
const special = /-codex|-pro(-\d|$)/;
/** A dated snapshot, beside the name that follows the newest one. */
const snapshot = /-(\d{4}-\d{2}-\d{2}|\d{4})$/;

/** OpenAI's chat models: its list also holds embeddings, speech, images and models that only complete. */
export async function listOpenAi(): Promise<ListedModel[]> {
  const ids = await listIds({ apiKey: config.openAiApiKey ?? "", baseURL: config.endpoints.openAi });
  const chats = ids.filter((id) => chat.test(id) && !notChat.test(id));
  return chats.map((id) => {
    const newest = id.replace(snapshot, "");
    return {
      id,
      name: id,
      ...(newest !== id && chats.includes(newest) && { alias: true }),
      ...(special.test(id) && { onlyNamed: true }),
    };
  });
}

/** All that a compatible endpoint offers, save what cannot talk. */
export async function listCompatible(endpoint: { url: string; key?: string | undefined }): Promise<ListedModel[]> {
  // The client insists on a key; endpoints without one ignore it.
  const ids = await listIds({ apiKey: endpoint.key ?? "none", baseURL: endpoint.url });
  return ids.filter((id) => !/embed|rerank|whisper|tts/i.test(id)).map((id) => ({ id, name: id }));
}

/** A few ids for a list that could never be read: better than none, and the page says what they are. */
export function wellKnown(vendor: string): ListedModel[] {
  const [nearest = "global"] = geographies(config.region);
  if (vendor === "bedrock") {
    return [
      { id: "amazon.nova-micro-v1:0", name: "Amazon Nova Micro" },
      { id: "amazon.nova-lite-v1:0", name: "Amazon Nova Lite" },
      { id: "amazon.nova-pro-v1:0", name: "Amazon Nova Pro" },
      { id: "anthropic.claude-haiku-4-5-20251001-v1:0", name: "Anthropic Claude Haiku 4.5" },
      { id: "anthropic.claude-sonnet-4-5-20250929-v1:0", name: "Anthropic Claude Sonnet 4.5" },
    ].map(({ id, name }) => ({ id: `${nearest}.${id}`, name, standsFor: id }));
  }
  if (vendor === "openai") {
    return ["gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol"].map((id) => ({ id, name: id }));
  }
  return [];
}
