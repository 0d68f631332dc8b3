/**
 * How routes answer: JSON that no cache keeps, errors from the one table, bodies that were checked before use.
 * A bug becomes a 500 without a word of what it was; the words go to the log, without the request's content.
 */
import type { z } from "zod";
import { isOutage } from "./data/table.server";
import { PublicError } from "./errors";
import { currentInvocation } from "./invocation.server";

/** A JSON answer. */
export function json(data: unknown, init: { status?: number; headers?: Record<string, string> } = {}): Response {
  return new Response(JSON.stringify(data), {
    status: init.status ?? 200,
    headers: { "Content-Type": "application/json", "Cache-Control": "private, no-store", ...init.headers },
  });
}

/** Logs a bug as one line of JSON: its name, message and stack, never what a person wrote. */
export function logError(error: unknown, where: string): void {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  console.error(
    JSON.stringify({ level: "ERROR", where, requestId: currentInvocation().requestId, name, message, stack }),
  );
}

/** What a person is told of an error: itself if it is public; a table that cannot be reached, or a bug, is logged. */
export function publicError(error: unknown, where: string): PublicError {
  if (error instanceof PublicError) return error;
  logError(error, where);
  return new PublicError(isOutage(error) ? "unavailable" : "internal");
}

/** Runs a resource route: errors become JSON answers. */
export async function resource(where: string, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    return error instanceof Response ? error : publicError(error, where).toResponse();
  }
}

/**
 * Runs a page's loader or action: a public error, or a table that cannot be reached, is thrown as a Response, for the
 * page's error boundary.
 */
export async function page<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof PublicError || isOutage(error) ? publicError(error, "page").toResponse() : error;
  }
}

/** The request's JSON body, checked. Throws `unsupported-type` for another content type and `bad-request`. */
export async function readJson<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new PublicError("unsupported-type");
  let body: unknown;
  try {
    body = JSON.parse(await request.text());
  } catch (error) {
    throw new PublicError("bad-request", { cause: error });
  }
  return checked(body, schema);
}

/** The fields of a posted form. Throws `unsupported-type` for another content type and `bad-request`. */
export async function readForm(request: Request): Promise<Record<string, FormDataEntryValue>> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded" && type !== "multipart/form-data")
    throw new PublicError("unsupported-type");
  try {
    return Object.fromEntries(await request.formData());
  } catch (error) {
    throw new PublicError("bad-request", { cause: error });
  }
}

/** The value, if it fits the schema; throws `bad-request` with the places that do not. */
export function checked<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 5).map(({ path, message }) => ({ at: path.join("."), message }));
  throw new PublicError("bad-request", { details: { issues } });
}
