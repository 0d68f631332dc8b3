import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { Form, Link, useActionData, useLoaderData, useNavigation } from "@remix-run/react";
import { answerForm, formHeaders } from "~/auth/form.server";
import { codeClass, FormLinks, formLinkClass, Notice, Numeral, SignInPage, useFirstProblem } from "~/auth/SignInPage";
import { confirmPerson, rememberedAddress, resendCode } from "~/auth/sign-in.server";
import { Button } from "~/ui/button";
import { Field, FormError } from "~/ui/field";

export const meta: MetaFunction = () => [{ title: "Enter the code · Sidenote" }];
export const headers = formHeaders;

export function loader({ request }: LoaderFunctionArgs) {
  const sent = new URL(request.url).searchParams.get("done") === "sent";
  return { email: rememberedAddress(request), sent };
}

export function action({ request }: ActionFunctionArgs) {
  return answerForm(request, (form) =>
    form.intent === "resend" ? resendCode(request, form) : confirmPerson(request, form),
  );
}

export default function ConfirmRoute() {
  const { email, sent } = useLoaderData<typeof loader>();
  const problem = useActionData<typeof action>();
  const navigation = useNavigation();
  const pending = navigation.formMethod === "POST" && navigation.formData?.get("intent") !== "resend";
  const form = useFirstProblem(problem);
  return (
    <SignInPage
      title="Enter the code"
      lead={
        <>
          {email ? `We sent six digits to ${email}.` : "We sent six digits to your address."}
          <Numeral>{2}</Numeral>
        </>
      }
      note={{
        title: "No mail?",
        text: (
          <>
            Look in the spam folder first. A new code can be sent once a minute; only the newest counts. If you had an
            account before, the mail holds a code to{" "}
            <Link to="/reset-password" className="link">
              choose a new password
            </Link>
            .
          </>
        ),
      }}
    >
      <Notice>{sent && !problem && "A new code is on its way."}</Notice>
      <div ref={form}>
        <Form method="post" className="flex flex-col gap-4" id="confirm">
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
            label="Confirmation code"
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            className={codeClass}
            size="large"
            maxLength={12}
            hint="Valid for 24 hours."
            error={problem?.errors.code ?? (email ? problem?.errors.email : undefined)}
          />
          <Button
            type="submit"
            name="intent"
            value="confirm"
            kind="main"
            size="large"
            className="mt-2 w-full"
            pending={pending}
          >
            Confirm
          </Button>
        </Form>
      </div>
      <FormLinks>
        <button type="submit" form="confirm" name="intent" value="resend" formNoValidate className={formLinkClass}>
          Send a new code
        </button>
        <Link to="/sign-up" className={formLinkClass}>
          Use another address
        </Link>
      </FormLinks>
    </SignInPage>
  );
}
