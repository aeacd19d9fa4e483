import type { Semiring } from "../../circuits/mod.ts";
import { deviceLeaf, gpuTable } from "../leaves/mod.ts";
import type { InputGroup, LeafTable } from "../plan.ts";
import type { Step } from "./dispatch.ts";
import { perNumber } from "./effort.ts";
import { dispatchRuns, foldsOf, leafParts } from "./folds.ts";
import { elementGridFor, elementGroups } from "./grids.ts";
import type { KernelContext, LearningContext } from "./kernel_context.ts";
import { padded } from "./layout.ts";
import { leafSets, tokenLists } from "./leaf_counts.ts";
import { statesOfFold } from "./leaf_steps.ts";
import { TRANSCENDENTAL } from "./pace.ts";
import type { PagePart } from "./pages.ts";

/** Operations per weight: a product, and a logarithm and an exponential twice where the product would underflow. */
const WEIGHED = 4 * TRANSCENDENTAL;

/** Minimum weights of a leaf, and samples or entries of a count, per dispatch. */
const CHUNK = 64;

/** Mixes leaves by soft evidence, after their values were looked up; see soft.wgsl. */
export function softSteps(
  context: KernelContext,
  group: InputGroup,
  semiring: Semiring,
  evidence: GPUBuffer,
): Step[] {
  const { gpu } = deviceLeaf(group.family);
  if (gpu.kind === "given" || gpu.byState === undefined) return [];
  const { settings, layout, arrays, open, plan, places } = context;
  const folds = foldsOf(group);
  const max = semiring === "max";
  const step = (
    by: number,
    shape: readonly number[],
    rows: readonly number[],
    constants: { readonly KIND: string; readonly LOG: boolean },
    source: GPUBuffer | GPUBufferBinding,
  ): Step => {
    const width = group.units / by, grid = elementGridFor(context, width), count = rows.length / 4;
    const each = perNumber(count * group.units, WEIGHED, 8);
    return {
      kernel: { template: "soft", constants: { ...constants, MAX: max, VEC: by === 4, CHUNK, ...grid } },
      bindings: [
        arrays.batch,
        settings.shape(width, padded(group.units) / by, ...shape),
        settings.table(rows),
        evidence,
        arrays.logs,
        arrays.scales,
        source,
      ],
      grid: elementGroups(grid, width, count),
      effort: (batch) => {
        const { flops, bytes } = each(batch), weights = 1 + (batch.soft?.width ?? 0);
        return { flops: flops * weights, bytes: bytes * weights };
      },
      ...(constants.KIND === "table" && {
        rounds: ({ soft }) => Math.max(1, Math.ceil((soft?.width ?? 0) / CHUNK)),
      }),
    };
  };
  if (gpu.kind === "list") {
    const states = settings.table(folds.flatMap((fold) => statesOfFold(context, group, fold)));
    return dispatchRuns(open, folds, () => "", () => 4).map((run) =>
      step(
        1,
        [0, 0, 0],
        run.flatMap((fold) => [
          layout.logs(group, fold).at,
          fold * group.units,
          group.variables[fold] as number,
          layout.scale(group, fold),
        ]),
        { KIND: "list", LOG: false },
        states,
      )
    );
  }
  const { logs } = gpu.byState, table = plan.leafTables[group.table] as LeafTable;
  const by = [group.units, ...group.firstUnits].every((n) => n % 4 === 0) ? 4 : 1;
  const entries = folds.flatMap((fold) =>
    leafParts(places.tables, group, fold).map((part) => ({ fold, part }))
  );
  return dispatchRuns(open, entries, ({ part }) => `${part.page} ${part.from}`, () => 4).map((run) => {
    const { page, from, to } = (run[0] as { part: PagePart }).part;
    return step(
      by,
      [padded(table.units) / by, from, to],
      run.flatMap(({ fold, part }) => [
        layout.logs(group, fold).at / by,
        (part.at + (group.firstUnits[fold] as number)) / by,
        group.variables[fold] as number,
        layout.scale(group, fold),
      ]),
      { KIND: "table", LOG: logs },
      arrays.tables[page] as GPUBuffer,
    );
  });
}

/** Buffers of soft evidence for counting. */
export interface SoftArrays {
  /** The evidence. */
  readonly evidence: GPUBuffer;
  /** The evidence on listed states, sorted. */
  readonly sorted: GPUBuffer;
}

/** States shared by a statistics page and a table page in one step. */
interface SharedPart {
  readonly statistics: PagePart;
  readonly table: PagePart;
  readonly from: number;
  readonly to: number;
}

/** Adds the expected counts of states under soft evidence; see soft_scatter.wgsl. */
export function softCountSteps(context: LearningContext, soft: SoftArrays): Step[] {
  const { lists } = tokenLists(context.plan);
  return context.plan.groups.flatMap((group) => {
    if (group.kind !== "input" || group.table < 0) return [];
    const { byState } = gpuTable(group.family);
    return byState === undefined
      ? []
      : leafSteps(context, group, lists.get(group.index) ?? [], byState.logs, soft);
  });
}

function leafSteps(
  context: LearningContext,
  group: InputGroup,
  lists: readonly number[],
  inLogs: boolean,
  soft: SoftArrays,
): Step[] {
  const { settings, layout, arrays, learning, plan, places, open } = context;
  const table = plan.leafTables[group.table] as LeafTable;
  const sets = leafSets(group);
  const flows = sets.flatMap(({ uses }) => uses.map((fold) => layout.flows(group, fold)));
  const by = [group.units, ...group.firstUnits, ...flows.map(({ at }) => at)].every((n) => n % 4 === 0)
    ? 4
    : 1;
  const width = group.units / by,
    stride = padded(table.units),
    X = width <= 1 ? 1 : open.adapter.software ? 8 : 32;
  const entries = sets.flatMap((set, index) =>
    leafParts(places.statistics, group, set.fold).flatMap((statistics) =>
      leafParts(places.tables, group, set.fold).map((part) => ({
        set,
        list: lists[index] ?? 0,
        part: {
          statistics,
          table: part,
          from: Math.max(statistics.from, part.from),
          to: Math.min(statistics.to, part.to),
        } satisfies SharedPart,
      }))
    ).filter(({ part }) => part.from < part.to)
  );
  return dispatchRuns(
    open,
    entries,
    ({ part: { statistics, table, from, to } }) => `${statistics.page} ${table.page} ${from} ${to}`,
    ({ set }) => 5 + 5 * set.uses.length,
  ).flatMap((run): Step[] => {
    const { statistics, table, from, to } = (run[0] as { part: SharedPart }).part;
    const rows: number[] = [], uses: number[] = [];
    for (const { set, list, part } of run) {
      const first = group.firstUnits[set.fold] as number;
      const at = (own: PagePart) => (own.at + (from - own.from) * stride + first) / by;
      rows.push(at(part.statistics), uses.length / 5, set.uses.length, 2 * list, at(part.table));
      for (const fold of set.uses) {
        const flow = layout.flows(group, fold), logs = layout.logs(group, fold);
        uses.push(
          flow.at / by,
          flow.stride / by,
          logs.at / by,
          logs.stride / by,
          group.variables[fold] as number,
        );
      }
    }
    const chunks = Math.ceil(layout.capacity / CHUNK);
    const shape = settings.shape(width, stride / by, stride / by, from, to, chunks);
    const setTable = settings.table(rows), useTable = settings.table(uses), count = uses.length / 5;
    return (["dense", "sorted"] as const).map((form): Step => ({
      kernel: { template: "softScatter", constants: { FORM: form, LOG: inLogs, VEC: by === 4, CHUNK, X } },
      bindings: [
        arrays.batch,
        shape,
        setTable,
        useTable,
        learning.flows,
        arrays.logs,
        learning.statistics[statistics.page] as GPUBuffer,
        arrays.tables[table.page] as GPUBuffer,
        form === "dense" ? soft.evidence : soft.sorted,
      ],
      grid: ({ soft }) => {
        const states = form === "sorted" ? soft?.segments ?? 0 : soft?.dense ? to - from : 0;
        return [Math.ceil(width / X), states, run.length];
      },
      effort: (batch) => {
        const weights = form === "dense" ? to - from : batch.soft?.width ?? 0;
        return perNumber(count * group.units * weights, WEIGHED, 16)(batch);
      },
      rounds: form === "dense"
        ? chunks * Math.max(...run.map(({ set }) => set.uses.length))
        : ({ soft }) => Math.max(1, Math.ceil((soft?.entries ?? 0) / CHUNK)),
    }));
  });
}
