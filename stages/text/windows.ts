import { z } from "zod";
import { TextError } from "../../datasets/text/errors.ts";
import { type WindowFrame, Windows } from "../../datasets/text/windows.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { type Tokens, tokens, vocabulary, windows } from "./codecs.ts";

/** All windows of some tokens: offsets into them, no copy. */
export const layWindows: Stage<
  z.ZodObject<{
    length: z.ZodDefault<z.ZodInt>;
    stride: z.ZodOptional<z.ZodInt>;
    within: z.ZodDefault<
      z.ZodEnum<{
        text: "text";
        ends: "ends";
        documents: "documents";
      }>
    >;
    partial: z.ZodDefault<
      z.ZodEnum<{
        drop: "drop";
        pad: "pad";
      }>
    >;
  }, z.core.$strip>,
  { tokens: typeof tokens; vocabulary: typeof vocabulary },
  { windows: typeof windows }
> = defineStage({
  name: "text.windows",
  params: z.object({
    /** Positions of a window. */
    length: z.int().min(1).default(32),
    /** Tokens from one window's beginning to the next one's; by default windows do not overlap. */
    stride: z.int().min(1).optional(),
    /** What a window may not cross: nothing (`text`), the end of a document, or an end token. */
    within: z.enum(["text", "documents", "ends"]).default("text"),
    /** Whether a window that would cross it is dropped or padded with unobserved positions. */
    partial: z.enum(["drop", "pad"]).default("drop"),
  }),
  inputs: { tokens, vocabulary },
  outputs: { windows },
  async run({ inputs, params, context }) {
    const { length, within, partial, stride = length } = params;
    const { end } = inputs.vocabulary;
    const starts = await segments(inputs.tokens, within, end);
    const made = Windows.over(starts, { length, stride, partial });
    if (made.count === 0) {
      throw new TextError("text/windows", `${inputs.tokens.count} tokens give no window of ${length}`, {
        hint: 'Shorten the windows, or set `partial` to "pad".',
      });
    }
    context.metric("windows", made.count);
    const begin = within !== "text" && made.beginAt(starts);
    const ends = await endsIn(made, inputs.tokens, end);
    const frame: WindowFrame = {
      begins: begin ? "window" : ends === "inside" ? "end" : "anywhere",
      ends: ends !== "none",
    };
    context.log(
      `a text begins ${BEGINS[frame.begins]}, ${frame.ends ? "an" : "no"} end token stands after it`,
    );
    return { windows: made.framed(frame) };
  },
});

const BEGINS = { window: "with its window", end: "after an end token", anywhere: "anywhere in a window" };

/**
 * Where end tokens occur in windows: before other tokens (`inside`), only after all others (`last`), or
 * nowhere.
 */
async function endsIn(
  windows: Windows,
  { ids }: Tokens,
  end: number | null,
): Promise<"inside" | "last" | "none"> {
  if (end === null) return "none";
  let found: "last" | "none" = "none";
  for await (const { count, variables, values, observed } of windows.blocks(ids, 4096)) {
    for (let w = 0; w < count; w++) {
      for (let at = w * variables; at < (w + 1) * variables; at++) {
        if (values[at] !== end || observed?.[at] === 0) continue;
        found = "last";
        if (at + 1 < (w + 1) * variables && observed?.[at + 1] !== 0) return "inside";
      }
    }
  }
  return found;
}

async function segments(
  given: Tokens,
  within: "text" | "documents" | "ends",
  end: number | null,
): Promise<ArrayLike<number>> {
  if (within === "text") return [0, given.count];
  if (within === "documents") return given.starts;
  if (end === null) {
    throw new TextError("text/no-end-token", "windows within end tokens need tokens that have one", {
      hint: 'Set `ends` of the tokenizer to something else than "nothing".',
    });
  }
  const starts = [0];
  for await (const { first, values } of given.ids.blocks()) {
    for (let i = 0; i < values.length; i++) if (values[i] === end) starts.push(first + i + 1);
  }
  if (starts.at(-1) !== given.count) starts.push(given.count);
  return starts;
}
