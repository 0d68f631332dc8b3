/**
 * What a person reads when a page cannot be shown: one sentence on what is, one on what to do, one action. One
 * handler per status; everything else is our fault and says so. Particulars never reach the page.
 */
import { isRouteErrorResponse, Link, useRouteError } from "@remix-run/react";
import { buttonClass } from "./button";
import { Bar } from "./page";

interface Words {
  title: string;
  text: string;
  action: { label: string; to?: string };
}

const again = { label: "Try again" };

const byStatus: Record<number, Words> = {
  401: {
    title: "Signed out",
    text: "Sign in to go on. What you wrote is kept here.",
    action: { label: "Sign in", to: "/sign-in" },
  },
  403: { title: "Not from here", text: "This request came from another site. Open the page again.", action: again },
  404: {
    title: "Nothing here",
    text: "This page does not exist, or what stood here was deleted.",
    action: { label: "New thread", to: "/" },
  },
  429: { title: "Too many tries", text: "Wait a little, then try again.", action: again },
  503: {
    title: "Not reachable",
    text: "Sidenote cannot reach its storage. What you wrote is kept here.",
    action: again,
  },
};
const offline: Words = {
  title: "You are offline",
  text: "This page could not be loaded. What you wrote is kept here.",
  action: again,
};
const ours: Words = {
  title: "Something went wrong",
  text: "It went wrong here, not with you. Nothing you wrote is lost.",
  action: again,
};

/** The words for what a route threw. `online` is false where the browser knows that it has no connection. */
export function errorWords(error: unknown, online: boolean): Words {
  if (isRouteErrorResponse(error)) return byStatus[error.status] ?? ours;
  return online ? ours : offline;
}

/** The error boundary of a page. Inside the shell the threads stay beside it. */
export function ErrorPage() {
  const error = useRouteError();
  const { title, text, action } = errorWords(error, typeof navigator === "undefined" || navigator.onLine);
  return (
    <div className="sheet ruled">
      <Bar title={title} />
      <div className="frame pt-20">
        <div>
          <p className="text-read">{text}</p>
          <div className="mt-6">
            {action.to ? (
              <Link to={action.to} className={buttonClass("second")}>
                {action.label}
              </Link>
            ) : (
              <button type="button" className={buttonClass("second")} onClick={() => window.location.reload()}>
                {action.label}
              </button>
            )}
          </div>
        </div>
      </div>
    </div>
  );
}
