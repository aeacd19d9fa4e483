import { certainStates, type InputNode, type Semiring } from "../../circuits/mod.ts";
import type { ValueSnippet } from "../leaves/device_leaf.ts";
import { deviceLeaf } from "../leaves/mod.ts";
import type { InputGroup, LeafTable } from "../plan.ts";
import type { Step } from "./dispatch.ts";
import { perNumber } from "./effort.ts";
import { columnsOfFolds, dispatchRuns, foldsOf, leafParts, nodeOfFold } from "./folds.ts";
import { elementGridFor, elementGroups } from "./grids.ts";
import type { KernelContext } from "./kernel_context.ts";
import { padded } from "./layout.ts";
import { TRANSCENDENTAL } from "./pace.ts";
import type { PagePart } from "./pages.ts";
import { valueColumns } from "./samples.ts";

/** Steps from values to the log-likelihoods of a leaf group. */
export function leafSteps(context: KernelContext, group: InputGroup, semiring: Semiring): Step[] {
  const { settings, layout, arrays, open, plan, places } = context;
  const { gpu } = deviceLeaf(group.family);
  // The host writes log-likelihoods supplied with the data.
  if (gpu.kind === "given") return [];
  const folds = foldsOf(group), columns = columnsOfFolds(plan, group);
  if (gpu.kind === "list") return listSteps(context, group, folds, gpu.value);
  const { value } = gpu, table = plan.leafTables[group.table] as LeafTable;
  const by = [group.units, ...group.firstUnits].every((n) => n % 4 === 0) ? 4 : 1;
  const width = group.units / by;
  const entries = folds.flatMap((fold) =>
    leafParts(places.tables, group, fold).map((part) => ({ fold, part }))
  );
  return dispatchRuns(open, entries, ({ part }) => `${part.page} ${part.from}`, () => 4).map((run): Step => {
    const { page, from, to } = (run[0] as { part: PagePart }).part;
    const grid = elementGridFor(context, width);
    return {
      kernel: {
        template: "leaves",
        constants: {
          KIND: value.kind,
          ...value.constants?.(plan.circuit),
          MAX: semiring === "max",
          VEC: by === 4,
          ...grid,
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
          (modeRow(context, group.table, group.slots[fold] as number) + (group.firstUnits[fold] as number)) /
          by,
        ])),
        arrays.values,
        arrays.logs,
        arrays.tables[page] as GPUBuffer,
        ...(semiring === "max" ? [arrays.modes] : []),
      ],
      grid: elementGroups(grid, width, run.length),
      effort: perNumber(run.length * group.units, 3 * TRANSCENDENTAL, 16),
    };
  });
}

/** Offset of a slot's mode log-likelihoods in the array of modes. */
export function modeRow({ plan }: KernelContext, table: number, slot: number): number {
  let at = 0;
  for (let t = 0; t < table; t++) {
    const { slots, units } = plan.leafTables[t] as { slots: number; units: number };
    at += slots * padded(units);
  }
  return at + slot * padded((plan.leafTables[table] as { units: number }).units);
}

function listSteps(
  context: KernelContext,
  group: InputGroup,
  folds: readonly number[],
  value: ValueSnippet,
): Step[] {
  const { settings, layout, arrays, open, plan } = context;
  const columns = columnsOfFolds(plan, group);
  const grid = elementGridFor(context, group.units);
  const states = settings.table(folds.flatMap((fold) => statesOfFold(context, group, fold)));
  return dispatchRuns(open, folds, () => "", () => 4).map((run): Step => ({
    kernel: {
      template: "leaves",
      constants: { KIND: value.kind, ...value.constants?.(plan.circuit), MAX: false, VEC: false, ...grid },
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
    grid: elementGroups(grid, group.units, run.length),
    effort: perNumber(run.length * group.units, 4, 12),
  }));
}

/** States of a fold's units, for leaves without parameters. */
export function statesOfFold({ plan }: KernelContext, group: InputGroup, fold: number): readonly number[] {
  const node = plan.circuit.nodes[nodeOfFold(plan.places, group, fold)] as InputNode;
  const states = certainStates(plan.circuit, node) ?? [];
  const first = group.firstUnits[fold] as number;
  return states.slice(first, first + group.units);
}
