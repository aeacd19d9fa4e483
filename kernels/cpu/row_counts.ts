/** Numbers in a block, about: a megabyte. */
const BLOCK = 2 ** 17;

/**
 * Counts of the rows of a table while they are added up, in float64. A row gets its place when something is first counted
 * for it: of a large vocabulary a batch has few words, whose counts then lie close together.
 */
export class RowCounts {
  /** Numbers in a row. */
  readonly units: number;
  /** By row of the table: one more than its place; 0 for rows without counts. */
  readonly #places: Int32Array;
  readonly #rowsOfBlock: number;
  /** Places, block by block; kept when counts are cleared, because fresh memory is slow. */
  readonly #blocks: Float64Array[] = [];
  #used = 0;

  /** No counts for a table of `rows` rows. */
  constructor(rows: number, units: number) {
    this.units = units;
    this.#places = new Int32Array(rows);
    this.#rowsOfBlock = Math.max(1, Math.floor(BLOCK / units));
  }

  /** The counts of a row, not copied; undefined for none. */
  get(row: number): Float64Array | undefined {
    const place = this.placeOf(row);
    return place < 0 ? undefined : this.#at(place);
  }

  // For loops over many short rows, where a view of each takes longer than the row itself.

  /** The place of a row's counts; -1 for none. */
  placeOf(row: number): number {
    return (this.#places[row] as number) - 1;
  }

  /** The block that holds a place. */
  blockOf(place: number): Float64Array {
    return this.#blocks[Math.floor(place / this.#rowsOfBlock)] as Float64Array;
  }

  /** Where in its block a place begins. */
  offsetOf(place: number): number {
    return place % this.#rowsOfBlock * this.units;
  }

  /** Adds `count` numbers from `flows[from]` on to the units of a row from `unit` on. */
  add(row: number, unit: number, flows: Float32Array, from: number, count: number): void {
    const known = this.placeOf(row), place = known < 0 ? this.#claim(row) : known;
    const counts = this.blockOf(place), at = this.offsetOf(place) + unit;
    if (known >= 0) addTo(counts, at, flows, from, count);
    else {
      if (count < this.units) counts.fill(0, at - unit, at - unit + this.units);
      for (let u = 0; u < count; u++) counts[at + u] = flows[from + u] as number;
    }
  }

  /** Adds `factor * left[from + i] * right[i]` to the units of a row from `unit` on. */
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

  /** Adds to one number of a row. */
  addOne(row: number, unit: number, flow: number): void {
    const counts = this.get(row) ?? this.#at(this.#claim(row)).fill(0);
    counts[unit] = (counts[unit] as number) + flow;
  }

  /** Sets a row; one of zeros is a row without counts. */
  set(row: number, values: Float64Array): void {
    const counts = this.get(row);
    if (counts !== undefined || values.some((n) => n !== 0)) {
      (counts ?? this.#at(this.#claim(row))).set(values);
    }
  }

  /** Back to no counts. */
  clear(): void {
    this.#places.fill(0);
    this.#used = 0;
  }

  #at(place: number): Float64Array {
    const from = this.offsetOf(place);
    return this.blockOf(place).subarray(from, from + this.units);
  }

  /** Gives a row a place, which holds what was there before. */
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
