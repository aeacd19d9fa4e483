import type { ComparedRow } from "./compare.ts";

/** What a value is beside the first run's: `+1.2 (+3.4 %), better`; empty where nothing can be said. */
export function changeText(row: ComparedRow, run: number): string {
  const [base, value] = [row.values[0], row.values[run]];
  if (run === 0 || typeof base !== "number" || typeof value !== "number" || base === value) return "";
  const change = value - base;
  const sign = change > 0 ? "+" : "−";
  const share = base === 0 ? "" : ` (${sign}${Number((100 * Math.abs(change / base)).toPrecision(3))} %)`;
  const better = change < 0 === (row.direction === "lower");
  const word = row.direction === null ? "" : better ? ", better" : ", worse";
  return `${sign}${Number(Math.abs(change).toPrecision(3))}${share}${word}`;
}
