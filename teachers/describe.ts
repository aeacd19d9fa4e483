import type { PieceTokenizer } from "../datasets/text/known_tokenizer.ts";
import { pieceTokenizer } from "../datasets/text/pieces.ts";
import { messageOf, RetortError } from "../foundation/errors.ts";
import { externalFiles, type OnnxPort, openSession } from "../kernels/onnx/session.ts";
import type { TeacherConfig } from "./config.ts";
import { describeInputs, type GraphNames, isFloats } from "./graph_ports.ts";
import { beginAndEnds, piecesAround, type SpecialPieceNames } from "./special_pieces.ts";

/** Information that a teacher's files lack, or that corrects them. */
export interface DescribeOptions {
  /** Display name. */
  readonly name: string;
  /** Whether a piece attends only to itself and earlier pieces. */
  readonly causal: boolean;
  /** Maximum number of pieces per sequence. */
  readonly longest: number;
  /** The output with the token vectors if there are several, for example another layer. */
  readonly output?: string;
  /** Names of the graph's other ports, if they are not the usual ones. */
  readonly names?: GraphNames;
  /** Pieces that begin and end texts of a causal language model, if its files do not define them. */
  readonly special?: SpecialPieceNames;
  /** Prompt before every text of a causal language model; it is not part of the text. */
  readonly prompt?: string;
  /** JSON files next to the tokenizer, by name, such as `generation_config.json`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Weights that the graph stores in external files, keyed by the file names used in the graph. */
  readonly external?: ReadonlyMap<string, Uint8Array>;
}

/** Names that exporters give to the output with the token vectors, most likely first. */
const VECTORS = ["last_hidden_state", "token_embeddings", "hidden_states"];
/** Names that exporters give to the output with the logits of the next piece. */
const LOGITS = ["logits", "lm_logits"];

/**
 * Describes an ONNX transformer from its graph and its tokenizer. Supports exports of Hugging Face's tools and similar
 * graphs (`input_ids`, `attention_mask`, …, vectors `[batch, tokens, width]`, in single or half precision).
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
  const { name, causal, longest, names = {}, settings = {} } = options;
  const { inputs, outputs } = await portsOf(model, options);
  const pieces = pieceTokenizer(tokenizer);
  const output = chooseOutput(outputs, options);
  const logits = causal ? chooseLogits(outputs, options) : undefined;
  const around = piecesAround(pieces);
  const word = pieces.cut("something", "spaced") ?? pieces.encode("something");
  const spoken = causal ? spokenPieces(pieces, around.before, options, settings) : {};
  const end = spoken.ends?.[0] ?? pieces.vocabulary.end;
  return {
    name,
    width: output.shape[2] as number,
    longest,
    causal,
    inputs: describeInputs(inputs, outputs, name, names),
    output: output.name,
    ...(logits !== undefined && { logits }),
    ...(spoken.start !== undefined && { start: spoken.start }),
    ...(spoken.ends !== undefined && { ends: spoken.ends }),
    ...around,
    unknown: pieces.vocabulary.unknown === null ? word : [pieces.vocabulary.unknown],
    end: around.after.length > 0
      ? around.after.slice(-1)
      : end === null
      ? pieces.cut(".", "glued") ?? pieces.encode(".")
      : [end],
    padding: spoken.padding ?? pieces.id("[PAD]") ?? pieces.id("<pad>") ?? 0,
  };
}

/** The pieces that begin, end and pad texts of a language model. */
function spokenPieces(
  pieces: PieceTokenizer,
  before: readonly number[],
  { name, special = {}, prompt = "" }: DescribeOptions,
  settings: Readonly<Record<string, string>>,
): { start?: number[]; ends?: number[]; padding?: number | undefined } {
  const { begin, ends, padding } = beginAndEnds(pieces, name, special, settings);
  const own = special.begin === undefined && before.length > 0;
  const start = [...(own ? before : begin), ...pieces.encode(prompt)];
  return { ...(start.length > 0 && { start }), ...(ends.length > 0 && { ends }), padding };
}

async function portsOf(model: Uint8Array, { name, external = new Map() }: DescribeOptions) {
  const missing = externalFiles(model).find((file) => !external.has(file));
  if (missing !== undefined) {
    throw new RetortError(
      "teacher/graph",
      `the graph of ${name} keeps weights in a file \`${missing}\`, which is missing`,
      { hint: "Put it beside the .onnx file: the two belong together." },
    );
  }
  try {
    const session = await openSession(model, { threads: 1, external });
    const { inputs, outputs } = session;
    await session.release();
    return { inputs, outputs };
  } catch (error) {
    throw new RetortError("teacher/graph", `the graph of ${name} cannot be used: ${messageOf(error)}`, {
      hint: "Expected an .onnx file that ONNX Runtime reads, with all files that belong to it.",
      cause: error,
    });
  }
}

function listOf(ports: readonly OnnxPort[]): string {
  return ports.map((port) => `${port.name} ${port.type} [${port.shape.join(", ")}]`).join("; ");
}

function chooseOutput(outputs: readonly OnnxPort[], { name, output }: DescribeOptions): OnnxPort {
  const fit = outputs.filter((port) =>
    isFloats(port) && port.shape.length === 3 && typeof port.shape[2] === "number"
  );
  if (output !== undefined) {
    const found = fit.find((port) => port.name === output);
    if (found !== undefined) return found;
    throw new RetortError(
      "teacher/graph",
      `${name} has no output \`${output}\` with vectors of tokens; it has ${listOf(outputs)}`,
    );
  }
  const usual = VECTORS.map((usual) => fit.find((port) => port.name === usual)).find((port) =>
    port !== undefined
  );
  const found = usual ?? (fit.length === 1 ? fit[0] : undefined);
  if (found !== undefined) return found;
  throw new RetortError(
    "teacher/graph",
    `${name} has ${fit.length === 0 ? "no output" : "several outputs"} with vectors of tokens: ${
      listOf(outputs)
    }`,
    {
      hint: fit.length === 0
        ? "Export it with its hidden states: floats, [batch, tokens, width]."
        : `Choose one: \`output: "${fit[0]!.name}"\`.`,
    },
  );
}

function chooseLogits(
  outputs: readonly OnnxPort[],
  { name, names }: DescribeOptions,
): string | undefined {
  const fits = (wanted: string) => outputs.some((port) => port.name === wanted && isFloats(port));
  if (names?.logits === undefined) return LOGITS.find(fits);
  if (fits(names.logits)) return names.logits;
  throw new RetortError(
    "teacher/graph",
    `${name} has no output \`${names.logits}\` of floats; it has ${listOf(outputs)}`,
  );
}
