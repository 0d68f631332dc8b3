/**
 * Code that is loaded when it is first needed. Where it cannot be loaded (offline, or a deploy has replaced it), the
 * page stays as it is and says so: a part that failed must never take the place of what the person is writing.
 */
import { showToast } from "./toast";

export interface OnDemand<Module> {
  /** The code, once it is there. */
  get(): Module | undefined;
  /** Begins to load it, since it may be needed soon. */
  preload(): void;
  /**
   * Calls `then` with it: at once if it is there. `isElsewhere`: meanwhile the focus has gone on to something else, and
   * what was asked for must not take it. If it cannot be loaded a toast says so, and `otherwise` is called.
   */
  use(then: (module: Module, isElsewhere: boolean) => void, otherwise?: () => void): void;
}

/** @param what how the toast names it, as the beginning of a sentence */
export function onDemand<Module>(what: string, load: () => Promise<Module>): OnDemand<Module> {
  let loaded: Module | undefined;
  let loading: Promise<Module> | undefined;
  function begin(): Promise<Module> {
    loading ??= load().then(
      (module) => {
        loaded = module;
        return module;
      },
      (error: unknown) => {
        loading = undefined;
        throw error;
      },
    );
    return loading;
  }
  return {
    get: () => loaded,
    preload() {
      begin().catch((error: unknown) => console.warn(`${what} could not be loaded.`, error));
    },
    use(then, otherwise) {
      if (loaded) return then(loaded, false);
      const asked = document.activeElement;
      begin().then(
        (module) => {
          const active = document.activeElement;
          then(module, active !== asked && active !== null && active !== document.body);
        },
        (error: unknown) => {
          console.warn(`${what} could not be loaded.`, error);
          showToast(
            navigator.onLine
              ? {
                  text: `${what} could not be loaded.`,
                  action: { label: "Reload the page", onAction: () => window.location.reload() },
                  seconds: 10,
                }
              : { text: `${what} could not be loaded. You are offline.` },
          );
          otherwise?.();
        },
      );
    },
  };
}
