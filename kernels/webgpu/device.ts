import { RetortError } from "../../foundation/errors.ts";
import { type AdapterFacts, factsOf, listAdapters } from "../../foundation/gpu.ts";
import { hintForOtherAdapter, hintWithoutAdapter } from "../hints.ts";

/** Numbers that decide how tables and batches are cut. */
export interface DeviceLimits {
  /** Largest part of a buffer that a kernel may see, in bytes. */
  readonly binding: number;
  /** Largest buffer, in bytes. */
  readonly buffer: number;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Shared memory of a workgroup, in bytes. */
  readonly shared: number;
  /** Workgroups along one dimension of a dispatch. */
  readonly workgroups: number;
  /** Storage buffers that a kernel may see. */
  readonly storageBuffers: number;
}

/** Features that are used where they are, by our names. */
export interface DeviceFeatures {
  /** Subgroup operations; the number of lanes of every subgroup if that is one number, else 0. */
  readonly subgroup: number;
  /** Atomic addition of f32. */
  readonly floatAtomics: boolean;
  /** Timestamps at the borders of compute passes. */
  readonly timestamps: boolean;
  /** Storage of f16. */
  readonly half: boolean;
}

/** An open device with what is known of it. */
export interface OpenDevice {
  /** The device. */
  readonly device: GPUDevice;
  /** What it runs on. */
  readonly adapter: AdapterFacts;
  /** What it allows. */
  readonly limits: DeviceLimits;
  /** What it offers beyond the standard. */
  readonly features: DeviceFeatures;
}

/** What {@link openDevice} may be told. */
export interface DeviceOptions {
  /** Part of the name of the adapter that is wanted, in any case; any adapter when left out. */
  readonly adapter?: string;
  /** Features that are not asked for, by their WebGPU name: for tests of the ways without them. */
  readonly without?: readonly string[];
  /** Upper bounds for what the device would allow: for tests of large models on small data. */
  readonly limits?: Partial<DeviceLimits>;
  /** Whether to compute as in software or as on hardware: for tests of what hardware uses. What the adapter is when left out. */
  readonly software?: boolean;
}

/**
 * Names by which features are asked for, the first that the runtime grants. Runtimes do not list all that
 * they grant, and refuse names that they do not know with an exception, so each is tried alone.
 */
const FEATURES = {
  subgroup: ["subgroups"],
  floatAtomics: ["wgpu-shader-float32-atomic", "shader-float32-atomic"],
  timestamps: ["timestamp-query"],
  half: ["shader-f16"],
} as const;

/** Limits that are raised to what the adapter offers; the defaults suit a page that draws triangles. */
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
 * Opens a device on an adapter of `gpu`: the one that is named, else hardware before software.
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
  const granted = await known.getOrInsertComputed(gpu, () => new Map()).getOrInsertComputed(
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

/** What was found out before: devices that are only tried cost time, and some drivers never give all their memory back. */
const known = new WeakMap<GPU, Map<string, Promise<Map<keyof DeviceFeatures, string>>>>();

/** Which features a device of this adapter can have: found by opening devices, as the lists cannot be trusted. */
async function grantedFeatures(
  gpu: GPU,
  chosen: GPUAdapter,
  without: readonly string[],
): Promise<Map<keyof DeviceFeatures, string>> {
  const granted = new Map<keyof DeviceFeatures, string>();
  for (const [ours, names] of Object.entries(FEATURES) as [keyof DeviceFeatures, readonly string[]][]) {
    for (const name of names) {
      if (without.includes(name)) continue;
      // An adapter may give out one device only, so each trial has an adapter of its own.
      const adapter = (await listAdapters(gpu)).find((a) => factsOf(a).name === factsOf(chosen).name);
      try {
        const trial = await adapter?.requestDevice({ requiredFeatures: [name as GPUFeatureName] });
        if (trial === undefined) continue;
        trial.destroy();
        granted.set(ours, name);
        break;
      } catch {
        // Not granted here: the engine has a way without it.
      }
    }
  }
  return granted;
}
