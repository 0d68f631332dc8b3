/**
 * Times as the person's own clock shows them. A server knows neither their zone nor their day, so it writes the
 * date in UTC; the page writes it anew once it runs.
 */
import { useSyncExternalStore } from "react";

const never = () => () => undefined;

/** False on the server and while the page takes over from it, true from then on. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}

const dayOf = (time: number): number => {
  const date = new Date(time);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000;
};

const format = (time: number, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat("en-GB", options).format(time);

/** A day as lists show it: "Today", "Yesterday", "Thu", "3 Nov", or "3 Nov 2024" if it lies in another year. */
export function shortDay(time: number, now = Date.now()): string {
  const ago = dayOf(now) - dayOf(time);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  if (ago > 1 && ago < 7) return format(time, { weekday: "short" });
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return format(time, { day: "numeric", month: "short", ...(!sameYear && { year: "numeric" }) });
}

/** The time of day: "09:41". */
export const clock = (time: number): string => format(time, { hour: "2-digit", minute: "2-digit" });

/** A day, by {@link shortDay}; in a sentence it begins small: "changed today". */
export function Day({ time, inSentence, className }: { time: number; inSentence?: boolean; className?: string }) {
  const hydrated = useHydrated();
  const day = hydrated ? shortDay(time) : format(time, { day: "numeric", month: "short", timeZone: "UTC" });
  return (
    <time dateTime={new Date(time).toISOString()} className={className}>
      {inSentence && (day === "Today" || day === "Yesterday") ? day.toLowerCase() : day}
    </time>
  );
}
