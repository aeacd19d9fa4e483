import { type Circuit, parameterOf } from "../circuits/circuit.ts";
import { textOfTokens } from "../datasets/text/text_of_tokens.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { RetortError } from "../foundation/errors.ts";

/** What a hidden state of a model stands for. */
export interface StateMeaning {
  /** Its number. */
  readonly state: number;
  /** The share of positions of texts that are in it. */
  readonly share: number;
  /** The words that tell it from the others, the most telling first. */
  readonly words: readonly {
    /** The word. */
    readonly word: string;
    /** Its probability in this state. */
    readonly probability: number;
    /** How many times as probable it is here as in texts at large. */
    readonly lift: number;
  }[];
}

/** Words that tell less than this share of what the first tells say nothing. */
const LEAST = 0.01;

/**
 * What the hidden states of a model mean, the most used first: the words by which each differs most from texts at large, in nats of
 * the divergence between the two distributions.
 *
 * @throws {RetortError} when the model is no homogeneous hidden Markov model
 */
export function statesOfModel(
  circuit: Circuit,
  vocabulary: Vocabulary,
  { most = 24, words = 8 }: { readonly most?: number; readonly words?: number } = {},
): StateMeaning[] {
  const size = vocabulary.words.length;
  if (!["initial", "transition", "emission"].every((id) => circuit.parameters.has(id))) {
    throw new RetortError(
      "control/hmm",
      "the circuit is no homogeneous hidden Markov model: its states are not words'",
    );
  }
  const [initial, transition, emission] = ["initial", "transition", "emission"].map((id) =>
    parameterOf(circuit, id).values
  ) as [Float32Array, Float32Array, Float32Array];
  const states = initial.length, length = circuit.variables.length;
  const share = new Float64Array(states);
  let now = Float64Array.from(initial);
  for (let position = 0; position < length; position++) {
    now.forEach((p, z) => share[z]! += p / length);
    const next = new Float64Array(states);
    for (let z = 0; z < states; z++) {
      for (let to = 0; to < states; to++) next[to]! += now[z]! * transition[z * states + to]!;
    }
    now = next;
  }
  const overall = new Float64Array(size);
  for (let z = 0; z < states; z++) {
    for (let w = 0; w < size; w++) overall[w]! += share[z]! * emission[z * size + w]!;
  }
  const told = (z: number, w: number) => {
    const p = emission[z * size + w]!;
    return p > 0 ? p * Math.log(p / overall[w]!) : 0;
  };
  const meaning = (state: number): StateMeaning => {
    const tells = Float64Array.from({ length: size }, (_, w) => told(state, w));
    const order = [...tells.keys()].sort((a, b) => tells[b]! - tells[a]!).slice(0, words);
    return {
      state,
      share: share[state]!,
      words: order.filter((w) => tells[w]! >= LEAST * tells[order[0]!]!).map((w) => ({
        word: w === vocabulary.end
          ? vocabulary.words[w]!
          : textOfTokens([w], vocabulary).trim() || vocabulary.words[w]!,
        probability: emission[state * size + w]!,
        lift: emission[state * size + w]! / overall[w]!,
      })),
    };
  };
  return [...share.keys()].sort((a, b) => share[b]! - share[a]!).slice(0, most).map(meaning);
}
