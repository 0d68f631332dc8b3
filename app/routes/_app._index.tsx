import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { requirePerson } from "~/auth/session.server";
import { page } from "~/http.server";
import { listNotes } from "~/notes/notes.server";
import { FirstVisit, NotesToSend, SinceLastHere } from "~/threads/NewThread";
import { ThreadPage, useShellData } from "~/threads/ThreadPage";
import { ErrorPage } from "~/ui/error-page";

export const meta: MetaFunction = () => [{ title: "New thread · Sidenote" }];

export function loader({ request }: LoaderFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    const { items } = await listNotes(userId, { limit: 2 });
    return { notes: items };
  });
}

export default function NewThreadRoute() {
  const { notes } = useLoaderData<typeof loader>();
  const { notes: count } = useShellData();
  return (
    <ThreadPage view={null} margin={<NotesToSend notes={notes} count={count} />}>
      <SinceLastHere />
      {count === 0 && <FirstVisit />}
    </ThreadPage>
  );
}

export { ErrorPage as ErrorBoundary };
