import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cloud, findVendors, startCloud, type Vendors } from "./cloud.ts";

/** A port of the loopback interface where nothing listens. */
const nobody = "http://127.0.0.1:1";

describe("The vendors that a machine can reach", () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "sidenote-home-"));
    vi.stubEnv("HOME", home);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true });
  });

  test("With nothing set, all models are local", async () => {
    expect(await findVendors({}, nobody)).toEqual({ vendors: {}, lines: [] });
  });

  test("A key makes OpenAI the real one, at another address if one is set", async () => {
    const { vendors, lines } = await findVendors({ OPENAI_API_KEY: "sk-1" }, nobody);
    expect(vendors).toEqual({ openAi: { key: "sk-1" } });
    expect(lines.join()).not.toContain("sk-1");
    const proxied = await findVendors({ OPENAI_API_KEY: "sk-1", OPENAI_BASE_URL: "https://proxy.example/v1" }, nobody);
    expect(proxied.vendors.openAi).toEqual({ key: "sk-1", url: "https://proxy.example/v1" });
  });

  test("BEDROCK=aws with credentials makes Bedrock the real one, with the person's own variables", async () => {
    const own = { AWS_ACCESS_KEY_ID: "AKIA1", AWS_SECRET_ACCESS_KEY: "s", AWS_DEFAULT_REGION: "eu-west-1" };
    const { vendors, lines } = await findVendors({ ...own, BEDROCK: "aws", PATH: "/bin" }, nobody);
    expect(vendors.bedrock).toEqual({ ...own, AWS_REGION: "eu-west-1" });
    expect(lines.join()).toContain("eu-west-1");
    expect((await findVendors(own, nobody)).vendors).toEqual({});
  });

  test("BEDROCK=aws without credentials says so; a profile on disk is one", async () => {
    const without = await findVendors({ BEDROCK: "aws" }, nobody);
    expect(without.vendors).toEqual({});
    expect(without.lines).toEqual([expect.stringContaining("no AWS credentials")]);
    mkdirSync(join(home, ".aws"));
    writeFileSync(join(home, ".aws", "credentials"), "");
    expect((await findVendors({ BEDROCK: "aws" }, nobody)).vendors.bedrock).toBeDefined();
  });

  test("An Ollama that answers is offered", async () => {
    const ollama = createServer((_request, response) => response.end('{"object":"list","data":[]}'));
    ollama.listen(0, "127.0.0.1");
    await once(ollama, "listening");
    const url = `http://127.0.0.1:${(ollama.address() as AddressInfo).port}`;
    expect((await findVendors({}, url)).vendors).toEqual({ compatible: [{ name: "ollama", url: `${url}/v1` }] });
    ollama.close();
  });
});

describe("What app servers are told", { timeout: 30_000 }, () => {
  let folder: string;
  let cloud: Cloud | undefined;
  const start = async (vendors?: Vendors): Promise<Cloud> => {
    folder = mkdtempSync(join(tmpdir(), "sidenote-cloud-"));
    cloud = await startCloud({
      dataFolder: folder,
      quiet: true,
      backend: { retentionDays: 7, limits: { signIn: { limit: 1, seconds: 1 } } },
      ...(vendors ? { vendors } : {}),
    });
    return cloud;
  };
  afterEach(async () => {
    await cloud?.stop();
    cloud = undefined;
    rmSync(folder, { recursive: true });
  });

  test("All endpoints are local, and a test's overrides are in the backend", async () => {
    const { env, modelsUrl, tableUrl, cognitoUrl } = await start();
    expect(env).toMatchObject({
      AWS_ENDPOINT_URL_BEDROCK: modelsUrl,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: modelsUrl,
      AWS_ENDPOINT_URL_DYNAMODB: tableUrl,
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: cognitoUrl,
      OPENAI_BASE_URL: `${modelsUrl}/v1`,
    });
    expect(JSON.parse(env.SST_RESOURCE_Backend ?? "")).toMatchObject({
      signUp: "open",
      bedrock: true,
      models: { default: "bedrock:us.amazon.nova-lite-v1:0" },
      limits: { liveRuns: 50, signIn: { limit: 1, seconds: 1 } },
      retentionDays: 7,
    });
  });

  test("Real vendors take the place of the model server; table and Cognito stay local", async () => {
    const { env, tableUrl, cognitoUrl } = await start({
      openAi: { key: "sk-1" },
      bedrock: { AWS_PROFILE: "mine", AWS_REGION: "eu-west-1" },
      compatible: [{ name: "ollama", url: "http://127.0.0.1:11434/v1" }],
    });
    expect(env).toMatchObject({
      AWS_PROFILE: "mine",
      AWS_REGION: "eu-west-1",
      AWS_ENDPOINT_URL_DYNAMODB: tableUrl,
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: cognitoUrl,
    });
    for (const name of ["OPENAI_BASE_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL_BEDROCK"])
      expect(env).not.toHaveProperty(name);
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) expect(env).not.toHaveProperty(name);
    expect(JSON.parse(env.SST_RESOURCE_OpenAiKey ?? "")).toMatchObject({ value: "sk-1" });
    const backend = JSON.parse(env.SST_RESOURCE_Backend ?? "");
    expect(backend.compatible).toEqual([{ name: "ollama", url: "http://127.0.0.1:11434/v1" }]);
    expect(backend.models.default).toBe("bedrock:eu.amazon.nova-lite-v1:0");
  });
});
