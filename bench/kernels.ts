/**
 * What the WebGPU engine's products do inside a tile of shared memory, counted in the text that devices compile and in a model of
 * memory banks, and the workgroups of their dispatches on hardware: figures of the code, the same on every machine, with or without a GPU.
 *
 *     deno task bench:kernels
 *     deno task bench:kernels --json
 */
import { hmm } from "../circuits/mod.ts";
import { loadOf } from "../kernels/webgpu/dispatch.ts";
import { BUSY, type Form } from "../kernels/webgpu/tiles.ts";
import { stepsWithoutDevice } from "./kernels/steps.ts";
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
for (const states of [1024, 4096]) figures.push(...dispatches(states));
printFigures(figures, {
  ...options,
  about: [
    "figures of a tile: 128 x 128 results, 8 x 8 a thread, the worst of forward, backward and flows; all counted, not timed",
  ],
});
if (figures.some((one) => meets(one) === false)) Deno.exitCode = 1;

/** The dispatches of a step of EM of an HMM, on a card of 132 multiprocessors: fewer than two workgroups for each leave some idle. */
function dispatches(states: number): Figure[] {
  const rows = 256;
  const circuit = hmm({ length: 32, states, symbols: 50, seed: 1 });
  const steps = stepsWithoutDevice(circuit, { capacity: rows, software: false, binding: 2 ** 31 })
    .filter(({ kernel }) => !kernel.template.startsWith("soft"))
    .map((step) => ({ ...step.kernel, ...loadOf(step, { rows, segments: 50 }) }));
  const model = `HMM of ${states.toLocaleString("en")} states, batch 256`;
  const groups = FORMS.map((form) => {
    // Those of the first state, of which there is one distribution, have no work for more.
    const products = steps.filter(({ template, constants, effort }) =>
      template === "matmul" && constants.FORM === form && effort.flops > states ** 2 * rows
    );
    return figure(
      `${model}: workgroups of a product, ${form}`,
      "",
      [Math.min(...products.map(({ grid: [x, y, z] }) => x * y * z))],
      { atLeast: BUSY },
    );
  });
  // repair.wgsl has nothing to do for most rows, which cannot be counted.
  const bytes = steps.reduce(
    (sum, { template, effort }) => sum + (template === "repair" ? 0 : effort.bytes),
    0,
  );
  return [
    ...groups,
    figure(`${model}: dispatches of an E-step`, "", [steps.length]),
    figure(`${model}: of them of repair`, "", [steps.filter(({ template }) => template === "repair").length]),
    figure(`${model}: read and written by an E-step, without repair`, "GB", [bytes / 1e9]),
  ];
}
