/**
 * Notes that an answer proposes. A model writes one as a fenced block with the info word `note`: the title on the
 * first line, the text below. The page shows it as a suggestion, and nothing is stored before the person says so.
 * Its note's id follows from the answer and its place in it, so that saving it twice, in whatever tab, makes one
 * note. In the history it stays as the model wrote it.
 */
import { cleanText, cleanTitle, noteLimits } from "~/notes/note";
import { isNoteFence, splitBlocks } from "~/ui/markdown-blocks";

export interface Suggestion {
  title: string;
  text: string;
  /** Its fence is closed: before that more may come, or the answer was cut off in it. */
  whole: boolean;
}

/** How a suggestion stands: its note is there, or was deleted; or the person wanted none. */
export type SuggestionState = "open" | "saved" | "deleted" | "dismissed";

/** So many of an answer are shown as suggestions; further ones are code. */
export const MOST = 8;

/** Reads a block that {@link isNoteFence}. */
export function readSuggestion(block: string): Suggestion {
  const [opening = "", ...lines] = block.trimEnd().split("\n");
  const mark = /^[`~]+/.exec(opening)?.[0] ?? "```";
  const last = lines.at(-1)?.trim() ?? "";
  const whole = last.length >= mark.length && last === (mark[0] ?? "").repeat(last.length);
  if (whole) lines.pop();
  const first = lines.findIndex((line) => line.trim() !== "");
  const heading = (lines[first] ?? "").replace(/^\s*#{1,6}\s+/, "").replace(/^\s*Title:\s*/i, "");
  const title = cleanTitle(heading.replace(/\*\*|__/g, ""))
    .slice(0, noteLimits.title)
    .toWellFormed();
  const text = first === -1 ? "" : lines.slice(first + 1).join("\n");
  return { title, text: cleanText(text).trim(), whole };
}

/** The suggestions of an answer, in order. */
export function suggestionsIn(answer: string): Suggestion[] {
  // Most answers have none, and need not be cut into blocks to know it.
  if (!/^(?:`{3,}|~{3,})note\s*$/m.test(answer)) return [];
  return splitBlocks(answer)
    .filter(({ text }) => isNoteFence(text))
    .slice(0, MOST)
    .map(({ text }) => readSuggestion(text));
}

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The id of the note that a suggestion becomes: of the answer's own id, with its last digit counted on. */
export const suggestedNoteId = (answerId: string, nth: number): string =>
  answerId.slice(0, -1) + (digits[(digits.indexOf(answerId.at(-1) ?? "0") + 2 * nth) % digits.length] ?? "0");

/** The answer for reading elsewhere: a suggestion is its title and text, without the marks around them. */
export function withPlainSuggestions(answer: string): string {
  if (suggestionsIn(answer).length === 0) return answer;
  return splitBlocks(answer)
    .map(({ text }) => {
      if (!isNoteFence(text)) return text;
      const suggestion = readSuggestion(text);
      return `${[suggestion.title && `**${suggestion.title}**`, suggestion.text].filter(Boolean).join("\n\n")}\n\n`;
    })
    .join("")
    .trimEnd();
}

/** The answer without what it proposes, which is kept by its own Save; all of it if nothing else is there. */
export function withoutSuggestions(answer: string): string {
  if (suggestionsIn(answer).length === 0) return answer;
  const rest = splitBlocks(answer)
    .filter(({ text }) => !isNoteFence(text))
    .map(({ text }) => text)
    .join("")
    .trim();
  return rest || withPlainSuggestions(answer);
}
