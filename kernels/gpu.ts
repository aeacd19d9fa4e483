import { findGpu } from "../foundation/gpu.ts";

/** Finds the GPU drivers before any thread uses them, and keeps them loaded after those threads end; see drivers.ts. */
export async function keepDrivers(): Promise<void> {
  drivers ??= (async () => {
    await findGpu()?.requestAdapter();
    if ("Deno" in globalThis) (await import("./drivers.ts")).keepVulkanDrivers();
  })();
  await drivers;
}

/** Cached: drivers do not change while the process runs. */
let drivers: Promise<void> | undefined;
