import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { redirect } from "@remix-run/node";
import { Form, useActionData, useNavigation } from "@remix-run/react";
import { answerForm, formHeaders } from "~/auth/form.server";
import { SignInPage, useFirstProblem } from "~/auth/SignInPage";
import { awaitsFirstPassword, chooseFirstPassword } from "~/auth/sign-in.server";
import { Button } from "~/ui/button";
import { Field, FormError } from "~/ui/field";

export const meta: MetaFunction = () => [{ title: "Choose a password · Sidenote" }];
export const headers = formHeaders;

export async function loader({ request }: LoaderFunctionArgs) {
  if (!(await awaitsFirstPassword(request))) throw redirect("/sign-in");
  return null;
}

export function action({ request }: ActionFunctionArgs) {
  return answerForm(request, (form) => chooseFirstPassword(request, form));
}

export default function FirstPasswordRoute() {
  const problem = useActionData<typeof action>();
  const pending = useNavigation().formMethod === "POST";
  const form = useFirstProblem(problem);
  return (
    <SignInPage title="Choose a password" lead="The one that you were given works only once.">
      <div ref={form}>
        <Form method="post" className="flex flex-col gap-4">
          <FormError>{problem?.errors.form}</FormError>
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
            Save and sign in
          </Button>
        </Form>
      </div>
    </SignInPage>
  );
}
