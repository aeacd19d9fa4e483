import { gunzip, unzstd } from "../decompress.ts";
import { messageOf } from "../../foundation/errors.ts";
import { DataSetError } from "../errors.ts";
import { TextError } from "./errors.ts";

/** Bytes read at a time. */
const CHUNK = 1 << 16;

/**
 * The text of a file in pieces, strictly UTF-8, without a byte order mark. Files that begin as gzip or zstd do are
 * unpacked on the way, whatever they are called. Only a piece at a time is in memory.
 *
 * @param name how messages call the file.
 * @throws TextError for bytes that are no UTF-8, saying where; for damaged packed data; for a file that is missing.
 */
export async function* fileText(path: string, name = path): AsyncGenerator<string> {
  try {
    yield* decodeUtf8(unpacked(path), name);
  } catch (error) {
    if (error instanceof DataSetError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new TextError(`${name}: there is no such file: ${path}`, { cause: error });
    }
    throw new TextError(`${name}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Text from bytes, strictly UTF-8, without a byte order mark.
 *
 * @throws TextError naming the first byte that does not fit.
 */
export async function* decodeUtf8(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let before = 0;
  let rest = new Uint8Array();
  let first = true;
  for await (const chunk of source) {
    const bytes = rest.length === 0 ? chunk : concatenated(rest, chunk);
    const whole = bytes.length - incompleteTail(bytes);
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(0, whole));
    } catch {
      throw notUtf8(name, before, bytes.subarray(0, whole));
    }
    before += whole;
    rest = bytes.slice(whole);
    if (first && text.startsWith("\ufeff")) text = text.slice(1);
    if (text !== "") {
      first = false;
      yield text;
    }
  }
  if (rest.length > 0) throw notUtf8(name, before, rest);
}

function notUtf8(name: string, before: number, bytes: Uint8Array): TextError {
  // A prefix decodes up to the first wrong byte and not past it: halve the range that it must lie in.
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isPrefixOfUtf8(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  good -= incompleteTail(bytes.subarray(0, good)); // The character that the wrong byte breaks is wrong from its first byte.
  const at = before + good;
  const hex = [...bytes.subarray(good, good + 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new TextError(`${name}: not UTF-8 at byte ${at}: ${hex}`, {
    hint: "Convert it first: iconv -f LATIN1 -t UTF-8 FILE, with the encoding that it is in.",
  });
}

function isPrefixOfUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Bytes at the end, at most 3, that begin a character without ending it. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

async function* unpacked(path: string): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path, { read: true });
  const head = new Uint8Array(4);
  let have = 0;
  for (let n: number | null = 0; have < 4 && n !== null; have += n ?? 0) {
    n = await file.read(head.subarray(have));
  }
  await file.seek(0, Deno.SeekMode.Start);
  const magic = [...head.subarray(0, have)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const bytes = chunksOf(file);
  if (magic.startsWith("1f8b")) yield* gunzip(bytes);
  else if (magic === "28b52ffd") yield* unzstd(bytes);
  else yield* bytes;
}

async function* chunksOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  for (;;) {
    const buffer = new Uint8Array(CHUNK);
    const n = await file.read(buffer);
    if (n === null) return;
    yield buffer.subarray(0, n);
  }
}
