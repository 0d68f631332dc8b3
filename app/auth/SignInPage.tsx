/**
 * What the pages around sign-in share: one narrow column with the wordmark, whose numeral is real here, and the
 * notes that belong to it in the margin. On narrow screens the notes stand below the form.
 */
import { type ReactNode, type RefObject, useEffect, useRef } from "react";
import { Wordmark } from "~/ui/page";

function Sidenote({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <div className="sidenote">
      <span className="num">{number}</span>
      <p className="line-clamp-none!">
        <b>{title}</b> {children}
      </p>
    </div>
  );
}

/** A numeral in a sentence that leads to a note in the margin. */
export function Numeral({ children }: { children: number }) {
  return <sup className="num relative -top-[0.42em] ml-0.5 align-baseline">{children}</sup>;
}

/**
 * A page around sign-in.
 * @param props.lead a sentence or two under the title
 * @param props.note the second note in the margin; the first one is always the same
 */
export function SignInPage(props: {
  title: string;
  lead?: ReactNode;
  note?: { title: string; text: ReactNode };
  children: ReactNode;
}) {
  const notes = (
    <>
      <Sidenote number={1} title="Private.">
        Threads and notes lie in the account of whoever runs this Sidenote. No screen shows them to anyone but you.
      </Sidenote>
      {props.note && (
        <Sidenote number={2} title={props.note.title}>
          {props.note.text}
        </Sidenote>
      )}
    </>
  );
  return (
    <main id="page" className="main" tabIndex={-1}>
      <div className="sheet ruled">
        <div className="frame pt-[clamp(2.5rem,18.2vh,10.375rem)] pb-16 max-sm:pt-14">
          <div className="max-w-[22.5rem] max-sm:max-w-none">
            <Wordmark />
            <h1 className="mt-[3.375rem] font-strong text-ink text-title">{props.title}</h1>
            {props.lead && <p className="mt-3 text-ink-2 text-say [overflow-wrap:anywhere]">{props.lead}</p>}
            <div className="mt-6">{props.children}</div>
          </div>
          <aside className="margin" aria-label="Sidenotes">
            <div className="flex flex-col gap-[41px] pt-1">{notes}</div>
          </aside>
          <aside className="mt-12 flex flex-col gap-4 md:hidden" aria-label="Sidenotes">
            {notes}
          </aside>
        </div>
      </div>
    </main>
  );
}

/** The line of links under the one button. */
export function FormLinks({ children }: { children: ReactNode }) {
  return <div className="mt-5 flex items-baseline justify-between gap-4 text-ui">{children}</div>;
}

/** The classes of a link, or of a button that looks like one, in that line. */
export const formLinkClass =
  "text-accent text-ui underline decoration-1 underline-offset-[3px] hover:decoration-2 pointer-coarse:py-3";

/** For a code's field: six digits, set apart. */
export const codeClass = "[&_input]:text-[1.25rem] [&_input]:tracking-[0.9em] [&_input]:tabular-nums";

/** Says that something was done, above the form; announced when it appears. */
export function Notice({ children }: { children: ReactNode }) {
  if (!children) return null;
  return (
    <p role="status" className="mb-4 text-ink-2 text-ui">
      {children}
    </p>
  );
}

/**
 * After an answer with problems, the focus goes to the first field that has one. What is wrong with the whole form is
 * announced by itself, and brought into sight.
 */
export function useFirstProblem(problem: object | undefined): RefObject<HTMLDivElement> {
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!problem) return;
    const field = form.current?.querySelector<HTMLElement>("[aria-invalid]");
    if (field) field.focus();
    else form.current?.querySelector("[role=alert]")?.scrollIntoView({ block: "center" });
  }, [problem]);
  return form;
}
