/**
 * Markdown from a model or a person, made safe and readable. Nothing in it can act: raw HTML is shown as text, images
 * are never loaded (an address can carry data to a stranger), links are absolute and open elsewhere, and everything
 * passes a list of allowed elements. Citations `[n]` are made after that list, so a text cannot forge one.
 * Rendered block by block and remembered by plain strings: a growing answer renders only its last block again.
 */

import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import {
  type ComponentPropsWithoutRef,
  createContext,
  Fragment,
  memo,
  type ReactNode,
  type RefObject,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import ReactMarkdown, { type Components, type ExtraProps, type Options } from "react-markdown";
import rehypeSanitize from "rehype-sanitize";
import { CopyButton } from "./copy";
import { type Block, hasFootnotes, isCode, isNoteFence, linkDefinitions, mend, splitBlocks } from "./markdown-blocks";

type Element = NonNullable<ExtraProps["node"]>;
type Child = Element["children"][number];
interface Parent {
  children: Child[];
}

export interface MarkdownProps {
  text: string;
  /** The thread's numbers that are citations here, each with the number that the page shows. Others stay text. */
  citations?: ReadonlyMap<number, number>;
  /** Makes the ids of citations and sidenotes unique on the page. */
  answerId?: string;
  /** The text still grows: half-open marks are closed, and a caret blinks at its end. */
  streaming?: boolean;
  /** The text ended before its end and grows no more: half-open marks stay closed as they were while it grew. */
  broken?: boolean;
  /** What stands below a block that cites these of the thread's numbers for the first time. */
  below?: (numbers: number[]) => ReactNode;
  /** What stands for a note that the text proposes; `nth` counts from 0. Undefined: it is code like any other. */
  note?: (block: string, nth: number, growing: boolean) => ReactNode | undefined;
}

/**
 * A citation is `<a class="cite" href="#sidenote-<answerId>-<display>" id="cite-<answerId>-<display>-<k>">` with
 * `data-number` (as displayed) and `data-note-number` (the thread's); k counts from 1 for each number.
 */
export function Markdown({
  text,
  citations = noCitations,
  answerId = "",
  streaming = false,
  broken = false,
  below,
  note,
}: MarkdownProps) {
  const earlier = useRef<readonly Block[]>([]);
  const blocks = useMemo(() => splitBlocks(text, earlier.current), [text]);
  useEffect(() => {
    earlier.current = blocks;
  }, [blocks]);
  const cites = citesOfBlocks(blocks, citations);
  const lastBlock = blocks.at(-1);
  const open = streaming || broken;
  const proposals = new Map<number, ReactNode>();
  for (const [nth, block] of blocks.filter(({ text }) => isNoteFence(text)).entries()) {
    const proposed = note?.(block.text, nth, streaming && block === lastBlock);
    if (proposed !== undefined) proposals.set(block.from, proposed);
  }
  if (lastBlock && hasFootnotes(blocks)) {
    const all = citesOfAll(cites);
    const first = below ? firstCited(all) : [];
    return (
      <div className="answer">
        <Proposals.Provider value={proposals}>
          <RenderedBlock
            text={open ? text.slice(0, lastBlock.from) + mend(lastBlock.text) : text}
            cites={all}
            answerId={answerId}
            growing={streaming}
          />
        </Proposals.Provider>
        {first.length > 0 && below?.(first)}
      </div>
    );
  }
  const definitions = linkDefinitions(blocks);
  return (
    <div className="answer">
      {blocks.map((block, index) => {
        const proposed = proposals.get(block.from);
        if (proposed !== undefined) return <Fragment key={block.from}>{proposed}</Fragment>;
        const body = open && block === lastBlock ? mend(block.text) : block.text;
        const first = below ? firstCited(cites[index] ?? "") : [];
        return (
          <Fragment key={block.from}>
            <RenderedBlock
              text={definitions && body.includes("[") && !isCode(body) ? `${body}\n\n${definitions}` : body}
              cites={cites[index] ?? ""}
              answerId={answerId}
              growing={streaming && block === lastBlock}
            />
            {first.length > 0 && below?.(first)}
          </Fragment>
        );
      })}
      {streaming && blocks.length === 0 && (
        <p>
          <span className="caret" aria-hidden />
        </p>
      )}
    </div>
  );
}

const noCitations: ReadonlyMap<number, number> = new Map();
const citation = /[ \u00a0]?\[(\d{1,3}(?: ?, ?\d{1,3})*)\]/g;

/**
 * For each block the citations that it may hold, as `number:display:before`, where `before` says how often that
 * number was cited above. A string, so that a block with the same citations counts as the same block.
 */
export function citesOfBlocks(blocks: readonly Block[], citations: ReadonlyMap<number, number>): string[] {
  const seen = new Map<number, number>();
  return blocks.map((block) => {
    const here = new Map<number, number>();
    for (const number of citations.size > 0 ? bracketedNumbers(block) : [])
      if (citations.has(number)) here.set(number, (here.get(number) ?? 0) + 1);
    return [...here]
      .map(([number, times]) => {
        const before = seen.get(number) ?? 0;
        seen.set(number, before + times);
        return `${number}:${citations.get(number)}:${before}`;
      })
      .join(",");
  });
}

/** The same for all blocks as one. */
const citesOfAll = (cites: readonly string[]): string =>
  cites
    .flatMap((ofBlock) => ofBlock.split(","))
    .filter((entry) => entry.endsWith(":0"))
    .join(",");

/** The numbers that a block of {@link citesOfBlocks} cites before any other. */
const firstCited = (cites: string): number[] =>
  cites.split(",").flatMap((entry) => {
    const [number, , before] = entry.split(":").map(Number);
    return number !== undefined && before === 0 ? [number] : [];
  });

const bracketed = new WeakMap<Block, readonly number[]>();

/** All numbers in brackets outside of code, in order. Blocks are kept while a text grows, so each is read once. */
function bracketedNumbers(block: Block): readonly number[] {
  let numbers = bracketed.get(block);
  if (!numbers) {
    const text = isCode(block.text) || !block.text.includes("[") ? "" : block.text.replace(/`+[^`]*`+/g, "");
    numbers = [...text.matchAll(citation)].flatMap(([, group = ""]) => group.split(",").map(Number));
    bracketed.set(block, numbers);
  }
  return numbers;
}

/** In a text that is rendered whole: what stands for the notes that it proposes, by where their fences begin. */
const Proposals = createContext<ReadonlyMap<number, ReactNode>>(new Map());

interface RenderedBlockProps {
  text: string;
  cites: string;
  answerId: string;
  growing: boolean;
}

const RenderedBlock = memo(function RenderedBlock({ text, cites, answerId, growing }: RenderedBlockProps) {
  const rehypePlugins: Options["rehypePlugins"] = [[rehypeSanitize, allowed]];
  if (cites) rehypePlugins.push([citeNotes, { cites, answerId }]);
  if (growing) rehypePlugins.push(addCaret);
  return (
    <ReactMarkdown
      remarkPlugins={remarkPlugins}
      rehypePlugins={rehypePlugins}
      remarkRehypeOptions={{ clobberPrefix: `${answerId}-` }}
      components={growing ? growingComponents : components}
    >
      {text}
    </ReactMarkdown>
  );
});

/** GitHub's markdown, to be read only: remark-gfm can write it too, which is 10 KB that no page needs. */
function readGfm(this: { data(): object }): void {
  const data: { micromarkExtensions?: unknown[]; fromMarkdownExtensions?: unknown[] } = this.data();
  data.micromarkExtensions = [...(data.micromarkExtensions ?? []), gfm()];
  data.fromMarkdownExtensions = [...(data.fromMarkdownExtensions ?? []), gfmFromMarkdown()];
}

const remarkPlugins: Options["remarkPlugins"] = [readGfm, showHtmlAsText];

const allowed = {
  strip: [],
  clobberPrefix: "",
  clobber: [],
  tagNames: [
    ...[
      "p",
      "br",
      "strong",
      "em",
      "del",
      "a",
      "ul",
      "ol",
      "li",
      "h1",
      "h2",
      "h3",
      "h4",
      "h5",
      "h6",
      "blockquote",
      "hr",
    ],
    ...["code", "pre", "table", "thead", "tbody", "tr", "th", "td", "input", "sup", "section"],
  ],
  attributes: {
    a: ["href", "id", "ariaLabel", ["className", "data-footnote-backref"]],
    code: [["className", /^language-[\w+#.-]{1,40}$/]],
    input: [["type", "checkbox"], "checked", ["disabled", true]],
    li: ["id", ["className", "task-list-item"]],
    ol: ["start"],
    h2: ["id", ["className", "sr-only"]],
    section: [["className", "footnotes"]],
    th: ["align"],
    td: ["align"],
  } satisfies Record<string, (string | [string, ...(string | boolean | RegExp)[]])[]>,
  protocols: { href: ["http", "https", "mailto"] },
  required: { input: { type: "checkbox", disabled: true } },
};

interface MarkdownNode {
  type: string;
  value?: string;
  children?: MarkdownNode[];
}

/** Raw HTML is something to read, never to obey. Only a line break is meant as one. Images are their description. */
function showHtmlAsText() {
  function visit(node: MarkdownNode, outermost: boolean) {
    node.children = node.children?.map((child): MarkdownNode => {
      if (child.type === "html") {
        const shown =
          /^<br\s*\/?>$/i.test(child.value ?? "") && !outermost
            ? { type: "break" }
            : { type: "text", value: child.value ?? "" };
        return outermost ? { type: "paragraph", children: [shown] } : shown;
      }
      if (child.type === "image" || child.type === "imageReference")
        return { type: "text", value: (child as { alt?: string }).alt || "Image" };
      if (child.children) visit(child, holdsBlocks.has(child.type));
      return child;
    });
  }
  return (tree: MarkdownNode) => visit(tree, true);
}
const holdsBlocks = new Set(["blockquote", "listItem", "footnoteDefinition"]);

/** Makes links of the known numbers in brackets; code and links are left alone. */
function citeNotes({ cites, answerId }: { cites: string; answerId: string }) {
  return (tree: Parent) => {
    const known = new Map(
      cites.split(",").map((entry) => {
        const [number = 0, display = 0, before = 0] = entry.split(":").map(Number);
        return [number, { display, count: before }] as [number, { display: number; count: number }];
      }),
    );
    const visit = (parent: Parent) => {
      parent.children = parent.children.flatMap((child): Child[] => {
        if (child.type === "text") return cite(child.value);
        if (child.type === "element" && !["code", "pre", "a"].includes(child.tagName)) visit(child);
        return [child];
      });
    };
    const link = (number: number): Child[] => {
      const entry = known.get(number);
      if (!entry) return [];
      entry.count += 1;
      const { display, count } = entry;
      return [
        {
          type: "element",
          tagName: "a",
          properties: {
            className: ["cite"],
            href: `#sidenote-${answerId}-${display}`,
            id: `cite-${answerId}-${display}-${count}`,
            dataNumber: display,
            dataNoteNumber: number,
            ariaLabel: `Sidenote ${display}`,
          },
          children: [{ type: "text", value: String(display) }],
        },
      ];
    };
    const cite = (value: string): Child[] => {
      const parts: Child[] = [];
      let from = 0;
      let links: Child[] = [];
      // The numerals of a place come after its full stop or comma, wherever the model put that.
      const flush = () => {
        if (links.length === 0) return;
        const mark = /^[.,;:!?](?![\w.,;:!?])/.exec(value.slice(from))?.[0] ?? "";
        if (mark) parts.push({ type: "text", value: mark });
        from += mark.length;
        parts.push(...links);
        links = [];
      };
      for (const match of value.matchAll(citation)) {
        const numbers = (match[1] ?? "").split(",").map(Number);
        if (!numbers.every((number) => known.has(number))) continue;
        if (match.index > from) {
          flush();
          if (match.index > from) parts.push({ type: "text", value: value.slice(from, match.index) });
        }
        from = match.index + match[0].length;
        links.push(...numbers.flatMap(link));
      }
      flush();
      if (from < value.length) parts.push({ type: "text", value: value.slice(from) });
      return parts;
    };
    visit(tree);
  };
}

/** Puts the caret behind the last word, inside whatever it stands in. */
function addCaret() {
  return (tree: Parent) => {
    let parent = tree;
    for (;;) {
      const last = parent.children.findLast((child) => child.type === "element");
      const text = parent.children.findLast((child) => child.type === "text" && child.value.trim() !== "");
      const deeper = last?.type === "element" && caretGoesInto.has(last.tagName) ? last : undefined;
      if (!deeper || (text && parent.children.indexOf(text) > parent.children.indexOf(deeper))) break;
      parent = deeper;
    }
    if (parent === tree) tree.children.push({ type: "element", tagName: "p", properties: {}, children: [caret()] });
    else parent.children.push(caret());
  };
}
const caretGoesInto = new Set("p ul ol li h1 h2 h3 h4 h5 h6 blockquote pre code table thead tbody tr th td".split(" "));
const caret = (): Element => ({
  type: "element",
  tagName: "span",
  properties: { className: ["caret"], ariaHidden: "true" },
  children: [],
});

type Given<Tag extends keyof JSX.IntrinsicElements> = ComponentPropsWithoutRef<Tag> & ExtraProps;

function ProseLink({ node: _, href, children, ...rest }: Given<"a">) {
  if (href?.startsWith("#"))
    return (
      <a href={href} {...rest}>
        {children}
      </a>
    );
  // Only whole addresses lead somewhere: a bare path would point into this app.
  if (!href || !/^(https?:\/\/|mailto:)/i.test(href)) return <>{children}</>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

function WideTable({ node: _, ...rest }: Given<"table">) {
  const box = useRef<HTMLDivElement>(null);
  const scrolls = useScrolls(box);
  return (
    <div ref={box} className="wide" {...(scrolls ? { tabIndex: 0, role: "group", "aria-label": "Table" } : {})}>
      <table {...rest} />
    </div>
  );
}

const components: Components = {
  a: ProseLink,
  table: WideTable,
  pre: ({ node }) => <Fenced pre={node} growing={false} />,
};
const growingComponents: Components = { ...components, pre: ({ node }) => <Fenced pre={node} growing={true} /> };

function Fenced({ pre, growing }: { pre: Element | undefined; growing: boolean }) {
  return useContext(Proposals).get(pre?.position?.start.offset ?? -1) ?? <Code pre={pre} growing={growing} />;
}

/** Names of languages where the tag is not the name with a capital. */
const languageNames: Record<string, string> = {
  bash: "Shell",
  console: "Shell",
  cpp: "C++",
  cs: "C#",
  csharp: "C#",
  css: "CSS",
  html: "HTML",
  javascript: "JavaScript",
  js: "JavaScript",
  json: "JSON",
  jsx: "JSX",
  md: "Markdown",
  php: "PHP",
  py: "Python",
  rb: "Ruby",
  rs: "Rust",
  sh: "Shell",
  shell: "Shell",
  sql: "SQL",
  text: "Text",
  toml: "TOML",
  ts: "TypeScript",
  tsx: "TSX",
  txt: "Text",
  typescript: "TypeScript",
  xml: "XML",
  yaml: "YAML",
  yml: "YAML",
  zsh: "Shell",
};

function nameOf(language: string): string {
  return (
    languageNames[language.toLowerCase()] ?? (language ? language.charAt(0).toUpperCase() + language.slice(1) : "Text")
  );
}

/** A piece of code and what it is; without a kind it is plain. */
export interface CodePiece {
  text: string;
  kind?: "comment" | "string" | "command";
}

function Code({ pre, growing }: { pre: Element | undefined; growing: boolean }) {
  const code = pre?.children.find((child) => child.type === "element" && child.tagName === "code");
  const parts = code?.type === "element" ? code : undefined;
  const text = (parts?.children ?? []).map((child) => (child.type === "text" ? child.value : "")).join("");
  const language = /language-(\S+)/.exec(String(parts?.properties.className ?? ""))?.[1] ?? "";
  const box = useRef<HTMLPreElement>(null);
  const scrolls = useScrolls(box);
  const pieces = useHighlighted(text, language, growing);
  return (
    <div className="code">
      <div className="code-head">
        <span>{nameOf(language)}</span>
        <CopyButton text={() => text.replace(/\n$/, "")} />
      </div>
      <pre ref={box} {...(scrolls ? { tabIndex: 0, role: "group", "aria-label": `${nameOf(language)} code` } : {})}>
        <code>
          {pieces
            ? pieces.map(({ text: piece, kind }, index) =>
                kind ? (
                  // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other identity, and are replaced as a whole
                  <span key={index} className={kind}>
                    {piece}
                  </span>
                ) : (
                  piece
                ),
              )
            : growing
              ? text.replace(/\n$/, "")
              : text}
          {growing && <span className="caret" aria-hidden />}
        </code>
      </pre>
    </div>
  );
}

/** The code in pieces, once the code is whole and the highlighter is there; it is not part of the first load. */
function useHighlighted(text: string, language: string, growing: boolean): CodePiece[] | undefined {
  const [found, setFound] = useState<{ text: string; pieces: CodePiece[] | undefined }>();
  useEffect(() => {
    if (growing || !language || text.length > 50_000) return;
    let wanted = true;
    import("./highlight.client")
      .then(async ({ highlight }) => {
        await idle();
        return wanted ? highlight(text, language) : undefined;
      })
      .then((pieces) => wanted && setFound({ text, pieces }))
      .catch((error: unknown) => console.warn("Code stays plain: the highlighter could not be loaded.", error));
    return () => {
      wanted = false;
    };
  }, [text, language, growing]);
  return found?.text === text ? found.pieces : undefined;
}

/** Resolves when the page has nothing more urgent to do. */
function idle(): Promise<void> {
  return new Promise((resolve) =>
    "requestIdleCallback" in window ? requestIdleCallback(() => resolve(), { timeout: 2_000 }) : setTimeout(resolve),
  );
}

/**
 * Whether a box holds more than its width shows; then it must be reachable by the keyboard. Until it has been
 * measured (and without a script for good) it counts as if it did.
 */
function useScrolls(box: RefObject<HTMLElement>): boolean {
  const [scrolls, setScrolls] = useState(true);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setScrolls(element.scrollWidth > element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return scrolls;
}
