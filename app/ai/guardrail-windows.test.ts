import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Check,
  checkWhole,
  createWindows,
  findMasks,
  type Match,
  type Released,
  type Verdict,
} from "./guardrail-windows";

const secrets = /card \d{4}-\d{4}|[\w.]+@[\w.]+\.org/g;
const forbidden = "buy these shares today";

/** A guardrail that masks and blocks by words, as the service answers. */
function verdictOn(text: string): Verdict {
  const matches: Match[] = [...text.matchAll(secrets)].map(([found]) => ({ text: found, mask: "{SECRET}" }));
  if (text.includes(forbidden))
    return { outcome: "blocked", policies: ["Denied topic"], message: "No.", matches, units: 1 };
  if (matches.length === 0) return { outcome: "passed", units: Math.ceil(text.length / 1_000) };
  return { outcome: "masked", text: text.replace(secrets, "{SECRET}"), matches, units: 1 };
}

type Gate = Pick<ReturnType<typeof createWindows>, "release" | "flush"> & { units?(): number };

/** Lets a text through in pieces. Stops where the gate does. */
async function pass(
  gate: Gate,
  pieces: readonly string[],
): Promise<Released & { steps: string[]; units?: number | undefined }> {
  let text = "";
  let masked = false;
  const steps: string[] = [];
  for (const piece of [...pieces, undefined]) {
    const released = piece === undefined ? await gate.flush() : await gate.release(piece);
    text += released.text;
    steps.push(released.text);
    masked ||= released.masked === true;
    if (released.blocked || released.error) return { ...released, text, units: gate.units?.(), masked, steps };
  }
  return { text, units: gate.units?.(), masked, steps };
}

/** Asks about each piece by itself, as somebody might who has not thought of where pieces end. */
function naiveGate(): Gate {
  const release = async (text: string): Promise<Released> => {
    const verdict = verdictOn(text);
    if (verdict.outcome === "blocked") return { text: "", blocked: { message: "No.", policies: [] } };
    return { text: verdict.outcome === "masked" ? verdict.text : text };
  };
  return { release, flush: async () => ({ text: "" }) };
}

const word = fc.oneof(
  { arbitrary: fc.stringMatching(/^[a-zé🙂]{1,12}$/u), weight: 40 },
  { arbitrary: fc.constantFrom("end.", "line\n", "«so»", "{EMAIL}", "—"), weight: 8 },
  { arbitrary: fc.constantFrom("card 1234-5678", "maria.b@example.org", "a@b.org", "card 1234-5679"), weight: 3 },
);
const plain = fc.array(word, { minLength: 1, maxLength: 700 }).map((words) => words.join(" "));
const bad = fc.tuple(plain, plain).map(([before, after]) => `${before} ${forbidden} ${after}`);

/** The same text, cut anywhere: also between the halves of a character. */
function pieces(text: string, cuts: readonly number[]): string[] {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((one, other) => one - other);
  return [...at, text.length].map((end, index) => text.slice(index === 0 ? 0 : at[index - 1], end));
}
const cuts = fc.array(fc.nat(10_000), { maxLength: 60 });

describe("A text that passes in pieces", () => {
  async function holds(makeGate: () => Gate): Promise<void> {
    await fc.assert(
      fc.asyncProperty(plain, cuts, async (text, where) => {
        const { text: shown, blocked, error } = await pass(makeGate(), pieces(text, where));
        expect(blocked ?? error).toBeUndefined();
        expect(shown).toBe(text.replace(secrets, "{SECRET}"));
      }),
      { numRuns: 300 },
    );
  }

  test("is shown masked as if it had been asked about as a whole, wherever it was cut", async () => {
    await holds(() => createWindows({ check: async (text) => verdictOn(text) }));
  });

  test("is not, if each piece is asked about by itself", async () => {
    await expect(holds(naiveGate)).rejects.toThrow();
  });

  test("never shows a word of a forbidden phrase, wherever it was cut", async () => {
    await fc.assert(
      fc.asyncProperty(bad, cuts, async (text, where) => {
        const gate = createWindows({ check: async (part) => verdictOn(part) });
        const { text: shown, blocked } = await pass(gate, pieces(text, where));
        expect(blocked).toEqual({ message: "No.", policies: ["Denied topic"] });
        expect(text.replace(secrets, "{SECRET}").startsWith(shown)).toBe(true);
        expect(shown).not.toContain("buy these");
        expect(shown).not.toMatch(secrets);
      }),
      { numRuns: 200 },
    );
  });

  test("shows only what a window has passed, and asks about no character twice without need", async () => {
    const asked: string[] = [];
    const gate = createWindows({
      check: async (text) => {
        asked.push(text);
        return { outcome: "passed", units: 1 };
      },
    });
    const text = "A sentence of about forty characters now. ".repeat(120);
    const { text: shown, steps } = await pass(gate, text.match(/[\s\S]{1,7}/g) ?? []);
    expect(shown).toBe(text);
    expect(asked[0]?.length).toBeLessThanOrEqual(400);
    for (const window of asked) {
      expect(window.length).toBeLessThanOrEqual(1_000);
      expect(window.trimEnd()).toMatch(/\.$/);
    }
    // 800 to 1,000 characters each, of which 200 stay back.
    expect(asked.length).toBeLessThanOrEqual(Math.ceil(text.length / 560));
    expect(steps.filter((step) => step !== "").every((step) => /\s$/.test(step))).toBe(true);
  });

  test("goes on from text that was shown before: a phrase that began there is still seen", async () => {
    const check: Check = async (text) => verdictOn(text);
    const gate = createWindows({ check, before: `${"Earlier words. ".repeat(40)}So buy these` });
    expect(await pass(gate, [" shares today, all of them."])).toMatchObject({ text: "", blocked: { message: "No." } });
    const other = createWindows({ check, before: "Write to a@b" });
    // What is shown cannot be taken back; its rest is not shown.
    expect((await pass(other, [".org or c@d.org."])).text).toBe("{SECRET} or {SECRET}.");
  });

  test("ends where the guardrail cannot be asked any more; what was shown stays", async () => {
    let calls = 0;
    const gate = createWindows({
      check: async () => (++calls > 1 ? { outcome: "unavailable", units: 0 } : { outcome: "passed", units: 1 }),
    });
    const { text, error, units } = await pass(gate, ["word ".repeat(500)]);
    expect(error).toBe("guardrail-unavailable");
    expect(text.length).toBeGreaterThan(150);
    expect(text.length).toBeLessThan(250);
    expect(units).toBe(1);
  });

  test("is not shown in part if its masks cannot be found again", async () => {
    const check: Check = async (text) => ({ outcome: "masked", text: text.toUpperCase(), matches: [], units: 1 });
    expect(await pass(createWindows({ check }), ["short"])).toMatchObject({ text: "SHORT", masked: true });
    const long = await pass(createWindows({ check }), ["word ".repeat(4_000)]);
    expect(long).toMatchObject({ text: "", error: "guardrail-unavailable" });
  });

  test("is asked about not at all if there is nothing in it", async () => {
    const gate = createWindows({ check: () => Promise.reject(new Error("asked")) });
    expect(await pass(gate, [])).toMatchObject({ text: "", units: 0 });
    expect(await pass(gate, ["\n", " "])).toMatchObject({ text: "\n ", units: 0 });
  });
});

describe("Masks are found again", () => {
  const spans = (raw: string, masked: string, ...texts: string[]) =>
    findMasks(
      raw,
      masked,
      texts.map((text) => ({ text, mask: "{NAME}" })),
    )?.map(({ from, to, mask }) => [raw.slice(from, to), mask]);

  test("also if one is the beginning of another, stands twice, or looks like plain text", () => {
    expect(spans("Jan Jansen and Jan", "{NAME} and {NAME}", "Jan", "Jan Jansen")).toEqual([
      ["Jan Jansen", "{NAME}"],
      ["Jan", "{NAME}"],
    ]);
    expect(spans("Jan Jansen", "{NAME} Jansen", "Jan Jansen", "Jan")).toEqual([["Jan", "{NAME}"]]);
    expect(spans("{NAME} is Jan", "{NAME} is {NAME}", "Jan")).toEqual([["Jan", "{NAME}"]]);
    expect(spans("{{Jan}}", "{{{NAME}}}", "Jan")).toEqual([["Jan", "{NAME}"]]);
  });

  test("unless the texts differ in more than that", () => {
    expect(spans("Jan is here", "{NAME} was here", "Jan")).toBeUndefined();
    expect(spans("Jan", "{NAME}")).toBeUndefined();
    expect(spans("Jan", "Jan", "Jan")).toEqual([]);
  });

  test("in no time, however the text was made to mislead", () => {
    const raw = "{aa}".repeat(3_000);
    const started = performance.now();
    findMasks(raw, `${raw}!`, [
      { text: "{aa}", mask: "{A}" },
      { text: "{aa}{aa}", mask: "{A}" },
    ]);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("A question", () => {
  const check: Check = async (text) => verdictOn(text);

  test("passes, is masked, or is blocked; a blocked one is kept without its personal data", async () => {
    expect(await checkWhole("Hello there", check)).toEqual({ outcome: "passed", text: "Hello there", units: 1 });
    expect(await checkWhole("I am a@b.org", check)).toMatchObject({ outcome: "masked", text: "I am {SECRET}" });
    expect(await checkWhole(`I am a@b.org, should I ${forbidden}?`, check)).toMatchObject({
      outcome: "blocked",
      text: `I am {SECRET}, should I ${forbidden}?`,
      masked: true,
      policies: ["Denied topic"],
    });
    expect(await checkWhole(forbidden, check)).toMatchObject({ outcome: "blocked", masked: false, text: forbidden });
  });

  test("that is long is asked about in calls that overlap, all of it", async () => {
    const filler = "Some words of a long story. ".repeat(1_100);
    const calls: number[] = [];
    const counted: Check = async (text) => {
      calls.push(text.length);
      return verdictOn(text);
    };
    const at = 9_995;
    const split = `${filler.slice(0, at)} ${forbidden} ${filler.slice(at)} maria@example.org`;
    expect(await checkWhole(split, counted)).toMatchObject({
      outcome: "blocked",
      text: split.replace(secrets, "{SECRET}"),
    });
    expect(Math.max(...calls)).toBeLessThanOrEqual(10_000);
    for (let place = 9_500; place < 10_300; place += 7) {
      const text = `${filler.slice(0, place)} maria.b@example.org ${filler.slice(place)}`;
      expect((await checkWhole(text, check)) as { text: string }).toMatchObject({
        outcome: "masked",
        text: text.replace(secrets, "{SECRET}"),
      });
    }
  });

  test("of which nothing is known does not pass", async () => {
    expect(await checkWhole("Hello", async () => ({ outcome: "unavailable", units: 1 }))).toEqual({
      outcome: "unavailable",
      units: 1,
    });
    const vague: Check = async () => ({
      outcome: "blocked",
      policies: [],
      message: "No.",
      matches: [{ text: "elsewhere", mask: "{NAME}" }],
      units: 1,
    });
    expect(await checkWhole("A name is somewhere here", vague)).toMatchObject({
      outcome: "blocked",
      text: "(Not kept: it held personal data.)",
    });
  });
});
