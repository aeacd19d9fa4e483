import { z } from "zod";
import { parseRows } from "../../datasets/rows.ts";
import { RetortError } from "../../foundation/errors.ts";
import { files } from "../../runner/codecs/files.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { samples } from "../codecs/samples.ts";

/** Reads the three splits of a data set of comma-separated states: `<name>.train.data`, `.valid.`, `.test.`. */
export const loadRows: Stage<
  z.ZodObject<{
    name: z.ZodString;
  }, z.core.$strip>,
  { files: typeof files },
  { train: typeof samples; valid: typeof samples; test: typeof samples }
> = defineStage({
  name: "density.load",
  params: z.object({
    /** Prefix of the file names. */
    name: z.string(),
  }),
  inputs: { files },
  outputs: { train: samples, valid: samples, test: samples },
  async run({ inputs, params, context }) {
    const read = async (split: string) => {
      const file = `${params.name}.${split}.data`;
      const { count, columns, values } = parseRows(await inputs.files.text(file), file);
      context.metric(`${split} rows`, count);
      return { count, variables: columns, values };
    };
    const [train, valid, test] = [await read("train"), await read("valid"), await read("test")];
    for (const [split, { variables }] of [["valid", valid], ["test", test]] as const) {
      if (variables === train.variables) continue;
      throw new RetortError(
        "inputs/mismatch",
        `${params.name}: ${split} rows have ${variables} numbers, those for training ${train.variables}`,
      );
    }
    return { train, valid, test };
  },
});
