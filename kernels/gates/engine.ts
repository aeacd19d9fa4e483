import {
  type Circuit,
  type NodeId,
  nodeOf,
  type ParameterArray,
  replaceValues,
} from "../../circuits/circuit.ts";
import type { Activations, Flows, Semiring } from "../../circuits/evaluator.ts";
import { CountedWeight } from "../../circuits/evidence.ts";
import { type Accumulated, checkRule, type UpdateRule } from "../../circuits/learner.ts";
import { withParameters } from "../../circuits/parameters.ts";
import { ReferenceEvaluator } from "../../circuits/reference.ts";
import type { Tensor } from "../../circuits/safetensors.ts";
import {
  checkSamples,
  checkSampleWeights,
  isSoft,
  type Samples,
  sliceSamples,
  takeSamples,
} from "../../circuits/samples.ts";
import { stepRules } from "../../circuits/steps/mod.ts";
import { topDownRows } from "../../circuits/top_down.ts";
import { Turns } from "../../circuits/turns.ts";
import type { Engine } from "../engine.ts";
import type { GateMemory } from "./memory.ts";
import type { GatePool } from "./pool.ts";

/** Samples whose activations or flows are asked for at once: all nodes of a sample are kept. */
const AT_ONCE = 64;

/**
 * The CPU engine for circuits with gates: leaves over some states of their variable. It goes down from the root and visits, for
 * each sample, only what evidence leaves open; inputs of one matrix are multiplied together, in float64, by WebAssembly, on
 * threads that share the parameters. See docs/engines.md.
 */
export class GateEngine implements Engine {
  readonly name = "cpu";
  readonly adapter: string;
  /** The structure, with the parameters as of the last `parameters`, `setParameters` or `restore`. */
  circuit: Circuit;
  readonly #memory: GateMemory;
  readonly #threads: GatePool;
  readonly #weight: CountedWeight;
  readonly #turns = new Turns("engine");
  /** Whether parameters have changed since `circuit` had them. */
  #stale = false;

  /** An engine over the memory that holds a circuit's parameters, and the threads that share it. */
  constructor(circuit: Circuit, memory: GateMemory, threads: GatePool) {
    this.circuit = circuit;
    this.#memory = memory;
    this.#threads = threads;
    this.#weight = new CountedWeight(circuit);
    this.adapter = `WebAssembly, ${threads.count} thread${threads.count === 1 ? "" : "s"}`;
  }

  /** See `Evaluator.logLikelihoods`. */
  logLikelihoods(samples: Samples): Promise<Float64Array> {
    return this.#turns.take(async () => {
      checkSamples(this.circuit, samples);
      const parts = this.#slices(samples), logs = new Float64Array(samples.count), others: number[] = [];
      const computed = await this.#threads.call("likelihoods", (t) => [values(parts[t]!.samples)]);
      computed.forEach((part, t) => {
        logs.set(part.logs, parts[t]!.first);
        part.uncertified.forEach((doubt, s) => doubt === 1 && others.push(parts[t]!.first + s));
      });
      await this.#exactly(samples, [...others, ...soft(samples)], async (evaluator, some, indices) => {
        const exact = await evaluator.logLikelihoods(some);
        indices.forEach((s, i) => logs[s] = exact[i] as number);
      });
      return logs;
    });
  }

  /** See `Evaluator.activations`. Nodes that the evidence shuts out of a sample are -Infinity. */
  activations(samples: Samples, semiring: Semiring = "sum"): Promise<Activations> {
    return this.#turns.take(async () => {
      checkSamples(this.circuit, samples);
      const { nodes } = this.circuit;
      const all = nodes.map(({ units }) => new Float64Array(samples.count * units));
      const others = soft(samples), parts = this.#slices(samples);
      if (semiring === "max") {
        const best = await this.#threads.call("best", (t) => [values(parts[t]!.samples)]);
        best.forEach((part, t) =>
          part.forEach((logs, id) => all[id]!.set(logs, parts[t]!.first * nodes[id]!.units))
        );
      } else {
        const computed = await this.#threads.call("activations", (t) => [values(parts[t]!.samples)]);
        computed.forEach((part, t) => {
          const { first } = parts[t]!;
          part.values.forEach((logs, id) => all[id]!.set(logs, first * nodes[id]!.units));
          part.uncertified.forEach((doubt, s) => doubt === 1 && others.push(first + s));
        });
      }
      await this.#exactly(samples, others, async (evaluator, some, indices) => {
        const exact = await evaluator.activations(some, semiring);
        nodes.forEach(({ id, units }) => {
          const logs = exact.of(id);
          indices.forEach((s, i) => all[id]!.set(logs.subarray(i * units, (i + 1) * units), s * units));
        });
      });
      return { of: (node) => all[nodeOf(this.circuit, node).id] as Float64Array };
    });
  }

  /** See `Evaluator.leafFlows`. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>> {
    return this.#turns.take(async () => {
      checkSamples(this.circuit, samples);
      const units = nodes.map((id) => nodeOf(this.circuit, id).units);
      const out = units.map((width) => new Float64Array(samples.count * width));
      const parts = this.#slices(samples), others = soft(samples);
      const computed = await this.#threads.call("leafFlows", (t) => [values(parts[t]!.samples), nodes]);
      computed.forEach((part, t) => {
        const { first } = parts[t]!;
        part.flows.forEach((flows, i) => out[i]!.set(flows, first * units[i]!));
        part.uncertified.forEach((doubt, s) => doubt === 1 && others.push(first + s));
      });
      await this.#exactly(samples, others, async (evaluator, some, indices) => {
        const exact = await evaluator.leafFlows(some, nodes);
        nodes.forEach((id, i) =>
          indices.forEach((s, j) =>
            out[i]!.set(exact.get(id)!.subarray(j * units[i]!, (j + 1) * units[i]!), s * units[i]!)
          )
        );
      });
      return new Map(nodes.map((id, i) => [id, out[i]!]));
    });
  }

  /** See `Evaluator.flows`; the accumulators are not changed. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return this.#turns.take(async () => {
      const kept = this.#memory.copyCounts();
      this.#memory.clearCounts();
      try {
        const { logLikelihoods, impossible } = await this.#count(
          samples,
          sampleWeights,
          new CountedWeight(this.circuit),
          false,
        );
        return { logLikelihoods, impossible, ...this.#memory.counts() };
      } finally {
        this.#memory.restoreCounts(kept);
      }
    });
  }

  /** See `Learner.accumulate`. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated> {
    return this.#turns.take(() => this.#count(samples, sampleWeights, this.#weight, true));
  }

  /** See `Learner.update`. */
  update(rule: UpdateRule): Promise<void> {
    return this.#turns.take(async () => {
      checkRule(this.circuit, rule);
      const priors = stepRules[rule.step.kind].priors
        ? topDownRows(this.circuit, this.#memory.values(), (node) => this.#weight.of(node))
        : undefined;
      this.#memory.addEarlier();
      await this.#threads.call("update", () => [rule, priors]);
      this.#weight.clear();
      this.#stale = true;
    });
  }

  /** See `Learner.parameters`. */
  parameters(): Promise<ReadonlyMap<string, ParameterArray>> {
    return this.#turns.take(() => {
      this.#refresh();
      return new Map([...this.circuit.parameters].map(([id, { values }]) => [id, values.slice()]));
    });
  }

  /** See `Learner.setParameters`. */
  setParameters(changed: ReadonlyMap<string, ParameterArray>): Promise<void> {
    return this.#turns.take(() => {
      withParameters(this.circuit, changed);
      if (this.#weight.total > 0) this.#memory.setAside(changed.keys());
      this.#memory.setValues(changed);
      this.#stale = true;
      this.#refresh();
    });
  }

  /** See `Learner.state`. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#turns.take(() => {
      this.#memory.addEarlier();
      return this.#memory.save(this.#weight.save());
    });
  }

  /** See `Learner.restore`. */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    return this.#turns.take(() => {
      this.#memory.restore(state, (weight) => this.#weight.restore(weight));
      this.#stale = true;
      this.#refresh();
    });
  }

  /** See `Learner.close`. */
  close(): Promise<void> {
    return this.#turns.close(() => this.#threads.end());
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The E-step. */
  async #count(
    samples: Samples,
    sampleWeights: ArrayLike<number> | undefined,
    weight: CountedWeight,
    learns: boolean,
  ): Promise<Accumulated> {
    checkSamples(this.circuit, samples);
    checkSampleWeights(samples, sampleWeights);
    const logLikelihoods = new Float64Array(samples.count), others = soft(samples);
    const parts = this.#slices(samples), apart = new Set(others);
    await this.#threads.call("begin", (t) => {
      const { first, samples: own } = parts[t]!;
      return [
        values(own),
        Float64Array.from(
          { length: own.count },
          (_, s) => apart.has(first + s) ? 0 : sampleWeights?.[first + s] ?? 1,
        ),
        learns,
      ];
    });
    const { count } = this.#threads;
    for (;;) {
      const done = await this.#threads.call("step", () => []);
      if (done.every((one) => one === undefined)) break;
      done.forEach((one, t) => {
        if (one === undefined) return;
        const first = parts[t]!.first + one.first;
        logLikelihoods.set(one.logs, first);
        one.uncertified.forEach((doubt, s) => doubt === 1 && !apart.has(first + s) && others.push(first + s));
      });
      // No two threads add to the same part of the parameters at once.
      for (let round = 0; round < count; round++) {
        await this.#threads.call("count", (t) => [(t + round) % count]);
      }
    }
    await this.#exactly(samples, others, async (evaluator, some, indices) => {
      const own = indices.map((s) => sampleWeights?.[s] ?? 1);
      const flows = await evaluator.flows(some, own);
      indices.forEach((s, i) => logLikelihoods[s] = flows.logLikelihoods[i] as number);
      this.#memory.addCounts(flows);
    });
    weight.add(samples, logLikelihoods, sampleWeights);
    let impossible = 0;
    for (const log of logLikelihoods) if (log === -Infinity) impossible++;
    return { logLikelihoods, impossible };
  }

  /** Computes the samples at `indices` with the reference, if there are any. */
  async #exactly(
    samples: Samples,
    indices: readonly number[],
    run: (evaluator: ReferenceEvaluator, some: Samples, indices: readonly number[]) => Promise<void>,
  ): Promise<void> {
    if (indices.length === 0) return;
    this.#refresh();
    const evaluator = new ReferenceEvaluator(this.circuit);
    for (let from = 0; from < indices.length; from += AT_ONCE) {
      const some = indices.slice(from, from + AT_ONCE);
      await run(evaluator, takeSamples(samples, some), some);
    }
  }

  #refresh(): void {
    if (this.#stale) this.circuit = replaceValues(this.circuit, this.#memory.values());
    this.#stale = false;
  }

  /** A share of the samples for each thread. */
  #slices(samples: Samples): { first: number; samples: Samples }[] {
    const { count } = this.#threads;
    return Array.from({ length: count }, (_, t) => {
      const first = Math.floor(t * samples.count / count), end = Math.floor((t + 1) * samples.count / count);
      return { first, samples: sliceSamples(samples, first, end) };
    });
  }
}

/** Samples without their soft evidence, which no thread needs; small copies, for what is sent is copied whole. */
function values({ count, variables, values, observed }: Samples): Samples {
  return { count, variables, values: values.slice(), ...(observed && { observed: observed.slice() }) };
}

/** Samples with soft evidence. */
function soft(samples: Samples): number[] {
  if (samples.soft === undefined) return [];
  const found: number[] = [];
  for (let s = 0; s < samples.count; s++) {
    if (samples.soft.keys().some((v) => isSoft(samples, s, v))) found.push(s);
  }
  return found;
}
