import { type Circuit, type InputNode, type ParameterArray, parameterOf, type SumNode } from "./circuit.ts";
import { CircuitError } from "./errors.ts";
import type { Evaluator } from "./evaluator.ts";
import { requireCircuit, requireKind } from "./guards.ts";
import { leafFamily } from "./leaves/mod.ts";
import { flatten, inOneRow, isFlat, type NestedNumbers } from "./nested.ts";
import type { Samples } from "./samples.ts";
import type { Tensor } from "./safetensors.ts";
import { amountOf, stepRules, STEPS, type UpdateStep } from "./steps/mod.ts";

/** How the counts of a parameter are smoothed before a step, and whether the parameter is updated at all. */
export interface ParameterSettings {
  /** Virtual samples added to every row (sum) or unit (leaf) in this update; 0 if omitted. */
  readonly pseudocount?: number;
  /** If true, the parameter keeps its values. */
  readonly frozen?: boolean;
  /** Share of every row's counts, from 0 to 1, that is redistributed according to `base`; 0 if omitted. */
  readonly mix?: number;
  /**
   * Distribution of the counts added by `pseudocount` and `mix`: `[width]` for all rows, or `[rows, width]`, flat or
   * nested; uniform if omitted. For sums, and for categorical and Bernoulli leaves (width 2).
   */
  readonly base?: NestedNumbers;
}

/**
 * What {@link Learner.update} does with the accumulated counts, as plain data so that an engine can apply it on its
 * device. A row of counts is smoothed first, `F = (1 - mix) * counts + (mix * sum(counts) + pseudocount) * base`, then
 * takes the step. Rows without counts keep their values.
 *
 * Gaussian and logistic leaves have statistics instead of rows: their virtual samples come from the current unit, and the
 * step is taken in their expected statistics.
 */
export interface UpdateRule {
  /** How counts become parameters. */
  readonly step: UpdateStep;
  /** Settings of the weights of sum nodes. */
  readonly sums?: Pick<ParameterSettings, "pseudocount" | "frozen" | "mix">;
  /** Settings of the parameters of leaves. */
  readonly leaves?: Pick<ParameterSettings, "pseudocount" | "frozen" | "mix">;
  /** Settings by parameter id; each overrides the corresponding one in `sums` or `leaves`. */
  readonly parameters?: Readonly<Record<string, ParameterSettings>>;
}

/** The result of the E-step of a batch. */
export interface Accumulated {
  /** Log-likelihood of every sample under the parameters before the update, `[samples]`, in nats. */
  readonly logLikelihoods: Float64Array;
  /** Number of samples with likelihood zero; they are not counted. */
  readonly impossible: number;
}

/**
 * An evaluator that learns: it holds the parameters and the accumulated counts of the E-step, in the memory of its
 * device. Calls take effect in call order; `accumulate` may be called again before the previous call is done. The root
 * must have one unit.
 *
 * The parameters in {@link Evaluator.circuit} are those of the last `parameters`, `setParameters` or `restore`: call
 * `parameters` after updates, before queries that read leaves (sampling, MAP, conditionals).
 */
export interface Learner extends Evaluator, AsyncDisposable {
  /** True if the M-step smooths by itself, whatever the rule says; false if omitted. */
  readonly smooths?: boolean;
  /**
   * The E-step: adds the expected counts of the samples to the accumulators. `sampleWeights`, `[samples]`, non-negative,
   * gives the multiplicity of each sample.
   */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated>;
  /**
   * The M-step: turns the accumulated counts into new parameters and resets the counts.
   * @throws {CircuitError} when the rule makes no sense for the circuit; nothing has changed then
   */
  update(rule: UpdateRule): Promise<void>;
  /** Copies of the current values of all parameters, by id; also updates {@link Evaluator.circuit}. */
  parameters(): Promise<ReadonlyMap<string, ParameterArray>>;
  /** Replaces values of parameters (copied); the other parameters and the counts are kept. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): Promise<void>;
  /**
   * The complete learning state, as tensors by name: parameters and counts, in the engine's own precision. A learner of
   * the same kind and circuit that restores it continues bit for bit as this one would.
   */
  state(): Promise<ReadonlyMap<string, Tensor>>;
  /** Restores a state. @throws {CircuitError} when it is of another circuit or engine */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void>;
  /** Releases memory and devices; the learner is unusable afterwards. `await using` calls it automatically. */
  close(): Promise<void>;
}

/** One node that uses each parameter, by parameter id: tells its kind, family and settings. */
export function parameterOwners(circuit: Circuit): ReadonlyMap<string, InputNode | SumNode> {
  requireCircuit(circuit);
  const owners = new Map<string, InputNode | SumNode>();
  for (const node of circuit.nodes) {
    if (node.kind !== "product" && node.parameter !== undefined && !owners.has(node.parameter)) {
      owners.set(node.parameter, node);
    }
  }
  return owners;
}

/** Settings of a parameter with defaults filled in; the base is flat. */
export type FullSettings = Required<Omit<ParameterSettings, "base">> & { readonly base?: ArrayLike<number> };

/** The settings of a rule for one parameter. */
export function settingsFor(
  rule: UpdateRule,
  id: string,
  kind: "sum" | "input",
): FullSettings {
  const own = rule.parameters !== undefined && Object.hasOwn(rule.parameters, id)
    ? rule.parameters[id]
    : undefined;
  const { base, ...rest } = own ?? {};
  return {
    pseudocount: 0,
    frozen: false,
    mix: 0,
    ...(kind === "sum" ? rule.sums : rule.leaves),
    ...rest,
    ...(base !== undefined && { base: inOneRow(base) }),
  };
}

/**
 * Checks a rule against a circuit.
 * @throws {CircuitError} naming the setting: numbers out of range, unknown parameters, a base of a wrong
 *   length or that is no distribution, smoothing of leaves whose parameters are no distributions
 */
export function checkRule(circuit: Circuit, rule: UpdateRule): void {
  requireCircuit(circuit);
  const { step } = rule;
  requireKind("the step of an update", step, STEPS);
  const { number } = stepRules[step.kind];
  if (number !== undefined) between(number, amountOf(step), 0, 1);
  for (const id of Object.keys(rule.parameters ?? {})) parameterOf(circuit, id);
  for (const [id, node] of parameterOwners(circuit)) {
    const { pseudocount, mix, base } = settingsFor(rule, id, node.kind);
    between(`pseudocount of parameter \`${id}\``, pseudocount, 0, Number.MAX_VALUE);
    between(`mix of parameter \`${id}\``, mix, 0, 1);
    const rows = node.kind === "sum" || leafFamily(node.family).rows === true;
    const own = rule.parameters?.[id];
    if (!rows && (base !== undefined || (own?.mix ?? 0) > 0)) {
      throw new CircuitError(
        "learning/base",
        `parameter \`${id}\` is of a ${(node as InputNode).family} leaf, which no base distribution smooths`,
        { hint: "`base` and `mix` are for sums and for categorical and Bernoulli leaves." },
      );
    }
    if (own?.base !== undefined && !isFlat(own.base)) {
      flatten(`The base of parameter \`${id}\``, [node.units, rowWidth(circuit, id, node)], own.base);
    }
    if (base !== undefined) checkBase(id, base, rowWidth(circuit, id, node), node.units);
  }
}

/** Length of the rows of counts of a parameter whose rows are distributions. */
export function rowWidth(circuit: Circuit, id: string, node: InputNode | SumNode): number {
  const { shape } = parameterOf(circuit, id);
  if (node.kind === "sum") return shape[2] as number;
  return shape[1] as number;
}

function checkBase(id: string, base: ArrayLike<number>, width: number, rows: number): void {
  if (base.length !== width && base.length !== rows * width) {
    throw new CircuitError(
      "learning/base",
      `the base of parameter \`${id}\` has ${base.length} numbers, expected ${width} or ${rows * width}`,
    );
  }
  for (let at = 0; at < base.length; at += width) {
    let total = 0;
    for (let i = 0; i < width; i++) {
      const p = base[at + i] as number;
      if (!(p >= 0)) {
        throw new CircuitError(
          "learning/base",
          `entry ${at + i} of the base of parameter \`${id}\` is ${p}`,
          { hint: "A base is made of probabilities." },
        );
      }
      total += p;
    }
    if (Math.abs(total - 1) > 1e-4) {
      throw new CircuitError(
        "learning/base",
        `row ${at / width} of the base of parameter \`${id}\` sums to ${total}, not to 1`,
      );
    }
  }
}

function between(what: string, x: number, low: number, high: number): void {
  if (typeof x === "number" && x >= low && x <= high) return;
  throw new CircuitError(
    "circuit/argument",
    `${what} is ${x}, expected a number ${high > 1 ? `from ${low}` : `from ${low} to ${high}`}`,
  );
}
