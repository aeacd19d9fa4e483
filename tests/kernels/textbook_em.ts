/** EM of mixtures of independent normal distributions as textbooks have it, in float64, with no circuit around. */
import type { Circuit } from "../../circuits/mod.ts";

const LOG_TWO_PI = Math.log(2 * Math.PI);

/** A mixture of independent normal distributions. */
export interface Mixture {
  /** Shares of the components. */
  weights: number[];
  /** `[columns][components]` */
  means: number[][];
  /** `[columns][components]` */
  stddevs: number[][];
}

/** A step of EM as textbooks have it: responsibilities, then weighted means, then squares about the new means. */
export function textbook(
  { weights, means, stddevs }: Mixture,
  rows: number[][],
): { mixture: Mixture; log: number } {
  let log = 0;
  const shares = rows.map((row) => {
    const logs = weights.map((w, k) =>
      row.reduce((sum, x, v) => {
        const s = stddevs[v]![k]!, z = (x - means[v]![k]!) / s;
        return sum - 0.5 * z * z - Math.log(s) - 0.5 * LOG_TWO_PI;
      }, Math.log(w))
    );
    const most = Math.max(...logs), sum = logs.reduce((t, l) => t + Math.exp(l - most), 0);
    log += (most + Math.log(sum)) / rows.length;
    return logs.map((l) => Math.exp(l - most) / sum);
  });
  const totals = weights.map((_, k) => shares.reduce((t, share) => t + share[k]!, 0));
  const fresh = means.map((_, v) =>
    totals.map((total, k) => rows.reduce((t, row, s) => t + shares[s]![k]! * row[v]!, 0) / total)
  );
  return {
    log,
    mixture: {
      weights: totals.map((total) => total / rows.length),
      means: fresh,
      stddevs: fresh.map((column, v) =>
        column.map((m, k) =>
          Math.sqrt(rows.reduce((t, row, s) => t + shares[s]![k]! * (row[v]! - m) ** 2, 0) / totals[k]!)
        )
      ),
    },
  };
}

/** Shares of the components in each row, in float64. */
export function shareOf(circuit: Circuit, rows: number[][]): number[][] {
  const weights = circuit.parameters.get("z")!.values;
  return rows.map((row) => {
    const logs = Array.from(weights, (w, k) =>
      row.reduce((sum, x, v) => {
        const values = circuit.parameters.get(`leaf/${v}`)!.values;
        const z = (x - values[2 * k]!) / values[2 * k + 1]!;
        return sum - 0.5 * z * z - Math.log(values[2 * k + 1]!);
      }, Math.log(w)));
    const most = Math.max(...logs), shares = logs.map((l) => Math.exp(l - most));
    const total = shares.reduce((a, b) => a + b);
    return shares.map((x) => x / total);
  });
}
