/** Defaults per person and presets: kept on the account, begun with by every new thread, gone with the account. */
import { type AttributeValue, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { ulid } from "ulid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Preferences } from "../../app/ai/preferences.ts";
import { type Account, App, messageId, readStream } from "../app.ts";

let app: App;

beforeAll(async () => {
  app = await App.start();
});
afterAll(() => app?.stop());

async function change(account: Account, json: unknown): Promise<{ status: number; body: Preferences & ErrorBody }> {
  const response = await app.request(account, "/preferences", { json });
  return { status: response.status, body: (await response.json()) as Preferences & ErrorBody };
}
interface ErrorBody {
  error: { code: string; message: string; preferences?: Preferences };
}

const read = async (account: Account): Promise<Preferences> =>
  (await (await app.request(account, "/preferences")).json()) as Preferences;

async function ask(account: Account, more: Record<string, unknown> = {}) {
  const response = await app.request(account, `/threads/${ulid()}/runs`, {
    json: { kind: "send", messageId: messageId(), text: "Hello", create: true, ...more },
  });
  await readStream(response);
  const call = (await app.modelCalls()).at(-1);
  return { model: call?.model ?? "", body: JSON.stringify(call?.body) };
}

async function accountItem(userId: string): Promise<Record<string, AttributeValue>> {
  const client = new DynamoDBClient({
    region: "us-east-1",
    endpoint: app.cloud.tableUrl,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const { tableName } = JSON.parse(app.cloud.env.SST_RESOURCE_Backend ?? "{}") as { tableName: string };
  const { Item = {} } = await client.send(
    new GetItemCommand({
      TableName: tableName,
      Key: { pk: { S: `USER#${userId}` }, sk: { S: "ACCOUNT" } },
      ConsistentRead: true,
    }),
  );
  client.destroy();
  return Item;
}

describe("the person's defaults", () => {
  test("are what every new thread begins with, whoever sends its first message, and no other person's", async () => {
    const [person, other] = [await app.createAccount("one"), await app.createAccount("other")];
    const settings = { model: "openai:gpt-4.1-mini", temperature: 0.2, systemPrompt: "Answer in Frisian." };
    const saved = await change(person, { kind: "defaults", revision: 0, settings });
    expect(saved).toMatchObject({ status: 200, body: { revision: 1, defaults: settings } });
    const begun = await ask(person);
    expect(begun.model).toBe("gpt-4.1-mini");
    expect(begun.body).toContain("Answer in Frisian.");
    expect(begun.body).toContain('"temperature":0.2');
    expect((await ask(other)).body).not.toContain("Frisian");
    // What was chosen for this thread counts, and what it leaves out is not filled in.
    const chosen = await ask(person, { settings: { temperature: 0.7 } });
    expect(chosen.body).toContain('"temperature":0.7');
    expect(chosen.body).not.toContain("Frisian");
  });

  test("are copied: a thread keeps what it began with when they change", async () => {
    const person = await app.createAccount("copy");
    await change(person, { kind: "defaults", revision: 0, settings: { systemPrompt: "The first." } });
    const threadId = ulid();
    const say = async (create: boolean) =>
      readStream(
        await app.request(person, `/threads/${threadId}/runs`, {
          json: { kind: "send", messageId: messageId(), text: "Hello", ...(create && { create }) },
        }),
      );
    await say(true);
    await change(person, { kind: "defaults", revision: 1, settings: { systemPrompt: "The second." } });
    await say(false);
    expect(JSON.stringify((await app.modelCalls()).at(-1)?.body)).toContain("The first.");
    expect((await ask(person)).body).toContain("The second.");
  });

  test("are shown on the page of a new thread", async () => {
    const person = await app.createAccount("shown");
    await change(person, { kind: "defaults", revision: 0, settings: { systemPrompt: "Answer in Frisian." } });
    expect(await (await app.request(person, "/")).text()).toContain("Answer in Frisian.");
  });
});

describe("presets", () => {
  const add = (name: string, presetId = ulid()) => ({ kind: "add", presetId, name, settings: { temperature: 1 } });

  test("of two tabs never overwrite each other silently: the second to edit is told, with what stands there", async () => {
    const person = await app.createAccount("tabs");
    const { body } = await change(person, add("Plain"));
    const edit = (name: string) => ({
      kind: "replace",
      revision: body.revision,
      presetId: body.presets[0]?.presetId,
      name,
      settings: {},
    });
    expect((await change(person, edit("First tab"))).status).toBe(200);
    const second = await change(person, edit("Second tab"));
    expect(second.status).toBe(409);
    expect(second.body.error).toMatchObject({ code: "conflict", preferences: { presets: [{ name: "First tab" }] } });
    expect((await read(person)).presets).toMatchObject([{ name: "First tab" }]);
  });

  test("added in many tabs at the same time are all kept, up to twenty", async () => {
    const person = await app.createAccount("many");
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, (_, index) => change(person, add(`At once ${index}`))),
    );
    const kept = outcomes.filter(({ status }) => status === 200).length;
    for (const { status } of outcomes) expect([200, 503]).toContain(status);
    expect((await read(person)).presets).toHaveLength(kept);
    for (let index = kept; index < 20; index += 1)
      expect((await change(person, add(`One by one ${index}`))).status).toBe(200);
    expect((await change(person, add("Too many"))).body.error.code).toBe("too-large");
  });

  test("are refused with words when they are no settings, too long, or named as another", async () => {
    const person = await app.createAccount("refused");
    await change(person, add("Plain"));
    const long = { ...add("Long"), settings: { systemPrompt: "ж".repeat(15_000) } };
    for (const [json, status] of [
      [add("plain"), 400],
      [long, 400],
      [{ ...add("Odd"), settings: { colour: "red" } }, 400],
      [{ ...add("Odd"), userId: "somebody" }, 400],
      [{ kind: "delete", presetId: ulid() }, 404],
    ] as const)
      expect((await change(person, json)).status, JSON.stringify(json).slice(0, 80)).toBe(status);
    expect((await read(person)).presets).toHaveLength(1);
  });

  test("made or deleted by a form that is sent twice are made or deleted once", async () => {
    const person = await app.createAccount("twice");
    const form = { intent: "save", revision: "0", presetId: ulid(), name: "Twice", temperature: "0,5" };
    const sent = await Promise.all([1, 2].map(() => app.postForm("/settings/presets/new", form, person.cookie)));
    expect(sent.map(({ status, headers }) => [status, headers.get("Location")])).toEqual(
      Array.from({ length: 2 }, () => [302, "/settings#new-threads"]),
    );
    expect((await read(person)).presets).toEqual([
      { presetId: form.presetId, name: "Twice", settings: { temperature: 0.5 } },
    ]);
    const place = `/settings/presets/${form.presetId}`;
    const undo = /name="undo" value="([^"]*)"/;
    const first = await (await app.postForm(place, { intent: "delete" }, person.cookie)).text();
    const second = await app.postForm(place, { intent: "delete" }, person.cookie);
    expect(second.status).toBe(404);
    expect(await second.text()).toContain("There is no such preset, or it was deleted.");
    const given = undo.exec(first)?.[1]?.replaceAll("&quot;", '"') ?? "";
    for (const _ of [1, 2])
      expect((await app.postForm(place, { intent: "restore", undo: given }, person.cookie)).status).toBe(302);
    expect((await read(person)).presets).toHaveLength(1);
    for (const wrong of ["", "{", "null", '{"presetId":"another-preset","colour":"red"}'])
      expect((await app.postForm(place, { intent: "restore", undo: wrong }, person.cookie)).status, wrong).toBe(400);
  });

  test("are gone with the account, and cannot come back by a tab that is still open", async () => {
    const person = await app.createAccount("leaver");
    await change(person, add("My secret preset"));
    expect(JSON.stringify(await accountItem(person.userId))).toContain("My secret preset");
    const left = await app.postForm(
      "/settings",
      { intent: "delete-account", password: person.password },
      person.cookie,
    );
    expect(left.status).toBe(302);
    expect(Object.keys(await accountItem(person.userId)).toSorted()).toEqual(["deletedAt", "expiresAt", "pk", "sk"]);
    expect((await change(person, add("Back again"))).status).toBe(401);
  });
});
