/**
 * A person's defaults, or one preset, as a plain form: works without the page's script. A field that is empty is a
 * setting that stays as the model and whoever runs this Sidenote have it.
 */
import { Form, Link, useNavigate, useSubmit } from "@remix-run/react";
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import type { Model } from "~/ai/model";
import { effortNames, reasoningEfforts } from "~/ai/settings";
import { Button, buttonClass } from "~/ui/button";
import { Field, FormError, Select } from "~/ui/field";
import { Bar, MarginNote } from "~/ui/page";
import { showToast } from "~/ui/toast";
import { type KeptForm, keepForm, readKeptForm } from "./preset-drafts";
import { ModelOptions, systemPromptField } from "./settings-fields";
import { type SettingsField, type SettingsValues, settingsFields } from "./settings-form";

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
  /** Gets what stands in the form, whenever the person has changed it. */
  onWrite(form: KeptForm): void;
  /** Forgets what was written. */
  onDiscard(): void;
  /** What stands there was written before the page was opened, and is not saved. */
  isFound: boolean;
}

/** What stands in a form. */
function readPresetForm(form: HTMLFormElement): KeptForm {
  const fields = new FormData(form);
  const presetId = fields.get("presetId");
  return {
    name: String(fields.get("name") ?? ""),
    values: Object.fromEntries(
      settingsFields.flatMap((field) => (fields.has(field) ? [[field, String(fields.get(field))]] : [])),
    ),
    revision: Number(fields.get("revision")),
    ...(presetId !== null && { presetId: String(presetId) }),
  };
}

/** Whether both say the same. A field that is not there is empty, and all notes are what nobody changed. */
function sameWords(one: Pick<KeptForm, "name" | "values">, other: Pick<KeptForm, "name" | "values">): boolean {
  const wordOf = ({ values }: Pick<KeptForm, "values">, field: SettingsField): string =>
    values[field] ?? (field === "notes" ? "all" : "");
  return one.name === other.name && settingsFields.every((field) => wordOf(one, field) === wordOf(other, field));
}

/**
 * Keeps what is written in a preset's form until it is saved or given up: a session that ends in between costs no word.
 * @param stored what the form is made from
 * @param root what holds the form, if it is there
 */
export function useKeptForm(
  userId: string,
  place: string,
  stored: Pick<KeptForm, "name" | "values">,
  root: RefObject<HTMLElement>,
) {
  const [read, setRead] = useState<{ place: string; words: KeptForm | undefined }>();
  const found = read?.place === place ? read.words : undefined;
  const latest = useRef(stored);
  latest.current = stored;
  useEffect(() => {
    const form = root.current?.querySelector("form");
    // What was typed before the page's script was there is newer.
    if (form && !sameWords(readPresetForm(form), latest.current)) return;
    const words = readKeptForm(userId, place);
    setRead({ place, words: words && !sameWords(words, latest.current) ? words : undefined });
  }, [userId, place, root]);
  return {
    /** What was written before the page was opened, and is not saved. */
    found,
    write: (form: KeptForm) => keepForm(userId, place, sameWords(form, stored) ? undefined : form),
    forget() {
      keepForm(userId, place, undefined);
      setRead(undefined);
    },
  };
}

export function PresetForm({
  kind,
  newId,
  name,
  values,
  revision,
  models,
  errors,
  pending,
  onWrite,
  onDiscard,
  isFound,
}: PresetFormProps) {
  const title = kind === "defaults" ? "New threads begin with" : kind === "new" ? "New preset" : name || "Preset";
  const isKnown = values.model === undefined || models.some(({ ref }) => ref === values.model);
  return (
    <div className="sheet ruled">
      <Bar title={title} />
      <Form
        method="post"
        className="pt-5 pb-12"
        onChange={({ currentTarget }) => onWrite(readPresetForm(currentTarget))}
      >
        <input type="hidden" name="revision" value={revision} />
        {newId && <input type="hidden" name="presetId" value={newId} />}
        {kind === "gone" && <input type="hidden" name="gone" value="1" />}
        <div className="frame">
          <div className="flex flex-col gap-6">
            <FormError>{errors.form}</FormError>
            {isFound && (
              <p role="status" className="text-ink-2 text-ui">
                What you wrote here before is not saved yet.{" "}
                <button type="button" className="link" onClick={onDiscard}>
                  Discard it
                </button>
              </p>
            )}
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
              {(values.notes === "chosen" || values.chosenNotes) && (
                <option value="chosen">{chosenWords(values.chosenNotes ?? "")}</option>
              )}
              <option value="none">None</option>
            </Choice>
            {values.chosenNotes && <input type="hidden" name="chosenNotes" value={values.chosenNotes} />}
            <div className="flex flex-wrap items-center gap-2">
              <Button type="submit" kind="main" name="intent" value="save" pending={pending === "save"}>
                Save
              </Button>
              <Link to="/settings" className={buttonClass("quiet")} onClick={onDiscard}>
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
