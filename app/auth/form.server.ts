/** How the actions of the pages around sign-in answer: on to the next page, or the form again with what is wrong. */
import { data, type HeadersFunction, redirect, redirectDocument } from "@remix-run/node";
import { readForm } from "~/http.server";
import { type FormProblem, type Next, problemOf } from "./sign-in.server";

type Answer = Response | ReturnType<typeof data<FormProblem>>;

/**
 * Leads to the next page. With a cookie it may be another one who is signed in from there on: a fresh page knows nothing
 * of whoever was there before.
 */
export function goTo({ to, cookie, signedOut }: Next): Response {
  const cookies = [cookie, signedOut].filter((one) => one !== undefined);
  if (cookies.length === 0) return redirect(to);
  return redirectDocument(to, { headers: cookies.map((one): [string, string] => ["Set-Cookie", one]) });
}

/** Runs one form. `work` gets its fields; what it refuses is shown with its status, never thrown. */
export async function answerForm(
  request: Request,
  work: (form: Record<string, string>) => Promise<Next>,
): Promise<Answer> {
  let form: Record<string, string> | undefined;
  try {
    const entries = Object.entries(await readForm(request));
    form = Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
    return goTo(await work(form));
  } catch (error) {
    const { problem, status, headers } = problemOf(error, form);
    return data(problem, { status, headers });
  }
}

/** For a page with such an action: a 429 or 503 says when to try again. */
export const formHeaders: HeadersFunction = ({ actionHeaders }): HeadersInit => {
  const retryAfter = actionHeaders.get("Retry-After");
  return retryAfter ? { "Retry-After": retryAfter } : {};
};
