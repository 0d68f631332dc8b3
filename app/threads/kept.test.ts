import { expect, test } from "vitest";
import { createKept, NEW } from "./kept";

function memory(full = false) {
  const held = new Map<string, string>();
  return {
    held,
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (full) throw new DOMException("full", "QuotaExceededError");
      held.set(key, value);
    },
    removeItem: (key: string) => void held.delete(key),
  };
}

const open = (lasting = memory(), tab = memory()) => ({
  lasting,
  tab,
  kept: createKept(
    () => lasting,
    () => tab,
  ),
});

test("a draft is kept by person and place, and an empty one leaves nothing behind", () => {
  const { kept, lasting } = open();
  kept.writeDraft("maria", NEW, "A new one");
  kept.writeDraft("maria", "thread", "More");
  expect(kept.readDraft("maria", NEW)).toBe("A new one");
  expect(kept.readDraft("maria", "thread")).toBe("More");
  expect(kept.readDraft("tom", "thread")).toBe("");
  kept.writeDraft("maria", NEW, "");
  kept.writeDraft("maria", "thread", "");
  expect(lasting.held.size).toBe(0);
});

test("what waits belongs to one tab, what is being sent outlives it", () => {
  const one = open();
  const send = { threadId: "thread", messageId: "message", text: "Hello", createdAt: 1 };
  one.kept.writeSend("maria", "thread", send);
  one.kept.writeWaiting("maria", "thread", [{ key: "1", text: "Later" }]);
  const reloaded = open(one.lasting, one.tab);
  expect(reloaded.kept.readWaiting("maria", "thread")).toEqual([{ key: "1", text: "Later" }]);
  const other = open(one.lasting);
  expect(other.kept.readSend("maria", "thread")).toEqual(send);
  expect(other.kept.readWaiting("maria", "thread")).toEqual([]);
  other.kept.writeSend("maria", "thread", undefined);
  expect(one.kept.readSend("maria", "thread")).toBeUndefined();
});

test("a tab keeps its name over a reload", () => {
  const one = open();
  const name = one.kept.tabName();
  expect(open(one.lasting, one.tab).kept.tabName()).toBe(name);
  expect(open(one.lasting).kept.tabName()).not.toBe(name);
});

test("a browser that forbids its storage, has it full or holds rubbish in it does no harm", () => {
  const forbidden = createKept(
    () => {
      throw new DOMException("denied", "SecurityError");
    },
    () => memory(true),
  );
  forbidden.writeDraft("maria", NEW, "words");
  expect(forbidden.readDraft("maria", NEW)).toBe("");
  forbidden.writeWaiting("maria", NEW, [{ key: "1", text: "Later" }]);
  expect(forbidden.readWaiting("maria", NEW)).toEqual([]);
  expect(forbidden.tabName()).not.toBe("");

  const { kept, lasting } = open();
  for (const rubbish of ["{", "null", "[]", "7", '{"threadId":"thread"}']) {
    lasting.held.set("sidenote/maria/send/thread", rubbish);
    lasting.held.set("sidenote/maria/draft/thread", rubbish);
    expect(kept.readSend("maria", "thread")).toBeUndefined();
    expect(kept.readDraft("maria", "thread")).toBe("");
  }
});
