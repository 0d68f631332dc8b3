/** How routes answer what goes wrong. */
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { startTable } from "./table";

const local = await startTable();
const { page, resource } = await import("~/http.server");
const { PublicError } = await import("~/errors");
const { documents } = await import("~/data/table.server");
const { runInvocation } = await import("~/invocation.server");

afterAll(async () => {
  documents.destroy();
  await local.stop();
});

const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
beforeEach(() => log.mockClear());

const outage = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:443"), { code: "ECONNREFUSED" });
const invocation = { requestId: "request-1", deadline: Date.now() + 60_000, waitUntil: () => undefined };
const ofResource = (error: unknown) => runInvocation(invocation, () => resource("test", () => Promise.reject(error)));
const ofPage = (error: unknown) =>
  runInvocation(invocation, () => page(() => Promise.reject(error))).catch((thrown: unknown) => thrown);

test("A table that cannot be reached is a 503 that says so, and is logged", async () => {
  for (const answer of [await ofResource(outage), await ofPage(outage)]) {
    const response = answer as Response;
    expect(response.status).toBe(503);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ error: { code: "unavailable" } });
    expect(body).not.toContain("10.0.0.1");
  }
  expect(log).toHaveBeenCalledTimes(2);
});

test("A bug is a 500 without a word of what it was", async () => {
  const bug = new TypeError("secret is undefined");
  const response = await ofResource(bug);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("secret");
  expect(log).toHaveBeenCalledTimes(1);
  // Of a page it is Remix's to log and to show.
  expect(await ofPage(bug)).toBe(bug);
});

test("What a person did wrong is told and not logged", async () => {
  expect((await ofResource(new PublicError("not-found"))).status).toBe(404);
  expect(((await ofPage(new PublicError("stale"))) as Response).status).toBe(409);
  expect(log).not.toHaveBeenCalled();
});
