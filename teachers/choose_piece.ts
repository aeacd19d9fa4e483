import type { RandomStream } from "../circuits/random.ts";
import { RetortError } from "../foundation/errors.ts";

/** Samples a piece from the softmax of logits, in float64. @throws {RetortError} when they are not numbers */
export function choosePiece(logits: Float32Array, temperature: number, random: RandomStream): number {
  let most = -Infinity;
  for (const x of logits) if (x > most) most = x;
  const weights = Float64Array.from(logits, (x) => Math.exp((x - most) / temperature));
  const chosen = Number.isFinite(most) ? random.choose(weights) : -1;
  if (chosen < 0) {
    throw new RetortError("teacher/diverged", "the language model gives logits that are not numbers");
  }
  return chosen;
}
