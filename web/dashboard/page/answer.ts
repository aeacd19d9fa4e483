/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import { ask } from "./client.ts";
import { randomName } from "./hub.ts";

/** Tells this page from others that ask: what it asked before is given up when it asks again. */
const ASKER = randomName();

/** Milliseconds without a change after which a question is asked. */
const PAUSE = 120;

/** An answer that follows what is asked. */
export interface Following<T> {
  /** The last answer; stays until there is a newer one. */
  readonly value: T | undefined;
  readonly error: Error | undefined;
  /** True while the answer to what is asked now has not come. */
  readonly pending: boolean;
}

/**
 * Asks a model whenever the question has changed and then stayed for a moment; older questions of the same `part` of the
 * page about the same model are given up.
 */
export function useAnswer<T>(
  digest: string,
  question: Readonly<Record<string, string>>,
  part = "",
): Following<T> {
  const path = `api/ask?${new URLSearchParams({ digest, asker: `${ASKER}${part}${digest}`, ...question })}`;
  const [state, setState] = useState<{ path: string; value?: T; error?: Error }>({ path: "" });
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const value = await ask<T>(path, stop.signal);
        setState({ path, value });
      } catch (error) {
        if (!stop.signal.aborted) setState((before) => ({ ...before, path, error: error as Error }));
      }
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [path]);
  return { value: state.value, error: state.error, pending: state.path !== path };
}
