/**
 * A thread's settings, over the margin. Each is saved as soon as it is changed and takes effect with the next
 * message. What a person changed has a dot and Reset; what the model does not take is dashed, with the reason. Loaded
 * when it is first opened.
 */
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { Model, Range } from "~/ai/model";
import { type CallSettings, effortNames, reasonsAgainst, type ThreadSettings } from "~/ai/settings";
import { Button, IconButton } from "~/ui/button";
import { fieldClass, Select } from "~/ui/field";
import { ChevronRightIcon, CloseIcon } from "~/ui/icons";
import { useEstimate } from "./estimate-store";
import { ListAgain } from "./ListAgain";
import { findModel, type Offer } from "./models-store";
import NotePicker from "./NotePicker";
import { PresetsBlock } from "./PresetsBlock";
import { ModelOptions, systemPromptField } from "./settings-fields";
import { fieldOf } from "./settings-form";
import { switchTo } from "./switching";

export interface SettingsPanelProps {
  userId: string;
  settings: ThreadSettings;
  offer: Offer;
  notes: number;
  /** Why the last change was not saved, as a sentence. */
  problem: string | undefined;
  /** What a change that was more than one field did, and how it is taken back. */
  news: { words: string; undo(): void } | undefined;
  /** Where the panel was opened from: the choice of notes is shown at once. */
  at: "notes" | undefined;
  /** Whether the person still waits for it, and is not busy elsewhere by now. */
  takesFocus: boolean;
  onChange(settings: ThreadSettings): void;
  onModel(ref: string, how: typeof switchTo): void;
  /** All settings at once, in the place of those of the thread. */
  onReplace(settings: ThreadSettings, words: string): void;
  onClose(): void;
}

const figure = (value: number): string => value.toLocaleString("en-US");

/** Without the settings that are undefined: only what the person changed is kept. */
function without(settings: ThreadSettings, ...names: (keyof ThreadSettings)[]): ThreadSettings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !names.includes(name as keyof ThreadSettings)));
}

/** What is wrong with a length as typed, by what the model allows, as a sentence; undefined if nothing is. */
export function lengthProblem(typed: string, model: Model | undefined): string | undefined {
  const { value, problem } = fieldOf("maxTokens", typed);
  if (value === undefined || !model) return problem;
  if (value > model.maxOutput) return `${model.name} allows up to ${figure(model.maxOutput)}.`;
  if (value < model.minOutput) return `${model.name} needs at least ${figure(model.minOutput)}.`;
  return undefined;
}

/** What is wrong with stop sequences as typed, one on each line, by what the model takes; undefined if nothing is. */
export function stopsProblem(typed: string, model: Model | undefined): string | undefined {
  const { value = [], problem } = fieldOf("stopSequences", typed);
  const most = model?.supports.stopSequences ? model.supports.stopSequences.max : 4;
  if (problem || value.length <= most) return problem;
  return `${model?.name ?? "A model"} takes ${most === 1 ? "one stop sequence" : `up to ${most}, one on each line`}.`;
}

const narrow = "(width < 70rem)";

/** Whether the panel covers a part of the column: then nothing else can be used while it is open. */
export const coversColumn = (): boolean => window.matchMedia(narrow).matches;

export default function SettingsPanel({
  userId,
  settings,
  offer,
  notes,
  problem,
  news,
  at,
  takesFocus,
  onChange,
  onModel,
  onReplace,
  onClose,
}: SettingsPanelProps) {
  const panel = useRef<HTMLElement>(null);
  const [scrolled, setScrolled] = useState(false);
  const id = useId();
  const model = findModel(offer, settings.model);
  const set = (part: ThreadSettings) => onChange({ ...settings, ...part });
  const reset = (...names: (keyof ThreadSettings)[]) => onChange(without(settings, ...names));
  const reasons = model ? reasonsAgainst(model, settings) : {};
  const field = { settings, model, reasons, set, reset };
  const chooseModel = (ref: string) => onModel(ref, switchTo);
  const rare = (["topP", "stopSequences", "historyLength"] as const).some((name) => settings[name] !== undefined);

  useEffect(() => {
    if (!takesFocus) return;
    const first = at === "notes" ? "[data-notes] input:checked" : "select, input";
    panel.current?.querySelector<HTMLElement>(first)?.focus({ preventScroll: at !== "notes" });
  }, [at, takesFocus]);
  const close = useRef(onClose);
  close.current = onClose;
  // Where it covers a part of the column, what lies under it cannot be reached, and a press beside it closes it.
  useEffect(() => {
    const element = panel.current;
    const sheet = element?.parentElement;
    const covered = [...(sheet?.children ?? [])].filter((other) => other !== element) as HTMLElement[];
    const isNarrow = window.matchMedia(narrow);
    const cover = (on: boolean) => {
      for (const other of covered) other.inert = on;
    };
    const resized = () => cover(isNarrow.matches);
    const pressed = ({ target }: PointerEvent) => {
      if (isNarrow.matches && target instanceof Node && !element?.contains(target)) close.current();
    };
    resized();
    isNarrow.addEventListener("change", resized);
    sheet?.addEventListener("pointerdown", pressed);
    return () => {
      isNarrow.removeEventListener("change", resized);
      sheet?.removeEventListener("pointerdown", pressed);
      cover(false);
    };
  }, []);
  return (
    <section
      ref={panel}
      className="panel"
      aria-labelledby={`${id}-title`}
      onKeyDown={(event) => {
        // With Shift it leads to the composer.
        if (event.key !== "Escape" || event.shiftKey || event.defaultPrevented) return;
        event.preventDefault();
        onClose();
      }}
    >
      <div
        className="panel-inside flex flex-col"
        onScroll={({ currentTarget }) => setScrolled(currentTarget.scrollTop > 0)}
      >
        <header
          className={`sticky top-0 z-1 flex h-[calc(var(--bar)+1px)] shrink-0 items-center justify-between border-b bg-raised pr-4 pl-6 transition-colors ${scrolled ? "border-line" : "border-transparent"}`}
        >
          <h2 id={`${id}-title`} className="font-strong text-ink text-say">
            Thread settings
          </h2>
          <IconButton label="Close" onClick={onClose}>
            <CloseIcon />
          </IconButton>
        </header>
        <div className="flex max-w-[26rem] grow flex-col gap-6 px-6 pt-1 pb-8">
          <ModelField id={`${id}-model`} {...field} offer={offer} onModel={chooseModel} />
          <Sampling
            id={`${id}-temperature`}
            {...field}
            name="temperature"
            label="Temperature"
            ends={["Plain", "Varied"]}
            step={0.1}
          />
          <MaximumLength id={`${id}-length`} {...field} />
          <Effort {...field} offer={offer} onModel={chooseModel} />
          <SystemPrompt id={`${id}-system`} {...field} />
          <NotesField {...field} count={notes} />
          <details className="group" open={rare || undefined}>
            <summary className="flex min-h-8 list-none items-center gap-2.5 rounded-s text-ink text-ui pointer-coarse:min-h-11 [&::-webkit-details-marker]:hidden">
              <ChevronRightIcon className="text-ink-3 transition-transform group-open:rotate-90" />
              <span>
                More <span className="text-ink-3 text-meta">top P, stop sequences, history</span>
              </span>
            </summary>
            <div className="flex flex-col gap-6 pt-4">
              <Sampling
                id={`${id}-top-p`}
                {...field}
                name="topP"
                label="Top P"
                ends={["The likeliest words", "All words"]}
                step={0.05}
              />
              <StopSequences id={`${id}-stops`} {...field} />
              <HistoryLength id={`${id}-history`} {...field} />
            </div>
          </details>
          <PresetsBlock
            userId={userId}
            settings={settings}
            onApply={(preset, name) =>
              onReplace(preset, `“${name}” is applied: it takes the place of what was set here.`)
            }
          />
        </div>
        <footer className="sticky bottom-0 flex min-h-16 shrink-0 items-center justify-between gap-3 border-line border-t bg-raised px-6 py-2">
          {/* Here it is in sight wherever the panel is scrolled to. */}
          <div className="text-meta">
            {problem && (
              <p role="alert" className="text-danger">
                {problem}
              </p>
            )}
            <div role="status" className="text-ink-2">
              {news && (
                <p>
                  {news.words}{" "}
                  <button
                    type="button"
                    className="link"
                    onClick={({ currentTarget }) => {
                      // A held key must not go on to Reset all, which stands next.
                      if (currentTarget.matches(":focus-visible")) panel.current?.querySelector("select")?.focus();
                      news.undo();
                    }}
                  >
                    Undo
                  </button>
                </p>
              )}
            </div>
            {!problem && !news && <p className="text-ink-3">Takes effect with your next message</p>}
          </div>
          <Button
            kind="quiet"
            className="shrink-0"
            disabled={Object.keys(settings).length === 0}
            onClick={() => onReplace({}, "All settings of this thread are reset.")}
          >
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
  /** Why the model does not take a setting now. */
  reasons: Partial<Record<keyof CallSettings, string>>;
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
            className="relative rounded-s text-ink-3 text-meta after:absolute after:-inset-2 hover:text-ink pointer-coarse:after:-inset-3.5"
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

function ModelField({
  id,
  settings,
  offer,
  model,
  onModel,
}: FieldProps & { offer: Offer; onModel(ref: string): void }) {
  const standard = offer.models[0];
  return (
    <div>
      <Label id={id} changed={settings.model !== undefined} onReset={() => standard && onModel(standard.ref)}>
        Model
      </Label>
      <Select
        id={id}
        value={settings.model ?? standard?.ref ?? ""}
        onChange={({ target: { value } }) => onModel(value)}
      >
        {!model && <option value={settings.model ?? ""}>{settings.model ?? "The default model"}</option>}
        <ModelOptions models={offer.models} />
      </Select>
      {settings.model !== undefined && !model && offer.models.length > 0 && (
        <p className="mt-1.5 text-danger text-meta">This model is not offered any more. Choose another one.</p>
      )}
      {model?.unavailable && <p className="mt-1.5 text-caution text-meta">{model.unavailable}</p>}
      {offer.problem && <p className="mt-1.5 text-danger text-meta">{offer.problem}</p>}
      {offer.notices.map((notice) => (
        <p key={notice} className="mt-1.5 text-caution text-meta">
          {notice}
        </p>
      ))}
      <ListAgain />
    </div>
  );
}

/** Why a field is off, below it, and the way out where there is one. */
function Reason({ id, children }: { id: string; children: ReactNode }) {
  return (
    <p id={id} className="mt-1 text-ink-3 text-meta">
      {children}
    </p>
  );
}

/** Off, but set before: it is kept until the person drops it, and not sent. */
function NotSent({ onDrop, label }: { onDrop(): void; label: string }) {
  return (
    <>
      {" "}
      What is set here is not sent.{" "}
      <button type="button" className="link" onClick={onDrop}>
        Drop it<span className="sr-only">: {label.toLowerCase()}</span>
      </button>
    </>
  );
}

function Sampling({
  id,
  name,
  label,
  ends,
  step,
  settings,
  model,
  reasons,
  set,
  reset,
}: FieldProps & { name: "temperature" | "topP"; label: string; ends: [string, string]; step: number }) {
  const reason = reasons[name];
  const given: Range = (model?.supports[name] || undefined) ?? { min: 0, max: 1 };
  const range = name === "topP" ? { min: Math.max(given.min, step), max: given.max } : given;
  const value = settings[name];
  const at = value ?? (name === "topP" ? range.max : (range.min + range.max) / 2);
  return (
    <div>
      <Label
        id={id}
        changed={value !== undefined}
        off={reason !== undefined}
        onReset={() => reset(name)}
        aside={reason ? undefined : (value ?? <span className="text-ink-3">the model’s own</span>)}
      >
        {label}
      </Label>
      <input
        id={id}
        type="range"
        min={range.min}
        max={range.max}
        step={step}
        disabled={reason !== undefined}
        aria-describedby={reason ? `${id}-reason` : undefined}
        aria-valuetext={value === undefined ? "the model’s own" : String(value)}
        value={at}
        onChange={(event) => set({ [name]: Math.round(event.target.valueAsNumber * 100) / 100 })}
        style={{ "--at": `${(100 * (at - range.min)) / (range.max - range.min)}%` } as React.CSSProperties}
        className={`slider ${value === undefined ? "unset" : ""}`}
      />
      {reason ? (
        <Reason id={`${id}-reason`}>
          {reason}
          {value !== undefined && <NotSent onDrop={() => reset(name)} label={label} />}
        </Reason>
      ) : (
        <p className="mt-0.5 flex justify-between text-ink-3 text-meta" aria-hidden>
          <span>{ends[0]}</span>
          <span>{ends[1]}</span>
        </p>
      )}
    </div>
  );
}

/**
 * What stands in a field whose text is not always a setting. It follows the setting when that is changed elsewhere;
 * what is typed here stays as it was typed.
 */
function useTyped(stored: string): { typed: string; type(typed: string, becomes: string): void } {
  const [typed, setTyped] = useState(stored);
  const [known, setKnown] = useState(stored);
  if (known !== stored) {
    setKnown(stored);
    setTyped(stored);
  }
  return {
    typed,
    type(next, becomes) {
      setTyped(next);
      setKnown(becomes);
    },
  };
}

/**
 * A whole number. While what stands there is none, the setting is what it was before the field was entered: of 1.5
 * nobody means the 1 that was typed on the way.
 */
function WholeNumber({
  id,
  name,
  label,
  placeholder,
  aside,
  hint,
  problemOf,
  settings,
  reasons,
  set,
  reset,
}: FieldProps & {
  name: "maxTokens" | "historyLength";
  label: string;
  placeholder: string;
  aside: string | undefined;
  hint: string | undefined;
  problemOf(typed: string): string | undefined;
}) {
  const stored = settings[name];
  const [before, setBefore] = useState(stored);
  const { typed, type } = useTyped(stored === undefined ? "" : String(stored));
  const reason = name === "maxTokens" ? reasons.maxTokens : undefined;
  const problem = reason ? undefined : problemOf(typed);
  const more = problem ?? reason ?? hint;
  function put(text: string) {
    const next = problemOf(text) ? before : fieldOf(name, text).value;
    type(text, next === undefined ? "" : String(next));
    if (next === stored) return;
    if (next === undefined) reset(name);
    else set({ [name]: next });
  }
  return (
    <div>
      <Label id={id} changed={stored !== undefined} off={reason !== undefined} onReset={() => put("")}>
        {label}
      </Label>
      <div className="relative">
        <input
          id={id}
          inputMode="numeric"
          autoComplete="off"
          placeholder={placeholder}
          value={typed}
          disabled={reason !== undefined}
          aria-invalid={problem ? true : undefined}
          aria-describedby={more ? `${id}-more` : undefined}
          onFocus={() => setBefore(stored)}
          onChange={(event) => put(event.target.value)}
          className={fieldClass("medium", "pr-36! tabular-nums")}
        />
        {aside && (
          <span className="pointer-events-none absolute top-[9px] right-3 text-ink-3 text-meta tabular-nums pointer-coarse:top-[13px]">
            {aside}
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

function MaximumLength(props: FieldProps) {
  const { model, settings } = props;
  const words = Math.max(1, Math.round(((settings.maxTokens ?? 0) * 0.75) / 10) * 10);
  return (
    <WholeNumber
      {...props}
      name="maxTokens"
      label="Maximum response length"
      placeholder="tokens"
      aside={model && `up to ${figure(model.maxOutput)}`}
      hint={settings.maxTokens === undefined ? undefined : `About ${figure(words)} words.`}
      problemOf={(typed) => lengthProblem(typed, model)}
    />
  );
}

function HistoryLength(props: FieldProps) {
  return (
    <WholeNumber
      {...props}
      name="historyLength"
      label="History length"
      placeholder="20"
      aside="messages, up to 200"
      hint="How many of the newest messages are sent, your own included."
      problemOf={(typed) => fieldOf("historyLength", typed).problem}
    />
  );
}

function Effort({
  settings,
  offer,
  model,
  set,
  reset,
  onModel,
}: Omit<FieldProps, "id"> & { offer: Offer; onModel(ref: string): void }) {
  if (!model) return null;
  const { reasoningEffort: efforts } = model.supports;
  const able = efforts
    ? undefined
    : offer.models.find(({ supports, unavailable }) => supports.reasoningEffort && !unavailable);
  if (!efforts && !able) return null;
  const shown = efforts || (["low", "medium", "high"] as const);
  // In equal parts of a phone, the longest words would touch the edges of theirs.
  const parts = shown.length > 4 ? "basis-auto" : "basis-0";
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
                className="relative font-normal text-ink-3 text-meta after:absolute after:-inset-2 hover:text-ink pointer-coarse:after:-inset-3.5"
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
              className={`flex h-9 grow ${parts} items-center justify-center border-line text-ui not-first:border-l has-checked:bg-press has-checked:font-strong has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-accent pointer-coarse:h-11 ${
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
          <button type="button" className="link" onClick={() => onModel(able.ref)}>
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
        {...systemPromptField}
        rows={3}
        value={settings.systemPrompt ?? ""}
        onChange={({ target: { value } }) => (value === "" ? reset("systemPrompt") : set({ systemPrompt: value }))}
        className={fieldClass("medium", "field-sizing-content h-auto! max-h-72 min-h-20 resize-none py-2")}
      />
    </div>
  );
}

function StopSequences({ id, settings, model, reasons, set, reset }: FieldProps) {
  const stored = settings.stopSequences?.join("\n") ?? "";
  const { typed, type } = useTyped(stored);
  const reason = reasons.stopSequences;
  const problem = reason ? undefined : stopsProblem(typed, model);
  function put(text: string) {
    const wrong = stopsProblem(text, model) !== undefined;
    const { value } = fieldOf("stopSequences", text);
    type(text, wrong ? stored : (value?.join("\n") ?? ""));
    if (wrong) return;
    if (value === undefined) reset("stopSequences");
    else set({ stopSequences: value });
  }
  return (
    <div>
      <Label id={id} changed={settings.stopSequences !== undefined} off={reason !== undefined} onReset={() => put("")}>
        Stop sequences
      </Label>
      <textarea
        id={id}
        rows={2}
        value={typed}
        disabled={reason !== undefined}
        aria-invalid={problem ? true : undefined}
        aria-describedby={`${id}-more`}
        onChange={(event) => put(event.target.value)}
        className={fieldClass("medium", "field-sizing-content h-auto! max-h-40 min-h-14 resize-none py-2 font-code!")}
      />
      <p id={`${id}-more`} className={`mt-1.5 text-meta ${problem ? "text-danger" : "text-ink-3"}`}>
        {reason ?? problem ?? "One on each line. The answer ends before the first of them."}
        {reason && settings.stopSequences && <NotSent onDrop={() => reset("stopSequences")} label="Stop sequences" />}
      </p>
    </div>
  );
}

const whichNotes = [
  { which: "all", words: "All notes" },
  { which: "chosen", words: "Chosen notes" },
  { which: "none", words: "None" },
] as const;

function NotesField({ settings, set, reset, count }: Omit<FieldProps, "id"> & { count: number }) {
  const id = useId();
  const estimate = useEstimate();
  const now = settings.notes ?? "all";
  const chosen = settings.chosenNotes ?? [];
  const tokens =
    estimate?.which === now && estimate.tokens.notes > 0 ? `, ${figure(estimate.tokens.notes)} tokens` : "";
  const remarks = {
    all: `${count === 1 ? "1 note" : `${count} notes`}${now === "all" ? tokens : ""}`,
    chosen: now === "chosen" ? `${chosen.length} of ${count}${tokens}` : "",
    none: "",
  };
  return (
    <fieldset data-notes>
      <legend className="mb-1 flex items-center gap-2 font-label text-ink text-ui">
        Notes
        {settings.notes !== undefined && (
          <>
            <span className="size-[5px] rounded-full bg-accent" aria-hidden />
            <button
              type="button"
              className="relative font-normal text-ink-3 text-meta after:absolute after:-inset-2 hover:text-ink pointer-coarse:after:-inset-3.5"
              onClick={() => reset("notes", "chosenNotes")}
            >
              Reset<span className="sr-only"> notes</span>
            </button>
          </>
        )}
      </legend>
      {whichNotes.map(({ which, words }) => (
        <label key={which} className="flex min-h-[30px] items-center gap-3 text-ink text-ui pointer-coarse:min-h-11">
          <input
            type="radio"
            name={`${id}-notes`}
            className="size-4 accent-(--fill)"
            checked={now === which}
            // What was chosen stays chosen while all or none go along.
            onChange={() => (which === "all" ? reset("notes") : set({ notes: which }))}
          />
          <span>
            {words} {remarks[which] && <span className="text-ink-3 text-meta tabular-nums">{remarks[which]}</span>}
          </span>
        </label>
      ))}
      {now === "chosen" && (
        <NotePicker chosen={chosen} onChange={(next) => set({ notes: "chosen", chosenNotes: next })} />
      )}
    </fieldset>
  );
}
