/**
 * The only reader of process.env and of SST's Resource. Parsed once, at boot; a wrong value stops the server
 * with a message that names it. The app has no local mode: on one machine it is given other endpoints through
 * the AWS SDKs' own variables (AWS_ENDPOINT_URL_*), which a deployed stage refuses.
 */
import { Resource } from "sst";
import { z } from "zod";

const throttle = z.object({ limit: z.number().int().positive(), seconds: z.number().int().positive() });
export type ThrottleLimit = z.infer<typeof throttle>;

/** A secret without a value is deployed as this word, and means that the feature is off. */
const OFF = "off";
const secret = z
  .string()
  .optional()
  .transform((value) => (value && value !== OFF ? value : undefined));

const loopback = z.url().refine((url) => ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname));

const schema = z
  .object({
    stage: z.string().min(1),
    region: z.string().min(1),
    /** The one origin that forms may come from; absent locally, where every loopback name of the port counts. */
    origin: z.url().optional(),
    production: z.boolean(),
    tableName: z.string().min(1),
    cognito: z.object({
      userPoolId: z.string().min(1),
      clientId: z.string().min(1),
      clientSecret: z.string().min(1),
    }),
    /**
     * Keys that encrypt refresh tokens: id to 32 bytes in base64. The first is used to encrypt. Ids begin with a
     * letter: JSON objects put those that are numbers first.
     */
    sessionKeys: z
      .string()
      .transform((text) => JSON.parse(text) as unknown)
      .pipe(z.record(z.string().regex(/^[a-z][a-z0-9]{0,15}$/), z.base64().length(44)))
      .refine((keys) => Object.keys(keys).length > 0, "needs at least one key"),
    openAiApiKey: secret,
    endpoints: z.object({
      cognito: loopback.optional(),
      bedrock: loopback.optional(),
      dynamodb: loopback.optional(),
      openAi: z.url().optional(),
    }),
    /** OpenAI-compatible endpoints beside OpenAI itself. */
    compatible: z.array(
      z.object({
        name: z.string().regex(/^[a-z0-9-]{1,24}$/),
        url: z.url(),
        key: secret,
        /** Tokens that its models read at once; absent: as little as a model has that nobody knows. */
        window: z.int().min(1_024).optional(),
      }),
    ),
    bedrock: z.boolean(),
    models: z.object({
      /** Model references (`vendor:id`) that may be used; absent: all that the catalogue finds. */
      allow: z.array(z.string()).optional(),
      default: z.string(),
      systemPrompt: z.string().optional(),
    }),
    /** Absent: nothing is checked. The id and a version of a Bedrock guardrail, and which policies it is made of. */
    guardrail: z
      .object({
        id: z.string().min(1),
        version: z.string().regex(/^(?:[1-9]\d{0,7}|DRAFT)$/),
        policies: z.array(z.enum(["topics", "content", "words", "personal-data"])).min(1),
      })
      .optional(),
    signUp: z.enum(["open", "closed"]),
    limits: z.object({
      /** Live runs per person. */
      liveRuns: z.number().int().positive(),
      signIn: throttle,
      signUp: throttle,
      code: throttle,
      resend: throttle,
      forgot: throttle,
      /** The same kinds per IP: this many times as much. */
      perIpFactor: z.number().positive(),
      /** How long an answer takes at least that must not tell whether an address is known, in milliseconds. */
      leastWaitMs: z.number().int().nonnegative(),
    }),
    /** Tokens that may be used in one UTC day, by one person and by all together. */
    budgets: z.object({ person: z.number().int().positive(), stage: z.number().int().positive() }),
    retentionDays: z.number().int().positive(),
    /** The run protocol's times, in milliseconds. */
    run: z.object({ leaseMs: z.number().int().positive(), beatMs: z.number().int().positive() }),
    /** How long a model may be silent before the run counts as hung, in milliseconds. */
    model: z.object({ firstMs: z.number().int().positive(), silentMs: z.number().int().positive() }),
  })
  .superRefine((config, context) => {
    const local = config.stage === "local";
    const { cognito, bedrock, dynamodb } = config.endpoints;
    if (!local && (cognito || bedrock || dynamodb))
      context.addIssue({ code: "custom", message: "A deployed stage must not have local endpoints" });
    if (!local && !config.origin) context.addIssue({ code: "custom", message: "A deployed stage needs ORIGIN" });
    if (local && !(cognito && dynamodb))
      context.addIssue({ code: "custom", message: "The local stage needs local endpoints" });
  });

export type Config = z.infer<typeof schema>;

/** What `infra/web.ts` (or the local cloud) links under the name Backend. */
interface Backend {
  tableName: string;
  userPoolId: string;
  clientId: string;
  clientSecret: string;
  signUp: string;
  bedrock: boolean;
  models: unknown;
  compatible?: unknown;
  guardrail?: unknown;
  limits?: Record<string, unknown>;
  budgets?: Record<string, number>;
  retentionDays?: number;
  run?: Record<string, number>;
  model?: Record<string, number>;
}

/** As shipped; the operator's values in `infra/` win. */
const defaults = {
  limits: {
    liveRuns: 3,
    signIn: { limit: 10, seconds: 900 },
    signUp: { limit: 5, seconds: 3600 },
    code: { limit: 5, seconds: 900 },
    resend: { limit: 1, seconds: 60 },
    forgot: { limit: 3, seconds: 900 },
    perIpFactor: 5,
    leastWaitMs: 1_000,
  },
  budgets: { person: 500_000, stage: 2_000_000 },
  run: { leaseMs: 15_000, beatMs: 1_000 },
  model: { firstMs: 60_000, silentMs: 30_000 },
  retentionDays: 90,
};

function read(): Config {
  const resource = Resource as unknown as {
    App: { stage: string };
    Backend: Backend;
    SessionKeys: { value: string };
    OpenAiKey?: { value: string };
  };
  const { env } = process;
  const backend = resource.Backend;
  const parsed = schema.safeParse({
    stage: resource.App.stage,
    region: env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
    origin: env.ORIGIN || undefined,
    production: env.NODE_ENV === "production",
    tableName: backend.tableName,
    cognito: { userPoolId: backend.userPoolId, clientId: backend.clientId, clientSecret: backend.clientSecret },
    sessionKeys: resource.SessionKeys.value,
    openAiApiKey: resource.OpenAiKey?.value,
    endpoints: {
      cognito: env.AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER,
      bedrock: env.AWS_ENDPOINT_URL_BEDROCK_RUNTIME,
      dynamodb: env.AWS_ENDPOINT_URL_DYNAMODB,
      openAi: env.OPENAI_BASE_URL || undefined,
    },
    compatible: backend.compatible ?? [],
    bedrock: backend.bedrock,
    models: backend.models,
    guardrail: backend.guardrail,
    signUp: backend.signUp,
    limits: { ...defaults.limits, ...backend.limits },
    budgets: { ...defaults.budgets, ...backend.budgets },
    retentionDays: backend.retentionDays ?? defaults.retentionDays,
    run: { ...defaults.run, ...backend.run },
    model: { ...defaults.model, ...backend.model },
  });
  if (!parsed.success) throw new Error(`Configuration: ${z.prettifyError(parsed.error)}`);
  return Object.freeze(parsed.data);
}

/** The configuration of this process. */
export const config: Config = read();
