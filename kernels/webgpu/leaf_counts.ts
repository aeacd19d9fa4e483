import { getOrMake } from "../../foundation/newer.ts";
import { gpuTable } from "../leaves/mod.ts";
import type { InputGroup, Plan } from "../plan.ts";
import type { Step } from "./dispatch.ts";
import { perNumber } from "./effort.ts";
import { columnsOfFolds, dispatchRuns, leafParts } from "./folds.ts";
import type { LearningContext } from "./kernel_context.ts";
import { padded } from "./layout.ts";
import type { PagePart } from "./pages.ts";
import { valueColumns } from "./samples.ts";

/** Leaves that share a parameter and the units they read from it. */
export interface LeafSet {
  /** One of the folds. */
  readonly fold: number;
  /** All of the folds. */
  readonly uses: readonly number[];
}

/** Groups a leaf group's folds by what they share. Uses are in the order of {@link tokenLists}. */
export function leafSets(group: InputGroup): LeafSet[] {
  const sets = new Map<string, number[]>();
  for (let fold = 0; fold < group.folds; fold++) {
    const key = `${group.slots[fold]} ${group.firstUnits[fold]}`;
    getOrMake(sets, key, () => []).push(fold);
  }
  return [...sets.values()].map((uses) => ({ fold: uses[0] as number, uses }));
}

/** Columns of values whose tokens are sorted together, list by list, and the list of each set of leaves. */
export interface TokenLists {
  /** Columns of each list. */
  readonly variables: readonly (readonly number[])[];
  /** Index into `variables`, by group index and set. */
  readonly lists: ReadonlyMap<number, readonly number[]>;
}

/** The tokens that need sorting: leaves over the same variables share a list. */
export function tokenLists(plan: Plan): TokenLists {
  const variables: number[][] = [], byKey = new Map<string, number>();
  const lists = new Map<number, number[]>();
  for (const group of plan.groups) {
    if (group.kind !== "input" || group.table < 0) continue;
    if (gpuTable(group.family).statistics.reads !== "tokens") continue;
    const columns = columnsOfFolds(plan, group);
    lists.set(
      group.index,
      leafSets(group).map(({ uses }) => {
        const list = uses.map((fold) => columns[fold] as number);
        return getOrMake(byKey, list.join(), () => variables.push(list) - 1);
      }),
    );
  }
  return { variables, lists };
}

/** Steps that accumulate the statistics of leaves. */
export function leafCountSteps(context: LearningContext): Step[] {
  const { plan } = context;
  const { lists } = tokenLists(plan);
  return plan.groups.flatMap((group) =>
    group.kind === "input" && group.table >= 0
      ? leafGroupSteps(context, group, lists.get(group.index) ?? [])
      : []
  );
}

function leafGroupSteps(context: LearningContext, group: InputGroup, lists: readonly number[]): Step[] {
  const { settings, layout, arrays, learning, plan, places, open } = context;
  const table = plan.leafTables[group.table] as { units: number };
  const { statistics: { kind, code, reads, flops } } = gpuTable(group.family);
  const states = reads === "tokens", columns = columnsOfFolds(plan, group);
  const sets = leafSets(group);
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
