import { join, resolve } from "node:path";
import { digestFile } from "../foundation/file_digest.ts";
import { DataSetDamaged, DataSetMissing } from "./errors.ts";
import { readReceipt } from "./receipt.ts";
import { findDataSet, findEdition } from "./registry.ts";
import { type DataFile, type DataSet, type Edition, hasSize, isFetchable } from "./schema.ts";

/** A file of a data set on this machine. */
export interface LocatedDataFile {
  /** Path inside the data set's folder, POSIX. */
  readonly path: string;
  /** Absolute path on this machine. */
  readonly location: string;
  /** Its size in bytes, as found, and as in the registry where that has it. */
  readonly bytes: number;
  /** The expected sha256; undefined for a member of an archive that was unpacked by hand, and where nobody has published it. */
  readonly sha256: string | undefined;
}

/** A complete edition of a data set on this machine. */
export interface LocatedDataSet {
  /** Name of the data set. */
  readonly name: string;
  /** Name of the edition that was found. */
  readonly edition: string;
  /** Absolute path of the folder that holds it. */
  readonly folder: string;
  /** Every file of the edition, in the registry's order. */
  readonly files: readonly LocatedDataFile[];
}

/** Where to search, and what for. */
export interface LocateOptions {
  /** Folders that contain data set folders, in search order. Default: `dataFolders()`. */
  readonly dataFolders?: readonly string[];
  /** Accept only this edition. Default: the first complete one. */
  readonly edition?: string;
}

/**
 * The folders that contain data sets on this machine, in search order: `$RETORT_DATA` if set, then `data` in Retort's
 * home.
 *
 * @param home Retort's home; default `$RETORT_HOME`, else `.retort` in the current folder.
 */
export function dataFolders(home?: string): string[] {
  const given = Deno.env.get("RETORT_DATA") || undefined;
  return [...(given === undefined ? [] : [resolve(given)]), fetchFolder(home)];
}

/** The folder that data sets are fetched into: `data` in Retort's home. */
export function fetchFolder(home?: string): string {
  return resolve(home ?? (Deno.env.get("RETORT_HOME") || ".retort"), "data");
}

/**
 * Finds a data set on this machine: in each data folder in turn, then where operating system packages install it. Files
 * are checked by existence and size, not by digest (see `checkDigests`).
 *
 * @param dataSet a name in the registry, or your own entry.
 * @throws UnknownDataSet for a name or an edition that the registry does not have; DataSetMissing, which
 * names every place looked in; DataSetDamaged for a file of a size that no edition has: a later place is
 * not tried then, so that a damaged copy is never passed over in silence.
 */
export async function locate(
  dataSet: string | DataSet,
  options: LocateOptions = {},
): Promise<LocatedDataSet> {
  const entry = typeof dataSet === "string" ? findDataSet(dataSet) : dataSet;
  const editions = options.edition === undefined ? entry.editions : [findEdition(entry, options.edition)];
  const places = [
    ...(options.dataFolders ?? dataFolders()).map((folder) => resolve(folder, entry.folder)),
    ...(entry.systemFolders ?? []),
  ];
  for (const place of places) {
    const sizes = await sizesIn(place, editions);
    for (const edition of editions) {
      if (edition.files.every((file) => isThere(file, sizes.get(file.path)))) {
        return await locatedIn(place, entry, edition);
      }
    }
    refuseWrongSizes(entry, editions, place, sizes);
  }
  throw missing(entry, editions, places);
}

/** Whether a file was found, of the size of the registry. */
function isThere(file: DataFile, bytes = -1): boolean {
  return bytes >= 0 && hasSize(file, bytes);
}

/** A file whose bytes were read and hashed. */
export interface CheckedFile extends LocatedDataFile {
  /** Its actual sha256. */
  readonly sha256: string;
}

/**
 * Reads every file and compares its sha256 with the registry's.
 *
 * @param options `onProgress` is called after each piece read, with the file and its bytes so far.
 * @returns the files with their actual digests, including files without a digest in the registry.
 * @throws DataSetDamaged naming the file, the digest expected and the one found.
 */
export async function checkDigests(
  located: LocatedDataSet,
  options: { signal?: AbortSignal; onProgress?: (file: LocatedDataFile, bytes: number) => void } = {},
): Promise<CheckedFile[]> {
  const checked: CheckedFile[] = [];
  for (const file of located.files) {
    const { size, digest: sha256 } = await digestFile(file.location, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onBytes: (bytes) => options.onProgress?.(file, bytes),
    });
    if (size !== file.bytes) throw wrongSize(located.name, file.location, [file.bytes], size);
    if (file.sha256 !== undefined && sha256 !== file.sha256) {
      throw new DataSetDamaged(
        "data/damaged",
        `data set \`${located.name}\`: ${file.location} has the wrong bytes: ` +
          `sha256 ${sha256}, expected ${file.sha256}`,
        { file: file.location, expected: file.sha256, found: sha256 },
        { hint: repairHint(located.name) },
      );
    }
    checked.push({ ...file, sha256 });
  }
  return checked;
}

/** Path -> size of every file of the editions found in `place`; -1 for anything but a regular file. */
async function sizesIn(place: string, editions: readonly Edition[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const path of new Set(editions.flatMap((edition) => edition.files.map((file) => file.path)))) {
    try {
      const info = await Deno.stat(join(place, path));
      sizes.set(path, info.isFile ? info.size : -1);
    } catch (error) {
      const absent = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
      if (!absent) throw error;
    }
  }
  return sizes;
}

/** The edition's files in `place`, with their known digests. */
export async function locatedIn(place: string, entry: DataSet, edition: Edition): Promise<LocatedDataSet> {
  const receipt = edition.archive === undefined
    ? undefined
    : await readReceipt(place, edition.archive.sha256);
  return {
    name: entry.name,
    edition: edition.name,
    folder: place,
    files: await Promise.all(edition.files.map(async ({ path, bytes, sha256 }) => {
      const location = join(place, path);
      return {
        path,
        location,
        bytes: bytes ?? (await Deno.stat(location)).size,
        sha256: sha256 ?? receipt?.files[path]?.sha256,
      };
    })),
  };
}

function refuseWrongSizes(
  entry: DataSet,
  editions: readonly Edition[],
  place: string,
  sizes: Map<string, number>,
): void {
  for (const [path, found] of sizes) {
    const known = editions.flatMap(({ files }) => files.filter((file) => file.path === path));
    if (known.some((file) => isThere(file, found))) continue;
    throw wrongSize(entry.name, join(place, path), known.flatMap(({ bytes }) => bytes ?? []), found);
  }
}

function wrongSize(name: string, location: string, expected: number[], found: number): DataSetDamaged {
  const wanted = [...new Set(expected)].map(String).join(" or ");
  const problem = found < 0 ? "is not a file" : `has the wrong size: ${found} bytes`;
  const instead = wanted === "" ? "" : `, expected ${wanted}${found < 0 ? " bytes" : ""}`;
  return new DataSetDamaged(
    "data/damaged",
    `data set \`${name}\`: ${location} ${problem}${instead}`,
    { file: location, expected: wanted, found: String(found) },
    { hint: repairHint(name) },
  );
}

function repairHint(name: string): string {
  return `Remove the file and run: deno task data fetch ${name}`;
}

function missing(entry: DataSet, editions: readonly Edition[], places: readonly string[]): DataSetMissing {
  const fetchable = editions.some(isFetchable);
  const wanted = editions.length === 1 && entry.editions.length > 1
    ? ` (edition \`${editions[0]!.name}\`)`
    : "";
  const hint = fetchable
    ? `To fetch it, run: deno task data fetch ${entry.name}\n` +
      `If you have it already, set RETORT_DATA to the folder that holds ${entry.folder}/.`
    : `${editions[0]!.byHand ?? "This edition has no download address."} Put ${
      editions[0]!.files.map((file) => file.path).join(", ")
    } ` +
      `into ${places[0] ?? entry.folder}, or set RETORT_DATA to the folder that holds ${entry.folder}/.`;
  return new DataSetMissing(
    "data/missing",
    `data set \`${entry.name}\`${wanted} is not on this machine; looked in:\n` +
      (places.length === 0 ? "  (no folder was given)" : places.map((place) => `  ${place}`).join("\n")),
    places,
    { hint },
  );
}
