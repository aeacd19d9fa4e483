/** Concatenation and slicing of tensors along one dimension. */
import { integers, operation, type SymbolicTensor, unfit } from "./tensor.ts";

/** Concatenates tensors along dimension `axis`; their other sizes must be equal. */
export function concat(tensors: readonly SymbolicTensor[], axis: number): SymbolicTensor {
  const first = tensors[0]!.shape;
  for (const { shape } of tensors) {
    if (shape.length !== first.length || shape.some((size, i) => i !== axis && size !== first[i])) {
      throw unfit("Concat", ...tensors.map((tensor) => tensor.shape));
    }
  }
  const total = tensors.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  return operation("Concat", tensors, [first.map((size, i) => i === axis ? total : size)], {
    attributes: { axis },
    backward([g]) {
      let from = 0;
      return tensors.map((tensor) => {
        const start = from;
        from += tensor.shape[axis]!;
        return tensor.learned ? slice(g!, axis, start, from) : undefined;
      });
    },
  })[0]!;
}

/** Slice `from .. to - 1` along dimension `axis`. */
export function slice(x: SymbolicTensor, axis: number, from: number, to: number): SymbolicTensor {
  const size = x.shape[axis]!;
  if (!(from >= 0 && from < to && to <= size)) throw unfit(`Slice ${from} to ${to}`, x.shape);
  if (from === 0 && to === size) return x;
  const rank = x.shape.length;
  const at = (before: number, after: number) =>
    Array.from({ length: 2 * rank }, (_, i) => i === axis ? before : i === rank + axis ? after : 0);
  const shape = x.shape.map((n, i) => i === axis ? to - from : n);
  return operation("Slice", [x, integers([from]), integers([to]), integers([axis])], [shape], {
    backward: ([g]) => [
      operation("Pad", [g!, integers(at(from, size - to))], [x.shape], {
        backward: ([h]) => [slice(h!, axis, from, to)],
      })[0]!,
    ],
  })[0]!;
}
