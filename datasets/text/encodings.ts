import { TextError } from "./errors.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Number of bytes at the beginning of a file used to detect its type. */
const HEAD = 4096;

/** Byte order marks and their encodings. */
const MARKS: readonly (readonly [mark: readonly number[], encoding: string])[] = [
  // Before UTF-16, whose mark is a prefix of UTF-32's.
  [[0xff, 0xfe, 0, 0], "UTF-32LE"],
  [[0, 0, 0xfe, 0xff], "UTF-32BE"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];

/** Signatures of binary files, what they are, and how to get the text. */
const BINARY: readonly (readonly [mark: string, what: string, remedy: string])[] = [
  ["%PDF-", "a PDF document", "Take the text out of it first: pdftotext FILE."],
  [
    "PK\u0003\u0004",
    "a zip archive, or a document that is one (docx, odt, epub)",
    "Unpack it, or take the text out of it first: pandoc -t plain FILE.",
  ],
  ["\u00d0\u00cf\u0011\u00e0", "a document of an old office program", "Save it as plain text, UTF-8, first."],
  ["{\\rtf", "an RTF document", "Save it as plain text, UTF-8, first."],
  [
    "BZh",
    "packed with bzip2",
    "Unpack it first: bunzip2 FILE. Files packed with gzip or zstd are taken as they are.",
  ],
  [
    "\u00fd7zXZ",
    "packed with xz",
    "Unpack it first: unxz FILE. Files packed with gzip or zstd are taken as they are.",
  ],
  ["7z\u00bc\u00af", "a 7z archive", "Unpack it first: 7z x FILE."],
  ["PAR1", "a parquet file", 'Say which column is the text: `column`, for example "text".'],
  ["SQLite format 3", "a database", "Export its texts as CSV or JSON lines first."],
];

/**
 * Decodes text: UTF-8, or UTF-16 with a byte order mark, which is removed.
 *
 * @param name the file's name in messages.
 * @throws TextError for other encodings and for what is no text, saying what it seems to be; for bytes that do not fit.
 */
export async function* decodeText(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    const { head, before } = await headOf(chunks);
    const encoding = encodingOf(head, name);
    const all = rest(before, chunks);
    yield* encoding === "utf-8" ? decodeUtf8(all, name) : decodeUtf16(all, encoding, name);
  } finally {
    await chunks.return?.();
  }
}

async function headOf(chunks: AsyncIterator<Uint8Array>) {
  const before: Uint8Array[] = [];
  let size = 0;
  while (size < HEAD) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    before.push(value);
    size += value.length;
  }
  const head = new Uint8Array(Math.min(HEAD, size));
  let at = 0;
  for (const chunk of before) {
    const part = chunk.subarray(0, head.length - at);
    head.set(part, at);
    at += part.length;
  }
  return { head, before };
}

async function* rest(before: readonly Uint8Array[], chunks: AsyncIterator<Uint8Array>) {
  yield* before;
  for (;;) {
    const { done, value } = await chunks.next();
    if (done === true) return;
    yield value;
  }
}

function encodingOf(head: Uint8Array, name: string): "utf-8" | "utf-16le" | "utf-16be" {
  const marked = MARKS.find(([mark]) => mark.every((byte, i) => head[i] === byte))?.[1];
  if (marked === "utf-16le" || marked === "utf-16be") return marked;
  if (marked !== undefined) {
    throw new TextError("text/encoding", `${name}: it is ${marked}, expected UTF-8 or UTF-16`, {
      hint: convert(marked),
    });
  }
  const begin = String.fromCharCode(...head.subarray(0, 16));
  const binary = BINARY.find(([mark]) => begin.startsWith(mark));
  if (binary !== undefined) {
    throw new TextError("text/encoding", `${name}: it is ${binary[1]}, not text`, { hint: binary[2] });
  }
  const zero = head.indexOf(0);
  if (zero < 0) return "utf-8";
  const zeros = [0, 0, 0, 0];
  head.forEach((byte, i) => byte === 0 ? zeros[i % 4]!++ : undefined);
  const [a, b, c, d] = zeros.map((count) => count > head.length / 16);
  const wide = a && b && c && !d
    ? "UTF-32BE"
    : !a && b && c && d
    ? "UTF-32LE"
    : !a && b && !c && d
    ? "UTF-16LE"
    : a && !b && c && !d
    ? "UTF-16BE"
    : undefined;
  if (wide !== undefined) {
    throw new TextError("text/encoding", `${name}: it seems to be ${wide} without a byte order mark`, {
      hint: convert(wide),
    });
  }
  throw new TextError("text/encoding", `${name}: byte ${zero} is zero: this is not text`, {
    hint:
      "Leave the file out (`endings` takes only files whose names end so), or take the text out of it first.",
  });
}

function convert(encoding: string): string {
  return `Convert it first: iconv -f ${encoding} -t UTF-8 FILE.`;
}

/** Decodes UTF-16 piece by piece, strictly. */
async function* decodeUtf16(
  source: AsyncIterable<Uint8Array>,
  encoding: "utf-16le" | "utf-16be",
  name: string,
): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let before = 0;
  const decode = (bytes?: Uint8Array) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (cause) {
      const where = bytes === undefined
        ? `it ends inside a character, at byte ${before}`
        : `bytes ${before} to ${before + bytes.length} hold half a character`;
      throw new TextError(
        "text/encoding",
        `${name}: not ${encoding.toUpperCase()}, as its mark says: ${where}`,
        {
          cause,
          hint: "Was it cut short, or joined from files of several encodings?",
        },
      );
    }
  };
  for await (const bytes of source) {
    const text = decode(bytes);
    before += bytes.length;
    if (text !== "") yield text;
  }
  const text = decode();
  if (text !== "") yield text;
}
