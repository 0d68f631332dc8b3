/**
 * The model server for one test file, and the environment that app/config.server.ts reads, with every vendor
 * pointing at it. Call it before anything that imports the app:
 *
 *     const local = await startModels();
 *     const { streamAnswer } = await import("~/ai/answer.server");
 *     afterAll(local.stop);
 */
import { randomUUID } from "node:crypto";
import { startModelServer } from "../../infra/local/models/server.ts";
import { freePort } from "../free-port.ts";

export interface RecordedCall {
  path: string;
  body: Record<string, unknown>;
  ended?: string;
  status?: number;
  tokensSent: number;
}

export interface LocalModels {
  url: string;
  /** Scripts the answers to every question that holds the returned marker word. */
  script(scenario: Record<string, unknown>): Promise<string>;
  /** The model calls whose body holds the marker, in order of arrival. */
  calls(marker: string): Promise<RecordedCall[]>;
  control(method: string, path: string, body?: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startModels(backend: Record<string, unknown> = {}): Promise<LocalModels> {
  const server = await startModelServer({ pace: { firstTokenMs: 1, tokenMs: 1 } });
  Object.assign(process.env, {
    SST_RESOURCE_App: JSON.stringify({ name: "sidenote", stage: "local" }),
    SST_RESOURCE_Backend: JSON.stringify({
      tableName: "Sidenote",
      userPoolId: "us-east-1_Local0001",
      clientId: "client",
      clientSecret: "secret",
      signUp: "open",
      bedrock: true,
      models: { default: "bedrock:amazon.nova-lite-v1:0" },
      compatible: [
        { name: "house", url: `${server.url}/v1`, key: "house-key" },
        { name: "dead", url: `http://127.0.0.1:${await freePort()}/v1` },
      ],
      model: { firstMs: 1_000, silentMs: 1_000 },
      ...backend,
    }),
    SST_RESOURCE_SessionKeys: JSON.stringify({
      type: "sst:sst:Secret",
      value: JSON.stringify({ k1: Buffer.alloc(32, 7).toString("base64") }),
    }),
    SST_RESOURCE_OpenAiKey: JSON.stringify({ value: "sk-local" }),
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_DYNAMODB: server.url,
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: server.url,
    AWS_ENDPOINT_URL_BEDROCK: server.url,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url,
    OPENAI_BASE_URL: `${server.url}/v1`,
  });

  const control: LocalModels["control"] = async (method, path, body) => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    url: server.url,
    control,
    async script(scenario) {
      const marker = `marker-${randomUUID()}`;
      await control("PUT", "/__scenario", { ...scenario, match: { text: marker } });
      return marker;
    },
    async calls(marker) {
      const recorded = (await control("GET", "/__requests")) as RecordedCall[] | { requests: RecordedCall[] };
      const list = Array.isArray(recorded) ? recorded : recorded.requests;
      return list.filter(({ body }) => JSON.stringify(body ?? "").includes(marker));
    },
    stop: server.stop,
  };
}
