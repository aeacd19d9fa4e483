import { partNeeds } from "../needs.ts";

/** The folder of test data, `RETORT_DATA` or `../shared/data` beside the repository. */
const root = Deno.env.get("RETORT_DATA") ?? new URL("../../../shared/data", import.meta.url).pathname;

/** The text of a file of test data, undefined where it is missing: what is checked on it is then left out. */
export function readData(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(`${root}/${path}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    partNeeds("data", false);
    return undefined;
  }
}
