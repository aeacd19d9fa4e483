import { basename, extname, isAbsolute, join, relative } from "node:path";
import { DataSetError } from "../datasets/errors.ts";
import type { ErrorCode } from "../foundation/errors.ts";
import type { LocatedFile } from "../runner/stage.ts";

/** What is looked for, and how messages call it. */
export interface FileSearch {
  /** Endings of the names to take, in any case; all files if there are none. */
  readonly endings: readonly string[];
  /** What the files are: `text files`. */
  readonly what: string;
  /** Code of the error when there are none. */
  readonly code: ErrorCode;
  /** What to do about it. */
  readonly hint: string;
}

/**
 * Files of one's own: a file as it is, or every file of a folder and of the folders in it, but hidden ones, in the order of
 * their names. Relative paths start where the command is run.
 *
 * @throws DataSetError when there is nothing of that name, or no such file in it, with the endings that there are
 */
export async function filesAt(path: string, wanted: FileSearch): Promise<LocatedFile[]> {
  const { endings, what, code, hint } = wanted;
  const root = isAbsolute(path) ? path : join(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
  const info = await Deno.stat(root).catch((cause) => {
    throw new DataSetError(code, `there is no file or folder ${root}`, { hint, cause });
  });
  if (info.isFile) return [{ name: basename(root), path: root }];
  const found: LocatedFile[] = [], others = new Set<string>();
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      const { isDirectory } = entry.isSymlink ? await Deno.stat(path) : entry;
      if (isDirectory) await walk(path);
      else if (
        endings.length === 0 || endings.some((end) => entry.name.toLowerCase().endsWith(end.toLowerCase()))
      ) {
        found.push({ name: relative(root, path), path });
      } else others.add(extname(entry.name) || entry.name);
    }
  };
  await walk(root);
  if (found.length === 0) {
    const there = [...others].sort().slice(0, 10).map((ending) => `*${ending}`).join(", ");
    throw new DataSetError(code, `${root} holds no ${what}${endings.map((end) => ` *${end}`).join("")}`, {
      hint: others.size === 0 ? hint : `${hint} There are files called ${there}.`,
    });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
