import { RetortError } from "../foundation/errors.ts";
import type { GraphNode } from "./graph.ts";
import type { PlannedNode } from "./plan.ts";
import type { Store } from "./store/store.ts";

/** @throws RetortError when anything has to run: a read-only store takes no results. */
export function refuseToCompute(store: Store, plan: ReadonlyMap<GraphNode, PlannedNode>): void {
  const missing = [...plan.values()].filter((planned) =>
    planned.outputs === undefined || planned.remake !== undefined
  );
  if (missing.length === 0) return;
  const names = missing.slice(0, 5).map(({ node }) => node.name).join(", ") +
    (missing.length > 5 ? ", …" : "");
  throw new RetortError(
    "store/read-only",
    `the store ${store.root} cannot be written, and ${missing.length} of ${plan.size} nodes have to run: ${names}`,
    { hint: "Make it writable or use another one: --store DIR. Why each of them has to run: --dry-run." },
  );
}
