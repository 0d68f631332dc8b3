/**
 * Notes: one item each, changed only by conditional writes. A save names the revision it started from and loses
 * against any newer one; a delete wins over a save and leaves a tombstone that keeps the text for a day, so that
 * it can be undone. Lists read the index `byActivity` consistently: a person sees their own change at once.
 * What a list shows lives in `card`, the only attribute that the index carries.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { BatchGetCommand, QueryCommand as PlainQueryCommand } from "@aws-sdk/lib-dynamodb";
import { Entity } from "dynamodb-toolbox/entity";
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { PutItemCommand } from "dynamodb-toolbox/entity/actions/put";
import { $remove, UpdateItemCommand, type UpdateItemInput } from "dynamodb-toolbox/entity/actions/update";
import { boolean } from "dynamodb-toolbox/schema/boolean";
import { item } from "dynamodb-toolbox/schema/item";
import { map } from "dynamodb-toolbox/schema/map";
import { number } from "dynamodb-toolbox/schema/number";
import { string } from "dynamodb-toolbox/schema/string";
import { QueryCommand } from "dynamodb-toolbox/table/actions/query";
import { ulid } from "ulid";
import { z } from "zod";
import { config } from "~/config.server";
import { activityAt, type Key, keys, personPartition, prefixes } from "~/data/keys.server";
import { documents, expiresIn, isRefused, table } from "~/data/table.server";
import { PublicError } from "~/errors";
import {
  byPinThenChange,
  cleanDraft,
  isNoteId,
  type Note,
  type NoteCard,
  type NoteDraft,
  noteLimits,
  problemsOf,
  startOf,
  UNDO_DAYS,
} from "./note";
import { findInNote, type NoteHit, termsOf } from "./search";

export type { Note, NoteCard, NoteDraft } from "./note";
export type { NoteHit } from "./search";

const card = map({
  title: string(),
  start: string(),
  pinned: boolean(),
  changedAt: number(),
  revision: number(),
  size: number(),
});

/** The whole Note item; title, revision and pin live in `card` and nowhere else. */
const NoteEntity = new Entity({
  name: "Note",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({
    pk: string().key(),
    sk: string().key(),
    activityAt: string(),
    card,
    text: string(),
    createdAt: number(),
    /** Only on a tombstone. */
    deletedAt: number().optional(),
    expiresAt: number().optional(),
  }),
});

/** What the index shows of it. */
const NoteCardEntity = new Entity({
  name: "NoteCard",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({ pk: string().key(), sk: string().key(), activityAt: string(), card }),
});

const noteIdOf = (sk: string): string => sk.slice(prefixes.note.length);

interface NoteItem {
  sk: string;
  card: Omit<NoteCard, "noteId">;
  text: string;
  createdAt: number;
  deletedAt?: number | undefined;
  expiresAt?: number | undefined;
}

/** Whether a tombstone's time is over: the table may remove it days later, the local one removes none. */
const isOver = (expiresAt: number | undefined): boolean => expiresAt !== undefined && expiresAt * 1000 <= Date.now();

function noteFrom({ sk, card, text, createdAt, deletedAt }: Omit<NoteItem, "expiresAt">): Note {
  const { title, revision, pinned, changedAt } = card;
  const note: Note = { noteId: noteIdOf(sk), title, text, revision, pinned, createdAt, changedAt };
  return deletedAt === undefined ? note : { ...note, deletedAt };
}

const cardOf = (note: Note): Omit<NoteCard, "noteId"> => ({
  title: note.title,
  start: startOf(note.text),
  pinned: note.pinned,
  changedAt: note.changedAt,
  revision: note.revision,
  size: note.text.length,
});

/** The draft as it is stored. Throws `too-large` with the figures. */
function accept(draft: NoteDraft): NoteDraft {
  const clean = cleanDraft(draft);
  const problems = problemsOf(clean);
  const message = [problems.title, problems.text].filter(Boolean).join(" ");
  if (message) throw new PublicError("too-large", { message, details: { fields: problems } });
  return clean;
}

function keyOf(userId: string, noteId: string) {
  if (!isNoteId(noteId)) throw new PublicError("bad-id");
  return keys.note(userId, noteId);
}

const deleted = (): PublicError =>
  new PublicError("not-found", { message: "This note was deleted.", details: { deleted: true } });

const conflict = ({ title, text, revision }: Note): PublicError =>
  new PublicError("conflict", { details: { theirs: { title, text, revision } } });

const says = (note: Note, draft: NoteDraft): boolean => note.title === draft.title && note.text === draft.text;

/**
 * The note, or its tombstone (with `deletedAt`) while it can be brought back; undefined if there is neither. Only
 * for offering that: everything else reads by {@link getNote}. Throws `bad-id` on what cannot be a note's id.
 */
export async function getNoteOrTombstone(userId: string, noteId: string): Promise<Note | undefined> {
  const { Item } = await NoteEntity.build(GetItemCommand)
    .key(keyOf(userId, noteId))
    .options({ consistent: true })
    .send();
  if (!Item) return undefined;
  return isOver(Item.expiresAt) ? undefined : noteFrom(Item);
}

/** As {@link getNoteOrTombstone}; throws `not-found` if there is neither. */
async function requireEither(userId: string, noteId: string): Promise<Note> {
  const note = await getNoteOrTombstone(userId, noteId);
  if (!note) throw new PublicError("not-found");
  return note;
}

type Change = Omit<UpdateItemInput<typeof NoteEntity>, "pk" | "sk">;

/**
 * Reads the note, lets `decide` say what changes (undefined: nothing), and writes it on the condition that the
 * note is still as it was read; else all over again. `decide` may throw. Returns the note as it then stands.
 */
async function changeNote(
  userId: string,
  noteId: string,
  decide: (note: Note) => { next: Note; change: Change } | undefined,
): Promise<Note> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const note = await requireEither(userId, noteId);
    const decision = decide(note);
    if (!decision) return note;
    try {
      await NoteEntity.build(UpdateItemCommand)
        .item({ ...keyOf(userId, noteId), ...decision.change })
        .options({
          condition: {
            and: [
              { attr: "card.revision", eq: note.revision },
              { attr: "card.pinned", eq: note.pinned },
              note.deletedAt === undefined
                ? { attr: "deletedAt", exists: false }
                : { attr: "deletedAt", eq: note.deletedAt },
            ],
          },
        })
        .send();
      return decision.next;
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
  throw new PublicError("unavailable", { message: "This note changes too fast just now. Try again." });
}

const cursorSchema = z.strictObject({
  at: z.string().regex(/^NOTE#[01]#\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  id: z.string().refine(isNoteId),
});

function readCursor(cursor: string): z.infer<typeof cursorSchema> {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch (error) {
    throw new PublicError("bad-request", { message: "This page of the list does not exist.", cause: error });
  }
}

const writeCursor = (at: string, id: string): string =>
  Buffer.from(JSON.stringify(cursorSchema.parse({ at, id }))).toString("base64url");

/**
 * A page of the person's notes: pinned ones first, then the newest change first; 50 unless `limit` (1 to 100)
 * says otherwise. A cursor names a place among the person's own notes only. Throws `bad-request` on a forged one.
 */
export async function listNotes(
  userId: string,
  options: { cursor?: string | undefined; limit?: number | undefined } = {},
): Promise<{ items: NoteCard[]; cursor?: string }> {
  const limit = Math.min(Math.max(options.limit ?? 50, 1), 100);
  const partition = personPartition(userId);
  const start = options.cursor === undefined ? undefined : readCursor(options.cursor);
  let from: Record<string, unknown> | undefined = start && { ...keys.note(userId, start.id), activityAt: start.at };
  const found: { activityAt: string; card: NoteCard }[] = [];
  do {
    const page = await table
      .build(QueryCommand)
      .query({ index: "byActivity", partition, range: { beginsWith: prefixes.note } })
      .entities(NoteCardEntity)
      .options({
        consistent: true,
        reverse: true,
        entityAttrFilter: false,
        // One more than is shown tells whether there is another page.
        limit: limit + 1 - found.length,
        exclusiveStartKey: from,
      })
      .send();
    for (const { sk, activityAt, card } of page.Items ?? [])
      found.push({ activityAt, card: { noteId: noteIdOf(sk), ...card } });
    from = page.LastEvaluatedKey;
  } while (from && found.length <= limit);
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(({ card }) => card),
    ...(found.length > limit && last && { cursor: writeCursor(last.activityAt, last.card.noteId) }),
  };
}

/**
 * How many notes the person has, counted on the index, whose entries are a few hundred bytes however long the notes
 * are: 2,000 notes cost 160 RU. A stored counter would be cheaper to read, but without transactions it and the notes
 * drift apart at the first lost call.
 */
export async function countCards(userId: string): Promise<number> {
  let count = 0;
  let from: Record<string, unknown> | undefined;
  do {
    const page = await table
      .build(QueryCommand)
      .query({ index: "byActivity", partition: personPartition(userId), range: { beginsWith: prefixes.note } })
      .options({ consistent: true, select: "COUNT", exclusiveStartKey: from })
      .send();
    count += page.Count ?? 0;
    from = page.LastEvaluatedKey;
  } while (from);
  return count;
}

/** All of the person's notes with their texts, for prompts and search: pinned first, then the newest change first. */
export async function listAllNotes(userId: string): Promise<Note[]> {
  const notes: Note[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await table
      .build(QueryCommand)
      .query({ partition: personPartition(userId), range: { beginsWith: prefixes.note } })
      .entities(NoteEntity)
      .options({ consistent: true, entityAttrFilter: false, exclusiveStartKey: from })
      .send();
    for (const found of page.Items ?? []) if (found.deletedAt === undefined) notes.push(noteFrom(found));
    from = page.LastEvaluatedKey;
  } while (from);
  return notes.sort(byPinThenChange);
}

/**
 * Cards of the pinned or of the other notes, the newest change first. With `since` only what changed then or later
 * (milliseconds since the epoch); with `most` no more than so many. `whole`: no older ones were left out by `most`.
 * Plain calls and no entities: this runs before every answer.
 */
export async function listChangedCards(
  userId: string,
  { pinned, since = 0, most }: { pinned: boolean; since?: number; most?: number },
): Promise<{ cards: NoteCard[]; whole: boolean }> {
  const cards: NoteCard[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new PlainQueryCommand({
        TableName: config.tableName,
        IndexName: "byActivity",
        KeyConditionExpression: "pk = :pk AND activityAt BETWEEN :from AND :to",
        ExpressionAttributeValues: {
          ":pk": personPartition(userId),
          ":from": activityAt.note(pinned, since),
          ":to": `${activityAt.note(pinned, 0).slice(0, "NOTE#0#".length)}~`,
        },
        ProjectionExpression: "sk, card",
        ScanIndexForward: false,
        ConsistentRead: true,
        Limit: most === undefined ? undefined : most - cards.length,
        ExclusiveStartKey: from,
      }),
    );
    for (const { sk, card } of (page.Items ?? []) as Pick<NoteItem, "sk" | "card">[])
      cards.push({ noteId: noteIdOf(sk), ...card });
    from = page.LastEvaluatedKey;
  } while (from && (most === undefined || cards.length < most));
  return { cards, whole: from === undefined };
}

/** Notes that were deleted since then and whose tombstones still stand, with the time of their deletion. */
export async function listDeletedNotes(
  userId: string,
  since: number,
): Promise<{ noteId: string; deletedAt: number }[]> {
  const deleted: { noteId: string; deletedAt: number }[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new PlainQueryCommand({
        TableName: config.tableName,
        IndexName: "byActivity",
        KeyConditionExpression: "pk = :pk AND activityAt BETWEEN :from AND :to",
        ExpressionAttributeValues: {
          ":pk": personPartition(userId),
          ":from": activityAt.deleted(Math.max(0, since)),
          ":to": `${activityAt.deleted(0).slice(0, "DELETED#".length)}~`,
        },
        ProjectionExpression: "sk, activityAt",
        ConsistentRead: true,
        ExclusiveStartKey: from,
      }),
    );
    // Deleted threads stand in the same list.
    for (const { sk, activityAt: at } of (page.Items ?? []) as { sk: string; activityAt: string }[])
      if (sk.startsWith(prefixes.note))
        deleted.push({ noteId: noteIdOf(sk), deletedAt: Date.parse(at.slice("DELETED#".length)) });
    from = page.LastEvaluatedKey;
  } while (from);
  return deleted;
}

/** The most keys that the table takes in one call. */
const BATCH = 100;

/** Those of the notes and tombstones that there are, in no particular order; of each, only the attributes asked for. */
async function getItems<T extends keyof NoteItem>(
  userId: string,
  noteIds: Iterable<string>,
  { consistent, attributes }: { consistent: boolean; attributes: readonly T[] },
): Promise<Pick<NoteItem, T>[]> {
  // "text" is a word that the table keeps for itself.
  const names = Object.fromEntries(attributes.map((name) => [`#${name}`, name]));
  const getBatch = async (wanted: Key[]): Promise<Pick<NoteItem, T>[]> => {
    const found: Pick<NoteItem, T>[] = [];
    let left = wanted;
    for (let pause = 50; left.length > 0; pause = Math.min(2 * pause, 1_000)) {
      const request = {
        Keys: left,
        ConsistentRead: consistent,
        ProjectionExpression: Object.keys(names).join(", "),
        ExpressionAttributeNames: names,
      };
      const answer = await documents.send(new BatchGetCommand({ RequestItems: { [config.tableName]: request } }));
      found.push(...((answer.Responses?.[config.tableName] ?? []) as Pick<NoteItem, T>[]));
      // Over 16 MB or throttled: the rest is asked for again.
      left = (answer.UnprocessedKeys?.[config.tableName]?.Keys ?? []) as Key[];
      if (left.length > 0) await sleep(pause);
    }
    return found;
  };
  const wanted = [...new Set(noteIds)].map((noteId) => keyOf(userId, noteId));
  const batches = Array.from({ length: Math.ceil(wanted.length / BATCH) }, (_, index) =>
    getBatch(wanted.slice(index * BATCH, (index + 1) * BATCH)),
  );
  return (await Promise.all(batches)).flat();
}

/** Those of the notes that there are, whole, in no particular order. Deleted ones and unknown ids are left out. */
export async function getNotes(
  userId: string,
  noteIds: readonly string[],
  { consistent }: { consistent: boolean },
): Promise<Note[]> {
  const attributes = ["sk", "card", "text", "createdAt", "deletedAt"] as const;
  const found = await getItems(userId, noteIds, { consistent, attributes });
  return found.flatMap((item) => (item.deletedAt === undefined ? noteFrom(item) : []));
}

/** A note as it stands now, or its tombstone while that is kept. One that is in no map is gone for good. */
export interface NoteState {
  revision: number;
  title: string;
  /** Milliseconds since the epoch. */
  deletedAt?: number;
  /** Only if asked for. */
  text?: string;
}

/**
 * How notes that went into answers stand now: what a sidenote needs to say that its note was edited or deleted since.
 * Read consistently, since a person sees their own change at once, and by id, so that its cost hangs on what a page
 * shows and not on how many notes a person has. What cannot be a note's id is left out.
 */
export async function getNoteStates(
  userId: string,
  noteIds: Iterable<string>,
  { texts = false } = {},
): Promise<Map<string, NoteState>> {
  const found = await getItems<"sk" | "card" | "deletedAt" | "expiresAt" | "text">(
    userId,
    [...noteIds].filter(isNoteId),
    { consistent: true, attributes: ["sk", "card", "deletedAt", "expiresAt", ...(texts ? (["text"] as const) : [])] },
  );
  const states = new Map<string, NoteState>();
  for (const { sk, card, deletedAt, expiresAt, text } of found) {
    if (isOver(expiresAt)) continue;
    states.set(noteIdOf(sk), {
      revision: card.revision,
      title: card.title,
      ...(deletedAt !== undefined && { deletedAt }),
      ...(texts && deletedAt === undefined && { text }),
    });
  }
  return states;
}

/** The note, or undefined if there is none or it is deleted. Throws `bad-id` on what cannot be a note's id. */
export async function getNote(userId: string, noteId: string): Promise<Note | undefined> {
  const note = await getNoteOrTombstone(userId, noteId);
  return note?.deletedAt === undefined ? note : undefined;
}

/** As {@link getNote}; throws `not-found`. */
export async function requireNote(userId: string, noteId: string): Promise<Note> {
  const note = await getNote(userId, noteId);
  if (!note) throw new PublicError("not-found");
  return note;
}

/**
 * Stores a new note. An empty title becomes the text's first line. With a `noteId` of the client's own the call
 * can be repeated: the same words under the same id are one note. Other words under it throw `conflict` with the
 * stored ones; a deleted note stays deleted and throws `not-found`; too long ones throw `too-large`.
 */
export async function createNote(userId: string, draft: NoteDraft & { noteId?: string | undefined }): Promise<Note> {
  const words = accept(draft);
  const now = Date.now();
  const noteId = draft.noteId ?? ulid(now);
  const note: Note = { noteId, ...words, revision: 1, pinned: false, createdAt: now, changedAt: now };
  try {
    await NoteEntity.build(PutItemCommand)
      .item({
        ...keyOf(userId, noteId),
        activityAt: activityAt.note(false, now),
        card: cardOf(note),
        text: note.text,
        createdAt: now,
      })
      .options({ condition: { attr: "sk", exists: false } })
      .send();
    return note;
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
  const stored = await requireEither(userId, noteId);
  if (stored.deletedAt !== undefined) throw deleted();
  if (!says(stored, words)) throw conflict(stored);
  return stored;
}

/**
 * Stores new words under the condition that the note is still at `revision`. Throws `conflict` with details
 * `theirs` if it is not, `not-found` if the note is gone, `too-large` if it is too long. Words that are stored
 * already are a success, whatever the revision: a repeated call, or two who wrote the same.
 */
export async function saveNote(userId: string, noteId: string, draft: NoteDraft & { revision: number }): Promise<Note> {
  const words = accept(draft);
  return changeNote(userId, noteId, (note) => {
    if (note.deletedAt !== undefined) throw deleted();
    if (says(note, words)) return undefined;
    if (note.revision !== draft.revision) throw conflict(note);
    const changedAt = Date.now();
    const next: Note = { ...note, ...words, revision: note.revision + 1, changedAt };
    return {
      next,
      change: { activityAt: activityAt.note(note.pinned, changedAt), card: cardOf(next), text: next.text },
    };
  });
}

/** Pins the note, so that it stands first, or takes the pin off. Not a change of the note: its time stays. */
export async function pinNote(userId: string, noteId: string, pinned: boolean): Promise<Note> {
  return changeNote(userId, noteId, (note) => {
    if (note.deletedAt !== undefined) throw deleted();
    if (note.pinned === pinned) return undefined;
    return {
      next: { ...note, pinned },
      change: { activityAt: activityAt.note(pinned, note.changedAt), card: { pinned } },
    };
  });
}

/**
 * Deletes the note at once, whatever its revision: no read shows it any more. Its text is kept for a day, for
 * {@link restoreNote}. Deleting a deleted note changes nothing. Throws `not-found`.
 */
export async function deleteNote(userId: string, noteId: string): Promise<void> {
  await changeNote(userId, noteId, (note) => {
    if (note.deletedAt !== undefined) return undefined;
    const deletedAt = Date.now();
    return {
      next: { ...note, deletedAt },
      change: { activityAt: activityAt.deleted(deletedAt), deletedAt, expiresAt: expiresIn(UNDO_DAYS, deletedAt) },
    };
  });
}

/** Brings a deleted note back as it was, for a day. Restoring a live note changes nothing. Throws `not-found`. */
export async function restoreNote(userId: string, noteId: string): Promise<Note> {
  return changeNote(userId, noteId, (note) => {
    if (note.deletedAt === undefined) return undefined;
    const { deletedAt: _, ...next } = note;
    return {
      next,
      change: {
        activityAt: activityAt.note(note.pinned, note.changedAt),
        deletedAt: $remove(),
        expiresAt: $remove(),
      },
    };
  });
}

/**
 * The notes that hold every word of the query in title or text, whatever its case and accents; newest change
 * first, 50 at most, each with the place of its first hit. Reads all notes of the person: ranking and an index
 * of words are not worth their upkeep at the size of one person's notes.
 */
export async function searchNotes(userId: string, query: string): Promise<{ items: NoteHit[]; more: boolean }> {
  const terms = termsOf(query.slice(0, noteLimits.query));
  if (terms.length === 0) return { items: [], more: false };
  const notes = (await listAllNotes(userId)).sort((one, other) => other.changedAt - one.changedAt);
  const items: NoteHit[] = [];
  for (const note of notes) {
    const hit = findInNote({ noteId: note.noteId, ...cardOf(note) }, note.text, terms);
    if (hit && items.push(hit) > 50) break;
  }
  return { items: items.slice(0, 50), more: items.length > 50 };
}
