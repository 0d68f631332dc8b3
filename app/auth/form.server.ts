/** How the actions of the pages around sign-in answer: on to the next page, or the form again with what is wrong. */
import { data, type HeadersFunction, redirect, redirectDocument } from "@remix-run/node";
import { readForm } from "~/http.server";
import { type FormProblem, type Next, problemOf } from "./sign-in.server";

type Answer = Response | ReturnType<typeof data<FormProblem>>;

/** Runs one form. `work` gets its fields; what it refuses is shown with its status, never thrown. */
export async function answerForm(
  request: Request,
  work: (form: Record<string, string>) => Promise<Next>,
): Promise<Answer> {
  let form: Record<string, string> | undefined;
  try {
    const entries = Object.entries(await readForm(request));
    form = Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
    const next = await work(form);
    // Who is signed in may be another one from here on: a fresh page knows nothing of whoever was there before.
    return next.cookie ? redirectDocument(next.to, { headers: { "Set-Cookie": next.cookie } }) : redirect(next.to);
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
