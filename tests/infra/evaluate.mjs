/**
 * Evaluates the real sst.config.ts, with SST's real components, against Pulumi's mocks: what a deploy of this stage
 * would ask AWS to make, as JSON, with no cloud account. SST's own program would do the same with a real engine behind
 * it; what only the provider checks is not seen here. Needs .sst/platform (platform.mjs) and ends by itself.
 *
 * node tests/infra/evaluate.mjs <stage> <file for the JSON>
 */
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const platform = join(root, ".sst/platform");
const [stage = "check", target = "graph.json"] = process.argv.slice(2);
const region = "us-east-1";
const account = "123456789012";

/** What SST's own program, written in Go, answers to its components: where assets go, and what it built. */
const answers = {
  "Provider.Aws.Bootstrap": () => ({
    asset: "assets",
    assetEcrRegistryId: account,
    assetEcrUrl: "registry",
    state: "state",
    appsyncHttp: "",
    appsyncRealtime: "",
  }),
  "Runtime.AddTarget": () => true,
  "Runtime.Build": async (input) => {
    const out = join(root, ".cache/infra", stage, input.functionID ?? "function");
    rmSync(out, { recursive: true, force: true });
    const { format, minify, splitting, esbuild } = input.properties ?? {};
    const [file, handler] = input.handler.split(/\.(?=[^.]+$)/);
    await build({
      absWorkingDir: root,
      entryPoints: { index: join(root, `${file}.js`) },
      outdir: out,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: Boolean(splitting),
      platform: "node",
      target: "node24",
      format: format ?? "esm",
      mainFields: ["module", "main"],
      minify: Boolean(minify),
      logLevel: "error",
      ...esbuild,
    });
    built.push({ handler: input.handler, out, properties: input.properties });
    return { handler: `index.${handler}`, out, errors: [], sourcemaps: [] };
  },
};
const built = [];

const server = createServer((request, response) => {
  let text = "";
  request.on("data", (data) => {
    text += data;
  });
  request.on("end", async () => {
    const { method, params } = JSON.parse(text);
    const answer = answers[method];
    const body = { id: 1 };
    try {
      if (!answer) throw new Error(`rpc: can't find method ${method}`);
      body.result = await answer(params[0]);
    } catch (error) {
      body.error = error.message;
    }
    response.writeHead(200, { connection: "close" }).end(JSON.stringify(body));
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
process.env.SST_SERVER = `http://127.0.0.1:${server.address().port}`;

const required = createRequire(join(platform, "package.json"));
const pulumi = required("@pulumi/pulumi");
const resources = [];
const failures = [];
/** As the provider would work them out; whatever a component reads of a resource has to be here. */
const computed = (type, name, inputs) => ({
  ...inputs,
  name: inputs.name ?? name,
  arn: `arn:aws:${type.split(":")[1]?.split("/")[0]}:${region}:${account}:${name}`,
  ...(type === "aws:lambda/functionUrl:FunctionUrl" && { functionUrl: `https://${name}.lambda-url.${region}.on.aws/` }),
  ...(type === "aws:lambda/function:Function" && { codeSha256: "0" }),
  ...(type === "aws:cloudfront/distribution:Distribution" && {
    domainName: "d111111abcdef8.cloudfront.net",
    hostedZoneId: "Z2FDTNDATAQYW2",
  }),
  ...(type === "aws:s3/bucket:Bucket" && { bucketRegionalDomainName: `${name}.s3.${region}.amazonaws.com` }),
  ...(type === "aws:bedrock/guardrail:Guardrail" && {
    guardrailId: "gr1234567890",
    guardrailArn: `arn:aws:bedrock:${region}:${account}:guardrail/gr1234567890`,
    version: "DRAFT",
  }),
  ...(type === "aws:cognito/userPoolClient:UserPoolClient" && { clientSecret: "secret" }),
  ...(type.startsWith("random:") && {
    base64: Buffer.alloc(32).toString("base64"),
    hex: "00",
    result: "x",
    b64Std: "",
  }),
});
const calls = {
  "aws:index/getRegion:getRegion": () => ({ region, name: region, id: region }),
  "aws:index/getPartition:getPartition": () => ({ partition: "aws", dnsSuffix: "amazonaws.com" }),
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({ accountId: account, arn: "", userId: "" }),
  // The document that IAM would get, so that a test can read who may do what.
  "aws:iam/getPolicyDocument:getPolicyDocument": ({ statements = [] }) => ({
    statements,
    json: JSON.stringify({ Statement: statements }),
    minifiedJson: JSON.stringify({ Statement: statements }),
  }),
};
await pulumi.runtime.setMocks(
  {
    newResource: ({ type, name, inputs, id }) => {
      resources.push({ type, name, inputs: plain(inputs) });
      // An empty id would be falsy, and SST then never makes what hangs on it.
      return { id: id || inputs.id || `${name}_id`, state: computed(type, name, inputs) };
    },
    call: ({ token, inputs }) => calls[token]?.(inputs) ?? {},
  },
  "sidenote",
  stage,
  false,
);

/** Secret values are wrapped by Pulumi; what is in them is compared as it is. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") {
    if ("value" in value && Object.keys(value).some((key) => /^[0-9a-f]{32}$/.test(key))) return plain(value.value);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  return typeof value === "function" ? "[function]" : value;
}

const bundle = join(platform, `evaluate-${stage}.mjs`);
const define = (production) => ({
  $app: JSON.stringify({
    name: "sidenote",
    stage,
    home: "aws",
    removal: production ? "retain" : "remove",
    protect: production,
    providers: { aws: { version: "7.20.0", region }, random: { version: "4.16.6" } },
  }),
  $cli: JSON.stringify({
    command: "deploy",
    rpc: "",
    state: { version: {} },
    paths: { home: root, root, work: join(root, ".sst"), platform },
  }),
  $dev: "false",
});
await build({
  stdin: {
    resolveDir: platform,
    contents: `
      import { run } from "./src/auto/run.ts";
      import config from ${JSON.stringify(join(root, "sst.config.ts"))};
      export const program = () => run(config.run.bind(config));
      export const app = config.app;
    `,
  },
  outfile: bundle,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  logLevel: "error",
  tsconfigRaw: {},
  define: define(stage === "production"),
  inject: [join(platform, "src/shim/run.js")],
  external: ["@pulumi/*", "undici", "@aws-sdk/*", "esbuild", "archiver", "glob", "vite"],
  nodePaths: [join(platform, "node_modules")],
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; import { fileURLToPath as toPath } from "node:url"; import { dirname as toFolder } from "node:path"; const require = makeRequire(import.meta.url); const __filename = toPath(import.meta.url); const __dirname = toFolder(__filename);',
  },
  plugins: [
    {
      // SST gives the config the providers and its own components as globals.
      name: "globals",
      setup(setup) {
        setup.onLoad({ filter: /[\\/](sst\.config|infra[\\/]\w+)\.ts$/ }, async ({ path }) => {
          if (path.startsWith(platform)) return undefined;
          const { readFile } = await import("node:fs/promises");
          const written = await readFile(path, "utf8");
          // The stage "guarded" is one whose operator has turned the guardrail on.
          const source =
            stage === "guarded" ? written.replace("const on: boolean = false;", "const on = true;") : written;
          const prelude = [
            'import * as aws from "@pulumi/aws";',
            'import * as random from "@pulumi/random";',
            `import * as sst from ${JSON.stringify(join(platform, "src/components/index.ts"))};`,
          ].join(" ");
          return { contents: `${prelude}\n${source}`, loader: "ts", resolveDir: dirname(path) };
        });
      },
    },
  ],
});

const { program, app } = await import(pathToFileURL(bundle).href);
const options = {};
let outputs;
const fail = (error) => failures.push(String(error?.stack ?? error));
process.on("unhandledRejection", fail);
process.on("uncaughtException", fail);
try {
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ type, name, opts }) => {
      // Later transformations change this very object.
      options[`${type} ${name}`] = opts;
      return undefined;
    });
    outputs = await program();
    return {};
  });
} catch (error) {
  fail(error);
}
// Outputs settle after the program: what is pending then holds the process, and what never settles must not.
server.unref();
const deadline = setTimeout(() => fail("The evaluation did not come to an end."), 60_000);
deadline.unref();
let isWritten = false;
process.on("beforeExit", () => {
  if (isWritten) return;
  isWritten = true;
  const seen = resources.map(({ type, name, inputs }) => {
    const { protect = false, retainOnDelete = false } = options[`${type} ${name}`] ?? {};
    return { type, name, inputs, protect, retainOnDelete };
  });
  const graph = { app: app({ stage }), resources: seen, outputs: Object.keys(outputs ?? {}), built, failures };
  writeFileSync(target, JSON.stringify(graph, null, 2));
});
