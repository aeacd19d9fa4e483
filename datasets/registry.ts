import { distance } from "fastest-levenshtein";
import * as entries from "./entries/mod.ts";
import { UnknownDataSet } from "./errors.ts";
import type { DataSet, Edition } from "./schema.ts";

/** Every data set that Retort knows by name, in order of name. */
export const dataSets: readonly DataSet[] = Object.values<DataSet | readonly DataSet[]>(entries).flat()
  .toSorted(
    (a, b) => a.name < b.name ? -1 : 1,
  );

/**
 * The data set of that name.
 *
 * @throws UnknownDataSet, with the nearest right name if one is near.
 */
export function findDataSet(name: string): DataSet {
  const found = dataSets.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = dataSets.map((one) => one.name);
  throw new UnknownDataSet(`there is no data set \`${name}\`${didYouMean(name, names)}`, {
    hint: `Known data sets: ${names.join(", ")}.`,
  });
}

/**
 * The edition of that name.
 *
 * @throws UnknownDataSet, with the nearest right name if one is near.
 */
export function findEdition(dataSet: DataSet, name: string): Edition {
  const found = dataSet.editions.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = dataSet.editions.map((one) => one.name);
  throw new UnknownDataSet(
    `data set \`${dataSet.name}\` has no edition \`${name}\`${didYouMean(name, names)}`,
    { hint: `Its editions: ${names.join(", ")}.` },
  );
}

/** `; did you mean X?`, or nothing when no candidate is near. */
function didYouMean(word: string, candidates: readonly string[]): string {
  const typed = word.toLowerCase().replaceAll(/[\s_]+/g, "-");
  // Members of a family are often named without it: `nltcs` for `debd-nltcs`.
  const part = typed.length < 3 ? undefined : candidates.find((one) => one.split("-").includes(typed));
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: distance(typed, candidate) }))
    .toSorted((a, b) => a.edits - b.edits);
  const near = ranked[0];
  const limit = Math.max(1, Math.floor(typed.length / 3));
  const best = part ?? (near !== undefined && near.edits <= limit ? near.candidate : undefined);
  return best === undefined ? "" : `; did you mean \`${best}\`?`;
}
