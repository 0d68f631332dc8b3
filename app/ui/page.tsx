/**
 * The furniture of a page: the bar, the wordmark, an explanation in the margin. The sheet, the frame and the foot
 * are plain elements with the classes of styles.css.
 */
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react";

/** What the shell puts at the left of every bar: the button that brings the threads back while they are hidden. */
export const BarStart = createContext<ReactNode>(null);

/**
 * The bar of a page, 52 high, on the frame's grid: title and a remark over the column, `menu` at the margin's right
 * edge. It gets a hairline only while text is under it. Must stand in a `.sheet`.
 */
export function Bar({ title, remark, menu }: { title: ReactNode; remark?: ReactNode; menu?: ReactNode }) {
  const start = useContext(BarStart);
  const top = useRef<HTMLSpanElement>(null);
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!top.current) return;
    const observer = new IntersectionObserver(([entry]) => setOver(entry ? !entry.isIntersecting : false));
    observer.observe(top.current);
    return () => observer.disconnect();
  }, []);
  return (
    <>
      <span ref={top} className="absolute top-0 h-px w-px" aria-hidden />
      <header className={`bar ${over ? "over" : ""}`}>
        {start}
        <div className="bar-inside">
          <div className="flex min-w-0 max-w-(--column) items-baseline gap-3">
            <h1 className="truncate font-strong text-ink text-ui max-sm:text-say">{title}</h1>
            {remark && <p className="shrink-0 text-ink-3 text-meta max-sm:hidden">{remark}</p>}
          </div>
          {menu && (
            <div className="bar-menu -mr-1.5 flex shrink-0 items-center gap-1 pointer-coarse:-mr-3.5">{menu}</div>
          )}
        </div>
      </header>
    </>
  );
}

/** The button that brings the threads back, for pages that build a bar of their own; nothing while they are in sight. */
export function ShowThreads() {
  return <>{useContext(BarStart)}</>;
}

/** The name of the app, which is a citation. */
export function Wordmark() {
  return <span className="wordmark">Sidenote</span>;
}

/** An explanation in the margin, level with what it explains. */
export function MarginNote({ children }: { children: ReactNode }) {
  return <p className="pl-5 text-ink-2 text-note">{children}</p>;
}
