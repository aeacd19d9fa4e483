import { isAbsolute, join, relative } from "node:path";
import { z } from "zod";
import { TextError } from "../../datasets/text/errors.ts";
import { defineSource } from "../../runner/stage.ts";

/** Text files of your own: one file, or every file of a folder and of the folders in it, but hidden ones. */
export const localText = defineSource({
  name: "text.files",
  params: z.object({
    /** A file or a folder; a relative one starts where the command is run. */
    path: z.string().min(1),
    /** Take only files whose names end so, for example `[".txt", ".txt.gz"]`. Default: all. */
    endings: z.array(z.string().min(1)).default([]),
  }),
  async locate({ params }) {
    const root = isAbsolute(params.path)
      ? params.path
      : join(Deno.env.get("INIT_CWD") ?? Deno.cwd(), params.path);
    const found: { name: string; path: string }[] = [];
    const info = await Deno.stat(root).catch((cause) => {
      throw new TextError(`there is no text at ${root}`, { hint: "`path` names a file or a folder.", cause });
    });
    if (info.isFile) return [{ name: root.slice(root.lastIndexOf("/") + 1), path: root }];
    const walk = async (folder: string) => {
      for await (const entry of Deno.readDir(folder)) {
        if (entry.name.startsWith(".")) continue;
        const path = join(folder, entry.name);
        const { isDirectory } = entry.isSymlink ? await Deno.stat(path) : entry;
        if (isDirectory) await walk(path);
        else if (
          params.endings.length === 0 || params.endings.some((ending) => entry.name.endsWith(ending))
        ) {
          found.push({ name: relative(root, path), path });
        }
      }
    };
    await walk(root);
    if (found.length === 0) {
      throw new TextError(`${root} holds no text files${params.endings.map((e) => ` *${e}`).join("")}`);
    }
    // In the order of their names: how a file system lists them must not matter.
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  },
});
