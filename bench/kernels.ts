/**
 * What the WebGPU engine's products do inside a tile of shared memory, counted in the text that devices compile and in a model of
 * memory banks: figures of the code, the same on every machine, with or without a GPU.
 *
 *     deno task bench:kernels
 *     deno task bench:kernels --json
 */
import type { Form } from "../kernels/webgpu/tiles.ts";
import { type TileCost, tileCost } from "./kernels/shared_tiles.ts";
import { benchOptions, type Figure, figure, meets, printFigures } from "./measure.ts";

const FORMS: readonly Form[] = ["forward", "backward", "flows"];

const options = benchOptions({});
const costs = FORMS.map((form) => tileCost(form, { kind: "shared", rows: 8, columns: 8, x: 16, y: 16 }));
/** The worst of the three products. */
const worst = (name: string, of: (cost: TileCost) => number, atMost: number): Figure =>
  figure(name, "", [Math.max(...costs.map(of))], { atMost });
const figures = [
  worst("clamped indices for a multiply-add", ({ clamps }) => clamps, 0.03),
  worst("loads of four numbers for 64 multiply-adds", ({ loads }) => loads, 4),
  worst("loops inside a tile", ({ loops }) => loops, 0),
  worst("barriers for a tile", ({ barriers }) => barriers, 1),
  worst("cycles of reads, over those without conflicts", ({ readConflicts }) => readConflicts, 1),
  worst("cycles of writes, over those without conflicts", ({ writeConflicts }) => writeConflicts, 1),
];
printFigures(figures, {
  ...options,
  about: [
    "tiles of 128 x 128 results, 8 x 8 a thread, the worst of forward, backward and flows; counted, not timed",
  ],
});
if (figures.some((one) => meets(one) === false)) Deno.exitCode = 1;
