import { promiseOf } from "../../foundation/newer.ts";
import { type Circuit, type InputNode, type NodeId, rootUnits } from "../circuit.ts";
import { requireEvaluator, requireSamples, requireWhole } from "../guards.ts";
import type { Learner } from "../learner.ts";
import { leafFamily, leafOf } from "../leaves/mod.ts";
import { sampleMissing, type SamplingOptions, samplingOptions } from "../queries/sampling.ts";
import { isObserved, type Samples, takeSamples, unobserved } from "../samples.ts";
import type { PatchPart } from "../structures/patches.ts";
import type { PatchLearner } from "./learner.ts";
import { patchRows } from "./rows.ts";

/**
 * Conditional sampling of images, level by level: clusters of the patches given all observed values, then the missing
 * values of each patch given its cluster. Exact and independent, like `sampleMissing` on the assembled circuit. Returns
 * `[samples * draws, variables]`, with the draws of a sample adjacent.
 * @throws {CircuitError} when what is observed in a sample is impossible, naming the sample
 */
export async function completePatches(
  learner: PatchLearner,
  samples: Samples,
  options: SamplingOptions = {},
): Promise<Samples> {
  requireEvaluator(learner);
  requireSamples(samples);
  const { seed, draws } = samplingOptions(options);
  // Every cluster of every patch has its own seed; see below.
  const streams = learner.parts.reduce((total, { circuit }) => total + rootUnits(circuit), 0);
  requireWhole("seed", seed, 0, Number.MAX_SAFE_INTEGER - streams * 0x100000000);
  const clusters = await learner.withTop(samples, async (top, externals) => {
    await top.parameters();
    return await sampleMissing(top, externals, { seed, draws });
  });
  const drawn = takeSamples(
    samples,
    Uint32Array.from({ length: samples.count * draws }, (_, i) => Math.floor(i / draws)),
  );
  const values = Int32Array.from(drawn.values);
  let stream = seed;
  await learner.eachCluster(async (patchLearner, { patches }, k) => {
    for (const patch of patches) {
      // Each cluster of each patch needs its own key, or patches would be drawn alike.
      stream += 0x100000000;
      const rows = indicesWhere(clusters, patch, k);
      if (rows.length === 0) continue;
      const { columns } = learner.parts[patch] as PatchPart;
      const wanted = patchRows(takeSamples(drawn, rows), learner.parts, [patch]);
      const completed = await sampleMissing(patchLearner, wanted, { seed: stream });
      rows.forEach((row, r) => {
        for (let v = 0; v < columns.length; v++) {
          values[row * samples.variables + (columns[v] as number)] = completed
            .values[r * columns.length + v] as number;
        }
      });
    }
  });
  return { count: samples.count * draws, variables: samples.variables, values };
}

/** Ancestral sampling of `count` images. */
export function samplePatches(
  learner: PatchLearner,
  count: number,
  options: Pick<SamplingOptions, "seed"> = {},
): Promise<Samples> {
  requireEvaluator(learner);
  return promiseOf(() =>
    completePatches(learner, unobserved(count, learner.circuit.variables.length), options)
  );
}

/**
 * Expected values, `[samples, variables]`, of the missing values given all observed ones; observed values are returned
 * unchanged. Zero where values are missing in an impossible sample.
 */
export async function patchMeans(learner: PatchLearner, samples: Samples): Promise<Float64Array> {
  requireEvaluator(learner);
  requireSamples(samples);
  const posterior = await learner.withTop(samples, async (top, externals) => {
    const leaves = top.circuit.nodes.filter((node) => node.kind === "input");
    const flows = await top.leafFlows(externals, leaves.map((node) => node.id));
    return new Map(leaves.map((node) => [node.variable, flows.get(node.id) as Float64Array]));
  });
  const out = Float64Array.from(
    samples.values,
    (x, i) => isObserved(samples, Math.floor(i / samples.variables), i % samples.variables) ? x : 0,
  );
  await learner.eachCluster(async (patchLearner, { patches }, k) => {
    for (const patch of patches) {
      const { columns } = learner.parts[patch] as PatchPart;
      const flows = posterior.get(patch) as Float64Array, clusters = flows.length / samples.count;
      const rows: number[] = [];
      for (let s = 0; s < samples.count; s++) {
        if ((flows[s * clusters + k] as number) > 0) rows.push(s);
      }
      const given = patchRows(takeSamples(samples, rows), learner.parts, [patch]);
      const means = await missingMeans(patchLearner, given);
      means.forEach((mean, i) => {
        const s = rows[Math.floor(i / columns.length)] as number;
        const at = s * samples.variables + (columns[i % columns.length] as number);
        out[at] = (out[at] as number) + (flows[s * clusters + k] as number) * mean;
      });
    }
  });
  return out;
}

/** Expected values of missing variables, `[samples, variables]`; 0 where a value is observed. */
async function missingMeans(learner: Learner, samples: Samples): Promise<Float64Array> {
  const { circuit } = learner;
  const out = new Float64Array(samples.count * samples.variables);
  const missing = (v: number) => {
    for (let s = 0; s < samples.count; s++) if (!isObserved(samples, s, v)) return true;
    return false;
  };
  const nodes = circuit.nodes.filter((node): node is InputNode =>
    node.kind === "input" && missing(node.variable)
  );
  if (nodes.length === 0) return out;
  const flows = await learner.leafFlows(samples, nodes.map((node) => node.id));
  for (const node of nodes) {
    const means = unitMeans(circuit, node), flow = flows.get(node.id as NodeId) as Float64Array;
    for (let s = 0; s < samples.count; s++) {
      if (isObserved(samples, s, node.variable)) continue;
      const at = s * samples.variables + node.variable;
      for (let u = 0; u < node.units; u++) {
        out[at] = (out[at] as number) + (flow[s * node.units + u] as number) * (means[u] as number);
      }
    }
  }
  return out;
}

function unitMeans(circuit: Circuit, node: InputNode): number[] {
  const leaf = leafOf(circuit, node), family = leafFamily(node.family);
  return Array.from({ length: node.units }, (_, u) => family.mean(leaf, u));
}

function indicesWhere(samples: Samples, variable: number, value: number): Uint32Array {
  const found: number[] = [];
  for (let s = 0; s < samples.count; s++) {
    if (samples.values[s * samples.variables + variable] === value) found.push(s);
  }
  return Uint32Array.from(found);
}
