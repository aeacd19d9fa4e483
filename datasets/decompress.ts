import type { Transform } from "node:stream";
import type { UnzipFile } from "fflate";
import { nodeModule } from "../foundation/node_module.ts";

/** Decompresses gzip with one or more members. Throws if the data is damaged or truncated. */
export function gunzip(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(source, nodeModule("node:zlib").createGunzip());
}

/** Pipes bytes through a zlib stream with back-pressure; stops the source when the reader stops. */
async function* through(source: AsyncIterable<Uint8Array>, transform: Transform): AsyncIterable<Uint8Array> {
  // An error of the source or of zlib destroys `transform`, so the loop below throws.
  const { pipeline, Readable } = nodeModule("node:stream");
  pipeline(Readable.from(source), transform, () => {});
  for await (const chunk of transform) yield chunk;
}

const cutShort = "the zstd data is cut short";

/**
 * Decompresses zstd with one or more frames; skippable frames are skipped.
 *
 * The runtime's decoder accepts one frame, fails outside any handler if more follow, and ends silently if the data is
 * truncated, so the frames are separated here by walking their block headers.
 */
export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const reader = new ByteReader(source);
  try {
    for (let frames = 0;; frames++) {
      const magic = await reader.take(4, frames > 0);
      if (magic === undefined) return;
      const number = littleEndian(magic);
      if (number >= 0x184d2a50 && number <= 0x184d2a5f) {
        let left = littleEndian((await reader.take(4))!);
        while (left > 0) left -= (await reader.take(Math.min(left, 1 << 16)))!.length;
      } else if (number === 0xfd2fb528) {
        yield* through(frame(reader, magic), nodeModule("node:zlib").createZstdDecompress());
      } else {
        throw new Error(frames === 0 ? "it is not zstd data" : "bytes follow the zstd data");
      }
    }
  } finally {
    await reader.close();
  }
}

/** The compressed bytes of one frame, from its magic number (already read) to its checksum (RFC 8878, 3.1.1). */
async function* frame(reader: ByteReader, magic: Uint8Array): AsyncIterable<Uint8Array> {
  yield magic;
  const descriptor = (await reader.take(1))!;
  yield descriptor;
  const bits = descriptor[0]!;
  const single = (bits & 0x20) !== 0;
  const sizeBytes = bits >> 6 === 0 ? (single ? 1 : 0) : 1 << (bits >> 6);
  const header = (single ? 0 : 1) + [0, 1, 2, 4][bits & 3]! + sizeBytes;
  if (header > 0) yield (await reader.take(header))!;
  for (let last = false; !last;) {
    const block = (await reader.take(3))!;
    yield block;
    const word = littleEndian(block);
    last = (word & 1) === 1;
    const type = (word >> 1) & 3;
    const size = type === 1 ? 1 : word >> 3;
    if (size > 0) yield (await reader.take(size))!;
  }
  if ((bits & 4) !== 0) yield (await reader.take(4))!;
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/** Reads exact numbers of bytes from chunks of any size. */
class ByteReader {
  #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next `n` bytes; undefined at the end of the source, if `mayEnd`. */
  async take(n: number, mayEnd = false): Promise<Uint8Array | undefined> {
    const out = new Uint8Array(n);
    let filled = 0;
    while (filled < n) {
      if (this.#rest.length === 0) {
        const next = await this.#source.next();
        if (next.done) {
          if (mayEnd && filled === 0) return undefined;
          throw new Error(cutShort);
        }
        this.#rest = next.value;
      }
      const piece = this.#rest.subarray(0, n - filled);
      out.set(piece, filled);
      filled += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
    }
    return out;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** A file of a zip archive during unpacking. */
export interface ZipMember {
  /** Its name in the archive. */
  readonly name: string;
  /** Its bytes; read them to the end before requesting the next member. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The files of a zip archive that `take` accepts, in order, as a stream.
 *
 * @param take called with the name of every member.
 * @throws where the archive is damaged, cut short, or packed in a way that is not supported.
 */
export async function* unzip(
  source: AsyncIterable<Uint8Array>,
  take: (name: string) => boolean,
): AsyncGenerator<ZipMember> {
  const events = zipEvents(source, take);
  try {
    for (;;) {
      const { done, value } = await events.next();
      if (done) return;
      if (!("name" in value)) throw new Error("bytes that belong to no member");
      yield { name: value.name, body: bodyOf(events) };
    }
  } finally {
    // Who wants no more members leaves the source open otherwise.
    await events.return(undefined);
  }
}

type ZipEvent = { readonly name: string } | { readonly bytes: Uint8Array; readonly last: boolean };

async function* bodyOf(events: AsyncGenerator<ZipEvent>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await events.next();
    if (done || "name" in value) throw new Error("the zip archive is cut short");
    yield value.bytes;
    if (value.last) return;
  }
}

async function* zipEvents(
  source: AsyncIterable<Uint8Array>,
  take: (name: string) => boolean,
): AsyncGenerator<ZipEvent> {
  const { Unzip, UnzipInflate } = await import("fflate");
  let queue: ZipEvent[] = [];
  let members = 0;
  const unpacker = new Unzip((file: UnzipFile) => {
    members++;
    if (!take(file.name)) return;
    queue.push({ name: file.name });
    file.ondata = (error, bytes, last) => {
      if (error) throw error;
      queue.push({ bytes, last });
    };
    file.start();
  });
  unpacker.register(UnzipInflate);
  for await (const chunk of source) {
    unpacker.push(chunk, false);
    const ready = queue;
    queue = [];
    yield* ready;
  }
  unpacker.push(new Uint8Array(), true);
  yield* queue;
  if (members === 0) throw new Error("it is not a zip archive");
}
