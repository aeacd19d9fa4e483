import {
  type Circuit,
  type InputNode,
  type NodeId,
  parameterOf,
  statesOf,
  type SumNode,
} from "../../circuits/circuit.ts";
import { CircuitError } from "../../circuits/errors.ts";
import { parameterOwners } from "../../circuits/learner.ts";
import { isBuiltIn, leafFamily, shapeOf } from "../../circuits/leaves/mod.ts";
import { PAD } from "./wat_parts.ts";

/** Bytes of a page of WebAssembly memory, and the most pages that there can be. */
export const PAGE_BYTES = 2 ** 16, MOST_PAGES = 2 ** 16;

/** `n` rounded up to a multiple of {@link PAD}. */
export function wide(n: number): number {
  return Math.ceil(n / PAD) * PAD;
}

/** The weights from one child of a sum: a matrix `[units of the sum, units of the child]` of its own. */
export interface GateTile {
  /** Position in {@link GateLayout.tiles}. */
  readonly index: number;
  /** Id of the parameter of which it is a part. */
  readonly parameter: string;
  /** First column in the rows of the parameter. */
  readonly from: number;
  /** Rows and columns, and both padded. */
  readonly rows: number;
  readonly columns: number;
  readonly paddedRows: number;
  readonly paddedColumns: number;
  /** Addresses of the weights and of the counts over the weights, float32. */
  readonly weights: number;
  readonly counts: number;
}

/** The parameter of a leaf: for every state a row of its units, float64. */
export interface GateLeaf {
  /** Id of the parameter. */
  readonly parameter: string;
  /** States and units. */
  readonly states: number;
  readonly units: number;
  /** Number of the first row among those of all leaves. */
  readonly row: number;
  /** Addresses of the first row of probabilities, and of counts. */
  readonly values: number;
  readonly counts: number;
  /** Bytes of a row. */
  readonly stride: number;
}

/** Where everything is in the memory that all threads share; the same for every thread. */
export interface GateLayout {
  /** Length of the widest row. */
  readonly widest: number;
  /** Addresses of a row of ones (of each length up to the widest, zeros behind it) and of one that nobody reads. */
  ones(units: number): number;
  readonly trash: number;
  /** The tiles; by sum node, those of its children in order. */
  readonly tiles: readonly GateTile[];
  tilesOf(node: SumNode): readonly GateTile[];
  /** The tiles of a parameter. */
  tilesById(id: string): readonly GateTile[];
  /** The leaf parameters, by id. */
  readonly leaves: ReadonlyMap<string, GateLeaf>;
  /** First address behind all of this. */
  readonly end: number;
}

/**
 * Why a circuit cannot be computed by opening gates, or undefined. The leaves must be tables over states, products must be
 * of leaves and sums, and sums must not be block-diagonal; the root is a sum.
 */
export function whyNotGated(circuit: Circuit): string | undefined {
  const { nodes } = circuit;
  if (nodes[circuit.root]?.kind !== "sum") return "the root is no sum";
  for (const node of nodes) {
    if (node.kind === "input") {
      const family = leafFamily(node.family), variable = circuit.variables[node.variable];
      if (
        !family.rows || !isBuiltIn(node.family) || node.parameter === undefined ||
        variable?.kind !== "categorical"
      ) {
        return `a ${node.family} leaf has no table of states`;
      }
    } else if (node.kind === "sum") {
      if (node.groups > 1) return "a sum is block-diagonal";
    } else if (node.children.some((child) => nodes[child]?.kind === "product")) {
      return "a product is of a product";
    }
  }
  return undefined;
}

/**
 * Whether evidence shuts parts of a circuit: some leaf is over some states of its variable, and {@link whyNotGated} has no
 * objection.
 */
export function hasGates(circuit: Circuit): boolean {
  return circuit.nodes.some((node) =>
    node.kind === "input" && leafFamily(node.family).support !== undefined
  ) && whyNotGated(circuit) === undefined;
}

/** The values of a leaf's variable that are possible, in the order of its rows. */
export function supportOf(circuit: Circuit, node: InputNode): readonly number[] {
  const shape = shapeOf(circuit, node);
  return leafFamily(node.family).support?.(shape) ??
    Array.from({ length: statesOf(shape.variable) }, (_, k) => k);
}

/** Lays a circuit out. @throws {CircuitError} when tied sums have children of different widths */
export function layOut(circuit: Circuit): GateLayout {
  const widest = wide(circuit.nodes.reduce((most, { units }) => Math.max(most, units), 1));
  let end = PAGE_BYTES;
  const take = (bytes: number): number => {
    const at = end;
    end += Math.ceil(bytes / 16) * 16;
    return at;
  };
  const lengths = [...new Set(circuit.nodes.map(({ units }) => units))];
  const onesAt = new Map(lengths.map((units) => [units, take(8 * widest)]));
  const trash = take(8 * widest);
  const shapes: Omit<GateTile, "weights" | "counts">[] = [], byParameter = new Map<string, number[]>();
  for (const [id, node] of parameterOwners(circuit)) {
    if (node.kind !== "sum") continue;
    let from = 0;
    byParameter.set(
      id,
      node.children.map((child) => {
        const columns = unitsOf(circuit, child);
        const index = shapes.push({
          index: shapes.length,
          parameter: id,
          from,
          rows: node.units,
          columns,
          paddedRows: wide(node.units),
          paddedColumns: wide(columns),
        }) - 1;
        from += columns;
        return index;
      }),
    );
  }
  const size = (tile: Omit<GateTile, "weights" | "counts">) => 4 * tile.paddedRows * tile.paddedColumns;
  const weights = shapes.map((tile) => take(size(tile)));
  const counts = shapes.map((tile) => take(size(tile)));
  const tiles = shapes.map((tile, i): GateTile => ({
    ...tile,
    weights: weights[i] as number,
    counts: counts[i] as number,
  }));
  const lists = new Map(
    [...byParameter].map(([id, indices]) => [id, indices.map((i) => tiles[i] as GateTile)]),
  );
  for (const node of circuit.nodes) {
    if (node.kind !== "sum") continue;
    const own = lists.get(node.parameter) as GateTile[];
    if (node.children.every((child, i) => unitsOf(circuit, child) === own[i]?.columns)) continue;
    throw new CircuitError(
      "circuit/invalid",
      `the children of sum node ${node.id} are not as wide as those of another node with its weights`,
    );
  }
  let row = 0;
  const leaves = new Map<string, GateLeaf>();
  for (const [id, node] of parameterOwners(circuit)) {
    if (node.kind !== "input") continue;
    const { units } = node, states = parameterOf(circuit, id).shape[1] as number;
    const stride = 8 * wide(units);
    leaves.set(id, {
      parameter: id,
      states,
      units,
      row,
      stride,
      values: take(stride * states),
      counts: take(stride * states),
    });
    row += states;
  }
  return {
    widest,
    ones: (units) => onesAt.get(units) as number,
    trash,
    tiles,
    tilesById: (id) => lists.get(id) ?? [],
    tilesOf: (node) => lists.get(node.parameter) as GateTile[],
    leaves,
    end,
  };
}

function unitsOf(circuit: Circuit, node: NodeId): number {
  return (circuit.nodes[node] as { units: number }).units;
}
