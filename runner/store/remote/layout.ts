import { type Digest, digestJson } from "../../../foundation/canonical.ts";
import type { FileEntry } from "../../codec.ts";
import { resultFile } from "../store.ts";
import type { NodeResult } from "../store.ts";

/** Files up to this many bytes are packed where a result has many of them. */
const SMALL = 1 << 18;
/** A pack has no fewer files than this. */
const FEWEST = 16;
/** A pack has no more bytes than this. */
const LARGEST = 32 << 20;

/** What is kept under one path of a remote. */
export interface Parcel {
  readonly path: string;
  readonly size: number;
  /** What it holds, one after the other. */
  readonly objects: readonly StoredObject[];
}

/** An object of a store. */
export type StoredObject = Pick<FileEntry, "digest" | "size">;

/** Where the record of a result lies in a remote, as in a store. */
export const recordPath = resultFile;

/** Where an object lies in a remote, as in a store. */
export function objectPath(digest: Digest): string {
  return `objects/${digest.slice(0, 2)}/${digest.slice(2)}`;
}

/** Where the record of a run lies in a remote. */
export function runPath(run: string): string {
  return `runs/${run}.json`;
}

/**
 * What a result's objects are kept as: each by itself, but where there are many small ones as packs, which hold their bytes one after
 * the other. The result says of which objects, in the order of their digests, and a pack is named by them: so it needs no list of its own,
 * and whoever makes the same result makes the same packs.
 */
export function parcelsOf(result: Pick<NodeResult, "outputs" | "dropped">): Parcel[] {
  const objects = objectsOf(result);
  const single: StoredObject[] = objects.filter(({ size }) => size > SMALL);
  const packs: StoredObject[][] = [];
  let bytes = Infinity;
  for (const object of objects) {
    if (object.size > SMALL) continue;
    if (bytes + object.size > LARGEST) {
      packs.push([]);
      bytes = 0;
    }
    packs.at(-1)!.push(object);
    bytes += object.size;
  }
  const few = packs.filter((pack) => pack.length < FEWEST).flat();
  return [
    ...[...single, ...few].map((object) => ({
      path: objectPath(object.digest),
      size: object.size,
      objects: [object],
    })),
    ...packs.filter((pack) => pack.length >= FEWEST).map((pack) => {
      const name = digestJson(pack.map(({ digest }) => digest));
      const size = pack.reduce((sum, object) => sum + object.size, 0);
      return { path: `packs/${name.slice(0, 2)}/${name.slice(2)}`, size, objects: pack };
    }),
  ];
}

/** The objects of a result, each once, in the order of their digests; those of dropped outputs are not there. */
export function objectsOf(
  { outputs, dropped = {} }: Pick<NodeResult, "outputs" | "dropped">,
): StoredObject[] {
  const objects = new Map<Digest, StoredObject>();
  for (const [name, { files }] of Object.entries(outputs)) {
    if (Object.hasOwn(dropped, name)) continue;
    for (const { digest, size } of files) objects.set(digest, { digest, size });
  }
  return [...objects.values()].sort((a, b) => a.digest < b.digest ? -1 : 1);
}
