import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import type { createLogUpdate } from "log-update";
import { valueText } from "../foundation/text.ts";
import type { RunEvent } from "../runner/event.ts";
import type { GraphNode } from "../runner/graph.ts";
import { reasonText } from "../runner/key.ts";
import { Tally } from "./tally.ts";
import { remakesText } from "./temporary.ts";
import { bytesText, clean, durationText, isTerminal, note, paint, timeText } from "./output.ts";

/** Shows a run's events. */
export interface Renderer {
  show(event: RunEvent): void;
  /** Clears live lines. */
  close(): void;
}

/** Live lines on a terminal, plain timestamped lines elsewhere; with `--json` only failures. */
export function rendererFor(options: { json: boolean; verbose: boolean }): Renderer {
  if (options.json) return new PlainLines({ verbose: options.verbose, quiet: true });
  return isTerminal()
    ? new LiveLines(options.verbose)
    : new PlainLines({ verbose: options.verbose, quiet: false });
}

/** An event as one line, or undefined for events shown in another way. */
function lineOf(event: RunEvent, verbose: boolean): string | undefined {
  switch (event.type) {
    case "node-start":
      return `${paint("cyan", "start")}  ${clean(event.node.name)}  (${
        event.reasons.map(reasonText).map(clean).join("; ")
      })`;
    case "node-done":
      if (event.how === "ran") {
        return `${paint("green", "done")}   ${clean(event.node.name)}  in ${durationText(event.seconds)}`;
      }
      if (event.how === "elsewhere") {
        return `${paint("green", "done")}   ${clean(event.node.name)}  by another run`;
      }
      return verbose ? `${paint("dim", "cached")} ${clean(event.node.name)}` : undefined;
    case "node-failed":
      return `${paint("red", "failed")} ${clean(event.node.name)}: ${clean(event.error)}`;
    case "node-retry":
      return `${paint("yellow", "retry")}  ${clean(event.node.name)}: ${
        clean(event.error)
      } (attempt ${event.attempt} of ${event.attempts}${
        event.wait > 0 ? `; the next in ${durationText(event.wait)}` : ""
      })`;
    case "node-skipped":
      return `${paint("yellow", "skip")}   ${clean(event.node.name)}  (needs ${clean(event.because.name)})`;
    case "node-interrupted":
      return `${paint("yellow", "stop")}   ${clean(event.node.name)}`;
    case "node-again":
      return `${paint("yellow", "again")}  ${clean(event.node.name)}: ${clean(event.why)}`;
    case "node-waiting":
      return event.for === undefined
        ? `wait   ${clean(event.node.name)}: another run is computing it`
        : `wait   ${clean(event.node.name)}: for ${clean(event.for)}`;
    case "node-dropped":
      return verbose
        ? `drop   ${clean(event.node.name)}: ${event.outputs.join(", ")} (${bytesText(event.bytes)})`
        : undefined;
    case "drop-failed":
      return `${paint("yellow", "keep")}   ${
        clean(event.node.name)
      }: what is temporary could not be dropped: ${clean(event.error)}`;
    case "run-start":
    case "run-grown":
      return remakesText(event.plan);
    case "remote":
      return `${paint("yellow", "remote")} ${clean(event.text)}`;
    case "stopping":
      return "stopping: stages save their checkpoints; Ctrl-C again stops at once";
    case "node-log":
      return verbose ? `log    ${clean(event.node.name)}: ${clean(event.text)}` : undefined;
    default:
      return undefined;
  }
}

/** Milliseconds between lines of progress, of one node and of the whole run. */
const EVERY = 10_000;

/** Plain lines with a time, for pipes and CI. Progress comes every 10 seconds at most, a node's and the run's. */
class PlainLines implements Renderer {
  readonly #tally = new Tally();
  #lastTally = { time: Date.now(), text: "" };
  readonly #lastProgress = new Map<GraphNode, number>();
  readonly #metrics = new Map<GraphNode, string>();

  constructor(readonly options: { verbose: boolean; quiet: boolean }) {}

  show(event: RunEvent): void {
    this.#tally.count(event);
    if (this.options.quiet && !this.options.verbose && event.type !== "node-failed") return;
    if (event.type === "node-metric") {
      this.#metrics.set(event.node, metricText(event));
      return;
    }
    const now = Date.now();
    this.#showTally(now);
    if (event.type === "node-start") this.#lastProgress.set(event.node, now);
    let line = lineOf(event, this.options.verbose);
    if (event.type === "node-progress") {
      if (now - (this.#lastProgress.get(event.node) ?? 0) < EVERY) return;
      this.#lastProgress.set(event.node, now);
      const metric = this.#metrics.get(event.node);
      line = `at     ${clean(event.node.name)}: ${amountText(event)}${
        metric === undefined ? "" : `  ${metric}`
      }`;
    }
    if (line !== undefined) note(`${timeText(now / 1000)}  ${stripVTControlCharacters(line)}`);
  }

  #showTally(now: number): void {
    if (now - this.#lastTally.time < EVERY) return;
    const text = this.#tally.text() ?? "";
    if (text !== this.#lastTally.text) note(`${timeText(now / 1000)}  run    ${text}`);
    this.#lastTally = { time: now, text };
  }

  close(): void {}
}

interface Live {
  readonly began: number;
  /** First progress: the rate counts from there, since a resumed stage begins in the middle. */
  first?: { done: number; time: number };
  last?: { done: number; total?: number; unit?: string };
  metric: string;
}

/** One live line a running node — bar, rate, time left, last metric — and one for the whole run. */
class LiveLines implements Renderer {
  readonly #tally = new Tally();
  readonly #live = new Map<GraphNode, Live>();
  #update: ReturnType<typeof createLogUpdate> | undefined;
  #isLoading = false;
  #isClosed = false;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(readonly verbose: boolean) {
    this.#timer = setInterval(() => this.#draw(), 100);
  }

  /** What draws takes a tenth of the time of a run in which nothing is computed, and is not needed there. */
  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const { createLogUpdate } = await import("log-update");
    if (!this.#isClosed) this.#update = createLogUpdate(process.stderr, { showCursor: true });
  }

  show(event: RunEvent): void {
    this.#tally.count(event);
    if (event.type === "node-start") {
      this.#live.set(event.node, { began: performance.now(), metric: "" });
      this.#load();
    }
    const live = "node" in event ? this.#live.get(event.node) : undefined;
    if (event.type === "node-progress" && live !== undefined) {
      live.first ??= { done: event.done, time: performance.now() };
      live.last = event;
    }
    if (event.type === "node-metric" && live !== undefined) live.metric = metricText(event);
    if (
      ["node-done", "node-failed", "node-interrupted", "node-retry"].includes(event.type) && "node" in event
    ) {
      this.#live.delete(event.node);
    }
    const line = event.type === "node-start" ? undefined : lineOf(event, this.verbose);
    if (line !== undefined) {
      this.#update?.clear();
      note(line);
      this.#draw();
    }
  }

  #draw(): void {
    if (this.#update === undefined) return;
    const width = (() => {
      try {
        return Deno.consoleSize().columns || 100; // Some terminals do not report their width.
      } catch {
        return 100;
      }
    })();
    const lines = [...this.#live].map(([node, live]) => clean(liveLine(node, live)));
    const tally = this.#tally.text();
    if (tally !== undefined) lines.push(tally);
    this.#update(lines.map((line) => line.slice(0, width - 1)).join("\n"));
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#update?.clear();
    this.#update?.done();
  }
}

function liveLine(node: GraphNode, live: Live): string {
  const elapsed = durationText((performance.now() - live.began) / 1000);
  if (live.last === undefined || live.first === undefined) return `${node.name}  ${elapsed}  ${live.metric}`;
  const { done, total } = live.last;
  const seconds = (performance.now() - live.first.time) / 1000;
  const rate = seconds > 0 ? (done - live.first.done) / seconds : 0;
  const unit = live.last.unit ?? "";
  const parts = [node.name, amountText(live.last)];
  if (total !== undefined && total > 0) {
    const filled = Math.max(0, Math.min(20, Math.round(20 * done / total)));
    parts.splice(1, 0, `[${"█".repeat(filled)}${"░".repeat(20 - filled)}]`);
  }
  if (rate > 0) {
    parts.push(`${valueText(Number(rate.toPrecision(3)))}${unit === "" ? "" : ` ${unit}`}/s`);
    if (total !== undefined) parts.push(`${durationText((total - done) / rate)} left`);
  }
  parts.push(elapsed, live.metric);
  return parts.filter((part) => part !== "").join("  ");
}

function amountText(progress: { done: number; total?: number; unit?: string }): string {
  const unit = progress.unit === undefined ? "" : ` ${progress.unit}`;
  return progress.total === undefined
    ? `${progress.done}${unit}`
    : `${progress.done}/${progress.total}${unit}`;
}

function metricText(metric: { name: string; value: number | null; step?: number }): string {
  return `${metric.name} ${valueText(metric.value)}`;
}
