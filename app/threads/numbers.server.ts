/**
 * The numbers that a thread's notes have for its whole life, so that `[1]` in an old answer means the same note
 * in the history that is sent; and the thread's random delimiter, which no note can forge. A number is given
 * once, by a write that is refused if another request gave numbers meanwhile.
 */
import { randomBytes } from "node:crypto";
import { Entity } from "dynamodb-toolbox/entity";
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { PutItemCommand } from "dynamodb-toolbox/entity/actions/put";
import { item } from "dynamodb-toolbox/schema/item";
import { number } from "dynamodb-toolbox/schema/number";
import { record } from "dynamodb-toolbox/schema/record";
import { string } from "dynamodb-toolbox/schema/string";
import { keys } from "~/data/keys.server";
import { isRefused, table } from "~/data/table.server";
import { PublicError } from "~/errors";

const NumbersEntity = new Entity({
  name: "Numbers",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({
    pk: string().key(),
    sk: string().key(),
    delimiter: string(),
    notes: record(string(), number()).savedAs("n"),
    /** The highest number that was ever given; also what a write is conditional on. */
    last: number(),
  }),
});

export interface Numbers {
  delimiter: string;
  /** Note id to its number in this thread. */
  notes: Record<string, number>;
  last: number;
}

/** The thread's numbers, or undefined while no note has entered it. Read consistently. */
export async function getNumbers(userId: string, threadId: string): Promise<Numbers | undefined> {
  const { Item } = await NumbersEntity.build(GetItemCommand)
    .key(keys.numbers(userId, threadId))
    .options({ consistent: true })
    .send();
  return Item && { delimiter: Item.delimiter, notes: Item.notes, last: Item.last };
}

/**
 * Gives a number to each of the notes that has none yet in this thread. `seen` is what {@link getNumbers} said;
 * without a new note nothing is written. Throws `unavailable` if other requests keep getting in between.
 */
export async function numberNotes(
  userId: string,
  threadId: string,
  seen: Numbers | undefined,
  noteIds: string[],
): Promise<Numbers> {
  let known = seen;
  for (let attempt = 0; attempt < 5; attempt++) {
    const next: Numbers = {
      delimiter: known?.delimiter ?? randomBytes(9).toString("base64url"),
      notes: { ...known?.notes },
      last: known?.last ?? 0,
    };
    for (const noteId of noteIds) next.notes[noteId] ??= ++next.last;
    if (known && next.last === known.last) return known;
    if (next.last === 0) return next;
    try {
      await NumbersEntity.build(PutItemCommand)
        .item({ ...keys.numbers(userId, threadId), ...next })
        .options({ condition: known ? { attr: "last", eq: known.last } : { attr: "pk", exists: false } })
        .send();
      return next;
    } catch (error) {
      if (!isRefused(error)) throw error;
      known = await getNumbers(userId, threadId);
    }
  }
  throw new PublicError("unavailable");
}
