import type { LoaderFunctionArgs } from "@remix-run/node";
import { listModels } from "~/ai/catalogue.server";
import { requirePerson } from "~/auth/session.server";
import { json, resource } from "~/http.server";

/**
 * The models that may be chosen, and what to say about lists that could not be read. With `?fresh=1` the vendors'
 * lists are read again first.
 */
export function loader({ request }: LoaderFunctionArgs): Promise<Response> {
  return resource("models", async () => {
    await requirePerson(request, { resource: true });
    return json(await listModels({ fresh: new URL(request.url).searchParams.get("fresh") === "1" }));
  });
}
