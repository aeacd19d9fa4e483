import { type Circuit, CountedWeight, type ParameterArray } from "../../circuits/mod.ts";
import { type Plan, planOf } from "../plan.ts";
import { LeafCounts } from "./leaf_counts.ts";
import { LeafStore } from "./leaf_store.ts";
import type { CountState } from "./state.ts";
import { WeightCounts, WeightStore } from "./weight_store.ts";

/** A circuit as the CPU engine holds it: its plan and current parameter values. */
export class CpuModel {
  /** The circuit's plan. */
  readonly plan: Plan;
  /** Weights of sums. */
  readonly weights: WeightStore;
  /** Parameters of leaves. */
  readonly leaves: LeafStore;

  /** Creates the model of a circuit, copying its parameters. */
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

  /** Replaces values of parameters; parameters that are not given keep theirs. */
  setValues(values: ReadonlyMap<string, ParameterArray>): void {
    for (const [id, array] of values) {
      if (this.weights.has(id)) this.weights.view(id).set(array);
      else this.leaves.set(id, array);
    }
    this.weights.changed();
  }

  /** Creates empty accumulators for its parameters. */
  newCounts(): CountState {
    return {
      weights: new WeightCounts(this.plan),
      leaves: new LeafCounts(this.plan.circuit, this.leaves),
      weight: new CountedWeight(this.plan.circuit),
    };
  }
}
