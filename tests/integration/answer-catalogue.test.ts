import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startModels } from "./answer-local.ts";

const local = await startModels();
afterAll(local.stop);

type Config = typeof import("~/config.server")["config"];
const { config } = await import("~/config.server");

/** The catalogue as a new process has it, with another configuration. */
async function startCatalogue(changes: Partial<Config> = {}) {
  vi.resetModules();
  vi.doMock("~/config.server", () => ({ config: { ...config, compatible: [], ...changes } }));
  const catalogue = await import("~/ai/catalogue.server");
  const { runInvocation } = await import("~/invocation.server");
  /** As inside of an invocation; `background` is what it left to be done behind the answer. */
  return {
    ...catalogue,
    async invoke<T>(work: () => Promise<T>): Promise<{ result: T; background: Promise<unknown>[] }> {
      const background: Promise<unknown>[] = [];
      const waitUntil = (promise: Promise<unknown>) => void background.push(promise);
      const result = await runInvocation({ requestId: "test", deadline: Date.now() + 60_000, waitUntil }, work);
      return { result, background };
    },
  };
}

const lists = async () => {
  const requests = (await local.control("GET", "/__requests")) as {
    operation: string;
    path: string;
    headers: Record<string, string>;
  }[];
  // A client that repeats a request on a slow machine has not been asked twice.
  const repeated = ({ headers }: { headers: Record<string, string> }) =>
    /attempt=[2-9]/.test(headers["amz-sdk-request"] ?? "") || Number(headers["x-stainless-retry-count"] ?? 0) > 0;
  return requests
    .filter((request) => request.operation === "list" && !repeated(request))
    .map(({ path }) => path.split("?")[0]);
};

let printed: string[] = [];
beforeEach(async () => {
  await local.control("DELETE", "/__scenario");
  await local.control("DELETE", "/__requests");
  printed = [];
  vi.spyOn(console, "error").mockImplementation((line: string) => void printed.push(line));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const minutesLater = (minutes: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + minutes * 60_000 });

describe("the list of models", () => {
  test("holds what can hold a conversation, of every vendor, the default one first", async () => {
    const { invoke, listModels } = await startCatalogue();
    const { models, notices } = (await invoke(listModels)).result;
    expect(notices).toEqual([]);
    expect(models.map(({ ref }) => ref)).toEqual([
      "bedrock:amazon.nova-lite-v1:0",
      ...models.slice(1).map(({ ref }) => ref),
    ]);
    const refs = models.map(({ ref }) => ref);
    expect(refs).toEqual(
      expect.arrayContaining([
        "bedrock:amazon.nova-micro-v1:0",
        "openai:gpt-4.1",
        "openai:gpt-5-mini",
        "openai:o4-mini",
      ]),
    );
    expect(refs.join(" ")).not.toMatch(
      /canvas|embed|rerank|sonic|pegasus|300k|claude-3-haiku|audio|image|tts|whisper|dall|moderation|instruct-?$|realtime|transcribe|codex|-pro$/,
    );
    expect(new Set(refs).size).toBe(refs.length);
  });

  test("names an inference profile where the bare id may not be called, the nearest one", async () => {
    const { invoke, listModels, requireModel } = await startCatalogue();
    const refs = (await invoke(listModels)).result.models.map(({ ref }) => ref);
    expect(refs).toContain("bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    expect(refs).not.toContain("bedrock:global.anthropic.claude-sonnet-4-5-20250929-v1:0");
    expect(refs).not.toContain("bedrock:anthropic.claude-sonnet-4-5-20250929-v1:0");
    const { result } = await invoke(() => requireModel("bedrock:anthropic.claude-sonnet-4-5-20250929-v1:0"));
    expect(result).toMatchObject({ id: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", family: "Claude Sonnet 4.5" });
    expect(
      (await invoke(() => requireModel("bedrock:global.anthropic.claude-sonnet-4-5-20250929-v1:0"))).result.name,
    ).toContain("global");
  });

  test("says of each model what it takes", async () => {
    const { invoke, listModels } = await startCatalogue();
    const { models } = (await invoke(listModels)).result;
    const find = (ref: string) => models.find((model) => model.ref === ref);
    expect(find("bedrock:us.anthropic.claude-opus-4-7")?.supports).toMatchObject({ temperature: false, topP: false });
    expect(find("bedrock:amazon.nova-lite-v1:0")).toMatchObject({
      name: "Amazon Nova Lite",
      window: 300_000,
      supports: { temperature: { min: 0, max: 1 } },
    });
    expect(find("openai:gpt-4.1")?.supports.temperature).toEqual({ min: 0, max: 2 });
    expect(models.filter(({ family }) => family === "unknown")).toEqual([]);
  });

  test("is cut down to what the operator allows, who may name a bare id or one profile", async () => {
    const allow = [
      "bedrock:meta.llama3-3-70b-instruct-v1:0",
      "bedrock:global.amazon.nova-2-lite-v1:0",
      "openai:gpt-4.1",
    ];
    const { invoke, listModels, requireModel } = await startCatalogue({ models: { allow, default: "openai:gpt-4.1" } });
    const refs = (await invoke(listModels)).result.models.map(({ ref }) => ref);
    expect(refs).toEqual([
      "openai:gpt-4.1",
      "bedrock:global.amazon.nova-2-lite-v1:0",
      "bedrock:us.meta.llama3-3-70b-instruct-v1:0",
    ]);
    await expect(invoke(() => requireModel("openai:gpt-4o"))).rejects.toMatchObject({ code: "model-missing" });
  });

  test("offers a model that goes out, or that is made for other work, to an operator who names it", async () => {
    const legacy = "bedrock:us.anthropic.claude-3-haiku-20240307-v1:0";
    const allow = ["bedrock:anthropic.claude-3-haiku-20240307-v1:0", "openai:gpt-5-pro", "openai:gpt-4.1"];
    const named = await startCatalogue({ models: { allow, default: "openai:gpt-4.1" } });
    const refs = (await named.invoke(named.listModels)).result.models.map(({ ref }) => ref);
    expect(refs).toEqual(["openai:gpt-4.1", "bedrock:anthropic.claude-3-haiku-20240307-v1:0", "openai:gpt-5-pro"]);
    // Nobody named it: a thread that has it goes on with it, until its vendor says no.
    const { invoke, requireModel } = await startCatalogue();
    for (const ref of [legacy, "openai:gpt-5-codex"])
      expect((await invoke(() => requireModel(ref))).result).toMatchObject({ ref });
  });

  test.each([
    ["us-east-1", ["us", "global"]],
    ["us-gov-west-1", ["us-gov", "global"]],
    ["ca-central-1", ["ca", "us", "global"]],
    ["eu-west-3", ["eu", "global"]],
    ["ap-northeast-1", ["jp", "apac", "global"]],
    ["ap-southeast-2", ["au", "apac", "global"]],
    ["ap-south-1", ["in", "apac", "global"]],
    ["ap-southeast-1", ["apac", "global"]],
    ["sa-east-1", ["global"]],
  ])("takes in %s the inference profiles of %j, in this order", async (region, geographies) => {
    expect((await import("~/ai/lists.server")).geographies(region)).toEqual(geographies);
  });

  test("leaves out vendors that are off, and adds compatible endpoints under their names", async () => {
    const { invoke, listModels, requireModel } = await startCatalogue({
      openAiApiKey: undefined,
      compatible: [{ name: "house", url: `${local.url}/v1`, key: "key" }],
    });
    const vendors = new Set((await invoke(listModels)).result.models.map(({ vendor }) => vendor));
    expect(vendors).toEqual(new Set(["bedrock", "house"]));
    await expect(invoke(() => requireModel("openai:gpt-4.1"))).rejects.toMatchObject({ code: "model-missing" });
  });

  test("that cannot be read is replaced by well-known models, with a notice, and read again soon", async () => {
    await local.control("PUT", "/__scenario", { match: { provider: "bedrock", operation: "list" }, fault: "denied" });
    const { invoke, listModels } = await startCatalogue();
    const { models, notices } = (await invoke(listModels)).result;
    expect(notices).toEqual([
      "The list of Bedrock models could not be read. These are well-known ones; some may not be offered.",
    ]);
    expect(models.map(({ ref }) => ref)).toEqual(
      expect.arrayContaining(["bedrock:us.amazon.nova-pro-v1:0", "openai:gpt-4.1"]),
    );
    expect(printed.map((line) => JSON.parse(line))).toEqual([
      { level: "ERROR", where: "list of Bedrock models", name: "AccessDeniedException", status: 403 },
    ]);

    await local.control("DELETE", "/__scenario");
    minutesLater(1);
    const again = await invoke(listModels);
    expect(again.background).toHaveLength(1);
    await Promise.all(again.background);
    expect((await invoke(listModels)).result.notices).toEqual([]);
  });

  test("that cannot be read again stays the last one, with a notice", async () => {
    const { invoke, listModels } = await startCatalogue();
    const first = (await invoke(listModels)).result;
    await local.control("PUT", "/__scenario", { match: { provider: "openai", operation: "list" }, fault: "throttle" });
    minutesLater(11);
    const stale = await invoke(listModels);
    expect(stale.result).toEqual(first);
    await Promise.all(stale.background);
    const { models, notices } = (await invoke(listModels)).result;
    expect(models).toEqual(first.models);
    expect(notices).toEqual(["The list of OpenAI models could not be read again. This is the last one."]);
  });

  test("is read again when a person asks for it, by one of many at a time, and not twice in a moment", async () => {
    const { invoke, listModels } = await startCatalogue();
    await invoke(listModels);
    const fresh = () => invoke(() => listModels({ fresh: true }));
    await fresh();
    expect(await lists()).toHaveLength(3);
    minutesLater(1);
    await Promise.all(Array.from({ length: 20 }, fresh));
    expect(await lists()).toHaveLength(6);
    await fresh();
    expect(await lists()).toHaveLength(6);
  });

  test("that a person asked for and that cannot be read stays the last one, with a notice", async () => {
    const { invoke, listModels } = await startCatalogue();
    const first = (await invoke(listModels)).result;
    await local.control("PUT", "/__scenario", { match: { provider: "bedrock", operation: "list" }, fault: "denied" });
    minutesLater(1);
    const { models, notices } = (await invoke(() => listModels({ fresh: true }))).result;
    expect(models).toEqual(first.models);
    expect(notices).toEqual(["The list of Bedrock models could not be read again. This is the last one."]);
  });

  test("has of a compatible endpoint what can talk, with the window that the operator names", async () => {
    const url = `${local.url}/compatible/v1`;
    const { invoke, listModels } = await startCatalogue({
      bedrock: false,
      openAiApiKey: undefined,
      compatible: [{ name: "house", url, key: "key", window: 64_000 }],
    });
    const { models, notices } = (await invoke(listModels)).result;
    expect(models.map(({ ref, window }) => [ref, window])).toEqual([
      ["house:deepseek-reasoner", 64_000],
      ["house:llama3.2:3b", 64_000],
    ]);
    expect(models.every(({ price }) => price === undefined)).toBe(true);
    expect(notices).toEqual([]);
  });

  test("is read once for many who ask at the same time, and kept for ten minutes", async () => {
    const { invoke, listModels } = await startCatalogue();
    await Promise.all(Array.from({ length: 20 }, () => invoke(listModels)));
    minutesLater(9);
    expect((await invoke(listModels)).background).toEqual([]);
    expect((await lists()).sort()).toEqual(["/foundation-models", "/inference-profiles", "/v1/models"]);
  });
});

describe("a send", () => {
  test("waits for no list, which is read behind it", async () => {
    await local.control("PUT", "/__scenario", { match: { operation: "list" }, firstTokenMs: 300 });
    const { invoke, requireModel, listModels } = await startCatalogue();
    const { result, background } = await invoke(() => requireModel("bedrock:us.anthropic.claude-opus-4-7"));
    expect(result).toMatchObject({
      vendor: "bedrock",
      family: "Claude Opus 4.7",
      supports: { temperature: false },
    });
    expect(background).toHaveLength(1);
    await Promise.all(background);
    expect((await invoke(() => requireModel(undefined))).background).toEqual([]);
    expect((await invoke(listModels)).result.models.length).toBeGreaterThan(10);
  });

  test("with a model that the list does not have is refused, once the list is not older than half a minute", async () => {
    const { invoke, requireModel, listModels } = await startCatalogue();
    await invoke(listModels);
    await expect(invoke(() => requireModel("openai:gpt-gone"))).rejects.toMatchObject({ code: "model-missing" });
    expect(await lists()).toHaveLength(3);
    minutesLater(1);
    await expect(invoke(() => requireModel("openai:gpt-gone"))).rejects.toMatchObject({ code: "model-missing" });
    expect(await lists()).toHaveLength(4);
  });

  test("with what is no model at all is refused", async () => {
    const { invoke, requireModel } = await startCatalogue();
    for (const ref of ["", "bedrock", "bedrock:", "nowhere:model", "bedrock:../secrets", "openai:a b"]) {
      await expect(invoke(() => requireModel(ref))).rejects.toMatchObject({ code: "model-missing" });
    }
    expect(await lists()).toEqual([]);
  });
});
