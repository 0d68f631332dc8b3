import type { LoaderFunctionArgs } from "@remix-run/node";
import { requirePerson } from "~/auth/session.server";
import { json, resource } from "~/http.server";
import { listThreads } from "~/threads/threads.server";

/** A page of the thread list: the list asks for it when its end comes near, and when runs began or ended. */
export function loader({ request }: LoaderFunctionArgs): Promise<Response> {
  return resource("threads", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    const cursor = new URL(request.url).searchParams.get("cursor");
    return json(await listThreads(userId, cursor ? { cursor } : {}));
  });
}
