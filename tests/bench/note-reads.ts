/**
 * The part `notes` of the benchmark: what choosing notes for one question reads from the table, for a person with
 * 2,000 notes of 1 KB, in a process that begins and in one that knows them. Measured by what the local table says it
 * consumed, which follows DynamoDB's rules. Milliseconds are of this machine and of a slow local table.
 */
import { performance } from "node:perf_hooks";
import { startTable } from "../integration/table.ts";
import type { Units } from "./read-units.ts";

/** A quarter of a window of 200,000 tokens. */
const BUDGET = 50_000;

export interface Measured extends Units {
  name: string;
  ms: number;
  notes: number;
}

/** Needs the environment of a table; see tests/integration/table.ts. */
export async function measureNoteReads(count = 2_000): Promise<Measured[]> {
  const { makeNotes, storeNotes } = await import("./many-notes.ts");
  const { unitsOf } = await import("./read-units.ts");
  const { chooseNotesFor, estimateNotesFor } = await import("~/notes/choose.server");
  const { countNotes, forgetNotes } = await import("~/notes/note-index.server");
  const { countCards, listAllNotes, saveNote } = await import("~/notes/notes.server");
  const { runInvocation } = await import("~/invocation.server");

  const userId = crypto.randomUUID();
  const notes = makeNotes(count);
  await storeNotes(userId, notes);
  const measured: Measured[] = [];
  let later: Promise<unknown>[] = [];
  const measure = async (name: string, work: () => Promise<{ notes: unknown[] }>): Promise<void> => {
    const begun = performance.now();
    const { result, ...units } = await unitsOf(work);
    measured.push({ name, ...units, ms: performance.now() - begun, notes: result.notes.length });
  };
  /** As a person asks for a note by a few of its words. */
  const wanted = (at: number) => {
    const words = notes[at]?.text.split(/\W+/).filter((word) => word.length > 5) ?? [];
    return { which: "all", question: words.slice(0, 6).join(" "), earlier: [], budgetTokens: BUDGET } as const;
  };
  const invoke = <T>(work: () => Promise<T>): Promise<T> =>
    runInvocation({ requestId: "bench", deadline: Date.now() + 600_000, waitUntil: (rest) => later.push(rest) }, work);
  const ask = (at: number) => invoke(() => chooseNotesFor(userId, wanted(at), { beside: async () => undefined }));
  const estimate = async (at: number, going: boolean) => {
    const { chosen } = await invoke(() => estimateNotesFor(userId, wanted(at), { going }));
    return { notes: chosen };
  };
  const upkeep = async (name: string): Promise<void> => {
    await measure(name, async () => {
      const work = later;
      later = [];
      await Promise.all(work);
      return { notes: [] };
    });
  };

  await measure("all notes whole, as without an index", async () => ({ notes: await listAllNotes(userId) }));
  await measure("the very first question: there is no NOTEINDEX", () => ask(10));
  await upkeep("beside its answer: NOTEINDEX is written");
  forgetNotes();
  await measure("cold: a process that begins", () => ask(500));
  await measure("warm: the next question", () => ask(1_500));
  await measure("warm: the same notes again", () => ask(1_500));
  const edited = notes[700];
  if (edited) await saveNote(userId, edited.noteId, { title: edited.title, text: "New words", revision: 1 });
  await measure("warm: a note was changed", () => ask(1_500));
  const counted = async (work: (userId: string) => Promise<number>) => {
    const found = await work(userId);
    if (found !== count) throw new Error(`${found} notes were counted, and there are ${count}`);
    return { notes: [] };
  };
  await measure("all cards counted, as without an index", () => counted(countCards));
  forgetNotes();
  await measure("cold: how many notes there are", () => counted(countNotes));
  await measure("warm: how many notes there are", () => counted(countNotes));
  for (const [how, going] of [
    ["without them", false],
    ["with the notes that fit", true],
  ] as const) {
    forgetNotes();
    await measure(`cold: an estimate, ${how}`, () => estimate(900, going));
    await measure(`warm: an estimate, ${how}`, () => estimate(1_100, going));
  }
  await Promise.all(later);
  return measured;
}

export async function print(): Promise<void> {
  const table = await startTable();
  try {
    const measured = await measureNoteReads();
    console.log("2,000 notes of 1 KB, a budget of 50,000 tokens.\n");
    console.log("| | read units | write units | calls | notes that went in | ms |\n|---|---|---|---|---|---|");
    for (const { name, read, written, calls, notes, ms } of measured)
      console.log(`| ${name} | ${read} | ${written} | ${calls} | ${notes || ""} | ${Math.round(ms)} |`);
  } finally {
    await table.stop();
  }
}
