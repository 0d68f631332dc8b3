import fc from "fast-check";
import { expect, test } from "vitest";
import { idTime, isId, isMessageId, isRunId, newMessageId, newRequestId, newThreadId, runIdOf } from "./ids";

/** From 1: the library takes 0, the first moment of 1970, for "now". */
const times = fc.integer({ min: 1, max: 2 ** 47 });

test("a message's id carries the clock's time and leaves room for its run", () => {
  fc.assert(
    fc.property(times, (now) => {
      const id = newMessageId(undefined, now);
      expect(isMessageId(id)).toBe(true);
      expect(isRunId(id)).toBe(false);
      expect(idTime(id)).toBe(now);
      expect(isRunId(runIdOf(id))).toBe(true);
      expect(runIdOf(id) > id).toBe(true);
      expect(runIdOf(id).slice(0, -1)).toBe(id.slice(0, -1));
    }),
  );
});

test("a new id is newer than the newest seen, however wrong either clock is", () => {
  fc.assert(
    fc.property(times, times, fc.boolean(), (theirs, ours, fromRun) => {
      const message = newMessageId(undefined, theirs);
      const newest = fromRun ? runIdOf(message) : message;
      for (const id of [newMessageId(newest, ours), newRequestId(newest, ours)]) {
        expect(id > newest).toBe(true);
        expect(id > runIdOf(message)).toBe(true);
        expect(idTime(id)).toBe(Math.max(ours, theirs + 1));
      }
    }),
  );
});

test("a run without a new message has a run's id", () => {
  expect(isRunId(newRequestId())).toBe(true);
  expect(isMessageId(newRequestId())).toBe(false);
});

test("a run's id is its own run", () => {
  const run = newRequestId();
  expect(runIdOf(run)).toBe(run);
});

test("two ids of the same millisecond differ", () => {
  const ids = new Set(Array.from({ length: 1000 }, () => newMessageId(undefined, 1_760_000_000_000)));
  expect(ids.size).toBe(1000);
});

test("only upper-case ids of 26 digits within 48 bits of time are ids", () => {
  const id = newThreadId();
  expect(isId(id)).toBe(true);
  for (const wrong of [
    id.toLowerCase(),
    id.slice(1),
    `${id}0`,
    `8${id.slice(1)}`,
    `${id.slice(0, 25)}U`,
    `${id}\n`,
    "",
    null,
    undefined,
    7,
    [id],
  ])
    expect(isId(wrong)).toBe(false);
});
