/**
 * The site: one router (CloudFront), one function behind it, and what that function may do. The router comes
 * first, because the site cannot know its own address and the app checks the origin of every form against it.
 */
import { client, userPool } from "./auth";
import { guardrail } from "./guardrail";
import { compatible, invocableArns, models, openAiKey } from "./models";
import { budgets, liveRuns, retentionDays, signUp } from "./stage";
import { table } from "./table";

/** Keys of one's own, `{"k2":"<32 bytes in base64>"}`: the first of them encrypts new sessions. "off": none. */
const sessionKeyRing = new sst.Secret("SessionKeyRing", "off");
const generatedKey = new random.RandomBytes("SessionKey", { length: 32 });

const sessionKeys = new sst.Linkable("SessionKeys", {
  properties: {
    value: $resolve([sessionKeyRing.value, generatedKey.base64]).apply(([ring, generated]) =>
      JSON.stringify({ ...(ring === "off" ? {} : JSON.parse(ring)), k1: generated }),
    ),
  },
});

/** All that the server needs to know and may do. SST's own links would grant every action on each resource. */
const backend = new sst.Linkable("Backend", {
  properties: {
    tableName: table.name,
    userPoolId: userPool.id,
    clientId: client.id,
    clientSecret: client.secret,
    signUp,
    bedrock: true,
    models,
    compatible,
    ...(guardrail && {
      guardrail: { id: guardrail.id, version: guardrail.version, policies: guardrail.policies },
    }),
    limits: { liveRuns },
    budgets,
    retentionDays,
  },
  include: [
    sst.aws.permission({
      actions: [
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:Query",
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
      ],
      resources: [table.arn, $interpolate`${table.arn}/index/byActivity`],
    }),
    sst.aws.permission({
      actions: ["cognito-idp:AdminGetUser", "cognito-idp:AdminDeleteUser", "cognito-idp:AdminUserGlobalSignOut"],
      resources: [userPool.arn],
    }),
    sst.aws.permission({
      actions: ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
      resources: invocableArns,
    }),
    ...(guardrail ? [sst.aws.permission({ actions: ["bedrock:ApplyGuardrail"], resources: [guardrail.arn] })] : []),
    // Lists name no resource: IAM accepts nothing narrower for these two.
    sst.aws.permission({
      actions: ["bedrock:ListFoundationModels", "bedrock:ListInferenceProfiles"],
      resources: ["*"],
    }),
  ],
});

const router = new sst.aws.Router("Router", {
  // The function's address answers only to CloudFront; plain forms keep working, with bodies up to 1 MB.
  protection: "oac-with-edge-signing",
});

export const site = new sst.aws.Remix("Web", {
  router: { instance: router },
  link: [backend, sessionKeys, openAiKey],
  environment: { ORIGIN: router.url, NODE_ENV: "production" },
  // Under `sst dev` only the app is started: the cloud is the real one.
  dev: { command: "node infra/local/bootstrap.mjs app" },
  server: {
    // Also CloudFront's read timeout: the longest silence between two packets. The stream pings every 10 s.
    timeout: "60 seconds",
    memory: "512 MB",
    architecture: "arm64",
  },
  transform: {
    server: (args) => {
      // Our own entry: native fetch, back-pressure, work that outlives the response, a deadline.
      // It is the entry of the server half that `npm run build` makes, where Remix's bare build would be.
      args.handler = "build/server/index.handler";
      args.nodejs = {
        format: "esm",
        minify: true,
        sourcemap: false,
        // What is imported lazily is read only when it is needed; React's development half is left out.
        splitting: true,
        esbuild: { define: { "process.env.NODE_ENV": '"production"' } },
      };
      args.timeout = "10 minutes";
      args.streaming = true;
      args.url = { authorization: "iam", cors: false };
      args.permissions = [];
      args.logging = { retention: "1 month" };
    },
  },
});
