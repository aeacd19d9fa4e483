import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  type Circuit,
  hmm,
  ReferenceEvaluator,
  ReferenceLearner,
  samplesFromRows,
  withParameters,
} from "../../circuits/mod.ts";
import { openGatesHere } from "../../kernels/gates/here.ts";
import { type GateKernels, PANEL, RATIO_SCALE, RUN_SIZE } from "../../kernels/gates/kernels.ts";
import { wide } from "../../kernels/gates/layout.ts";
import { gateModule } from "../../kernels/gates/module.ts";
import { randomBatch } from "../circuits/learner_conformance.ts";
import { holds } from "../property.ts";
import { settled } from "./settled.ts";

const PAGES = 64, LIST = 4096, TILE = 1 << 16, OF = 1 << 17, TO = 1 << 20, SCRATCH = 3 << 20;

/** A number of 0, or of any size down to 2^-`least`. */
const numbers = (least: number) =>
  fc.tuple(fc.integer({ min: -least, max: 0 }), fc.double({ min: 1, max: 1.99, noNaN: true })).map((
    [exponent, x],
  ) => exponent % 7 === -3 ? 0 : 2 ** exponent * x);

/** A matrix and rows, the factors of the rows, and how small the numbers get. */
const products = fc.tuple(
  ...[fc.integer({ min: 1, max: 19 }), fc.integer({ min: 1, max: 19 }), fc.integer({ min: 1, max: 11 })],
  ...[fc.constantFrom(4, 40, 140), fc.constantFrom(4, 90, 200)],
  fc.nat(),
).chain(([rows, columns, entries, small, smaller]) =>
  fc.record({
    rows: fc.constant(rows!),
    columns: fc.constant(columns!),
    tile: fc.array(numbers(small!), { minLength: rows! * columns!, maxLength: rows! * columns! }),
    entries: fc.array(
      fc.record({
        a: fc.array(numbers(smaller!), { minLength: rows!, maxLength: rows! }),
        b: fc.array(numbers(smaller!), { minLength: columns!, maxLength: columns! }),
        by: fc.constantFrom(1, 0.3, 2 ** -60, 2 ** 60),
      }),
      { minLength: entries!, maxLength: entries! },
    ),
  })
);

Deno.test("products in single precision are those of float64, whatever their shapes and however small their numbers", async (test) => {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  const kernels = new WebAssembly.Instance(await gateModule(PAGES), { shared: { memory } })
    .exports as unknown as GateKernels;
  const words = new Uint32Array(memory.buffer), floats = new Float32Array(memory.buffer);
  const doubles = new Float64Array(memory.buffer);
  for (const pass of ["forward", "backward", "count"] as const) {
    await test.step(pass, async (step) => {
      await holds(
        step,
        fc.property(products, ({ rows, columns, tile, entries }) => {
          const [high, across] = [wide(rows), wide(columns)];
          const weights = tile.map(Math.fround);
          floats.fill(0, TILE / 4, TILE / 4 + high * across);
          if (pass !== "count") {
            weights.forEach((w, i) => floats[TILE / 4 + Math.floor(i / columns) * across + i % columns] = w);
          }
          const stride = 8 * 32, down = pass === "backward";
          const wanted = entries.map(({ a, b, by }) =>
            Array.from(
              { length: down ? columns : rows },
              (_, k) =>
                by * (down
                  ? a.reduce((sum, x, i) => sum + x * weights[i * columns + k]!, 0)
                  : b.reduce((sum, x, j) => sum + x * weights[k * columns + j]!, 0)),
            )
          );
          doubles.fill(0, OF / 8, (OF + 2 * entries.length * stride) / 8);
          doubles.fill(0, TO / 8, (TO + entries.length * stride) / 8);
          entries.forEach(({ a, b, by }, e) => {
            const of = OF + 2 * e * stride, to = TO + e * stride;
            doubles.set(down ? a : b, of / 8);
            doubles.set(a, of / 8 + 32);
            // What stands there is added to.
            doubles.set(wanted[e]!, to / 8);
            words[LIST / 4 + 4 * e] = pass === "count" ? of + 8 * 32 : to;
            words[LIST / 4 + 4 * e + 1] = of;
            doubles[LIST / 8 + 2 * e + 1] = by;
          });
          [TILE, high, across, LIST, entries.length, rows, columns].forEach((x, i) => words[i] = x);
          assert.ok(SCRATCH + 2 * PANEL * 32 < memory.buffer.byteLength && RUN_SIZE === 28);
          kernels[`${pass}Single`](0, 1, SCRATCH);
          const close = (got: number, wanted: number, lost = 0) =>
            assert.ok(Math.abs(got - wanted) <= 1e-5 * wanted + lost, `${got}, not ${wanted}`);
          if (pass === "count") {
            for (let i = 0; i < rows; i++) {
              for (let j = 0; j < columns; j++) {
                const wanted = entries.reduce((sum, { a, b, by }) => sum + by * a[i]! * b[j]!, 0);
                close(floats[TILE / 4 + i * across + j]!, wanted, entries.length * 2 ** -105);
              }
            }
          } else {
            wanted.forEach((row, e) =>
              row.forEach((x, k) => close(doubles[(TO + e * stride) / 8 + k]!, 2 * x))
            );
          }
        }),
        { numRuns: 150 },
      );
    });
  }
});

/** A hidden Markov model whose states are hardly left: what one step all but rules out the next one asks for. */
function stubborn(circuit: Circuit): Circuit {
  return withParameters(
    circuit,
    new Map(
      [...circuit.parameters].filter(([, { shape }]) => shape.length === 3 && shape[0] === shape[2]).map((
        [id, { shape, values }],
      ) => {
        const width = shape[2] as number;
        return [id, values.map((_, i) => Math.floor(i / width) === i % width ? 1 : 1e-40)];
      }),
    ),
  );
}

for (
  const [title, circuit] of [
    ["one state", hmm({ length: 4, states: 1, symbols: 5, seed: 1 })],
    ["odd states", hmm({ length: 9, states: 13, symbols: 7, seed: 2 })],
    ["four and four states", hmm({ length: 6, states: 20, symbols: 7, seed: 3 })],
    ["states that are hardly left", stubborn(hmm({ length: 5, states: 6, symbols: 4, seed: 4 }))],
  ] as const
) {
  Deno.test(`gates in single precision learn what the reference learns, and answer in double precision: ${title}`, async () => {
    const data = samplesFromRows(randomBatch(circuit, 45, 1)), reference = new ReferenceLearner(circuit);
    const weights = Array.from({ length: 45 }, (_, s) => s % 3);
    await using single = await openGatesHere(circuit, { single: true });
    await using double = await openGatesHere(circuit);
    assert.deepEqual(await single.logLikelihoods(data), await double.logLikelihoods(data));
    assert.deepEqual(await single.flows(data, weights), await double.flows(data, weights));
    for (const rule of [{ step: { kind: "em" } }, { step: { kind: "anemone", step: 0.5 } }] as const) {
      for (let step = 0; step < 3; step++) {
        const [got, wanted] = [
          await single.accumulate(data, weights),
          await reference.accumulate(data, weights),
        ];
        got.logLikelihoods.forEach((log, s) =>
          assert.ok(log === wanted.logLikelihoods[s] || Math.abs(log - wanted.logLikelihoods[s]!) < 1e-4)
        );
        await single.update(rule);
        await reference.update(rule);
      }
    }
    const got = await single.parameters();
    for (const [id, values] of await reference.parameters()) {
      values.forEach((p, i) =>
        assert.ok(Math.abs(p - got.get(id)![i]!) < 1e-4, `${id}[${i}]: ${got.get(id)![i]}, not ${p}`)
      );
    }
  });
}

Deno.test("counts in single precision are not too low, however many small numbers are added to a large one", async () => {
  const circuit = settled(hmm({ length: 24, states: 128, symbols: 20, seed: 1 }));
  const data = samplesFromRows(randomBatch(circuit, 3, 1));
  await using engine = await openGatesHere(circuit, { single: true });
  await engine.accumulate(data);
  const state = await engine.state(),
    { weights, statistics } = await new ReferenceEvaluator(circuit).flows(data);
  for (const [id, wanted] of [...weights, ...statistics]) {
    const values = circuit.parameters.get(id)!.values, ratios = state.get(`ratios/${id}`)?.values;
    const got = ratios === undefined
      ? state.get(`statistics/${id}`)!.values as Float64Array
      : Float64Array.from(values, (p, i) => Number(ratios[i]) * p / RATIO_SCALE);
    const total = wanted.reduce((a, b) => a + b);
    const apart = wanted.reduce((sum, x, i) => sum + Math.abs(x - got[i]!), 0) / total;
    assert.ok(apart < 1.5e-7, `${id}: ${apart} of all counts`);
    const more = got.reduce((a, b) => a + b) / total - 1;
    assert.ok(Math.abs(more) < 1e-7, `${id}: ${more} of all counts more`);
  }
});
