/** Element-wise operations with NumPy broadcasting, and reductions. */
import {
  constant,
  integers,
  operation,
  type Shape,
  sizeOfShape,
  type SymbolicTensor,
  unfit,
} from "./tensor.ts";

function broadcastShape(what: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1, y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw unfit(what, a, b);
    return x === 1 ? y : x;
  });
}

/** Sums a gradient over broadcast dimensions, so that it has the given shape. */
function reducedTo(gradient: SymbolicTensor, shape: Shape): SymbolicTensor {
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((size, i) =>
    i < lead || (shape[i - lead] === 1 && size !== 1) ? [i] : []
  );
  return axes.length === 0 ? gradient : reshape(sum(gradient, axes), shape);
}

function elementwise(
  type: string,
  a: SymbolicTensor,
  b: SymbolicTensor,
  backward: (g: SymbolicTensor) => [() => SymbolicTensor, () => SymbolicTensor],
): SymbolicTensor {
  return operation(type, [a, b], [broadcastShape(type, a.shape, b.shape)], {
    backward([g]) {
      const [toA, toB] = backward(g!);
      return [
        a.learned ? reducedTo(toA(), a.shape) : undefined,
        b.learned ? reducedTo(toB(), b.shape) : undefined,
      ];
    },
  })[0]!;
}

/** A tensor, or a number as a constant scalar. */
export type TensorLike = SymbolicTensor | number;

function lift(x: TensorLike): SymbolicTensor {
  return typeof x === "number" ? constant(x) : x;
}

/** `a + b`. */
export function add(a: TensorLike, b: TensorLike): SymbolicTensor {
  return elementwise("Add", lift(a), lift(b), (g) => [() => g, () => g]);
}

/** `a - b`. */
export function subtract(a: TensorLike, b: TensorLike): SymbolicTensor {
  return elementwise("Sub", lift(a), lift(b), (g) => [() => g, () => negate(g)]);
}

/** `a * b`, element by element. */
export function multiply(a: TensorLike, b: TensorLike): SymbolicTensor {
  const [x, y] = [lift(a), lift(b)];
  return elementwise("Mul", x, y, (g) => [() => multiply(g, y), () => multiply(g, x)]);
}

/** `a / b`, element by element. */
export function divide(a: TensorLike, b: TensorLike): SymbolicTensor {
  const [x, y] = [lift(a), lift(b)];
  return elementwise("Div", x, y, (g) => [
    () => divide(g, y),
    () => negate(divide(multiply(g, x), multiply(y, y))),
  ]);
}

function unary(
  type: string,
  x: SymbolicTensor,
  backward: (g: SymbolicTensor, y: SymbolicTensor) => SymbolicTensor,
): SymbolicTensor {
  const y: SymbolicTensor = operation(type, [x], [x.shape], { backward: ([g]) => [backward(g!, y)] })[0]!;
  return y;
}

/** `-x`. */
export function negate(x: SymbolicTensor): SymbolicTensor {
  return unary("Neg", x, (g) => negate(g));
}

/** Natural exponential. */
export function exp(x: SymbolicTensor): SymbolicTensor {
  return unary("Exp", x, (g, y) => multiply(g, y));
}

/** Natural logarithm. */
export function log(x: SymbolicTensor): SymbolicTensor {
  return unary("Log", x, (g) => divide(g, x));
}

/** Square root. */
export function sqrt(x: SymbolicTensor): SymbolicTensor {
  return unary("Sqrt", x, (g, y) => divide(multiply(g, 0.5), y));
}

/** Hyperbolic tangent. */
export function tanh(x: SymbolicTensor): SymbolicTensor {
  return unary("Tanh", x, (g, y) => multiply(g, subtract(1, multiply(y, y))));
}

/** Logistic function. */
export function sigmoid(x: SymbolicTensor): SymbolicTensor {
  return unary("Sigmoid", x, (g, y) => multiply(g, multiply(y, subtract(1, y))));
}

/** The error function. */
export function erf(x: SymbolicTensor): SymbolicTensor {
  return unary("Erf", x, (g) => multiply(g, multiply(exp(negate(multiply(x, x))), 2 / Math.sqrt(Math.PI))));
}

/** `max(x, 0)`; its gradient at 0 is 0. */
export function relu(x: SymbolicTensor): SymbolicTensor {
  // The sign of the output is 1 or 0.
  return unary("Relu", x, (g, y) => multiply(g, operation("Sign", [y], [y.shape])[0]!));
}

/**
 * Gaussian error linear unit, `x * Phi(x)`, exact. Source: Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016).
 */
export function gelu(x: SymbolicTensor): SymbolicTensor {
  const share = multiply(add(erf(multiply(x, Math.SQRT1_2)), 1), 0.5);
  return multiply(x, share);
}

/** Axes as non-negative indices, in ascending order. */
function positive(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => axis < 0 ? axis + rank : axis).sort((a, b) => a - b);
}

/** Sum over axes (default: all); the axes are dropped, or kept with size 1 under `keep`. */
export function sum(
  x: SymbolicTensor,
  axes?: readonly number[],
  options: { readonly keep?: boolean } = {},
): SymbolicTensor {
  const over = positive(axes ?? x.shape.map((_, i) => i), x.shape.length);
  const kept = x.shape.map((size, i) => over.includes(i) ? 1 : size);
  const shape = options.keep === true ? kept : x.shape.filter((_, i) => !over.includes(i));
  return operation("ReduceSum", [x, integers(over)], [shape], {
    attributes: { keepdims: options.keep === true ? 1 : 0 },
    backward: ([g]) => [broadcast(reshape(g!, kept), x.shape)],
  })[0]!;
}

/** Mean over axes; see {@link sum}. */
export function mean(
  x: SymbolicTensor,
  axes?: readonly number[],
  options: { readonly keep?: boolean } = {},
): SymbolicTensor {
  const total = sum(x, axes, options);
  return multiply(total, sizeOfShape(total.shape) / sizeOfShape(x.shape));
}

/** Broadcasts `x` to a shape, repeating it along dimensions of size 1 and new leading ones. */
export function broadcast(x: SymbolicTensor, shape: Shape): SymbolicTensor {
  if (x.shape.length === shape.length && x.shape.every((size, i) => size === shape[i])) return x;
  const made = broadcastShape("Expand", x.shape, shape);
  if (made.length !== shape.length || made.some((size, i) => size !== shape[i])) {
    throw unfit("Expand", x.shape, shape);
  }
  return operation("Expand", [x, integers(shape)], [shape], {
    backward: ([g]) => [reducedTo(g!, x.shape)],
  })[0]!;
}

/** Reshapes `x`; one size may be -1, to be inferred. */
export function reshape(x: SymbolicTensor, shape: Shape): SymbolicTensor {
  const size = sizeOfShape(x.shape);
  const known = sizeOfShape(shape.filter((n) => n !== -1));
  const full = shape.map((n) => n === -1 ? size / known : n);
  if (sizeOfShape(full) !== size || full.some((n) => !Number.isInteger(n))) {
    throw unfit("Reshape", x.shape, shape);
  }
  if (full.length === x.shape.length && full.every((n, i) => n === x.shape[i])) return x;
  return operation("Reshape", [x, integers(full)], [full], {
    type: x.type,
    backward: ([g]) => [reshape(g!, x.shape)],
  })[0]!;
}

/** Permutes dimensions: dimension `i` of the result is dimension `order[i]` of `x`. */
export function transpose(x: SymbolicTensor, order: readonly number[]): SymbolicTensor {
  if (order.toSorted().some((axis, i) => axis !== i) || order.length !== x.shape.length) {
    throw unfit("Transpose", x.shape, order);
  }
  const { operation: before } = x;
  if (before.type === "Transpose") {
    // Transpositions that cancel are dropped; gradients of transposed products are full of them.
    const first = before.attributes.perm as readonly number[];
    if (order.every((axis, i) => first[axis] === i)) return before.inputs[0]!;
  }
  const shape = order.map((axis) => x.shape[axis]!);
  const back = order.map((_, axis) => order.indexOf(axis));
  return operation("Transpose", [x], [shape], {
    attributes: { perm: [...order] },
    backward: ([g]) => [transpose(g!, back)],
  })[0]!;
}
