/**
 * Text on its way through a guardrail, without the guardrail itself: which stretch of a growing text is asked about
 * next, and what of it may be shown. Text is shown only after the stretch that holds it has passed. The end of each
 * stretch stays back and is asked about again with what follows, so that nothing slips through because it was split,
 * and nothing that was shown has to be masked later. A guardrail returns masked text without saying where it masked:
 * the places are found again here, and whatever was masked once stays masked, also when it is asked about again.
 */

/**
 * What a guardrail says of one stretch of text. `units`: what was billed for it, 1,000 characters each, as far as that
 * is known; a call that was given up may be billed too.
 */
export type Verdict = { units: number } & (
  | { outcome: "passed" }
  /** `matches`: the words that were replaced. */
  | { outcome: "masked"; text: string; matches: readonly Match[] }
  /** `matches`: personal data in the text, which was not replaced. `message`: the operator's, in place of the text. */
  | { outcome: "blocked"; policies: readonly string[]; message: string; matches: readonly Match[] }
  /** It could not be asked, or not understood. Nothing of the text may be used. */
  | { outcome: "unavailable" }
);

/** Personal data as it stands in the text, and the word that stands in for it, such as `{EMAIL}`. */
export interface Match {
  text: string;
  mask: string;
}

export type Check = (text: string) => Promise<Verdict>;

/** What may be shown now. */
export interface Released {
  text: string;
  /** Some of this text was masked. */
  masked?: boolean;
  /** Nothing more is shown, and what was shown is replaced by the message. */
  blocked?: { message: string; policies: readonly string[] };
  /** Nothing more is shown; what was shown stays. */
  error?: "guardrail-unavailable";
}

/** What became of a whole text, all of which is known. */
export type Checked = { units: number } & (
  | /** `text`: as it may be stored and sent. */ { outcome: "passed" | "masked"; text: string }
  /** `text`: as it may be stored, without personal data; it must not be sent. */
  | { outcome: "blocked"; text: string; masked: boolean; policies: readonly string[]; message: string }
  | { outcome: "unavailable" }
);

/** What a guardrail will count for so much text, in units. */
export const unitsOf = (text: string): number => Math.ceil(text.length / 1_000);

/** How many characters stay back for the next window. Personal data and forbidden phrases are shorter. */
const HELD = 200;
/** The first window: how much of it is new. It is small, so that the first words do not wait long. */
const FIRST = { least: 300, most: 400 };
/** All others, with what was held back. 1,000 characters are one unit. */
const WINDOW = { least: 800, most: 1_000 };
/** The most characters of one call: ten units, well within what the service takes in one call or one second. */
const CALL = 10_000;
/** In place of a text whose personal data could not be found in it again. */
const NOT_KEPT = "(Not kept: it held personal data.)";

/** How often masks may be looked for in one text; one that is made to mislead is given up, and does not pass. */
const TRIES = 10_000;

interface Span {
  from: number;
  to: number;
  mask: string;
}

/** Where a text of well-formed characters may be cut at or before `at`: never between surrogates. */
const safeCut = (text: string, at: number): number => (/[\uDC00-\uDFFF]/.test(text.charAt(at)) ? at - 1 : at);

/**
 * Where `masked` differs from `raw`: both are equal but for matches that became their masks. Undefined: they are not.
 */
export function findMasks(raw: string, masked: string, matches: readonly Match[]): Span[] | undefined {
  const known = [...new Map(matches.filter(({ text }) => text !== "").map((match) => [match.text, match])).values()];
  known.sort((one, other) => other.text.length - one.text.length);
  const tag = /\{[^{}\n]{1,120}\}/y;
  /** Pairs of places from which the walk went on. Whoever comes there again comes to the same dead end. */
  const seen = new Set<number>();

  function walk(rawFrom: number, maskedFrom: number): Span[] | undefined {
    let at = rawFrom;
    let to = maskedFrom;
    for (;;) {
      tag.lastIndex = to;
      const mask = masked.charAt(to) === "{" ? tag.exec(masked)?.[0] : undefined;
      if (mask !== undefined) {
        const place = at * (masked.length + 1) + to;
        if (seen.has(place) || seen.size >= TRIES) return undefined;
        seen.add(place);
        for (const { text } of known) {
          if (!raw.startsWith(text, at)) continue;
          const rest = walk(at + text.length, to + mask.length);
          if (rest) {
            rest.push({ from: at, to: at + text.length, mask });
            return rest;
          }
        }
      }
      if (at === raw.length || to === masked.length) return at === raw.length && to === masked.length ? [] : undefined;
      if (raw.charCodeAt(at) !== masked.charCodeAt(to)) return undefined;
      at += 1;
      to += 1;
    }
  }
  return walk(0, 0)?.reverse();
}

/** Every place of every match. Undefined: one of them is nowhere in the text. */
function placesOf(raw: string, matches: readonly Match[]): Span[] | undefined {
  const spans: Span[] = [];
  for (const { text, mask } of matches) {
    let from = text === "" ? -1 : raw.indexOf(text);
    if (from === -1) return undefined;
    for (; from !== -1; from = raw.indexOf(text, from + text.length))
      spans.push({ from, to: from + text.length, mask });
  }
  return spans;
}

/** In order, without overlaps: what two masks cover together is covered by that of the longer one. */
function united(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((one, other) => one.from - other.from || other.to - one.to)) {
    const last = merged.at(-1);
    if (!last || span.from >= last.to) {
      merged.push({ ...span });
      continue;
    }
    if (span.to - span.from > last.to - last.from) last.mask = span.mask;
    last.to = Math.max(last.to, span.to);
  }
  return merged;
}

/** The text between two places, masked. The spans are in order. */
function render(raw: string, from: number, to: number, spans: readonly Span[]): string {
  let text = "";
  let at = from;
  for (const span of spans) {
    if (span.to <= at || span.from >= to) continue;
    text += raw.slice(at, Math.max(at, span.from)) + span.mask;
    at = Math.min(span.to, to);
  }
  return text + raw.slice(at, to);
}

const boundary = /[.!?…。！？]["'’”)\]*_]*(?=\s)|\n/g;

/** The end of the last sentence or line within a range; else of the last word; else the range's end. */
function endWithin(text: string, least: number, most: number, isForced: boolean): number | undefined {
  const stretch = text.slice(least, most + 1);
  let end: number | undefined;
  for (const { index, 0: found } of stretch.matchAll(boundary)) {
    if (least + index + found.length <= most) end = least + index + found.length;
  }
  if (end !== undefined || !isForced) return end;
  const space = Math.max(stretch.lastIndexOf(" "), stretch.lastIndexOf("\t"));
  return space > 0 ? least + space : safeCut(text, most);
}

/**
 * The windows of one growing text. `before` is the end of what was shown before it, for a text that goes on: a phrase
 * may begin there.
 */
export function createWindows({ check, before = "" }: { check: Check; before?: string | undefined }) {
  const context = before.slice(-HELD).toWellFormed();
  /** From the first character that was not shown yet; at first with the context before it. */
  let raw = context;
  /** How much of `raw` was shown already: the context. */
  let shown = context.length;
  /** How much of `raw` has been asked about, and what of it is masked. */
  let asked = shown;
  let spans: Span[] = [];
  let isFirst = true;
  let isOver = false;
  /** First half of a character whose other half has not come. */
  let half = "";
  /** Of all that was asked about; of a window that is being asked about, what is expected. */
  let units = 0;

  function nextEnd(): number | undefined {
    const base = asked - (asked > 2 * HELD ? HELD : 0);
    const least = isFirst ? asked + FIRST.least : asked > 2 * HELD ? base + WINDOW.least : WINDOW.least;
    const most = isFirst ? asked + FIRST.most : asked > 2 * HELD ? base + WINDOW.most : WINDOW.most;
    // One more than the window: whether a sentence ends there is known by what follows it.
    return raw.length > least ? endWithin(raw, least, Math.min(most, raw.length - 1), raw.length > most) : undefined;
  }

  /** Asks about all up to `end` and releases what can be; all of it, if this is the last window. */
  async function ask(end: number, isLast: boolean): Promise<Released> {
    const stretch = raw.slice(0, end);
    isFirst = false;
    if (stretch.trim() !== "" && asked < end) {
      const expected = unitsOf(stretch);
      units += expected;
      const verdict = await check(stretch);
      units += verdict.units - expected;
      if (verdict.outcome === "unavailable") return { text: "", error: "guardrail-unavailable" };
      if (verdict.outcome === "blocked") {
        const { message, policies } = verdict;
        return { text: "", blocked: { message, policies } };
      }
      if (verdict.outcome === "masked") {
        const found = findMasks(stretch, verdict.text, verdict.matches);
        if (!found) {
          // The places are not known. The whole text may be shown as it came back, once nothing follows it.
          if (isLast && shown === 0) return { text: verdict.text, masked: true };
          if (isLast || end + WINDOW.most > CALL) return { text: "", error: "guardrail-unavailable" };
          asked = end;
          return { text: "" };
        }
        spans = united([...spans, ...found]);
      }
      asked = end;
    }
    let cut = end;
    if (!isLast) {
      const space = stretch.slice(0, Math.max(0, end - HELD)).search(/\s\S*$/);
      cut = space > shown ? space + 1 : safeCut(raw, Math.max(shown, end - HELD));
      for (const { from, to } of spans.toReversed()) if (from < cut && cut < to) cut = from;
    }
    if (cut <= shown) return { text: "" };
    const text = render(raw, shown, cut, spans);
    const masked = spans.some(({ from, to }) => from < cut && to > shown);
    spans = spans.filter(({ to }) => to > cut).map(({ from, to, mask }) => ({ from: from - cut, to: to - cut, mask }));
    raw = raw.slice(cut);
    asked -= cut;
    shown = 0;
    return { text, ...(masked ? { masked } : {}) };
  }

  /** Asks window by window. */
  async function advance(isLast: boolean): Promise<Released> {
    const sum: Released = { text: "" };
    while (!isOver) {
      const end = nextEnd();
      const isFinal = end === undefined;
      if (isFinal && (!isLast || raw.length === shown)) break;
      const released = await ask(end ?? raw.length, isFinal);
      sum.text += released.text;
      if (released.masked) sum.masked = true;
      if (released.blocked || released.error) {
        isOver = true;
        return { ...released, ...sum };
      }
      if (isFinal) break;
    }
    return sum;
  }

  function take(text: string): void {
    const added = half + text;
    half = /[\uD800-\uDBFF]$/.test(added) ? added.slice(-1) : "";
    raw += (half ? added.slice(0, -1) : added).toWellFormed();
  }

  return {
    /** Takes new text; returns what may be shown now. Calls must not overlap. */
    release(text: string): Promise<Released> {
      take(text);
      return advance(false);
    },
    /** Nothing more comes: asks about the rest. */
    flush(): Promise<Released> {
      raw += half.toWellFormed();
      half = "";
      return advance(true);
    },
    /** What the guardrail was asked so far, in units. */
    units: (): number => units,
  };
}

/**
 * Asks about a whole text: in one call, or if it is too long for one, in several that overlap. All of a blocked text
 * is asked about too, since what of it is stored must hold no personal data.
 */
export async function checkWhole(text: string, check: Check): Promise<Checked> {
  let units = 0;
  const spans: Span[] = [];
  const policies = new Set<string>();
  let message: string | undefined;
  let isLost = false;
  for (let from = 0; ; ) {
    const isLast = text.length - from <= CALL;
    const end = isLast ? text.length : (endWithin(text, from + CALL - 2 * HELD, from + CALL, true) ?? from + CALL);
    const part = text.slice(from, end);
    const verdict = await check(part);
    units += verdict.units;
    if (verdict.outcome === "unavailable") return { outcome: "unavailable", units };
    if (verdict.outcome === "masked") {
      const found = findMasks(part, verdict.text, verdict.matches);
      if (!found && from === 0 && isLast) return { outcome: "masked", text: verdict.text, units };
      if (!found) return { outcome: "unavailable", units };
      for (const span of found) spans.push({ ...span, from: span.from + from, to: span.to + from });
    } else if (verdict.outcome === "blocked") {
      message ??= verdict.message;
      for (const policy of verdict.policies) policies.add(policy);
      const places = placesOf(part, verdict.matches);
      isLost ||= !places;
      for (const span of places ?? []) spans.push({ ...span, from: span.from + from, to: span.to + from });
    }
    if (isLast) break;
    from = safeCut(text, end - HELD);
  }
  const masked = spans.length > 0 || isLost;
  const kept = isLost ? NOT_KEPT : render(text, 0, text.length, united(spans));
  if (message === undefined) return { outcome: masked ? "masked" : "passed", text: kept, units };
  return { outcome: "blocked", text: kept, masked, policies: [...policies], message, units };
}
