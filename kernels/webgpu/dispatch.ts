import { RetortError } from "../../foundation/errors.ts";
import { consented } from "./consent.ts";
import type { ReadyDevice } from "./host.ts";
import { kernelName, type KernelSpec } from "./kernels.ts";
import type { Effort, Groups, Load } from "./pace.ts";

/** Properties of a batch that decide the number of workgroups. */
export interface BatchShape {
  /** Rows of the batch: samples, rounded up to a multiple of eight. */
  readonly rows: number;
  /** Segments of the longest list of sorted tokens; see tokens.ts. */
  readonly segments: number;
  /** The batch's soft evidence, if it has any. */
  readonly soft?: SoftShape | undefined;
}

/** Properties of soft evidence that decide the workgroups and cost of soft kernels. */
export interface SoftShape {
  /** Number of weights in the longest row. */
  readonly width: number;
  /** Whether any evidence is dense. */
  readonly dense: boolean;
  /** Number of states in the longest list of sorted evidence. */
  readonly segments: number;
  /** Number of entries in the longest of its segments. */
  readonly entries: number;
}

/** A kernel and its bindings; created once, dispatched for every batch. */
export interface Step {
  /** The kernel. */
  readonly kernel: KernelSpec;
  /** Buffers, or parts of them, in the order of binding numbers. */
  readonly bindings: readonly (GPUBuffer | GPUBufferBinding)[];
  /** Number of workgroups, without limit: commands.ts splits them into dispatches. */
  readonly grid: (batch: BatchShape) => Groups;
  /** Upper estimate of the cost of all workgroups. */
  readonly effort: (batch: BatchShape) => Effort;
  /** Loop iterations that may be split across dispatches; see `Load`. */
  readonly rounds?: number | ((batch: BatchShape) => number);
}

/** A {@link Step} ready to be encoded. */
export interface Dispatch {
  /** Name of the kernel. */
  readonly name: string;
  /** The compiled kernel. */
  readonly pipeline: GPUComputePipeline;
  /** Its bind group. */
  readonly group: GPUBindGroup;
  /** Workgroups and cost for a batch. */
  readonly load: (batch: BatchShape) => Load;
}

/** Workgroups and cost of a step for a batch. */
export function loadOf({ grid, effort, rounds }: Step, batch: BatchShape): Load {
  return {
    grid: grid(batch),
    effort: effort(batch),
    ...(rounds !== undefined && { rounds: typeof rounds === "number" ? rounds : rounds(batch) }),
  };
}

/**
 * Compiles the kernels of steps in parallel, and creates their bind groups.
 * @throws {RetortError} with the kernel's name when bindings do not fit
 */
export async function prepare(
  { open: { device }, kernels }: Pick<ReadyDevice, "open" | "kernels">,
  steps: readonly Step[],
): Promise<Dispatch[]> {
  const most = device.limits.maxStorageBufferBindingSize;
  const pipelines = await Promise.all(steps.map(({ kernel }) => kernels.get(kernel)));
  return await Promise.all(steps.map(async (step, i): Promise<Dispatch> => {
    const { kernel, bindings } = step, name = kernelName(kernel);
    const pipeline = pipelines[i] as GPUComputePipeline;
    for (const bound of bindings) {
      const bytes = "buffer" in bound ? bound.size ?? bound.buffer.size : bound.size;
      if (bytes > most) {
        throw new RetortError(
          "gpu/limits",
          `kernel ${name} needs ${bytes} bytes in one binding, this device allows ${most}`,
          { hint: "Use a smaller model, or another device or engine." },
        );
      }
    }
    const group = await consented(device, `kernel ${name}`, () =>
      device.createBindGroup({
        label: name,
        layout: pipeline.getBindGroupLayout(0),
        entries: bindings.map((bound, binding) => ({
          binding,
          resource: "buffer" in bound ? bound : { buffer: bound },
        })),
      }));
    return { name, pipeline, group, load: (batch) => loadOf(step, batch) };
  }));
}
