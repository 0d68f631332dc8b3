import { type ActionFunctionArgs, redirect } from "@remix-run/node";
import { signOut } from "~/auth/sign-in.server";

/** Opened by hand it signs nobody out: only the button does. */
export function loader() {
  return redirect("/");
}

export async function action({ request }: ActionFunctionArgs) {
  const { to, cookie } = await signOut(request);
  return redirect(to, cookie ? { headers: { "Set-Cookie": cookie } } : undefined);
}
