/** In Settings: what new threads begin with, and the presets, each with the way to change it. */
import { Link } from "@remix-run/react";
import type { Preferences } from "~/ai/preferences";
import { effortNames, type ThreadSettings } from "~/ai/settings";
import { buttonClass } from "~/ui/button";

const words: Record<keyof ThreadSettings, (settings: ThreadSettings) => string> = {
  model: ({ model }) => model?.slice(model.indexOf(":") + 1) ?? "",
  temperature: ({ temperature }) => `temperature ${temperature}`,
  topP: ({ topP }) => `top P ${topP}`,
  maxTokens: ({ maxTokens }) => `up to ${maxTokens?.toLocaleString("en-US")} tokens`,
  stopSequences: () => "stop sequences",
  reasoningEffort: ({ reasoningEffort }) => `reasoning ${effortNames[reasoningEffort ?? "none"].toLowerCase()}`,
  systemPrompt: () => "a system prompt",
  historyLength: ({ historyLength }) => `${historyLength} messages`,
  notes: ({ notes, chosenNotes }) => (notes === "none" ? "no notes" : `${chosenNotes?.length ?? 0} chosen notes`),
  chosenNotes: () => "",
};

/** The settings in a line: what was set, in the order of the panel. */
export function summaryOf(settings: ThreadSettings): string {
  const parts = (Object.keys(words) as (keyof ThreadSettings)[]).flatMap((name) =>
    settings[name] === undefined ? [] : words[name](settings) || [],
  );
  return parts.length > 0 ? parts.join(", ") : "Nothing set";
}

const row =
  "grid min-h-[52px] grid-cols-[auto_minmax(0,1fr)_auto] items-center gap-x-4 border-line border-b py-2 text-ui max-sm:grid-cols-[minmax(0,1fr)_auto]";
/** Beside the name; on a phone, where that leaves no room, below it. */
const summary = "truncate text-ink-3 text-meta sm:text-right max-sm:col-start-1 max-sm:row-start-2";
const action = "max-sm:col-start-2 max-sm:row-start-1 max-sm:row-end-3";

export function NewThreads({ defaults, presets }: Omit<Preferences, "revision">) {
  return (
    <>
      <div className={row}>
        <span>New threads begin with</span>
        <span className={summary}>{summaryOf(defaults)}</span>
        <Link to="/settings/presets/defaults" className={buttonClass("second", "medium", action)}>
          Change<span className="sr-only"> what new threads begin with</span>
        </Link>
      </div>
      {presets.map(({ presetId, name, settings }) => (
        <div key={presetId} className={row}>
          <span className="truncate sm:max-w-80">{name}</span>
          <span className={summary}>{summaryOf(settings)}</span>
          <Link to={`/settings/presets/${presetId}`} className={buttonClass("second", "medium", action)}>
            Edit<span className="sr-only"> {name}</span>
          </Link>
        </div>
      ))}
      <div className="pt-3">
        <Link to="/settings/presets/new" className={buttonClass("second")}>
          New preset
        </Link>
      </div>
    </>
  );
}
