/** Sums of money and of tokens, as a person reads them. */
import type { Cost } from "./cost";

const whole = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const small = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 0,
  maximumSignificantDigits: 2,
});
/** A sum below this is not worth its digits. */
const LEAST = 0.0001;

/** "$1.20", "$0.012", "$0.0004": from ten cents on with cents, below with the two digits that say something. */
export function dollars(sum: number): string {
  if (sum === 0) return "$0";
  if (sum < LEAST) return "under $0.0001";
  return (sum < 0.0995 ? small : whole).format(sum);
}

export const figure = (value: number): string => value.toLocaleString("en-US");

/** The cost of an answer in a few words: "$0.004", "about $0.004" by estimate, "price unknown". */
export function costWords(cost: Cost): string {
  if (cost.dollars === undefined) return "price unknown";
  const words = dollars(cost.dollars);
  return cost.estimated && cost.dollars >= LEAST ? `about ${words}` : words;
}

/** What a card says of it, as a sentence. */
export function billedWords(cost: Cost): string {
  if (cost.dollars === 0) return "Nothing was billed.";
  if (cost.dollars === undefined) return "What was billed is not known, since the model's price is not.";
  return `Billed ${costWords(cost)}.`;
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** How a cost came about: "$0.004 at $0.70 and $2.10 a million tokens", for the details of an answer. */
export function costAccount(cost: Cost, cacheReadTokens = 0): string {
  const { price, guardrail } = cost;
  const parts = [costWords(cost)];
  if (price) {
    const { input, output, cacheRead, asOf } = price;
    const cached =
      cacheReadTokens > 0 && cacheRead !== undefined ? `, ${dollars(cacheRead)} a million from the cache` : "";
    const listed = day.format(new Date(`${asOf}T00:00:00Z`));
    parts.push(`at ${dollars(input)} and ${dollars(output)} a million tokens${cached} (prices of ${listed})`);
  }
  if (guardrail) parts.push(`and ${dollars(guardrail)} of it for the guardrail`);
  return parts.join(" ");
}
