import type { Circuit, Node } from "../../circuits/mod.ts";
import type { GateTile } from "./layout.ts";
import {
  ENTRIES,
  type GateKernels,
  LIST_BYTES,
  NO_EXPONENT,
  powerOfTwo,
  RATIO_SCALE,
  RUN_BYTES,
  RUN_SIZE,
  together,
} from "./kernels.ts";
import { Order } from "./order.ts";
import { GrowingList, LEAF, ONES, PRODUCT, SUM, type Trace } from "./trace.ts";
import type { Views } from "./views.ts";
import { factorsOf, forEachFactor } from "./visits.ts";

/** A child whose scale is this many powers of two below another's may be lost, so its sample is computed otherwise. */
const FAR = 100;

/** GatePasses over the items of a trace, level by level, those of one matrix together. */
export class GatePasses {
  readonly #kernels: GateKernels;
  readonly #views: Views;
  readonly #runs: number;
  readonly #list: number;
  readonly #trace: Trace;
  readonly #circuit: Circuit;
  /** By item: the power of two that its row was divided by. */
  #exponents = new Int32Array(0);
  /** By item: what its row was multiplied with at last. */
  #shifts = new Float64Array(0);
  readonly #order = new Order();
  readonly #found = new GrowingList();
  /** By edge: the factor of its input. */
  #factors = new Float64Array(0);
  /** Whether matrices are multiplied in single precision; then there is room for packed rows behind the lists. */
  single = false;
  /** By sample: whether something may have been lost. */
  uncertified = new Uint8Array(0);

  /** GatePasses of one thread, whose lists begin at `base`. */
  constructor(kernels: GateKernels, views: Views, base: number, trace: Trace) {
    this.#kernels = kernels;
    this.#views = views;
    this.#runs = base;
    this.#list = base + RUN_BYTES;
    this.#trace = trace;
    this.#circuit = trace.structure.circuit;
  }

  /** Computes all items; the natural log-likelihoods of the samples are those of the first unit of their root. */
  forward(): Float64Array {
    const trace = this.#trace, levels = trace.structure.levels, top = levels[this.#circuit.root] as number;
    this.#prepare();
    for (let level = 0; level <= top; level++) {
      this.#products(level);
      this.#sums(level);
    }
    return Float64Array.from(
      { length: trace.roots.length },
      (_, s) => this.logOf(trace.roots.values[s] as number, 0),
    );
  }

  /** Logarithm of a unit of an item; after {@link GatePasses.forward}. */
  logOf(item: number, unit: number): number {
    const exponent = this.#exponents[item] as number;
    if (exponent === NO_EXPONENT) return -Infinity;
    return Math.log(this.#views.doubles[(this.#trace.values.values[item] as number) + unit] as number) +
      exponent * Math.LN2;
  }

  /** Computes the flows of all items of the samples that `counted` has a 1 for. */
  backward(counted: ArrayLike<number>): void {
    const trace = this.#trace, { doubles } = this.#views;
    const lengths = this.#lengths();
    this.#rows(8, trace.kinds.length, "clear", (at, item) => {
      this.#views.words[at] = 8 * (trace.flows.values[item] as number);
      this.#views.words[at + 1] = lengths(item);
    }, (item) => trace.kinds.values[item] !== ONES);
    for (let s = 0; s < trace.roots.length; s++) {
      const root = trace.roots.values[s] as number;
      if (counted[s] !== 1 || trace.kinds.values[root] === ONES) continue;
      doubles[trace.flows.values[root] as number] = 1 /
        (doubles[trace.values.values[root] as number] as number);
    }
    const top = trace.structure.levels[this.#circuit.root] as number;
    for (let level = top; level >= 0; level--) {
      this.#runEdges(level, "backward");
      // Products and leaves of a level have all of their flow once the levels above are done.
      this.#flowsOf(level);
    }
  }

  /**
   * Adds expected uses of the edges whose tile is in part `part` of `parts`, and leaf statistics likewise; after
   * {@link GatePasses.backward}. `weights`: by sample.
   */
  count(weights: ArrayLike<number>, part: number, parts: number): void {
    const trace = this.#trace, { words, doubles } = this.#views, { tiles } = trace.structure.layout;
    const owners = trace.owners.values, values = trace.values.values, flows = trace.flows.values;
    const parents = trace.parents.values, inputs = trace.inputs.values, tileOf = trace.tiles.values;
    const order = this.#order.byTile, factors = this.#factors, edges = trace.tiles.length;
    const end = this.#list + LIST_BYTES - 16, mostRuns = Math.floor(RUN_BYTES / RUN_SIZE);
    let at = this.#list, runs = 0;
    for (let e = 0; e < edges;) {
      const own = tileOf[order[e] as number] as number, first = at;
      const full = Math.min(end, first + 16 * ENTRIES);
      for (; e < edges && at < full; e++) {
        const edge = order[e] as number;
        if (tileOf[edge] !== own) break;
        if (own % parts !== part) continue;
        const parent = parents[edge] as number;
        const by = RATIO_SCALE * (factors[edge] as number) * (weights[owners[parent] as number] as number);
        if (by === 0) continue;
        words[at >>> 2] = 8 * (flows[parent] as number);
        words[(at >>> 2) + 1] = 8 * (values[inputs[edge] as number] as number);
        doubles[(at >>> 3) + 1] = by;
        at += 16;
      }
      if (at > first) {
        const tile = tiles[own] as GateTile;
        this.#run(runs++, tile, tile.counts, first, (at - first) / 16);
      }
      if (at < end && runs < mostRuns) continue;
      this.#multiply("count", runs);
      at = this.#list;
      runs = 0;
    }
    this.#multiply("count", runs);
    this.#countLeaves(weights, part, parts);
  }

  #countLeaves(weights: ArrayLike<number>, part: number, parts: number): void {
    const trace = this.#trace, { words, doubles } = this.#views;
    const addresses = trace.structure.countsOfRow, lengths = this.#lengths();
    let at = this.#list;
    const flush = () => {
      this.#kernels.addRow(this.#list, (at - this.#list) / 24);
      at = this.#list;
    };
    const add = (row: number, item: number) => {
      if (row < 0 || row % parts !== part) return;
      const weight = weights[trace.owners.values[item] as number] as number;
      if (weight === 0) return;
      words[at >>> 2] = addresses[row] as number;
      words[(at >>> 2) + 1] = 8 * (trace.flows.values[item] as number);
      words[(at >>> 2) + 2] = lengths(item);
      doubles[(at >>> 3) + 2] = weight;
      at += 24;
      if (at + 24 > this.#list + LIST_BYTES) flush();
    };
    for (let item = 0; item < trace.kinds.length; item++) {
      const kind = trace.kinds.values[item];
      if (kind === LEAF) add(trace.places.values[item] as number, item);
      if (kind !== PRODUCT) continue;
      forEachFactor(trace, item, (factor, row) => {
        if (factor < 0) add(row, item);
      });
    }
    flush();
  }

  /** Sorts the trace, and makes room for its numbers. */
  #prepare(): void {
    const trace = this.#trace, count = trace.kinds.length, edges = trace.tiles.length;
    this.#order.sort(trace);
    if (this.#exponents.length < count) {
      this.#exponents = new Int32Array(2 * count);
      this.#shifts = new Float64Array(2 * count);
    }
    if (this.#factors.length < edges) this.#factors = new Float64Array(2 * edges);
    this.#exponents.fill(0, 0, count);
    this.uncertified = new Uint8Array(trace.roots.length);
  }

  #products(level: number): void {
    const trace = this.#trace, { words } = this.#views, lengths = this.#lengths();
    const items = this.#itemsOf(level, PRODUCT);
    const factorOf = (item: number, i: number) =>
      trace.factors.values[(trace.places.values[item] as number) + 2 * i] as number;
    const rowOf = (factor: number) => 8 * (factor < 0 ? -1 - factor : trace.values.values[factor] as number);
    const exponentOf = (factor: number) => factor < 0 ? 0 : this.#exponents[factor] as number;
    // One factor after the other: rows are scaled between them, so that no product leaves the range.
    for (let i = 1; items.length > 0; i++) {
      this.#rows(16, items.length, "product", (at, index) => {
        const item = items.values[index] as number, factor = factorOf(item, i), to = rowOf(item);
        if (i === 1) this.#exponents[item] = exponentOf(factorOf(item, 0));
        const alone = factorsOf(trace, item).length === 1;
        if (!alone) this.#exponents[item] = together(this.#exponents[item] as number, exponentOf(factor));
        words[at] = to;
        words[at + 1] = i === 1 ? rowOf(factorOf(item, 0)) : to;
        words[at + 2] = alone ? trace.structure.layout.ones(this.#unitsOf(item)) : rowOf(factor);
        words[at + 3] = lengths(item);
      });
      this.#finish(items);
      // Those with more factors move to the front.
      let more = 0;
      for (let k = 0; k < items.length; k++) {
        const item = items.values[k] as number;
        if (factorsOf(trace, item).length > i + 1) items.values[more++] = item;
      }
      items.length = more;
    }
  }

  #sums(level: number): void {
    const trace = this.#trace, { words } = this.#views, lengths = this.#lengths();
    const items = this.#itemsOf(level, SUM);
    if (items.length === 0) return;
    for (let i = 0; i < items.length; i++) this.#exponents[items.values[i] as number] = NO_EXPONENT;
    const from = this.#order.edgeStarts[level] as number, to = this.#order.edgeStarts[level + 1] as number;
    const parents = trace.parents.values, inputs = trace.inputs.values, owners = trace.owners.values;
    const exponents = this.#exponents, order = this.#order.edges, factors = this.#factors;
    // The scale of a sum is that of its largest input.
    for (let e = from; e < to; e++) {
      const edge = order[e] as number, parent = parents[edge] as number;
      const own = exponents[inputs[edge] as number] as number;
      if (own > (exponents[parent] as number)) exponents[parent] = own;
    }
    for (let e = from; e < to; e++) {
      const edge = order[e] as number, parent = parents[edge] as number;
      const own = exponents[inputs[edge] as number] as number, below = (exponents[parent] as number) - own;
      if (own !== NO_EXPONENT && below > FAR) this.uncertified[owners[parent] as number] = 1;
      factors[edge] = own === NO_EXPONENT ? 0 : below === 0 ? 1 : powerOfTwo(-below);
    }
    this.#rows(8, items.length, "clear", (at, i) => {
      const item = items.values[i] as number;
      words[at] = 8 * (trace.values.values[item] as number);
      words[at + 1] = lengths(item);
    });
    this.#runEdges(level, "forward");
    this.#finish(items);
    // From now on relative to the row as it is stored.
    for (let e = from; e < to; e++) {
      const edge = order[e] as number, factor = this.#factors[edge] as number;
      if (factor !== 0) {
        this.#factors[edge] = factor * (this.#shifts[trace.parents.values[edge] as number] as number);
      }
    }
  }

  /** Runs of a level's edges, tile by tile, up or down. */
  #runEdges(level: number, pass: "forward" | "backward"): void {
    const trace = this.#trace, { words, doubles } = this.#views, { tiles, trash } = trace.structure.layout;
    const up = pass === "forward", rows = (up ? trace.values : trace.flows).values;
    const toOf = up ? trace.parents.values : trace.inputs.values;
    const fromOf = up ? trace.inputs.values : trace.parents.values;
    const tileOf = trace.tiles.values, order = this.#order.edges, factors = this.#factors;
    const last = this.#order.edgeStarts[level + 1] as number;
    const end = this.#list + LIST_BYTES - 64, mostRuns = Math.floor(RUN_BYTES / RUN_SIZE);
    let at = this.#list, runs = 0;
    for (let e = this.#order.edgeStarts[level] as number; e < last;) {
      const own = tileOf[order[e] as number] as number, first = at;
      for (; e < last && at < end; e++) {
        const edge = order[e] as number;
        if (tileOf[edge] !== own) break;
        const by = factors[edge] as number;
        if (by === 0) continue;
        words[at >>> 2] = 8 * (rows[toOf[edge] as number] as number);
        words[(at >>> 2) + 1] = 8 * (rows[fromOf[edge] as number] as number);
        doubles[(at >>> 3) + 1] = by;
        at += 16;
      }
      // Two or three that are left are done with one or two that nobody reads: four at once take less time.
      for (; this.single && (at - first) % 64 > 16; at += 16) {
        words[at >>> 2] = trash;
        words[(at >>> 2) + 1] = words[(at >>> 2) - 3] as number;
        doubles[(at >>> 3) + 1] = 0;
      }
      if (at > first) {
        const tile = tiles[own] as GateTile;
        this.#run(runs++, tile, tile.weights, first, (at - first) / 16);
      }
      if (at < end && runs < mostRuns) continue;
      this.#multiply(pass, runs);
      at = this.#list;
      runs = 0;
    }
    this.#multiply(pass, runs);
  }

  /** Flows of the products and leaves of a level, from those of the sums above over their values, and on to sums below products. */
  #flowsOf(level: number): void {
    const trace = this.#trace, { words } = this.#views, lengths = this.#lengths();
    for (const kind of [PRODUCT, LEAF]) {
      const items = this.#itemsOf(level, kind);
      this.#rows(16, items.length, "product", (at, i) => {
        const item = items.values[i] as number, flow = 8 * (trace.flows.values[item] as number);
        words[at] = words[at + 1] = flow;
        words[at + 2] = 8 * (trace.values.values[item] as number);
        words[at + 3] = lengths(item);
      });
      if (kind === LEAF) continue;
      let at = this.#list;
      const flush = () => {
        this.#kernels.share(this.#list, (at - this.#list) / 16);
        at = this.#list;
      };
      for (let i = 0; i < items.length; i++) {
        const item = items.values[i] as number;
        forEachFactor(trace, item, (factor) => {
          if (factor < 0) return;
          words[at >>> 2] = 8 * (trace.flows.values[factor] as number);
          words[(at >>> 2) + 1] = 8 * (trace.flows.values[item] as number);
          words[(at >>> 2) + 2] = 8 * (trace.values.values[factor] as number);
          words[(at >>> 2) + 3] = lengths(item);
          at += 16;
        });
        if (at + 16 * 64 > this.#list + LIST_BYTES) flush();
      }
      flush();
    }
  }

  /** Scales rows so that their largest number is from 1 to 2. */
  #finish(items: GrowingList): void {
    const trace = this.#trace, { words, integers } = this.#views, lengths = this.#lengths();
    let at = this.#list, first = 0;
    const flush = (end: number) => {
      this.#kernels.finish(this.#list, (at - this.#list) / 16);
      for (let i = first, from = this.#list / 4; i < end; i++, from += 4) {
        const item = items.values[i] as number, by = integers[from + 2] as number;
        this.#exponents[item] = together(this.#exponents[item] as number, by);
        this.#shifts[item] = by === NO_EXPONENT ? 0 : powerOfTwo(-by);
        if (integers[from + 3] === 1) this.uncertified[trace.owners.values[item] as number] = 1;
      }
      first = end;
      at = this.#list;
    };
    for (let i = 0; i < items.length; i++) {
      const item = items.values[i] as number;
      words[at >>> 2] = 8 * (trace.values.values[item] as number);
      words[(at >>> 2) + 1] = lengths(item);
      at += 16;
      if (at + 16 > this.#list + LIST_BYTES) flush(i + 1);
    }
    flush(items.length);
  }

  /** Calls a kernel over rows, with `write(word, index)` for the entries of those that `wanted` holds for. */
  #rows(
    bytes: number,
    count: number,
    kernel: "clear" | "product",
    write: (at: number, i: number) => void,
    wanted?: (i: number) => boolean,
  ): void {
    let at = this.#list;
    for (let i = 0; i < count; i++) {
      if (wanted?.(i) === false) continue;
      write(at >>> 2, i);
      at += bytes;
      if (at + bytes <= this.#list + LIST_BYTES) continue;
      this.#kernels[kernel](this.#list, (at - this.#list) / bytes);
      at = this.#list;
    }
    this.#kernels[kernel](this.#list, (at - this.#list) / bytes);
  }

  /** Calls a kernel over runs of matrices. */
  #multiply(pass: "forward" | "backward" | "count", runs: number): void {
    if (!this.single) return this.#kernels[pass](this.#runs, runs);
    this.#kernels[`${pass}Single`](this.#runs, runs, this.#list + LIST_BYTES);
  }

  #run(index: number, tile: GateTile, address: number, list: number, entries: number): void {
    const { words } = this.#views, at = this.#runs / 4 + RUN_SIZE / 4 * index;
    words[at] = address;
    words[at + 1] = tile.paddedRows;
    words[at + 2] = tile.paddedColumns;
    words[at + 3] = list;
    words[at + 4] = entries;
    words[at + 5] = tile.rows;
    words[at + 6] = tile.columns;
  }

  /** The items of a kind of a level; the list is the same each time. */
  #itemsOf(level: number, kind: number): GrowingList {
    const found = this.#found;
    found.length = 0;
    const { items, itemStarts } = this.#order;
    for (let i = itemStarts[level]!; i < itemStarts[level + 1]!; i++) {
      const item = items[i] as number;
      if (this.#trace.kinds.values[item] === kind) found.push(item);
    }
    return found;
  }

  #unitsOf(item: number): number {
    return (this.#circuit.nodes[this.#trace.nodes.values[item] as number] as Node).units;
  }

  #lengths(): (item: number) => number {
    const { structure: { lengths }, nodes: { values: nodes } } = this.#trace;
    return (item) => lengths[nodes[item] as number] as number;
  }
}
