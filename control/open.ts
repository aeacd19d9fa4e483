import type { Circuit } from "../circuits/circuit.ts";
import { pieceTokenizer } from "../datasets/text/pieces.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { resolveEngine } from "../foundation/engine_choice.ts";
import { CallError, RetortError, textOf } from "../foundation/errors.ts";
import { Control } from "./control.ts";
import { vocabularyDigest } from "./digest.ts";
import {
  isRecord,
  refuseArgument,
  requireHmm,
  requireInteger,
  requireOptions,
  requireVocabulary,
} from "./guards.ts";
import { onnxProducts } from "./hmm/onnx_products.ts";
import { plainProducts, type TransitionProducts, untilDisposed } from "./hmm/products.ts";
import { hmmOfCircuit, type TokenHmm } from "./hmm/token_hmm.ts";
import { webgpuProducts } from "./hmm/webgpu_products.ts";

/** Options of {@link openControl}. */
export interface ControlOptions {
  /**
   * What multiplies with the transitions: typed arrays (`plain`), ONNX Runtime (`onnx`) or a device of WebGPU (`webgpu`).
   * By default, for models in single precision, ONNX Runtime from 256 states on, and from 2,048 on WebGPU where an adapter
   * computes on hardware.
   */
  readonly engine?: "plain" | "onnx" | "webgpu";
  /** Part of the name of WebGPU's adapter. */
  readonly adapter?: string;
  /** Threads of ONNX Runtime; one per core by default. */
  readonly threads?: number;
}

const OPTIONS: Readonly<Record<keyof ControlOptions, true>> = { engine: true, adapter: true, threads: true };

/**
 * Opens a hidden Markov model as the control of a language model.
 *
 * @param vocabulary the language model's: a vocabulary, or the text of its `tokenizer.json`
 * @throws {RetortError} when the model is of another vocabulary
 */
export async function openControl(
  model: TokenHmm | Circuit,
  vocabulary: Vocabulary | string,
  options: ControlOptions = {},
): Promise<Control> {
  const hmm = isRecord(model) && "nodes" in model ? hmmOfCircuit(model as Circuit) : model as TokenHmm;
  requireHmm(hmm);
  const own = typeof vocabulary === "string" ? pieceTokenizer(vocabulary).vocabulary : vocabulary;
  requireVocabulary(own);
  requireOptions("the options of `openControl`", options, OPTIONS);
  const { adapter, threads } = options;
  if (adapter !== undefined && typeof adapter !== "string") refuseArgument("`adapter`", adapter, "a text");
  if (threads !== undefined) requireInteger("`threads`", threads, 1);
  if (hmm.tokens !== own.words.length) {
    throw new RetortError(
      "control/vocabulary",
      `the HMM has ${hmm.tokens} tokens, the vocabulary ${own.words.length}`,
      { hint: "Distil the HMM from texts of this language model, in its own pieces." },
    );
  }
  const digest = vocabularyDigest(own);
  if (hmm.vocabulary !== undefined && hmm.vocabulary !== digest) {
    throw new RetortError(
      "control/vocabulary",
      `the HMM is of the vocabulary ${hmm.vocabulary.slice(0, 12)}, the language model has ${
        digest.slice(0, 12)
      }`,
      { hint: "Distil the HMM from texts of this language model, in its own pieces." },
    );
  }
  return new Control(hmm, own, untilDisposed(await productsOf(hmm, options)));
}

/** States from which on a device is worth its calls. */
const MANY_STATES = 2048;

async function productsOf(
  hmm: TokenHmm,
  { engine, threads, adapter }: ControlOptions,
): Promise<TransitionProducts> {
  const isSingle = hmm.transition instanceof Float32Array;
  const chosen = engine ??
    (adapter !== undefined ||
        isSingle && hmm.states >= MANY_STATES && await resolveEngine("auto") === "webgpu"
      ? "webgpu"
      : isSingle && hmm.states >= 256
      ? "onnx"
      : "plain");
  switch (chosen) {
    case "plain":
      return plainProducts(hmm);
    case "onnx":
      return await onnxProducts(hmm, threads);
    case "webgpu":
      return await webgpuProducts(hmm, adapter === undefined ? {} : { adapter });
    default:
      throw new CallError(
        "control/argument",
        `the engine is ${textOf(chosen)}, expected plain, onnx or webgpu`,
      );
  }
}
