/**
 * What this process knows of a person's notes, so that a question does not read them all: titles, costs, a ranking,
 * and the texts that were read lately. It is never trusted by itself. Before each use it learns from the index
 * `byActivity`, read consistently, what was changed, pinned and deleted since, on whatever server; a note whose
 * words it does not hold yet is read whole with those that go in.
 *
 * A process that begins gets it from a compact item, NOTEINDEX, which is a cache and nothing more: it is written
 * beside an answer by whoever sees that it is old, and without it (or with a broken one) it is made from the notes.
 * Whoever reads it late is helped by its date: what changed since is in `byActivity`. Only a note that was deleted
 * so long ago that its tombstone is gone can be believed in too long. It is never sent, since only notes that were
 * read go into a prompt, and it is struck out beside the answer; and it is not counted.
 */
import { randomBytes } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { DeleteCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { isAccountDeleted } from "~/auth/account.server";
import { config } from "~/config.server";
import { keys, personPartition, prefixes } from "~/data/keys.server";
import { documents, expiresIn, isOutage, isRefused } from "~/data/table.server";
import { PublicError } from "~/errors";
import { noteTokens } from "./choose";
import { type Note, type NoteCard, startOf, UNDO_DAYS } from "./note";
import { countCards, getNotes, listAllNotes, listChangedCards, listDeletedNotes } from "./notes.server";
import { Ranking } from "./ranking";
import { type IndexedNote, pack, type Unpacked, unpack } from "./ranking-pack.server";

/** So many of the newest changes a process that begins reads beside NOTEINDEX, which is renewed before there are more. */
const NEWEST = 32;
/** NOTEINDEX is renewed after so many changes, or at this age in milliseconds. */
const MOST_CHANGES = NEWEST / 2;
const MOST_AGE = 12 * 3_600_000;
/** A change may reach the table so long after the time that it names, and clocks may differ by so much. */
const LATE = 2 * 60_000;
/** How long a tombstone stands, less what may be lost at its ends. */
const TOMBSTONE = UNDO_DAYS * 86_400_000 - 2 * LATE;
/** Within this time after a change a note is read consistently. */
const SETTLED = 60_000;
/** Unread notes up to this many go along with those that are read; more are worth reading everything. */
const MOST_UNREAD = 64;
/** An item of the table has room for 400 KB, its keys and figures included. */
const PART = 380_000;
/** A cache that nobody used for so long goes by itself, and with it what outlived a deletion of the account. */
const DAYS = 30;
/** Characters of one person's notes that are ranked by their text; older notes are then ranked by their title. */
const MOST_RANKED = 12_000_000;
/** What all people's notes together may take in this process, in characters of text; see {@link NoteIndex.weight}. */
const ROOM = 24_000_000;

interface Entry extends IndexedNote {
  /** As it was read; only trusted at the revision that the card names. */
  note?: Note | undefined;
  /** The first characters of its text, if this process has seen them, at this revision. */
  start?: string | undefined;
}

const byNewest = (one: IndexedNote, other: IndexedNote): number =>
  other.changedAt - one.changedAt || (one.noteId < other.noteId ? 1 : -1);

export class NoteIndex {
  readonly userId: string;
  readonly #entries = new Map<string, Entry>();
  #ranking = new Ranking();
  /** Makes the ranking that came with NOTEINDEX, until somebody needs one. */
  #openRanking: (() => Ranking) | undefined;
  /** Milliseconds since the epoch: everything that reached the table until then is known. */
  #freshAt = 0;
  /** The date of the NOTEINDEX in the table; 0: none that can be read. */
  #storedAt = 0;
  #changesSinceStored = 0;
  /** The generation of a NOTEINDEX that cannot be read, and is to be replaced whatever its date. */
  #broken: string | undefined;
  /** Notes may be believed in whose tombstones are gone. */
  #isUnsure = false;
  /** Only the newest and the pinned notes are known: there is no NOTEINDEX, and the rest was not read yet. */
  #isPartial = false;
  #refreshing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** Whether whoever waits for the next refresh wants to rank. */
  #nextRanks = false;
  #upkeep: Promise<void> | undefined;

  constructor(userId: string) {
    this.userId = userId;
  }

  /** How many notes there are; undefined where this index cannot tell. */
  get count(): number | undefined {
    return this.#isPartial || this.#isUnsure ? undefined : this.list().length;
  }

  /** The notes that are not deleted, pinned first, then the newest change. */
  list(): IndexedNote[] {
    return [...this.#entries.values()]
      .filter(({ deletedAt }) => deletedAt === undefined)
      .sort((one, other) => Number(other.pinned) - Number(one.pinned) || byNewest(one, other));
  }

  get(noteId: string): IndexedNote | undefined {
    const entry = this.#entries.get(noteId);
    return entry?.deletedAt === undefined ? entry : undefined;
  }

  /** The first characters of the note's text; undefined where it would have to be read for them. */
  startOf(noteId: string): string | undefined {
    return this.#entries.get(noteId)?.start;
  }

  /** Whether the words of the note, as it now is, are neither ranked nor read. */
  isUnread({ noteId }: IndexedNote): boolean {
    const entry = this.#entries.get(noteId);
    return entry !== undefined && entry.ranked !== entry.revision && entry.note?.revision !== entry.revision;
  }

  /** Ids of the notes that fit, best first; of a note that is not read yet only its title counts. */
  async rank(question: string, earlier: readonly string[]): Promise<string[]> {
    await this.#rankRead();
    return this.#ranking.rank(question, earlier).filter((noteId) => this.get(noteId) !== undefined);
  }

  /**
   * Learns what changed. All that was in the table when this was called is known after it. Unless it `ranks`, the
   * notes are only counted afterwards, and what is dear and serves only a question is left for later.
   */
  refresh({ ranks = true } = {}): Promise<void> {
    // One at a time, since an older page must not overwrite a newer one; whoever comes meanwhile shares the next.
    if (!this.#refreshing) {
      this.#refreshing = this.#refresh(ranks).finally(() => {
        this.#refreshing = undefined;
      });
      return this.#refreshing;
    }
    this.#nextRanks ||= ranks;
    this.#next ??= this.#refreshing
      .catch(() => undefined)
      .then(() => {
        const next = { ranks: this.#nextRanks };
        this.#next = undefined;
        this.#nextRanks = false;
        return this.refresh(next);
      });
    return this.#next;
  }

  /**
   * The notes whole, as they are in the table now; what is gone is left out. Those that were read before and did
   * not change are not read again.
   */
  async read(noteIds: readonly string[]): Promise<Map<string, Note>> {
    const wanted = noteIds.flatMap((noteId) => this.#entries.get(noteId) ?? []);
    const isHeld = ({ note, revision }: Entry): boolean => note?.revision === revision;
    const missing = wanted.filter((entry) => !isHeld(entry));
    // Kept here and not only in the entries: another request may drop or renew those while this one waits.
    const known = new Map(wanted.map((entry) => [entry.noteId, entry]));
    const whole = new Map(
      wanted.flatMap(({ noteId, note, revision }) => (note?.revision === revision ? [[noteId, note]] : [])),
    );
    const take = (notes: readonly Note[]): void => {
      for (const note of notes) {
        this.#keep(note);
        if (note.revision >= (known.get(note.noteId)?.revision ?? Number.POSITIVE_INFINITY))
          whole.set(note.noteId, note);
      }
    };
    for (const entry of missing) entry.note = undefined;
    // Reading one by one rounds each note up to 4 KB: of many, reading through all of them is cheaper.
    if (missing.length > MOST_UNREAD && missing.length > this.#entries.size / 2) {
      take(await listAllNotes(this.userId));
    } else {
      const now = Date.now();
      const isNew = (entry: Entry): boolean => entry.changedAt > now - SETTLED || entry.ranked !== entry.revision;
      const get = (entries: Entry[], consistent: boolean): Promise<Note[]> =>
        getNotes(
          this.userId,
          entries.map(({ noteId }) => noteId),
          { consistent },
        );
      const found = await Promise.all([
        get(missing.filter(isNew), true),
        get(
          missing.filter((entry) => !isNew(entry)),
          false,
        ),
      ]);
      take(found.flat());
      // A copy that lags behind: the card was read consistently and knows better.
      const behind = missing.filter((entry) => !whole.has(entry.noteId) && !isNew(entry));
      if (behind.length > 0) take(await get(behind, true));
    }
    const notes = new Map<string, Note>();
    for (const { noteId, pinned } of wanted) {
      const note = whole.get(noteId);
      if (note) notes.set(noteId, { ...note, pinned });
      else this.#forget(noteId);
    }
    return notes;
  }

  /** About how many characters of text this takes in memory: words in a ranking take several times their length. */
  get weight(): number {
    let weight = 0;
    for (const { ranked, tokens, note } of this.#entries.values())
      weight += 300 + (note?.text.length ?? 0) + (ranked === undefined ? 0 : tokens * (this.#openRanking ? 1 : 16));
    return weight;
  }

  /** Forgets the texts, which weigh most after the ranking and can be read again. */
  async dropTexts(): Promise<void> {
    await this.#rankRead();
    for (const entry of this.#entries.values()) entry.note = undefined;
  }

  /** Whether NOTEINDEX is missing or old, or this index itself has to be looked through. */
  get needsUpkeep(): boolean {
    if (this.#isPartial) return false;
    if (this.#isUnsure) return true;
    if (this.#entries.size <= NEWEST / 2) return this.#broken !== undefined;
    return this.#changesSinceStored >= MOST_CHANGES || Date.now() - this.#storedAt > MOST_AGE;
  }

  /** Does what {@link needsUpkeep} asks for; beside an answer, never before one. */
  keepUp(): Promise<void> {
    this.#upkeep ??= this.#keepUp().finally(() => {
      this.#upkeep = undefined;
    });
    return this.#upkeep;
  }

  // --- Learning ------------------------------------------------------------------------------------------------

  async #refresh(ranks: boolean): Promise<void> {
    const begun = Date.now();
    if (this.#freshAt === 0) await this.#begin(begun);
    else {
      const since = this.#freshAt - LATE;
      if (begun - this.#freshAt > TOMBSTONE) this.#isUnsure = true;
      const [changed, pinned, deleted] = await Promise.all([
        listChangedCards(this.userId, { pinned: false, since }),
        listChangedCards(this.userId, { pinned: true }),
        listDeletedNotes(this.userId, begun - UNDO_DAYS * 86_400_000 - LATE),
      ]);
      this.#learn(changed.cards, pinned.cards, deleted, begun);
    }
    this.#freshAt = begun;
    if (!ranks) return;
    this.#prepareRanking();
    if (this.#isPartial || this.list().filter((entry) => this.isUnread(entry)).length > MOST_UNREAD)
      await this.#readAll();
  }

  #prepareRanking(): void {
    const open = this.#openRanking;
    if (!open) return;
    this.#openRanking = undefined;
    try {
      this.#ranking = open();
    } catch {
      // Its notes are known, their words are not.
      for (const entry of this.#entries.values()) entry.ranked = undefined;
      this.#storedAt = 0;
    }
  }

  /** The first refresh: all reads at once, since the model call waits for them. */
  async #begin(begun: number): Promise<void> {
    const [stored, newest, pinned, deleted] = await Promise.all([
      readStored(this.userId),
      listChangedCards(this.userId, { pinned: false, most: NEWEST }),
      listChangedCards(this.userId, { pinned: true }),
      listDeletedNotes(this.userId, begun - UNDO_DAYS * 86_400_000 - LATE),
    ]);
    this.#broken = stored.broken;
    const { whole } = newest;
    let { cards } = newest;
    if (stored.index) {
      const { notes, openRanking, at } = stored.index;
      this.#openRanking = openRanking;
      this.#storedAt = at;
      for (const note of notes) this.#entries.set(note.noteId, note);
      const since = at - LATE;
      if (!whole && (cards.at(-1)?.changedAt ?? 0) >= since)
        ({ cards } = await listChangedCards(this.userId, { pinned: false, since }));
      if (begun - at > TOMBSTONE) this.#isUnsure = true;
    } else if (!whole) this.#isPartial = true;
    this.#learn(cards, pinned.cards, deleted, begun);
    if (!newest.whole) return;
    // All cards are there: what is in neither list is gone.
    this.#strikeOut(new Set([...cards, ...pinned.cards].map(({ noteId }) => noteId)));
    this.#isUnsure = false;
  }

  #learn(
    changed: readonly NoteCard[],
    pinned: readonly NoteCard[],
    deleted: readonly { noteId: string; deletedAt: number }[],
    now: number,
  ): void {
    const areDeleted = new Map(deleted.map(({ noteId, deletedAt }) => [noteId, deletedAt]));
    for (const card of [...changed, ...pinned]) this.#learnCard(card);
    // A deleted note can come back as it was, with the time of its last change: its place is kept.
    for (const { noteId } of deleted)
      if (!this.#entries.has(noteId))
        this.#entries.set(noteId, { noteId, title: "", pinned: false, changedAt: 0, revision: 0, tokens: 0 });
    const arePinned = new Set(pinned.map(({ noteId }) => noteId));
    for (const entry of this.#entries.values()) {
      entry.pinned = arePinned.has(entry.noteId);
      const deletedAt = areDeleted.get(entry.noteId);
      if (deletedAt !== undefined) {
        if (entry.deletedAt === undefined) this.#changesSinceStored++;
        entry.deletedAt = deletedAt;
      } else if (entry.deletedAt !== undefined) {
        // Its tombstone is gone: it was restored, or its time is over. While that is not known, it is believed in.
        if (entry.deletedAt > now - TOMBSTONE || this.#isUnsure) entry.deletedAt = undefined;
        else this.#forget(entry.noteId);
      }
    }
  }

  #learnCard({ noteId, title, start, pinned, changedAt, revision, size }: NoteCard): void {
    const known = this.#entries.get(noteId);
    if (known?.revision === revision) {
      known.changedAt = changedAt;
      known.start = start;
      return;
    }
    this.#changesSinceStored++;
    this.#entries.set(noteId, {
      noteId,
      title,
      start,
      pinned,
      changedAt,
      revision,
      // Until it is read: a guess that fits most texts.
      tokens: noteTokens({ title, text: "" }) + Math.ceil(size / 3),
      ranked: known?.ranked,
    });
  }

  /** Reads through all notes: there is no NOTEINDEX, or so much changed that reading one by one is dearer. */
  async #readAll(): Promise<void> {
    const notes = await listAllNotes(this.userId);
    for (const note of notes) {
      const { noteId, title, pinned, changedAt, revision } = note;
      const known = this.#entries.get(noteId);
      if (known?.revision !== revision) this.#changesSinceStored++;
      this.#entries.set(noteId, {
        ...known,
        noteId,
        title,
        pinned,
        changedAt,
        revision,
        tokens: 0,
        deletedAt: undefined,
      });
      this.#keep(note);
    }
    this.#strikeOut(new Set(notes.map(({ noteId }) => noteId)));
    this.#isUnsure = false;
    this.#isPartial = false;
  }

  #keep(note: Note): void {
    const entry = this.#entries.get(note.noteId);
    if (!entry || note.revision < entry.revision) return;
    entry.title = note.title;
    entry.revision = note.revision;
    entry.changedAt = note.changedAt;
    entry.tokens = noteTokens(note);
    entry.start = startOf(note.text);
    entry.note = note;
  }

  #forget(noteId: string): void {
    if (!this.#entries.delete(noteId)) return;
    this.#ranking.remove(noteId);
    this.#changesSinceStored++;
  }

  /** Forgets the notes that are not `there`, save for those that changed `since`. */
  #strikeOut(there: ReadonlySet<string>, since = Number.POSITIVE_INFINITY): void {
    for (const { noteId, deletedAt, changedAt } of [...this.#entries.values()])
      if (deletedAt === undefined && changedAt < since && !there.has(noteId)) this.#forget(noteId);
  }

  /** Takes the words of what was read into the ranking. */
  async #rankRead(): Promise<void> {
    if (this.#openRanking) return;
    let left = MOST_RANKED;
    let taken = 0;
    for (const entry of [...this.#entries.values()].sort(byNewest)) {
      const { note, noteId, revision, title, deletedAt } = entry;
      if (deletedAt !== undefined) continue;
      left -= 4 * entry.tokens;
      if (note?.revision === revision && entry.ranked !== revision) {
        this.#ranking.set(noteId, title, left > 0 ? note.text : "");
        entry.ranked = revision;
        // Thousands at once are a second's work: others answer in between.
        if (++taken % 100 === 0) await breathe();
      } else if (entry.ranked === undefined && !this.#ranking.has(noteId)) {
        this.#ranking.set(noteId, title, "");
      }
    }
  }

  // --- Keeping NOTEINDEX ---------------------------------------------------------------------------------------

  async #keepUp(): Promise<void> {
    if (this.#isUnsure) {
      const begun = Date.now();
      const [others, pinned] = await Promise.all([
        listChangedCards(this.userId, { pinned: false }),
        listChangedCards(this.userId, { pinned: true }),
      ]);
      for (const card of others.cards) this.#learnCard(card);
      // Others may have learnt of newer ones meanwhile.
      this.#strikeOut(new Set([...others.cards, ...pinned.cards].map(({ noteId }) => noteId)), begun - LATE);
      this.#isUnsure = false;
    }
    const unread = this.list().filter((entry) => this.isUnread(entry));
    await this.read(unread.map(({ noteId }) => noteId));
    await this.#rankRead();
    const at = this.#freshAt;
    const changes = this.#changesSinceStored;
    const packed = await pack([...this.#entries.values()], this.#ranking);
    // A server that outlives the account must not bring words of it back.
    if (await isAccountDeleted(this.userId)) return;
    if (await writeStored(this.userId, packed, { at, broken: this.#broken })) {
      this.#storedAt = at;
      this.#broken = undefined;
      this.#changesSinceStored -= changes;
    } else {
      // Another server wrote a newer one.
      this.#storedAt = Date.now();
      this.#changesSinceStored = 0;
    }
  }
}

// --- NOTEINDEX ---------------------------------------------------------------------------------------------------

interface StoredItem {
  sk: string;
  generation: string;
  data: Uint8Array;
  /** On the first part only: the date, and how many parts there are. */
  at?: number;
  parts?: number;
}

/** The stored index, if it is there and whole. Not read consistently: its date says what is to be read after it. */
async function readStored(userId: string): Promise<{ index?: Unpacked & { at: number }; broken?: string }> {
  const items: StoredItem[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new QueryCommand({
        TableName: config.tableName,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: { ":pk": personPartition(userId), ":prefix": prefixes.noteIndex },
        ExclusiveStartKey: from,
      }),
    );
    items.push(...((page.Items ?? []) as StoredItem[]));
    from = page.LastEvaluatedKey;
  } while (from);
  const [first] = items;
  if (!first) return {};
  const { generation, at = 0, parts = 0 } = first;
  const own = items.filter((item) => item.generation === generation && item.data instanceof Uint8Array);
  const isDated = Number.isSafeInteger(at) && at > 0 && at <= Date.now() + LATE;
  const opened = isDated && own.length === parts ? await unpack(Buffer.concat(own.map(({ data }) => data))) : undefined;
  return opened ? { index: { ...opened, at } } : { broken: String(generation) };
}

/**
 * Writes the parts first and the one that names them last, unless the table holds a newer one by then: false. The
 * parts of the one before go at the end; what a killed server leaves of them goes by its TTL.
 */
async function writeStored(
  userId: string,
  packed: Buffer,
  { at, broken }: { at: number; broken: string | undefined },
): Promise<boolean> {
  const generation = randomBytes(6).toString("hex");
  const expiresAt = expiresIn(DAYS);
  const parts = Math.ceil(packed.length / PART);
  const part = (number: number): Buffer => packed.subarray(number * PART, (number + 1) * PART);
  const put = (item: Record<string, unknown>) => ({ TableName: config.tableName, Item: item });
  for (let number = 1; number < parts; number++) {
    const key = keys.noteIndexPart(userId, generation, number);
    await documents.send(new PutCommand(put({ ...key, generation, data: part(number), expiresAt })));
  }
  const first = { ...keys.noteIndex(userId), generation, at, parts, data: part(0), expiresAt };
  try {
    const { Attributes: before } = await documents.send(
      new PutCommand({
        ...put(first),
        ConditionExpression: "attribute_not_exists(#at) OR #at < :at OR generation = :broken",
        ExpressionAttributeNames: { "#at": "at" },
        ExpressionAttributeValues: { ":at": at, ":broken": broken ?? "none" },
        ReturnValues: "ALL_OLD",
      }),
    );
    const old = Number(before?.parts ?? 1);
    for (let number = 1; number < Math.min(old, 100); number++) {
      const Key = keys.noteIndexPart(userId, String(before?.generation), number);
      await documents.send(new DeleteCommand({ TableName: config.tableName, Key }));
    }
    return true;
  } catch (error) {
    if (!isRefused(error)) throw error;
    for (let number = 1; number < parts; number++)
      await documents.send(
        new DeleteCommand({ TableName: config.tableName, Key: keys.noteIndexPart(userId, generation, number) }),
      );
    return false;
  }
}

// --- One process -------------------------------------------------------------------------------------------------

/** The people whose notes this process knows, the one that was used last at the end. */
const people = new Map<string, NoteIndex>();

/** The person's notes as this process knows them, up to date and ready to be ranked. */
export const openNotes = (userId: string): Promise<NoteIndex> => open(userId, { ranks: true });

/**
 * How many notes the person has: exactly so many as the table holds when this is called. Where this process cannot
 * tell (there are many notes and no NOTEINDEX, or an old one), their cards are counted.
 */
export async function countNotes(userId: string): Promise<number> {
  return (await open(userId, { ranks: false })).count ?? countCards(userId);
}

async function open(userId: string, how: { ranks: boolean }): Promise<NoteIndex> {
  const index = people.get(userId) ?? new NoteIndex(userId);
  people.delete(userId);
  people.set(userId, index);
  try {
    await index.refresh(how);
  } catch (error) {
    // Half learnt is not learnt: the next one begins anew.
    if (people.get(userId) === index) people.delete(userId);
    throw isOutage(error) ? new PublicError("unavailable", { cause: error }) : error;
  }
  let room = ROOM;
  for (const [id, other] of [...people].reverse()) {
    room -= other.weight;
    if (room >= 0) continue;
    if (id === userId) await other.dropTexts();
    else people.delete(id);
  }
  return index;
}

/** Forgets what this process knows, as a new process does. */
export function forgetNotes(): void {
  people.clear();
}
