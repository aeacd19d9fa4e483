import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { messageOf } from "../../../foundation/errors.ts";
import { nodeModule } from "../../../foundation/node_module.ts";
import { once } from "../../../foundation/once.ts";
import { TextError } from "../errors.ts";
import { unpacked } from "../file_text.ts";
import type { Row } from "./row.ts";

/** Number of rows in memory at a time. */
const TOGETHER = 4096;

const plain = (unpack: (bytes: Uint8Array) => Uint8Array) => (bytes: Uint8Array) =>
  Uint8Array.from(unpack(bytes));

/** Compression codecs of pages in addition to Snappy, which the reader has built in. */
const compressors = once(() => {
  const { brotliDecompressSync, gunzipSync, zstdDecompressSync } = nodeModule("node:zlib");
  return {
    GZIP: plain(gunzipSync),
    BROTLI: plain(brotliDecompressSync),
    ZSTD: plain(zstdDecompressSync),
  };
});

/** The rows of a parquet file, with only the requested column if one is given. */
export async function* parquetRows(path: string, name: string, column?: string): AsyncGenerator<Row> {
  await using opened = await openParquet(path, name);
  const { columns, metadata } = opened;
  if (column === undefined || !columns.includes(column)) {
    if (Number(metadata.num_rows) > 0) yield { where: "row 1", columns, cell: () => undefined };
    return;
  }
  for await (const { row, number } of recordsOf(opened, [column], name)) {
    yield {
      where: `row ${number}`,
      columns,
      cell: (name) => name === column ? row[name] ?? null : undefined,
    };
  }
}

/** A column of a parquet file, as texts. */
export interface ParquetColumn {
  readonly name: string;
  /** The text of every cell, null where missing. */
  readonly cells: readonly (string | null)[];
  /** Whether its cells are strings, whatever they look like. */
  readonly words: boolean;
}

/**
 * The columns of a parquet file, those left out without values: numbers as their shortest decimals, dates and times as ISO 8601 (UTC),
 * truths as `true` and `false`; missing are nulls and numbers that are not any.
 * @throws TextError for a file that cannot be read, and a column of lists, bytes or records.
 */
export async function parquetColumns(
  path: string,
  name: string,
  leftOut: ReadonlySet<string> = new Set(),
): Promise<ParquetColumn[]> {
  await using opened = await openParquet(path, name);
  const rows = Number(opened.metadata.num_rows),
    names = opened.columns.filter((column) => !leftOut.has(column));
  const found = opened.columns.map((name) => ({
    name,
    cells: leftOut.has(name) ? new Array<null>(rows).fill(null) : [] as (string | null)[],
    words: false,
  }));
  const wanted = found.filter(({ name }) => !leftOut.has(name));
  if (names.length === 0) return found;
  for await (const { row, number } of recordsOf(opened, names, name)) {
    for (const column of wanted) {
      const cell = row[column.name];
      if (typeof cell === "string") column.words = true;
      column.cells.push(
        cellText(cell, () => `${name}, row ${number}, column ${JSON.stringify(column.name)}`),
      );
    }
  }
  return found;
}

function cellText(cell: unknown, where: () => string): string | null {
  if (cell === null || cell === undefined || (typeof cell === "number" && Number.isNaN(cell))) return null;
  if (typeof cell === "string") return cell.trim() === "" ? null : cell;
  if (typeof cell === "number" || typeof cell === "bigint" || typeof cell === "boolean") return String(cell);
  if (cell instanceof Date) return cell.toISOString().replace("T00:00:00.000Z", "");
  const what = Array.isArray(cell) ? "a list" : cell instanceof Uint8Array ? "bytes" : "several values";
  throw new TextError("table/columns", `${where()} holds ${what}, expected one value`, {
    hint: "Leave the column out, or write the table again with a column for each of its values.",
  });
}

/** An open parquet file. */
interface Parquet extends AsyncDisposable {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
}

async function openParquet(path: string, name: string): Promise<Parquet> {
  // The index is at the end of the file, so it cannot be read as a stream.
  const { asyncBufferFromFile, parquetMetadataAsync, parquetSchema } = await import("hyparquet");
  const temporary = await isParquet(path) ? undefined : await unpackedFile(path, name);
  const close = async () => {
    if (temporary !== undefined) await Deno.remove(temporary);
  };
  try {
    const file = await asyncBufferFromFile(temporary ?? path);
    const metadata = await parquetMetadataAsync(file);
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    return { file, metadata, columns, [Symbol.asyncDispose]: close };
  } catch (cause) {
    await close();
    throw unreadable(name, cause);
  }
}

function unreadable(name: string, cause: unknown): Error {
  return new TextError("table/syntax", `${name}: it cannot be read as parquet: ${messageOf(cause)}`, {
    cause,
    hint: "Is the file whole? Write it again with pages packed by Snappy, gzip, zstd, Brotli or not at all.",
  });
}

async function* recordsOf(
  { file, metadata }: Parquet,
  columns: string[],
  name: string,
): AsyncGenerator<{ row: Record<string, unknown>; number: number }> {
  const { parquetReadObjects } = await import("hyparquet");
  const count = Number(metadata.num_rows);
  for (let from = 0; from < count; from += TOGETHER) {
    let rows: Record<string, unknown>[];
    try {
      rows = await parquetReadObjects({
        file,
        metadata,
        compressors: compressors(),
        columns,
        rowStart: from,
        rowEnd: Math.min(count, from + TOGETHER),
        parsers: { stringFromBytes },
      });
    } catch (cause) {
      throw unreadable(name, cause);
    }
    for (const [i, row] of rows.entries()) yield { row, number: from + i + 1 };
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
