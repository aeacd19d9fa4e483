import { gpuTable } from "../leaves/mod.ts";
import type { InputGroup, LeafTable, Plan, SumGroup, WeightTable } from "../plan.ts";
import type { OpenDevice } from "./device.ts";
import { type Layout, padded } from "./layout.ts";
import { type PagePart, Pages } from "./pages.ts";
import type { Settings } from "./settings.ts";
import type { TileChoice } from "./tiles.ts";

/** Rows of a leaf's table on the device. */
export function tableRows(table: LeafTable): number {
  return gpuTable(table.family).tableRows(table.states);
}

/** Rows of a leaf's statistics on the device. */
export function statisticsRows(table: LeafTable): number {
  return gpuTable(table.family).statisticsRows(table.states);
}

/** Where parameters and what is counted for them lie. Counts of weights lie as the weights do. */
export class ParameterPlaces {
  /** Pages of weights, and of their counts. */
  readonly weightPages: Pages;
  /** Pages of the tables of leaves. */
  readonly tablePages: Pages;
  /** Pages of the statistics of leaves. */
  readonly statisticsPages: Pages;
  /** `[table][slot]`: parts of a matrix `[units, padded(inputs)]`. */
  readonly weights: readonly (readonly (readonly PagePart[])[])[];
  /** `[table][slot]`: parts of a table `[rows, padded(units)]`. */
  readonly tables: readonly (readonly (readonly PagePart[])[])[];
  /** `[table][slot]`: parts of statistics `[rows, padded(units)]`. */
  readonly statistics: readonly (readonly (readonly PagePart[])[])[];

  /** Places for all parameters of a plan in pages of `limit` bytes. */
  constructor(plan: Plan, limit: number) {
    this.weightPages = new Pages(limit);
    this.tablePages = new Pages(limit);
    this.statisticsPages = new Pages(limit);
    const slots = <T extends { slots: number }>(tables: readonly T[], add: (table: T) => PagePart[]) =>
      tables.map((table) => Array.from({ length: table.slots }, () => add(table)));
    this.weights = slots(
      plan.weightTables,
      (t: WeightTable) => this.weightPages.add(t.units, padded(t.inputs)),
    );
    this.tables = slots(plan.leafTables, (t) => this.tablePages.add(tableRows(t), padded(t.units)));
    this.statistics = slots(
      plan.leafTables,
      (t) => this.statisticsPages.add(statisticsRows(t), padded(t.units)),
    );
  }
}

/** The arrays that kernels work on; see {@link Layout} for those that depend on the batch. */
export interface Arrays {
  /** The shape of the batch, as common.wgsl has it. */
  readonly batch: GPUBuffer;
  /** `[samples, columns]`: words of values, see `Columns`. */
  readonly values: GPUBuffer;
  /** Logarithms. */
  readonly logs: GPUBuffer;
  /** Scales of rows. */
  readonly scales: GPUBuffer;
  /** Linear inputs of sums. */
  readonly linear: GPUBuffer;
  /** Marks of rows of sums. */
  readonly marks: GPUBuffer;
  /** Weights of sums, by page. */
  readonly weights: readonly GPUBuffer[];
  /** Tables of leaves, by page. */
  readonly tables: readonly GPUBuffer[];
  /** Logarithms of the modes of leaves: a row for every slot of every table. */
  readonly modes: GPUBuffer;
}

/** The arrays of the downward pass and of learning. */
export interface LearningArrays {
  /** Flows. */
  readonly flows: GPUBuffer;
  /** Flows over values. */
  readonly ratios: GPUBuffer;
  /** Flags of folds of sums. */
  readonly flags: GPUBuffer;
  /** Counts of weights, by page. */
  readonly counts: readonly GPUBuffer[];
  /** Statistics of leaves, by page. */
  readonly statistics: readonly GPUBuffer[];
  /** Of which scopes each sample of a partial batch has something observed; see `encodeSeen`. */
  readonly seen: GPUBuffer;
  /** Sorted tokens of the batch; see tokens.ts. */
  readonly words: GPUBuffer;
  /** Sums of a part of the terms of a count, where a dispatch may do no more; see contract.wgsl. */
  readonly carried: GPUBuffer;
}

/** All that steps are built from. */
export interface KernelContext {
  /** The device. */
  readonly open: OpenDevice;
  /** What is run. */
  readonly plan: Plan;
  /** Where activations lie. */
  readonly layout: Layout;
  /** Where parameters lie. */
  readonly places: ParameterPlaces;
  /** Collects the tables of the steps. */
  readonly settings: Settings;
  /** Chooses tiles for matrix products. */
  readonly tiles: TileChoice;
  /** What the steps work on. */
  readonly arrays: Arrays;
}

/** A {@link KernelContext} that learns. */
export interface LearningContext extends KernelContext {
  /** What the steps of the downward pass work on. */
  readonly learning: LearningArrays;
}

/** Folds that one dispatch can do: their matrices are in one page. */
export interface WeightRun {
  /** The folds. */
  readonly folds: readonly number[];
  /** For each fold, where the weights begin in the page. */
  readonly weights: readonly number[];
  /** First row of the matrices that this run does. */
  readonly from: number;
  /** End of those rows. */
  readonly to: number;
  /** Page of the weights. */
  readonly page: number;
}

/** Cuts the folds of a sum group so that each run finds its weights in one binding. */
export function weightRuns({ places, open }: KernelContext, group: SumGroup): WeightRun[] {
  const slots = places.weights[group.table] as readonly (readonly PagePart[])[];
  const entries = Array.from({ length: group.folds }, (_, fold) => fold)
    .flatMap((fold) =>
      (slots[group.slots[Math.floor(fold / group.uses)] as number] as readonly PagePart[])
        .map((part) => ({ fold, part }))
    );
  return dispatchRuns(
    open,
    entries,
    ({ part }) => `${part.page} ${part.from}`,
    () => carefulWords(group.arity),
  ).map((run) => {
    const { page, from, to } = (run[0] as { part: PagePart }).part;
    return { folds: run.map(({ fold }) => fold), weights: run.map(({ part }) => part.at), from, to, page };
  });
}

/** Words that repair.wgsl reads for every fold, and for every piece of one. */
export const FOLD_WORDS = 12, PIECE_WORDS = 5;

/** Words that repair.wgsl reads for a fold and its pieces: the longest table of any kernel. */
export function carefulWords(arity: number): number {
  return FOLD_WORDS + PIECE_WORDS * arity;
}

/**
 * Entries by key, in the order of first keys, so many together as have room for their tables, of `words` each, in a binding.
 */
export function dispatchRuns<T>(
  { limits }: Pick<OpenDevice, "limits">,
  entries: readonly T[],
  key: (entry: T) => string,
  words: (entry: T) => number,
): T[][] {
  const most = Math.floor(limits.binding / 4);
  const byKey = new Map<string, { runs: T[][]; total: number }>();
  for (const entry of entries) {
    const kept = byKey.getOrInsertComputed(key(entry), () => ({ runs: [], total: Infinity }));
    const more = words(entry);
    if (kept.total + more > most) {
      kept.runs.push([]);
      kept.total = 0;
    }
    kept.runs.at(-1)?.push(entry);
    kept.total += more;
  }
  return [...byKey.values()].flatMap(({ runs }) => runs);
}

/** Workgroups of kernels that have a thread for every unit (or four) of every row. */
export interface ElementGrid {
  /** Threads along the units. */
  readonly X: number;
  /** Threads along the samples. */
  readonly Y: number;
}

/** A workgroup that suits rows of so many threads. */
export function elementGridFor({ open }: Pick<KernelContext, "open">, width: number): ElementGrid {
  const { software } = open.adapter, { invocations } = open.limits;
  const most = Math.min(software ? 8 : 32, invocations);
  const X = width <= 1 ? 1 : width <= 4 ? Math.min(4, most) : most;
  return { X, Y: Math.max(1, Math.floor(Math.min(software ? 64 : 128, invocations) / X)) };
}

/** Invocations that share a row in kernels that need its maximum: all of a workgroup on hardware, else one. */
export function rowLanes({ open }: Pick<KernelContext, "open">): { LANES: number; X: number } {
  const { invocations } = open.limits;
  if (open.adapter.software) return { LANES: 1, X: Math.min(8, invocations) };
  // Halves of halves: sums go through shared memory in steps of two.
  const lanes = 2 ** Math.floor(Math.log2(Math.min(64, invocations)));
  return { LANES: lanes, X: lanes };
}

/** The slot of the table of leaves that fold `fold` reads, as parts. */
export function leafParts(
  places: readonly (readonly (readonly PagePart[])[])[],
  group: InputGroup,
  fold: number,
) {
  return (places[group.table]?.[group.slots[fold] as number] ?? []) as readonly PagePart[];
}
