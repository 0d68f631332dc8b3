import { type ActionFunctionArgs, data, type LoaderFunctionArgs, type MetaFunction } from "@remix-run/node";
import {
  type ClientActionFunctionArgs,
  type ShouldRevalidateFunctionArgs,
  useActionData,
  useLoaderData,
  useNavigation,
  useParams,
} from "@remix-run/react";
import { useEffect } from "react";
import { ulid } from "ulid";
import { listModels } from "~/ai/catalogue.server";
import { useFirstProblem } from "~/auth/SignInPage";
import { requirePerson } from "~/auth/session.server";
import { page } from "~/http.server";
import { wasRefused } from "~/notes/answers";
import { DeletedPreset, NoPreset, PresetForm, useKeptForm } from "~/threads/PresetPage";
import { getPreferences } from "~/threads/preferences.server";
import { answerPresetForm, type PresetAnswer } from "~/threads/preset-forms.server";
import { type SettingsValues, valuesOf } from "~/threads/settings-form";
import { ErrorPage } from "~/ui/error-page";
import { answerOr } from "~/ui/unanswered";

export const meta: MetaFunction = () => [{ title: "Presets · Sidenote" }];

/** `defaults`, `new`, or the id of a preset. */
export function loader({ request, params: { presetId: place = "" } }: LoaderFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    const [{ revision, defaults, presets }, { models }] = await Promise.all([getPreferences(userId), listModels()]);
    const common = { userId, revision, models };
    if (place === "defaults") return { ...common, kind: "defaults" as const, name: "", values: valuesOf(defaults) };
    if (place === "new")
      return { ...common, kind: "new" as const, newId: ulid(), name: "", values: {} as SettingsValues };
    const preset = presets.find((one) => one.presetId === place);
    if (preset) return { ...common, kind: "preset" as const, name: preset.name, values: valuesOf(preset.settings) };
    // What was written in its form is still on the page, or in the answer to it.
    return data({ ...common, kind: "gone" as const, name: "", values: {} as SettingsValues }, { status: 404 });
  });
}

export function action({ request, params: { presetId: place = "" } }: ActionFunctionArgs) {
  return page(async () => {
    const { userId } = await requirePerson(request);
    return answerPresetForm(userId, place, request);
  });
}

export function clientAction({ serverAction }: ClientActionFunctionArgs) {
  const form = "Sidenote cannot be reached. What you wrote is still here. Try again.";
  return answerOr(
    () => serverAction<typeof action>(),
    () => ({ refused: { form } }) satisfies PresetAnswer,
  );
}

export function shouldRevalidate(change: ShouldRevalidateFunctionArgs) {
  return !wasRefused(change) && change.defaultShouldRevalidate;
}

export default function PresetRoute() {
  const loaded = useLoaderData<typeof loader>();
  const answer = useActionData<PresetAnswer>();
  const navigation = useNavigation();
  const { presetId = "" } = useParams();
  const root = useFirstProblem(answer?.refused);
  const { found, write, forget } = useKeptForm(loaded.userId, presetId, loaded, root);
  const pending = navigation.formMethod === "POST" ? String(navigation.formData?.get("intent")) : undefined;
  const isOver =
    answer?.deleted !== undefined || (pending !== undefined && navigation.location?.pathname === "/settings");
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is saved or deleted
  useEffect(() => {
    if (isOver) forget();
  }, [isOver]);
  if (answer?.deleted) return <DeletedPreset presetId={presetId} {...answer.deleted} pending={pending} />;
  const kind = answer?.gone ? "gone" : loaded.kind;
  if (kind === "gone" && !answer?.refused && !found) return <NoPreset />;
  const gone = "This preset was deleted meanwhile. Your words are still here: save again to keep them.";
  return (
    <div ref={root} className="contents">
      <PresetForm
        key={`${presetId} ${found ? "found" : "stored"}`}
        kind={kind}
        newId={found?.presetId ?? ("newId" in loaded ? loaded.newId : undefined)}
        models={loaded.models}
        revision={answer?.revision ?? found?.revision ?? loaded.revision}
        name={answer?.name ?? found?.name ?? loaded.name}
        values={answer?.values ?? found?.values ?? loaded.values}
        errors={answer?.refused ?? (kind === "gone" ? { form: gone } : {})}
        pending={pending}
        onWrite={write}
        onDiscard={forget}
        isFound={found !== undefined && !answer}
      />
    </div>
  );
}

export { ErrorPage as ErrorBoundary };
