import type { LoaderFunctionArgs } from "@remix-run/node";
import { requirePerson } from "~/auth/session.server";
import { PublicError } from "~/errors";
import { json, resource } from "~/http.server";
import { getPassages } from "~/threads/answering.server";

/** The passages that a live answer cites so far, of the notes whose numbers `of` lists: `?of=3,7`. */
export function loader({ request, params: { threadId = "", runId = "" } }: LoaderFunctionArgs): Promise<Response> {
  return resource("sidenotes", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    const of = new URL(request.url).searchParams.get("of") ?? "";
    if (!/^\d{1,5}(,\d{1,5}){0,19}$/.test(of)) throw new PublicError("bad-request");
    return json({ passages: await getPassages(userId, threadId, runId, new Set(of.split(",").map(Number))) });
  });
}
