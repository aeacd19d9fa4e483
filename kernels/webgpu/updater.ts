import {
  amountOf,
  type CountedWeight,
  parameterOwners,
  settingsFor,
  STEPS,
  type UpdateRule,
} from "../../circuits/mod.ts";
import { gpuTable } from "../leaves/mod.ts";
import { STEP_SNIPPETS } from "../steps/mod.ts";
import { type Dispatch, prepare, type Step } from "./dispatch.ts";
import { padded } from "./layout.ts";
import { dispatchRuns } from "./folds.ts";
import { elementGridFor, rowLanes } from "./grids.ts";
import { UNIFORM } from "./memory.ts";
import type { Effort } from "./pace.ts";
import type { PagePart } from "./pages.ts";
import { type Gathering, gatheringOf, type PriorPlace, priorsOf, slotsOf } from "./priors.ts";
import { Settings } from "./settings.ts";
import type { CountBuffers, DeviceWorkspace, WorkspaceContext } from "./workspace.ts";

/** States summed by one thread. */
const PART = 256;

/** A slot of a weight or leaf table. */
interface SlotPlace {
  /** Index of its settings. */
  readonly settings: number;
  /** Index of its first prior. */
  readonly prior: number;
}

/**
 * The M-step of everything that consists of distributions: weights of sums, leaves over states. The host updates
 * parameters without a closed form or with a base distribution of their own; see engine.ts.
 */
export class Updater {
  readonly #context: WorkspaceContext;
  readonly #counts: CountBuffers;
  /** Parameters in the order of their settings. */
  readonly #ids: readonly string[];
  readonly #priors: { readonly sizes: number; readonly of: ReadonlyMap<string, PriorPlace> };
  readonly #rule: GPUBuffer;
  readonly #settings: GPUBuffer;
  readonly #priorBuffer: GPUBuffer;
  readonly #steps: readonly Dispatch[];
  #gather: Gathering | undefined;

  private constructor(
    context: WorkspaceContext,
    counts: CountBuffers,
    parts: {
      ids: readonly string[];
      priors: { sizes: number; of: ReadonlyMap<string, PriorPlace> };
      buffers: readonly [GPUBuffer, GPUBuffer, GPUBuffer];
      steps: readonly Dispatch[];
    },
  ) {
    this.#context = context;
    this.#counts = counts;
    this.#ids = parts.ids;
    this.#priors = parts.priors;
    [this.#rule, this.#settings, this.#priorBuffer] = parts.buffers;
    this.#steps = parts.steps;
  }

  /** Compiles and binds all steps. */
  static async create(context: WorkspaceContext, counts: CountBuffers): Promise<Updater> {
    const { memory, commands, plan } = context;
    const ids = [...plan.weightTables, ...plan.leafTables].flatMap(({ parameters }) =>
      parameters.map(({ id }) => id)
    );
    const priors = priorsOf(plan);
    const totals = totalsOf(context);
    const made = await memory.allocate("the M-step", [
      { label: "rule", bytes: 16, usage: UNIFORM },
      { label: "settings of parameters", bytes: 16 * ids.length },
      { label: "priors", bytes: 4 * priors.sizes },
      { label: "totals", bytes: 4 * totals.size },
    ]);
    const [rule, settings, prior, total] = made as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
    const tables = new Settings();
    const index = new Map(ids.map((id, i) => [id, i]));
    const place = (id: string, slot: number): SlotPlace => {
      const { at, units } = priors.of.get(id) as PriorPlace;
      return { settings: index.get(id) as number, prior: at + slot * padded(units) };
    };
    const buffers = { rule, settings, prior, total };
    const steps = [
      ...weightSteps(context, counts, tables, buffers, place),
      ...leafSteps(context, counts, tables, buffers, place, totals.at),
    ];
    const bound = await memory.allocate("tables of the M-step", [
      { label: "shapes of the M-step", bytes: tables.bytes[0], usage: UNIFORM },
      { label: "tables of the M-step", bytes: tables.bytes[1] },
    ]);
    tables.upload(commands, bound as [GPUBuffer, GPUBuffer]);
    return new Updater(context, counts, {
      ids,
      priors,
      buffers: [rule, settings, prior],
      steps: await prepare(context, steps),
    });
  }

  /**
   * Computes new values for all parameters but those in `others`, and zeroes all counts. Steps that need priors require
   * {@link Updater.gatherPriors} first.
   */
  update(rule: UpdateRule, weight: number, others: ReadonlySet<string>): void {
    const { commands, plan } = this.#context;
    const { step } = rule;
    const words = new Uint32Array(4), numbers = new Float32Array(words.buffer);
    words[0] = STEPS.indexOf(step.kind);
    numbers[1] = amountOf(step);
    numbers[2] = weight;
    commands.write(this.#rule, 0, words);
    const owners = parameterOwners(plan.circuit);
    const settings = new Uint32Array(4 * this.#ids.length);
    this.#ids.forEach((id, i) => {
      const { pseudocount, mix, frozen } = settingsFor(
        rule,
        id,
        owners.get(id)?.kind === "sum" ? "sum" : "input",
      );
      new Float32Array(settings.buffer, 16 * i, 2).set([pseudocount, mix]);
      settings[4 * i + 2] = frozen || others.has(id) ? 0 : 1;
    });
    commands.write(this.#settings, 0, settings);
    commands.run(this.#steps, { rows: 0, segments: 0 });
    commands.clear(...this.#counts.counts, ...this.#counts.statistics);
    commands.submit();
  }

  /**
   * Gathers the top-down probability of every row from the flows in `work`; see `DeviceSession.topDown`. Each node is
   * scaled by the share of the weight that belongs to samples with evidence about it.
   */
  async gatherPriors(work: DeviceWorkspace, weight: CountedWeight): Promise<void> {
    const { commands } = this.#context;
    if (this.#gather?.work !== work) {
      if (this.#gather !== undefined) this.#context.memory.release(this.#gather.buffers);
      this.#gather = await gatheringOf(this.#context, work, this.#priors.of, this.#priorBuffer);
    }
    const { factors, nodes, steps } = this.#gather;
    const shares = Float32Array.from(nodes, (node) => weight.total > 0 ? weight.of(node) / weight.total : 1);
    commands.write(factors, 0, shares);
    commands.run(steps, { rows: 1, segments: 0 });
    commands.submit();
  }

  /** Location of the gathered priors: `[units]` of each parameter, row by row. */
  get priors(): { buffer: GPUBuffer; of: ReadonlyMap<string, PriorPlace> } {
    return { buffer: this.#priorBuffer, of: this.#priors.of };
  }
}

interface StepBuffers {
  readonly rule: GPUBuffer;
  readonly settings: GPUBuffer;
  readonly prior: GPUBuffer;
  readonly total: GPUBuffer;
}

type PlaceOf = (id: string, slot: number) => SlotPlace;

function weightSteps(
  { open, plan, places, parameters }: WorkspaceContext,
  { counts }: CountBuffers,
  tables: Settings,
  buffers: StepBuffers,
  place: PlaceOf,
): Step[] {
  const lanes = rowLanes({ open });
  return plan.weightTables.flatMap((table, t) => {
    const entries = slotsOf(table.parameters, table.slots).flatMap(({ id, slot, index }) =>
      (places.weights[t]?.[slot] as readonly PagePart[]).map((part) => ({ part, ...place(id, index) }))
    );
    return dispatchRuns(open, entries, ({ part }) => `${part.page} ${part.from}`, () => 8).map(
      (run): Step => {
        const { page, from, to } = (run[0] as { part: PagePart }).part;
        return {
          kernel: { template: "update", constants: { KIND: "rows", ...lanes }, snippets: STEP_SNIPPETS },
          bindings: [
            tables.shape(table.inputs, padded(table.inputs) / 4, 0, 0, 0, 0),
            tables.table(run.flatMap(({ part, settings, prior }) => [
              part.at / 4,
              part.at / 4,
              to - from,
              settings,
              prior + from,
              0,
              0,
              0,
            ])),
            buffers.rule,
            counts[page] as GPUBuffer,
            buffers.settings,
            parameters.weights[page] as GPUBuffer,
            buffers.prior,
          ],
          grid: () => [lanes.LANES === 1 ? Math.ceil((to - from) / lanes.X) : to - from, 1, run.length],
          effort: entriesOf(run.length * (to - from) * padded(table.inputs), 16),
        };
      },
    );
  });
}

/** Cost of a step with a few operations, and `bytes` bytes read and written, per entry. */
function entriesOf(entries: number, bytes: number): () => Effort {
  return () => ({ flops: 8 * entries, bytes: bytes * entries });
}

/** Location of the sums over states for every leaf slot on the device: `[parts, padded(units)]` numbers each. */
function totalsOf(
  { plan, places }: WorkspaceContext,
): { size: number; at: (table: number, slot: number) => number } {
  const starts: number[][] = [];
  let size = 0;
  plan.leafTables.forEach(({ family, units, slots }, t) => {
    starts.push([]);
    for (let slot = 0; slot < slots; slot++) {
      starts[t]?.push(size);
      if (gpuTable(family).probabilities) size += partsOf(places.statistics[t]?.[slot] ?? []) * padded(units);
    }
  });
  return { size, at: (table, slot) => starts[table]?.[slot] as number };
}

/** Number of partial sums that make up a total. */
function partsOf(parts: readonly PagePart[]): number {
  return parts.reduce((n, { from, to }) => n + Math.ceil((to - from) / PART), 0);
}

function leafSteps(
  { open, plan, places, parameters }: WorkspaceContext,
  { statistics }: CountBuffers,
  tables: Settings,
  buffers: StepBuffers,
  place: PlaceOf,
  totalsAt: (table: number, slot: number) => number,
): Step[] {
  const { X, Y } = elementGridFor({ open }, 8);
  return plan.leafTables.flatMap((table, t) => {
    if (!gpuTable(table.family).probabilities) return [];
    const width = padded(table.units) / 4, groups = Math.ceil(width / X);
    const entries = slotsOf(table.parameters, table.slots).flatMap(({ id, slot, index }) => {
      const values = places.tables[t]?.[slot] as readonly PagePart[];
      return (places.statistics[t]?.[slot] as readonly PagePart[]).map((counts, i) => ({
        counts,
        values: values[i] as PagePart,
        before: partsOf((places.statistics[t]?.[slot] as readonly PagePart[]).slice(0, i)),
        parts: partsOf(places.statistics[t]?.[slot] as readonly PagePart[]),
        totals: totalsAt(t, slot),
        ...place(id, index),
      }));
    });
    type Entry = (typeof entries)[number];
    const all = dispatchRuns(
      open,
      entries,
      ({ counts, values }) => `${counts.page} ${values.page} ${counts.from}`,
      () => 8,
    );
    const common = (run: readonly Entry[]) => {
      const { counts: { from, to, page }, values, before, parts } = run[0] as Entry;
      return {
        states: to - from,
        page,
        valuesPage: values.page,
        shape: tables.shape(table.states, width, to - from, table.units, before, parts),
        slots: tables.table(run.flatMap(({ counts, values, settings, prior, totals }) => [
          values.at / 4,
          counts.at / 4,
          0,
          settings,
          prior / 4,
          totals / 4,
          0,
          0,
        ])),
      };
    };
    const prepared = all.map((run) => ({ run, ...common(run) }));
    return [
      ...prepared.map(({ run, states, page, shape, slots }): Step => ({
        kernel: { template: "update", constants: { KIND: "totals", PART, X }, snippets: STEP_SNIPPETS },
        bindings: [shape, slots, buffers.total, statistics[page] as GPUBuffer],
        grid: () => [groups, Math.ceil(states / PART), run.length],
        effort: entriesOf(run.length * states * padded(table.units), 4),
      })),
      ...prepared.filter(({ run }) => (run[0] as Entry).before === 0).map(({ run, shape, slots }): Step => ({
        kernel: { template: "update", constants: { KIND: "reduce", X }, snippets: STEP_SNIPPETS },
        bindings: [shape, slots, buffers.total],
        grid: () => [groups, 1, run.length],
        effort: entriesOf(run.length * Math.ceil(table.states / PART) * padded(table.units), 4),
      })),
      ...prepared.map(({ run, states, page, valuesPage, shape, slots }): Step => ({
        kernel: { template: "update", constants: { KIND: "states", X, Y }, snippets: STEP_SNIPPETS },
        bindings: [
          shape,
          slots,
          buffers.rule,
          statistics[page] as GPUBuffer,
          buffers.settings,
          parameters.tables[valuesPage] as GPUBuffer,
          buffers.prior,
          buffers.total,
        ],
        grid: () => [groups, Math.ceil(states / Y), run.length],
        effort: entriesOf(run.length * states * padded(table.units), 12),
      })),
    ];
  });
}
