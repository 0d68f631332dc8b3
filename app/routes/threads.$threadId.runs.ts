import type { ActionFunctionArgs } from "@remix-run/node";
import { requirePerson } from "~/auth/session.server";
import { PublicError } from "~/errors";
import { readJson, resource } from "~/http.server";
import { runBody, startRun } from "~/threads/answering.server";
import { isId } from "~/threads/ids";

/** Starts a run and streams it: send, again, continue. */
export function action({ request, params }: ActionFunctionArgs): Promise<Response> {
  return resource("runs", async () => {
    const person = await requirePerson(request, { resource: true });
    if (request.method !== "POST" || !isId(params.threadId)) throw new PublicError("not-found");
    return startRun(person.userId, params.threadId, await readJson(request, runBody));
  });
}
