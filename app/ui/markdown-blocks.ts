/**
 * Cuts markdown into blocks that can be rendered and remembered one by one, so that a growing answer renders only
 * its last block again. Cutting too little is always right, so in doubt nothing is cut: lists stay whole with
 * their blank lines, and code stays whole until its fence closes. Footnotes belong to all blocks together.
 * While an answer grows, `mend` gives the last block the ending that it most likely will have, so that half-open
 * marks neither show nor flicker.
 */

export interface Block {
  /** Where it begins in the text. */
  from: number;
  text: string;
}

const fenceLine = /^(\s*)((?:(?:[-*+]|\d{1,9}[.)])\s+)*)(`{3,}|~{3,})/;
const listLine = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const definitionLine = /^ {0,3}\[(?!\^)[^\]\n]{1,200}\]:\s*\S/;
/** Opens a note that an answer proposes: always a block of its own. */
const noteLine = /^(?:`{3,}|~{3,})note\s*$/;
const footnoteLine = /^ {0,3}\[\^[^\]\n]{1,200}\]:/m;

/**
 * Cuts `text` at blank lines where that cannot change its meaning. `before` is an earlier result for a beginning of
 * the same text: all of its blocks but the last two are taken over as they are.
 */
export function splitBlocks(text: string, before: readonly Block[] = []): Block[] {
  const last = before.at(-1);
  const grew = last !== undefined && before.length > 2 && text.startsWith(last.text, last.from);
  const blocks: Block[] = grew ? before.slice(0, -2) : [];
  const start = grew ? (before.at(-2)?.from ?? 0) : 0;
  for (const block of blocks) if (!text.startsWith(block.text, block.from)) return splitBlocks(text);

  let from = start;
  let at = start;
  let fence: { mark: string; indent: number; isNote: boolean } | undefined;
  let blank = false;
  let inList = false;
  /** A proposed note has just ended. */
  let isBehind = false;
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(at, end);
    const indented = /^(?: {2}|\t)/.test(line);
    if (line.trim() === "") {
      blank = true;
    } else {
      // A fence in a list ends with the list, closed or not.
      if (fence && fence.indent >= 2 && blank && !indented) fence = undefined;
      if (!fence) {
        const isItem = listLine.test(line);
        const isNote = noteLine.test(line);
        if (isNote || isBehind || (blank && !indented && !(inList && isItem))) {
          isBehind = false;
          if (at > from) blocks.push({ from, text: text.slice(from, at) });
          from = at;
          inList = false;
        }
        if (isItem) inList = true;
        const opening = fenceLine.exec(line);
        const mark = opening?.[3];
        if (opening && mark && !(mark.startsWith("`") && line.slice(opening[0].length).includes("`")))
          fence = { mark, indent: (opening[1] ?? "").length + (opening[2] ?? "").length, isNote };
      } else if (closes(line, fence.mark)) {
        isBehind = fence.isNote;
        fence = undefined;
      }
      blank = false;
    }
    at = end + 1;
  }
  if (from < text.length) blocks.push({ from, text: text.slice(from) });
  return blocks;
}

function closes(line: string, mark: string): boolean {
  const trimmed = line.trim();
  return trimmed.length >= mark.length && trimmed === (mark[0] ?? "").repeat(trimmed.length);
}

/** Whether a block defines a footnote: then only the whole text can be rendered, since any block may refer to it. */
export function hasFootnotes(blocks: readonly Block[]): boolean {
  return blocks.some(({ text }) => text.includes("[^") && !isCode(text) && footnoteLine.test(text));
}

/** Link definitions (`[name]: https://...`) of the whole text; blocks that might use them need them too. */
export function linkDefinitions(blocks: readonly Block[]): string {
  return blocks
    .filter(({ text }) => text.includes("]:") && !fenceLine.test(text))
    .flatMap(({ text }) => text.split("\n").filter((line) => definitionLine.test(line)))
    .join("\n");
}

/** Whether the block is code from its first line on. */
export function isCode(block: string): boolean {
  return fenceLine.test(block);
}

/** Whether the block is a note that an answer proposes: a fence with the info word `note`. */
export function isNoteFence(block: string): boolean {
  return noteLine.test(block.slice(0, block.includes("\n") ? block.indexOf("\n") : undefined));
}

const bareMark = /^\s*(?:>\s*)*(?:[-*+=_]{1,3}|#{1,6}|\d{1,9}[.)]?|>|`{1,2}|~{1,2})?\s*$/;

/** The last block of an answer that still grows, as it will most likely read. Text is never moved or lost for long. */
export function mend(block: string): string {
  const lines = block.split("\n");
  const lastLine = lines.at(-1) ?? "";

  // A fence that may become a proposed note waits for its whole first line, so that no code flashes up in its place.
  const opening = /^(?:`{3,}|~{3,})([a-z]*)$/.exec(lastLine);
  if (opening && "note".startsWith(opening[1] ?? "") && !findOpenFence(lines.slice(0, -1)))
    return mend(lines.slice(0, -1).join("\n"));
  const openFence = findOpenFence(lines);
  if (openFence) {
    // The closing fence arrives mark by mark; its first marks are no code.
    const partial = lastLine.trim();
    const closing = partial !== "" && partial === (openFence[0] ?? "").repeat(partial.length);
    return closing && lines.length > 1 ? lines.slice(0, -1).join("\n") : block;
  }
  const table = mendTable(lastLine === "" ? lines.slice(0, -1) : lines);
  if (table !== undefined) return table;
  // A line that so far holds only a mark may become a list, a heading, a rule, or turn the line above into a heading.
  return mendInline(bareMark.test(lastLine) ? lines.slice(0, -1).join("\n") : block);
}

function findOpenFence(lines: readonly string[]): string | undefined {
  let open: string | undefined;
  for (const line of lines) {
    const mark = fenceLine.exec(line)?.[3];
    if (open === undefined) open = mark;
    else if (closes(line, open)) open = undefined;
  }
  return open;
}

/** A table is shown as one from its head on: until the line below the head is whole, it is supplied. */
function mendTable(lines: readonly string[]): string | undefined {
  const start = lines.findLastIndex((line) => !line.trimStart().startsWith("|")) + 1;
  const [head, rule, row] = lines.slice(start);
  if (head === undefined || row !== undefined) return undefined;
  const above = lines.slice(0, start);
  if (rule === undefined) return mendInline(above.join("\n"));
  if (!/^[\s|:-]*$/.test(rule) || countCells(rule) === countCells(head)) return undefined;
  return [...above, head, `|${" --- |".repeat(countCells(head))}`].join("\n");
}

function countCells(row: string): number {
  return row
    .trim()
    .replace(/^\||\|$/g, "")
    .split("|").length;
}

/** Closes what is open in the last paragraph, item or line: code, emphasis, strike-through, links. */
function mendInline(text: string): string {
  const start = Math.max(0, lastStart(text));
  const open: string[] = [];
  let at = start;
  let cut = text.length;
  while (at < cut) {
    const rest = text.slice(at, cut);
    const character = text[at] ?? "";
    if (character === "\\") {
      at += 2;
      continue;
    }
    if (character === "`") {
      const mark = /^`+/.exec(rest)?.[0] ?? "`";
      const end = rest.indexOf(mark, mark.length);
      if (end === -1) {
        // Code that is open runs to the end; a bare mark at the end is none yet.
        if (rest.length === mark.length) {
          cut = at;
          break;
        }
        return close(text.slice(0, cut), [...open, mark]);
      }
      at += end + mark.length;
      continue;
    }
    if (character === "[" || (character === "!" && rest[1] === "[")) {
      const link = /^!?\[((?:[^[\]\\]|\\.|\[[^[\]]*\])*)(\](?:\(([^()\s]*)(\s[^()]*)?\)?)?)?/.exec(rest);
      const label = link?.[1] ?? "";
      const whole = link?.[0] ?? "";
      if (link && whole.length === rest.length && !/\]$|\)$/.test(whole)) {
        // Still open at the end. A number may become a citation and is held back; a name is shown without its marks.
        const shown = character === "!" || /^[\d,\s]*$/.test(label) ? "" : label;
        return close((text.slice(0, at) + shown).trimEnd(), open);
      }
      if (link?.[2]) {
        at += whole.length;
        continue;
      }
      at += 1;
      continue;
    }
    if (character === "*" || character === "_" || character === "~") {
      const mark = (/^(?:\*{1,3}|_{1,3}|~{1,2})/.exec(rest) ?? [character])[0];
      const previous = text[at - 1] ?? " ";
      const next = text[at + mark.length] ?? "";
      const opened = open.lastIndexOf(mark);
      if (at + mark.length >= cut && opened === -1) {
        if (/[\s([{"'*_~]/.test(previous)) cut = at;
        break;
      }
      if (opened !== -1 && /\S/.test(previous)) open.splice(opened);
      else if (/\S/.test(next) && (mark[0] === "*" || mark === "~~" || /[\s([{"'*~]/.test(previous))) open.push(mark);
      at += mark.length;
      continue;
    }
    at += 1;
  }
  return close(text.slice(0, cut), open);
}

function close(text: string, open: readonly string[]): string {
  if (open.length === 0) return text;
  let body = text.trimEnd();
  const left = [...open];
  // Marks with nothing in them yet, or a closing mark that is half there, are left out.
  for (let mark = left.at(-1); mark !== undefined && body.endsWith(mark); mark = left.at(-1)) {
    body = body.slice(0, -mark.length).trimEnd();
    left.pop();
  }
  const inner = left.at(-1) ?? "";
  if (inner.length > 1 && !inner.startsWith("`") && body.endsWith(inner[0] ?? "") && !body.endsWith(inner))
    body = body.slice(0, -1);
  return body + left.reverse().join("");
}

/** Where the last paragraph, item, heading or row begins: emphasis does not reach over it. */
function lastStart(text: string): number {
  const paragraph = text.lastIndexOf("\n\n");
  let start = paragraph === -1 ? 0 : paragraph + 2;
  for (const match of text.slice(start).matchAll(/\n(?=\s*(?:[-*+]\s|\d{1,9}[.)]\s|#{1,6}\s|>|\|))/g))
    start = (paragraph === -1 ? 0 : paragraph + 2) + match.index + 1;
  return start;
}
