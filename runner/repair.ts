import type { Digest } from "../foundation/canonical.ts";
import type { RunEvent } from "./event.ts";
import type { Job, Outcome } from "./execute/job.ts";
import { type GraphNode, parentsOf } from "./graph.ts";
import { eachInput } from "./inputs.ts";
import type { RunState } from "./run_state.ts";

/** How often an object may be recomputed in one run because it was damaged. */
const REPAIRS = 2;

/** Recomputes damaged objects during a run. */
export class Repairs {
  readonly #state: RunState;
  readonly #onEvent: (event: RunEvent) => void;
  /** How often each object was recomputed. Bounds the repairs of a run. */
  readonly #times = new Map<Digest, number>();

  constructor(state: RunState, onEvent: (event: RunEvent) => void) {
    this.#state = state;
    this.#onEvent = onEvent;
  }

  /**
   * Reruns the nodes that made damaged inputs, then this node, as long as each damage is new. Returns false when
   * rerunning cannot help.
   */
  repair(node: GraphNode, job: Job, outcome: Outcome & { kind: "damaged" }): boolean {
    const state = this.#state;
    const damaged = new Set(outcome.digests);
    const makers = parentsOf(node).filter((parent) =>
      Object.values(state.slot(parent).outcome!.outputs!).some((artifact) =>
        artifact.files.some((file) => damaged.has(file.digest))
      )
    );
    // No parent holds it any more: it was recomputed meanwhile for another node, with different bytes.
    const replaced = makers.length === 0 &&
      eachInput(job.inputs).some(([, artifact]) => artifact.files.some((file) => damaged.has(file.digest)));
    if (makers.length === 0 && !replaced) return false;
    if (makers.some((maker) => maker.stage.locate !== undefined)) return false;
    for (const digest of damaged) {
      const times = this.#times.get(digest) ?? 0;
      if (times >= REPAIRS) return false;
      this.#times.set(digest, times + 1);
    }
    const idle = makers.filter((maker) => state.slot(maker).state !== "running");
    for (const slot of [node, ...idle].map((one) => state.slot(one))) {
      slot.repaired = true;
      slot.state = "pending";
    }
    for (const maker of idle) {
      state.slot(maker).reasons = [{ kind: "damaged", why: outcome.error }];
      this.#onEvent({ type: "node-again", node: maker, why: outcome.error });
    }
    state.recount();
    return true;
  }
}
