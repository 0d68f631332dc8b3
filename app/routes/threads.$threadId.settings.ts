import type { ActionFunctionArgs } from "@remix-run/node";
import { settingsChange } from "~/ai/settings";
import { requirePerson } from "~/auth/session.server";
import { PublicError } from "~/errors";
import { json, readJson, resource } from "~/http.server";
import { isId } from "~/threads/ids";
import { changeThreadSettings } from "~/threads/threads.server";

/** Changes some of a thread's settings; answers with all as they then stand. */
export function action({ request, params: { threadId } }: ActionFunctionArgs): Promise<Response> {
  return resource("settings", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    if (request.method !== "POST" || !isId(threadId)) throw new PublicError("not-found");
    return json(await changeThreadSettings(userId, threadId, await readJson(request, settingsChange)));
  });
}
