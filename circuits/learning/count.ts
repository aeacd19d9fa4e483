import {
  type Circuit,
  describeNode,
  describeVariable,
  type NodeId,
  type ParameterArray,
  parameterOf,
} from "../circuit.ts";
import { marksOf, nondeterministicNode } from "../determinism.ts";
import { CircuitError } from "../errors.ts";
import { Evidence } from "../evidence.ts";
import { type Learner, parameterOwners, settingsFor, type UpdateRule } from "../learner.ts";
import { leafFamily } from "../leaves/mod.ts";
import { isObserved, requireValues, type Samples } from "../samples.ts";
import { ascending, batchCount, batchOf, readBatch, type SampleSource } from "./source.ts";
import { type Score, ScoreSum } from "./score.ts";
import { requireEvaluator } from "../guards.ts";

/** Options of {@link countComplete}. */
export interface CountOptions {
  /** Samples per batch; 256 if omitted. */
  readonly batchSize?: number;
  /** Pseudocounts and other settings, relative to the whole data set. */
  readonly smoothing?: Omit<UpdateRule, "step">;
}

/**
 * Learning from complete data: with the latent variables observed (see `materialise`), every edge is either taken or not,
 * so the parameters that maximise `log p(x, z)` are normalised counts, found in one pass. The learner's previous
 * parameters do not matter, except those that the rule freezes. Returns the number of impossible samples, which can
 * result only from frozen parameters and indicators.
 *
 * Values of other variables may be missing, and so may a latent one if nothing that depends on it was observed: sequences
 * of different lengths are padded with missing values, latent and others alike.
 * @throws {CircuitError} when the circuit is not deterministic, a value is missing that decides what is counted, naming it, or one is
 *   soft evidence, from which only EM learns
 */
export async function countComplete(
  learner: Learner,
  source: SampleSource,
  options: CountOptions = {},
): Promise<{ impossible: number; samples: number }> {
  requireEvaluator(learner);
  const { batchSize = 256, smoothing = {} } = options;
  const rule: UpdateRule = { ...smoothing, step: { kind: "em" } };
  const { circuit } = learner;
  const open = nondeterministicNode(circuit);
  if (open !== undefined) {
    throw new CircuitError(
      "learning/uncounted-latent",
      `${describeNode(open)} has a latent variable that is not a column of the data`,
      { hint: "Counting needs all of them: `materialise(circuit, nodes)`; or learn by EM." },
    );
  }
  // Weights of zero would make samples impossible that do occur in the data.
  await learner.setParameters(uniform(circuit, rule));
  const marks = circuit.nodes.flatMap((node) =>
    node.kind === "sum" ? [{ node: node.id, variables: marksOf(circuit, node) }] : []
  );
  const sum = new ScoreSum(), order = ascending(source.count);
  for (let b = 0; b < batchCount(source.count, batchSize); b++) {
    const { samples, weights, indices } = await readBatch(source, batchOf(order, b, batchSize));
    requireValues("counting", samples);
    refuseMissing(circuit, samples, indices, marks);
    sum.add((await learner.accumulate(samples, weights)).logLikelihoods, weights);
  }
  await learner.update(rule);
  const { impossible, samples }: Pick<Score, "impossible" | "samples"> = sum;
  return { impossible, samples };
}

/** Uniform values for all unfrozen parameters that are distributions over states. */
function uniform(circuit: Circuit, rule: UpdateRule): Map<string, ParameterArray> {
  const values = new Map<string, ParameterArray>();
  for (const [id, node] of parameterOwners(circuit)) {
    if (settingsFor(rule, id, node.kind).frozen) continue;
    const { shape, values: old } = parameterOf(circuit, id);
    if (node.kind === "sum") {
      values.set(id, new Float32Array(old.length).fill(1 / (shape[2] as number)));
      continue;
    }
    if (!leafFamily(node.family).rows) continue;
    values.set(id, new Float32Array(old.length).fill(node.units / old.length));
  }
  return values;
}

/** The variables that distinguish the inputs of a sum. */
interface Marks {
  readonly node: NodeId;
  /** Empty if only several variables together do. */
  readonly variables: readonly number[];
}

function refuseMissing(
  circuit: Circuit,
  samples: Samples,
  indices: Uint32Array,
  marks: readonly Marks[],
): void {
  const evidence = Evidence.of(circuit), seen = evidence.seen(samples);
  if (seen === undefined) return;
  const { count, observed, variables } = samples;
  const refuse = (s: number, v: number) => {
    throw new CircuitError(
      "learning/missing-value",
      `sample ${indices[s]}, ${
        describeVariable(circuit, v)
      }: the value is missing, and decides what is counted`,
      {
        hint:
          "Counting needs the latent variables of all that was observed; learn by EM where they are missing.",
      },
    );
  };
  for (const { node, variables: own } of marks) {
    const at = (evidence.scopeOf[node] as number) * count;
    for (let s = 0; s < count; s++) {
      if (seen[at + s] === 0) continue;
      if (own.some((v) => isObserved(samples, s, v))) continue;
      // If no single variable distinguishes the inputs, any of them may be needed.
      const missing = own[0] ?? observed?.subarray(s * variables, (s + 1) * variables).indexOf(0) ?? -1;
      if (missing >= 0) refuse(s, missing);
    }
  }
}
