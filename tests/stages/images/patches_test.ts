import assert from "node:assert/strict";
import { CircuitError } from "../../../circuits/mod.ts";
import { decodePicture, type ImageSet, plainSpace } from "../../../datasets/images/mod.ts";
import { matrixShards } from "../../../runner/codecs/shard_codecs.ts";
import { circuit } from "../../../stages/codecs/circuit.ts";
import { samples as samplesCodec } from "../../../stages/codecs/samples.ts";
import { assembleModel, wholeCircuit } from "../../../stages/images/assemble_patches.ts";
import { clusterPatches } from "../../../stages/images/cluster_patches.ts";
import { images, pictures } from "../../../stages/images/codecs.ts";
import { evaluatePatchModel, evaluatePixelCircuit } from "../../../stages/images/evaluate_images.ts";
import type { LineChart } from "../../../stages/charts/line_chart.ts";
import { imageCharts } from "../../../stages/images/image_chart.ts";
import type { ImageCourse } from "../../../stages/images/image_course.ts";
import { imageTable, tabulateImages } from "../../../stages/images/image_table.ts";
import {
  type PatchCircuits,
  patchCircuits,
  patchClusters,
  patchModel,
} from "../../../stages/images/patch_codecs.ts";
import { controlFeatures } from "../../../stages/images/patch_features.ts";
import { patchTree } from "../../../stages/images/patch_tree.ts";
import { patchVectors } from "../../../stages/images/patch_vectors.ts";
import { pixelTree } from "../../../stages/images/pixel_tree.ts";
import { showClusters } from "../../../stages/images/show_clusters.ts";
import {
  showCircuitSamples,
  showModelInpainting,
  showModelSamples,
} from "../../../stages/images/show_images.ts";
import { trainPatchCircuits } from "../../../stages/images/train_patch_circuits.ts";
import { trainPatches } from "../../../stages/images/train_patches.ts";
import { trainEm } from "../../../stages/train_em.ts";
import { inPlace, runHere, type SmallStore } from "../in_place.ts";
import { toyImages } from "./toy.ts";

const train = toyImages(120, 1), valid = toyImages(40, 2);
const CLUSTERS = 3, PATCH = 2;
const em = { epochs: 4, batchSize: 64, pseudocount: { sums: 0.1, leaves: 0.1 } };

/** Features, clusters and patch circuits of the toy images; each artifact goes through the store. */
async function distilled(place: SmallStore, shared: boolean) {
  const through = async (codec: Parameters<SmallStore["read"]>[0], value: unknown) =>
    await place.read(codec, await place.write(codec, value));
  const set = await through(images, train) as ImageSet;
  const { features } = await runHere(controlFeatures, { images: set }, { patch: PATCH, teacher: "pixels" });
  const { clusters } = await runHere(clusterPatches, {
    images: set,
    features: await through(matrixShards, features),
  }, { patch: PATCH, clusters: CLUSTERS, shared, restarts: 3 });
  const { circuits } = await runHere(trainPatchCircuits, {
    images: set,
    clusters: await through(patchClusters, clusters),
  }, { ...em, latents: 2 });
  const { circuit: top } = await runHere(patchTree, { clusters });
  return { set, clusters, circuits: await through(patchCircuits, circuits) as PatchCircuits, top, through };
}

for (const shared of [true, false]) {
  Deno.test(`from images to a trained patch model, clusters ${shared ? "shared" : "of each position"}`, async () => {
    await inPlace(async (place) => {
      const { set, circuits, top, through } = await distilled(place, shared);
      const { model } = await runHere(assembleModel, { circuits, top });
      const before = await runHere(evaluatePatchModel, {
        model: await through(patchModel, model),
        images: valid,
      });

      // As one circuit over all pixels it is the same distribution.
      const { circuit: whole } = await runHere(wholeCircuit, { model: await through(patchModel, model) });
      const { score } = await runHere(evaluatePixelCircuit, {
        circuit: await through(circuit, whole),
        images: valid,
      });
      assert.ok(Math.abs(score.figure.bits - before.score.figure.bits) < 1e-5);

      // The top circuit on the patches' vectors has the likelihood of the model.
      const { vectors } = await runHere(patchVectors, { images: valid, circuits });
      const { circuit: trained } = await runHere(trainEm, {
        circuit: top,
        train: await through(samplesCodec, vectors),
        valid: await through(samplesCodec, vectors),
      }, { epochs: 0, batchSize: 50 });
      assert.deepEqual(trained.nodes, top.nodes);
      const { log } = await runHere(trainEm, {
        circuit: top,
        train: await through(samplesCodec, vectors),
        valid: await through(samplesCodec, vectors),
      }, { epochs: 1, batchSize: 50 });
      const bits = -log.epochs[0].valid.logLikelihood / Math.LN2 / 16;
      assert.ok(Math.abs(bits - before.score.figure.bits) < 1e-5, `${bits} and ${before.score.figure.bits}`);

      const { model: tuned, log: curve } = await runHere(trainPatches, { model, train: set, valid }, em);
      const after = await runHere(evaluatePatchModel, {
        model: await through(patchModel, tuned),
        images: valid,
      });
      assert.ok(after.score.figure.bits < before.score.figure.bits, "training together helps");
      const best = curve.epochs[curve.bestEpoch].valid.logLikelihood;
      assert.ok(Math.abs(-best / Math.LN2 / 16 - after.score.figure.bits) < 1e-5);
      // Noise of 15 % over 4 levels, three looks: far below the 2 bits of a uniform model.
      assert.ok(after.score.figure.bits < 1.5, String(after.score.figure.bits));
    });
  });
}

Deno.test("a stage of patch circuits that was stopped goes on to the same circuits", async () => {
  await inPlace(async (place) => {
    const { set, clusters, circuits } = await distilled(place, true);
    let saved: unknown;
    let offers = 0;
    const stop = {
      load: () => Promise.resolve(saved),
      offer: async (make: () => unknown) => {
        if (++offers === 2) {
          saved = make();
          throw new Error("stopped");
        }
        await Promise.resolve();
      },
    };
    const params = { ...em, latents: 2 };
    await assert.rejects(
      runHere(trainPatchCircuits, { images: set, clusters }, params, { checkpoint: stop }),
      /stopped/,
    );
    const logs: string[] = [];
    const again = await runHere(trainPatchCircuits, { images: set, clusters }, params, {
      checkpoint: { ...stop, offer: () => Promise.resolve() },
      log: (line: string) => logs.push(line),
    });
    assert.deepEqual(logs, ["going on after 2 clusters"]);
    const [found, expected] = [again.circuits.circuits[0], circuits.circuits[0]!];
    for (const [id, { values }] of expected.parameters) {
      assert.deepEqual(found.parameters.get(id).values, values, id);
    }
  });
});

Deno.test("a hidden Chow-Liu tree over the pixels, scored in the same bits", async () => {
  const { circuit } = await runHere(pixelTree, { images: train }, { latents: 3 });
  const { score } = await runHere(evaluatePixelCircuit, { circuit, images: valid });
  assert.equal(score.figure.images, 40);
  assert.deepEqual(score.figure.space, train.space);
  const lossy = {
    ...score,
    figure: { ...score.figure, space: { ...train.space, transform: "ycbcr-lossy" } },
  };
  const rows = [{ arm: "tree", setting: "3 latents" }, { arm: "the same", setting: "" }];
  const logs = [false, null].map((converged) => ({ bestEpoch: 1, converged, epochs: [] }));
  const { table } = await runHere(tabulateImages, { scores: [score, score], logs }, { rows });
  assert.match(
    await imageTable.summary!(table),
    /tree\s+3 latents\s+\d+\s+\d\.\d{3}\s+\d\.\d{3}\s+not converged\nthe same.*\d\n/,
  );
  assert.ok(table.budget === undefined && table.rows[0].course === undefined);
  const { charts: [picture] } = await runHere(imageCharts, { table });
  assert.deepEqual(picture.chart.series.map(({ points }: LineChart["series"][number]) => points[0]!.open), [
    true,
    undefined,
  ]);
  assert.match(picture.chart.title, /hollow: not converged/);
  await assert.rejects(
    runHere(tabulateImages, { scores: [score, lossy], logs }, { rows }),
    /the same was measured on other images or colours than tree/,
  );
  await assert.rejects(
    runHere(tabulateImages, { scores: [score], logs }, { rows }),
    /1 scores and 2 logs but 2 rows/,
  );
});

Deno.test("a table compares models at a number of epochs, those of earlier levels too", async () => {
  const figure = { bits: 3, images: 5, space: plainSpace(2, 2, 1) };
  const score = { figure, standardError: 0.1, impossible: 0, parameters: 7 };
  /** Validation bits per dimension by epoch, from 0 on. */
  const logOf = (bestEpoch: number, bits: (number | null)[]) => ({
    bestEpoch,
    converged: true,
    epochs: bits.map((one, epoch) => ({
      epoch,
      best: false,
      valid: {
        logLikelihood: one === null ? -3 : -one * 4 * Math.LN2,
        bitsPerVariable: 99,
        impossible: one === null ? 1 : 0,
        samples: 5,
      },
    })),
  });
  const logs = [logOf(4, [8, 6, 7, 5, 4, 4.5]), logOf(2, [5, 4.5, 4]), logOf(1, [null, 3.5, 3.75])];
  const { table } = await runHere(tabulateImages, { scores: [score, score, score], logs }, {
    rows: [{ arm: "tree" }, { arm: "apart", before: 3 }, { arm: "together", after: 1 }],
    budget: 6,
  });
  const courses = table.rows.map((
    { course: { before, epochs, bestEpoch, atBudget, valid } }: { course: ImageCourse },
  ) => [
    ...[before, epochs, bestEpoch],
    ...[atBudget, valid].map((bits) => bits === null ? null : Number(bits.toFixed(6))),
  ]);
  assert.deepEqual(courses, [[0, 5, 4, 4, 4], [3, 2, 2, 4, 4], [5, 2, 1, 3.5, 3.5]]);
  assert.match(
    await imageTable.summary!(table),
    /valid by epoch 6 .*\n.*\n.*\ntogether .* 3\.500 +3\.500 +5 \+ 1 of 2 /,
  );
  const early = await runHere(tabulateImages, { scores: [score], logs: [logs[0]!] }, {
    rows: [{ arm: "tree", before: 7 }],
    budget: 6,
  });
  assert.equal(early.table.rows[0].course.atBudget, null);
});

Deno.test("sheets of samples, inpaintings and clusters show what they should", async () => {
  await inPlace(async (place) => {
    const { set, clusters, circuits, top, through } = await distilled(place, true);
    const model = { ...circuits, top };
    const shown = async (made: { pictures: unknown }) =>
      await Promise.all(
        (await through(pictures, made.pictures) as Awaited<ReturnType<typeof pictures.read>>).map(async (
          p,
        ) => ({
          ...p,
          picture: await decodePicture(await p.bytes()),
        })),
      );
    const [drawn] = await shown(await runHere(showModelSamples, { model }, { count: 9, scale: 1 }));
    assert.deepEqual([drawn!.height, drawn!.width], [16, 16]);
    const inpainted = await shown(
      await runHere(showModelInpainting, { model, images: valid }, { count: 2, draws: 2, scale: 1 }),
    );
    assert.deepEqual(inpainted.map(({ file }) => file), [
      "inpainting-centre.png",
      "inpainting-bottom.png",
      "inpainting-random.png",
    ]);
    const [, bottom] = inpainted;
    assert.deepEqual([bottom!.height, bottom!.width], [2 * 5 + 1, 5 * 5 + 1]);
    // The upper half of every column is the image's.
    const at = (row: number, column: number, y: number, x: number) =>
      bottom!.picture.pixels[(1 + row * 5 + y) * bottom!.width + 1 + column * 5 + x]!;
    for (let row = 0; row < 2; row++) {
      for (let y = 0; y < 2; y++) {
        for (let x = 0; x < 4; x++) {
          const level = valid.pixels[row * 16 + y * 4 + x]!;
          for (let column = 0; column < 5; column++) assert.equal(at(row, column, y, x), level * 85);
        }
      }
    }
    const both = await shown(
      await runHere(showClusters, { images: set, clusters, circuits }, { columns: 5, scale: 1 }),
    );
    assert.deepEqual(both.map(({ height, width }) => [height, width]), [[10, 16], [10, 16]]);
    const { circuit } = await runHere(pixelTree, { images: train }, { latents: 2 });
    const [tree] = await shown(
      await runHere(showCircuitSamples, { circuit, images: train }, { count: 4, scale: 1 }),
    );
    assert.equal(tree!.width, 11);
  });
});

Deno.test("what does not belong together is refused", async () => {
  await inPlace(async (place) => {
    const { clusters, circuits, top, through } = await distilled(place, true);
    const { features } = await runHere(controlFeatures, { images: train }, {
      patch: 4,
      teacher: "random",
      width: 8,
    });
    await assert.rejects(
      runHere(clusterPatches, { images: train, features: await through(matrixShards, features) }, {
        patch: 2,
        clusters: 2,
      }),
      /120 features for 480 patches/,
    );
    await assert.rejects(
      runHere(trainPatchCircuits, { images: valid, clusters }, { ...em, latents: 2 }),
      /40 images/,
    );
    await assert.rejects(place.write(patchClusters, { ...clusters, clusters: 2 }), /has cluster 2 of 2/);
    await assert.rejects(
      runHere(evaluatePatchModel, { model: { ...circuits, circuits: [], top }, images: valid }),
      (error) => error instanceof Error && !(error instanceof CircuitError),
    );
  });
});
