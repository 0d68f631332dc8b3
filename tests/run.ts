/**
 * The whole test: type check, lint, infrastructure, unit, integration, end-to-end. Goes on after a failure, so
 * that one run shows all of them, and closes with `N passed, N failed`. A check without tests of its own (types,
 * lint) counts as one. `npm test -- unit e2e` runs only the named steps.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { findBrowser } from "./e2e/browser.ts";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const results = join(root, ".cache/test-results");
const bin = (name: string): string => join(root, "node_modules/.bin", name);

interface Counts {
  passed: number;
  failed: number;
}

let running: ReturnType<typeof spawn> | undefined;
process.on("disconnect", () => process.exit(1));
process.on("exit", () => running?.kill("SIGTERM"));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

function run(command: string, args: string[], env: Record<string, string> = {}): Promise<number> {
  return new Promise((done, fail) => {
    running = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    running.once("error", fail);
    running.once("exit", (code, signal) => done(signal ? 1 : (code ?? 1)));
  });
}

async function check(command: string, args: string[]): Promise<Counts> {
  const code = await run(command, args);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
}

/** A run that wrote no report, or ended badly without a failed test, counts as one failure. */
function judged(code: number, read: () => Counts): Counts {
  let counts: Counts;
  try {
    counts = read();
  } catch {
    return { passed: 0, failed: 1 };
  }
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

async function vitest(project: string): Promise<Counts> {
  const report = join(results, `${project}.json`);
  const code = await run(bin("vitest"), [
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ]);
  return judged(code, () => {
    const { numPassedTests, numFailedTests, numFailedTestSuites, numTotalTests } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    if (numTotalTests === 0) throw new Error("no test ran");
    return { passed: numPassedTests, failed: numFailedTests || (numFailedTestSuites > 0 ? 1 : 0) };
  });
}

async function playwright(name: string, args: string[]): Promise<Counts> {
  const report = join(results, `${name}.json`);
  const browser = await findBrowser();
  const code = await run(bin("playwright"), ["test", "--reporter=list,json", ...args], {
    ...browser.env,
    CHROMIUM_PATH: browser.executablePath,
    PLAYWRIGHT_JSON_OUTPUT_FILE: report,
  });
  return judged(code, () => {
    const { stats } = JSON.parse(readFileSync(report, "utf8"));
    if (stats.expected + stats.unexpected === 0) throw new Error("no test ran");
    // A test that passed only on a second try is a failure too; no second tries are configured.
    return { passed: stats.expected, failed: stats.unexpected + stats.flaky };
  });
}

const sum = (one: Counts, other: Counts): Counts => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
});

/** SST's sources, unpacked beside the first steps: that is a minute of waiting for a disk. */
let unpacking: Promise<number> | undefined;

function unpack(): Promise<number> {
  const child = spawn(process.execPath, ["tests/infra/platform.mjs"], { cwd: root, stdio: "inherit" });
  process.on("exit", () => child.kill("SIGTERM"));
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code, signal) => done(signal ? 1 : (code ?? 1)));
  });
}

const steps: Record<string, () => Promise<Counts>> = {
  types: () => check(bin("tsc"), ["--noEmit"]),
  lint: () => check(bin("biome"), ["ci", "--error-on-warnings", "."]),
  build: () => check(process.execPath, ["infra/local/build.ts"]),
  unit: () => vitest("unit"),
  integration: () => vitest("integration"),
  infra: async () => {
    if ((await unpacking) !== 0) return { passed: 0, failed: 1 };
    const types = await check(bin("tsc"), ["-p", "tsconfig.infra.json"]);
    const graph = await vitest("infra");
    return sum(types, graph);
  },
  e2e: async () => {
    // The kills are about seconds of a lease: they have the machine to themselves.
    const kills = "kills\\.spec";
    const pages = await playwright("e2e", ["--workers=2", "--grep-invert=A server that is killed"]);
    return sum(pages, await playwright("e2e-kills", [kills]));
  },
};

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const chosen = process.argv.slice(2);
for (const name of chosen)
  if (!steps[name]) throw new Error(`No such step: ${name}. There are ${Object.keys(steps).join(", ")}.`);

if (chosen.length === 0 || chosen.includes("infra")) unpacking = unpack();

const total: Counts = { passed: 0, failed: 0 };
const summary: string[] = [];
for (const [name, step] of Object.entries(steps)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const start = Date.now();
  console.log(`\n== ${name}`);
  const counts = await step();
  total.passed += counts.passed;
  total.failed += counts.failed;
  summary.push(
    `${name.padEnd(12)} ${counts.passed} passed, ${counts.failed} failed, ${Math.round((Date.now() - start) / 1000)} s`,
  );
}
console.log(`\n${summary.join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
