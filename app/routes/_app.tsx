import type { LoaderFunctionArgs } from "@remix-run/node";
import {
  type ClientLoaderFunctionArgs,
  Outlet,
  type ShouldRevalidateFunctionArgs,
  useLoaderData,
} from "@remix-run/react";
import { requirePerson } from "~/auth/session.server";
import { page } from "~/http.server";
import { wasRefused } from "~/notes/answers";
import { countNotes } from "~/notes/note-index.server";
import { Shell } from "~/threads/Shell";
import { getActivity } from "~/threads/thread-view.server";
import { listThreads } from "~/threads/threads.server";
import { readBudget } from "~/threads/usage.server";
import { ErrorPage } from "~/ui/error-page";
import { keepAsking } from "~/ui/keep-asking";

export function loader({ request }: LoaderFunctionArgs) {
  return page(async () => {
    const { userId, email } = await requirePerson(request);
    const [threads, activity, notes, budget] = await Promise.all([
      listThreads(userId),
      getActivity(userId),
      countNotes(userId),
      readBudget(userId),
    ]);
    return { person: { userId, email }, threads, activity, notes, budget, now: Date.now() };
  });
}

export function clientLoader({ serverLoader }: ClientLoaderFunctionArgs) {
  return keepAsking(() => serverLoader<typeof loader>());
}

/** Moving between pages changes nothing here, and neither do a look at a thread and its settings. */
export function shouldRevalidate(change: ShouldRevalidateFunctionArgs) {
  const { formMethod, formData, currentUrl, nextUrl, defaultShouldRevalidate } = change;
  if (wasRefused(change)) return false;
  if (formMethod && formMethod !== "GET") return String(formData?.get("intent")) !== "seen";
  return currentUrl.href === nextUrl.href && defaultShouldRevalidate;
}

export default function AppRoute() {
  const { person, threads, activity, notes, now } = useLoaderData<typeof loader>();
  return (
    <Shell person={person} threads={threads} activity={activity} notes={notes} now={now}>
      <Outlet />
    </Shell>
  );
}

export function ErrorBoundary() {
  return (
    <main id="page" className="main" tabIndex={-1}>
      <ErrorPage />
    </main>
  );
}
