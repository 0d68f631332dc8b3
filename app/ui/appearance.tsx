/**
 * Light, dark, or as the system has it. The choice lies in this browser only; a script in the head applies it before
 * the first paint, so nothing flashes. The same script keeps hidden threads hidden.
 */
import { useSyncExternalStore } from "react";

export type Appearance = "system" | "light" | "dark";

const KEY = "appearance";
export const THREADS_KEY = "threads";

const firstPaint = `try{var d=document.documentElement.dataset,s=localStorage,a=s.getItem("${KEY}");if(a==="light"||a==="dark")d.theme=a;if(s.getItem("${THREADS_KEY}")==="hidden")d.threads="hidden"}catch(e){}`;

/** Stands in the head, before the styles. */
export function FirstPaint({ nonce }: { nonce: string | undefined }) {
  return (
    <script
      nonce={nonce}
      suppressHydrationWarning
      // biome-ignore lint/security/noDangerouslySetInnerHtml: a constant of this module; it must run before the first paint
      dangerouslySetInnerHTML={{ __html: firstPaint }}
    />
  );
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void) {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

/** Reads or writes this browser's storage; a browser that forbids it keeps nothing. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Private windows may forbid it: then it holds for this page only.
  }
}

function readAppearance(): Appearance {
  const kept = remembered(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

function chooseAppearance(appearance: Appearance): void {
  if (appearance === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = appearance;
  remember(KEY, appearance === "system" ? null : appearance);
  for (const listener of listeners) listener();
}

const choices: { value: Appearance; label: string }[] = [
  { value: "system", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

/** The choice as three joined buttons, for the settings page. */
export function AppearanceChoice() {
  const chosen = useSyncExternalStore(subscribe, readAppearance, () => "system" as const);
  return (
    <fieldset className="inline-flex overflow-hidden rounded-m border border-edge bg-raised has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2">
      <legend className="sr-only">Appearance</legend>
      {choices.map(({ value, label }) => (
        <label
          key={value}
          className="border-line border-l px-5 py-1.5 text-center text-ink-2 text-ui first-of-type:border-l-0 has-checked:bg-press has-checked:font-strong has-checked:text-ink pointer-coarse:py-3"
        >
          <input
            type="radio"
            name="appearance"
            value={value}
            checked={chosen === value}
            onChange={() => chooseAppearance(value)}
            className="sr-only"
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}
