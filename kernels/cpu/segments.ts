import { getOrMake } from "../../foundation/newer.ts";
import type { Group, InputGroup, Plan, ProductGroup, SumGroup } from "../plan.ts";

/** Folds of one segment that an operand reads, all from the same first unit; or blocks of their units. */
export interface OperandPart {
  /** The segment that holds them. */
  readonly segment: number;
  /** First unit read. */
  readonly unit: number;
  /** Number of blocks, each as wide as the operand, that a fold's units are cut into; 1 if they are not. */
  readonly blocks: number;
  /** Positions in the segment; if folds are cut into blocks, those of a fold are consecutive. */
  readonly folds: readonly number[];
  /** Positions in the operand. */
  readonly into: readonly number[];
}

/**
 * The `j`-th pieces of all folds of a segment, or several consecutive ones: one tensor
 * `[folds * pieces, batch, units]`.
 */
export interface Operand {
  /** Units of a piece. */
  readonly units: number;
  /** Consecutive pieces of each fold: 1 except for sums over very many pieces. */
  readonly pieces: number;
  /** Sources of the folds; each fold of the operand is in one part. */
  readonly parts: readonly OperandPart[];
}

/** Consecutive folds of a group that form one tensor in the graph. */
export interface Segment<G extends Group = Group> {
  /** Position in {@link Segmentation.segments}. */
  readonly index: number;
  /** The group. */
  readonly group: G;
  /** First fold. */
  readonly from: number;
  /** Number of folds. */
  readonly folds: number;
  /** Pieces; none for inputs. */
  readonly operands: readonly Operand[];
}

/** The segments of a plan. */
export interface Segmentation {
  /** All segments, children before parents. */
  readonly segments: readonly Segment[];
  /** By group: its segments, in the order of their folds. */
  readonly byGroup: readonly (readonly number[])[];
}

/** Whether a segment consists of leaves. */
export const isInput = (segment: Segment): segment is Segment<InputGroup> => segment.group.kind === "input";
/** Whether a segment consists of products. */
export const isProduct = (segment: Segment): segment is Segment<ProductGroup> =>
  segment.group.kind === "product";
/** Whether a segment consists of sums. */
export const isSum = (segment: Segment): segment is Segment<SumGroup> => segment.group.kind === "sum";

/**
 * Minimum number of units worth cutting out of a group to avoid copying them. A segment costs some 25 operators,
 * whatever its size, and ONNX Runtime 1.30 plans a graph's memory in time quadratic in its operators: for a tree over
 * the 784 pixels of an image, cut wherever possible, this took four minutes.
 */
const WORTH_A_CUT = 1024;

/**
 * Maximum number of pieces of a sum, or parts of a row, that are handled one by one. More are combined in one tensor
 * and transposed, so that the number of operators grows only with the number of segments. A block-diagonal sum of 128
 * groups at each step of a chain gave 128 pieces per step, for which memory planning never finished.
 */
const ONE_BY_ONE = 8;

/**
 * Cuts groups into segments so that, where the plan's order allows it, a product or sum reads a whole tensor without a
 * copy: enough consecutive folds of a group that are read together become a segment. Leaves are gathered from tables in
 * any case, so cutting them always saves a copy. The matrices of a sum segment are contiguous in the weight table.
 */
export function segmentsOf(plan: Plan): Segmentation {
  const cuts = plan.groups.map((group) => new Set([0, group.folds]));
  const bounds: number[][] = [];
  for (const group of plan.groups.toReversed()) {
    const own = cuts[group.index] as Set<number>;
    if (group.kind === "sum") restrictCuts(group, own);
    const ends = [...own].sort((a, b) => a - b);
    bounds[group.index] = ends;
    if (group.kind === "input") continue;
    for (let i = 0; i + 1 < ends.length; i++) {
      for (let j = 0; j < group.arity; j++) {
        const run = runOf(group, ends[i] as number, ends[i + 1] as number, j);
        if (run === undefined) continue;
        const { kind, units } = plan.groups[run.group] as Group;
        const size = ((ends[i + 1] as number) - (ends[i] as number)) * units;
        if (kind !== "input" && size < WORTH_A_CUT) continue;
        const target = cuts[run.group] as Set<number>;
        target.add(run.fold);
        target.add(run.fold + (ends[i + 1] as number) - (ends[i] as number));
      }
    }
  }
  const segments: Segment[] = [];
  const byGroup: number[][] = [];
  for (const group of plan.groups) {
    const ends = bounds[group.index] as number[];
    byGroup.push(
      ends.slice(1).map((end, i): number => {
        const from = ends[i] as number;
        const index = segments.length;
        const operands = group.kind === "input"
          ? []
          : runsOfPieces(group).map(({ first, pieces }) =>
            operandOf(group, from, end, first, pieces, bounds, byGroup, (index) =>
              (plan.groups[index] as Group).units)
          );
        segments.push({ index, group, from, folds: end - from, operands });
        return index;
      }),
    );
  }
  return { segments, byGroup };
}

/** Restricts cuts to between matrices, and adds one wherever the table's slots are not consecutive. */
function restrictCuts(group: SumGroup, cuts: Set<number>): void {
  if (group.slots.length === 1) return;
  for (const cut of [...cuts]) if (cut % group.uses !== 0) cuts.delete(cut);
  for (let i = 1; i < group.slots.length; i++) {
    if (group.slots[i] !== (group.slots[i - 1] as number) + 1) cuts.add(i * group.uses);
  }
}

/** Location of the `j`-th pieces of folds `from .. to - 1`, if they are consecutive folds of one group. */
function runOf(
  group: ProductGroup | SumGroup,
  from: number,
  to: number,
  j: number,
): { group: number; fold: number } | undefined {
  const at = (fold: number) => (fold * group.arity + j) * 3;
  const source = group.sources[at(from)] as number, first = group.sources[at(from) + 1] as number;
  for (let fold = from + 1; fold < to; fold++) {
    if (group.sources[at(fold)] !== source) return undefined;
    if (group.sources[at(fold) + 1] !== first + fold - from) return undefined;
  }
  return { group: source, fold: first };
}

/** Groups a node's pieces into operands: very many pieces of a sum with equal width become one. */
function runsOfPieces({ kind, widths }: ProductGroup | SumGroup): { first: number; pieces: number }[] {
  const runs: { first: number; pieces: number }[] = [];
  for (let first = 0; first < widths.length;) {
    let pieces = 1;
    while (kind === "sum" && widths[first + pieces] === widths[first]) pieces++;
    if (pieces > ONE_BY_ONE) runs.push({ first, pieces });
    else for (let j = 0; j < pieces; j++) runs.push({ first: first + j, pieces: 1 });
    first += pieces;
  }
  return runs;
}

function operandOf(
  group: ProductGroup | SumGroup,
  from: number,
  to: number,
  first: number,
  pieces: number,
  bounds: readonly number[][],
  byGroup: readonly number[][],
  widthOf: (group: number) => number,
): Operand {
  const units = group.widths[first] as number;
  /** By segment: units of its folds, and the pieces taken from them, by first unit. */
  const parts = new Map<
    number,
    { width: number; byUnit: Map<number, { folds: number[]; into: number[] }> }
  >();
  for (let fold = from; fold < to; fold++) {
    for (let j = 0; j < pieces; j++) {
      const at = (fold * group.arity + first + j) * 3;
      const source = group.sources[at] as number, sourceFold = group.sources[at + 1] as number;
      const unit = group.sources[at + 2] as number;
      const ends = bounds[source] as number[];
      const place = lastAtMost(ends, sourceFold);
      const segment = (byGroup[source] as number[])[place] as number;
      const part = getOrMake(
        getOrMake(parts, segment, () => ({ width: widthOf(source), byUnit: new Map() })).byUnit,
        unit,
        () => ({ folds: [], into: [] }),
      );
      part.folds.push(sourceFold - (ends[place] as number));
      part.into.push((fold - from) * pieces + j);
    }
  }
  return {
    units,
    pieces,
    parts: [...parts].flatMap(([segment, { width, byUnit }]) => partsOf(segment, units, width, byUnit)),
  };
}

/** Parts that an operand takes from a segment: one per first unit, or blocks if there are many and they line up. */
function partsOf(
  segment: number,
  units: number,
  width: number,
  byUnit: ReadonlyMap<number, { readonly folds: number[]; readonly into: number[] }>,
): OperandPart[] {
  const blocks = width / units;
  const linedUp = Number.isInteger(blocks) && byUnit.keys().every((unit) => unit % units === 0);
  if (byUnit.size <= ONE_BY_ONE || !linedUp) {
    return [...byUnit].map(([unit, part]) => ({ segment, unit, blocks: 1, ...part }));
  }
  const folds: number[] = [], into: number[] = [];
  for (const [unit, part] of byUnit) {
    for (const fold of part.folds) folds.push(fold * blocks + unit / units);
    for (const at of part.into) into.push(at);
  }
  return [{ segment, unit: 0, blocks, folds, into }];
}

/** Index of the last number not above `x`, in an ascending list that begins with 0. */
function lastAtMost(list: readonly number[], x: number): number {
  let low = 0, high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((list[middle] as number) <= x) low = middle;
    else high = middle - 1;
  }
  return low;
}
