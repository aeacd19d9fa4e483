import { defineStage, text } from "retort";
import { z } from "zod";

/** Composes the text. */
export const compose = defineStage({
  name: "mine.compose",
  params: z.object({ times: z.int().min(1) }),
  outputs: { text },
  run: ({ params }) => ({ text: "to be or not to be ".repeat(params.times) }),
});
