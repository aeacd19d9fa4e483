import { getOrMake } from "../../foundation/newer.ts";
import { RetortError } from "../../foundation/errors.ts";
import { type AdapterFacts, factsOf, listAdapters } from "../../foundation/gpu.ts";
import { hintForOtherAdapter, hintWithoutAdapter } from "../hints.ts";

/** Limits that decide how tables and batches are split. */
export interface DeviceLimits {
  /** Maximum size of a buffer binding, in bytes. */
  readonly binding: number;
  /** Maximum size of a buffer, in bytes. */
  readonly buffer: number;
  /** Maximum invocations per workgroup. */
  readonly invocations: number;
  /** Maximum shared memory per workgroup, in bytes. */
  readonly shared: number;
  /** Maximum workgroups along one dimension of a dispatch. */
  readonly workgroups: number;
  /** Maximum storage buffers per kernel. */
  readonly storageBuffers: number;
}

/** Optional features, by this project's names. */
export interface DeviceFeatures {
  /** Subgroup operations: the number of lanes if it is the same for all subgroups, otherwise 0. */
  readonly subgroup: number;
  /** Atomic addition of f32. */
  readonly floatAtomics: boolean;
  /** Timestamps at compute pass boundaries. */
  readonly timestamps: boolean;
  /** Storage of f16. */
  readonly half: boolean;
}

/** An open device and its properties. */
export interface OpenDevice {
  /** The device. */
  readonly device: GPUDevice;
  /** The adapter. */
  readonly adapter: AdapterFacts;
  /** The device's limits. */
  readonly limits: DeviceLimits;
  /** Optional features of the device. */
  readonly features: DeviceFeatures;
}

/** Options of {@link openDevice}. */
export interface DeviceOptions {
  /** Part of the adapter's name, case-insensitive; default: any adapter. */
  readonly adapter?: string;
  /** Features not to request, by WebGPU name: for tests of the code paths without them. */
  readonly without?: readonly string[];
  /** Upper bounds for the device's limits: for tests of large models on small data. */
  readonly limits?: Partial<DeviceLimits>;
  /** Whether to compute as in software or as on hardware: for tests of hardware code paths. Default: as the adapter. */
  readonly software?: boolean;
}

/**
 * Names under which features are requested; the first that the runtime grants is used. Runtimes do not list everything
 * they grant, and throw on unknown names, so each is tried alone.
 */
const FEATURES = {
  subgroup: ["subgroups"],
  floatAtomics: ["wgpu-shader-float32-atomic", "shader-float32-atomic"],
  timestamps: ["timestamp-query"],
  half: ["shader-f16"],
} as const;

/** Limits that are raised to the adapter's; the defaults are made for simple graphics. */
const LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupsPerDimension",
] as const;

/**
 * Opens a device on an adapter of `gpu`: the named one, else hardware before software.
 * @throws {RetortError} when there is no adapter, or none of that name (it lists what there is)
 */
export async function openDevice(gpu: GPU | undefined, options: DeviceOptions = {}): Promise<OpenDevice> {
  const adapters = gpu === undefined ? [] : await listAdapters(gpu);
  const wanted = options.adapter?.toLowerCase();
  const matching = wanted === undefined
    ? adapters
    : adapters.filter((adapter) => factsOf(adapter).name.toLowerCase().includes(wanted));
  const adapter = matching.find((candidate) => !factsOf(candidate).software) ?? matching[0];
  if (gpu === undefined || adapter === undefined) {
    throw new RetortError(
      "gpu/no-adapter",
      adapters.length === 0
        ? "WebGPU finds no adapter"
        : `no WebGPU adapter is named like \`${options.adapter}\`; there is ${
          adapters.map((candidate) => `\`${factsOf(candidate).name}\``).join(", ")
        }`,
      {
        hint: adapters.length === 0 ? hintWithoutAdapter() : hintForOtherAdapter(),
      },
    );
  }
  const without = options.without ?? [];
  const granted = await getOrMake(
    getOrMake(known, gpu, () => new Map()),
    JSON.stringify([factsOf(adapter).name, without]),
    () => grantedFeatures(gpu, adapter, without),
  );
  const requiredLimits: Record<string, number> = {};
  for (const name of LIMITS) {
    const most = adapter.limits[name];
    if (typeof most === "number") requiredLimits[name] = most;
  }
  const device = await adapter.requestDevice({
    label: "retort",
    requiredFeatures: [...granted.values()] as GPUFeatureName[],
    requiredLimits,
  });
  const info = adapter.info as GPUAdapterInfo & { subgroupMinSize?: number; subgroupMaxSize?: number };
  const lanes = granted.has("subgroup") && info.subgroupMinSize === info.subgroupMaxSize
    ? info.subgroupMinSize ?? 0
    : 0;
  const { limits } = device;
  const bounded = (most: number, cap: number | undefined) => Math.min(most, cap ?? Infinity);
  return {
    device,
    adapter: { ...factsOf(adapter), ...(options.software !== undefined && { software: options.software }) },
    limits: {
      binding: bounded(limits.maxStorageBufferBindingSize, options.limits?.binding),
      buffer: bounded(limits.maxBufferSize, options.limits?.buffer),
      invocations: bounded(limits.maxComputeInvocationsPerWorkgroup, options.limits?.invocations),
      shared: bounded(limits.maxComputeWorkgroupStorageSize, options.limits?.shared),
      workgroups: bounded(limits.maxComputeWorkgroupsPerDimension, options.limits?.workgroups),
      storageBuffers: bounded(limits.maxStorageBuffersPerShaderStage, options.limits?.storageBuffers),
    },
    features: {
      subgroup: lanes,
      floatAtomics: granted.has("floatAtomics"),
      timestamps: granted.has("timestamps"),
      half: granted.has("half"),
    },
  };
}

/** Cached results: opening devices as a trial takes time, and some drivers never return all their memory. */
const known = new WeakMap<GPU, Map<string, Promise<Map<keyof DeviceFeatures, string>>>>();

/** Features that a device of this adapter can have, found by opening devices, as the lists are not reliable. */
async function grantedFeatures(
  gpu: GPU,
  chosen: GPUAdapter,
  without: readonly string[],
): Promise<Map<keyof DeviceFeatures, string>> {
  const granted = new Map<keyof DeviceFeatures, string>();
  for (const [ours, names] of Object.entries(FEATURES) as [keyof DeviceFeatures, readonly string[]][]) {
    for (const name of names) {
      if (without.includes(name)) continue;
      // An adapter may provide only one device, so each trial uses a new adapter.
      const adapter = (await listAdapters(gpu)).find((a) => factsOf(a).name === factsOf(chosen).name);
      try {
        const trial = await adapter?.requestDevice({ requiredFeatures: [name as GPUFeatureName] });
        if (trial === undefined) continue;
        trial.destroy();
        granted.set(ours, name);
        break;
      } catch {
        // Not granted here: the engine has a code path without it.
      }
    }
  }
  return granted;
}
