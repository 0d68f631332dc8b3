/** Has the server ask the vendors again which models they offer, for a model that is newer than the list. */
import { useState } from "react";
import { loadModels } from "./models-store";

export function ListAgain() {
  const [state, setState] = useState<"" | "Listing them." | "The list is new." | "The list could not be read.">("");
  async function list() {
    setState("Listing them.");
    setState((await loadModels({ again: true })) ? "The list is new." : "The list could not be read.");
  }
  return (
    <p className="mt-1.5 text-ink-3 text-meta">
      <button type="button" className="link" onClick={() => void list()}>
        List the models again
      </button>{" "}
      <span role="status">{state}</span>
    </p>
  );
}
