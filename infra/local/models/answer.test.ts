import { describe, expect, test } from "vitest";
import { traitsOf } from "~/ai/families";
import { buildPrompt } from "~/threads/prompt.server";
import { composeAnswer, countPrompt, countTokens, type Prompt, splitTokens, stretch } from "./answer.ts";

const notes = [
  {
    number: 1,
    title: "House",
    text: "## Heating\n\n- The boiler was serviced in March 2026 by Anna Berg.\n- The next service is due in **March 2027**.\n\n## Keys\n\nThe spare key is with the neighbours at number 12.",
  },
  {
    number: 2,
    title: 'Trip to "Porto" > Lisbon',
    text: "We fly on 3 May at 07:40 from Terminal 2. The hotel is Casa do Sol, two nights.\n\n[7] is no note, though it looks like one.",
  },
  { number: 5, title: "Sourdough", text: "Feed the starter twice a day. Bake at 240 degrees for 35 minutes." },
];

/** The prompt as the app builds it from these notes and this conversation. */
const prompt = (...texts: string[]): Prompt => promptWith("k3x9w2m4", ...texts);

function promptWith(delimiter: string, ...texts: string[]): Prompt {
  const history = texts.map((text, index) => ({
    role: index % 2 === 0 ? ("user" as const) : ("assistant" as const),
    text,
  }));
  return buildPrompt({
    model: traitsOf("bedrock", "amazon.nova-lite-v1:0"),
    settings: {},
    history,
    notes: notes.map((note) => ({ ...note, noteId: `note-${note.number}`, revision: 1 })),
    delimiter,
    operatorSystemPrompt: "Answer briefly.",
  });
}

describe("Answers from notes", () => {
  test("A question about a note gets its sentence, cited by the note's number", () => {
    expect(composeAnswer(prompt("When was the boiler serviced?"))).toMatch(
      /boiler was serviced in March 2026.* \[1\]\./,
    );
    expect(composeAnswer(prompt("At what temperature do I bake the sourdough?"))).toContain("240 degrees");
    expect(composeAnswer(prompt("At what temperature do I bake the sourdough?"))).toContain("[5].");
  });

  test("The notes are found whatever their random delimiter begins and ends with", () => {
    for (const delimiter of ["-k3x9w2m", "k3x9w2m-", "_k3x9w2_", "--------"])
      expect(composeAnswer(promptWith(delimiter, "When was the boiler serviced?"))).toContain("March 2026");
  });

  test("A word in another form still finds its note", () => {
    expect(composeAnswer(prompt("Which hotels did we book?"))).toContain("Casa do Sol, two nights [2].");
  });

  test("The title finds what stands under it, whatever characters it has", () => {
    expect(composeAnswer(prompt("When do we fly to Porto?"))).toContain("07:40 from Terminal 2 [2].");
  });

  test("The words of a title get what the note begins with, and a summary gets the beginning of each note", () => {
    const sourdough = composeAnswer(prompt("Tell me about sourdough"));
    expect(sourdough).toBe("Feed the starter twice a day [5]. Bake at 240 degrees for 35 minutes [5].");
    const summary = composeAnswer(prompt("Summarize my notes"));
    expect(summary.match(/\[\d+\]/g)).toEqual(["[1]", "[2]", "[5]"]);
  });

  test("A question that leans on the one before is answered with its help", () => {
    const answer = composeAnswer(
      prompt("When was the boiler serviced?", "In March 2026 [1].", "When is it due again?"),
    );
    expect(answer).toContain("March 2027 [1].");
  });

  test("Text inside a note that looks like another note is never cited as one", () => {
    for (const question of ["What is no note though it looks like one?", "When do we fly?"])
      expect(composeAnswer(prompt(question))).not.toContain("[7]");
  });

  test("Notes that stand before the question in its own message are read, and are not the question", () => {
    const { system } = prompt("x");
    const answer = composeAnswer({
      system: "",
      messages: [{ role: "user", text: `${system}\n\nWho keeps the spare key?` }],
    });
    expect(answer).toBe("The spare key is with the neighbours at number 12 [1].");
  });

  test("Without a fitting note it says what it is and how to connect a real model", () => {
    for (const answer of [
      composeAnswer(prompt("Who won the chess olympiad?")),
      composeAnswer({ system: "", messages: [{ role: "user", text: "Hello" }] }),
    ]) {
      expect(answer).toContain("Sidenote's local model server");
      expect(answer).toContain("OPENAI_API_KEY");
      expect(answer).toContain("BEDROCK=aws");
      expect(answer).toContain("Ollama");
      expect(answer).not.toMatch(/\[\d+\]/);
    }
  });

  test("The same prompt gets the same answer", () => {
    const question = "Tell me about the boiler, the hotel and the starter";
    expect(composeAnswer(prompt(question))).toBe(composeAnswer(prompt(question)));
  });
});

describe("Answers on request", () => {
  const long = composeAnswer(prompt("Please write a long answer about heating with wood."));

  test("A long answer has headings, a list, a table, a code block and several hundred words", () => {
    expect(long).toMatch(/^# Heating with wood$/m);
    expect(long).toMatch(/^- /m);
    expect(long).toMatch(/^1\. /m);
    expect(long).toMatch(/^\| --- \|/m);
    expect(long).toMatch(/^```ts\n[\s\S]*?\n```$/m);
    expect(long.split(/\s+/).length).toBeGreaterThan(400);
  });

  test("A long answer cites the notes that fit its subject", () => {
    expect(long).toContain("[1]");
  });

  test("A marker word stands in every sentence, so that answers can be told apart", () => {
    for (const question of [
      "write a long answer about tea, marker ZEBRA",
      "When do we fly? Use the word ZEBRA in every sentence",
    ]) {
      const prose = composeAnswer(prompt(question))
        .replace(/```[\s\S]*?```/g, "")
        .split("\n")
        .filter((line) => line && !line.startsWith("|"));
      for (const line of prose) expect(line).toContain("ZEBRA");
    }
    expect(composeAnswer(prompt("When do we fly? Use the word ZEBRA in every sentence"))).toContain("07:40");
  });

  test("A question about a marker is an ordinary question", () => {
    const answer = composeAnswer(prompt("Which marker should I buy?"));
    expect(answer).toContain("Sidenote's local model server");
    expect(answer).not.toContain("should");
  });

  test("A word is repeated as often as asked", () => {
    expect(composeAnswer(prompt("repeat the word moss 4 times"))).toBe("moss moss moss moss");
  });

  test("It remembers what was asked first and last, if the history goes along", () => {
    const asked = ["My first question", "An answer.", "My second question", "Another."];
    expect(composeAnswer(prompt(...asked, "What did I ask first?"))).toContain("“My first question”");
    expect(composeAnswer(prompt(...asked, "What did I ask before?"))).toContain("“My second question”");
    expect(composeAnswer(prompt("What did I ask before?"))).toContain("first thing that you asked");
  });
});

describe("Going on", () => {
  const question = "write a long answer about tea";
  const whole = composeAnswer(prompt(question));

  test.each([10, 137, 1_000, 2_500])("A begun answer of %i characters is continued where it stopped", (length) => {
    const begun = whole.slice(0, length);
    expect(begun + composeAnswer(prompt(question, begun))).toBe(whole);
    expect(begun.trimEnd() + composeAnswer(prompt(question, begun.trimEnd()))).toBe(whole);
  });

  test("Being told to continue has the same effect as a begun answer", () => {
    const begun = whole.slice(0, 500);
    const asked = prompt(question, begun, "Continue exactly where your last answer stopped.");
    expect(begun + composeAnswer(asked)).toBe(whole);
  });

  test("A begun answer that it did not write is continued all the same", () => {
    expect(composeAnswer(prompt("When was the boiler serviced?", "Well, let me"))).toContain("[1].");
  });

  test("An answer that is whole already gets an end", () => {
    expect(composeAnswer(prompt(question, whole)).trim()).not.toBe("");
  });
});

describe("Tokens", () => {
  test("Pieces joined are the text again, and are about four characters long in prose", () => {
    const text = `${composeAnswer(prompt("write a long answer about tea"))}  \n\nÄpfel 👩‍👩‍👧 ende \n`;
    const pieces = splitTokens(text);
    expect(pieces.join("")).toBe(text);
    expect(pieces).toHaveLength(countTokens(text));
    expect(text.length / pieces.length).toBeGreaterThan(3.5);
    expect(text.length / pieces.length).toBeLessThan(5);
  });

  test("A prompt's tokens are those of its texts", () => {
    const { system, messages } = prompt("When do we fly?");
    expect(countPrompt({ system, messages })).toBe(countTokens(system) + countTokens("When do we fly?"));
  });

  test("An answer can be made as long as wanted; the longer one begins like the shorter one", () => {
    const shorter = stretch("One two three.", 7);
    const longer = stretch("One two three.", 40);
    expect(shorter).toHaveLength(7);
    expect(longer.join("").startsWith(shorter.join(""))).toBe(true);
  });
});
