import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import type { Invocation } from "~/invocation.server";
import { startSignIn } from "./auth-local";

const local = await startSignIn();
const signIn = await import("~/auth/sign-in.server");
const { getPerson, requirePerson } = await import("~/auth/session.server");
const { documents } = await import("~/data/table.server");
const { runInvocation } = await import("~/invocation.server");

afterAll(async () => {
  documents.destroy();
  await local.stop();
});

const PASSWORD = "correct horse battery";
const newAddress = () => `${randomUUID()}@example.org`;
const request = (cookie?: string, path = "/") =>
  new Request(`http://localhost:3000${path}`, { headers: cookie ? { cookie } : {} });

/** Runs as one invocation of the server does, up to the end of the work that outlives the answer. */
async function invoke<T>(work: () => Promise<T>): Promise<T> {
  const late: Promise<unknown>[] = [];
  const invocation: Invocation = {
    requestId: "test",
    deadline: Date.now() + 60_000,
    waitUntil: (promise) => late.push(promise),
  };
  try {
    return await runInvocation(invocation, work);
  } finally {
    await Promise.all(late);
  }
}

const cookieOf = (next: { cookie?: string }): string => next.cookie?.split(";")[0] ?? "";

describe("A new person", () => {
  test("signs up, confirms, signs in, and is known from then on", async () => {
    const email = newAddress();
    const toConfirm = await invoke(() => signIn.signUpPerson(request(), { email, password: PASSWORD }));
    expect(toConfirm.to).toBe("/confirm");
    const confirmed = await invoke(() =>
      signIn.confirmPerson(request(cookieOf(toConfirm)), { code: local.codeFor(email) }),
    );
    expect(confirmed.to).toBe("/sign-in?done=confirmed");
    const signedIn = await invoke(() =>
      signIn.signInPerson(request(), { email: ` ${email.toUpperCase()} `, password: PASSWORD }, "/notes"),
    );
    expect(signedIn.to).toBe("/notes");
    expect(signedIn.cookie).toMatch(
      /^__Host-session=[0-9a-f-]{36}\.[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax$/,
    );
    const person = await invoke(() => requirePerson(request(cookieOf(signedIn))));
    expect(person).toMatchObject({ email });
    expect(await invoke(() => getPerson(request()))).toBeUndefined();
  });
});
