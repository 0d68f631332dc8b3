/**
 * What went wrong at a vendor, as one of our error codes. Every vendor and every path (status of the answer,
 * event inside the stream, broken connection, bytes that cannot be read) ends here, so that the same fault looks
 * the same to a person. A vendor's own sentence can hold ARNs, account ids or the prompt itself: it is read to
 * choose the code and goes no further. Status and error name are kept for the log.
 */
import { APICallError } from "ai";
import { type ErrorCode, PublicError } from "~/errors";

export interface Fault {
  code: ErrorCode;
  /** HTTP status, or what the vendor's event stands for. */
  status?: number;
  /** The vendor's or the system's name for it, such as ThrottlingException or ECONNREFUSED. */
  name?: string;
  /**
   * Whether asking again makes sense: `busy` after a growing wait, `connection` soon, and only if no answer had
   * begun. Undefined: no.
   */
  again?: "busy" | "connection";
  /** How long the vendor asks to wait, in milliseconds. */
  retryAfterMs?: number;
  /** What the vendor refused that the call can do without: cache points, or a summary of the reasoning. */
  declined?: "cache" | "summary";
}

/** What undici and the system call connections that never came about, and those that broke. */
const connections = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_SOCKET",
]);

const busyStatus = new Set([429, 503, 529]);
const brokenStatus = new Set([408, 409, 424, 500, 502, 504]);

const tooLong =
  /context.?(length|window)|too (long|many (input )?tokens)|maximum (context|input|prompt)|exceed\w* .{0,40}(tokens|length)|prompt is too/i;
const unknownModel =
  /model identifier is invalid|on-demand throughput|model.{0,80}(not found|does not exist|end of its life)/i;
const noCredit = /insufficient_quota|billing|credit balance/i;
const notAllowed = /operation not allowed|access denied|not authorized|don't have access/i;

const noCache = /prompt caching/i;
const noSummary = /reasoning[._ ]summar/i;

/** Names as vendors write them; anything longer or with other characters could hold text, and is left out. */
const plainName = /^[A-Za-z][A-Za-z0-9_.-]{1,59}$/;

/** How much of a vendor's sentence is looked at, in characters. */
const wordsRead = 2_000;

interface Parts {
  status?: number;
  name?: string;
  /** Only ever tested, never passed on. */
  words: string;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** The innermost error that has a code: what fetch and the streams wrap. */
function connectionError(error: unknown): string | undefined {
  for (let depth = 0, current = error; depth < 6 && current; depth += 1) {
    const { code, cause } = record(current);
    if (typeof code === "string" && connections.has(code)) return code;
    current = cause;
  }
  return undefined;
}

function firstName(...candidates: unknown[]): string | undefined {
  return candidates.find(
    (candidate): candidate is string => typeof candidate === "string" && plainName.test(candidate),
  );
}

function fromStatus({ status, name, words }: Parts): Fault {
  const known = { ...(status !== undefined && { status }), ...(name !== undefined && { name }) };
  if (noCredit.test(name ?? "") || status === 402) return { code: "model-credit", ...known };
  if (status === undefined) return { code: "model-error", ...known };
  if (busyStatus.has(status)) {
    if (noCredit.test(words)) return { code: "model-credit", ...known };
    return { code: "model-busy", again: "busy", ...known };
  }
  if (status === 401 || status === 403) return { code: "model-denied", ...known };
  if (status === 404) return { code: "model-missing", ...known };
  if (status === 413) return { code: "context-too-long", ...known };
  if (brokenStatus.has(status)) return { code: "model-error", again: "busy", ...known };
  if (status >= 400 && status < 500) {
    if (name === "context_length_exceeded" || tooLong.test(words)) return { code: "context-too-long", ...known };
    if (name === "model_not_found" || unknownModel.test(words)) return { code: "model-missing", ...known };
    if (notAllowed.test(words)) return { code: "model-denied", ...known };
    return { code: "model-refused", ...known };
  }
  return { code: "model-error", ...known };
}

/** How long the vendor asks to wait; undefined if it does not say or says it in an unreadable way. */
function retryAfter(headers: Record<string, string> | undefined, now: number): number | undefined {
  const milliseconds = Number(headers?.["retry-after-ms"]);
  if (headers?.["retry-after-ms"] && milliseconds >= 0) return milliseconds;
  const value = headers?.["retry-after"];
  if (!value) return undefined;
  const seconds = Number(value);
  if (seconds >= 0) return seconds * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What a refused or broken call means. `answering` says whether the vendor had begun to answer. */
export function faultOf(error: unknown, options: { answering: boolean; now?: number }): Fault {
  if (error instanceof PublicError) return { code: error.code };
  let { answering } = options;
  if (APICallError.isInstance(error)) {
    const { statusCode: status, responseHeaders, responseBody } = error;
    if (status !== undefined && status < 400) answering = true;
    if (status !== undefined && status >= 400) {
      const { code, type } = record(record(error.data).error);
      const name = firstName(responseHeaders?.["x-amzn-errortype"]?.split(":")[0], code, type);
      const words = `${error.message} ${responseBody ?? ""}`.slice(0, wordsRead);
      const fault = fromStatus({ status, words, ...(name && { name }) });
      if (status < 404) {
        if (noCache.test(words)) fault.declined = "cache";
        else if (noSummary.test(words)) fault.declined = "summary";
      }
      const wait = retryAfter(responseHeaders, options.now ?? Date.now());
      return wait === undefined ? fault : { ...fault, retryAfterMs: wait };
    }
  }
  const connection = connectionError(error);
  if (connection) {
    if (answering) return { code: "model-cut", name: connection };
    return { code: "model-unreachable", name: connection, again: "connection" };
  }
  // An event inside the stream: the AI SDK's own form of it, or a compatible endpoint's as it came.
  const { statusCode, type, code, message, name } = record(error);
  if (!(error instanceof Error)) {
    const status = Number(statusCode ?? code) || statusOfName(`${String(code)} ${String(type)}`);
    const eventName = firstName(code, type);
    return fromStatus({
      words: String(message).slice(0, wordsRead),
      ...(status && { status }),
      ...(eventName && { name: eventName }),
    });
  }
  if (name === "CredentialsProviderError" || name === "AI_LoadAPIKeyError") {
    return { code: "model-denied", name: String(name) };
  }
  // Half a frame at the end of a Bedrock stream, or undici's word for a body that ended too soon.
  if (!error.name.startsWith("AI_") && /^incomplete|terminated|premature/i.test(error.message))
    return { code: "model-cut", name: error.name };
  return { code: "model-error", name: error.name };
}

/** Compatible endpoints name the error in mid-stream without a status. */
function statusOfName(name: string): number | undefined {
  if (/rate_limit|throttl|insufficient_quota/i.test(name)) return 429;
  if (/overload|unavailable/i.test(name)) return 503;
  if (/invalid|context_length|bad_request/i.test(name)) return 400;
  return undefined;
}
