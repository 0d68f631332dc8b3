/** Presets in the panel of a thread: apply one, keep the thread's settings as one, or let new threads begin with them. */
import { Link } from "@remix-run/react";
import { useId, useRef, useState } from "react";
import type { PreferencesChange } from "~/ai/preferences";
import type { ThreadSettings } from "~/ai/settings";
import { Button } from "~/ui/button";
import { fieldClass } from "~/ui/field";
import { usePreferences } from "./preferences-store";

/** The same settings, in whatever order they were written. */
const same = (one: ThreadSettings, other: ThreadSettings): boolean => {
  const sorted = (settings: ThreadSettings) => JSON.stringify(Object.entries(settings).sort());
  return sorted(one) === sorted(other);
};

/** An id that no two presets share. */
function newPresetId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function PresetsBlock({
  userId,
  settings,
  onApply,
}: {
  userId: string;
  settings: ThreadSettings;
  onApply(settings: ThreadSettings, name: string): void;
}) {
  const { preferences, problem, change } = usePreferences(userId);
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const [said, setSaid] = useState("");
  const [pending, setPending] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const id = useId();
  const presets = preferences?.presets ?? [];

  async function make(wanted: PreferencesChange, done: string): Promise<boolean> {
    setPending(true);
    setSaid("");
    const isDone = await change(wanted);
    setPending(false);
    if (isDone) setSaid(done);
    return isDone;
  }
  async function save() {
    const words = name.trim();
    if (words === "" || pending) return;
    const isDone = await make({ kind: "add", presetId: newPresetId(), name: words, settings }, `Saved as “${words}”.`);
    if (!isDone) return;
    setName("");
    setNaming(false);
    opener.current?.focus();
  }

  return (
    <section aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`} className="mb-1 font-label text-ink text-ui">
        Presets
      </h3>
      {presets.length > 0 && (
        <ul className="mb-1">
          {presets.map((preset) => (
            <li key={preset.presetId} className="flex min-h-9 items-center gap-2 pointer-coarse:min-h-11">
              <span className="grow truncate text-ink-2 text-ui">{preset.name}</span>
              {same(preset.settings, settings) ? (
                <span className="text-ink-3 text-meta">in use</span>
              ) : (
                <Button
                  kind="quiet"
                  size="small"
                  onClick={() => {
                    setSaid("");
                    onApply(preset.settings, preset.name);
                  }}
                >
                  Apply<span className="sr-only"> {preset.name}</span>
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {naming ? (
        // Not a form: Enter saves, and nothing is sent by itself.
        <div className="flex items-center gap-2">
          <input
            // biome-ignore lint/a11y/noAutofocus: the person has just asked to name it
            autoFocus
            aria-label="Name of the preset"
            placeholder="Name"
            maxLength={80}
            value={name}
            onChange={(event) => setName(event.target.value)}
            onKeyDown={(event) => {
              if (event.nativeEvent.isComposing) return;
              if (event.key === "Enter") {
                event.preventDefault();
                void save();
              } else if (event.key === "Escape") {
                event.preventDefault();
                setNaming(false);
                requestAnimationFrame(() => opener.current?.focus());
              }
            }}
            className={fieldClass("medium", "min-w-0 grow")}
          />
          <Button kind="main" pending={pending} disabled={name.trim() === ""} onClick={() => void save()}>
            Save
          </Button>
        </div>
      ) : (
        <p className="flex flex-wrap gap-x-4 gap-y-1 text-meta">
          <button ref={opener} type="button" className="link py-1" onClick={() => setNaming(true)}>
            Save as preset
          </button>
          {preferences &&
            (same(preferences.defaults, settings) ? (
              <span className="py-1 text-ink-3">New threads begin like this</span>
            ) : (
              <button
                type="button"
                className="link py-1"
                onClick={() =>
                  void make(
                    { kind: "defaults", revision: preferences.revision, settings },
                    "New threads begin with these settings.",
                  )
                }
              >
                Use for new threads
              </button>
            ))}
          <Link to="/settings#new-threads" className="link finger py-1">
            Edit presets
          </Link>
        </p>
      )}
      <p role="status" className={`mt-1 text-meta ${problem ? "text-danger" : "text-ink-3"}`}>
        {problem ?? said}
      </p>
    </section>
  );
}
