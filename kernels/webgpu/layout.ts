import { Evidence } from "../../circuits/mod.ts";
import type { Group, InnerShape, Plan, SumGroup } from "../plan.ts";

/** Words that hold a bit for each of so many samples. */
export function seenWords(capacity: number): number {
  return Math.ceil(capacity / 32);
}

/** Rounded up to whole vec4. */
export function padded(units: number): number {
  return (units + 3) & ~3;
}

/**
 * Where the rows of one fold lie in an array of numbers: unit `u` of sample `b` at `at + b * stride + u`. Rows
 * are padded to fours, so `at` and `stride` are multiples of four.
 */
export interface RowSpan {
  /** Number of the first unit of the first sample. */
  readonly at: number;
  /** Numbers from one sample to the next. */
  readonly stride: number;
}

/** What flow a row gets, and from where. */
export interface FlowSource extends RowSpan {
  /** First unit that the source covers. */
  readonly from: number;
  /** End of those units. */
  readonly to: number;
}

/** A row whose flow has to be added up, or brought into line, before it is used. */
export interface Collected {
  /** Index of the group. */
  readonly group: number;
  /** The fold. */
  readonly fold: number;
  /** What is added up. */
  readonly sources: readonly FlowSource[];
}

/**
 * Where everything lies on the device while `capacity` samples are worked on: one array for each kind of
 * number, so that a kernel sees all it needs in few bindings.
 *
 * - `logs`: logarithms of every unit; `scales`: the integer scale of every row.
 * - `linear`: inputs of sums, `e` of inputs.wgsl; `ratios`: `r` of ratio.wgsl, for every unit of a sum.
 * - `flows`: what flows into the inputs of sums, and rows that are collected from several parents. Most rows
 *   have one parent and find their flow where the parent left it: no copies.
 * - `marks`: a word for every row of a sum; `flags`: one for every fold of a sum.
 * - `seen`: a bit for every scope and sample.
 */
export class Layout {
  /** The plan. */
  readonly plan: Plan;
  /** Samples of a batch at most; a multiple of eight. */
  readonly capacity: number;
  /** Numbers in each array. */
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
  /** Rows that are collected, by group index; none for most groups. */
  readonly collected: ReadonlyMap<number, readonly Collected[]>;
  readonly #logs: number[] = [];
  readonly #rows: number[] = [];
  readonly #linear: number[] = [];
  readonly #ratios: number[] = [];
  readonly #sumFolds: number[] = [];
  readonly #flows: RowSpan[][];

  /** The layout of a plan for so many samples. */
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

  /** Logarithms of a fold. */
  logs(group: Group, fold: number): RowSpan {
    const stride = padded(group.units);
    return { at: (this.#logs[group.index] as number) + fold * stride * this.capacity, stride };
  }

  /** Place of the scale of sample 0 of a fold; the other samples follow. */
  scale(group: Group, fold: number): number {
    return ((this.#rows[group.index] as number) + fold) * this.capacity;
  }

  /** Linear inputs of a fold of a sum. */
  linear(group: SumGroup, fold: number): RowSpan {
    const stride = padded(group.inputs);
    return { at: (this.#linear[group.index] as number) + fold * stride * this.capacity, stride };
  }

  /** Flow into the inputs of a fold of a sum: in `flows`, laid out as `linear` is. */
  into(group: SumGroup, fold: number): RowSpan {
    return this.linear(group, fold);
  }

  /** Flow over value of a fold of a sum. */
  ratios(group: SumGroup, fold: number): RowSpan {
    const stride = padded(group.units);
    return { at: (this.#ratios[group.index] as number) + fold * stride * this.capacity, stride };
  }

  /** Place of the mark of sample 0 of a fold of a sum; the other samples follow. */
  mark(group: SumGroup, fold: number): number {
    return ((this.#sumFolds[group.index] as number) + fold) * this.capacity;
  }

  /** Place of the flag of a fold of a sum. */
  flag(group: SumGroup, fold: number): number {
    return (this.#sumFolds[group.index] as number) + fold;
  }

  /** Flow of a fold. */
  flows(group: Group, fold: number): RowSpan {
    return this.#flows[group.index]?.[fold] as RowSpan;
  }

  /** From the root down: whether a row's flow can stay where its one parent left it. */
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

/** The rows of the one source that covers a fold, if kernels that read whole vec4 can read it there. */
function inPlace(group: Group, sources: readonly FlowSource[]): RowSpan | undefined {
  const [only] = sources;
  if (only === undefined || sources.length > 1 || only.from !== 0 || only.to !== group.units) {
    return undefined;
  }
  // What a vec4 reads past the units must be zero: true in a row that is padded itself.
  const whole = group.units % 4 === 0 || only.stride === padded(group.units);
  return only.at % 4 === 0 && whole ? { at: only.at, stride: only.stride } : undefined;
}

/** Group, fold and first unit of a piece. */
export function pieceSource(group: InnerShape, fold: number, piece: number): [number, number, number] {
  const at = (fold * group.arity + piece) * 3;
  return [group.sources[at] as number, group.sources[at + 1] as number, group.sources[at + 2] as number];
}
