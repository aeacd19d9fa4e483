/** A binned variable. */
export interface Column {
  /** Bin of every sample, -1 where missing. */
  readonly values: Int16Array;
  readonly bins: number;
}

/** Number of count tables used in rotation: incrementing the same cell twice in a row would stall on the first write. */
const LANES = 4;

/**
 * Mutual information of pairs of binned variables, for very many pairs: images with 3,072 numbers have 4.7 million. A
 * pair costs one count per sample and one table look-up per cell.
 */
export class PairCounts {
  readonly #count: number;
  readonly #weights: ArrayLike<number> | undefined;
  readonly #pseudocount: number;
  /** Cells per row: the bins, preceded by one for missing values. */
  readonly #stride: number;
  readonly #cells: Int32Array | Float64Array;
  /** Offset of every sample's lane and row; adding the column gives its cell. */
  readonly #rows: Uint32Array;
  #first: Column = { values: new Int16Array(), bins: 0 };
  /** `x log x` of integer counts plus a share of the pseudocount, keyed by that share. */
  readonly #tables = new Map<number, Float64Array>();

  /**
   * Allocates the count tables.
   * @param samples number of samples in every column
   * @param bins maximum number of bins of a column
   * @param pseudocount virtual samples per pair, spread evenly
   * @param weights `[samples]`: the weight of each sample; 1 if omitted
   */
  constructor(samples: number, bins: number, pseudocount: number, weights?: ArrayLike<number>) {
    this.#count = samples;
    this.#weights = weights;
    this.#pseudocount = pseudocount;
    this.#stride = bins + 1;
    const size = LANES * this.#stride ** 2;
    this.#cells = weights === undefined ? new Int32Array(size) : new Float64Array(size);
    this.#rows = new Uint32Array(samples);
  }

  /** Sets the first variable of the following pairs. */
  set first(column: Column) {
    this.#first = column;
    const { values } = column, stride = this.#stride;
    for (let s = 0; s < this.#count; s++) {
      this.#rows[s] = (s % LANES) * stride * stride + ((values[s] as number) + 1) * stride + 1;
    }
  }

  /** Mutual information of the first variable and another, in nats, over samples that have both values. */
  with(other: Column): number {
    this.#countPairs(other.values);
    const { bins: rows } = this.#first, { bins: columns } = other;
    const virtual = this.#pseudocount / (rows * columns);
    const stride = this.#stride, lane = stride * stride, cells = this.#cells;
    const joint = this.#entropyTerm(virtual), byRow = this.#entropyTerm(virtual * columns);
    const byColumn = this.#entropyTerm(virtual * rows);
    const sums = new Float64Array(columns);
    let all = 0, terms = 0;
    for (let r = 0; r < rows; r++) {
      let total = 0;
      for (let c = 0; c < columns; c++) {
        const at = (r + 1) * stride + c + 1;
        let n = 0;
        for (let k = 0; k < LANES; k++) n += cells[k * lane + at] as number;
        if (n === 0 && virtual === 0) continue;
        terms += joint(n);
        total += n;
        sums[c] = (sums[c] as number) + n;
      }
      terms -= byRow(total);
      all += total;
    }
    for (let c = 0; c < columns; c++) terms -= byColumn(sums[c] as number);
    const total = all + this.#pseudocount;
    return total > 0 ? Math.max(0, terms / total + Math.log(total)) : 0;
  }

  #countPairs(values: Int16Array): void {
    const cells = this.#cells, rows = this.#rows, weights = this.#weights;
    cells.fill(0);
    for (let s = 0; s < this.#count; s++) {
      const at = (rows[s] as number) + (values[s] as number);
      cells[at] = (cells[at] as number) + (weights === undefined ? 1 : weights[s] as number);
    }
  }

  /** `x log x` of a count plus its virtual samples. */
  #entropyTerm(virtual: number): (count: number) => number {
    if (this.#weights !== undefined) return (count) => timesLog(count + virtual);
    let table = this.#tables.get(virtual);
    if (table === undefined) {
      table = Float64Array.from({ length: this.#count + 1 }, (_, n) => timesLog(n + virtual));
      this.#tables.set(virtual, table);
    }
    const known = table;
    return (count) => known[count] as number;
  }
}

function timesLog(x: number): number {
  return x > 0 ? x * Math.log(x) : 0;
}
