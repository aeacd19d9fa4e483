import { z } from "zod";
import { sample } from "../../circuits/queries/sampling.ts";
import { unstack } from "../../circuits/structures/stack.ts";
import { patchCount, patchesOf, patchGrid, patchSize } from "../../datasets/images/geometry.ts";
import type { ImageSet, PixelSpace } from "../../datasets/images/image_set.ts";
import { sheet } from "../../datasets/images/sheets.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { openLearner } from "../open_learner.ts";
import { images, pictures } from "./codecs.ts";
import { patchCircuits, patchClusters } from "./patch_codecs.ts";
import { imagesOfSamples } from "../../datasets/images/image_set.ts";

/**
 * Pictures of each cluster, one row per cluster, largest first: patches of the images, and patches sampled from the
 * cluster's circuit.
 */
export const showClusters: Stage<
  z.ZodObject<{
    columns: z.ZodDefault<z.ZodInt>;
    rows: z.ZodDefault<z.ZodInt>;
    position: z.ZodDefault<z.ZodInt>;
    scale: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { images: typeof images; clusters: typeof patchClusters; circuits: typeof patchCircuits },
  { pictures: typeof pictures }
> = defineStage({
  name: "images.show-clusters",
  params: z.object({
    /** Number of patches shown per cluster. */
    columns: z.int().min(1).default(24),
    /** Maximum number of clusters shown. */
    rows: z.int().min(1).default(64),
    /** The position whose clusters are shown, if positions do not share them. */
    position: z.int().min(0).default(0),
    /** Magnification: each pixel becomes a square with this side length. */
    scale: z.int().min(1).default(4),
  }),
  inputs: { images, clusters: patchClusters, circuits: patchCircuits },
  outputs: { pictures },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const { columns, rows, position, scale } = params;
    const { patch, shared, clusters, patches, assignments } = inputs.clusters;
    const members: number[][] = Array.from({ length: clusters }, () => []);
    for (let row = shared ? 0 : position; row < assignments.length; row += shared ? 1 : patches) {
      members[assignments[row]!]!.push(row);
    }
    const order = members.map((_, k) => k).sort((a, b) => members[b]!.length - members[a]!.length || a - b)
      .slice(0, rows);
    const space = { ...inputs.images.space, height: patch, width: patch };
    const cut = patchSet(inputs.images, patch, space);
    const size = cut.pixels.length / cut.count;
    const blank = greyPatch(space);
    const own = order.flatMap((k) =>
      Array.from({ length: columns }, (_, c) => {
        // Spread over the whole set, so that the patches come from different images.
        const list = members[k]!;
        const row = list[Math.floor(c * list.length / columns)];
        return c < list.length && row !== undefined
          ? [...cut.pixels.subarray(row * size, (row + 1) * size)]
          : blank;
      })
    );
    const stack = inputs.circuits.circuits[shared ? 0 : position]!;
    const each = unstack(stack, clusters);
    const learner = await openLearner(each[0]!, context);
    const drawn: number[][] = [];
    try {
      for (const k of order) {
        await learner.setParameters(
          new Map([...each[k]!.parameters].map(([id, { values }]) => [id, values])),
        );
        await learner.parameters();
        const found = await sample(learner, columns, { seed: context.seed + (k + 1) * 0x100000000 });
        for (let c = 0; c < columns; c++) drawn.push([...found.values.subarray(c * size, (c + 1) * size)]);
      }
    } finally {
      await learner.close();
    }
    const picture = (list: number[][]) =>
      sheet(
        imagesOfSamples({ count: list.length, values: Int32Array.from(list.flat()) }, space),
        {
          columns,
          scale,
        },
      );
    const where = shared ? "all positions" : `position ${position}`;
    return {
      pictures: [
        {
          name: "clusters",
          caption: `Patches of ${order.length} clusters of ${where}, a row each`,
          picture: picture(own),
        },
        {
          name: "cluster-circuits",
          caption: "Patches drawn from the circuits of the same clusters",
          picture: picture(drawn),
        },
      ],
    };
  },
});

/** All patches as separate images. */
function patchSet(set: ImageSet, patch: number, space: PixelSpace): ImageSet {
  const grid = patchGrid(set.space, patch);
  return { space, count: set.count * patchCount(grid), pixels: patchesOf(set.pixels, grid) };
}

/** Placeholder for clusters with too few patches: the middle level of every channel. */
function greyPatch(space: PixelSpace): number[] {
  const size = patchSize(patchGrid(space, space.height));
  return Array.from({ length: size }, (_, i) => space.levels[i % space.channels]! >> 1);
}
