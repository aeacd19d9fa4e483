import assert from "node:assert/strict";
import { plainSpace } from "../../../datasets/images/mod.ts";
import { matrixShards } from "../../../runner/codecs/shard_codecs.ts";
import { autoencoder, autoencoderState } from "../../../stages/images/autoencoder_codecs.ts";
import { autoencoderPatchFeatures } from "../../../stages/images/autoencoder_features.ts";
import { autoencoderFeaturesShard } from "../../../stages/images/features_shards.ts";
import { joinMatrix } from "../../../stages/join_shards.ts";
import { pictures } from "../../../stages/images/codecs.ts";
import { patchSource, trainAutoencoder } from "../../../stages/images/train_autoencoder.ts";
import { autoencoderFeatures, maskedFeed, neighbourhood } from "../../../teachers/masked_autoencoder.ts";
import { inPlace, runHere } from "../in_place.ts";
import { toyImages } from "./toy.ts";

const layer = { width: 8, layers: 1, heads: 2, hidden: 16 };
const params = { patch: 1, encoder: layer, decoder: layer, epochs: 2, batch: 20, rate: 1e-2, shares: 2 };
const train = toyImages(50, 1), valid = toyImages(20, 2);

Deno.test("an autoencoder is trained, stored and asked for features, shard by shard", async () => {
  await inPlace(async ({ read, write }) => {
    const made = await runHere(trainAutoencoder, { train, valid }, params);
    assert.equal(made.log.epochs.length, 2);
    const teacher = await read(autoencoder, await write(autoencoder, made.teacher));
    const [shown] = await read(pictures, await write(pictures, made.pictures));
    assert.equal(shown!.file, "reconstructions.png");
    assert.deepEqual([shown!.height, shown!.width], [12 * 9 + 1, 5 * 9 + 1]);

    const { features } = await runHere(autoencoderPatchFeatures, { images: train, teacher });
    const stored = await read(matrixShards, await write(matrixShards, features));
    assert.deepEqual([stored.rows, stored.width], [50 * 16, 8]);
    // One patch of one image by itself: patch 6 of image 30.
    const program = await autoencoderFeatures(teacher, 1, 9);
    const patches = patchSource(train, 1, teacher).read(Uint32Array.of(30));
    const one = await program.run({
      ...Object.fromEntries(teacher.weights),
      ...maskedFeed(teacher, patches, [neighbourhood(teacher, 6)]),
    });
    await program.release();
    const row = await stored.read(30 * 16 + 6, 30 * 16 + 7);
    row.forEach((x, i) =>
      assert.ok(Math.abs(x - one["features"]![i]!) < 2e-3, `${x} and ${one["features"]![i]}`)
    );
  });
});

Deno.test("features of shards of the images are those of all of them", async () => {
  const many = toyImages(200, 3);
  await inPlace(async ({ read, write }) => {
    const { teacher } = await runHere(trainAutoencoder, { train, valid }, { ...params, epochs: 1 });
    const { features } = await runHere(autoencoderPatchFeatures, { images: many, teacher });
    const parts = [];
    for (let shard = 0; shard < 3; shard++) {
      const inputs = { images: many, teacher };
      const { part } = await runHere(autoencoderFeaturesShard, inputs, { shard, shards: 3 });
      parts.push(await read(matrixShards, await write(matrixShards, part)));
    }
    assert.deepEqual(parts.map(({ rows }) => rows / 16), [64, 64, 72]);
    const { matrix } = await runHere(joinMatrix, { parts });
    assert.equal((await write(matrixShards, matrix)).digest, (await write(matrixShards, features)).digest);
  });
});

Deno.test("centred features say what is in a patch and around it, not where it is", async () => {
  const { teacher } = await runHere(trainAutoencoder, { train, valid }, { ...params, epochs: 1 });
  // Every inner patch of an image without contrast looks like every other, and so does each of its sides.
  const flat = { ...train, count: 1, pixels: new Uint8Array(16).fill(1) };
  const rowsOf = async (centred: boolean) => {
    let all = new Float32Array();
    await inPlace(async ({ read, write }) => {
      const { features } = await runHere(autoencoderPatchFeatures, { images: flat, teacher }, { centred });
      all = (await (await read(matrixShards, await write(matrixShards, features))).read(0, 16)).slice();
    });
    return (p: number) => Array.from(all.subarray(8 * p, 8 * p + 8), (x) => x.toFixed(2)).join();
  };
  const own = await rowsOf(false), same = await rowsOf(true);
  for (const inner of [6, 9, 10]) assert.equal(same(inner), same(5));
  assert.equal(same(1), same(2), "top side");
  assert.notEqual(same(1), same(5), "a side sees fewer neighbours");
  assert.notEqual(own(10), own(5));
});

Deno.test("a training that was stopped ends with the same teacher", async () => {
  await inPlace(async ({ read, write }) => {
    const undisturbed = await runHere(trainAutoencoder, { train, valid }, params);
    let saved: unknown, offers = 0;
    const stop = async (make: () => never) => {
      if (++offers !== 4) return;
      saved = await read(autoencoderState, await write(autoencoderState, make()));
      throw new Error("stopped");
    };
    const checkpoint = { load: () => Promise.resolve(saved), offer: stop };
    await assert.rejects(runHere(trainAutoencoder, { train, valid }, params, { checkpoint }), /stopped/);
    const again = await runHere(trainAutoencoder, { train, valid }, params, { checkpoint });
    assert.deepEqual(again.log, undisturbed.log);
    assert.deepEqual([...again.teacher.weights], [...undisturbed.teacher.weights]);
  });
});

Deno.test("an autoencoder of other patches is refused", async () => {
  const { teacher } = await runHere(trainAutoencoder, { train, valid }, { ...params, epochs: 1 });
  const other = { space: plainSpace(8, 8, 1), count: 1, pixels: new Uint8Array(64) };
  await assert.rejects(runHere(autoencoderPatchFeatures, { images: other, teacher }), /other patches/);
});
