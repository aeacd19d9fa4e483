import type { Plan } from "../plan.ts";
import type { OpenDevice } from "./device.ts";
import type { ReadyDevice } from "./host.ts";
import { padded } from "./layout.ts";
import { measureProduct, measureRate } from "./measure.ts";
import type { Rate } from "./pace.ts";
import { groupParts } from "./products.ts";
import {
  candidateTiles,
  defaultTiles,
  FOLDS,
  type ProductShape,
  type Tile,
  type TileChoice,
} from "./tiles.ts";

/** Measurements of one adapter. */
export interface Tuning {
  /** The tile of every class of products, by {@link shapeClass}. */
  readonly tiles: Readonly<Record<string, Tile>>;
  /** Speed of the adapter, by which work is split. */
  readonly rate?: Rate;
}

/** Persistent storage of measurements, by adapter name. */
export interface TuningStore {
  /** Loads the measurements of all adapters. */
  load(): Promise<Readonly<Record<string, Tuning>>>;
  /** Saves the measurements of one adapter. */
  save(adapter: string, tuning: Tuning): Promise<void>;
}

/** Sizes that name classes; sizes in between belong to the next smaller class. */
const SIZES = [32, 64, 128, 256, 512, 1024];

/** Minimum batch size from which products are tuned, and the size they are measured with. */
const BATCH = 256;

/** Number of candidates tried; the rest are for small products. */
const CANDIDATES = 5;

/** Most numbers that measured products compute at a time: for more of them, the device is as busy with fewer. */
const MOST_RESULTS = 2 ** 22;

/** Minimum speed-up over the heuristic; less is noise. */
const GAIN = 1.05;

/** The class of products, such as `forward 512 x4` or `flows 512x256 x1`; undefined where the heuristic decides. */
export function shapeClass({ form, rows, columns, folds }: ProductShape): string | undefined {
  const size = (n: number) => SIZES.findLast((size) => size <= n);
  const [high, wide] = [size(rows), size(columns)];
  if (wide === undefined || high === undefined) return undefined;
  const times = `x${FOLDS.findLast((count) => count <= folds)!}`;
  if (form === "flows") return `flows ${high}x${wide} ${times}`;
  return rows >= BATCH ? `${form} ${wide} ${times}` : undefined;
}

/** Chooses tiles by measurements; by the heuristic where there are none. */
export function tunedTiles({ open }: Pick<ReadyDevice, "open">, tuning: Tuning): TileChoice {
  const byRule = defaultTiles(open);
  return (shape) => {
    const name = shapeClass(shape);
    return (name === undefined ? undefined : tuning.tiles[name]) ?? byRule(shape);
  };
}

/** The large products of a plan on a device, one per class. */
export function productShapes(open: Pick<OpenDevice, "adapter">, plan: Plan): ProductShape[] {
  const shapes = new Map<string, ProductShape>();
  for (const group of plan.groups) {
    if (group.kind !== "sum") continue;
    const { units, inputs, folds } = group, columns = padded(inputs), parts = groupParts(open, group);
    for (
      const shape of [
        { form: "forward", rows: BATCH, columns: units, folds: folds * parts.forward },
        { form: "backward", rows: BATCH, columns, folds: folds * parts.backward },
        { form: "flows", rows: units, columns, folds: plan.weightTables[group.table]!.slots },
      ] as const
    ) {
      const name = shapeClass(shape);
      if (name !== undefined && units * inputs >= SIZES[0]! ** 2) shapes.set(name, shape);
    }
  }
  return [...shapes.values()];
}

/**
 * Measures the rate of the adapter, and the candidate tiles for the classes of `shapes`, where `known` lacks them.
 * Takes some 50 ms each plus compilation. Tiles affect only speed, not results: all add up in the same order.
 * @returns all measurements; `known` itself when there was nothing to measure
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
  // In flows, sums run over the batch; elsewhere they are about as long as results are wide.
  const depth = form === "flows" ? BATCH : columns;
  const folds = Math.max(
    1,
    Math.min(FOLDS.findLast((count) => count <= shape.folds)!, MOST_RESULTS / (rows * columns)),
  );
  const rate = (tile: Tile) =>
    measureProduct(ready, { form, rows, columns, depth, folds, tile, seconds: 0.05 });
  const rule = defaultTiles(ready.open)({ ...shape, folds });
  let best = rule, most = GAIN * await rate(rule);
  for (const tile of candidateTiles(ready.open).slice(0, CANDIDATES)) {
    if (JSON.stringify(tile) === JSON.stringify(rule)) continue;
    const found = await rate(tile);
    if (found > most) [best, most] = [tile, found];
  }
  return best;
}
