import type { ComparedArm, ComparedRow } from "./compare.ts";

/** What a value is beside the first run's. */
export interface Change {
  /** `+1.2 (+3.4 %), better`; empty where nothing can be said. */
  readonly text: string;
  /** Null where the pipeline does not say which way is better. */
  readonly better: boolean | null;
}

/** What a value of a row is beside the first run's. */
export function changeOf(row: ComparedRow, run: number): Change {
  const [base, value] = [row.values[0], row.values[run]];
  if (run === 0 || typeof base !== "number" || typeof value !== "number" || base === value) {
    return { text: "", better: null };
  }
  const change = value - base;
  const sign = change > 0 ? "+" : "−";
  const share = base === 0 ? "" : ` (${sign}${Number((100 * Math.abs(change / base)).toPrecision(3))} %)`;
  const better = row.direction === null ? null : change < 0 === (row.direction === "lower");
  const word = better === null ? "" : better ? ", better" : ", worse";
  return { text: `${sign}${Number(Math.abs(change).toPrecision(3))}${share}${word}`, better };
}

/** Whether an arm only stands beside for comparison, and is the same in all runs: shown where all is. */
export function isUnchangedReference({ role, values }: ComparedArm): boolean {
  return role === "reference" && new Set(values).size <= 1;
}
