import { type ActionFunctionArgs, redirect } from "@remix-run/node";
import { goTo } from "~/auth/form.server";
import { signOut } from "~/auth/sign-in.server";

/** Opened by hand it signs nobody out: only the button does. */
export function loader() {
  return redirect("/");
}

export async function action({ request }: ActionFunctionArgs) {
  return goTo(await signOut(request));
}
