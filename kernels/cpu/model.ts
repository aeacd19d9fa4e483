import { type Circuit, CountedWeight, type ParameterArray } from "../../circuits/mod.ts";
import { type Plan, planOf } from "../plan.ts";
import { LeafCounts, LeafStore } from "./leaf_store.ts";
import type { CountState } from "./state.ts";
import { WeightCounts, WeightStore } from "./weight_store.ts";

/** A circuit as the CPU engine holds it: its plan and the current values of its parameters. */
export class CpuModel {
  /** How the circuit is computed. */
  readonly plan: Plan;
  /** Weights of sums. */
  readonly weights: WeightStore;
  /** Parameters of leaves. */
  readonly leaves: LeafStore;

  /** The model of a circuit, with its parameters copied. */
  constructor(circuit: Circuit) {
    this.plan = planOf(circuit);
    this.weights = new WeightStore(this.plan);
    this.leaves = new LeafStore(this.plan);
  }

  /** Copies of the current values of all parameters, by id. */
  values(): Map<string, ParameterArray> {
    return new Map(
      [...this.plan.circuit.parameters.keys()].map((id) => [
        id,
        this.weights.has(id) ? this.weights.view(id).slice() : this.leaves.get(id),
      ]),
    );
  }

  /** Replaces values of parameters; those that are not given stay. */
  setValues(values: ReadonlyMap<string, ParameterArray>): void {
    for (const [id, array] of values) {
      if (this.weights.has(id)) this.weights.view(id).set(array);
      else this.leaves.set(id, array);
    }
    this.weights.changed();
  }

  /** Empty accumulators for its parameters. */
  newCounts(): CountState {
    return {
      weights: new WeightCounts(this.plan),
      leaves: new LeafCounts(this.plan.circuit, this.leaves),
      weight: new CountedWeight(this.plan.circuit),
    };
  }
}
