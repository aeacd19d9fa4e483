import { CODED_SHARES, codeOfProbability, type QuantisationLoss } from "../../circuits/eight_bits.ts";
import { requireHmm } from "../guards.ts";
import type { Reals, TokenHmm } from "./token_hmm.ts";

/**
 * The model with emissions in 8 bits, a quarter of the memory: the logarithm below the largest probability of a state, in
 * steps of a tenth of a nat, each row then divided by its sum. Sums and products stay in floats.
 *
 * @throws {CallError} for anything but a model
 */
export function quantised(hmm: TokenHmm): { readonly hmm: TokenHmm; readonly loss: QuantisationLoss } {
  requireHmm(hmm);
  const { states, tokens } = hmm;
  const most = new Float64Array(states), sums = new Float64Array(states);
  for (let token = 0; token < tokens; token++) {
    const row = hmm.emission.row(token);
    for (let z = 0; z < states; z++) if (row[z]! > most[z]!) most[z] = row[z]!;
  }
  const codes = new Uint8Array(tokens * states);
  for (let token = 0; token < tokens; token++) {
    const row = hmm.emission.row(token), at = token * states;
    for (let z = 0; z < states; z++) {
      const code = codes[at + z] = codeOfProbability(row[z]!, most[z]!);
      sums[z]! += CODED_SHARES[code]!;
    }
  }
  const scale = Float32Array.from(sums, (sum) => 1 / sum);
  const losses = new Float64Array(states);
  for (let token = 0; token < tokens; token++) {
    const row = hmm.emission.row(token), at = token * states;
    for (let z = 0; z < states; z++) {
      if (row[z]! > 0) {
        losses[z]! += row[z]! * Math.log(row[z]! / (CODED_SHARES[codes[at + z]!]! * scale[z]!));
      }
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
          for (let z = 0; z < states; z++) decoded[z] = CODED_SHARES[codes[at + z]!]! * scale[z]!;
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
