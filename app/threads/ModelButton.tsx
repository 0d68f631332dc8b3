/** A button that opens the list of models. Only the button is part of the first load. */
import { type ReactNode, useRef, useState } from "react";
import { onDemand } from "~/ui/on-demand";
import type { Offer } from "./models-store";
import type { switchTo } from "./switching";

const modelPicker = onDemand("The list of models", () => import("./ModelPicker"));

export interface ModelButtonProps {
  offer: Offer;
  /** The model in use, which has a mark in the list. */
  current: string | undefined;
  /** The button's accessible name, where its content does not say it. */
  name?: string;
  title?: string;
  className: string;
  /** The model, and what says what it does to settings. */
  onChoose(ref: string, how: typeof switchTo): void;
  children: ReactNode;
}

/** The list opens along the left edge of the nearest box around the button that is positioned. */
export function ModelButton({ offer, current, name, title = name, className, onChoose, children }: ModelButtonProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const ModelPicker = modelPicker.get()?.default;
  return (
    <span className="static inline-flex min-w-0">
      <button
        ref={button}
        type="button"
        aria-label={name}
        aria-haspopup="listbox"
        aria-expanded={open}
        title={title}
        onClick={() => (open ? setOpen(false) : modelPicker.use((_, isElsewhere) => setOpen(!isElsewhere)))}
        onPointerEnter={modelPicker.preload}
        onFocus={modelPicker.preload}
        className={className}
      >
        {children}
      </button>
      {open && ModelPicker && (
        <ModelPicker
          offer={offer}
          current={current}
          button={button}
          onChoose={onChoose}
          onClose={(back) => {
            setOpen(false);
            if (back) button.current?.focus();
          }}
        />
      )}
    </span>
  );
}
