import { expect, test } from "vitest";
import { createTally } from "./tally";

/** A tally whose clock stands where it is put. */
function started(how: { thinks: boolean; tellsAll: boolean }) {
  const clock = { seconds: 0 };
  const tally = createTally({ ...how, now: () => clock.seconds * 1_000 });
  return { tally, clock };
}
const words = (tokens: number): string => "word".repeat(tokens);

test("what a model thinks where nobody sees it is counted by time, until its answer begins", () => {
  const { tally, clock } = started({ thinks: true, tellsAll: false });
  clock.seconds = 100;
  expect(tally.isEmpty()).toBe(true);
  expect(tally.taken()).toBe(8_000);
  tally.add({ type: "text", text: words(50) });
  clock.seconds = 500;
  expect(tally.taken()).toBe(8_050);
});

test("as much is to be reserved as a fast model may have thought, however long it takes", () => {
  const { tally, clock } = started({ thinks: true, tellsAll: false });
  clock.seconds = 300;
  expect(tally.atMost()).toBe(60_000);
  expect(tally.taken()).toBeLessThan(60_000);
});

test("a summary of the reasoning takes nothing from that, and reasoning that is shown whole is counted as it is", () => {
  const summarised = started({ thinks: true, tellsAll: false });
  const shown = started({ thinks: true, tellsAll: true });
  for (const { tally, clock } of [summarised, shown]) {
    tally.add({ type: "reasoning", text: words(300) });
    clock.seconds = 50;
  }
  expect(summarised.tally.atMost()).toBe(10_000);
  expect(shown.tally.atMost()).toBe(300);
  expect(shown.tally.taken()).toBe(300);
});

test("nothing is counted for the time in which a busy model is waited for, nor for a model that does not think", () => {
  const busy = started({ thinks: true, tellsAll: false });
  busy.tally.beginAt(20_000);
  const plain = started({ thinks: false, tellsAll: true });
  for (const { tally, clock } of [busy, plain]) {
    clock.seconds = 10;
    expect(tally.atMost()).toBe(0);
  }
  busy.clock.seconds = 30;
  expect(busy.tally.atMost()).toBe(2_000);
});
