/**
 * Keeps a keyboard's place in the page. A control that goes away or is switched off because it was used (Retry, Reset,
 * Undo, an arrow between versions) would leave the focus nowhere: keys would then act on the whole page, and a screen
 * reader would begin again at its top. The focus goes on to what stands next instead; on another page, to that page.
 * What a component does about its own focus comes first. Whoever points at things is left alone.
 */
import { type RefObject, useEffect } from "react";

const focusable =
  "a[href], button:not(:disabled), input:not(:disabled, [type=hidden]), select:not(:disabled), textarea:not(:disabled), summary, [tabindex='0']";

/** Marks controls that take each other's place: the one that has come is preferred to what stands next. */
export const SAME_PLACE = "data-same-place";

interface Place {
  element: HTMLElement;
  /** Where it stands, and later where it stood: the ends of a range move when nodes are removed around them. */
  range: Range;
  path: string;
  same: string | null;
  label: string | null;
}

const isUsable = (element: Element): boolean =>
  element.isConnected && !element.matches(":disabled") && element.closest("[inert]") === null;

/** Where the focus goes on to from a control that is gone. */
function nextOf({ range, path, same, label }: Place, root: HTMLElement): HTMLElement {
  if (window.location.pathname !== path) return root;
  const seen = (element: HTMLElement): boolean =>
    isUsable(element) && element.checkVisibility({ visibilityProperty: true });
  if (same !== null) {
    const others = [...root.querySelectorAll<HTMLElement>(`[${SAME_PLACE}="${CSS.escape(same)}"]`)].filter(seen);
    const other = others.find((element) => element.getAttribute("aria-label") === label) ?? others[0];
    if (other) return other;
  }
  const all = [...root.querySelectorAll<HTMLElement>(focusable)].filter(seen);
  return all.find((element) => range.comparePoint(element, 0) > 0) ?? all.at(-1) ?? root;
}

/** @param root what holds the page; can have the focus itself */
export function useKeptFocus(root: RefObject<HTMLElement>): void {
  useEffect(() => {
    let place: Place | undefined;
    let frame: number | undefined;

    const focusIn = ({ target }: FocusEvent) => {
      if (!(target instanceof HTMLElement) || !root.current) return;
      // A menu stands at the end of the document, and leads back to its button.
      if (!root.current.contains(target) && target.closest("[role=menu]")) return;
      place = undefined;
      if (target === root.current || !root.current.contains(target) || !target.matches(":focus-visible")) return;
      const range = document.createRange();
      range.selectNode(target);
      place = {
        element: target,
        range,
        path: window.location.pathname,
        same: target.getAttribute(SAME_PLACE),
        label: target.getAttribute("aria-label"),
      };
    };
    const look = () => {
      frame = undefined;
      const active = document.activeElement;
      const lost = active === null || active === document.body || (active === place?.element && !isUsable(active));
      if (!lost || !place || !root.current || isUsable(place.element)) return;
      nextOf(place, root.current).focus();
    };
    const observer = new MutationObserver(() => {
      if (!place || isUsable(place.element)) return;
      frame ??= requestAnimationFrame(look);
    });
    const point = () => {
      place = undefined;
    };
    document.addEventListener("focusin", focusIn);
    document.addEventListener("pointerdown", point);
    observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["disabled", "inert"] });
    return () => {
      document.removeEventListener("focusin", focusIn);
      document.removeEventListener("pointerdown", point);
      observer.disconnect();
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [root]);
}
