import { digestJson } from "../foundation/canonical.ts";

/** The seed of a node: from the run's seed and a name alone, so that other nodes do not matter. 0 <= seed < 2^32. */
export function seedOf(runSeed: number, name: string): number {
  return Number.parseInt(digestJson(["seed", runSeed, name]).slice(0, 8), 16);
}
