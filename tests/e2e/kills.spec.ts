/** Each point of a run once; `npm run check:kills` does it at length. */
import { App } from "../app.ts";
import { killAt, killPoints, killUnrepeated, openLane } from "../faults/kills.ts";
import { expect, test } from "./fixtures.ts";

const LANES = 4;
const LEASE_MS = 6_000;

test("A server that is killed at any point of a run loses no message and shows no part as the whole", async ({
  browser,
}) => {
  test.setTimeout(420_000);
  const app = await App.start({ servers: 1, backend: { run: { leaseMs: LEASE_MS } } });
  const trials = [...killPoints.map((point) => ({ point })), { point: undefined }];
  const hit: string[] = [];
  try {
    await Promise.all(
      Array.from({ length: LANES }, async (_, index) => {
        const lane = await openLane(app, browser, `lane${index}`);
        for (let trial = trials.shift(); trial; trial = trials.shift()) {
          if (trial.point) await killAt(lane, trial.point, 0.5, LEASE_MS);
          else await killUnrepeated(lane);
          hit.push(trial.point?.name ?? "never sent again");
        }
        await lane.close();
      }),
    );
  } finally {
    await app.stop();
  }
  expect(hit).toHaveLength(killPoints.length + 1);
});
