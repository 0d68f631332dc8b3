import { describe, expect, test } from "vitest";
import { highlight } from "./highlight.client";

const kinds = async (text: string, language: string) =>
  Object.fromEntries(
    ((await highlight(text, language)) ?? []).flatMap(({ text: piece, kind }) => (kind ? [[piece.trim(), kind]] : [])),
  );

describe("Highlighted code", () => {
  test("in a shell tells comments, strings and commands apart, and nothing else", async () => {
    expect(
      await kinds('# nightly\nrsync -a --partial "$HOME/Photos/" server:/srv/photos/\nls | grep foo', "bash"),
    ).toEqual({
      "# nightly": "comment",
      rsync: "command",
      '"$HOME/Photos/"': "string",
      ls: "command",
      grep: "command",
    });
  });

  test("elsewhere tells comments and strings apart", async () => {
    expect(await kinds('const a = "s"; // why', "ts")).toEqual({ '"s"': "string", "// why": "comment" });
  });

  test("loses no character", async () => {
    const text = "def f():\n\n    return 'a'  # b\n";
    expect((await highlight(text, "python"))?.map((piece) => piece.text).join("")).toBe(text);
  });

  test("of an unknown language stays as it is", async () => {
    expect(await highlight("x", "brainf")).toBeUndefined();
  });
});
