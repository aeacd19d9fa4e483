import type { Circuit, NodeId } from "../../circuits/circuit.ts";
import { parameterOwners, rowWidth, settingsFor, type UpdateRule } from "../../circuits/learner.ts";
import type { Samples } from "../../circuits/samples.ts";
import { rowFactors, type RowUpdate } from "../../circuits/update.ts";
import { BestPass } from "./best.ts";
import { type GateLayout, type GateTile, layOut } from "./layout.ts";
import { type GateKernels, LIST_BYTES, packedBytes, RATIO_SCALE, RUN_BYTES } from "./kernels.ts";
import { GatePasses } from "./passes.ts";
import { GateStructure, Trace } from "./trace.ts";
import { Views } from "./views.ts";
import { forEachFactorLeaf, forEachLeaf } from "./visits.ts";

/** What a thread is made with. */
export interface ThreadOptions {
  /** The module, and the memory of all threads. */
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The structure; its parameters have shapes, but no values. */
  readonly circuit: Circuit;
  /** Whether it learns in single precision. */
  readonly single: boolean;
  /** Number of the thread, and of threads. */
  readonly part: number;
  readonly parts: number;
  /** Addresses of the thread's own. */
  readonly from: number;
  readonly to: number;
}

/** Log-likelihoods of some samples, and which of them are to be computed another way. */
export interface Computed {
  /** Index of the first. */
  readonly first: number;
  readonly logs: Float64Array;
  readonly uncertified: Uint8Array;
}

/** One of the threads of an engine: does a share of the samples, and counts and updates a share of the parameters. */
export class GateThread {
  readonly #options: ThreadOptions;
  readonly #layout: GateLayout;
  readonly #structure: GateStructure;
  readonly #views: Views;
  readonly #trace: Trace;
  readonly #passes: GatePasses;
  /** The samples being counted. */
  #job: {
    samples: Samples;
    weights: Float64Array;
    seen: Uint8Array | undefined;
    single: boolean;
    next: number;
  } | undefined;
  /** Weights of the samples of the present trace; 0 for those that are not counted. */
  #counted = new Float64Array(0);

  /** Prepares a thread. */
  constructor(options: ThreadOptions) {
    const { circuit, memory, module, single, from, to } = options;
    this.#options = options;
    this.#layout = layOut(circuit);
    this.#structure = new GateStructure(circuit, this.#layout);
    this.#views = new Views(memory);
    const kernels = new WebAssembly.Instance(module, { shared: { memory } })
      .exports as unknown as GateKernels;
    this.#trace = new Trace(
      this.#structure,
      from + RUN_BYTES + LIST_BYTES + (single ? packedBytes(this.#layout.widest) : 0),
      to,
    );
    this.#passes = new GatePasses(kernels, this.#views, from, this.#trace);
  }

  /** Log-likelihoods of samples. */
  likelihoods(samples: Samples): Computed {
    const logs = new Float64Array(samples.count), uncertified = new Uint8Array(samples.count);
    this.#inParts(samples, this.#structure.evidence.seen(samples), (first) => {
      logs.set(this.#passes.forward(), first);
      uncertified.set(this.#passes.uncertified, first);
    });
    return { first: 0, logs, uncertified };
  }

  /** Takes samples to count, to learn or because somebody asks; see {@link GateThread.step}. */
  begin(samples: Samples, weights: Float64Array, learns: boolean): void {
    const single = learns && this.#options.single;
    this.#job = { samples, weights, seen: this.#structure.evidence.seen(samples), single, next: 0 };
  }

  /** Both passes over as many of the samples as there is room for; undefined if there are no more. */
  step(): Computed | undefined {
    const job = this.#job;
    this.#trace.clear();
    if (job === undefined || job.next >= job.samples.count) {
      this.#job = undefined;
      return undefined;
    }
    const first = job.next;
    job.next = this.#trace.add(job.samples, first, job.samples.count, job.seen);
    this.#passes.single = job.single;
    const logs = this.#passes.forward(), { uncertified } = this.#passes;
    const open = logs.map((log, s) => log > -Infinity && uncertified[s] === 0 ? 1 : 0);
    this.#counted = open.map((counts, s) => counts * (job.weights[first + s] as number));
    this.#passes.backward(open);
    return { first, logs, uncertified };
  }

  /** Adds what the last step found about a part of the parameters. */
  count(part: number): void {
    if (this.#trace.roots.length === 0) return;
    this.#passes.count(this.#counted, part, this.#options.parts);
  }

  /** Log-likelihoods of the units of all nodes, by node `[samples, units]`; -Infinity where a sample leaves a node out. */
  activations(samples: Samples): { values: Float64Array[]; uncertified: Uint8Array } {
    const { nodes } = this.#options.circuit;
    const values = nodes.map(({ units }) => new Float64Array(samples.count * units).fill(-Infinity));
    const uncertified = new Uint8Array(samples.count);
    this.#inParts(samples, undefined, (first) => {
      this.#passes.forward();
      uncertified.set(this.#passes.uncertified, first);
      const trace = this.#trace;
      for (let item = 0; item < trace.kinds.length; item++) {
        const id = trace.nodes.values[item] as number, { units } = nodes[id] as { units: number };
        const at = (first + (trace.owners.values[item] as number)) * units;
        for (let u = 0; u < units; u++) (values[id] as Float64Array)[at + u] = this.#passes.logOf(item, u);
      }
      // Leaves have no item where they are the factor of a product.
      forEachFactorLeaf(this.#trace, (id, own, row) => {
        const { units } = nodes[id] as { units: number };
        const at = (first + own) * units;
        for (let u = 0; u < units; u++) {
          (values[id] as Float64Array)[at + u] = Math.log(this.#views.doubles[row + u] as number);
        }
      });
    });
    return { values, uncertified };
  }

  /** The same under max-product; see `Semiring`. */
  best(samples: Samples): Float64Array[] {
    const { nodes } = this.#options.circuit;
    const values = nodes.map(({ units }) => new Float64Array(samples.count * units).fill(-Infinity));
    const pass = new BestPass(this.#trace, this.#views);
    for (let s = 0; s < samples.count; s++) {
      this.#trace.clear();
      this.#trace.add(samples, s, s + 1, undefined);
      pass.run(samples, s, (id, logs) => values[id]?.set(logs, s * logs.length));
    }
    return values;
  }

  /** Posteriors of the units of leaves, by the order of `ids`, `[samples, units]`. */
  leafFlows(samples: Samples, ids: readonly NodeId[]): { flows: Float64Array[]; uncertified: Uint8Array } {
    const { nodes } = this.#options.circuit;
    const units = ids.map((id) => (nodes[id] as { units: number }).units);
    const flows = units.map((width) => new Float64Array(samples.count * width));
    const uncertified = new Uint8Array(samples.count);
    const places = new Map(ids.map((id, i) => [id, i]));
    this.#inParts(samples, undefined, (first) => {
      const logs = this.#passes.forward();
      uncertified.set(this.#passes.uncertified, first);
      this.#passes.backward(logs.map((log, s) => log > -Infinity && uncertified[first + s] === 0 ? 1 : 0));
      forEachLeaf(this.#trace, (id, own, from) => {
        const i = places.get(id);
        if (i === undefined) return;
        const width = units[i] as number, at = (first + own) * width, out = flows[i] as Float64Array;
        for (let u = 0; u < width; u++) {
          out[at + u] = (out[at + u] as number) + (this.#views.doubles[from + u] as number);
        }
      });
    });
    return { flows, uncertified };
  }

  /** The M-step of this thread's share of the parameters; `priors`: see `Accumulators`. Their counts are reset. */
  update(rule: UpdateRule, priors: ReadonlyMap<string, ArrayLike<number>> | undefined): void {
    const { circuit, part, parts } = this.#options;
    let index = 0;
    for (const [id, node] of parameterOwners(circuit)) {
      if (index++ % parts !== part) continue;
      const settings = settingsFor(rule, id, node.kind), prior = priors?.get(id);
      const update = { ...settings, step: rule.step, ...(prior !== undefined && { prior }) };
      const width = rowWidth(circuit, id, node);
      if (node.kind === "sum") {
        const tiles = this.#layout.tilesOf(node);
        if (!settings.frozen) this.#updateTiles(tiles, node.units, width, update);
        for (const tile of tiles) {
          this.#views.floats.fill(0, tile.counts / 4, tile.counts / 4 + tile.paddedRows * tile.paddedColumns);
        }
      } else {
        if (!settings.frozen) this.#updateLeaf(id, update);
        const { counts, states, stride } = this.#layout.leaves.get(id) as {
          counts: number;
          states: number;
          stride: number;
        };
        this.#views.doubles.fill(0, counts / 8, (counts + states * stride) / 8);
      }
    }
  }

  /** Does samples in parts that there is room for. */
  #inParts(samples: Samples, seen: Uint8Array | undefined, run: (first: number) => void): void {
    this.#passes.single = false;
    for (let first = 0; first < samples.count;) {
      this.#trace.clear();
      const next = this.#trace.add(samples, first, samples.count, seen);
      run(first);
      first = next;
    }
  }

  #updateTiles(tiles: readonly GateTile[], rows: number, width: number, update: RowUpdate): void {
    const { floats } = this.#views, factors = rowFactors(update), { base } = update;
    const shared = base !== undefined && base.length === width;
    for (let row = 0; row < rows; row++) {
      let total = 0;
      for (const { weights, counts, paddedColumns, columns } of tiles) {
        total += dot(floats, weights / 4 + row * paddedColumns, counts / 4 + row * paddedColumns, columns);
      }
      const { keep, counted, spread } = factors(row, total);
      if (keep === 1) continue;
      for (const { weights, counts, paddedColumns, columns, from } of tiles) {
        const w = weights / 4 + row * paddedColumns, c = counts / 4 + row * paddedColumns;
        const first = base === undefined ? 0 : (shared ? 0 : row * width) + from;
        step(floats, w, c, columns, keep, counted, spread, base, first, 1 / width);
      }
    }
  }

  #updateLeaf(id: string, update: RowUpdate): void {
    const { doubles } = this.#views, { base } = update;
    const { states, units, stride, values, counts } = this.#layout.leaves.get(id) as
      & ReturnType<
        GateLayout["leaves"]["get"]
      >
      & object;
    const total = new Float64Array(units), factorsOf = rowFactors(update);
    const wide = stride / 8;
    for (let k = 0; k < states; k++) {
      for (let u = 0, at = counts / 8 + k * wide; u < units; u++, at++) total[u] = total[u]! + doubles[at]!;
    }
    const factors = Array.from(total, (all, u) => factorsOf(u, all));
    const shared = base !== undefined && base.length === states;
    for (let k = 0; k < states; k++) {
      for (let u = 0; u < units; u++) {
        const { keep, counted, spread } = factors[u] as ReturnType<typeof factorsOf>;
        const at = values / 8 + k * wide + u;
        const own = base === undefined ? 1 / states : base[shared ? k : u * states + k] as number;
        doubles[at] = Math.fround(
          keep * doubles[at]! + counted * doubles[counts / 8 + k * wide + u]! + spread * own,
        );
      }
    }
  }
}

// The loops over all weights, kept minimal.

function dot(numbers: Float32Array, a: number, b: number, length: number): number {
  let total = 0;
  // A weight of 0 may have a count that is infinite.
  for (let i = 0; i < length; i++) if (numbers[a + i]! > 0) total += numbers[a + i]! * numbers[b + i]!;
  return total / RATIO_SCALE;
}

function step(
  numbers: Float32Array,
  w: number,
  c: number,
  length: number,
  keep: number,
  counted: number,
  spread: number,
  base: ArrayLike<number> | undefined,
  first: number,
  uniform: number,
): void {
  for (let i = 0; i < length; i++) {
    const old = numbers[w + i]!;
    const own = base === undefined ? uniform : base[first + i]!;
    const used = old > 0 ? counted / RATIO_SCALE * old * numbers[c + i]! : 0;
    numbers[w + i] = keep * old + used + spread * own;
  }
}
