import type { OnnxGraph, Value } from "../kernels/onnx/graph.ts";
import type { TransformerSizes } from "./transformer.ts";

/** Prefix of the encoder's parameters. */
export const ENCODER = "encoder/";

/** A weight of a model, by name and shape, as a constant of a graph. */
export type Weight = (name: string, shape: readonly number[]) => Value;

/** How an encoder's graph differs from the plain one. */
export interface EncoderGraphOptions {
  /** The layer whose residual stream is returned, from 1; by default the last one, normalised. */
  readonly layer?: number | undefined;
  /**
   * Extends the keys or the values of a layer, `[batch, heads, pieces, size]`, by those of earlier pieces, which stand
   * first.
   */
  readonly caches?: (layer: number, kind: "key" | "value", own: Value) => Value;
}

/**
 * The encoder of `transformer.ts` with its weights, for batches of any size and length.
 *
 * @param mask added to the attention
 */
export function encoderGraph(
  graph: OnnxGraph,
  x: Value,
  mask: Value,
  { width, layers, heads, hidden }: TransformerSizes,
  weight: Weight,
  { layer, caches }: EncoderGraphOptions = {},
): Value {
  const size = width / heads;
  const norm = (x: Value, name: string) =>
    graph.op("LayerNormalization", [x, weight(`${name}/scale`, [width]), weight(`${name}/shift`, [width])], {
      axis: -1,
      epsilon: { float: 1e-5 },
    });
  const linear = (x: Value, name: string, from: number, to: number) =>
    graph.op("Add", [
      graph.op("MatMul", [x, weight(`${name}/weight`, [from, to])]),
      weight(`${name}/bias`, [to]),
    ]);
  const scalar = (x: number) => graph.constant(x);
  let stream = x;
  for (let i = 0; i < (layer ?? layers); i++) {
    const at = `${ENCODER}${i}`;
    const normed = norm(stream, `${at}/attention/norm`);
    const split = (part: string, perm: number[]) => {
      const whole = linear(normed, `${at}/attention/${part}`, width, width);
      return graph.op("Transpose", [graph.op("Reshape", [whole, graph.integers(0, 0, heads, size)])], {
        perm,
      });
    };
    const all = (kind: "key" | "value") => {
      const own = split(kind, [0, 2, 1, 3]);
      return caches?.(i, kind, own) ?? own;
    };
    const turned = graph.op("Transpose", [all("key")], { perm: [0, 1, 3, 2] });
    const products = graph.op("MatMul", [split("query", [0, 2, 1, 3]), turned]);
    const scores = graph.op("Add", [graph.op("Mul", [products, scalar(1 / Math.sqrt(size))]), mask]);
    const mixed = graph.op("MatMul", [
      graph.op("Softmax", [scores], { axis: -1 }),
      all("value"),
    ]);
    const joined = graph.op("Reshape", [
      graph.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }),
      graph.integers(0, 0, width),
    ]);
    stream = graph.op("Add", [stream, linear(joined, `${at}/attention/out`, width, width)]);
    const wide = linear(norm(stream, `${at}/mlp/norm`), `${at}/mlp/in`, width, hidden);
    const erf = graph.op("Erf", [graph.op("Mul", [wide, scalar(Math.SQRT1_2)])]);
    const share = graph.op("Mul", [graph.op("Add", [erf, scalar(1)]), scalar(0.5)]);
    stream = graph.op("Add", [
      stream,
      linear(graph.op("Mul", [wide, share]), `${at}/mlp/out`, hidden, width),
    ]);
  }
  return layer === undefined ? norm(stream, `${ENCODER}norm`) : stream;
}
