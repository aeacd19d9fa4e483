import { tokenizerOf } from "../datasets/text/known_tokenizer.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { CallError, RetortError, textOf } from "../foundation/errors.ts";
import { bytesText } from "../foundation/format.ts";
import { ACCEPT_ALL, intersection } from "./automata/algebra.ts";
import { follow } from "./automata/automaton.ts";
import { UTF8 } from "./automata/utf8.ts";
import type { Constraint, ConstraintLike } from "./constraints/constraint.ts";
import { constraintOf } from "./constraints/phrase.ts";
import {
  ADJUSTMENT_OPTIONS,
  isList,
  refuseArgument,
  requireAdjustment,
  requireCallback,
  requireOptions,
  requireRange,
} from "./guards.ts";
import type { TransitionProducts } from "./hmm/products.ts";
import type { TokenHmm } from "./hmm/token_hmm.ts";
import type { Adjustment } from "./lookahead/continuation.ts";
import { usableClasses } from "./lookahead/masses.ts";
import { impossible } from "./lookahead/feasible.ts";
import { reachable } from "./lookahead/reach.ts";
import { LookAhead } from "./lookahead/table.ts";
import { Lifting } from "./pieces/lift.ts";
import { AFTER, bytesOf, type Spelling, spellingOf } from "./pieces/spelling.ts";
import { ControlPlan } from "./plan.ts";
import { beginAfter, writtenTokens } from "./prompt.ts";

/** How texts of a plan are made. */
export interface ControlPlanOptions extends Adjustment {
  /** The fewest and the most tokens between prompt and suffix, the end token not counted: `[5, 32]`; or the most alone. */
  readonly tokens: number | readonly [least: number, most: number];
  /** What follows: a text or tokens, in this very cut. Nothing if omitted. */
  readonly suffix?: string | readonly number[];
  /**
   * Whether the end token follows, after the suffix if there is one. Yes, if omitted and the vocabulary has one. Without it a
   * text of any length in the range may go on as it likes, and all lengths are as likely beforehand.
   */
  readonly ends?: boolean;
  /** What precedes: a text or tokens. */
  readonly prompt?: string | readonly number[];
  /** Whether the constraint is about prompt and continuation together; about the continuation alone if omitted. */
  readonly whole?: boolean;
  /**
   * `[tokens]`: factors of the probabilities of tokens, each 0 (forbidden) or from 1e-100 to 1e100: texts with more of an
   * attribute.
   */
  readonly weights?: ArrayLike<number>;
  /** Most bytes that the table may take; 4 GiB if omitted. */
  readonly memory?: number;
  /** Called after each step of the table. */
  readonly progress?: (done: number, of: number) => void;
}

const PLAN_OPTIONS: Readonly<Record<keyof ControlPlanOptions, true>> = {
  tokens: true,
  suffix: true,
  ends: true,
  prompt: true,
  whole: true,
  weights: true,
  memory: true,
  progress: true,
  ...ADJUSTMENT_OPTIONS,
};

/** A hidden Markov model and the vocabulary of the language model that it controls. Dispose of it after use. */
export class Control implements AsyncDisposable {
  /** The model. */
  readonly hmm: TokenHmm;
  /** The vocabulary. */
  readonly vocabulary: Vocabulary;
  readonly #spelling: Spelling;
  readonly #lifting: Lifting;
  readonly #products: TransitionProducts;

  /** Made by `openControl`; in a page over products that need no runtime. */
  constructor(hmm: TokenHmm, vocabulary: Vocabulary, products: TransitionProducts) {
    this.hmm = hmm;
    this.vocabulary = vocabulary;
    this.#spelling = spellingOf(vocabulary);
    this.#lifting = new Lifting(this.#spelling);
    this.#products = products;
  }

  /**
   * Makes a constraint ready for drawing. Texts are valid UTF-8 whatever the constraint says.
   *
   * @throws {RetortError} when no text satisfies it, with the number of tokens that would do; when the prompt breaks it
   */
  async plan(constraint: ConstraintLike, options: ControlPlanOptions): Promise<ControlPlan> {
    const own = constraintOf(constraint);
    requirePlanOptions(options);
    const [least, most] = lengthsOf(options);
    const { alpha = 1, candidates, whole = false } = options;
    const weights = this.#weights(options.weights);
    this.#refuseMarkers(own);
    if (!own.automaton.accepting.includes(1)) throw impossible(own.label);
    const automaton = this.#lifting.lift(intersection(own.automaton, UTF8));
    const suffix = this.#suffix(options);
    const usable = usableClasses(automaton, weights);
    this.#refuseLarge(own, most, automaton.states, options.memory);
    const reach = reachable(automaton, usable, { least, most });
    const parts = {
      label: own.label,
      course: { hmm: this.hmm, automaton, reach, usable, least, most },
      vocabulary: this.vocabulary,
      spelling: this.#spelling,
    };
    const beginning = beginAfter(parts, options.prompt ?? [], { whole });
    const task = { hmm: this.hmm, automaton, reach, least, most, suffix, weights };
    const table = await LookAhead.build(task, this.#products, options.progress);
    return new ControlPlan({
      ...parts,
      course: { ...task, table, usable, ends: suffix.length > 0 && suffix.at(-1) === this.vocabulary.end },
      beginning,
      products: this.#products,
      adjustment: { alpha, ...(candidates !== undefined && { candidates }) },
    });
  }

  #weights(given: ArrayLike<number> | undefined): Float64Array | undefined {
    if (given === undefined) return undefined;
    if (!isList(given)) refuseArgument("`weights`", given, "a list of numbers, one for each token");
    const weights = Array.from(given);
    const isWeight = (x: unknown) =>
      typeof x === "number" && (x === 0 || x >= 1 / LARGEST_WEIGHT && x <= LARGEST_WEIGHT);
    const bad = weights.findIndex((x) => !isWeight(x));
    if (weights.length === this.hmm.tokens && bad < 0) return Float64Array.from(weights);
    throw new CallError(
      "control/argument",
      bad < 0
        ? `there are ${weights.length} weights of tokens, expected ${this.hmm.tokens}`
        : `the weight of token ${bad} is ${textOf(weights[bad])}, expected 0 or a number from ${
          1 / LARGEST_WEIGHT
        } to ${LARGEST_WEIGHT}`,
    );
  }

  /** A marker such as `</s>` inside a phrase would be spelled by other pieces, which no reader takes for the marker. */
  #refuseMarkers({ texts, label }: Constraint): void {
    const { words, end, unknown } = this.vocabulary;
    const tokenizer = tokenizerOf(this.vocabulary);
    words.forEach((word, id) => {
      const isMarker = (id === end || id === unknown || tokenizer?.isSpecial(id) === true) && word.length > 1;
      if (!isMarker || !texts.some((text) => text.includes(word))) return;
      throw new CallError("control/argument", `${label} holds ${textOf(word)}, a marker that is no text`, {
        hint: "Texts end by themselves: leave the marker out. `ends` says whether the end token follows.",
      });
    });
  }

  #refuseLarge({ label }: Constraint, most: number, states: number, memory = MEMORY): void {
    const bytes = most * states * this.hmm.states * this.hmm.transition.BYTES_PER_ELEMENT;
    if (bytes <= memory) return;
    throw new RetortError(
      "control/too-large",
      `the table of ${label} would take up to ${
        bytesText(bytes)
      } (${most} tokens, ${states} states of the automaton, ` +
        `${this.hmm.states} hidden states), and ${bytesText(memory)} are allowed`,
      { hint: "Allow fewer `tokens`, ask for less, or set `memory` to more bytes." },
    );
  }

  #suffix({ suffix = [], ends }: ControlPlanOptions): number[] {
    const { end } = this.vocabulary;
    const tokens = writtenTokens(
      "the suffix",
      "control/suffix",
      suffix,
      this.vocabulary,
      this.#spelling,
      AFTER,
    );
    if (end !== null && tokens.includes(end)) {
      throw new RetortError("control/suffix", "the suffix holds the end token", {
        hint: "Leave it out: `ends` says whether the end token follows.",
      });
    }
    if (UTF8.accepting[follow(UTF8, bytesOf(tokens, this.#spelling))] === 0) {
      throw new RetortError("control/suffix", "the suffix begins or ends inside a character");
    }
    if (ends === true && end === null) {
      throw new RetortError("control/suffix", "`ends` is true, and the vocabulary has no end token");
    }
    return end === null || ends === false ? tokens : [...tokens, end];
  }

  /** Frees the memory of ONNX Runtime. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#products[Symbol.asyncDispose]() as Promise<void>;
  }
}

/** Refuses options of a plan but for its lengths and weights. @throws {CallError} */
function requirePlanOptions(options: ControlPlanOptions): void {
  if (options === undefined) refuseArgument("`options`", options, "at least `{ tokens: [5, 32] }`");
  requireOptions("the options of a plan", options, PLAN_OPTIONS);
  const { prompt, whole, ends, memory, progress } = options;
  if (whole === true && prompt === undefined) {
    throw new CallError("control/argument", "`whole` is true, and there is no `prompt`", {
      hint:
        'It stands beside it: `{ tokens: 12, prompt: "We", whole: true }`. `prompt: ""` if `plan.after` gives one.',
    });
  }
  for (const [name, value] of Object.entries({ whole, ends })) {
    if (value !== undefined && typeof value !== "boolean") {
      refuseArgument(`\`${name}\``, value, "true or false");
    }
  }
  if (memory !== undefined && !(typeof memory === "number" && memory > 0)) {
    refuseArgument("`memory`", memory, "a number of bytes");
  }
  requireCallback("`progress`", progress);
  requireAdjustment(options);
}

/** The fewest and the most tokens of a plan. @throws {CallError} */
function lengthsOf({ tokens }: ControlPlanOptions): readonly [number, number] {
  const both: unknown = typeof tokens === "number" ? [0, tokens] : tokens;
  if (!Array.isArray(both) || both.length !== 2) {
    return refuseArgument(
      "`tokens`",
      tokens,
      "the most tokens of a text, or the fewest and the most: `[5, 32]`",
    );
  }
  const [least, most] = both as [number, number];
  requireRange("tokens", least, most, true);
  return [least, most];
}

/** Largest weight of a token, and one over the smallest: times probabilities they are far from what a double holds. */
const LARGEST_WEIGHT = 1e100;

/** Most bytes of a table, unless a plan allows others. */
const MEMORY = 2 ** 32;

/** Every text: for plans whose only constraints are lengths, prompt, suffix and weights. */
export const anyText: Constraint = { label: "anyText", automaton: ACCEPT_ALL, texts: [] };
