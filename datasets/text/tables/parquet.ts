import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { messageOf } from "../../../foundation/errors.ts";
import { DataSetError } from "../../errors.ts";
import { TextError } from "../errors.ts";
import { unpacked } from "../file_text.ts";
import type { Row } from "./row.ts";

/** Number of rows in memory at a time. */
const TOGETHER = 4096;

const plain = (unpack: (bytes: Uint8Array) => Uint8Array) => (bytes: Uint8Array) =>
  Uint8Array.from(unpack(bytes));

/** Compression codecs of pages in addition to Snappy, which the reader has built in. */
const compressors = {
  GZIP: plain(gunzipSync),
  BROTLI: plain(brotliDecompressSync),
  ZSTD: plain(zstdDecompressSync),
};

/** The rows of a parquet file, with only the requested column if one is given. */
export async function* parquetRows(path: string, name: string, column?: string): AsyncGenerator<Row> {
  // The index is at the end of the file, so it cannot be read as a stream.
  const temporary = await isParquet(path) ? undefined : await unpackedFile(path, name);
  try {
    const file = await asyncBufferFromFile(temporary ?? path);
    const metadata = await parquetMetadataAsync(file);
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    if (column === undefined || !columns.includes(column)) {
      if (Number(metadata.num_rows) > 0) yield { where: "row 1", columns, cell: () => undefined };
      return;
    }
    yield* rowsOf(file, metadata, columns, column);
  } catch (cause) {
    if (cause instanceof DataSetError) throw cause;
    throw new TextError("table/syntax", `${name}: it cannot be read as parquet: ${messageOf(cause)}`, {
      cause,
      hint:
        "Is the file whole? Write it again with pages packed by Snappy, gzip, zstd, Brotli or not at all.",
    });
  } finally {
    if (temporary !== undefined) await Deno.remove(temporary);
  }
}

async function* rowsOf(
  file: Awaited<ReturnType<typeof asyncBufferFromFile>>,
  metadata: FileMetaData,
  columns: readonly string[],
  column: string,
): AsyncGenerator<Row> {
  const count = Number(metadata.num_rows);
  for (let from = 0; from < count; from += TOGETHER) {
    const rows = await parquetReadObjects({
      file,
      metadata,
      compressors,
      columns: [column],
      rowStart: from,
      rowEnd: Math.min(count, from + TOGETHER),
      parsers: { stringFromBytes },
    });
    for (const [i, row] of rows.entries()) {
      yield {
        where: `row ${from + i + 1}`,
        columns,
        cell: (name) => name === column ? row[name] ?? null : undefined,
      };
    }
  }
}

/** Decodes a string strictly: the reader would insert replacement characters for invalid UTF-8. */
function stringFromBytes(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Whether a file has the signature of a parquet file. */
export async function isParquet(path: string): Promise<boolean> {
  using file = await Deno.open(path, { read: true });
  const head = new Uint8Array(4);
  return await file.read(head) === 4 && new TextDecoder().decode(head) === "PAR1";
}

async function unpackedFile(path: string, name: string): Promise<string> {
  const temporary = await Deno.makeTempFile({ prefix: "retort-parquet-" });
  try {
    using file = await Deno.open(temporary, { write: true });
    for await (const bytes of unpacked(path)) {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    }
    return temporary;
  } catch (cause) {
    await Deno.remove(temporary);
    throw new TextError("text/files", `${name}: cannot be read: ${messageOf(cause)}`, { cause });
  }
}
