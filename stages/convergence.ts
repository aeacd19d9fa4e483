/**
 * How tables compare trainings: with the mark of whether EM converged, without which no model is compared, and at equal numbers of
 * epochs.
 */
import type { MeanScore, TrainingLog } from "./codecs/score.ts";

/**
 * The best validation score of a training by the end of an epoch; undefined where there is none, or some samples were impossible
 * in all epochs. Who stopped earlier because nothing improved any more keeps what was best.
 */
export function bestBy({ epochs }: TrainingLog, last: number): MeanScore | undefined {
  const level = ({ logLikelihood }: MeanScore) => logLikelihood ?? -Infinity;
  return epochs.filter(({ epoch }) => epoch <= last)
    .flatMap(({ valid }) =>
      valid === undefined || valid.impossible > 0 || valid.logLikelihood === null ? [] : [valid]
    )
    .reduce<MeanScore | undefined>((best, one) => best && level(best) >= level(one) ? best : one, undefined);
}

/** For trainings that differ in their seeds alone; null without validation samples. */
export function convergenceText(converged: readonly (boolean | null)[]): string {
  const open = converged.filter((one) => one === false).length;
  if (open > 0) {
    return open === converged.length ? "not converged" : `${open} of ${converged.length} not converged`;
  }
  return converged.includes(null) ? "" : "converged";
}

/** Whether some training ended before the validation samples said so. */
export function someOpen(converged: readonly (boolean | null)[]): boolean {
  return converged.includes(false);
}

/** What a chart says of its hollow points. */
export const HOLLOW = "hollow: not converged";
