/** One device for all tests of a file: kernels are compiled once. */
import { DeviceHost } from "../../../kernels/webgpu/host.ts";

// Without it Deno would quietly use OpenGL where there is no Vulkan driver.
Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");

/** The host of this file's device. */
export const host = new DeviceHost(navigator.gpu);

/** Whether there is an adapter. Where `CI` is set there must be one: a check that is left out is no check. */
export const available: boolean = await host.ready().then(() => true, (error: Error) => {
  if (Deno.env.has("CI")) throw error;
  console.warn(`${error.message}: tests of WebGPU are left out`);
  return false;
});

/** Options of tests that use the shared device, which outlives them. */
export const onGpu = { ignore: !available, sanitizeResources: false, sanitizeOps: false } as const;

globalThis.addEventListener("unload", () => host.close());
