import { messageOf } from "../../foundation/errors.ts";
import { type LiveNodeState, liveNodeState, type LiveStatus, liveStatus } from "../../runner/liveness.ts";
import type { Records } from "../../runner/records/records.ts";
import type { ProgressRecord } from "../../runner/records/rows.ts";
import { resolveRun } from "../../runner/references.ts";
import type { Store } from "../../runner/store/store.ts";
import { type LogPiece, readLog } from "../view/log.ts";
import { logPath } from "./api.ts";
import type { LiveRecords } from "./records.ts";

/** What a live page is told. */
export type LiveEvent =
  /** Something in the list of runs changed. */
  | { readonly type: "runs" }
  /** The run's status and the states of all its nodes, in the order of the graph. */
  | {
    readonly type: "state";
    readonly status: LiveStatus;
    readonly nodes: readonly [name: string, state: LiveNodeState][];
  }
  | { readonly type: "progress"; readonly progress: readonly ProgressRecord[] }
  | {
    readonly type: "metrics";
    readonly metrics:
      readonly (readonly [node: string, name: string, step: number | null, value: number | null])[];
  }
  | { readonly type: "log"; readonly piece: LogPiece }
  /** The records cannot be read at the moment. */
  | { readonly type: "fault"; readonly message: string };

/** Milliseconds between looks at the records. The runner itself writes twice a second. */
const LOOK = 500;
/** Looks after which a sign of life is sent, and a run's process is looked after. */
const QUIET = 20, ALIVE = 4;
/** A page that is so far behind a log is told the end of it only. */
const BEHIND = 256 << 10;

/**
 * Changes of the records as server-sent events, from now on. What came before is what the page loads
 * after the stream has opened, so nothing falls between.
 */
export function liveEvents(
  store: Store,
  live: LiveRecords,
  query: URLSearchParams,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const watch = new Watch(store, live, query);
  let timer: ReturnType<typeof setInterval> | undefined;
  return new ReadableStream({
    start(controller) {
      let looks = 0;
      const look = () => {
        // A reader that does not keep up gets the rest later: what is sent is what changed since then.
        if ((controller.desiredSize ?? 1) < -64) return;
        const events = watch.look(looks % ALIVE === 0);
        for (const event of events) {
          controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`));
        }
        if (events.length === 0 && looks % QUIET === 0) controller.enqueue(encoder.encode(": here\n\n"));
        looks++;
      };
      controller.enqueue(encoder.encode("retry: 1000\n\n"));
      look();
      timer = setInterval(look, LOOK);
    },
    cancel() {
      clearInterval(timer);
    },
  });
}

/** No version of the records. */
const NEVER = -2;

/** What one page has been told. */
class Watch {
  #version = -1;
  #told = new Map<string, string>();
  #position = -1;
  #logged = -1;
  #faulty = false;
  readonly #run: string | null;
  readonly #node: string | null;

  constructor(readonly store: Store, readonly live: LiveRecords, query: URLSearchParams) {
    this.#run = query.get("run");
    this.#node = query.get("log");
  }

  look(alive: boolean): LiveEvent[] {
    try {
      const records = this.live.get();
      const version = records.version();
      if (this.#faulty) {
        // Other records may have the same version: what was told is told again.
        this.#faulty = false;
        this.#version = NEVER;
        this.#told.clear();
      }
      const events: LiveEvent[] = [];
      if (version !== this.#version || alive) {
        const first = this.#version === -1;
        const changed = version !== this.#version;
        this.#version = version;
        if (this.#run === null) events.push(...changed && !first ? [{ type: "runs" } as const] : []);
        else events.push(...this.#changes(records, this.#run, changed));
      }
      if (this.#run !== null && this.#node !== null) {
        events.push(...this.#log(records, this.#run, this.#node));
      }
      return events;
    } catch (error) {
      this.#faulty = true;
      return this.#new({ type: "fault", message: messageOf(error) });
    }
  }

  #changes(records: Records, id: string, changed: boolean): LiveEvent[] {
    const run = resolveRun(records, id);
    const events: LiveEvent[] = [];
    const status = liveStatus(this.store, run);
    const nodes = records.nodeStatesByName(run.id).map(([name, state]) =>
      [name, liveNodeState(state, status)] satisfies [string, LiveNodeState]
    );
    events.push(...this.#new({ type: "state", status, nodes }));
    if (!changed) return events;
    events.push(...this.#new({ type: "progress", progress: records.progress(run.id) }));
    if (this.#position < 0) this.#position = records.lastMetricPosition();
    const { position, metrics } = records.metricsSince(run.id, this.#position);
    this.#position = position;
    if (metrics.length > 0) {
      events.push({ type: "metrics", metrics: metrics.map((m) => [m.node, m.name, m.step, m.value]) });
    }
    return events;
  }

  #log(records: Records, run: string, node: string): LiveEvent[] {
    const path = logPath(records, run, node);
    if (path === "") return [];
    if (this.#logged < 0) this.#logged = readLog(this.store, path, { before: Infinity }).size;
    let piece = readLog(this.store, path, { from: this.#logged });
    if (piece.size - this.#logged > BEHIND) piece = readLog(this.store, path, { before: Infinity });
    if (piece.to <= this.#logged) return [];
    this.#logged = piece.to;
    return [{ type: "log", piece }];
  }

  /** An event, unless the page was told exactly that before. */
  #new(event: LiveEvent): LiveEvent[] {
    const text = JSON.stringify(event);
    if (this.#told.get(event.type) === text) return [];
    this.#told.set(event.type, text);
    return [event];
  }
}
