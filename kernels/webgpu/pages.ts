/** Rows `from .. to - 1` of a matrix, in one page. */
export interface PagePart {
  /** Which page. */
  readonly page: number;
  /** Number of the first row's first entry in the page. */
  readonly at: number;
  /** First row. */
  readonly from: number;
  /** End of the rows. */
  readonly to: number;
}

/**
 * Matrices laid out in buffers ("pages") that a kernel may bind as a whole. Those that fit stand next to each other,
 * whole; one that is larger than a binding is cut between rows, and whoever uses it goes through its parts.
 */
export class Pages {
  readonly #limit: number;
  readonly #sizes: number[] = [];

  /** Pages of at most `limit` bytes. */
  constructor(limit: number) {
    this.#limit = Math.floor(limit / 4);
  }

  /** Numbers in each page so far. */
  get sizes(): readonly number[] {
    return this.#sizes;
  }

  /**
   * A place for a matrix `[rows, stride]`. Cuts come after whole fours of rows.
   * @throws {RangeError} when four rows are larger than a page
   */
  add(rows: number, stride: number): PagePart[] {
    const size = rows * stride;
    if (size <= this.#limit) {
      if (this.#sizes.length === 0 || (this.#sizes.at(-1) as number) + size > this.#limit) {
        this.#sizes.push(0);
      }
      const page = this.#sizes.length - 1;
      const at = this.#sizes[page] as number;
      this.#sizes[page] = at + size;
      return [{ page, at, from: 0, to: rows }];
    }
    const most = Math.floor(this.#limit / stride / 4) * 4;
    if (most === 0) {
      throw new RangeError(`four rows of ${stride} numbers are more than a page of ${this.#limit}`);
    }
    const parts: PagePart[] = [];
    for (let from = 0; from < rows; from += most) {
      const to = Math.min(rows, from + most);
      this.#sizes.push((to - from) * stride);
      parts.push({ page: this.#sizes.length - 1, at: 0, from, to });
    }
    return parts;
  }
}
