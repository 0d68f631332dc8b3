import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { Form, Link, useActionData, useLoaderData, useNavigation } from "@remix-run/react";
import { answerForm, formHeaders } from "~/auth/form.server";
import { codeClass, FormLinks, formLinkClass, Numeral, SignInPage, useFirstProblem } from "~/auth/SignInPage";
import { rememberedAddress, resetPassword } from "~/auth/sign-in.server";
import { Button } from "~/ui/button";
import { Field, FormError } from "~/ui/field";

export const meta: MetaFunction = () => [{ title: "Choose a new password · Sidenote" }];
export const headers = formHeaders;

export function loader({ request }: LoaderFunctionArgs) {
  return { email: rememberedAddress(request) };
}

export function action({ request }: ActionFunctionArgs) {
  return answerForm(request, (form) => resetPassword(request, form));
}

export default function ResetPasswordRoute() {
  const { email } = useLoaderData<typeof loader>();
  const problem = useActionData<typeof action>();
  const pending = useNavigation().formMethod === "POST";
  const form = useFirstProblem(problem);
  return (
    <SignInPage
      title="Choose a new password"
      lead={
        <>
          {email ? `If ${email} has an account, six digits went there.` : "We sent six digits to your address."}
          <Numeral>{2}</Numeral>
        </>
      }
      note={{ title: "Everywhere.", text: "A new password signs you out on every device, so that nobody else stays." }}
    >
      <div ref={form}>
        <Form method="post" className="flex flex-col gap-4">
          <FormError>{problem?.errors.form}</FormError>
          {!email && (
            <Field
              label="Email"
              name="email"
              type="email"
              autoComplete="username"
              required
              size="large"
              defaultValue={problem?.email}
              error={problem?.errors.email}
            />
          )}
          <Field
            label="Code"
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            className={codeClass}
            required
            size="large"
            maxLength={12}
            hint="Valid for one hour."
            error={problem?.errors.code ?? (email ? problem?.errors.email : undefined)}
          />
          <Field
            label="New password"
            name="newPassword"
            type="password"
            autoComplete="new-password"
            required
            size="large"
            hint="At least eight characters. A few words do well."
            error={problem?.errors.newPassword}
          />
          <Button type="submit" kind="main" size="large" className="mt-2 w-full" pending={pending}>
            Save password
          </Button>
        </Form>
      </div>
      <FormLinks>
        <Link to="/forgot-password" className={formLinkClass}>
          Send a new code
        </Link>
        <Link to="/sign-in" className={formLinkClass}>
          Sign in
        </Link>
      </FormLinks>
    </SignInPage>
  );
}
