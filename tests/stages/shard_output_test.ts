import assert from "node:assert/strict";
import type { ShardProgress } from "../../runner/codecs/shard_progress.ts";
import { shardProgress } from "../../runner/codecs/shard_progress.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { artifactReader, writeArtifact } from "../../runner/store/artifacts.ts";
import { CheckpointFolder } from "../../runner/store/checkpoints.ts";
import { Store } from "../../runner/store/store.ts";
import { ShardOutput } from "../../stages/shard_output.ts";

class Killed extends Error {}

/** Executions of one node in a store of its own: each has a new scratch folder and the checkpoint of the last. */
class Node implements Disposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "retort-output-" });
  readonly store = Store.open(`${this.#folder}/store`, { create: true });
  readonly checkpoint = new CheckpointFolder(this.store, "ab".repeat(32), shardProgress);
  saves = 0;
  loaded: number[] = [];

  /** Runs the stage: 23 rows of 3 numbers, 2 at a time; killed before a position, or after so many saves. */
  async run(options: { killAt?: number; killAfterSaves?: number; due?: (position: number) => boolean } = {}) {
    const scratch = Deno.makeTempDirSync({ dir: this.#folder });
    let position = 0;
    const save = async (state: Parameters<typeof this.checkpoint.save>[0]) => {
      await this.checkpoint.save(state);
      if (++this.saves === options.killAfterSaves) throw new Killed();
    };
    const output = await ShardOutput.begin({
      scratch: () => Promise.resolve(scratch),
      log: () => {},
      checkpoint: {
        soon: () => {},
        load: async () => await this.checkpoint.load() as ShardProgress | undefined,
        save,
        offer: async (make) => {
          if (options.due?.(position) === true) await save(await make());
        },
      },
    }, { type: "f2", width: 3, shardRows: 4 });
    this.loaded.push(output.position);
    for (position = output.position; position < 12; position++) {
      if (position === options.killAt) throw new Killed();
      const rows = position === 11 ? 1 : 2;
      const values = Float32Array.from({ length: 3 * rows }, (_, i) => 1 / (1 + position * 6 + i));
      await output.append(values, position + 1);
    }
    const artifact = await writeArtifact(this.store.blobs, matrixShards, await output.finish(), "it");
    const matrix = await matrixShards.read(artifactReader(this.store.blobs, artifact));
    assert.equal(matrix.rows, 23);
    assert.equal((await matrix.all())[0], 1);
    // The checkpoint is whole until it is dropped: a kill just now would still find it.
    assert.notEqual(await this.checkpoint.load(), undefined);
    return artifact.digest;
  }

  [Symbol.dispose]() {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

async function undisturbed(): Promise<string> {
  using node = new Node();
  return await node.run();
}

Deno.test("killed between any two rows, it goes on after the last full shard and ends with the same bytes", async () => {
  const expected = await undisturbed();
  for (let killAt = 0; killAt < 12; killAt++) {
    using node = new Node();
    await assert.rejects(node.run({ killAt }), Killed);
    assert.equal(await node.run(), expected);
    assert.deepEqual(node.loaded, [0, 2 * Math.floor(killAt / 2)]);
  }
});

Deno.test("killed again and again, also just after saving in the middle of a shard, it ends with the same bytes", async () => {
  const expected = await undisturbed();
  using node = new Node();
  const due = (position: number) => position % 3 === 0;
  for (let kills = 0; kills < 6; kills++) {
    await assert.rejects(node.run({ killAfterSaves: node.saves + 1, due }), Killed);
  }
  assert.equal(await node.run({ due }), expected);
  assert.deepEqual(node.loaded.toSorted((a, b) => a - b), node.loaded);
  assert.ok(node.loaded.some((position) => position % 2 === 1), "it went on in the middle of a shard");
});
