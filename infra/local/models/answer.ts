/**
 * What the local model server says. It is no language model: it reads the prompt, finds the sentences of the
 * person's notes that fit the newest question best, and cites them; else it says plainly what it is. The same
 * prompt always gets the same answer, so that tests can lean on it, and a begun answer is continued where it stopped.
 */

export interface Prompt {
  system: string;
  messages: { role: "user" | "assistant"; text: string }[];
}

/**
 * Token figures are an estimate: a token is up to six characters of a word with the space before it, so that
 * English prose comes out at about four characters each, as with the real tokenizers.
 */
const token = /\s*\S{1,6}|\s+$/gu;

/** The text in pieces as a model would send them; joined they are the text again. */
export function splitTokens(text: string): string[] {
  return text.match(token) ?? [];
}

export function countTokens(text: string): number {
  let count = 0;
  for (const _ of text.matchAll(token)) count += 1;
  return count;
}

/** Tokens of the system prompt and all messages; what stands around them on the wire is not counted. */
export function countPrompt(prompt: Prompt): number {
  return prompt.messages.reduce((sum, message) => sum + countTokens(message.text), countTokens(prompt.system));
}

/** The text that the newest message of the user holds; empty if there is none. */
export function newestUserText(prompt: Prompt): string {
  return prompt.messages.findLast((message) => message.role === "user")?.text ?? "";
}

/** The answer's first so many tokens; a shorter answer begins again, so that it can be as long as a test wants. */
export function stretch(text: string, tokens: number): string[] {
  const once = splitTokens(`${text}\n\n`);
  return Array.from({ length: tokens }, (_, index) => once[index % once.length] ?? "");
}

interface Note {
  number: number;
  title: string;
  text: string;
}

/** The delimited block of notes: `<notes-xyz> ... </notes-xyz>`, where the name carries the thread's own delimiter. */
const notesBlock = /<(notes[\w-]*)(?:[^\S\n][^\n]*)?>([\s\S]*?)<\/\1>/giu;

/** Notes stand in tags of their own on lines of their own, with number and title; or begin with `[1] Title`. */
function readBlock(name: string, block: string): Note[] {
  const tag = `note${name.slice("notes".length)}`;
  // A delimiter may end in a dash, behind which there is no word boundary.
  const tagged = new RegExp(`^<${tag}(?=[\\s>])([^\\n]*)>$([\\s\\S]*?)^</${tag}>`, "gimu");
  const notes = [...block.matchAll(tagged)].map(([, attributes = "", text = ""]) => ({
    number: Number(/\b(?:number|n|id)="?\[?(\d+)/u.exec(attributes)?.[1]),
    title: /\btitle="(.*)"/u.exec(attributes)?.[1] ?? "",
    text: text.trim(),
  }));
  if (notes.length > 0) return notes;
  const starts = [...block.matchAll(/^(?:#+ *)?\[(\d+)\] *(.*)$/gmu)];
  return starts.map((start, index) => ({
    number: Number(start[1]),
    title: start[2]?.trim() ?? "",
    text: block.slice(start.index + start[0].length, starts[index + 1]?.index).trim(),
  }));
}

function readNotes(prompt: Prompt): { notes: Note[]; question: string; earlier: string } {
  const notes = new Map<number, Note>();
  const collect = (text: string) => {
    for (const [, name = "", block = ""] of text.matchAll(notesBlock))
      for (const note of readBlock(name, block)) notes.set(note.number, note);
  };
  collect(prompt.system);
  const questions = prompt.messages
    .filter(({ role }) => role === "user")
    .map(({ text }) => {
      collect(text);
      // Notes (and instructions) may be put before a question: what is asked stands after them.
      const parts = text.replace(notesBlock, "\0").split("\0");
      return (parts.findLast((part) => part.trim()) ?? "").trim();
    });
  return { notes: [...notes.values()], question: questions.at(-1) ?? "", earlier: questions.at(-2) ?? "" };
}

const stopWords = new Set(
  `a about above after again all also am an and any are as at be because been before being below between both but by can
  could did do does doing done down during each few for from further get give had has have having he her here hers him his
  how i if in into is it its just know let like long many may me might more most much must my no nor not of off on once
  only or other our out over own please say same she should so some such tell than that the their them then there these
  they this those through to too under until up us use very want was we were what when where which while who whom whose
  why will with word would write you your yours answer anything did note notes something marker every sentence`.split(
    /\s+/u,
  ),
);

/** A word without its English endings, so that "boilers" and "boiler" or "serviced" and "service" meet. */
function stem(word: string): string {
  const plain = word.replace(/['’]s$/u, "");
  if (plain.length < 4) return plain;
  return plain
    .replace(/ies$/u, "y")
    .replace(/(ss|sh|ch|x)es$/u, "$1")
    .replace(/([^s])s$/u, "$1")
    .replace(/(?:ing|edly|ed|er|ly|e)$/u, (ending, at: number) => (at >= 3 ? "" : ending))
    .replace(/([b-df-hj-np-tv-z])\1$/u, "$1")
    .replace(/y$/u, "i");
}

function terms(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’]\p{L}+)?/gu) ?? [];
  return words.filter((word) => !stopWords.has(word) && (word.length > 1 || /\p{N}/u.test(word))).map(stem);
}

interface Passage {
  note: Note;
  order: number;
  text: string;
  terms: Set<string>;
  /** What stands above it: the note's title and the heading it is under. */
  above: Set<string>;
}

function passagesOf(notes: Note[]): Passage[] {
  const passages: Passage[] = [];
  for (const note of notes) {
    let above = new Set(terms(note.title));
    let inCode = false;
    for (const line of note.text.split("\n")) {
      if (/^\s*(?:```|~~~)/u.test(line)) inCode = !inCode;
      if (inCode || /^\s*(?:```|~~~|\||$|[-*_]{3,}\s*$)/u.test(line)) continue;
      const title = /^\s*#+\s+(.*)$/u.exec(line);
      if (title) {
        above = new Set(terms(`${note.title} ${title[1]}`));
        continue;
      }
      const plain = line
        .replace(/^\s*(?:>\s*)*(?:[-*+]\s+(?:\[[ xX]\]\s+)?|\d+[.)]\s+)?/u, "")
        .replace(/!?\[([^\]]*)\]\([^)]*\)/gu, "$1")
        .replace(/(\*\*|__|\*|`)/gu, "")
        .trim();
      for (const sentence of plain.split(/(?<=[.!?]["”’)]?)\s+(?=[\p{Lu}\p{N}"“(])/u)) {
        if (!sentence) continue;
        passages.push({ note, order: passages.length, text: sentence, terms: new Set(terms(sentence)), above });
      }
    }
  }
  return passages;
}

/** The passages that fit best, best first: rare words count more, and a word in the title counts half. */
function rank(passages: Passage[], question: string): { passage: Passage; score: number }[] {
  const asked = [...new Set(terms(question))];
  if (asked.length === 0) return [];
  const weight = new Map(
    asked.map((term) => {
      const having = passages.filter((passage) => passage.terms.has(term) || passage.above.has(term)).length;
      return [term, Math.log(1 + passages.length / (1 + having))];
    }),
  );
  const scored = passages.flatMap((passage) => {
    let score = 0;
    let hits = 0;
    for (const term of asked) {
      const factor = passage.terms.has(term) ? 1 : passage.above.has(term) ? 0.5 : 0;
      score += factor * (weight.get(term) ?? 0);
      if (factor > 0) hits += 1;
    }
    // One shared word out of many is chance, not an answer.
    return hits > 0 && hits >= asked.length / 4 ? [{ passage, score }] : [];
  });
  return scored.sort((one, other) => other.score - one.score || one.passage.order - other.passage.order);
}

function cite(passage: Passage): string {
  const text = passage.text.replace(/\s*\[\d+\]/gu, "");
  const end = /[.!?]["”’)]?$/u.exec(text);
  const body = end ? text.slice(0, end.index) : text.replace(/[,;:]$/u, "");
  return `${body} [${passage.note.number}]${end?.[0] ?? "."}`;
}

/** Two or three sentences out of the notes, cited; undefined if none fits. */
function answerFromNotes(notes: Note[], question: string, earlier: string): string | undefined {
  const passages = passagesOf(notes);
  const asked = terms(question);
  let ranked = rank(passages, question);
  const leansOnEarlier = asked.length < 3 || /\b(?:it|its|that|this|those|they|them|there|he|she)\b/iu.test(question);
  if (earlier && leansOnEarlier && (ranked[0]?.score ?? 0) < 2) {
    const together = rank(passages, `${question} ${earlier}`);
    if (ranked.length === 0) ranked = together;
    else {
      const fits = new Set(ranked.map(({ passage }) => passage));
      ranked = together.filter(({ passage }) => fits.has(passage));
    }
  }
  const best = ranked[0];
  if (!best) return undefined;
  // Who asks for no more than a title's words wants the note; else another note must fit nearly as well to be told.
  const titled = asked.length > 0 && asked.every((term) => terms(best.passage.note.title).includes(term));
  const close = titled
    ? passages.filter(({ note }) => note === best.passage.note).map((passage) => ({ passage }))
    : ranked.filter(({ passage, score }) => score >= best.score * (passage.note === best.passage.note ? 0.6 : 0.8));
  const byNote = new Map<Note, Passage[]>();
  for (const { passage } of close.slice(0, 3)) byNote.set(passage.note, [...(byNote.get(passage.note) ?? []), passage]);
  const paragraphs = [...byNote.values()].map((group, index) => {
    const sentences = group.sort((one, other) => one.order - other.order).map(cite);
    const title = group[0]?.note.title;
    if (index > 0 && title) sentences.unshift(`There is more under “${title.replace(/[.!?]+$/u, "")}”.`);
    return sentences.join(" ");
  });
  return paragraphs.join("\n\n");
}

/** The first sentence of each note, for whoever asks what there is. */
function overview(notes: Note[], question: string): string | undefined {
  if (notes.length === 0 || !/\b(?:summar\w*|overview|list|what)\b.*\bnotes\b/iu.test(question)) return undefined;
  if (terms(question.replace(/\b(?:summar\w*|overview|list)\b/giu, "")).length > 0) return undefined;
  const passages = passagesOf(notes);
  return notes
    .map((note) => {
      const first = passages.find((passage) => passage.note === note);
      return `- **${note.title || "Untitled"}**: ${first ? cite(first) : `empty [${note.number}].`}`;
    })
    .join("\n");
}

function answerAsItself(notes: Note[]): string {
  const found =
    notes.length > 0
      ? `I read the ${notes.length === 1 ? "note" : `${notes.length} notes`} that came with your question and found nothing that fits it.`
      : "No notes came with your question, so there was nothing for me to look in.";
  return [
    "I am Sidenote's local model server, not a language model: I can only answer from your notes.",
    found,
    [
      "To talk with a real model, stop Sidenote and start it again in one of these ways:",
      "",
      "- with `OPENAI_API_KEY` set, for the models of OpenAI;",
      "- with `BEDROCK=aws` and AWS credentials, for Amazon Bedrock;",
      "- with Ollama running on its usual port, for models on this machine.",
    ].join("\n"),
    "Until then, ask me about something that stands in a note, or say “write a long answer about tea” to see an answer stream in.",
  ].join("\n\n");
}

function longAnswer(topic: string, fromNotes: string | undefined): string {
  const name = topic.replace(/^[\p{Ll}]/u, (letter) => letter.toUpperCase());
  const slug =
    topic
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/gu, "") || "topic";
  return [
    `# ${name}`,
    `This is a long answer about ${topic}, made by Sidenote's local model server so that you can watch text stream in. It knows nothing about ${topic} beyond your notes, so what follows is a way to think about any subject, with yours put in its place.`,
    ...(fromNotes ? ["## What your notes say", fromNotes] : []),
    "## Where to begin",
    `Begin with the question that brought you to ${topic}. Write it down in one sentence before you read anything. A question that does not fit into one sentence is usually two questions, and each deserves its own page. Then note what you already know, what you believe without having checked it, and what you would do differently if you knew the answer.`,
    [
      "- **What is certain.** Facts that you have seen yourself, or that two sources give which did not copy from each other.",
      "- **What is likely.** Things that fit the rest, and that nobody has checked lately.",
      "- **What is open.** The gaps. They matter most, because they decide what to look at next.",
    ].join("\n"),
    "## How the parts compare",
    `Most subjects fall into a few parts which pull in different directions. A small table makes that visible, and shows where ${topic} needs a decision rather than more reading.`,
    [
      "| Part | What it gives | What it costs | When to choose it |",
      "| --- | --- | --- | --- |",
      "| The quick way | A first result today | Errors that are found late | The result is thrown away soon |",
      "| The careful way | Few surprises | Days instead of hours | Others will build on it |",
      "| The way of the others | Help when you are stuck | Some of your own wishes | Nothing about it is special |",
    ].join("\n"),
    "## A plan in steps",
    [
      `1. Collect what you have about ${topic} in one place, without sorting it.`,
      "2. Strike out what would not change your decision, however interesting it is.",
      "3. Try the smallest thing that could prove you wrong, and do it first.",
      "4. Write down what happened, with the date, while you still remember it.",
      "5. Decide, and say when you will look at the decision again.",
    ].join("\n"),
    "The third step is the one that people leave out. It is also the cheapest one. An idea that survives an honest attempt to break it is worth more than ten that were only agreed with.",
    "## The same as code",
    "A plan that can be written as a program is usually clear enough to follow:",
    [
      "```ts",
      `const subject = "${slug}";`,
      "",
      "function nextStep(known: string[], open: string[]): string {",
      "  const gap = open.find((question) => !known.includes(question));",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the text of a program
      "  return gap ? `Look into ${gap} first.` : `Decide about ${subject}.`;",
      "}",
      "```",
    ].join("\n"),
    "The function looks for the first open question that nothing known settles. When there is none left, it is time to decide, even though more could always be read.",
    "## To keep in mind",
    `> Nobody knows all of ${topic}. What counts is to know which part you need.`,
    `Come back to this after a week. Read your first sentence again and ask whether ${topic} still looks the same. If it does, you have probably understood it. If it does not, the new question is the better one, and the notes that you kept are the fastest way into it.`,
  ].join("\n\n");
}

/** Puts the word into every sentence and heading outside code and tables. */
function mark(text: string, word: string): string {
  let inCode = false;
  return text
    .split("\n")
    .map((line) => {
      if (line.startsWith("```")) inCode = !inCode;
      if (inCode || line.startsWith("```") || line.startsWith("|")) return line;
      if (line.startsWith("#")) return `${line} ${word}`;
      return line.replace(/(?<!^\d+)([.!?:])(?=[*”"]*(?:\s|$))/gu, ` ${word}$1`);
    })
    .join("\n");
}

function quote(text: string): string {
  const flat = text.replace(/\s+/gu, " ").trim();
  return `“${flat.length > 200 ? `${flat.slice(0, 199).trimEnd()}…` : flat}”`;
}

function answerFromHistory(prompt: Prompt, question: string): string | undefined {
  const about = /\bwhat (?:did|have|had|was) (?:i|my)\b.*?\b(?:ask|asked|say|said|write|wrote|question|message)\b/iu;
  if (!about.test(question)) return undefined;
  const questions = prompt.messages.filter(({ role }) => role === "user").slice(0, -1);
  const first = /\bfirst\b/iu.test(question);
  const wanted = first ? questions[0] : questions.at(-1);
  if (!wanted) return "This is the first thing that you asked in this thread.";
  return `${first ? "The first thing you asked was" : "Before this you asked"}: ${quote(wanted.text)}`;
}

/** "Remember that ..." */
const remember = /^(?:please )?(?:remember|keep in mind|note down)(?: that|:)?\s+([^\n]+?)\s*[.!]*\s*$/iu;

/** A note in the form that the prompt asks for, if it allows any: a fenced block with the info word `note`. */
function proposeNote(prompt: Prompt, question: string): string | undefined {
  const fact = remember.exec(question)?.[1];
  const allowed = [prompt.system, prompt.messages[0]?.text ?? ""].some((text) => /\binfo word note\b/u.test(text));
  if (!fact || !allowed) return undefined;
  const sentence = fact.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
  const words = sentence.split(/\s+/u);
  const title = words
    .slice(0, 6)
    .join(" ")
    .replace(/[,;:]$/u, "");
  return `I can propose that as a note.\n\n\`\`\`note\n${title}\n${sentence}.\n\`\`\`\n\nWhether it is kept is up to you.`;
}

const asksToContinue =
  /^(?:please )?(?:continue|go on|carry on)\b|\b(?:continue|go on|carry on)\b[\w ,]*\b(?:where|from|exactly)\b/iu;

/** "marker ZEBRA", or "use the word zebra in every sentence". */
const markerWord =
  /\b[Mm]arker(?: word)?[\s:]+["'“]?(\p{Lu}[\p{L}\p{N}_-]{2,})|\b[Uu]se the word ["'“]?([\p{L}\p{N}_-]+)["'”]? in (?:every|each) sentence/u;
const markerRequest = /[,;.]?\s*(?:with |and )?(?:the )?(?:marker|use the word)\b.*$/isu;

function compose(prompt: Prompt): string {
  const { notes, question, earlier } = readNotes(prompt);
  const repeat = /\brepeat (?:the word )?["'“]?([\p{L}\p{N}_-]+)["'”]?\s+(\d{1,5}) times\b/iu.exec(question);
  if (repeat) return Array.from({ length: Math.min(Number(repeat[2]), 20_000) }, () => repeat[1]).join(" ");
  const marker = markerWord.exec(question)?.slice(1).find(Boolean);
  const plain = marker ? question.replace(markerRequest, "") : question;
  const long = /\blong (?:answer|text|story|essay) (?:about|on)\s+([^\n]+?)\s*[.!?]*$/imu.exec(plain);
  const text = long?.[1]
    ? longAnswer(long[1].slice(0, 100), answerFromNotes(notes, long[1], ""))
    : (proposeNote(prompt, plain) ??
      answerFromHistory(prompt, plain) ??
      overview(notes, plain) ??
      answerFromNotes(notes, plain, earlier) ??
      answerAsItself(notes));
  return marker ? mark(text, marker) : text;
}

/** What a begun answer still lacks. */
function goOn(whole: string, begun: string): string {
  const start = begun.trimEnd();
  const repeated = stretch(whole, countTokens(begun) + countTokens(whole)).join("");
  const text = whole.startsWith(start) ? whole : repeated.startsWith(start) ? repeated : undefined;
  if (text === undefined) return ` To go on: ${whole}`;
  const rest = text.slice(begun.length <= text.length && text.startsWith(begun) ? begun.length : start.length);
  return rest || " That was all.";
}

/** Of one note, and of all that it wants, so many characters are carried out: an answer has an end. */
const obeyed = { note: 800, everything: 200 };

/**
 * What a model says that takes every note for an order: it says the note itself, word for word, and wherever the note
 * asks for {{everything}}, all that stands in the prompt, as part of a URL.
 */
export function obey(prompt: Prompt): string {
  const everything = [prompt.system, ...prompt.messages.map(({ text }) => text)].join("\n").slice(0, obeyed.everything);
  const put = encodeURIComponent(everything.toWellFormed()).replace(/[()']/gu, "_");
  return readNotes(prompt)
    .notes.map(({ text, number }) => {
      const half = obeyed.note / 2;
      const said = text.length > obeyed.note ? `${text.slice(0, half)}${text.slice(-half)}` : text;
      return `${said.replaceAll("{{everything}}", put)} [${number}]`;
    })
    .join("\n\n");
}

/** The answer to the newest question; if the prompt ends with a begun answer, what follows it. */
export function composeAnswer(prompt: Prompt): string {
  const { messages } = prompt;
  const last = messages.at(-1);
  if (last?.role === "assistant") {
    const before = { ...prompt, messages: messages.slice(0, -1) };
    return goOn(compose(before), last.text);
  }
  const begun = messages.at(-2);
  if (last && begun?.role === "assistant" && asksToContinue.test(readNotes(prompt).question)) {
    const before = { ...prompt, messages: messages.slice(0, -2) };
    return goOn(composeAnswer(before), begun.text);
  }
  return compose(prompt);
}

/** What a model that reasons says before its answer: what it is asked, and where it looks. */
export function composeThoughts(prompt: Prompt): string {
  const { notes, question, earlier } = readNotes(prompt);
  const best = rank(passagesOf(notes), question)[0] ?? rank(passagesOf(notes), `${earlier} ${question}`)[0];
  return [
    `The question is ${quote(question)}.`,
    notes.length === 0
      ? "There are no notes to look in."
      : `There ${notes.length === 1 ? "is 1 note" : `are ${notes.length} notes`} to look in.`,
    best
      ? `Note ${best.passage.note.number}, ${quote(best.passage.note.title || "Untitled")}, has a sentence that fits.`
      : "Nothing in them fits, so I should say so.",
  ].join(" ");
}
