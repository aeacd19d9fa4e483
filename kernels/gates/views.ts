import type { ParameterArray } from "../../circuits/mod.ts";
import type { GateLayout, GateLeaf, GateTile } from "./layout.ts";

/** The shared memory as numbers of each kind. */
export class Views {
  readonly doubles: Float64Array;
  readonly floats: Float32Array;
  readonly words: Uint32Array;
  readonly integers: Int32Array;

  /** Views of a memory. */
  constructor({ buffer }: WebAssembly.Memory) {
    this.doubles = new Float64Array(buffer);
    this.floats = new Float32Array(buffer);
    this.words = new Uint32Array(buffer);
    this.integers = new Int32Array(buffer);
  }

  /** Writes the rows that never change. */
  writeConstants(layout: GateLayout, lengths: Iterable<number>): void {
    for (const units of lengths) {
      const at = layout.ones(units) / 8;
      this.doubles.fill(1, at, at + units);
    }
  }

  /** Writes the weights of a tile from its parameter, whose rows have `width` numbers. */
  writeTile(tile: GateTile, address: number, values: ParameterArray, width: number): void {
    for (let row = 0; row < tile.rows; row++) {
      const from = row * width + tile.from;
      this.floats.set(values.subarray(from, from + tile.columns), address / 4 + row * tile.paddedColumns);
    }
  }

  /** The inverse of {@link writeTile}. */
  readTile(tile: GateTile, address: number, into: ParameterArray, width: number): void {
    for (let row = 0; row < tile.rows; row++) {
      const at = address / 4 + row * tile.paddedColumns;
      into.set(this.floats.subarray(at, at + tile.columns), row * width + tile.from);
    }
  }

  /** Writes `[units, states]` numbers of a leaf as rows of states, at the address of its values or counts. */
  writeLeaf({ states, units, stride }: GateLeaf, address: number, values: ArrayLike<number>): void {
    for (let state = 0; state < states; state++) {
      const at = (address + state * stride) / 8;
      for (let unit = 0; unit < units; unit++) {
        this.doubles[at + unit] = values[unit * states + state] as number;
      }
    }
  }

  /** The inverse of {@link writeLeaf}. */
  readLeaf<T extends ParameterArray>({ states, units, stride }: GateLeaf, address: number, into: T): T {
    for (let state = 0; state < states; state++) {
      const at = (address + state * stride) / 8;
      for (let unit = 0; unit < units; unit++) {
        into[unit * states + state] = this.doubles[at + unit] as number;
      }
    }
    return into;
  }
}
