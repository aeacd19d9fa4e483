import {
  type Circuit,
  type InputNode,
  type NodeId,
  type ParameterArray,
  parameterOf,
  rootUnits,
  type Variable,
} from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import type { Activations, Flows, Semiring } from "../evaluator.ts";
import { requireNumber, requireWhole } from "../guards.ts";
import { isExternal } from "../leaves/mod.ts";
import type { Accumulated, Learner, UpdateRule } from "../learner.ts";
import { type ExpectedCounts, LearnerState } from "../learner_state.ts";
import { emptyFlows, ReferenceEvaluator } from "../reference.ts";
import type { Tensor } from "../safetensors.ts";
import {
  checkSamples,
  checkSampleWeights,
  isObserved,
  requireValues,
  type Samples,
  takeSamples,
} from "../samples.ts";
import { assemblePatches, type PatchPart, patchSamples } from "../structures/patches.ts";
import { unstack } from "../structures/stack.ts";
import { Turns } from "../turns.ts";
import {
  clusterLogs,
  type DistinctRows,
  distinctRows,
  observedPatches,
  patchRows,
  type SharedPart,
  sharedParts,
} from "./rows.ts";

/** Options of {@link PatchLearner.open}. */
export interface PatchLearnerOptions {
  /** Variables of the image, in sample order. */
  readonly variables: readonly Variable[];
  /** The circuit over the patches; see `clusterTree`. */
  readonly top: Circuit;
  /** For each patch, a stack of circuits, one per cluster; see `stack`. */
  readonly parts: readonly PatchPart[];
  /** Creates the underlying learners: of `top`, and of a circuit with the structure of one cluster. */
  open(circuit: Circuit): Learner | Promise<Learner>;
  /**
   * Posterior probability below which a cluster is left out of the E-step of a patch. Most clusters of a patch are
   * negligible next to the few that fit, but cost as much. 1e-4 if omitted; 0: exact.
   */
  readonly threshold?: number;
  /** Maximum number of patches passed to a learner at once; 4096 if omitted. */
  readonly rows?: number;
}

/** The learner of the clusters' circuits for some patches. */
interface Part extends SharedPart {
  readonly learner: Learner;
  readonly clusters: number;
}

/**
 * The learner of an assembled circuit over patches that never evaluates the assembled circuit, whose activations would
 * cover all clusters of all patches. Its E-step is still exact (up to `threshold`): the log-likelihoods of the patches
 * under each cluster, the E-step of the tree over clusters with these as external leaves, then the E-steps of the
 * clusters' circuits, each on the patches that it may have generated, weighted by the posterior probability that it did.
 * One cluster's circuit runs at a time, with parameters that fit in the cache.
 *
 * Parameters have the ids of `assemblePatches`. Queries that need the values of all nodes (`activations`, `leafFlows`)
 * run on the reference evaluator, which is slow; use `completePatches` and `patchMeans` instead.
 */
export class PatchLearner implements Learner {
  /** The assembled circuit, with the parameters of the last `parameters`, `setParameters` or `restore`. */
  circuit: Circuit;
  /** The patches' circuits and their positions. */
  readonly parts: readonly PatchPart[];
  readonly #top: Learner;
  readonly #leaves: readonly NodeId[];
  readonly #shared: readonly Part[];
  readonly #threshold: number;
  readonly #rows: number;
  readonly #state: LearnerState;
  /** Whether the top learner has the current parameters. */
  #topFresh = true;
  readonly #turns = new Turns("learner");

  private constructor(
    options: PatchLearnerOptions,
    circuit: Circuit,
    top: Learner,
    shared: readonly Part[],
  ) {
    const { threshold = 1e-4, rows = 4096 } = options;
    this.circuit = circuit;
    this.parts = options.parts;
    this.#top = top;
    this.#leaves = leavesOf(options.top);
    this.#shared = shared;
    this.#threshold = threshold;
    this.#rows = rows;
    this.#state = new LearnerState(circuit);
  }

  /**
   * Creates a learner that starts from the parameters of the circuits.
   * @throws {CircuitError} when a patch circuit is no stack, or they do not fit together
   */
  static async open(options: PatchLearnerOptions): Promise<PatchLearner> {
    const { top, parts, variables, threshold = 0, rows = 1 } = options;
    requireNumber("threshold", threshold, 0, 1);
    requireWhole("rows", rows, 1);
    const circuit = assemblePatches(variables, top, parts);
    const first = sharedParts(parts).map((part) => {
      const clusters = rootUnits(part.circuit);
      return { ...part, clusters, one: unstack(part.circuit, clusters)[0] as Circuit };
    });
    const topLearner = await options.open(top);
    const shared: Part[] = [];
    for (const { one, ...part } of first) {
      shared.push({ ...part, learner: await options.open(one) });
    }
    return new PatchLearner(options, circuit, topLearner, shared);
  }

  /** See {@link Learner.accumulate}. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated> {
    return this.#turns.take(async () => {
      const accumulated = await this.#expect(samples, sampleWeights, this.#state.counts);
      this.#state.addWeight(samples, accumulated.logLikelihoods, sampleWeights);
      return accumulated;
    });
  }

  /** See {@link Learner.update}. */
  update(rule: UpdateRule): Promise<void> {
    return this.#turns.take(() => {
      this.#state.update(rule);
      this.#topFresh = false;
    });
  }

  /** See {@link Learner.parameters}. */
  parameters(): Promise<ReadonlyMap<string, ParameterArray>> {
    return this.#turns.take(() => {
      this.circuit = this.#state.circuit;
      return this.#state.copies();
    });
  }

  /** See {@link Learner.setParameters}. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): Promise<void> {
    return this.#turns.take(() => {
      this.#state.setParameters(values);
      this.circuit = this.#state.circuit;
      this.#topFresh = false;
    });
  }

  /** See {@link Learner.state}. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#turns.take(() => this.#state.save());
  }

  /** See {@link Learner.restore}. */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    return this.#turns.take(() => {
      this.#state.restore(state);
      this.circuit = this.#state.circuit;
      this.#topFresh = false;
    });
  }

  /** See {@link Learner.close}. */
  close(): Promise<void> {
    return this.#turns.close(async () => {
      await this.#top.close();
      for (const { learner } of this.#shared) await learner.close();
    });
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** See {@link Evaluator.logLikelihoods}. */
  logLikelihoods(samples: Samples): Promise<Float64Array> {
    return this.#turns.take(async () => {
      this.#check(samples);
      return await (await this.#topLearner()).logLikelihoods(await this.#externals(samples));
    });
  }

  /** See {@link Evaluator.flows}; the accumulators are unchanged. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return this.#turns.take(async () => {
      const into = emptyFlows(this.circuit);
      return { ...await this.#expect(samples, sampleWeights, into), ...into };
    });
  }

  /** See {@link Evaluator.activations}: slow. */
  activations(samples: Samples, semiring?: Semiring): Promise<Activations> {
    return this.#turns.take(() => this.#reference().activations(samples, semiring));
  }

  /** See {@link Evaluator.leafFlows}: slow. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>> {
    return this.#turns.take(() => this.#reference().leafFlows(samples, nodes));
  }

  /**
   * For queries that proceed level by level: calls `work` with the learner of the top circuit and with these samples
   * converted to samples of it, both under the current parameters.
   */
  withTop<T>(samples: Samples, work: (top: Learner, externals: Samples) => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      this.#check(samples);
      return await work(await this.#topLearner(), await this.#externals(samples));
    });
  }

  /**
   * For queries that proceed level by level: calls `work` for every cluster of every circuit in turn, with a learner that
   * holds the parameters of that cluster.
   */
  eachCluster(
    work: (learner: Learner, part: SharedPart, cluster: number) => Promise<void>,
  ): Promise<void> {
    return this.#turns.take(async () => {
      for (const part of this.#shared) {
        for (let k = 0; k < part.clusters; k++) {
          await this.#load(part, k);
          await part.learner.parameters();
          await work(part.learner, part, k);
        }
      }
    });
  }

  #check(samples: Samples): void {
    checkSamples(this.circuit, samples);
    requireValues("a learner of patches", samples);
  }

  /** Log-likelihoods of all patches under all their clusters, as samples of the top circuit. */
  async #externals(samples: Samples): Promise<Samples> {
    const vectors: Float32Array[] = [];
    let clusters = 0;
    for (const part of this.#shared) {
      clusters = part.clusters;
      const logs = await clusterLogs(samples, this.parts, part, {
        clusters,
        most: this.#rows,
        load: (k) => this.#load(part, k),
        ask: (rows) => part.learner.logLikelihoods(rows),
      });
      part.patches.forEach((patch, p) => vectors[patch] = logs[p] as Float32Array);
    }
    const observed = observedPatches(samples, this.parts);
    return { ...patchSamples(vectors, clusters), ...(observed && { observed }) };
  }

  /** Adds expected counts of all parameters to `into`. */
  async #expect(
    samples: Samples,
    sampleWeights: ArrayLike<number> | undefined,
    into: ExpectedCounts,
  ): Promise<Accumulated> {
    this.#check(samples);
    checkSampleWeights(samples, sampleWeights);
    const externals = await this.#externals(samples);
    const top = await this.#topLearner();
    const flows = await top.flows(externals, sampleWeights);
    addFlows(into, "top/", flows);
    const posterior = await top.leafFlows(externals, this.#leaves);
    for (const part of this.#shared) {
      const distinct = distinctRows(patchRows(samples, this.parts, part.patches));
      for (let k = 0; k < part.clusters; k++) {
        const { chosen, weights } = this.#chosen(part, k, externals, distinct, posterior, sampleWeights);
        if (chosen.length === 0) continue;
        await this.#load(part, k);
        for (let from = 0; from < chosen.length; from += this.#rows) {
          const to = Math.min(chosen.length, from + this.#rows);
          addFlows(
            into,
            part.prefix,
            await part.learner.flows(
              takeSamples(distinct.rows, chosen.subarray(from, to)),
              weights.subarray(from, to),
            ),
            { index: k, of: part.clusters },
          );
        }
      }
    }
    return { logLikelihoods: flows.logLikelihoods, impossible: flows.impossible };
  }

  /** The distinct patches that cluster `k` may have generated, and the expected number of times it generated each. */
  #chosen(
    part: Part,
    k: number,
    externals: Samples,
    { rows, index }: DistinctRows,
    posterior: ReadonlyMap<NodeId, Float64Array>,
    sampleWeights: ArrayLike<number> | undefined,
  ): { chosen: Uint32Array; weights: Float64Array } {
    const expected = new Float64Array(rows.count), images = externals.count;
    part.patches.forEach((patch, p) => {
      const flows = posterior.get(this.#leaves[patch] as NodeId) as Float64Array;
      for (let s = 0; s < images; s++) {
        const flow = flows[s * part.clusters + k] as number;
        if (!(flow > this.#threshold && isObserved(externals, s, patch))) continue;
        const row = index[p * images + s] as number;
        expected[row] = (expected[row] as number) + flow * (sampleWeights?.[s] ?? 1);
      }
    });
    const chosen = Uint32Array.from(expected.keys()).filter((row) => expected[row] !== 0);
    return { chosen, weights: Float64Array.from(chosen, (row) => expected[row] as number) };
  }

  /** Loads the parameters of cluster `k` into the learner of a part. */
  async #load(part: Part, k: number): Promise<void> {
    const values = new Map<string, ParameterArray>();
    for (const id of part.circuit.parameters.keys()) {
      const all = parameterOf(this.#state.circuit, part.prefix + id).values;
      const size = all.length / part.clusters;
      values.set(id, all.subarray(k * size, (k + 1) * size));
    }
    await part.learner.setParameters(values);
  }

  async #topLearner(): Promise<Learner> {
    if (!this.#topFresh) {
      const values = new Map<string, ParameterArray>();
      for (const id of this.#top.circuit.parameters.keys()) {
        values.set(id, parameterOf(this.#state.circuit, `top/${id}`).values);
      }
      await this.#top.setParameters(values);
      this.#topFresh = true;
    }
    return this.#top;
  }

  #reference(): ReferenceEvaluator {
    return new ReferenceEvaluator(this.#state.circuit);
  }
}

/** The external leaf of every variable of a top circuit. @throws {CircuitError} when one has none or several */
function leavesOf(top: Circuit): NodeId[] {
  return top.variables.map((variable, v) => {
    const leaves = top.nodes.filter((node): node is InputNode =>
      node.kind === "input" && node.variable === v
    );
    if (leaves.length !== 1 || !isExternal(leaves[0])) {
      throw new CircuitError(
        "structure/patches",
        `patch \`${variable.name}\` needs one external leaf in the circuit over patches`,
      );
    }
    return (leaves[0] as InputNode).id;
  });
}

/** Adds the flows of a circuit to those of the assembled one, where its parameters have a prefix and may be slices. */
function addFlows(
  into: ExpectedCounts,
  prefix: string,
  flows: Flows,
  slice = { index: 0, of: 1 },
): void {
  for (const kind of ["weights", "statistics"] as const) {
    for (const [id, counts] of flows[kind]) {
      const all = into[kind].get(prefix + id) as Float64Array;
      const from = slice.index * (all.length / slice.of);
      for (let i = 0; i < counts.length; i++) {
        all[from + i] = (all[from + i] as number) + (counts[i] as number);
      }
    }
  }
}
