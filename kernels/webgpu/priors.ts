import { getOrMake } from "../../foundation/newer.ts";
import type { NodeId } from "../../circuits/mod.ts";
import { nodesOfFolds, type Plan } from "../plan.ts";
import { type Dispatch, prepare, type Step } from "./dispatch.ts";
import { padded } from "./layout.ts";
import { dispatchRuns } from "./folds.ts";
import { STORAGE, UNIFORM } from "./memory.ts";
import { Settings } from "./settings.ts";
import type { DeviceWorkspace, WorkspaceContext } from "./workspace.ts";

/** Slots of a table, each with its parameter. */
export function slotsOf(
  parameters: readonly { id: string; slot: number }[],
  slots: number,
): { id: string; slot: number; index: number }[] {
  return parameters.flatMap(({ id, slot }, i) => {
    const end = parameters[i + 1]?.slot ?? slots;
    return Array.from({ length: end - slot }, (_, index) => ({ id, slot: slot + index, index }));
  });
}

/** Location of the top-down probabilities of a parameter's rows: `units` for each slot, padded. */
export interface PriorPlace {
  /** Offset of the first one. */
  readonly at: number;
  /** Rows per slot. */
  readonly units: number;
  /** Number of the parameter's slots. */
  readonly slots: number;
}

/** Locations of the top-down probabilities of every parameter's rows. */
export function priorsOf(plan: Plan): { sizes: number; of: Map<string, PriorPlace> } {
  const of = new Map<string, PriorPlace>();
  let sizes = 0;
  for (const { parameters, slots, units } of [...plan.weightTables, ...plan.leafTables]) {
    for (const { id, index } of slotsOf(parameters, slots)) {
      of.set(id, { at: of.get(id)?.at ?? sizes, units, slots: index + 1 });
      sizes += padded(units);
    }
  }
  return { sizes, of };
}

/** Resources for gathering top-down probabilities. */
export interface Gathering {
  /** The workspace with the flows. */
  readonly work: DeviceWorkspace;
  /** Its steps. */
  readonly steps: readonly Dispatch[];
  /** Its buffers. */
  readonly buffers: readonly GPUBuffer[];
  /** The node of each factor. */
  readonly nodes: readonly NodeId[];
  /** Factor of each node. */
  readonly factors: GPUBuffer;
}

/** Creates steps that gather the top-down probabilities of all parameters' rows from a workspace's flows, into `into`. */
export async function gatheringOf(
  context: WorkspaceContext,
  work: DeviceWorkspace,
  priors: ReadonlyMap<string, PriorPlace>,
  into: GPUBuffer,
): Promise<Gathering> {
  const { open, memory, commands, plan } = context;
  const settings = new Settings();
  interface Entry {
    readonly to: number;
    readonly sources: number[];
    readonly nodes: NodeId[];
    readonly width: number;
  }
  const entries: Entry[] = [];
  const byPlace = new Map<number, Entry>();
  for (const group of plan.groups) {
    if (group.kind === "product" || group.table < 0) continue;
    const tables = group.kind === "sum" ? plan.weightTables : plan.leafTables;
    const table = tables[group.table] as (typeof tables)[number];
    const owners = nodesOfFolds(plan, group);
    for (let fold = 0; fold < group.folds; fold++) {
      const slot = group.slots[group.kind === "sum" ? Math.floor(fold / group.uses) : fold] as number;
      const owner = table.parameters.findLast((parameter) => parameter.slot <= slot) as {
        id: string;
        slot: number;
      };
      const { at } = priors.get(owner.id) as { at: number };
      const to = at + (slot - owner.slot) * padded(table.units);
      const entry = getOrMake(byPlace, to, () => {
        const entry: Entry = { to, sources: [], nodes: [], width: padded(table.units) };
        entries.push(entry);
        return entry;
      });
      const flow = work.layout.flows(group, fold),
        first = group.kind === "input" ? group.firstUnits[fold] as number : 0;
      entry.sources.push(flow.at, flow.stride, first, first + group.units);
      entry.nodes.push(owners[fold] as NodeId);
    }
  }
  const X = 64, nodes: NodeId[] = [];
  const [factors] = await memory.allocate("weights of top-down probabilities", [
    {
      label: "factors",
      bytes: 4 * entries.reduce((n, entry) => n + entry.nodes.length, 0),
      usage: STORAGE,
    },
  ]) as [GPUBuffer];
  const steps = dispatchRuns(
    open,
    entries,
    ({ width }) => String(width),
    ({ sources }) => 4 + 4 * sources.length,
  ).map((run): Step => {
    const { width } = run[0] as { width: number };
    const folds: number[] = [], all: number[] = [];
    for (const { to, sources, nodes: own } of run) {
      folds.push(to, all.length / 4, own.length, nodes.length);
      all.push(...sources);
      nodes.push(...own);
    }
    return {
      kernel: { template: "collect", constants: { APART: true, X, Y: 1 } },
      bindings: [
        work.arrays.batch,
        settings.shape(width),
        settings.table(folds),
        settings.table(all),
        (work.learning as { flows: GPUBuffer }).flows,
        into,
        factors,
      ],
      // Only the first sample, the one without observations.
      grid: () => [Math.ceil(width / X), 1, run.length],
      effort: () => ({ flops: width * all.length / 4, bytes: width * (all.length + 4 * run.length) }),
    };
  });
  const buffers = await memory.allocate("tables of top-down probabilities", [
    { label: "shapes", bytes: settings.bytes[0], usage: UNIFORM },
    { label: "tables", bytes: settings.bytes[1], usage: STORAGE },
  ]);
  settings.upload(commands, buffers as [GPUBuffer, GPUBuffer]);
  return {
    work,
    steps: await prepare(context, steps),
    buffers: [...buffers, factors],
    nodes,
    factors,
  };
}
