import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { requirePerson } from "~/auth/session.server";
import { page } from "~/http.server";
import { Seen } from "~/threads/Seen";
import { getSeen } from "~/threads/thread-view.server";
import { ErrorPage } from "~/ui/error-page";

export const meta: MetaFunction = () => [{ title: "What the model saw · Sidenote" }];

export function loader({ request, params: { threadId = "", messageId = "" } }: LoaderFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    return getSeen(userId, threadId, messageId);
  });
}

export default function SeenRoute() {
  return <Seen view={useLoaderData<typeof loader>()} />;
}

export { ErrorPage as ErrorBoundary };
