import type { Profiler } from "./profile.ts";
import { RetortError } from "../../foundation/errors.ts";
import { kernelName, type Kernels, type KernelSpec } from "./kernels.ts";

/** What the number of workgroups depends on. */
export interface BatchShape {
  /** Rows of the batch: samples, rounded up to eight. */
  readonly rows: number;
  /** Segments of the longest list of sorted tokens; see tokens.ts. */
  readonly segments: number;
}

/** Workgroups of a dispatch for a batch. */
export type Grid = (batch: BatchShape) => readonly [number, number, number];

/** A kernel with what it works on; made once, dispatched every batch. */
export interface Step {
  /** The kernel. */
  readonly kernel: KernelSpec;
  /** What is bound, in the order of the binding numbers: buffers, or parts of them. */
  readonly bindings: readonly (GPUBuffer | GPUBufferBinding)[];
  /** How many workgroups. */
  readonly grid: Grid;
}

/** A {@link Step} that is ready to be encoded. */
export interface Dispatch {
  /** Name of the kernel. */
  readonly name: string;
  /** The compiled kernel. */
  readonly pipeline: GPUComputePipeline;
  /** Its bindings. */
  readonly group: GPUBindGroup;
  /** How many workgroups. */
  readonly grid: Grid;
}

/** Submits what was encoded; `onProblem` gets what the device refuses, when the device has found out. */
export function submit(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  onProblem: (problem: RetortError) => void,
): void {
  device.pushErrorScope("validation");
  device.queue.submit([encoder.finish()]);
  device.popErrorScope().then((problem) => {
    if (problem !== null) onProblem(new RetortError(`the device refuses work: ${problem.message.trim()}`));
  }, () => {});
}

/**
 * Compiles the kernels of steps, all in parallel, and makes their bind groups.
 * @throws {RetortError} with the kernel's name when bindings do not fit
 */
export async function prepare(
  device: GPUDevice,
  kernels: Kernels,
  steps: readonly Step[],
): Promise<Dispatch[]> {
  const pipelines = await Promise.all(steps.map(({ kernel }) => kernels.get(kernel)));
  const problems: Promise<void>[] = [];
  const dispatches = steps.map(({ kernel, bindings, grid }, i): Dispatch => {
    const pipeline = pipelines[i] as GPUComputePipeline;
    const name = kernelName(kernel);
    device.pushErrorScope("validation");
    const group = device.createBindGroup({
      label: name,
      layout: pipeline.getBindGroupLayout(0),
      entries: bindings.map((bound, binding) => ({
        binding,
        resource: "buffer" in bound ? bound : { buffer: bound },
      })),
    });
    problems.push(
      device.popErrorScope().then((problem) => {
        if (problem !== null) throw new RetortError(`kernel ${name}: ${problem.message.trim()}`);
      }),
    );
    return { name, pipeline, group, grid };
  });
  await Promise.all(problems);
  return dispatches;
}

/** Records dispatches into one compute pass, or under a profiler one each. Kernels see what those before wrote. */
export function encode(
  encoder: GPUCommandEncoder,
  dispatches: readonly Dispatch[],
  batch: BatchShape,
  profiler?: Profiler,
): void {
  if (dispatches.length === 0) return;
  if (profiler?.hasRoom(dispatches.length)) {
    for (const dispatch of dispatches) profiler.encode(encoder, dispatch, batch);
    return;
  }
  const pass = encoder.beginComputePass();
  for (const { pipeline, group, grid } of dispatches) {
    const [x, y, z] = grid(batch);
    if (x * y * z === 0) continue;
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(x, y, z);
  }
  pass.end();
}
