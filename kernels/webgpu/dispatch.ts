import { RetortError } from "../../foundation/errors.ts";
import { consented } from "./consent.ts";
import type { ReadyDevice } from "./host.ts";
import { kernelName, type KernelSpec } from "./kernels.ts";
import type { Effort, Groups, Load } from "./pace.ts";

/** What the number of workgroups depends on. */
export interface BatchShape {
  /** Rows of the batch: samples, rounded up to eight. */
  readonly rows: number;
  /** Segments of the longest list of sorted tokens; see tokens.ts. */
  readonly segments: number;
  /** The soft evidence of the batch; absent where there is none. */
  readonly soft?: SoftShape | undefined;
}

/** What the numbers of workgroups and the cost of soft kernels depend on. */
export interface SoftShape {
  /** Weights of the longest row. */
  readonly width: number;
  /** Whether any evidence is dense. */
  readonly dense: boolean;
  /** States of the longest list of sorted evidence. */
  readonly segments: number;
  /** Entries of the longest of its segments. */
  readonly entries: number;
}

/** A kernel with what it works on; made once, dispatched every batch. */
export interface Step {
  /** The kernel. */
  readonly kernel: KernelSpec;
  /** What is bound, in the order of the binding numbers: buffers, or parts of them. */
  readonly bindings: readonly (GPUBuffer | GPUBufferBinding)[];
  /** How many workgroups: any number, as commands.ts cuts them into what a dispatch may have. */
  readonly grid: (batch: BatchShape) => Groups;
  /** What all of them cost at most. */
  readonly effort: (batch: BatchShape) => Effort;
  /** Rounds of the loop that a dispatch may do in part; see `Load`. */
  readonly rounds?: number | ((batch: BatchShape) => number);
  /** Workgroups that may be done together when it does; see `Load`. */
  readonly carried?: number;
}

/** A {@link Step} that is ready to be encoded. */
export interface Dispatch {
  /** Name of the kernel. */
  readonly name: string;
  /** The compiled kernel. */
  readonly pipeline: GPUComputePipeline;
  /** Its bindings. */
  readonly group: GPUBindGroup;
  /** What has to be done for a batch. */
  readonly load: (batch: BatchShape) => Load;
}

/** What a step does for a batch, and what it costs. */
export function loadOf({ grid, effort, rounds, carried }: Step, batch: BatchShape): Load {
  return {
    grid: grid(batch),
    effort: effort(batch),
    ...(rounds !== undefined && { rounds: typeof rounds === "number" ? rounds : rounds(batch) }),
    ...(carried !== undefined && { carried }),
  };
}

/**
 * Compiles the kernels of steps, all in parallel, and makes their bind groups.
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
