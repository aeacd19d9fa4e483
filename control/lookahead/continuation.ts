import { RetortError } from "../../foundation/errors.ts";
import { movedOn, stateOfToken, type TokenHmm } from "../hmm/token_hmm.ts";
import { stateAfter, type TokenAutomaton } from "../pieces/lift.ts";
import {
  ADJUSTMENT_OPTIONS,
  isRecord,
  refuseArgument,
  requireAdjustment,
  requireInteger,
  requireLogits,
  requireOptions,
} from "../guards.ts";
import { likeliest } from "./likeliest.ts";
import type { LengthRange } from "./reach.ts";
import { power, type Scaled } from "./scaled.ts";
import type { LookAhead } from "./table.ts";
import { weigh } from "./weighing.ts";

/** What continuations of one plan share. */
export interface PlanCourse extends LengthRange {
  /** The model. */
  readonly hmm: TokenHmm;
  /** The constraint. */
  readonly automaton: TokenAutomaton;
  /** Where the constraint can still be satisfied: `reachable`. */
  readonly reach: Uint8Array;
  /** How likely it is to be satisfied. */
  readonly table: LookAhead;
  /** `[width]`: 1 for classes with a token that may be drawn. */
  readonly usable: Uint8Array;
  /** Tokens that follow a text. */
  readonly suffix: readonly number[];
  /** Whether the last of them is the end token. */
  readonly ends: boolean;
  /** `[tokens]`: factors of the probabilities of tokens. */
  readonly weights?: Float64Array | undefined;
}

/** How logits are adjusted. */
export interface Adjustment {
  /** How much the hidden Markov model says: 1 is Bayes' rule, 0 the mask alone. 1 if omitted. */
  readonly alpha?: number;
  /**
   * The number of likeliest tokens, among those that are allowed, between which the hidden Markov model decides; all others
   * are left out. All if omitted.
   */
  readonly candidates?: number;
}

/** A way in which the suffix may have begun. */
interface SuffixWay {
  /** How many of its tokens were read. */
  readonly read: number;
  /** Logarithm of the weights of the tokens before it. */
  readonly weight: number;
}

/** What follows tokens of one class, times the distribution of the hidden state. */
interface Future extends Scaled {
  readonly values: Float64Array;
}

/** A text in the making: what was read so far, and what may follow. */
export class Continuation {
  readonly #course: PlanCourse;
  /** The state of the automaton; -1 once only the suffix may go on. */
  #state: number;
  /** The ways in which the suffix may have begun. */
  #matched: readonly SuffixWay[] = [];
  /** Logarithm of the weights of all tokens. */
  #weight = 0;
  #hidden: Float64Array;
  #length = 0;

  /** A text that begins in a state of the automaton, with a distribution of the hidden state. */
  constructor(course: PlanCourse, state: number, hidden: ArrayLike<number>) {
    this.#course = course;
    this.#state = state;
    this.#hidden = Float64Array.from(hidden);
  }

  /** The same text, to go on in another way. */
  fork(): Continuation {
    const other = new Continuation(this.#course, this.#state, this.#hidden);
    other.#matched = this.#matched;
    other.#weight = this.#weight;
    other.#length = this.#length;
    return other;
  }

  /** Number of tokens so far, those of the suffix included. */
  get length(): number {
    return this.#length;
  }

  /** `[states]`: the distribution of the hidden state that makes the next token. */
  get hidden(): Float64Array {
    return this.#hidden;
  }

  /** Whether the text satisfies the constraint and is followed by its suffix: it may end here. */
  get isComplete(): boolean {
    const { suffix } = this.#course;
    return suffix.length === 0
      ? this.#mayBeginSuffix
      : this.#matched.some(({ read }) => read === suffix.length);
  }

  /** Whether tokens may follow. */
  get canContinue(): boolean {
    const { suffix, automaton, reach, most, usable } = this.#course;
    if (
      suffix.length > 0 && (this.#mayBeginSuffix || this.#matched.some(({ read }) => read < suffix.length))
    ) {
      return true;
    }
    if (this.#state < 0 || this.#length >= most) return false;
    for (let c = 0; c < automaton.width; c++) {
      const to = automaton.next[this.#state * automaton.width + c]!;
      if (reach[(this.#length + 1) * automaton.states + to] === 1 && usable[c] === 1) return true;
    }
    return false;
  }

  get #mayBeginSuffix(): boolean {
    const { automaton, least, most } = this.#course;
    return this.#state >= 0 && automaton.accepting[this.#state] === 1 && this.#length >= least &&
      this.#length <= most;
  }

  /** The ways that are open, with the one that may begin here. */
  get #open(): readonly SuffixWay[] {
    const { length } = this.#course.suffix;
    const open = this.#matched.filter(({ read }) => read < length);
    return length > 0 && this.#mayBeginSuffix ? [{ read: 0, weight: this.#weight }, ...open] : open;
  }

  /** The state after a token, or -1 where the constraint cannot be satisfied after it. */
  #after(token: number): number {
    const { automaton, reach, most, weights } = this.#course;
    if (this.#length >= most || weights?.[token] === 0) return -1;
    const to = stateAfter(automaton, this.#state, token);
    return to >= 0 && reach[(this.#length + 1) * automaton.states + to] === 1 ? to : -1;
  }

  /**
   * Natural logarithm of the probability, under the hidden Markov model, that the text is completed. The end token says how
   * long a text is; without it, every length that is still allowed is taken to be as likely as any other. With weights of
   * tokens: the expectation of their product over the texts that are completed, which may exceed 1.
   */
  get logProbability(): number {
    const { ends, least, most, suffix } = this.#course;
    const lengths = ends ? 1 : most - Math.max(least, this.#length - suffix.length) + 1;
    return this.#logFuture(true) - Math.log(lengths);
  }

  /**
   * Where the text may end as well as go on, the share of ending: against what the model says of going on. 0 or 1 where only
   * one is possible.
   */
  get shareOfEnding(): number {
    if (!this.isComplete) return 0;
    if (!this.canContinue) return 1;
    const ends = this.#course.suffix.length === 0
      ? this.#weight
      : this.#matched.find(({ read }) => read === this.#course.suffix.length)!.weight;
    return 1 / (1 + Math.exp(this.#logFuture(false) - ends));
  }

  #logFuture(withEnd: boolean): number {
    const { table, suffix, most } = this.#course;
    const parts: number[] = [];
    if (this.#state >= 0 && this.#length <= most) {
      const scaled = table.row(this.#length, this.#state, withEnd || suffix.length > 0);
      parts.push(this.#weight + this.#log(scaled));
    }
    for (const { read, weight } of this.#matched) {
      if (read < suffix.length) parts.push(weight + this.#log(table.suffix(read)));
      else if (withEnd) parts.push(weight);
    }
    return logSum(parts);
  }

  #log({ values, exponent }: Scaled): number {
    let sum = 0;
    for (let z = 0; z < this.#hidden.length; z++) sum += this.#hidden[z]! * values[z]!;
    return Math.log(sum) + exponent * Math.LN2;
  }

  /**
   * Adjusts the logits of the next token, in place: `logit + alpha (log p(constraint, token) - log p(token))`, both
   * under the hidden Markov model; -Infinity where the constraint could not be satisfied any more. Where the model rules
   * out all that is allowed, logits of allowed tokens stay as they are: the constraint is kept all the same.
   *
   * @param logits `[tokens]`, numbers or -Infinity; or more: those beyond the vocabulary are left out
   * @throws {RetortError} when nothing may follow, or logits are not numbers or too few
   */
  adjust(logits: Float32Array | Float64Array, adjustment: Adjustment = {}): void {
    requireLogits(logits, this.#course.hmm.tokens);
    requireOptions("how logits are adjusted", adjustment, ADJUSTMENT_OPTIONS);
    requireAdjustment(adjustment);
    const { alpha = 1, candidates = Infinity } = adjustment;
    const allowed = this.#allowed(logits.length);
    if (allowed.length === 0) this.#refuse("the text is complete, and nothing may follow");
    const chosen = candidates < allowed.length ? likeliest(logits, allowed, candidates) : allowed;
    // A mask asks nothing of the model: what that rules out is allowed all the same.
    const adjusted = alpha === 0 ? undefined : this.#adjusted(logits, chosen, alpha) ??
      (chosen === allowed ? undefined : this.#adjusted(logits, allowed, alpha));
    // Adjusted logits go where those of other tokens are wiped out.
    const kept = adjusted ?? { tokens: chosen, values: Float64Array.from(chosen, (token) => logits[token]!) };
    // Where the language model rules out all that is allowed, any of it will do.
    const isHopeless = !kept.values.some((x, i) => i < kept.tokens.length && x > -Infinity);
    logits.fill(-Infinity);
    kept.tokens.forEach((token, i) => logits[token] = isHopeless ? 0 : kept.values[i]!);
  }

  #allowed(size: number): number[] {
    const { automaton, reach, most, suffix, weights, hmm } = this.#course;
    const { classes, states, width, next } = automaton;
    const isOpen = new Uint8Array(width);
    if (this.#state >= 0 && this.#length < most) {
      const from = (this.#length + 1) * states;
      for (let c = 0; c < width; c++) isOpen[c] = reach[from + next[this.#state * width + c]!]!;
    }
    const forced = new Set(this.#open.map(({ read }) => suffix[read]!));
    const allowed: number[] = [];
    for (let token = 0; token < Math.min(size, hmm.tokens); token++) {
      const c = classes[token]!;
      if (c >= 0 && isOpen[c] === 1 && weights?.[token] !== 0 || forced.has(token)) allowed.push(token);
    }
    return allowed;
  }

  /** Adjusted logits of the tokens that the model gives a chance; undefined if it gives none. */
  #adjusted(
    logits: ArrayLike<number>,
    tokens: readonly number[],
    alpha: number,
  ): { tokens: number[]; values: Float64Array } | undefined {
    const { hmm, table, suffix, weights, automaton } = this.#course;
    const open = this.#open;
    const forced = new Set(open.map(({ read }) => suffix[read]!));
    const futures = this.#futures();
    const futureOf = (token: number) =>
      weights?.[token] === 0 ? undefined : futures[automaton.classes[token]!];
    const alone = new Float64Array(tokens.length), joint = new Float64Array(tokens.length);
    const places = new Map<Future | undefined, number[]>();
    for (let i = 0; i < tokens.length; i++) {
      const future = futureOf(tokens[i]!), own = places.get(future);
      if (own === undefined) places.set(future, [i]);
      else own.push(i);
    }
    for (const [future, own] of places) {
      const second = future?.values ?? this.#hidden;
      weigh(hmm.emission, tokens, own, { first: this.#hidden, second, alone, joint });
    }
    const kept: number[] = [], values = new Float64Array(tokens.length);
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!, own = futureOf(token);
      let future = own === undefined
        ? -Infinity
        : this.#weight + Math.log(joint[i]! * (weights?.[token] ?? 1)) + own.exponent * Math.LN2;
      if (forced.has(token)) {
        const begun = open.filter(({ read }) => suffix[read] === token);
        future = logSum([future, ...begun.map(({ read, weight }) => weight + this.#log(table.suffix(read)))]);
      }
      // Infinite also where a double holds the future, which is scaled, and not the token's own probability.
      const ratio = future - Math.log(alone[i]!);
      if (!Number.isFinite(ratio)) continue;
      values[kept.length] = logits[token]! + alpha * ratio;
      kept.push(token);
    }
    return kept.length === 0 ? undefined : { tokens: kept, values };
  }

  /** `hidden[z] G[z]` of what follows a token, by the token's class; undefined where nothing can be completed. */
  #futures(): (Future | undefined)[] {
    const { table, automaton, most } = this.#course;
    if (this.#state < 0 || this.#length >= most) return [];
    const known = new Map<number, Future | undefined>();
    return Array.from({ length: automaton.width }, (_, c) => {
      const to = automaton.next[this.#state * automaton.width + c]!;
      if (!known.has(to)) {
        const scaled = table.after(this.#length + 1, to);
        known.set(
          to,
          scaled && {
            values: this.#hidden.map((x, z) => x * scaled.values[z]!),
            exponent: scaled.exponent,
          },
        );
      }
      return known.get(to);
    });
  }

  /** Adds a token. @throws {RetortError} when it is none, or not allowed here */
  add(token: number): void {
    this.#hidden = movedOn(this.#course.hmm, this.begin(token));
  }

  /**
   * Adds a token but for the hidden state, and returns what the transitions are to be multiplied with; `settle` takes the
   * product. So engines multiply the rows of many texts at once.
   */
  begin(token: number): Float64Array {
    requireInteger("the token", token, 0, this.#course.hmm.tokens - 1);
    this.#move(token);
    const own = stateOfToken(this.#course.hmm, this.#hidden, token);
    // A token that the model rules out says nothing: the state moves on without it.
    return own.some((x) => x > 0) ? own : this.#hidden;
  }

  /** Takes the distribution of the next hidden state, as products give it. @throws {CallError} for anything else */
  settle(hidden: ArrayLike<number>): void {
    const { states } = this.#course.hmm;
    const own = isRecord(hidden) && hidden.length === states ? Float64Array.from(hidden) : undefined;
    if (own === undefined || !own.every((x) => x >= 0 && x < Infinity)) {
      return refuseArgument("the distribution of the hidden state", hidden, `${states} numbers from 0`);
    }
    this.#hidden = own;
  }

  /** Moves the automaton and the suffix. */
  #move(token: number): void {
    const { suffix, weights } = this.#course;
    const matched = this.#open.filter(({ read }) => suffix[read] === token)
      .map(({ read, weight }) => ({ read: read + 1, weight }));
    const state = this.#state < 0 ? -1 : this.#after(token);
    if (state < 0 && matched.length === 0) {
      this.#refuse(`token ${token} is not allowed here: no text of this plan continues with it`);
    }
    this.#state = state;
    this.#matched = matched;
    this.#weight += Math.log(weights?.[token] ?? 1);
    this.#length++;
  }

  #refuse(problem: string): never {
    throw new RetortError("control/finished", problem, {
      hint:
        "Add only tokens whose logits are finite after `adjust`, and stop where `canContinue` is false. For longer texts make a plan with more tokens.",
    });
  }
}

/** Logarithm of the sum of numbers given by their logarithms. */
function logSum(logs: readonly number[]): number {
  const largest = Math.max(-Infinity, ...logs);
  if (largest === -Infinity || logs.length === 1) return largest;
  return largest + Math.log(logs.reduce((sum, log) => sum + power((log - largest) / Math.LN2), 0));
}
