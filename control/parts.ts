import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import type { TransitionProducts } from "./hmm/products.ts";
import type { Adjustment, Continuation, PlanCourse } from "./lookahead/continuation.ts";
import type { Spelling } from "./pieces/spelling.ts";
import type { Beginning } from "./prompt.ts";

/** What a plan holds. */
export interface PlanParts {
  /** How the constraint was made. */
  readonly label: string;
  /** What all texts of the plan share. */
  readonly course: PlanCourse;
  /** Vocabulary of the tokens. */
  readonly vocabulary: Vocabulary;
  /** Its spelling. */
  readonly spelling: Spelling;
  /** What precedes the texts of the plan. */
  readonly beginning: Beginning;
  /** How logits are adjusted unless a draw says otherwise. */
  readonly adjustment: Adjustment;
  /** Products with the model's transitions, for rows of many texts. */
  readonly products: TransitionProducts;
}

/** What begins texts: a plan, as those who draw see it. */
export interface Beginner {
  /** What it was made of. */
  readonly parts: PlanParts;
  /** A text to be drawn, after the plan's prompt or another. */
  begin(prompt?: string | readonly number[]): Continuation;
}
