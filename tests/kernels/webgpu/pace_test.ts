import assert from "node:assert/strict";
import fc from "fast-check";
import { stepsWithoutDevice } from "../../../bench/kernels/steps.ts";
import { categoricalVariables, type Circuit, hclt, hmm, maximumSpanningTree } from "../../../circuits/mod.ts";
import { planned } from "../../../kernels/webgpu/commands.ts";
import { loadOf } from "../../../kernels/webgpu/dispatch.ts";
import { nearestStep, sumStep } from "../../../kernels/webgpu/kmeans_steps.ts";
import { cautiousRate, piecesOf, secondsAfter } from "../../../kernels/webgpu/pace.ts";
import { Settings } from "../../../kernels/webgpu/settings.ts";
import { holds } from "../../property.ts";

const BUFFER = { size: 2 ** 30 } as GPUBuffer;

Deno.test("pieces: all of the grid and of the loop, each part once, none larger or longer than it may be", (test) => {
  const side = fc.integer({ min: 1, max: 20 });
  holds(
    test,
    fc.property(
      fc.tuple(side, side, side),
      fc.integer({ min: 1, max: 9 }),
      fc.double({ min: 0, max: 1e4, noNaN: true }),
      fc.double({ min: 0, max: 1e4, noNaN: true }),
      fc.integer({ min: 1, max: 25 }),
      (grid, rounds, flops, bytes, most) => {
        const pace = { rate: { flops: 100, alone: 30, bytes: 50 }, seconds: 0.2 };
        const [x, y, z] = grid, groups = x * y * z;
        const done = new Uint8Array(groups * rounds);
        // The parts of the loop of a workgroup come in their order.
        const reached = new Uint8Array(groups);
        for (
          const { group, size, start, end, seconds } of piecesOf(
            { grid, rounds, effort: { flops, bytes } },
            pace,
            most,
          )
        ) {
          assert.ok(size.every((n) => n >= 1 && n <= most));
          const number = size[0] * size[1] * size[2], share = number * (end - start) / (groups * rounds);
          const least = number === 1 && end - start === 1;
          const estimate = share * (flops / 100 + bytes / 50);
          assert.ok(least || estimate <= 0.2 * (1 + 1e-9), `${estimate} s`);
          assert.ok(seconds >= estimate * (1 - 1e-9));
          for (let k = 0; k < size[2]; k++) {
            for (let j = 0; j < size[1]; j++) {
              for (let i = 0; i < size[0]; i++) {
                const at = ((group[2] + k) * y + group[1] + j) * x + group[0] + i;
                assert.equal(reached[at], start);
                reached[at] = end;
                for (let round = start; round < end; round++) done[at * rounds + round]!++;
              }
            }
          }
        }
        assert.ok(done.every((times) => times === 1));
      },
    ),
  );
});

Deno.test("no dispatch and no submission of a batch is longer than a fifth of a second at the adapter's rate", () => {
  const chain = (variables: number) => {
    const weights = new Float64Array(variables ** 2);
    for (let v = 1; v < variables; v++) weights[v * variables + v - 1] = weights[(v - 1) * variables + v] = 1;
    const tree = maximumSpanningTree(weights, variables);
    return hclt(categoricalVariables(variables, 256), tree, { latents: 32, seed: 1 });
  };
  const models: [Circuit, number][] = [
    // 2 * 1,024^2 * 256 * 32 = 17 GFLOP of counts in one step.
    [hmm({ length: 32, states: 1024, symbols: 50, seed: 1 }), 256],
    // Hardly any workgroups, of which each has a sum of 400,000 terms to do.
    [hmm({ length: 400, states: 16, symbols: 50, seed: 1 }), 1024],
    [chain(60), 512],
  ];
  const rates = [
    cautiousRate({ software: true }),
    cautiousRate({ software: false }),
    { flops: 2e9, alone: 2e9, bytes: 1e9 },
    { flops: 2e13, alone: 1e11, bytes: 1e12 },
  ];
  for (const [circuit, capacity] of models) {
    for (const software of [true, false]) {
      for (const rate of rates) {
        for (const losses of [0, 2]) {
          const pace = { rate, seconds: secondsAfter(losses) };
          const steps = stepsWithoutDevice(circuit, { capacity, software })
            .filter(({ kernel }) => losses === 0 || !kernel.template.startsWith("soft"));
          const soft = { width: 50, dense: true, segments: 50, entries: 400 * 1024 };
          const loads = steps.map((step) => loadOf(step, { rows: capacity, segments: 50, soft }));
          const submissions = planned(loads, pace, 65535);
          for (const pieces of submissions) {
            const total = pieces.reduce((sum, { seconds }) => sum + seconds, 0);
            assert.ok(total <= pace.seconds * (1 + 1e-9), `a submission of ${total} s`);
          }
          // And not many more than have to be.
          const all = loads.reduce((sum, load) =>
            sum + Math.max(
              load.effort.flops / rate.flops + load.effort.bytes / rate.bytes,
              load.effort.flops / load.grid.reduce((a, b) => a * b) / rate.alone,
            ), 0);
          assert.ok(submissions.length <= 3 * all / pace.seconds + 2, `${submissions.length} for ${all} s`);
        }
      }
    }
  }
});

Deno.test("a pass of k-means is cut as well: vectors, centroids, and the vectors of one cluster", () => {
  const clusters = 100_000, capacity = 2 ** 16, depth = 256;
  const page = { first: 0, clusters, directions: BUFFER, bias: BUFFER, sums: BUFFER, lost: BUFFER };
  const buffers = { batch: BUFFER, values: BUFFER, nearest: BUFFER, order: BUFFER, factors: BUFFER };
  const settings = new Settings();
  for (
    const tile of [{ kind: "register", rows: 8, columns: 8, x: 1, y: 32 }, {
      kind: "shared",
      rows: 4,
      columns: 4,
      x: 16,
      y: 16,
    }] as const
  ) {
    const steps = [
      nearestStep(tile, page, buffers, settings, depth),
      sumStep(page, buffers, settings, depth, { clusters, capacity }),
    ];
    for (const software of [true, false]) {
      const pace = { rate: cautiousRate({ software }), seconds: 0.2 };
      for (const step of steps) {
        const submissions = planned([loadOf(step, { rows: capacity, segments: 0 })], pace, 65535);
        assert.ok(submissions.length > 1);
        for (const pieces of submissions) {
          assert.ok(pieces.reduce((sum, { seconds }) => sum + seconds, 0) <= 0.2 * (1 + 1e-9));
        }
      }
    }
  }
});
