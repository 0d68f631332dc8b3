import type { LoaderFunctionArgs } from "@remix-run/node";
import { requirePerson } from "~/auth/session.server";
import { json, resource } from "~/http.server";
import { isNoteId, noteLimits } from "~/notes/note";
import { listTitles } from "~/notes/titles.server";

/** Titles of the person's notes, a page at a time: all, those that hold some words, or those of some ids. */
export function loader({ request }: LoaderFunctionArgs): Promise<Response> {
  return resource("titles of notes", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    const { searchParams } = new URL(request.url);
    const ids = searchParams.get("ids")?.split(",").filter(isNoteId).slice(0, 200);
    const cursor = searchParams.get("cursor");
    return json(
      await listTitles(userId, {
        find: (searchParams.get("find") ?? "").slice(0, noteLimits.query),
        ...(cursor ? { cursor } : {}),
        ...(ids ? { ids: new Set(ids) } : {}),
      }),
    );
  });
}
