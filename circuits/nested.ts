import type { ParameterArray } from "./circuit.ts";
import { CircuitError } from "./errors.ts";
import { requireList, requireShape } from "./guards.ts";

/** Numbers of a tensor: flat and row-major, or nested lists that follow its shape. */
export type NestedNumbers = ArrayLike<number> | readonly NestedNumbers[];

/**
 * The numbers of a tensor as a flat row-major array. Nested lists must have the given shape, but sizes of 1 may be left
 * out: weights of shape [1, 2, 2] may be given as `[[0.9, 0.1], [0.2, 0.8]]`.
 * @throws {CircuitError} naming `what`, with both shapes
 */
export function flatten(what: string, shape: readonly number[], values: NestedNumbers): ParameterArray {
  requireShape(what, shape);
  requireList(what, values);
  const size = shape.reduce((a, b) => a * b, 1);
  if (isFlat(values)) {
    if (values.length === size) {
      return values instanceof Float32Array || values instanceof Float64Array
        ? values
        : Float64Array.from(values);
    }
    throw new CircuitError(
      "circuit/shape",
      `${what} of the shape [${shape.join(", ")}] needs ${size} numbers; got ${values.length}`,
    );
  }
  const given = shapeOf(values), plain = (sizes: readonly number[]) => sizes.filter((n) => n !== 1).join();
  if (given === undefined || plain(given) !== plain(shape)) {
    throw new CircuitError(
      "circuit/shape",
      `${what} has the shape [${shape.join(", ")}]; got ${
        given === undefined ? "lists of different lengths" : `numbers of the shape [${given.join(", ")}]`
      }`,
    );
  }
  return Float64Array.from(inOneRow(values));
}

/** Flattened numbers; flat ones are returned unchanged. */
export function inOneRow(values: NestedNumbers): ArrayLike<number> {
  if (isFlat(values)) return values;
  return (values as readonly NestedNumbers[]).flatMap((part) => Array.from(inOneRow(part)));
}

/** Whether numbers are flat. */
export function isFlat(values: NestedNumbers): values is ArrayLike<number> {
  return !Array.isArray(values) || values.every((x) => typeof x === "number");
}

/** Sizes of nested lists; undefined if they are ragged. */
function shapeOf(values: NestedNumbers): number[] | undefined {
  if (isFlat(values)) return [values.length];
  const inner = (values as readonly NestedNumbers[]).map((x) =>
    typeof x === "object" ? shapeOf(x) : undefined
  );
  const [first] = inner;
  if (first === undefined || inner.some((shape) => shape?.join() !== first.join())) return undefined;
  return [values.length, ...first];
}
