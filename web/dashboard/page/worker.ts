/// <reference lib="dom" />
/**
 * The worker shared by all pages of a browser: it holds the only event stream and forwards to each page what it watches.
 */
import { Hub } from "./hub.ts";
import type { FromPage, ToPage } from "./shared.ts";

/** Milliseconds of silence after which a page is considered closed; watching pages send keep-alive messages. */
const SILENT = 75_000;

const hub = new Hub();

/** The part of the worker's global scope used here. */
interface Scope {
  onconnect: (event: MessageEvent) => void;
}

(globalThis as unknown as Scope).onconnect = (event) => {
  const port = event.ports[0]!;
  const watched = new Set<string>();
  let gone: ReturnType<typeof setTimeout> | undefined;
  const leave = () => {
    for (const id of watched) hub.stop(id);
    watched.clear();
  };
  const tell = (message: ToPage) => port.postMessage(message);
  port.onmessage = ({ data }: MessageEvent<FromPage>) => {
    clearTimeout(gone);
    gone = setTimeout(leave, SILENT);
    if (data.type === "stop") {
      watched.delete(data.id);
      hub.stop(data.id);
    } else if (data.type === "watch") {
      const { id } = data;
      watched.add(id);
      hub.watch(id, data.query, {
        onOpen: () => tell({ type: "open", id }),
        onEvent: (event) => tell({ type: "event", id, event }),
        onConnection: (connection) => tell({ type: "connection", id, connection }),
      });
    }
  };
};
