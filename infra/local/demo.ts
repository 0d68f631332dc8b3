/**
 * The demo account of the local cloud: made on the first start of a data folder, with a few notes and threads, so
 * that the first page shows what the app is. It is an account like any other; nothing knows it by its name.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { DemoSeedOptions } from "./demo-seed.ts";
import { plainEnvironment, startProcess } from "./process.ts";

export const demo = { email: "demo@sidenote.local", password: "margin-notes" } satisfies DemoSeedOptions;

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Makes the demo account unless the data folder had one before. Returns whether it did. */
export async function ensureDemo(dataFolder: string, env: Record<string, string>): Promise<boolean> {
  const mark = join(dataFolder, "demo-made");
  if (existsSync(mark)) return false;
  const bundle = join(root, ".cache", "demo-seed.mjs");
  const { build, stop } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: ["infra/local/demo-seed.ts"],
    outfile: bundle,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node22",
    logLevel: "error",
  });
  await stop();
  const seeding = await startProcess<null>({
    script: pathToFileURL(bundle),
    options: demo,
    env: { ...plainEnvironment(), NODE_ENV: "production", ...env },
    onLine: (line) => console.error(line),
  });
  await seeding.stop();
  writeFileSync(mark, `${demo.email}\n`);
  return true;
}
