/// <reference lib="dom" />
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LiveEvent } from "../live.ts";
import type { Connection } from "./hub.ts";
import { takeAhead } from "./ahead.ts";
import { watchChanges } from "./shared.ts";

export type { Connection } from "./hub.ts";

/** An error response of the server. */
export class ServerError extends Error {
  constructor(message: string, readonly hint: string | null, readonly code?: string) {
    super(message);
  }
}

/** Requests JSON from the server. Paths are relative, so they include the secret in the page's own address. */
export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const early = takeAhead(path);
  return await answered(() => early ?? fetch(path, signal === undefined ? {} : { signal }), signal);
}

/** Requests a change from the server. */
export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  return await answered(() => fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

async function answered<T>(fetching: () => Promise<Response>, signal?: AbortSignal): Promise<T> {
  const response = await reached(fetching, signal);
  if (response.ok) return await response.json();
  const text = await response.text();
  let told: { code?: string; error?: string; hint?: string | null } = {};
  try {
    told = JSON.parse(text);
  } catch {
    told = { error: text };
  }
  throw new ServerError(told.error ?? `the server said ${response.status}`, told.hint ?? null, told.code);
}

/** Performs a request with readable errors: browsers report every connection failure as "Failed to fetch" or the like. */
export async function reached<T>(fetching: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await fetching();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServerError(
      "the dashboard does not answer",
      "It may have been ended, or the way to its machine is cut: start it again with `deno task dashboard`.",
    );
  }
}

/** Loaded data, or the error. */
export interface Fetched<T> {
  readonly value: T | undefined;
  readonly error: Error | undefined;
  /** Reloads; the current data stays visible meanwhile. */
  readonly reload: () => void;
}

/** Loads a path, again whenever it changes. */
export function useAsk<T>(path: string): Fetched<T> {
  const [state, setState] = useState<{ path: string; value?: T; error?: Error }>({ path });
  const [round, setRound] = useState(0);
  // Before the browser paints: effects come a frame later.
  useLayoutEffect(() => {
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
  }, [path, round]);
  const current = state.path === path ? state : { value: undefined, error: undefined };
  return {
    value: current.value,
    error: current.error,
    reload: () => setRound((n) => n + 1),
  };
}

/** Loaded data that is kept up to date. */
export interface LiveLoaded<T> {
  readonly loaded: Fetched<T>;
  readonly connection: Connection;
}

/**
 * Loads a path at once, and again when the event stream is open, at first and after every reconnection, so that no change is
 * missed. `onEvent` gets the events and a function that reloads, at most every `pause` milliseconds; `ended` says of loaded
 * data that it changes no more.
 */
export function useLiveAsk<T>(
  path: string,
  query: string,
  pause: number,
  onEvent: (event: LiveEvent, again: () => void) => void,
  { onOpen, ended }: { onOpen?: () => void; ended?: (value: T) => boolean } = {},
): LiveLoaded<T> {
  const loaded = useAsk<T>(path);
  const again = useMemo(() => throttled(pause, loaded.reload), []);
  const [opened, setOpened] = useState(0);
  const caughtUp = useRef(0);
  const connection = useEvents(query, (event) => onEvent(event, again), () => {
    onOpen?.();
    setOpened((times) => times + 1);
  });
  const { value, error } = loaded;
  const answered = value !== undefined || error !== undefined;
  useEffect(() => {
    // An answer that is under way is waited for: asking again would throw it away.
    if (!answered || caughtUp.current === opened) return;
    caughtUp.current = opened;
    if (value === undefined || ended?.(value) !== true) again();
  }, [opened, answered]);
  return { loaded, connection };
}

/**
 * Listens to events while the page is visible: a hidden page costs nothing and reloads when it is shown again. `onOpen`
 * is called after every (re)connection, so that earlier changes can be loaded, and also if the first connection fails,
 * because loading then shows the error.
 */
function useEvents(
  query: string,
  onEvent: (event: LiveEvent) => void,
  onOpen: () => void,
): Connection {
  const [connection, setConnection] = useState<Connection>("resting");
  const handlers = useRef({ onEvent, onOpen });
  handlers.current = { onEvent, onOpen };
  useEffect(() => {
    let stop: (() => void) | undefined;
    const open = () => {
      stop?.();
      stop = undefined;
      if (document.hidden) return setConnection("resting");
      stop = watchChanges(query, {
        onOpen: () => handlers.current.onOpen(),
        onEvent: (event) => handlers.current.onEvent(event),
        onConnection: setConnection,
      });
    };
    open();
    document.addEventListener("visibilitychange", open);
    return () => {
      document.removeEventListener("visibilitychange", open);
      stop?.();
    };
  }, [query]);
  return connection;
}

/** Calls `action` at most once per `milliseconds`, and once after the last call. */
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
