/**
 * The four kinds of button. `main` is the one that acts, at most one in view; `second` is outlined; `quiet` is text
 * that gets a ground when pointed at; `destructive` is quiet in red. A pending button keeps its width and its words,
 * shows the caret and takes no second press, and keeps the focus (so it is never `disabled` while pending).
 * A link that looks like a button takes `buttonClass`.
 */
import { type ComponentPropsWithoutRef, forwardRef, type MouseEvent } from "react";

export type ButtonKind = "main" | "second" | "quiet" | "destructive";
/** Heights in px: 28, 34 and 44; at least 44 under a finger, though `small` shows only 36 of them. */
export type ButtonSize = "small" | "medium" | "large";

const shared =
  "relative inline-flex shrink-0 select-none items-center justify-center gap-2 whitespace-nowrap rounded-m no-underline " +
  "transition-colors disabled:cursor-default";

const kinds: Record<ButtonKind, string> = {
  main: "bg-fill font-strong text-on-fill hover:bg-[color-mix(in_srgb,var(--fill)_90%,var(--page))] disabled:bg-press disabled:text-ink-3",
  second:
    "border border-edge bg-raised font-strong text-ink hover:bg-slip disabled:border-dashed disabled:bg-transparent disabled:text-ink-3",
  quiet: "text-ink-2 hover:bg-slip hover:text-ink disabled:bg-transparent disabled:text-ink-3",
  destructive: "text-danger hover:bg-slip disabled:bg-transparent disabled:text-ink-3",
};

const sizes: Record<ButtonSize, string> = {
  small: "finger h-7 px-2 text-meta pointer-coarse:h-9",
  medium: "h-[34px] px-3.5 text-ui pointer-coarse:h-11",
  large: "h-11 px-4 text-say",
};

/** The classes of a button, for links that look like one. */
export function buttonClass(kind: ButtonKind = "second", size: ButtonSize = "medium", more = ""): string {
  return `${shared} ${kinds[kind]} ${sizes[size]} ${more}`;
}

export interface ButtonProps extends ComponentPropsWithoutRef<"button"> {
  kind?: ButtonKind;
  size?: ButtonSize;
  /** Something that this button started is under way. */
  pending?: boolean;
}

export const Button = forwardRef<HTMLButtonElement, ButtonProps>(function Button(
  { kind = "second", size = "medium", pending = false, className = "", type = "button", onClick, children, ...rest },
  reference,
) {
  function press(event: MouseEvent<HTMLButtonElement>) {
    if (pending) event.preventDefault();
    else onClick?.(event);
  }
  return (
    <button
      ref={reference}
      type={type}
      className={buttonClass(kind, size, className)}
      aria-busy={pending || undefined}
      aria-disabled={pending || undefined}
      onClick={press}
      {...rest}
    >
      {children}
      {pending && <span className="caret -mr-2 h-[1em]! bg-current!" aria-hidden />}
    </button>
  );
});

/** A square button that shows only an icon; `label` is its name and its tooltip. */
export const IconButton = forwardRef<HTMLButtonElement, ComponentPropsWithoutRef<"button"> & { label: string }>(
  function IconButton({ label, className = "", type = "button", ...rest }, reference) {
    return (
      <button
        ref={reference}
        type={type}
        aria-label={label}
        title={label}
        className={`relative inline-flex size-7 shrink-0 items-center justify-center rounded-m text-ink-3 transition-colors after:absolute after:-inset-0.5 hover:bg-slip hover:text-ink pointer-coarse:size-11 ${className}`}
        {...rest}
      />
    );
  },
);
