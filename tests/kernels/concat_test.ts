import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/random.ts";
import {
  concat,
  constant,
  multiply,
  parameter,
  Program,
  slice,
  sum,
  TrainingStep,
} from "../../kernels/autodiff/mod.ts";

const random = new RandomStream(1);
const numbers = (n: number) => Float32Array.from({ length: n }, () => random.normal());

Deno.test("concat and slice put numbers where they belong", async () => {
  const a = parameter("a", [2, 1, 2]), b = parameter("b", [2, 2, 2]);
  const joined = concat([a, b], 1);
  const program = await Program.compile({
    joined,
    part: slice(joined, 1, 1, 2),
    last: slice(joined, 2, 1, 2),
  });
  const out = await program.run({
    a: Float32Array.of(1, 2, 3, 4),
    b: Float32Array.of(5, 6, 7, 8, 9, 10, 11, 12),
  });
  assert.deepEqual([...out["joined"]!], [1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12]);
  assert.deepEqual([...out["part"]!], [5, 6, 9, 10]);
  assert.deepEqual([...out["last"]!], [2, 6, 8, 4, 10, 12]);
  await program.release();
  assert.equal(slice(joined, 1, 0, 3), joined);
  assert.throws(() => slice(joined, 1, 2, 4), /do not fit/);
  assert.throws(() => concat([a, parameter("c", [2, 1, 3])], 1), /do not fit/);
});

Deno.test("gradients go through concat and slice to what they were made of", async () => {
  const a = parameter("a", [2, 3]), b = parameter("b", [2, 2]);
  // Columns 2 and 3 of [a | b]: the last of a and the first of b, each weighted by itself and a constant.
  const part = slice(concat([a, b, constant(numbers(4), [2, 2])], 1), 1, 2, 4);
  const weights = Float32Array.of(2, 3, 5, 7);
  const step = await TrainingStep.compile(sum(multiply(multiply(part, part), constant(weights, [2, 2]))));
  const feed = { a: numbers(6), b: numbers(4) };
  const { gradients } = await step.run(feed);
  const close = (x: number, y: number) => assert.ok(Math.abs(x - y) < 1e-5, `${x} and ${y}`);
  const expectedA = [0, 0, 2 * 2 * feed.a[2]!, 0, 0, 2 * 5 * feed.a[5]!];
  const expectedB = [2 * 3 * feed.b[0]!, 0, 2 * 7 * feed.b[2]!, 0];
  expectedA.forEach((x, i) => close(gradients["a"]![i]!, x));
  expectedB.forEach((x, i) => close(gradients["b"]![i]!, x));
  await step.release();
});
