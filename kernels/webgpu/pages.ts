/** Rows `from .. to - 1` of a matrix, within one page. */
export interface PagePart {
  /** Index of the page. */
  readonly page: number;
  /** Offset of the first row's first entry in the page. */
  readonly at: number;
  /** First row. */
  readonly from: number;
  /** End of the rows (exclusive). */
  readonly to: number;
}

/**
 * Packs matrices into buffers ("pages") that a kernel can bind as a whole. Matrices that fit are stored contiguously;
 * one larger than a binding is split between rows, and its users process it part by part.
 */
export class Pages {
  readonly #limit: number;
  readonly #sizes: number[] = [];

  /** Creates pages of at most `limit` bytes. */
  constructor(limit: number) {
    this.#limit = Math.floor(limit / 4);
  }

  /** Size of each page so far, in numbers. */
  get sizes(): readonly number[] {
    return this.#sizes;
  }

  /**
   * Allocates a matrix `[rows, stride]`. Splits are at multiples of four rows.
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
