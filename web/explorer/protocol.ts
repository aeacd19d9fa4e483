import type { JsonValue } from "../../foundation/canonical.ts";
import type { ErrorCode } from "../../foundation/errors.ts";
import type { Artifact } from "../../runner/codec.ts";
import type { SentenceQuestion, TextAnswer } from "../../browser/ask.ts";
import type { ContinuationQuestion, ControlAnswer } from "../../browser/ask_control.ts";

/** A question about a sentence with blanks, for a circuit over windows of text. */
export interface TextQuestion extends SentenceQuestion {
  readonly kind: "text";
  /** The circuit. */
  readonly model: Artifact;
  readonly vocabulary: Artifact;
}

/** A question about an image with hidden pixels, for an image model. */
export interface ImageQuestion {
  readonly kind: "images";
  /** A circuit over pixels or a patch model. */
  readonly model: Artifact;
  /** The image's set, which also defines what the numbers mean. */
  readonly images: Artifact;
  /** Index of the image in the set. */
  readonly image: number;
  /** One bit per pixel in row-major order, lowest bit of each byte first, 1 where hidden; base64url. */
  readonly hidden: string;
  readonly draws: number;
  readonly seed: number;
}

/** An image model's answer. Pictures are PNGs as data URLs, one pixel per pixel. */
export interface ImageAnswer {
  readonly kind: "images";
  readonly original: string;
  /** Number of hidden pixels. */
  readonly hidden: number;
  /** -log2 p(hidden | visible) of the original; null if nothing is hidden or it is impossible. */
  readonly bits: number | null;
  /** Samples from the exact conditional distribution of the hidden pixels. */
  readonly drawn: readonly string[];
  /** Exact conditional means of the hidden pixels. */
  readonly mean: string;
}

/** A question about texts that satisfy a constraint, for a homogeneous hidden Markov model. */
export interface ControlQuestion extends ContinuationQuestion {
  readonly kind: "control";
  /** The circuit. */
  readonly model: Artifact;
  readonly vocabulary: Artifact;
}

/** A question to a model. */
export type Question = TextQuestion | ImageQuestion | ControlQuestion;
/** A model's answer. */
export type Answer = TextAnswer | ImageAnswer | ControlAnswer;

/** A request to the answering process, one JSON line each. */
export interface Asked {
  readonly id: number;
  /** The store's folder. */
  readonly store: string;
  readonly question: Question;
}

/** A response of the process: a line that begins with {@link MARK}, because libraries may print as well. */
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

/** Prefix of response lines. */
export const MARK = "\x1e";

/** Parses a line from the other process; checks only that it is a response. */
export function toldOf(line: string): FromExplorer | undefined {
  if (!line.startsWith(MARK)) return undefined;
  const value = JSON.parse(line.slice(MARK.length)) as JsonValue & FromExplorer;
  return typeof value.id === "number" ? value : undefined;
}
