import { z } from "zod";
import { locate } from "../datasets/locate.ts";
import { defineSource, type Stage } from "../runner/stage.ts";
import type { files } from "../runner/codecs/files.ts";

/**
 * A data set of the registry on this machine: in `RETORT_DATA` first, then where `deno task data fetch` puts
 * it. Nothing is downloaded in a run.
 */
export const dataSet: Stage<
  z.ZodObject<{
    name: z.ZodString;
    edition: z.ZodOptional<z.ZodString>;
  }, z.core.$strip>,
  Record<never, never>,
  {
    files: typeof files;
  }
> = defineSource({
  name: "data.set",
  params: z.object({
    /** Name in the registry: see `deno task data list`. */
    name: z.string(),
    /** Take this edition only. */
    edition: z.string().optional(),
  }),
  async locate({ params }) {
    const found = await locate(params.name, params.edition === undefined ? {} : { edition: params.edition });
    return found.files.map((file) => ({
      name: file.path,
      path: file.location,
      ...(file.sha256 === undefined ? {} : { digest: file.sha256 }),
    }));
  },
});
