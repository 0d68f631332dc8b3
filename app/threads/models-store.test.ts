import { expect, test } from "vitest";
import type { Model } from "~/ai/model";
import { createModels } from "./models-store";

const MINUTE = 60_000;

/** A tab, what it asked for, and a server that offers Alder, marked or not. */
function open({ marked = false } = {}) {
  const state = { marked, time: 100 * MINUTE };
  const asked: string[] = [];
  const models = createModels({
    now: () => state.time,
    async ask(again) {
      asked.push(again ? "again" : "list");
      const alder = { ref: "openai:alder", name: "Alder", ...(state.marked && { unavailable: "Not enabled." }) };
      return Response.json({ models: [alder as Model], notices: [] });
    },
  });
  return { state, asked, models };
}

test("the list is read once, and again when it is old", async () => {
  const { state, asked, models } = open();
  await Promise.all([models.load(), models.load()]);
  await models.load();
  expect(asked).toEqual(["list"]);
  state.time += 10 * MINUTE;
  await models.load();
  expect(asked).toEqual(["list", "list"]);
  await models.load({ again: true });
  expect(asked.at(-1)).toBe("again");
});

test("a denied answer has the list read anew once, however often its thread is opened", async () => {
  const { state, asked, models } = open();
  await models.load();
  for (let opening = 0; opening < 3; opening += 1) {
    models.noteDenied("answer", "openai:alder", state.time);
    await models.load();
  }
  expect(asked).toHaveLength(2);
  // The next one is news again.
  models.noteDenied("another answer", "openai:alder", state.time);
  await models.load();
  expect(asked).toHaveLength(3);
});

test("a denied answer asks for nothing where the list comes after it, knows of it, or it is long ago", async () => {
  const fresh = open();
  fresh.models.noteDenied("answer", "openai:alder", fresh.state.time);
  expect(fresh.asked).toEqual([]);
  await fresh.models.load();
  fresh.models.noteDenied("answer", "openai:alder", fresh.state.time);
  expect(fresh.asked).toHaveLength(1);

  const knowing = open({ marked: true });
  await knowing.models.load();
  knowing.models.noteDenied("answer", "openai:alder", knowing.state.time);
  expect(knowing.asked).toHaveLength(1);

  const late = open();
  await late.models.load();
  late.models.noteDenied("answer", "openai:alder", late.state.time - 11 * MINUTE);
  expect(late.asked).toHaveLength(1);
});
