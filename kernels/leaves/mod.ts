/** Device implementations of the leaf families, one file each. */
import { CircuitError, type FamilyName, leafFamily } from "../../circuits/mod.ts";
import type { DeviceLeaf, GpuTable } from "./device_leaf.ts";
import * as families from "./families.ts";

/** The built-in families, by name. */
export const deviceLeaves: Readonly<Record<FamilyName, DeviceLeaf>> = { ...families };

const known = new Map<string, DeviceLeaf>(Object.entries(deviceLeaves));

export type { DeviceLeaf } from "./device_leaf.ts";

/**
 * Registers how devices compute leaves of a registered family (`registerLeafFamily`), in this process: used from then
 * on by exported graphs and by WebGPU engines in the same thread. `openEngine` runs WebGPU in a thread of its own,
 * which knows only the built-in families.
 * @throws {CircuitError} when another descriptor has its name
 */
export function registerDeviceLeaf(family: string, leaf: DeviceLeaf): void {
  leafFamily(family);
  const before = known.get(family);
  if (before !== undefined && before !== leaf) {
    throw new CircuitError(
      "circuit/argument",
      `something says already how devices compute \`${family}\` leaves`,
      {
        hint: "Each family has one descriptor.",
      },
    );
  }
  known.set(family, leaf);
}

/** The device implementation of a family. @throws {CircuitError} when nobody said */
export function deviceLeaf(family: string): DeviceLeaf {
  const found = known.get(family);
  if (found !== undefined) return found;
  throw new CircuitError("engine/no-leaf", `nothing says how a device computes \`${family}\` leaves`, {
    hint: "The engine cpu computes leaves of every family; webgpu and exported graphs need a `DeviceLeaf`.",
  });
}

/** The device table of a family. @throws {TypeError} for one without */
export function gpuTable(family: string): GpuTable {
  const { gpu } = deviceLeaf(family);
  if (gpu.kind !== "table") throw new TypeError(`${family} leaves have no table`);
  return gpu;
}
