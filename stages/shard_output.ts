import { RetortError } from "../foundation/errors.ts";
import type { NpyType } from "../runner/codecs/npy.ts";
import type { NewShardProgress, ShardProgress } from "../runner/codecs/shard_progress.ts";
import { ShardWriter, takeOver } from "../runner/codecs/shard_writer.ts";
import { type NewShards, type ShardFile } from "../runner/codecs/shards.ts";
import type { StageContext } from "../runner/stage.ts";

/**
 * Shards that a long stage writes and that survive a kill: each full shard goes into the node's checkpoint
 * as it is complete, and a later run resumes after the last one saved. For stages with
 * `checkpoint: shardProgress`.
 *
 * @example
 * ```ts
 * import { defineStage } from "../runner/stage.ts";
 * import { shardProgress } from "../runner/codecs/shard_progress.ts";
 * import { matrixShards } from "../runner/codecs/shard_codecs.ts";
 * import { ShardOutput } from "./shard_output.ts";
 *
 * export const squares = defineStage({
 *   name: "squares",
 *   outputs: { squares: matrixShards },
 *   checkpoint: shardProgress,
 *   async run({ context }) {
 *     const output = await ShardOutput.begin(context, { type: "f4", width: 1 });
 *     for (let i = output.position; i < 1000; i++) await output.append(Float32Array.of(i * i), i + 1);
 *     return { squares: await output.finish() };
 *   },
 * });
 * ```
 */
export class ShardOutput<T extends NpyType> {
  readonly #context: Context;
  readonly #writer: ShardWriter<T>;
  #position: number;

  private constructor(context: Context, writer: ShardWriter<T>, position: number) {
    this.#context = context;
    this.#writer = writer;
    this.#position = position;
  }

  /**
   * Begins, or resumes from the node's checkpoint.
   *
   * @param from position at which it begins.
   */
  static async begin<T extends NpyType>(
    context: Context,
    shape: { type: T; width: number; shardRows?: number },
    from = 0,
  ): Promise<ShardOutput<T>> {
    const saved = await context.checkpoint.load();
    const writer = new ShardWriter({
      folder: await context.scratch(),
      ...shape,
      ...(saved === undefined ? {} : { full: saved.full.shards, pending: saved.pending }),
    });
    if (saved !== undefined) context.log(`going on after ${writer.rows} rows`);
    return new ShardOutput(context, writer, saved?.position ?? from);
  }

  /** Where to resume: the position last passed to `append`, where it begins at first. */
  get position(): number {
    return this.#position;
  }

  /** Rows so far. */
  get rows(): number {
    return this.#writer.rows;
  }

  /**
   * Adds rows, `[any, width]`, and saves when a shard is full, or a checkpoint is due.
   *
   * @param position where to resume after these rows.
   */
  async append(values: ArrayLike<number>, position: number): Promise<void> {
    const full = this.#writer.full.shards.length;
    await this.#writer.append(values);
    this.#position = position;
    const state = () => ({ full: this.#writer.full, pending: this.#writer.pending, position });
    if (this.#writer.full.shards.length > full) {
      await this.#context.checkpoint.save(state());
      await this.#moved();
    }
    let saved = false;
    await this.#context.checkpoint.offer(() => {
      saved = true;
      return state();
    });
    if (saved) await this.#moved();
  }

  /** The finished matrix, for the stage to return. */
  async finish(): Promise<NewShards<T>> {
    const done = await this.#writer.finish();
    const saved = done.shards.some((shard) => !("path" in shard))
      ? await this.#context.checkpoint.load()
      : undefined;
    if (saved === undefined) return done;
    // Linked, not moved: a kill before the result is recorded must find the checkpoint as it was.
    const taken = await takeOver(saved.full, await this.#context.scratch());
    return { ...done, shards: [...taken, ...done.shards.slice(taken.length)] };
  }

  /** What was saved has moved from the scratch folder into the checkpoint. */
  async #moved(): Promise<void> {
    const saved = await this.#context.checkpoint.load();
    if (saved === undefined) {
      throw new RetortError("artifact/missing-file", "the checkpoint that was just saved is gone");
    }
    const shards: readonly ShardFile[] = saved.full.shards;
    this.#writer.full = { ...this.#writer.full, shards };
  }
}

type Context = Pick<StageContext<ShardProgress, NewShardProgress>, "checkpoint" | "scratch" | "log">;
