/** What an answer cost, from what is stored with it: the same figure whoever works it out. Sums are in dollars. */
import type { AnswerUsage, Price } from "~/ai/model";
import { costOf } from "~/ai/pricing";
import { estimateTokens } from "~/notes/choose";
import type { ThreadCost } from "./view";

/** What a run was expected to take, written down before its model call. */
export interface Bill {
  /** The UTC day on whose budget it counts, yyyy-mm-dd. */
  day: string;
  /** An estimate of what the model was sent, in tokens. */
  inputTokens: number;
  /** UTF-16 units of the answer that were there before: a continued answer begins with the old one. */
  prefix?: number;
  /** Absent: nobody knows it. */
  price?: Price;
  /** Dollars for a unit of the guardrail; absent while none is configured. */
  guardrail?: number;
}

/** What the producer knows of a call whose vendor did not report what it took. */
export interface Spent {
  inputTokens: number;
  outputTokens: number;
}

/** What an answer cost. */
export interface Cost {
  /** All of it, the guardrail's part included. Absent: the price is unknown, which is not zero. */
  dollars?: number;
  /** The price that it was counted by. */
  price?: Price;
  /** The guardrail's part, in dollars. */
  guardrail?: number;
  /** The tokens by estimate, where the vendor did not report them because the answer was cut off. */
  estimated?: Spent;
}

/** As stored with the answer: by it alone the reservation is settled. */
export interface StoredCost extends Cost {
  day: string;
  /** What counts on the budgets. */
  tokens: number;
}

/** What a unit of the guardrail counts on the budgets: about as many tokens as its 1,000 characters are. */
export const UNIT_TOKENS = 250;

/** What a page shows of a stored cost. */
export function costView({ dollars, price, guardrail, estimated }: StoredCost): Cost {
  return {
    ...(dollars !== undefined && { dollars }),
    ...(price && { price }),
    ...(guardrail !== undefined && { guardrail }),
    ...(estimated && { estimated }),
  };
}

/** What the answers among these messages cost. Those from before costs were kept are not counted. */
export function sumOfCosts(messages: readonly { cost?: Cost | undefined }[]): ThreadCost {
  const sum: ThreadCost = { answers: 0, dollars: 0, unpriced: 0 };
  for (const { cost } of messages) {
    if (!cost) continue;
    sum.answers += 1;
    if (cost.dollars === undefined) sum.unpriced += 1;
    else sum.dollars += cost.dollars;
  }
  return sum;
}

/**
 * The cost of an answer. `usage` is what the vendor reported; without it `spent` is what the producer knows; without
 * either (a killed server) the text that is there tells.
 */
export function costOfAnswer(
  bill: Bill,
  answer: {
    text: string;
    usage?: AnswerUsage | undefined;
    spent?: Spent | undefined;
    /** Units of the guardrail, 1,000 characters each. */
    units?: number | undefined;
  },
): StoredCost {
  const { day, price, inputTokens, prefix = 0 } = bill;
  const { usage, units = 0 } = answer;
  const spent = answer.spent ?? { inputTokens, outputTokens: estimateTokens(answer.text.slice(prefix)) };
  const counted = usage ?? spent;
  const tokens = counted.inputTokens + counted.outputTokens;
  // What took nothing cost nothing, whatever the price is.
  const asked = tokens === 0 ? 0 : costOf(price, counted);
  const guardrail = units * (bill.guardrail ?? 0);
  const dollars = asked === undefined ? undefined : asked + guardrail;
  return {
    day,
    tokens: tokens + units * UNIT_TOKENS,
    ...(dollars !== undefined && { dollars }),
    ...(price && { price }),
    ...(guardrail > 0 && { guardrail }),
    ...(!usage && tokens > 0 && { estimated: spent }),
  };
}
