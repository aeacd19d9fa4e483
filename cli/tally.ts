import { durationText } from "../foundation/format.ts";
import type { RunEvent } from "../runner/event.ts";
import type { GraphNode } from "../runner/graph.ts";

/** Counts the nodes of a run by state. */
export class Tally {
  #total = 0;
  #done = 0;
  #failed = 0;
  #skipped = 0;
  /** Nodes of each stage that are still to come, as far as the plan knows, and what those that ran took. */
  readonly #left = new Map<string, number>();
  readonly #took = new Map<string, { count: number; seconds: number }>();
  /** How many nodes ran at once. */
  #lanes = 1;
  /** Names of running nodes. */
  readonly #running = new Set<string>();

  /** Takes note of an event. */
  count(event: RunEvent): void {
    switch (event.type) {
      case "run-start":
        this.#total = event.plan.length;
        this.#expect(event.plan);
        break;
      case "run-grown":
        this.#total += event.plan.length;
        this.#expect(event.plan);
        break;
      case "node-start":
        this.#running.add(event.node.name);
        this.#lanes = Math.max(this.#lanes, this.#running.size);
        break;
      case "node-again":
        this.#done--; // It was done and will be computed again.
        break;
      case "node-done":
        this.#done++;
        if (event.how === "ran") {
          const { count, seconds } = this.#took.get(event.node.stage.name) ?? { count: 0, seconds: 0 };
          this.#took.set(event.node.stage.name, { count: count + 1, seconds: seconds + event.seconds });
        }
        this.#settled(event.node);
        this.#running.delete(event.node.name);
        break;
      case "node-failed":
        this.#failed++;
        this.#settled(event.node);
        this.#running.delete(event.node.name);
        break;
      case "node-skipped":
        this.#skipped++;
        this.#settled(event.node);
        break;
      case "node-interrupted":
      case "node-retry":
        this.#running.delete(event.node.name);
        break;
    }
  }

  #expect(plan: Extract<RunEvent, { type: "run-start" }>["plan"]): void {
    for (const planned of plan) {
      if (planned?.node?.stage === undefined || planned.status === "cached") continue;
      this.#left.set(planned.node.stage.name, (this.#left.get(planned.node.stage.name) ?? 0) + 1);
    }
  }

  #settled(node: GraphNode): void {
    const left = this.#left.get(node.stage?.name) ?? 0;
    if (left > 0) this.#left.set(node.stage.name, left - 1);
  }

  /**
   * Seconds until the run is done, if every node takes what those of its stage took on average, or all where none of the stage
   * has run; undefined before two have run.
   */
  #secondsLeft(): number | undefined {
    const all = [...this.#took.values()];
    const count = all.reduce((sum, one) => sum + one.count, 0);
    if (count < 2) return undefined;
    const mean = all.reduce((sum, one) => sum + one.seconds, 0) / count;
    let work = 0;
    for (const [stage, left] of this.#left) {
      const own = this.#took.get(stage);
      work += left * (own === undefined ? mean : own.seconds / own.count);
    }
    // Those at work have, on average, half of theirs behind them.
    return Math.max(0, work - this.#running.size * mean / 2) / this.#lanes;
  }

  /** Like `57 of 5,000 nodes, 4 at work, 1 failed, 12 min left`; undefined while there is no more than one node. */
  text(): string | undefined {
    if (this.#total < 2) return undefined;
    const left = this.#secondsLeft();
    const number = (n: number) => n.toLocaleString("en");
    return [
      `${number(this.#done)} of ${number(this.#total)} nodes`,
      ...this.#running.size > 0 ? [`${number(this.#running.size)} at work`] : [],
      ...this.#failed > 0 ? [`${number(this.#failed)} failed`] : [],
      ...this.#skipped > 0 ? [`${number(this.#skipped)} skipped`] : [],
      ...left === undefined || left < 1 ? [] : [`${roughly(left)} left`],
    ].join(", ");
  }
}

/** A time that is only estimated, in whole minutes where it is minutes. */
function roughly(seconds: number): string {
  return seconds < 60 || seconds >= 3600
    ? durationText(Math.ceil(seconds))
    : `${Math.round(seconds / 60)} min`;
}
