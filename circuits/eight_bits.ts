import { parameterOwners } from "./learner.ts";
import type { Circuit } from "./circuit.ts";
import { leafFamily } from "./leaves/mod.ts";

/** Logarithms below the largest of a row that codes reach: what is rarer is raised to `exp(-25)` of it. */
const DEPTH = 25;
/** Code of the smallest positive probability, and that of 0. */
const SMALLEST = 254, ZERO = 255;

const STEP = DEPTH / SMALLEST;

/** By code of 8 bits: the probability that it stands for, as a share of the largest of its row, before the row is divided by its sum. */
export const CODED_SHARES: Float32Array<ArrayBuffer> = Float32Array.from(
  { length: 256 },
  (_, code) => code === ZERO ? 0 : Math.exp(-STEP * code),
);

/** The code of a probability in a row whose largest is `most`: the logarithm below it, in steps of a tenth of a nat. */
export function codeOfProbability(x: number, most: number): number {
  return x === 0 ? ZERO : Math.min(SMALLEST, Math.round(Math.log(most / x) / STEP));
}

/** What rounding costs: the divergence of rows from the rounded ones, in nats. */
export interface QuantisationLoss {
  /** Over all rows. */
  readonly mean: number;
  /** Of the row that loses most. */
  readonly largest: number;
}

/** Rows of probabilities in 8 bits, `[rows, width]`. */
export function codesOfRows(
  values: ArrayLike<number>,
  width: number,
): { readonly codes: Uint8Array<ArrayBuffer>; readonly losses: Float64Array } {
  const codes = new Uint8Array(values.length), losses = new Float64Array(values.length / width);
  for (let from = 0; from < values.length; from += width) {
    let most = 0, sum = 0, loss = 0;
    for (let i = from; i < from + width; i++) most = Math.max(most, values[i] as number);
    for (let i = from; i < from + width; i++) {
      codes[i] = codeOfProbability(values[i] as number, most);
      sum += CODED_SHARES[codes[i] as number] as number;
    }
    for (let i = from; i < from + width; i++) {
      const x = values[i] as number;
      if (x > 0) loss += x * Math.log(x * sum / (CODED_SHARES[codes[i] as number] as number));
    }
    losses[from / width] = loss;
  }
  return { codes, losses };
}

/** The rows that {@link codesOfRows} coded, each divided by its sum; a row of zeros stays one. */
export function rowsOfCodes(codes: Uint8Array, width: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(codes.length);
  for (let from = 0; from < codes.length; from += width) {
    let sum = 0;
    for (let i = from; i < from + width; i++) sum += CODED_SHARES[codes[i] as number] as number;
    const scale = sum > 0 ? 1 / sum : 0;
    for (let i = from; i < from + width; i++) {
      values[i] = (CODED_SHARES[codes[i] as number] as number) * scale;
    }
  }
  return values;
}

/** States from which on a table is worth coding. */
const MANY = 16;

/** Parameters that 8 bits suit: tables of leaves, each row a distribution over many states. */
export function tablesOf(circuit: Circuit): string[] {
  return [...parameterOwners(circuit)].flatMap(([id, node]) => {
    const { shape = [] } = circuit.parameters.get(id) ?? {};
    return node.kind === "input" && leafFamily(node.family).rows && (shape[1] ?? 0) >= MANY ? [id] : [];
  });
}
