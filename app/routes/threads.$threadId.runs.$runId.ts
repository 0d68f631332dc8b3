import type { LoaderFunctionArgs } from "@remix-run/node";
import { requirePerson } from "~/auth/session.server";
import { PublicError } from "~/errors";
import { json, resource } from "~/http.server";
import { getLiveRun, parsePosition, readRun } from "~/threads/answering.server";
import { isId, isRunId } from "~/threads/ids";

/** Streams a run from a position (`?after=<claimId>.<offset>`), live or over. `current` names the live one. */
export function loader({ request, params }: LoaderFunctionArgs): Promise<Response> {
  return resource("run", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    const { threadId, runId } = params;
    if (!isId(threadId)) throw new PublicError("not-found");
    if (runId === "current") {
      const live = await getLiveRun(userId, threadId);
      return live ? json({ runId: live }) : new Response(null, { status: 204 });
    }
    if (!isRunId(runId)) throw new PublicError("not-found");
    const position = parsePosition(new URL(request.url).searchParams.get("after"));
    return readRun(userId, threadId, runId, position);
  });
}
