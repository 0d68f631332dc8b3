import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { redirect } from "@remix-run/node";
import { Form, Link, useActionData, useLoaderData, useNavigation } from "@remix-run/react";
import { useEffect } from "react";
import { answerForm, formHeaders } from "~/auth/form.server";
import { clearKept } from "~/auth/kept";
import { safeRedirect } from "~/auth/redirects";
import { FormLinks, formLinkClass, Notice, SignInPage, useFirstProblem } from "~/auth/SignInPage";
import { getPerson } from "~/auth/session.server";
import { hasSignedOut, rememberedAddress, signInPerson } from "~/auth/sign-in.server";
import { tidyAfterSignIn } from "~/threads/thread-changes.server";
import { Button } from "~/ui/button";
import { Field, FormError } from "~/ui/field";

const notices: Record<string, string> = {
  confirmed: "Your address is confirmed. Sign in to begin.",
  reset: "Your password is changed. Sign in with the new one.",
  "signed-out": "You are signed out.",
  deleted: "Your account is deleted, with all threads and notes.",
  ended: "This took too long. Sign in again.",
};

export const meta: MetaFunction = () => [{ title: "Sign in · Sidenote" }];
export const headers = formHeaders;

export async function loader({ request }: LoaderFunctionArgs) {
  const { searchParams } = new URL(request.url);
  if (await getPerson(request)) throw redirect(safeRedirect(searchParams.get("redirectTo")));
  const done = searchParams.get("done") ?? "";
  return {
    email: rememberedAddress(request) ?? "",
    isOver: hasSignedOut(request),
    notice: Object.hasOwn(notices, done) ? notices[done] : undefined,
  };
}

export function action({ request }: ActionFunctionArgs) {
  const redirectTo = safeRedirect(new URL(request.url).searchParams.get("redirectTo"));
  return answerForm(request, async (form) => {
    const next = await signInPerson(request, form, redirectTo);
    if (next.userId) tidyAfterSignIn(next.userId);
    return next;
  });
}

export default function SignInRoute() {
  const { email, notice, isOver } = useLoaderData<typeof loader>();
  const problem = useActionData<typeof action>();
  const pending = useNavigation().formMethod === "POST";
  const form = useFirstProblem(problem);
  useEffect(() => {
    if (isOver) clearKept();
  }, [isOver]);
  return (
    <SignInPage title="Sign in">
      <Notice>{!problem && notice}</Notice>
      <div ref={form}>
        <Form method="post" className="flex flex-col gap-4">
          <FormError>{problem?.errors.form}</FormError>
          <Field
            label="Email"
            name="email"
            type="email"
            autoComplete="username"
            required
            size="large"
            defaultValue={problem?.email ?? email}
            error={problem?.errors.email}
          />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            size="large"
            error={problem?.errors.password}
          />
          <Button type="submit" kind="main" size="large" className="mt-2 w-full" pending={pending}>
            Sign in
          </Button>
        </Form>
      </div>
      <FormLinks>
        <Link to="/sign-up" className={formLinkClass}>
          Create account
        </Link>
        <Link to="/forgot-password" className={formLinkClass}>
          Forgot password?
        </Link>
      </FormLinks>
    </SignInPage>
  );
}
