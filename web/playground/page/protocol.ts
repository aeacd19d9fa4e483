import type { SentenceQuestion, TextAnswer } from "../../../browser/ask.ts";
import type { ContinuationQuestion, ControlAnswer } from "../../../browser/ask_control.ts";
import type { HoleAnswer, HoleQuestion } from "../../../browser/ask_image.ts";
import type { TabEngineChoice, TabEngineName } from "../../../browser/engine_names.ts";
import type { StateMeaning } from "../../../browser/states.ts";
import type { TextEpoch, TextFloors, TextTrainingOptions } from "../../../browser/train.ts";

/** A model that the page offers. */
export interface OfferedModel {
  /** In the address. */
  readonly name: string;
  /** Address of its file, relative to the page. */
  readonly file: string;
  /** What it is over. */
  readonly kind: "text" | "images";
  /** Its title. */
  readonly title: string;
  /** The name of the model that stands beside it, if one does. */
  readonly beside: string | null;
}

/** What the worker is asked. */
export interface WorkerCalls {
  /** Opens a model of texts from its address under a name; replaces one of this name from elsewhere, or on another engine. */
  open: { args: OpenArgs; value: OpenModel };
  /** Asks an open model about a sentence. */
  ask: { args: { name: string; question: SentenceQuestion }; value: Answered<TextAnswer> };
  /** Asks an open model how a text may go on under a constraint. */
  goOn: { args: { name: string; question: ContinuationQuestion }; value: Answered<ControlAnswer> };
  /** Says what the hidden states of an open model mean. */
  states: { args: { name: string }; value: readonly StateMeaning[] };
  /** Opens a model of images likewise. */
  openImages: { args: OpenArgs; value: OpenImages };
  /** Fills in the hole of one of its images. */
  fill: {
    args: { name: string; question: HoleQuestion & { readonly image: number } };
    value: Answered<HoleAnswer>;
  };
  /** Trains a model of a text; tells {@link TrainingNews} on the way, and gives the model's file. */
  train: {
    args: { text: string | Blob; title: string; options: TextTrainingOptions; engine: TabEngineChoice };
    value: Uint8Array<ArrayBuffer>;
  };
  /** Ends the training: what was reached is its model. Answered at once, whatever else waits. */
  stop: { args: Record<never, never>; value: null };
}

/** A model to be opened. */
export interface OpenArgs {
  readonly name: string;
  /** Its address. */
  readonly from: string;
  readonly engine: TabEngineChoice;
}

/** What is told of a training. */
export type TrainingNews =
  | {
    readonly kind: "ready";
    readonly tokens: { readonly train: number; readonly valid: number };
    readonly words: number;
    readonly floors: TextFloors;
  }
  | { readonly kind: "epoch"; readonly epoch: TextEpoch }
  | { readonly kind: "batch"; readonly done: number; readonly total: number };

/** A model that is open. */
export interface OpenModel {
  readonly title: string;
  readonly provenance: readonly (readonly [string, string])[];
  readonly examples: readonly string[];
  /** The most frequent of its longer words. */
  readonly common: readonly string[];
  /** Tokens of a window, words of the vocabulary, hidden states if it is a hidden Markov model. */
  readonly length: number;
  readonly words: number;
  readonly states: number | null;
  readonly engine: TabEngineName;
  readonly adapter: string;
}

/** A model of images that is open. */
export interface OpenImages {
  readonly title: string;
  readonly provenance: readonly (readonly [string, string])[];
  readonly height: number;
  readonly width: number;
  /** Number of images to begin with. */
  readonly count: number;
  readonly engine: TabEngineName;
}

/** An answer, and how long the model took. */
export interface Answered<T> {
  readonly answer: T;
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
