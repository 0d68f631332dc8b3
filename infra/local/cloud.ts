/**
 * The local cloud as one process of its own. App servers are started, killed and run two at a time against it;
 * they are told of it by the variables in `env` alone, the same that a deployed function has, with other
 * endpoints. Its data folder holds all state, so a cloud that starts there again goes on where the last one ended.
 */
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { CloudProcessOptions, CloudReady } from "./cloud-process.ts";
import { plainEnvironment, startProcess } from "./process.ts";

/** Values of the linked resource Backend that a test may want otherwise; see `app/config.server.ts`. */
export interface BackendOverrides {
  signUp?: "open" | "closed";
  bedrock?: boolean;
  models?: { allow?: string[]; default?: string; systemPrompt?: string };
  compatible?: { name: string; url: string; key?: string; window?: number }[];
  guardrail?: { id: string; version: string; policies: string[] };
  limits?: Record<string, unknown>;
  budgets?: { person?: number; stage?: number };
  retentionDays?: number;
  run?: { leaseMs?: number; beatMs?: number };
  model?: { firstMs?: number; silentMs?: number };
}

/** Real vendors to use instead of the local model server. */
export interface Vendors {
  openAi?: { key: string; url?: string };
  /** The person's own AWS variables (credentials, profile, region). */
  bedrock?: Record<string, string>;
  compatible?: { name: string; url: string }[];
}

/** A code that Cognito would send by mail; an invitation's is a temporary password. */
export interface Code {
  kind: "confirm" | "reset" | "resend" | "invite";
  email: string;
  code: string;
}

export interface CloudOptions {
  dataFolder: string;
  /** Prints nothing. */
  quiet?: boolean;
  /** Gets each line instead of the terminal. */
  onLine?: (line: string) => void;
  onCode?: (code: Code) => void;
  models?: { pace?: { firstTokenMs: number; tokenMs: number } };
  backend?: BackendOverrides;
  vendors?: Vendors;
  /** How often items that expired are removed; one minute unless told. */
  expireEveryMs?: number;
}

export interface Cloud {
  /** What an app server needs to be told. */
  env: Record<string, string>;
  tableUrl: string;
  cognitoUrl: string;
  modelsUrl: string;
  pid: number;
  /** Settles when the process is gone, with what it ended by. */
  gone: Promise<string>;
  stop(): Promise<void>;
}

/** As deployed, save that one person at one machine may have more threads answering at once. */
const localLimits = { liveRuns: 50 };
/** What is used here costs nothing, or is used with the person's own key. */
const localBudgets = { person: 10_000_000, stage: 100_000_000 };

/** The profile of the region's part of the world: there is one for each of them. */
function defaultModel(region = "us-east-1"): string {
  const geography = /^(us|eu|ap)-/.exec(region)?.[1] ?? "us";
  return `bedrock:${geography === "ap" ? "apac" : geography}.amazon.nova-lite-v1:0`;
}

const codeSentences = {
  confirm: "Confirmation code",
  resend: "Confirmation code",
  reset: "Code to reset the password",
  invite: "Temporary password",
} as const;

function appEnvironment(ready: CloudReady, { backend = {}, vendors = {} }: CloudOptions): Record<string, string> {
  const { openAi, bedrock, compatible = [] } = vendors;
  return {
    AWS_REGION: "us-east-1",
    ...(bedrock ?? {
      AWS_ACCESS_KEY_ID: "AKIALOCALLOCALLOCAL0",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: ready.modelsUrl,
      AWS_ENDPOINT_URL_BEDROCK: ready.modelsUrl,
    }),
    AWS_ENDPOINT_URL_DYNAMODB: ready.tableUrl,
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: ready.cognitoUrl,
    ...(openAi ? (openAi.url ? { OPENAI_BASE_URL: openAi.url } : {}) : { OPENAI_BASE_URL: `${ready.modelsUrl}/v1` }),
    SST_RESOURCE_App: JSON.stringify({ name: "sidenote", stage: "local" }),
    SST_RESOURCE_SessionKeys: JSON.stringify({ type: "sst:sst:Secret", value: ready.sessionKeys }),
    SST_RESOURCE_OpenAiKey: JSON.stringify({ type: "sst:sst:Secret", value: openAi?.key ?? "sk-local" }),
    SST_RESOURCE_Backend: JSON.stringify({
      type: "sst:sst:Linkable",
      tableName: ready.tableName,
      userPoolId: ready.userPoolId,
      clientId: ready.clientId,
      clientSecret: ready.clientSecret,
      signUp: "open",
      bedrock: true,
      ...backend,
      models: { default: defaultModel(bedrock?.AWS_REGION), ...backend.models },
      compatible: [...compatible, ...(backend.compatible ?? [])],
      limits: { ...localLimits, ...backend.limits },
      budgets: { ...localBudgets, ...backend.budgets },
    }),
  };
}

/** Starts the local cloud on free ports of 127.0.0.1. Throws when another one uses the data folder. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const dataFolder = resolve(options.dataFolder);
  mkdirSync(dataFolder, { recursive: true });
  const print = options.onLine ?? (options.quiet ? () => undefined : (line: string) => console.log(line));
  const child = await startProcess<CloudReady>({
    script: new URL("./cloud-process.ts", import.meta.url),
    options: {
      dataFolder,
      models: options.models,
      expireEveryMs: options.expireEveryMs,
    } satisfies CloudProcessOptions,
    env: { ...plainEnvironment(), AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    // cognito-local keeps its files in the folder that it is started in.
    cwd: dataFolder,
    onLine: print,
    onMessage: (message) => {
      if (message.type !== "code") return;
      const code = message.code as Code;
      options.onCode?.(code);
      print(`${codeSentences[code.kind]} for ${code.email}: ${code.code}`);
    },
  });
  const { ready } = child;
  return {
    env: appEnvironment(ready, options),
    tableUrl: ready.tableUrl,
    cognitoUrl: ready.cognitoUrl,
    modelsUrl: ready.modelsUrl,
    pid: child.pid,
    gone: child.gone,
    stop: () => child.stop(),
  };
}

/** The real vendors that this machine can reach: a key for OpenAI, Ollama on its usual port, AWS if asked for. */
export async function findVendors(
  environment: Record<string, string | undefined>,
  ollama = "http://127.0.0.1:11434",
): Promise<{ vendors: Vendors; lines: string[] }> {
  const vendors: Vendors = {};
  const lines: string[] = [];
  const key = environment.OPENAI_API_KEY;
  if (key) {
    vendors.openAi = { key, ...(environment.OPENAI_BASE_URL ? { url: environment.OPENAI_BASE_URL } : {}) };
    lines.push("OpenAI is the real one: OPENAI_API_KEY is set.");
  }
  if (environment.BEDROCK === "aws") {
    const aws = Object.fromEntries(
      Object.entries(environment).filter(
        (entry): entry is [string, string] => entry[0].startsWith("AWS_") && Boolean(entry[1]),
      ),
    );
    const hasCredentials =
      ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"].some((name) => aws[name]) ||
      Object.keys(aws).some((name) => name.startsWith("AWS_CONTAINER_CREDENTIALS")) ||
      ["credentials", "config"].some((name) => existsSync(join(homedir(), ".aws", name)));
    if (hasCredentials) {
      vendors.bedrock = aws.AWS_DEFAULT_REGION ? { AWS_REGION: aws.AWS_DEFAULT_REGION, ...aws } : aws;
      lines.push(`Bedrock is the real one: BEDROCK=aws, region ${vendors.bedrock.AWS_REGION ?? "us-east-1"}.`);
    } else lines.push("BEDROCK=aws is set, but there are no AWS credentials: Bedrock stays the local model server.");
  }
  try {
    const answer = await fetch(`${ollama}/v1/models`, { signal: AbortSignal.timeout(500) });
    if (answer.ok) {
      vendors.compatible = [{ name: "ollama", url: `${ollama}/v1` }];
      lines.push("Ollama is running: its models are offered.");
    }
  } catch {
    // Nothing listens there: the usual case.
  }
  return { vendors, lines };
}
