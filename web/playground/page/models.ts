/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { TabEngineChoice, TabEngineName } from "../../../browser/engine_names.ts";
import type { TabWorker } from "./client.ts";
import type { Answered, OfferedModel, OpenArgs, OpenImages, OpenModel } from "./protocol.ts";

/** A model on its way. */
export interface Opening<M = OpenModel> {
  readonly model: M | undefined;
  readonly error: Error | undefined;
  /** The share of the file that is here, if the host says how long it is. */
  readonly share: number | undefined;
}

/** Opens a model of texts in the worker; anew when the engine changes. */
export function useModel(
  worker: TabWorker,
  offered: OfferedModel | undefined,
  engine: TabEngineChoice,
): Opening {
  return useOpened<OpenModel>((...args) => worker.call("open", ...args), offered, engine);
}

/** Opens a model of images likewise. */
export function useImages(
  worker: TabWorker,
  offered: OfferedModel | undefined,
  engine: TabEngineChoice,
): Opening<OpenImages> {
  return useOpened<OpenImages>((...args) => worker.call("openImages", ...args), offered, engine);
}

function useOpened<M>(
  open: (args: OpenArgs, tell: (event: { done: number; total: number }) => void) => Promise<M>,
  offered: OfferedModel | undefined,
  engine: TabEngineChoice,
): Opening<M> {
  const [state, setState] = useState<Opening<M> & { of?: string }>({
    ...{ model: undefined, error: undefined, share: undefined },
  });
  const of = `${offered?.name} ${offered?.file} ${engine}`;
  useEffect(() => {
    if (offered === undefined) return;
    let gone = false;
    const set = (next: Opening<M>) => gone || setState({ ...next, of });
    const from = new URL(offered.file, document.baseURI).href;
    open(
      { name: offered.name, from, engine },
      ({ done, total }) =>
        set({ model: undefined, error: undefined, share: total > 0 ? done / total : undefined }),
    ).then(
      (model) => set({ model, error: undefined, share: 1 }),
      (error) => {
        set({ model: undefined, error, share: undefined });
        answered();
      },
    );
    return () => {
      gone = true;
    };
  }, [of]);
  return state.of === of ? state : { model: undefined, error: undefined, share: undefined };
}

/** An answer that follows the question. */
export interface FollowedAnswer<T> {
  /** The last answer; stays until there is a newer one. */
  readonly value: Answered<T> | undefined;
  readonly error: Error | undefined;
  /** Whether a newer one is on its way. */
  readonly pending: boolean;
}

const { promise, resolve: answered } = Promise.withResolvers<void>();

/** Resolves with the first answer, or where there can be none: what nobody waits for begins then. */
export const firstAnswer: Promise<void> = promise;

/** Milliseconds without a change before a question is asked. */
const PAUSE = 80;

/** Asks an open model again whenever the question, told apart by `key`, has changed; nothing while `ask` is undefined. */
export function useTabAnswer<T>(
  key: string,
  ask: (() => Promise<Answered<T>>) | undefined,
): FollowedAnswer<T> {
  const [state, setState] = useState<{ key: string; value?: Answered<T>; error?: Error }>({ key: "" });
  const ready = ask !== undefined;
  useEffect(() => {
    if (ask === undefined) return;
    let gone = false;
    const timer = setTimeout(() =>
      ask().then(
        (value) => gone || setState({ key, value }),
        (error) => gone || setState((before) => ({ ...before, key, error })),
      ).then(() => answered()), state.key === "" ? 0 : PAUSE);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [key, ready]);
  return { value: state.value, error: state.error, pending: state.key !== key };
}

/** How an answer was computed, in words. */
export function computedBy(milliseconds: number, engine: TabEngineName): string {
  return `${Math.max(1, Math.round(milliseconds))} ms, ${ENGINES[engine]}`;
}

const ENGINES = { webgpu: "on the GPU", wasm: "by WebAssembly", reference: "by JavaScript" } as const;

/** How far a model that is being opened is, in words; empty where that failed. */
export function loadingText({ error, share }: Opening<unknown>): string {
  if (error !== undefined) return "";
  // The file is here: what computes is compiled.
  if (share === 1) return "making it ready …";
  return `loading${share === undefined ? "" : ` ${Math.round(100 * share)} %`} …`;
}
