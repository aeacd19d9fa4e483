import type { KneserNeyModel } from "../../datasets/kneser_ney.ts";
import type { HiddenSteps } from "./hidden_steps.ts";

/** Weights of a {@link SwitchingModel}. */
export interface SwitchingWeights {
  /** Probability that the first token is remembered as a context. */
  readonly first: number;
  /** By {@link usesClass} of the token that was just emitted: probability that the next state is its context, not a hidden state. */
  readonly enter: readonly number[];
  /** By length of a context, from 1, and {@link usesClass} of it: probability that the hidden states go on from it. */
  readonly leave: readonly (readonly number[])[];
}

/** Number of classes of contexts by how often they were seen. */
const CLASSES = 6;

/** The class of a number of uses: none, 1 to 3, 4 to 15, and so on by fours, to 256 and more. */
function usesClass(uses: number): number {
  return uses < 1 ? 0 : Math.min(CLASSES - 1, 1 + Math.floor(Math.log2(uses) / 2));
}

/** A window, and what the n-grams say of it whatever the weights. */
export interface SwitchingReading {
  readonly tokens: Int32Array;
  /** `[tokens, contexts + 1]`: class of the context of the last 1 to `contexts` tokens, -1 where none is known. */
  readonly classes: Int8Array;
  /** `[tokens, contexts + 1, contexts + 1]`: probability of a token and of a context that it leads to, from a context before it. */
  readonly steps: Float64Array;
  /** By token where its beliefs begin, one for each length of a context: distributions of the hidden state after these tokens alone. */
  readonly places: Int32Array;
  readonly beliefs: Float32Array;
}

/** Sums of expected choices: not taken, and taken. */
type Choices = [number, number];

/**
 * A hidden Markov model whose states are those of another and the contexts of an interpolated Kneser-Ney model: a text is told by
 * hidden states, by n-grams, or by both in turns. It is one exact model, a sequence of states with transitions and
 * emissions, but with as many states as the training text has n-grams.
 *
 * From a hidden state the next state and token are those of the hidden Markov model; then, by `enter`, the state is forgotten and the token
 * is remembered as a context. From a context, by `leave`, a hidden state is drawn as the hidden Markov model has it after these tokens, and goes on; else
 * the token is drawn as the Kneser-Ney model does after these tokens alone, and the next context is that whose counts gave it, and the token.
 */
export class SwitchingModel {
  readonly #hidden: HiddenSteps;
  readonly #ngrams: KneserNeyModel;
  /** Tokens of the longest context. */
  readonly #contexts: number;
  /** By token: the distribution of its hidden state. */
  readonly #states = new Map<number, Float64Array>();

  /** A model of both; the n-grams must be those of the symbols of the hidden Markov model. */
  constructor(hidden: HiddenSteps, ngrams: KneserNeyModel) {
    this.#hidden = hidden;
    this.#ngrams = ngrams;
    this.#contexts = Math.max(1, ngrams.order - 1);
  }

  /** Weights to begin {@link SwitchingModel.improved} with. */
  start(): SwitchingWeights {
    const each = () => new Array<number>(CLASSES).fill(0.25);
    return { first: 0.5, enter: each(), leave: Array.from({ length: this.#contexts }, each) };
  }

  /** Reads a window, for any weights. */
  read(tokens: Int32Array): SwitchingReading {
    const n = this.#contexts, side = n + 1, ngrams = this.#ngrams;
    const classes = new Int8Array(tokens.length * side).fill(-1);
    const steps = new Float64Array(tokens.length * side * side);
    for (let t = 0; t < tokens.length; t++) {
      const token = tokens[t] as number;
      for (let k = 1; k <= Math.min(n, t + 1); k++) {
        const uses = ngrams.uses(ngrams.context(tokens, t + 1, k), k);
        // A token by itself is always a context, if one that says nothing.
        if (uses > 0 || k === 1) classes[t * side + k] = usesClass(uses);
      }
      for (let k = 1; k <= Math.min(n, t); k++) {
        if (classes[(t - 1) * side + k] === -1) continue;
        let share = 1;
        const to = (length: number, p: number) => {
          let next = Math.min(length, n);
          while (classes[t * side + next] === -1) next--;
          const at = (t * side + k) * side + next;
          steps[at] = (steps[at] as number) + share * p;
        };
        for (let length = k; length >= 0; length--) {
          const { taken, left } = ngrams.share(
            ngrams.context(tokens, t, length),
            length,
            token,
            length === k,
          );
          if (taken > 0) to(length + 1, taken);
          share *= left;
        }
        to(1, 1 / this.#hidden.symbols);
      }
    }
    return { tokens, classes, steps, ...this.#beliefs(tokens) };
  }

  /** Natural log-likelihood of a window. */
  logLikelihood(reading: SwitchingReading, weights: SwitchingWeights): number {
    return this.#forward(reading, weights).log;
  }

  /** A step of EM: weights under which windows are at least as likely, one virtual choice of each kind counted in. */
  improved(readings: readonly SwitchingReading[], weights: SwitchingWeights): SwitchingWeights {
    const first: Choices = [0.5, 0.5],
      each = () => Array.from({ length: CLASSES }, (): Choices => [0.5, 0.5]);
    const enter = each(), leave = Array.from({ length: this.#contexts }, each);
    for (const reading of readings) this.#count(reading, weights, { first, enter, leave });
    const share = ([no, yes]: Choices) => yes / (no + yes);
    return { first: share(first), enter: enter.map(share), leave: leave.map((list) => list.map(share)) };
  }

  /** By token and length of a context: the distribution of the hidden state, nothing before the context known. */
  #beliefs(tokens: Int32Array): { places: Int32Array; beliefs: Float32Array } {
    const n = this.#contexts, hidden = this.#hidden, places = new Int32Array(tokens.length);
    let size = 0;
    tokens.forEach((token, t) => {
      places[t] = size;
      size += n * hidden.statesOf(token);
    });
    const beliefs = new Float32Array(size);
    let last: Float64Array[] = [];
    tokens.forEach((token, t) => {
      const emission = hidden.emission(token);
      const now = [this.#stateOf(token)];
      for (const belief of last.slice(0, n - 1)) {
        const joint = hidden.forward(tokens[t - 1] as number, belief, token).map((p, j) =>
          p * (emission[j] as number)
        );
        const sum = joint.reduce((a, p) => a + p, 0);
        // What the hidden states hold to be impossible tells them nothing.
        now.push(sum > 0 ? joint.map((p) => p / sum) : now[0] as Float64Array);
      }
      now.forEach((belief, i) => beliefs.set(belief, (places[t] as number) + i * belief.length));
      last = now;
    });
    return { places, beliefs };
  }

  #stateOf(token: number): Float64Array {
    let states = this.#states.get(token);
    if (states === undefined) this.#states.set(token, states = this.#hidden.stateOf(token));
    return states;
  }

  /** By position: weights of the hidden states and of the contexts, divided by `scales`, whose logarithms sum to `log`; `entries`: that of tokens just remembered. */
  #forward(reading: SwitchingReading, weights: SwitchingWeights) {
    const { tokens, classes, steps } = reading;
    const n = this.#contexts, side = n + 1, hidden = this.#hidden;
    const states: Float64Array[] = [], contexts = new Float64Array(tokens.length * side);
    const scales = new Float64Array(tokens.length), entries = new Float64Array(tokens.length);
    let log = 0;
    for (let t = 0; t < tokens.length; t++) {
      const token = tokens[t] as number, before = tokens[t - 1] as number, emission = hidden.emission(token);
      let own: Float64Array;
      if (t === 0) own = hidden.initial(token);
      else {
        const from = (states[t - 1] as Float64Array).slice();
        for (let k = 1; k <= n; k++) {
          const leaving = contexts[(t - 1) * side + k] as number;
          if (leaving === 0) continue;
          const by = leaving * leaveOf(weights, classes, t - 1, k, side);
          beliefOf(reading, t - 1, k, from.length).forEach((p, z) => from[z] = (from[z] as number) + by * p);
        }
        own = hidden.forward(before, from, token);
        for (let k = 1; k <= n; k++) {
          const mass = contexts[(t - 1) * side + k] as number;
          if (mass === 0) continue;
          const stay = mass * (1 - leaveOf(weights, classes, t - 1, k, side));
          for (let j = 1; j <= n; j++) {
            contexts[t * side + j] = (contexts[t * side + j] as number) +
              stay * (steps[(t * side + k) * side + j] as number);
          }
        }
      }
      const entering = t === 0 ? weights.first : enterOf(weights, classes, t, side);
      let entered = 0;
      own.forEach((p, j) => {
        const joint = p * (emission[j] as number);
        entered += entering * joint;
        own[j] = (1 - entering) * joint;
      });
      contexts[t * side + 1] = (contexts[t * side + 1] as number) + entered;
      let scale = own.reduce((a, p) => a + p, 0);
      for (let k = 1; k <= n; k++) scale += contexts[t * side + k] as number;
      if (!(scale > 0)) return { log: -Infinity, states, contexts, scales, entries };
      own.forEach((p, j) => own[j] = p / scale);
      for (let k = 1; k <= n; k++) {
        contexts[t * side + k] = (contexts[t * side + k] as number) / scale;
      }
      states.push(own);
      scales[t] = scale;
      entries[t] = entered / scale;
      log += Math.log(scale);
    }
    return { log, states, contexts, scales, entries };
  }

  #count(
    reading: SwitchingReading,
    weights: SwitchingWeights,
    { first, enter, leave }: { first: Choices; enter: Choices[]; leave: Choices[][] },
  ): void {
    const { tokens, classes, steps } = reading, n = this.#contexts, side = n + 1, hidden = this.#hidden;
    const { log, states, contexts, scales, entries } = this.#forward(reading, weights);
    if (log === -Infinity) return;
    /** What the tokens after a position are worth, by hidden state and by context there. */
    let worth: Float64Array = new Float64Array(hidden.statesOf(tokens.at(-1) as number)).fill(1);
    let worths = new Float64Array(side).fill(1);
    for (let t = tokens.length - 1; t >= 0; t--) {
      const token = tokens[t] as number, scale = scales[t] as number;
      const entering = t === 0 ? weights.first : enterOf(weights, classes, t, side);
      const chosen = t === 0 ? first : enter[classes[t * side + 1] as number] as Choices;
      const own = states[t] as Float64Array;
      chosen[1] += (entries[t] as number) * (worths[1] as number);
      own.forEach((p, j) => chosen[0] += p * (worth[j] as number));
      if (t === 0) break;
      const before = tokens[t - 1] as number, emission = hidden.emission(token);
      const back = hidden.backward(
        before,
        token,
        emission.map((p, j) =>
          p * ((1 - entering) * (worth[j] as number) + entering * (worths[1] as number))
        ),
      );
      const earlier = new Float64Array(side);
      for (let k = 1; k <= n; k++) {
        if (classes[(t - 1) * side + k] === -1) continue;
        const leaving = leaveOf(weights, classes, t - 1, k, side);
        let stay = 0;
        for (let j = 1; j <= n; j++) {
          stay += (steps[(t * side + k) * side + j] as number) * (worths[j] as number);
        }
        stay /= scale;
        const afterLeaving = beliefOf(reading, t - 1, k, back.length)
          .reduce((sum, p, z) => sum + p * (back[z] as number), 0) / scale;
        earlier[k] = leaving * afterLeaving + (1 - leaving) * stay;
        const mass = contexts[(t - 1) * side + k] as number;
        const choices = leave[k - 1]?.[classes[(t - 1) * side + k] as number] as Choices;
        choices[1] += mass * leaving * afterLeaving;
        choices[0] += mass * (1 - leaving) * stay;
      }
      worth = back.map((p) => p / scale);
      worths = earlier;
    }
  }
}

function beliefOf({ places, beliefs }: SwitchingReading, t: number, k: number, states: number): Float32Array {
  const at = (places[t] as number) + (k - 1) * states;
  return beliefs.subarray(at, at + states);
}

function enterOf({ enter }: SwitchingWeights, classes: Int8Array, t: number, side: number): number {
  return enter[classes[t * side + 1] as number] as number;
}

function leaveOf(
  { leave }: SwitchingWeights,
  classes: Int8Array,
  t: number,
  k: number,
  side: number,
): number {
  return leave[k - 1]?.[classes[t * side + k] as number] as number;
}
