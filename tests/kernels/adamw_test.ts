import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/random.ts";
import { AdamW, clipping } from "../../kernels/autodiff/adamw.ts";

function draw(length: number, seed: number): Float32Array {
  const random = new RandomStream(seed);
  return Float32Array.from({ length }, () => random.normal());
}

Deno.test("steps are those of the definition, in float64", () => {
  const values = draw(5, 1), start = values.slice();
  const optimiser = new AdamW({ beta1: 0.8, beta2: 0.9, epsilon: 1e-3, decay: 0.1 });
  const m = new Float64Array(5), v = new Float64Array(5), x = Float64Array.from(start);
  for (let t = 1; t <= 20; t++) {
    const gradient = draw(5, 100 + t), rate = 0.1 / t;
    optimiser.next();
    optimiser.update("x", values, gradient, { rate, scale: 0.5, decay: true });
    for (let i = 0; i < 5; i++) {
      const g = 0.5 * gradient[i]!;
      m[i] = 0.8 * m[i]! + 0.2 * g;
      v[i] = 0.9 * v[i]! + 0.1 * g * g;
      const step = m[i]! / (1 - 0.8 ** t) / (Math.sqrt(v[i]! / (1 - 0.9 ** t)) + 1e-3);
      x[i] = x[i]! - rate * (step + 0.1 * x[i]!);
    }
  }
  values.forEach((value, i) => assert.ok(Math.abs(value - x[i]!) < 1e-5));
  assert.equal(optimiser.steps, 20);
});

Deno.test("rows that are always touched move as a whole table does, and the others rest", () => {
  const whole = draw(12, 2), table = whole.slice();
  const a = new AdamW(), b = new AdamW();
  for (let t = 0; t < 5; t++) {
    const gradient = draw(12, 10 + t);
    gradient.fill(0, 3, 6);
    a.next();
    a.update("t", whole, gradient, { rate: 0.1 });
    b.next();
    const rows = Int32Array.of(3, 0, 2);
    const compact = Float32Array.from(
      [...rows].flatMap((row) => [...gradient.subarray(3 * row, 3 * row + 3)]),
    );
    b.updateRows("t", table, { width: 3, rows, gradient: compact }, { rate: 0.1 });
  }
  assert.deepEqual(table, whole);
  assert.deepEqual(table.slice(3, 6), draw(12, 2).slice(3, 6));
});

Deno.test("restored, it goes on with the same numbers", () => {
  const values = draw(4, 3), optimiser = new AdamW();
  const move = (on: AdamW, array: Float32Array, t: number) => {
    on.next();
    on.update("x", array, draw(4, 20 + t), { rate: 0.1 });
  };
  for (let t = 0; t < 3; t++) move(optimiser, values, t);
  const copy = values.slice(), other = new AdamW();
  other.restore(
    optimiser.steps,
    new Map([...optimiser.state()].map(([name, array]) => [name, array.slice()])),
  );
  for (let t = 3; t < 6; t++) {
    move(optimiser, values, t);
    move(other, copy, t);
  }
  assert.deepEqual(copy, values);
});

Deno.test("gradients are clipped to a norm, all together", () => {
  const gradients = [Float32Array.of(3, 0), Float32Array.of(4)];
  assert.deepEqual(clipping(gradients, 1), { norm: 5, scale: 0.2 });
  assert.deepEqual(clipping(gradients, 10), { norm: 5, scale: 1 });
});
