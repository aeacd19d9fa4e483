import type { RunStatus } from "./rows.ts";

/** Which runs a list shows. */
export interface RunFilter {
  readonly pipeline?: string;
  readonly status?: RunStatus;
  /**
   * Stands anywhere in the id, the pipeline, the command, the parameters or the status, in a node's name, stage or state,
   * in the name of an output or a metric, in the note or a tag.
   */
  readonly text?: string;
  readonly tag?: string;
  /** Whether archived runs are listed; both where it is left out. */
  readonly archived?: boolean;
}

const HOLDS = (text: string) => `instr(lower(${text}), lower(?3)) > 0`;

const ANNOTATED = (condition: string) =>
  `EXISTS (SELECT 1 FROM annotations a WHERE a.run = runs.id AND ${condition})`;

/**
 * The condition of a filter, whose values are the first five parameters of the statement.
 *
 * @param lists whether the tables that later versions of the schema added for lists are there.
 */
export function runCondition(lists: boolean): string {
  const places = [
    HOLDS("id || ' ' || pipeline || ' ' || command || ' ' || params || ' ' || status"),
    `EXISTS (SELECT 1 FROM nodes n WHERE n.run = runs.id AND ${
      HOLDS("n.name || ' ' || n.stage || ' ' || n.state")
    })`,
    `EXISTS (SELECT 1 FROM run_outputs o WHERE o.run = runs.id AND ${HOLDS("o.name")})`,
    ...lists
      ? [
        `EXISTS (SELECT 1 FROM last_metrics m WHERE m.run = runs.id AND ${HOLDS("m.name")})`,
        ANNOTATED(HOLDS("a.note || ' ' || a.tags")),
      ]
      : [],
  ];
  const tagged = lists ? ANNOTATED("EXISTS (SELECT 1 FROM json_each(a.tags) t WHERE t.value = ?4)") : "FALSE";
  const archived = lists ? ANNOTATED("a.archived") : "FALSE";
  return `(?1 IS NULL OR pipeline = ?1) AND (?2 IS NULL OR status = ?2)
    AND (?3 IS NULL OR ${places.join(" OR ")}) AND (?4 IS NULL OR ${tagged})
    AND (?5 IS NULL OR ?5 = (${archived}))`;
}

/** The values of a filter. */
export function runFilter(filter: RunFilter): (string | number | null)[] {
  const { pipeline = null, status = null, text = null, tag = null, archived } = filter;
  return [pipeline, status, text, tag, archived === undefined ? null : Number(archived)];
}
