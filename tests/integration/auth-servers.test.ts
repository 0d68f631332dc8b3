import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Account, App } from "../app";

let app: App;
let account: Account;

beforeAll(async () => {
  app = await App.start({ servers: 2, backend: { limits: { forgot: { limit: 1, seconds: 900 } } } });
  account = await app.createAccount("maria");
  // The test mints a session by the app's own code, in the same cloud.
  Object.assign(process.env, app.cloud.env);
});
afterAll(() => app.stop());

const counts = async () =>
  (await (await fetch(new URL("/__counts", app.cloud.cognitoUrl))).json()) as Record<string, number>;

const visit = (path: string, cookie = "", url = app.server.url, headers: Record<string, string> = {}) =>
  fetch(new URL(path, url), { redirect: "manual", headers: { ...(cookie ? { Cookie: cookie } : {}), ...headers } });

const cookieOf = (response: Response) => response.headers.getSetCookie()[0]?.split(";")[0] ?? "";

/** The inputs of the page's forms, as a browser without JavaScript would send them. */
const namesIn = (html: string) => [...html.matchAll(/<(?:input|button)[^>]* name="([^"]+)"/g)].map(([, name]) => name);

describe("A session whose token is an hour old", () => {
  test("is renewed exactly once by twelve parallel requests over two servers, and nobody is signed out", async () => {
    const { checkPassword } = await import("~/auth/cognito.server");
    const { createSession } = await import("~/auth/session.server");
    const answer = await checkPassword(account.email, account.password);
    if (answer.kind !== "signed-in") throw new Error("Not signed in");
    const headers = await createSession(answer.signIn, { ...answer.signIn, accessUntil: Date.now() - 3_600_000 });
    const cookie = headers.get("Set-Cookie")?.split(";")[0] ?? "";
    const before = (await counts())["InitiateAuth:REFRESH_TOKEN_AUTH"] ?? 0;

    const paths = ["/activity", "/settings", "/models"];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        visit(paths[index % paths.length] ?? "/", cookie, app.servers[index % 2]?.url),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
    expect((await counts())["InitiateAuth:REFRESH_TOKEN_AUTH"]).toBe(before + 1);
    for (const { url } of app.servers) expect((await visit("/activity", cookie, url)).status).toBe(200);
    expect((await counts())["InitiateAuth:REFRESH_TOKEN_AUTH"]).toBe(before + 1);
  });
});

describe("Without JavaScript", () => {
  test("a person signs up, confirms, signs in and out, and the old cookie is worth nothing anywhere", async () => {
    const email = "anna@example.org";
    const password = "correct horse battery";
    expect(namesIn(await (await visit("/sign-up")).text())).toEqual(["email", "password"]);
    const signedUp = await app.postForm("/sign-up", { email, password });
    expect(signedUp.status).toBe(302);
    expect(signedUp.headers.get("Location")).toBe("/confirm");

    const confirmPage = await (await visit("/confirm", cookieOf(signedUp))).text();
    expect(confirmPage).toContain("We sent six digits to anna@example.org.");
    expect(namesIn(confirmPage)).toEqual(["code", "intent", "intent"]);
    const again = await app.postForm("/confirm", { intent: "resend", code: "" }, cookieOf(signedUp));
    expect(again.headers.get("Location")).toBe("/confirm?done=sent");
    const confirmed = await app.postForm("/confirm", { intent: "confirm", code: app.code(email) }, cookieOf(signedUp));
    expect(confirmed.headers.get("Location")).toBe("/sign-in?done=confirmed");

    const wrong = await app.postForm("/sign-in", { email, password: "wrong password" });
    expect(wrong.status).toBe(400);
    const wrongPage = await wrong.text();
    expect(wrongPage).toContain("Email and password do not match.");
    expect(wrongPage).toContain(`value="${email}"`);
    expect(wrongPage).not.toContain("wrong password");

    const signedIn = await app.postForm("/sign-in?redirectTo=%2Fnotes", { email, password });
    expect(signedIn.status).toBe(302);
    expect(signedIn.headers.get("Location")).toBe("/notes");
    expect(signedIn.headers.getSetCookie()).toHaveLength(1);
    const cookie = cookieOf(signedIn);
    for (const { url } of app.servers) expect((await visit("/notes", cookie, url)).status).toBe(200);
    expect((await visit("/sign-in", cookie)).headers.get("Location")).toBe("/");

    const out = await app.postForm("/sign-out", {}, cookie);
    expect(out.headers.get("Location")).toBe("/sign-in?done=signed-out");
    expect(out.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-session=;.*Max-Age=0;/),
      expect.stringMatching(/^__Host-signed-out=1;.*Max-Age=120;/),
    ]);
    for (const { url } of app.servers) {
      expect((await visit("/notes", cookie, url)).headers.get("Location")).toBe("/sign-in?redirectTo=%2Fnotes");
      expect((await visit("/activity", cookie, url)).status).toBe(401);
    }
    // Whoever signs in next writes things of their own, which must outlive a session that merely ends.
    const back = await app.postForm("/sign-in", { email, password }, "__Host-signed-out=1");
    expect(back.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-session=[^;]+;/),
      expect.stringMatching(/^__Host-signed-out=;.*Max-Age=0;/),
    ]);
  });

  test("a person chooses a new password by a mailed code", async () => {
    const { email, cookie } = await app.createAccount("otto");
    const asked = await app.postForm("/forgot-password", { email });
    expect(asked.headers.get("Location")).toBe("/reset-password");
    const form = { code: app.code(email), newPassword: "another password" };
    const reset = await app.postForm("/reset-password", form, cookieOf(asked));
    expect(reset.headers.get("Location")).toBe("/sign-in?done=reset");
    expect((await visit("/settings", cookie, app.servers[1]?.url)).status).toBe(302);
    expect(await app.signIn(email, "another password")).toContain("__Host-session=");
  });

  test("a person signs out everywhere, changes the password and deletes the account in the settings", async () => {
    const { email, password } = await app.createAccount("lea");
    const [first, second] = [await app.signIn(email, password), await app.signIn(email, password)];
    const page = await (await visit("/settings", first)).text();
    expect(page).toContain("Signed in on 3 devices");

    const wrong = await app.postForm(
      "/settings",
      { intent: "change-password", password: "no", newPassword: "x" },
      first,
    );
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain("This is not your password.");
    const change = { intent: "change-password", password, newPassword: "another password" };
    const changed = await app.postForm("/settings", change, first);
    expect(changed.headers.get("Location")).toBe("/settings?done=password");
    expect((await visit("/activity", first)).status).toBe(401);
    expect((await visit("/activity", second)).status).toBe(401);
    expect((await visit("/activity", cookieOf(changed))).status).toBe(200);

    const other = await app.signIn(email, "another password");
    const out = await app.postForm("/settings", { intent: "sign-out-everywhere" }, other);
    expect(out.headers.get("Location")).toBe("/sign-in?done=signed-out");
    expect((await visit("/activity", cookieOf(changed))).status).toBe(401);

    const last = await app.signIn(email, "another password");
    const deleted = await app.postForm("/settings", { intent: "delete-account", password: "another password" }, last);
    expect(deleted.headers.get("Location")).toBe("/sign-in?done=deleted");
    expect(deleted.headers.getSetCookie()).toHaveLength(2);
    expect((await visit("/activity", last)).status).toBe(401);
    expect((await app.postForm("/sign-in", { email, password: "another password" })).status).toBe(400);
  });

  test("too many tries are refused with the time to wait", async () => {
    await app.postForm("/forgot-password", { email: "often@example.org" });
    const refused = await app.postForm("/forgot-password", { email: "often@example.org" });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await refused.text()).toContain("Too many tries. Wait a little.");
  });
});

describe("Forms of other sites", () => {
  test("change nothing, on pages and in their data alike", async () => {
    const paths = ["/sign-in", "/sign-out", "/settings", "/sign-out.data", "/settings.data"];
    for (const path of paths)
      for (const origin of ["https://evil.example", "null", undefined]) {
        const refused = await fetch(new URL(path, app.server.url), {
          method: "POST",
          redirect: "manual",
          headers: {
            Cookie: account.cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            ...(origin ? { Origin: origin } : {}),
          },
          body: "intent=sign-out-everywhere",
        });
        expect(refused.status, `${path} ${origin}`).toBe(403);
      }
    expect((await visit("/activity", account.cookie)).status).toBe(200);
  });

  test("cannot sign anybody out by an address alone", async () => {
    expect((await visit("/sign-out", account.cookie)).headers.get("Location")).toBe("/");
    expect((await visit("/activity", account.cookie)).status).toBe(200);
  });
});

describe("Every answer around sign-in", () => {
  test("is kept by no cache", async () => {
    const answers = [
      await visit("/sign-in"),
      await visit("/sign-up"),
      await visit("/confirm"),
      await visit("/forgot-password"),
      await visit("/reset-password"),
      await visit("/first-password"),
      await visit("/settings"),
      await visit("/settings", account.cookie),
      await visit("/settings.data", account.cookie),
      await visit("/activity"),
      await app.postForm("/sign-in", { email: "", password: "" }),
      await app.postForm("/sign-out", {}),
    ];
    for (const answer of answers) expect(answer.headers.get("Cache-Control"), answer.url).toBe("private, no-store");
  });

  test("leads somewhere on this origin, whatever redirectTo says", async () => {
    for (const to of [
      "//evil.example",
      "https://evil.example",
      "/\\evil.example",
      "/%09/evil.example",
      "/..//evil.example",
    ]) {
      const path = `/sign-in?redirectTo=${to.startsWith("/%") ? to : encodeURIComponent(to)}`;
      const signedIn = await app.postForm(path, { email: account.email, password: account.password });
      expect(new URL(signedIn.headers.get("Location") ?? "", app.server.url).origin).toBe(
        new URL(app.server.url).origin,
      );
      const visited = await visit(path, account.cookie);
      expect(new URL(visited.headers.get("Location") ?? "", app.server.url).origin).toBe(
        new URL(app.server.url).origin,
      );
    }
  });

  test("is not a failure of ours, whatever was sent", async () => {
    const url = app.server.url;
    for (const cookie of [
      `__Host-session=${"A".repeat(4000)}`,
      "__Host-session=%00",
      "__Host-address=%E0%A4%A",
      "__Host-challenge=;;;",
    ])
      for (const path of ["/sign-in", "/confirm", "/first-password", "/settings"])
        expect((await visit(path, cookie)).status, `${cookie.slice(0, 40)} ${path}`).toBeLessThan(500);
    const odd = await fetch(new URL("/sign-in", url), {
      method: "POST",
      headers: { Origin: new URL(url).origin, "Content-Type": "text/plain" },
      body: "email=a",
    });
    expect(odd.status).toBe(415);
    expect((await app.postForm("/settings", { intent: "nothing" }, account.cookie)).status).toBe(400);
    expect((await app.postForm("/sign-in", { email: "\u0000", password: "\ud800" })).status).toBe(400);
  });
});

describe("Where sign-up is closed", () => {
  test("the page says so, nobody gets in by a form, and people who were added still sign in", async () => {
    const backend = JSON.parse(app.cloud.env.SST_RESOURCE_Backend ?? "{}") as object;
    const server = await app.startServer({
      env: { SST_RESOURCE_Backend: JSON.stringify({ ...backend, signUp: "closed" }) },
    });
    const page = await (await visit("/sign-up", "", server.url)).text();
    expect(page).toContain("Sign-up is closed");
    expect(page).not.toContain('name="password"');
    const form = { email: "new@example.org", password: "correct horse battery" };
    const refused = await app.postForm("/sign-up", form, "", server.url);
    expect(refused.status).toBe(403);
    expect(app.codes.some(({ email }) => email === form.email)).toBe(false);
    expect(await app.signIn(account.email, account.password, server.url)).toContain("__Host-session=");
  });
});
