import * as entries from "./entries/mod.ts";
import { didYouMean } from "../foundation/nearest.ts";
import { UnknownDataSet } from "./errors.ts";
import type { DataSet, Edition } from "./schema.ts";

/** Every data set that Retort knows by name, sorted by name. */
export const dataSets: readonly DataSet[] = Object.values<DataSet | readonly DataSet[]>(entries).flat()
  .toSorted(
    (a, b) => a.name < b.name ? -1 : 1,
  );

/**
 * The data set with this name.
 *
 * @throws UnknownDataSet, with the nearest right name if one is near.
 */
export function findDataSet(name: string): DataSet {
  const found = dataSets.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = dataSets.map((one) => one.name);
  throw new UnknownDataSet("data/unknown", `there is no data set \`${name}\`${meant(name, names)}`, {
    hint: `Known data sets: ${names.join(", ")}.`,
  });
}

/**
 * The edition with this name.
 *
 * @throws UnknownDataSet, with the nearest right name if one is near.
 */
export function findEdition(dataSet: DataSet, name: string): Edition {
  const found = dataSet.editions.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = dataSet.editions.map((one) => one.name);
  throw new UnknownDataSet(
    "data/unknown",
    `data set \`${dataSet.name}\` has no edition \`${name}\`${meant(name, names)}`,
    { hint: `Its editions: ${names.join(", ")}.` },
  );
}

/** `; did you mean X?`. Members of a family are often named without its prefix: `nltcs` for `debd-nltcs`. */
function meant(word: string, names: readonly string[]): string {
  const typed = word.toLowerCase().replaceAll(/[\s_]+/g, "-");
  const member = typed.length < 3 ? undefined : names.find((name) => name.split("-").includes(typed));
  return didYouMean(member ?? typed, names);
}
