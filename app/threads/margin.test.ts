import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { citedNumbers, type MarginOfAnswer, numberSidenotes, placeSidenotes } from "./margin";

const notes = [4, 7, 9, 12].map((number) => ({ number, title: `Note ${number}` }));

describe("numbers", () => {
  test("count per answer, in order of first citation", () => {
    const { citations, cited, also } = numberSidenotes(
      "The disk [9] is new. [4] It hums [9], the old [12, 4] not.",
      notes,
    );
    expect([...citations]).toEqual([
      [9, 1],
      [4, 2],
      [12, 3],
    ]);
    expect(cited.map(({ display, note }) => `${display} ${note.title}`)).toEqual(["1 Note 9", "2 Note 4", "3 Note 12"]);
    expect(also.map(({ number }) => number)).toEqual([7]);
  });

  test("what merely looks like a citation has none", () => {
    const text = "Unknown [3], a list `x[4]`, both [4, 3].\n\n```js\nlist[7]\n```\n\nHalf of one [1";
    expect(citedNumbers(text, new Set([1, 4, 7]))).toEqual([]);
  });

  test("stay as they are while the answer grows", () => {
    const text = "One [12]. Two [4].\n\n- Three [7]\n- Four [9, 4]\n";
    let before: number[] = [];
    for (let length = 0; length <= text.length; length += 1) {
      const now = citedNumbers(text.slice(0, length), new Set([4, 7, 9, 12]));
      expect(now.slice(0, before.length)).toEqual(before);
      before = now;
    }
    expect(before).toEqual([12, 4, 7, 9]);
  });
});

describe("places", () => {
  const note = (line: number, full = 60) => ({ line, full, title: 20 });

  test("a sidenote stands level with its line where there is room", () => {
    const { answers, bottom } = placeSidenotes([{ notes: [note(0), note(200), note(400)] }]);
    expect(answers[0]?.notes).toEqual([
      { top: 0, form: "full" },
      { top: 200, form: "full" },
      { top: 400, form: "full" },
    ]);
    expect(bottom).toBe(460);
  });

  test("two for one line stand below each other, 22 px apart", () => {
    const { answers } = placeSidenotes([{ notes: [note(100), note(100), note(128)] }]);
    expect(answers[0]?.notes.map(({ top }) => top)).toEqual([100, 182, 264]);
  });

  test("one that would stand more than 160 px below its line shows its title only", () => {
    const { answers } = placeSidenotes([{ notes: [note(0, 80), note(0, 80), note(20, 80)] }]);
    expect(answers[0]?.notes).toEqual([
      { top: 0, form: "full" },
      { top: 102, form: "full" },
      { top: 204, form: "title" },
    ]);
  });

  test("the seventh and all later ones show their titles only, 8 px apart", () => {
    const { answers } = placeSidenotes([{ notes: Array.from({ length: 9 }, (_, index) => note(index * 90)) }]);
    expect(answers[0]?.notes.map(({ form }) => form)).toEqual([...Array(6).fill("full"), ...Array(3).fill("title")]);
    const crowded = placeSidenotes([
      { notes: Array.from({ length: 9 }, (_, index) => note(index < 6 ? index * 90 : 450)) },
    ]);
    expect(crowded.answers[0]?.notes.slice(6).map(({ top }) => top)).toEqual([532, 560, 588]);
  });

  test("a long list runs past its answer and pushes the next one's notes", () => {
    const { answers } = placeSidenotes([{ notes: [note(0), note(10), note(20)] }, { notes: [note(100)] }]);
    expect(answers[1]?.notes).toEqual([{ top: 246, form: "full" }]);
  });

  test("the line about other notes stands level with the answer's last line, or below the last sidenote", () => {
    const free = placeSidenotes([{ notes: [note(0)], also: { line: 300, height: 36 } }]);
    expect(free.answers[0]?.also).toBe(300);
    const pushed = placeSidenotes([{ notes: [note(0)], also: { line: 28, height: 36 } }, { notes: [note(90)] }]);
    expect(pushed.answers[0]?.also).toBe(82);
    expect(pushed.answers[1]?.notes[0]?.top).toBe(140);
  });

  const answersOf = fc.array(
    fc.record({
      notes: fc.array(fc.record({ gap: fc.integer({ min: 0, max: 150 }), full: fc.integer({ min: 20, max: 100 }) }), {
        maxLength: 12,
      }),
      also: fc.option(fc.integer({ min: 18, max: 36 }), { nil: undefined }),
    }),
    { maxLength: 5 },
  );
  /** Lines in the order of the text, as citations have them. */
  const inOrder = (
    given: { notes: { gap: number; full: number }[]; also?: number | undefined }[],
  ): MarginOfAnswer[] => {
    let line = 0;
    return given.map(({ notes, also }) => ({
      notes: notes.map(({ gap, full }) => {
        line += gap;
        return { line, full, title: 20 };
      }),
      also: also === undefined ? undefined : { line: line + 10, height: also },
    }));
  };

  test("they never overlap, never stand above their line, and keep their order", () => {
    fc.assert(
      fc.property(answersOf, (given) => {
        const answers = inOrder(given);
        const placed = placeSidenotes(answers);
        const boxes = answers.flatMap(({ notes, also }, answer) => [
          ...notes.map(({ line, full, title }, index) => {
            const { top = 0, form } = placed.answers[answer]?.notes[index] ?? {};
            if (form === "full") expect(top - line).toBeLessThanOrEqual(160);
            return { line, top, height: form === "full" ? full : title };
          }),
          ...(also ? [{ line: also.line, top: placed.answers[answer]?.also ?? 0, height: also.height }] : []),
        ]);
        boxes.forEach(({ line, top }, index) => {
          const before = boxes[index - 1];
          expect(top).toBeGreaterThanOrEqual(line);
          if (before) expect(top - (before.top + before.height)).toBeGreaterThanOrEqual(8);
        });
      }),
    );
  });

  test("a note that comes later moves none above it", () => {
    fc.assert(
      fc.property(answersOf, (given) => {
        const answers = inOrder(given.map(({ notes }) => ({ notes })));
        const last = answers.at(-1);
        if (!last || last.notes.length === 0) return;
        const shorter = [...answers.slice(0, -1), { notes: last.notes.slice(0, -1) }];
        const before = placeSidenotes(shorter).answers.flatMap(({ notes }) => notes);
        const after = placeSidenotes(answers).answers.flatMap(({ notes }) => notes);
        expect(after.slice(0, before.length)).toEqual(before);
      }),
    );
  });
});
