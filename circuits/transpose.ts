/** Block size of the transposition, so that source and target blocks stay in the cache. */
const BLOCK = 32;

/**
 * Writes the transpose of a matrix `[rows, columns]` to `to`.
 * @param at index of the first number; `stride` numbers separate rows
 * @param toAt index of the first number of the result; `toStride` numbers separate its rows
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
