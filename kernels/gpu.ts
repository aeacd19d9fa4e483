import { findGpu } from "../foundation/gpu.ts";

/** Finds the drivers of GPUs for threads that will use them, and keeps them when those threads have ended; see drivers.ts. */
export async function keepDrivers(): Promise<void> {
  drivers ??= (async () => {
    await findGpu()?.requestAdapter();
    if ("Deno" in globalThis) (await import("./drivers.ts")).keepVulkanDrivers();
  })();
  await drivers;
}

/** Asked once: drivers do not come and go. */
let drivers: Promise<void> | undefined;
