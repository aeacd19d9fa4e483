import type { RunEvent } from "../runner/event.ts";

/** Counts the nodes of a run by state. */
export class Tally {
  #total = 0;
  #done = 0;
  #failed = 0;
  #skipped = 0;
  /** Names of running nodes. */
  readonly #running = new Set<string>();

  /** Takes note of an event. */
  count(event: RunEvent): void {
    switch (event.type) {
      case "run-start":
        this.#total = event.plan.length;
        break;
      case "run-grown":
        this.#total += event.plan.length;
        break;
      case "node-start":
        this.#running.add(event.node.name);
        break;
      case "node-again":
        this.#done--; // It was done and will be computed again.
        break;
      case "node-done":
        this.#done++;
        this.#running.delete(event.node.name);
        break;
      case "node-failed":
        this.#failed++;
        this.#running.delete(event.node.name);
        break;
      case "node-skipped":
        this.#skipped++;
        break;
      case "node-interrupted":
      case "node-retry":
        this.#running.delete(event.node.name);
        break;
    }
  }

  /** Like `57 of 5,000 nodes, 4 at work, 1 failed`; undefined while there is no more than one node. */
  text(): string | undefined {
    if (this.#total < 2) return undefined;
    const number = (n: number) => n.toLocaleString("en");
    return [
      `${number(this.#done)} of ${number(this.#total)} nodes`,
      ...this.#running.size > 0 ? [`${number(this.#running.size)} at work`] : [],
      ...this.#failed > 0 ? [`${number(this.#failed)} failed`] : [],
      ...this.#skipped > 0 ? [`${number(this.#skipped)} skipped`] : [],
    ].join(", ");
  }
}
