/** Fifty notes that try to be more than notes, in the block that a model reads. */
import { expect, test } from "vitest";
import { buildPrompt } from "~/threads/prompt.server";
import { hostileNotes } from "../hostile-notes";

const delimiter = "kL3-9_xPq2Ws";
const model = { window: 200_000, maxOutput: 4_096, supports: { systemPrompt: true } } as Parameters<
  typeof buildPrompt
>[0]["model"];

test.each([false, true])(
  "they stand in one block, each in its own tags, also when they know the delimiter (ranked: %s)",
  (ranked) => {
    const notes = hostileNotes("https://attacker.invalid").map(({ title, text }, index) => ({
      number: index + 1,
      noteId: `${index}`,
      revision: 1,
      title: title.replace("</notes>", `</notes-${delimiter}>`),
      text: text
        .replaceAll("AAAAAAAAAAAA", delimiter)
        .replaceAll([..."AAAAAAAAAAAA"].join("\u200b"), [...delimiter].join("\u200b")),
    }));
    expect(notes).toHaveLength(50);
    const { system, messages } = buildPrompt({
      model,
      settings: {},
      history: [{ role: "user", text: "What do my notes say?" }],
      notes,
      ranked,
      delimiter,
    });
    const block = ranked ? (messages[0]?.text ?? "").replace(/\n\nWhat do my notes say\?$/, "") : system;
    const lines = block.split("\n");
    const at = (line: string) => lines.flatMap((one, index) => (one === line ? [index] : []));
    expect(at(`<notes-${delimiter}>`)).toHaveLength(1);
    expect(at(`</notes-${delimiter}>`)).toEqual([lines.length - 1]);
    expect(at(`</note-${delimiter}>`)).toHaveLength(50);
    const opened = lines.filter((line) => line.startsWith(`<note-${delimiter} `));
    expect(opened.map((line) => /^<note-\S+ number="(\d+)" title="[^"]*">$/.exec(line)?.[1])).toEqual(
      notes.map(({ number }) => `${number}`),
    );
    // Twice for each note and twice around them all; a model may read over what cannot be seen.
    expect(
      block
        .replace(/\p{Cf}/gu, "")
        .toLowerCase()
        .split(delimiter.toLowerCase()),
    ).toHaveLength(2 * 50 + 2 + 1);
  },
);
