import { CallError, RetortError, textOf } from "../foundation/errors.ts";
import {
  ADJUSTMENT_OPTIONS,
  adjustmentOf,
  isRecord,
  refuseArgument,
  requireAdjustment,
  requireInteger,
  requireOptions,
} from "./guards.ts";
import type { Adjustment, Continuation } from "./lookahead/continuation.ts";
import type { Beginner } from "./parts.ts";
import { isText } from "./pieces/spelling.ts";

/** A tensor of logits of transformers.js, as far as it is used here. */
export interface LogitsTensor {
  /** `[rows, tokens]`. */
  readonly dims: readonly number[];
  /** The logits, row by row: a Float32Array, changed in place. */
  readonly data: unknown;
}

/** What transformers.js calls once a step. */
export type LogitsProcessor = <T extends LogitsTensor>(
  inputIds: readonly (readonly bigint[])[],
  logits: T,
) => T;

/** How a processor works. */
export interface ProcessorOptions extends Adjustment {
  /** How many tokens at the beginning of each row are prompt. By default all that a row has when it is first seen. */
  readonly prompt?: number;
}

/** One row of a batch. */
interface Row {
  /** The tokens that were read, the prompt included. */
  readonly tokens: bigint[];
  /** The text after the prompt. */
  readonly text: Continuation;
  /** Whether the end token was drawn that no text of the plan holds: the text ends before it. */
  isOver: boolean;
}

/**
 * A list of one logits processor for the `generate` of transformers.js:
 *
 *     model.generate({ ...inputs, do_sample: true, top_k: 0, max_new_tokens: plan.longest, logits_processor: plan.processor() })
 *
 * It is called synchronously once a step and holds a state for each row of the batch; rows may have prompts of their own.
 * A row that no longer begins as it did is a new text, so that one processor serves any number of calls. Pieces at the
 * beginning of a prompt that are no text, such as `<s>`, are not read. A text that is complete gets the end token for
 * ever. Rows that begin otherwise than with the plan's prompt are refused. A processor sees neither beams, whose rows change
 * places, nor the length: a text that `max_new_tokens` cuts may break the constraint.
 */
export class TokenProcessor implements Iterable<LogitsProcessor> {
  readonly #plan: Beginner;
  readonly #options: ProcessorOptions;
  readonly #adjustment: Adjustment;
  readonly #end: number | null;
  #rows: Row[] = [];

  /** Made by `ControlPlan.processor`. */
  constructor(plan: Beginner, options: ProcessorOptions) {
    requireOptions("the options of a processor", options, { prompt: true, ...ADJUSTMENT_OPTIONS });
    if (options.prompt !== undefined) {
      requireInteger("`prompt`, the number of its tokens,", options.prompt, 0);
    }
    const { vocabulary, adjustment, course } = plan.parts;
    this.#plan = plan;
    this.#options = options;
    requireAdjustment(options);
    this.#adjustment = adjustmentOf(adjustment, options);
    this.#end = vocabulary.end;
    if (vocabulary.end === null && (course.least !== course.most)) {
      throw new CallError(
        "control/argument",
        "the vocabulary has no end token, so that `generate` cannot end texts of several lengths",
        {
          hint:
            "Plan one length (`tokens: [12, 12]`) and set `max_new_tokens` to `plan.longest`, or draw with `plan.draw`.",
        },
      );
    }
  }

  /** The processor itself. */
  readonly process: LogitsProcessor = (inputIds, logits) => {
    if (!Array.isArray(inputIds) || !inputIds.every(Array.isArray)) {
      refuseArgument("`input_ids`", inputIds, "a list of lists of ids, as transformers.js passes them");
    }
    if (!isRecord(logits) || !Array.isArray(logits.dims)) {
      refuseArgument("`logits`", logits, "a tensor with `dims` and `data`");
    }
    const [rows, width] = [logits.dims[0]!, logits.dims.at(-1)!];
    const { data } = logits;
    if (!(data instanceof Float32Array) || rows !== inputIds.length || data.length !== rows * width) {
      throw new RetortError(
        "control/argument",
        `logits of the shape [${
          logits.dims.join(", ")
        }] for ${inputIds.length} rows, expected float32 of [rows, tokens]`,
      );
    }
    this.#rows.length = Math.min(this.#rows.length, rows);
    inputIds.forEach((ids, r) => {
      const row = this.#rows[r] = this.#follow(this.#rows[r], ids);
      this.#adjust(row, data.subarray(r * width, (r + 1) * width));
    });
    return logits;
  };

  /** The processor, as `generate` takes it. */
  *[Symbol.iterator](): Iterator<LogitsProcessor> {
    yield this.process;
  }

  /** Forgets all rows: the next call begins new texts. */
  reset(): void {
    this.#rows = [];
  }

  #follow(row: Row | undefined, ids: readonly bigint[]): Row {
    // One token more than before goes on; anything else is another text.
    const goesOn = row !== undefined && ids.length === row.tokens.length + 1 &&
      row.tokens.every((token, i) => token === ids[i]);
    const own = goesOn ? row : this.#begin(ids);
    for (const id of ids.slice(own.tokens.length)) {
      own.isOver ||= Number(id) === this.#end && !this.#plan.parts.course.ends && own.text.isComplete;
      if (!own.isOver && own.text.canContinue) own.text.add(Number(id));
      own.tokens.push(id);
    }
    return own;
  }

  #begin(ids: readonly bigint[]): Row {
    const { spelling, beginning } = this.#plan.parts;
    const length = Math.min(this.#options.prompt ?? ids.length, ids.length);
    const prompt = ids.slice(0, length).map(Number);
    const first = prompt.findIndex((token) => isText(token, spelling)),
      read = first < 0 ? [] : prompt.slice(first);
    const planned = beginning.prompt;
    // A plan without a prompt serves rows with prompts of their own.
    if (planned.length > 0 && String(planned) !== String(read) && String(planned) !== String(prompt)) {
      throw new RetortError(
        "control/prompt",
        `a row begins with the tokens ${textOf(read)}, and the prompt of the plan is ${textOf(planned)}`,
        {
          hint:
            "Pass the processor of `plan.after(prompt)`, or that of a plan without a prompt, which takes every row's own; `prompt` says how many tokens of a row are prompt.",
        },
      );
    }
    return {
      tokens: ids.slice(0, length),
      text: this.#plan.begin(planned.length > 0 ? planned : read),
      isOver: false,
    };
  }

  #adjust({ text, isOver }: Row, logits: Float32Array): void {
    const share = isOver ? 1 : text.shareOfEnding;
    if (share === 1) return this.#onlyEnd(logits);
    text.adjust(logits, this.#adjustment);
    if (share === 0 || this.#end === null) return;
    // The end token takes its share of what all others have.
    const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = logits.reduce((sum, x) => sum + Math.exp(x - largest), 0);
    logits[this.#end] = largest + Math.log(total) + Math.log(share / (1 - share));
  }

  #onlyEnd(logits: Float32Array): void {
    if (this.#end === null) return;
    logits.fill(-Infinity);
    logits[this.#end] = 0;
  }
}
