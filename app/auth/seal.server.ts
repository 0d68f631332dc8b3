/**
 * Secrets at rest: AES-256-GCM under a ring of keys. Every sealed text names its key, so that a new key can be put
 * first in the ring while old texts stay readable, and is bound to the place where it is kept, so that a text
 * copied to another item cannot be opened there.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { config } from "~/config.server";

const ALGORITHM = "aes-256-gcm";

function keyOf(id: string): Buffer | undefined {
  const key = Object.hasOwn(config.sessionKeys, id) ? config.sessionKeys[id] : undefined;
  return key === undefined ? undefined : Buffer.from(key, "base64");
}

const newestKeyId = (): string => Object.keys(config.sessionKeys)[0] ?? "";

/** Seals `text` under the newest key, for the place that `binding` names. */
export function seal(text: string, binding: string): string {
  const id = newestKeyId();
  const key = keyOf(id);
  if (!key) throw new Error("The ring of session keys is empty");
  const nonce = randomBytes(12);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(binding));
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return [id, nonce.toString("base64url"), body.toString("base64url")].join(".");
}

/** What {@link seal} sealed; undefined if its key has left the ring, its place is another, or it was changed. */
export function unseal(sealed: string, binding: string): string | undefined {
  const [id = "", nonce = "", body = ""] = sealed.split(".");
  const key = keyOf(id);
  const bytes = Buffer.from(body, "base64url");
  if (!key || bytes.length < 16) return undefined;
  try {
    const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(nonce, "base64url"), { authTagLength: 16 })
      .setAAD(Buffer.from(binding))
      .setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

/** 256 random bits in base64url: 43 characters. */
export const newToken = (): string => randomBytes(32).toString("base64url");

/** The hex SHA-256 under which a token is kept: the token itself never is. */
export const tokenHash = (token: string): string => createHash("sha256").update(token).digest("hex");
