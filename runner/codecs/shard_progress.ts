import { RetortError } from "../../foundation/errors.ts";
import { type Codec, defineCodec } from "../codec.ts";
import { type NpyArray, npyHeader, npyTypes } from "./npy.ts";
import { type NewShards, readShards, type Shards, writeShards } from "./shards.ts";

/** How far a stage is that writes shards, as it saves it. */
export interface NewShardProgress {
  /** The full shards so far: `ShardWriter.full`. */
  readonly full: NewShards;
  /** The rows after them, in the element type on disk: `ShardWriter.pending`. */
  readonly pending: NpyArray;
  /** Where to go on in the stage's input; the stage's own count. */
  readonly position: number;
}

/** The same as it is read again. */
export interface ShardProgress extends Pick<NewShardProgress, "pending" | "position"> {
  /** The full shards, in the checkpoint's folder. */
  readonly full: Shards<Float32Array<ArrayBuffer>>;
}

/** The codec of checkpoints of stages that write shards. Saving costs only the shards that are new. */
export const shardProgress: Codec<ShardProgress, NewShardProgress, "shard-progress"> = defineCodec<
  ShardProgress,
  NewShardProgress,
  "shard-progress"
>({
  name: "shard-progress",
  version: 1,
  async write({ full, pending, position }, out) {
    const facts = await writeShards(full, out);
    await out.bytes(
      "pending.npy",
      [
        npyHeader(full.type, pending.length / full.width, full.width),
        new Uint8Array(pending.buffer, pending.byteOffset, pending.byteLength),
      ],
    );
    return { ...facts, position, pending: pending.length / full.width };
  },
  async read(artifact) {
    const full = readShards(artifact, (length) => new Float32Array(length));
    const { position, pending: rows } = artifact.artifact.facts as { position: number; pending: number };
    const bytes = await artifact.bytes("pending.npy");
    const header = npyHeader(full.type, rows, full.width).length;
    const pending = new npyTypes[full.type](new Uint8Array(bytes.subarray(header)).buffer);
    if (pending.length !== rows * full.width) {
      throw new RetortError("artifact/unreadable", "pending.npy has the wrong size");
    }
    return { full, pending, position };
  },
});
