/**
 * The model server's guardrail: the policies that `infra/guardrail.ts` ships, in a simple form. Topics and content
 * are known by words, personal data by patterns; a real guardrail understands what is meant. Whoever tries Sidenote on
 * one machine meets every path with it: text that passes, is masked, or is blocked.
 */

/** The one guardrail that is there. */
export const localGuardrail = {
  id: "localguardrail",
  version: "1",
  policies: ["topics", "content", "personal-data"] as ("topics" | "content" | "words" | "personal-data")[],
};

export const blockedInput = "The rules of this Sidenote do not allow this question.";
export const blockedOutput = "The rules of this Sidenote do not allow this answer. It was taken back.";

type Source = "INPUT" | "OUTPUT";

const topics = [
  { name: "Investment advice", words: /\b(?:invest(?:ing|ments?)?|stocks?|shares|bonds|crypto(?:currency)?)\b/iu },
  { name: "Medical doses", words: /\b(?:dos(?:e|es|age)|milligrams?|tablets?)\b/iu },
];

const filters: { type: string; words: RegExp; sources: Source[] }[] = [
  { type: "VIOLENCE", words: /\b(?:kill|murder|stab|bombs?)\b/iu, sources: ["INPUT", "OUTPUT"] },
  { type: "INSULTS", words: /\b(?:idiots?|morons?)\b/iu, sources: ["INPUT", "OUTPUT"] },
  { type: "MISCONDUCT", words: /\b(?:counterfeit|pick a lock|launder money)\b/iu, sources: ["INPUT", "OUTPUT"] },
  {
    type: "PROMPT_ATTACK",
    words: /\bignore (?:all |any )?(?:your|previous|prior) (?:rules|instructions)\b/iu,
    sources: ["INPUT"],
  },
];

const entities: { type: string; pattern: RegExp; action: "BLOCKED" | "ANONYMIZED" }[] = [
  {
    type: "CREDIT_DEBIT_CARD_NUMBER",
    pattern: /(?<![\w-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w-])/gu,
    action: "BLOCKED",
  },
  { type: "US_SOCIAL_SECURITY_NUMBER", pattern: /(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])/gu, action: "BLOCKED" },
  { type: "EMAIL", pattern: /[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[a-z]{2,24}/giu, action: "ANONYMIZED" },
  {
    type: "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/gu,
    action: "ANONYMIZED",
  },
  { type: "PHONE", pattern: /(?<![\w+-])(?:\+\d{1,3}|0)[\d ()/-]{7,15}\d(?![\w-])/gu, action: "ANONYMIZED" },
];

/** ApplyGuardrail's answer about one text, without what the call itself adds. */
export function assess(text: string, source: Source) {
  const units = Math.ceil(text.length / 1_000);
  const foundTopics = topics
    .filter(({ words }) => words.test(text))
    .map(({ name }) => ({ name, type: "DENY", action: "BLOCKED", detected: true }));
  const foundFilters = filters
    .filter(({ words, sources }) => sources.includes(source) && words.test(text))
    .map(({ type }) => ({ type, confidence: "HIGH", filterStrength: "MEDIUM", action: "BLOCKED", detected: true }));
  const foundEntities = entities.flatMap(({ type, pattern, action }) =>
    [...new Set([...text.matchAll(pattern)].map(([match]) => match))].map((match) => ({
      type,
      match,
      action,
      detected: true,
    })),
  );
  const blocked =
    foundTopics.length + foundFilters.length > 0 || foundEntities.some(({ action }) => action === "BLOCKED");
  const intervened = blocked || foundEntities.length > 0;
  let masked = text;
  for (const { type, pattern } of entities) masked = masked.replace(pattern, `{${type}}`);
  const assessment = {
    ...(foundTopics.length > 0 && { topicPolicy: { topics: foundTopics } }),
    ...(foundFilters.length > 0 && { contentPolicy: { filters: foundFilters } }),
    ...(foundEntities.length > 0 && { sensitiveInformationPolicy: { piiEntities: foundEntities, regexes: [] } }),
  };
  return {
    usage: {
      topicPolicyUnits: units,
      contentPolicyUnits: units,
      wordPolicyUnits: 0,
      sensitiveInformationPolicyUnits: units,
      sensitiveInformationPolicyFreeUnits: 0,
      contextualGroundingPolicyUnits: 0,
    },
    action: intervened ? "GUARDRAIL_INTERVENED" : "NONE",
    actionReason: blocked ? "Guardrail blocked." : intervened ? "Guardrail masked." : "No action.",
    outputs: intervened ? [{ text: blocked ? (source === "INPUT" ? blockedInput : blockedOutput) : masked }] : [],
    assessments: intervened ? [assessment] : [],
  };
}
