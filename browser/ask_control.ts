/** Questions about how a text may go on under a constraint, and a hidden Markov model's answers: those of the explorer and of pages alike. */
import type { Circuit } from "../circuits/circuit.ts";
import type { Constraint } from "../control/constraints/constraint.ts";
import { all } from "../control/constraints/logic.ts";
import { phrase } from "../control/constraints/phrase.ts";
import { anyText, Control } from "../control/control.ts";
import { textAfter } from "../control/draw.ts";
import { languageModelOfHmm } from "../control/hmm/language_model.ts";
import { plainProducts } from "../control/hmm/products.ts";
import { hmmAfter, hmmOfCircuit } from "../control/hmm/token_hmm.ts";
import type { ControlPlan } from "../control/plan.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { askedFrame } from "../stages/text/frame_notes.ts";

/** A question about texts that satisfy a constraint, for a homogeneous hidden Markov model. */
export interface ContinuationQuestion {
  /** The constraint, as people type it: `inOrder(" we", " our")`; or phrases that are all to be held, in any order, none at all included. */
  readonly constraint: string | readonly string[];
  /** How the text begins; the constraint is about it as well. */
  readonly begun: string;
  /** Most tokens that may follow, the end not counted. */
  readonly tokens: number;
  /** Number of tokens listed. */
  readonly list: number;
  /** Number of texts drawn. */
  readonly draws: number;
  /** Seed of the texts. */
  readonly seed: number;
}

/** A token that may come next. */
export interface NextToken {
  /** What it adds to the text; null for the end of the text. */
  readonly text: string | null;
  /** Its probability, given that the constraint will be satisfied. */
  readonly probability: number;
  /** Its probability without the constraint. */
  readonly alone: number;
}

/** A hidden Markov model's answer about a constraint. */
export interface ControlAnswer {
  /** Kind of the question. */
  readonly kind: "control";
  /** How the constraint was understood. */
  readonly constraint: string;
  /** -log2 of its probability after the beginning; null where the model thinks it impossible. */
  readonly bits: number | null;
  /** Tokens of the beginning. */
  readonly tokens: number;
  /** How many tokens may come next, of how many. */
  readonly allowed: number;
  /** Size of the vocabulary. */
  readonly vocabulary: number;
  /** States of the automaton over tokens. */
  readonly states: number;
  /** Tokens that may come next, the likeliest first; none where the text is complete and as long as it may be. */
  readonly next: readonly NextToken[];
  /** Continuations, drawn exactly. */
  readonly drawn: readonly string[];
}

/** What a plan depends on. */
type PlanAsked = Pick<ContinuationQuestion, "constraint" | "tokens" | "begun">;

/** Most bytes of a table: the page answers while somebody types. */
const MEMORY = 2 ** 27;

/** A control that is asked, with the last plan: the next question is often about the same constraint. */
export class AskedControl {
  readonly #control: Control;
  #last: { readonly key: string; readonly plan: ControlPlan } | undefined;

  /** Over a control that is open. */
  constructor(control: Control) {
    this.#control = control;
  }

  /** What may follow a text so that it satisfies a constraint. */
  async answer(question: ContinuationQuestion): Promise<ControlAnswer> {
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
    const plan = await this.#control.plan(await constraintFrom(constraint), options);
    this.#last = { key, plan };
    return plan;
  }

  /** Closes it. */
  async close(): Promise<void> {
    await this.#control[Symbol.asyncDispose]();
  }
}

/** The constraint that is asked. What reads patterns is a megabyte: pages load it when somebody types more than phrases. */
async function constraintFrom(asked: string | readonly string[]): Promise<Constraint> {
  if (typeof asked === "string") {
    const { constraintFromText } = await import("../control/constraints/from_text.ts");
    return constraintFromText(asked);
  }
  if (asked.length === 0) return anyText;
  return asked.length === 1 ? phrase(asked[0]!) : all(...asked);
}

/**
 * Opens a circuit for questions under constraints where there is no runtime for products, as in a tab.
 *
 * @throws {RetortError} when it is no homogeneous HMM
 */
export function controlInTab(circuit: Circuit, vocabulary: Vocabulary): AskedControl {
  const { begins } = askedFrame(circuit, vocabulary, {}, () => {});
  const own = hmmOfCircuit(circuit), hmm = begins === "end" ? hmmAfter(own, [vocabulary.end!]) : own;
  return new AskedControl(new Control(hmm, vocabulary, plainProducts(hmm)));
}

/** Probabilities from logits. */
function shares(logits: ArrayLike<number>): Float64Array {
  let largest = -Infinity, total = 0;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > largest) largest = logits[i]!;
  const found = Float64Array.from(logits, (x) => Math.exp(x - largest));
  for (const x of found) total += x;
  return found.map((x) => x / total);
}
