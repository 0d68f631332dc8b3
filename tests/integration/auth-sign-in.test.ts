import { randomUUID } from "node:crypto";
import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  CognitoIdentityProviderClient,
} from "@aws-sdk/client-cognito-identity-provider";
import { PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import type { Next } from "~/auth/sign-in.server";
import { browserRequest, cookieOf, invokeWith, LEAST_WAIT, setClock, startSignIn } from "./auth-local";

const local = await startSignIn();
const signIn = await import("~/auth/sign-in.server");
const { createSession, getPerson, requirePerson } = await import("~/auth/session.server");
const { deleteAccount } = await import("~/auth/delete-account.server");
const { markAccountDeleted } = await import("~/auth/account.server");
const { keys, personPartition, threadPartition } = await import("~/data/keys.server");
const { documents } = await import("~/data/table.server");
const { config } = await import("~/config.server");
const { runInvocation } = await import("~/invocation.server");

const operator = new CognitoIdentityProviderClient({ region: "us-east-1" });

afterAll(async () => {
  operator.destroy();
  documents.destroy();
  await local.stop();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const PASSWORD = "correct horse battery";
const newAddress = () => `${randomUUID()}@example.org`;
const invoke = <T>(work: () => Promise<T>) => invokeWith<T>(runInvocation, work);

const signUp = (email: string, password = PASSWORD) =>
  invoke(() => signIn.signUpPerson(browserRequest(), { email, password }));
const confirm = (email: string, code = local.codeFor(email)) =>
  invoke(() => signIn.confirmPerson(browserRequest(), { email, code }));
const enter = (email: string, password = PASSWORD, to = "/") =>
  invoke(() => signIn.signInPerson(browserRequest(), { email, password }, to));

async function newPerson() {
  const email = newAddress();
  await signUp(email);
  await confirm(email);
  const cookie = cookieOf(await enter(email));
  const person = await invoke(() => requirePerson(browserRequest({ cookie })));
  return { email, cookie, person };
}

const isKnown = async (cookie: string) => (await invoke(() => getPerson(browserRequest({ cookie })))) !== undefined;

/** What the form says after a refusal: its status and its words. */
async function refusal(work: Promise<Next>) {
  const error = await work.then(
    (next) => {
      throw new Error(`Not refused: ${next.to}`);
    },
    (reason: unknown) => reason,
  );
  const { status, problem, headers } = await invoke(async () => signIn.problemOf(error));
  return { status, errors: problem.errors, headers };
}

async function itemsOf(userId: string): Promise<string[]> {
  const { Items = [] } = await documents.send(
    new QueryCommand({
      TableName: config.tableName,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": personPartition(userId) },
    }),
  );
  return Items.map(({ sk }) => String(sk));
}

describe("A new person", () => {
  test("signs up, confirms, signs in, and is known from then on", async () => {
    const email = newAddress();
    const toConfirm = await signUp(email);
    expect(toConfirm.to).toBe("/confirm");
    // The next page knows the address from its cookie.
    const confirmed = await invoke(() =>
      signIn.confirmPerson(browserRequest({ cookie: cookieOf(toConfirm) }), { code: local.codeFor(email) }),
    );
    expect(confirmed.to).toBe("/sign-in?done=confirmed");
    const signedIn = await enter(email, PASSWORD, "/notes");
    expect(signedIn.to).toBe("/notes");
    expect(signedIn.cookie).toMatch(
      /^__Host-session=[0-9a-f-]{36}\.[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax$/,
    );
    const person = await invoke(() => requirePerson(browserRequest({ cookie: cookieOf(signedIn) })));
    expect(person).toMatchObject({ email });
    expect(await invoke(() => getPerson(browserRequest()))).toBeUndefined();
  });

  test("has one account, in whatever case and with whatever spaces the address is written", async () => {
    const { email, person } = await newPerson();
    const cookie = cookieOf(await enter(`  ${email.toUpperCase()} `));
    expect(await invoke(() => getPerson(browserRequest({ cookie })))).toMatchObject({ userId: person.userId, email });
    await signUp(email.toUpperCase());
    expect(local.mails.at(-1)).toMatchObject({ kind: "reset", email });
  });

  test("may enter the code with a space in the middle", async () => {
    const email = newAddress();
    await signUp(email);
    const code = local.codeFor(email);
    expect((await confirm(email, ` ${code.slice(0, 3)} ${code.slice(3)} `)).to).toBe("/sign-in?done=confirmed");
  });

  test("can have a new code sent", async () => {
    const email = newAddress();
    await signUp(email);
    const next = await invoke(() => signIn.resendCode(browserRequest(), { email }));
    expect(next.to).toBe("/confirm?done=sent");
    expect(local.mails.at(-1)).toMatchObject({ kind: "resend", email });
    await confirm(email);
  });

  test("reads beside the field what is wrong", async () => {
    const email = newAddress();
    expect(await refusal(signUp(email, "short"))).toMatchObject({
      status: 400,
      errors: { password: "This password is too short. Use at least eight characters." },
    });
    expect(await refusal(signUp(email, ` ${PASSWORD}`))).toMatchObject({
      status: 400,
      errors: { password: "A password must not begin or end with a space." },
    });
    expect(await refusal(signUp(email, "a".repeat(257)))).toMatchObject({
      status: 400,
      errors: { password: "A password may have at most 256 characters." },
    });
    expect(await refusal(signUp("", ""))).toMatchObject({
      status: 400,
      errors: { email: "Enter your email address.", password: "Enter a password." },
    });
    for (const odd of [
      "maria",
      "maria@",
      "@example.org",
      "a b@example.org",
      "a@b@c",
      `${"a".repeat(250)}@b.org`,
      "a\u0000@b.org",
    ])
      expect((await refusal(signUp(odd))).errors).toEqual({ email: "This is not an email address." });
    expect((await refusal(confirm(email, "12345"))).errors).toEqual({ code: "The code has six digits." });
  });

  test("is told of a wrong code in the same words as of an old one", async () => {
    const email = newAddress();
    await signUp(email);
    const wrong = local.codeFor(email) === "000000" ? "000001" : "000000";
    const first = await refusal(confirm(email, wrong));
    expect(first).toMatchObject({ status: 400, errors: { code: expect.stringContaining("no longer valid") } });
    local.setCognitoAhead(25 * 3_600_000);
    expect(await refusal(confirm(email))).toEqual(first);
    local.setCognitoAhead(0);
    await confirm(email);
  });
});

describe("Whether an address is known", () => {
  test("is not told by signing up: known and confirmed, it gets a way to a new password instead", async () => {
    const { email } = await newPerson();
    const known = await signUp(email, "another password");
    const unknown = await signUp(newAddress(), "another password");
    expect(known.to).toBe(unknown.to);
    expect(known.cookie?.replace(/=.*?;/, "")).toBe(unknown.cookie?.replace(/=.*?;/, ""));
    expect(local.mails.findLast((mail) => mail.email === email)?.kind).toBe("reset");
    expect((await enter(email)).to).toBe("/");
  });

  test("is not told by signing up: known and unconfirmed, it gets a new code", async () => {
    const email = newAddress();
    await signUp(email);
    expect((await signUp(email)).to).toBe("/confirm");
    expect(local.mails.at(-1)).toMatchObject({ kind: "resend", email });
  });

  test("is not told by signing in", async () => {
    const { email } = await newPerson();
    const unconfirmed = newAddress();
    await signUp(unconfirmed);
    const said = { status: 400, errors: { password: "Email and password do not match." } };
    for (const address of [email, unconfirmed, newAddress()])
      expect(await refusal(enter(address, "wrong password"))).toMatchObject(said);
    for (const odd of [" leading", "a".repeat(200)]) expect(await refusal(enter(email, odd))).toMatchObject(said);
  });

  test("is not told by codes", async () => {
    const { email } = await newPerson();
    const pending = newAddress();
    await signUp(pending);
    const wrong = local.codeFor(pending) === "000000" ? "000001" : "000000";
    const answers = [];
    for (const address of [email, pending, newAddress()]) answers.push(await refusal(confirm(address, wrong)));
    const reset = (address: string) =>
      invoke(() => signIn.resetPassword(browserRequest(), { email: address, code: wrong, newPassword: PASSWORD }));
    for (const address of [email, pending, newAddress()]) answers.push(await refusal(reset(address)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  test("is not told by asking for a code", async () => {
    const { email } = await newPerson();
    const pending = newAddress();
    await signUp(pending);
    const ask = (address: string) => invoke(() => signIn.forgetPassword(browserRequest(), { email: address }));
    const resend = (address: string) => invoke(() => signIn.resendCode(browserRequest(), { email: address }));
    for (const address of [email, pending, newAddress()]) {
      expect((await ask(address)).to).toBe("/reset-password");
      expect((await resend(address)).to).toBe("/confirm?done=sent");
    }
  });

  test("is not told by how long an answer takes", async () => {
    const { email } = await newPerson();
    const time = async (work: () => Promise<unknown>) => {
      const start = performance.now();
      await work().catch(() => undefined);
      return performance.now() - start;
    };
    // Timers may be a little early by the other clock.
    const least = LEAST_WAIT - 5;
    for (const address of [email, newAddress()]) {
      expect(await time(() => enter(address, "wrong password"))).toBeGreaterThan(least);
      expect(await time(() => confirm(address, "000000"))).toBeGreaterThan(least);
      expect(await time(() => signUp(address))).toBeGreaterThan(least);
      expect(
        await time(() => invoke(() => signIn.forgetPassword(browserRequest(), { email: address }))),
      ).toBeGreaterThan(least);
    }
  });

  test("is told to the right password alone, which is led to the confirmation", async () => {
    const email = newAddress();
    await signUp(email);
    const next = await enter(email);
    expect(next.to).toBe("/confirm");
    expect(next.cookie).toContain("__Host-address=");
    await invoke(() =>
      signIn.confirmPerson(browserRequest({ cookie: cookieOf(next) }), { code: local.codeFor(email) }),
    );
    expect((await enter(email)).to).toBe("/");
  });
});

describe("A person whom the operator added", () => {
  const invite = async () => {
    const email = newAddress();
    await operator.send(
      new AdminCreateUserCommand({
        UserPoolId: local.userPoolId,
        Username: email,
        TemporaryPassword: "temporary pass",
        MessageAction: "SUPPRESS",
        UserAttributes: [
          { Name: "email", Value: email },
          { Name: "email_verified", Value: "true" },
        ],
      }),
    );
    return email;
  };

  test("chooses a password of their own, and goes on to where they wanted", async () => {
    const email = await invite();
    const asked = await enter(email, "temporary pass", "/notes");
    expect(asked.to).toBe("/first-password");
    const cookie = cookieOf(asked);
    expect(cookie).toMatch(/^__Host-challenge=[\w-]{43}$/);
    const request = browserRequest({ cookie });
    expect(await invoke(() => signIn.awaitsFirstPassword(request))).toBe(true);
    const choose = (newPassword: string) => invoke(() => signIn.chooseFirstPassword(request, { newPassword }));
    expect(await refusal(choose("short"))).toMatchObject({
      status: 400,
      errors: { newPassword: expect.stringContaining("too short") },
    });
    const done = await choose(PASSWORD);
    expect(done.to).toBe("/notes");
    expect(await invoke(() => getPerson(browserRequest({ cookie: cookieOf(done) })))).toMatchObject({ email });
    // It works once.
    expect(await invoke(() => signIn.awaitsFirstPassword(request))).toBe(false);
    expect((await choose(PASSWORD)).to).toBe("/sign-in?done=ended");
    expect((await enter(email)).to).toBe("/");
  });

  test("begins again when it took too long", async () => {
    const email = await invite();
    const cookie = cookieOf(await enter(email, "temporary pass"));
    local.setCognitoAhead(4 * 60_000);
    const late = invoke(() => signIn.chooseFirstPassword(browserRequest({ cookie }), { newPassword: PASSWORD }));
    expect((await refusal(late)).errors.form).toContain("Sign in again");
    local.setCognitoAhead(0);
    setClock(Date.now() + 11 * 60_000);
    expect(await invoke(() => signIn.awaitsFirstPassword(browserRequest({ cookie })))).toBe(false);
  });

  test("is the only one who can go on: other cookies lead nowhere", async () => {
    for (const cookie of [
      "",
      "__Host-challenge=",
      `__Host-challenge=${"a".repeat(43)}`,
      `__Host-challenge=${"x".repeat(9000)}`,
    ])
      expect(await invoke(() => signIn.awaitsFirstPassword(browserRequest({ cookie })))).toBe(false);
  });
});

describe("A forgotten password", () => {
  test("is replaced by a mailed code, and all sessions of before end", async () => {
    const { email, cookie } = await newPerson();
    const other = cookieOf(await enter(email));
    const next = await invoke(() => signIn.forgetPassword(browserRequest(), { email }));
    expect(next.to).toBe("/reset-password");
    expect(local.mails.at(-1)).toMatchObject({ kind: "reset", email });
    const reset = (newPassword: string) =>
      invoke(() =>
        signIn.resetPassword(browserRequest({ cookie: cookieOf(next) }), { code: local.codeFor(email), newPassword }),
      );
    expect((await refusal(reset("short"))).errors).toEqual({ newPassword: expect.stringContaining("too short") });
    expect(await isKnown(cookie)).toBe(true);
    expect((await reset("another password")).to).toBe("/sign-in?done=reset");
    expect(await isKnown(cookie)).toBe(false);
    expect(await isKnown(other)).toBe(false);
    expect((await refusal(enter(email))).status).toBe(400);
    expect((await enter(email, "another password")).to).toBe("/");
  });
});

describe("Settings", () => {
  test("change the password, end the other sessions and give this browser a new one", async () => {
    const { email, cookie, person } = await newPerson();
    const other = cookieOf(await enter(email));
    const change = (password: string, newPassword: string) =>
      invoke(() => signIn.changePassword(browserRequest({ cookie }), { password, newPassword }, person));
    expect((await refusal(change("wrong password", "another password"))).errors).toEqual({
      password: "This is not your password.",
    });
    expect((await refusal(change(PASSWORD, "short"))).errors).toEqual({
      newPassword: expect.stringContaining("too short"),
    });
    expect(await isKnown(cookie)).toBe(true);
    const done = await change(PASSWORD, "another password");
    expect(done.to).toBe("/settings?done=password");
    expect(await isKnown(cookieOf(done))).toBe(true);
    expect(await isKnown(cookie)).toBe(false);
    expect(await isKnown(other)).toBe(false);
    expect((await refusal(enter(email))).status).toBe(400);
  });

  test("sign out everywhere, at once", async () => {
    const { email, cookie, person } = await newPerson();
    const other = cookieOf(await enter(email));
    const done = await invoke(() => signIn.signOutEverywhere(browserRequest({ cookie }), person));
    expect(done).toEqual({
      to: "/sign-in?done=signed-out",
      cookie: expect.stringMatching(/^__Host-session=;.*Max-Age=0;/),
      signedOut: expect.stringMatching(/^__Host-signed-out=1;/),
    });
    expect(await isKnown(cookie)).toBe(false);
    expect(await isKnown(other)).toBe(false);
    expect((await local.counts()).AdminUserGlobalSignOut).toBeGreaterThan(0);
  });

  test("delete the account with all that the person owns, and nothing of anybody else's", async () => {
    const { email, cookie, person } = await newPerson();
    const neighbour = await newPerson();
    const threads = ["01J0000000000000000000000A", "01J0000000000000000000000B"];
    const unmade = "01J0000000000000000000000C";
    const put = (key: { pk: string; sk: string }) =>
      documents.send(new PutCommand({ TableName: config.tableName, Item: { ...key, text: "mine" } }));
    for (const userId of [person.userId, neighbour.person.userId]) {
      for (const threadId of threads) {
        await put(keys.thread(userId, threadId));
        await put(keys.run(userId, threadId));
        for (let number = 0; number < 30; number += 1)
          await put(keys.message(userId, threadId, `01J00000000000000000000${String(number).padStart(3, "0")}`));
      }
      await put(keys.note(userId, threads[0] ?? ""));
      // A first message whose server was killed before it made the thread.
      const live = { [unmade]: { runId: "01J00000000000000000000001", since: 0 } };
      await put(keys.message(userId, unmade, "01J00000000000000000000000"));
      await documents.send(
        new PutCommand({ TableName: config.tableName, Item: { ...keys.activity(userId), live, unread: {} } }),
      );
    }
    const before = await itemsOf(neighbour.person.userId);
    const remove = (password: string) =>
      invoke(() => signIn.deleteOwnAccount(browserRequest({ cookie }), { password }, person));
    expect((await refusal(remove("wrong password"))).errors).toEqual({ password: "This is not your password." });
    expect((await remove(PASSWORD)).to).toBe("/sign-in?done=deleted");
    expect(await itemsOf(person.userId)).toEqual(["ACCOUNT"]);
    for (const threadId of [...threads, unmade]) {
      const { Items } = await documents.send(
        new QueryCommand({
          TableName: config.tableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": threadPartition(person.userId, threadId) },
        }),
      );
      expect(Items).toEqual([]);
    }
    expect(await isKnown(cookie)).toBe(false);
    expect((await refusal(enter(email))).status).toBe(400);
    await expect(
      operator.send(new AdminGetUserCommand({ UserPoolId: local.userPoolId, Username: email })),
    ).rejects.toMatchObject({ name: "UserNotFoundException" });
    expect(await itemsOf(neighbour.person.userId)).toEqual(before);
    expect(await isKnown(neighbour.cookie)).toBe(true);
    // The address is free again, for another person with another id.
    await signUp(email);
    await confirm(email);
    expect(cookieOf(await enter(email))).not.toContain(person.userId);
    // A repeat of the deletion changes nothing.
    await invoke(() => deleteAccount(person.userId));
    expect(await itemsOf(person.userId)).toEqual(["ACCOUNT"]);
  });

  test("go on with a deletion that was cut off, at the next sign-in, which fails", async () => {
    const { email, person, cookie } = await newPerson();
    await markAccountDeleted(person.userId);
    expect((await refusal(enter(email))).errors).toEqual({ password: "Email and password do not match." });
    expect(await itemsOf(person.userId)).toEqual(["ACCOUNT"]);
    expect(await isKnown(cookie)).toBe(false);
  });
});

describe("Signing in again", () => {
  test("always makes a new session, whatever cookie was there before", async () => {
    const { email, cookie } = await newPerson();
    const again = await invoke(() =>
      signIn.signInPerson(browserRequest({ cookie }), { email, password: PASSWORD }, "/"),
    );
    expect(cookieOf(again)).not.toBe(cookie);
    const planted = `__Host-session=${randomUUID()}.${"A".repeat(43)}`;
    const fresh = await invoke(() =>
      signIn.signInPerson(browserRequest({ cookie: planted }), { email, password: PASSWORD }, "/"),
    );
    expect(cookieOf(fresh)).not.toBe(planted);
    expect(await isKnown(planted)).toBe(false);
  });
});

describe("When the table cannot be reached", () => {
  test("nobody is signed out: pages and forms say 503", async () => {
    const { cookie, email } = await newPerson();
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const broken = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    const send = vi.spyOn(documents, "send").mockRejectedValue(broken);
    const request = browserRequest({ cookie });
    // Each loader of the page gets an answer of its own.
    const answers = await invoke(() => Promise.allSettled([requirePerson(request), requirePerson(request)]));
    for (const answer of answers) {
      const response = answer.status === "rejected" ? (answer.reason as Response) : undefined;
      expect(response?.status).toBe(503);
      expect(await response?.json()).toMatchObject({ error: { code: "unavailable" } });
    }
    expect((await refusal(enter(email))).status).toBe(503);
    expect(log).toHaveBeenCalled();
    send.mockRestore();
    expect(await isKnown(cookie)).toBe(true);
  });
});

describe("When Cognito cannot be reached", () => {
  test("signing in says to try later, and those who are signed in stay so", async () => {
    const { cookie, email, person } = await newPerson();
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await local.pauseCognito();
    try {
      expect(await refusal(enter(email))).toMatchObject({
        status: 503,
        errors: { form: "Sign-in cannot be reached just now. Try again in a moment." },
        headers: { "Retry-After": "10" },
      });
      expect(await isKnown(cookie)).toBe(true);
      // The operator learns why, and nothing secret.
      expect(log).toHaveBeenCalledTimes(1);
      expect(JSON.stringify(log.mock.calls)).not.toMatch(new RegExp(`${PASSWORD}|${email}`));
      // Also a session whose token is over goes on.
      const old = cookieOf(await createSession(person, { refreshToken: "any", accessUntil: Date.now() - 1000 }));
      expect(await isKnown(old)).toBe(true);
      // Signing out needs no Cognito.
      expect((await invoke(() => signIn.signOut(browserRequest({ cookie })))).to).toBe("/sign-in?done=signed-out");
      expect(await isKnown(cookie)).toBe(false);
    } finally {
      await local.resumeCognito();
    }
    expect((await enter(email)).to).toBe("/");
  });
});
