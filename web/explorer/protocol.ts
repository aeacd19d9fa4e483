import type { JsonValue } from "../../foundation/canonical.ts";
import type { ErrorCode } from "../../foundation/errors.ts";
import type { Artifact } from "../../runner/codec.ts";
import type { FilledBlanks } from "../../stages/text/blanks.ts";

/** A sentence with blanks for a circuit over windows of text. */
export interface TextQuestion {
  readonly kind: "text";
  /** The circuit. */
  readonly model: Artifact;
  readonly vocabulary: Artifact;
  /** Words with spaces between them, `_` for each missing one. */
  readonly sentence: string;
  /** Whether the sentence ends where its text does; otherwise it may go on. */
  readonly ends: boolean;
  /** Words listed of each blank. */
  readonly list: number;
  /** Completions. */
  readonly draws: number;
  readonly seed: number;
  /** Whether the likeliest filling of all blanks is wanted: it takes longer. */
  readonly likeliest: boolean;
}

/** What a circuit says of a sentence. */
export interface TextAnswer extends FilledBlanks {
  readonly kind: "text";
  /** -log2 of the probability of the words that stand, ends included; null when they are impossible. */
  readonly bits: number | null;
  /** Units of the sentence that are given, with its ends. */
  readonly given: number;
  /** Words that the vocabulary does not have, read as its unknown word. */
  readonly unknown: readonly string[];
  /** Words of the vocabulary. */
  readonly vocabulary: number;
  /** The word that stands for all that the vocabulary does not have; null where there is none. */
  readonly unknownWord: string | null;
  /** The likeliest filling of all blanks by known words; null when it was not asked for, or there is none. */
  readonly likeliest: {
    readonly text: string;
    /** Given the words that stand. */
    readonly probability: number;
    /** False when the search was given up before it was certain. */
    readonly exact: boolean;
  } | null;
}

/** An image with hidden pixels for a model of images. */
export interface ImageQuestion {
  readonly kind: "images";
  /** A circuit over pixels or a model of patches. */
  readonly model: Artifact;
  /** The set that the image is of; it tells what the numbers mean. */
  readonly images: Artifact;
  /** Which image of the set. */
  readonly image: number;
  /** A bit for each pixel in rows, the lowest of each byte first, 1 where hidden; base64url. */
  readonly hidden: string;
  readonly draws: number;
  readonly seed: number;
}

/** What a model says of an image. Pictures are PNG as data URLs, a pixel a pixel. */
export interface ImageAnswer {
  readonly kind: "images";
  readonly original: string;
  /** Pixels that are hidden. */
  readonly hidden: number;
  /** -log2 p(what is hidden | what is seen) of the original; null when nothing is hidden or it is impossible. */
  readonly bits: number | null;
  /** Draws from the exact distribution of what is hidden given what is seen. */
  readonly drawn: readonly string[];
  /** Exact expected values of what is hidden. */
  readonly mean: string;
}

/** What models are asked. */
export type Question = TextQuestion | ImageQuestion;
/** What they answer. */
export type Answer = TextAnswer | ImageAnswer;

/** What the process that answers is told, one JSON line each. */
export interface Asked {
  readonly id: number;
  /** The store's folder. */
  readonly store: string;
  readonly question: Question;
}

/** What it tells: a line that begins with {@link MARK}, since libraries may print as well. */
export type FromExplorer =
  & { readonly id: number }
  & (
    | { readonly answer: Answer }
    | {
      readonly code: ErrorCode;
      readonly error: string;
      readonly hint: string | null;
      readonly wrongCall: boolean;
    }
  );

/** Begins the lines of answers. */
export const MARK = "\x1e";

/** Checks what came as JSON from the other process only so far that it is an answer at all. */
export function toldOf(line: string): FromExplorer | undefined {
  if (!line.startsWith(MARK)) return undefined;
  const value = JSON.parse(line.slice(MARK.length)) as JsonValue & FromExplorer;
  return typeof value.id === "number" ? value : undefined;
}
