/**
 * A ranking packed small, for the table: about a tenth of the notes' text. What is known of each note stands in
 * columns of JSON, the postings as gaps between note numbers, one byte each as a rule, and all of it is compressed.
 * A pack that was cut, changed or written by another version does not open: its reader makes a new one.
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import { decodeTime } from "ulid";
import { z } from "zod";
import { isNoteId } from "./note";
import { type Postings, Ranking } from "./ranking";

/** Raise it with every change of the format, of the words or of what the ranking indexes. */
const VERSION = 1;
/**
 * Gaps stand in streams by how many notes have the term, in powers of two: gaps of one stream are about as wide, which
 * compresses better.
 */
const CLASSES = 24;
const classOf = (count: number): number => 31 - Math.clz32(count);
/** No pack unfolds to more, whatever stands in the table. */
const mostBytes = 64 * 1024 * 1024;

/** What is known of a note without its text. Times are milliseconds since the epoch. */
export interface IndexedNote {
  noteId: string;
  title: string;
  pinned: boolean;
  changedAt: number;
  revision: number;
  /** What it costs in a prompt. */
  tokens: number;
  /** The revision whose words the ranking holds; undefined: none. */
  ranked?: number | undefined;
  /** Deleted, but it may be restored. */
  deletedAt?: number | undefined;
}

const count = z.int().nonnegative();
const headSchema = z.object({
  version: z.literal(VERSION),
  ids: z.array(z.string().refine(isNoteId)),
  titles: z.array(z.string()),
  pinned: z.array(count),
  /** After the time that stands in the id. */
  changed: z.array(z.int()),
  revisions: z.array(count),
  tokens: z.array(count),
  ranked: z.array(count),
  deleted: z.array(count),
  lengths: z.array(z.tuple([count, count])),
  averages: z.array(z.number()),
  terms: z.string(),
  /** Lengths of the streams behind the head. */
  counts: count,
  frequencies: count,
  gaps: z.array(count).length(CLASSES),
});

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);
const sum = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest().subarray(0, 8);

function writeNumber(stream: number[], value: number): void {
  let rest = value;
  for (; rest > 127; rest >>>= 7) stream.push((rest & 127) | 128);
  stream.push(rest);
}

function* readNumbers(bytes: Uint8Array): Generator<number, undefined> {
  let value = 0;
  let shift = 0;
  for (const byte of bytes) {
    value |= (byte & 127) << shift;
    shift += 7;
    if (byte > 127) continue;
    yield value;
    value = 0;
    shift = 0;
  }
}

/** Packs the ranking with what is known of its notes. */
export async function pack(notes: readonly IndexedNote[], ranking: Ranking): Promise<Buffer> {
  // In the order of their making, in which neighbours have words in common.
  const sorted = notes.toSorted((one, other) => (one.noteId < other.noteId ? -1 : 1));
  const { index, documentIds, fieldLength, averageFieldLength } = ranking.postings();
  const place = new Map(sorted.map(({ noteId }, at) => [noteId, at]));
  const placeOf = new Map(Object.entries(documentIds).map(([short, noteId]) => [short, place.get(String(noteId))]));
  const [counts, frequencies]: [number[], number[]] = [[], []];
  const gaps = Array.from({ length: CLASSES }, (): number[] => []);
  const terms: string[] = [];
  for (const [term, fields] of index.toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const entries = ["0", "1"].map((field) =>
      Object.entries(fields[field] ?? {})
        .flatMap(([short, frequency]) => {
          const at = placeOf.get(short);
          // What is left over of notes that are gone.
          return at === undefined ? [] : [{ at, frequency: Number(frequency) }];
        })
        .sort((one, other) => one.at - other.at),
    );
    if (entries.every(({ length }) => length === 0)) continue;
    terms.push(term);
    for (const entry of entries) {
      writeNumber(counts, entry.length);
      const stream = gaps[classOf(entry.length)] ?? [];
      let last = -1;
      for (const { at, frequency } of entry) {
        writeNumber(stream, at - last - 1);
        writeNumber(frequencies, frequency);
        last = at;
      }
    }
  }
  const lengths: [number, number][] = sorted.map(() => [0, 0]);
  for (const [short, [title = 0, text = 0]] of Object.entries(fieldLength as Record<string, number[]>)) {
    const at = placeOf.get(short);
    if (at !== undefined) lengths[at] = [title, text];
  }
  const head: z.input<typeof headSchema> = {
    version: VERSION,
    ids: sorted.map(({ noteId }) => noteId),
    titles: sorted.map(({ title }) => title),
    pinned: sorted.map(({ pinned }) => Number(pinned)),
    changed: sorted.map(({ noteId, changedAt }) => changedAt - decodeTime(noteId)),
    revisions: sorted.map(({ revision }) => revision),
    tokens: sorted.map(({ tokens }) => tokens),
    ranked: sorted.map(({ ranked }) => ranked ?? 0),
    deleted: sorted.map(({ deletedAt }) => deletedAt ?? 0),
    lengths,
    averages: averageFieldLength,
    terms: terms.join("\n"),
    counts: counts.length,
    frequencies: frequencies.length,
    gaps: gaps.map(({ length }) => length),
  };
  const json = Buffer.from(JSON.stringify(head));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(json.length);
  const streams = [counts, frequencies, ...gaps].map((stream) => Buffer.from(stream));
  const body = Buffer.concat([size, json, ...streams]);
  const packed = await compress(body, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 6, [constants.BROTLI_PARAM_LGWIN]: 22 },
  });
  return Buffer.concat([sum(packed), packed]);
}

/** What a pack holds. */
export interface Unpacked {
  notes: IndexedNote[];
  /** Makes the ranking, once: with thousands of notes that is most of the work, and only a question needs it. */
  openRanking(): Ranking;
}

/** Opens a pack; undefined if it is not whole, or of another version. */
export async function unpack(packed: Uint8Array): Promise<Unpacked | undefined> {
  const bytes = packed.subarray(8);
  if (packed.length <= 8 || !sum(bytes).equals(packed.subarray(0, 8))) return undefined;
  try {
    const body = await decompress(bytes, { maxOutputLength: mostBytes });
    let end = 4 + body.readUInt32BE(0);
    const head = headSchema.parse(JSON.parse(body.toString("utf8", 4, end)));
    const notes = head.ids.map((noteId, at): IndexedNote => {
      const ranked = head.ranked[at];
      const deletedAt = head.deleted[at];
      return {
        noteId,
        title: head.titles[at] ?? "",
        pinned: head.pinned[at] === 1,
        changedAt: decodeTime(noteId) + (head.changed[at] ?? 0),
        revision: head.revisions[at] ?? 0,
        tokens: head.tokens[at] ?? 0,
        ...(ranked ? { ranked } : {}),
        ...(deletedAt ? { deletedAt } : {}),
      };
    });
    const openRanking = (): Ranking => {
      const stream = (length: number): Generator<number, undefined> => {
        end += length;
        return readNumbers(body.subarray(end - length, end));
      };
      const counts = stream(head.counts);
      const frequencies = stream(head.frequencies);
      const gaps = head.gaps.map(stream);
      const next = (numbers: Generator<number, undefined> | undefined): number => {
        const value = numbers?.next().value;
        if (value === undefined) throw new Error("The pack ends too early");
        return value;
      };
      const index: Postings["index"] = [];
      for (const term of head.terms === "" ? [] : head.terms.split("\n")) {
        const fields: Record<string, Record<string, number>> = {};
        for (const field of ["0", "1"]) {
          const postings: Record<string, number> = {};
          let last = -1;
          const length = next(counts);
          const own = gaps[classOf(length)];
          for (let left = length; left > 0; left--) {
            last += next(own) + 1;
            postings[last] = next(frequencies);
          }
          if (last >= head.ids.length) throw new Error("The pack names a note that is not in it");
          if (last >= 0) fields[field] = postings;
        }
        index.push([term, fields]);
      }
      // The ranking holds those only whose words it was given.
      const held = notes.flatMap(({ noteId, ranked }, at) => (ranked === undefined ? [] : [[at, noteId] as const]));
      return new Ranking(undefined, {
        index,
        documentIds: Object.fromEntries(held),
        fieldLength: Object.fromEntries(held.map(([at]) => [at, head.lengths[at] ?? [0, 0]])),
        averageFieldLength: head.averages,
      } as Postings);
    };
    return { notes, openRanking };
  } catch {
    return undefined;
  }
}
