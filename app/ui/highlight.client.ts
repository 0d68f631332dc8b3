/**
 * Highlighting for code blocks, loaded when a page first shows code. There is no rainbow: comments, strings and, in
 * a shell, commands are told apart, and nothing else. So the theme carries three marks instead of colours, and the
 * pieces come out with the names of classes, which needs no inline style.
 */
import { createHighlighterCore, type LanguageInput } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import type { CodePiece } from "./markdown";

/** Each grammar is a file of its own, fetched when its language first appears. */
const grammars: Record<string, () => LanguageInput> = {
  c: () => import("shiki/langs/c.mjs"),
  cpp: () => import("shiki/langs/cpp.mjs"),
  csharp: () => import("shiki/langs/csharp.mjs"),
  css: () => import("shiki/langs/css.mjs"),
  diff: () => import("shiki/langs/diff.mjs"),
  docker: () => import("shiki/langs/docker.mjs"),
  go: () => import("shiki/langs/go.mjs"),
  html: () => import("shiki/langs/html.mjs"),
  ini: () => import("shiki/langs/ini.mjs"),
  java: () => import("shiki/langs/java.mjs"),
  javascript: () => import("shiki/langs/javascript.mjs"),
  json: () => import("shiki/langs/json.mjs"),
  jsx: () => import("shiki/langs/jsx.mjs"),
  kotlin: () => import("shiki/langs/kotlin.mjs"),
  php: () => import("shiki/langs/php.mjs"),
  python: () => import("shiki/langs/python.mjs"),
  ruby: () => import("shiki/langs/ruby.mjs"),
  rust: () => import("shiki/langs/rust.mjs"),
  shellscript: () => import("shiki/langs/shellscript.mjs"),
  sql: () => import("shiki/langs/sql.mjs"),
  swift: () => import("shiki/langs/swift.mjs"),
  toml: () => import("shiki/langs/toml.mjs"),
  tsx: () => import("shiki/langs/tsx.mjs"),
  typescript: () => import("shiki/langs/typescript.mjs"),
  xml: () => import("shiki/langs/xml.mjs"),
  yaml: () => import("shiki/langs/yaml.mjs"),
};

const otherNames: Record<string, string> = {
  "c#": "csharp",
  "c++": "cpp",
  bash: "shellscript",
  console: "shellscript",
  cs: "csharp",
  dockerfile: "docker",
  js: "javascript",
  jsonc: "json",
  kt: "kotlin",
  patch: "diff",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "shellscript",
  shell: "shellscript",
  svg: "xml",
  ts: "typescript",
  yml: "yaml",
  zsh: "shellscript",
};

/** The "colours" of the theme: marks that are turned into classes and never reach the page. */
const marks: Record<string, CodePiece["kind"]> = { "#000001": "comment", "#000002": "string", "#000003": "command" };

const highlighter = createHighlighterCore({
  engine: createJavaScriptRegexEngine({ forgiving: true }),
  langs: [],
  themes: [
    {
      name: "sidenote",
      type: "light",
      fg: "#000000",
      bg: "#ffffff",
      settings: [
        { scope: ["comment", "punctuation.definition.comment"], settings: { foreground: "#000001" } },
        { scope: ["string", "punctuation.definition.string"], settings: { foreground: "#000002" } },
        {
          scope: ["entity.name.command.shell", "entity.name.function.call.shell", "support.function.builtin.shell"],
          settings: { foreground: "#000003" },
        },
        // Words of a shell command that merely look like strings, and the values inside strings.
        { scope: ["string.unquoted", "meta.embedded"], settings: { foreground: "#000000" } },
      ],
    },
  ],
});

/** The code in pieces; undefined if its language is not known here. */
export async function highlight(text: string, language: string): Promise<CodePiece[] | undefined> {
  const name = otherNames[language.toLowerCase()] ?? language.toLowerCase();
  const grammar = grammars[name];
  if (!grammar) return undefined;
  const shiki = await highlighter;
  await shiki.loadLanguage(grammar());
  const lines = shiki.codeToTokensBase(text, {
    lang: name,
    theme: "sidenote",
    // The first line waits for the grammar's patterns: the usual half second would cut it short on a slow machine.
    tokenizeTimeLimit: 3_000,
    tokenizeMaxLineLength: 2_000,
  });
  const pieces: CodePiece[] = [];
  lines.forEach((line, index) => {
    if (index > 0) append(pieces, "\n", undefined);
    for (const { content, color = "" } of line) {
      const kind = marks[color.toLowerCase()];
      // The first word of a crontab line is a time, no command.
      append(pieces, content, kind === "command" && /^\d/.test(content) ? undefined : kind);
    }
  });
  return pieces;
}

function append(pieces: CodePiece[], text: string, kind: CodePiece["kind"]) {
  const last = pieces.at(-1);
  if (last && last.kind === kind) last.text += text;
  else pieces.push(kind ? { text, kind } : { text });
}
