/** The folder of test data, `RETORT_DATA` or `../shared/data` beside the repository. */
const root = Deno.env.get("RETORT_DATA") ?? new URL("../../../shared/data", import.meta.url).pathname;

/**
 * The text of a file of test data. Undefined, with a word to the reader, where it is missing; an error where `CI`
 * is set, because a check that is left out there is a check that nobody makes.
 */
export function readData(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(`${root}/${path}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) || Deno.env.has("CI")) throw error;
    console.warn(`${root}/${path} is missing: set RETORT_DATA to the folder of test data. Check left out.`);
    return undefined;
  }
}
