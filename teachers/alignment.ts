import type { PieceTokenizer } from "../datasets/text/known_tokenizer.ts";
import type { WordPlace } from "../datasets/text/running_text.ts";
import { END, UNKNOWN, type Vocabulary } from "../datasets/text/vocabulary.ts";
import { isUnspaced } from "../datasets/text/words.ts";
import { RetortError } from "../foundation/errors.ts";
import type { TeacherConfig } from "./config.ts";

/**
 * The pieces of each token of a corpus: token `u` has `pieces[offsets[u]]` up to, but not including,
 * `pieces[offsets[u + 1]]`.
 */
export interface Cuts {
  /** `[tokens + 1]` */
  readonly offsets: Int32Array;
  /** Ids of pieces; every token has at least one. */
  readonly pieces: Int32Array;
}

/** A teacher's pieces for each token of a corpus within a text, and for tokens at other places if they differ there. */
export interface Alignment extends Cuts {
  /** For a token at the beginning of a text: "The", not " The". */
  readonly first: Cuts;
  /** For a token without a space before it, after a joining token, such as "violent" in "non-violent". */
  readonly joined: Cuts;
  /** `[tokens]`: 1 for tokens after which a new text begins. */
  readonly ends: Uint8Array;
  /** `[tokens]`: 1 for tokens that join their neighbours, such as WikiText's `@-@`. */
  readonly joins: Uint8Array;
}

/**
 * Aligns the tokens of a corpus with a teacher's pieces. Words are split as they would be in running text after another
 * word, so only each type at each kind of place is tokenized, not each occurrence. `<unk>` and `<eos>` become the pieces
 * named in the teacher's description. Characters can be aligned if most letters belong to scripts without spaces, such
 * as Chinese. WikiText's escapes (`@-@`, `@,@`, `@.@`) become the punctuation marks they stand for, without spaces.
 *
 * @param tokenizer the teacher's; undefined if the tokens of the corpus are the teacher's own ids.
 * @throws RetortError when the two cannot be aligned, or what a word is cut into depends on the words around it.
 */
export function alignTokens(
  vocabulary: Vocabulary,
  config: TeacherConfig,
  tokenizer: PieceTokenizer | undefined,
): Alignment {
  const { kind, words } = vocabulary;
  if (tokenizer === undefined) return ownPieces(words.length);
  if (kind === "pieces") {
    const own = tokenizer.vocabulary.words;
    if (own.length === words.length && own.every((piece, id) => piece === words[id])) {
      return ownPieces(words.length);
    }
    throw new RetortError(
      "teacher/alignment",
      `the corpus is in the pieces of another tokenizer than that of ${config.name}`,
      { hint: "Tokenise it with `tokenizePieces` and this teacher's tokenizer.json, or in words." },
    );
  }
  // A Chinese character is a unit of text as a word is; a teacher does not know single English letters as such.
  const letters = kind === "characters" ? words.filter((token) => /^\p{L}$/u.test(token)) : [];
  const unspaced = letters.filter(isUnspaced).length > letters.length / 2;
  if (kind !== "words" && !unspaced) {
    throw new RetortError(
      "teacher/alignment",
      `${config.name} has pieces of words: it cannot embed a corpus in ${kind}`,
      {
        hint:
          "Tokenise the corpus in words or in the teacher's pieces, take word vectors (`static`) in its place, " +
          "or train a teacher on it.",
      },
    );
  }
  const over = tokenizer.piecesOverWords();
  if (over.length > 0) {
    throw new RetortError(
      "teacher/alignment",
      `${config.name} has pieces that reach over words: ${
        over.slice(0, 3).map((piece) => JSON.stringify(piece)).join(", ")
      }`,
      { hint: "Tokenise the corpus in the teacher's own pieces (`tokenizePieces`)." },
    );
  }
  // Characters stand without spaces, because the space is itself one of them.
  const glued = new Set(kind === "characters" ? words.keys() : vocabulary.glued);
  const cuts = (place: (token: number) => WordPlace) =>
    listed(words.map((word, token) => {
      if (word === UNKNOWN) return config.unknown;
      if (word === END) return config.end;
      return piecesOfWord(word.replace(ESCAPE, "$1"), place(token), tokenizer, config);
    }));
  const isEscape = words.map((word) => ESCAPE.test(word));
  const usual = cuts((token) => unspaced || glued.has(token) || isEscape[token] ? "glued" : "spaced");
  return {
    ...usual,
    first: cuts(() => "first"),
    joined: isEscape.includes(true) ? cuts(() => "glued") : usual,
    ends: Uint8Array.from(
      words,
      (word) => word === END && config.end.every((id) => tokenizer.isSpecial(id)) ? 1 : 0,
    ),
    joins: Uint8Array.from(isEscape, Number),
  };
}

const ESCAPE = /^@([-,.])@$/;

function piecesOfWord(
  word: string,
  place: WordPlace,
  tokenizer: PieceTokenizer,
  config: TeacherConfig,
): readonly number[] {
  // If adjacent characters merge across a token boundary, the pieces of each one alone are undefined.
  const pieces = tokenizer.cut(word, place) ?? (place === "glued" ? tokenizer.cut(word, "first") : undefined);
  if (pieces === undefined) {
    throw new RetortError(
      "teacher/alignment",
      `how ${config.name} cuts ${JSON.stringify(word)} into pieces depends on the words around it`,
      { hint: "Tokenise the corpus in the teacher's own pieces (`tokenizePieces`)." },
    );
  }
  return pieces.length > 0 ? pieces : config.unknown;
}

/** The pieces of the tokens of a text, and the offset of each token's first piece, followed by the total. */
export function piecesOfTokens(
  alignment: Alignment,
  tokens: ArrayLike<number>,
  fresh: boolean,
): { readonly pieces: Int32Array; readonly starts: Int32Array } {
  const tables = Array.from(
    tokens,
    (_, i) => tableAt(alignment, i === 0 ? undefined : tokens[i - 1]!, fresh),
  );
  const starts = new Int32Array(tokens.length + 1);
  tables.forEach(({ offsets }, i) =>
    starts[i + 1] = starts[i]! + offsets[tokens[i]! + 1]! - offsets[tokens[i]!]!
  );
  const pieces = new Int32Array(starts[tokens.length]!);
  tables.forEach(({ offsets, pieces: of }, i) =>
    pieces.set(of.subarray(offsets[tokens[i]!]!, offsets[tokens[i]! + 1]!), starts[i]!)
  );
  return { pieces, starts };
}

function tableAt(alignment: Alignment, before: number | undefined, fresh: boolean): Cuts {
  if (before === undefined) return fresh ? alignment.first : alignment;
  return alignment.ends[before] === 1
    ? alignment.first
    : alignment.joins[before] === 1
    ? alignment.joined
    : alignment;
}

function ownPieces(tokens: number): Alignment {
  const same = listed(Array.from({ length: tokens }, (_, id) => [id]));
  const none = new Uint8Array(tokens);
  return { ...same, first: same, joined: same, ends: none, joins: none };
}

function listed(pieces: readonly (readonly number[])[]): Cuts {
  const offsets = new Int32Array(pieces.length + 1);
  pieces.forEach((list, token) => offsets[token + 1] = offsets[token]! + list.length);
  return { offsets, pieces: Int32Array.from(pieces.flat()) };
}
