import { expect, test } from "vitest";
import { clock, shortDay } from "./when";

const at = (...parts: [number, number, number, number?, number?]): number => new Date(...parts).getTime();
const now = at(2026, 10, 21, 9, 41);

test.each([
  [at(2026, 10, 21, 0, 0), "Today"],
  [at(2026, 10, 20, 23, 59), "Yesterday"],
  [at(2026, 10, 19), "Thu"],
  [at(2026, 10, 15), "Sun"],
  [at(2026, 10, 14), "14 Nov"],
  [at(2026, 0, 1), "1 Jan"],
  [at(2025, 11, 31), "31 Dec 2025"],
  [at(2026, 10, 22), "22 Nov"],
])("a day is named as one would name it: %d is %s", (time, name) => {
  expect(shortDay(time, now)).toBe(name);
});

test("a time of day has 24 hours", () => {
  expect(clock(at(2026, 10, 21, 15, 5))).toBe("15:05");
});
