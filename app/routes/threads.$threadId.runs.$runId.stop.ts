import type { ActionFunctionArgs } from "@remix-run/node";
import { requirePerson } from "~/auth/session.server";
import { PublicError } from "~/errors";
import { json, resource } from "~/http.server";
import { stopRun } from "~/threads/answering.server";
import { isId, isRunId } from "~/threads/ids";

/** Stops a run, wherever it is produced. A run that is over already is a success too. */
export function action({ request, params }: ActionFunctionArgs): Promise<Response> {
  return resource("stop", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    if (!isId(params.threadId) || !isRunId(params.runId)) throw new PublicError("not-found");
    await stopRun(userId, params.threadId, params.runId);
    return json({});
  });
}
