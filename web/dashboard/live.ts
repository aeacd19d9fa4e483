import { messageOf, RetortError } from "../../foundation/errors.ts";
import { type LiveNodeState, liveNodeState, type LiveStatus, liveStatus } from "../../runner/liveness.ts";
import type { Records } from "../../runner/records/records.ts";
import type { ProgressRecord } from "../../runner/records/rows.ts";
import { resolveRun } from "../../runner/references.ts";
import type { Store } from "../../runner/store/store.ts";
import { type LogPiece, readLog } from "../view/log.ts";
import { logPath } from "./api.ts";
import { WrongQuestion } from "./wrong_question.ts";
import type { LiveRecords } from "./records.ts";

/** An event sent to a live page. */
export type LiveEvent =
  /** The list of runs changed. */
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

/** Milliseconds between polls of the records. The runner writes twice a second. */
const LOOK = 500;
/** Number of polls between keep-alive messages, and between checks that a run's process is alive. */
const QUIET = 20, ALIVE = 4;
/** If a page is further behind a log than this many bytes, it is sent only the end. */
const BEHIND = 256 << 10;

/** Limits: open streams, and watches per stream. */
const STREAMS = 64, WATCHES = 64;

/** One stream, with its watches by the names that the client gave them. */
interface Stream {
  readonly watches: Map<string, Watch>;
  send(watch: string, events: readonly LiveEvent[]): void;
}

/**
 * Streams changes as server-sent events, one stream per browser; each can watch many pages. A watch reports changes from
 * the moment it starts, and the page then loads the state up to that moment, so no change is missed. An event is
 * `[name of the watch, event]`.
 */
export class LiveStreams {
  readonly #streams = new Map<string, Stream>();

  constructor(readonly store: Store, readonly live: LiveRecords) {}

  /**
   * Opens a stream that watches nothing yet.
   * @param name a name chosen by the client, the same after a reconnection
   */
  open(name: string): ReadableStream<Uint8Array> {
    if (!/^[\w-]{1,64}$/.test(name)) {
      throw new WrongQuestion("page/argument", "a stream has a name of letters and digits");
    }
    if (this.#streams.size >= STREAMS && !this.#streams.has(name)) {
      throw new RetortError("page/limit", `${STREAMS} streams are open`, { hint: "Close some pages." });
    }
    const encoder = new TextEncoder();
    let timer: ReturnType<typeof setInterval> | undefined;
    let stream: Stream | undefined;
    return new ReadableStream({
      start: (controller) => {
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        const mine: Stream = stream = {
          watches: new Map(),
          send: (watch, events) => {
            for (const event of events) send(`data: ${JSON.stringify([watch, event])}\n\n`);
          },
        };
        this.#streams.set(name, mine);
        let looks = 0;
        send("retry: 1000\n\n");
        timer = setInterval(() => {
          // A slow reader gets the rest later: events contain all changes since the last one sent.
          if ((controller.desiredSize ?? 1) < -64) return;
          for (const [id, watch] of mine.watches) mine.send(id, watch.look(looks % ALIVE === 0));
          if (looks % QUIET === 0) send(": here\n\n");
          looks++;
        }, LOOK);
      },
      cancel: () => {
        clearInterval(timer);
        if (this.#streams.get(name) === stream) this.#streams.delete(name);
      },
    });
  }

  /**
   * Starts watching a run, a node's log, or the list of runs on an open stream.
   * @throws WrongQuestion when there is no such stream, or it watches too much
   */
  watch(query: URLSearchParams): void {
    const stream = this.#streams.get(query.get("stream") ?? "");
    if (stream === undefined) throw new WrongQuestion("page/not-found", "there is no such stream");
    const id = query.get("watch") ?? "";
    if (stream.watches.size >= WATCHES) {
      throw new WrongQuestion("page/limit", `a stream watches at most ${WATCHES} pages`);
    }
    const watch = new Watch(this.store, this.live, query);
    stream.watches.set(id, watch);
    stream.send(id, watch.look(true));
  }

  /** Stops watching something. */
  unwatch(query: URLSearchParams): void {
    this.#streams.get(query.get("stream") ?? "")?.watches.delete(query.get("watch") ?? "");
  }
}

/** Sentinel: no version of the records. */
const NEVER = -2;

/** State of a watch: what its page was last sent. */
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
        // Reopened records may have the same version, so everything is sent again.
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

  /** Returns the event unless the page was last sent exactly the same. */
  #new(event: LiveEvent): LiveEvent[] {
    const text = JSON.stringify(event);
    if (this.#told.get(event.type) === text) return [];
    this.#told.set(event.type, text);
    return [event];
  }
}
