import { type Circuit, isSoft, type Samples, type SoftEvidence, softWidth } from "../../circuits/mod.ts";
import { deviceLeaf } from "../leaves/mod.ts";
import type { Plan } from "../plan.ts";
import type { SoftShape } from "./dispatch.ts";
import { tokenLists } from "./leaf_counts.ts";

/** In place of the exponent of a row that has no soft evidence. */
const NOT_SOFT = 0x7fffffff;

/** Weights that are smaller than the largest of their row by more vanish in float32: the host computes such samples. */
const LEAST_SHARE = 2 ** -120;

/** Words that soft evidence takes on the device: so many, and so many more for each sample. */
export interface SoftRoom {
  readonly evidence: number;
  readonly evidenceOfSample: number;
  readonly sorted: number;
  readonly sortedOfSample: number;
}

/** Words that were written, valid until the next call. */
export interface SoftWords {
  readonly words: Uint32Array;
  readonly length: number;
}

/**
 * Soft evidence as soft.wgsl and soft_scatter.wgsl read it.
 *
 * Evidence: for every variable where its block begins, 0 for none. A block is the number of weights in a row, 1 if they are of some
 * states alone, an exponent for every row ({@link NOT_SOFT} for rows that have no soft evidence), the weights divided by the power
 * of two of their row's exponent, and the states.
 */
export class SoftEncoder {
  /** By variable: whether the device mixes its leaves. The host computes samples with soft evidence of others. */
  readonly #mixed: readonly boolean[];
  /** Variables whose leaves share parameters, list by list. */
  readonly #lists: readonly (readonly number[])[];
  readonly #counts: Uint32Array;
  #evidence = new Uint32Array(0);
  #sorted = new Uint32Array(0);

  /** For batches of a plan's circuit. */
  constructor(plan: Plan) {
    this.#mixed = mixedVariables(plan.circuit);
    this.#lists = tokenLists(plan).variables;
    this.#counts = new Uint32Array(
      plan.circuit.variables.reduce(
        (most, variable) => variable.kind === "categorical" ? Math.max(most, variable.states) : most,
        0,
      ) + 1,
    );
  }

  /** The room for samples as these; undefined where they have no soft evidence that is for the device. */
  room(samples: Samples): SoftRoom | undefined {
    const mixed = this.#of(samples);
    if (mixed.size === 0) return undefined;
    let evidence = this.#mixed.length, ofSample = 0, sortedOfSample = 0;
    for (const [v, soft] of mixed) {
      const width = softWidth(soft, samples.count);
      evidence += 2;
      ofSample += 1 + width * (soft.indices === undefined ? 1 : 2);
      if (soft.indices === undefined) continue;
      // An entry makes at most one segment.
      for (const list of this.#lists) sortedOfSample += 5 * width * list.filter((own) => own === v).length;
    }
    return { evidence, evidenceOfSample: ofSample, sorted: 2 * this.#lists.length, sortedOfSample };
  }

  /** The evidence of a batch; of none, that there is none. */
  evidence(samples: Samples, rows: number): SoftWords & { readonly shape: SoftShape } {
    const { count } = samples, mixed = this.#of(samples), room = this.room(samples);
    const size = room === undefined ? this.#mixed.length : room.evidence + rows * room.evidenceOfSample;
    if (this.#evidence.length < size) this.#evidence = new Uint32Array(size);
    const words = this.#evidence, numbers = new Float32Array(words.buffer);
    words.fill(0, 0, this.#mixed.length);
    let block = this.#mixed.length, most = 0, dense = false;
    for (const [v, soft] of mixed) {
      const width = softWidth(soft, count), { weights, indices } = soft;
      most = Math.max(most, width);
      dense ||= indices === undefined;
      words[v] = block;
      words[block] = width;
      words[block + 1] = indices === undefined ? 0 : 1;
      const exponents = block + 2, from = exponents + rows, states = from + rows * width;
      words.fill(NOT_SOFT, exponents, from);
      words.fill(0, from, states);
      for (let s = 0; s < count; s++) {
        if (!isSoft(samples, s, v)) continue;
        const exponent = exponentOf(weights, s * width, width), scale = 2 ** -exponent;
        words[exponents + s] = exponent;
        for (let i = s * width; i < (s + 1) * width; i++) numbers[from + i] = (weights[i] as number) * scale;
      }
      block = states;
      if (indices === undefined) continue;
      words.set(indices, block);
      words.fill(0, block + count * width, block + rows * width);
      block += rows * width;
    }
    return { words, length: block, shape: { width: most, dense, segments: 0, entries: 0 } };
  }

  /** The evidence of some states alone, sorted by state. */
  sorted(samples: Samples, rows: number): SoftWords & Pick<SoftShape, "segments" | "entries"> {
    const mixed = this.#of(samples), room = this.room(samples);
    const size = room === undefined ? 0 : room.sorted + rows * room.sortedOfSample;
    if (this.#sorted.length < size) this.#sorted = new Uint32Array(size);
    const words = this.#sorted, numbers = new Float32Array(words.buffer), counts = this.#counts;
    let end = 2 * this.#lists.length, most = 0, longest = 0;
    this.#lists.forEach((list, index) => {
      counts.fill(0);
      let segments = 0, entries = 0;
      const visit = (each: (state: number, entry: number, weight: number) => void) =>
        forEachEntry(list, mixed, samples, rows, each);
      visit((state) => {
        if (counts[state] === 0) segments++;
        counts[state] = (counts[state] as number) + 1;
        entries++;
      });
      words[2 * index] = end;
      words[2 * index + 1] = segments;
      most = Math.max(most, segments);
      let segment = end, place = end + 3 * segments;
      if (segments > 0) {
        for (let state = 0; state < counts.length; state++) {
          const count = counts[state] as number;
          if (count === 0) continue;
          longest = Math.max(longest, count);
          words[segment] = state;
          words[segment + 1] = place;
          words[segment + 2] = place + 2 * count;
          segment += 3;
          counts[state] = place;
          place += 2 * count;
        }
      }
      visit((state, entry, weight) => {
        const to = counts[state] as number;
        words[to] = entry;
        numbers[to + 1] = weight;
        counts[state] = to + 2;
      });
      end += 3 * segments + 2 * entries;
    });
    return { words, length: room === undefined ? 0 : end, segments: most, entries: longest };
  }

  /**
   * Samples that the host computes: with soft evidence of leaves that the device cannot mix, or with weights too far below the
   * largest.
   */
  forHost(samples: Samples): number[] {
    const found = new Set<number>();
    for (const [v, soft] of samples.soft ?? []) {
      const width = softWidth(soft, samples.count);
      for (let s = 0; s < samples.count; s++) {
        if (!isSoft(samples, s, v)) continue;
        if (!this.#mixed[v] || !isNear(soft.weights, s * width, width)) found.add(s);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  #of(samples: Samples): ReadonlyMap<number, SoftEvidence> {
    if (samples.soft === undefined || samples.count === 0) return new Map();
    return new Map([...samples.soft].filter(([v, { weights }]) => this.#mixed[v] && weights.length > 0));
  }
}

/** By variable: whether rows of all tables of its leaves are states, or all its leaves are lists of states. */
function mixedVariables(circuit: Circuit): boolean[] {
  const mixed = circuit.variables.map(({ kind }) => kind === "categorical");
  for (const node of circuit.nodes) {
    if (node.kind !== "input") continue;
    const { gpu } = deviceLeaf(node.family);
    if (gpu.kind === "given" || !gpu.byState) mixed[node.variable] = false;
  }
  return mixed;
}

function forEachEntry(
  list: readonly number[],
  mixed: ReadonlyMap<number, SoftEvidence>,
  samples: Samples,
  rows: number,
  visit: (state: number, entry: number, weight: number) => void,
): void {
  list.forEach((v, use) => {
    const soft = mixed.get(v);
    if (soft?.indices === undefined) return;
    const width = softWidth(soft, samples.count);
    for (let s = 0; s < samples.count; s++) {
      if (!isSoft(samples, s, v)) continue;
      const scale = 2 ** -exponentOf(soft.weights, s * width, width);
      for (let i = s * width; i < (s + 1) * width; i++) {
        const weight = soft.weights[i] as number;
        if (weight > 0) visit(soft.indices[i] as number, use * rows + s, weight * scale);
      }
    }
  });
}

/** The power of two by which the largest of some weights is from 1 to 2; 0 if all are 0. */
function exponentOf(weights: Float32Array, from: number, width: number): number {
  let most = 0;
  for (let i = from; i < from + width; i++) most = Math.max(most, weights[i] as number);
  return most === 0 ? 0 : Math.floor(Math.log2(most));
}

function isNear(weights: Float32Array, from: number, width: number): boolean {
  let most = 0, least = Infinity;
  for (let i = from; i < from + width; i++) {
    const weight = weights[i] as number;
    if (weight === 0) continue;
    most = Math.max(most, weight);
    least = Math.min(least, weight);
  }
  return least >= most * LEAST_SHARE;
}
