/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import { ask } from "./client.ts";
import { randomName } from "./hub.ts";

/** Identifies this page to the explorer: a new question cancels the page's earlier ones. */
const ASKER = randomName();

/** Debounce: milliseconds without a change before a question is asked. */
const PAUSE = 120;

/** An answer that follows the current question. */
export interface Following<T> {
  /** The last answer; stays until there is a newer one. */
  readonly value: T | undefined;
  readonly error: Error | undefined;
  /** True until the answer to the current question arrives. */
  readonly pending: boolean;
}

/**
 * Asks a model when the question has changed and then stayed the same for a moment. Cancels older questions of the same
 * `part` of the page about the same model.
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
