import type { PatchPart } from "../structures/patches.ts";
import type { Circuit } from "../circuit.ts";
import { type Samples, sliceSamples, takeSamples, type ValueArray } from "../samples.ts";
import { requireList, requireSamples } from "../guards.ts";

/** The image patches covered by one circuit: several if it is shared over positions. */
export interface SharedPart {
  /** The circuit of the patches. */
  readonly circuit: Circuit;
  /** Indices of its patches. */
  readonly patches: readonly number[];
  /** Prefix of the ids of its parameters in the assembled circuit. */
  readonly prefix: string;
}

/** Groups parts by their circuit, in the order of their first patches. */
export function sharedParts(parts: readonly PatchPart[]): SharedPart[] {
  requireList("the parts", parts);
  const found = new Map<Circuit, { circuit: Circuit; patches: number[]; prefix: string }>();
  parts.forEach(({ circuit }, patch) => {
    const before = found.get(circuit);
    if (before === undefined) found.set(circuit, { circuit, patches: [patch], prefix: `patch${patch}/` });
    else before.patches.push(patch);
  });
  return [...found.values()];
}

/** The patches of image samples as samples of their own: row `p * images + s` is patch `patches[p]` of image `s`. */
export function patchRows(
  samples: Samples,
  parts: readonly PatchPart[],
  patches: readonly number[],
): Samples {
  requireSamples(samples);
  requireList("the parts", parts);
  const { count, variables, values, observed } = samples;
  const width = (parts[patches[0] as number] as PatchPart).columns.length;
  const rows = count * patches.length;
  const out = new (values.constructor as new (length: number) => ValueArray)(rows * width);
  const seen = observed && new Uint8Array(rows * width);
  let at = 0;
  for (const patch of patches) {
    const { columns } = parts[patch] as PatchPart;
    for (let s = 0; s < count; s++) {
      for (let v = 0; v < width; v++, at++) {
        const from = s * variables + (columns[v] as number);
        out[at] = values[from] as number;
        if (seen && observed) seen[at] = observed[from] as number;
      }
    }
  }
  return { count: rows, variables: width, values: out, ...(seen && { observed: seen }) };
}

/** `[images, patches]`: 0 for patches with nothing observed; undefined if no value is missing. */
export function observedPatches(samples: Samples, parts: readonly PatchPart[]): Uint8Array | undefined {
  requireSamples(samples);
  requireList("the parts", parts);
  const { count, variables, observed } = samples;
  if (observed === undefined) return undefined;
  const out = new Uint8Array(count * parts.length);
  for (let s = 0; s < count; s++) {
    parts.forEach(({ columns }, patch) => {
      for (let i = 0; i < columns.length; i++) {
        if (observed[s * variables + (columns[i] as number)] !== 0) out[s * parts.length + patch] = 1;
      }
    });
  }
  return out;
}

/** Distinct samples, and for each original sample the index of its equal. */
export interface DistinctRows {
  /** The distinct samples, in order of first occurrence. */
  readonly rows: Samples;
  /** By original sample: its index in `rows`. */
  readonly index: Uint32Array;
}

/**
 * Merges equal samples: in pictures on a plain background, a third of the patches are that background. Only fully
 * observed integers are compared; other samples are returned unchanged.
 */
export function distinctRows(samples: Samples): DistinctRows {
  requireSamples(samples);
  const { count, variables, values, observed, externals } = samples;
  const whole = !(values instanceof Float32Array || values instanceof Float64Array);
  if (!whole || observed !== undefined || externals !== undefined) {
    return { rows: samples, index: Uint32Array.from({ length: count }, (_, s) => s) };
  }
  const found = new Map<string, number>(), first: number[] = [];
  const index = new Uint32Array(count);
  for (let s = 0; s < count; s++) {
    const row = values.subarray(s * variables, (s + 1) * variables);
    const key = values instanceof Uint8Array ? String.fromCharCode(...row) : row.join();
    let at = found.get(key);
    if (at === undefined) {
      found.set(key, at = first.length);
      first.push(s);
    }
    index[s] = at;
  }
  return { rows: first.length === count ? samples : takeSamples(samples, first), index };
}

/**
 * Log-likelihoods of the patches of a part under each of its clusters. Equal patches are evaluated once.
 * @param most maximum number of patches per call
 * @param load loads the parameters of a cluster into the evaluator
 * @param ask log-likelihoods of patches under the cluster that was loaded last
 * @returns `[images, clusters]` for each patch of the part
 */
export async function clusterLogs(
  samples: Samples,
  parts: readonly PatchPart[],
  { patches }: Pick<SharedPart, "patches">,
  { clusters, most, load, ask }: {
    readonly clusters: number;
    readonly most: number;
    readonly load: (cluster: number) => Promise<void>;
    readonly ask: (rows: Samples) => Promise<Float64Array>;
  },
): Promise<Float32Array[]> {
  requireSamples(samples);
  requireList("the parts", parts);
  const { rows, index } = distinctRows(patchRows(samples, parts, patches));
  const logs = new Float32Array(index.length * clusters), found = new Float64Array(rows.count);
  for (let k = 0; k < clusters; k++) {
    await load(k);
    for (let from = 0; from < rows.count; from += most) {
      found.set(await ask(sliceSamples(rows, from, Math.min(rows.count, from + most))), from);
    }
    index.forEach((row, i) => logs[i * clusters + k] = found[row] as number);
  }
  const size = samples.count * clusters;
  return patches.map((_, p) => logs.subarray(p * size, (p + 1) * size));
}
