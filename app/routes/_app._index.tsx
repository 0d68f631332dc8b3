import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { requirePerson } from "~/auth/session.server";
import { page } from "~/http.server";
import { listNotes } from "~/notes/notes.server";
import { FirstVisit, NotesToSend, SinceLastHere } from "~/threads/NewThread";
import { getPreferences } from "~/threads/preferences.server";
import { ThreadPage, useShellData } from "~/threads/ThreadPage";
import { ErrorPage } from "~/ui/error-page";

export const meta: MetaFunction = () => [{ title: "New thread · Sidenote" }];

export function loader({ request }: LoaderFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    const [{ items }, { defaults }] = await Promise.all([listNotes(userId, { limit: 2 }), getPreferences(userId)]);
    return { notes: items, defaults };
  });
}

export default function NewThreadRoute() {
  const { notes, defaults } = useLoaderData<typeof loader>();
  const { notes: count } = useShellData();
  return (
    <ThreadPage
      view={null}
      defaults={defaults}
      margin={(settings, choose) => <NotesToSend notes={notes} count={count} settings={settings} onChoose={choose} />}
    >
      <SinceLastHere />
      {count === 0 && <FirstVisit />}
    </ThreadPage>
  );
}

export { ErrorPage as ErrorBoundary };
