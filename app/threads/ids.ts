/**
 * Ids of messages and runs. A message's id is a ULID that the client makes, newer than all it has seen in the
 * thread, so that the order of ids is the order of messages and no server's clock takes part. Its last bit is
 * 0; the answer's id is the next one. A repeat of a request therefore finds its own run by its id alone.
 */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const pattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** Whether the text is a ULID in its one spelling. */
export function isId(text: string): boolean {
  return pattern.test(text);
}

/** Whether a client may give this id to a message or a request: a ULID whose last bit is 0. */
export function isRequestId(text: string): boolean {
  return isId(text) && alphabet.indexOf(text.slice(-1)) % 2 === 0;
}

/** The time inside an id, in milliseconds since the epoch. */
export function timeOfId(id: string): number {
  let time = 0;
  for (const letter of id.slice(0, 10)) time = time * 32 + alphabet.indexOf(letter);
  return time;
}

/** The id of the answer to the message of this id. */
export function answerIdOf(messageId: string): string {
  return messageId.slice(0, -1) + alphabet.charAt(alphabet.indexOf(messageId.slice(-1)) | 1);
}

/**
 * A new id for a message or a request, above `newestId` (the newest id that the client has seen in the thread)
 * even if this clock is behind. `random` gives numbers from 0 up to 1; it only has to differ between clients.
 */
export function createRequestId(
  newestId: string | null,
  now = Date.now(),
  random: () => number = unpredictable,
): string {
  let time = newestId === null ? now : Math.max(now, timeOfId(newestId) + 1);
  let id = "";
  for (let index = 0; index < 10; index++) {
    id = alphabet.charAt(time % 32) + id;
    time = Math.floor(time / 32);
  }
  for (let index = 0; index < 15; index++) id += alphabet.charAt(Math.floor(random() * 32));
  return id + alphabet.charAt(Math.floor(random() * 16) * 2);
}

function unpredictable(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}
