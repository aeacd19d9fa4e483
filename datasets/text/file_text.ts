import { gunzip, unzstd } from "../decompress.ts";
import { messageOf } from "../../foundation/errors.ts";
import { DataSetError } from "../errors.ts";
import { decodeText } from "./encodings.ts";
import { TextError } from "./errors.ts";

/** Number of bytes read at a time. */
const CHUNK = 1 << 16;

/**
 * The text of a file in pieces, strictly decoded from UTF-8 or, with a byte order mark, UTF-16; the mark is removed.
 * gzip and zstd files, recognised by content, are decompressed on the fly. Only one piece at a time is in memory.
 *
 * @param name the file's name in messages.
 * @throws TextError for bytes that are no such text, saying where and what they seem to be; for damaged packed data; for a file that is missing.
 */
export async function* fileText(path: string, name = path): AsyncGenerator<string> {
  try {
    yield* decodeText(unpacked(path), name);
  } catch (error) {
    if (error instanceof DataSetError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new TextError("text/files", `${name}: there is no such file: ${path}`, { cause: error });
    }
    throw new TextError("text/files", `${name}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** The bytes of a file, decompressed if they are gzip or zstd. */
export async function* unpacked(path: string): AsyncGenerator<Uint8Array> {
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
