/**
 * The long model check: `npm run check:protocol [seeds] [first seed]`. Prints its figures; exits with 1 if a rule
 * was broken, and names the seeds.
 */
import { checkSeed, noFigures } from "./check.ts";
import { loadProtocol } from "./protocol.ts";

const seeds = Number(process.argv[2] ?? 50_000);
const first = Number(process.argv[3] ?? 1);
const protocol = await loadProtocol();
const figures = noFigures();
const startedAt = performance.now();

function print(): void {
  const { seeds: done, runs, kills, tableCalls, violations } = figures;
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.log(
    `${done} seeds, ${runs} runs, ${kills} kills, ${tableCalls} table calls, ${violations.length} violations, ${seconds} s`,
  );
}

for (let seed = first; seed < first + seeds; seed++) {
  await checkSeed(protocol, seed, figures);
  if (figures.seeds % 5_000 === 0) print();
  if (figures.violations.length > 20) break;
}
print();
for (const violation of figures.violations) console.log(violation);
if (figures.violations.length > 0) process.exitCode = 1;
