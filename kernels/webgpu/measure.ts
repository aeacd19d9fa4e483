import { Commands } from "./commands.ts";
import { Consent } from "./consent.ts";
import { type Dispatch, prepare } from "./dispatch.ts";
import { productEffort } from "./effort.ts";
import type { ReadyDevice } from "./host.ts";
import { DeviceMemory, UNIFORM } from "./memory.ts";
import { cautiousRate, type Rate, SUBMISSION_SECONDS } from "./pace.ts";
import { Settings } from "./settings.ts";
import { defaultTiles, type Form, matmulKernel, type Tile, tileGrid } from "./tiles.ts";

/** A matrix product to measure: square, by `size`, or by its sides. All sizes are multiples of eight. */
export type ProductSize =
  & {
    /** Which of the three products of learning; default: `forward`. */
    readonly form?: Form;
    /** Tile; default: as engines choose. */
    readonly tile?: Tile;
    /** Seconds to spend, at least one product; default: 0.5. */
    readonly seconds?: number;
  }
  & ({ readonly size: number } | {
    /** Rows of the result. */
    readonly rows: number;
    /** Columns of the result. */
    readonly columns: number;
    /** Length of the sums. */
    readonly depth: number;
    /** Products computed together. */
    readonly folds: number;
  });

/** GFLOP/s of a matrix product as engines compute it, in the fastest submission. */
export async function measureProduct(ready: ReadyDevice, given: ProductSize): Promise<number> {
  const { form = "forward", seconds = 0.5 } = given;
  const { rows, columns, depth, folds } = "size" in given
    ? { rows: given.size, columns: given.size, depth: given.size, folds: 1 }
    : given;
  const { open } = ready, memory = new DeviceMemory(open), commands = commandsFor(ready);
  const tile = given.tile ?? defaultTiles(open)({ form, rows, columns, folds });
  const settings = new Settings();
  // As in matmul.wgsl: what one form reads by row, another reads by column.
  const leftStride = (form === "flows" ? rows : depth) / 4;
  const rightStride = (form === "forward" ? depth : columns) / 4;
  const outStride = form === "forward" ? columns : columns / 4;
  const shape = settings.shape(rows, columns, depth / 4, leftStride, rightStride, outStride, 1);
  const result = rows * columns / (form === "forward" ? 1 : 4);
  const foldTable = settings.table(
    Array.from({ length: folds }, (_, fold) => [fold * result, form === "forward" ? fold * rows : 0, 0, 1])
      .flat(),
  );
  const terms = settings.table([0, 0]);
  // In flows, sums run over the batch; otherwise the batch is the rows.
  const samples = form === "flows" ? depth : rows;
  try {
    const [uniforms, tables, batch, left, right, out, other] = await memory.allocate(
      "a matrix product",
      [
        ...settings.bytes.map((bytes, i) => ({ label: `settings ${i}`, bytes, ...(i === 0 && UNIFORMS) })),
        { label: "batch", bytes: 16, ...UNIFORMS },
        { label: "left", bytes: 4 * rows * depth },
        { label: "right", bytes: 4 * columns * depth },
        { label: "out", bytes: 4 * rows * columns * folds },
        { label: "other", bytes: 4 * rows * Math.max(columns, folds) },
      ],
    ) as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
    settings.upload(commands, [uniforms, tables]);
    commands.write(batch, 0, Uint32Array.of(samples, samples, 0, 0));
    // Typical values: zeros and subnormals have other speeds on some hardware.
    for (const buffer of [left, right, other]) {
      const numbers = Float32Array.from({ length: buffer.size / 4 }, (_, i) => 0.25 + (i % 97) / 97);
      commands.write(buffer, 0, numbers);
    }
    const [dispatch] = await prepare(ready, [{
      kernel: matmulKernel(form, tile),
      bindings: [
        batch,
        shape,
        foldTable,
        terms,
        left,
        right,
        out,
        other,
      ],
      grid: () => [...tileGrid(tile, rows, columns), folds],
      effort: () => productEffort(tile, rows, columns, depth, folds),
    }]) as [Dispatch];
    const run = (times: number) => {
      commands.run(new Array(times).fill(dispatch), { rows: samples, segments: 0 });
      return commands.timed();
    };
    await run(1);
    // Several products per submission, so that the cost of waiting is negligible.
    const times = Math.max(1, Math.min(1000, Math.round(seconds / 4 / await run(1))));
    let fastest = Infinity;
    for (let spent = 0; spent < seconds;) {
      const took = await run(times);
      fastest = Math.min(fastest, took / times);
      spent += took;
    }
    return 2 * rows * columns * depth * folds / fastest / 1e9;
  } finally {
    commands.consent.close();
    memory.releaseAll();
  }
}

/** Copy bandwidth of the device in GB/s, reads plus writes. */
export async function measureBandwidth(ready: ReadyDevice, bytes = 2 ** 26, seconds = 0.3): Promise<number> {
  const memory = new DeviceMemory(ready.open), commands = commandsFor(ready);
  try {
    const [from, to] = await memory.allocate("a copy", [
      { label: "from", bytes },
      { label: "to", bytes },
    ]) as [GPUBuffer, GPUBuffer];
    const run = (times: number) => {
      for (let i = 0; i < times; i++) commands.copy(from, 0, to, 0, bytes);
      return commands.timed();
    };
    await run(1);
    const times = Math.max(1, Math.min(200, Math.round(seconds / 3 / await run(1))));
    let fastest = Infinity;
    for (let i = 0; i < 3; i++) fastest = Math.min(fastest, await run(times) / times);
    return 2 * bytes / fastest / 1e9;
  } finally {
    commands.consent.close();
    memory.releaseAll();
  }
}

/**
 * Measures the speed of an adapter, by which work is split, in about a third of a second plus compilation. The slowest
 * product counts.
 */
export async function measureRate(ready: ReadyDevice): Promise<Rate> {
  const size = 512, tile = defaultTiles(ready.open)({ form: "forward", rows: size, columns: size, folds: 1 });
  const seconds = 0.05;
  let flops = Infinity;
  for (const form of ["forward", "backward", "flows"] as const) {
    flops = Math.min(flops, await measureProduct(ready, { form, size, seconds }));
  }
  const alone = await measureProduct(ready, {
    rows: tile.y * tile.rows,
    columns: tile.x * tile.columns,
    depth: size,
    folds: 1,
    tile,
    seconds,
  });
  const bytes = await measureBandwidth(ready, 2 ** 24, seconds);
  return { flops: 1e9 * flops, alone: 1e9 * alone, bytes: 1e9 * bytes };
}

/** Measured work is split as if the adapter were unknown. */
function commandsFor(ready: ReadyDevice): Commands {
  const pace = { rate: cautiousRate(ready.open.adapter), seconds: SUBMISSION_SECONDS };
  return new Commands(ready, new Consent(ready.open.device), pace);
}

const UNIFORMS = { usage: UNIFORM };
