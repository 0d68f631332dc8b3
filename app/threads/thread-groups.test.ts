import { describe, expect, test } from "vitest";
import { groupThreads, isOutdated, joinFirstPage, joinNextPage, localDay, utcDay } from "./thread-groups";
import type { ThreadCard } from "./view";

const thread = (threadId: string, activityAt: string | number, pinned = false): ThreadCard => ({
  threadId,
  title: threadId,
  pinned,
  activityAt: typeof activityAt === "number" ? activityAt : Date.parse(activityAt),
});
const names = (threads: ThreadCard[]) => threads.map(({ threadId }) => threadId);

describe("Groups", () => {
  const now = Date.parse("2026-11-21T09:38:00Z");
  const groups = (...threads: ThreadCard[]) =>
    groupThreads(threads, now, utcDay).map(({ name, threads: members }) => `${name}: ${names(members).join(" ")}`);

  test("follow the calendar, not the hours", () => {
    expect(
      groups(
        thread("pinned", "2025-01-01T00:00:00Z", true),
        thread("now", "2026-11-21T09:00:00Z"),
        thread("midnight", "2026-11-21T00:00:00Z"),
        thread("before", "2026-11-20T23:59:59Z"),
        thread("yesterday", "2026-11-20T00:00:00Z"),
        thread("two", "2026-11-19T23:00:00Z"),
        thread("seven", "2026-11-14T00:00:00Z"),
        thread("eight", "2026-11-13T23:59:00Z"),
        thread("thirty", "2026-10-22T00:00:00Z"),
        thread("more", "2026-10-21T23:00:00Z"),
        thread("summer", "2026-07-01T12:00:00Z"),
        thread("old", "2025-10-31T12:00:00Z"),
      ),
    ).toEqual([
      "Pinned: pinned",
      "Today: now midnight",
      "Yesterday: before yesterday",
      "Previous 7 days: two seven",
      "Previous 30 days: eight thirty",
      "October: more",
      "July: summer",
      "October 2025: old",
    ]);
  });

  test("put a clock that is ahead into today", () => {
    expect(groups(thread("ahead", "2026-11-22T00:10:00Z"))).toEqual(["Today: ahead"]);
  });

  test("have no empty members", () => {
    expect(groups()).toEqual([]);
  });

  test("go by the browser's own midnight", () => {
    const evening = new Date(2026, 10, 20, 23, 59).getTime();
    const morning = new Date(2026, 10, 21, 0, 1).getTime();
    expect(localDay(morning) - localDay(evening)).toBe(1);
    expect(groupThreads([thread("late", evening)], morning, localDay)[0]?.name).toBe("Yesterday");
  });
});

describe("A fresh first page", () => {
  const shown = {
    items: [thread("a", 90), thread("b", 80), thread("c", 70), thread("d", 60), thread("e", 50)],
    cursor: "e",
  };

  test("takes out what was deleted elsewhere, and keeps what was loaded below it", () => {
    expect(joinFirstPage(shown, { items: [thread("a", 90), thread("c", 70)], cursor: "c" })).toEqual({
      items: [thread("a", 90), thread("c", 70), thread("d", 60), thread("e", 50)],
      cursor: "e",
    });
  });

  test("moves up a thread that was used", () => {
    const joined = joinFirstPage(shown, { items: [thread("e", 95), thread("a", 90)], cursor: "a" });
    expect(names(joined.items)).toEqual(["e", "a", "b", "c", "d"]);
  });

  test("replaces everything if it is the whole list", () => {
    expect(joinFirstPage(shown, { items: [thread("a", 90)] })).toEqual({ items: [thread("a", 90)] });
  });

  test("keeps pinned threads on top", () => {
    const joined = joinFirstPage(shown, { items: [thread("d", 60, true), thread("a", 90)], cursor: "a" });
    expect(names(joined.items)).toEqual(["d", "a", "b", "c", "e"]);
  });
});

test("A next page goes below, and shows no thread twice that moved meanwhile", () => {
  const joined = joinNextPage(
    { items: [thread("c", 99), thread("a", 90)], cursor: "a" },
    { items: [thread("b", 80), thread("c", 70)] },
  );
  expect(names(joined.items)).toEqual(["c", "a", "b"]);
  expect(joined.cursor).toBeUndefined();
});

describe("A list", () => {
  const run = (runId: string) => ({ runId, since: 0 });

  test("is fetched again when runs begin or end, and until a thread that answers is in it", () => {
    const shown = [thread("old", 1)];
    expect(isOutdated(shown, {}, {})).toBe(false);
    expect(isOutdated(shown, {}, { old: run("1") })).toBe(true);
    expect(isOutdated(shown, { old: run("1") }, { old: run("1") })).toBe(false);
    expect(isOutdated(shown, { old: run("1") }, { old: run("2") })).toBe(true);
    const far = { far: run("3") };
    expect(isOutdated(shown, far, far)).toBe(true);
    expect(isOutdated(shown, far, far, (runId) => runId !== "3")).toBe(false);
    expect(isOutdated(shown, { old: run("1") }, {})).toBe(true);
    expect(isOutdated(shown, { new: run("1") }, { new: run("1") })).toBe(true);
    expect(isOutdated([...shown, thread("new", 2)], { new: run("1") }, { new: run("1") })).toBe(false);
  });
});
