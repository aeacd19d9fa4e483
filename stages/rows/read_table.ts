import { type ColumnTypes, type RawColumn } from "../../circuits/import/columns.ts";
import { csvColumns, type CsvOptions } from "../../circuits/import/csv.ts";
import { DataSetError } from "../../datasets/errors.ts";
import { fileText, unpacked } from "../../datasets/text/file_text.ts";
import { parquetColumns } from "../../datasets/text/tables/parquet.ts";
import { messageOf } from "../../foundation/errors.ts";
import { readNpy } from "../../foundation/npy.ts";

/** A kind of table: how it begins, if that tells it, and how it is read. */
interface TableKind {
  readonly what: string;
  readonly read: (path: string, name: string, options: CsvOptions) => Promise<RawColumn[]>;
}

const csv: TableKind = { what: "CSV", read: csvTable };
const parquet: TableKind = {
  what: "parquet",
  read: (path, name, { types = {} }) => parquetColumns(path, name, skippedOf(types)),
};
const npy: TableKind = { what: "npy", read: npyTable };

/** Kinds by the ending of the file's name. */
const KINDS: Readonly<Record<string, TableKind>> = { csv, tsv: csv, txt: csv, data: csv, parquet, npy };

/**
 * The columns of a table file, as texts: CSV (with any of the usual delimiters), parquet or npy `[rows, columns]`, packed by
 * gzip or zstd or not.
 *
 * @throws DataSetError when the file is not what its name says, or cannot be read
 */
export async function readTable(path: string, name: string, options: CsvOptions): Promise<RawColumn[]> {
  const ending = name.toLowerCase().replace(/\.(gz|gzip|zst|zstd)$/, "").match(/\.([a-z]+)$/)?.[1] ?? "";
  const begins = await kindByBytes(path);
  const kind = Object.hasOwn(KINDS, ending) ? KINDS[ending]! : begins;
  if (kind === undefined) {
    throw new DataSetError("table/files", `${name}: what kind of table is it?`, {
      hint: "Names of tables end with .csv, .tsv, .parquet or .npy, packed ones with .csv.gz and the like.",
    });
  }
  if (kind !== begins && (begins !== undefined || kind !== csv)) {
    throw new DataSetError(
      "table/files",
      `${name} is not what its name says: expected ${kind.what}, and it begins as ${
        begins?.what ?? "nothing of that kind"
      }`,
      { hint: "Was it cut short or saved under a wrong name? Rename it, or write it again." },
    );
  }
  return await kind.read(path, name, options);
}

/** Parquet and npy files are known by their first bytes; nothing else is. */
async function kindByBytes(path: string): Promise<TableKind | undefined> {
  for await (const bytes of unpacked(path)) {
    const head = String.fromCharCode(...bytes.subarray(0, 6));
    if (head.startsWith("PAR1")) return parquet;
    return head === "\u0093NUMPY" ? npy : undefined;
  }
  return undefined;
}

async function csvTable(path: string, name: string, options: CsvOptions): Promise<RawColumn[]> {
  const pieces: string[] = [];
  for await (const piece of fileText(path, name)) pieces.push(piece);
  return await csvColumns(pieces.join(""), options, name);
}

async function npyTable(path: string, name: string): Promise<RawColumn[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of unpacked(path)) pieces.push(piece);
  let array;
  try {
    array = readNpy(new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer()));
  } catch (cause) {
    throw new DataSetError("table/syntax", `${name} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: "Save a two-dimensional array of numbers or truths: numpy.save(FILE, array).",
    });
  }
  const { type, shape: [rows = 0, columns = 1, ...more], data } = array;
  if (more.length > 0 || array.shape.length === 0) {
    throw new DataSetError(
      "table/syntax",
      `${name} has the shape [${array.shape.join(", ")}], expected [rows, columns]`,
      {
        hint: "Save a two-dimensional array: array.reshape(len(array), -1).",
      },
    );
  }
  if (data.length !== rows * columns) {
    throw new DataSetError(
      "table/syntax",
      `${name} ends early: ${rows}x${columns} numbers are announced, ${data.length} follow`,
    );
  }
  return Array.from({ length: columns }, (_, v) => ({
    name: `x${v}`,
    cells: Array.from({ length: rows }, (_, s) => {
      const cell = data[s * columns + v]!;
      if (type === "b1") return String(cell !== 0);
      return Number.isNaN(cell) ? null : String(cell);
    }),
  }));
}

function skippedOf(types: ColumnTypes): Set<string> {
  return new Set(Object.keys(types).filter((name) => types[name] === "skip"));
}
