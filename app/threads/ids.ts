/**
 * Ids of threads, messages and runs: ULIDs that the browser makes, so that a request can be repeated under the
 * same id and a message can be shown before the server knows it. Order of ids in a thread is the order in which
 * they were accepted, so a new id must be newer than the newest one seen there, whatever the own clock says.
 * The last bit tells the two kinds apart: 0 in a message that a person sends, 1 in the run that answers it
 * (`messageId + 1`) and in a run that was asked for without a new message.
 */
import { decodeTime, ulid } from "ulid";

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const shape = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const lastDigit = (id: string): number => digits.indexOf(id.slice(-1));
const withLastDigit = (id: string, digit: number): string => id.slice(0, -1) + digits.charAt(digit);

/** Whether this is a ULID as Sidenote writes them: 26 characters of Crockford's base 32, upper case. */
export const isId = (value: unknown): value is string => typeof value === "string" && shape.test(value);

/** An id that a person's message may have: its last bit is 0. */
export const isMessageId = (value: unknown): value is string => isId(value) && lastDigit(value) % 2 === 0;

/** An id that a run, and with it an answer, may have: its last bit is 1. */
export const isRunId = (value: unknown): value is string => isId(value) && lastDigit(value) % 2 === 1;

/** The time in a valid id, in milliseconds since the epoch. */
export const idTime = (id: string): number => decodeTime(id);

/** The id of the run that answers a sent message, and of that answer. */
export const runIdOf = (messageId: string): string => withLastDigit(messageId, lastDigit(messageId) | 1);

/** The time that a new id must carry: later than the newest seen, even if the own clock is behind. */
const newerThan = (newestSeen: string | null | undefined, now: number): number =>
  newestSeen ? Math.max(now, idTime(newestSeen) + 1) : now;

/** An id for a new thread. */
export const newThreadId = (now = Date.now()): string => ulid(now);

/** An id for a message about to be sent, newer than `newestSeen`: the newest id of any kind seen in the thread. */
export function newMessageId(newestSeen?: string | null, now = Date.now()): string {
  const id = ulid(newerThan(newestSeen, now));
  return withLastDigit(id, lastDigit(id) & ~1);
}

/** An id for a run that comes without a new message (retry, regenerate, continue), newer than `newestSeen`. */
export const newRequestId = (newestSeen?: string | null, now = Date.now()): string =>
  runIdOf(ulid(newerThan(newestSeen, now)));
