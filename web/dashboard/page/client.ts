/// <reference lib="dom" />
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LiveEvent } from "../live.ts";

/** An answer that the server could not give. */
export class ServerError extends Error {
  constructor(message: string, readonly hint: string | null) {
    super(message);
  }
}

/** Asks the server; addresses are relative, so the secret in the page's own goes along. */
export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, signal === undefined ? {} : { signal });
  if (response.ok) return await response.json();
  const text = await response.text();
  let told: { error?: string; hint?: string | null } = {};
  try {
    told = JSON.parse(text);
  } catch {
    told = { error: text };
  }
  throw new ServerError(told.error ?? `the server said ${response.status}`, told.hint ?? null);
}

/** What has been loaded, or why not. */
export interface Fetched<T> {
  readonly value: T | undefined;
  readonly error: Error | undefined;
  /** Loads again; what is shown stays until then. */
  readonly reload: () => void;
}

/** Loads an address, again when it changes; nothing before it is `ready`. */
export function useAsk<T>(path: string, ready = true): Fetched<T> {
  const [state, setState] = useState<{ path: string; value?: T; error?: Error }>({ path });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!ready) return;
    const stop = new AbortController();
    ask<T>(path, stop.signal).then(
      (value) => setState({ path, value }),
      (error) => {
        if (!stop.signal.aborted) {
          setState((before) => before.path === path ? { ...before, error } : { path, error });
        }
      },
    );
    return () => stop.abort();
  }, [path, round, ready]);
  const current = state.path === path ? state : { value: undefined, error: undefined };
  return {
    value: current.value,
    error: current.error,
    reload: () => setRound((n) => n + 1),
  };
}

/** Whether changes arrive: for the line at the top. */
export type Connection = "live" | "lost" | "resting";

/** What is loaded and kept up to date. */
export interface LiveLoaded<T> {
  readonly loaded: Fetched<T>;
  readonly connection: Connection;
}

/**
 * Loads an address when the stream of changes has opened, so that nothing falls between the two, and again when it
 * has been opened again. `onEvent` gets what the stream tells and a way to load again, used at most every `pause`
 * milliseconds.
 */
export function useLiveAsk<T>(
  path: string,
  query: string,
  pause: number,
  onEvent: (event: LiveEvent, again: () => void) => void,
  onOpen?: () => void,
): LiveLoaded<T> {
  const [ready, setReady] = useState(false);
  const loaded = useAsk<T>(path, ready);
  const again = useMemo(() => throttled(pause, loaded.reload), []);
  const begun = useRef(false);
  const connection = useEvents(query, (event) => onEvent(event, again), () => {
    onOpen?.();
    if (begun.current) again();
    begun.current = true;
    setReady(true);
  });
  return { loaded, connection };
}

/**
 * Listens to changes as long as the page is visible: a hidden page costs nothing, and loads anew when it is
 * shown again. `onOpen` is called after every (re)connection: what came before it is to be loaded then; also when
 * there is none at first, for what is loaded then says why.
 */
function useEvents(
  query: string,
  onEvent: (event: LiveEvent) => void,
  onOpen: () => void,
): Connection {
  const [connection, setConnection] = useState<Connection>("resting");
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let tried = false;
    const open = () => {
      clearTimeout(timer);
      source?.close();
      source = undefined;
      if (document.hidden) return setConnection("resting");
      source = new EventSource(`api/events?${query}`);
      source.onopen = () => {
        tried = true;
        setConnection("live");
        onOpen();
      };
      source.onmessage = (message) => onEvent(JSON.parse(message.data));
      source.onerror = () => {
        setConnection("lost");
        if (!tried) onOpen();
        tried = true;
        // A server that is started again answers what a browser takes for a final refusal at first.
        if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, 1500);
      };
    };
    open();
    document.addEventListener("visibilitychange", open);
    return () => {
      document.removeEventListener("visibilitychange", open);
      clearTimeout(timer);
      source?.close();
    };
  }, [query]);
  return connection;
}

/** Calls `action` at most every so many milliseconds, and once after the last call. */
export function throttled(milliseconds: number, action: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  return () => {
    if (timer !== undefined) return;
    const wait = Math.max(0, last + milliseconds - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      last = performance.now();
      action();
    }, wait);
  };
}
