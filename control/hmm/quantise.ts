import type { Reals, TokenHmm } from "./token_hmm.ts";

/** Logarithms below the largest of a state that the codes reach: what is rarer is raised to `exp(-25)` of it. */
const DEPTH = 25;
/** Code of the smallest positive probability, and that of 0. */
const SMALLEST = 254, ZERO = 255;

/** What rounding costs: the divergence of a state's tokens from the rounded ones, in nats. */
export interface QuantisationLoss {
  /** Over all states. */
  readonly mean: number;
  /** Of the state that loses most. */
  readonly largest: number;
}

/**
 * The model with emissions in 8 bits, a quarter of the memory: the logarithm below the largest probability of a state, in
 * steps of a tenth of a nat, each row then divided by its sum. Sums and products stay in floats.
 */
export function quantised(hmm: TokenHmm): { readonly hmm: TokenHmm; readonly loss: QuantisationLoss } {
  const { states, tokens } = hmm;
  const step = DEPTH / SMALLEST;
  const table = Float32Array.from({ length: 256 }, (_, code) => code === ZERO ? 0 : Math.exp(-step * code));
  const most = new Float64Array(states), sums = new Float64Array(states);
  for (let token = 0; token < tokens; token++) {
    const row = hmm.emission.row(token);
    for (let z = 0; z < states; z++) if (row[z]! > most[z]!) most[z] = row[z]!;
  }
  const codes = new Uint8Array(tokens * states);
  for (let token = 0; token < tokens; token++) {
    const row = hmm.emission.row(token), at = token * states;
    for (let z = 0; z < states; z++) {
      const x = row[z]!;
      const code = x === 0 ? ZERO : Math.min(SMALLEST, Math.round(Math.log(most[z]! / x) / step));
      codes[at + z] = code;
      sums[z]! += table[code]!;
    }
  }
  const scale = Float32Array.from(sums, (sum) => 1 / sum);
  const losses = new Float64Array(states);
  for (let token = 0; token < tokens; token++) {
    const row = hmm.emission.row(token), at = token * states;
    for (let z = 0; z < states; z++) {
      if (row[z]! > 0) losses[z]! += row[z]! * Math.log(row[z]! / (table[codes[at + z]!]! * scale[z]!));
    }
  }
  const decoded: Reals = new Float32Array(states);
  return {
    hmm: {
      ...hmm,
      emission: {
        bits: 8,
        row(token) {
          const at = token * states;
          for (let z = 0; z < states; z++) decoded[z] = table[codes[at + z]!]! * scale[z]!;
          return decoded;
        },
      },
    },
    loss: {
      mean: losses.reduce((a, b) => a + b, 0) / states,
      largest: losses.reduce((a, b) => Math.max(a, b), 0),
    },
  };
}
