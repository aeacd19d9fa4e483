import { Evidence } from "../../circuits/mod.ts";
import type { Group, InnerShape, Plan, SumGroup } from "../plan.ts";

/** Words that hold one bit per sample. */
export function seenWords(capacity: number): number {
  return Math.ceil(capacity / 32);
}

/** Rounded up to a multiple of four. */
export function padded(units: number): number {
  return (units + 3) & ~3;
}

/**
 * Location of a fold's rows in an array of numbers: unit `u` of sample `b` is at `at + b * stride + u`. Rows are padded
 * to fours, so `at` and `stride` are multiples of four.
 */
export interface RowSpan {
  /** Index of the first unit of the first sample. */
  readonly at: number;
  /** Distance between samples, in numbers. */
  readonly stride: number;
}

/** Location of flow into a row. */
export interface FlowSource extends RowSpan {
  /** First unit that the source covers. */
  readonly from: number;
  /** End of those units (exclusive). */
  readonly to: number;
}

/** A row whose flow has to be summed, or aligned, before use. */
export interface Collected {
  /** Index of the group. */
  readonly group: number;
  /** The fold. */
  readonly fold: number;
  /** The flows to be summed. */
  readonly sources: readonly FlowSource[];
}

/**
 * Layout of the device's arrays for `capacity` samples: one array per kind of number, so that a kernel needs few
 * bindings.
 *
 * - `logs`: log-values of every unit; `scales`: the integer scale of every row.
 * - `linear`: inputs of sums, `e` in inputs.wgsl; `ratios`: `r` in ratio.wgsl, for every unit of a sum.
 * - `flows`: flow into the inputs of sums, and rows collected from several parents. Most rows have one parent and read
 *   their flow where the parent wrote it, without copies.
 * - `marks`: a word for every row of a sum; `flags`: one for every fold of a sum.
 * - `seen`: a bit for every scope and sample.
 */
export class Layout {
  /** The plan. */
  readonly plan: Plan;
  /** Maximum samples per batch; a multiple of eight. */
  readonly capacity: number;
  /** Size of each array, in numbers. */
  readonly sizes: {
    readonly logs: number;
    readonly scales: number;
    readonly linear: number;
    readonly ratios: number;
    readonly flows: number;
    readonly marks: number;
    readonly flags: number;
    readonly seen: number;
  };
  /** Collected rows, by group index; none for most groups. */
  readonly collected: ReadonlyMap<number, readonly Collected[]>;
  readonly #logs: number[] = [];
  readonly #rows: number[] = [];
  readonly #linear: number[] = [];
  readonly #ratios: number[] = [];
  readonly #sumFolds: number[] = [];
  readonly #flows: RowSpan[][];

  /** Computes the layout of a plan for `capacity` samples. */
  constructor(plan: Plan, capacity: number) {
    this.plan = plan;
    this.capacity = capacity;
    let logs = 0, rows = 0, linear = 0, ratios = 0, sumFolds = 0;
    for (const group of plan.groups) {
      this.#logs.push(logs);
      this.#rows.push(rows);
      this.#linear.push(linear);
      this.#ratios.push(ratios);
      this.#sumFolds.push(sumFolds);
      logs += group.folds * padded(group.units) * capacity;
      rows += group.folds;
      if (group.kind === "sum") {
        linear += group.folds * padded(group.inputs) * capacity;
        ratios += group.folds * padded(group.units) * capacity;
        sumFolds += group.folds;
      }
    }
    const flows = this.#resolveFlows(linear);
    this.#flows = flows.rows;
    this.collected = flows.collected;
    this.sizes = {
      logs,
      scales: rows * capacity,
      linear,
      ratios,
      flows: flows.size,
      marks: sumFolds * capacity,
      flags: sumFolds,
      seen: Evidence.of(plan.circuit).scopes * seenWords(capacity),
    };
  }

  /** Log-values of a fold. */
  logs(group: Group, fold: number): RowSpan {
    const stride = padded(group.units);
    return { at: (this.#logs[group.index] as number) + fold * stride * this.capacity, stride };
  }

  /** Index of the scale of sample 0 of a fold; the other samples follow. */
  scale(group: Group, fold: number): number {
    return ((this.#rows[group.index] as number) + fold) * this.capacity;
  }

  /** Linear inputs of a sum fold. */
  linear(group: SumGroup, fold: number): RowSpan {
    const stride = padded(group.inputs);
    return { at: (this.#linear[group.index] as number) + fold * stride * this.capacity, stride };
  }

  /** Flow into the inputs of a sum fold: in `flows`, laid out like `linear`. */
  into(group: SumGroup, fold: number): RowSpan {
    return this.linear(group, fold);
  }

  /** Flow divided by value of a sum fold. */
  ratios(group: SumGroup, fold: number): RowSpan {
    const stride = padded(group.units);
    return { at: (this.#ratios[group.index] as number) + fold * stride * this.capacity, stride };
  }

  /** Index of the mark of sample 0 of a sum fold; the other samples follow. */
  mark(group: SumGroup, fold: number): number {
    return ((this.#sumFolds[group.index] as number) + fold) * this.capacity;
  }

  /** Index of the flag of a sum fold. */
  flag(group: SumGroup, fold: number): number {
    return (this.#sumFolds[group.index] as number) + fold;
  }

  /** Flow of a fold. */
  flows(group: Group, fold: number): RowSpan {
    return this.#flows[group.index]?.[fold] as RowSpan;
  }

  /** From the root down: decides whether a row's flow can stay where its only parent wrote it. */
  #resolveFlows(start: number): { rows: RowSpan[][]; collected: Map<number, Collected[]>; size: number } {
    const { groups } = this.plan;
    const rows: RowSpan[][] = groups.map(() => []);
    const sources: FlowSource[][][] = groups.map(({ folds }) => Array.from({ length: folds }, () => []));
    const collected = new Map<number, Collected[]>();
    let size = start;
    for (const group of groups.toReversed()) {
      for (let fold = 0; fold < group.folds; fold++) {
        const from = sources[group.index]?.[fold] as FlowSource[];
        let own = inPlace(group, from);
        if (own === undefined) {
          own = { at: size, stride: padded(group.units) };
          size += own.stride * this.capacity;
          if (group.index < groups.length - 1) {
            const list = collected.get(group.index) ?? [];
            collected.set(group.index, list);
            list.push({ group: group.index, fold, sources: from });
          }
        }
        (rows[group.index] as RowSpan[])[fold] = own;
        if (group.kind === "input") continue;
        const at = group.kind === "sum" ? this.into(group, fold) : own;
        let inputs = 0;
        for (let piece = 0; piece < group.arity; piece++) {
          const [child, childFold, unit] = pieceSource(group, fold, piece);
          const width = group.widths[piece] as number;
          (sources[child]?.[childFold] as FlowSource[]).push({
            at: at.at + inputs,
            stride: at.stride,
            from: unit,
            to: unit + width,
          });
          if (group.kind === "sum") inputs += width;
        }
      }
    }
    return { rows, collected, size };
  }
}

/** The rows of a fold's only source, if kernels that read whole vec4 can use them in place. */
function inPlace(group: Group, sources: readonly FlowSource[]): RowSpan | undefined {
  const [only] = sources;
  if (only === undefined || sources.length > 1 || only.from !== 0 || only.to !== group.units) {
    return undefined;
  }
  // Anything that a vec4 reads past the units must be zero, as in padded rows.
  const whole = group.units % 4 === 0 || only.stride === padded(group.units);
  return only.at % 4 === 0 && whole ? { at: only.at, stride: only.stride } : undefined;
}

/** Group, fold and first unit of a piece. */
export function pieceSource(group: InnerShape, fold: number, piece: number): [number, number, number] {
  const at = (fold * group.arity + piece) * 3;
  return [group.sources[at] as number, group.sources[at + 1] as number, group.sources[at + 2] as number];
}
