import type { LoaderFunctionArgs } from "@remix-run/node";
import { requirePerson } from "~/auth/session.server";
import { json, resource } from "~/http.server";
import { getActivity } from "~/threads/thread-view.server";

/** Which threads are answering, which are unread: the page asks for it every few seconds. */
export function loader({ request }: LoaderFunctionArgs): Promise<Response> {
  return resource("activity", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    return json(await getActivity(userId));
  });
}
