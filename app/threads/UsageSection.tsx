/**
 * What a person's answers took and cost: a bar a day, the models that were used, and how much of today's budget is
 * left. The chart only shows what the tables say in words.
 */
import { useEffect, useState } from "react";
import { ChevronRightIcon } from "~/ui/icons";
import { findModel, useModels } from "./models-store";
import { dollars, figure } from "./money";
import { GUARDRAIL_ALONE, type UsageSum, type UsageView } from "./view";

const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: "UTC" });
const monthOnly = new Intl.DateTimeFormat("en-GB", { month: "long", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const dayName = (day: string): string => dayAndMonth.format(new Date(`${day}T00:00:00Z`));

/** "$3.12 and 918,000 tokens"; an unknown price is said, and never counted as nothing. */
function Sum({ sum, strong = false }: { sum: UsageSum; strong?: boolean }) {
  const { answers, tokens, dollars: paid, unpriced } = sum;
  const inTokens = `${figure(tokens)} tokens`;
  if (unpriced === answers && answers > 0) return <>{inTokens}, at a price that is not known</>;
  return (
    <>
      {strong ? <strong className="font-strong text-ink">{dollars(paid)}</strong> : dollars(paid)} and {inTokens}
    </>
  );
}

const costOf = ({ answers, dollars: paid, unpriced }: UsageSum): string =>
  answers > 0 && unpriced === answers ? "unknown" : dollars(paid);

const CHART = 84;
const BAR = 0.62;

/** Bars by day, the budget dotted above them where it is not far beyond all of them. */
function Chart({ days, budget }: { days: UsageView["days"]; budget: number }) {
  const most = Math.max(...days.map(({ tokens }) => tokens), 1);
  const isNear = budget <= 4 * most;
  const top = isNear ? Math.max(budget, most) : most;
  const heightOf = (tokens: number): number => (tokens === 0 ? 0 : Math.max(1.5, (tokens / top) * CHART));
  const line = CHART - (budget / top) * CHART;
  // In percent; the first bar and the last one stand on the column's edges.
  const width = (BAR / days.length) * 100;
  const [first] = days;
  return (
    <figure className="mt-4 text-ink-3 text-meta tabular-nums" aria-hidden>
      <div className="relative" style={{ height: CHART + (isNear ? 22 : 1) }}>
        {isNear && (
          <span className="absolute right-0" style={{ top: line }}>
            Daily budget {figure(budget)} tokens
          </span>
        )}
        <svg
          width="100%"
          height={CHART + 1}
          className="absolute bottom-0 overflow-visible"
          aria-hidden
          focusable="false"
        >
          {isNear && (
            <line
              x1="0"
              x2="100%"
              y1={line}
              y2={line}
              className="stroke-ink-3"
              strokeWidth="1"
              strokeDasharray="1 4"
              strokeLinecap="round"
            />
          )}
          <line x1="0" x2="100%" y1={CHART + 0.5} y2={CHART + 0.5} className="stroke-line" strokeWidth="1" />
          {days.map(({ day, tokens }, index) => (
            <rect
              key={day}
              x={`${(index / (days.length - 1)) * (100 - width)}%`}
              width={`${width}%`}
              y={CHART - heightOf(tokens)}
              height={heightOf(tokens)}
              rx="1.5"
              className={index === days.length - 1 ? "fill-accent" : "fill-edge"}
            />
          ))}
        </svg>
      </div>
      <figcaption className="mt-2 flex justify-between">
        <span>{first && dayName(first.day)}</span>
        <span>Today, {figure(days.at(-1)?.tokens ?? 0)}</span>
      </figcaption>
    </figure>
  );
}

const cell = "border-line border-b py-2 text-right [tbody_tr:last-child_&]:border-b-0";

function Table({ title, rows }: { title: string; rows: (UsageSum & { key: string; name: string })[] }) {
  return (
    <table className="w-full text-ui tabular-nums">
      <thead className="text-ink-3 text-meta">
        <tr>
          <th scope="col" className={`${cell} text-left! font-normal`}>
            {title}
          </th>
          {["Answers", "Tokens", "Cost"].map((name) => (
            <th key={name} scope="col" className={`${cell} pl-3 font-normal`}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key}>
            <th scope="row" className={`${cell} break-words text-left! font-normal`}>
              {row.name}
            </th>
            <td className={`${cell} pl-3`}>{figure(row.answers)}</td>
            <td className={`${cell} pl-3`}>{figure(row.tokens)}</td>
            <td className={`${cell} pl-3`}>{costOf(row)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How much of today's budget is used, and when the next one begins: in the person's own time. */
function Today({ used, budget, resetsAt }: { used: number; budget: number; resetsAt: number }) {
  const [at, setAt] = useState("");
  useEffect(() => setAt(clock.format(resetsAt)), [resetsAt]);
  const share = Math.floor((used / budget) * 100);
  const again = at && ` It starts again at ${at}.`;
  if (share >= 100) return <p className="mt-1 text-caution text-ui">Today's budget is used up.{again}</p>;
  return (
    <p className={`mt-1 text-ui ${share >= 80 ? "text-caution" : "text-ink-2"}`}>
      {share >= 1 ? `${share}%` : "Less than 1%"} of today's budget is used, {figure(used)} of {figure(budget)} tokens.
      {share >= 80 && again}
    </p>
  );
}

export function UsageSection({ usage }: { usage: UsageView }) {
  const offer = useModels();
  const { days, models, lately, month, budget, resetsAt, isOff } = usage;
  const off = isOff && (
    <p className="mb-2 text-caution text-ui">Whoever runs this Sidenote has switched the models off for now.</p>
  );
  if (month.tokens + lately.tokens + month.answers + lately.answers === 0)
    return (
      <>
        {off}
        <p className="text-ink-2 text-ui">What your answers take and cost will stand here.</p>
      </>
    );
  const today = days.at(-1);
  const named = models.map((model) => {
    const id = model.ref.slice(model.ref.indexOf(":") + 1);
    const name =
      model.ref === GUARDRAIL_ALONE ? "Guardrail, without an answer" : (findModel(offer, model.ref)?.name ?? id);
    return { ...model, key: model.ref, name };
  });
  const used = days.filter(({ answers, tokens }) => answers + tokens > 0).reverse();
  const missing = lately.unpriced > 0 && lately.unpriced < lately.answers;
  return (
    <>
      {off}
      <p className="text-say">
        <Sum sum={lately} strong /> in the last 30 days
      </p>
      <p className="mt-1 text-ink-2 text-ui">
        <Sum sum={month} /> in {monthOnly.format(new Date(`${today?.day ?? ""}T00:00:00Z`))}.
      </p>
      <Today used={today?.tokens ?? 0} budget={budget} resetsAt={resetsAt} />
      <Chart days={days} budget={budget} />
      <div className="mt-6">
        <Table title="Model" rows={named} />
      </div>
      {missing && (
        <p className="mt-2 text-ink-3 text-meta">
          {lately.unpriced === 1 ? "One answer has" : `${figure(lately.unpriced)} answers have`} no known price. These
          sums are without {lately.unpriced === 1 ? "its" : "their"} cost.
        </p>
      )}
      <details className="group mt-4">
        <summary className="inline-flex min-h-9 list-none items-center gap-1.5 text-ink-2 text-ui [&::-webkit-details-marker]:hidden">
          <ChevronRightIcon size={14} className="text-ink-3 transition-transform group-open:rotate-90" />
          By day
        </summary>
        <Table title="Day, in UTC" rows={used.map((day) => ({ ...day, key: day.day, name: dayName(day.day) }))} />
      </details>
    </>
  );
}
