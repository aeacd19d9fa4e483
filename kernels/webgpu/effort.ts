import type { BatchShape } from "./dispatch.ts";
import { type Effort, TRANSCENDENTAL } from "./pace.ts";
import { type Tile, tileGrid } from "./tiles.ts";

/** Cost of `flops` operations and `bytes` bytes read and written for each of `numbers` entries of every row. */
export function perNumber(numbers: number, flops: number, bytes: number): (batch: BatchShape) => Effort {
  return ({ rows }) => ({ flops: rows * numbers * flops, bytes: rows * numbers * bytes });
}

/** Operations per term of a sum in repair.wgsl, if it is computed there. */
export const LOG_DOMAIN = 2 * TRANSCENDENTAL;

/** Cost of a product: whole tiles are computed, including parts outside the matrix. */
export function productEffort(
  tile: Tile,
  rows: number,
  columns: number,
  depth: number,
  folds: number,
): Effort {
  const [x, y] = tileGrid(tile, rows, columns);
  const results = x * tile.x * tile.columns * y * tile.y * tile.rows;
  return {
    flops: 2 * results * depth * folds,
    bytes: 4 * (rows * depth + columns * depth + 2 * rows * columns) * folds,
  };
}
