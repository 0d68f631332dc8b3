/**
 * The production build: Remix's client and server halves by Vite, then the server bundled into one folder, as it
 * is sent to Lambda. Done only when a source changed since the last time; the stamp is a hash of their contents.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { takeLock } from "./lock.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where the build lies: `client/` for the browser, `lambda/index.mjs` for the server. */
export const buildFolder = join(root, "build");
const stampFile = join(buildFolder, "stamp");

const sources = [
  "app",
  "public",
  "package-lock.json",
  "package.json",
  "remix.config.js",
  "vite.config.ts",
  "tsconfig.json",
  "infra/local/build.ts",
];

function hashSources(): string {
  const hash = createHash("sha256");
  const add = (path: string): void => {
    const full = join(root, path);
    if (existsSync(full)) hash.update(`${path}\0`).update(readFileSync(full)).update("\0");
  };
  for (const source of sources) {
    if (source.includes(".")) add(source);
    else if (existsSync(join(root, source)))
      for (const entry of readdirSync(join(root, source), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
        .sort())
        add(entry);
  }
  return hash.digest("hex");
}

function isBuilt(hash: string): boolean {
  return (
    existsSync(stampFile) &&
    readFileSync(stampFile, "utf8") === hash &&
    existsSync(join(buildFolder, "lambda", "index.mjs")) &&
    existsSync(join(buildFolder, "client"))
  );
}

/** Vite in a process of its own: it keeps state that a server should not carry along. */
async function buildRemix(): Promise<void> {
  const child = spawn(process.execPath, [join(root, "node_modules/@remix-run/dev/dist/cli.js"), "vite:build"], {
    cwd: root,
    env: { ...process.env, NODE_ENV: "production", VITEST: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => output.push(data));
  child.stderr.on("data", (data: Buffer) => output.push(data));
  const endChild = (): void => void child.kill("SIGKILL");
  process.on("exit", endChild);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  process.off("exit", endChild);
  if (code !== 0) throw new Error(`The build failed.\n${Buffer.concat(output).toString()}`);
}

async function bundleServer(): Promise<void> {
  const { build, stop } = await import("esbuild");
  rmSync(join(buildFolder, "lambda"), { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: { index: "build/server/index.js" },
    outdir: "build/lambda",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    // What is imported lazily stays apart, and is read only when it is needed.
    splitting: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    minify: true,
    legalComments: "none",
    define: { "process.env.NODE_ENV": '"production"' },
    banner: {
      // CommonJS packages inside call require for Node's own modules.
      js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
    },
    logLevel: "error",
  });
  await stop();
}

/** Makes the build if a source changed since the last one. Two callers at once make it once. */
export async function ensureBuild(options: { onLine?: (line: string) => void } = {}): Promise<void> {
  const print = options.onLine ?? ((line: string) => console.log(line));
  const hash = hashSources();
  if (isBuilt(hash)) return;
  mkdirSync(join(root, ".cache"), { recursive: true });
  let lock = takeLock(join(root, ".cache", "build.lock"));
  for (let told = false; "holder" in lock; lock = takeLock(join(root, ".cache", "build.lock"))) {
    if (!told) print(`Waiting for the build that process ${lock.holder} makes.`);
    told = true;
    await wait(200);
  }
  try {
    if (isBuilt(hash)) return;
    const since = Date.now();
    print("Building the app, since its sources changed. This takes half a minute.");
    rmSync(stampFile, { force: true });
    await buildRemix();
    await bundleServer();
    writeFileSync(stampFile, hash);
    print(`Built in ${Math.round((Date.now() - since) / 1000)} s.`);
  } finally {
    lock.release();
  }
}

if (import.meta.main) await ensureBuild();
