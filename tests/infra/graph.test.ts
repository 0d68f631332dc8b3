/** What a deploy asks AWS to make, read from the evaluated sst.config.ts (evaluate.mjs), for two stages. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";

interface Made {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  protect: boolean;
  retainOnDelete: boolean;
}

interface Graph {
  resources: Made[];
  outputs: string[];
  built: { handler: string; out: string; properties: Record<string, unknown> }[];
  failures: string[];
}

interface Statement {
  actions: string[];
  resources: string[];
}

const root = resolve(import.meta.dirname, "../..");
const graphs: Record<string, Graph> = {};

async function evaluate(stage: string): Promise<Graph> {
  const folder = join(root, ".cache/infra");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${stage}.json`);
  await promisify(execFile)(process.execPath, [join(root, "tests/infra/evaluate.mjs"), stage, file], {
    cwd: root,
    timeout: 120_000,
  });
  return JSON.parse(readFileSync(file, "utf8")) as Graph;
}

beforeAll(async () => {
  // Both would bundle the server: one after the other.
  for (const stage of ["check", "production", "guarded"]) graphs[stage] = await evaluate(stage);
});

const graphOf = (stage: string): Graph => {
  const graph = graphs[stage];
  if (!graph) throw new Error(`The stage ${stage} was not evaluated`);
  return graph;
};
const all = (graph: Graph, type: string): Made[] => graph.resources.filter((made) => made.type === type);
const one = (graph: Graph, type: string, name?: RegExp): Made => {
  const found = all(graph, type).filter((made) => !name || name.test(made.name));
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} of ${type} ${name ?? ""}`);
  return found[0];
};
const statementsOf = (role: Made): Statement[] =>
  (role.inputs.inlinePolicies as { policy: string }[]).flatMap(
    ({ policy }) => (JSON.parse(policy) as { Statement: Statement[] }).Statement,
  );

describe.each(["check", "production"])("A deploy of the stage %s", (stage) => {
  test("evaluates to the end and prints the address", () => {
    const { failures, outputs, resources } = graphOf(stage);
    expect(failures).toEqual([]);
    expect(outputs).toContain("url");
    expect(new Set(resources.map(({ type }) => type))).toEqual(
      expect.objectContaining(
        new Set([
          "aws:dynamodb/table:Table",
          "aws:cognito/userPool:UserPool",
          "aws:cognito/userPoolClient:UserPoolClient",
          "aws:cloudfront/distribution:Distribution",
          "aws:lambda/function:Function",
          "aws:lambda/functionUrl:FunctionUrl",
          "aws:s3/bucket:Bucket",
        ]),
      ),
    );
  });

  test("makes nothing that costs money while nobody uses it", () => {
    const { resources } = graphOf(stage);
    const idle =
      /:(ec2|ecs|elasticache|rds|opensearch|lb|alb|kinesis|eks|memorydb|docdb|neptune)\/|provisionedConcurrency/;
    expect(resources.filter(({ type }) => idle.test(type))).toEqual([]);
    expect(one(graphOf(stage), "aws:dynamodb/table:Table").inputs.billingMode).toBe("PAY_PER_REQUEST");
  });

  test("makes the one table with the local index, its card and the time to live", () => {
    expect(one(graphOf(stage), "aws:dynamodb/table:Table").inputs).toMatchObject({
      hashKey: "pk",
      rangeKey: "sk",
      localSecondaryIndexes: [
        { name: "byActivity", rangeKey: "activityAt", projectionType: "INCLUDE", nonKeyAttributes: ["card"] },
      ],
      globalSecondaryIndexes: [],
      ttl: { attributeName: "expiresAt", enabled: true },
      pointInTimeRecovery: { enabled: true },
    });
  });

  test("lets the server do what the app does to its own resources, and nothing to others", () => {
    const statements = statementsOf(one(graphOf(stage), "aws:iam/role:Role", /^WebServer/));
    const actions = statements.flatMap(({ actions }) => actions);
    expect(actions.filter((action) => action.includes("*"))).toEqual([]);
    expect(actions).toEqual(
      expect.arrayContaining(["dynamodb:Query", "bedrock:InvokeModelWithResponseStream", "cognito-idp:AdminGetUser"]),
    );
    expect(actions).not.toContain("dynamodb:Scan");
    // IAM knows nothing narrower than all for these two lists.
    const wide = statements.filter(({ resources }) => resources.includes("*")).flatMap(({ actions }) => actions);
    expect(wide.sort()).toEqual(["bedrock:ListFoundationModels", "bedrock:ListInferenceProfiles"]);
    for (const { resources } of statements.filter(({ actions }) => actions.some((name) => name.startsWith("dynamodb"))))
      expect(resources.every((arn) => /:TableTable(\/index\/byActivity)?$/.test(arn))).toBe(true);
  });

  test("serves by our own handler, streaming, for CloudFront alone", () => {
    const graph = graphOf(stage);
    expect(graph.built).toEqual([
      expect.objectContaining({
        handler: "build/server/index.handler",
        properties: expect.objectContaining({ format: "esm", minify: true }),
      }),
    ]);
    // SST's own entry would inject a polyfill of fetch.
    expect(graph.built[0]?.properties.esbuild).toEqual({ define: { "process.env.NODE_ENV": '"production"' } });
    expect(readdirSync(graph.built[0]?.out ?? "")).toContain("index.mjs");
    expect(one(graph, "aws:lambda/functionUrl:FunctionUrl").inputs).toMatchObject({
      authorizationType: "AWS_IAM",
      invokeMode: "RESPONSE_STREAM",
    });
    expect(one(graph, "aws:lambda/functionUrl:FunctionUrl").inputs).not.toHaveProperty("cors");
    const server = one(graph, "aws:lambda/function:Function", /^WebServer/);
    expect(server.inputs).toMatchObject({
      handler: "index.handler",
      runtime: "nodejs24.x",
      timeout: 600,
      environment: { variables: { NODE_ENV: "production", ORIGIN: "https://d111111abcdef8.cloudfront.net" } },
    });
    for (const permission of all(graph, "aws:lambda/permission:Permission"))
      expect(permission.inputs).toMatchObject({
        principal: "cloudfront.amazonaws.com",
        sourceArn: expect.stringContaining("RouterCdnDistribution"),
      });
  });

  test("keeps strangers out, and says nothing of who is known", () => {
    expect(one(graphOf(stage), "aws:cognito/userPool:UserPool").inputs).toMatchObject({
      adminCreateUserConfig: { allowAdminCreateUserOnly: true },
      usernameConfiguration: { caseSensitive: false },
      passwordPolicy: { minimumLength: 8 },
    });
    expect(one(graphOf(stage), "aws:cognito/userPoolClient:UserPoolClient").inputs).toMatchObject({
      allowedOauthFlows: [],
      callbackUrls: [],
      generateSecret: true,
      preventUserExistenceErrors: "ENABLED",
      explicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    });
  });
});

test("Only the production stage keeps its table and its people when it is removed", () => {
  const kept = (stage: string) =>
    ["aws:dynamodb/table:Table", "aws:cognito/userPool:UserPool"].map((type) => {
      const { retainOnDelete, inputs } = one(graphOf(stage), type);
      return { retainOnDelete, shielded: inputs.deletionProtectionEnabled ?? inputs.deletionProtection };
    });
  expect(kept("production")).toEqual([
    { retainOnDelete: true, shielded: true },
    { retainOnDelete: true, shielded: "ACTIVE" },
  ]);
  expect(kept("check")).toEqual([
    { retainOnDelete: false, shielded: false },
    { retainOnDelete: false, shielded: "INACTIVE" },
  ]);
});

test("A guardrail is made, versioned and told to the server only where the operator turned it on", () => {
  for (const stage of ["check", "production"])
    expect(graphOf(stage).resources.filter(({ type }) => type.startsWith("aws:bedrock/guardrail"))).toEqual([]);
  const graph = graphOf("guarded");
  expect(graph.failures).toEqual([]);
  const { inputs } = one(graph, "aws:bedrock/guardrail:Guardrail");
  const { topicsConfigs } = inputs.topicPolicyConfig as {
    topicsConfigs: { name: string; type: string; definition: string; examples: string[] }[];
  };
  expect(topicsConfigs.map(({ name }) => name)).toEqual(["Investment advice", "Medical doses"]);
  // What the service accepts.
  for (const { type, definition, examples } of topicsConfigs) {
    expect(type).toBe("DENY");
    expect(definition.length).toBeLessThanOrEqual(200);
    expect(examples.length).toBeLessThanOrEqual(5);
    for (const example of examples) expect(example.length).toBeLessThanOrEqual(100);
  }
  expect(String(inputs.blockedInputMessaging).length).toBeLessThanOrEqual(500);
  const arn = "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1234567890";
  expect(one(graph, "aws:bedrock/guardrailVersion:GuardrailVersion").inputs).toMatchObject({
    guardrailArn: arn,
    description: expect.stringMatching(/^Policies [0-9a-f]{8}$/) as string,
  });
  const statements = statementsOf(one(graph, "aws:iam/role:Role", /^WebServer/));
  expect(statements.filter(({ actions }) => actions.includes("bedrock:ApplyGuardrail"))).toEqual([
    expect.objectContaining({ actions: ["bedrock:ApplyGuardrail"], resources: [arn] }),
  ]);
});
