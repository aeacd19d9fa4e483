import type { SentenceQuestion, TextAnswer } from "../../../browser/ask.ts";
import type { TabEngineChoice, TabEngineName } from "../../../browser/engine.ts";

/** A model that the page offers. */
export interface OfferedModel {
  /** In the address. */
  readonly name: string;
  /** Address of its file, relative to the page. */
  readonly file: string;
  /** Its title. */
  readonly title: string;
  /** The name of the model that stands beside it, if one does. */
  readonly beside: string | null;
}

/** What the worker is asked. */
export interface WorkerCalls {
  /** Opens a model, from its address or from its bytes, under a name; replaces an earlier one of this name. */
  open: {
    args: { name: string; from: string | Uint8Array | Blob; engine: TabEngineChoice };
    value: OpenModel;
  };
  /** Asks an open model about a sentence. */
  ask: { args: { name: string; question: SentenceQuestion }; value: Answered };
}

/** A model that is open. */
export interface OpenModel {
  readonly title: string;
  readonly provenance: readonly (readonly [string, string])[];
  readonly examples: readonly string[];
  /** Tokens of a window, words of the vocabulary, hidden states if it is a hidden Markov model. */
  readonly length: number;
  readonly words: number;
  readonly states: number | null;
  readonly engine: TabEngineName;
  readonly adapter: string;
}

/** An answer, and how long the model took. */
export interface Answered {
  readonly answer: TextAnswer;
  readonly milliseconds: number;
}

/** A name of {@link WorkerCalls}. */
export type WorkerCall = keyof WorkerCalls;

/** A request to the worker. */
export type WorkerRequest = {
  [N in WorkerCall]: { readonly id: number; readonly call: N; readonly args: WorkerCalls[N]["args"] };
}[WorkerCall];

/** What comes back: a value, or what went wrong; before it, how far it is. */
export type WorkerReply =
  & { readonly id: number }
  & (
    | { readonly value: unknown }
    | { readonly failed: { readonly message: string; readonly hint: string | null } }
    | { readonly event: unknown }
  );
