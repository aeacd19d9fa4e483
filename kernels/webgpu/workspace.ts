import type { Semiring } from "../../circuits/mod.ts";
import type { Group, Plan } from "../plan.ts";
import { backwardSteps } from "./backward.ts";
import { countSteps } from "./counts.ts";
import { tokenLists } from "./leaf_counts.ts";
import type { OpenDevice } from "./device.ts";
import type { Commands } from "./commands.ts";
import { type Dispatch, prepare, type Step } from "./dispatch.ts";
import { forwardSteps } from "./forward.ts";
import type { Kernels } from "./kernels.ts";
import { Layout } from "./layout.ts";
import type { Arrays, KernelContext, LearningArrays } from "./kernel_context.ts";
import type { ParameterPlaces } from "./parameter_places.ts";
import { type DeviceMemory, STORAGE, UNIFORM } from "./memory.ts";
import { valueColumns } from "./samples.ts";
import { Settings } from "./settings.ts";
import type { SoftRoom } from "./soft_batch.ts";
import { softCountSteps, softSteps } from "./soft_steps.ts";
import { partialNumbers } from "./products.ts";
import type { TileChoice } from "./tiles.ts";
import { TokenSorter, tokenWords } from "./tokens.ts";

/** Parameter buffers, which outlive workspaces. */
export interface ParameterBuffers {
  /** Weights of sums, by page. */
  readonly weights: readonly GPUBuffer[];
  /** Leaf tables, by page. */
  readonly tables: readonly GPUBuffer[];
  /** Log-likelihoods of the leaves' modes. */
  readonly modes: GPUBuffer;
}

/** Count buffers. */
export interface CountBuffers {
  /** Weight counts, by page. */
  readonly counts: readonly GPUBuffer[];
  /** Leaf statistics, by page. */
  readonly statistics: readonly GPUBuffer[];
}

/** What a workspace is created from. */
export interface WorkspaceContext {
  /** The device. */
  readonly open: OpenDevice;
  /** Its kernels. */
  readonly kernels: Kernels;
  /** Its memory. */
  readonly memory: DeviceMemory;
  /** Its command queue. */
  readonly commands: Commands;
  /** The circuit's plan. */
  readonly plan: Plan;
  /** Locations of parameters. */
  readonly places: ParameterPlaces;
  /** Their buffers. */
  readonly parameters: ParameterBuffers;
  /** Chooses tiles. */
  readonly tiles: TileChoice;
}

/** Buffers of soft evidence, with their sizes in words. */
export interface SoftBuffers {
  /** See `SoftEncoder.evidence`. */
  readonly evidence: GPUBuffer;
  /** See `SoftEncoder.sorted`; absent unless learning. */
  readonly sorted: GPUBuffer | undefined;
  /** Size of each in words. */
  readonly words: SoftSizes;
}

/** Sizes of soft evidence, in words. */
interface SoftSizes {
  readonly evidence: number;
  readonly sorted: number;
}

/** Words of soft evidence for `capacity` samples. */
export function softWords(room: SoftRoom, capacity: number): SoftSizes {
  return {
    evidence: room.evidence + capacity * room.evidenceOfSample,
    sorted: Math.max(1, room.sorted + capacity * room.sortedOfSample),
  };
}

/** Bytes of the arrays for `capacity` samples, and of the largest one. */
export function workspaceBytes(
  open: Pick<OpenDevice, "adapter">,
  plan: Plan,
  capacity: number,
  learning: boolean,
  room?: SoftRoom,
): { all: number; largest: number } {
  const { sizes } = new Layout(plan, capacity);
  const arrays = [
    partialNumbers(open, plan, capacity),
    sizes.logs,
    sizes.scales,
    sizes.linear,
    sizes.marks,
    capacity * valueColumns(plan.circuit),
  ];
  const soft = room && softWords(room, capacity);
  if (soft !== undefined) arrays.push(soft.evidence);
  if (learning) {
    if (soft !== undefined) arrays.push(soft.sorted);
    arrays.push(
      sizes.flows,
      sizes.ratios,
      sizes.seen,
      tokenWords(tokenLists(plan).variables, capacity),
    );
  }
  return { all: 4 * arrays.reduce((a, b) => a + b, 0), largest: 4 * Math.max(...arrays) };
}

/** Passes over a batch, ready to be encoded. */
export interface Passes {
  /** The upward pass. */
  readonly forward: readonly Dispatch[];
  /** The downward pass; empty unless learning. */
  readonly backward: readonly Dispatch[];
  /** The counts; empty unless learning. */
  readonly counts: readonly Dispatch[];
}

/** Arrays for batches of up to `capacity` samples, with all steps compiled and bound. */
export class DeviceWorkspace {
  /** Layout of the arrays. */
  readonly layout: Layout;
  /** The arrays. */
  readonly arrays: Arrays;
  /** The arrays for learning, if it learns. */
  readonly learning: LearningArrays | undefined;
  /** `[samples]`: sample weights. */
  readonly sampleWeights: GPUBuffer | undefined;
  /** Buffers of soft evidence, if there is room for any. */
  readonly soft: SoftBuffers | undefined;
  /** Sorts tokens, if it learns. */
  readonly sorter: TokenSorter | undefined;
  /** Passes of the sum semiring. */
  readonly passes: Passes;
  /** The upward pass of max-product; empty unless requested. */
  readonly maximum: readonly Dispatch[];
  readonly #context: WorkspaceContext;
  readonly #buffers: readonly GPUBuffer[];

  private constructor(
    context: WorkspaceContext,
    layout: Layout,
    parts: Pick<
      DeviceWorkspace,
      "arrays" | "learning" | "sampleWeights" | "soft" | "sorter" | "passes" | "maximum"
    >,
    buffers: readonly GPUBuffer[],
  ) {
    this.#context = context;
    this.layout = layout;
    this.arrays = parts.arrays;
    this.learning = parts.learning;
    this.sampleWeights = parts.sampleWeights;
    this.soft = parts.soft;
    this.sorter = parts.sorter;
    this.passes = parts.passes;
    this.maximum = parts.maximum;
    this.#buffers = buffers;
  }

  /**
   * Creates a workspace. With `counts` it learns, under `max` it does max-product only, and with `room` it accepts soft
   * evidence.
   * @throws {DeviceMemoryError} when there is no room for it
   */
  static async create(
    context: WorkspaceContext,
    capacity: number,
    { counts, semiring = "sum", room }: {
      readonly counts?: CountBuffers | undefined;
      readonly semiring?: Semiring;
      readonly room?: SoftRoom | undefined;
    },
  ): Promise<DeviceWorkspace> {
    const { open, memory, commands, plan, places, parameters, tiles } = context;
    const layout = new Layout(plan, capacity), { sizes } = layout;
    const lists = tokenLists(plan).variables;
    const bytes: [string, number, number?][] = [
      ["batch", 16, UNIFORM],
      ["values", capacity * Math.max(1, valueColumns(plan.circuit))],
      ["logs", sizes.logs],
      ["scales", sizes.scales],
      ["linear", sizes.linear],
      ["marks", sizes.marks],
      ["partial sums", partialNumbers(open, plan, capacity)],
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
    const words = room && softWords(room, capacity);
    if (words !== undefined) bytes.push(["soft evidence", words.evidence]);
    if (words !== undefined && counts !== undefined) bytes.push(["sorted soft evidence", words.sorted]);
    const buffers = await memory.allocate(
      `${capacity} samples at a time`,
      bytes.map(([label, numbers, usage]) => ({ label, bytes: 4 * numbers, usage: usage ?? STORAGE })),
    );
    const [batch, values, logs, scales, linear, marks, partials] = buffers as [
      GPUBuffer,
      GPUBuffer,
      GPUBuffer,
      GPUBuffer,
      GPUBuffer,
      GPUBuffer,
      GPUBuffer,
    ];
    const arrays: Arrays = { batch, values, logs, scales, linear, marks, partials, ...parameters };
    const [flows, ratios, flags, seen, tokens, sampleWeights] = buffers.slice(7) as GPUBuffer[];
    const learning = counts &&
      { flows, ratios, flags, seen, words: tokens, ...counts } as LearningArrays | undefined;
    const settings = new Settings();
    const kernelContext: KernelContext = { open, plan, layout, places, settings, tiles, arrays };
    const softFrom = 7 + (counts === undefined ? 0 : 6);
    const soft: SoftBuffers | undefined = words && {
      evidence: buffers[softFrom] as GPUBuffer,
      sorted: buffers[softFrom + 1],
      words,
    };
    const forward = forwardSteps(
      kernelContext,
      semiring,
      (group) => soft === undefined ? [] : softSteps(kernelContext, group, semiring, soft.evidence),
    );
    const down: Step[] = [], count: Step[] = [];
    if (learning !== undefined) {
      const learner = { ...kernelContext, learning };
      down.push(rootStep(kernelContext, learning, sampleWeights as GPUBuffer), ...backwardSteps(learner));
      count.push(...countSteps(learner));
      if (soft?.sorted !== undefined) {
        count.push(...softCountSteps(learner, { evidence: soft.evidence, sorted: soft.sorted }));
      }
    }
    const fill: Step = {
      kernel: { template: "fill", constants: { X: 64, EACH: 64 } },
      bindings: [logs],
      grid: () => [Math.ceil(logs.size / 4 / 64 ** 2), 1, 1],
      effort: () => ({ flops: logs.size / 4, bytes: logs.size }),
    };
    let tables: GPUBuffer[] = [];
    try {
      tables = await memory.allocate("tables of offsets", [
        { label: "shapes", bytes: settings.bytes[0], usage: UNIFORM },
        { label: "tables", bytes: settings.bytes[1] },
      ]);
      settings.upload(commands, tables as [GPUBuffer, GPUBuffer]);
      const all = await prepare(context, [fill, ...forward, ...down, ...count]);
      commands.run(all.slice(0, 1), { rows: 0, segments: 0 });
      commands.submit();
      const up = all.slice(1, 1 + forward.length);
      return new DeviceWorkspace(context, layout, {
        arrays,
        learning,
        sampleWeights: learning && sampleWeights,
        soft,
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

  /** Releases its buffers. */
  release(): void {
    this.#context.memory.release(this.#buffers);
  }
}

function mostStates({ groups }: Plan): number {
  return Math.max(1, ...groups.map((group) => group.kind === "input" ? group.states : 0));
}

function rootStep(
  { plan, layout, settings, arrays }: KernelContext,
  learning: LearningArrays,
  weights: GPUBuffer,
): Step {
  const root = plan.groups.at(-1) as Group;
  const logs = layout.logs(root, 0), flows = layout.flows(root, 0);
  return {
    kernel: { template: "root", constants: { X: 64 } },
    bindings: [
      arrays.batch,
      settings.shape(logs.at, logs.stride, flows.at, flows.stride),
      weights,
      arrays.logs,
      learning.flows,
    ],
    grid: ({ rows }) => [Math.ceil(rows / 64), 1, 1],
    effort: ({ rows }) => ({ flops: rows * flows.stride, bytes: 4 * rows * (flows.stride + 3) }),
  };
}
