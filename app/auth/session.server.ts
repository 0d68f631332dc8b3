/**
 * Sessions. The cookie holds `<sub>.<random token>`; the table holds the token's hash, so a request costs one Get
 * and a deleted item is a sign-out at once, everywhere. Cognito's refresh token lies sealed in the item. When the
 * access token is over, one request takes a lock in the item and asks Cognito whether the session still holds; all
 * others go on meanwhile. Only a refusal ends the session: a Cognito that cannot be reached does not.
 */

import type { FormattedItem } from "dynamodb-toolbox/entity";
import { Entity } from "dynamodb-toolbox/entity";
import { DeleteItemCommand } from "dynamodb-toolbox/entity/actions/delete";
import { GetItemCommand } from "dynamodb-toolbox/entity/actions/get";
import { PutItemCommand } from "dynamodb-toolbox/entity/actions/put";
import { $remove, UpdateItemCommand } from "dynamodb-toolbox/entity/actions/update";
import { item } from "dynamodb-toolbox/schema/item";
import { number } from "dynamodb-toolbox/schema/number";
import { string } from "dynamodb-toolbox/schema/string";
import { QueryCommand } from "dynamodb-toolbox/table/actions/query";
import { keys, personPartition, prefixes } from "~/data/keys.server";
import { isOutage, isRefused, table } from "~/data/table.server";
import { PublicError } from "~/errors";
import { logError } from "~/http.server";
import { currentInvocation, type Invocation } from "~/invocation.server";
import { refresh, revokeToken, type SignIn } from "./cognito.server";
import { readCookie, setCookie } from "./cookies.server";
import { withRedirect } from "./redirects";
import { newToken, seal, tokenHash, unseal } from "./seal.server";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A session ends when it was not used for this long, and in any case after that long. */
export const IDLE = 7 * DAY;
export const ABSOLUTE = 30 * DAY;
/** How long one request may take to ask Cognito; then another one tries. It is also the pause after a failure. */
const LEASE = 30_000;

const COOKIE = "__Host-session";
const COOKIE_SHAPE = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/;

export const SessionEntity = new Entity({
  name: "Session",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({
    pk: string().key(),
    sk: string().key(),
    email: string(),
    /** The refresh token, sealed for this person and this session. */
    sealed: string(),
    /** Milliseconds since the epoch: when the access token ends, and when somebody began to ask for a new one. */
    accessUntil: number(),
    lockedUntil: number().optional(),
    createdAt: number(),
    seenAt: number(),
    expiresAt: number(),
  }),
});

type SessionItem = FormattedItem<typeof SessionEntity>;

/** Whoever is signed in. `sessionHash` names the session without opening it. */
export interface Person {
  userId: string;
  email: string;
  sessionHash: string;
}

const binding = (userId: string, sessionHash: string): string => `session:${userId}:${sessionHash}`;

const endOf = (createdAt: number, seenAt: number): number => Math.min(createdAt + ABSOLUTE, seenAt + IDLE);

/** For the table's TTL, which is late by hours: reads check the same by themselves. */
const ttlOf = (createdAt: number, seenAt: number): number => Math.ceil(endOf(createdAt, seenAt) / 1000);

const unchanged = { attr: "sk", exists: true } as const;

/** True unless the write was refused by its condition. */
async function applied(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}

/** Takes the right to ask Cognito; false if another request has it, or has just asked. */
function lock(userId: string, sessionHash: string, session: SessionItem, now: number): Promise<boolean> {
  return applied(
    SessionEntity.build(UpdateItemCommand)
      .item({
        ...keys.session(userId, sessionHash),
        lockedUntil: now + LEASE,
        seenAt: now,
        expiresAt: ttlOf(session.createdAt, now),
      })
      .options({
        condition: {
          and: [
            unchanged,
            { attr: "accessUntil", eq: session.accessUntil },
            {
              or: [
                { attr: "lockedUntil", exists: false },
                { attr: "lockedUntil", lt: now },
              ],
            },
          ],
        },
      })
      .send(),
  );
}

/** Asks Cognito whether the session still holds. False: it does not, and is deleted. */
async function renew(userId: string, sessionHash: string, session: SessionItem): Promise<boolean> {
  const place = binding(userId, sessionHash);
  const refreshToken = unseal(session.sealed, place);
  let answer: Awaited<ReturnType<typeof refresh>>;
  try {
    answer = refreshToken === undefined ? "refused" : await refresh(userId, refreshToken);
  } catch (error) {
    logError(error, "session refresh");
    return true;
  }
  if (answer === "refused") {
    await deleteSession(userId, sessionHash);
    return false;
  }
  // The item is never made anew: it may have been deleted by a sign-out in the meantime.
  return applied(
    SessionEntity.build(UpdateItemCommand)
      .item({
        ...keys.session(userId, sessionHash),
        accessUntil: answer.accessUntil,
        sealed: seal(answer.refreshToken, place),
        lockedUntil: $remove(),
      })
      .options({ condition: unchanged })
      .send(),
  );
}

/** Notes that the session is in use; at most once an hour. */
async function touch(userId: string, sessionHash: string, session: SessionItem, now: number): Promise<void> {
  await applied(
    SessionEntity.build(UpdateItemCommand)
      .item({ ...keys.session(userId, sessionHash), seenAt: now, expiresAt: ttlOf(session.createdAt, now) })
      .options({ condition: { and: [unchanged, { attr: "seenAt", eq: session.seenAt }] } })
      .send(),
  );
}

async function openSession(userId: string, sessionHash: string): Promise<Person | undefined> {
  const { Item: session } = await SessionEntity.build(GetItemCommand)
    .key(keys.session(userId, sessionHash))
    .options({ consistent: true })
    .send();
  const now = Date.now();
  if (!session || endOf(session.createdAt, session.seenAt) <= now) return undefined;
  if (session.accessUntil <= now) {
    if ((await lock(userId, sessionHash, session, now)) && !(await renew(userId, sessionHash, session)))
      return undefined;
  } else if (session.seenAt + HOUR <= now) await touch(userId, sessionHash, session, now);
  return { userId, email: session.email, sessionHash };
}

/** The loaders of one page ask separately; the table is asked once per invocation. */
const opened = new WeakMap<Invocation, Map<string, Promise<Person | undefined>>>();

function readSessionCookie(request: Request): { userId: string; sessionHash: string } | undefined {
  const [, userId, token] = COOKIE_SHAPE.exec(readCookie(request, COOKIE) ?? "") ?? [];
  return userId && token ? { userId, sessionHash: tokenHash(token) } : undefined;
}

/**
 * The person whose session the request carries, or undefined. Whatever the cookie holds, it never fails for it. A
 * table that cannot be reached says nothing of the session: the 503 `unavailable` is thrown.
 */
export async function getPerson(request: Request): Promise<Person | undefined> {
  const cookie = readSessionCookie(request);
  if (!cookie) return undefined;
  const invocation = currentInvocation();
  const known = opened.get(invocation) ?? new Map<string, Promise<Person | undefined>>();
  opened.set(invocation, known);
  const id = `${cookie.userId}.${cookie.sessionHash}`;
  let person = known.get(id);
  if (!person) {
    person = openSession(cookie.userId, cookie.sessionHash);
    known.set(id, person);
  }
  try {
    return await person;
  } catch (error) {
    if (!isOutage(error)) throw error;
    logError(error, "session");
    throw new PublicError("unavailable").toResponse();
  }
}

/**
 * The person whose session the request carries. Otherwise throws, for pages a redirect to the sign-in page that
 * leads back, and for resource routes (`resource: true`) the 401 `not-signed-in` as JSON.
 */
export async function requirePerson(request: Request, options: { resource?: boolean } = {}): Promise<Person> {
  const person = await getPerson(request);
  if (person) return person;
  if (options.resource) throw new PublicError("not-signed-in").toResponse();
  const { pathname, search } = new URL(request.url);
  throw new Response(null, {
    status: 302,
    headers: { Location: withRedirect("/sign-in", `${pathname}${search}`), "Cache-Control": "private, no-store" },
  });
}

/**
 * Makes a session, always with a new token.
 * @param person whose it is
 * @param tokens the refresh token, and when the access token that came with it ends (milliseconds since the epoch)
 * @returns headers with the one Set-Cookie
 */
export async function createSession(
  person: Pick<Person, "userId" | "email">,
  tokens: Pick<SignIn, "refreshToken" | "accessUntil">,
): Promise<Headers> {
  const now = Date.now();
  const token = newToken();
  const sessionHash = tokenHash(token);
  await SessionEntity.build(PutItemCommand)
    .item({
      ...keys.session(person.userId, sessionHash),
      email: person.email,
      sealed: seal(tokens.refreshToken, binding(person.userId, sessionHash)),
      accessUntil: tokens.accessUntil,
      createdAt: now,
      seenAt: now,
      expiresAt: ttlOf(now, now),
    })
    .send();
  return new Headers({ "Set-Cookie": setCookie(COOKIE, `${person.userId}.${token}`, ABSOLUTE / 1000) });
}

/** Deletes a session, which ends it at once; gives back its refresh token, if there still was one. */
async function deleteSession(userId: string, sessionHash: string): Promise<string | undefined> {
  const { Attributes } = await SessionEntity.build(DeleteItemCommand)
    .key(keys.session(userId, sessionHash))
    .options({ returnValues: "ALL_OLD" })
    .send();
  return Attributes && unseal(Attributes.sealed, binding(userId, sessionHash));
}

/** Ends one session of a person; its refresh token is revoked after the answer. */
async function endOne(userId: string, sessionHash: string): Promise<void> {
  const refreshToken = await deleteSession(userId, sessionHash);
  if (refreshToken)
    currentInvocation().waitUntil(revokeToken(refreshToken).catch((error) => logError(error, "sign-out")));
}

/** Ends the session that the request carries, if any. The headers delete the cookie. */
export async function endSession(request: Request): Promise<Headers> {
  const cookie = readSessionCookie(request);
  if (cookie) {
    opened.delete(currentInvocation());
    await endOne(cookie.userId, cookie.sessionHash);
  }
  return new Headers({ "Set-Cookie": setCookie(COOKIE, "", 0) });
}

export interface SessionCard {
  sessionHash: string;
  /** Milliseconds since the epoch, true to the hour. */
  seenAt: number;
}

/** A person's sessions that are not over, the last used first. */
export async function listSessions(userId: string): Promise<SessionCard[]> {
  const sessions: SessionCard[] = [];
  const now = Date.now();
  let from: Record<string, unknown> | undefined;
  do {
    const page = await table
      .build(QueryCommand)
      .query({ partition: personPartition(userId), range: { beginsWith: prefixes.session } })
      .entities(SessionEntity)
      .options({ consistent: true, exclusiveStartKey: from })
      .send();
    for (const { sk, createdAt, seenAt } of page.Items ?? [])
      if (endOf(createdAt, seenAt) > now) sessions.push({ sessionHash: sk.slice(prefixes.session.length), seenAt });
    from = page.LastEvaluatedKey;
  } while (from);
  return sessions.sort((a, b) => b.seenAt - a.seenAt);
}

/** Ends all sessions of a person at once, save for `except`. Their refresh tokens are revoked after the answer. */
export async function endAllSessions(userId: string, options: { except?: string } = {}): Promise<void> {
  opened.delete(currentInvocation());
  for (const { sessionHash } of await listSessions(userId))
    if (sessionHash !== options.except) await endOne(userId, sessionHash);
}
