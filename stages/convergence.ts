/** How tables mark whether EM converged: no unconverged model is compared without that mark. */

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
