import type { Digest } from "../foundation/canonical.ts";
import type { RunEvent } from "./event.ts";
import type { Job, Outcome } from "./execute/job.ts";
import { type GraphNode, parentsOf } from "./graph.ts";
import { eachInput } from "./inputs.ts";
import type { RunState } from "./run_state.ts";

/** How often one object may be made again in a run because it was found damaged. */
const REPAIRS = 2;

/** Makes damaged objects again in the middle of a run. */
export class Repairs {
  readonly #state: RunState;
  readonly #onEvent: (event: RunEvent) => void;
  /** How often each object was made again: what bounds the repairs of a run. */
  readonly #times = new Map<Digest, number>();

  constructor(state: RunState, onEvent: (event: RunEvent) => void) {
    this.#state = state;
    this.#onEvent = onEvent;
  }

  /**
   * Inputs were damaged: the nodes that made them run again, then this one. Goes on as long as it is new objects
   * that are found damaged, however many. False when that cannot help.
   */
  repair(node: GraphNode, job: Job, outcome: Outcome & { kind: "damaged" }): boolean {
    const state = this.#state;
    const damaged = new Set(outcome.digests);
    const makers = parentsOf(node).filter((parent) =>
      Object.values(state.slot(parent).outcome!.outputs!).some((artifact) =>
        artifact.files.some((file) => damaged.has(file.digest))
      )
    );
    // Nobody's any more: made again meanwhile, for another node that had found it, and with other bytes.
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
