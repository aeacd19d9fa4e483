import type { RunStatus } from "./rows.ts";

/** Which runs a list shows. */
export interface RunFilter {
  readonly pipeline?: string;
  readonly status?: RunStatus;
  readonly text?: string;
}

/** The condition of a filter, whose values are the first parameters of the statement. */
export const RUN_FILTER = `(?1 IS NULL OR pipeline = ?1) AND (?2 IS NULL OR status = ?2)
  AND (?3 IS NULL OR instr(lower(id || ' ' || pipeline || ' ' || command), lower(?3)) > 0)`;

/** The values of a filter. */
export function runFilter(filter: RunFilter): (string | null)[] {
  return [filter.pipeline ?? null, filter.status ?? null, filter.text ?? null];
}
