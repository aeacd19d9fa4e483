import type { Records } from "../../runner/records/records.ts";
import type { ArtifactRecord } from "../../runner/records/rows.ts";
import type { Store } from "../../runner/store/store.ts";
import { type NodeView, type RunView, viewRun } from "../view/run.ts";

/** The run that made an artifact, if it is still in the records. */
export interface Beside {
  readonly view: RunView;
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** The node that made the artifact. */
  readonly node: NodeView;
}

/** The nodes of the run that made an artifact, and the node that made it, if the run is still in the records. */
export function nodesBeside(
  store: Store,
  records: Records,
  { run: id, node: name }: Pick<ArtifactRecord, "run" | "node">,
): Beside | undefined {
  const run = id === "" ? undefined : records.findRuns(id).find((one) => one.id === id);
  if (run === undefined) return undefined;
  const view = viewRun(store, records, run, { curves: false });
  const nodes = new Map(view.nodes.map((one) => [one.name, one]));
  const node = nodes.get(name);
  return node === undefined ? undefined : { view, nodes, node };
}
