import { APICallError } from "ai";
import { describe, expect, test } from "vitest";
import { PublicError } from "~/errors";
import { faultOf } from "./fault";

const secret = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/secret";

function refusal(
  statusCode: number,
  options: { message?: string; headers?: Record<string, string>; data?: unknown } = {},
) {
  return new APICallError({
    message: options.message ?? secret,
    url: "https://example.com",
    requestBodyValues: {},
    statusCode,
    responseHeaders: options.headers ?? {},
    responseBody: options.message ?? secret,
    data: options.data,
  });
}

const before = { answering: false };

describe("a vendor's refusal", () => {
  test.each([
    [401, {}, "model-denied"],
    [402, {}, "model-credit"],
    [403, {}, "model-denied"],
    [404, {}, "model-missing"],
    [413, {}, "context-too-long"],
    [418, {}, "model-refused"],
    [429, {}, "model-busy"],
    [503, {}, "model-busy"],
    [529, {}, "model-busy"],
    [500, {}, "model-error"],
    [424, {}, "model-error"],
    [400, { message: "Input is too long for requested model." }, "context-too-long"],
    [400, { message: "prompt is too long: 210000 tokens > 200000 maximum" }, "context-too-long"],
    [400, { message: "This model's maximum context length is 8192 tokens." }, "context-too-long"],
    [400, { data: { error: { code: "context_length_exceeded" } } }, "context-too-long"],
    [400, { message: "The provided model identifier is invalid." }, "model-missing"],
    [400, { message: "Invocation of model ID x with on-demand throughput isn’t supported." }, "model-missing"],
    [400, { message: "This model version has reached the end of its life." }, "model-missing"],
    [400, { message: "Operation not allowed" }, "model-denied"],
    [400, {}, "model-refused"],
    [429, { data: { error: { code: "insufficient_quota" } } }, "model-credit"],
    [429, { message: "Your credit balance is too low." }, "model-credit"],
  ] as const)("by status %i and %o is %s", (status, options, code) => {
    expect(faultOf(refusal(status, options), before)).toMatchObject({ code, status });
  });

  test("is worth asking again only if the vendor is busy or broken", () => {
    const again = [400, 401, 403, 404, 408, 424, 429, 500, 502, 503, 504, 529].filter(
      (status) => faultOf(refusal(status), before).again,
    );
    expect(again).toEqual([408, 424, 429, 500, 502, 503, 504, 529]);
    expect(faultOf(refusal(429, { data: { error: { code: "insufficient_quota" } } }), before)).not.toHaveProperty(
      "again",
    );
  });

  test("says how long to wait, as seconds, milliseconds or a date, and nonsense is as if nothing was said", () => {
    const now = Date.parse("2026-11-21T10:00:00Z");
    const wait = (headers: Record<string, string>) =>
      faultOf(refusal(429, { headers }), { ...before, now }).retryAfterMs;
    expect(wait({ "retry-after": "7" })).toBe(7_000);
    expect(wait({ "retry-after-ms": "250", "retry-after": "7" })).toBe(250);
    expect(wait({ "retry-after": "Sat, 21 Nov 2026 10:00:30 GMT" })).toBe(30_000);
    expect(wait({ "retry-after": "soon" })).toBeUndefined();
    expect(wait({ "retry-after": "-5" })).not.toBeLessThan(0);
    expect(wait({})).toBeUndefined();
  });

  test("leaves nothing behind but a status and a plain name", () => {
    const named = faultOf(
      refusal(403, { headers: { "x-amzn-errortype": "AccessDeniedException:http://internal/" } }),
      before,
    );
    expect(named).toEqual({ code: "model-denied", status: 403, name: "AccessDeniedException" });
    const forged = faultOf(
      refusal(403, { data: { error: { code: secret, type: `a sentence about ${secret}` } } }),
      before,
    );
    expect(JSON.stringify(forged)).not.toContain("arn");
  });
});

describe("an error inside the stream", () => {
  test("of a compatible endpoint, which has no status, is told by its name", () => {
    const fault = (error: object) => faultOf(error, { answering: true });
    expect(fault({ message: "x", code: "rate_limit_exceeded" })).toMatchObject({ code: "model-busy" });
    expect(fault({ message: "x", type: "overloaded_error" })).toMatchObject({ code: "model-busy" });
    expect(fault({ message: "x", code: "context_length_exceeded" })).toMatchObject({ code: "context-too-long" });
    expect(fault({ message: "x", code: 429 })).toMatchObject({ code: "model-busy", status: 429 });
    expect(fault({ message: secret })).toEqual({ code: "model-error" });
  });
});

describe("a broken connection", () => {
  const failed = (code: string) => new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) });

  test("is unreachable before the answer began, and cut after", () => {
    expect(faultOf(failed("ECONNREFUSED"), before)).toEqual({
      code: "model-unreachable",
      name: "ECONNREFUSED",
      again: "connection",
    });
    expect(faultOf(failed("ECONNRESET"), { answering: true })).toEqual({ code: "model-cut", name: "ECONNRESET" });
    const inBody = new APICallError({
      message: "Failed to process successful response",
      url: "https://example.com",
      requestBodyValues: {},
      statusCode: 200,
      cause: failed("UND_ERR_SOCKET"),
    });
    expect(faultOf(inBody, before)).toEqual({ code: "model-cut", name: "UND_ERR_SOCKET" });
  });
});

describe("what is no vendor's doing", () => {
  test("keeps its own code, or is a failure of the model", () => {
    expect(faultOf(new PublicError("model-missing"), before)).toEqual({ code: "model-missing" });
    expect(faultOf(new RangeError(secret), before)).toEqual({ code: "model-error", name: "RangeError" });
    expect(faultOf("thrown text", before)).toEqual({ code: "model-error" });
    expect(faultOf(undefined, before)).toEqual({ code: "model-error" });
    const credentials = Object.assign(new Error(secret), { name: "CredentialsProviderError" });
    expect(faultOf(credentials, before)).toEqual({ code: "model-denied", name: "CredentialsProviderError" });
  });
});
