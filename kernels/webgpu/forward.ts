import { certainStates, type InputNode, type Semiring } from "../../circuits/mod.ts";
import type { ValueSnippet } from "../leaves/device_leaf.ts";
import { deviceLeaf } from "../leaves/mod.ts";
import {
  type Group,
  type InnerShape,
  type InputGroup,
  type LeafTable,
  nodesOfFolds,
  type Plan,
  type ProductGroup,
  type SumGroup,
} from "../plan.ts";
import { columnsOf } from "./columns.ts";
import type { BatchShape, Step } from "./dispatch.ts";
import { padded, pieceSource } from "./layout.ts";
import {
  dispatchRuns,
  type ElementGrid,
  elementGridFor,
  FOLD_WORDS,
  type KernelContext,
  leafParts,
  PIECE_WORDS,
  rowLanes,
  type WeightRun,
  weightRuns,
} from "./machine.ts";
import type { PagePart } from "./pages.ts";
import { CAREFUL, perNumber, productEffort } from "./effort.ts";
import { type Groups, TRANSCENDENTAL } from "./pace.ts";
import { valueColumns } from "./samples.ts";
import { contractKernel, tileGrid } from "./tiles.ts";

/** A sum of more logarithms than this is kept as integer and rest. */
const FEW = 8;

/** The upward pass: from values to the logarithms of all rows. */
export function forwardSteps(machine: KernelContext, semiring: Semiring): Step[] {
  const normalised = normalisedGroups(machine.plan.groups);
  return machine.plan.groups.flatMap((group) => {
    if (group.kind === "input") return inputSteps(machine, group, semiring);
    if (group.kind === "product") return productSteps(machine, group, normalised.has(group.index));
    return sumSteps(machine, group, semiring);
  });
}

/** Products that would otherwise add up more than a few unscaled logarithms of leaves and sums. */
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

function inputSteps(machine: KernelContext, group: InputGroup, semiring: Semiring): Step[] {
  const { settings, layout, arrays, open, plan, places } = machine;
  const { gpu } = deviceLeaf(group.family);
  // What comes with the data is put in place by the host.
  if (gpu.kind === "given") return [];
  const folds = foldsOf(group), columns = columnsOfFolds(plan, group);
  if (gpu.kind === "list") return listSteps(machine, group, folds, gpu.value);
  const { value } = gpu, table = plan.leafTables[group.table] as LeafTable;
  const by = [group.units, ...group.firstUnits].every((n) => n % 4 === 0) ? 4 : 1;
  const width = group.units / by;
  const entries = folds.flatMap((fold) =>
    leafParts(places.tables, group, fold).map((part) => ({ fold, part }))
  );
  return dispatchRuns(open, entries, ({ part }) => `${part.page} ${part.from}`, () => 4).map((run): Step => {
    const { page, from, to } = (run[0] as { part: PagePart }).part;
    const plane = elementGridFor(machine, width);
    return {
      kernel: {
        template: "leaves",
        constants: {
          KIND: value.kind,
          ...value.constants?.(plan.circuit),
          MAX: semiring === "max",
          VEC: by === 4,
          ...plane,
        },
        snippets: { DECLARATIONS: value.declarations, VALUE: value.code },
      },
      bindings: [
        arrays.batch,
        settings.shape(
          width,
          padded(group.units) / by,
          padded(table.units) / by,
          valueColumns(plan.circuit),
          from,
          to,
        ),
        settings.table(run.flatMap(({ fold, part }) => [
          layout.logs(group, fold).at / by,
          (part.at + (group.firstUnits[fold] as number)) / by,
          columns[fold] as number,
          (modeRow(machine, group.table, group.slots[fold] as number) + (group.firstUnits[fold] as number)) /
          by,
        ])),
        arrays.values,
        arrays.logs,
        arrays.tables[page] as GPUBuffer,
        ...(semiring === "max" ? [arrays.modes] : []),
      ],
      grid: elementGroups(plane, width, run.length),
      effort: perNumber(run.length * group.units, 3 * TRANSCENDENTAL, 16),
    };
  });
}

/** By fold: the column of values that a leaf reads. */
export function columnsOfFolds(plan: Plan, group: InputGroup): number[] {
  const columns = columnsOf(plan.circuit);
  return nodesOfFolds(plan, group).map((id) => columns.of(plan.circuit.nodes[id] as InputNode));
}

/** Where the logarithms of a slot's modes begin in the array of modes. */
export function modeRow({ plan }: KernelContext, table: number, slot: number): number {
  let at = 0;
  for (let t = 0; t < table; t++) {
    const { slots, units } = plan.leafTables[t] as { slots: number; units: number };
    at += slots * padded(units);
  }
  return at + slot * padded((plan.leafTables[table] as { units: number }).units);
}

function listSteps(
  machine: KernelContext,
  group: InputGroup,
  folds: readonly number[],
  value: ValueSnippet,
): Step[] {
  const { settings, layout, arrays, open, plan } = machine;
  const columns = columnsOfFolds(plan, group);
  const plane = elementGridFor(machine, group.units);
  const states = settings.table(folds.flatMap((fold) => statesOfFold(machine, group, fold)));
  return dispatchRuns(open, folds, () => "", () => 4).map((run): Step => ({
    kernel: {
      template: "leaves",
      constants: { KIND: value.kind, ...value.constants?.(plan.circuit), MAX: false, VEC: false, ...plane },
      snippets: { DECLARATIONS: value.declarations, VALUE: value.code },
    },
    bindings: [
      arrays.batch,
      settings.shape(group.units, padded(group.units), 0, valueColumns(plan.circuit), 0, 0),
      settings.table(run.flatMap((fold) => [
        layout.logs(group, fold).at,
        fold * group.units,
        columns[fold] as number,
        0,
      ])),
      arrays.values,
      arrays.logs,
      states,
    ],
    grid: elementGroups(plane, group.units, run.length),
    effort: perNumber(run.length * group.units, 4, 12),
  }));
}

/** The states of the units of a fold of leaves without parameters. */
function statesOfFold({ plan }: KernelContext, group: InputGroup, fold: number): readonly number[] {
  const node = plan.circuit.nodes[nodeOfFold(plan.places, group, fold)] as InputNode;
  const states = certainStates(plan.circuit, node) ?? [];
  const first = group.firstUnits[fold] as number;
  return states.slice(first, first + group.units);
}

/** The node that a fold of a group of leaves is part of. */
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

function productSteps(machine: KernelContext, group: ProductGroup, many: boolean): Step[] {
  const { settings, layout, arrays, open } = machine;
  const by = wholeFours(machine, group) ? 4 : 1;
  const width = by === 4 ? padded(group.units) / 4 : group.units;
  const plane = elementGridFor(machine, width), lanes = rowLanes(machine);
  return dispatchRuns(open, foldsOf(group), () => "", () => 4 * group.arity).map((run): Step => ({
    kernel: {
      template: "product",
      constants: { VEC: by === 4, NORMALISE: many, ...(many ? lanes : plane) },
    },
    bindings: [
      arrays.batch,
      settings.shape(group.arity, width, padded(group.units) / by),
      settings.table(run.flatMap((fold) => [layout.logs(group, fold).at / by, layout.scale(group, fold)])),
      piecesTable(machine, group, run, by),
      arrays.logs,
      arrays.scales,
    ],
    grid: many ? rowGrid(lanes, run.length) : elementGroups(plane, width, run.length),
    effort: perNumber(
      run.length * group.units,
      (many ? 16 : 2) * group.arity,
      (many ? 8 : 4) * group.arity + 4,
    ),
  }));
}

function sumSteps(machine: KernelContext, group: SumGroup, semiring: Semiring): Step[] {
  const steps = linearSteps(machine, group);
  for (const run of weightRuns(machine, group)) {
    if (semiring === "sum") steps.push(contractStep(machine, group, run));
    steps.push(carefulStep(machine, group, run, semiring));
  }
  return steps;
}

/** Inputs of sums in the linear domain, and the scales of their rows. */
function linearSteps(machine: KernelContext, group: SumGroup): Step[] {
  const { settings, layout, arrays, open } = machine;
  const by = wholeFours(machine, group) ? 4 : 1;
  const lanes = rowLanes(machine);
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
      piecesTable(machine, group, run, by),
      settings.table(spansOf(group).flatMap(({ at, width }) => [at / by, Math.ceil(width / by)])),
      arrays.logs,
      arrays.linear,
      arrays.scales,
      arrays.marks,
    ],
    grid: rowGrid(lanes, run.length),
    effort: perNumber(run.length * group.inputs, 2 * TRANSCENDENTAL, 12),
  }));
}

function contractStep(
  machine: KernelContext,
  group: SumGroup,
  { folds, weights, from, to, page }: WeightRun,
): Step {
  const { settings, layout, arrays, tiles } = machine;
  const columns = to - from;
  const tile = tiles({ form: "forward", rows: layout.capacity, columns });
  const stride = padded(group.inputs) / 4;
  return {
    kernel: contractKernel("forward", tile),
    bindings: [
      arrays.batch,
      settings.shape(0, columns, stride, stride, stride, padded(group.units)),
      settings.table(folds.flatMap((fold, i) => [
        layout.logs(group, fold).at + from,
        layout.mark(group, fold),
        i,
        1,
      ])),
      settings.table(folds.flatMap((fold, i) => [
        layout.linear(group, fold).at / 4,
        (weights[i] as number) / 4,
      ])),
      arrays.linear,
      arrays.weights[page] as GPUBuffer,
      arrays.logs,
      arrays.marks,
    ],
    grid: ({ rows }) => [...tileGrid(tile, rows, columns), folds.length],
    effort: ({ rows }) => productEffort(tile, rows, columns, padded(group.inputs), folds.length),
  };
}

/** Sums in the log domain: those that the fast way left out, or all of them with the maximum. */
function carefulStep(machine: KernelContext, group: SumGroup, run: WeightRun, semiring: Semiring): Step {
  const { settings, arrays } = machine;
  const { from, to } = run;
  const chunk = semiring === "sum" ? 16 : 1;
  const width = Math.ceil((to - from) / chunk);
  const plane = elementGridFor(machine, width);
  return {
    kernel: {
      template: "repair",
      constants: { FORM: semiring === "sum" ? "forward" : "maximum", UPWARD: true, CHUNK: chunk, ...plane },
    },
    bindings: [
      arrays.batch,
      settings.shape(group.inputs, padded(group.inputs), from, to),
      settings.table(carefulFolds(
        machine,
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
    grid: elementGroups(plane, width, run.folds.length),
    effort: perNumber(run.folds.length * (to - from) * group.inputs, CAREFUL, 1),
  };
}

/** A fold with where its weights are, for repair.wgsl. */
export interface CarefulFold {
  /** The group. */
  readonly group: SumGroup;
  /** The fold. */
  readonly fold: number;
  /** Number of its first weight in the page. */
  readonly weights: number;
}

/** The words of repair.wgsl: folds, then their pieces, counted from `base`. */
export function carefulFolds(
  { layout, plan }: KernelContext,
  list: readonly CarefulFold[],
  base = 0,
): number[] {
  const folds: number[] = [], pieces: number[] = [];
  const start = base + list.length * FOLD_WORDS;
  for (const { group, fold, weights } of list) {
    const logs = layout.logs(group, fold), flow = layout.flows(group, fold), into = layout.into(group, fold);
    folds.push(
      logs.at,
      logs.stride,
      layout.scale(group, fold),
      layout.mark(group, fold),
      layout.flag(group, fold),
      flow.at,
      flow.stride,
      into.at,
      into.stride,
      weights,
      start + pieces.length,
      group.arity,
    );
    spansOf(group).forEach(({ at, width }, piece) => {
      const [child, childFold, unit] = pieceSource(group, fold, piece);
      const source = plan.groups[child] as Group, from = layout.logs(source, childFold);
      pieces.push(from.at + unit, from.stride, layout.scale(source, childFold), at, width);
    });
  }
  if (pieces.length !== list.reduce((n, { group }) => n + group.arity, 0) * PIECE_WORDS) {
    throw new RangeError("pieces and folds do not agree");
  }
  return [...folds, ...pieces];
}

/** Where the pieces of a sum stand in the concatenation. */
export function spansOf(group: InnerShape): { at: number; width: number }[] {
  let at = 0;
  return group.widths.map((width) => {
    const span = { at, width };
    at += width;
    return span;
  });
}

/** Whether kernels can read all pieces of a group in whole vec4: aligned, and without a foreign unit in the last. */
function wholeFours({ layout, plan }: KernelContext, group: ProductGroup | SumGroup): boolean {
  const spans = group.kind === "sum" ? spansOf(group) : [];
  const last = group.arity - 1;
  for (let fold = 0; fold < group.folds; fold++) {
    for (let piece = 0; piece < group.arity; piece++) {
      const [child, childFold, unit] = pieceSource(group, fold, piece);
      const source = plan.groups[child] as Group;
      if ((layout.logs(source, childFold).at + unit) % 4 !== 0) return false;
      const width = group.widths[piece] as number;
      const toEnd = unit + width === source.units;
      const fits = width % 4 === 0 || (toEnd && (group.kind === "product" || piece === last));
      if (!fits || (spans[piece]?.at ?? 0) % 4 !== 0) return false;
    }
  }
  return true;
}

function piecesTable(
  { settings, layout, plan }: KernelContext,
  group: InnerShape,
  folds: readonly number[],
  by: number,
): GPUBufferBinding {
  return settings.table(folds.flatMap((fold) =>
    Array.from({ length: group.arity }, (_, piece) => {
      const [child, childFold, unit] = pieceSource(group, fold, piece);
      const source = plan.groups[child] as Group, from = layout.logs(source, childFold);
      return [(from.at + unit) / by, from.stride / by, layout.scale(source, childFold), 0];
    }).flat()
  ));
}

function foldsOf(group: Group): number[] {
  return Array.from({ length: group.folds }, (_, fold) => fold);
}

/** Grid of kernels with a thread for every `width` by sample by fold. */
export function elementGroups(
  { X, Y }: ElementGrid,
  width: number,
  folds: number,
): (batch: BatchShape) => Groups {
  return ({ rows }) => [Math.ceil(width / X), Math.ceil(rows / Y), folds];
}

/** Grid of kernels with a thread, or a workgroup, for every row. */
function rowGrid({ LANES, X }: { LANES: number; X: number }, folds: number): (batch: BatchShape) => Groups {
  return ({ rows }) => [LANES === 1 ? Math.ceil(rows / X) : rows, 1, folds];
}
