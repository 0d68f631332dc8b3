import { type ActionFunctionArgs, type LoaderFunctionArgs, type MetaFunction, redirect } from "@remix-run/node";
import { type ClientLoaderFunctionArgs, useLoaderData } from "@remix-run/react";
import { requirePerson } from "~/auth/session.server";
import { checked, page, readForm } from "~/http.server";
import { ThreadPage } from "~/threads/ThreadPage";
import { changeThread } from "~/threads/thread-changes.server";
import { threadForm } from "~/threads/thread-form";
import { loadThread } from "~/threads/thread-view.server";
import { ErrorPage } from "~/ui/error-page";
import { keepAsking } from "~/ui/keep-asking";

export const meta: MetaFunction<typeof loader> = ({ data }) => [
  { title: data ? `${data.thread.title} · Sidenote` : "Sidenote" },
];

export function loader({ request, params: { threadId = "" } }: LoaderFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    const at = new URL(request.url).searchParams.get("at");
    return loadThread(userId, threadId, at ? { at } : {});
  });
}

export function clientLoader({ serverLoader }: ClientLoaderFunctionArgs) {
  return keepAsking(() => serverLoader<typeof loader>());
}

export function action({ request, params: { threadId = "" } }: ActionFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    const form = checked(await readForm(request), threadForm);
    await changeThread(userId, threadId, form);
    // There is no page of a deleted thread to go back to.
    return form.intent === "delete" ? redirect("/") : null;
  });
}

export default function ThreadRoute() {
  const view = useLoaderData<typeof loader>();
  return <ThreadPage key={view.thread.threadId} view={view} />;
}

export { ErrorPage as ErrorBoundary };
