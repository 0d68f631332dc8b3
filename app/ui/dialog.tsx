/**
 * A dialog in the middle of the window, or a sheet from the right. Holds the focus, gives it back, closes on Escape and
 * on a press beside it. Load it when it is needed, by `onDemand`. The scrim is our
 * own: Radix's would lock the page by a style that the content security policy rightly refuses, and the page
 * behind it cannot be scrolled anyway.
 */
import { Dialog as RadixDialog } from "radix-ui";
import type { ReactNode } from "react";
import { IconButton } from "./button";
import { CloseIcon } from "./icons";

export interface DialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  /** One or two sentences below the title. */
  description?: ReactNode;
  children?: ReactNode;
  /** The actions, the main one last. */
  actions?: ReactNode;
  from?: "middle" | "right";
  /** What gets the focus back, where it is not what had it before. */
  returnTo?(): HTMLElement | null | undefined;
}

const places = {
  middle:
    "-translate-x-1/2 top-28 left-1/2 max-h-[calc(100dvh-9rem)] w-[min(26rem,100%-2rem)] rounded-l border border-line",
  right: "inset-y-0 right-0 w-[min(25rem,100%)] border-line border-l",
};

export default function Dialog({
  open,
  onOpenChange,
  title,
  description,
  children,
  actions,
  from = "middle",
  returnTo,
}: DialogProps) {
  return (
    <RadixDialog.Root open={open} onOpenChange={onOpenChange}>
      <RadixDialog.Portal>
        <div className="appear fixed inset-0 z-30 bg-scrim" aria-hidden />
        <RadixDialog.Content
          {...(description ? {} : { "aria-describedby": undefined })}
          onOpenAutoFocus={(event) => {
            const field = (event.currentTarget as HTMLElement).querySelector<HTMLInputElement>(
              "input, textarea, select",
            );
            if (!field) return;
            event.preventDefault();
            field.focus();
            field.select?.();
          }}
          onCloseAutoFocus={(event) => {
            const target = returnTo?.();
            if (!target) return;
            event.preventDefault();
            target.focus();
          }}
          className={`appear fixed z-30 flex flex-col overflow-y-auto bg-raised p-6 text-ui shadow-float outline-none ${places[from]}`}
        >
          <div className="flex items-start justify-between gap-4">
            <RadixDialog.Title className="font-strong text-ink text-say">{title}</RadixDialog.Title>
            <RadixDialog.Close asChild>
              <IconButton label="Close" className="-mt-0.5 -mr-1.5">
                <CloseIcon />
              </IconButton>
            </RadixDialog.Close>
          </div>
          {description && (
            <RadixDialog.Description className="mt-2 text-ink-2 text-ui">{description}</RadixDialog.Description>
          )}
          {children && <div className="mt-4">{children}</div>}
          {actions && <div className="mt-6 flex flex-wrap justify-end gap-2">{actions}</div>}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}
