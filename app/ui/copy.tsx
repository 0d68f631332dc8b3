/** A small button that copies text and says so in its own words; nothing else moves. */
import { useEffect, useState } from "react";
import { CheckIcon, CopyIcon } from "./icons";

type Outcome = "Copied" | "Not copied";

export function CopyButton({
  text,
  name = "Copy",
  className = "",
}: {
  text: () => string;
  name?: string;
  className?: string;
}) {
  const [outcome, setOutcome] = useState<Outcome>();
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(undefined), 2000);
    return () => clearTimeout(timer);
  }, [outcome]);
  function copy() {
    // Absent on pages that are not served securely.
    if (!navigator.clipboard) return setOutcome("Not copied");
    navigator.clipboard.writeText(text()).then(
      () => setOutcome("Copied"),
      () => setOutcome("Not copied"),
    );
  }
  const Icon = outcome === "Copied" ? CheckIcon : CopyIcon;
  return (
    <button
      type="button"
      onClick={copy}
      className={`finger inline-flex h-7 items-center gap-1.5 rounded-m px-2 text-ink-3 text-meta transition-colors hover:bg-press hover:text-ink max-sm:px-1.5 pointer-coarse:h-9 ${className}`}
    >
      <Icon size={14} />
      <span aria-live="polite">{outcome ?? name}</span>
    </button>
  );
}
