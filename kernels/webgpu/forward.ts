import type { Semiring } from "../../circuits/mod.ts";
import type { Group, InputGroup, ProductGroup, SumGroup } from "../plan.ts";
import type { Step } from "./dispatch.ts";
import { LOG_DOMAIN, perNumber } from "./effort.ts";
import { dispatchRuns, foldsOf, type WeightRun, weightRuns } from "./folds.ts";
import { elementGridFor, elementGroups, rowGroups, rowLanes } from "./grids.ts";
import type { KernelContext } from "./kernel_context.ts";
import { padded, pieceSource } from "./layout.ts";
import { leafSteps } from "./leaf_steps.ts";
import { TRANSCENDENTAL } from "./pace.ts";
import { logDomainFolds, piecesTable, spansOf, wholeFours } from "./pieces.ts";
import { groupParts, productSteps } from "./products.ts";

/** Sums of more logarithms than this are kept as an integer and a remainder. */
const FEW = 8;

/**
 * The upward pass: from values to the log-values of all rows.
 * @param afterLeaves steps to insert after those of a leaf group
 */
export function forwardSteps(
  context: KernelContext,
  semiring: Semiring,
  afterLeaves: (group: InputGroup) => Step[] = () => [],
): Step[] {
  const normalised = normalisedGroups(context.plan.groups);
  return context.plan.groups.flatMap((group) => {
    if (group.kind === "input") return [...leafSteps(context, group, semiring), ...afterLeaves(group)];
    if (group.kind === "product") return elementwiseSteps(context, group, normalised.has(group.index));
    return sumSteps(context, group, semiring);
  });
}

/** Products that would otherwise add more than a few unscaled logarithms of leaves and sums. */
function normalisedGroups(groups: readonly Group[]): ReadonlySet<number> {
  const normalised = new Set<number>();
  const summands: number[] = [];
  for (const group of groups) {
    let count = 1;
    if (group.kind === "product") {
      count = 0;
      for (let piece = 0; piece < group.arity; piece++) {
        let most = 1;
        for (let fold = 0; fold < group.folds; fold++) {
          most = Math.max(most, summands[pieceSource(group, fold, piece)[0]] as number);
        }
        count += most;
      }
      if (count > FEW) normalised.add(group.index);
    }
    summands.push(count > FEW ? 1 : count);
  }
  return normalised;
}

function elementwiseSteps(context: KernelContext, group: ProductGroup, many: boolean): Step[] {
  const { settings, layout, arrays, open } = context;
  const by = wholeFours(context, group) ? 4 : 1;
  const width = by === 4 ? padded(group.units) / 4 : group.units;
  const grid = elementGridFor(context, width), lanes = rowLanes(context);
  return dispatchRuns(open, foldsOf(group), () => "", () => 4 * group.arity).map((run): Step => ({
    kernel: {
      template: "product",
      constants: { VEC: by === 4, NORMALISE: many, ...(many ? lanes : grid) },
    },
    bindings: [
      arrays.batch,
      settings.shape(group.arity, width, padded(group.units) / by),
      settings.table(run.flatMap((fold) => [layout.logs(group, fold).at / by, layout.scale(group, fold)])),
      piecesTable(context, group, run, by),
      arrays.logs,
      arrays.scales,
    ],
    grid: many ? rowGroups(lanes, run.length) : elementGroups(grid, width, run.length),
    effort: perNumber(
      run.length * group.units,
      (many ? 16 : 2) * group.arity,
      (many ? 8 : 4) * group.arity + 4,
    ),
  }));
}

function sumSteps(context: KernelContext, group: SumGroup, semiring: Semiring): Step[] {
  const steps = linearSteps(context, group);
  for (const run of weightRuns(context, group)) {
    if (semiring === "sum") steps.push(...matmulSteps(context, group, run));
    steps.push(logDomainStep(context, group, run, semiring));
  }
  return steps;
}

/** Inputs of sums in the linear domain, and their rows' scales. */
function linearSteps(context: KernelContext, group: SumGroup): Step[] {
  const { settings, layout, arrays, open } = context;
  const by = wholeFours(context, group) ? 4 : 1;
  const lanes = rowLanes(context);
  return dispatchRuns(open, foldsOf(group), () => "", () => 4 * group.arity).map((run): Step => ({
    kernel: { template: "inputs", constants: { VEC: by === 4, ...lanes } },
    bindings: [
      arrays.batch,
      settings.shape(group.arity, group.inputs, padded(group.inputs) / by),
      settings.table(run.flatMap((fold) => [
        layout.linear(group, fold).at / by,
        layout.mark(group, fold),
        layout.scale(group, fold),
        0,
      ])),
      piecesTable(context, group, run, by),
      settings.table(spansOf(group).flatMap(({ at, width }) => [at / by, Math.ceil(width / by)])),
      arrays.logs,
      arrays.linear,
      arrays.scales,
      arrays.marks,
    ],
    grid: rowGroups(lanes, run.length),
    effort: perNumber(run.length * group.inputs, 2 * TRANSCENDENTAL, 12),
  }));
}

function matmulSteps(
  context: KernelContext,
  group: SumGroup,
  { folds, weights, from, to, page }: WeightRun,
): Step[] {
  const { open, layout, arrays } = context;
  const stride = padded(group.inputs) / 4;
  return productSteps(context, {
    form: "forward",
    add: false,
    columns: to - from,
    depth: stride,
    parts: groupParts(open, group).forward,
    strides: { left: stride, right: stride, out: padded(group.units) },
    folds: folds.map((fold, i) => ({
      out: layout.logs(group, fold).at + from,
      other: layout.mark(group, fold),
      left: layout.linear(group, fold).at / 4,
      right: (weights[i] as number) / 4,
    })),
    left: arrays.linear,
    right: arrays.weights[page] as GPUBuffer,
    out: arrays.logs,
    other: arrays.marks,
  });
}

/** Sums in the log domain: those that the fast path omitted, or all of them for max-product. */
function logDomainStep(context: KernelContext, group: SumGroup, run: WeightRun, semiring: Semiring): Step {
  const { settings, arrays } = context;
  const { from, to } = run;
  const chunk = semiring === "sum" ? 16 : 1;
  const width = Math.ceil((to - from) / chunk);
  const grid = elementGridFor(context, width);
  return {
    kernel: {
      template: "repair",
      constants: { FORM: semiring === "sum" ? "forward" : "maximum", UPWARD: true, CHUNK: chunk, ...grid },
    },
    bindings: [
      arrays.batch,
      settings.shape(group.inputs, padded(group.inputs), from, to),
      settings.table(logDomainFolds(
        context,
        run.folds.map((fold, i) => ({
          group,
          fold,
          weights: run.weights[i] as number,
        })),
      )),
      arrays.weights[run.page] as GPUBuffer,
      arrays.logs,
      arrays.scales,
      ...(semiring === "sum" ? [arrays.marks] : []),
    ],
    grid: elementGroups(grid, width, run.folds.length),
    effort: perNumber(run.folds.length * (to - from) * group.inputs, LOG_DOMAIN, 1),
  };
}
