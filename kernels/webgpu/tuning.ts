import type { Plan } from "../plan.ts";
import type { ReadyDevice } from "./host.ts";
import { padded } from "./layout.ts";
import { measureProduct, measureRate } from "./measure.ts";
import type { Rate } from "./pace.ts";
import { candidateTiles, defaultTiles, type ProductShape, type Tile, type TileChoice } from "./tiles.ts";

/** What was measured on one adapter. */
export interface Tuning {
  /** The tile of every class of products, by {@link shapeClass}. */
  readonly tiles: Readonly<Record<string, Tile>>;
  /** How fast it is, by which work is cut. */
  readonly rate?: Rate;
}

/** Where what was measured is kept from run to run, by the name of the adapter. */
export interface TuningStore {
  /** What is known of all adapters. */
  load(): Promise<Readonly<Record<string, Tuning>>>;
  /** Keeps what is known of one. */
  save(adapter: string, tuning: Tuning): Promise<void>;
}

/** Sizes of a class: what is between two of them belongs to the smaller. */
const SIZES = [32, 64, 128, 256, 512, 1024];

/** Samples of a batch from which on products of a batch are tuned, and with which they are measured. */
const BATCH = 256;

/** Candidates that are tried: those after them are for small products. */
const CANDIDATES = 4;

/** How much faster than the rule of thumb a tile must be: less is noise. */
const GAIN = 1.05;

/** Multiplications and additions of a measured submission: folds are added until there are so many. */
const WORK = 2 ** 26;

/** The class of a product, such as `forward 512` or `flows 512x256`; undefined where the rule of thumb decides. */
export function shapeClass({ form, rows, columns }: ProductShape): string | undefined {
  const size = (n: number) => SIZES.findLast((size) => size <= n);
  const [high, wide] = [size(rows), size(columns)];
  if (wide === undefined || high === undefined) return undefined;
  if (form === "flows") return `flows ${high}x${wide}`;
  return rows >= BATCH ? `${form} ${wide}` : undefined;
}

/** Tiles as they were measured; others by the rule of thumb. */
export function tunedTiles({ open }: Pick<ReadyDevice, "open">, tuning: Tuning): TileChoice {
  const byRule = defaultTiles(open);
  return (shape) => {
    const name = shapeClass(shape);
    return (name === undefined ? undefined : tuning.tiles[name]) ?? byRule(shape);
  };
}

/** The large products of a plan, one of each class. */
export function productShapes(plan: Plan): ProductShape[] {
  const shapes = new Map<string, ProductShape>();
  for (const { units, inputs } of plan.weightTables) {
    const columns = padded(inputs);
    for (
      const shape of [
        { form: "forward", rows: BATCH, columns: units },
        { form: "backward", rows: BATCH, columns },
        { form: "flows", rows: units, columns },
      ] as const
    ) {
      const name = shapeClass(shape);
      if (name !== undefined && units * inputs >= SIZES[0]! ** 2) shapes.set(name, shape);
    }
  }
  return [...shapes.values()];
}

/**
 * Measures the rate of the adapter and the candidates for those classes of `shapes`, where `known` has them not, which takes
 * some 50 ms each and what compiling takes. Tiles change how fast a product is, not what it is: all add up in the same order.
 * @returns what is known now; `known` itself when there was nothing to measure
 */
export async function tune(
  ready: ReadyDevice,
  shapes: readonly ProductShape[],
  known: Tuning,
): Promise<Tuning> {
  const found: Record<string, Tile> = {};
  for (const shape of shapes) {
    const name = shapeClass(shape);
    if (name === undefined || name in known.tiles) continue;
    found[name] = await fastest(ready, shape);
  }
  if (known.rate !== undefined && Object.keys(found).length === 0) return known;
  return { tiles: { ...known.tiles, ...found }, rate: known.rate ?? await measureRate(ready) };
}

async function fastest(ready: ReadyDevice, shape: ProductShape): Promise<Tile> {
  const { form } = shape;
  const [rows, columns] = [shape.rows, shape.columns].map((n) => SIZES.findLast((size) => size <= n)!) as [
    number,
    number,
  ];
  // Sums are as long as the batch in flows; elsewhere about as long as results are wide.
  const depth = form === "flows" ? BATCH : columns;
  const folds = Math.max(1, Math.min(64, Math.round(WORK / (2 * rows * columns * depth))));
  const rate = (tile: Tile) =>
    measureProduct(ready, { form, rows, columns, depth, folds, tile, seconds: 0.05 });
  const rule = defaultTiles(ready.open)(shape);
  let best = rule, most = GAIN * await rate(rule);
  for (const tile of candidateTiles(ready.open).slice(0, CANDIDATES)) {
    if (JSON.stringify(tile) === JSON.stringify(rule)) continue;
    const found = await rate(tile);
    if (found > most) [best, most] = [tile, found];
  }
  return best;
}
