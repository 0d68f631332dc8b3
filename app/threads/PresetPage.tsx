/**
 * A person's defaults, or one preset, as a plain form: works without the page's script. A field that is empty is a
 * setting that stays as the model and whoever runs this Sidenote have it.
 */
import { Form, Link, useNavigate, useSubmit } from "@remix-run/react";
import { type ReactNode, useEffect, useRef } from "react";
import type { Model } from "~/ai/model";
import { effortNames, reasoningEfforts } from "~/ai/settings";
import { Button, buttonClass } from "~/ui/button";
import { Field, FormError, Select } from "~/ui/field";
import { Bar, MarginNote } from "~/ui/page";
import { showToast } from "~/ui/toast";
import { ModelOptions, systemPromptField } from "./settings-fields";
import type { SettingsField, SettingsValues } from "./settings-form";

export interface PresetFormProps {
  /** `gone`: it was deleted while the form was open, and saving makes it anew. */
  kind: "defaults" | "new" | "preset" | "gone";
  /** The id of a new one. */
  newId: string | undefined;
  name: string;
  values: SettingsValues;
  revision: number;
  models: readonly Model[];
  errors: Partial<Record<SettingsField | "name" | "form", string>>;
  pending: string | undefined;
}

export function PresetForm({ kind, newId, name, values, revision, models, errors, pending }: PresetFormProps) {
  const title = kind === "defaults" ? "New threads begin with" : kind === "new" ? "New preset" : name || "Preset";
  const isKnown = values.model === undefined || models.some(({ ref }) => ref === values.model);
  return (
    <div className="sheet ruled">
      <Bar title={title} />
      <Form method="post" className="pt-5 pb-12">
        <input type="hidden" name="revision" value={revision} />
        {newId && <input type="hidden" name="presetId" value={newId} />}
        {kind === "gone" && <input type="hidden" name="gone" value="1" />}
        <div className="frame">
          <div className="flex flex-col gap-6">
            <FormError>{errors.form}</FormError>
            {kind !== "defaults" && (
              <Field label="Name" name="name" defaultValue={name} required maxLength={80} error={errors.name} />
            )}
            <Choice label="Model" name="model" value={values.model ?? ""} error={errors.model}>
              <option value="">The default model</option>
              {!isKnown && <option value={values.model}>{values.model}, not offered any more</option>}
              <ModelOptions models={models} />
            </Choice>
            <div className="grid gap-6 sm:grid-cols-2">
              <Field
                label="Temperature"
                name="temperature"
                inputMode="decimal"
                defaultValue={values.temperature}
                placeholder="the model’s own"
                hint="From 0, plain, to 1 or 2, varied."
                error={errors.temperature}
              />
              <Field
                label="Top P"
                name="topP"
                inputMode="decimal"
                defaultValue={values.topP}
                placeholder="the model’s own"
                hint="Above 0, up to 1."
                error={errors.topP}
              />
              <Field
                label="Maximum response length"
                name="maxTokens"
                inputMode="numeric"
                defaultValue={values.maxTokens}
                placeholder="the model’s own"
                hint="In tokens: 1,000 are about 750 words."
                error={errors.maxTokens}
              />
              <Field
                label="History length"
                name="historyLength"
                inputMode="numeric"
                defaultValue={values.historyLength}
                placeholder="20"
                hint="Messages that are sent, from 2 to 200."
                error={errors.historyLength}
              />
            </div>
            <Choice
              label="Reasoning effort"
              name="reasoningEffort"
              value={values.reasoningEffort ?? ""}
              error={errors.reasoningEffort}
            >
              <option value="">The model’s own</option>
              {reasoningEfforts.map((effort) => (
                <option key={effort} value={effort}>
                  {effortNames[effort]}
                </option>
              ))}
            </Choice>
            <Field
              multiline
              label="Stop sequences"
              name="stopSequences"
              rows={2}
              defaultValue={values.stopSequences}
              hint="One on each line, four at most. The answer ends before the first of them."
              error={errors.stopSequences}
            />
            <Field
              multiline
              label="System prompt"
              name="systemPrompt"
              rows={6}
              {...systemPromptField}
              defaultValue={values.systemPrompt}
              error={errors.systemPrompt}
            />
            <Choice label="Notes" name="notes" value={values.notes ?? "all"} error={errors.notes}>
              <option value="all">All notes</option>
              {values.notes === "chosen" && <option value="chosen">{chosenWords(values.chosenNotes ?? "")}</option>}
              <option value="none">None</option>
            </Choice>
            {values.chosenNotes && <input type="hidden" name="chosenNotes" value={values.chosenNotes} />}
            <div className="flex flex-wrap items-center gap-2">
              <Button type="submit" kind="main" name="intent" value="save" pending={pending === "save"}>
                Save
              </Button>
              <Link to="/settings" className={buttonClass("quiet")}>
                Cancel
              </Link>
              {kind === "preset" && (
                <Button
                  type="submit"
                  kind="destructive"
                  name="intent"
                  value="delete"
                  formNoValidate
                  className="ml-auto"
                  pending={pending === "delete"}
                >
                  Delete
                </Button>
              )}
            </div>
          </div>
          <div className="margin pt-1.5">
            <MarginNote>
              {kind === "defaults"
                ? "Copied into a thread when it is made. Threads that are there keep what they have."
                : "Apply it in the settings of a thread: it takes the place of what was set there."}{" "}
              What a model does not take is not sent to it.
            </MarginNote>
          </div>
        </div>
      </Form>
    </div>
  );
}

/** A page of one sentence, and what can be done about it. */
function Sentence({ title, children, actions }: { title: string; children: ReactNode; actions: ReactNode }) {
  return (
    <div className="sheet ruled">
      <Bar title={title} />
      <div className="frame pt-20">
        <div>
          <p className="text-read">{children}</p>
          <div className="mt-6 flex flex-wrap gap-2">{actions}</div>
        </div>
      </div>
    </div>
  );
}

const allPresets = "/settings#new-threads";

/** What stands in the place of a preset that is not there. */
export function NoPreset() {
  return (
    <Sentence
      title="Preset"
      actions={
        <Link to={allPresets} className={buttonClass("second")}>
          All presets
        </Link>
      }
    >
      There is no such preset, or it was deleted.
    </Sentence>
  );
}

/**
 * What stands in the place of a preset that was just deleted. With the page's script that is the list of presets, and
 * Undo goes along there.
 */
export function DeletedPreset({
  presetId,
  name,
  undo,
  pending,
}: {
  presetId: string;
  name: string;
  undo: string;
  pending: string | undefined;
}) {
  const navigate = useNavigate();
  const submit = useSubmit();
  const left = useRef(false);
  const action = `/settings/presets/${presetId}`;
  useEffect(() => {
    if (left.current) return;
    left.current = true;
    const restore = () => submit({ intent: "restore", undo }, { method: "post", action });
    // Only the toast still holds it: it stays until somebody can be asked.
    const offer = (text: string, seconds: number): void =>
      showToast({
        text,
        action: {
          label: "Undo",
          onAction: () => (navigator.onLine ? restore() : offer("Not brought back. You are offline.", 60)),
        },
        seconds,
      });
    offer("Preset deleted", 10);
    navigate(allPresets, { replace: true });
  }, [navigate, submit, undo, action]);
  return (
    <Sentence
      title={name}
      actions={
        <>
          <Form method="post" action={action}>
            <input type="hidden" name="intent" value="restore" />
            <input type="hidden" name="undo" value={undo} />
            <Button type="submit" pending={pending === "restore"}>
              Undo
            </Button>
          </Form>
          <Link to={allPresets} className={buttonClass("quiet")}>
            All presets
          </Link>
        </>
      }
    >
      “{name}” is deleted. It can be brought back as long as this page is open.
    </Sentence>
  );
}

function chosenWords(ids: string): string {
  const count = ids.split("\n").filter(Boolean).length;
  return count === 1 ? "The chosen note" : `The ${count} chosen notes`;
}

function Choice({
  label,
  name,
  value,
  error,
  children,
}: {
  label: string;
  name: SettingsField;
  value: string;
  error: string | undefined;
  children: ReactNode;
}) {
  return (
    <div>
      <label htmlFor={name} className="mb-1.5 block font-label text-ink text-ui">
        {label}
      </label>
      <Select
        id={name}
        name={name}
        defaultValue={value}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${name}-error` : undefined}
      >
        {children}
      </Select>
      {error && (
        <p id={`${name}-error`} className="mt-1.5 text-danger text-meta">
          {error}
        </p>
      )}
    </div>
  );
}
