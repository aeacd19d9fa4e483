import { factsOf, listAdapters } from "./webgpu/device.ts";

/** The runtime's variables of the environment, where there are any and they may be changed. */
interface Environment {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

/** The runtime's WebGPU, with its drivers told what they need to know; undefined where there is none. */
export function findGpu(): GPU | undefined {
  const { Deno: deno } = globalThis as { Deno?: { env: Environment; build: { os: string } } };
  if (deno?.build.os === "linux") {
    try {
      // Without it Deno would quietly use OpenGL where there is no Vulkan driver.
      setDefault(deno.env, "DENO_WEBGPU_BACKEND", "vulkan");
      // Mesa's software driver complains on the terminal when no folder of the session is named; it needs none.
      setDefault(deno.env, "XDG_RUNTIME_DIR", "/tmp");
    } catch {
      // Not allowed to: the drivers do as they like.
    }
  }
  return navigator.gpu;
}

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

/** Whether there is an adapter that computes on hardware: what makes `auto` choose WebGPU. */
export async function hasHardwareGpu(): Promise<boolean> {
  const gpu = findGpu();
  if (gpu === undefined) return false;
  return (await listAdapters(gpu)).some((adapter) => !factsOf(adapter).software);
}

function setDefault(env: Environment, name: string, value: string): void {
  if (env.get(name) === undefined) env.set(name, value);
}
