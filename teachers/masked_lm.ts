/**
 * A masked language model: a transformer that predicts hidden tokens from both sides. Source: Devlin, Chang, Lee and
 * Toutanova, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding" (NAACL 2019), but with
 * pre-layer normalisation. It also learns to predict from the following tokens alone, so that the vectors of a suffix
 * are independent of what precedes it, as latent variable distillation requires.
 */
import {
  add,
  crossEntropy,
  gatherRows,
  gelu,
  input,
  matmul,
  mean,
  Program,
  reshape,
  type SymbolicTensor,
  TrainingStep,
} from "../kernels/autodiff/mod.ts";
import {
  checkSizes,
  encode,
  encoderPlans,
  linear,
  norm,
  NORMAL,
  type ParameterPlans,
  type Parameters,
  parameterTensors,
  type TransformerSizes,
} from "./transformer.ts";
import { ENCODER } from "./transformer_graph.ts";
import { RetortError } from "../foundation/errors.ts";

/** Sizes of a masked language model. */
export interface MaskedLmSizes extends TransformerSizes {
  /** Vocabulary size. The row after the last token is the mask token. */
  readonly tokens: number;
  /** Maximum number of positions. */
  readonly length: number;
}

/** Names of the tables of which a step needs only some rows. */
export const TOKEN_TABLE = "token/table", TOKEN_BIAS = "token/bias";

/** Parameters of a masked language model. @throws {RetortError} naming a size that makes no sense */
export function maskedLmPlans(sizes: MaskedLmSizes): ParameterPlans {
  checkSizes(sizes);
  const { width, tokens, length } = sizes;
  for (const [name, n, least] of [["tokens", tokens, 1], ["length", length, 2]] as const) {
    if (!(Number.isInteger(n) && n >= least)) {
      throw new RetortError(
        "teacher/options",
        `\`${name}\` of a masked language model is ${n}, expected a whole number from ${least}`,
      );
    }
  }
  return {
    [TOKEN_TABLE]: { shape: [tokens + 1, width], start: NORMAL },
    [TOKEN_BIAS]: { shape: [tokens], start: 0 },
    "position/table": { shape: [length, width], start: NORMAL },
    ...encoderPlans(sizes, ENCODER),
    "head/weight": { shape: [width, width], start: NORMAL },
    "head/bias": { shape: [width], start: 0 },
    "head/norm/scale": { shape: [width], start: 1 },
    "head/norm/shift": { shape: [width], start: 0 },
  };
}

/** Sizes of the graphs of a training step. */
export interface MaskedLmShape {
  /** Number of windows. */
  readonly batch: number;
  /** Total number of hidden tokens in all windows. */
  readonly hidden: number;
  /** Number of candidate tokens for predictions. */
  readonly candidates: number;
}

/**
 * Mean cross-entropy of the predictions, in nats. Besides the parameters it takes
 * - `tokenRows` `[batch * length, width]`: the table rows of the input tokens, a parameter, so that gradients are of these rows only;
 * - `candidateRows` `[candidates, width]` and `candidateBias` `[candidates]`, also parameters; `correction`
 *   `[candidates]`, which is added to the bias (see `Candidates`);
 * - `mask` `[batch, 1, length, length]`: added to the attention scores;
 * - `where` `[hidden]`: indices of hidden tokens, `window * length + position`; `targets` `[hidden]`: indices of the
 *   correct candidates.
 */
function lossOf(sizes: MaskedLmSizes, { batch, hidden, candidates }: MaskedLmShape): SymbolicTensor {
  const { width, length } = sizes;
  const {
    [TOKEN_TABLE]: _table,
    [TOKEN_BIAS]: _bias,
    ...whole
  } = maskedLmPlans(sizes);
  const parameters: Parameters = parameterTensors({
    ...whole,
    tokenRows: { shape: [batch * length, width], start: 0 },
    candidateRows: { shape: [candidates, width], start: 0 },
    candidateBias: { shape: [candidates], start: 0 },
  });
  const shown = add(
    reshape(parameters["tokenRows"]!, [batch, length, width]),
    parameters["position/table"]!,
  );
  const { out } = encode(shown, sizes, parameters, ENCODER, input("mask", [batch, 1, length, length]));
  const guessed = gatherRows(reshape(out, [batch * length, width]), input("where", [hidden], "int64"));
  const head = norm(gelu(linear(guessed, parameters, "head")), parameters, "head/norm");
  const bias = add(parameters["candidateBias"]!, input("correction", [candidates]));
  const logits = add(matmul(head, parameters["candidateRows"]!, { transB: true }), bias);
  return mean(crossEntropy(logits, input("targets", [hidden], "int64")));
}

/** A training step. */
export function maskedLmStep(sizes: MaskedLmSizes, shape: MaskedLmShape): Promise<TrainingStep> {
  return TrainingStep.compile(lossOf(sizes, shape));
}

/** The loss without gradients. */
export function maskedLmLoss(sizes: MaskedLmSizes, shape: MaskedLmShape): Promise<Program> {
  return Program.compile({ loss: lossOf(sizes, shape) });
}
