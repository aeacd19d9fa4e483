import assert from "node:assert/strict";
import { rootUnits, unstack } from "../../../circuits/mod.ts";
import { matrixShards } from "../../../runner/codecs/shard_codecs.ts";
import { clusterPatches } from "../../../stages/images/cluster_patches.ts";
import { evaluatePatchModel } from "../../../stages/images/evaluate_images.ts";
import { growClusters } from "../../../stages/images/grow_clusters.ts";
import type { PatchCircuits, PatchClusters } from "../../../stages/images/patch_codecs.ts";
import { controlFeatures } from "../../../stages/images/patch_features.ts";
import { patchTree } from "../../../stages/images/patch_tree.ts";
import { trainGrownCircuits, trainPatchCircuits } from "../../../stages/images/train_patch_circuits.ts";
import { inPlace, runHere } from "../in_place.ts";
import { toyImages } from "./toy.ts";

const train = toyImages(150, 1), valid = toyImages(60, 2);
const em = { epochs: 6, batchSize: 256, pseudocount: { sums: 0.1, leaves: 0.1 } };

/** Two clusters of patches that have three looks. */
async function start() {
  const { features } = await runHere(controlFeatures, { images: train }, { patch: 2, teacher: "pixels" });
  let stored: unknown;
  await inPlace(async ({ read, write }) => {
    const shards = await read(matrixShards, await write(matrixShards, features));
    const values = await shards.all();
    // A handle that outlives the place.
    stored = {
      rows: shards.rows,
      width: shards.width,
      read: (from: number, to: number) =>
        Promise.resolve(values.slice(from * shards.width, to * shards.width)),
      async *blocks() {
        yield await Promise.resolve({ first: 0, rows: shards.rows, values });
      },
    };
  });
  const { clusters } = await runHere(clusterPatches, { images: train, features: stored }, {
    patch: 2,
    clusters: 2,
  });
  const { circuits } = await runHere(trainPatchCircuits, { images: train, clusters }, { ...em, latents: 2 });
  return { features: stored, clusters: clusters as PatchClusters, circuits: circuits as PatchCircuits };
}

async function bits(clusters: PatchClusters, circuits: PatchCircuits): Promise<number> {
  const { circuit: top } = await runHere(patchTree, { clusters });
  return (await runHere(evaluatePatchModel, { model: { ...circuits, top }, images: valid })).score.figure
    .bits;
}

Deno.test("a round of growing adds a cluster, and training after it makes a better model", async () => {
  const { features, clusters, circuits } = await start();
  const grown = await runHere(growClusters, { images: train, features, clusters, circuits }, {
    add: 1,
    worst: 1,
  });
  assert.equal(grown.clusters.clusters, 3);
  assert.equal(rootUnits(grown.circuits.circuits[0]), 3);
  assert.equal(new Set(grown.clusters.assignments).size, 3);
  const trained = await runHere(trainGrownCircuits, { images: train, ...grown }, em);
  const [before, after] = [await bits(clusters, circuits), await bits(grown.clusters, trained.circuits)];
  assert.ok(after < before - 0.02, `${before} before and ${after} after`);
});

Deno.test("growing gives states of another number, and is a function of its seed", async () => {
  const { features, clusters, circuits } = await start();
  const inputs = { images: train, features, clusters, circuits };
  const [a, b] = [
    await runHere(growClusters, inputs, { add: 1, latents: 4 }),
    await runHere(growClusters, inputs, { add: 1, latents: 4 }),
  ];
  assert.deepEqual(a.clusters, b.clusters);
  for (const [i, circuit] of unstack(a.circuits.circuits[0], 3).entries()) {
    assert.equal(circuit.parameters.get("leaf/0")!.shape[0], 4);
    assert.deepEqual(
      circuit.parameters.get("leaf/0")!.values,
      unstack(b.circuits.circuits[0], 3)[i]!.parameters.get("leaf/0")!.values,
    );
  }
});

Deno.test("without noise and with every state kept, reluctance decides where patches go", async () => {
  const { features, clusters, circuits } = await start();
  const inputs = { images: train, features, clusters, circuits };
  const moved = async (reluctance: number) => {
    let found = -1;
    await runHere(growClusters, inputs, { add: 1, noise: 0, prune: 0, reluctance }, {
      metric: (name: string, value: number) => {
        if (name.startsWith("patches")) found = value;
      },
    });
    return found;
  };
  assert.equal(await moved(1e9), 0);
  assert.ok(await moved(0) >= await moved(1));
  await assert.rejects(
    runHere(growClusters, { ...inputs, clusters: { ...clusters, shared: false } }, { add: 1 }),
    /only clusters that all positions share/,
  );
});
