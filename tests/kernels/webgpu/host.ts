/** One device for all tests of a file: kernels are compiled once. */
import { DeviceHost } from "../../../kernels/webgpu/host.ts";
import { needs } from "../../needs.ts";

// Without it Deno would quietly use OpenGL where there is no Vulkan driver.
Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");

/** The host of this file's device. */
export const host = new DeviceHost(navigator.gpu);

/** Whether there is an adapter. */
export const available: boolean = await host.ready().then(() => true, () => false);

/** Options of tests that use the shared device, which outlives them. */
export const onGpu = { ...needs("webgpu", available), sanitizeResources: false, sanitizeOps: false } as const;

globalThis.addEventListener("unload", () => host.close());
