import type { Semiring } from "../../circuits/mod.ts";
import type { Group, Plan } from "../plan.ts";
import { backwardSteps, countSteps, tokenLists } from "./backward.ts";
import type { OpenDevice } from "./device.ts";
import { type Dispatch, prepare, type Step } from "./dispatch.ts";
import { forwardSteps } from "./forward.ts";
import type { Kernels } from "./kernels.ts";
import { Layout } from "./layout.ts";
import type { Arrays, LearningArrays, Machine, ParameterPlaces } from "./machine.ts";
import { type DeviceMemory, STORAGE, UNIFORM } from "./memory.ts";
import { valueColumns } from "./samples.ts";
import { Settings } from "./settings.ts";
import type { TileChoice } from "./tiles.ts";
import { TokenSorter, tokenWords } from "./tokens.ts";

/** Buffers of parameters, which outlive workspaces. */
export interface ParameterBuffers {
  /** Weights of sums, by page. */
  readonly weights: readonly GPUBuffer[];
  /** Tables of leaves, by page. */
  readonly tables: readonly GPUBuffer[];
  /** Logarithms of the modes of leaves. */
  readonly modes: GPUBuffer;
}

/** Buffers of counts. */
export interface CountBuffers {
  /** Counts of weights, by page. */
  readonly counts: readonly GPUBuffer[];
  /** Statistics of leaves, by page. */
  readonly statistics: readonly GPUBuffer[];
}

/** What a workspace is made with. */
export interface WorkspaceContext {
  /** The device. */
  readonly open: OpenDevice;
  /** Its kernels. */
  readonly kernels: Kernels;
  /** Its memory. */
  readonly memory: DeviceMemory;
  /** What is run. */
  readonly plan: Plan;
  /** Where parameters lie. */
  readonly places: ParameterPlaces;
  /** Their buffers. */
  readonly parameters: ParameterBuffers;
  /** Chooses tiles. */
  readonly tiles: TileChoice;
}

/** Bytes of the arrays for `capacity` samples, and of the largest of them. */
export function workspaceBytes(
  plan: Plan,
  capacity: number,
  learning: boolean,
): { all: number; largest: number } {
  const { sizes } = new Layout(plan, capacity);
  const arrays = [
    sizes.logs,
    sizes.scales,
    sizes.linear,
    sizes.marks,
    capacity * valueColumns(plan.circuit),
  ];
  if (learning) {
    arrays.push(
      sizes.flows,
      sizes.ratios,
      sizes.seen,
      tokenWords(tokenLists(plan.groups).variables, capacity),
    );
  }
  return { all: 4 * arrays.reduce((a, b) => a + b, 0), largest: 4 * Math.max(...arrays) };
}

/** Passes over a batch that are ready to be encoded. */
export interface Passes {
  /** The upward pass. */
  readonly forward: readonly Dispatch[];
  /** The downward pass; empty unless learning. */
  readonly backward: readonly Dispatch[];
  /** The counts; empty unless learning. */
  readonly counts: readonly Dispatch[];
}

/** Arrays for batches of up to `capacity` samples, with all steps compiled and bound. */
export class Workspace {
  /** Where everything lies. */
  readonly layout: Layout;
  /** The arrays. */
  readonly arrays: Arrays;
  /** The arrays of learning, if it learns. */
  readonly learning: LearningArrays | undefined;
  /** `[samples]`: weights of samples. */
  readonly sampleWeights: GPUBuffer | undefined;
  /** Sorts tokens, if it learns. */
  readonly sorter: TokenSorter | undefined;
  /** Passes of the ordinary semiring. */
  readonly passes: Passes;
  /** The upward pass of max-product; empty unless asked for. */
  readonly maximum: readonly Dispatch[];
  readonly #context: WorkspaceContext;
  readonly #buffers: readonly GPUBuffer[];

  private constructor(
    context: WorkspaceContext,
    layout: Layout,
    parts: Pick<Workspace, "arrays" | "learning" | "sampleWeights" | "sorter" | "passes" | "maximum">,
    buffers: readonly GPUBuffer[],
  ) {
    this.#context = context;
    this.layout = layout;
    this.arrays = parts.arrays;
    this.learning = parts.learning;
    this.sampleWeights = parts.sampleWeights;
    this.sorter = parts.sorter;
    this.passes = parts.passes;
    this.maximum = parts.maximum;
    this.#buffers = buffers;
  }

  /**
   * Makes a workspace; with `counts` it learns, under `max` it does max-product and nothing else.
   * @throws {DeviceMemoryError} when there is no room for it
   */
  static async create(
    context: WorkspaceContext,
    capacity: number,
    { counts, semiring = "sum" }: { counts?: CountBuffers | undefined; semiring?: Semiring },
  ): Promise<Workspace> {
    const { open, kernels, memory, plan, places, parameters, tiles } = context;
    const layout = new Layout(plan, capacity), { sizes } = layout;
    const lists = tokenLists(plan.groups).variables;
    const bytes: [string, number, number?][] = [
      ["batch", 16, UNIFORM],
      ["values", capacity * Math.max(1, valueColumns(plan.circuit))],
      ["logs", sizes.logs],
      ["scales", sizes.scales],
      ["linear", sizes.linear],
      ["marks", sizes.marks],
    ];
    if (counts !== undefined) {
      bytes.push(
        ["flows", sizes.flows],
        ["ratios", sizes.ratios],
        ["flags", sizes.flags],
        ["observed scopes", sizes.seen],
        ["words", tokenWords(lists, capacity)],
        ["sample weights", capacity],
      );
    }
    const buffers = await memory.allocate(
      `${capacity} samples at a time`,
      bytes.map(([label, numbers, usage]) => ({ label, bytes: 4 * numbers, usage: usage ?? STORAGE })),
    );
    const [batch, values, logs, scales, linear, marks] = buffers as [
      GPUBuffer,
      GPUBuffer,
      GPUBuffer,
      GPUBuffer,
      GPUBuffer,
      GPUBuffer,
    ];
    const arrays: Arrays = { batch, values, logs, scales, linear, marks, ...parameters };
    const [flows, ratios, flags, seen, words, sampleWeights] = buffers.slice(6) as GPUBuffer[];
    const learning = counts && { flows, ratios, flags, seen, words, ...counts } as LearningArrays | undefined;
    const settings = new Settings();
    const machine: Machine = { open, plan, layout, places, settings, tiles, arrays };
    const forward = forwardSteps(machine, semiring);
    const down: Step[] = [], count: Step[] = [];
    if (learning !== undefined) {
      const learner = { ...machine, learning };
      down.push(rootStep(machine, learning, sampleWeights as GPUBuffer), ...backwardSteps(learner));
      count.push(...countSteps(learner));
    }
    const fill: Step = {
      kernel: { template: "fill", constants: {} },
      bindings: [logs],
      grid: () => [Math.min(1024, Math.ceil(sizes.logs / 64)), 1, 1],
    };
    let tables: GPUBuffer[] = [];
    try {
      tables = await memory.allocate("tables of offsets", [
        { label: "shapes", bytes: settings.bytes[0], usage: UNIFORM },
        { label: "tables", bytes: settings.bytes[1] },
      ]);
      settings.upload(open.device.queue, tables as [GPUBuffer, GPUBuffer]);
      const all = await prepare(open.device, kernels, [fill, ...forward, ...down, ...count]);
      const encoder = open.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      const filler = all[0] as Dispatch;
      pass.setPipeline(filler.pipeline);
      pass.setBindGroup(0, filler.group);
      pass.dispatchWorkgroups(...filler.grid({ rows: 0, segments: 0 }));
      pass.end();
      open.device.queue.submit([encoder.finish()]);
      const up = all.slice(1, 1 + forward.length);
      return new Workspace(context, layout, {
        arrays,
        learning,
        sampleWeights,
        sorter: learning && new TokenSorter(lists, mostStates(plan), capacity),
        passes: {
          forward: semiring === "sum" ? up : [],
          backward: all.slice(1 + forward.length, 1 + forward.length + down.length),
          counts: all.slice(1 + forward.length + down.length),
        },
        maximum: semiring === "max" ? up : [],
      }, [...buffers, ...tables]);
    } catch (error) {
      memory.release([...buffers, ...tables]);
      throw error;
    }
  }

  /** Gives its buffers back. */
  release(): void {
    this.#context.memory.release(this.#buffers);
  }
}

function mostStates({ circuit }: Plan): number {
  return Math.max(
    1,
    ...circuit.variables.map((variable) => variable.kind === "categorical" ? variable.states : 0),
  );
}

function rootStep(
  { plan, layout, settings, arrays }: Machine,
  learning: LearningArrays,
  weights: GPUBuffer,
): Step {
  const root = plan.groups.at(-1) as Group;
  const logs = layout.logs(root, 0), flows = layout.flows(root, 0);
  return {
    kernel: { template: "root", constants: {} },
    bindings: [
      arrays.batch,
      settings.shape(logs.at, logs.stride, flows.at, flows.stride),
      weights,
      arrays.logs,
      learning.flows,
    ],
    grid: (batch) => [Math.ceil(batch.rows / 64), 1, 1],
  };
}
