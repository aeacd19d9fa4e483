/** Rewrites TypeScript files, laid out as `deno fmt` does it, in ways that change their format alone. */

/** A piece of a source text. */
export interface Token {
  readonly kind: "space" | "comment" | "string" | "template" | "regex" | "number" | "word" | "mark";
  readonly text: string;
}

const PIECES: readonly [Token["kind"], RegExp][] = [
  ["space", /\s+/y],
  ["comment", /\/\/[^\n]*|\/\*[\s\S]*?\*\//y],
  ["string", /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y],
  ["number", /0[xXbBoO][\da-fA-F_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?n?/y],
  ["word", /[#@]?[\p{ID_Start}$_][\p{ID_Continue}$]*/yu],
  ["mark", /\.\.\.|=>|\?\.|\?\?=?|\*\*=?|&&=?|\|\|=?|[=!]==?|[+*/%&|^-]=|\+\+|--|./ysu],
];

/** Words after which a slash begins a regular expression. */
const BEFORE_REGEX = /^(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/;

/** Splits a source text; the pieces together are the text. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < source.length;) {
    const token = source[at] === "`"
      ? { kind: "template" as const, text: source.slice(at, templateEnd(source, at)) }
      : regexAt(source, at, tokens) ?? pieceAt(source, at);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function pieceAt(source: string, at: number): Token {
  for (const [kind, expression] of PIECES) {
    expression.lastIndex = at;
    const found = expression.exec(source);
    if (found !== null && found[0] !== "") return { kind, text: found[0] };
  }
  throw new Error(`cannot read ${source.slice(at, at + 20)}`);
}

function regexAt(source: string, at: number, before: readonly Token[]): Token | undefined {
  if (source[at] !== "/" || source[at + 1] === "/" || source[at + 1] === "*") return undefined;
  const solid = before.filter(({ kind }) => kind !== "space" && kind !== "comment");
  // A mark of exclamation right after an operand (`rows[i]! / 2`) is TypeScript's, and no operator.
  const last = solid.findLast(({ text }, i) => text !== "!" || !/[\w$)\]]$/.test(solid[i - 1]?.text ?? ""));
  const operand = last !== undefined &&
    (/^[)\]}]$/.test(last.text) || last.kind === "word" && !BEFORE_REGEX.test(last.text) ||
      last.kind === "number" || last.kind === "string" || last.kind === "template");
  if (operand) return undefined;
  const expression = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
  expression.lastIndex = at;
  const found = expression.exec(source);
  return found === null ? undefined : { kind: "regex", text: found[0] };
}

function templateEnd(source: string, start: number): number {
  let at = start + 1;
  while (source[at] !== "`") {
    if (source[at] === "\\") at += 2;
    else if (source[at] === "$" && source[at + 1] === "{") {
      at += 2;
      for (let depth = 1; depth > 0;) {
        if (source[at] === "`") at = templateEnd(source, at);
        else if (source[at] === '"' || source[at] === "'") at += pieceAt(source, at).text.length;
        else {
          if (source[at] === "{") depth++;
          if (source[at] === "}") depth--;
          at++;
        }
      }
    } else at++;
  }
  return at + 1;
}

/** Whether an edit is made at a place where it could be. */
export type Choose = () => boolean;

/** An edit of a file's format: its name, and what it makes of the file's pieces. */
export type Edit = readonly [name: string, (tokens: readonly Token[], choose: Choose) => string];

/** An edit of single pieces; undefined leaves a piece as it is. The pieces around have no spaces and comments. */
function each(
  edit: (token: Token, before: string, after: string) => string | undefined,
): Edit[1] {
  return (tokens, choose) => {
    const solid = (token: Token) => token.kind !== "space" && token.kind !== "comment";
    return tokens.map((token, i) => {
      const before = tokens.slice(Math.max(0, i - 6), i).findLast(solid)?.text ?? "";
      const after = tokens.slice(i + 1, i + 7).find(solid)?.text ?? "";
      const edited = edit(token, before, after);
      return edited !== undefined && choose() ? edited : token.text;
    }).join("");
  };
}

/** Puts a text behind pieces that have a certain text. */
function behind(marks: string, added: string): Edit[1] {
  return each(({ kind, text }) => kind === "mark" && marks.includes(text) ? text + added : undefined);
}

/** Index of the semicolon that ends the statement at an index. */
function statementEnd(tokens: readonly Token[], start: number): number {
  let depth = 0;
  for (let i = start; i < tokens.length; i++) {
    if (tokens[i]!.kind !== "mark") continue;
    if ("([{".includes(tokens[i]!.text)) depth++;
    if (")]}".includes(tokens[i]!.text)) depth--;
    if (depth < 0) return -1;
    if (depth === 0 && tokens[i]!.text === ";") return i;
  }
  return -1;
}

/** Puts something around what a word and the semicolon of its statement enclose. */
function around(
  applies: (word: string, before: string) => boolean,
  open: string,
  close: string,
  whole: boolean,
): Edit[1] {
  return (tokens, choose) => {
    const texts = tokens.map((token) => token.text);
    let before = "";
    for (const [i, { kind, text }] of tokens.entries()) {
      if (kind === "space" || kind === "comment") continue;
      if (kind === "word" && applies(text, before)) {
        const end = statementEnd(tokens, i);
        const next = tokens[i + 1];
        // An empty `return;` may hold comments by now: there is nothing to enclose.
        const something = tokens.slice(i + 1, end).some(({ kind }) => kind !== "space" && kind !== "comment");
        if (something && (whole || next?.kind === "space") && choose()) {
          texts[i] = whole ? open + texts[i] : `${texts[i]} ${open}`;
          texts[end] = whole ? texts[end] + close : close + texts[end];
        }
      }
      before = text;
    }
    return texts.join("");
  };
}

/** Puts braces around single statements after `if (…)`. */
function braces(tokens: readonly Token[], choose: Choose): string {
  const texts = tokens.map((token) => token.text);
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]!.text !== "if" || tokens[i]!.kind !== "word") continue;
    let at = i + 1;
    let depth = 0;
    do {
      if (tokens[at]!.text === "(") depth++;
      if (tokens[at]!.text === ")") depth--;
      at++;
    } while (depth > 0 || tokens[at - 1]!.text !== ")");
    while (tokens[at]!.kind === "space") at++;
    const end = statementEnd(tokens, at);
    if (!/^(?:return|throw|continue|break)$/.test(tokens[at]!.text) || end < 0 || !choose()) continue;
    texts[at] = `{ ${texts[at]}`;
    texts[end] += " }";
  }
  return texts.join("");
}

/** Takes a trailing comma away. */
function noTrailingCommas(tokens: readonly Token[], choose: Choose): string {
  const solid = tokens.filter(({ kind }) => kind !== "space" && kind !== "comment");
  const trailing = new Set(
    solid.filter((token, i) =>
      token.text === "," && /^[)\]}]$/.test(solid[i + 1]?.text ?? "") &&
      !/^[,[]$/.test(solid[i - 1]?.text ?? ",")
    ),
  );
  return tokens.map((token) => trailing.has(token) && choose() ? "" : token.text).join("");
}

const after = (added: string): Edit[1] => (tokens) => tokens.map((token) => token.text).join("") + added;

/** Edits that change the format of a file, and nothing of what it does. */
export const EDITS: readonly Edit[] = [
  ["line break in literals, calls and blocks", behind("([{,", "\n")],
  [
    "line break before a closing bracket",
    each(({ text }) => /^[)\]}]$/.test(text) ? `\n${text}` : undefined),
  ],
  ["comment in literals and argument lists", behind("([{,", " /* c */ ")],
  ["line comment in literals and argument lists", behind("([{,", " // it's `one\n")],
  [
    "comment between expressions",
    each(({ kind, text }) => kind === "space" ? `${text}/* a "c" */ ` : undefined),
  ],
  ["comment after return", each(({ text }) => text === "return" ? "return /* c */ " : undefined)],
  [
    "comments gone",
    each(({ kind, text }) => kind === "comment" ? (text.includes("\n") ? "\n" : " ") : undefined),
  ],
  [
    "comment that looks like the bundler's",
    each(({ text }) => text === ";" ? ";\n// helper.ts\n" : undefined),
  ],
  ["annotation of purity", behind("=,", " /* @__PURE__ */ ")],
  ["legal comment", after("\n/*! @license none */\n//! kept\n")],
  [
    "blank lines",
    each(({ kind, text }) => kind === "space" && text.includes("\n") ? `\n\n${text}\n` : undefined),
  ],
  ["indentation", each(({ kind, text }) => kind === "space" && text.includes("\n") ? "\n\t\t " : undefined)],
  ["spaces", each(({ kind, text }) => kind === "space" && !text.includes("\n") ? " \t  " : undefined)],
  ["other line ends", each(({ kind, text }) => kind === "space" ? text.replaceAll("\n", "\r\n") : undefined)],
  [
    "lines joined",
    (tokens) =>
      tokens.map(({ kind, text }) =>
        kind === "space" ? " " : kind === "comment" && text.startsWith("//") ? " " : text
      ).join(""),
  ],
  [
    "quotes",
    each(({ kind, text }) =>
      kind === "string" && !/['"\\]/.test(text.slice(1, -1)) ? `'${text.slice(1, -1)}'` : undefined
    ),
  ],
  [
    "escapes",
    each(({ kind, text }, before) =>
      kind === "string" && before !== "from" && before !== "import" && /^"[a-z]/.test(text)
        ? `"\\x${text.charCodeAt(1).toString(16)}${text.slice(2)}`
        : undefined
    ),
  ],
  [
    "notation of numbers",
    each(({ kind, text }) =>
      kind === "number" && /^[1-9]\d*$/.test(text) ? `0x${Number(text).toString(16)}` : undefined
    ),
  ],
  [
    "separators in numbers",
    each(({ kind, text }) =>
      kind === "number" && /^[1-9]\d+$/.test(text) ? text.replace(/\d$/, "_$&") : undefined
    ),
  ],
  [
    "parentheses around what is returned",
    around((word, before) => word === "return" && !/^\??\.$/.test(before), "(", ")", false),
  ],
  ["braces around single statements", braces],
  ["trailing commas gone", noTrailingCommas],
  ["semicolons gone", (tokens, choose) =>
    tokens.map(({ text }, i) => {
      const next = tokens[i + 1];
      const first = tokens[i + 2]?.text ?? "";
      const free = next?.kind === "space" && next.text.includes("\n") &&
        /^(?:const|let|return|if|for|export|import|function|while|throw|try|switch)$/.test(first);
      return text === ";" && free && choose() ? "" : text;
    }).join("")],
  ["order of imported names", (tokens) =>
    tokens.map((token) => token.text).join("").replaceAll(
      /^import \{([^}/]*)\} from/gm,
      (_, names: string) =>
        `import {${names.split(",").filter((name) => name.trim() !== "").reverse().join(",")}} from`,
    )],
  [
    "unused exports",
    after("\nexport const unusedValue = 17;\nexport function unusedFunction() { return unusedValue; }\n"),
  ],
  ["unused types", after("\nexport interface UnusedShape { a: 1 }\nexport type UnusedUnion = 1 | 2;\n")],
  ["byte order mark", (tokens) => `\ufeff${tokens.map((token) => token.text).join("")}`],
];
