import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { redirect } from "@remix-run/node";
import { Form, Link, useActionData, useLoaderData, useNavigation } from "@remix-run/react";
import { answerForm, formHeaders } from "~/auth/form.server";
import { FormLinks, formLinkClass, SignInPage, useFirstProblem } from "~/auth/SignInPage";
import { getPerson } from "~/auth/session.server";
import { signUpPerson } from "~/auth/sign-in.server";
import { config } from "~/config.server";
import { Button } from "~/ui/button";
import { Field, FormError } from "~/ui/field";

export const meta: MetaFunction = () => [{ title: "Create account · Sidenote" }];
export const headers = formHeaders;

export async function loader({ request }: LoaderFunctionArgs) {
  if (await getPerson(request)) throw redirect("/");
  return { open: config.signUp === "open" };
}

export function action({ request }: ActionFunctionArgs) {
  return answerForm(request, (form) => signUpPerson(request, form));
}

export default function SignUpRoute() {
  const { open } = useLoaderData<typeof loader>();
  const problem = useActionData<typeof action>();
  const pending = useNavigation().formMethod === "POST";
  const form = useFirstProblem(problem);
  const signIn = (
    <FormLinks>
      <Link to="/sign-in" className={formLinkClass}>
        Sign in
      </Link>
    </FormLinks>
  );
  if (!open)
    return (
      <SignInPage
        title="Sign-up is closed"
        lead="Whoever runs this Sidenote adds people by hand. Ask them for a first password, then sign in with it."
      >
        {signIn}
      </SignInPage>
    );
  return (
    <SignInPage title="Create account">
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
            defaultValue={problem?.email}
            hint="A code goes to this address."
            error={problem?.errors.email}
          />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="new-password"
            required
            size="large"
            hint="At least eight characters. A few words do well."
            error={problem?.errors.password}
          />
          <Button type="submit" kind="main" size="large" className="mt-2 w-full" pending={pending}>
            Create account
          </Button>
        </Form>
      </div>
      {signIn}
    </SignInPage>
  );
}
