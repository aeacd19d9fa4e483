import { basename, extname, isAbsolute, join, relative } from "node:path";
import { z } from "zod";
import { splits } from "../../datasets/text/documents.ts";
import { TextError } from "../../datasets/text/errors.ts";
import { defineSource } from "../../runner/stage.ts";

const path = z.string().min(1);

/** Paths of texts: a file, a folder, a list of them, or one or several for each split. */
export const textPaths = z.union([
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
export const localText = defineSource({
  name: "text.files",
  params: z.object({
    /** Files and folders; relative ones start where the command is run. */
    path: textPaths,
    /** Endings of the files to take, for example `[".txt", ".txt.gz"]`; by default all files. */
    endings: z.array(z.string().min(1)).default([]),
  }),
  async locate({ params: { path, endings } }) {
    const found = typeof path === "string" || Array.isArray(path)
      ? await filesAt(path, endings)
      : (await Promise.all(splits.map(async (split) =>
        (await filesAt(path[split], endings)).map(({ name, path }) => ({ name: `${split}/${name}`, path }))
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

interface Found {
  readonly name: string;
  readonly path: string;
}

async function filesAt(path: string | readonly string[], endings: readonly string[]): Promise<Found[]> {
  if (typeof path !== "string") return (await Promise.all(path.map((one) => filesAt(one, endings)))).flat();
  const root = isAbsolute(path) ? path : join(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
  const info = await Deno.stat(root).catch((cause) => {
    throw new TextError("text/files", `there is no file or folder ${root}`, {
      hint:
        "Paths are taken as they stand, `~` and `*` too: give a folder, and `endings` for some of its files.",
      cause,
    });
  });
  if (info.isFile) return [{ name: basename(root), path: root }];
  const found: Found[] = [], others = new Set<string>();
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      const { isDirectory } = entry.isSymlink ? await Deno.stat(path) : entry;
      if (isDirectory) await walk(path);
      else if (endings.length === 0 || endings.some((ending) => entry.name.endsWith(ending))) {
        found.push({ name: relative(root, path), path });
      } else others.add(extname(entry.name) || entry.name);
    }
  };
  await walk(root);
  if (found.length === 0) {
    throw new TextError("text/files", `${root} holds no text files${endings.map((e) => ` *${e}`).join("")}`, {
      hint: others.size === 0
        ? "Give the folder or the file that has the text; hidden files do not count."
        : `Leave \`endings\` out, or set others: there are files called ${
          [...others].slice(0, 10).map((ending) => `*${ending}`).join(", ")
        }.`,
    });
  }
  return found;
}
