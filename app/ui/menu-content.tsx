/** What a menu opens. Loaded on demand by `Menu`. It does not lock the page behind it, which would need a style of its own. */
import { DropdownMenu } from "radix-ui";
import { type RefObject, useRef } from "react";
import { CheckIcon } from "./icons";
import type { MenuGroup, MenuItem } from "./menu";

export interface MenuContentProps {
  groups: MenuGroup[];
  open: boolean;
  onOpenChange(open: boolean): void;
  align: "start" | "end";
  side: "top" | "bottom";
  button: RefObject<HTMLButtonElement>;
  labelledBy: string;
}

export function MenuContent({ groups, open, onOpenChange, align, side, button, labelledBy }: MenuContentProps) {
  const focusMoved = useRef(false);
  function select(item: MenuItem) {
    focusMoved.current = item.movesFocus?.() ?? false;
    item.onSelect();
  }
  return (
    <DropdownMenu.Root open={open} onOpenChange={onOpenChange} modal={false}>
      <DropdownMenu.Trigger asChild>
        <span className="pointer-events-none absolute inset-0" aria-hidden tabIndex={-1} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          aria-labelledby={labelledBy}
          align={align}
          side={side}
          sideOffset={4}
          collisionPadding={8}
          loop
          className="appear z-20 max-h-(--radix-dropdown-menu-content-available-height) min-w-48 overflow-y-auto rounded-l border border-line bg-raised p-1.5 text-ui shadow-float"
          onInteractOutside={(event) => {
            if (event.target instanceof Node && button.current?.contains(event.target)) event.preventDefault();
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (!focusMoved.current) button.current?.focus();
            focusMoved.current = false;
          }}
        >
          {groups.map((group, index) => (
            <DropdownMenu.Group key={group.label ?? index} className="not-first:mt-1">
              {group.label && (
                <DropdownMenu.Label className="px-2.5 pt-1.5 pb-1 text-ink-3 text-meta">
                  {group.label}
                </DropdownMenu.Label>
              )}
              {group.items.map((item) => (
                <DropdownMenu.Item
                  key={item.label}
                  disabled={item.disabled}
                  onSelect={() => select(item)}
                  {...(item.checked === undefined ? {} : { role: "menuitemradio", "aria-checked": item.checked })}
                  className={`flex min-h-[34px] cursor-pointer select-none items-center gap-2.5 rounded-m px-2.5 -outline-offset-2 data-disabled:cursor-default data-highlighted:bg-press/60 data-disabled:text-ink-3 pointer-coarse:min-h-11 ${item.destructive ? "text-danger" : "text-ink"}`}
                >
                  {item.icon && <span className={item.destructive ? "" : "text-ink-3"}>{item.icon}</span>}
                  <span className="grow">{item.label}</span>
                  {item.remark && <span className="pl-6 text-ink-3 text-meta">{item.remark}</span>}
                  {item.checked !== undefined && (
                    <span className="w-4 text-ink-3">{item.checked && <CheckIcon />}</span>
                  )}
                </DropdownMenu.Item>
              ))}
            </DropdownMenu.Group>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
