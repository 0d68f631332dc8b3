/**
 * A thread's settings, over the margin. Each is saved as soon as it is changed and takes effect with the next
 * message. What a person changed has a dot and Reset; what the model does not take is dashed, with the reason. Loaded
 * when it is first opened.
 */
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { Model } from "~/ai/model";
import type { ReasoningEffort, ThreadSettings } from "~/ai/settings";
import { Button, IconButton } from "~/ui/button";
import { fieldClass } from "~/ui/field";
import { ChevronDownIcon, CloseIcon } from "~/ui/icons";
import { findModel, groupModels, type Offer, sizeName } from "./models-store";

export interface SettingsPanelProps {
  settings: ThreadSettings;
  offer: Offer;
  notes: number;
  /** Why the last change was not saved, as a sentence. */
  problem: string | undefined;
  onChange(settings: ThreadSettings): void;
  onClose(): void;
}

const figure = (value: number): string => value.toLocaleString("en-US");

/** Without the settings that are undefined: only what the person changed is kept. */
function without(settings: ThreadSettings, ...names: (keyof ThreadSettings)[]): ThreadSettings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !names.includes(name as keyof ThreadSettings)));
}

/** Why the model does not take a temperature now; undefined if it does. */
export function whyNoTemperature(model: Model | undefined, settings: ThreadSettings): string | undefined {
  if (!model) return undefined;
  const { temperature, sampling } = model.supports;
  const effort = settings.reasoningEffort;
  if (temperature === false) return `${model.name} sets its own temperature.`;
  if (sampling === "with-effort-none" && effort !== "none")
    return `${model.name} takes a temperature only with no reasoning effort.`;
  if (sampling === "unless-reasoning" && effort !== undefined && effort !== "none")
    return `${model.name} takes no temperature beside a reasoning effort.`;
  return undefined;
}

/** What is wrong with a length as typed, as a sentence; undefined if nothing is. */
export function lengthProblem(typed: string, model: Model | undefined): string | undefined {
  const plain = typed.replace(/[\s,.']/g, "");
  if (plain === "") return undefined;
  if (!/^\d{1,7}$/.test(plain) || Number(plain) < 1) return "A length is a whole number, 1 or more.";
  if (model && Number(plain) > model.maxOutput) return `${model.name} allows up to ${figure(model.maxOutput)}.`;
  if (model && Number(plain) < model.minOutput) return `${model.name} needs at least ${figure(model.minOutput)}.`;
  return undefined;
}

export default function SettingsPanel({ settings, offer, notes, problem, onChange, onClose }: SettingsPanelProps) {
  const panel = useRef<HTMLElement>(null);
  const id = useId();
  const model = findModel(offer, settings.model);
  const set = (part: ThreadSettings) => onChange({ ...settings, ...part });
  const reset = (...names: (keyof ThreadSettings)[]) => onChange(without(settings, ...names));

  useEffect(() => panel.current?.querySelector<HTMLElement>("select, input")?.focus({ preventScroll: true }), []);
  return (
    <section
      ref={panel}
      className="panel"
      aria-labelledby={`${id}-title`}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        onClose();
      }}
    >
      <div className="panel-inside flex flex-col">
        <header className="flex h-(--bar) shrink-0 items-center justify-between pr-4 pl-6">
          <h2 id={`${id}-title`} className="font-strong text-ink text-say">
            Thread settings
          </h2>
          <IconButton label="Close" onClick={onClose}>
            <CloseIcon />
          </IconButton>
        </header>
        <div className="flex max-w-[26rem] grow flex-col gap-6 px-6 pt-1 pb-8">
          <ModelField id={`${id}-model`} settings={settings} offer={offer} model={model} set={set} reset={reset} />
          <Temperature id={`${id}-temperature`} settings={settings} model={model} set={set} reset={reset} />
          <MaximumLength id={`${id}-length`} settings={settings} model={model} set={set} reset={reset} />
          <Effort settings={settings} offer={offer} model={model} set={set} reset={reset} />
          <SystemPrompt id={`${id}-system`} settings={settings} set={set} reset={reset} />
          <fieldset>
            <legend className="mb-1 font-label text-ink text-ui">Notes</legend>
            {(["all", "none"] as const).map((which) => (
              <label
                key={which}
                className="flex min-h-[30px] items-center gap-3 text-ink text-ui pointer-coarse:min-h-11"
              >
                <input
                  type="radio"
                  name={`${id}-notes`}
                  className="size-4 accent-(--fill)"
                  checked={(settings.notes ?? "all") === which}
                  onChange={() => (which === "all" ? reset("notes") : set({ notes: which }))}
                />
                {which === "all" ? (
                  <span>
                    All notes <span className="text-ink-3 text-meta">{notes === 1 ? "1 note" : `${notes} notes`}</span>
                  </span>
                ) : (
                  "None"
                )}
              </label>
            ))}
          </fieldset>
        </div>
        <footer className="sticky bottom-0 flex min-h-16 shrink-0 items-center justify-between gap-3 border-line border-t bg-raised px-6">
          {problem ? (
            <p role="alert" className="text-danger text-meta">
              {problem}
            </p>
          ) : (
            <p className="text-ink-3 text-meta">Takes effect with your next message</p>
          )}
          <Button kind="quiet" disabled={Object.keys(settings).length === 0} onClick={() => onChange({})}>
            Reset all
          </Button>
        </footer>
      </div>
    </section>
  );
}

interface FieldProps {
  id: string;
  settings: ThreadSettings;
  model?: Model | undefined;
  set(part: ThreadSettings): void;
  reset(...names: (keyof ThreadSettings)[]): void;
}

/** The name of a field; a dot and Reset where the person changed it. */
function Label({
  id,
  changed,
  off = false,
  onReset,
  aside,
  children,
}: {
  id: string;
  changed: boolean;
  off?: boolean;
  onReset(): void;
  aside?: ReactNode;
  children: string;
}) {
  return (
    <div className="mb-1.5 flex min-h-5 items-center gap-2 text-ui">
      <label htmlFor={id} className={`font-label ${off ? "text-ink-3" : "text-ink"}`}>
        {children}
      </label>
      {changed && (
        <>
          <span className="size-[5px] rounded-full bg-accent" aria-hidden />
          <button
            type="button"
            className="relative rounded-s text-ink-3 text-meta after:absolute after:-inset-2 hover:text-ink"
            onClick={onReset}
          >
            Reset<span className="sr-only"> {children.toLowerCase()}</span>
          </button>
        </>
      )}
      {aside && <span className="ml-auto text-ink-2 tabular-nums">{aside}</span>}
    </div>
  );
}

function ModelField({ id, settings, offer, model, set, reset }: FieldProps & { offer: Offer }) {
  const standard = offer.models[0];
  return (
    <div>
      <Label id={id} changed={settings.model !== undefined} onReset={() => reset("model")}>
        Model
      </Label>
      <div className="relative">
        <select
          id={id}
          value={settings.model ?? standard?.ref ?? ""}
          onChange={({ target: { value } }) => (value === standard?.ref ? reset("model") : set({ model: value }))}
          className={fieldClass("medium", "appearance-none pr-9!")}
        >
          {!model && <option value={settings.model ?? ""}>{settings.model ?? "The default model"}</option>}
          {groupModels(offer.models).map(({ name, models }) => (
            <optgroup key={name} label={name}>
              {models.map(({ ref, name: modelName, window, unavailable }) => (
                <option key={ref} value={ref} disabled={unavailable !== undefined}>
                  {modelName}, {unavailable ? "not allowed here" : `${sizeName(window)} window`}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
        <ChevronDownIcon className="pointer-events-none absolute top-2.5 right-3 text-ink-3 pointer-coarse:top-3.5" />
      </div>
      {settings.model !== undefined && !model && offer.models.length > 0 && (
        <p className="mt-1.5 text-danger text-meta">This model is not offered any more. Choose another one.</p>
      )}
      {offer.problem && <p className="mt-1.5 text-danger text-meta">{offer.problem}</p>}
      {offer.notices.map((notice) => (
        <p key={notice} className="mt-1.5 text-caution text-meta">
          {notice}
        </p>
      ))}
    </div>
  );
}

function Temperature({ id, settings, model, set, reset }: FieldProps) {
  const reason = whyNoTemperature(model, settings);
  const range = (model?.supports.temperature || undefined) ?? { min: 0, max: 1 };
  const { temperature } = settings;
  const at = temperature ?? (range.min + range.max) / 2;
  return (
    <div>
      <Label
        id={id}
        changed={temperature !== undefined}
        off={reason !== undefined}
        onReset={() => reset("temperature")}
        aside={reason ? undefined : (temperature ?? <span className="text-ink-3">the model’s own</span>)}
      >
        Temperature
      </Label>
      <input
        id={id}
        type="range"
        min={range.min}
        max={range.max}
        step={0.1}
        disabled={reason !== undefined}
        aria-describedby={reason ? `${id}-reason` : undefined}
        aria-valuetext={temperature === undefined ? "the model’s own" : String(temperature)}
        value={at}
        onChange={(event) => set({ temperature: Math.round(event.target.valueAsNumber * 10) / 10 })}
        style={{ "--at": `${(100 * (at - range.min)) / (range.max - range.min)}%` } as React.CSSProperties}
        className={`slider ${temperature === undefined ? "unset" : ""}`}
      />
      {reason ? (
        <p id={`${id}-reason`} className="mt-1 text-ink-3 text-meta">
          {reason}
        </p>
      ) : (
        <p className="flex justify-between text-ink-3 text-meta" aria-hidden>
          <span>Plain</span>
          <span>Varied</span>
        </p>
      )}
    </div>
  );
}

function MaximumLength({ id, settings, model, set, reset }: FieldProps) {
  const stored = settings.maxTokens === undefined ? "" : String(settings.maxTokens);
  const [typed, setTyped] = useState(stored);
  const [known, setKnown] = useState(stored);
  if (known !== stored) {
    setKnown(stored);
    setTyped(stored);
  }
  const problem = lengthProblem(typed, model);
  const words = Math.round((Number(stored) * 0.75) / 10) * 10;
  const more = problem ?? (stored ? `About ${figure(Math.max(1, words))} words.` : "");
  function type(value: string) {
    setTyped(value);
    const plain = value.replace(/[\s,.']/g, "");
    if (plain === "") reset("maxTokens");
    else if (!lengthProblem(value, model)) {
      setKnown(plain);
      set({ maxTokens: Number(plain) });
    }
  }
  return (
    <div>
      <Label
        id={id}
        changed={settings.maxTokens !== undefined}
        onReset={() => {
          setTyped("");
          reset("maxTokens");
        }}
      >
        Maximum response length
      </Label>
      <div className="relative">
        <input
          id={id}
          inputMode="numeric"
          autoComplete="off"
          placeholder="tokens"
          value={typed}
          aria-invalid={problem ? true : undefined}
          aria-describedby={more ? `${id}-more` : undefined}
          onChange={(event) => type(event.target.value)}
          className={fieldClass("medium", "pr-28! tabular-nums")}
        />
        {model && (
          <span className="pointer-events-none absolute top-[9px] right-3 text-ink-3 text-meta tabular-nums pointer-coarse:top-[13px]">
            up to {figure(model.maxOutput)}
          </span>
        )}
      </div>
      {more && (
        <p id={`${id}-more`} className={`mt-1.5 text-meta ${problem ? "text-danger" : "text-ink-3"}`}>
          {more}
        </p>
      )}
    </div>
  );
}

const effortNames: Record<ReasoningEffort, string> = {
  none: "None",
  minimal: "Minimal",
  low: "Low",
  medium: "Medium",
  high: "High",
  xhigh: "Higher",
};

function Effort({ settings, offer, model, set, reset }: Omit<FieldProps, "id"> & { offer: Offer }) {
  if (!model) return null;
  const { reasoningEffort: efforts } = model.supports;
  const able = efforts
    ? undefined
    : offer.models.find(({ supports, unavailable }) => supports.reasoningEffort && !unavailable);
  if (!efforts && !able) return null;
  const shown = efforts || (["low", "medium", "high"] as const);
  return (
    <div>
      <fieldset disabled={!efforts}>
        <legend className={`mb-1.5 flex items-center gap-2 font-label text-ui ${efforts ? "text-ink" : "text-ink-3"}`}>
          Reasoning effort
          {efforts && settings.reasoningEffort !== undefined && (
            <>
              <span className="size-[5px] rounded-full bg-accent" aria-hidden />
              <button
                type="button"
                className="font-normal text-ink-3 text-meta hover:text-ink"
                onClick={() => reset("reasoningEffort")}
              >
                Reset<span className="sr-only"> reasoning effort</span>
              </button>
            </>
          )}
        </legend>
        <div
          className={`flex overflow-hidden rounded-m border ${efforts ? "border-edge" : "border-edge border-dashed"}`}
        >
          {shown.map((effort) => (
            <label
              key={effort}
              className={`flex h-9 grow basis-0 items-center justify-center border-line text-ui not-first:border-l has-checked:bg-press has-checked:font-strong has-focus-visible:outline-2 has-focus-visible:outline-accent pointer-coarse:h-11 ${
                efforts ? "text-ink-2" : "text-ink-3"
              }`}
            >
              <input
                type="radio"
                name="reasoning-effort"
                className="sr-only"
                checked={Boolean(efforts) && settings.reasoningEffort === effort}
                onChange={() => set({ reasoningEffort: effort })}
              />
              {effortNames[effort]}
            </label>
          ))}
        </div>
      </fieldset>
      {able && (
        <p className="mt-1.5 text-ink-3 text-meta">
          {model.name} has no reasoning effort.{" "}
          <button type="button" className="link" onClick={() => set({ model: able.ref })}>
            Use {able.name}
          </button>
        </p>
      )}
    </div>
  );
}

function SystemPrompt({ id, settings, set, reset }: FieldProps) {
  return (
    <div>
      <Label id={id} changed={settings.systemPrompt !== undefined} onReset={() => reset("systemPrompt")}>
        System prompt
      </Label>
      <textarea
        id={id}
        maxLength={16_000}
        rows={3}
        value={settings.systemPrompt ?? ""}
        placeholder="As whoever runs this Sidenote set it"
        onChange={({ target: { value } }) => (value === "" ? reset("systemPrompt") : set({ systemPrompt: value }))}
        className={fieldClass("medium", "field-sizing-content h-auto! max-h-72 min-h-20 resize-none py-2")}
      />
    </div>
  );
}
