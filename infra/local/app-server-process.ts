/** The process of one app server. Started by `startAppServer`. */
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Assets, readAssets } from "./assets.ts";
import { requireBuild } from "./build.ts";
import { type FunctionUrlOptions, serveFunctionUrl } from "./function-url.ts";
import { isolatedRuntime } from "./isolated-runtime.ts";
import { installLambdaGlobals, type Runtime, type StreamingHandler, sharedRuntime } from "./lambda-runtime.ts";
import { runProcess, tellParent } from "./process.ts";

export interface AppServerProcessOptions {
  port: number;
  mode: "shared" | "isolated" | "development";
  deadlineMs: number;
}

export interface AppServerReady {
  url: string;
  port: number;
}

interface Parts {
  runtime: Runtime;
  server: Server;
  assets?: Assets;
  middleware?: FunctionUrlOptions["middleware"];
  stop?: () => Promise<void>;
}

/** The handler that Lambda runs, taken from its source at each request; Vite serves the browser's half. */
async function development(): Promise<Parts> {
  const server = createServer();
  const { createServer: createVite } = await import("vite");
  const vite = await createVite({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    appType: "custom",
    server: { middlewareMode: true, hmr: { server } },
  });
  installLambdaGlobals();
  const load = async (): Promise<StreamingHandler> => {
    const { handler } = await vite.ssrLoadModule("/app/entry.lambda.ts");
    return handler as StreamingHandler;
  };
  // Read before the first visit. A mistake in a source is shown now and at each visit, until it is mended.
  await load().catch((error: unknown) => console.error(error));
  return {
    server,
    runtime: sharedRuntime(load),
    middleware: (request, response, next) => vite.middlewares(request, response, next),
    stop: () => vite.close(),
  };
}

async function built({ mode, deadlineMs }: AppServerProcessOptions): Promise<Parts> {
  const folder = requireBuild();
  const bundle = pathToFileURL(join(folder, "lambda", "index.mjs")).href;
  const assets = readAssets(join(folder, "client"));
  const server = createServer();
  if (mode === "isolated") {
    const runtime = isolatedRuntime({
      bundle,
      env: process.env as Record<string, string>,
      deadlineMs,
      onLine: (line) => console.log(line),
      onWorkers: (pids) => tellParent({ type: "workers", pids }),
    });
    return { runtime, assets, server };
  }
  installLambdaGlobals();
  const { handler } = (await import(bundle)) as { handler: StreamingHandler };
  return { runtime: sharedRuntime(async () => handler), assets, server };
}

runProcess<AppServerProcessOptions, AppServerReady>(async (options) => {
  const { stop, ...parts } = options.mode === "development" ? await development() : await built(options);
  const { deadlineMs } = options;
  const served = await serveFunctionUrl({ ...parts, port: options.port, deadlineMs }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(`Port ${options.port} is taken. Choose another one: PORT=${options.port + 1}`);
  });
  return {
    ready: { url: served.url, port: served.port },
    async stop() {
      await served.stop(1_000);
      await stop?.();
    },
  };
});
