import { type ActionFunctionArgs, data, type LoaderFunctionArgs, type MetaFunction, redirect } from "@remix-run/node";
import { useActionData, useLoaderData, useNavigation } from "@remix-run/react";
import { useEffect, useRef } from "react";
import { ulid } from "ulid";
import { listModels } from "~/ai/catalogue.server";
import { type Preferences, presetName, presetSettings } from "~/ai/preferences";
import { requirePerson } from "~/auth/session.server";
import { PublicError } from "~/errors";
import { page, readForm } from "~/http.server";
import { PresetForm, type PresetFormProps } from "~/threads/PresetPage";
import { changePreferences, getPreferences } from "~/threads/preferences.server";
import { type SettingsValues, settingsFields, settingsOf, valuesOf } from "~/threads/settings-form";
import { ErrorPage } from "~/ui/error-page";

export const meta: MetaFunction = () => [{ title: "Presets · Sidenote" }];

/** `defaults`, `new`, or the id of a preset. */
export function loader({ request, params: { presetId = "" } }: LoaderFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    const [{ revision, defaults, presets }, { models }] = await Promise.all([getPreferences(userId), listModels()]);
    const common = { revision, models };
    if (presetId === "defaults") return { ...common, kind: "defaults" as const, name: "", values: valuesOf(defaults) };
    if (presetId === "new") return { ...common, kind: "new" as const, name: "", values: {} as SettingsValues };
    const preset = presets.find((one) => one.presetId === presetId);
    if (!preset) throw new PublicError("not-found");
    return { ...common, kind: "preset" as const, name: preset.name, values: valuesOf(preset.settings) };
  });
}

interface Problem {
  /** What stands there now, if that is not what the form was made from. */
  revision?: number;
  name: string;
  values: SettingsValues;
  errors: PresetFormProps["errors"];
}

export async function action({ request, params: { presetId = "" } }: ActionFunctionArgs) {
  const { userId } = await page(() => requirePerson(request));
  const form = await page(() => readForm(request));
  const values: SettingsValues = {};
  for (const field of settingsFields) if (typeof form[field] === "string") values[field] = form[field];
  const name = typeof form.name === "string" ? form.name : "";
  const refuse = (errors: Problem["errors"], status: number) => data<Problem>({ name, values, errors }, { status });

  const isPreset = presetId !== "defaults" && presetId !== "new";
  if (isPreset && form.intent === "delete") {
    await page(() => changePreferences(userId, { kind: "delete", presetId }));
    return redirect("/settings#new-threads");
  }
  if (isPreset) {
    const { presets } = await page(() => getPreferences(userId));
    if (!presets.some((one) => one.presetId === presetId)) throw new PublicError("not-found").toResponse();
  }
  const read = settingsOf(form);
  const named = presetId === "defaults" ? undefined : presetName.safeParse(name);
  const errors: Problem["errors"] = { ...("errors" in read ? read.errors : {}) };
  if (named && !named.success) errors.name = named.error.issues[0]?.message ?? "A preset needs a name.";
  if (Object.keys(errors).length > 0 || "errors" in read) return refuse(errors, 400);
  const bounded = presetSettings.safeParse(read.settings);
  if (!bounded.success) return refuse({ systemPrompt: bounded.error.issues[0]?.message ?? "" }, 400);
  const revision = Number(form.revision) || 0;
  const { settings } = read;
  try {
    await changePreferences(
      userId,
      presetId === "defaults"
        ? { kind: "defaults", revision, settings }
        : presetId === "new"
          ? { kind: "add", presetId: ulid(), name: named?.data ?? "", settings }
          : { kind: "replace", revision, presetId, name: named?.data ?? "", settings },
    );
  } catch (error) {
    if (!(error instanceof PublicError)) throw error;
    if (error.code === "conflict") {
      const { revision: now } = error.details.preferences as Preferences;
      const form = "This changed elsewhere meanwhile. Your words are still here: save again to keep them.";
      return data<Problem>({ name, values, errors: { form }, revision: now }, { status: error.status });
    }
    return refuse({ [error.code === "bad-request" ? "name" : "form"]: error.message }, error.status);
  }
  return redirect("/settings#new-threads");
}

export default function PresetRoute() {
  const loaded = useLoaderData<typeof loader>();
  const problem = useActionData<typeof action>();
  const navigation = useNavigation();
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (problem) root.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [problem]);
  const pending = navigation.formMethod === "POST" ? String(navigation.formData?.get("intent")) : undefined;
  return (
    <div ref={root} className="contents">
      <PresetForm
        {...loaded}
        revision={problem?.revision ?? loaded.revision}
        name={problem?.name ?? loaded.name}
        values={problem?.values ?? loaded.values}
        errors={problem?.errors ?? {}}
        pending={pending}
      />
    </div>
  );
}

export { ErrorPage as ErrorBoundary };
