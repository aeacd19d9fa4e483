import { type PieceTokenizer, pieceTokenizer } from "../datasets/text/pieces.ts";
import { RetortError } from "../foundation/errors.ts";
import { type OnnxPort, openSession } from "../kernels/onnx/session.ts";
import type { TeacherConfig } from "./config.ts";

/** What the files of a teacher do not say, or say wrongly. */
export interface DescribeOptions {
  /** What it is, for people. */
  readonly name: string;
  /** Whether a piece sees only itself and those before it. */
  readonly causal: boolean;
  /** Pieces that it takes at a time. */
  readonly longest: number;
  /** The output with the vectors of tokens, where there are several: another layer, for example. */
  readonly output?: string;
}

/** Names that exporters give to the output with the vectors of tokens, the likeliest first. */
const USUAL = ["last_hidden_state", "token_embeddings", "hidden_states"];

/**
 * Describes a transformer in ONNX by its graph and its tokenizer: the exports of Hugging Face's tools and those that
 * look like them (`input_ids`, `attention_mask`, …, vectors `[batch, tokens, width]`).
 *
 * @param model the bytes of an `.onnx` file.
 * @param tokenizer the text of a `tokenizer.json`.
 * @throws RetortError naming what the graph lacks and what it has.
 */
export async function describeTeacher(
  model: Uint8Array,
  tokenizer: string,
  options: DescribeOptions,
): Promise<TeacherConfig> {
  const session = await openSession(model, { threads: 1 });
  const { inputs, outputs } = session;
  await session.release();
  const pieces = pieceTokenizer(tokenizer);
  const output = chooseOutput(outputs, options);
  const around = specialPieces(pieces);
  const word = pieces.encode("something");
  return {
    name: options.name,
    width: output.shape[2] as number,
    longest: options.longest,
    causal: options.causal,
    inputs: describeInputs(inputs, options.name),
    output: output.name,
    ...(options.causal && outputs.some((port) => port.name === "logits" && port.type === "float32") &&
      { logits: "logits" }),
    ...around,
    unknown: pieces.vocabulary.unknown === null ? word : [pieces.vocabulary.unknown],
    end: around.after.length > 0
      ? around.after.slice(-1)
      : pieces.vocabulary.end === null
      ? pieces.encode(".")
      : [pieces.vocabulary.end],
    padding: pieces.id("[PAD]") ?? pieces.id("<pad>") ?? 0,
  };
}

function chooseOutput(outputs: readonly OnnxPort[], { name, output }: DescribeOptions): OnnxPort {
  const fit = outputs.filter(({ type, shape }) =>
    type === "float32" && shape.length === 3 && typeof shape[2] === "number"
  );
  const listed = outputs.map((port) => `${port.name} ${port.type} [${port.shape.join(", ")}]`).join("; ");
  if (output !== undefined) {
    const found = fit.find((port) => port.name === output);
    if (found !== undefined) return found;
    throw new RetortError(`${name} has no output \`${output}\` with vectors of tokens; it has ${listed}`);
  }
  const usual = USUAL.map((usual) => fit.find((port) => port.name === usual)).find((port) =>
    port !== undefined
  );
  const found = usual ?? (fit.length === 1 ? fit[0] : undefined);
  if (found !== undefined) return found;
  throw new RetortError(
    `${name} has ${fit.length === 0 ? "no output" : "several outputs"} with vectors of tokens: ${listed}`,
    {
      hint: fit.length === 0
        ? "Export it with its hidden states: single precision, [batch, tokens, width]."
        : `Choose one: \`output: "${fit[0]!.name}"\`.`,
    },
  );
}

function describeInputs(inputs: readonly OnnxPort[], name: string): TeacherConfig["inputs"] {
  const known = {
    ids: "input_ids",
    mask: "attention_mask",
    types: "token_type_ids",
    positions: "position_ids",
  };
  const has = (port: string) => inputs.some((input) => input.name === port && input.type === "int64");
  const past = inputs.filter((input) => input.name.startsWith("past_key_values")).map((input) => ({
    name: input.name,
    heads: Number(input.shape[1]),
    size: Number(input.shape[3]),
  }));
  const strange = inputs.filter((input) =>
    !(Object.values(known).includes(input.name) && has(input.name)) &&
    !past.some((cache) => cache.name === input.name && Number.isInteger(cache.heads + cache.size))
  );
  if (strange.length > 0 || !has(known.ids)) {
    throw new RetortError(
      strange.length > 0
        ? `${name} takes \`${strange[0]!.name}\` (${strange[0]!.type}), which is not known here`
        : `${name} takes no \`input_ids\` (int64); it takes ${inputs.map((input) => input.name).join(", ")}`,
      { hint: `Known inputs, int64: ${Object.values(known).join(", ")}, and empty caches past_key_values….` },
    );
  }
  return {
    ids: known.ids,
    ...(has(known.mask) && { mask: known.mask }),
    ...(has(known.types) && { types: known.types }),
    ...(has(known.positions) && { positions: known.positions }),
    past,
  };
}

/** The special pieces that a tokenizer puts before and after a text. */
function specialPieces(pieces: PieceTokenizer): { before: number[]; after: number[] } {
  const bare = pieces.encode("it");
  const whole = pieces.encode("it", { special: true });
  for (let at = 0; at + bare.length <= whole.length; at++) {
    if (bare.every((id, i) => whole[at + i] === id)) {
      return { before: whole.slice(0, at), after: whole.slice(at + bare.length) };
    }
  }
  return { before: [], after: [] };
}
