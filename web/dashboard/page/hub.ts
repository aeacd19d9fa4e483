/// <reference lib="dom" />
import type { LiveEvent } from "../live.ts";

/** State of the event stream, shown at the top of the page. */
export type Connection = "live" | "lost" | "resting";

/** Callbacks of a watch. */
export interface Watcher {
  /** The watch has started, at first or after a reconnection: earlier changes should be loaded now. */
  onOpen(): void;
  onEvent(event: LiveEvent): void;
  onConnection(connection: Connection): void;
}

/**
 * Milliseconds before retrying after an error that browsers do not retry themselves, such as one from a server that is
 * still starting.
 */
const AGAIN = 1500;

/** One event stream for all watches, because browsers allow only six connections to a server. */
export class Hub {
  readonly #watches = new Map<
    string,
    { readonly query: string; readonly watcher: Watcher; opened: boolean }
  >();
  #stream = "";
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Watches `query` under a unique name. */
  watch(id: string, query: string, watcher: Watcher): void {
    this.#watches.set(id, { query, watcher, opened: false });
    if (this.#source === undefined) this.#open();
    else if (this.#source.readyState === EventSource.OPEN) this.#begin(id);
  }

  /** Stops a watch; the stream is closed when no watches are left. */
  stop(id: string): void {
    if (!this.#watches.delete(id)) return;
    if (this.#watches.size === 0) {
      clearTimeout(this.#timer);
      this.#source?.close();
      this.#source = undefined;
    } else if (this.#source?.readyState === EventSource.OPEN) {
      fetch(`api/unwatch?${new URLSearchParams({ stream: this.#stream, watch: id })}`).catch(() => {});
    }
  }

  #open(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#stream = randomName();
    const source = this.#source = new EventSource(`api/events?stream=${this.#stream}`);
    source.onopen = () => {
      for (const id of this.#watches.keys()) this.#begin(id);
    };
    source.onmessage = (message) => {
      const [id, event] = JSON.parse(message.data) as [string, LiveEvent];
      this.#watches.get(id)?.watcher.onEvent(event);
    };
    source.onerror = () => {
      for (const one of this.#watches.values()) this.#lose(one);
      if (source.readyState === EventSource.CLOSED) this.#timer = setTimeout(() => this.#open(), AGAIN);
    };
  }

  async #begin(id: string): Promise<void> {
    const one = this.#watches.get(id)!;
    try {
      const asked = new URLSearchParams({ stream: this.#stream, watch: id });
      const response = await fetch(`api/watch?${asked}&${one.query}`);
      if (!response.ok) throw new Error(await response.text());
      if (this.#watches.get(id) !== one) return;
      one.opened = true;
      one.watcher.onConnection("live");
      one.watcher.onOpen();
    } catch {
      this.#lose(one); // The end of the stream reports the rest.
    }
  }

  /** Watchers that were never opened load as well: the response then shows the error. */
  #lose(one: { readonly watcher: Watcher; opened: boolean }): void {
    one.watcher.onConnection("lost");
    if (!one.opened) one.watcher.onOpen();
    one.opened = true;
  }
}

/** A unique name. `crypto.randomUUID` is missing on pages from other machines over plain HTTP. */
export function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
}
