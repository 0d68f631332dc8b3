import type { ActionFunctionArgs, LoaderFunctionArgs } from "@remix-run/node";
import { preferencesChange } from "~/ai/preferences";
import { requirePerson } from "~/auth/session.server";
import { PublicError } from "~/errors";
import { json, readJson, resource } from "~/http.server";
import { changePreferences, getPreferences } from "~/threads/preferences.server";

/** What the person's new threads begin with, and their presets. */
export function loader({ request }: LoaderFunctionArgs): Promise<Response> {
  return resource("preferences", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    return json(await getPreferences(userId));
  });
}

/** One change of them; answers with all as they then stand. */
export function action({ request }: ActionFunctionArgs): Promise<Response> {
  return resource("preferences", async () => {
    const { userId } = await requirePerson(request, { resource: true });
    if (request.method !== "POST") throw new PublicError("not-found");
    return json(await changePreferences(userId, await readJson(request, preferencesChange)));
  });
}
