/** Approximate numbers per block: a megabyte. */
const BLOCK = 2 ** 17;

/**
 * Accumulated counts of the rows of a table, in float64. A row is allocated when first counted: a batch uses few words
 * of a large vocabulary, so their counts are stored close together.
 */
export class RowCounts {
  /** Numbers in a row. */
  readonly units: number;
  /** By row of the table: its place plus one; 0 for rows without counts. */
  readonly #places: Int32Array;
  readonly #rowsOfBlock: number;
  /** Storage of places, block by block; kept when counts are cleared, because touching fresh memory is slow. */
  readonly #blocks: Float64Array[] = [];
  #used = 0;

  /** Creates empty counts for a table of `rows` rows. */
  constructor(rows: number, units: number) {
    this.units = units;
    this.#places = new Int32Array(rows);
    this.#rowsOfBlock = Math.max(1, Math.floor(BLOCK / units));
  }

  /** The counts of a row, not copied; undefined if none. */
  get(row: number): Float64Array | undefined {
    const place = this.placeOf(row);
    return place < 0 ? undefined : this.#at(place);
  }

  /** The counts of those of `count` rows that have some, not copied, by their distance from row `first`. */
  counted(first: number, count: number): Map<number, Float64Array> {
    const rows = new Map<number, Float64Array>();
    for (let row = 0; row < count; row++) {
      const counts = this.get(first + row);
      if (counts !== undefined) rows.set(row, counts);
    }
    return rows;
  }

  // For loops over many short rows, where creating a view of each takes longer than processing it.

  /** The place of a row's counts; -1 if none. */
  placeOf(row: number): number {
    return (this.#places[row] as number) - 1;
  }

  /** The block that holds a place. */
  blockOf(place: number): Float64Array {
    return this.#blocks[Math.floor(place / this.#rowsOfBlock)] as Float64Array;
  }

  /** Offset of a place in its block. */
  offsetOf(place: number): number {
    return place % this.#rowsOfBlock * this.units;
  }

  /** Adds `count` numbers from `flows[from]` on to a row, from `unit` on. */
  add(row: number, unit: number, flows: Float32Array, from: number, count: number): void {
    const known = this.placeOf(row), place = known < 0 ? this.#claim(row) : known;
    const counts = this.blockOf(place), at = this.offsetOf(place) + unit;
    if (known >= 0) addTo(counts, at, flows, from, count);
    else {
      if (count < this.units) counts.fill(0, at - unit, at - unit + this.units);
      for (let u = 0; u < count; u++) counts[at + u] = flows[from + u] as number;
    }
  }

  /** Adds `factor * left[from + i] * right[i]` to a row, from `unit` on. */
  addProducts(
    row: number,
    unit: number,
    factor: number,
    left: Float32Array,
    from: number,
    right: Float64Array,
  ): void {
    const counts = this.get(row) ?? this.#at(this.#claim(row)).fill(0);
    for (let i = 0; i < right.length; i++) {
      counts[unit + i] = (counts[unit + i] as number) + factor * (left[from + i] as number) *
          (right[i] as number);
    }
  }

  /** Adds to one entry of a row. */
  addOne(row: number, unit: number, flow: number): void {
    const counts = this.get(row) ?? this.#at(this.#claim(row)).fill(0);
    counts[unit] = (counts[unit] as number) + flow;
  }

  /** Sets a row; a zero row is stored as one without counts. */
  set(row: number, values: Float64Array): void {
    const counts = this.get(row);
    if (counts !== undefined || values.some((n) => n !== 0)) {
      (counts ?? this.#at(this.#claim(row))).set(values);
    }
  }

  /** Removes all counts. */
  clear(): void {
    this.#places.fill(0);
    this.#used = 0;
  }

  #at(place: number): Float64Array {
    const from = this.offsetOf(place);
    return this.blockOf(place).subarray(from, from + this.units);
  }

  /** Allocates a place for a row; it keeps what the memory held before. */
  #claim(row: number): number {
    const place = this.#used++;
    this.#places[row] = place + 1;
    const block = Math.floor(place / this.#rowsOfBlock);
    this.#blocks[block] ??= new Float64Array(this.#rowsOfBlock * this.units);
    return place;
  }
}

function addTo(counts: Float64Array, at: number, flows: Float32Array, from: number, count: number): void {
  for (let u = 0; u < count; u++) counts[at + u] = (counts[at + u] as number) + (flows[from + u] as number);
}
