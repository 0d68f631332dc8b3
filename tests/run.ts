/**
 * The whole test: type check, lint, infrastructure, unit, integration, end-to-end. Goes on after a failure, so
 * that one run shows all of them, and closes with `N passed, N failed`. A check without tests of its own (types,
 * lint) counts as one. `npm test -- unit e2e` runs only the named steps. What failed is said once more at the very
 * end, with its message: of a long output often only the end is kept.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { findBrowser } from "./e2e/browser.ts";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const results = join(root, ".cache/test-results");
const bin = (name: string): string => join(root, "node_modules/.bin", name);

interface Counts {
  passed: number;
  failed: number;
  /** What failed: its name, and the beginning of its message. */
  failures: string[];
}

const linesOfMessage = 30;

function failure(name: string, message = ""): string {
  const lines = stripVTControlCharacters(message)
    .trim()
    .split("\n")
    .filter((line) => !line.includes("/node_modules/"));
  return [name, ...lines.slice(0, linesOfMessage).map((line) => `    ${line}`)].join("\n").trimEnd();
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
  return code === 0
    ? { passed: 1, failed: 0, failures: [] }
    : { passed: 0, failed: 1, failures: [failure([command.replace(`${root}/`, ""), ...args].join(" "))] };
}

/** A run that wrote no report, or ended badly without a failed test, counts as one failure. */
function judged(code: number, read: () => Counts): Counts {
  let counts: Counts;
  try {
    counts = read();
  } catch (error) {
    return { passed: 0, failed: 1, failures: [failure("The report of this step", String(error))] };
  }
  if (code === 0 || counts.failed > 0) return counts;
  return { ...counts, failed: 1, failures: [failure(`This step ended with code ${code} and no failed test`)] };
}

/** What is read of the report that Vitest's `json` reporter writes. */
interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
  numTotalTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
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
    const { numPassedTests, numFailedTests, numFailedTestSuites, numTotalTests, testResults }: VitestReport =
      JSON.parse(readFileSync(report, "utf8"));
    if (numTotalTests === 0) throw new Error("no test ran");
    const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
      const file = name.replace(`${root}/`, "");
      const tests = assertionResults.filter((test) => test.status === "failed");
      if (tests.length === 0) return status === "failed" ? [failure(file, message)] : [];
      return tests.map((test) => failure(`${file} > ${test.fullName}`, test.failureMessages.join("\n")));
    });
    return { passed: numPassedTests, failed: numFailedTests || (numFailedTestSuites > 0 ? 1 : 0), failures };
  });
}

/** What is read of the report that Playwright's `json` reporter writes. */
interface PlaywrightReport {
  stats: { expected: number; unexpected: number; flaky: number };
  errors: { message?: string }[];
  suites: PlaywrightSuite[];
}

interface PlaywrightSuite {
  suites?: PlaywrightSuite[];
  specs: {
    title: string;
    file: string;
    line: number;
    tests: { status: string; results: { errors: { message?: string }[] }[] }[];
  }[];
}

function failuresOf({ suites = [], specs }: PlaywrightSuite): string[] {
  const own = specs.flatMap(({ title, file, line, tests }) =>
    tests
      .filter(({ status }) => status === "unexpected" || status === "flaky")
      .map(({ results }) =>
        failure(
          `${file}:${line} > ${title}`,
          results.flatMap(({ errors }) => errors.map(({ message }) => message ?? "")).join("\n"),
        ),
      ),
  );
  return [...own, ...suites.flatMap((suite) => failuresOf(suite))];
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
    const { stats, suites, errors }: PlaywrightReport = JSON.parse(readFileSync(report, "utf8"));
    if (stats.expected + stats.unexpected === 0) throw new Error("no test ran");
    // A test that passed only on a second try is a failure too; no second tries are configured.
    return {
      passed: stats.expected,
      failed: stats.unexpected + stats.flaky,
      failures: [
        ...suites.flatMap((suite) => failuresOf(suite)),
        ...errors.map(({ message }) => failure("Beside the tests", message)),
      ],
    };
  });
}

const sum = (one: Counts, other: Counts): Counts => ({
  passed: one.passed + other.passed,
  failed: one.failed + other.failed,
  failures: [...one.failures, ...other.failures],
});

/** What runs beside the first steps: each leaves a core idle for most of its time. What it prints comes at its step. */
interface Beside {
  name: string;
  ended: Promise<{ code: number; printed: string }>;
}

function beside(name: string, command: string, args: string[]): Beside {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  process.on("exit", () => child.kill("SIGTERM"));
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  const ended = new Promise<{ code: number; printed: string }>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => done({ code: signal ? 1 : (code ?? 1), printed }));
  });
  return { name, ended };
}

async function outcomeOf(started: Beside | undefined): Promise<Counts> {
  if (!started) throw new Error("This step was not begun");
  const { code, printed } = await started.ended;
  process.stdout.write(printed);
  return code === 0
    ? { passed: 1, failed: 0, failures: [] }
    : { passed: 0, failed: 1, failures: [failure(started.name, printed)] };
}

/** SST's sources, whose unpacking is a minute of waiting for a disk. */
let unpacking: Beside | undefined;
let types: Beside | undefined;

const steps: Record<string, () => Promise<Counts>> = {
  lint: () => check(bin("biome"), ["ci", "--error-on-warnings", "."]),
  build: () => check(process.execPath, ["infra/local/build.ts"]),
  types: () => outcomeOf(types),
  unit: () => vitest("unit"),
  integration: () => vitest("integration"),
  infra: async () => {
    const unpacked = await outcomeOf(unpacking);
    if (unpacked.failed > 0) return unpacked;
    return sum(await check(bin("tsc"), ["-p", "tsconfig.infra.json"]), await vitest("infra"));
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

const isChosen = (name: string): boolean => chosen.length === 0 || chosen.includes(name);
if (isChosen("types")) types = beside("tsc --noEmit", bin("tsc"), ["--noEmit"]);
if (isChosen("infra")) unpacking = beside("SST's sources, unpacked", process.execPath, ["tests/infra/platform.mjs"]);

let total: Counts = { passed: 0, failed: 0, failures: [] };
const summary: string[] = [];
for (const [name, step] of Object.entries(steps)) {
  if (!isChosen(name)) continue;
  const start = Date.now();
  console.log(`\n== ${name}`);
  const counts = await step();
  total = sum(total, counts);
  summary.push(
    `${name.padEnd(12)} ${counts.passed} passed, ${counts.failed} failed, ${Math.round((Date.now() - start) / 1000)} s`,
  );
}
if (total.failures.length > 0) console.log(`\n== What failed\n\n${total.failures.join("\n\n")}`);
console.log(`\n${summary.join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
