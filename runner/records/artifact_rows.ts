import { artifactFromJson } from "../store/artifacts.ts";
import type { ArtifactRecord, RawArtifact } from "./rows.ts";

/** An artifact as its row tells it. */
export function artifactFromRow(row: RawArtifact): ArtifactRecord {
  return {
    ...row,
    artifact: artifactFromJson(JSON.parse(row.manifest))!,
    components: JSON.parse(row.components),
  };
}

/**
 * The newest artifact of each digest that begins with the first value, without those of the result that the second names.
 *
 * A range, so that an index is used: no digit follows `f`. Many results may have made the same bytes: only the one that is
 * given is read whole. With max(), SQLite takes the other columns from the row that has it.
 */
export const NEWEST_OF_DIGEST = `(a.key, a.output) IN (
  SELECT key, output FROM (
    SELECT a.key, a.output, max(r.created) FROM artifacts a JOIN results r ON r.key = a.key
    WHERE a.digest >= ?1 AND a.digest < ?1 || 'g' AND (?2 IS NULL OR a.key <> ?2) GROUP BY a.digest
  )
)`;
