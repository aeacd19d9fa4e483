import type { OpenDevice } from "./device.ts";
import type { KernelSpec } from "./kernels.ts";

/** Numbers of products of a dispatch that name classes of tiles; those in between belong to the next smaller class. */
export const FOLDS: readonly number[] = [1, 4, 16, 64];

/** The three matrix products of matmul.wgsl. */
export type Form = "forward" | "backward" | "flows";

/**
 * How matmul.wgsl computes: results per thread (`rows` by `columns`), how operands are loaded, and the workgroup size.
 * - `register`: every thread reads its own operands; no barriers, which are slow in software.
 * - `subgroup`: the left operand is read once per subgroup and broadcast.
 * - `shared`: both operands go through shared memory; for hardware.
 */
export interface Tile {
  /** How operands are loaded. */
  readonly kind: "register" | "subgroup" | "shared";
  /** Result rows per thread. */
  readonly rows: number;
  /** Result columns per thread; a multiple of four. */
  readonly columns: number;
  /** Threads of a workgroup along the columns. */
  readonly x: number;
  /** Threads of a workgroup along the rows. */
  readonly y: number;
  /** `shared`: part of the summation length that is loaded at a time, a multiple of four; 8 when left out. */
  readonly depth?: number;
}

/** Samples of which float32 makes one sum in `flows`, where that does not cut those of a term. */
const LONGEST = 512;

/** Terms of `flows` that are added up together, where a batch has so many rows. */
export function termsTogether(rows: number): number {
  return Math.max(1, Math.floor(LONGEST / rows));
}

/**
 * The kernel of a matrix product.
 *
 * @param result what is made of the sums: logarithms in forward; elsewhere products with factors, which may be added to the output; or
 * nothing, where they are parts of sums.
 */
export function matmulKernel(
  form: Form,
  tile: Tile,
  result: "logs" | "factors" | "added" | "parts" = form === "forward" ? "logs" : "factors",
): KernelSpec {
  const { kind, rows, columns, x, y } = tile;
  return {
    template: "matmul",
    constants: {
      FORM: form,
      TILE: kind,
      LEFT: form === "flows" ? "columns" : "rows",
      RIGHT: form === "forward" ? "rows" : "columns",
      ROWS: rows,
      ROWS4: rows / 4,
      COLS: columns,
      COLS4: columns / 4,
      X: x,
      Y: y,
      ...(kind === "subgroup" && { LANES: x, LOADS: rows / x }),
      // Shared tiles: a thread's groups of four are as far apart as all threads' first groups are wide.
      ROW_STEP: kind === "shared" ? 4 * y : 4,
      COL_STEP: kind === "shared" ? 4 * x : 4,
      ...(kind === "shared" && sharedConstants(tile)),
      ...(form === "flows" && { LONGEST }),
      RESULT: result,
    },
  };
}

/** Part of the summation length that tiles of {@link Tile.kind} `shared` load at a time, unless they say. */
const DEPTH = 8;

/** How shared tiles are loaded: a load takes four numbers of an operand. */
function sharedConstants({ rows, columns, x, y, depth = DEPTH }: Tile) {
  // A load by row takes four rows, and a thread makes one a tile.
  if (depth % 4 !== 0 || depth * Math.max(rows * y, columns * x) > 16 * x * y) {
    throw new RangeError(`a shared tile of depth ${depth} has too few threads to load it`);
  }
  const loads = (numbers: number) => Math.ceil(numbers * depth / 4 / (x * y));
  return { DEPTH4: depth / 4, DEPTH: depth, LEFT_LOADS: loads(y * rows), RIGHT_LOADS: loads(x * columns) };
}

/** Bytes of shared memory: two tiles of each operand, a fifth of them padding. */
function sharedBytes({ rows, columns, x, y, depth = DEPTH }: Tile): number {
  return 2 * (depth / 4) * (x * columns / 4 + y * rows / 4) * 80;
}

/** Number of workgroups that cover `rows` by `columns` results. */
export function tileGrid(tile: Tile, rows: number, columns: number): readonly [number, number] {
  return [Math.ceil(columns / (tile.x * tile.columns)), Math.ceil(rows / (tile.y * tile.rows))];
}

/** The shared tile of fewest results. */
const SMALLEST: Tile = { kind: "shared", rows: 4, columns: 4, x: 16, y: 8 };

/** Candidate tiles for a device; the one that usually suits large matrices is first. */
export function candidateTiles({ adapter, features, limits }: OpenDevice): Tile[] {
  const small: Tile = { kind: "register", rows: 4, columns: 4, x: 8, y: 4 };
  if (adapter.software) {
    const register: Tile = { kind: "register", rows: 8, columns: 8, x: 8, y: 4 };
    const lanes = features.subgroup;
    if (lanes < 4 || lanes > 16) return [register, small];
    return [[32, 4], [16, 4], [16, 8]]
      .map(([rows, columns]) => ({ kind: "subgroup", rows, columns, x: lanes, y: 1 }) as Tile)
      .concat(register, small);
  }
  // 128 x 128 results, 64 x 128, 64 x 64, 32 x 128 and 32 x 64.
  const shared = [[8, 8, 16], [4, 8, 16], [4, 4, 16], [4, 8, 8]]
    .map(([rows, columns, y]) => ({ kind: "shared", rows, columns, x: 16, y }) as Tile)
    .concat(SMALLEST)
    .filter((tile) => tile.x * tile.y <= limits.invocations && sharedBytes(tile) <= limits.shared);
  return [...shared, { kind: "register", rows: 8, columns: 8, x: 8, y: 8 }, small];
}

/** Properties of a product that decide the choice of a tile. */
export interface ProductShape {
  /** Which of the products. */
  readonly form: Form;
  /** Result rows; in forward and backward, the batch size. */
  readonly rows: number;
  /** Result columns. */
  readonly columns: number;
  /** Products of a dispatch. */
  readonly folds: number;
}

/** Chooses the tile of a product. */
export type TileChoice = (shape: ProductShape) => Tile;

/** Workgroups that keep a large card busy: two for each of 132 multiprocessors. */
export const BUSY: number = 2 * 132;

/** Rows of the batch for which sums are cut, whatever its size: a sample's result must not depend on the others. */
const USUAL_ROWS = 256;

/** Least length of a part of a sum, in vec4, and most parts. */
const LEAST_PART = 32, MOST_PARTS = 8;

/**
 * Into how many parts the sums of products are cut, so that their workgroups keep hardware busy: a power of two that divides their
 * length; 1 in software. Results depend on it in the last bits, so it is the same for batches of all sizes.
 *
 * @param products `columns` of the results, `depth`: length of the sums in vec4, `folds`: products of a dispatch
 */
export function partsOf(
  { adapter }: Pick<OpenDevice, "adapter">,
  { columns, depth, folds }: { readonly columns: number; readonly depth: number; readonly folds: number },
): number {
  let parts = 1;
  if (adapter.software || columns <= SMALLEST.x * SMALLEST.columns) return parts;
  const [x, y] = tileGrid(SMALLEST, USUAL_ROWS, columns);
  while (x * y * folds * parts < BUSY && parts < MOST_PARTS && depth % (2 * parts * LEAST_PART) === 0) {
    parts *= 2;
  }
  return parts;
}

/**
 * Heuristic choice of the candidates that do not compute mostly outside the result: of shared tiles the first whose workgroups keep
 * hardware busy, else the smallest; of others the first.
 */
export function defaultTiles(open: OpenDevice): TileChoice {
  const candidates = candidateTiles(open);
  return ({ rows, columns, folds }) => {
    const suited = candidates.filter((tile) =>
      columns * 2 > tile.x * tile.columns && rows * 2 > tile.y * tile.rows
    );
    const shared = suited.filter(({ kind }) => kind === "shared");
    const busy = shared.find((tile) => {
      const [x, y] = tileGrid(tile, rows, columns);
      return x * y * folds >= BUSY;
    });
    return busy ?? shared.at(-1) ?? suited[0] ?? narrowTile(columns);
  };
}

/** For few columns: all threads along the rows. */
function narrowTile(columns: number): Tile {
  return columns <= 4
    ? { kind: "register", rows: 4, columns: 4, x: 1, y: 32 }
    : { kind: "register", rows: 4, columns: 4, x: 4, y: 8 };
}
