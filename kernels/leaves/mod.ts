/** How devices compute the leaf families, one file each. */
import { CircuitError, type FamilyName } from "../../circuits/mod.ts";
import { bernoulliDevice } from "./bernoulli.ts";
import { categoricalDevice } from "./categorical.ts";
import type { DeviceLeaf, GpuTable } from "./device_leaf.ts";
import { externalDevice } from "./external.ts";
import { gaussianDevice } from "./gaussian.ts";
import { binomialDevice } from "./binomial.ts";
import { histogramDevice } from "./histogram.ts";
import { indicatorDevice } from "./indicator.ts";
import { poissonDevice } from "./poisson.ts";
import { logisticDevice } from "./logistic.ts";

/** The families that are built in, by name. */
export const deviceLeaves: Readonly<Record<FamilyName, DeviceLeaf>> = {
  categorical: categoricalDevice,
  bernoulli: bernoulliDevice,
  gaussian: gaussianDevice,
  logistic: logisticDevice,
  poisson: poissonDevice,
  binomial: binomialDevice,
  histogram: histogramDevice,
  indicator: indicatorDevice,
  external: externalDevice,
};

const known = new Map<string, DeviceLeaf>(Object.entries(deviceLeaves));

/** How devices compute a family. @throws {CircuitError} when nobody said */
export function deviceLeaf(family: string): DeviceLeaf {
  const found = known.get(family);
  if (found !== undefined) return found;
  throw new CircuitError("engine/no-leaf", `nothing says how a device computes \`${family}\` leaves`, {
    hint: "The engine cpu computes leaves of every family; webgpu and exported graphs need a `DeviceLeaf`.",
  });
}

/** The descriptor of a family with a table on the device. @throws {TypeError} for one without */
export function gpuTable(family: string): GpuTable {
  const { gpu } = deviceLeaf(family);
  if (gpu.kind !== "table") throw new TypeError(`${family} leaves have no table`);
  return gpu;
}
