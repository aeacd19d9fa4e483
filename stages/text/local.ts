import { z } from "zod";
import { splits } from "../../datasets/text/documents.ts";
import { TextError } from "../../datasets/text/errors.ts";
import { defineSource, type LocatedFile, type Stage } from "../../runner/stage.ts";
import { filesAt } from "../files_at.ts";
import type { files } from "../../runner/codecs/files.ts";

const path = z.string().min(1);

/** Paths of texts: a file, a folder, a list of them, or one or several for each split. */
export const textPaths: z.ZodUnion<
  readonly [
    z.ZodString,
    z.ZodArray<z.ZodString>,
    z.ZodObject<{
      train: z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]>;
      valid: z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]>;
      test: z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]>;
    }, z.core.$strict>,
  ]
> = z.union([
  path,
  z.array(path).min(1),
  z.strictObject({
    train: z.union([path, z.array(path).min(1)]),
    valid: z.union([path, z.array(path).min(1)]),
    test: z.union([path, z.array(path).min(1)]),
  }),
], { error: "expected a file or a folder, a list of them, or `train`, `valid` and `test` of them" });

/**
 * Text files of your own: files, or every file of folders and of the folders in them, but hidden ones. Those of
 * several paths keep their own names; those of a split are called after it, `train/…`, so that `split: "names"` finds them.
 */
export const localText: Stage<
  z.ZodObject<{
    path: z.ZodUnion<
      readonly [
        z.ZodString,
        z.ZodArray<z.ZodString>,
        z.ZodObject<{
          train: z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]>;
          valid: z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]>;
          test: z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]>;
        }, z.core.$strict>,
      ]
    >;
    endings: z.ZodDefault<z.ZodArray<z.ZodString>>;
  }, z.core.$strip>,
  Record<never, never>,
  {
    files: typeof files;
  }
> = defineSource({
  name: "text.files",
  params: z.object({
    /** Files and folders; relative ones start where the command is run. */
    path: textPaths,
    /** Endings of the files to take, for example `[".txt", ".txt.gz"]`; by default all files. */
    endings: z.array(z.string().min(1)).default([]),
  }),
  async locate({ params: { path, endings } }) {
    const found = typeof path === "string" || Array.isArray(path)
      ? await filesOf(path, endings)
      : (await Promise.all(splits.map(async (split) =>
        (await filesOf(path[split], endings)).map(({ name, path }) => ({ name: `${split}/${name}`, path }))
      ))).flat();
    const names = new Map<string, string>();
    for (const { name, path } of found) {
      const other = names.get(name);
      if (other !== undefined) {
        throw new TextError("text/files", `two files are called ${name}: ${other} and ${path}`, {
          hint: "Give the folder that holds both, or rename one of them.",
        });
      }
      names.set(name, path);
    }
    // In the order of their names: how a file system lists them must not matter.
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  },
});

async function filesOf(path: string | readonly string[], endings: readonly string[]): Promise<LocatedFile[]> {
  const found = await Promise.all((typeof path === "string" ? [path] : path).map((one) =>
    filesAt(one, {
      endings,
      what: "text files",
      code: "text/files",
      hint:
        "Give the folder or the file that has the text, and `endings` for some of its files; hidden files do not " +
        "count, and paths are taken as they stand, `~` and `*` too.",
    })
  ));
  return found.flat();
}
