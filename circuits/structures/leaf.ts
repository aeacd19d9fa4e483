import type { CircuitBuilder } from "../builder.ts";
import type { Circuit, LeafSettings, NodeId, Variable } from "../circuit.ts";
import { requireCircuit, requireObject, requireWhole } from "../guards.ts";
import type { FamilyName } from "../leaves/mod.ts";
import type { Samples } from "../samples.ts";
import { startFromData } from "./start.ts";

/** A leaf family with its settings. */
export interface LeafChoice {
  /** Name of the family. */
  readonly family: string;
  /** Its settings; none if omitted. */
  readonly settings?: LeafSettings;
}

/** Options of every structure. */
export interface StructureOptions {
  /** Determines the initial parameters and every random choice of structure; 0 if omitted. */
  readonly seed?: number;
  /**
   * Samples to initialise the leaves from; see {@link startFromData}. Without them leaves start at random, real ones near
   * 0 with a standard deviation of 1, regardless of the location of the data.
   */
  readonly data?: Samples;
  /** Chooses the leaf family of a variable; {@link defaultLeaf} if omitted. */
  readonly leaf?: (variable: Variable, index: number) => LeafChoice;
}

const DEFAULTS: Readonly<Record<Variable["kind"], FamilyName>> = {
  categorical: "categorical",
  count: "poisson",
  real: "gaussian",
  external: "external",
};

/** `categorical` for categorical variables, `poisson` for counts, `gaussian` for real ones, `external` for external ones. */
export function defaultLeaf(variable: Variable): LeafChoice {
  return { family: DEFAULTS[variable.kind] };
}

/** The circuit of a structure, with leaves initialised from the data if there are any. */
export function started(circuit: Circuit, { data, seed = 0 }: StructureOptions): Circuit {
  requireCircuit(circuit);
  return data === undefined ? circuit : startFromData(circuit, data, { seed });
}

/** `count` categorical variables `x0`, `x1`, ... with `states` states each. */
export function categoricalVariables(count: number, states: number): Variable[] {
  requireWhole("the number of variables", count, 0);
  requireWhole("the number of states", states, 1);
  return Array.from({ length: count }, (_, v) => ({ kind: "categorical", name: `x${v}`, states }));
}

/** Adds the chosen leaf over variable `v` to a builder that already has the variable. */
export function addLeaf(
  b: CircuitBuilder,
  variable: Variable,
  v: number,
  units: number,
  options: StructureOptions,
  id = `leaf/${v}`,
): NodeId {
  requireObject("the options of `addLeaf`", options);
  const choice = (options.leaf ?? defaultLeaf)(variable, v);
  return b.input({ variable: v, units, ...choice, id });
}
