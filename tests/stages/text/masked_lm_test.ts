import assert from "node:assert/strict";
import { Windows } from "../../../datasets/text/windows.ts";
import { type MatrixShards, matrixShards } from "../../../runner/codecs/shard_codecs.ts";
import { ShardWriter } from "../../../runner/codecs/shard_writer.ts";
import { CheckpointFolder } from "../../../runner/store/checkpoints.ts";
import { Store } from "../../../runner/store/store.ts";
import { tokens, windows } from "../../../stages/text/codecs.ts";
import { embedSuffixes } from "../../../stages/text/embed.ts";
import { maskedLmLog, maskedLmState } from "../../../stages/text/masked_lm_codecs.ts";
import { teacher } from "../../../stages/text/teachers.ts";
import { trainMaskedLm } from "../../../stages/text/train_masked_lm.ts";
import { inPlace, runHere, type SmallStore } from "../in_place.ts";

const PARAMS = {
  length: 6,
  width: 8,
  layers: 1,
  heads: 2,
  hiddenWidth: 16,
  epochs: 2,
  batch: 4,
  candidates: 0,
  validWindows: 8,
  reports: 2,
};
const vocabulary = { kind: "words", words: ["<unk>", "<eos>", "a", "b", "c"], unknown: 0, end: 1 };

async function tokensOf(place: SmallStore, ids: Int32Array) {
  const folder = Deno.makeTempDirSync({ dir: place.scratch });
  const writer = new ShardWriter({ folder, type: "u1", width: 1 });
  await writer.append(ids);
  const starts = Float64Array.of(0, ids.length);
  return await place.read(tokens, await place.write(tokens, { ids: await writer.finish(), starts }));
}

class Killed extends Error {}

Deno.test("a teacher is trained on the corpus; killed after any save it ends with the same bytes, and it embeds suffixes", async () => {
  await inPlace(async (place) => {
    const ids = Int32Array.from({ length: 150 }, (_, i) => i % 7 === 0 ? 1 : 2 + i % 3);
    const inputs = {
      train: await tokensOf(place, ids),
      valid: await tokensOf(place, ids.slice(0, 60)),
      vocabulary,
    };
    const store = Store.open(`${place.scratch}/store`, { create: true });
    let node = 0;
    const fresh = () => new CheckpointFolder(store, (node++).toString(16).padStart(64, "0"), maskedLmState);
    const run = async (checkpoint: CheckpointFolder, killAfter: number) => {
      let saves = 0;
      const metrics: string[] = [];
      const made = await runHere(trainMaskedLm, inputs, PARAMS, {
        metric: (name: string, _: number, step: number) => metrics.push(`${name} ${step}`),
        checkpoint: {
          load: () => checkpoint.load(),
          async offer(make: () => unknown) {
            await checkpoint.save(await make() as never);
            if (++saves === killAfter) throw new Killed();
          },
        },
      });
      const log = await place.write(maskedLmLog, made.log);
      return {
        made,
        metrics,
        digests: [(await place.write(teacher, made.teacher)).digest, log.digest],
        saves,
      };
    };
    const expected = await run(fresh(), Infinity);
    assert.equal(expected.saves, 12);
    for (const killAfter of [1, 5, 12]) {
      const checkpoint = fresh();
      await assert.rejects(run(checkpoint, killAfter), Killed);
      const resumed = await run(checkpoint, Infinity);
      assert.deepEqual(resumed.digests, expected.digests);
      assert.deepEqual(resumed.metrics, expected.metrics, "the records have the whole curve");
    }
    assert.match(maskedLmLog.summary!(expected.made.log) as string, /epoch +train +valid +suffix\n +0\.500/);

    const laid = Windows.over([0, ids.length], { length: 6 });
    const made = await runHere(
      embedSuffixes,
      {
        teacher: await place.read(teacher, await place.write(teacher, expected.made.teacher)),
        tokens: inputs.train,
        windows: await place.read(windows, await place.write(windows, laid)),
        vocabulary,
      },
      { mode: "masked" },
      { scratch: () => Deno.makeTempDir({ dir: place.scratch }) },
    );
    const vectors = await place.read<MatrixShards>(
      matrixShards,
      await place.write(matrixShards, made.vectors),
    );
    assert.deepEqual([vectors.rows, vectors.width], [25 * 6, 8]);
    await assert.rejects(
      runHere(trainMaskedLm, inputs, { ...PARAMS, layer: 2 }),
      /`layer` is 2, but there are 1 layers/,
    );
  });
});
