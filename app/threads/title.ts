/** How much of the first line is looked at: links leave their addresses out, and nobody waits on 32,000 characters. */
const LOOK_AT = 1_000;

/** The title of a thread whose first message has no words for one, or none that may be a title. */
export const UNTITLED = "New thread";

/** A thread's first title: the person's own first words, as plain text of at most 60 characters. */
export function titleFrom(text: string): string {
  const line =
    text
      .split("\n")
      .map((part) => part.replace(/^[\s#>*\-+`~]+/, "").trim())
      .find((part) => part !== "") ?? "";
  const plain = line
    .slice(0, LOOK_AT)
    .replace(/!?\[([^\]]{0,200})\]\([^)]{0,500}\)/g, "$1")
    .replace(/[*_`~]/g, "")
    .replace(/\s+/g, " ")
    .trim();
  const sentence = /^.{12,60}?[.?!](?=\s|$)/u.exec(plain)?.[0];
  return cleanTitle(sentence ?? plain, 60) || UNTITLED;
}

/** A title as it is stored: one line of plain text, cut at a word if it is longer than `limit` UTF-16 units. */
export function cleanTitle(title: string, limit = 80): string {
  const plain = title
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
    .replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  if (plain.length <= limit) return plain;
  const cut = plain
    .slice(0, limit - 1)
    .toWellFormed()
    .replace(/\ufffd$/, "");
  const space = cut.lastIndexOf(" ");
  return `${(space > limit / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}
