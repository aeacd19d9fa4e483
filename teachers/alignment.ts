import type { PieceTokenizer } from "../datasets/text/pieces.ts";
import { END, UNKNOWN, type Vocabulary } from "../datasets/text/vocabulary.ts";
import { RetortError } from "../foundation/errors.ts";
import type { TeacherConfig } from "./config.ts";

/** The teacher's pieces of each unit of a corpus: unit `u` has `pieces[offsets[u]]` up to `pieces[offsets[u + 1]]`. */
export interface Alignment {
  /** `[units + 1]` */
  readonly offsets: Int32Array;
  /** Ids of pieces; every unit has at least one. */
  readonly pieces: Int32Array;
}

/**
 * Aligns the units of a corpus with a teacher's pieces. A word is cut into pieces by itself, so a corpus is cut once
 * a type and not once a token. `<unk>` and `<eos>` become what the teacher's description says; the escapes of
 * WikiText (`@-@`, `@,@`, `@.@`) become the marks that they stand for.
 *
 * @param tokenizer the teacher's; undefined where the units of the corpus are the teacher's own ids.
 * @throws RetortError when the two cannot be aligned.
 */
export function alignUnits(
  vocabulary: Vocabulary,
  config: TeacherConfig,
  tokenizer: PieceTokenizer | undefined,
): Alignment {
  const { kind, words } = vocabulary;
  if (tokenizer === undefined) return listed(words.map((_, id) => [id]));
  if (kind === "pieces") {
    const own = tokenizer.vocabulary.words;
    if (own.length === words.length && own.every((piece, id) => piece === words[id])) {
      return listed(words.map((_, id) => [id]));
    }
    throw new RetortError(`the corpus is in the pieces of another tokenizer than that of ${config.name}`, {
      hint: "Tokenise it with `tokenizePieces` and this teacher's tokenizer.json, or in words.",
    });
  }
  if (kind !== "words") {
    throw new RetortError(`${config.name} has pieces of words: it cannot embed a corpus in ${kind}`, {
      hint: "Tokenise the corpus in words or in the teacher's pieces, or train a teacher on it.",
    });
  }
  return listed(words.map((word) => {
    if (word === UNKNOWN) return config.unknown;
    if (word === END) return config.end;
    const pieces = tokenizer.encode(word.replace(/^@([-,.])@$/, "$1"));
    return pieces.length > 0 ? pieces : config.unknown;
  }));
}

function listed(pieces: readonly (readonly number[])[]): Alignment {
  const offsets = new Int32Array(pieces.length + 1);
  pieces.forEach((list, unit) => offsets[unit + 1] = offsets[unit]! + list.length);
  return { offsets, pieces: Int32Array.from(pieces.flat()) };
}
