import { z } from "zod";
import { CallError, RetortError } from "../foundation/errors.ts";
import { type FloatType, matrixShards } from "../runner/codecs/shard_codecs.ts";
import { ShardWriter } from "../runner/codecs/shard_writer.ts";
import { defineStage, type Many, many, type NoParams, type Stage } from "../runner/stage.ts";
import { type Temporary, temporary } from "../runner/temporary.ts";

/** One of several parts of the data of a stage. */
export interface PartOf {
  /** Which, from 0. */
  readonly shard: number;
  /** How many there are. */
  readonly shards: number;
}

/** All of the data. */
export const WHOLE: PartOf = { shard: 0, shards: 1 };

/** Which part of the data a node of several takes, as parameters. */
export const partParams: { shard: z.ZodInt; shards: z.ZodInt } = {
  shard: z.int().min(0),
  shards: z.int().min(1),
};

/** What a node makes that takes a part of the data: rows of a matrix. */
export const partOutputs: { part: Temporary<typeof matrixShards> } = { part: temporary(matrixShards) };

/**
 * The items of a part, `from` to `to` (not included): whole blocks of `size`, so that what is computed together does not depend on
 * the number of parts.
 *
 * @throws {RetortError} for more parts than blocks
 */
export function wholeBlocks(
  count: number,
  size: number,
  { shard, shards }: PartOf,
): { readonly from: number; readonly to: number } {
  const blocks = Math.ceil(count / size);
  if (shards > 1 && blocks < shards) {
    throw new RetortError(
      "inputs/mismatch",
      `${count} items in blocks of ${size} make no ${shards} shards`,
      { hint: `Take ${Math.max(1, blocks)} or fewer.` },
    );
  }
  const at = (s: number) => Math.min(count, size * Math.floor(blocks * s / shards));
  return { from: at(shard), to: at(shard + 1) };
}

/** The rows of all parts of a matrix, one after the other: the bytes are those of a matrix that was made at once. */
export const joinMatrix: Stage<
  NoParams,
  { parts: Many<typeof matrixShards> },
  { matrix: typeof matrixShards }
> = defineStage({
  name: "shards.join-matrix",
  inputs: { parts: many(matrixShards) },
  outputs: { matrix: matrixShards },
  async run({ inputs: { parts }, context }) {
    const { type, width } = parts[0]!;
    const folder = await context.scratch();
    const writer = new ShardWriter({ folder, type: type as FloatType, width });
    for (const part of parts) {
      const rows = part.shardRows;
      for (let from = 0; from < part.rows; from += rows) {
        await writer.append(await part.readStored(from, Math.min(part.rows, from + rows)));
      }
    }
    return { matrix: await writer.finish() };
  },
});

/** Checks a number of work in shards. @throws CallError where it is no whole number from 1 */
export function requireCount(name: string, value: number, work: string): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new CallError(
    "stage/declaration",
    `\`${name}\` of ${work} is ${value}, expected a whole number from 1`,
  );
}

/** The parts of work in shards. @throws CallError for a number that makes none */
export function eachPart(shards: number, work: string): PartOf[] {
  requireCount("shards", shards, work);
  return Array.from({ length: shards }, (_, shard) => ({ shard, shards }));
}
