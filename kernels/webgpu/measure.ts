import { RetortError } from "../../foundation/errors.ts";
import { type Dispatch, encode, prepare } from "./dispatch.ts";
import type { ReadyDevice } from "./host.ts";
import { DeviceMemory, UNIFORM } from "./memory.ts";
import { Settings } from "./settings.ts";
import { contractKernel, defaultTiles, type Form, type Tile, tileGrid } from "./tiles.ts";

/** A matrix product to be measured. */
export interface ProductSize {
  /** Which of the three products of learning; `forward` when left out. */
  readonly form?: Form;
  /** Rows, columns and length of the sums; a multiple of eight. */
  readonly size: number;
  /** How it is computed; as engines do when left out. */
  readonly tile?: Tile;
  /** Seconds to spend, at least one product; half a second when left out. */
  readonly seconds?: number;
}

/** GFLOP/s of a square matrix product as engines compute it, over the fastest of the submissions. */
export async function measureProduct(
  { open, kernels }: ReadyDevice,
  { form = "forward", size, tile: given, seconds = 0.5 }: ProductSize,
): Promise<number> {
  const { device } = open, memory = new DeviceMemory(open);
  const tile = given ?? defaultTiles(open)({ form, rows: size, columns: size });
  const settings = new Settings(), vectors = size / 4;
  const shape = settings.shape(size, size, vectors, vectors, vectors, form === "forward" ? size : vectors);
  const folds = settings.table([0, 0, 0, 1]), terms = settings.table([0, 0]);
  try {
    const [uniforms, tables, batch, left, right, out, other] = await memory.allocate("a matrix product", [
      ...settings.bytes.map((bytes, i) => ({ label: `settings ${i}`, bytes, ...(i === 0 && UNIFORMS) })),
      { label: "batch", bytes: 16, ...UNIFORMS },
      ...["left", "right", "out", "other"].map((label) => ({ label, bytes: 4 * size * size })),
    ]) as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
    settings.upload(device.queue, [uniforms, tables]);
    device.queue.writeBuffer(batch, 0, Uint32Array.of(size, size, 0, 0));
    // Numbers of the usual size: zeros and subnormals are faster or slower on some hardware.
    const numbers = Float32Array.from({ length: size * size }, (_, i) => 0.25 + (i % 97) / 97);
    for (const buffer of [left, right, other]) device.queue.writeBuffer(buffer, 0, numbers);
    const [dispatch] = await prepare(device, kernels, [{
      kernel: contractKernel(form, tile),
      bindings: [batch, shape, folds, terms, left, right, out, other],
      grid: ({ rows }) => [...tileGrid(tile, rows, size), 1],
    }]) as [Dispatch];
    const run = async (times: number) => {
      const encoder = device.createCommandEncoder();
      encode(encoder, new Array(times).fill(dispatch), { rows: size, segments: 0 });
      return await secondsOf(device, encoder);
    };
    await run(1);
    // Several a submission, so that waiting for it costs nothing beside it.
    const times = Math.max(1, Math.min(1000, Math.round(seconds / 4 / await run(1))));
    let fastest = Infinity;
    for (let spent = 0; spent < seconds;) {
      const took = await run(times);
      fastest = Math.min(fastest, took / times);
      spent += took;
    }
    return 2 * size ** 3 / fastest / 1e9;
  } finally {
    memory.releaseAll();
  }
}

/** GB/s of copies on the device: bytes read and bytes written. */
export async function measureBandwidth({ open }: ReadyDevice, bytes = 2 ** 26): Promise<number> {
  const memory = new DeviceMemory(open);
  try {
    const [from, to] = await memory.allocate("a copy", [
      { label: "from", bytes },
      { label: "to", bytes },
    ]) as [GPUBuffer, GPUBuffer];
    const run = (times: number) => {
      const encoder = open.device.createCommandEncoder();
      for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
      return secondsOf(open.device, encoder);
    };
    await run(1);
    const times = Math.max(1, Math.min(200, Math.round(0.1 / await run(1))));
    let fastest = Infinity;
    for (let i = 0; i < 3; i++) fastest = Math.min(fastest, await run(times) / times);
    return 2 * bytes / fastest / 1e9;
  } finally {
    memory.releaseAll();
  }
}

async function secondsOf(device: GPUDevice, encoder: GPUCommandEncoder): Promise<number> {
  const commands = encoder.finish();
  device.pushErrorScope("validation");
  const began = performance.now();
  device.queue.submit([commands]);
  await device.queue.onSubmittedWorkDone();
  const seconds = (performance.now() - began) / 1000;
  const problem = await device.popErrorScope();
  if (problem !== null) throw new RetortError(`the device refuses work: ${problem.message.trim()}`);
  return seconds;
}

const UNIFORMS = { usage: UNIFORM };
