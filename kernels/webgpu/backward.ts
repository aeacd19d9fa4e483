import { Evidence, type NodeId } from "../../circuits/mod.ts";
import { type Group, nodesOfFolds, type SumGroup } from "../plan.ts";
import type { Step } from "./dispatch.ts";
import { LOG_DOMAIN, perNumber } from "./effort.ts";
import { dispatchRuns, type WeightRun, weightRuns } from "./folds.ts";
import { elementGridFor, elementGroups } from "./grids.ts";
import type { LearningContext } from "./kernel_context.ts";
import { padded, seenWords } from "./layout.ts";
import { TRANSCENDENTAL } from "./pace.ts";
import { logDomainFolds } from "./pieces.ts";
import { groupParts, productSteps } from "./products.ts";

/** The downward pass: from the flow at the root, set by the host, to the flows of all rows. */
export function backwardSteps(context: LearningContext): Step[] {
  return context.plan.groups.toReversed().flatMap((group) => [
    ...collectSteps(context, group),
    ...(group.kind === "sum" ? sumSteps(context, group) : []),
  ]);
}

/** Collects flows of rows that several parents read. */
function collectSteps(context: LearningContext, group: Group): Step[] {
  const { settings, layout, arrays, learning, open } = context;
  const collected = layout.collected.get(group.index) ?? [];
  const width = padded(group.units), grid = elementGridFor(context, width);
  return dispatchRuns(open, collected, () => "", ({ sources }) => 4 + 4 * sources.length).map((run): Step => {
    const sources: number[] = [], folds: number[] = [];
    for (const { fold, sources: list } of run) {
      folds.push(layout.flows(group, fold).at, sources.length / 4, list.length, 0);
      for (const { at, stride, from, to } of list) sources.push(at, stride, from, to);
    }
    return {
      kernel: { template: "collect", constants: { APART: false, ...grid } },
      bindings: [
        arrays.batch,
        settings.shape(width),
        settings.table(folds),
        settings.table(sources),
        learning.flows,
      ],
      grid: elementGroups(grid, width, run.length),
      effort: perNumber(width, sources.length / 2, sources.length + 4 * run.length),
    };
  });
}

function sumSteps(context: LearningContext, group: SumGroup): Step[] {
  const steps = ratioSteps(context, group);
  for (const run of weightRuns(context, group)) {
    steps.push(...matmulSteps(context, group, run), logDomainStep(context, group, run));
  }
  return steps;
}

function ratioSteps(context: LearningContext, group: SumGroup): Step[] {
  const { settings, layout, arrays, learning, open, plan } = context;
  const { scopeOf } = Evidence.of(plan.circuit), nodes = nodesOfFolds(plan, group);
  const width = padded(group.units) / 4, grid = elementGridFor(context, width);
  const folds = Array.from({ length: group.folds }, (_, fold) => fold);
  return dispatchRuns(open, folds, () => "", () => 8).map((run): Step => ({
    kernel: { template: "ratio", constants: { ...grid } },
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
    grid: elementGroups(grid, width, run.length),
    effort: perNumber(run.length * group.units, 2 * TRANSCENDENTAL, 12),
  }));
}

/** Flow into the inputs: products with the weights, part by part where these are split. */
function matmulSteps(
  context: LearningContext,
  group: SumGroup,
  { folds, weights, from, to, page }: WeightRun,
): Step[] {
  const { open, layout, arrays, learning } = context;
  const columns = padded(group.inputs);
  return productSteps(context, {
    form: "backward",
    add: from > 0,
    columns,
    depth: padded(to - from) / 4,
    // A part of the units is a product by itself.
    parts: to - from === group.units ? groupParts(open, group).backward : 1,
    strides: { left: padded(group.units) / 4, right: columns / 4, out: columns / 4 },
    folds: folds.map((fold, i) => ({
      out: layout.into(group, fold).at / 4,
      other: layout.linear(group, fold).at / 4,
      left: (layout.ratios(group, fold).at + from) / 4,
      right: (weights[i] as number) / 4,
    })),
    left: learning.ratios,
    right: arrays.weights[page] as GPUBuffer,
    out: learning.flows,
    other: arrays.linear,
  });
}

/** Flow through outputs that are too small within their row for the fast path. */
function logDomainStep(
  context: LearningContext,
  group: SumGroup,
  { folds, weights, from, to, page }: WeightRun,
): Step {
  const { settings, arrays, learning } = context;
  const width = Math.ceil(group.inputs / REPAIR_CHUNK), grid = elementGridFor(context, width);
  return {
    kernel: {
      template: "repair",
      constants: { FORM: "backward", UPWARD: false, CHUNK: REPAIR_CHUNK, ...grid },
    },
    bindings: [
      arrays.batch,
      settings.shape(group.inputs, padded(group.inputs), from, to),
      settings.table(logDomainFolds(
        context,
        folds.map((fold, i) => ({ group, fold, weights: weights[i] as number })),
      )),
      arrays.weights[page] as GPUBuffer,
      arrays.logs,
      arrays.scales,
      arrays.marks,
      learning.flows,
    ],
    grid: elementGroups(grid, width, folds.length),
    effort: perNumber(folds.length * (to - from) * group.inputs, LOG_DOMAIN, 1),
  };
}

/** Inputs per thread in repair.wgsl. */
export const REPAIR_CHUNK = 16;
