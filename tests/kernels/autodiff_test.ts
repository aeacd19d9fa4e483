import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/random.ts";
import {
  add,
  broadcast,
  constant,
  crossEntropy,
  divide,
  erf,
  exp,
  gatherRows,
  gelu,
  gradients,
  input,
  layerNorm,
  log,
  matmul,
  mean,
  multiply,
  negate,
  type Numbers,
  parameter,
  Program,
  relu,
  reshape,
  type Shape,
  sigmoid,
  softmax,
  sqrt,
  subtract,
  sum,
  type SymbolicTensor,
  tanh,
  TrainingStep,
  transpose,
} from "../../kernels/autodiff/mod.ts";

const size = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

/** Numbers from `low` to `high`. */
function draw(shape: Shape, seed: number, low = -1, high = 1): Float32Array {
  const random = new RandomStream(seed);
  return Float32Array.from({ length: size(shape) }, () => low + (high - low) * random.uniform());
}

/** A scalar that weighs every entry of a tensor differently. */
function weighed(x: SymbolicTensor): SymbolicTensor {
  return sum(multiply(x, constant(draw(x.shape, 99, 0.5, 1.5), x.shape)));
}

/** Compares the gradients of a loss with central differences, entry by entry. */
async function checkGradients(
  loss: SymbolicTensor,
  numbers: Record<string, Float32Array>,
  fixed: Numbers = {},
) {
  const step = await TrainingStep.compile(loss);
  const program = await Program.compile({ loss });
  try {
    const found = await step.run({ ...numbers, ...fixed });
    const delta = 2 ** -7;
    for (const [name, values] of Object.entries(numbers)) {
      const gradient = found.gradients[name]!;
      assert.equal(gradient.length, values.length);
      for (let i = 0; i < values.length; i++) {
        const at = async (x: number) => {
          const moved = values.slice();
          moved[i] = x;
          return (await program.run({ ...numbers, ...fixed, [name]: moved })).loss![0]!;
        };
        const wanted = (await at(values[i]! + delta) - await at(values[i]! - delta)) / (2 * delta);
        const tolerance = 2e-3 * Math.max(1, Math.abs(wanted));
        assert.ok(
          Math.abs(gradient[i]! - wanted) < tolerance,
          `${name}[${i}]: ${gradient[i]} is not ${wanted}`,
        );
      }
    }
  } finally {
    await step.release();
    await program.release();
  }
}

Deno.test("gradients of element-wise functions agree with differences", async () => {
  const functions: Record<string, [(x: SymbolicTensor) => SymbolicTensor, number, number]> = {
    negate: [negate, -1, 1],
    exp: [exp, -1, 1],
    log: [log, 0.5, 2],
    sqrt: [sqrt, 0.5, 2],
    tanh: [tanh, -2, 2],
    sigmoid: [sigmoid, -2, 2],
    erf: [erf, -2, 2],
    gelu: [gelu, -3, 3],
    relu: [relu, 0.1, 1],
    "relu below zero": [relu, -1, -0.1],
    softmax: [softmax, -2, 2],
  };
  for (const [name, [f, low, high]] of Object.entries(functions)) {
    const x = parameter("x", [3, 4]);
    await checkGradients(weighed(f(x)), { x: draw([3, 4], name.length, low, high) });
  }
});

Deno.test("gradients go through broadcasting of every kind", async () => {
  const shapes: [Shape, Shape][] = [[[2, 3], [2, 3]], [[2, 3], [3]], [[2, 1], [1, 3]], [[3], [2, 4, 3]], [
    [],
    [2],
  ]];
  for (const f of [add, subtract, multiply, divide]) {
    for (const [left, right] of shapes) {
      const a = parameter("a", left), b = parameter("b", right);
      await checkGradients(weighed(f(a, b)), { a: draw(left, 1, 0.5, 2), b: draw(right, 2, 0.5, 2) });
    }
  }
});

Deno.test("gradients of products agree for all transpositions, also of stacks of matrices", async () => {
  for (const batch of [[], [2], [2, 2]]) {
    for (const transA of [false, true]) {
      for (const transB of [false, true]) {
        const left = [...batch, ...(transA ? [4, 2] : [2, 4])];
        const right = [...batch, ...(transB ? [3, 4] : [4, 3])];
        const a = parameter("a", left), b = parameter("b", right);
        const product = matmul(a, b, { transA, transB });
        assert.deepEqual(product.shape, [...batch, 2, 3]);
        await checkGradients(weighed(product), { a: draw(left, 3), b: draw(right, 4) });
      }
    }
  }
  const x = parameter("x", [2, 3, 4]), w = parameter("w", [4, 2]);
  await checkGradients(weighed(matmul(x, w)), { x: draw([2, 3, 4], 5), w: draw([4, 2], 6) });
});

Deno.test("gradients of shapes, sums, normalisation, gathering and cross-entropy agree", async () => {
  const x = parameter("x", [2, 3, 4]);
  const numbers = { x: draw([2, 3, 4], 7) };
  for (
    const y of [
      transpose(x, [2, 0, 1]),
      reshape(x, [4, -1]),
      sum(x, [1]),
      sum(x, [0, 2], { keep: true }),
      mean(x, [-1]),
      broadcast(reshape(x, [2, 1, 3, 4]), [5, 2, 2, 3, 4]),
    ]
  ) await checkGradients(weighed(y), numbers);

  const scale = parameter("scale", [4]), shift = parameter("shift", [4]);
  await checkGradients(weighed(layerNorm(x, scale, shift)), {
    ...numbers,
    scale: draw([4], 8),
    shift: draw([4], 9),
  });

  const rows = parameter("rows", [4, 3]);
  const indices = input("indices", [5], "int64");
  await checkGradients(weighed(gatherRows(rows, indices)), { rows: draw([4, 3], 10) }, {
    indices: BigInt64Array.of(2n, 0n, 2n, 3n, 2n),
  });

  const targets = input("targets", [4], "int64");
  await checkGradients(weighed(crossEntropy(multiply(rows, 3), targets)), { rows: draw([4, 3], 11) }, {
    targets: BigInt64Array.of(2n, 0n, 1n, 1n),
  });
});

Deno.test("a value that is used often gets the sum of its gradients, one that is not used gets zero", async () => {
  const x = parameter("x", [3]), unused = parameter("unused", [2]);
  const y = multiply(x, x);
  await checkGradients(add(weighed(multiply(y, add(y, x))), sum(multiply(y, 0.5))), { x: draw([3], 12) });
  const [zero] = gradients(sum(x), [unused]);
  const program = await Program.compile({ zero: zero! });
  assert.deepEqual([...(await program.run({})).zero!], [0, 0]);
  await program.release();
});

Deno.test("gradients of gradients agree as well", async () => {
  const x = parameter("x", [4]);
  const [first] = gradients(sum(multiply(tanh(x), exp(x))), [x]);
  await checkGradients(weighed(first!), { x: draw([4], 13) });
});

Deno.test("cross-entropy is that of the definition, also where exponentials overflow", async () => {
  const logits = input("logits", [3, 3]), targets = input("targets", [3], "int64");
  const program = await Program.compile({ losses: crossEntropy(logits, targets) });
  const given = Float32Array.of(1, 2, 3, 1000, 0, -1000, -500, -500, -501);
  const { losses } = await program.run({ logits: given, targets: BigInt64Array.of(0n, 1n, 2n) });
  const expected = [2 + Math.log(1 + Math.exp(-1) + Math.exp(-2)), 1000, 1 + Math.log(2 + Math.exp(-1))];
  expected.forEach((loss, row) => assert.ok(Math.abs(losses![row]! - loss) < 1e-4 * loss));
  await program.release();
});

Deno.test("shapes that do not fit and inputs that are missing are refused", async () => {
  const a = parameter("a", [2, 3]);
  assert.throws(() => add(a, parameter("b", [2])), /Add of shapes \[2, 3\] and \[2\]/);
  assert.throws(() => matmul(a, a), /a matrix product of shapes \[2, 3\] and \[2, 3\]/);
  assert.throws(() => reshape(a, [4, -1]), /Reshape/);
  assert.throws(() => transpose(a, [0, 0]), /Transpose/);
  assert.throws(() => gradients(a, [a]), /no scalar/);
  const program = await Program.compile({ y: sum(a) });
  await assert.rejects(program.run({}), /`a` of shape \[2, 3\] needs 6 numbers; got none/);
  await assert.rejects(program.run({ a: new Float32Array(5) }), /needs 6 numbers; got 5/);
  await program.release();
  await assert.rejects(
    Program.compile({ y: add(a, parameter("a", [2, 3])) }),
    /two inputs of a graph are named `a`/,
  );
});
