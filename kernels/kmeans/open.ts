import type { EngineOptions } from "../engine.ts";
import { chooseEngine } from "../open.ts";
import { cpuKMeans, cpuProducts } from "./cpu.ts";
import type { KernelFactory } from "./kernel.ts";
import type { DotProductsFactory } from "./starts.ts";

/** What k-means needs from an engine. Dispose of it after the last kernel. */
export interface KMeansEngine extends AsyncDisposable {
  /** Makes the kernel. */
  readonly kernel: KernelFactory;
  /** Dot products for k-means++. Always on the CPU: each choice depends on the previous one. */
  readonly products: DotProductsFactory;
  /** Releases what kernels share, such as the device. Call it after releasing the last kernel. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens k-means on the engine that `options` selects on this machine, as `openEngine` does; options about memory and
 * threads of circuits are ignored.
 * @param used called with the engine and its adapter when a kernel is created
 * @throws {CircuitError} when there is no such engine; the kernel: {RetortError} when there is no such adapter, or it has
 *   no memory for the centroids
 */
export async function openKMeans(
  { engine, adapter, onLoss }: Pick<EngineOptions, "engine" | "adapter" | "onLoss"> = {},
  used: (engine: string, adapter: string) => void = () => {},
): Promise<KMeansEngine> {
  const chosen = await chooseEngine({
    ...(engine !== undefined && { engine }),
    ...(adapter !== undefined && { adapter }),
  });
  if (chosen === "cpu") {
    const kernel: KernelFactory = (width, clusters) => {
      used("cpu", "ONNX Runtime");
      return cpuKMeans(width, clusters);
    };
    return { kernel, products: cpuProducts, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  // Loads the drivers before the device thread needs them, and keeps them loaded after it ends.
  await (await import("../gpu.ts")).keepDrivers();
  const { openRemoteKMeans } = await import("../webgpu/remote_kmeans.ts");
  // Keeps the device open between kernels.
  const thread = await (await import("../webgpu/thread.ts")).threadOf(adapter);
  const number = thread.enter(undefined);
  const kernel: KernelFactory = async (width, clusters) => {
    const opened = await openRemoteKMeans(width, clusters, {
      ...(adapter !== undefined && { adapter }),
      ...(onLoss !== undefined && { onLoss }),
    });
    used("webgpu", opened.adapter);
    return opened;
  };
  return { kernel, products: cpuProducts, [Symbol.asyncDispose]: () => thread.leave(number) };
}
