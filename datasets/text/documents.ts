import { nodeModule } from "../../foundation/node_module.ts";
import { TextError } from "./errors.ts";
import { fileText } from "./file_text.ts";
import { textLines } from "./lines.ts";
import { columnTexts, tableKind } from "./tables/texts.ts";

/**
 * How a file is divided into documents. `file`: the file is one document. `paragraphs`: documents are separated by empty
 * lines. `lines`: each non-empty line is a document. `wikitext`: an article begins with a line ` = Title = ` between
 * empty ones.
 */
export type TextFormat = "file" | "paragraphs" | "lines" | "wikitext";
/** All formats. */
export const textFormats = ["file", "paragraphs", "lines", "wikitext"] as const;

/** Maximum size of a document that is not a whole file, since these are gathered in memory. */
const LONGEST = 1 << 28;

/** One document. */
export interface TextDocument {
  /** Its text in pieces; can be read repeatedly. */
  text(): AsyncIterable<string> | Iterable<string>;
}

/**
 * The documents of a file in order. None consists only of white space, unless others follow it. Concatenated they are
 * the file, except for the empty lines between `paragraphs` and `lines`. In a table (JSON lines, CSV, parquet) each row
 * is a document, whatever the format, and its text is that of the given column.
 *
 * @throws TextError for bytes that are no text, for a file that is missing or damaged, for a table without a column that
 * is named and a column without a table.
 */
export async function* documentsOf(
  path: string,
  format: TextFormat,
  options: {
    /** Name of the file in messages; its path by default. */
    readonly name?: string;
    /** The text column of a table. */
    readonly column?: string;
  } = {},
): AsyncGenerator<TextDocument> {
  const { name = path, column } = options;
  const table = await tableKind(path, name);
  if (table !== undefined) {
    for await (const text of columnTexts(path, table, column, name)) yield { text: () => [text] };
    return;
  }
  if (column !== undefined) {
    throw new TextError(
      "table/columns",
      `${name}: it is not a table and has no column ${JSON.stringify(column)}`,
      { hint: "Tables are .jsonl, .csv and .parquet; `endings` takes only files whose names end so." },
    );
  }
  if (format === "file") {
    for await (const piece of fileText(path, name)) {
      if (!isBlank(piece)) return yield { text: () => fileText(path, name) };
    }
    return;
  }
  // Blank lines before a document belong to the file; a file of blank lines has no document.
  const blank: string[] = [];
  for await (const text of cut(textLines(fileText(path, name)), beginsOf[format], name)) {
    if (isBlank(text)) {
      blank.push(text);
      continue;
    }
    for (const before of blank.splice(0)) yield { text: () => [before] };
    yield { text: () => [text] };
  }
}

/** Whether a line, given its neighbours, begins a document, is omitted, or continues one. */
type Begins = (
  line: string,
  before: string | undefined,
  after: string | undefined,
) => "begins" | "left out" | "goes on";

const isBlank = (line: string | undefined) => line === undefined || line.trim() === "";

const beginsOf: Record<Exclude<TextFormat, "file">, Begins> = {
  lines: (line) => isBlank(line) ? "left out" : "begins",
  paragraphs: (line, before) => isBlank(line) ? "left out" : isBlank(before) ? "begins" : "goes on",
  // A title is surrounded by empty lines; without them it is a list item.
  wikitext: (line, before, after) =>
    /^ = [^=\s].* = \s*$/.test(line) && isBlank(before) && isBlank(after) ? "begins" : "goes on",
};

async function* withNeighbours(lines: AsyncIterable<string>) {
  let before: string | undefined;
  let line: string | undefined;
  for await (const after of lines) {
    if (line !== undefined) yield [line, before, after] as const;
    before = line;
    line = after;
  }
  if (line !== undefined) yield [line, before, undefined] as const;
}

async function* cut(lines: AsyncIterable<string>, begins: Begins, name: string): AsyncGenerator<string> {
  let gathered: string[] = [];
  let length = 0;
  for await (const [line, before, after] of withNeighbours(lines)) {
    const what = begins(line, before, after);
    if (what === "begins" && gathered.length > 0) {
      yield gathered.join("");
      gathered = [];
      length = 0;
    }
    if (what === "left out") continue;
    gathered.push(line);
    length += line.length;
    if (length > LONGEST) {
      throw new TextError("text/too-long", `${name}: a document is longer than ${LONGEST} characters`, {
        hint: 'Is it of another format? With the format "file" a document may have any length.',
      });
    }
  }
  if (gathered.length > 0) yield gathered.join("");
}

/** All splits. */
export const splits = ["train", "valid", "test"] as const;
/** A part of a corpus: for fitting, for model selection, or for reporting. */
export type Split = typeof splits[number];

/**
 * Assigns a document to a split by the sha256 of its text, so the split does not depend on the order of files, and equal
 * documents are never in two splits.
 *
 * @param shares of documents; they need not sum to one.
 */
export async function splitByHash(
  document: TextDocument,
  shares: Readonly<Record<Split, number>>,
): Promise<Split> {
  const hash = nodeModule("node:crypto").createHash("sha256");
  for await (const piece of document.text()) hash.update(piece);
  return splitOfDigest(hash.digest(), shares);
}

/** The split that a digest falls into. */
export function splitOfDigest(digest: Uint8Array, shares: Readonly<Record<Split, number>>): Split {
  const total = splits.reduce((sum, split) => sum + shares[split], 0);
  const drawn = digest.subarray(0, 6).reduce((sum, byte) => sum * 256 + byte, 0);
  let left = drawn / 2 ** 48 * total;
  for (const split of splits) {
    left -= shares[split];
    if (left < 0) return split;
  }
  return "train"; // Reached only because of rounding.
}

/** The split of a file according to its name or its folder's: `train.txt`, `wiki.valid.tokens`, `test/1.txt`. */
export function splitByName(name: string): Split | undefined {
  const words = name.toLowerCase().split(/[^a-z]+/);
  if (words.includes("train") || words.includes("training")) return "train";
  if (["valid", "validation", "dev", "val"].some((word) => words.includes(word))) return "valid";
  return words.includes("test") ? "test" : undefined;
}
