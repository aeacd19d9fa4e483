/**
 * How long an iteration of k-means takes beside the matrix product of its distances alone, with the vectors streamed
 * from shards of half precision. Prints one table; the figures stand in docs/performance.md.
 *
 *     deno task bench:kmeans
 *     deno task bench:kmeans --json --rows 200000 --width 384 --clusters 511 --iterations 5
 *     deno task bench:kmeans --rows 50000 --engine webgpu --adapter llvmpipe
 */
import { RandomStream } from "../circuits/random.ts";
import type { EngineName } from "../kernels/engine.ts";
import { findGpu } from "../foundation/gpu.ts";
import { kmeans, openKMeans, rowsOfBlock, type Vectors } from "../kernels/kmeans/mod.ts";
import { DeviceHost } from "../kernels/webgpu/host.ts";
import { measureProduct } from "../kernels/webgpu/measure.ts";
import { OnnxGraph } from "../kernels/onnx/graph.ts";
import { openSession } from "../kernels/onnx/session.ts";
import { matrixShards } from "../runner/codecs/shard_codecs.ts";
import { ShardWriter } from "../runner/codecs/shard_writer.ts";
import { artifactReader, writeArtifact } from "../runner/store/artifacts.ts";
import { Store } from "../runner/store/store.ts";
import { benchOptions, type Figure, figure, inFolder, milliseconds, printFigures } from "./measure.ts";

const options = benchOptions({
  rows: { type: "string", default: "2000000" },
  width: { type: "string", default: "384" },
  clusters: { type: "string", default: "511" },
  iterations: { type: "string", default: "5" },
  engine: { type: "string", default: "cpu" },
  adapter: { type: "string" },
});
const [rows, width, clusters, iterations] = [
  options.rows,
  options.width,
  options.clusters,
  options.iterations,
]
  .map(Number) as [number, number, number, number];

const adapter = options.adapter === undefined ? {} : { adapter: options.adapter };

printFigures(await inFolder(measure), options);

async function measure(folder: string): Promise<Figure[]> {
  console.error(`writing ${rows} vectors of ${width} numbers …`);
  const vectors = await shards(folder);
  const gpu = options.engine === "webgpu";
  // Seconds of the product alone, measured beside every iteration.
  const product = gpu ? matrixProductOnGpu : await matrixProduct();
  const reading: number[] = [], products: number[] = [], passes: number[] = [], ratios: number[] = [];
  let peak = 0;
  let began = performance.now();
  console.error("measuring …");
  await using engine = await openKMeans({ engine: options.engine as EngineName, ...adapter });
  await kmeans(vectors, { clusters, iterations, tolerance: 0, memory: 0 }, {
    ...engine,
    async iteration({ iteration }) {
      const pass = performance.now() - began;
      peak = Math.max(peak, Deno.memoryUsage().rss);
      const alone = 1000 * await product();
      // The first one holds the start as well.
      if (iteration > 1) {
        passes.push(pass / 1000);
        products.push(alone / 1000);
        ratios.push(pass / alone);
        reading.push(await milliseconds(() => read(vectors)) / 1000);
      }
      began = performance.now();
    },
  });
  const flops = 2 * rows * width * clusters;
  return [
    figure("matrix product of the distances alone", "s", products),
    figure("matrix product of the distances alone", "GFLOP/s", products.map((s) => flops / s / 1e9)),
    figure("reading the vectors alone", "s", reading),
    figure("an iteration", "s", passes),
    figure("an iteration over its matrix product", "times", ratios, { atMost: 2.5 }),
    figure("memory of the process", "MiB", [peak / 2 ** 20], { atMost: 4096 }),
  ];
}

/** Vectors around 600 centres, in shards of half precision in a store of their own. */
async function shards(folder: string): Promise<Vectors> {
  const store = Store.open(`${folder}/store`, { create: true });
  const random = new RandomStream(1);
  const centres = Float32Array.from({ length: 600 * width }, () => random.normal());
  const noise = Float32Array.from({ length: 1 << 20 }, () => random.normal());
  const scratch = `${folder}/scratch`;
  Deno.mkdirSync(scratch);
  const writer = new ShardWriter({ folder: scratch, type: "f2", width });
  for (let row = 0; row < rows;) {
    const count = Math.min(rows - row, rowsOfBlock(width));
    const values = new Float32Array(count * width);
    for (let r = 0; r < count; r++, row++) {
      const centre = random.integer(600) * width, from = random.integer(noise.length - width);
      for (let i = 0; i < width; i++) values[r * width + i] = centres[centre + i]! + noise[from + i]!;
    }
    await writer.append(values);
  }
  const artifact = await writeArtifact(store.blobs, matrixShards, await writer.finish(), "vectors");
  const reader = artifactReader(store.blobs, artifact);
  return await matrixShards.read(reader);
}

async function read(vectors: Vectors): Promise<void> {
  let sum = 0;
  for await (const { values } of vectors.blocks()) sum += values[0]!;
  if (Number.isNaN(sum)) throw new Error("the vectors hold NaN");
}

/** Runs the bare matrix product for all vectors, on a block that is in memory. */
async function matrixProduct(): Promise<() => Promise<number>> {
  const block = Math.min(rows, rowsOfBlock(width));
  const graph = new OnnxGraph();
  const x = graph.input("x", "float32", [block, width]), c = graph.input("c", "float32", [width, clusters]);
  graph.output("y", graph.op("MatMul", [x, c]), "float32", [block, clusters]);
  const session = await openSession(graph.model());
  const random = new RandomStream(2);
  const numbers = (length: number) => Float32Array.from({ length }, () => random.uniform());
  const inputs = {
    x: { data: numbers(block * width), shape: [block, width] },
    c: { data: numbers(width * clusters), shape: [width, clusters] },
  };
  return async () => {
    const took = await milliseconds(async () => {
      for (let row = 0; row < rows; row += block) await session.run(inputs);
    });
    return took / 1000;
  };
}

/** The same from the rate of the GPU's product of 1024 x 1024 numbers. */
async function matrixProductOnGpu(): Promise<number> {
  const host = new DeviceHost(findGpu(), adapter);
  try {
    return 2 * rows * width * clusters / 1e9 / await measureProduct(await host.ready(), { size: 1024 });
  } finally {
    await host.close();
  }
}
