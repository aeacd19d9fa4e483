/** A first pipeline: composes a text and counts its words. */
import { definePipeline } from "retort";
import { z } from "zod";
import { compose } from "../stages/compose.ts";
import { count } from "../stages/mine.ts";

export default definePipeline({
  name: "first",
  params: z.object({
    /** How often the text is repeated. */
    times: z.int().min(1).default(3),
  }),
  build({ params }) {
    const { text } = compose({}, { times: params.times });
    return { counts: count({ text }).counts };
  },
});
