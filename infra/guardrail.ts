/**
 * The guardrail: what may be neither asked nor answered, whichever model answers. Off as shipped: every message and
 * every 800 characters of an answer cost a call then, and the first words wait for theirs (see the README). Change the
 * lists here, set `on`, and deploy: a changed policy becomes a new version, and runs that are live keep theirs.
 */

const on: boolean = false;

/**
 * Topics that are denied, both asked and answered. A definition has at most 200 characters and says what the topic is,
 * not what to do about it; up to five examples of at most 100 characters. The two below are examples of their own.
 */
const topics: { name: string; definition: string; examples: string[] }[] = [
  {
    name: "Investment advice",
    definition: "Recommendations about what to do with money in order to earn more: which assets to buy, hold or sell.",
    examples: [
      "Which stocks should I buy now?",
      "Is it better to hold bonds or shares?",
      "Where should I invest 5,000?",
    ],
  },
  {
    name: "Medical doses",
    definition: "How much of a medicine a person may take, how often, or what to do after a wrong dose.",
    examples: ["How many of these tablets may I take at once?", "What dose is right for a child of six?"],
  },
];

/** Harmful content, by how readily it is stopped: NONE, LOW, MEDIUM or HIGH, in questions and in answers. */
type Strength = "NONE" | "LOW" | "MEDIUM" | "HIGH";
const content: Record<string, { input: Strength; output: Strength }> = {
  HATE: { input: "MEDIUM", output: "HIGH" },
  INSULTS: { input: "LOW", output: "MEDIUM" },
  SEXUAL: { input: "MEDIUM", output: "HIGH" },
  VIOLENCE: { input: "MEDIUM", output: "HIGH" },
  MISCONDUCT: { input: "MEDIUM", output: "HIGH" },
  // Only questions can hold one.
  PROMPT_ATTACK: { input: "MEDIUM", output: "NONE" },
};

/**
 * Personal data: ANONYMIZE puts the name of its kind in its place, such as {EMAIL}, and that is what is stored and
 * sent; BLOCK stops the whole message or answer. The kinds are those of Bedrock (GuardrailPiiEntityConfig).
 */
const personalData: Record<string, "ANONYMIZE" | "BLOCK"> = {
  EMAIL: "ANONYMIZE",
  PHONE: "ANONYMIZE",
  INTERNATIONAL_BANK_ACCOUNT_NUMBER: "ANONYMIZE",
  PASSWORD: "ANONYMIZE",
  CREDIT_DEBIT_CARD_NUMBER: "BLOCK",
  US_SOCIAL_SECURITY_NUMBER: "BLOCK",
};

/** Words and phrases that are stopped wherever they stand. They cost nothing. */
const words: string[] = [];

/** What a person reads in the place of an answer; at most 500 characters each. */
const messages = {
  blockedInputMessaging: "The rules of this Sidenote do not allow this question.",
  blockedOutputsMessaging: "The rules of this Sidenote do not allow this answer. It was taken back.",
};

// --- What is made of it ------------------------------------------------------------------------------------------

const policies = [
  ...(topics.length > 0 ? ["topics" as const] : []),
  ...(Object.keys(content).length > 0 ? ["content" as const] : []),
  ...(Object.keys(personalData).length > 0 ? ["personal-data" as const] : []),
  ...(words.length > 0 ? ["words" as const] : []),
];
if (on && policies.length === 0) throw new Error("infra/guardrail.ts: the guardrail is on and has no policy");

function make() {
  const guardrail = new aws.bedrock.Guardrail("Guardrail", {
    name: `${$app.name}-${$app.stage}`,
    description: "Checks every message and every answer of Sidenote",
    ...messages,
    ...(topics.length > 0 && {
      topicPolicyConfig: { topicsConfigs: topics.map((topic) => ({ ...topic, type: "DENY" })) },
    }),
    ...(Object.keys(content).length > 0 && {
      contentPolicyConfig: {
        filtersConfigs: Object.entries(content).map(([type, { input, output }]) => ({
          type,
          inputStrength: input,
          outputStrength: output,
        })),
      },
    }),
    ...(Object.keys(personalData).length > 0 && {
      sensitiveInformationPolicyConfig: {
        piiEntitiesConfigs: Object.entries(personalData).map(([type, action]) => ({ type, action })),
      },
    }),
    ...(words.length > 0 && { wordPolicyConfig: { wordsConfigs: words.map((text) => ({ text })) } }),
  });
  // A version never changes; another description, and so another version, whenever a policy does.
  const version = new aws.bedrock.GuardrailVersion("GuardrailVersion", {
    guardrailArn: guardrail.guardrailArn,
    // Runs that are live still ask the version that they began with.
    skipDestroy: true,
    description: `Policies ${fingerprint(JSON.stringify({ topics, content, personalData, words, messages }))}`,
  });
  return { id: guardrail.guardrailId, version: version.version, policies, arn: guardrail.guardrailArn };
}

/** A short name for a text (FNV-1a): enough to tell that it changed. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}

/** What the server is told, and the ARN that it may use; undefined while the guardrail is off. */
export const guardrail: ReturnType<typeof make> | undefined = on ? make() : undefined;
