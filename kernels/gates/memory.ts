import { type Circuit, type ParameterArray, parameterOf } from "../../circuits/circuit.ts";
import { CircuitError } from "../../circuits/errors.ts";
import type { Flows } from "../../circuits/evaluator.ts";
import { parameterOwners } from "../../circuits/learner.ts";
import type { Tensor } from "../../circuits/safetensors.ts";
import { RetortError } from "../../foundation/errors.ts";
import {
  type GateLayout,
  type GateLeaf,
  type GateTile,
  layOut,
  MOST_PAGES,
  PAGE_BYTES,
  wide,
} from "./layout.ts";
import { LIST_BYTES, packedBytes, RATIO_SCALE, RUN_BYTES } from "./kernels.ts";
import type { ThreadOptions } from "./thread.ts";
import { Views } from "./views.ts";

/** Parameters and counts of an engine, in the memory that its threads share. */
export class GateMemory {
  /** Options for the threads that share the memory. */
  readonly threads: readonly ThreadOptions[];
  readonly #circuit: Circuit;
  readonly #layout: GateLayout;
  readonly #views: Views;
  /** By parameter: expected uses of edges with weights that were replaced since. */
  readonly #earlier = new Map<string, Float64Array>();

  private constructor(
    circuit: Circuit,
    layout: GateLayout,
    memory: WebAssembly.Memory,
    threads: ThreadOptions[],
  ) {
    this.#circuit = circuit;
    this.#layout = layout;
    this.#views = new Views(memory);
    this.threads = threads;
    this.#views.writeConstants(layout, new Set(circuit.nodes.map(({ units }) => units)));
    this.setValues(new Map([...circuit.parameters].map(([id, { values }]) => [id, values])));
  }

  /**
   * A memory with the parameters of a circuit, and room for `bytes` of activations in all.
   *
   * @param moduleOf the arithmetic for a memory of so many pages
   * @param shared whether threads share it
   * @param single whether they learn in single precision
   * @throws {RetortError} when that does not fit into a memory of WebAssembly
   */
  static async create(
    circuit: Circuit,
    { bytes, threads, shared, single }: { bytes: number; threads: number; shared: boolean; single: boolean },
    moduleOf: (pages: number) => Promise<WebAssembly.Module>,
  ): Promise<GateMemory> {
    const layout = layOut(circuit);
    const fixed = RUN_BYTES + LIST_BYTES + (single ? packedBytes(layout.widest) : 0);
    // Values and flows of all nodes: the most that one sample can need.
    const sample = circuit.nodes.reduce((sum, { units }) => sum + 16 * wide(units), 0);
    const room = Math.max(sample, bytes / threads);
    const most = MOST_PAGES * PAGE_BYTES - layout.end;
    const each = Math.min(
      Math.ceil((fixed + room + sample) / PAGE_BYTES) * PAGE_BYTES,
      Math.floor(most / threads / PAGE_BYTES) * PAGE_BYTES,
    );
    if (each < fixed + 2 * sample) {
      throw new RetortError(
        "engine/memory",
        `the parameters of the circuit and their counts take ${
          gigabytes(layout.end)
        }, and ${threads} threads ${gigabytes(threads * (fixed + 2 * sample))} more; the engine cpu has ${
          gigabytes(MOST_PAGES * PAGE_BYTES)
        } for circuits with gates`,
        { hint: "Take fewer states, fewer pairs of blocks that may follow each other, or fewer threads." },
      );
    }
    const first = Math.ceil(layout.end / PAGE_BYTES) * PAGE_BYTES,
      pages = Math.min(MOST_PAGES, first / PAGE_BYTES + threads * each / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
    const module = await moduleOf(pages);
    const empty: Circuit = {
      ...circuit,
      parameters: new Map(
        [...circuit.parameters].map(([id, own]) => [id, { ...own, values: new Float32Array(0) }]),
      ),
    };
    const options = Array.from({ length: threads }, (_, part): ThreadOptions => {
      const from = first + part * each;
      // One sample may be begun when there is almost no room left.
      return { module, memory, circuit: empty, single, part, parts: threads, from, to: from + each - sample };
    });
    return new GateMemory(circuit, layout, memory, options);
  }

  /** Writes values of some parameters. */
  setValues(values: ReadonlyMap<string, ParameterArray>): void {
    for (const [id, array] of values) {
      this.#forEachPart(
        id,
        (tile, width) => this.#views.writeTile(tile, tile.weights, array, width),
        (leaf) => {
          this.#views.writeLeaf(leaf, leaf.values, array);
        },
      );
    }
  }

  /** Copies of the values of all parameters. */
  values(): Map<string, ParameterArray> {
    return new Map(
      [...this.#circuit.parameters.keys()].map((id) => {
        const out = new Float32Array(sizeOf(this.#circuit, id));
        this.#forEachPart(
          id,
          (tile, width) => this.#views.readTile(tile, tile.weights, out, width),
          (leaf) => {
            this.#views.readLeaf(leaf, leaf.values, out);
          },
        );
        return [id, out];
      }),
    );
  }

  /** Takes the counts of some parameters apart, before their values change. */
  setAside(ids: Iterable<string>): void {
    const { weights } = this.counts();
    for (const id of ids) {
      const counts = weights.get(id);
      if (counts === undefined) continue;
      this.#earlier.get(id)?.forEach((n, at) => counts[at] = counts[at]! + n);
      this.#earlier.set(id, counts);
      this.#clearTiles(this.#layout.tilesById(id));
    }
  }

  /** Adds what was set aside to the counts, but for edges whose weight is zero by now. */
  addEarlier(): void {
    this.addCounts({ weights: this.#earlier, statistics: new Map() });
    this.#earlier.clear();
  }

  /** Expected uses of edges, and statistics of leaves. */
  counts(): Pick<Flows, "weights" | "statistics"> {
    const weights = new Map<string, Float64Array>(), statistics = new Map<string, Float64Array>();
    for (const [id, node] of parameterOwners(this.#circuit)) {
      const out = new Float64Array(sizeOf(this.#circuit, id));
      (node.kind === "sum" ? weights : statistics).set(id, out);
      this.#forEachPart(id, (tile, width) => {
        this.#views.readTile(tile, tile.counts, out, width);
        this.#forEachWeight(
          tile,
          width,
          (at, weight) => out[at] = weight > 0 ? out[at]! * weight / RATIO_SCALE : 0,
        );
      }, (leaf) => {
        this.#views.readLeaf(leaf, leaf.counts, out);
      });
    }
    return { weights, statistics };
  }

  /** Adds counts that were made elsewhere. */
  addCounts({ weights, statistics }: Pick<Flows, "weights" | "statistics">): void {
    const { floats, doubles } = this.#views;
    for (const [id, counts] of [...weights, ...statistics]) {
      this.#forEachPart(id, (tile, width) => {
        this.#forEachWeight(tile, width, (at, weight, address) => {
          const count = address - tile.weights / 4 + tile.counts / 4;
          if (weight > 0 && counts[at] !== 0) {
            floats[count] = floats[count]! + RATIO_SCALE * counts[at]! / weight;
          }
        });
      }, ({ states, units, stride, counts: address }) => {
        for (let state = 0; state < states; state++) {
          for (let unit = 0; unit < units; unit++) {
            const at = (address + state * stride) / 8 + unit;
            doubles[at] = doubles[at]! + counts[unit * states + state]!;
          }
        }
      });
    }
  }

  /** Copies of the counts as they are stored, by parameter. */
  copyCounts(): Map<string, ParameterArray> {
    return new Map([...parameterOwners(this.#circuit)].map(([id, node]) => {
      const size = sizeOf(this.#circuit, id);
      const out = node.kind === "sum" ? new Float32Array(size) : new Float64Array(size);
      this.#forEachPart(id, (tile, width) => this.#views.readTile(tile, tile.counts, out, width), (leaf) => {
        this.#views.readLeaf(leaf, leaf.counts, out);
      });
      return [id, out];
    }));
  }

  /** Puts back what {@link GateMemory.copyCounts} gave. */
  restoreCounts(counts: ReadonlyMap<string, ParameterArray>): void {
    for (const [id, array] of counts) {
      this.#forEachPart(
        id,
        (tile, width) => this.#views.writeTile(tile, tile.counts, array, width),
        (leaf) => {
          this.#views.writeLeaf(leaf, leaf.counts, array);
        },
      );
    }
  }

  /** Sets all counts to zero. */
  clearCounts(): void {
    const { doubles } = this.#views;
    this.#clearTiles(this.#layout.tiles);
    for (const { counts, states, stride } of this.#layout.leaves.values()) {
      doubles.fill(0, counts / 8, (counts + states * stride) / 8);
    }
  }

  /** Parameters and counts as tensors by name: `parameters/<id>`, `ratios/<id>` (flow over weight), `statistics/<id>`, `weight`. */
  save(weight: Float64Array): ReadonlyMap<string, Tensor> {
    const tensors = new Map<string, Tensor>([["weight", { shape: [weight.length], values: weight }]]);
    for (const [id, values] of this.values()) {
      tensors.set(`parameters/${id}`, { shape: parameterOf(this.#circuit, id).shape, values });
    }
    for (const [id, values] of this.copyCounts()) {
      tensors.set(`${nameOf(values)}/${id}`, { shape: [values.length], values });
    }
    return tensors;
  }

  /** Puts a state back. @throws {CircuitError} when it does not fit; nothing has changed then */
  restore(
    state: ReadonlyMap<string, Tensor>,
    restoreWeight: (weight: Float64Array | undefined) => boolean,
  ): void {
    const take = (name: string, like: ParameterArray): ParameterArray => {
      const values = state.get(name)?.values;
      if (values?.constructor === like.constructor && values.length === like.length) {
        return values as ParameterArray;
      }
      throw misfit(name);
    };
    const values = new Map([...this.values()].map(([id, own]) => [id, take(`parameters/${id}`, own)]));
    const counts = new Map(
      [...this.copyCounts()].map(([id, own]) => [id, take(`${nameOf(own)}/${id}`, own)]),
    );
    const weight = state.get("weight")?.values;
    if (!restoreWeight(weight instanceof Float64Array ? weight : undefined)) throw misfit("weight");
    this.setValues(values);
    this.restoreCounts(counts);
    this.#earlier.clear();
  }

  #clearTiles(tiles: readonly GateTile[]): void {
    const { floats } = this.#views;
    for (const { counts, paddedRows, paddedColumns } of tiles) {
      floats.fill(0, counts / 4, counts / 4 + paddedRows * paddedColumns);
    }
  }

  /** Calls one of two functions for the tiles of a sum's parameter, or for a leaf's. */
  #forEachPart(
    id: string,
    visitTile: (tile: GateTile, width: number) => void,
    visitLeaf: (leaf: GateLeaf) => void,
  ): void {
    const leaf = this.#layout.leaves.get(id);
    if (leaf !== undefined) return visitLeaf(leaf);
    const width = parameterOf(this.#circuit, id).shape[2] as number;
    for (const tile of this.#layout.tilesById(id)) visitTile(tile, width);
  }

  #forEachWeight(
    tile: GateTile,
    width: number,
    visit: (at: number, weight: number, address: number) => void,
  ): void {
    for (let row = 0; row < tile.rows; row++) {
      const address = tile.weights / 4 + row * tile.paddedColumns;
      for (let i = 0; i < tile.columns; i++) {
        visit(row * width + tile.from + i, this.#views.floats[address + i] as number, address + i);
      }
    }
  }
}

function sizeOf(circuit: Circuit, id: string): number {
  return parameterOf(circuit, id).shape.reduce((a, b) => a * b, 1);
}

function nameOf(counts: ParameterArray): string {
  return counts instanceof Float32Array ? "ratios" : "statistics";
}

function misfit(name: string): CircuitError {
  return new CircuitError(
    "learning/state",
    `the state is of another circuit or engine: \`${name}\` does not fit`,
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
