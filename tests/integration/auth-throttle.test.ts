import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import type { Next } from "~/auth/sign-in.server";
import { browserRequest, cookieOf, invokeWith, setClock, startSignIn } from "./auth-local";

const FACTOR = 3;
const local = await startSignIn({
  limits: {
    signIn: { limit: 3, seconds: 900 },
    signUp: { limit: 2, seconds: 3600 },
    code: { limit: 5, seconds: 900 },
    resend: { limit: 1, seconds: 60 },
    forgot: { limit: 2, seconds: 900 },
    perIpFactor: FACTOR,
    leastWaitMs: 0,
  },
});
const signIn = await import("~/auth/sign-in.server");
const { getPerson, requirePerson } = await import("~/auth/session.server");
const { viewerIp } = await import("~/auth/throttle.server");
const { documents } = await import("~/data/table.server");
const { runInvocation } = await import("~/invocation.server");

afterAll(async () => {
  documents.destroy();
  await local.stop();
});
afterEach(() => {
  vi.useRealTimers();
});

const PASSWORD = "correct horse battery";
const newAddress = () => `${randomUUID()}@example.org`;
const newIp = () => `198.51.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}:1024`;
const invoke = <T>(work: () => Promise<T>) => invokeWith<T>(runInvocation, work);
const at = (ip: string) => browserRequest({ ip });

async function status(work: Promise<Next>): Promise<number> {
  return work.then(
    () => 200,
    (error: unknown) => signIn.problemOf(error).status,
  );
}

/** Tries until the 429, and gives back how many tries there were before it. */
async function triesBefore429(attempt: () => Promise<Next>): Promise<number> {
  for (let tries = 0; tries < 30; tries += 1) if ((await status(attempt())) === 429) return tries;
  throw new Error("Never throttled");
}

const enter = (email: string, ip: string, password = "wrong password") =>
  invoke(() => signIn.signInPerson(at(ip), { email, password }, "/"));

/** Just after a window began, so that no test runs over its end. */
const freeze = () => setClock(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 1000);

describe("One address", () => {
  test("can be tried as often as configured, from however many places, whether it is known or not", async () => {
    freeze();
    const known = newAddress();
    await invoke(() => signIn.signUpPerson(at(newIp()), { email: known, password: PASSWORD }));
    for (const email of [known, newAddress()]) expect(await triesBefore429(() => enter(email, newIp()))).toBe(3);
  });

  test("is one however it is written", async () => {
    freeze();
    const email = newAddress();
    const spellings = [email, email.toUpperCase(), ` ${email} `, email];
    expect(await triesBefore429(() => enter(spellings.shift() ?? email, newIp()))).toBe(3);
  });

  test("is told when to try again, and then can", async () => {
    freeze();
    const email = newAddress();
    await triesBefore429(() => enter(email, newIp()));
    const error = await enter(email, newIp()).catch((reason: unknown) => reason);
    const answer = signIn.problemOf(error);
    expect(answer).toMatchObject({ status: 429, problem: { errors: { form: "Too many tries. Wait a little." } } });
    const seconds = Number(answer.headers["Retry-After"]);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(900);
    setClock(Date.now() + seconds * 1000);
    expect(await status(enter(email, newIp()))).toBe(400);
  });

  test("keeps its live sessions while it is throttled", async () => {
    freeze();
    const email = newAddress();
    const next = await invoke(() => signIn.signUpPerson(at(newIp()), { email, password: PASSWORD }));
    await invoke(() =>
      signIn.confirmPerson(browserRequest({ cookie: cookieOf(next) }), { code: local.codeFor(email) }),
    );
    const cookie = cookieOf(await enter(email, newIp(), PASSWORD));
    await triesBefore429(() => enter(email, newIp()));
    expect(await status(enter(email, newIp(), PASSWORD))).toBe(429);
    expect(await invoke(() => getPerson(browserRequest({ cookie })))).toMatchObject({ email });
  });

  test("has limits of its own for sign-up, codes, new codes and forgotten passwords", async () => {
    freeze();
    const email = newAddress();
    const form = { email, password: PASSWORD, code: "000000", newPassword: PASSWORD };
    expect(await triesBefore429(() => invoke(() => signIn.signUpPerson(at(newIp()), form)))).toBe(2);
    expect(await triesBefore429(() => invoke(() => signIn.resendCode(at(newIp()), form)))).toBe(1);
    expect(await triesBefore429(() => invoke(() => signIn.forgetPassword(at(newIp()), form)))).toBe(2);
    expect(await triesBefore429(() => invoke(() => signIn.confirmPerson(at(newIp()), form)))).toBe(5);
    // Codes of both kinds count together.
    expect(await status(invoke(() => signIn.resetPassword(at(newIp()), form)))).toBe(429);
  });

  test("has a limit for its password in the settings too", async () => {
    freeze();
    const email = newAddress();
    await invoke(() => signIn.signUpPerson(at(newIp()), { email, password: PASSWORD }));
    await invoke(() => signIn.confirmPerson(at(newIp()), { email, code: local.codeFor(email) }));
    const cookie = cookieOf(await enter(email, newIp(), PASSWORD));
    const person = await invoke(() => requirePerson(browserRequest({ cookie })));
    const attempt = () =>
      invoke(() => signIn.deleteOwnAccount(browserRequest({ cookie }), { password: "wrong password" }, person));
    expect(await triesBefore429(attempt)).toBe(2);
  });
});

describe("One place", () => {
  test("can try more, over many addresses, and does not use up what it is refused", async () => {
    freeze();
    const ip = newIp();
    expect(await triesBefore429(() => enter(newAddress(), ip))).toBe(3 * FACTOR);
    const email = newAddress();
    for (let tries = 0; tries < 5; tries += 1) expect(await status(enter(email, ip))).toBe(429);
    expect(await triesBefore429(() => enter(email, newIp()))).toBe(3);
  });

  test("is what CloudFront saw, whatever other headers say", async () => {
    freeze();
    const ip = newIp();
    let count = 0;
    const forged = () => {
      const request = at(ip);
      count += 1;
      for (const name of ["x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip"])
        request.headers.set(name, `203.0.113.${count}`);
      return request;
    };
    const attempt = () =>
      invoke(() => signIn.signInPerson(forged(), { email: newAddress(), password: "wrong password" }, "/"));
    expect(await triesBefore429(attempt)).toBe(3 * FACTOR);
  });

  test.each([
    ["198.51.100.7:443", "198.51.100.7"],
    ["198.51.100.7", "198.51.100.7"],
    ["[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002:0003:0004:0005:0006:443", "2001:db8:1:2::/64"],
    ["[2001:db8::1]:443", "2001:db8:0:0::/64"],
    ["[::1]:443", "0:0:0:0::/64"],
    ["not an address", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%s counts as %s", (address, place) => {
    expect(viewerIp(browserRequest({ ip: address }))).toBe(place);
  });

  test("is one for all the addresses that one IPv6 network has", () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.integer({ min: 1, max: 65_535 }), (ip, port) => {
        fc.pre(!ip.includes("."));
        expect(viewerIp(browserRequest({ ip: `[${ip}]:${port}` }))).toMatch(/^([0-9a-f]{1,4}:){4}:\/64$/);
      }),
    );
  });
});
