import { type NodeId, nodeOf } from "../../circuits/mod.ts";
import type { Group, Place, Plan } from "../plan.ts";
import { LOG_ZERO } from "./words.ts";
import { padded, type RowSpan } from "./layout.ts";
import type { Wanted } from "./readback.ts";
import type { DeviceWorkspace } from "./workspace.ts";

/** Buffer ranges of the log-values and scales of a node's folds. */
export function logsWanted(plan: Plan, work: DeviceWorkspace, id: NodeId, samples: number): Wanted[] {
  const place = plan.places[id] as Place, group = plan.groups[place.group] as Group;
  return foldsOf(place).flatMap((fold) => [
    rowsWanted(work.arrays.logs, work.layout.logs(group, fold), samples, group.units),
    { buffer: work.arrays.scales, offset: 4 * work.layout.scale(group, fold), size: 4 * samples },
  ]);
}

/** Natural log-values of a node, `[samples, units]`, from the ranges of {@link logsWanted}. */
export function decodeLogs(
  plan: Plan,
  work: DeviceWorkspace,
  id: NodeId,
  samples: number,
  bytes: ArrayBuffer,
  out: Float64Array,
): void {
  const place = plan.places[id] as Place, group = plan.groups[place.group] as Group;
  const total = nodeOf(plan.circuit, id).units, { stride } = work.layout.logs(group, place.fold);
  let at = 0;
  for (let block = 0; block < place.blocks; block++) {
    const count = (samples - 1) * stride + padded(group.units);
    const logs = new Float32Array(bytes, at, count), scales = new Int32Array(bytes, at + 4 * count, samples);
    at += 4 * (count + samples);
    for (let s = 0; s < samples; s++) {
      const scale = scales[s] as number;
      for (let u = 0; u < group.units; u++) {
        const log = logs[s * stride + u] as number;
        out[s * total + block * group.units + u] = log < LOG_ZERO / 2 ? -Infinity : (log + scale) * Math.LN2;
      }
    }
  }
}

/**
 * The flows of nodes: buffer ranges to fetch, and a function that writes them to `[samples, units]` arrays from sample
 * `first` on.
 */
export function flowsOf(plan: Plan, work: DeviceWorkspace, nodes: readonly NodeId[], samples: number): {
  wanted: Wanted[];
  decode: (bytes: ArrayBuffer, first: number, out: ReadonlyMap<NodeId, Float64Array>) => void;
} {
  const { flows } = work.learning as { flows: GPUBuffer };
  const parts = nodes.flatMap((id) => {
    const place = plan.places[id] as Place, group = plan.groups[place.group] as Group;
    return foldsOf(place).map((fold, block) => ({ id, group, block, rows: work.layout.flows(group, fold) }));
  });
  return {
    wanted: parts.map(({ group, rows }) => rowsWanted(flows, rows, samples, group.units)),
    decode: (bytes, first, out) => {
      const numbers = new Float32Array(bytes);
      let at = 0;
      for (const { id, group, block, rows: { stride } } of parts) {
        const total = nodeOf(plan.circuit, id).units, array = out.get(id) as Float64Array;
        for (let s = 0; s < samples; s++) {
          const to = (first + s) * total + block * group.units;
          for (let u = 0; u < group.units; u++) array[to + u] = numbers[at + s * stride + u] as number;
        }
        at += (samples - 1) * stride + padded(group.units);
      }
    },
  };
}

function foldsOf(place: Place): number[] {
  return Array.from({ length: place.blocks }, (_, block) => place.fold + block * place.stride);
}

function rowsWanted(buffer: GPUBuffer, { at, stride }: RowSpan, samples: number, units: number): Wanted {
  return { buffer, offset: 4 * at, size: 4 * ((samples - 1) * stride + padded(units)) };
}
