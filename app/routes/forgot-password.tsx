import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { Form, Link, useActionData, useLoaderData, useNavigation } from "@remix-run/react";
import { answerForm, formHeaders } from "~/auth/form.server";
import { FormLinks, formLinkClass, SignInPage, useFirstProblem } from "~/auth/SignInPage";
import { forgetPassword, rememberedAddress } from "~/auth/sign-in.server";
import { Button } from "~/ui/button";
import { Field, FormError } from "~/ui/field";

export const meta: MetaFunction = () => [{ title: "Forgot password · Sidenote" }];
export const headers = formHeaders;

export function loader({ request }: LoaderFunctionArgs) {
  return { email: rememberedAddress(request) };
}

export function action({ request }: ActionFunctionArgs) {
  return answerForm(request, (form) => forgetPassword(request, form));
}

export default function ForgotPasswordRoute() {
  const { email } = useLoaderData<typeof loader>();
  const problem = useActionData<typeof action>();
  const pending = useNavigation().formMethod === "POST";
  const form = useFirstProblem(problem);
  return (
    <SignInPage
      title="Forgot password"
      lead="If this address has an account, a code to choose a new password goes there."
    >
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
          <Button type="submit" kind="main" size="large" className="mt-2 w-full" pending={pending}>
            Send a code
          </Button>
        </Form>
      </div>
      <FormLinks>
        <Link to="/sign-in" className={formLinkClass}>
          Sign in
        </Link>
        <Link to="/sign-up" className={formLinkClass}>
          Create account
        </Link>
      </FormLinks>
    </SignInPage>
  );
}
