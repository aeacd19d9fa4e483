/** Data sets on machines for tests: in the folder that `RETORT_DATA` names, or in `../shared/data` beside the repository. */
import { fileURLToPath } from "node:url";
import { DataSetMissing } from "../datasets/errors.ts";
import { dataFolders, locate, type LocatedDataSet } from "../datasets/locate.ts";

/** Folders that are searched, in order. */
export const REAL_FOLDERS: readonly string[] = [
  ...(Deno.env.get("RETORT_DATA") ? dataFolders().slice(0, 1) : []),
  fileURLToPath(new URL("../../shared/data", import.meta.url)),
];

/** A data set, or undefined where it is not on this machine. */
export async function realData(name: string, edition?: string): Promise<LocatedDataSet | undefined> {
  try {
    return await locate(name, { dataFolders: REAL_FOLDERS, ...(edition !== undefined && { edition }) });
  } catch (error) {
    if (error instanceof DataSetMissing) return undefined;
    throw error;
  }
}
