import type { Exclusion } from "../circuits/queries/exclude.ts";
import { sample } from "../circuits/queries/sampling.ts";
import { textOfTokens } from "../datasets/text/text_of_tokens.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { withoutEnds } from "../stages/text/blanks.ts";
import type { AskedControl, ContinuationQuestion, ControlAnswer } from "./ask_control.ts";
import { answerText, type SentenceQuestion, type TextAnswer } from "./ask.ts";
import { openTabEngine, type TabEngine } from "./engine.ts";
import { modelBytes, modelName, type ModelOptions, type ModelSource } from "./model_bytes.ts";
import { decodeTextModel, type TextModelFile } from "./model_file.ts";
import type { StateMeaning } from "./states.ts";
import { TabModel } from "./tab_model.ts";

/** Circuits that are kept open for blanks at the same places, so that a change of a word opens nothing. */
const KEPT = 3;

/** An engine over the circuit in which some blanks are no end tokens. */
interface Asked extends TabEngine {
  readonly condition: Exclusion["condition"];
}

/** A model of texts in a tab, which answers questions about sentences exactly. Close it after use. */
export class TextModel extends TabModel {
  /** Its vocabulary. */
  readonly vocabulary: Vocabulary;
  readonly #asked = new Map<string, Promise<Asked>>();
  #control: AskedControl | undefined;

  /** Made by {@link openTextModel}, or over an engine that is open. */
  constructor(file: Omit<TextModelFile, "circuit">, own: TabEngine) {
    super(file, own);
    this.vocabulary = file.vocabulary;
  }

  /**
   * Answers a question about a sentence with blanks (`_`): the exact distribution of each blank given the words on both sides,
   * draws of all blanks, and how surprising the words are.
   *
   * @throws {CallError} when the sentence does not fit the model
   */
  async ask(
    sentence: string,
    options: Partial<Omit<SentenceQuestion, "sentence">> = {},
  ): Promise<TextAnswer> {
    await readable(this.vocabulary);
    const question = { ends: true, list: 10, draws: 4, seed: 0, likeliest: false, ...options, sentence };
    return await answerText(
      { evaluator: this.own.engine, withoutEnds: (blanks) => this.#without(blanks) },
      this.vocabulary,
      question,
    );
  }

  /**
   * How a text may go on so that it satisfies a constraint: the tokens that may come next, with their exact probabilities given that
   * it will, and texts drawn. Constraints are phrases, which are all to be held, or typed as in the explorer:
   * `all(" peace", words(4, 12))`.
   *
   * @throws {CallError} when the constraint is not understood
   * @throws {RetortError} when no text satisfies it, or the model is no homogeneous hidden Markov model
   */
  async goOn(
    constraint: ContinuationQuestion["constraint"],
    options: Partial<Omit<ContinuationQuestion, "constraint">> = {},
  ): Promise<ControlAnswer> {
    await readable(this.vocabulary);
    // Few pages ask for it.
    const { controlInTab } = await import("./ask_control.ts");
    this.#control ??= controlInTab(this.circuit, this.vocabulary);
    return await this.#control.answer({
      ...{ begun: "", tokens: 16, list: 10, draws: 4, seed: 0 },
      ...options,
      constraint,
    });
  }

  /**
   * What its hidden states mean, the most used first: the words that tell each from the others.
   *
   * @throws {RetortError} when it is no homogeneous hidden Markov model
   */
  async states(options: { readonly most?: number; readonly words?: number } = {}): Promise<StateMeaning[]> {
    await readable(this.vocabulary);
    const { statesOfModel } = await import("./states.ts");
    return statesOfModel(this.circuit, this.vocabulary, options);
  }

  /** Texts drawn from the model, each a window long. */
  async draw(count: number, options: { readonly seed?: number } = {}): Promise<string[]> {
    await readable(this.vocabulary);
    const { values, variables } = await sample(this.own.engine, count, options);
    return Array.from(
      { length: count },
      (_, s) => textOfTokens(values.subarray(s * variables, (s + 1) * variables), this.vocabulary),
    );
  }

  /** Frees the memory of its engines. */
  override async close(): Promise<void> {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    await Promise.allSettled(asked.map(async (one) => (await one).engine.close()));
    await super.close();
  }

  /** The circuit for blanks at these places; the last few are kept. */
  async #without(
    blanks: readonly number[],
  ): Promise<{ evaluator: TabEngine["engine"]; condition: Exclusion["condition"] }> {
    const key = blanks.join();
    const opening = this.#asked.get(key) ?? (async (): Promise<Asked> => {
      const { circuit, condition } = withoutEnds(this.circuit, blanks, this.vocabulary);
      return { ...await openTabEngine(circuit, this.own.name), condition };
    })();
    this.#asked.delete(key);
    this.#asked.set(key, opening);
    const { engine, condition } = await opening.catch((error) => {
      this.#asked.delete(key);
      throw error;
    });
    if (this.#asked.size > KEPT) {
      const [oldest, gone] = [...this.#asked][0]!;
      this.#asked.delete(oldest);
      await (await gone).engine.close();
    }
    return { evaluator: engine, condition };
  }
}

/**
 * Opens a model of texts: a file that was exported by `deno task export REF --web DIR` or saved by the playground.
 *
 * @param from its address, relative to the page; or its bytes, or a file that was dropped
 * @throws {RetortError} when it cannot be fetched, is no model, or too large for a tab
 */
export async function openTextModel(
  from: ModelSource,
  options: ModelOptions = {},
): Promise<TextModel> {
  const file = decodeTextModel(await modelBytes(from, options), modelName(from));
  return new TextModel(file, await openTabEngine(file.circuit, options.engine));
}

/** Loads what reads tokenizers if the vocabulary has one. Most have none. */
async function readable({ tokenizer }: Vocabulary): Promise<void> {
  if (tokenizer !== undefined) await import("../datasets/text/pieces.ts");
}
