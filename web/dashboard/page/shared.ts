/// <reference lib="dom" />
import type { LiveEvent } from "../live.ts";
import { type Connection, Hub, randomName, type Watcher } from "./hub.ts";

/** A message from a page to the shared worker. */
export type FromPage =
  | { readonly type: "watch"; readonly id: string; readonly query: string }
  | { readonly type: "stop"; readonly id: string }
  | { readonly type: "here" };

/** A message from the worker to a page. */
export type ToPage =
  & { readonly id: string }
  & (
    | { readonly type: "open" }
    | { readonly type: "event"; readonly event: LiveEvent }
    | { readonly type: "connection"; readonly connection: Connection }
  );

/** Milliseconds between keep-alive messages of a watching page. */
const HERE = 20_000;

/** Watches `query` until the returned function is called: through the shared worker, or directly if there is none. */
export function watchChanges(query: string, watcher: Watcher): () => void {
  const id = randomName();
  const port = sharedPort();
  if (port === undefined) {
    alone ??= new Hub();
    alone.watch(id, query, watcher);
    return () => alone!.stop(id);
  }
  const tell = (message: FromPage) => port.postMessage(message);
  const onMessage = ({ data }: MessageEvent<ToPage>) => {
    if (data.id !== id) return;
    if (data.type === "open") watcher.onOpen();
    else if (data.type === "event") watcher.onEvent(data.event);
    else watcher.onConnection(data.connection);
  };
  port.addEventListener("message", onMessage);
  tell({ type: "watch", id, query });
  const here = setInterval(() => tell({ type: "here" }), HERE);
  const stop = () => {
    clearInterval(here);
    removeEventListener("pagehide", stop);
    port.removeEventListener("message", onMessage);
    tell({ type: "stop", id });
  };
  addEventListener("pagehide", stop);
  return stop;
}

let alone: Hub | undefined;
let shared: MessagePort | undefined;

function sharedPort(): MessagePort | undefined {
  if (shared === undefined && "SharedWorker" in globalThis) {
    shared = new SharedWorker(document.documentElement.dataset.worker!, { type: "module" }).port;
    shared.start();
  }
  return shared;
}
