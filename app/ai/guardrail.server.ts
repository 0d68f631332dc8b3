/**
 * The guardrail: Bedrock's ApplyGuardrail, asked about the newest text of a person before any of it is stored or
 * sent, about a system prompt before a model gets it, and about an answer before it is shown, whoever made it. So one policy holds for every vendor. It fails
 * closed: a guardrail that cannot be asked, or gives an answer that cannot be read, lets nothing pass. Without one in
 * the configuration nothing of this is in the way of a run.
 * A busy guardrail is asked again a few times. What it is asked about goes into no log, and neither do its findings.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type {
  ApplyGuardrailCommandOutput,
  BedrockRuntimeClient,
  GuardrailAssessment,
} from "@aws-sdk/client-bedrock-runtime";
import { config } from "~/config.server";
import { type Checked, checkWhole, createWindows, type Match, unitsOf, type Verdict } from "./guardrail-windows";

export type { Checked } from "./guardrail-windows";

/** How often it is asked about one text, and how long one call and all of them may take. Milliseconds. */
const ATTEMPTS = 4;
const CALL_MS = 4_000;
const TOTAL_MS = 10_000;
/** The first wait before another try, which doubles; a random part of it is waited. Milliseconds. */
const WAIT_MS = 250;
/** How many policies are named, and how long a name may be. */
const NAMED = 4;
const NAME_LENGTH = 60;

/** Dollars per 1,000 units (Amazon Bedrock pricing, "Guardrails", November 2026; not checked against a bill). */
const PRICES = { topics: 0.15, content: 0.15, "personal-data": 0.1, words: 0 } as const;

/** What so many units of 1,000 characters cost with the policies that are configured, in dollars. */
export function guardrailCost(units: number): number {
  const perThousand = (config.guardrail?.policies ?? []).reduce((sum, policy) => sum + PRICES[policy], 0);
  return (units * perThousand) / 1_000;
}

/** Of this process: what the last call said. A deployed guardrail that does not work shows with the first one. */
let state: "unknown" | "working" | "failing" = "unknown";

/** Whether every text is checked, and whether that works as far as this process knows. */
export function guardrailState(): "off" | "unknown" | "working" | "failing" {
  return config.guardrail ? state : "off";
}

let loaded:
  | Promise<{ client: BedrockRuntimeClient; command: typeof import("@aws-sdk/client-bedrock-runtime") }>
  | undefined;

/** The client, made at first use. A connection that fell silent is left with the client that held it. */
function load() {
  loaded ??= import("@aws-sdk/client-bedrock-runtime").then((command) => ({
    command,
    client: new command.BedrockRuntimeClient({
      region: config.region,
      maxAttempts: 1,
      requestHandler: { requestTimeout: CALL_MS },
    }),
  }));
  return loaded;
}

function forgetClient(): void {
  void loaded?.then(({ client }) => client.destroy());
  loaded = undefined;
}

const plainName = /^[A-Za-z][A-Za-z0-9_.-]{1,59}$/;

interface Failure {
  status?: number | undefined;
  name?: string | undefined;
}

/** What a failed call may say in a log: its status and error name, never its words. */
function failureOf(error: unknown): Failure {
  const { name, code, $metadata } = (error ?? {}) as {
    name?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  const known = [code, name].find((value): value is string => typeof value === "string" && plainName.test(value));
  return { status: $metadata?.httpStatusCode, name: known };
}

/** Whether asking again can help: not if the guardrail, its version or the right to use it is missing. */
const mayPass = ({ status, name }: Failure): boolean =>
  status === undefined ? name !== "CredentialsProviderError" : status === 429 || status === 408 || status >= 500;

/** Errors of calls that were on their way: whether they are billed nobody says, so they count as if they were. */
const givenUp: ReadonlySet<string> = new Set(["AbortError", "TimeoutError", "ECONNRESET"]);

function log(level: "WARN" | "ERROR", message: string, failure: Failure): void {
  const line = JSON.stringify({ level, where: "guardrail", message, guardrail: config.guardrail?.id, ...failure });
  if (level === "ERROR") console.error(line);
  else console.warn(line);
}

/** Asks about one stretch of text. Never throws: what goes wrong is `unavailable`. */
async function ask(source: "INPUT" | "OUTPUT", text: string, signal?: AbortSignal): Promise<Verdict> {
  const { guardrail } = config;
  if (!guardrail) throw new Error("No guardrail is configured");
  const until = performance.now() + TOTAL_MS;
  /** Of the tries that came to nothing. */
  let units = 0;
  for (let attempt = 1; ; attempt += 1) {
    let failure: Failure;
    try {
      const { client, command } = await load();
      const limit = AbortSignal.timeout(Math.max(1, Math.min(CALL_MS, until - performance.now())));
      const answer = await client.send(
        new command.ApplyGuardrailCommand({
          guardrailIdentifier: guardrail.id,
          guardrailVersion: guardrail.version,
          source,
          content: [{ text: { text } }],
        }),
        { abortSignal: signal ? AbortSignal.any([signal, limit]) : limit },
      );
      const verdict = readVerdict(answer);
      if (verdict.outcome !== "unavailable") {
        state = "working";
        return { ...verdict, units: units + verdict.units };
      }
      units += verdict.units;
      failure = { name: "UnreadableAnswer" };
    } catch (error) {
      failure = failureOf(error);
      if (givenUp.has(failure.name ?? "")) units += unitsOf(text);
      if (signal?.aborted) return { outcome: "unavailable", units };
      if (failure.status === undefined) forgetClient();
    }
    const wait = WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
    if (attempt >= ATTEMPTS || !mayPass(failure) || performance.now() + wait >= until) {
      state = "failing";
      log("WARN", "The guardrail could not be asked: nothing passes.", failure);
      return { outcome: "unavailable", units };
    }
    await sleep(wait, undefined, signal ? { signal } : {}).catch(() => undefined);
    if (signal?.aborted) return { outcome: "unavailable", units };
  }
}

// --- What an answer says -------------------------------------------------------------------------------------------

const contents: Record<string, string> = {
  SEXUAL: "sexual content",
  VIOLENCE: "violence",
  HATE: "hate",
  INSULTS: "insults",
  MISCONDUCT: "misconduct",
  PROMPT_ATTACK: "an attempt to change the rules",
};

const personal: Record<string, string> = {
  CREDIT_DEBIT_CARD_NUMBER: "credit card number",
  CREDIT_DEBIT_CARD_CVV: "credit card code",
  CREDIT_DEBIT_CARD_EXPIRY: "credit card expiry date",
  EMAIL: "email address",
  PHONE: "phone number",
  NAME: "name",
  ADDRESS: "address",
  AGE: "age",
  PASSWORD: "password",
  USERNAME: "user name",
  PIN: "PIN",
  URL: "web address",
  IP_ADDRESS: "IP address",
  MAC_ADDRESS: "MAC address",
  AWS_ACCESS_KEY: "AWS access key",
  AWS_SECRET_KEY: "AWS secret key",
  INTERNATIONAL_BANK_ACCOUNT_NUMBER: "bank account number (IBAN)",
  SWIFT_CODE: "SWIFT code",
  US_SOCIAL_SECURITY_NUMBER: "US social security number",
};

/** The service's name in plain words: LICENSE_PLATE is a licence plate. */
const worded = (type: string): string => personal[type] ?? type.toLowerCase().replaceAll("_", " ");

const named = (kind: string, name: string): string =>
  `${kind}: ${name.replace(/\s+/g, " ").trim().slice(0, NAME_LENGTH).toWellFormed()}`;

/** Which policies blocked, as a person reads them. Undefined: something intervened that is not known here. */
function blockersOf(assessments: readonly GuardrailAssessment[]): string[] {
  const found: string[] = [];
  for (const { topicPolicy, contentPolicy, wordPolicy, sensitiveInformationPolicy } of assessments) {
    for (const { name, action } of topicPolicy?.topics ?? [])
      if (action === "BLOCKED") found.push(named("Denied topic", name ?? ""));
    for (const { type, action } of contentPolicy?.filters ?? [])
      if (action === "BLOCKED") found.push(named("Content", contents[type ?? ""] ?? worded(type ?? "")));
    for (const { action } of wordPolicy?.customWords ?? []) if (action === "BLOCKED") found.push("Blocked words");
    for (const { action } of wordPolicy?.managedWordLists ?? []) if (action === "BLOCKED") found.push("Profanity");
    for (const { type, action } of sensitiveInformationPolicy?.piiEntities ?? [])
      if (action === "BLOCKED") found.push(named("Personal data", worded(type ?? "")));
    for (const { name, action } of sensitiveInformationPolicy?.regexes ?? [])
      if (action === "BLOCKED") found.push(named("Personal data", name ?? ""));
  }
  return [...new Set(found)].slice(0, NAMED);
}

/** All personal data that was found and is to be masked or blocked. */
function matchesOf(assessments: readonly GuardrailAssessment[]): Match[] {
  return assessments.flatMap(({ sensitiveInformationPolicy }) => [
    ...(sensitiveInformationPolicy?.piiEntities ?? [])
      .filter(({ action }) => action !== "NONE")
      .map(({ match, type }) => ({ text: match ?? "", mask: `{${type}}` })),
    ...(sensitiveInformationPolicy?.regexes ?? [])
      .filter(({ action }) => action !== "NONE")
      .map(({ match, name }) => ({ text: match ?? "", mask: `{${name}}` })),
  ]);
}

/** What ApplyGuardrail's answer means. Exported for its tests. */
export function readVerdict(
  answer: Pick<ApplyGuardrailCommandOutput, "action" | "outputs" | "assessments" | "usage">,
): Verdict {
  const { action, outputs = [], assessments = [], usage } = answer;
  const { topicPolicyUnits, contentPolicyUnits, wordPolicyUnits, sensitiveInformationPolicyUnits } = usage ?? {};
  const units = Math.max(
    topicPolicyUnits ?? 0,
    contentPolicyUnits ?? 0,
    wordPolicyUnits ?? 0,
    sensitiveInformationPolicyUnits ?? 0,
  );
  if (action === "NONE") return { outcome: "passed", units };
  if (action !== "GUARDRAIL_INTERVENED") return { outcome: "unavailable", units };
  const policies = blockersOf(assessments);
  const matches = matchesOf(assessments);
  const text = outputs.map((output) => output.text ?? "").join("");
  // Masked only if all that it did is known to be masking.
  if (policies.length === 0 && matches.length > 0 && text !== "") return { outcome: "masked", text, matches, units };
  return { outcome: "blocked", policies, message: text || "This is not allowed here.", matches, units };
}

// --- What the rest of the app asks -----------------------------------------------------------------------------------

/** The check of a person's text; undefined without a guardrail. It never throws. */
export const checkQuestion: ((text: string, signal: AbortSignal) => Promise<Checked>) | undefined = config.guardrail
  ? (text, signal) => checkWhole(text, (part) => ask("INPUT", part, signal))
  : undefined;

/** The gate that an answer's text passes; undefined without a guardrail. `before`: the text that it goes on from. */
export function createGate(before: string): ((signal: AbortSignal) => ReturnType<typeof createWindows>) | undefined {
  if (!config.guardrail) return undefined;
  return (signal) => createWindows({ check: (text) => ask("OUTPUT", text, signal), before });
}

let probed: Promise<void> | undefined;

/**
 * Asks once in the life of a process whether the guardrail answers, so that an operator reads of a wrong id, version
 * or right before a person meets it. Costs one unit for each new process, and nothing while nobody is there.
 */
export function probeGuardrail(): Promise<void> | undefined {
  if (!config.guardrail) return undefined;
  probed ??= ask("INPUT", "Is anybody there?").then(({ outcome }) => {
    if (outcome === "unavailable")
      log(
        "ERROR",
        "The guardrail is configured and does not work: no message can be sent. Look at its id, its version, the region and the server's right to bedrock:ApplyGuardrail.",
        {},
      );
  });
  return probed;
}
