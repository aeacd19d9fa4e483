import { CircuitBuilder } from "./builder.ts";
import { type Circuit, describeNode, type NodeId, nodeOf, type SumNode, unitsInto } from "./circuit.ts";
import { copyInto } from "./copy.ts";
import { CircuitError } from "./errors.ts";
import { requireCircuit } from "./guards.ts";

/** Options of {@link materialise}. */
export interface MaterialiseOptions {
  /**
   * The value of a latent variable where a sample does not pass its sum nodes, which only happens below sums that mix
   * children with and without them: `uniform` (if omitted, as in the paper) over its states, or `state`: one extra state,
   * which keeps the circuit deterministic.
   */
  readonly unused?: "uniform" | "state";
}

/** Result of {@link materialise}. */
export interface Materialised {
  /** The circuit over the original variables, followed by the latent ones. */
  readonly circuit: Circuit;
  /** Index of the latent variable of every choice, in the given order. */
  readonly latents: readonly number[];
}

/**
 * Makes latent variables explicit: Algorithm 1 of Liu, Zhang and Van den Broeck, "Scaling Up Probabilistic Circuits by
 * Latent Variable Distillation" (ICLR 2023).
 *
 * Every entry of `choices` is a sum node, or several that share one latent variable (these must have equally many inputs,
 * and none may be above another). The latent variable has a state for every input unit of the node: state `k` means that
 * the `k`-th unit of the concatenated children was taken. Each child is multiplied by an indicator of its states, and
 * where a sum above now mixes children with and without the variable, the latter get a factor that keeps it smooth.
 *
 * Summing out the latent variables gives the original likelihood. If the chosen sums and all sums above them are
 * materialised and observed, every flow through them is 0 or 1, so learning is counting.
 * @throws {CircuitError} when a choice is no sum node or chosen twice, or nodes of one choice do not fit
 *   together
 */
export function materialise(
  circuit: Circuit,
  choices: readonly (NodeId | readonly NodeId[])[],
  options: MaterialiseOptions = {},
): Materialised {
  requireCircuit(circuit);
  const latentOf = new Map<NodeId, number>();
  const sizes: number[] = [], names: string[] = [];
  choices.forEach((choice, z) => {
    const sums = (typeof choice === "number" ? [choice] : choice).map((id) => sumNode(circuit, id));
    for (const node of sums) {
      if (latentOf.has(node.id)) {
        throw new CircuitError("circuit/latent-choice", `${describeNode(node)} is chosen twice`);
      }
      latentOf.set(node.id, z);
      const size = unitsInto(circuit, node);
      sizes[z] ??= size;
      names[z] ??= node.name ?? `z${node.id}`;
      if (sizes[z] !== size) {
        throw new CircuitError(
          "circuit/latent-choice",
          `${describeNode(node)} has ${size} inputs, but shares a latent variable with a node of ${sizes[z]}`,
        );
      }
    }
    if (sums.length === 0) throw new CircuitError("circuit/latent-choice", `choice ${z} has no nodes`);
  });
  const b = new CircuitBuilder();
  const variables = circuit.variables.map((variable) => b.variable(variable));
  const extra = options.unused === "state" && needsFiller(circuit, latentOf);
  const latents = sizes.map((size, z) => b.categorical(names[z] as string, extra ? size + 1 : size));

  // Latent variables below each new node, to detect sums that are no longer smooth.
  const below = new Map<NodeId, ReadonlySet<number>>();
  const belowOf = (id: NodeId) => below.get(id) ?? new Set<number>();
  const union = (ids: readonly NodeId[]) => new Set(ids.flatMap((id) => [...belowOf(id)]));
  const indicators = new Map<string, NodeId>();
  const indicator = (z: number, from: number, units: number): NodeId => {
    const key = `${z},${from},${units}`;
    const id = indicators.get(key) ?? b.input({
      variable: latents[z] as number,
      family: "indicator",
      units,
      settings: { values: Array.from({ length: units }, (_, u) => from + u) },
    });
    indicators.set(key, id);
    return id;
  };
  const filler = (z: number, units: number): NodeId => {
    const size = sizes[z] as number;
    if (extra) {
      return b.input({
        variable: latents[z] as number,
        family: "indicator",
        units,
        settings: { values: new Array<number>(units).fill(size) },
      });
    }
    const id = `${names[z]}/unused/${units}`;
    return b.input({
      variable: latents[z] as number,
      family: "categorical",
      units,
      id,
      parameter: b.hasParameter(id) ? id : new Float32Array(units * size).fill(1 / size),
    });
  };

  const root = copyInto(b, circuit, {
    variables,
    replace(node, children, copyParameter) {
      if (node.kind === "input") return undefined;
      let parts = children;
      const z = node.kind === "sum" ? latentOf.get(node.id) : undefined;
      if (z !== undefined) {
        let from = 0;
        parts = parts.map((child) => {
          const units = b.units(child);
          const marked = b.product([child, indicator(z, from, units)]);
          from += units;
          below.set(marked, new Set([...belowOf(child), z]));
          return marked;
        });
      }
      const all = union(parts);
      if (all.size === 0) return undefined;
      if (node.kind === "sum") {
        parts = parts.map((child) => {
          const missing = [...all].filter((latent) => !belowOf(child).has(latent));
          if (missing.length === 0) return child;
          return b.product([child, ...missing.map((latent) => filler(latent, b.units(child)))]);
        });
      }
      const name = node.name === undefined ? {} : { name: node.name };
      let id: NodeId;
      if (node.kind === "product") id = b.product(parts, name);
      else {
        id = b.sum(parts, {
          units: node.units,
          groups: node.groups,
          weights: copyParameter(node.parameter),
          ...name,
        });
      }
      below.set(id, all);
      return id;
    },
  });
  return { circuit: b.build(root), latents };
}

function sumNode(circuit: Circuit, id: NodeId): SumNode {
  const node = nodeOf(circuit, id);
  if (node.kind !== "sum") {
    throw new CircuitError(
      "circuit/no-latent",
      `${describeNode(node)} is not a sum node: it has no latent variable`,
    );
  }
  return node;
}

/** Whether some sum mixes children with and without a chosen node below them. */
function needsFiller(circuit: Circuit, latentOf: ReadonlyMap<NodeId, number>): boolean {
  const below: Set<number>[] = [];
  let found = false;
  for (const node of circuit.nodes) {
    const sets = node.kind === "input" ? [] : node.children.map((child) => below[child] as Set<number>);
    const all = new Set(sets.flatMap((set) => [...set]));
    if (node.kind === "sum" && sets.some((set) => set.size < all.size)) found = true;
    const z = latentOf.get(node.id);
    if (z !== undefined) all.add(z);
    below.push(all);
  }
  return found;
}
