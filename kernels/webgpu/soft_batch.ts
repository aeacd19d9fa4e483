import { type Circuit, isSoft, type Samples, type SoftEvidence, softWidth } from "../../circuits/mod.ts";
import { deviceLeaf } from "../leaves/mod.ts";
import type { Plan } from "../plan.ts";
import type { SoftShape } from "./dispatch.ts";
import { tokenLists } from "./leaf_counts.ts";

/** Marks a row without soft evidence, in place of its exponent. */
const NOT_SOFT = 0x7fffffff;

/** Weights below this share of their row's largest vanish in float32; the host computes such samples. */
const LEAST_SHARE = 2 ** -120;

/** Words of soft evidence on the device: a fixed number, and a number per sample. */
export interface SoftRoom {
  readonly evidence: number;
  readonly evidenceOfSample: number;
  readonly sorted: number;
  readonly sortedOfSample: number;
}

/** Encoded words, valid until the next call. */
export interface SoftWords {
  readonly words: Uint32Array;
  readonly length: number;
}

/**
 * Encodes soft evidence as read by soft.wgsl and soft_scatter.wgsl.
 *
 * Evidence: for every variable the offset of its block, 0 for none. A block consists of the number of weights per row, 1 if
 * they are for listed states only, an exponent for every row ({@link NOT_SOFT} for rows without soft evidence), the weights
 * divided by two to the power of their row's exponent, and the states.
 */
export class SoftEncoder {
  /** By variable: whether the device mixes its leaves. The host computes samples with soft evidence on other variables. */
  readonly #mixed: readonly boolean[];
  /** Variables whose leaves share parameters, list by list. */
  readonly #lists: readonly (readonly number[])[];
  readonly #counts: Uint32Array;
  #evidence = new Uint32Array(0);
  #sorted = new Uint32Array(0);

  /** Creates an encoder for batches of a plan's circuit. */
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

  /** The room that these samples need; undefined if they have no soft evidence for the device. */
  room(samples: Samples): SoftRoom | undefined {
    const mixed = this.#of(samples);
    if (mixed.size === 0) return undefined;
    let evidence = this.#mixed.length, ofSample = 0, sortedOfSample = 0;
    for (const [v, soft] of mixed) {
      const width = softWidth(soft, samples.count);
      evidence += 2;
      ofSample += 1 + width * (soft.indices === undefined ? 1 : 2);
      if (soft.indices === undefined) continue;
      // Each entry adds at most one segment.
      for (const list of this.#lists) sortedOfSample += 5 * width * list.filter((own) => own === v).length;
    }
    return { evidence, evidenceOfSample: ofSample, sorted: 2 * this.#lists.length, sortedOfSample };
  }

  /** Encodes the evidence of a batch, also if it has none. */
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

  /** Encodes the evidence on listed states, sorted by state. */
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
   * Samples to compute on the host: those with soft evidence on leaves that the device cannot mix, or with weights too far
   * below the largest.
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

/** By variable: whether its leaves' tables all have states as rows, or its leaves are all lists of states. */
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

/** The exponent that scales the largest of the weights to between 1 and 2; 0 if all are 0. */
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
