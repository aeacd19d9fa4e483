import type { EngineOptions } from "../engine.ts";
import { chooseEngine } from "../open.ts";
import { cpuKMeans, cpuProducts } from "./cpu.ts";
import type { KernelFactory } from "./kernel.ts";
import type { DotProductsFactory } from "./starts.ts";

/** What k-means works with on an engine, and what that runs on. */
export interface KMeansEngine extends AsyncDisposable {
  /** Makes the kernel. */
  readonly kernel: KernelFactory;
  /** Scalar products for k-means++. On the processor for all engines: every choice waits for the one before. */
  readonly products: DotProductsFactory;
  /** Gives back what kernels share, such as the device: after the last of them. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * k-means on the engine that options mean on this machine, as for `openEngine`; of those the memory and threads of
 * circuits do not matter.
 * @param used told which engine it is and what it runs on, when a kernel is made
 * @throws {CircuitError} when there is no such engine; the kernel: {RetortError} when there is no such adapter, or it has
 *   no memory for the centroids
 */
export async function openKMeans(
  { engine, adapter, onLoss }: Pick<EngineOptions, "engine" | "adapter" | "onLoss">,
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
  // Tells the drivers what they need before the thread of the device asks for them, and keeps them when it has ended.
  await (await import("../gpu.ts")).keepDrivers();
  const { openRemoteKMeans } = await import("../webgpu/remote_kmeans.ts");
  // Between one kernel and the next the device stays.
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
