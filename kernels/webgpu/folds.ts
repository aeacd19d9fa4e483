import { getOrMake } from "../../foundation/newer.ts";
import type { InputNode } from "../../circuits/mod.ts";
import { type Group, type InputGroup, nodesOfFolds, type Plan, type SumGroup } from "../plan.ts";
import { columnsOf } from "./columns.ts";
import type { OpenDevice } from "./device.ts";
import type { KernelContext } from "./kernel_context.ts";
import type { PagePart } from "./pages.ts";
import { logDomainWords } from "./pieces.ts";

/** Indices of all folds of a group. */
export function foldsOf(group: Group): number[] {
  return Array.from({ length: group.folds }, (_, fold) => fold);
}

/** The node of a fold of a leaf group. */
export function nodeOfFold(
  places: readonly { fold: number; blocks: number; stride: number }[],
  group: Group,
  fold: number,
): number {
  const id = group.nodes.find((node) => {
    const place = places[node] as { fold: number; blocks: number; stride: number };
    const block = (fold - place.fold) / place.stride;
    return Number.isInteger(block) && block >= 0 && block < place.blocks;
  });
  if (id === undefined) throw new RangeError(`fold ${fold} of group ${group.index} belongs to no node`);
  return id;
}

/** By fold: the value column that a leaf reads. */
export function columnsOfFolds(plan: Plan, group: InputGroup): number[] {
  const columns = columnsOf(plan.circuit);
  return nodesOfFolds(plan, group).map((id) => columns.of(plan.circuit.nodes[id] as InputNode));
}

/**
 * Groups entries by key, in the order of first keys; a group has at most as many entries as fit in a binding, with tables
 * of `words` each.
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
    const kept = getOrMake(byKey, key(entry), () => ({ runs: [], total: Infinity }));
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

/** Folds that one dispatch can process: their matrices are in one page. */
export interface WeightRun {
  /** The folds. */
  readonly folds: readonly number[];
  /** Offset of each fold's weights in the page. */
  readonly weights: readonly number[];
  /** First matrix row of this run. */
  readonly from: number;
  /** End of the rows (exclusive). */
  readonly to: number;
  /** Page of the weights. */
  readonly page: number;
}

/** Splits the folds of a sum group so that each run has its weights in one binding. */
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
    () => logDomainWords(group.arity),
  ).map((run) => {
    const { page, from, to } = (run[0] as { part: PagePart }).part;
    return { folds: run.map(({ fold }) => fold), weights: run.map(({ part }) => part.at), from, to, page };
  });
}

/** The parts of the leaf table slot that fold `fold` reads. */
export function leafParts(
  places: readonly (readonly (readonly PagePart[])[])[],
  group: InputGroup,
  fold: number,
) {
  return (places[group.table]?.[group.slots[fold] as number] ?? []) as readonly PagePart[];
}
