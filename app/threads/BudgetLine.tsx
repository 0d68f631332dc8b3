/**
 * A quiet line above the composer: that most of today's budget is used, once a day; that it is used up, or that the
 * models are switched off, as long as that is so.
 */
import { Link } from "@remix-run/react";
import { useEffect, useState } from "react";
import { Button } from "~/ui/button";
import type { BudgetView } from "./view";

const WARN = 0.8;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const place = (userId: string): string => `sidenote/${userId}/budget-seen`;

/** The end of the day on which the person has put the line away. */
function readSeen(userId: string): number {
  try {
    return Number(localStorage.getItem(place(userId)) ?? 0);
  } catch {
    return 0; // Then it is shown again with the next page.
  }
}

export function BudgetLine({ userId, budget }: { userId: string; budget: BudgetView }) {
  const { share, resetsAt, isOff } = budget;
  // What the browser keeps and the person's clock are only known there, so the line comes with the page's script.
  const [seen, setSeen] = useState<number>();
  useEffect(() => setSeen(readSeen(userId)), [userId]);
  if (seen === undefined || (!isOff && share < WARN)) return null;
  const isSpent = share >= 1;
  if (!isOff && !isSpent && seen === resetsAt) return null;

  function putAway() {
    setSeen(resetsAt);
    try {
      localStorage.setItem(place(userId), String(resetsAt));
    } catch {
      // As above.
    }
  }
  const words = isOff
    ? "Whoever runs this Sidenote has switched the models off for now."
    : isSpent
      ? `Today's budget is used up. It starts again at ${clock.format(resetsAt)}.`
      : `${Math.floor(share * 100)}% of today's budget is used.`;
  return (
    <p role="status" className="mb-2 flex min-h-9 items-center gap-2 text-caution text-ui">
      <span className="mr-auto">
        {words}{" "}
        {!isOff && (
          <Link to="/settings#usage" className="link">
            Usage
          </Link>
        )}
      </span>
      {!isOff && !isSpent && (
        <Button kind="quiet" size="small" className="-mr-2" onClick={putAway}>
          Dismiss
        </Button>
      )}
    </p>
  );
}
