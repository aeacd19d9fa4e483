import assert from "node:assert/strict";
import { type Circuit, naiveMixture, samplesFromRows, withParameters } from "../../../circuits/mod.ts";
import { farthest } from "../../../kernels/leaves/reach.ts";
import { FarSamples } from "../../../kernels/webgpu/far.ts";

const variables = ["x", "y"].map((name) => ({ kind: "real" as const, name }));

const valuesOf = ({ parameters }: Circuit) => new Map([...parameters].map(([id, one]) => [id, one.values]));

Deno.test("samples far from all units of a leaf are found, in gaps between units too", () => {
  const circuit = withParameters(
    naiveMixture(variables, { components: 3 }),
    new Map([["leaf/0", [0, 1, 1000, 1, 20, 5]], ["leaf/1", [0, 1e6, 0, 1, 0, 1]]].map((
      [id, values],
    ) => [id as string, Float64Array.from(values as number[])])),
  );
  const rows = [[31, 0], [-150, 0], [500, 0], [970, 0], [null, 0], [1033, 0], [179, 3e7], [0, 4e7], [
    0,
    -4e7,
  ]];
  const far = new FarSamples(circuit).find(samplesFromRows(rows), valuesOf(circuit));
  assert.deepEqual(far, [1, 2, 5, 7, 8]);
  const discrete = naiveMixture([{ kind: "categorical", name: "x", states: 2 }], { components: 2 });
  assert.deepEqual(new FarSamples(discrete).find(samplesFromRows([[0]]), valuesOf(discrete)), []);
});

Deno.test("where the host would take too long, the device does what it can and the rest is refused", () => {
  const circuit = naiveMixture(variables, { components: 10_000 });
  const far = new FarSamples(circuit), values = valuesOf(circuit), limit = farthest(circuit);
  assert.ok(limit > 1e4 && limit < 1e5);
  const at = (x: number, count: number) => samplesFromRows(Array.from({ length: count }, () => [x, 0]));
  assert.equal(far.find(at(1000, 5), values).length, 5);
  assert.equal(far.find(at(1000, 5000), values).length, 0);
  assert.equal(far.find(at(10 * limit, 5), values).length, 5);
  assert.throws(() => far.find(at(10 * limit, 5000), values), /5000 of 5000 samples.*standard deviations/);
  assert.throws(() => far.find(at(1e20, 1), values), /1 of 1 samples/);
});
