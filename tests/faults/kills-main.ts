/**
 * `npm run check:kills`: at least 45 kills of the app server, spread over all points, fifteen of them in mid-stream.
 * Prints how often each point was hit; fails on a loss, and on a point that was hit too seldom.
 */
import { chromium } from "@playwright/test";
import { App } from "../app.ts";
import { browserFlags, findBrowser } from "../e2e/browser.ts";
import { type KillPoint, killAt, killPoints, killUnrepeated, openLane } from "./kills.ts";

const LANES = 4;
const LEASE_MS = 15_000;
const unrepeated = "between the claim and the question, never sent again";

const seed = Number(process.argv[2] ?? Date.now() % 100_000);
let state = seed;
/** A small generator of random numbers (mulberry32), so that a failure can be repeated by its seed. */
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

const trials: (KillPoint | undefined)[] = [
  ...killPoints.flatMap((point) => Array.from({ length: point.name === "in mid-stream" ? 16 : 3 }, () => point)),
  undefined,
  undefined,
  undefined,
].sort(() => random() - 0.5);

const hits = new Map<string, number>([...killPoints.map(({ name }) => [name, 0] as const), [unrepeated, 0]]);
const failures: string[] = [];
console.log(`Seed ${seed}: ${trials.length} kills on ${LANES} servers. This takes about ten minutes.`);

const found = await findBrowser();
Object.assign(process.env, found.env);
const browser = await chromium.launch({ executablePath: found.executablePath, args: browserFlags });
const app = await App.start({ servers: 1, backend: { run: { leaseMs: LEASE_MS } } });
try {
  await Promise.all(
    Array.from({ length: LANES }, async (_, index) => {
      const lane = await openLane(app, browser, `lane${index}`);
      for (let left = trials.length; left > 0; left = trials.length) {
        const point = trials.shift();
        const name = point?.name ?? unrepeated;
        const start = Date.now();
        try {
          if (point) await killAt(lane, point, random(), LEASE_MS);
          else await killUnrepeated(lane);
          hits.set(name, (hits.get(name) ?? 0) + 1);
          console.log(`ok    ${name} (${Math.round((Date.now() - start) / 1000)} s)`);
        } catch (error) {
          failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
          console.log(`LOST  ${name}\n${error instanceof Error ? error.stack : String(error)}`);
        }
      }
      await lane.close();
    }),
  );
} finally {
  await browser.close();
  await app.stop();
}

console.log("\nHits of each point:");
for (const [name, count] of hits) {
  console.log(`${String(count).padStart(4)}  ${name}`);
  const least = name === "in mid-stream" ? 15 : 3;
  if (count < least) failures.push(`${name}: hit ${count} times, ${least} are wanted`);
}
console.log(failures.length === 0 ? "\nNothing was lost." : `\n${failures.length} failures:\n${failures.join("\n")}`);
process.exit(failures.length === 0 ? 0 : 1);
