import { type DroppedNote, droppedNote } from "../../runner/dropped.ts";
import type { Records } from "../../runner/records/records.ts";
import type { ArtifactRecord } from "../../runner/records/rows.ts";
import { resolveRun } from "../../runner/references.ts";
import type { Acceptance } from "../../runner/store/acceptance.ts";
import type { Store } from "../../runner/store/store.ts";

/** What a result says of itself: who accepted it, and which of its temporary outputs were dropped. Read from the store, as it is now. */
export interface Standing {
  readonly accepted: Acceptance | null;
  readonly dropped: readonly (DroppedNote & { readonly output: string })[];
}

const NOTHING: Standing = { accepted: null, dropped: [] };

/** The standing of artifacts of one result. */
export function standingOf(store: Store, records: Records, artifacts: readonly ArtifactRecord[]): Standing {
  const [first] = artifacts;
  if (first === undefined || first.run === "") return NOTHING;
  return {
    accepted: store.acceptance(first.key) ?? null,
    dropped: artifacts.flatMap((record) => {
      const note = droppedNote(store, records, record);
      return note === undefined ? [] : [{ output: record.output, ...note }];
    }),
  };
}

/** The standing of what a node of a run came to. */
export function standingOfNode(store: Store, records: Records, query: URLSearchParams): Standing {
  const run = resolveRun(records, query.get("run") ?? "");
  const node = records.nodes(run.id).find(({ name }) => name === query.get("node"));
  if (node === undefined || node.key === null || !["ran", "cached"].includes(node.state)) return NOTHING;
  return standingOf(store, records, records.artifactsOfKey(node.key));
}
