/** What an adapter is, in words and numbers that people compare. */
export interface AdapterFacts {
  /** Name as the driver gives it, such as `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  readonly name: string;
  /** Vendor as the runtime gives it; a name or a number. */
  readonly vendor: string;
  /** Architecture, where the runtime tells it. */
  readonly architecture: string;
  /** Whether it computes on the CPU: correct, slow, and never what `auto` picks. */
  readonly software: boolean;
}

/** The runtime's environment variables. */
interface EnvironmentVariables {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

/** The runtime's WebGPU, with the environment variables that its drivers need; undefined where there is none. */
export function findGpu(): GPU | undefined {
  const { Deno: deno } = globalThis as { Deno?: { env: EnvironmentVariables; build: { os: string } } };
  if (deno?.build.os === "linux") {
    try {
      // Without it Deno would quietly use OpenGL where there is no Vulkan driver.
      setDefault(deno.env, "DENO_WEBGPU_BACKEND", "vulkan");
      // Mesa's software driver complains on the terminal when this folder is not named; it needs none.
      setDefault(deno.env, "XDG_RUNTIME_DIR", "/tmp");
    } catch {
      // No permission to change the environment: the drivers use their defaults.
    }
  }
  return navigator.gpu;
}

/** The adapters that a `GPU` object offers under its power preferences, each once. */
export async function listAdapters(gpu: GPU): Promise<GPUAdapter[]> {
  const found = new Map<string, GPUAdapter>();
  for (const powerPreference of ["high-performance", "low-power"] as const) {
    const adapter = await gpu.requestAdapter({ powerPreference });
    if (adapter !== null) found.set(factsOf(adapter).name, found.get(factsOf(adapter).name) ?? adapter);
  }
  const fallback = await gpu.requestAdapter({ forceFallbackAdapter: true }).catch(() => null);
  if (fallback !== null && !found.has(factsOf(fallback).name)) found.set(factsOf(fallback).name, fallback);
  return [...found.values()];
}

/** Describes an adapter. */
export function factsOf(adapter: GPUAdapter): AdapterFacts {
  const info = adapter.info as GPUAdapterInfo & { isFallbackAdapter?: boolean };
  const legacy = adapter as GPUAdapter & { isFallbackAdapter?: boolean };
  const name = info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(" ");
  return {
    name: name || "unnamed adapter",
    vendor: info.vendor,
    architecture: info.architecture,
    software: info.isFallbackAdapter ?? legacy.isFallbackAdapter ??
      /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(name),
  };
}

function setDefault(env: EnvironmentVariables, name: string, value: string): void {
  if (env.get(name) === undefined) env.set(name, value);
}
