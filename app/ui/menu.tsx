/**
 * A button that opens a menu. Only the button is part of the first load: what opens (Radix) is fetched when the
 * button is pointed at or focused, so it is there when it is pressed.
 */
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { onDemand } from "./on-demand";

export interface MenuItem {
  label: string;
  icon?: ReactNode;
  onSelect(): void;
  /** Stands at the right end, in grey: a size, a key, a reason. */
  remark?: ReactNode;
  destructive?: boolean;
  disabled?: boolean;
  /** Given for items of which one is chosen. */
  checked?: boolean;
  /** Whether the choice moves the focus itself, so that the button does not get it back. */
  movesFocus?: () => boolean;
}

export interface MenuGroup {
  /** Names the group in grey above it. */
  label?: string;
  items: MenuItem[];
}

export interface MenuProps {
  /** The button's accessible name, where its content is no text. */
  name?: string;
  groups: MenuGroup[];
  children: ReactNode;
  className?: string;
  align?: "start" | "end";
  side?: "top" | "bottom";
  /** Given, the menu can be opened from elsewhere too. */
  open?: boolean;
  onOpenChange?(open: boolean): void;
}

const content = onDemand("The menu", () => import("./menu-content"));

export function Menu({
  name,
  groups,
  children,
  className = "",
  align = "end",
  side = "bottom",
  ...controlled
}: MenuProps) {
  const [ownOpen, setOwnOpen] = useState(false);
  const [loaded, setLoaded] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const open = controlled.open ?? ownOpen;
  function setOpen(next: boolean) {
    setOwnOpen(next);
    controlled.onOpenChange?.(next);
  }
  const setOpenNow = useRef(setOpen);
  setOpenNow.current = setOpen;
  const Content = content.get()?.MenuContent;
  useEffect(() => {
    if (!open || loaded) return;
    content.use(
      (_, isElsewhere) => {
        setLoaded(true);
        if (isElsewhere) setOpenNow.current(false);
      },
      () => setOpenNow.current(false),
    );
  }, [open, loaded]);
  return (
    <span className="relative inline-flex">
      <button
        ref={button}
        id={id}
        type="button"
        aria-label={name}
        title={name}
        aria-haspopup="menu"
        aria-expanded={open}
        className={className}
        onPointerEnter={content.preload}
        onFocus={content.preload}
        onClick={() => setOpen(!open)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {children}
      </button>
      {loaded && Content && (
        <Content
          groups={groups}
          open={open}
          onOpenChange={setOpen}
          align={align}
          side={side}
          button={button}
          labelledBy={id}
        />
      )}
    </span>
  );
}
