/**
 * Which models people may use, the default one, and the words that stand before every thread. Deploy-time data:
 * the server may invoke what is listed here and nothing else. Each listed Bedrock model must be enabled once in
 * the account by somebody who may subscribe to it; the server's role cannot.
 */
import { bareBedrockId } from "../app/ai/families";

/** `bedrock:<model or inference profile id>` or `openai:<id>`. OpenAI models need the secret OpenAiKey. */
const allow = [
  "bedrock:us.amazon.nova-lite-v1:0",
  "bedrock:us.amazon.nova-pro-v1:0",
  "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  "bedrock:openai.gpt-oss-120b-1:0",
  "openai:gpt-6-luna",
  "openai:gpt-6.1-terra",
  "openai:gpt-6.1-sol",
];

export const models = {
  allow,
  default: "bedrock:us.amazon.nova-lite-v1:0",
  /** For example "Answer in the language of the question." Absent: nothing is added. */
  systemPrompt: undefined as string | undefined,
};

/**
 * OpenAI-compatible endpoints beside OpenAI itself: a name of small letters, a URL that ends in /v1, a key if it needs
 * one (`new sst.Secret("HouseKey", "off").value`, set by `npx sst secret set HouseKey <key>`), and how many tokens its
 * models read at once. The README has an example each for Ollama, vLLM and Bedrock's own.
 */
export const compatible: { name: string; url: string; key?: $util.Output<string>; window?: number }[] = [];

/** "off", the value of a secret that was never set, means that no OpenAI model is offered. */
export const openAiKey = new sst.Secret("OpenAiKey", "off");

const account = aws.getCallerIdentityOutput().accountId;
const region = aws.getRegionOutput().region;
const bedrockIds = allow.filter((ref) => ref.startsWith("bedrock:")).map((ref) => ref.slice("bedrock:".length));

/**
 * An inference profile routes a call to the same model in several regions, so the model's ARN leaves the region
 * open; the profile's own ARN does not.
 */
export const invocableArns = bedrockIds.flatMap((id) => {
  const model = `arn:aws:bedrock:*::foundation-model/${bareBedrockId(id)}`;
  return bareBedrockId(id) !== id
    ? [model, $interpolate`arn:aws:bedrock:${region}:${account}:inference-profile/${id}`]
    : [model];
});
