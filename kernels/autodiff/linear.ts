/** Matrix products, softmax, layer normalisation, gathering and cross-entropy. */
import { multiply, reshape, subtract, sum, transpose } from "./arithmetic.ts";
import {
  constant,
  integers,
  operation,
  type Shape,
  sizeOfShape,
  type SymbolicTensor,
  unfit,
} from "./tensor.ts";

/** Which operands of a product are transposed. */
export interface MatmulOptions {
  /** Transposes the last two dimensions of the first operand. */
  readonly transA?: boolean;
  /** Transposes the last two dimensions of the second operand. */
  readonly transB?: boolean;
}

function swapLast(x: SymbolicTensor): SymbolicTensor {
  const order = x.shape.map((_, i) => i);
  const rank = order.length;
  [order[rank - 1], order[rank - 2]] = [rank - 2, rank - 1];
  return transpose(x, order);
}

/**
 * Matrix product over the last two dimensions. The leading dimensions must be equal, or absent in the second operand:
 * then all rows of the first are multiplied by one matrix.
 */
export function matmul(a: SymbolicTensor, b: SymbolicTensor, options: MatmulOptions = {}): SymbolicTensor {
  const { transA = false, transB = false } = options;
  if (a.shape.length > 2 && b.shape.length === 2 && !transA) {
    const rows = reshape(a, [-1, a.shape.at(-1)!]);
    const product = matmul(rows, b, { transB });
    return reshape(product, [...a.shape.slice(0, -1), product.shape[1]!]);
  }
  const [m, k] = last(a.shape, transA), [inner, n] = last(b.shape, transB);
  const batch = a.shape.slice(0, -2);
  if (k !== inner || b.shape.length !== a.shape.length || batch.some((size, i) => size !== b.shape[i])) {
    throw unfit("a matrix product", a.shape, b.shape);
  }
  if (batch.length > 0) {
    // ONNX Runtime fuses the transposition with the product.
    const x = transA ? swapLast(a) : a, y = transB ? swapLast(b) : b;
    return operation("MatMul", [x, y], [[...batch, m, n]], {
      backward: ([g]) => [
        x.learned ? matmul(g!, y, { transB: true }) : undefined,
        y.learned ? matmul(x, g!, { transA: true }) : undefined,
      ],
    })[0]!;
  }
  return operation("Gemm", [a, b], [[m, n]], {
    attributes: { transA: Number(transA), transB: Number(transB) },
    backward: ([g]) => [
      !a.learned
        ? undefined
        : transA
        ? matmul(b, g!, { transA: transB, transB: true })
        : matmul(g!, b, { transB: !transB }),
      !b.learned
        ? undefined
        : transB
        ? matmul(g!, a, { transA: true, transB: transA })
        : matmul(a, g!, { transA: !transA }),
    ],
  })[0]!;
}

function last(shape: Shape, transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

/** Softmax over the last dimension. */
export function softmax(x: SymbolicTensor): SymbolicTensor {
  const y: SymbolicTensor = operation("Softmax", [x], [x.shape], {
    attributes: { axis: -1 },
    backward: ([g]) => {
      const weighted = multiply(g!, y);
      return [subtract(weighted, multiply(y, sum(weighted, [-1], { keep: true })))];
    },
  })[0]!;
  return y;
}

/**
 * Layer normalisation over the last dimension, with a scale and a shift per entry. Source: Ba, Kiros and Hinton, "Layer
 * Normalization" (2016).
 */
export function layerNorm(
  x: SymbolicTensor,
  scale: SymbolicTensor,
  shift: SymbolicTensor,
  epsilon = 1e-5,
): SymbolicTensor {
  const width = x.shape.at(-1)!;
  const rows = [...x.shape.slice(0, -1), 1];
  const [y, mean, inverse]: readonly SymbolicTensor[] = operation("LayerNormalization", [x, scale, shift], [
    x.shape,
    rows,
    rows,
  ], {
    attributes: { axis: -1, epsilon: { float: epsilon } },
    backward: ([g]) => {
      const unit = multiply(subtract(x, mean!), inverse!);
      const all = x.shape.slice(0, -1).map((_, i) => i);
      const scaled = multiply(g!, scale);
      const share = (t: SymbolicTensor) => multiply(sum(t, [-1], { keep: true }), 1 / width);
      return [
        x.learned
          ? multiply(
            inverse!,
            subtract(subtract(scaled, share(scaled)), multiply(unit, share(multiply(scaled, unit)))),
          )
          : undefined,
        sum(multiply(g!, unit), all),
        sum(g!, all),
      ];
    },
  });
  return y!;
}

/**
 * Gathers rows of `x`, `[rows, width]`, at `indices`, int64 `[count]`: `[count, width]`. The gradients of a row that is
 * gathered several times are added.
 */
export function gatherRows(x: SymbolicTensor, indices: SymbolicTensor): SymbolicTensor {
  const [, width] = x.shape as [number, number];
  const [count] = indices.shape as [number];
  return operation("Gather", [x, indices], [[count, width]], {
    attributes: { axis: 0 },
    backward: ([g]) => {
      const zeros = constant(new Float32Array(sizeOfShape(x.shape)), x.shape);
      const where = reshape(indices, [count, 1]);
      return [
        operation("ScatterND", [zeros, where, g], [x.shape], { attributes: { reduction: "add" } })[0],
      ];
    },
  })[0]!;
}

/**
 * Cross-entropy in nats of each row of `logits`, `[rows, classes]`, with the class index in `targets`, int64 `[rows]`:
 * `log sum exp(logits) - logits[target]`, `[rows]`.
 */
export function crossEntropy(logits: SymbolicTensor, targets: SymbolicTensor): SymbolicTensor {
  const [rows] = logits.shape as [number, number];
  const column = reshape(targets, [rows, 1]);
  const one: Shape = [rows, 1];
  const largest = (x: SymbolicTensor) => operation("ReduceMax", [x, integers([1])], [one])[0]!;
  const shares = operation("Softmax", [logits], [logits.shape], { attributes: { axis: -1 } })[0]!;
  // The largest probability is 1 / sum exp(logit - largest), so one pass of exponentials serves both loss and gradient.
  const sumOfLogs = subtract(largest(logits), operation("Log", [largest(shares)], [one])[0]!);
  const chosen = operation("GatherElements", [logits, column], [one], { attributes: { axis: 1 } })[0]!;
  const losses = operation("Sub", [sumOfLogs, chosen], [one], {
    sources: [logits],
    backward: ([g]) => {
      const less = constant(new Float32Array(rows).fill(-1), one);
      const difference = operation("ScatterElements", [shares, column, less], [logits.shape], {
        attributes: { axis: 1, reduction: "add" },
      })[0]!;
      return [multiply(difference, g!)];
    },
  })[0]!;
  return reshape(losses, [rows]);
}
