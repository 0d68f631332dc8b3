import { describe, expect, it } from "vitest";
import { keepAsking } from "./keep-asking";

const atOnce = async (): Promise<void> => undefined;

describe("asking the server again", () => {
  it("goes on until somebody answers", async () => {
    let asked = 0;
    const answer = await keepAsking(
      async () => {
        asked++;
        if (asked < 4) throw new TypeError("Failed to fetch");
        return "there";
      },
      30_000,
      atOnce,
    );
    expect(answer).toBe("there");
    expect(asked).toBe(4);
  });

  it("takes a redirect or an error of the server for the answer that it is", async () => {
    for (const thrown of [
      new Response(null, { status: 302 }),
      { status: 404, statusText: "", internal: false, data: null },
    ]) {
      let asked = 0;
      const asking = keepAsking(
        () => {
          asked++;
          return Promise.reject(thrown);
        },
        30_000,
        atOnce,
      );
      await expect(asking).rejects.toBe(thrown);
      expect(asked).toBe(1);
    }
  });

  it("gives up when nobody can be reached for long", async () => {
    const error = new TypeError("Failed to fetch");
    await expect(keepAsking(() => Promise.reject(error), 100, atOnce)).rejects.toBe(error);
  });
});
