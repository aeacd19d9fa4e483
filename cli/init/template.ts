import { z } from "zod";
import { OWN_ROOT } from "../../foundation/own_package.ts";

/** Names of the templates, as `--template` takes them: a folder each in `templates/`. */
export const TEMPLATES = ["text", "images", "rows", "plain"] as const;

/** The name of a template. */
export type ProjectTemplate = (typeof TEMPLATES)[number];

/** What `template.json` says. */
const about = z.strictObject({
  /** What the project is for, for people. */
  summary: z.string().min(1),
  /** What to run first: a pipeline file and its options. */
  try: z.string().min(1),
});

/** A template. */
export interface Template extends z.output<typeof about> {
  /** Bytes of its files by their path in the project. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Names that no package could hold as they are: npm leaves such files out or renames them. */
const HIDDEN: Readonly<Record<string, string>> = { gitignore: ".gitignore", github: ".github" };

/**
 * Reads a template: its folder, and the one that all share. In texts `{{name}}` and the like stand for what `values` holds.
 *
 * @throws when the package lacks it.
 */
export function readTemplate(name: ProjectTemplate, values: Readonly<Record<string, string>>): Template {
  const files = new Map<string, Uint8Array>();
  const take = (folder: URL, inside: string) => {
    for (const entry of [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1)) {
      const path = inside + (HIDDEN[entry.name] ?? entry.name);
      if (entry.isDirectory) take(new URL(`${entry.name}/`, folder), `${path}/`);
      else files.set(path, filled(Deno.readFileSync(new URL(entry.name, folder)), values));
    }
  };
  take(new URL("templates/common/", OWN_ROOT), "");
  take(new URL(`templates/${name}/`, OWN_ROOT), "");
  const text = new TextDecoder().decode(files.get("template.json"));
  files.delete("template.json");
  return { ...about.parse(JSON.parse(text)), files };
}

/** A file with its placeholders filled in; what is no text stays as it is. */
function filled(bytes: Uint8Array, values: Readonly<Record<string, string>>): Uint8Array {
  if (bytes.includes(0)) return bytes;
  const text = new TextDecoder().decode(bytes);
  return new TextEncoder().encode(
    text.replaceAll(/\{\{(\w+)\}\}/g, (all, name: string) => values[name] ?? all),
  );
}
