import type { Circuit } from "../../circuits/circuit.ts";
import type { Control } from "../../control/control.ts";
import { constraintFromText } from "../../control/constraints/from_text.ts";
import { textAfter } from "../../control/draw.ts";
import { languageModelOfHmm } from "../../control/hmm/language_model.ts";
import type { ControlPlan } from "../../control/plan.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { CallError, RetortError } from "../../foundation/errors.ts";
import { openHmmControl } from "../../stages/control/shared.ts";
import type { ControlAnswer, ControlQuestion, NextToken } from "./protocol.ts";

/** What a plan depends on. */
type PlanAsked = Pick<ControlQuestion, "constraint" | "tokens" | "begun">;

/** Most bytes of a table: the page answers while somebody types. */
const MEMORY = 2 ** 27;

/** A circuit that is asked under constraints, with the last plan: the next question is often about the same constraint. */
export class AskedControl {
  readonly #control: Control;
  #last: { readonly key: string; readonly plan: ControlPlan } | undefined;

  private constructor(control: Control) {
    this.#control = control;
  }

  /** Opens a circuit. @throws {RetortError} when it is no homogeneous HMM over this vocabulary */
  static async open(circuit: Circuit, vocabulary: Vocabulary): Promise<AskedControl> {
    // One core: the others are for the runs.
    return new AskedControl(
      await openHmmControl(circuit, vocabulary, {}, () => {}, { engine: "plain" }),
    );
  }

  /** What may follow a text so that it satisfies a constraint. */
  async answer(question: Omit<ControlQuestion, "kind" | "model" | "vocabulary">): Promise<ControlAnswer> {
    const { list, draws, seed } = question;
    const { hmm, vocabulary } = this.#control;
    const plan = await this.#plan(question);
    const { beginning: { prompt }, spelling, course } = plan.parts;
    const model = languageModelOfHmm(hmm, vocabulary);
    const [alone] = await model.begin(1).read([prompt]);
    const text = plan.begin();
    const under = Float64Array.from(alone!);
    const next: NextToken[] = [];
    if (text.canContinue) {
      text.adjust(under);
      const free = shares(alone!), kept = shares(under);
      const order = [...kept.keys()].filter((token) => kept[token]! > 0).sort((a, b) => kept[b]! - kept[a]!);
      for (const token of order.slice(0, list)) {
        const isEnd = token === vocabulary.end;
        next.push({
          text: isEnd ? null : textAfter(prompt, [token], spelling),
          probability: kept[token]!,
          alone: free[token]!,
        });
      }
    }
    const drawn: string[] = [];
    const options = { count: text.canContinue ? draws : 0, seed, batch: Math.max(1, draws) };
    for await (const { text } of plan.draw(model, options)) drawn.push(text);
    return {
      kind: "control",
      constraint: plan.parts.label,
      bits: Number.isFinite(plan.logProbability) ? -plan.logProbability / Math.LN2 : null,
      tokens: prompt.length,
      allowed: under.reduce((sum, x) => x > -Infinity ? sum + 1 : sum, 0),
      vocabulary: vocabulary.words.length,
      states: course.automaton.states,
      next,
      drawn,
    };
  }

  async #plan({ constraint, tokens, begun }: PlanAsked): Promise<ControlPlan> {
    const key = JSON.stringify([constraint, tokens]);
    if (this.#last?.key === key) return this.#last.plan.after(begun);
    const options = { tokens, prompt: begun, whole: true, memory: MEMORY };
    const plan = await this.#control.plan(constraintFromText(constraint), options);
    this.#last = { key, plan };
    return plan;
  }

  /** Closes it. */
  async close(): Promise<void> {
    await this.#control[Symbol.asyncDispose]();
  }
}

/** What does not fit a model or a constraint is a bad request here, not a failed run. */
export async function askedHere<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RetortError) || error instanceof CallError) throw error;
    throw new CallError(error.code, error.message, { hint: error.hint, cause: error });
  }
}

/** Probabilities from logits. */
function shares(logits: ArrayLike<number>): Float64Array {
  let largest = -Infinity, total = 0;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > largest) largest = logits[i]!;
  const found = Float64Array.from(logits, (x) => Math.exp(x - largest));
  for (const x of found) total += x;
  return found.map((x) => x / total);
}
