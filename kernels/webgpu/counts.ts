import type { Plan, SumGroup } from "../plan.ts";
import { REPAIR_CHUNK } from "./backward.ts";
import type { Step } from "./dispatch.ts";
import { LOG_DOMAIN, perNumber, productEffort } from "./effort.ts";
import { dispatchRuns } from "./folds.ts";
import { elementGridFor } from "./grids.ts";
import type { LearningContext } from "./kernel_context.ts";
import { padded } from "./layout.ts";
import { leafCountSteps } from "./leaf_counts.ts";
import type { PagePart } from "./pages.ts";
import { FOLD_WORDS, logDomainFolds, logDomainWords } from "./pieces.ts";
import { matmulKernel, termsTogether, tileGrid } from "./tiles.ts";

/** Steps that add the expected counts of all weights and leaves. They come after {@link backwardSteps}. */
export function countSteps(context: LearningContext): Step[] {
  return [...weightCountSteps(context), ...leafCountSteps(context)];
}

/** A matrix, with all folds that use it. */
interface UsedPart {
  readonly part: PagePart;
  readonly uses: readonly { group: SumGroup; fold: number }[];
}

/** The folds that use each slot of a weight table. */
function usesOf({ weightTables, groups }: Plan, table: number): { group: SumGroup; fold: number }[][] {
  const { slots } = weightTables[table] as { slots: number };
  const uses: { group: SumGroup; fold: number }[][] = Array.from({ length: slots }, () => []);
  for (const group of groups) {
    if (group.kind !== "sum" || group.table !== table) continue;
    for (let fold = 0; fold < group.folds; fold++) {
      uses[group.slots[Math.floor(fold / group.uses)] as number]?.push({ group, fold });
    }
  }
  return uses;
}

function weightCountSteps(context: LearningContext): Step[] {
  const { plan, places, open } = context;
  return plan.weightTables.flatMap((table, t) => {
    const entries = usesOf(plan, t).flatMap((list, slot): UsedPart[] =>
      list.length === 0 ? [] : (places.weights[t]?.[slot] ?? []).map((part) => ({ part, uses: list }))
    );
    return dispatchRuns(
      open,
      entries,
      ({ part }) => `${part.page} ${part.from}`,
      ({ uses }) => uses.reduce((words, { group }) => words + 1 + logDomainWords(group.arity), 2),
    )
      .flatMap((run) => [countsStep(context, table, run), logDomainCountsStep(context, table, run)]);
  });
}

function countsStep(
  context: LearningContext,
  table: { units: number; inputs: number },
  run: readonly UsedPart[],
): Step {
  const { settings, layout, arrays, learning, tiles } = context;
  const { from, to, page } = (run[0] as UsedPart).part;
  const rows = to - from, columns = padded(table.inputs);
  const tile = tiles({ form: "flows", rows, columns, folds: run.length });
  const most = Math.max(...run.map(({ uses }) => uses.length));
  const total = run.reduce((sum, { uses }) => sum + uses.length, 0);
  const folds: number[] = [], terms: number[] = [];
  for (const { part, uses } of run) {
    folds.push(part.at / 4, part.at / 4, terms.length / 2, uses.length);
    for (const { group, fold } of uses) {
      terms.push((layout.ratios(group, fold).at + from) / 4, layout.linear(group, fold).at / 4);
    }
  }
  return {
    kernel: matmulKernel("flows", tile, "added"),
    bindings: [
      arrays.batch,
      settings.shape(rows, columns, 0, padded(table.units) / 4, columns / 4, columns / 4, most),
      settings.table(folds),
      settings.table(terms),
      learning.ratios,
      arrays.linear,
      learning.counts[page] as GPUBuffer,
      arrays.weights[page] as GPUBuffer,
    ],
    grid: () => [...tileGrid(tile, rows, columns), run.length],
    effort: (batch) => productEffort(tile, rows, columns, batch.rows, total),
    rounds: (batch) => Math.ceil(most / termsTogether(batch.rows)),
  };
}

function logDomainCountsStep(
  context: LearningContext,
  table: { units: number; inputs: number },
  run: readonly UsedPart[],
): Step {
  const { settings, arrays, learning } = context;
  const { from, to, page } = (run[0] as UsedPart).part;
  const width = Math.ceil(table.inputs / REPAIR_CHUNK), grid = elementGridFor(context, width);
  // Slots first, each with the offsets of its folds; then the folds and their pieces.
  const list = run.flatMap(({ part, uses }) => uses.map((use) => ({ ...use, weights: part.at })));
  const base = run.length + run.reduce((n, { uses }) => n + 1 + uses.length, 0);
  const head: number[] = [];
  let slot = run.length, fold = 0;
  for (const { uses } of run) {
    head.push(slot);
    slot += 1 + uses.length;
  }
  for (const { uses } of run) {
    head.push(uses.length);
    for (let use = 0; use < uses.length; use++) head.push(base + FOLD_WORDS * fold++);
  }
  return {
    kernel: { template: "repair", constants: { FORM: "flows", UPWARD: false, CHUNK: REPAIR_CHUNK, ...grid } },
    bindings: [
      arrays.batch,
      settings.shape(table.inputs, padded(table.inputs), from, to),
      settings.table([...head, ...logDomainFolds(context, list, base)]),
      arrays.weights[page] as GPUBuffer,
      arrays.logs,
      arrays.scales,
      arrays.marks,
      learning.flows,
      learning.flags,
      learning.counts[page] as GPUBuffer,
    ],
    grid: () => [Math.ceil(width / grid.X), Math.ceil((to - from) / grid.Y), run.length],
    effort: perNumber(list.length * (to - from) * table.inputs, LOG_DOMAIN, 1),
    rounds: Math.max(...run.map(({ uses }) => uses.length)),
  };
}
