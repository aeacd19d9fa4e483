import { type ControlledSearch, type FoundText, searchControlled } from "./beams.ts";
import { type ControlledDraws, type ControlledText, drawControlled, type DrawnFrom } from "./draw.ts";
import { idsOf } from "./guards.ts";
import { Continuation } from "./lookahead/continuation.ts";
import { type ProcessorOptions, TokenProcessor } from "./processor.ts";
import type { Beginner, PlanParts } from "./parts.ts";
import { textOfPieces } from "./pieces/spelling.ts";
import { beginAfter } from "./prompt.ts";

/** A constraint made ready for drawing: tables for every position, state of the automaton and hidden state. */
export class ControlPlan implements Beginner {
  /** What it was made of, for loops that draw. */
  readonly parts: PlanParts;
  /**
   * Probability under the hidden Markov model, after the plan's prompt, that a text has a length in the range, satisfies the
   * constraint and is followed by the suffix and the end token; 0 where it underflows. Without the end token: that a text
   * does whose length was drawn evenly from the range. With weights of tokens it is the expectation of their product over
   * these texts, and may exceed 1.
   */
  readonly probability: number;
  /** Its natural logarithm. */
  readonly logProbability: number;
  /** Most tokens that may follow the prompt, suffix and end included: `max_new_tokens`. */
  readonly longest: number;
  /** States of the automaton over tokens. */
  readonly states: number;
  /** Classes of tokens. */
  readonly classes: number;

  /** Made by `Control.plan`. */
  constructor(parts: PlanParts) {
    this.parts = parts;
    const { course } = parts;
    this.logProbability = this.begin().logProbability;
    this.probability = Math.exp(this.logProbability);
    this.longest = course.most + course.suffix.length;
    this.states = course.automaton.states;
    this.classes = course.automaton.width;
  }

  /** Bytes that the tables take. */
  get bytes(): number {
    return this.parts.course.table.bytes;
  }

  /**
   * A text to be drawn, after the plan's prompt or another.
   *
   * @throws {RetortError} when the prompt already breaks the constraint
   */
  begin(prompt?: string | readonly number[]): Continuation {
    const { course, beginning } = this.parts;
    const { state, hidden } = prompt === undefined ? beginning : beginAfter(this.parts, prompt, beginning);
    return new Continuation(course, state, hidden);
  }

  /**
   * The same plan after another prompt: its tables are shared.
   *
   * @throws {RetortError} when the prompt already breaks the constraint
   */
  after(prompt: string | readonly number[]): ControlPlan {
    return new ControlPlan({
      ...this.parts,
      beginning: beginAfter(this.parts, prompt, this.parts.beginning),
    });
  }

  /** A processor for the option `logits_processor` of transformers.js' `generate`. */
  processor(options: ProcessorOptions = {}): TokenProcessor {
    return new TokenProcessor(this, options);
  }

  /**
   * Draws texts from a language model: one that `openCausalLm` opened. A text depends only on the seed and its index.
   *
   * @throws {RetortError} when the language model has other tokens, or takes shorter texts than the plan allows
   */
  draw(model: DrawnFrom, options: ControlledDraws): AsyncGenerator<ControlledText> {
    return drawControlled(this, model, options);
  }

  /**
   * Searches for likely texts with beams: `plan.search(model, { beams: 32, count: 3 })`, the likeliest first.
   *
   * @throws {RetortError} when the language model has other tokens, or takes shorter texts than the plan allows
   */
  search(model: DrawnFrom, options: ControlledSearch = {}): Promise<FoundText[]> {
    return searchControlled(this, model, options);
  }

  /** The text of tokens that were drawn. @throws {CallError} for what is no list of tokens */
  text(tokens: Iterable<number>): string {
    const { spelling } = this.parts;
    return textOfPieces(idsOf("the tokens", tokens, spelling.tokens), spelling);
  }
}
