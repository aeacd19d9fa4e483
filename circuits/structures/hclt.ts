import { CircuitBuilder } from "../builder.ts";
import { type Circuit, type NodeId, type Variable, withNotes } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireTable, type SampleTable } from "../table.ts";
import { startFromData } from "./start.ts";
import {
  maximumSpanningTree,
  mutualInformation,
  type MutualInformationOptions,
  type VariableTree,
} from "./chow_liu.ts";
import { addLeaf, started, type StructureOptions } from "./leaf.ts";
import { requireList, requireObject } from "../guards.ts";

/** Options of {@link hclt}. */
export interface HcltOptions extends StructureOptions {
  /** States of the hidden variables: one number for all, or one per variable. */
  readonly latents: number | readonly number[];
}

/**
 * A hidden Chow-Liu tree (Liu and Van den Broeck, "Tractable Regularization of Probabilistic Circuits", NeurIPS 2021):
 * every variable `v` of the tree is replaced by a hidden variable of `latents` states, on which alone `v` depends. Sum
 * node `z<v>` sums out the hidden variable of `v`; its parameter `z/<v>` is `[1, states of the parent's, states of its
 * own]`. Leaves: parameter `leaf/<v>`.
 */
export function hclt(variables: readonly Variable[], tree: VariableTree, options: HcltOptions): Circuit {
  requireList("the variables", variables);
  requireObject("the options of `hclt`", options);
  const latentsOf = (v: number): number => {
    const k = typeof options.latents === "number" ? options.latents : options.latents[v];
    if (k === undefined || !(Number.isInteger(k) && k >= 1)) {
      throw new CircuitError(
        "circuit/argument",
        `latents of variable ${v} is ${k}, expected a whole number from 1`,
      );
    }
    return k;
  };
  if (tree.parents.length !== variables.length) {
    throw new CircuitError(
      "structure/size",
      `the tree is over ${tree.parents.length} variables, but there are ${variables.length}`,
    );
  }
  const b = new CircuitBuilder({ seed: options.seed ?? 0 });
  for (const variable of variables) b.variable(variable);
  const messages: NodeId[][] = variables.map(() => []);
  let top: NodeId = -1;
  for (const v of [...tree.order].reverse()) {
    const leaf = addLeaf(b, variables[v] as Variable, v, latentsOf(v), options);
    const here = b.product([leaf, ...(messages[v] as NodeId[])]);
    const parent = tree.parents[v] as number;
    top = b.sum([here], { units: parent < 0 ? 1 : latentsOf(parent), id: `z/${v}`, name: `z${v}` });
    if (parent >= 0) (messages[parent] as NodeId[]).push(top);
  }
  return started(b.build(top), options);
}

/** Options of {@link hcltFromSamples}. */
export interface HcltFromSamplesOptions extends HcltOptions, MutualInformationOptions {
  /** A variable, or `centre`; see {@link maximumSpanningTree}. */
  readonly root?: number | "centre";
  /** How leaves are initialised: from the samples (if omitted), or at `random`. */
  readonly start?: "data" | "random";
}

/**
 * A hidden Chow-Liu tree over the columns of a table, with the tree learned from its samples, which also initialise the
 * leaves ({@link startFromData}); weights are random. The table's notes become the circuit's.
 */
export function hcltFromSamples(table: SampleTable, options: HcltFromSamplesOptions): Circuit {
  requireTable(table);
  requireObject("the options of `hcltFromSamples`", options);
  const { variables, samples, notes } = table;
  const information = mutualInformation(variables, samples, options);
  const tree = maximumSpanningTree(information, variables.length, options.root);
  const circuit = withNotes(hclt(variables, tree, options), notes);
  if (options.start === "random" || options.data !== undefined) return circuit;
  const { seed = 0, sampleWeights } = options;
  return startFromData(circuit, samples, { seed, ...(sampleWeights !== undefined && { sampleWeights }) });
}
