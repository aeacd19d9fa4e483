import { messageOf, RetortError } from "../../foundation/errors.ts";
import { findGpu } from "../../foundation/gpu.ts";
import { keepDrivers } from "../../kernels/gpu.ts";
import { type DeviceOptions, openDevice } from "../../kernels/webgpu/device.ts";
import type { TransitionProducts } from "./products.ts";
import type { Reals, TokenHmm } from "./token_hmm.ts";

/** Products of a workgroup: rows and states. */
const TILE = 16;
/** Threads of a workgroup that multiplies one row, and how many share a state's sum. */
const COLUMNS = 32, SLICES = 8;
/** Rows below which rows are multiplied one by one: a tile of many would be idle. */
const FEW = 4;

const HEAD = `
@group(0) @binding(0) var<storage, read> matrix: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
override states: u32;
`;

/** Tiles of \`rows · matrix\`, or of \`rows · matrixᵀ\`, by shared memory. */
const tiled = (element: string): string =>
  `${HEAD}
var<workgroup> left: array<array<f32, ${TILE}>, ${TILE}>;
var<workgroup> right: array<array<f32, ${TILE}>, ${TILE}>;
@compute @workgroup_size(${TILE}, ${TILE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) own: vec3u) {
  let row = group.y * ${TILE}u + own.y;
  let state = group.x * ${TILE}u + own.x;
  let count = arrayLength(&rows) / states;
  var sum = 0.0;
  for (var base = 0u; base < states; base += ${TILE}u) {
    let k = base + own.x;
    left[own.y][own.x] = select(0.0, rows[min(row, count - 1u) * states + min(k, states - 1u)], row < count && k < states);
    ${element}
    workgroupBarrier();
    for (var i = 0u; i < ${TILE}u; i++) { sum += left[own.y][i] * right[i][own.x]; }
    workgroupBarrier();
  }
  if (row < count && state < states) { sums[row * states + state] = sum; }
}`;

/** Loads neighbours of memory by neighbouring threads. */
const FORWARD_TILE = `
    let before = base + own.y;
    right[own.y][own.x] = select(0.0, matrix[min(before, states - 1u) * states + min(state, states - 1u)],
      before < states && state < states);`;
const BACKWARD_TILE = `
    let to = group.x * ${TILE}u + own.y;
    right[own.x][own.y] = select(0.0, matrix[min(to, states - 1u) * states + min(k, states - 1u)],
      to < states && k < states);`;

/** One row with the matrix, several threads a state. */
const oneRow = (place: string): string =>
  `${HEAD}
var<workgroup> parts: array<array<f32, ${COLUMNS}>, ${SLICES}>;
@compute @workgroup_size(${COLUMNS}, ${SLICES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) own: vec3u) {
  let state = group.x * ${COLUMNS}u + own.x;
  let row = group.y * states;
  var sum = 0.0;
  if (state < states) {
    for (var k = own.y; k < states; k += ${SLICES}u) { sum += rows[row + k] * matrix[${place}]; }
  }
  parts[own.y][own.x] = sum;
  workgroupBarrier();
  if (own.y == 0u && state < states) {
    for (var i = 1u; i < ${SLICES}u; i++) { sum += parts[i][own.x]; }
    sums[row + state] = sum;
  }
}`;

const KERNELS = {
  forward: { many: tiled(FORWARD_TILE), few: oneRow("k * states + state") },
  backward: { many: tiled(BACKWARD_TILE), few: oneRow("state * states + k") },
};

/** Usages of buffers, by their numbers: not all runtimes name them. */
const READ = 0x1, COPY_FROM = 0x4, COPY_TO = 0x8, STORAGE = 0x80, MAP_READ = 0x1;

/**
 * Products of transitions on a device of WebGPU, in single precision.
 *
 * @throws {RetortError} when there is no adapter, or the transitions are too large for it
 */
export async function webgpuProducts(
  { states, transition }: TokenHmm,
  options: DeviceOptions = {},
): Promise<TransitionProducts> {
  await keepDrivers();
  const { device, limits, adapter } = await openDevice(findGpu(), options);
  let lost: string | undefined;
  device.lost.then(({ message, reason }) => lost = message || reason);
  const bytes = 4 * states * states;
  if (bytes > Math.min(limits.binding, limits.buffer)) {
    device.destroy();
    throw new RetortError(
      "gpu/limits",
      `the transitions of ${states} states take ${bytes} bytes, and ${adapter.name} binds ${limits.binding}`,
      { hint: 'Open the control with `engine: "onnx"`.' },
    );
  }
  const bufferOf = (bytes: number, usage: number) => device.createBuffer({ size: bytes, usage });
  const matrix = bufferOf(bytes, STORAGE | COPY_TO);
  device.queue.writeBuffer(matrix, 0, Float32Array.from(transition));
  const pipelines = new Map<string, GPUComputePipeline>();
  /** Rows and sums, made anew when more rows come than ever before. */
  let room = 0, buffers: GPUBuffer[] = [];
  const most = Math.max(1, Math.floor(Math.min(limits.binding, limits.buffer) / (4 * states)));

  const run = async (direction: keyof typeof KERNELS, rows: Float32Array, count: number) => {
    if (count > room) {
      buffers.forEach((buffer) => buffer.destroy());
      room = count;
      const size = 4 * states * count;
      buffers = [STORAGE | COPY_TO, STORAGE | COPY_FROM, READ | COPY_TO].map((usage) =>
        bufferOf(size, usage)
      );
    }
    const [input, sums, staging] = buffers as [GPUBuffer, GPUBuffer, GPUBuffer];
    const size = 4 * states * count, way = count < FEW ? "few" : "many";
    const pipeline = await pipelineOf(direction, way);
    device.queue.writeBuffer(input, 0, rows as Float32Array<ArrayBuffer>);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ buffer: matrix }, { buffer: input, size }, { buffer: sums, size }]
          .map((resource, binding) => ({ binding, resource })),
      }),
    );
    if (way === "few") pass.dispatchWorkgroups(Math.ceil(states / COLUMNS), count);
    else pass.dispatchWorkgroups(Math.ceil(states / TILE), Math.ceil(count / TILE));
    pass.end();
    encoder.copyBufferToBuffer(sums, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(MAP_READ, 0, size);
    } catch (error) {
      throw new RetortError("gpu/lost", `the device was lost: ${lost ?? messageOf(error)}`, {
        hint: 'Run it again, or open the control with `engine: "onnx"`.',
        cause: error,
      });
    }
    const out = new Float32Array(staging.getMappedRange(0, size).slice(0));
    staging.unmap();
    return out;
  };

  async function pipelineOf(direction: keyof typeof KERNELS, way: "few" | "many") {
    const key = `${direction} ${way}`;
    let pipeline = pipelines.get(key);
    if (pipeline === undefined) {
      pipeline = await device.createComputePipelineAsync({
        label: `control ${key}`,
        layout: "auto",
        compute: {
          module: device.createShaderModule({ code: KERNELS[direction][way] }),
          entryPoint: "main",
          constants: { states },
        },
      });
      pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  /** Calls one after the other: they share buffers. */
  let turn: Promise<unknown> = Promise.resolve();
  const product = (direction: keyof typeof KERNELS) => (rows: Reals, count: number): Promise<Reals> => {
    const own = turn.then(async () => {
      const given = rows instanceof Float32Array ? rows : Float32Array.from(rows);
      if (count <= most) return await run(direction, given, count);
      const out = new Float32Array(count * states);
      for (let from = 0; from < count; from += most) {
        const some = Math.min(most, count - from);
        out.set(
          await run(direction, given.subarray(from * states, (from + some) * states), some),
          from * states,
        );
      }
      return out;
    });
    turn = own.catch(() => {});
    return own;
  };
  return {
    forward: product("forward"),
    backward: product("backward"),
    async [Symbol.asyncDispose]() {
      await turn;
      device.destroy();
      await device.lost;
    },
  };
}
