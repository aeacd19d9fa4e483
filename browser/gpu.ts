import type { Circuit } from "../circuits/circuit.ts";
import { WebGpuEngine } from "../kernels/webgpu/engine.ts";
import { DeviceHost } from "../kernels/webgpu/host.ts";

let host: DeviceHost | undefined;

/** Opens an engine on the tab's GPU, whose device all engines share. @throws {RetortError} when there is no adapter */
export function openOnGpu(circuit: Circuit): Promise<WebGpuEngine> {
  host ??= new DeviceHost(navigator.gpu);
  return WebGpuEngine.open(host, circuit);
}
