import type { PieceTokenizer } from "../datasets/text/known_tokenizer.ts";
import { messageOf, RetortError } from "../foundation/errors.ts";

/** A piece by its text or its id. */
export type PieceName = string | number;

/** Pieces that begin and end texts, if the files of a model do not define them. */
export interface SpecialPieceNames {
  /** The piece before every text. */
  readonly begin?: PieceName | undefined;
  /** The pieces that end a text; the first one represents all. */
  readonly end?: PieceName | readonly PieceName[] | undefined;
}

/** Files that define special pieces, most specific first. */
export const SETTINGS_FILES = [
  "generation_config.json",
  "config.json",
  "special_tokens_map.json",
  "tokenizer_config.json",
] as const;

/**
 * The pieces that begin and end the texts of a causal language model, and the padding piece. Each is taken from the
 * first of these that has it: the options, the files next to the tokenizer, a usual name in the tokenizer's vocabulary.
 * If no piece begins a text, the end piece does, as in GPT-2.
 *
 * @param settings the existing files among {@link SETTINGS_FILES}, by name
 * @throws RetortError naming the piece that the tokenizer does not have, and who named it
 */
export function beginAndEnds(
  pieces: PieceTokenizer,
  model: string,
  names: SpecialPieceNames,
  settings: Readonly<Record<string, string>>,
): { begin: number[]; ends: number[]; padding: number | undefined } {
  const files = SETTINGS_FILES.filter((file) => settings[file] !== undefined).map((file) => ({
    file,
    value: parsed(settings[file]!, file, model),
  }));
  const find = (
    asked: PieceName | readonly PieceName[] | undefined,
    kind: "bos" | "eos" | "pad",
  ): number[] => {
    if (asked !== undefined) return idsOf(asked, `the parameter \`${kind === "bos" ? "begin" : "end"}\``);
    for (const { file, value } of files) {
      const said = value[`${kind}_token_id`] ?? value[`${kind}_token`];
      if (said !== undefined && said !== null) return idsOf(said, `\`${kind}_token\` in ${file}`);
    }
    return [];
  };
  const idsOf = (said: unknown, who: string): number[] => {
    const list = Array.isArray(said) ? said : [said];
    return list.map((one) => {
      // An added token is an object with its text as `content`.
      const name = typeof one === "object" && one !== null ? (one as { content?: unknown }).content : one;
      const id = typeof name === "string" ? pieces.id(name) : name;
      if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < pieces.vocabulary.words.length) {
        return id as number;
      }
      throw new RetortError(
        "teacher/begin",
        `${who} of ${model} is ${JSON.stringify(name)}, a piece that its tokenizer does not have`,
        { hint: "Name the pieces that begin and end texts: `begin` and `end`, as texts or ids." },
      );
    });
  };
  const named = find(names.end, "eos");
  const { end } = pieces.vocabulary;
  const ends = named.length > 0 ? named : end === null ? [] : [end];
  const begin = find(names.begin, "bos");
  return { begin: begin.length > 0 ? begin : ends.slice(0, 1), ends, padding: find(undefined, "pad")[0] };
}

function parsed(text: string, file: string, model: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
    throw new TypeError("it is no object");
  } catch (error) {
    throw new RetortError("teacher/files", `${file} of ${model} is not readable: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The special pieces that a tokenizer adds before and after a text. */
export function piecesAround(pieces: PieceTokenizer): { before: number[]; after: number[] } {
  const bare = pieces.encode("it");
  const whole = pieces.encode("it", { special: true });
  for (let at = 0; at + bare.length <= whole.length; at++) {
    if (bare.every((id, i) => whole[at + i] === id)) {
      return { before: whole.slice(0, at), after: whole.slice(at + bare.length) };
    }
  }
  return { before: [], after: [] };
}
