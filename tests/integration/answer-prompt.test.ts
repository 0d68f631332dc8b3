import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { traitsOf } from "~/ai/families";
import { buildPrompt, citedSidenotes, type HistoryMessage, type NumberedNote } from "~/threads/prompt.server";
import { startModels } from "./answer-local.ts";

const local = await startModels();
const { streamAnswer } = await import("~/ai/answer.server");
afterAll(local.stop);

const delimiter = "Zk3_v-91qaWs";
const notes: NumberedNote[] = [
  { number: 2, noteId: "b", title: "Boiler", text: "The boiler was serviced in March by Mr Kowalski.", revision: 4 },
  { number: 5, noteId: "t", title: "Trip", text: "The train to Porto leaves at 9:40.", revision: 1 },
];

async function run(ref: string, options: { history: HistoryMessage[]; notes?: NumberedNote[]; systemPrompt?: string }) {
  const colon = ref.indexOf(":");
  const [vendor, id] = [ref.slice(0, colon), ref.slice(colon + 1)];
  const model = { ref, vendor, id, name: id, ...traitsOf(vendor, id) };
  const settings = options.systemPrompt === undefined ? {} : { systemPrompt: options.systemPrompt };
  const prompt = buildPrompt({ model, settings, history: options.history, notes: options.notes ?? [], delimiter });
  const answer = streamAnswer({ model, settings, ...prompt, signal: new AbortController().signal });
  let text = "";
  for (;;) {
    const next = await answer.next();
    if (next.done) return { text, outcome: next.value, prompt };
    if (next.value.type === "text") text += next.value.text;
  }
}

const refs = [
  "bedrock:amazon.nova-lite-v1:0",
  "bedrock:us.anthropic.claude-opus-4-7",
  // Takes no system prompt.
  "bedrock:mistral.mistral-7b-instruct-v0:2",
  "openai:gpt-4.1-mini",
  "openai:gpt-5-mini",
];

describe.each(refs)("with %s", (ref) => {
  test("a question about a note is answered out of it, and the sidenote has the passage", async () => {
    const { text, outcome } = await run(ref, {
      history: [{ role: "user", text: "Who serviced the boiler in March?" }],
      notes,
      systemPrompt: "Be brief.",
    });
    expect(outcome.ending).toBe("complete");
    expect(text).toContain("Kowalski [2]");
    expect(citedSidenotes(text, notes)).toEqual([
      { number: 2, noteId: "b", title: "Boiler", revision: 4, cited: true, passage: notes[0]?.text },
      { number: 5, noteId: "t", title: "Trip", revision: 1, cited: false },
    ]);
  });

  test("an answer that was cut off is gone on with", async () => {
    const { outcome } = await run(ref, {
      history: [
        { role: "user", text: "Who serviced the boiler?" },
        { role: "assistant", text: "It was ", ending: "interrupted" },
      ],
      notes,
    });
    expect(outcome.ending).toBe("complete");
  });
});

test("the vendor may change from turn to turn, and each is sent the whole history in order", async () => {
  const history: HistoryMessage[] = [];
  const marker = await local.script({ tokens: 4 });
  const questions = refs.map((_, index) => `Question ${index} ${marker}`);
  for (const [index, ref] of refs.entries()) {
    history.push({ role: "user", text: questions[index] ?? "" });
    const { text, outcome } = await run(ref, { history });
    expect(outcome.ending).toBe("complete");
    history.push({ role: "assistant", text, ending: "complete" });
  }
  const calls = await local.calls(marker);
  expect(calls).toHaveLength(refs.length);
  for (const [index, call] of calls.entries()) {
    const sent = JSON.stringify(call.body);
    const places = questions.slice(0, index + 1).map((question) => sent.indexOf(question));
    expect(places.every((place, at) => place > (places[at - 1] ?? 0))).toBe(true);
  }
});

test("no history makes a vendor refuse the prompt", async () => {
  const message = fc.record({
    role: fc.constantFrom("user" as const, "assistant" as const),
    text: fc.constantFrom("Hello", "", " \n", "Go on.", "x".repeat(500)),
    ending: fc.constantFrom("complete", "stopped", "interrupted", "blocked", "failed", undefined),
  });
  const marker = await local.script({ tokens: 3 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...refs), fc.array(message, { maxLength: 30 }), async (ref, before) => {
      const { outcome } = await run(ref, { history: [...before, { role: "user", text: marker }], notes });
      expect(outcome).toMatchObject({ ending: "complete" });
    }),
    { numRuns: 150 },
  );
});
