import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import {
  type ClientActionFunctionArgs,
  Form,
  type ShouldRevalidateFunctionArgs,
  useActionData,
  useLoaderData,
  useLocation,
  useNavigation,
} from "@remix-run/react";
import { type ReactNode, useEffect, useState } from "react";
import { guardrailState } from "~/ai/guardrail.server";
import { answerForm, formHeaders } from "~/auth/form.server";
import { Notice, useFirstProblem } from "~/auth/SignInPage";
import { listSessions, requirePerson } from "~/auth/session.server";
import { changePassword, deleteOwnAccount, type FormProblem, signOutEverywhere } from "~/auth/sign-in.server";
import { PublicError } from "~/errors";
import { page } from "~/http.server";
import { wasRefused } from "~/notes/answers";
import { NewThreads } from "~/threads/NewThreadsSection";
import { getPreferences } from "~/threads/preferences.server";
import { removeThread } from "~/threads/thread-changes.server";
import { getUsage } from "~/threads/thread-view.server";
import { UsageSection } from "~/threads/UsageSection";
import { AppearanceChoice } from "~/ui/appearance";
import { Button, buttonClass } from "~/ui/button";
import { ErrorPage } from "~/ui/error-page";
import { Field, FormError } from "~/ui/field";
import { BlockedIcon } from "~/ui/icons";
import { Bar, MarginNote } from "~/ui/page";
import { answerOr } from "~/ui/unanswered";

export const meta: MetaFunction = () => [{ title: "Settings · Sidenote" }];
export const headers = formHeaders;

export function loader({ request }: LoaderFunctionArgs) {
  return page(async () => {
    const person = await requirePerson(request);
    const [sessions, { defaults, presets }, usage] = await Promise.all([
      listSessions(person.userId),
      getPreferences(person.userId),
      getUsage(person.userId),
    ]);
    const passwordChanged = new URL(request.url).searchParams.get("done") === "password";
    const guardrail = guardrailState();
    return { email: person.email, devices: sessions.length, passwordChanged, guardrail, defaults, presets, usage };
  });
}

export async function action({ request }: ActionFunctionArgs) {
  const person = await page(() => requirePerson(request));
  return answerForm(request, async (form) => {
    switch (form.intent) {
      case "change-password":
        return changePassword(request, form, person);
      case "sign-out-everywhere":
        return signOutEverywhere(request, person);
      case "delete-account":
        return deleteOwnAccount(request, form, person, removeThread);
      default:
        throw new PublicError("bad-request");
    }
  });
}

export async function clientAction({ request, serverAction }: ClientActionFunctionArgs) {
  const sent = request.clone();
  return answerOr(
    () => serverAction<typeof action>(),
    async () => ({
      refused: true,
      intent: String((await sent.formData()).get("intent")),
      errors: { form: "Sidenote cannot be reached. Nothing was changed. Try again." },
    }),
  );
}

export function shouldRevalidate(change: ShouldRevalidateFunctionArgs) {
  return !wasRefused(change) && change.defaultShouldRevalidate;
}

/** A section of the column, with its explanation level with its heading. */
function Section({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return (
    <section className="frame mb-12" aria-labelledby={id}>
      <div>
        <h2 id={id} tabIndex={-1} className="mb-2 font-strong text-head text-ink">
          {title}
        </h2>
        {note && <p className="mb-2 text-ink-3 text-meta md:hidden">{note}</p>}
        {children}
      </div>
      {note && (
        <div className="margin pt-1.5">
          <MarginNote>{note}</MarginNote>
        </div>
      )}
    </section>
  );
}

const rowClass =
  "flex min-h-[52px] items-center justify-between gap-4 border-line border-b py-2 text-ui last:border-b-0";

/** A row that opens to a form; what was opened for what is wrong in it does not close by itself. */
function Opening(props: { label: string; button: ReactNode; open: boolean; children: ReactNode }) {
  const [opened, setOpened] = useState(props.open);
  if (props.open && !opened) setOpened(true);
  return (
    <details className="border-line border-b last:border-b-0" open={opened || undefined}>
      <summary className="flex min-h-[52px] list-none items-center justify-between gap-4 py-2 text-ui [&::-webkit-details-marker]:hidden">
        <span>{props.label}</span>
        {props.button}
      </summary>
      <div className="max-w-[22.5rem] pt-2 pb-6">{props.children}</div>
    </details>
  );
}

export default function SettingsRoute() {
  const { email, devices, passwordChanged, guardrail, defaults, presets, usage } = useLoaderData<typeof loader>();
  const problem = useActionData<FormProblem>();
  const navigation = useNavigation();
  const pending = navigation.formMethod === "POST" ? navigation.formData?.get("intent") : undefined;
  const forms = useFirstProblem(problem);
  const location = useLocation();
  // Whoever comes back from a preset goes on where they left, also by Undo, which leads from here to here.
  useEffect(() => {
    if (location.hash) document.getElementById(location.hash.slice(1))?.focus({ preventScroll: true });
  }, [location]);
  const errorsOf = (intent: string) => (problem?.intent === intent ? problem.errors : {});
  const change = errorsOf("change-password");
  const deletion = errorsOf("delete-account");
  return (
    <div className="sheet ruled" ref={forms}>
      <Bar title="Settings" />
      <div className="pt-5 pb-12">
        <Section
          title="Usage"
          note="Cost uses the price on the day of each answer. The bill may differ by cents. Days are those of UTC."
        >
          <UsageSection usage={usage} />
        </Section>

        <Section title="Sign-in" note="Signing out takes effect at once, on every device.">
          <Notice>
            {passwordChanged && !problem && "Your password is changed. All other devices are signed out."}
          </Notice>
          <div className={rowClass}>
            <span>Email</span>
            <span className="truncate text-ink-2">{email}</span>
          </div>
          <Opening
            label="Password"
            open={Object.keys(change).length > 0}
            button={<span className={buttonClass("second")}>Change</span>}
          >
            <Form method="post" className="flex flex-col gap-4">
              <input type="hidden" name="intent" value="change-password" />
              <input type="text" autoComplete="username" value={email} readOnly hidden />
              <FormError>{change.form}</FormError>
              <Field
                label="Current password"
                name="password"
                type="password"
                autoComplete="current-password"
                required
                error={change.password}
              />
              <Field
                label="New password"
                name="newPassword"
                type="password"
                autoComplete="new-password"
                required
                hint="At least eight characters. All other devices are signed out."
                error={change.newPassword}
              />
              <Button type="submit" kind="main" className="self-start" pending={pending === "change-password"}>
                Change password
              </Button>
            </Form>
          </Opening>
          <FormError>{errorsOf("sign-out-everywhere").form}</FormError>
          <Form method="post" className={rowClass}>
            <input type="hidden" name="intent" value="sign-out-everywhere" />
            <span>{devices === 1 ? "Signed in on this device only" : `Signed in on ${devices} devices`}</span>
            <Button type="submit" pending={pending === "sign-out-everywhere"}>
              Sign out everywhere
            </Button>
          </Form>
        </Section>

        <Section
          title="New threads"
          note="Presets are settings under a name. They are applied in the settings of a thread."
        >
          <NewThreads defaults={defaults} presets={presets} />
        </Section>

        <Section title="Look" note="The choice holds for this browser.">
          <div className={rowClass}>
            <span>Appearance</span>
            <AppearanceChoice />
          </div>
        </Section>

        {guardrail !== "off" && (
          <Section title="Guardrail" note="Whoever runs this Sidenote set the rules, for every model.">
            <p className="text-ink-2 text-ui">
              Your messages are checked before a model sees them, and its answers before you do.
            </p>
            {guardrail === "failing" && (
              <p role="status" className="card caution mt-3 flex items-start gap-2 text-ink text-ui">
                <BlockedIcon className="mt-0.5 shrink-0 text-caution" />
                The guardrail does not work at the moment, so no message can be sent. Whoever runs this Sidenote finds
                the reason in its log.
              </p>
            )}
          </Section>
        )}
        <Section title="Your data" note="Deleting takes effect at once. There is no way back.">
          <Opening
            label="Delete the account with all threads and notes"
            open={Object.keys(deletion).length > 0}
            button={<span className={buttonClass("destructive", "medium", "-mr-3.5")}>Delete account</span>}
          >
            <Form method="post" className="flex flex-col gap-4">
              <input type="hidden" name="intent" value="delete-account" />
              <FormError>{deletion.form}</FormError>
              <Field
                label="Your password"
                name="password"
                type="password"
                autoComplete="current-password"
                required
                hint="To be sure that it is you."
                error={deletion.password}
              />
              <Button type="submit" kind="destructive" className="self-start" pending={pending === "delete-account"}>
                Delete everything
              </Button>
            </Form>
          </Opening>
        </Section>
      </div>
    </div>
  );
}

export const ErrorBoundary = ErrorPage;
