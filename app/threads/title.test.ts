import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanTitle, titleFrom } from "./title";

describe("a thread's first title", () => {
  it("is the person's first sentence", () => {
    expect(titleFrom("Which disk should the photos go to? I forgot what we said.")).toBe(
      "Which disk should the photos go to?",
    );
  });

  it("leaves out markdown", () => {
    expect(titleFrom("## **Plan** for [spring](https://example.com)\n\nmore")).toBe("Plan for spring");
  });

  it("is cut at a word", () => {
    const title = titleFrom("Please compare the bicycle insurances that we looked at last year with the new ones");
    expect(title.length).toBeLessThanOrEqual(60);
    expect(title).toMatch(/^Please compare the bicycle insurances .*\w…$/);
  });

  it("exists even for a message without words", () => {
    expect(titleFrom("\n \n")).toBe("New thread");
    expect(titleFrom("***")).toBe("New thread");
    expect(titleFrom("\u0001")).toBe("New thread");
  });

  it("is made in no time, whatever the line", () => {
    for (const piece of ["[", "![", "[a](", "*", "# ", "a "]) {
      const line = piece.repeat(32_000 / piece.length);
      titleFrom(line);
      const started = performance.now();
      titleFrom(line);
      expect(performance.now() - started, piece).toBeLessThan(40);
    }
  });

  it("is always one well-formed line of at most 80 characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        for (const title of [titleFrom(text), cleanTitle(text)]) {
          expect(title.length).toBeLessThanOrEqual(80);
          expect(title.isWellFormed()).toBe(true);
          expect(title).not.toMatch(/[\n\r\0]/);
        }
      }),
    );
  });
});
