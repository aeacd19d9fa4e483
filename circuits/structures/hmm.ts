import { CircuitBuilder, type ParameterValues } from "../builder.ts";
import type { Circuit, NodeId, Variable } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireObject, requireWhole } from "../guards.ts";
import type { NestedNumbers } from "../nested.ts";
import { defaultLeaf, started, type StructureOptions } from "./leaf.ts";

/** Options of {@link hmm}. */
export interface HmmOptions extends StructureOptions {
  /** Length of the sequence: variables `x0 .. x<length - 1>`. */
  readonly length: number;
  /** Number of hidden states. */
  readonly states: number;
  /** The variable at each position: a number of symbols, or a variable (its name is replaced). */
  readonly symbols: number | Variable;
  /** Whether all positions share one transition and one emission parameter; true if omitted. */
  readonly homogeneous?: boolean;
  /** `[states]`: distribution of the first hidden state. Random if omitted. */
  readonly initial?: NestedNumbers;
  /** `[states, states]`: row `i` is the distribution of the state after `i`. Only for homogeneous models. */
  readonly transition?: NestedNumbers;
  /** `[states, ...]`: parameter of the leaf, such as `[states, symbols]`. Only for homogeneous models. */
  readonly emission?: NestedNumbers;
}

/**
 * A hidden Markov model (Rabiner and Juang 1986): `p(z0) p(x0 | z0) prod p(zt | zt-1) p(xt | zt)`.
 *
 * Sum node `z<t>` sums out the hidden state at position `t`. Parameters: `initial` `[1, 1, states]`; homogeneous models
 * have `transition` `[1, states, states]` and `emission` `[states, ...]`, others one of each per position,
 * `transition/<t>` into position `t` and `emission/<t>`.
 * @throws {CircuitError} on a length or number of states below 1
 */
export function hmm(options: HmmOptions): Circuit {
  requireObject("the options of `hmm`", options);
  const { length, states, symbols, homogeneous = true } = options;
  requireWhole("length", length, 1);
  requireWhole("states", states, 1);
  if (!homogeneous && (options.transition !== undefined || options.emission !== undefined)) {
    throw new CircuitError(
      "circuit/argument",
      "`transition` and `emission` are for homogeneous models: one for all positions",
      { hint: "Leave them out and set the parameters of each position with `withParameters`." },
    );
  }
  const template: Variable = typeof symbols === "number"
    ? { kind: "categorical", name: "x", states: symbols }
    : symbols;
  const b = new CircuitBuilder({ seed: options.seed ?? 0 });
  const variables = Array.from({ length }, (_, t) => b.variable({ ...template, name: `x${t}` }));
  const choice = (options.leaf ?? defaultLeaf)(template, 0);
  /** The values at the first use, a tie at every later one. */
  const tied = (
    id: string,
    values: NestedNumbers | undefined,
  ): { id: string; values?: ParameterValues } => {
    if (b.hasParameter(id)) return { id, values: id };
    return values === undefined ? { id } : { id, values };
  };
  let after: NodeId | undefined;
  for (let t = length - 1; t >= 0; t--) {
    const emission = tied(homogeneous ? "emission" : `emission/${t}`, options.emission);
    const leaf = b.input({
      variable: variables[t] as number,
      units: states,
      ...choice,
      id: emission.id,
      ...(emission.values !== undefined && { parameter: emission.values }),
    });
    const here = after === undefined ? leaf : b.product([leaf, after]);
    const weights = t === 0
      ? tied("initial", options.initial)
      : tied(homogeneous ? "transition" : `transition/${t}`, options.transition);
    after = b.sum([here], {
      units: t === 0 ? 1 : states,
      id: weights.id,
      ...(weights.values !== undefined && { weights: weights.values }),
      name: `z${t}`,
    });
  }
  const circuit = b.build(after as NodeId);
  // Emissions that were passed in must not be reinitialised.
  return options.emission === undefined ? started(circuit, options) : circuit;
}
