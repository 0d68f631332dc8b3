import type { ActionFunctionArgs } from "@remix-run/node";
import { requirePerson } from "~/auth/session.server";
import { PublicError } from "~/errors";
import { json, readJson, resource } from "~/http.server";
import { estimateBody, estimateRun } from "~/threads/answering.server";
import { isId } from "~/threads/ids";

/** How full the model's window would be with a draft; `new` in place of an id for a thread to come. */
export function action({ request, params: { threadId } }: ActionFunctionArgs): Promise<Response> {
  return resource("estimate", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    if (request.method !== "POST" || (threadId !== "new" && !isId(threadId))) throw new PublicError("not-found");
    return json(await estimateRun(userId, threadId, await readJson(request, estimateBody)));
  });
}
