import { RandomStream } from "../circuits/random.ts";
import { RetortError } from "../foundation/errors.ts";
import {
  add,
  gelu,
  layerNorm,
  matmul,
  multiply,
  parameter,
  reshape,
  type Shape,
  softmax,
  type SymbolicTensor,
  transpose,
} from "../kernels/autodiff/mod.ts";

/** Sizes of a transformer. */
export interface TransformerSizes {
  /** Dimension of vectors. */
  readonly width: number;
  /** Number of layers, each with attention and a multi-layer perceptron. */
  readonly layers: number;
  /** Number of attention heads, which divide the width among them. */
  readonly heads: number;
  /** Dimension of the perceptron's hidden layer. */
  readonly hidden: number;
}

/** Shape and initialisation of a parameter. */
export interface ParameterPlan {
  /** Its shape. */
  readonly shape: Shape;
  /** Standard deviation of a normal initialisation, or a constant initial value. */
  readonly start: { readonly normal: number } | number;
}

/** Shapes and initialisations of a model's parameters, by name. */
export type ParameterPlans = Readonly<Record<string, ParameterPlan>>;

/** Standard deviation of initial weights, as in BERT and its descendants. */
export const NORMAL = { normal: 0.02 } as const;

/** @throws {RetortError} when the heads do not divide the width, or a size is no positive whole number */
export function checkSizes(sizes: TransformerSizes): void {
  for (const name of ["width", "layers", "heads", "hidden"] as const) {
    const n = sizes[name];
    if (!(Number.isInteger(n) && n >= 1)) {
      throw new RetortError(
        "teacher/options",
        `\`${name}\` of the transformer is ${n}, expected a whole number from 1`,
      );
    }
  }
  if (sizes.width % sizes.heads !== 0) {
    throw new RetortError("teacher/options", `${sizes.heads} heads do not divide the width ${sizes.width}`);
  }
}

/** Parameters of {@link encode}, with a prefix. */
export function encoderPlans({ width, layers, hidden }: TransformerSizes, prefix: string): ParameterPlans {
  const plans: Record<string, ParameterPlan> = {};
  const norm = (name: string) => {
    plans[`${name}/scale`] = { shape: [width], start: 1 };
    plans[`${name}/shift`] = { shape: [width], start: 0 };
  };
  const linear = (name: string, from: number, to: number, normal: number) => {
    plans[`${name}/weight`] = { shape: [from, to], start: { normal } };
    plans[`${name}/bias`] = { shape: [to], start: 0 };
  };
  // Projections that add to the residual stream start smaller the more layers there are (Radford et al. 2019).
  const added = NORMAL.normal / Math.sqrt(2 * layers);
  for (let layer = 0; layer < layers; layer++) {
    const at = `${prefix}${layer}`;
    norm(`${at}/attention/norm`);
    for (const part of ["query", "key", "value"]) {
      linear(`${at}/attention/${part}`, width, width, NORMAL.normal);
    }
    linear(`${at}/attention/out`, width, width, added);
    norm(`${at}/mlp/norm`);
    linear(`${at}/mlp/in`, width, hidden, NORMAL.normal);
    linear(`${at}/mlp/out`, hidden, width, added);
  }
  norm(`${prefix}norm`);
  return plans;
}

/** Tensors of parameters by name. */
export type Parameters = Readonly<Record<string, SymbolicTensor>>;

/** Parameters as tensors of a graph. */
export function parameterTensors(plans: ParameterPlans): Parameters {
  return Object.fromEntries(Object.entries(plans).map(([name, { shape }]) => [name, parameter(name, shape)]));
}

/** Initial values. Those of each parameter depend only on the seed and the position of its name. */
export function startingNumbers(plans: ParameterPlans, seed: number): Map<string, Float32Array> {
  return new Map(
    Object.entries(plans).map(([name, { shape, start }], i) => {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (typeof start === "number") values.fill(start);
      else {
        const random = new RandomStream(seed, 1, i);
        for (let n = 0; n < values.length; n++) values[n] = start.normal * random.normal();
      }
      return [name, values];
    }),
  );
}

/** A linear layer: `x` times a matrix plus a bias. */
export function linear(x: SymbolicTensor, parameters: Parameters, name: string): SymbolicTensor {
  return add(matmul(x, parameters[`${name}/weight`]!), parameters[`${name}/bias`]!);
}

/** Layer normalisation with learned scale and bias. */
export function norm(x: SymbolicTensor, parameters: Parameters, name: string): SymbolicTensor {
  return layerNorm(x, parameters[`${name}/scale`]!, parameters[`${name}/shift`]!);
}

/**
 * A transformer encoder (Vaswani et al., "Attention Is All You Need", 2017) with pre-layer normalisation (Xiong et al.
 * 2020) and a final normalisation.
 * @param x `[batch, length, width]`
 * @param mask added to the attention, broadcast to `[batch, heads, length, length]`: very negative where a position is
 *   not to be looked at
 * @returns the residual stream after each layer, and its final normalisation, `[batch, length, width]` each
 */
export function encode(
  x: SymbolicTensor,
  sizes: TransformerSizes,
  parameters: Parameters,
  prefix: string,
  mask?: SymbolicTensor,
): { readonly layers: readonly SymbolicTensor[]; readonly out: SymbolicTensor } {
  const layers: SymbolicTensor[] = [];
  let stream = x;
  for (let layer = 0; layer < sizes.layers; layer++) {
    const at = `${prefix}${layer}`;
    const attended = attention(norm(stream, parameters, `${at}/attention/norm`), sizes, parameters, at, mask);
    stream = add(stream, attended);
    const hidden = gelu(linear(norm(stream, parameters, `${at}/mlp/norm`), parameters, `${at}/mlp/in`));
    stream = add(stream, linear(hidden, parameters, `${at}/mlp/out`));
    layers.push(stream);
  }
  return { layers, out: norm(stream, parameters, `${prefix}norm`) };
}

function attention(
  x: SymbolicTensor,
  { width, heads }: TransformerSizes,
  parameters: Parameters,
  at: string,
  mask?: SymbolicTensor,
): SymbolicTensor {
  const [batch, length] = x.shape as [number, number, number];
  const size = width / heads;
  const [query, key, value] = ["query", "key", "value"].map((part) => {
    const all = linear(x, parameters, `${at}/attention/${part}`);
    return transpose(reshape(all, [batch, length, heads, size]), [0, 2, 1, 3]);
  }) as [SymbolicTensor, SymbolicTensor, SymbolicTensor];
  const scores = multiply(matmul(query, key, { transB: true }), 1 / Math.sqrt(size));
  const mixed = matmul(softmax(mask === undefined ? scores : add(scores, mask)), value);
  const joined = reshape(transpose(mixed, [0, 2, 1, 3]), [batch, length, width]);
  return linear(joined, parameters, `${at}/attention/out`);
}
