import { CircuitBuilder, type ParameterValues } from "../builder.ts";
import type { Circuit, NodeId } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireList, requireObject, requireWhole } from "../guards.ts";

/** States of a hidden Markov model that emit the same symbols. */
export interface StateBlock {
  /** Number of states. */
  readonly states: number;
  /** The symbols that they can emit, ascending. */
  readonly symbols: readonly number[];
}

/** Options of {@link blockedHmm}. */
export interface BlockedHmmOptions {
  /** Length of the sequence: variables `x0 .. x<length - 1>`. */
  readonly length: number;
  /** Number of symbols. */
  readonly symbols: number;
  /** The blocks of states. A symbol may be in several of them. */
  readonly blocks: readonly StateBlock[];
  /** By block: the blocks that may come directly after it, ascending; all if omitted. Others cost neither memory nor time. */
  readonly follows?: readonly (readonly number[])[];
  /**
   * Units of each block's backoff: distributions over all next states, shared by the states of the block, which a state
   * mixes with its own transitions. 0 if omitted: no backoff.
   */
  readonly backoff?: number;
  /** Values of parameters, by id; the others are random. */
  readonly values?: ReadonlyMap<string, ParameterValues>;
  /** Determines the random values; 0 if omitted. */
  readonly seed?: number;
}

/**
 * A hidden Markov model with blocked emissions (Chiu and Rush, "Scaling Hidden Markov Language Models", EMNLP 2020):
 * every state can emit the symbols of its block alone, so that an observed symbol rules out the states of all other
 * blocks. Engines that open gates by evidence compute, for a sequence, only the transitions between blocks of its symbols.
 *
 * Made of ordinary nodes: at each position a `subset` leaf, a product and a sum for every block. Sum node `z<t>/<b>` sums
 * out the state at position `t` given one of block `b` before it; its inputs are the blocks that may follow, and the
 * units of `backoff<t>/<b>`. The root `z0` mixes the first state. Parameters, of all positions: `initial`
 * `[1, 1, states]`, `transition/<b>` `[1, states of b, states of those that follow + backoff]`, `emission/<b>`
 * `[states of b, symbols of b]`; with a backoff `backoff/<b>` `[1, backoff, states]`.
 * @throws {CircuitError} on blocks without states or symbols, symbols in no block, and blocks after which nothing may come
 */
export function blockedHmm(options: BlockedHmmOptions): Circuit {
  requireObject("the options of `blockedHmm`", options);
  const { length, symbols, blocks, backoff = 0, values } = options;
  requireWhole("length", length, 1);
  requireWhole("symbols", symbols, 1);
  requireWhole("backoff", backoff, 0);
  const follows = checkBlocks(options);
  const reached = reachable(length, follows, backoff > 0);
  const b = new CircuitBuilder({ seed: options.seed ?? 0 });
  const variables = Array.from({ length }, (_, t) => b.categorical(`x${t}`, symbols));
  /** The given values at the first use of a parameter, a tie at every later one. */
  const tied = (id: string): { id: string; values: ParameterValues | undefined } => ({
    id,
    values: b.hasParameter(id) ? id : values?.get(id),
  });
  const sum = (children: readonly NodeId[], units: number, parameter: string, name: string): NodeId => {
    const { id, values } = tied(parameter);
    return b.sum(children, { units, id, name, ...(values !== undefined && { weights: values }) });
  };
  const settings = blocks.map((block) => ({ values: [...block.symbols] }));
  /** By block: the product at the position after the present one. */
  let next: (NodeId | undefined)[] = [];
  for (let t = length - 1; t >= 0; t--) {
    const open = reached[t] as ReadonlySet<number>;
    const after = next.flatMap((id) => id ?? []);
    next = blocks.map((block, i) => {
      if (!open.has(i)) return undefined;
      const { id, values } = tied(`emission/${i}`);
      const leaf = b.input({
        variable: variables[t] as number,
        family: "subset",
        units: block.states,
        settings: settings[i] as { values: number[] },
        id,
        ...(values !== undefined && { parameter: values }),
      });
      if (t + 1 === length) return leaf;
      const inputs = (follows[i] as readonly number[]).map((f) => next[f] as NodeId);
      if (backoff > 0) inputs.push(sum(after, backoff, `backoff/${i}`, `backoff${t + 1}/${i}`));
      return b.product([leaf, sum(inputs, block.states, `transition/${i}`, `z${t + 1}/${i}`)]);
    });
  }
  return b.build(sum(next.flatMap((id) => id ?? []), 1, "initial", "z0"));
}

/** By block: the blocks that may follow. @throws {CircuitError} see {@link blockedHmm} */
function checkBlocks({ symbols, blocks, follows, backoff = 0 }: BlockedHmmOptions): (readonly number[])[] {
  requireList("the blocks", blocks);
  const refuse = (problem: string): never => {
    throw new CircuitError("circuit/argument", problem);
  };
  if (blocks.length === 0) refuse("there are no blocks");
  const held = new Uint8Array(symbols);
  blocks.forEach((block, i) => {
    requireObject(`block ${i}`, block, ["states", "symbols"]);
    requireWhole(`the states of block ${i}`, block.states, 1);
    requireList(`the symbols of block ${i}`, block.symbols);
    if (block.symbols.length === 0) refuse(`block ${i} has no symbols`);
    for (const symbol of block.symbols) held[symbol] = 1;
  });
  const homeless = held.indexOf(0);
  if (homeless >= 0) refuse(`symbol ${homeless} is in no block`);
  if (follows === undefined) return blocks.map(() => [...blocks.keys()]);
  requireList("the blocks that follow", follows);
  if (follows.length !== blocks.length) {
    refuse(`\`follows\` has ${follows.length} lists, expected one for each of the ${blocks.length} blocks`);
  }
  follows.forEach((list, i) => {
    requireList(`the blocks that follow block ${i}`, list);
    if (list.length === 0 && backoff === 0) refuse(`no block may follow block ${i}, and there is no backoff`);
    const bad = list.findIndex((f, j) => !(f in blocks) || (j > 0 && f <= (list[j - 1] as number)));
    if (bad >= 0) {
      refuse(`entry ${bad} of those that follow block ${i} is ${list[bad]}, expected ascending blocks`);
    }
  });
  return [...follows];
}

/** By position: the blocks that a sequence can be in there. */
function reachable(
  length: number,
  follows: readonly (readonly number[])[],
  all: boolean,
): ReadonlySet<number>[] {
  const every = new Set(follows.keys()), sets: ReadonlySet<number>[] = [every];
  for (let t = 1; t < length; t++) {
    sets.push(
      all ? every : new Set([...sets[t - 1] as ReadonlySet<number>].flatMap((i) => follows[i] ?? [])),
    );
  }
  return sets;
}
