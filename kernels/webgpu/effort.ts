import type { BatchShape } from "./dispatch.ts";
import { type Effort, TRANSCENDENTAL } from "./pace.ts";
import { type Tile, tileGrid } from "./tiles.ts";

/** What it costs to do so many operations, and read and write so many bytes, for each of `numbers` of every row. */
export function perNumber(numbers: number, flops: number, bytes: number): (batch: BatchShape) => Effort {
  return ({ rows }) => ({ flops: rows * numbers * flops, bytes: rows * numbers * bytes });
}

/** Operations for a term of a sum that repair.wgsl does, if it does it. */
export const LOG_DOMAIN = 2 * TRANSCENDENTAL;

/** What a product costs: whole tiles are computed, also beyond the borders. */
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
