/**
 * The production build: Remix's client and server halves by Vite, then the server bundled into one folder, as it
 * is sent to Lambda. Done only when a source changed since the last time. Each state of the sources has a folder of
 * its own, named by the hash of their contents, and `build` is a link to the newest: a new build takes nothing away
 * from servers that run on an older one.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { takeLock } from "./lock.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const builds = join(root, ".cache", "builds");
const link = join(root, "build");

/** Builds beyond these few are removed, once they were not used for an hour. */
const keptBuilds = 3;
const unusedMs = 3_600_000;

/** Where the newest build lies: `client/` for the browser, `lambda/index.mjs` for the server. */
export function requireBuild(): string {
  if (!existsSync(join(link, "lambda", "index.mjs"))) throw new Error("There is no build yet. Make it: npm run build");
  const folder = realpathSync(link);
  utimesSync(folder, new Date(), new Date());
  return folder;
}

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
  return hash.digest("hex").slice(0, 16);
}

/** Points `build` at the folder in one step, so that nobody ever finds it missing. */
function publish(folder: string): void {
  if (existsSync(link) && !lstatSync(link).isSymbolicLink()) rmSync(link, { recursive: true });
  if (existsSync(link) && realpathSync(link) === realpathSync(folder)) return;
  const next = join(builds, `link-${process.pid}`);
  rmSync(next, { force: true });
  symlinkSync(process.platform === "win32" ? folder : relative(root, folder), next, "junction");
  renameSync(next, link);
}

function removeOldBuilds(): void {
  const old = readdirSync(builds)
    .map((name) => ({ path: join(builds, name), at: statSync(join(builds, name)).mtimeMs }))
    .sort((one, other) => other.at - one.at)
    .slice(keptBuilds)
    .filter(({ at }) => at < Date.now() - unusedMs);
  for (const { path } of old) rmSync(path, { recursive: true, force: true });
}

/** Vite in a process of its own: it keeps state that a server should not carry along. */
async function buildRemix(folder: string): Promise<void> {
  const child = spawn(process.execPath, [join(root, "node_modules/@remix-run/dev/dist/cli.js"), "vite:build"], {
    cwd: root,
    env: { ...process.env, NODE_ENV: "production", VITEST: "", SIDENOTE_BUILD: relative(root, folder) },
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

async function bundleServer(folder: string): Promise<void> {
  const { build, stop } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: { index: join(folder, "server", "index.js") },
    outdir: join(folder, "lambda"),
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
  let folder = join(builds, hash);
  if (existsSync(folder)) return publish(folder);
  mkdirSync(builds, { recursive: true });
  const lockFile = join(root, ".cache", "build.lock");
  let lock = takeLock(lockFile);
  for (let told = false; "holder" in lock; lock = takeLock(lockFile)) {
    if (!told) print(`Waiting for the build that process ${lock.holder} makes.`);
    told = true;
    await wait(200);
  }
  const unfinished = join(root, ".cache", "build-unfinished");
  try {
    if (!existsSync(folder)) {
      const since = Date.now();
      print("Building the app, since its sources changed. This takes half a minute.");
      rmSync(unfinished, { recursive: true, force: true });
      await buildRemix(unfinished);
      await bundleServer(unfinished);
      // What was edited meanwhile may be in it or not: it serves now, and is never taken for the one or the other.
      if (hashSources() !== hash) folder = join(builds, `${hash}-edited-${since}`);
      renameSync(unfinished, folder);
      print(`Built in ${Math.round((Date.now() - since) / 1000)} s.`);
    }
    publish(folder);
    removeOldBuilds();
  } finally {
    lock.release();
  }
}

if (import.meta.main) await ensureBuild();
