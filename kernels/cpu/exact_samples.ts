import { Evidence, isObserved, type Samples, sliceSamples, softOf } from "../../circuits/mod.ts";
import { ExactPass } from "../exact.ts";
import type { CpuModel } from "./model.ts";
import type { CountState } from "./state.ts";

/** Computes samples one at a time in float64: those whose float32 results are not certified. */
export class ExactSamples {
  readonly #model: CpuModel;
  #pass: ExactPass | undefined;
  /** The samples that the pass currently reads. */
  #samples: Samples | undefined;
  #recomputed = 0;

  /** Creates a pass over the current parameters of a model. */
  constructor(model: CpuModel) {
    this.#model = model;
  }

  /** Number of samples recomputed so far. */
  get recomputed(): number {
    return this.#recomputed;
  }

  /** The pass, set to read these samples. */
  pass(samples: Samples): ExactPass {
    this.#samples = samples;
    return this.#pass ??= new ExactPass(this.#model.plan.circuit, {
      weights: (id) => this.#model.weights.view(id),
      leaf: (node, s, semiring, out) =>
        this.#model.leaves.logs(node, this.#samples as Samples, s, semiring, out),
    });
  }

  /** Log-likelihoods of a sample at the root's units. */
  up(samples: Samples, s: number): Float64Array {
    this.#recomputed++;
    const pass = this.pass(samples);
    pass.up(s);
    return pass.logs[this.#model.plan.circuit.root] as Float64Array;
  }

  /** Adds the flows of a sample at a root with one unit; returns its log-likelihood. */
  count(samples: Samples, s: number, weight: number, counts: CountState): number {
    const { circuit } = this.#model.plan;
    const [log = -Infinity] = this.up(samples, s);
    if (log === -Infinity || weight === 0) return log;
    const pass = this.pass(samples);
    const evidence = Evidence.of(circuit), seen = evidence.seen(sliceSamples(samples, s, s + 1));
    pass.down(
      (id, at, flow) => counts.weights.addExact(circuit, id, at, weight * flow),
      (node) => seen?.[evidence.scopeOf[node] as number] !== 0,
    );
    for (const node of circuit.nodes) {
      if (node.kind !== "input" || node.parameter === undefined) continue;
      if (!isObserved(samples, s, node.variable)) continue;
      const flows = pass.flows[node.id];
      if (flows === undefined) continue;
      const soft = softOf(samples, s, node.variable);
      if (soft !== undefined) {
        counts.leaves.addSoft(node, flows, soft, weight);
        continue;
      }
      const value = samples.values[s * samples.variables + node.variable] as number;
      flows.forEach((flow, u) => {
        if (flow > 0) counts.leaves.addExact(node, u, value, weight * flow);
      });
    }
    return log;
  }
}
