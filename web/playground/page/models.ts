/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { TabEngineChoice } from "../../../browser/engine_names.ts";
import type { SentenceQuestion } from "../../../browser/ask.ts";
import type { TabWorker } from "./client.ts";
import type { Answered, OfferedModel, OpenModel } from "./protocol.ts";

/** A model on its way. */
export interface Opening {
  readonly model: OpenModel | undefined;
  readonly error: Error | undefined;
  /** The share of the file that is here, if the host says how long it is. */
  readonly share: number | undefined;
}

/** Opens a model in the worker; anew when the engine changes. */
export function useModel(
  worker: TabWorker,
  offered: OfferedModel | undefined,
  engine: TabEngineChoice,
): Opening {
  const [state, setState] = useState<Opening & { of?: string }>({
    ...{ model: undefined, error: undefined, share: undefined },
  });
  const of = `${offered?.name} ${offered?.file} ${engine}`;
  useEffect(() => {
    if (offered === undefined) return;
    let gone = false;
    const set = (next: Opening) => gone || setState({ ...next, of });
    const from = new URL(offered.file, document.baseURI).href;
    worker.call(
      "open",
      { name: offered.name, from, engine },
      ({ done, total }: { done: number; total: number }) =>
        set({ model: undefined, error: undefined, share: total > 0 ? done / total : undefined }),
    ).then(
      (model) => set({ model, error: undefined, share: 1 }),
      (error) => set({ model: undefined, error, share: undefined }),
    );
    return () => {
      gone = true;
    };
  }, [of]);
  return state.of === of ? state : { model: undefined, error: undefined, share: undefined };
}

/** An answer that follows the question. */
export interface FollowedAnswer {
  /** The last answer; stays until there is a newer one. */
  readonly value: Answered | undefined;
  readonly error: Error | undefined;
  /** Whether a newer one is on its way. */
  readonly pending: boolean;
}

/** Milliseconds without a change before a question is asked. */
const PAUSE = 80;

/** Asks an open model again whenever the question has changed. */
export function useTabAnswer(
  worker: TabWorker,
  name: string | undefined,
  model: OpenModel | undefined,
  question: SentenceQuestion,
): FollowedAnswer {
  const key = JSON.stringify([name, model?.engine, question]);
  const [state, setState] = useState<{ key: string; value?: Answered; error?: Error }>({ key: "" });
  useEffect(() => {
    if (name === undefined || model === undefined) return;
    let gone = false;
    const timer = setTimeout(() =>
      worker.call("ask", { name, question }).then(
        (value) => gone || setState({ key, value }),
        (error) => gone || setState((before) => ({ ...before, key, error })),
      ), state.key === "" ? 0 : PAUSE);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [key, model]);
  return { value: state.value, error: state.error, pending: state.key !== key };
}
