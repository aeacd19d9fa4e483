import { CircuitBuilder } from "../builder.ts";
import type { Circuit, NodeId, Variable } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { addLeaf, started, type StructureOptions } from "./leaf.ts";
import { requireList, requireObject } from "../guards.ts";

/**
 * A set of variables and the ways to split it (Dennis and Ventura 2012). Regions are shared by identity: a region object
 * that occurs in several partitions becomes one node.
 */
export interface Region {
  /** Variables of the region, without repetition. */
  readonly variables: readonly number[];
  /** Each is a list of disjoint regions that make up this one. If empty, the variables are independent given a unit. */
  readonly partitions: readonly (readonly Region[])[];
}

/** Options of {@link circuitOfRegions}. */
export interface RegionOptions extends StructureOptions {
  /** Units of every region except the root, which has one. */
  readonly units: number;
}

/**
 * The circuit of a region graph. A region without partitions is a product of its leaves; any other is a sum over its
 * partitions, each the elementwise product of its regions. (Elementwise products with a dense sum above are the "CP"
 * layers of Loconte et al., "What is the Relationship between Tensor Factorizations and Circuits", 2024; they need
 * `units` inputs where the outer products of the original papers need `units^2`.)
 */
export function circuitOfRegions(
  variables: readonly Variable[],
  root: Region,
  options: RegionOptions,
): Circuit {
  requireList("the variables", variables);
  requireObject("the options of `circuitOfRegions`", options);
  const { units } = options;
  if (!(Number.isInteger(units) && units >= 1)) {
    throw new CircuitError("circuit/argument", `units is ${units}, expected a whole number from 1`);
  }
  const b = new CircuitBuilder({ seed: options.seed ?? 0 });
  for (const variable of variables) b.variable(variable);
  const leaves = new Map<number, number>();
  const made = new Map<Region, NodeId>();
  const leafOf = (v: number): NodeId => {
    const uses = leaves.get(v) ?? 0;
    leaves.set(v, uses + 1);
    const variable = variables[v];
    if (variable === undefined) {
      throw new CircuitError(
        "circuit/unknown-variable",
        `a region names variable ${v}, which does not exist`,
      );
    }
    // Another region over the same variable gets its own leaves.
    return addLeaf(b, variable, v, units, options, uses === 0 ? `leaf/${v}` : `leaf/${v}/${uses}`);
  };
  const add = (region: Region): NodeId => {
    const before = made.get(region);
    if (before !== undefined) return before;
    const top = region === root;
    let id: NodeId;
    if (region.partitions.length === 0) {
      id = b.product(region.variables.map(leafOf));
      if (top) id = b.sum([id], { units: 1 });
    } else {
      const products = region.partitions.map((parts) => b.product(parts.map(add)));
      id = b.sum(products, { units: top ? 1 : units });
    }
    made.set(region, id);
    return id;
  };
  return started(b.build(add(root)), options);
}
