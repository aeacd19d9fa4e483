import { Evidence, type NodeId } from "../../circuits/mod.ts";
import { type Group, type InputGroup, nodesOfFolds, type Plan, type SumGroup } from "../plan.ts";
import { gpuTable } from "../leaves/mod.ts";
import type { Step } from "./dispatch.ts";
import { CAREFUL, perNumber, productEffort } from "./effort.ts";
import { carefulFolds, columnsOfFolds, elementGroups } from "./forward.ts";
import { padded, seenWords } from "./layout.ts";
import {
  carefulWords,
  dispatchRuns,
  elementGridFor,
  FOLD_WORDS,
  leafParts,
  type LearningContext,
  type WeightRun,
  weightRuns,
} from "./machine.ts";
import type { PagePart } from "./pages.ts";
import { TRANSCENDENTAL } from "./pace.ts";
import { valueColumns } from "./samples.ts";
import { contractKernel, tileGrid, tileNumbers } from "./tiles.ts";

/** The downward pass: from the flow of the root, which the host sets, to the flows of all rows. */
export function backwardSteps(machine: LearningContext): Step[] {
  return machine.plan.groups.toReversed().flatMap((group) => [
    ...collectSteps(machine, group),
    ...(group.kind === "sum" ? sumSteps(machine, group) : []),
  ]);
}

/** Flows of rows that several parents read. */
function collectSteps(machine: LearningContext, group: Group): Step[] {
  const { settings, layout, arrays, learning, open } = machine;
  const collected = layout.collected.get(group.index) ?? [];
  const width = padded(group.units), plane = elementGridFor(machine, width);
  return dispatchRuns(open, collected, () => "", ({ sources }) => 4 + 4 * sources.length).map((run): Step => {
    const sources: number[] = [], folds: number[] = [];
    for (const { fold, sources: list } of run) {
      folds.push(layout.flows(group, fold).at, sources.length / 4, list.length, 0);
      for (const { at, stride, from, to } of list) sources.push(at, stride, from, to);
    }
    return {
      kernel: { template: "collect", constants: { APART: false, ...plane } },
      bindings: [
        arrays.batch,
        settings.shape(width),
        settings.table(folds),
        settings.table(sources),
        learning.flows,
      ],
      grid: elementGroups(plane, width, run.length),
      effort: perNumber(width, sources.length / 2, sources.length + 4 * run.length),
    };
  });
}

function sumSteps(machine: LearningContext, group: SumGroup): Step[] {
  const steps = ratioSteps(machine, group);
  for (const run of weightRuns(machine, group)) {
    steps.push(contractStep(machine, group, run), carefulStep(machine, group, run));
  }
  return steps;
}

function ratioSteps(machine: LearningContext, group: SumGroup): Step[] {
  const { settings, layout, arrays, learning, open, plan } = machine;
  const { scopeOf } = Evidence.of(plan.circuit), nodes = nodesOfFolds(plan, group);
  const width = padded(group.units) / 4, plane = elementGridFor(machine, width);
  const folds = Array.from({ length: group.folds }, (_, fold) => fold);
  return dispatchRuns(open, folds, () => "", () => 8).map((run): Step => ({
    kernel: { template: "ratio", constants: { ...plane } },
    bindings: [
      arrays.batch,
      settings.shape(width, width),
      settings.table(run.flatMap((fold) => {
        const flow = layout.flows(group, fold);
        return [
          flow.at / 4,
          flow.stride / 4,
          layout.logs(group, fold).at / 4,
          layout.ratios(group, fold).at / 4,
          layout.mark(group, fold),
          layout.flag(group, fold),
          (scopeOf[nodes[fold] as NodeId] as number) * seenWords(layout.capacity),
          0,
        ];
      })),
      learning.flows,
      arrays.logs,
      learning.ratios,
      arrays.marks,
      learning.flags,
      learning.seen,
    ],
    grid: elementGroups(plane, width, run.length),
    effort: perNumber(run.length * group.units, 2 * TRANSCENDENTAL, 12),
  }));
}

/** Flow into the inputs: products with the weights; where those are cut, part by part. */
function contractStep(
  machine: LearningContext,
  group: SumGroup,
  { folds, weights, from, to, page }: WeightRun,
): Step {
  const { settings, layout, arrays, learning, tiles } = machine;
  const columns = padded(group.inputs);
  const tile = tiles({ form: "backward", rows: layout.capacity, columns });
  return {
    kernel: contractKernel("backward", tile, from > 0),
    bindings: [
      arrays.batch,
      settings.shape(0, columns, padded(to - from) / 4, padded(group.units) / 4, columns / 4, columns / 4),
      settings.table(folds.flatMap((fold, i) => [
        layout.into(group, fold).at / 4,
        layout.linear(group, fold).at / 4,
        i,
        1,
      ])),
      settings.table(folds.flatMap((fold, i) => [
        (layout.ratios(group, fold).at + from) / 4,
        (weights[i] as number) / 4,
      ])),
      learning.ratios,
      arrays.weights[page] as GPUBuffer,
      learning.flows,
      arrays.linear,
    ],
    grid: ({ rows }) => [...tileGrid(tile, rows, columns), folds.length],
    effort: ({ rows }) => productEffort(tile, rows, columns, padded(to - from), folds.length),
  };
}

/** Flow through outputs that are too small beside their row for the fast way. */
function carefulStep(
  machine: LearningContext,
  group: SumGroup,
  { folds, weights, from, to, page }: WeightRun,
): Step {
  const { settings, arrays, learning } = machine;
  const width = Math.ceil(group.inputs / CHUNK), plane = elementGridFor(machine, width);
  return {
    kernel: { template: "repair", constants: { FORM: "backward", UPWARD: false, CHUNK, ...plane } },
    bindings: [
      arrays.batch,
      settings.shape(group.inputs, padded(group.inputs), from, to),
      settings.table(carefulFolds(
        machine,
        folds.map((fold, i) => ({ group, fold, weights: weights[i] as number })),
      )),
      arrays.weights[page] as GPUBuffer,
      arrays.logs,
      arrays.scales,
      arrays.marks,
      learning.flows,
    ],
    grid: elementGroups(plane, width, folds.length),
    effort: perNumber(folds.length * (to - from) * group.inputs, CAREFUL, 1),
  };
}

/** Inputs that a thread of repair.wgsl does. */
const CHUNK = 16;

/** The expected counts of all weights and leaves, added to those before. After {@link backwardSteps}. */
export function countSteps(machine: LearningContext): Step[] {
  return [...weightCountSteps(machine), ...statisticsSteps(machine)];
}

/** A matrix with all folds that use it. */
interface UsedPart {
  readonly part: PagePart;
  readonly uses: readonly { group: SumGroup; fold: number }[];
}

/** The folds that use each slot of a table of weights. */
export function usesOf({ weightTables, groups }: Plan, table: number): { group: SumGroup; fold: number }[][] {
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

function weightCountSteps(machine: LearningContext): Step[] {
  const { plan, places, open } = machine;
  return plan.weightTables.flatMap((table, t) => {
    const entries = usesOf(plan, t).flatMap((list, slot): UsedPart[] =>
      list.length === 0 ? [] : (places.weights[t]?.[slot] ?? []).map((part) => ({ part, uses: list }))
    );
    return dispatchRuns(
      open,
      entries,
      ({ part }) => `${part.page} ${part.from}`,
      ({ uses }) => uses.reduce((words, { group }) => words + 1 + carefulWords(group.arity), 2),
    )
      .flatMap((run) => [flowsStep(machine, table, run), carefulFlowsStep(machine, table, run)]);
  });
}

function flowsStep(
  machine: LearningContext,
  table: { units: number; inputs: number },
  run: readonly UsedPart[],
): Step {
  const { settings, layout, arrays, learning, tiles } = machine;
  const { from, to, page } = (run[0] as UsedPart).part;
  const rows = to - from, columns = padded(table.inputs);
  const tile = tiles({ form: "flows", rows, columns });
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
    kernel: contractKernel("flows", tile, true),
    bindings: [
      arrays.batch,
      settings.shape(rows, columns, 0, padded(table.units) / 4, columns / 4, columns / 4, most),
      settings.table(folds),
      settings.table(terms),
      learning.ratios,
      arrays.linear,
      learning.counts[page] as GPUBuffer,
      arrays.weights[page] as GPUBuffer,
      learning.carried,
    ],
    grid: () => [...tileGrid(tile, rows, columns), run.length],
    effort: (batch) => productEffort(tile, rows, columns, batch.rows, total),
    rounds: most,
    carried: Math.floor(learning.carried.size / 4 / tileNumbers(tile)),
  };
}

function carefulFlowsStep(
  machine: LearningContext,
  table: { units: number; inputs: number },
  run: readonly UsedPart[],
): Step {
  const { settings, arrays, learning } = machine;
  const { from, to, page } = (run[0] as UsedPart).part;
  const width = Math.ceil(table.inputs / CHUNK), plane = elementGridFor(machine, width);
  // Slots first, each with the places of its folds; then the folds and their pieces.
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
    kernel: { template: "repair", constants: { FORM: "flows", UPWARD: false, CHUNK, ...plane } },
    bindings: [
      arrays.batch,
      settings.shape(table.inputs, padded(table.inputs), from, to),
      settings.table([...head, ...carefulFolds(machine, list, base)]),
      arrays.weights[page] as GPUBuffer,
      arrays.logs,
      arrays.scales,
      arrays.marks,
      learning.flows,
      learning.flags,
      learning.counts[page] as GPUBuffer,
    ],
    grid: () => [Math.ceil(width / plane.X), Math.ceil((to - from) / plane.Y), run.length],
    effort: perNumber(list.length * (to - from) * table.inputs, CAREFUL, 1),
    rounds: Math.max(...run.map(({ uses }) => uses.length)),
  };
}

/** Leaves that share a parameter and the units that they read of it. */
interface LeafSet {
  readonly fold: number;
  readonly uses: readonly number[];
}

/** Folds of a group of leaves by what they share. The order of uses is that of {@link tokenLists}. */
function setsOf(group: InputGroup): LeafSet[] {
  const sets = new Map<string, number[]>();
  for (let fold = 0; fold < group.folds; fold++) {
    const key = `${group.slots[fold]} ${group.firstUnits[fold]}`;
    sets.getOrInsertComputed(key, () => []).push(fold);
  }
  return [...sets.values()].map((uses) => ({ fold: uses[0] as number, uses }));
}

/** The columns of values whose tokens are sorted together, list by list, and the list of each set of leaves. */
export interface TokenLists {
  /** Columns of each list. */
  readonly variables: readonly (readonly number[])[];
  /** Index into `variables`, by group index and set. */
  readonly lists: ReadonlyMap<number, readonly number[]>;
}

/** Which tokens have to be sorted: leaves over the same variables share the work. */
export function tokenLists(plan: Plan): TokenLists {
  const variables: number[][] = [], byKey = new Map<string, number>();
  const lists = new Map<number, number[]>();
  for (const group of plan.groups) {
    if (group.kind !== "input" || group.table < 0) continue;
    if (gpuTable(group.family).statistics.reads !== "tokens") continue;
    const columns = columnsOfFolds(plan, group);
    lists.set(
      group.index,
      setsOf(group).map(({ uses }) => {
        const list = uses.map((fold) => columns[fold] as number);
        return byKey.getOrInsertComputed(list.join(), () => variables.push(list) - 1);
      }),
    );
  }
  return { variables, lists };
}

/** Statistics of leaves. */
function statisticsSteps(machine: LearningContext): Step[] {
  const { plan } = machine;
  const { lists } = tokenLists(plan);
  return plan.groups.flatMap((group) =>
    group.kind === "input" && group.table >= 0 ? leafSteps(machine, group, lists.get(group.index) ?? []) : []
  );
}

function leafSteps(machine: LearningContext, group: InputGroup, lists: readonly number[]): Step[] {
  const { settings, layout, arrays, learning, plan, places, open } = machine;
  const table = plan.leafTables[group.table] as { units: number };
  const { statistics: { kind, code, reads, flops } } = gpuTable(group.family);
  const states = reads === "tokens", columns = columnsOfFolds(plan, group);
  const sets = setsOf(group);
  const flows = sets.flatMap(({ uses }) => uses.map((fold) => layout.flows(group, fold)));
  const by = [group.units, ...group.firstUnits, ...flows.map(({ at }) => at)].every((n) => n % 4 === 0)
    ? 4
    : 1;
  const width = group.units / by, stride = padded(table.units) / by;
  const X = width <= 1 ? 1 : open.adapter.software ? 8 : 32;
  const entries = sets.flatMap((set, index) =>
    leafParts(places.statistics, group, set.fold).map((part) => ({ set, part, list: lists[index] ?? 0 }))
  );
  return dispatchRuns(
    open,
    entries,
    ({ set, part }) =>
      `${part.page} ${part.from} ${states ? "" : leafParts(places.tables, group, set.fold)[0]?.page}`,
    ({ set }) => 4 + 4 * set.uses.length,
  )
    .map((run): Step => {
      const { page, from, to } = (run[0] as { part: PagePart }).part;
      const uses: number[] = [], rows: number[] = [];
      let tablePage = 0;
      for (const { set, part, list } of run) {
        const first = group.firstUnits[set.fold] as number;
        const [params] = leafParts(places.tables, group, set.fold) as [PagePart];
        tablePage = params.page;
        rows.push((part.at + first) / by, uses.length / 4);
        if (states) rows.push(2 * list, 0);
        else rows.push(set.uses.length, (params.at + first) / by);
        for (const fold of set.uses) {
          const { at, stride } = layout.flows(group, fold);
          uses.push(at / by, stride / by, columns[fold] as number, 0);
        }
      }
      return {
        kernel: {
          template: "scatter",
          constants: { KIND: kind, VEC: by === 4, X },
          snippets: { STATISTICS: code },
        },
        bindings: [
          arrays.batch,
          states
            ? settings.shape(width, stride, from, to)
            : settings.shape(width, stride, valueColumns(plan.circuit), stride),
          settings.table(rows),
          settings.table(uses),
          learning.flows,
          learning.statistics[page] as GPUBuffer,
          ...(states ? [learning.words] : [arrays.values, arrays.tables[tablePage] as GPUBuffer]),
        ],
        grid: ({ segments }) => [Math.ceil(width / X), states ? segments : 1, run.length],
        effort: perNumber(uses.length / 4 * group.units, flops, 8),
      };
    });
}
