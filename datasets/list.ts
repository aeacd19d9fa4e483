import { DataSetDamaged, DataSetMissing } from "./errors.ts";
import { locate, type LocateOptions } from "./locate.ts";
import { dataSets } from "./registry.ts";
import { type DataSet, type Edition, editionBytes, isFetchable } from "./schema.ts";

/** An entry of the list of data sets. */
export interface DataSetRow {
  /** The name to fetch it by. */
  readonly name: string;
  /** What it is, in one line. */
  readonly title: string;
  /** SPDX identifier, or `none stated; cite ...`. */
  readonly licence: string;
  /** The edition found on this machine, otherwise the one that would be fetched. */
  readonly edition: string;
  /** Size in bytes of that edition's files, unpacked; undefined if it is not published. */
  readonly bytes: number | undefined;
  /** Download size of that edition in bytes; undefined if it has no URL. */
  readonly downloadBytes: number | undefined;
  /** Whether it is on this machine. `damaged`: a file has the wrong size. */
  readonly status: "found" | "missing" | "damaged";
  /** The folder where it was found, or `missing`, or the damaged file. */
  readonly where: string;
  /** False if it has not been verified that the edition's URLs deliver its bytes. */
  readonly verified: boolean;
}

/**
 * Lists every data set with its licence, size and location on this machine. Checks sizes, not digests.
 *
 * @param options where to look, as for `locate`; `dataSets`: the entries to list, default all.
 */
export async function listDataSets(
  options: Pick<LocateOptions, "dataFolders"> & { dataSets?: readonly DataSet[] } = {},
): Promise<DataSetRow[]> {
  const rows: DataSetRow[] = [];
  for (const entry of options.dataSets ?? dataSets) {
    const { status, where, edition } = await find(entry, options);
    rows.push({
      name: entry.name,
      title: entry.title,
      licence: entry.licence,
      edition: edition.name,
      bytes: editionBytes(edition),
      downloadBytes: isFetchable(edition) ? edition.archive?.bytes ?? editionBytes(edition) : undefined,
      status,
      where,
      verified: edition.unverified !== true,
    });
  }
  return rows;
}

async function find(
  entry: DataSet,
  options: LocateOptions,
): Promise<Pick<DataSetRow, "status" | "where"> & { edition: Edition }> {
  const preferred = entry.editions.find(isFetchable) ?? entry.editions[0]!;
  try {
    const located = await locate(entry, options);
    const edition = entry.editions.find((one) => one.name === located.edition)!;
    return { status: "found", where: located.folder, edition };
  } catch (error) {
    if (error instanceof DataSetMissing) return { status: "missing", where: "missing", edition: preferred };
    if (error instanceof DataSetDamaged) return { status: "damaged", where: error.file, edition: preferred };
    throw error;
  }
}
