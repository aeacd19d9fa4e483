import { RetortError } from "../foundation/errors.ts";
import type { AdamW } from "../kernels/autodiff/adamw.ts";

/** Weights and the moments of their optimiser by name, as trainings save them; the arrays are not copied. */
export function trainingTensors(
  weights: ReadonlyMap<string, Float32Array>,
  optimiser: AdamW,
): Map<string, Float32Array> {
  const tensors = new Map<string, Float32Array>();
  for (const [name, values] of weights) tensors.set(`weight/${name}`, values);
  for (const [name, values] of optimiser.state()) tensors.set(`moment/${name}`, values);
  return tensors;
}

/**
 * Puts what {@link trainingTensors} gave back into a training that is made alike.
 *
 * @param model what is trained, in words: `model`
 * @throws {RetortError} when a weight is missing or has another size
 */
export function restoreTensors(
  model: string,
  step: number,
  tensors: ReadonlyMap<string, Float32Array>,
  weights: ReadonlyMap<string, Float32Array>,
  optimiser: AdamW,
): void {
  const moments = new Map<string, Float32Array>();
  for (const [name, values] of tensors) {
    if (name.startsWith("moment/")) moments.set(name.slice("moment/".length), values);
  }
  for (const [name, values] of weights) {
    const saved = tensors.get(`weight/${name}`);
    if (saved?.length !== values.length) {
      throw new RetortError(
        "learning/state",
        `the saved training is of another ${model}: \`${name}\` does not fit`,
      );
    }
    values.set(saved);
  }
  optimiser.restore(step, moments);
}

/**
 * Refuses a loss that is no number.
 * @param step the step that gave it, from 0
 * @throws {RetortError} then
 */
export function requireFiniteLoss(loss: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new RetortError("teacher/diverged", `the loss of step ${step + 1} is ${loss}`, {
    hint: "A smaller `rate` or a longer `warmup` usually helps.",
  });
}
