import { type Circuit, parameterOf } from "../../circuits/circuit.ts";
import { CallError, RetortError } from "../../foundation/errors.ts";
import { briefly, idsOf, isRecord, refuseArgument, requireHmm, requireOptions } from "../guards.ts";

/** Real numbers in either precision. */
export type Reals = Float32Array | Float64Array;

/** Probabilities of tokens under each state. */
export interface Emissions {
  /** Bits a probability. */
  readonly bits: 8 | 32 | 64;
  /** `[states]`: the probability of a token in each state; valid until the next call. */
  row(token: number): Reals;
  /** `[tokens, states]`: all rows, one after the other; absent where they are not held so. */
  readonly table?: Reals;
}

/** A homogeneous hidden Markov model over tokens. It has no length: one distilled from short texts reads longer ones. */
export interface TokenHmm {
  /** Number of hidden states. */
  readonly states: number;
  /** Number of tokens. */
  readonly tokens: number;
  /** `[states]`: distribution of the first state. */
  readonly initial: Reals;
  /** `[states, states]`: row `z` is the distribution of the state after `z`. */
  readonly transition: Reals;
  /** Probabilities of tokens, by token. */
  readonly emission: Emissions;
  /** Digest of the vocabulary that it was distilled over, if known. */
  readonly vocabulary?: string;
}

/** Name of the note of a circuit that holds the digest of its vocabulary. */
export const VOCABULARY_NOTE = "vocabulary";

/** By how much a row may miss one: rounding of 50,000 numbers in single precision, and no more. */
const TOLERANCE = 1e-3;

/** Numbers of a model as its makers hold them. */
export interface HmmNumbers {
  /** `[states]`. */
  readonly initial: Reals;
  /** `[states, states]`. */
  readonly transition: Reals;
  /** `[states, tokens]`: row `z` is the distribution of the token in state `z`. */
  readonly emission: Reals;
}

/**
 * A model of these numbers.
 *
 * @throws {RetortError} when shapes do not fit or a row is no distribution
 */
export function tokenHmm(numbers: HmmNumbers, vocabulary?: string): TokenHmm {
  if (!isRecord(numbers) || ![numbers.initial, numbers.transition, numbers.emission].every(isReals)) {
    throw new CallError("control/hmm", `the numbers of the HMM are ${briefly(numbers)}`, {
      hint: "Pass `initial`, `transition` and `emission`, each a Float32Array or a Float64Array.",
    });
  }
  if (vocabulary !== undefined && typeof vocabulary !== "string") {
    refuseArgument("the digest of the vocabulary", vocabulary, "a text: `vocabularyDigest(vocabulary)`");
  }
  const { initial, transition, emission } = numbers;
  const states = initial.length;
  const tokens = emission.length / states;
  if (states === 0 || transition.length !== states * states || !Number.isInteger(tokens) || tokens === 0) {
    throw new RetortError(
      "control/hmm",
      `an HMM of ${states} states has ${transition.length} transitions and ${emission.length} emissions, expected ` +
        `${states * states} and a multiple of ${states}`,
    );
  }
  checkRows("the initial states", initial, states);
  checkRows("the transitions", transition, states);
  checkRows("the emissions", emission, tokens);
  const turned = emission instanceof Float64Array
    ? new Float64Array(emission.length)
    : new Float32Array(emission.length);
  // In blocks, so that both arrays stay in the cache.
  const block = 32;
  for (let z0 = 0; z0 < states; z0 += block) {
    for (let x0 = 0; x0 < tokens; x0 += block) {
      for (let z = z0; z < Math.min(states, z0 + block); z++) {
        for (let x = x0; x < Math.min(tokens, x0 + block); x++) {
          turned[x * states + z] = emission[z * tokens + x]!;
        }
      }
    }
  }
  return {
    states,
    tokens,
    initial,
    transition,
    emission: {
      bits: turned instanceof Float64Array ? 64 : 32,
      row: (token) => turned.subarray(token * states, (token + 1) * states),
      table: turned,
    },
    ...(vocabulary !== undefined && { vocabulary }),
  };
}

function isReals(x: unknown): x is Reals {
  return x instanceof Float32Array || x instanceof Float64Array;
}

function checkRows(what: string, values: Reals, width: number): void {
  for (let from = 0; from < values.length; from += width) {
    let sum = 0;
    for (let i = from; i < from + width; i++) {
      const x = values[i]!;
      sum += x >= 0 ? x : NaN;
    }
    if (Math.abs(sum - 1) <= TOLERANCE) continue;
    throw new RetortError(
      "control/hmm",
      `row ${from / width} of ${what} ${
        Number.isNaN(sum) ? "holds a number that is no probability" : `sums to ${sum}`
      }, expected 1`,
      { hint: "Each row is a distribution. Files with logarithms are read by `decodeHmmFile`." },
    );
  }
}

/**
 * The model of a circuit that `hmm` or `materialiseHmm` made, with its learned parameters, whatever the length of its
 * windows.
 *
 * @param options `precision`: 64 to compute in double precision; 32 if omitted.
 * @throws {RetortError} when the circuit is no homogeneous HMM over one categorical variable a position
 */
export function hmmOfCircuit(circuit: Circuit, options: { precision?: 32 | 64 } = {}): TokenHmm {
  if (!isRecord(circuit) || !Array.isArray(circuit.variables) || !(circuit.parameters instanceof Map)) {
    throw new CallError("control/hmm", `the circuit is ${briefly(circuit)}`, {
      hint: "Pass what `loadCircuit` read, or `hmm` made.",
    });
  }
  requireOptions("the options of `hmmOfCircuit`", options, { precision: true });
  const names = ["initial", "transition", "emission"];
  const [variable] = circuit.variables;
  const isHmm = circuit.parameters.size === 3 && names.every((name) => circuit.parameters.has(name)) &&
    variable?.kind === "categorical";
  if (!isHmm) {
    throw new RetortError(
      "control/hmm",
      `the circuit has the parameters ${
        [...circuit.parameters.keys()].slice(0, 6).map((id) => `\`${id}\``).join(", ")
      }, ` +
        "expected `initial`, `transition` and `emission` of a homogeneous HMM over tokens",
      { hint: "`hmm({ length, states, symbols })` with a length of 2 or more makes one." },
    );
  }
  const [initial, transition, emission] = names.map((name) => {
    const { values } = parameterOf(circuit, name);
    return options.precision === 64 ? Float64Array.from(values) : Float32Array.from(values);
  }) as [Reals, Reals, Reals];
  return tokenHmm({ initial, transition, emission }, circuit.notes?.[VOCABULARY_NOTE]);
}

/**
 * `[states]`: for each state, the sum over the states before it: `sum_z weights[z] A[z, z']`, in double precision. Four rows
 * at a time: a sum is then read and written a quarter as often.
 */
export function movedOn({ states, transition }: TokenHmm, weights: Reals): Float64Array {
  const after = new Float64Array(states);
  let z = 0;
  for (; z + 4 <= states; z += 4) {
    const a = weights[z]!, b = weights[z + 1]!, c = weights[z + 2]!, d = weights[z + 3]!;
    if (a === 0 && b === 0 && c === 0 && d === 0) continue;
    const first = z * states, second = first + states, third = second + states, fourth = third + states;
    for (let to = 0; to < states; to++) {
      after[to] = after[to]! + a * transition[first + to]! + b * transition[second + to]! +
        c * transition[third + to]! + d * transition[fourth + to]!;
    }
  }
  for (; z < states; z++) {
    const weight = weights[z]!, from = z * states;
    for (let to = 0; to < states; to++) after[to]! += weight * transition[from + to]!;
  }
  return after;
}

/** `[states]`: the distribution of the state that makes a token, given that it is made; all zero where no state makes it. */
export function stateOfToken(hmm: TokenHmm, before: Reals, token: number): Float64Array {
  const { states } = hmm;
  const row = hmm.emission.row(token);
  const own = new Float64Array(states);
  let total = 0;
  for (let z = 0; z < states; z++) total += own[z] = before[z]! * row[z]!;
  if (!(total > 0)) return own.fill(0);
  for (let z = 0; z < states; z++) own[z]! /= total;
  return own;
}

/** The distribution of the state after a token, from that before it; all zero where the model rules the token out. */
export function stateAfterToken(hmm: TokenHmm, before: Reals, token: number): Float64Array {
  return movedOn(hmm, stateOfToken(hmm, before, token));
}

/** The same model after some tokens: texts that begin after them. @throws {RetortError} where it rules them out */
export function hmmAfter(hmm: TokenHmm, tokens: Iterable<number>): TokenHmm {
  requireHmm(hmm);
  let initial: Reals = hmm.initial;
  for (const token of idsOf("the tokens", tokens, hmm.tokens)) {
    initial = stateAfterToken(hmm, initial, token);
    if (initial.every((x) => x === 0)) {
      throw new RetortError("control/hmm", `the HMM never has token ${token} here`, {
        hint: "Learn it with virtual tokens (`emission` of `hmm.materialise`), or leave the token out.",
      });
    }
  }
  return { ...hmm, initial };
}
