/**
 * What the WebGPU engine's products do inside a tile of shared memory, counted in the text that devices compile and in a model of
 * memory banks: figures of the code, the same on every machine, with or without a GPU.
 *
 *     deno task bench:kernels
 *     deno task bench:kernels --json
 */
import type { Form } from "../kernels/webgpu/tiles.ts";
import { tileCost } from "./kernels/shared_tiles.ts";
import { benchOptions, type Figure, meets, printFigures } from "./measure.ts";

const FORMS: readonly Form[] = ["forward", "backward", "flows"];

const options = benchOptions({});
const figures: Figure[] = [];
for (const form of FORMS) {
  const cost = tileCost(form, { kind: "shared", rows: 8, columns: 8, x: 16, y: 16 });
  const exact = (name: string, value: number, unit: string, atMost: number) =>
    figures.push({
      name: `${form}: ${name}`,
      value,
      unit,
      spread: [value, value],
      runs: 1,
      target: { atMost },
    });
  exact("clamped indices for a multiply-add", cost.clamps, "", 0.03);
  exact("loads of four numbers for 64 multiply-adds", cost.loads, "", 4);
  exact("loops inside a tile", cost.loops, "", 0);
  exact("barriers for a tile", cost.barriers, "", 1);
  exact("cycles of reads, over those without conflicts", cost.readConflicts, "", 1);
  exact("cycles of writes, over those without conflicts", cost.writeConflicts, "", 1);
}
printFigures(figures, {
  ...options,
  about: ["tiles of 128 x 128 results, 8 x 8 a thread; counted, not timed"],
});
if (figures.some((one) => meets(one) === false)) Deno.exitCode = 1;
