/**
 * A labelled field for plain forms: label, control, hint, error. The hint and the error describe the control to a
 * screen reader; an error replaces the hint. `multiline` makes a textarea. Works without JavaScript.
 */
import { type ComponentPropsWithoutRef, forwardRef, type ReactNode, useId } from "react";
import { ChevronDownIcon } from "./icons";

const control =
  "block w-full rounded-m border border-edge bg-raised text-ink transition-colors " +
  "focus-visible:border-accent focus-visible:outline-2 focus-visible:outline-offset-[-1px] " +
  "aria-invalid:border-danger aria-invalid:focus-visible:outline-danger " +
  "disabled:border-dashed disabled:bg-transparent disabled:text-ink-3";

/** `large` is for the pages around sign-in; everything else is `medium`. */
export type FieldSize = "medium" | "large";

/** The classes of a bare control, for a select, a search box or anything else without a label of its own. */
export function fieldClass(size: FieldSize = "medium", more = ""): string {
  return `${control} ${size === "large" ? "h-11 px-3 text-[1rem] leading-6" : "h-9 px-3 text-ui max-sm:text-[1rem] pointer-coarse:h-11"} ${more}`;
}

interface Shared {
  label: ReactNode;
  /** Said below the control, while there is no error. */
  hint?: ReactNode;
  /** What is wrong, as a sentence. */
  error?: ReactNode;
  /** Stands at the right end of the label's line. */
  aside?: ReactNode;
  size?: FieldSize;
}

export type FieldProps = Shared &
  (
    | ({ multiline?: false } & Omit<ComponentPropsWithoutRef<"input">, "size">)
    | ({ multiline: true } & ComponentPropsWithoutRef<"textarea">)
  );

export const Field = forwardRef<HTMLInputElement & HTMLTextAreaElement, FieldProps>(function Field(
  { label, hint, error, aside, size = "medium", className = "", id: givenId, ...rest },
  reference,
) {
  const madeId = useId();
  const id = givenId ?? madeId;
  const saysMore = Boolean(error ?? hint);
  const shared = {
    id,
    ref: reference,
    "aria-invalid": error ? (true as const) : undefined,
    "aria-describedby": saysMore ? `${id}-more` : undefined,
  };
  return (
    <div className={className}>
      <div className="mb-1.5 flex items-baseline justify-between gap-3">
        <label htmlFor={id} className="font-label text-ui text-ink">
          {label}
        </label>
        {aside && <span className="text-meta text-ink-3">{aside}</span>}
      </div>
      {rest.multiline ? (
        <textarea {...omitMultiline(rest)} {...shared} className={fieldClass(size, "h-auto! min-h-20 py-2")} />
      ) : (
        <input {...omitMultiline(rest)} {...shared} className={fieldClass(size)} />
      )}
      {saysMore && (
        <p id={`${id}-more`} className={`mt-1.5 text-meta ${error ? "text-danger" : "text-ink-3"}`}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
});

/** A select of a {@link fieldClass}'s look; its label stands beside it. */
export function Select({ children, ...rest }: ComponentPropsWithoutRef<"select">) {
  return (
    <div className="relative">
      <select className={fieldClass("medium", "appearance-none pr-9!")} {...rest}>
        {children}
      </select>
      <ChevronDownIcon className="pointer-events-none absolute top-2.5 right-3 text-ink-3 pointer-coarse:top-3.5" />
    </div>
  );
}

function omitMultiline<T extends { multiline?: boolean }>(props: T): Omit<T, "multiline"> {
  const { multiline: _, ...rest } = props;
  return rest;
}

/** Says what went wrong with a whole form, above it; announced when it appears. */
export function FormError({ children }: { children: ReactNode }) {
  if (!children) return null;
  return (
    <p role="alert" className="mb-4 text-ui text-danger">
      {children}
    </p>
  );
}
