/** Side of the blocks that are transposed at once, so that both sides stay in the cache. */
const BLOCK = 32;

/**
 * Writes the transpose of a matrix `[rows, columns]` to `to`.
 * @param at index of the first number, with `stride` numbers from one row to the next
 * @param toAt index of the first number of the result, with `toStride` numbers from one of its rows to the next
 */
export function transposeInto<T extends Float32Array | Float64Array>(
  from: ArrayLike<number>,
  at: number,
  stride: number,
  rows: number,
  columns: number,
  to: T,
  toAt: number,
  toStride: number,
): T {
  for (let top = 0; top < rows; top += BLOCK) {
    const bottom = Math.min(rows, top + BLOCK);
    for (let left = 0; left < columns; left += BLOCK) {
      const right = Math.min(columns, left + BLOCK);
      for (let r = top; r < bottom; r++) {
        for (let c = left; c < right; c++) to[toAt + c * toStride + r] = from[at + r * stride + c] as number;
      }
    }
  }
  return to;
}
