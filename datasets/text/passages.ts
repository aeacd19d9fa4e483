/** A part of a document that fits into memory. */
export interface Passage {
  /** Index of its document. */
  readonly document: number;
  /** Its text. */
  readonly text: string;
  /** Whether its document ends with it. */
  readonly last: boolean;
}

/** Maximum size of a passage in bytes: the amount given to tokenizers at a time. */
const LIMIT = 1 << 16;

/**
 * Reads documents that are concatenated in a UTF-8 file. A document longer than `limit` bytes is split into passages,
 * after an empty line if possible, otherwise after a line, a space, or any character. Where it is split depends only on
 * its text.
 *
 * @param starts byte offset of each document in the file, followed by the end of the file.
 */
export async function* passagesOf(
  path: string,
  starts: Float64Array,
  limit: number = LIMIT,
): AsyncGenerator<Passage> {
  using file = await Deno.open(path, { read: true });
  const reader = new Reader(file, Math.max(16 * limit, 1 << 20));
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let document = 0; document + 1 < starts.length; document++) {
    let left = starts[document + 1]! - starts[document]!;
    while (left > 0) {
      const bytes = await reader.peek(Math.min(left, limit));
      const length = left <= limit ? left : cutBefore(bytes);
      const text = decoder.decode(bytes.subarray(0, length));
      reader.skip(length);
      left -= length;
      yield { document, text, last: left === 0 };
    }
  }
}

/** Where to split bytes that continue. */
function cutBefore(bytes: Uint8Array): number {
  const half = bytes.length >> 1;
  let line = 0;
  let space = 0;
  for (let i = bytes.length - 1; i >= half; i--) {
    const byte = bytes[i]!;
    if (byte === 10) {
      if (bytes[i - 1] === 10) return i + 1;
      line ||= i + 1;
    } else if (byte === 32) space ||= i + 1;
  }
  if (line > 0 || space > 0) return line || space;
  let end = bytes.length;
  while (end > half && (bytes[end - 1]! & 0xc0) === 0x80) end--;
  // The last character is excluded, because its start is known but not whether it is complete.
  return end - 1 > half ? end - 1 : bytes.length;
}

/** Reads ahead, so that many small documents need few reads. */
class Reader {
  readonly #file: Deno.FsFile;
  readonly #buffer: Uint8Array;
  #from = 0;
  #to = 0;

  constructor(file: Deno.FsFile, size: number) {
    this.#file = file;
    this.#buffer = new Uint8Array(size);
  }

  /** The next `n` bytes, at most the buffer's size; valid until the next call. */
  async peek(n: number): Promise<Uint8Array> {
    if (this.#to - this.#from < n) {
      this.#buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
      while (this.#to < n) {
        const read = await this.#file.read(this.#buffer.subarray(this.#to));
        if (read === null) throw new TypeError("the text ends before its last document does");
        this.#to += read;
      }
    }
    return this.#buffer.subarray(this.#from, this.#from + n);
  }

  skip(n: number): void {
    this.#from += n;
  }
}
