import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { begin, type Editing, edit, isChanged, revisionToSave, type Stored, sameWords } from "./editing";
import type { NoteDraft } from "./note";

const first: Stored = { title: "Plan", text: "old", revision: 1 };
const theirs: Stored = { title: "Plan", text: "theirs", revision: 2 };
const write = (state: Editing, text: string): Editing => edit(state, { type: "typed", draft: { title: "Plan", text } });

describe("saving", () => {
  test("what was typed while a save was on its way is still to be saved, from the new revision", () => {
    let state = edit(write(begin(first), "one"), { type: "sent" });
    state = edit(write(state, "one two"), { type: "saved", title: "Plan", revision: 2 });
    expect(state).toMatchObject({ draft: { text: "one two" }, base: { text: "one", revision: 2 } });
    expect(isChanged(state)).toBe(true);
    expect(revisionToSave(state)).toBe(2);
  });

  test("the title that the server made of the text appears in its field", () => {
    let state = edit(begin({ title: "", text: "", revision: 0 }), {
      type: "typed",
      draft: { title: "", text: "# Milk" },
    });
    state = edit(edit(state, { type: "sent" }), { type: "saved", title: "Milk", revision: 1 });
    expect(state.draft).toEqual({ title: "Milk", text: "# Milk" });
    expect(isChanged(state)).toBe(false);
  });

  test("a failed save keeps the words and says why until the person goes on", () => {
    let state = edit(edit(write(begin(first), "mine"), { type: "sent" }), {
      type: "refused",
      problem: "Not reachable.",
    });
    expect(state).toMatchObject({ draft: { text: "mine" }, problem: "Not reachable." });
    state = write(state, "mine, more");
    expect(state.problem).toBeUndefined();
  });
});

describe("a conflict", () => {
  const conflict = edit(edit(write(begin(first), "mine"), { type: "sent" }), { type: "refused", problem: "", theirs });

  test("shows both, and keeping one's own saves them over the other's revision, whose words can be brought back", () => {
    expect(conflict).toMatchObject({ draft: { text: "mine" }, theirs: { text: "theirs" } });
    expect(revisionToSave(conflict)).toBe(2);
    const kept = edit(edit(conflict, { type: "sent" }), { type: "saved", title: "Plan", revision: 3 });
    expect(kept).toMatchObject({ base: { text: "mine", revision: 3 }, aside: [{ text: "theirs" }] });
    expect(kept.theirs).toBeUndefined();
    expect(edit(kept, { type: "brought-back" }).draft.text).toBe("theirs");
  });

  test("taking theirs leaves nothing to save, and one's own can be brought back", () => {
    const taken = edit(conflict, { type: "took-theirs" });
    expect(isChanged(taken)).toBe(false);
    expect(taken.base.revision).toBe(2);
    const back = edit(taken, { type: "brought-back" });
    expect(back.draft.text).toBe("mine");
    expect(revisionToSave(back)).toBe(2);
  });

  test("is seen as soon as the page learns of the other's words, not only at the save", () => {
    expect(edit(write(begin(first), "mine"), { type: "loaded", stored: theirs }).theirs).toEqual(theirs);
  });

  test("is seen when kept words turn out to be older than the note", () => {
    const state = edit(begin(theirs), { type: "found", draft: { title: "Plan", text: "mine" }, revision: 1 });
    expect(state).toMatchObject({ draft: { text: "mine" }, theirs: { text: "theirs" } });
    expect(revisionToSave(state)).toBe(2);
  });

  test("is none while the person changed nothing: the fields follow the note", () => {
    const state = edit(begin(first), { type: "loaded", stored: theirs });
    expect(state).toEqual(begin(theirs));
  });

  test("is none if the newer words are one's own, whose answer is still on its way", () => {
    const state = edit(write(begin(first), "theirs"), { type: "sent" });
    expect(edit(write(state, "theirs, more"), { type: "loaded", stored: theirs })).toMatchObject({
      base: theirs,
      draft: { text: "theirs, more" },
    });
  });
});

test("discarding goes back to what is stored, and can be taken back", () => {
  const state = edit(write(begin(first), "mine"), { type: "discarded" });
  expect(isChanged(state)).toBe(false);
  expect(edit(state, { type: "brought-back" }).draft.text).toBe("mine");
  expect(edit(state, { type: "discarded" })).toEqual(state);
});

test("whatever happens in whatever order, the last words a person typed are in sight, some steps back, or stored", () => {
  const words = fc.record({ title: fc.constantFrom("a", "b"), text: fc.constantFrom("", "1", "2", "3") });
  const step = fc.oneof(
    fc.record({ type: fc.constant("type" as const), draft: words }),
    fc.record({ type: fc.constant("other saves" as const), draft: words }),
    fc.constantFrom(
      ...(["send", "send", "answer", "answer lost", "load", "take theirs", "discard", "swap"] as const).map((type) => ({
        type,
      })),
    ),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let server: Stored = { title: "a", text: "", revision: 1 };
      const stored: NoteDraft[] = [server];
      let state = begin(server);
      let typed: NoteDraft = server;
      let onTheWay: { draft: NoteDraft; revision: number } | undefined;
      const store = (draft: NoteDraft) => {
        server = { ...draft, revision: server.revision + 1 };
        stored.push(draft);
      };
      for (const { type, ...rest } of steps) {
        const draft = "draft" in rest ? rest.draft : undefined;
        if (type === "type" && draft) {
          typed = draft;
          state = edit(state, { type: "typed", draft });
        } else if (type === "other saves" && draft) {
          if (!sameWords(draft, server)) store(draft);
        } else if (type === "send" && !onTheWay && isChanged(state)) {
          onTheWay = { draft: state.draft, revision: revisionToSave(state) };
          state = edit(state, { type: "sent" });
        } else if ((type === "answer" || type === "answer lost") && onTheWay) {
          const { draft, revision } = onTheWay;
          onTheWay = undefined;
          const fits = revision === server.revision;
          if (fits && !sameWords(draft, server)) store(draft);
          if (type === "answer lost") state = edit(state, { type: "refused", problem: "Not reachable." });
          else if (fits || sameWords(draft, server))
            state = edit(state, { type: "saved", title: draft.title, revision: server.revision });
          else state = edit(state, { type: "refused", problem: "", theirs: server });
        } else if (type === "load") state = edit(state, { type: "loaded", stored: server });
        else if (type === "take theirs") state = edit(state, { type: "took-theirs" });
        else if (type === "discard") state = edit(state, { type: "discarded" });
        else if (type === "swap") state = edit(state, { type: "brought-back" });

        const places = [state.draft, ...state.aside, ...stored];
        expect(places.some((place) => sameWords(place, typed))).toBe(true);
        // A save never names a revision whose words the person was not shown or did not write.
        if (!state.theirs) expect(stored.some((known) => sameWords(known, state.base))).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});
