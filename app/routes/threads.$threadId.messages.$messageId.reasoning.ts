import type { LoaderFunctionArgs } from "@remix-run/node";
import { requirePerson } from "~/auth/session.server";
import { json, resource } from "~/http.server";
import { getReasoning } from "~/threads/thread-view.server";

/** What the model thought before an answer: the page asks for it when it is opened. */
export function loader({ request, params: { threadId = "", messageId = "" } }: LoaderFunctionArgs): Promise<Response> {
  return resource("reasoning", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    return json({ text: await getReasoning(userId, threadId, messageId) });
  });
}
