import { readFileSync } from "node:fs";
import process from "node:process";
import { partNeeds } from "../needs.ts";

/** The folder of test data, `RETORT_DATA` or `../shared/data` beside the repository. */
const root = process.env.RETORT_DATA ?? new URL("../../../shared/data", import.meta.url).pathname;

/** The text of a file of test data, undefined where it is missing: what is checked on it is then left out. */
export function readData(path: string): string | undefined {
  try {
    return readFileSync(`${root}/${path}`, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    partNeeds("data", false);
    return undefined;
  }
}
