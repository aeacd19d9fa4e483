/// <reference lib="dom" />
import type { LiveEvent } from "../live.ts";

/** Whether changes arrive: for the line at the top. */
export type Connection = "live" | "lost" | "resting";

/** Who watches something. */
export interface Watcher {
  /** Watching begins, at first and after every reconnection: what came before is to be loaded now. */
  onOpen(): void;
  onEvent(event: LiveEvent): void;
  onConnection(connection: Connection): void;
}

/** Milliseconds until what a browser takes for a final refusal is tried again: a server that starts gives one at first. */
const AGAIN = 1500;

/** One stream of changes for everything that is watched: a browser has six connections to a server. */
export class Hub {
  readonly #watches = new Map<
    string,
    { readonly query: string; readonly watcher: Watcher; opened: boolean }
  >();
  #stream = "";
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Watches `query` under a name of its own. */
  watch(id: string, query: string, watcher: Watcher): void {
    this.#watches.set(id, { query, watcher, opened: false });
    if (this.#source === undefined) this.#open();
    else if (this.#source.readyState === EventSource.OPEN) this.#begin(id);
  }

  /** Watches something no longer; without watches there is no stream. */
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
      this.#lose(one); // The stream's end tells the rest.
    }
  }

  /** Also who has never been told that it is open loads: what it gets then says why. */
  #lose(one: { readonly watcher: Watcher; opened: boolean }): void {
    one.watcher.onConnection("lost");
    if (!one.opened) one.watcher.onOpen();
    one.opened = true;
  }
}

/** A name that nobody else has; pages by plain HTTP from elsewhere have no `crypto.randomUUID`. */
export function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
}
