/**
 * Short news about something that the page does not show by itself. One at a time: the newest replaces the one before.
 * Read out politely; stays while it is pointed at or holds the focus, so that its action can be reached.
 */
import { useEffect, useState, useSyncExternalStore } from "react";

export interface Toast {
  text: string;
  action?: { label: string; onAction(): void };
  /** How long it stays, in seconds; 5 by default. */
  seconds?: number;
}

interface Shown extends Toast {
  key: number;
}

let shown: Shown | undefined;
let count = 0;
const listeners = new Set<() => void>();

function put(next: Shown | undefined) {
  shown = next;
  for (const listener of listeners) listener();
}

/** Shows a toast in this tab. */
export function showToast(toast: Toast): void {
  count += 1;
  put({ ...toast, key: count });
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Where toasts appear; once on a page. */
export function Toaster() {
  const toast = useSyncExternalStore(
    subscribe,
    () => shown,
    () => undefined,
  );
  return (
    <div
      role="status"
      className="pointer-events-none fixed right-6 bottom-6 z-30 max-sm:inset-x-3 max-sm:top-[calc(var(--bar)+8px)] max-sm:bottom-auto"
    >
      {toast && <ShownToast key={toast.key} toast={toast} />}
    </div>
  );
}

function ShownToast({ toast }: { toast: Shown }) {
  const [held, setHeld] = useState(false);
  const { seconds = 5, action } = toast;
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => shown === toast && put(undefined), seconds * 1000);
    return () => clearTimeout(timer);
  }, [held, seconds, toast]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointing at it only keeps it from going away
    <div
      className="appear pointer-events-auto flex min-h-11 items-center gap-6 rounded-l bg-ink px-4 text-page text-ui shadow-float"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span className="grow py-2.5">{toast.text}</span>
      {action && (
        <button
          type="button"
          className="-mr-2 rounded-m px-2 py-1 font-strong focus-visible:outline-page"
          onClick={() => {
            // First, since the action may have news of its own.
            put(undefined);
            action.onAction();
          }}
        >
          {action.label}
        </button>
      )}
    </div>
  );
}
