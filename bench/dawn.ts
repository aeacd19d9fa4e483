/**
 * Runs the WebGPU engine on another implementation: Dawn, from the npm package `webgpu` (130 MB, which is why it is no
 * dependency of the project). Compares with the reference as the doctor does, and k-means with the processor's. Fails when they differ.
 *
 *     deno run --allow-all --no-lock bench/dawn.ts
 *
 * Dawn wants more of a driver than Mesa's software Vulkan of Debian 12 has; Chromium's will do:
 *
 *     VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json deno run --allow-all --no-lock bench/dawn.ts
 */
import { RandomStream } from "../circuits/mod.ts";
import { selfTest } from "../kernels/doctor.ts";
import { cpuKMeans, type KMeansKernel } from "../kernels/kmeans/mod.ts";
import { WebGpuEngine } from "../kernels/webgpu/engine.ts";
import { DeviceHost } from "../kernels/webgpu/host.ts";
import { WebGpuKMeans } from "../kernels/webgpu/kmeans.ts";

// Not to be seen by whoever collects the project's dependencies.
const dawn = "npm:webgpu@0.6.2";
const { create } = await import(dawn) as { create(flags: readonly string[]): GPU };

const WIDTH = 30, CLUSTERS = 50, ROWS = 1000;
const random = new RandomStream(1);
const values = Float32Array.from({ length: ROWS * WIDTH }, () => random.normal());

/** Nearest centroids and sums by cluster of one pass. */
async function pass(kernel: KMeansKernel) {
  await kernel.begin(values.subarray(0, CLUSTERS * WIDTH), new Float32Array(CLUSTERS));
  const { labels } = await kernel.add(values, ROWS);
  const { sums } = await kernel.sums();
  await kernel.release();
  return { labels, sums };
}

const host = new DeviceHost(create([]));
const { adapter, features } = (await host.ready()).open;
console.log(adapter.name, features);
const test = await selfTest((circuit) => WebGpuEngine.open(host, circuit));
console.log(test);
const got = await pass(await WebGpuKMeans.open(host, WIDTH, CLUSTERS));
const wanted = await pass(await cpuKMeans(WIDTH, CLUSTERS));
const same = got.labels.every((label, row) => label === wanted.labels[row]) &&
  got.sums.every((sum, i) => Math.abs(sum - wanted.sums[i]!) < 1e-4);
console.log(`k-means ${same ? "agrees" : "DIFFERS"}`);
await host.close();
// Dawn's own threads would keep the process.
Deno.exit(test.passed && same ? 0 : 1);
