import { z } from "zod";
import { DataSetError } from "../../datasets/errors.ts";
import { defineSource, type Stage } from "../../runner/stage.ts";
import { filesAt } from "../files_at.ts";
import type { files } from "../../runner/codecs/files.ts";

/** Endings of tables, packed by gzip or zstd or not. */
const ENDINGS = [".csv", ".tsv", ".parquet", ".npy"].flatMap((end) => [end, `${end}.gz`, `${end}.zst`]);

/** One's own table: a file, or the only one in a folder. */
export const tableFile: Stage<
  z.ZodObject<{
    path: z.ZodString;
  }, z.core.$strip>,
  Record<never, never>,
  {
    files: typeof files;
  }
> = defineSource({
  name: "rows.file",
  params: z.object({
    /** The file; a relative path starts where the command is run. */
    path: z.string().min(1),
  }),
  async locate({ params: { path } }) {
    const found = await filesAt(path, {
      endings: ENDINGS,
      what: "table",
      code: "table/files",
      hint: "Give a .csv, .tsv, .parquet or .npy file.",
    });
    if (found.length === 1) return found;
    throw new DataSetError(
      "table/files",
      `${path} holds ${found.length} tables: ${found.slice(0, 8).map(({ name }) => name).join(", ")}`,
      { hint: "Give one of them: rows of several tables belong into one file." },
    );
  },
});
