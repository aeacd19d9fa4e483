/**
 * The files in which Ctrl-G and its successors publish hidden Markov models: safetensors with `alpha_exp` `[states, states]`,
 * the transitions, `beta` `[states, tokens]` and `gamma` `[states]`, logarithms of emissions and initial states.
 * Source: https://github.com/joshuacnf/Ctrl-G
 */
import { decodeSafetensors, encodeSafetensors, type Tensor } from "../../circuits/safetensors.ts";
import { RetortError } from "../../foundation/errors.ts";
import { refuseArgument, requireHmm } from "../guards.ts";
import { type Reals, type TokenHmm, tokenHmm } from "./token_hmm.ts";

/** Name of the digest of the vocabulary in the file's metadata. */
const DIGEST = "vocabulary";

/**
 * Reads a published model.
 *
 * @param where how messages name the file
 * @throws {RetortError} when it is none, or its rows are no distributions
 */
export function decodeHmmFile(bytes: Uint8Array, where = "the HMM file"): TokenHmm {
  if (!(bytes instanceof Uint8Array)) refuseArgument("the bytes of an HMM file", bytes, "a Uint8Array");
  if (typeof where !== "string") refuseArgument("what names the file", where, "a text");
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  const [transition, emission, initial] = ["alpha_exp", "beta", "gamma"].map((name) => {
    const tensor = tensors.get(name);
    if (tensor?.values instanceof Float32Array || tensor?.values instanceof Float64Array) return tensor;
    throw new RetortError(
      "control/hmm",
      `${where} has ${
        [...tensors.keys()].map((key) => `\`${key}\``).join(", ")
      }, expected \`alpha_exp\`, \`beta\` and \`gamma\` of floats`,
    );
  }) as [Tensor, Tensor, Tensor];
  const states = transition.shape[0]!;
  if (transition.shape.join() !== [states, states].join() || emission.shape[0] !== states) {
    throw new RetortError(
      "control/hmm",
      `${where} has \`alpha_exp\` of the shape [${transition.shape.join(", ")}] and \`beta\` of [${
        emission.shape.join(", ")
      }], ` +
        "expected [states, states] and [states, tokens]",
    );
  }
  const start = exponentials(initial.values as Reals);
  // Who reads these files takes the softmax of the initial states.
  let total = 0;
  for (const x of start) total += x;
  return tokenHmm({
    initial: start.map((x) => x / total) as Reals,
    transition: transition.values as Reals,
    emission: exponentials(emission.values as Reals),
  }, metadata[DIGEST]);
}

/** Writes a model in single precision. @throws {CallError} for anything else */
export function encodeHmmFile(hmm: TokenHmm): Uint8Array<ArrayBuffer> {
  requireHmm(hmm);
  const { states, tokens, initial, transition } = hmm;
  const beta = new Float32Array(states * tokens);
  for (let token = 0; token < tokens; token++) {
    const row = hmm.emission.row(token);
    for (let z = 0; z < states; z++) beta[z * tokens + token] = logOf(row[z]!);
  }
  const tensors = new Map<string, Tensor>([
    ["alpha_exp", { shape: [states, states], values: Float32Array.from(transition) }],
    ["beta", { shape: [states, tokens], values: beta }],
    ["gamma", { shape: [states], values: Float32Array.from(initial, logOf) }],
  ]);
  return encodeSafetensors(tensors, hmm.vocabulary === undefined ? {} : { [DIGEST]: hmm.vocabulary });
}

/** The logarithm as these files hold it: finite, also of 0. */
function logOf(x: number): number {
  return x > 0 ? Math.log(x) : -1e10;
}

function exponentials(values: Reals): Reals {
  return values.map((x) => Math.exp(x)) as Reals;
}
