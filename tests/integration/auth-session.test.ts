import { randomUUID } from "node:crypto";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { browserRequest, cookieOf, invokeWith, setClock, startSignIn } from "./auth-local";

const OLD_KEY = Buffer.alloc(32, 1).toString("base64");
const NEW_KEY = Buffer.alloc(32, 2).toString("base64");

const local = await startSignIn({ sessionKeys: { new: NEW_KEY, old: OLD_KEY } });
const { ABSOLUTE, IDLE, createSession, endAllSessions, endSession, getPerson, listSessions, requirePerson } =
  await import("~/auth/session.server");
const cognito = await import("~/auth/cognito.server");
const { tokenHash } = await import("~/auth/seal.server");
const { keys } = await import("~/data/keys.server");
const { documents } = await import("~/data/table.server");
const { config } = await import("~/config.server");
const { runInvocation } = await import("~/invocation.server");

const HOUR = 3_600_000;
const EMAIL = "maria@example.org";
const PASSWORD = "correct horse battery";

const invoke = <T>(work: () => Promise<T>) => invokeWith<T>(runInvocation, work);
const know = (cookie: string) => invoke(() => getPerson(browserRequest({ cookie })));

beforeAll(async () => {
  await cognito.signUp(EMAIL, PASSWORD);
  await cognito.confirmSignUp(EMAIL, local.codeFor(EMAIL));
});
afterAll(async () => {
  documents.destroy();
  await local.stop();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  local.setCognitoAhead(0);
});

/** A session of the one person, whose access token ends at `accessUntil`. */
async function newSession(accessUntil?: number) {
  const answer = await cognito.checkPassword(EMAIL, PASSWORD);
  if (answer.kind !== "signed-in") throw new Error("Not signed in");
  const { signIn } = answer;
  const cookie = cookieOf(await createSession(signIn, { ...signIn, accessUntil: accessUntil ?? signIn.accessUntil }));
  const hash = tokenHash(cookie.split(".")[1] ?? "");
  const key = keys.session(signIn.userId, hash);
  const item = async () => {
    const { Item } = await documents.send(
      new GetCommand({ TableName: config.tableName, Key: key, ConsistentRead: true }),
    );
    return Item;
  };
  return { cookie, hash, userId: signIn.userId, refreshToken: signIn.refreshToken, key, item };
}

const refreshes = async () => (await local.counts())["InitiateAuth:REFRESH_TOKEN_AUTH"] ?? 0;
const anHourAgo = () => Date.now() - HOUR;
const silenceLog = () => vi.spyOn(console, "error").mockImplementation(() => undefined);

describe("The table", () => {
  test("holds neither the cookie's token nor Cognito's", async () => {
    const { cookie, refreshToken, item } = await newSession();
    const text = JSON.stringify(await item());
    expect(text).not.toContain(cookie.split(".")[1]);
    expect(text).not.toContain(refreshToken);
    expect(text).not.toContain(refreshToken.slice(-40));
    expect((await item())?.sealed).toMatch(/^new\./);
  });

  test("is asked once per invocation, however many loaders ask who is there", async () => {
    const { cookie } = await newSession();
    const send = vi.spyOn(documents, "send");
    await invoke(() => Promise.all(Array.from({ length: 6 }, () => requirePerson(browserRequest({ cookie })))));
    expect(send).toHaveBeenCalledTimes(1);
    await know(cookie);
    expect(send).toHaveBeenCalledTimes(2);
  });
});

describe("Whatever the cookie holds", () => {
  const isNobody = async (value: string) =>
    expect(await know(`__Host-session=${value}`), value.slice(0, 80)).toBeUndefined();

  test("random, cut, swollen and foreign ones are nobody", async () => {
    const { cookie, userId, hash } = await newSession();
    const value = cookie.slice("__Host-session=".length);
    const token = value.split(".")[1] ?? "";
    const odd = [
      "",
      ".",
      value.slice(0, -1),
      value.slice(1),
      `${value}A`,
      value.toUpperCase(),
      `${randomUUID()}.${token}`,
      `${userId}.${hash}`,
      `${userId}.${"A".repeat(43)}`,
      `${userId}#SESSION.${token}`,
      `../${value}`,
      `${userId}.${"A".repeat(100_000)}`,
      "a.".repeat(50_000),
      encodeURIComponent(value).replace(".", "%2E"),
      `"${value}"`,
      "\u00e9\u00ff",
      "__proto__",
    ];
    for (const text of odd) await isNobody(text);
    expect(await know(cookie)).toBeDefined();
  });

  test("no text makes the server fail", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)) }),
        async (text) => {
          await isNobody(text.trim());
        },
      ),
      { numRuns: 300 },
    );
  });

  test("the session is found among other cookies", async () => {
    const { cookie } = await newSession();
    expect(await know(`a=b; ${cookie}; c=d=e`)).toMatchObject({ email: EMAIL });
    expect(await know(cookie.replace("__Host-", ""))).toBeUndefined();
  });
});

describe("Whoever is not signed in", () => {
  const refused = (path: string, options?: { resource?: boolean }) =>
    invoke(() => requirePerson(browserRequest({ path }), options)).then(
      () => {
        throw new Error("Not refused");
      },
      (response: unknown) => response as Response,
    );

  test("is led from a page to the sign-in page, and back later", async () => {
    const response = await refused("/threads/01J?after=3");
    expect(response.status).toBe(302);
    expect(response.headers.get("Location")).toBe("/sign-in?redirectTo=%2Fthreads%2F01J%3Fafter%3D3");
    expect(response.headers.get("Cache-Control")).toBe("private, no-store");
    expect((await refused("/")).headers.get("Location")).toBe("/sign-in");
  });

  test("gets 401 as JSON from a resource route", async () => {
    const response = await refused("/activity", { resource: true });
    expect(response.status).toBe(401);
    expect(response.headers.get("Cache-Control")).toBe("private, no-store");
    expect(await response.json()).toMatchObject({ error: { code: "not-signed-in" } });
  });
});

describe("Signing out", () => {
  test("makes a kept copy of the cookie worthless at once, and its refresh token too", async () => {
    const { cookie, userId, refreshToken } = await newSession();
    expect(await know(cookie)).toBeDefined();
    const headers = await invoke(() => endSession(browserRequest({ cookie })));
    expect(headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-session=; Path=\/; Max-Age=0;/)]);
    expect(await know(cookie)).toBeUndefined();
    expect(await cognito.refresh(userId, refreshToken)).toBe("refused");
    // Once more, and without a session, it does no harm.
    await invoke(() => endSession(browserRequest({ cookie })));
    await invoke(() => endSession(browserRequest()));
  });

  test("holds within the same invocation", async () => {
    const { cookie } = await newSession();
    await invoke(async () => {
      const request = browserRequest({ cookie });
      expect(await getPerson(request)).toBeDefined();
      await endSession(request);
      expect(await getPerson(request)).toBeUndefined();
    });
  });

  test("leaves the person's other sessions alone", async () => {
    const [first, second] = [await newSession(), await newSession()];
    await invoke(() => endSession(browserRequest({ cookie: first.cookie })));
    expect(await know(second.cookie)).toBeDefined();
    expect(await cognito.refresh(second.userId, second.refreshToken)).not.toBe("refused");
  });

  test("everywhere ends all sessions, or all but one, however many there are", async () => {
    const sessions = [];
    for (let count = 0; count < 5; count += 1) sessions.push(await newSession());
    const [kept, ...others] = sessions;
    if (!kept) throw new Error("No session");
    expect((await listSessions(kept.userId)).map(({ sessionHash }) => sessionHash)).toEqual(
      expect.arrayContaining(sessions.map(({ hash }) => hash)),
    );
    await invoke(() => endAllSessions(kept.userId, { except: kept.hash }));
    for (const { cookie } of others) expect(await know(cookie)).toBeUndefined();
    expect(await know(kept.cookie)).toBeDefined();
    expect(await listSessions(kept.userId)).toHaveLength(1);
    await invoke(() => endAllSessions(kept.userId));
    expect(await know(kept.cookie)).toBeUndefined();
  });

  test("is not undone by a renewal that was under way", async () => {
    const { cookie, item } = await newSession(anHourAgo());
    const send = documents.send.bind(documents) as (command: unknown) => Promise<unknown>;
    let updates = 0;
    vi.spyOn(documents, "send").mockImplementation((async (command: object) => {
      // The first update takes the lock; the second one would store what Cognito gave.
      if (command.constructor.name === "UpdateCommand") {
        updates += 1;
        if (updates === 2) await invoke(() => endSession(browserRequest({ cookie })));
      }
      return send(command);
    }) as typeof documents.send);
    expect(await know(cookie)).toBeUndefined();
    expect(updates).toBe(2);
    expect(await item()).toBeUndefined();
  });
});

describe("A session", () => {
  test("ends after seven days without use", async () => {
    const start = Date.now();
    const { cookie } = await newSession(start + 400 * 24 * HOUR);
    setClock(start + IDLE - HOUR);
    expect(await know(cookie)).toBeDefined();
    // That was a use: another seven days.
    setClock(start + 2 * IDLE - 2 * HOUR);
    expect(await know(cookie)).toBeDefined();
    setClock(start + 3 * IDLE);
    expect(await know(cookie)).toBeUndefined();
  });

  test("ends after thirty days of use", async () => {
    const start = Date.now();
    const { cookie, item } = await newSession(start + 400 * 24 * HOUR);
    for (let day = 0; day < 30; day += 3) {
      setClock(start + day * 24 * HOUR);
      expect(await know(cookie), `day ${day}`).toBeDefined();
    }
    setClock(start + ABSOLUTE - 1000);
    expect(await know(cookie)).toBeDefined();
    expect((await item())?.expiresAt * 1000 - start).toBeLessThan(ABSOLUTE + 5000);
    setClock(start + ABSOLUTE + 1000);
    expect(await know(cookie)).toBeUndefined();
  });

  test("is written at most once an hour while it is used", async () => {
    const start = Date.now();
    const { cookie } = await newSession(start + 400 * 24 * HOUR);
    const send = vi.spyOn(documents, "send");
    for (let minute = 0; minute < 59; minute += 5) {
      setClock(start + minute * 60_000);
      await know(cookie);
    }
    expect(send.mock.calls.filter(([command]) => command.constructor.name === "UpdateCommand")).toHaveLength(0);
    setClock(start + 61 * 60_000);
    await know(cookie);
    await know(cookie);
    expect(send.mock.calls.filter(([command]) => command.constructor.name === "UpdateCommand")).toHaveLength(1);
  });
});

describe("A session whose access token is over", () => {
  test("is renewed once by twelve requests at the same time, and all of them are answered", async () => {
    const { cookie, item } = await newSession(anHourAgo());
    const before = await refreshes();
    const people = await Promise.all(Array.from({ length: 12 }, () => know(cookie)));
    expect(people.every((person) => person?.email === EMAIL)).toBe(true);
    expect(await refreshes()).toBe(before + 1);
    const renewed = await item();
    expect(renewed?.accessUntil).toBeGreaterThan(Date.now() + HOUR / 2);
    expect(renewed?.lockedUntil).toBeUndefined();
    await know(cookie);
    expect(await refreshes()).toBe(before + 1);
  });

  test("is renewed by somebody else when the server that began it died", async () => {
    const { cookie, key, item } = await newSession(anHourAgo());
    const held = { ...(await item()), lockedUntil: Date.now() + 20_000 };
    await documents.send(new PutCommand({ TableName: config.tableName, Item: { ...held, ...key } }));
    const before = await refreshes();
    expect(await know(cookie)).toBeDefined();
    expect(await refreshes()).toBe(before);
    setClock(Date.now() + 21_000);
    expect(await know(cookie)).toBeDefined();
    expect(await refreshes()).toBe(before + 1);
  });

  test("ends when Cognito refuses to renew it", async () => {
    const { cookie, userId, item } = await newSession(anHourAgo());
    await cognito.signOutEverywhere(userId);
    expect(await know(cookie)).toBeUndefined();
    expect(await item()).toBeUndefined();
  });

  test("goes on when Cognito cannot be reached, is asked for again later, and then renewed", async () => {
    const { cookie, item } = await newSession(anHourAgo());
    const log = silenceLog();
    await local.pauseCognito();
    expect(await know(cookie)).toBeDefined();
    expect(log).toHaveBeenCalledTimes(1);
    // Not every request tries again.
    expect(await know(cookie)).toBeDefined();
    expect(log).toHaveBeenCalledTimes(1);
    await local.resumeCognito();
    setClock(Date.now() + 31_000);
    expect(await know(cookie)).toBeDefined();
    expect((await item())?.lockedUntil).toBeUndefined();
    expect((await item())?.accessUntil).toBeGreaterThan(Date.now());
  });

  test("logs nothing secret when Cognito cannot be reached", async () => {
    const { cookie, refreshToken } = await newSession(anHourAgo());
    const log = silenceLog();
    await local.pauseCognito();
    await know(cookie);
    await local.resumeCognito();
    const text = JSON.stringify(log.mock.calls);
    for (const secret of [refreshToken, cookie.split(".")[1] ?? "", config.cognito.clientSecret, EMAIL])
      expect(text).not.toContain(secret);
  });
});

describe("A new key in the ring", () => {
  const ring = config.sessionKeys;
  const setRing = (sessionKeys: Record<string, string>) => {
    for (const id of Object.keys(ring)) delete ring[id];
    Object.assign(ring, sessionKeys);
  };
  afterEach(() => setRing({ new: NEW_KEY, old: OLD_KEY }));

  test("keeps sessions under the old key alive, and seals them anew when they are renewed", async () => {
    setRing({ old: OLD_KEY });
    const { cookie, item } = await newSession(anHourAgo());
    expect((await item())?.sealed).toMatch(/^old\./);
    setRing({ new: NEW_KEY, old: OLD_KEY });
    expect(await know(cookie)).toBeDefined();
    expect((await item())?.sealed).toMatch(/^new\./);
    setRing({ new: NEW_KEY });
    setClock(Date.now() + 2 * HOUR);
    local.setCognitoAhead(2 * HOUR);
    expect(await know(cookie)).toBeDefined();
  });

  test("ends sessions under a key that was taken out, once they would be renewed", async () => {
    setRing({ old: OLD_KEY });
    const { cookie } = await newSession();
    setRing({ new: NEW_KEY });
    expect(await know(cookie)).toBeDefined();
    setClock(Date.now() + 2 * HOUR);
    expect(await know(cookie)).toBeUndefined();
  });

  test("does not let a sealed token be used in another session's place", async () => {
    const [mine, other] = [await newSession(anHourAgo()), await newSession(anHourAgo())];
    const { sealed } = (await other.item()) ?? {};
    await documents.send(
      new PutCommand({ TableName: config.tableName, Item: { ...(await mine.item()), ...mine.key, sealed } }),
    );
    expect(await know(mine.cookie)).toBeUndefined();
    expect(await know(other.cookie)).toBeDefined();
  });
});
